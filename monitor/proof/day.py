"""A day of polling in seconds: the real schedule, cache and budget on a simulated clock, with times that were measured.

Nothing is sent. A transport answers at once and moves the clock by what such a request took when it was measured, warm
or cold as the rules of the pool make it. One thread; requests of different jobs overlap in simulated time as they do on
their threads in the app.
"""

import heapq
import random as random_module
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from monitor.domain.errors import BudgetExhausted
from monitor.domain.market import VenueStatus
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.exchanges.base import Fetched, Payload, PollJob, Source
from monitor.polling.clock import VenueTime
from monitor.polling.line import NEXT_LOOK_S
from monitor.polling.schedule import Cadence, align_to_venue, start_delay_s
from monitor.proof.pool_life import LifeRules, PoolLife
from monitor.transport.budget import WeightBudget
from monitor.transport.interface import Endpoint, Reply, Transport

DAY_S = 86_400.0
SETTLED_S = 60.0
"""The first minute is told apart: it opens what the rest of the day lives on."""

Answer = Callable[[Endpoint, Mapping[str, str] | None, float], bytes]
"""The body of a reply to an endpoint with these parameters at this moment (UTC seconds) of the venue's clock."""


class DayClock:
    """Both clocks of a simulated day: monotonic when called, and a wall clock that runs along."""

    def __init__(self, start: datetime) -> None:
        self.now_s = 0.0
        self._start = start

    def __call__(self) -> float:
        return self.now_s

    def utc_now(self) -> datetime:
        """The wall clock."""
        return self._start + timedelta(seconds=self.now_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredTimes:
    """Seconds that requests took, by endpoint name; the entry ``""`` stands for those not measured themselves.

    ``warm_s``: on a kept connection; with ``setup_s`` (DNS + TCP + TLS) more on a new one of the pool.
    ``unpooled_s``: with a new session per request.
    """

    warm_s: Mapping[str, float]
    unpooled_s: Mapping[str, float]
    setup_s: float

    def of(self, endpoint: str, *, is_pooled: bool) -> tuple[float, float]:
        """(warm, cold) seconds of a request."""
        if not is_pooled:
            unpooled_s = self.unpooled_s.get(endpoint, self.unpooled_s[""])
            return unpooled_s, unpooled_s
        warm_s = self.warm_s.get(endpoint, self.warm_s[""])
        return warm_s, warm_s + self.setup_s


@dataclass(slots=True)
class EndpointDay:
    """What one endpoint cost in a day. ``settled_calls`` and ``settled_handshakes`` leave out the first minute."""

    calls: int = 0
    api_s: float = 0.0
    handshakes: int = 0
    settled_calls: int = 0
    settled_handshakes: int = 0


@dataclass(slots=True)
class DayFigures:
    """What a day cost, by endpoint, and how the schedule held."""

    endpoints: dict[str, EndpointDay] = field(default_factory=dict)
    planned: int = 0
    made: int = 0

    @property
    def calls(self) -> int:
        """Requests."""
        return sum(one.calls for one in self.endpoints.values())

    @property
    def api_s(self) -> float:
        """Seconds of waiting for the venue, summed over all requests."""
        return sum(one.api_s for one in self.endpoints.values())

    @property
    def handshakes(self) -> int:
        """Connections opened."""
        return sum(one.handshakes for one in self.endpoints.values())

    @property
    def settled_per_1000(self) -> float:
        """Handshakes per 1,000 requests after the first minute."""
        calls = sum(one.settled_calls for one in self.endpoints.values())
        return 1000.0 * sum(one.settled_handshakes for one in self.endpoints.values()) / max(1, calls)


class DayTransport(Transport):
    """Answers at once on the simulated clock. The budget is a real one on the same clock."""

    def __init__(
        self,
        *,
        venue: str,
        clock: DayClock,
        budget: WeightBudget,
        times: MeasuredTimes,
        rules: LifeRules,
        answer: Answer,
        venue_ahead_s: float = 0.0,
    ) -> None:
        """``venue_ahead_s``: the venue's clock minus ours; the program is not told, it has to learn it."""
        self._venue = venue
        self._clock = clock
        self._budget = budget
        self._times = times
        self._rules = rules
        self._answer = answer
        self._ahead_s = venue_ahead_s
        self._pool = PoolLife(rules)
        self.figures = DayFigures()

    @property
    def venue(self) -> str:
        """Name of the venue."""
        return self._venue

    def venue_epoch_s(self) -> float:
        """The venue's clock now, UTC seconds: the truth, for whoever judges what the program shows."""
        return self._clock.utc_now().timestamp() + self._ahead_s

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,  # noqa: ARG002 - part of the contract
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - part of the contract
        weight: int = 1,
    ) -> Reply:
        """Answer at once; the clock then stands where the reply would have been whole."""
        self._budget.reserve(endpoint.name, weight)
        start_s = self._clock.now_s
        warm_s, cold_s = self._times.of(endpoint.name, is_pooled=self._rules.is_pooled)
        end_s, is_cold = self._pool.use(start_s, warm_s=warm_s, cold_s=cold_s)
        own = self.figures.endpoints.setdefault(endpoint.name, EndpointDay())
        is_settled = start_s >= SETTLED_S
        own.calls += 1
        own.api_s += end_s - start_s
        own.handshakes += is_cold
        own.settled_calls += is_settled
        own.settled_handshakes += is_settled and is_cold
        # The venue looks when the request arrives: half a warm round trip before the reply is back.
        self._clock.now_s = end_s - warm_s / 2.0
        seen_epoch_s = self.venue_epoch_s()
        self._clock.now_s = end_s
        trace = RequestTrace(
            request_id=own.calls,
            attempt=1,
            venue=self._venue,
            endpoint=endpoint.name,
            method=endpoint.method,
            host="simulated",
            started_at=self._clock.utc_now(),
            started_mono_s=start_s,
            ended_mono_s=end_s,
            total_s=end_s - start_s,
            is_cold=is_cold,
            status=200,
            weight=weight,
        )
        return Reply(
            status=200,
            body=self._answer(endpoint, params, seen_epoch_s),
            content_type="application/json",
            date=datetime.fromtimestamp(int(seen_epoch_s), UTC),
            retry_after_s=None,
            traces=(trace,),
            requested_mono_s=start_s,
            received_mono_s=end_s,
            received_at=self._clock.utc_now(),
        )

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        """Add to the budget."""
        self._budget.charge(endpoint.name, weight)

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:  # noqa: ARG002 - part of the contract
        """Tell the budget."""
        self._budget.refused(retry_after_s)

    def available_in_s(self, weight: int) -> float:
        """As the budget says."""
        return self._budget.available_in_s(weight)

    def pool_stats(self) -> tuple[PoolStats, ...]:
        """Nothing: the figures of the day are in ``figures``."""
        return ()

    def budget_state(self) -> BudgetState:
        """As the budget says."""
        return self._budget.state()

    def close(self) -> None:
        """Nothing to close."""


