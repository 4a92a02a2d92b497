"""What a simulated day is made of: a clock, times that were measured, and a transport that answers at once.

Nothing is sent. The transport moves the clock by what such a request took when it was measured, warm or cold as the
rules of the pool make it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
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


class MeasuredTimes(msgspec.Struct, frozen=True, kw_only=True):
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


class EndpointDay(msgspec.Struct):
    """What one endpoint cost in a day. ``settled_calls`` and ``settled_handshakes`` leave out the first minute."""

    calls: int = 0
    api_s: float = 0.0
    handshakes: int = 0
    settled_calls: int = 0
    settled_handshakes: int = 0


class DayFigures(msgspec.Struct):
    """What a day cost, by endpoint, and how the schedule held."""

    endpoints: dict[str, EndpointDay] = msgspec.field(default_factory=dict)
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

    def count(self, endpoint: str, weight: int) -> bool:
        """Spend what a request costs, in budget and in time, and return whether it opened a connection.

        Raises ``BudgetExhausted`` as a request would.
        """
        self._budget.reserve(endpoint, weight)
        start_s = self._clock.now_s
        warm_s, cold_s = self._times.of(endpoint, is_pooled=self._rules.is_pooled)
        end_s, is_cold = self._pool.use(start_s, warm_s=warm_s, cold_s=cold_s)
        own = self.figures.endpoints.get(endpoint)
        if own is None:
            own = self.figures.endpoints[endpoint] = EndpointDay()
        own.calls += 1
        own.api_s += end_s - start_s
        own.handshakes += is_cold
        if start_s >= SETTLED_S:
            own.settled_calls += 1
            own.settled_handshakes += is_cold
        self._clock.now_s = end_s
        return is_cold

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
        start_s = self._clock.now_s
        is_cold = self.count(endpoint.name, weight)
        end_s = self._clock.now_s
        warm_s, _ = self._times.of(endpoint.name, is_pooled=self._rules.is_pooled)
        # The venue looks when the request arrives: half a warm round trip before the reply is back.
        self._clock.now_s = end_s - warm_s / 2.0
        seen_epoch_s = self.venue_epoch_s()
        self._clock.now_s = end_s
        trace = RequestTrace(
            request_id=self.figures.calls,
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

    def forget_network(self) -> None:
        """There is no network."""

    def close(self) -> None:
        """Nothing to close."""
