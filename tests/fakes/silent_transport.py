"""A transport that never sends: the polling layer only asks it for its budget and its pools."""

from collections.abc import Callable, Mapping
from datetime import datetime

from monitor.domain.market import VenueStatus
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.transport.interface import Endpoint, Reply


class SilentTransport:
    """Implements ``Transport``; ``hold`` decides how long the budget holds a weight back, by default never."""

    def __init__(self, venue: str = "bitunix", hold: Callable[[int], float] = lambda _weight: 0.0) -> None:
        self._venue = venue
        self.hold = hold
        self.is_closed = False

    @property
    def venue(self) -> str:
        return self._venue

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        raise AssertionError("nothing is sent in these tests")

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        raise AssertionError("nothing is charged in these tests")

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:
        raise AssertionError("nothing is refused in these tests")

    def available_in_s(self, weight: int) -> float:
        return self.hold(weight)

    def pool_stats(self) -> tuple[PoolStats, ...]:
        return (PoolStats(venue=self._venue, host="127.0.0.1:1", scheme="https"),)

    def budget_state(self) -> BudgetState:
        return BudgetState(venue=self._venue, window_s=1.0, limit=10, cap=3, used=0)

    def forget_network(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        self.is_closed = True


def make_trace(
    *, venue: str = "bitunix", endpoint: str = "bitunix.tickers", now_s: float, now: datetime
) -> RequestTrace:
    """One warm request that took 20 ms."""
    return RequestTrace(
        request_id=1,
        attempt=1,
        venue=venue,
        endpoint=endpoint,
        method="GET",
        host="127.0.0.1:1",
        started_at=now,
        started_mono_s=now_s - 0.02,
        ended_mono_s=now_s,
        total_s=0.02,
        is_cold=False,
    )


def make_fetched(*, venue: str = "bitunix", now_s: float, now: datetime) -> Fetched[Payload]:
    """The smallest thing a poll can bring, with one trace."""
    return Fetched(
        value=VenueStatus(venue=venue, venue_time=None, special_status=None),
        traces=(make_trace(venue=venue, now_s=now_s, now=now),),
        requested_mono_s=now_s - 0.02,
        received_mono_s=now_s,
        received_at=now,
    )


def make_job(
    fetch: Callable[[], Fetched[Payload]],
    *,
    key: str = "bitunix.tickers",
    venue: str = "bitunix",
    cadence_s: float = 1.0,
    weight: int = 1,
) -> PollJob:
    """A job whose endpoint is its key up to the colon."""
    endpoint = key.partition(":")[0]
    return PollJob(venue=venue, endpoint=endpoint, key=key, cadence_s=cadence_s, weight=weight, fetch=fetch)
