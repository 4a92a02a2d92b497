"""What is known of one venue besides its prices: requests, pools, budget, failures, clock."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import structs

from monitor.domain.errors import NO_FAILURES, ErrorKind
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace, reuse_of
from monitor.exchanges.caching import CacheStats
from monitor.polling.clock import ClockOffset
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.clock_history import ClockHistory
from monitor.state.feeds import FeedState
from monitor.state.gains import Gains
from monitor.state.latency import LatencyWindow
from monitor.state.period import Period
from monitor.state.pool_history import PoolHistory
from monitor.state.quotes import AgeInterval
from monitor.state.steps import Steps
from monitor.state.verdict import Verdict

LATENCY_CAPACITY: Final = 345_600
"""Requests kept per venue for plots and percentiles: a day at four a second."""


OUT_OF_REACH: Final = frozenset(
    {ErrorKind.DNS, ErrorKind.CONNECT, ErrorKind.TLS, ErrorKind.TIMEOUT, ErrorKind.DEADLINE}
)
"""Kinds of failure that the network of this computer, a proxy or an authority of its own may be behind."""


class _JobTotals:
    """Turns the running totals of a job into what is new since its last result.

    A job that left the plan and came back counts from zero again, and a request it had in flight when it left may
    bring its last result after the first of the new count.
    """

    __slots__ = ("epoch", "made", "old_made", "old_planned", "planned")

    def __init__(self) -> None:
        self.epoch = 0
        self.planned = self.made = 0
        self.old_planned = self.old_made = 0

    def advance(self, result: PollSuccess | PollFailure) -> tuple[int, int]:
        """Polls planned and made since the result before."""
        if result.plan_epoch < self.epoch:
            planned, made = max(0, result.planned - self.old_planned), max(0, result.made - self.old_made)
            self.old_planned, self.old_made = self.old_planned + planned, self.old_made + made
            return planned, made
        # A success was made, so its count must have grown; a poll that the budget held back may not count.
        is_new_count = result.planned < self.planned or (isinstance(result, PollSuccess) and result.made <= self.made)
        if is_new_count:
            self.old_planned, self.old_made = self.planned, self.made
            self.planned = self.made = 0
        planned, made = result.planned - self.planned, max(0, result.made - self.made)
        self.epoch, self.planned, self.made = result.plan_epoch, result.planned, result.made
        return planned, made


class _Streak(msgspec.Struct, frozen=True):
    epoch: int
    newest: PollFailure
    of_venue: PollFailure | None
    """The newest that was more than a wait of our own; ``None`` while none was."""


class VenueState:
    """One venue. Written by the board, read by widgets. Thread: the board's.

    ``planned``, ``made`` and ``missed`` are polls since start, summed over all jobs. ``healed`` counts attempts that
    were dropped before an answer and repeated unnoticed.
    """

    def __init__(self, name: str, *, latency_capacity: int = LATENCY_CAPACITY) -> None:
        self.name = name
        self.latency = LatencyWindow(latency_capacity)
        self.pool_history = PoolHistory()
        self.is_polled = True
        """Whether it is meant to be asked: neither switched off nor paused by the user."""
        self.budget: BudgetState | None = None
        self.budget_mono_s: float | None = None
        """When :attr:`budget` and :attr:`pools` were taken."""
        self._weight_gains = Gains(counts_first=True)
        self.cache: CacheStats | None = None
        """How reads were answered since start; ``None`` while nobody told."""
        self._cache_gains = Gains(counts_first=True)
        self.cadence: Steps[float | None] = Steps()
        """:attr:`shortest_cadence_s` over time."""
        self.last_failure: PollFailure | None = None
        """The newest failed poll of the market; a wait for our own budget is none."""
        self.first_mono_s: float | None = None
        """When the first result of this run came; ``None`` before."""
        self.planned = 0
        self.made = 0
        self.missed = 0
        self.healed = 0
        self.feeds: dict[str, FeedState] = {}
        self.clock = ClockOffset()
        self.clock_history = ClockHistory()
        self.special_status: str | None = None
        """What the venue says of itself when something is not normal."""
        self._failed: Counter[ErrorKind] = Counter()
        self._pools: dict[tuple[str, str], PoolStats] = {}
        self._jobs: dict[str, _JobTotals] = {}
        self._streaks: dict[str, _Streak] = {}
        self._epoch = 0
        self._transport_epoch = 0
        self._is_transport_new = False
        self._fast: FeedState | None = None

    @property
    def pools(self) -> tuple[PoolStats, ...]:
        """The newest figures of each pool, by host."""
        return tuple(self._pools[key] for key in sorted(self._pools))

    @property
    def failed_by_kind(self) -> Mapping[ErrorKind, int]:
        """Failed polls by reason; what we held back ourselves is missed, not failed."""
        return MappingProxyType(self._failed)

    @property
    def failure_streak(self) -> int:
        """The longest run of failures in a row among the endpoints of the plan in force; 0 when all is well."""
        return max((failure.streak for failure in self._failing.values()), default=0)

    @property
    def failing_endpoints(self) -> tuple[str, ...]:
        """Endpoints whose newest poll that was sent failed."""
        return tuple(sorted(self._failing))

    @property
    def failing_because(self) -> str | None:
        """What the newest failure of :attr:`failing_endpoints` said, in the user's words; ``None`` while none fails."""
        newest = self._newest_failing
        return None if newest is None else newest.failure.user_text

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the newest failure of :attr:`failing_endpoints` was that nobody answered."""
        newest = self._newest_failing
        return newest is not None and newest.failure.kind in OUT_OF_REACH

    @property
    def _newest_failing(self) -> PollFailure | None:
        return max(self._failing.values(), key=lambda one: one.failed_mono_s, default=None)

    @property
    def waiting_endpoints(self) -> tuple[str, ...]:
        """Endpoints whose next poll waits for our own share of the rate limit."""
        waiting = (name for name, one in self._in_plan() if one.newest.failure.kind is ErrorKind.BUDGET)
        return tuple(sorted(waiting))

    @property
    def _failing(self) -> dict[str, PollFailure]:
        return {name: one.of_venue for name, one in self._in_plan() if one.of_venue is not None}

    def _in_plan(self) -> Iterator[tuple[str, _Streak]]:
        return ((name, streak) for name, streak in self._streaks.items() if streak.epoch >= self._epoch)

    @property
    def fast_feed(self) -> FeedState | None:
        """The feed that decides whether this venue is live: the fastest one that brings prices of the main dex."""
        return self._fast

    @property
    def clock_offset_s(self) -> float | None:
        """Venue clock minus ours, ``None`` while unknown."""
        return self.clock.offset_s

    @property
    def clock_offset_error_s(self) -> float | None:
        """Bound on the error of :attr:`clock_offset_s`."""
        return self.clock.error_s

    @property
    def reuse_ratio(self) -> float | None:
        """Warm attempts / all attempts over every pool of the venue since start; ``None`` as in :func:`reuse_of`."""
        pools = self._pools.values()
        return reuse_of(
            attempts=sum(pool.attempts for pool in pools),
            reused=sum(pool.reused for pool in pools),
            opened=sum(pool.opened for pool in pools),
        )

    @property
    def shortest_cadence_s(self) -> float | None:
        """Time between two requests of the venue's most frequent feed; ``None`` before the first result, and while it
        is not polled.
        """
        if not self.is_polled:
            return None
        return min((feed.cadence_s for feed in self.feeds.values()), default=None)

    def verdict(self, now_mono_s: float) -> Verdict:
        """What to think of the venue's prices as a whole, from data received; never from an open socket."""
        return Verdict.UNKNOWN if self._fast is None else self._fast.verdict(now_mono_s)

    def age(self, now_mono_s: float) -> AgeInterval | None:
        """Age of the newest reply of the fast feed; ``None`` before the first."""
        feed = self._fast
        if feed is None or feed.received_mono_s is None or feed.requested_mono_s is None:
            return None
        high_s = max(0.0, now_mono_s - feed.requested_mono_s + feed.cache_age_s + feed.unseen_s)
        return AgeInterval(min(high_s, max(0.0, now_mono_s - feed.received_mono_s + feed.unseen_s)), high_s)

    def paused_for_s(self, now_mono_s: float) -> float | None:
        """Countdown until the venue may be asked again after it refused; ``None`` when not paused."""
        if self.budget is None or self.budget.paused_for_s is None or self.budget_mono_s is None:
            return None
        left_s = self.budget.paused_for_s - (now_mono_s - self.budget_mono_s)
        return left_s if left_s > 0 else None

    def cache_between(self, period: Period) -> CacheStats | None:
        """How reads were answered in a period, to within two seconds; ``None`` where nobody counted then."""
        gained = self._cache_gains.between(period.start_mono_s, period.end_mono_s)
        if gained is None:
            return None
        return CacheStats(**dict(zip(CacheStats.__struct_fields__, map(int, gained), strict=True)))

    def weight_between(self, period: Period) -> int | None:
        """Budget weight spent in a period, with what only replies revealed, to within two seconds; ``None`` where
        nobody counted then.
        """
        gained = self._weight_gains.between(period.start_mono_s, period.end_mono_s)
        return None if gained is None else int(gained[0])

    # What the board calls.

    def note_cache(self, stats: CacheStats, now_mono_s: float) -> None:
        """Take in how reads were answered since start."""
        is_new_count = self.cache is not None and any(
            after < before for after, before in zip(structs.astuple(stats), structs.astuple(self.cache), strict=True)
        )
        self.cache = stats
        self._cache_gains.note(structs.astuple(stats), now_mono_s, is_new_count=is_new_count)

    def note_clock(self, offset_s: float, round_trip_s: float, now_mono_s: float) -> None:
        """Take in what one reply says of the venue's clock; see :meth:`ClockOffset.add`."""
        self.clock.add(offset_s, round_trip_s)
        self.clock_history.note(self.clock.offset_s, self.clock.error_s, now_mono_s)

    def accept_epoch(self, epoch: int) -> None:
        """Forget failures of jobs that the new plan may not have any more."""
        self._epoch = max(self._epoch, epoch)

    def renew_transport(self, epoch: int) -> None:
        """Results of a plan before ``epoch`` tell no more of pools and budget; those of the new one count from 0."""
        self._transport_epoch = epoch
        self._is_transport_new = True
        self.pool_history.renew()

    def feed_of(self, result: PollSuccess | PollFailure, *, dex: str = "") -> FeedState:
        """The feed of a job, made at its first result."""
        feed = self.feeds.get(result.key)
        if feed is None:
            feed = FeedState(
                venue=result.venue, key=result.key, endpoint=result.endpoint, cadence_s=result.cadence_s, dex=dex
            )
            self.feeds[result.key] = feed
        feed.cadence_s = result.cadence_s
        return feed

    def note_price_feed(self, feed: FeedState) -> None:
        """Consider ``feed`` for :attr:`fast_feed`."""
        feed.carries_price = True
        price_feeds = (known for known in self.feeds.values() if known.carries_price)
        self._fast = min(price_feeds, key=lambda known: (known.cadence_s, known.dex))

    def note_trace(self, trace: RequestTrace) -> None:
        """Take in one attempt."""
        self.latency.add(trace)
        if trace.is_healed:
            self.healed += 1

    def note_result(self, result: PollSuccess | PollFailure, now_mono_s: float) -> None:
        """Take in counters, pools and budget of a result; they count whatever its epoch."""
        if self.first_mono_s is None:
            self.first_mono_s = now_mono_s
        planned, made = self._jobs.setdefault(result.key, _JobTotals()).advance(result)
        self.planned += planned
        self.made += made
        self.missed += result.missed
        # Not when the reply came: a cache may have handed it out long after, and the figures are taken then.
        taken_mono_s = _told_at(result)
        if result.plan_epoch >= self._transport_epoch and self._take_standing(
            result.pools or self.pools, result.budget, taken_mono_s, now_mono_s
        ):
            self.cadence.note(self.shortest_cadence_s, now_mono_s)
        if isinstance(result, PollFailure):
            is_of_venue = result.failure.kind not in NO_FAILURES
            if is_of_venue:
                self._failed[result.failure.kind] += 1
            if result.account is not None:
                # Told with the account: the venue's prices have nothing to do with a key that was refused.
                return
            if is_of_venue:
                self.last_failure = result
            before = self._streaks.get(result.endpoint)
            of_venue = result if is_of_venue else None if before is None else before.of_venue
            self._streaks[result.endpoint] = _Streak(result.plan_epoch, result, of_venue)

    def note_polled(self, is_polled: bool, now_mono_s: float) -> None:
        """Take in whether the user has it polled."""
        if is_polled != self.is_polled:
            self.is_polled = is_polled
            self.cadence.note(self.shortest_cadence_s, now_mono_s)

    def note_pools(
        self, pools: Sequence[PoolStats], budget: BudgetState, taken_mono_s: float, now_mono_s: float
    ) -> None:
        """Take in how pools and budget stood at ``taken_mono_s``, whether or not anything is polled."""
        self._take_standing(pools, budget, taken_mono_s, now_mono_s)

    def _take_standing(
        self, pools: Sequence[PoolStats], budget: BudgetState, taken_mono_s: float, now_mono_s: float
    ) -> bool:
        """False: several threads tell, and figures taken before those shown say nothing new."""
        if self.budget_mono_s is not None and taken_mono_s < self.budget_mono_s:
            return False
        # Every pool that exists is among them; one that is not has gone with its transport.
        self._pools = {(pool.host, pool.scheme): pool for pool in pools}
        self.pool_history.add(self.pools, now_mono_s)
        self._weight_gains.note((budget.total_weight,), now_mono_s, is_new_count=self._is_transport_new)
        self._is_transport_new = False
        self.budget = budget
        self.budget_mono_s = taken_mono_s
        if budget.paused_for_s is not None:
            # One countdown for the venue and for all that waits for it.
            for feed in self.feeds.values():
                feed.retry_mono_s = taken_mono_s + budget.paused_for_s
        return True

    def note_failure(self, result: PollFailure) -> None:
        """Tell the feed of a failed poll that what it brought before is kept beyond its time."""
        feed = self.feeds.get(result.key)
        if feed is None:
            return
        left_s = self.paused_for_s(result.failed_mono_s)
        if left_s is None and result.failure.kind is ErrorKind.BUDGET:
            left_s = result.failure.retry_after_s
        retry_mono_s = None if left_s is None else result.failed_mono_s + left_s
        feed.note_failure(result.failure.user_text, result.failed_mono_s, retry_mono_s=retry_mono_s)

    def newest_failure(self, endpoint: str) -> PollFailure | None:
        """The newest failure of an endpoint whose newest poll failed or waits; ``None`` while it answers."""
        streak = self._streaks.get(endpoint)
        return None if streak is None else streak.newest

    def end_streak(self, endpoint: str) -> int:
        """Note that ``endpoint`` answered; how many failures in a row that ended (0: none, or only waits)."""
        streak = self._streaks.pop(endpoint, None)
        return 0 if streak is None or streak.of_venue is None else streak.of_venue.streak

    def mark_stale(self, slept_s: float, now_mono_s: float) -> None:
        """Everything received so far is of before a sleep or a network change."""
        for feed in self.feeds.values():
            feed.is_marked_stale = True
            feed.unseen_s += slept_s
        self.clock.forget()
        self.clock_history.note(None, None, now_mono_s)


def _told_at(result: PollSuccess | PollFailure) -> float:
    if isinstance(result, PollFailure):
        return result.failed_mono_s
    return result.received_mono_s if result.handed_out_mono_s is None else result.handed_out_mono_s
