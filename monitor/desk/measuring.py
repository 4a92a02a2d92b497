"""*Measure* behind the window: one run at a time in a thread of its own, its news through the outbox."""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from monitor.assembly import AssemblyError, VenueRuntime, assemble
from monitor.desktop.demo_process import DemoExchangeError, DemoProcess
from monitor.desktop.settings import Settings
from monitor.exchanges.base import PollJob
from monitor.exchanges.registry import VENUES
from monitor.polling.outcome import attempt
from monitor.polling.results import PollResult, TaskDone
from monitor.proof.measurement import MeasureOptions, MeasureProgress, measure
from monitor.proof.runs import MeasureReport, SaveReport, default_jobs

log = logging.getLogger(__name__)

TOKEN_MEASURE: Final = -20
TOKEN_SAVED: Final = -21

DEMO_PREFIX: Final = "demo:"
DEMO_RTT_MS: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Everything a run needs, taken in the GUI thread. ``runtime``: ``None`` for one of its own, at a demo exchange."""

    number: int
    venue: str
    is_private_demo: bool
    runtime: VenueRuntime | None
    jobs: tuple[PollJob, ...]
    settings: Settings
    options: MeasureOptions
    cancel: threading.Event


class DeskMeasuring:
    """Starts and cancels measurements. Thread: GUI; nothing blocks.

    ``runtimes``, ``plan_jobs`` and ``settings`` are asked at the start of each run. ``put`` hands a finished task to
    the board's thread, from any thread.
    """

    def __init__(
        self,
        *,
        runtimes: Callable[[], Mapping[str, VenueRuntime]],
        plan_jobs: Callable[[], tuple[PollJob, ...]],
        settings: Callable[[], Settings],
        put: Callable[[PollResult], object],
        is_demo: bool,
    ) -> None:
        self._runtimes = runtimes
        self._plan_jobs = plan_jobs
        self._settings = settings
        self._put = put
        self._is_demo = is_demo
        self._run: _Run | None = None
        self._number = 0

    def targets(self) -> tuple[tuple[str, str], ...]:
        """(name, what to call it) of everything that can be measured."""
        venues = tuple((name, entry.title) for name, entry in VENUES.items())
        if self._is_demo:
            return venues
        # Beside the live venues: nobody is troubled by an exchange on this machine.
        demos = tuple((f"{DEMO_PREFIX}{name}", f"Demo exchange, as {title}") for name, title in venues)
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
            options=MeasureOptions(requests=requests),
            cancel=threading.Event(),
        )

        def work() -> None:
            self._tell(self._outcome(run))

        threading.Thread(target=work, name="measure", daemon=True).start()
        return run.number

    def cancel(self) -> None:
        """End the run under way, if there is one, after its request in flight; its result comes as far as it got."""
        if self._run is not None:
            self._run.cancel.set()
            self._run = None

    def save(self, file: Path, data: bytes) -> None:
        """Write ``data`` in the background; the outcome comes as a ``SaveReport``."""

        def work() -> None:
            problem = None
            try:
                file.write_bytes(data)
            except OSError as exc:
                problem = f"{file.name} could not be written: {exc.strerror}. Choose another folder."
                log.warning("a measurement was not saved: %s", exc.strerror)
            report = SaveReport(file=str(file), problem=problem)
            self._put(TaskDone(token=TOKEN_SAVED, value=report, failure=None))

        threading.Thread(target=work, name="save", daemon=True).start()

    def _outcome(self, run: _Run) -> MeasureReport:
        """Measure in the calling thread, and say how it went."""
        number = run.number

        def tell(progress: MeasureProgress) -> None:
            self._tell(MeasureReport(run=number, progress=progress))

        def work() -> MeasureReport:
            try:
                with ExitStack() as stack:
                    runtime = _demo_runtime(run, stack) if run.is_private_demo else run.runtime
                    if runtime is None:
                        return MeasureReport(run=number, failure="The app is still starting. Try again in a moment.")
                    jobs = run.jobs or default_jobs(runtime, run.settings)
                    result = measure(runtime, jobs, run.options, cancel=run.cancel, progress=tell)
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


def _demo_runtime(run: _Run, stack: ExitStack) -> VenueRuntime:
    """A demo exchange for this run only; ``stack`` ends it. Blocks while it starts."""
    demo = DemoProcess(rtt_ms=DEMO_RTT_MS)
    stack.callback(demo.stop)
    demo.start()
    addresses = demo.addresses
    # It listens on this machine; a proxy would look for it on its own.
    settings = replace(run.settings, proxies={})
    runtime = assemble([run.venue], settings, base_urls=addresses.base_urls, ca_file=addresses.ca_file)[run.venue]
    stack.callback(runtime.transport.close)
    return runtime