def run_day(
    jobs: Sequence[PollJob],
    transport: DayTransport,
    clock: DayClock,
    *,
    random: Callable[[], float],
    on_result: Callable[[PollJob, Fetched[Payload]], object] = lambda _job, _fetched: None,
    duration_s: float = DAY_S,
) -> DayFigures:
    """Poll ``jobs`` as the engine would for ``duration_s``; ``on_result`` is called with the clock at each reply.

    ``random`` gives floats in [0, 1) and decides where in their first half second the jobs start. Raises whatever a
    fetch raises, except that a poll that does not fit the budget waits.
    """
    venue_time = VenueTime(clock.utc_now)
    cadences = [
        Cadence(job.cadence_s, first_due_s=start_delay_s(place, len(jobs), job.cadence_s, random()), random=lambda: 0.0)
        for place, job in enumerate(jobs)
    ]
    due = [(cadence.next_due_s, place) for place, cadence in enumerate(cadences)]
    heapq.heapify(due)
    while due[0][0] < duration_s:
        start_s, place = heapq.heappop(due)
        job, cadence = jobs[place], cadences[place]
        # Another job's reply may be later than this start: each has a thread of its own.
        clock.now_s = start_s
        hold_s = transport.available_in_s(job.weight)
        if hold_s > 0.0:
            heapq.heappush(due, (start_s + max(hold_s, NEXT_LOOK_S), place))
            continue
        try:
            fetched = job.fetch()
        except BudgetExhausted as error:
            heapq.heappush(due, (start_s + max(error.available_in_s, NEXT_LOOK_S), place))
            continue
        if fetched.source is Source.NETWORK:
            venue_time.learn(fetched.clock_offset_s, fetched.received_mono_s - fetched.requested_mono_s)
        on_result(job, fetched)
        cadence.succeeded(start_s, clock.now_s)
        if job.align_offset_s is not None:
            align_to_venue(
                cadence, offset_s=job.align_offset_s, venue_epoch_s=venue_time.now_epoch_s(), now_s=clock.now_s
            )
        heapq.heappush(due, (cadence.next_due_s, place))
    figures = transport.figures
    figures.planned = sum(cadence.planned for cadence in cadences)
    figures.made = sum(cadence.made for cadence in cadences)
    return figures


