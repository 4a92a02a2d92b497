"""A period chosen on a plot: every figure on screen follows it until Escape."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from monitor.qtmodels.figures import local_time
from monitor.state.period import Period
from monitor.widgets.chart_area import ChartArea
from monitor.widgets.dock import DockTitle
from monitor.widgets.event_list import EventList
from monitor.widgets.pool_panel import PoolPanel
from monitor.widgets.request_table import RequestTable
from monitor.widgets.spike_panel import SpikePanel
from monitor.widgets.status_bar import StatusBar


class PeriodFocus(QObject):
    """Hands a period chosen in ``charts`` to everything that shows figures; the panels of ``of_now`` say that they are
    of now. Thread: GUI.
    """

    def __init__(
        self,
        window: QWidget,
        *,
        charts: ChartArea,
        pools: PoolPanel,
        requests: RequestTable,
        spikes: SpikePanel,
        events: EventList,
        status: StatusBar,
        of_now: Sequence[DockTitle],
        clock: Callable[[], float],
        utc_now: Callable[[], datetime],
        started_mono_s: float,
    ) -> None:
        """``started_mono_s``: when this run began; requests and pools of before are drawn at most, never counted."""
        super().__init__(window)
        self._charts, self._pools, self._requests, self._spikes = charts, pools, requests, spikes
        self._events, self._status, self._of_now = events, status, tuple(of_now)
        self._clock, self._utc_now, self._started_mono_s = clock, utc_now, started_mono_s
        self.period: Period | None = None
        # Only while there is something to leave: otherwise Escape belongs to whatever has the keyboard.
        self._escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), window)
        self._escape.setContext(Qt.ShortcutContext.WindowShortcut)
        self._escape.setEnabled(False)
        self._escape.activated.connect(self.leave)
        charts.period_selected.connect(self.choose)
        charts.period_cleared.connect(self.clear)
        requests.detail_toggled.connect(self._on_detail)

    def choose(self, start_mono_s: float, end_mono_s: float) -> None:
        """Let every figure be of this stretch of time, in monotonic seconds."""
        self._show(Period(start_mono_s, end_mono_s))

    def clear(self) -> None:
        """Let every figure be of now again."""
        self._show(None)

    def leave(self) -> None:
        """Close the request's details if they are open, else leave the period."""
        if self._requests.detail.isVisible():
            self._requests.close_detail()
        else:
            self.clear()

    def text_of(self, period: Period) -> str:
        """``Period 14:02:10–14:03:40``, in local time, and which part of it this run knows, unless it knows all."""
        offset_s = self._clock()

        def at(mono_s: float) -> str:
            return local_time(self._utc_now() - timedelta(seconds=offset_s - mono_s))

        text = f"Period {at(period.start_mono_s)}–{at(period.end_mono_s)}"
        if period.end_mono_s < self._started_mono_s:
            return f"{text}, before this run"
        if period.start_mono_s < self._started_mono_s:
            return f"{text}, counts from {at(self._started_mono_s)}"
        return text

    def _show(self, period: Period | None) -> None:
        self.period = period
        text = "" if period is None else self.text_of(period)
        self._charts.set_period(period, text)
        self._pools.set_period(period, text)
        self._requests.set_period(period)
        self._spikes.set_period(period, text)
        self._events.set_period(period)
        self._status.set_period(period, text)
        for title in self._of_now:
            title.set_now(period is not None)
        self._on_detail()

    def _on_detail(self) -> None:
        self._escape.setEnabled(self.period is not None or not self._requests.detail.isHidden())
