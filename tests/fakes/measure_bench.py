"""The *Measure* dialog over real runs at a demo exchange, without a desk: the outbox is emptied by hand."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import replace
from time import monotonic

from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtTest import QTest

from monitor.assembly import VenueRuntime
from monitor.desk.measuring import DeskMeasuring
from monitor.desktop.settings import Settings
from monitor.exchanges.base import PollJob
from monitor.polling.outbox import Outbox
from monitor.polling.results import TaskDone
from monitor.proof.measurement import MeasureProgress
from monitor.proof.runs import MeasureReport, SaveReport, default_jobs
from monitor.widgets.measure_dialog import MeasureDialog
from monitor.widgets.theme import DARK

SLOW_S = 20.0
"""What is polled less often makes a plan whose days are simulated at once."""


class MeasureBench:
    """``reports`` and ``stages`` are everything that came and every stage text that was shown, in order."""

    def __init__(self, runtimes: Mapping[str, VenueRuntime], *, is_demo: bool = True, **settings: object) -> None:
        self.outbox = Outbox()
        self.settings = replace(Settings(), **settings)  # type: ignore[arg-type]  # names of the dataclass's fields
        self.measuring = DeskMeasuring(
            runtimes=lambda: runtimes,
            plan_jobs=lambda: _slow_jobs(runtimes, self.settings),
            settings=lambda: self.settings,
            put=self.outbox.put,
            is_demo=is_demo,
            hold_s=lambda _venue, _weight, waited_s: self.hold_s(waited_s),
        )
        self.hold_s: Callable[[float], float] = lambda _waited_s: 0.0
        """How long the polls of a plan would go first, by how long a request has waited."""
        self.reports: list[MeasureReport | SaveReport] = []
        self.stages: list[str] = []
        self._dialog: MeasureDialog | None = None

    @property
    def dialog(self) -> MeasureDialog:
        """Made when it is first asked for."""
        if self._dialog is None:
            self._dialog = MeasureDialog(self.measuring, DARK)
        return self._dialog

    @property
    def progress(self) -> list[MeasureProgress]:
        """What runs told on their way."""
        reports = [one for one in self.reports if isinstance(one, MeasureReport)]
        return [one.progress for one in reports if one.progress is not None]

    def pump(self) -> None:
        """What came through the outbox is shown."""
        for done in self.outbox.drain()[0]:
            assert isinstance(done, TaskDone)
            assert isinstance(done.value, MeasureReport | SaveReport)
            self.reports.append(done.value)
            assert self.measuring.take(done)
            self.stages.append(self.dialog.stage.text())
        QTest.qWait(10)

    def until(self, is_reached: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Let the dialog work until then."""
        give_up_s = monotonic() + timeout_s
        while not is_reached():
            assert monotonic() < give_up_s, self.stages[-3:]
            self.pump()

    def close(self) -> None:
        """End what runs, and the dialog."""
        self.measuring.stop(30.0)
        if self._dialog is not None:
            self._dialog.close()
            self._dialog.deleteLater()
            QCoreApplication.sendPostedEvents(None, int(QEvent.Type.DeferredDelete))
            self._dialog = None
            self.measuring.listen(lambda _: None)
            # In the GUI's thread: the next run makes garbage enough to collect a dialog in its own.
            gc.collect()


def _slow_jobs(runtimes: Mapping[str, VenueRuntime], settings: Settings) -> tuple[PollJob, ...]:
    jobs = [job for runtime in runtimes.values() for job in default_jobs(runtime, settings)]
    return tuple(job for job in jobs if job.cadence_s >= SLOW_S)