def without_parsing(jobs: Sequence[PollJob], transport: Transport) -> tuple[PollJob, ...]:
    """``jobs`` with the same schedule, of which each only makes one request and looks at no body: for counting."""

    def asking(job: PollJob) -> Callable[[], Fetched[Payload]]:
        endpoint = Endpoint(name=job.endpoint, method="GET", path="/")

        def fetch() -> Fetched[Payload]:
            reply = transport.request(endpoint, weight=job.weight)
            middle = reply.received_at - timedelta(seconds=(reply.received_mono_s - reply.requested_mono_s) / 2.0)
            assert reply.date is not None  # noqa: S101 - a simulated reply always has one
            return Fetched(
                value=VenueStatus(venue=job.venue, venue_time=None, special_status=None),
                traces=reply.traces,
                requested_mono_s=reply.requested_mono_s,
                received_mono_s=reply.received_mono_s,
                received_at=reply.received_at,
                clock_offset_s=(reply.date - middle).total_seconds() + 0.5,
            )

        return fetch

    return tuple(replace(job, fetch=asking(job)) for job in jobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDay:
    """A day of a whole poll plan: ``runs`` with different chance phases of its jobs.

    ``per_1000``: handshakes per 1,000 polls after the first minute, by run. ``overhead``: seconds of connection set-up
    in the median run / what a new connection for every poll would have cost.
    """

    calls: int
    api_s: float
    per_1000: tuple[float, ...]
    overhead: float


def plan_day(
    jobs: Sequence[PollJob],
    *,
    budget: Callable[[DayClock], WeightBudget],
    times: MeasuredTimes,
    rules: LifeRules,
    seeds: Sequence[int],
    start: datetime,
    duration_s: float = DAY_S,
) -> PlanDay:
    """Poll the plan's schedule for a day once per seed; the bodies of replies do not matter."""
    days = []
    for seed in seeds:
        clock = DayClock(start)
        transport = DayTransport(
            venue=jobs[0].venue,
            clock=clock,
            budget=budget(clock),
            times=times,
            rules=rules,
            answer=lambda _endpoint, _params, _epoch_s: b"",
        )
        chance = random_module.Random(seed).random
        days.append(run_day(without_parsing(jobs, transport), transport, clock, random=chance, duration_s=duration_s))
    middle = sorted(days, key=lambda day: day.handshakes)[len(days) // 2]
    return PlanDay(
        calls=middle.calls,
        api_s=middle.api_s,
        per_1000=tuple(day.settled_per_1000 for day in days),
        overhead=middle.handshakes / middle.calls,
    )
