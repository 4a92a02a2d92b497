"""The one way for commands to reach the pollers: start, replace the plan, refresh, pause, run once, stop."""

import logging
import random as random_module
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from monitor.exchanges.base import PollJob
from monitor.polling.clock import VenueTime
from monitor.polling.line import BudgetLine
from monitor.polling.outbox import Gate, Outbox
from monitor.polling.plan import PollPlan
from monitor.polling.poller import Poller, PollerEnvironment
from monitor.polling.schedule import START_SPREAD_S, start_delay_s
from monitor.polling.tasks import TaskRunner
from monitor.transport.interface import Transport

_log = logging.getLogger(__name__)

ACCOUNT_START_S = 2.0
"""An account is read this long after the market at the start: what that costs at first is counted by then."""

_JobId = tuple[str, str]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PollEngine:
    """Runs one poller thread per job of the current plan, and one-off work beside them.

    Everything the threads find out goes into ``outbox``. The engine neither opens nor closes the ``transports``; close
    them after :meth:`stop`.

    Thread: every method from any thread; only :meth:`stop` blocks, up to its deadline.
    """

    def __init__(
        self,
        *,
        outbox: Outbox,
        transports: Mapping[str, Transport],
        clock: Callable[[], float] = time.perf_counter,
        utc_now: Callable[[], datetime] = _utc_now,
        random: Callable[[], float] = random_module.random,
        task_threads: int = 3,
    ) -> None:
        self._gate = Gate(outbox)
        self._transports = dict(transports)
        self._lines = {venue: BudgetLine(transport) for venue, transport in self._transports.items()}
        self._times = {venue: VenueTime(utc_now) for venue in self._transports}
        self._environment = PollerEnvironment(put=self._gate.put, clock=clock, utc_now=utc_now, random=random)
        self._tasks = TaskRunner(self._gate.put, max_threads=task_threads)
        self._lock = threading.Lock()
        self._plan = PollPlan(epoch=0)
        self._pollers: dict[_JobId, Poller] = {}
        self._retired: dict[_JobId, Poller] = {}
        self._is_paused = False
        self._is_stopped = False
        self._unfinished: tuple[str, ...] = ()

    @property
    def plan(self) -> PollPlan:
        """The plan in force."""
        return self._plan

    @property
    def is_paused(self) -> bool:
        """Whether the schedule stands still."""
        return self._is_paused

    @property
    def unfinished(self) -> tuple[str, ...]:
        """Names of the threads that still hung in a request when :meth:`stop` gave up on them."""
        return self._unfinished

    def apply_plan(self, plan: PollPlan) -> None:
        """Replace the plan: start what is new, keep what is unchanged with its schedule, retire the rest.

        A job is the same when venue and key are; its cadence, weight and fetch may differ. Does not wait for requests
        in flight of retired jobs.

        Raises:
            ValueError: a job's venue has no transport, or the epoch is not newer than that of the plan in force.
            RuntimeError: the engine was stopped.
        """
        unknown = sorted(set(plan.venues) - set(self._transports))
        if unknown:
            raise ValueError(f"no transport for {', '.join(unknown)}")
        with self._lock:
            if self._is_stopped:
                raise RuntimeError("no new plan after stop")
            if plan.epoch <= self._plan.epoch:
                raise ValueError(f"plan epoch {plan.epoch} is not newer than {self._plan.epoch}")
            self._plan = plan
            wanted: dict[_JobId, PollJob] = {(job.venue, job.key): job for job in plan.jobs}
            for job_id in [job_id for job_id in self._pollers if job_id not in wanted]:
                self._retire(job_id)
            self._retired = {job_id: poller for job_id, poller in self._retired.items() if poller.is_alive}
            for venue, line in self._lines.items():
                market = (job for job in plan.jobs if job.venue == venue and job.account is None)
                line.set_market_rate(sum(job.weight / job.cadence_s for job in market))
                accounts = (job for job in plan.jobs if job.venue == venue and job.account is not None)
                line.set_account_rate(
                    sum((job.expected[-1] if job.expected else job.weight) / job.cadence_s for job in accounts)
                )
            self._start([job for job_id, job in wanted.items() if not self._is_adopted(job_id, job)])

    def refresh(self, key: str | None = None, *, venue: str | None = None) -> int:
        """Poll the jobs with this key (``None``: all) of this venue (``None``: all) as soon as the budget allows.

        Goes through the same budget as every poll, so holding the key down cannot harm. Returns how many jobs were
        asked.
        """
        with self._lock:
            chosen = [
                poller
                for (job_venue, job_key), poller in self._pollers.items()
                if key in (None, job_key) and venue in (None, job_venue)
            ]
        for poller in chosen:
            poller.refresh()
        return len(chosen)

    def pause(self) -> None:
        """Stop the schedule; requests in flight end normally. What passes while paused is not counted as missed."""
        with self._lock:
            self._is_paused = True
            for poller in self._pollers.values():
                poller.pause()

    def resume(self) -> None:
        """Go on after :meth:`pause`, beginning with a poll of everything."""
        with self._lock:
            if self._is_paused:
                self._is_paused = False
                self._restart_all()

    def poll_now(self) -> None:
        """Poll everything at once, after the machine woke up or the network changed; backoff is not waited out.

        Does nothing while paused. The budget still holds, and a pause the venue asked for is waited out.
        """
        with self._lock:
            if not self._is_paused:
                self._restart_all()

    def spare_hold_s(self, venue: str, weight: int, waited_s: float) -> float:
        """Seconds until ``weight`` may be asked of ``venue`` beside the plan without costing it a poll; 0: now.

        ``waited_s``: since it was first asked for. A longer answer than a look from time to time is never given.
        """
        return self._lines[venue].spare_hold_s(weight, waited_s=waited_s)

    def run_once(self, work: Callable[[], object]) -> int:
        """Run ``work`` on a worker thread; its result comes through the outbox as ``TaskDone`` with the returned token.

        Raises:
            RuntimeError: the engine was stopped.
        """
        return self._tasks.submit(work)

    def stop(self, deadline_s: float) -> bool:
        """End every thread, waiting up to ``deadline_s`` for requests in flight.

        When it returns, nothing can reach the outbox any more, not even from a thread that still hangs (a request
        cannot be interrupted; its own deadline ends it). Returns whether all threads ended; :attr:`unfinished` names
        the others. A second call waits again for those.
        """
        give_up_s = time.monotonic() + deadline_s
        with self._lock:
            self._is_stopped = True
            for job_id in list(self._pollers):
                self._retire(job_id)
            pollers = tuple(self._retired.values())
        self._tasks.retire()
        for poller in pollers:
            poller.join(give_up_s - time.monotonic())
        for thread in self._tasks.threads:
            thread.join(max(0.0, give_up_s - time.monotonic()))
        self._gate.close()
        alive = [poller.name for poller in pollers if poller.is_alive]
        alive += [thread.name for thread in self._tasks.threads if thread.is_alive()]
        self._unfinished = tuple(alive)
        if alive:
            _log.warning("still busy after %.1f s, left behind: %s", deadline_s, ", ".join(alive))
        return not alive

    def _is_adopted(self, job_id: _JobId, job: PollJob) -> bool:
        """Keep the poller that has this job, or take back one that was retired while its request hung."""
        poller = self._pollers.get(job_id)
        if poller is not None:
            # False only if its thread died of a mistake in it; a new one takes over.
            return poller.adopt(job, self._plan.epoch)
        poller = self._retired.get(job_id)
        if poller is None or not poller.adopt(job, self._plan.epoch):
            return False
        self._pollers[job_id] = self._retired.pop(job_id)
        if self._is_paused:
            poller.pause()
        else:
            poller.restart(0.0)
        return True

    def _start(self, jobs: list[PollJob]) -> None:
        """Start a poller for each job, the jobs of each venue spread over ``START_SPREAD_S`` in their order."""
        now_s = self._environment.clock()
        for venue in dict.fromkeys(job.venue for job in jobs):
            of_venue = [job for job in jobs if job.venue == venue]
            for place, job in enumerate(of_venue):
                delay_s = start_delay_s(place, len(of_venue), job.cadence_s, self._environment.random())
                if job.account is not None:
                    delay_s += ACCOUNT_START_S
                poller = Poller(
                    job,
                    epoch=self._plan.epoch,
                    transport=self._transports[venue],
                    line=self._lines[venue],
                    environment=self._environment,
                    first_due_s=now_s + delay_s,
                    venue_time=self._times[venue],
                )
                if self._is_paused:
                    poller.pause()
                self._pollers[(venue, job.key)] = poller
                poller.start()

    def _retire(self, job_id: _JobId) -> None:
        poller = self._pollers.pop(job_id)
        poller.retire()
        # One that hung, was replaced and hangs again is impossible: adopt() takes the hanging one back instead.
        self._retired[job_id] = poller

    def _restart_all(self) -> None:
        for place, poller in enumerate(self._pollers.values()):
            poller.restart(START_SPREAD_S * place / len(self._pollers))
