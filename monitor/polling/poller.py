"""One thread that polls one endpoint."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import msgspec

from monitor.domain.errors import NO_FAILURES, ErrorKind, Failure
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.base import PollJob, Source
from monitor.polling.clock import VenueTime
from monitor.polling.line import BudgetLine
from monitor.polling.outcome import attempt
from monitor.polling.reports import failure_report, success_report, with_queue
from monitor.polling.results import PollResult
from monitor.polling.schedule import Cadence, align_to_venue
from monitor.transport.interface import Transport

_log = logging.getLogger(__name__)

LONGEST_HOLD_LOOK_S = 2.0
"""While the budget holds a poll back, look again at least this often: a pause may have been cut short."""

PATIENCE_S = 600.0
"""A poll of an account lets the market polls go first for this long; then it stands in line like any other."""

SELDOM_S = 180.0
"""What is asked less often than this stands back no longer than this for what is asked more often."""

REPORTED_HOLD_S = 2.0
"""A longer hold is reported as a failure, so that the countdown and the missed polls on screen move."""

HOLD_REPORT_EVERY_S = 10.0
"""While a hold lasts it is reported at most this often, and at most once a cadence."""

SUSPENDED_AFTER_S = 20.0
"""A wait that overran by this much means that the machine stood still; what it slept through was not missed."""

_UNSENT_ROUNDS = 3
"""How often a poll that lost the race for the budget goes back to waiting before that counts as a failure."""

_STUBBORN = frozenset(
    {
        ErrorKind.BLOCKED,
        ErrorKind.READ_ONLY,
        ErrorKind.UNKNOWN_INSTRUMENT,
        ErrorKind.CREDENTIALS,
        ErrorKind.INTERNAL,
    }
)
"""Failures that asking again soon seldom mends."""

Wait = Callable[[threading.Event, float | None], object]


def wait_for_event(event: threading.Event, timeout_s: float | None) -> object:
    """Block until ``event`` is set or ``timeout_s`` passed (``None``: for ever)."""
    return event.wait(timeout_s)


class PollerEnvironment(msgspec.Struct, frozen=True, kw_only=True):
    """What all pollers of an engine share: clocks, chance, the way of waiting and the way out for results.

    ``clock`` is monotonic in seconds, ``utc_now`` stamps, ``random`` gives floats in [0, 1).
    """

    put: Callable[[PollResult], object]
    clock: Callable[[], float]
    utc_now: Callable[[], datetime]
    random: Callable[[], float]
    wait: Wait = wait_for_event


class Poller:
    """Polls one job on its own daemon thread until it is retired.

    Thread: the constructor and every public method from the engine's callers; they set a wish under the lock and wake
    the thread, which alone touches the schedule and calls ``job.fetch``.
    """

    def __init__(
        self,
        job: PollJob,
        *,
        epoch: int,
        transport: Transport,
        line: BudgetLine,
        environment: PollerEnvironment,
        first_due_s: float,
        venue_time: VenueTime | None = None,
    ) -> None:
        """``venue_time`` is shared by the pollers of a venue; ``None``: the job learns it from its own replies."""
        self._environment = environment
        self._transport = transport
        self._line = line
        self._venue_time = venue_time if venue_time is not None else VenueTime(environment.utc_now)
        self._cadence = Cadence(job.cadence_s, first_due_s=first_due_s, random=environment.random)
        self._unsent_rounds = 0
        self._hold_report_due_s: float | None = None

        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._job = job
        self._epoch = epoch
        self._is_paused = False
        self._is_fetching = False
        self._is_refresh_wished = False
        self._restart_in_s: float | None = None
        self._is_retired = False
        self._is_finished = False
        # A thread that hangs in a request must not keep the process alive after the window is gone.
        self._thread = threading.Thread(target=self.run, name=f"poll-{job.key}", daemon=True)

    @property
    def name(self) -> str:
        """Name of its thread: ``poll-bitunix.tickers``."""
        return self._thread.name

    @property
    def is_alive(self) -> bool:
        """Whether its thread is running."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait up to ``timeout_s`` for the thread to end after :meth:`retire`."""
        self._thread.join(max(0.0, timeout_s))

    def adopt(self, job: PollJob, epoch: int) -> bool:
        """Go on under a new plan with the same key: the schedule stays, a changed cadence is taken over.

        Also brings back a poller that was retired but still hangs in a request. False: too late, its thread has ended.
        """
        with self._lock:
            if self._is_finished:
                return False
            self._job = job
            self._epoch = epoch
            self._is_retired = False
            self._wake.set()
            return True

    def retire(self) -> None:
        """Stop polling. A request in flight is not interrupted; its result still comes, with the old epoch."""
        with self._lock:
            self._is_retired = True
            self._wake.set()

    def refresh(self) -> None:
        """Poll as soon as the budget allows, once, also while paused. A request in flight counts as that poll."""
        with self._lock:
            if not self._is_fetching:
                self._is_refresh_wished = True
                self._wake.set()

    def pause(self) -> None:
        """Poll no more until :meth:`restart`."""
        with self._lock:
            self._is_paused = True
            self._wake.set()

    def restart(self, delay_s: float) -> None:
        """Poll in ``delay_s`` and go on from there, backoff forgotten; what passed in between was not planned."""
        with self._lock:
            self._is_paused = False
            self._restart_in_s = delay_s
            self._wake.set()

    def run(self) -> None:
        """Poll until retired. The body of the thread; blocks."""
        try:
            while (turn := self._wait_for_turn()) is not None:
                self._poll(turn)
        finally:
            self._line.leave(self)
            with self._lock:
                self._is_finished = True

    def _wait_for_turn(self) -> PollJob | None:
        """Block until a poll may be made; ``None`` once retired."""
        environment = self._environment
        is_refresh = False
        while True:
            now_s = environment.clock()
            with self._lock:
                self._wake.clear()
                if self._is_retired:
                    # Said under the same lock hold, or adopt() could take back a poller that has just decided to end.
                    self._is_finished = True
                    return None
                job = self._job
                is_wished, self._is_refresh_wished = self._is_refresh_wished, False
                is_refresh = is_refresh or is_wished
                is_paused = self._is_paused
                restart_in_s, self._restart_in_s = self._restart_in_s, None
            self._cadence.change(job.cadence_s, now_s)
            if restart_in_s is not None:
                self._cadence.resume(now_s + restart_in_s)
            if is_paused and not is_refresh:
                self._line.leave(self)
                environment.wait(self._wake, None)
                continue
            if is_wished and is_paused:
                # The slots that passed during the pause were not planned.
                self._cadence.resume(now_s)
            elif is_wished and self._cadence.next_due_s > now_s:
                self._cadence.poll_at(now_s)
            delay_s = self._cadence.next_due_s - now_s
            if delay_s > 0.0:
                self._line.leave(self)
            else:
                delay_s = self._hold_s(job, now_s)
                if delay_s <= 0.0:
                    with self._lock:
                        self._is_fetching = True
                    return job
            environment.wait(self._wake, delay_s)
            if environment.clock() - now_s - delay_s > SUSPENDED_AFTER_S:
                self._cadence.resume(environment.clock())

    def _hold_s(self, job: PollJob, now_s: float) -> float:
        """Seconds to wait for the budget before looking again; 0 when the poll may go out."""
        # Prices first: an account that begins must not take what their next minute needs. But not for ever.
        is_patient = job.account is not None and now_s - self._cadence.next_due_s < PATIENCE_S
        made = self._cadence.made
        is_first = made < (1 if job.expected is None else len(job.expected) - 1)
        expected = None if job.expected is None else job.expected[min(made, len(job.expected) - 1)]
        available_in_s = self._line.hold_s(
            self,
            job.weight,
            is_patient=is_patient,
            is_first=is_first,
            expected=expected,
            deadline_s=self._cadence.next_due_s + min(job.cadence_s, SELDOM_S),
        )
        # Who is patient looks again soon, however long it has been waiting.
        waits_s = max(available_in_s, now_s - self._cadence.next_due_s if is_patient else 0.0)
        is_long = available_in_s > 0.0 and waits_s > REPORTED_HOLD_S
        if is_long and (self._hold_report_due_s is None or now_s >= self._hold_report_due_s):
            self._hold_report_due_s = now_s + max(HOLD_REPORT_EVERY_S, job.cadence_s)
            missed = self._cadence.held(now_s)
            # The text is shown until the next report, so it has no countdown: that is reckoned where it is shown.
            pause = self._transport.budget_state().pause_cause
            if pause is not None:
                text = pause.sentence(job.venue)
            else:
                text = f"waiting for our own share of the {job.venue.capitalize()} rate limit"
                text += ", prices go first" if is_patient else ""
            failure = Failure(kind=ErrorKind.BUDGET, user_text=text, retry_after_s=available_in_s, pause=pause)
            self._put_failure(job, failure, missed=missed)
        return min(available_in_s, LONGEST_HOLD_LOOK_S)

    def _poll(self, job: PollJob) -> None:
        environment = self._environment
        started_s = environment.clock()
        queue_s = max(0.0, started_s - self._cadence.next_due_s)
        outcome = attempt(job.fetch, name=job.key)
        self._line.done(self)
        ended_s = environment.clock()
        with self._lock:
            self._is_fetching = False
        failure = outcome.failure
        if outcome.is_unsent and failure is not None and self._unsent_rounds < _UNSENT_ROUNDS:
            # Another poller took the budget between our look and our request. Nothing was sent: not a poll, wait again.
            self._unsent_rounds += 1
            environment.wait(self._wake, min(max(failure.retry_after_s or 0.0, 0.01), LONGEST_HOLD_LOOK_S))
            return
        self._unsent_rounds = 0
        self._hold_report_due_s = None
        fetched = outcome.value
        if fetched is not None:
            if fetched.source is Source.NETWORK:
                self._venue_time.learn(fetched.clock_offset_s, fetched.received_mono_s - fetched.requested_mono_s)
            missed = self._cadence.succeeded(started_s, ended_s)
            self._align(job)
            environment.put(
                success_report(
                    job,
                    fetched,
                    epoch=self._current_epoch(),
                    transport=self._transport,
                    cadence=self._cadence,
                    missed=missed,
                    queue_s=queue_s,
                    handed_out_mono_s=ended_s,
                )
            )
            return
        if failure is None:
            failure = Failure(kind=ErrorKind.INTERNAL, user_text=f"{job.key}: the client returned nothing")
        missed = self._cadence.failed(
            started_s,
            ended_s,
            retry_after_s=failure.retry_after_s,
            is_stubborn=failure.kind in _STUBBORN,
            is_own=failure.kind in NO_FAILURES,
        )
        self._put_failure(job, failure, missed=missed, traces=with_queue(outcome.traces, queue_s))

    def _align(self, job: PollJob) -> None:
        """Bring the next poll of an aligned job to its moment on the venue's clock, as well as that is known by now."""
        if job.align_offset_s is None:
            return
        align_to_venue(
            self._cadence,
            offset_s=job.align_offset_s,
            venue_epoch_s=self._venue_time.now_epoch_s(),
            now_s=self._environment.clock(),
        )

    def _put_failure(
        self, job: PollJob, failure: Failure, *, missed: int, traces: tuple[RequestTrace, ...] = ()
    ) -> None:
        report = failure_report(
            job,
            failure,
            epoch=self._current_epoch(),
            transport=self._transport,
            cadence=self._cadence,
            missed=missed,
            traces=traces,
            now_s=self._environment.clock(),
            now=self._environment.utc_now(),
        )
        # The first of a row is news; the others are for whoever looks closely.
        level = logging.INFO if report.streak <= 1 else logging.DEBUG
        _log.log(level, "%s: %s (%s) %s", job.key, failure.user_text, failure.kind, failure.detail)
        self._environment.put(report)

    def _current_epoch(self) -> int:
        # Read late: a job that the new plan kept while its request was in flight still belongs on screen.
        with self._lock:
            return self._epoch
