"""*Measure* behind the window: one run at a time in a thread of its own, its news through the outbox."""

import importlib
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from monitor.assembly import AssemblyError, VenueRuntime, assemble
from monitor.desktop.demo_process import DemoExchangeError, DemoProcess
from monitor.desktop.settings import Settings
from monitor.exchanges.base import PollJob
from monitor.exchanges.registry import VENUES
from monitor.polling.outcome import attempt
from monitor.polling.results import PollResult, TaskDone
from monitor.proof.runs import Listener, MeasureReport, MeasureTarget, SaveReport, default_jobs

if TYPE_CHECKING:
    from monitor.proof.measurement import MeasureProgress

log = logging.getLogger(__name__)

TOKEN_MEASURE: Final = -20
TOKEN_SAVED: Final = -21

DEMO_PREFIX: Final = "demo:"
DEMO_RTT_MS: Final = 60.0

APART_S: Final = 1.0
"""Between the last handshake of a run that was cancelled and the first of the next, as between any two of a run."""


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run needs, taken in the GUI thread. ``runtime``: ``None`` for one of its own, at a demo exchange."""

    number: int
    venue: str
    is_private_demo: bool
    runtime: VenueRuntime | None
    jobs: tuple[PollJob, ...]
    settings: Settings
    requests: int
    cancel: threading.Event


class DeskMeasuring:
    """Starts and cancels measurements. Thread: GUI; nothing but :meth:`stop` blocks.

    ``runtimes``, ``plan_jobs`` and ``settings`` are asked at the start of each run. ``put`` hands a finished task to
    the board's thread, from any thread; what comes back from there goes to :meth:`take`. ``hold_s`` (venue, weight,
    seconds waited) says, in any thread, how long the plan goes first.
    """

    def __init__(
        self,
        *,
        runtimes: Callable[[], Mapping[str, VenueRuntime]],
        plan_jobs: Callable[[], tuple[PollJob, ...]],
        settings: Callable[[], Settings],
        put: Callable[[PollResult], object],
        is_demo: bool,
        hold_s: Callable[[str, int, float], float] = lambda _venue, _weight, _waited_s: 0.0,
    ) -> None:
        self._runtimes = runtimes
        self._plan_jobs = plan_jobs
        self._settings = settings
        self._put = put
        self._is_demo = is_demo
        self._hold_s = hold_s
        self._run: _Run | None = None
        self._thread: threading.Thread | None = None
        self._number = 0
        self._listener: Listener = lambda _: None

    def listen(self, listener: Listener) -> None:
        """Tell ``listener``, instead of any before, what runs and saves report."""
        self._listener = listener

    def take(self, done: TaskDone) -> bool:
        """Pass on what a run or a save reported; False: it is somebody else's."""
        if done.token not in {TOKEN_MEASURE, TOKEN_SAVED}:
            return False
        if isinstance(done.value, MeasureReport | SaveReport):
            self._listener(done.value)
        return True

    def targets(self) -> tuple[MeasureTarget, ...]:
        """Every venue that is switched on; on live venues the demo exchange as well, which troubles nobody."""
        settings, runtimes = self._settings(), self._runtimes()
        venues = tuple(
            MeasureTarget(
                name=name,
                title=entry.title,
                is_local=self._is_demo or (name in runtimes and runtimes[name].is_local),
                is_over_http2=name in settings.http2_venues,
            )
            for name, entry in VENUES.items()
            if name not in settings.disabled_venues
        )
        if self._is_demo:
            return venues
        demos = tuple(
            MeasureTarget(
                name=f"{DEMO_PREFIX}{name}", title=f"Demo exchange, as {entry.title}", is_local=True, is_polled=False
            )
            for name, entry in VENUES.items()
        )
        return (*venues, *demos)

    def start(self, target: str, requests: int) -> int:
        """Begin a run of ``requests`` each way and return its number; one under way is cancelled."""
        self.cancel()
        self._number += 1
        venue = target.removeprefix(DEMO_PREFIX)
        is_private_demo = target != venue
        self._run = run = _Run(
            number=self._number,
            venue=venue,
            is_private_demo=is_private_demo,
            runtime=None if is_private_demo else self._runtimes().get(venue),
            jobs=tuple(job for job in self._plan_jobs() if job.venue == venue),
            settings=self._settings(),
            requests=requests,
            cancel=threading.Event(),
        )

        before = self._thread

        def work() -> None:
            if before is not None and before.is_alive():
                # Its request in flight comes first, and the next handshake keeps its distance to it.
                before.join()
                run.cancel.wait(APART_S)
            self._tell(self._outcome(run))

        self._thread = threading.Thread(target=work, name="measure", daemon=True)
        self._thread.start()
        return run.number

    def cancel(self) -> None:
        """End the run under way, if there is one, after its request in flight; its result comes as far as it got."""
        if self._run is not None:
            self._run.cancel.set()
            self._run = None

    def leave(self, venue: str) -> None:
        """Cancel the run under way if it asks ``venue``, which is to be left alone."""
        if self._run is not None and self._run.venue == venue and not self._run.is_private_demo:
            self.cancel()

    def stop(self, deadline_s: float) -> None:
        """Cancel, and wait up to ``deadline_s`` for what is under way; a request that hangs longer ends by itself."""
        self.cancel()
        if self._thread is not None:
            self._thread.join(deadline_s)

    def save(self, file: Path, make: Callable[[], bytes]) -> None:
        """Write what ``make`` gives, called in another thread, to ``file``; the outcome comes as a ``SaveReport``."""

        def work() -> None:
            problem = None
            try:
                file.write_bytes(make())
            except OSError as exc:
                problem = f"{file.name} could not be written: {exc.strerror}. Choose another folder."
                log.warning("a measurement was not saved: %s", exc.strerror)
            report = SaveReport(file=str(file), problem=problem)
            self._put(TaskDone(token=TOKEN_SAVED, value=report, failure=None))

        threading.Thread(target=work, name="save", daemon=True).start()

    def _outcome(self, run: _Run) -> MeasureReport:
        """Measure in the calling thread, and say how it went."""
        # Here, as the start of the window would wait for it otherwise.
        from monitor.proof.measurement import Measurement, MeasureOptions, nobody_first  # noqa: PLC0415 - see above

        number = run.number

        def tell(progress: "MeasureProgress") -> None:
            self._tell(MeasureReport(run=number, progress=progress))

        def tell_waiting(why: str) -> None:
            self._tell(MeasureReport(run=number, waiting=why))

        def work() -> MeasureReport:
            try:
                with ExitStack() as stack:
                    runtime = run.runtime
                    if run.is_private_demo:
                        tell_waiting("The demo exchange of this run starts.")
                        runtime = _demo_runtime(run, stack)
                        tell_waiting("")
                    if runtime is None:
                        return MeasureReport(run=number, failure="The app is still starting. Try again in a moment.")
                    jobs = run.jobs or default_jobs(runtime, run.settings)
                    wishes = MeasureOptions(requests=run.requests, max_age_s=run.settings.max_age_s)
                    hold_s = nobody_first if run.is_private_demo else partial(self._hold_s, run.venue)
                    result = Measurement(
                        runtime,
                        jobs,
                        wishes,
                        cancel=run.cancel,
                        progress=tell,
                        hold_s=hold_s,
                        waiting=tell_waiting,
                    ).run()
            except (AssemblyError, DemoExchangeError) as exc:
                return MeasureReport(run=number, failure=str(exc))
            return MeasureReport(run=number, result=result)

        outcome = attempt(work, name="Measure")
        if outcome.value is not None:
            return outcome.value
        text = "It ended without a result." if outcome.failure is None else outcome.failure.user_text
        return MeasureReport(run=number, failure=text)

    def _tell(self, report: MeasureReport) -> None:
        self._put(TaskDone(token=TOKEN_MEASURE, value=report, failure=None))


def load_ahead() -> None:
    """Import the dialog and all it needs, so that opening it does not hold the window up. Blocks; no GUI thread."""
    importlib.import_module("monitor.widgets.measure_dialog")


def _demo_runtime(run: _Run, stack: ExitStack) -> VenueRuntime:
    """A demo exchange for this run only; ``stack`` ends it. Blocks while it starts."""
    demo = DemoProcess(rtt_ms=DEMO_RTT_MS)
    stack.callback(demo.stop)
    demo.start()
    addresses = demo.addresses
    # It listens on this machine, where a proxy would look for it in vain, and speaks HTTP/1.1.
    settings = replace(run.settings, proxies={}, http2_venues=())
    runtime = assemble([run.venue], settings, base_urls=addresses.base_urls, ca_file=addresses.ca_file)[run.venue]
    stack.callback(runtime.transport.close)
    return runtime
