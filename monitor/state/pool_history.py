"""How a venue's pools stood over time: connections by state, reuse, and what the counters said at any moment."""

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np

from monitor.domain.pool_health import KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.state.fit_history import FitHistory
from monitor.state.series import TimeSeries
from monitor.state.steps import Steps

POOL_HISTORY_SPACING_S: Final = 2.0
SAMPLE_HOLDS_S: Final = 5 * POOL_HISTORY_SPACING_S
"""A sample says nothing of a later time than this: the machine slept, or nobody looked."""
POOL_HISTORY_CAPACITY: Final = 43_200
"""A day at one sample per ``POOL_HISTORY_SPACING_S``."""
REUSE_WINDOW_S: Final = 60.0
COUNTER_STEPS_KEPT: Final = 20_000
"""Sockets open and close seldom; at one a second this is more than five hours."""


class PoolGauges(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's pools at one moment: sums over its hosts."""

    active: int
    idle: int
    suspect: int
    """Part of ``idle``."""
    waiting: int
    maximum: int

    @property
    def open(self) -> int:
        """Connections that exist."""
        return self.active + self.idle

    @classmethod
    def of(cls, pools: Sequence[PoolStats]) -> "PoolGauges":
        """As ``pools`` stand."""
        return cls(
            active=sum(pool.active for pool in pools),
            idle=sum(pool.idle for pool in pools),
            suspect=sum(pool.suspect for pool in pools),
            waiting=sum(pool.waiting for pool in pools),
            maximum=sum(pool.max_connections for pool in pools),
        )


class GaugeSpan(msgspec.Struct, frozen=True, kw_only=True):
    """What the samples of a period say of one gauge; ``mean`` is over samples."""

    least: float
    mean: float
    most: float
    n: int


class PoolCounters(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over a venue's pools of what moves only when a socket opens or closes; since start, or over a period."""

    opened: int = 0
    prewarmed: int = 0
    connect_failed: int = 0
    kept_warm: int = 0
    lease_timeouts: int = 0
    lease_wait_s: float = 0.0
    closed: Mapping[CloseCause, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, pools: Sequence[PoolStats]) -> "PoolCounters":
        """The sums as ``pools`` stand."""
        causes = {cause: sum(pool.closed.get(cause, 0) for pool in pools) for cause in CloseCause}
        return cls(
            opened=sum(pool.opened for pool in pools),
            prewarmed=sum(pool.prewarmed for pool in pools),
            connect_failed=sum(pool.connect_failed for pool in pools),
            kept_warm=sum(pool.kept_warm for pool in pools),
            lease_timeouts=sum(pool.lease_timeouts for pool in pools),
            lease_wait_s=sum(pool.lease_wait_total_s for pool in pools),
            closed=MappingProxyType({cause: count for cause, count in causes.items() if count}),
        )

    def since(self, before: "PoolCounters") -> "PoolCounters":
        """What was added after ``before``, which is an earlier state of the same counters."""
        causes = {cause: count - before.closed.get(cause, 0) for cause, count in self.closed.items()}
        return PoolCounters(
            opened=self.opened - before.opened,
            prewarmed=self.prewarmed - before.prewarmed,
            connect_failed=self.connect_failed - before.connect_failed,
            kept_warm=self.kept_warm - before.kept_warm,
            lease_timeouts=self.lease_timeouts - before.lease_timeouts,
            lease_wait_s=self.lease_wait_s - before.lease_wait_s,
            closed=MappingProxyType({cause: count for cause, count in causes.items() if count}),
        )

    def plus(self, other: "PoolCounters") -> "PoolCounters":
        """The sum of both."""
        causes = {**self.closed}
        for cause, count in other.closed.items():
            causes[cause] = causes.get(cause, 0) + count
        return PoolCounters(
            opened=self.opened + other.opened,
            prewarmed=self.prewarmed + other.prewarmed,
            connect_failed=self.connect_failed + other.connect_failed,
            kept_warm=self.kept_warm + other.kept_warm,
            lease_timeouts=self.lease_timeouts + other.lease_timeouts,
            lease_wait_s=self.lease_wait_s + other.lease_wait_s,
            closed=MappingProxyType(causes),
        )


class PoolHistory:
    """Sums over a venue's pools in time: connections by state, reuse over the last minute as a fraction, counters.

    Times are ``perf_counter`` seconds. Thread: the board's.
    """

    def __init__(self, capacity: int = POOL_HISTORY_CAPACITY) -> None:
        self.open = TimeSeries(capacity)
        self.idle = TimeSeries(capacity)
        self.active = TimeSeries(capacity)
        self.reuse = TimeSeries(capacity)
        """Warm attempts / attempts within the last minute; a gap where there was none."""
        self.advice: Steps[tuple[SizingAdvice, ...]] = Steps(COUNTER_STEPS_KEPT)
        """What was advised on the size, by host; none of a pool that nobody advised on."""
        self.peak: Steps[int] = Steps(COUNTER_STEPS_KEPT)
        """Most connections in use at once since start, as the pools counted it."""
        self._fits: dict[tuple[str, str], FitHistory] = {}
        self._rare: Steps[tuple[int, int, int]] = Steps(COUNTER_STEPS_KEPT)
        """Suspect, waiting, maximum: they change seldom."""
        self._reuse_counters: deque[tuple[float, int, int]] = deque()
        self._steps: Steps[PoolCounters] = Steps(COUNTER_STEPS_KEPT)
        self._replaced = PoolCounters()
        self._is_renewed = False

    def renew(self) -> None:
        """Pools were replaced: the counters of the next sample begin at 0."""
        self._is_renewed = True

    def add(self, pools: Sequence[PoolStats], now_mono_s: float) -> None:
        """Take a sample, unless the last one is younger than the spacing."""
        last_s, is_after_gap = self.open.last_time_s, False
        if last_s is not None and now_mono_s - last_s < POOL_HISTORY_SPACING_S:
            return
        if last_s is not None and now_mono_s - last_s > SAMPLE_HOLDS_S:
            for series in (self.open, self.idle, self.active, self.reuse):
                series.append(last_s + SAMPLE_HOLDS_S, float("nan"))
            is_after_gap = True
        gauges = PoolGauges.of(pools)
        attempts = sum(pool.attempts for pool in pools)
        reused = sum(pool.reused for pool in pools)
        self.open.append(now_mono_s, float(gauges.open))
        self.idle.append(now_mono_s, float(gauges.idle))
        self.active.append(now_mono_s, float(gauges.active))
        self._rare.note((gauges.suspect, gauges.waiting, gauges.maximum), now_mono_s)
        self.advice.note(tuple(pool.sizing for pool in pools if pool.sizing is not None), now_mono_s)
        self.peak.note(sum(pool.peak_active for pool in pools), now_mono_s)
        for pool in pools:
            if pool.fit is not None:
                self._fits.setdefault((pool.host, pool.scheme), FitHistory()).note(pool.fit, now_mono_s)
        if self._is_renewed or (self._reuse_counters and attempts < self._reuse_counters[-1][1]):
            self._is_renewed = False
            self._reuse_counters.clear()  # pools were replaced, their counters began anew
            self._replaced = self._steps.newest or PoolCounters()
        if is_after_gap and self._reuse_counters:
            # When within the gap these attempts were made is not known.
            self._reuse_counters = deque([(now_mono_s, attempts, reused)])
        # The newest sample from before the window stays: the minute is counted from it.
        while len(self._reuse_counters) > 1 and now_mono_s - self._reuse_counters[1][0] >= REUSE_WINDOW_S:
            self._reuse_counters.popleft()
        _, attempts_before, reused_before = self._reuse_counters[0] if self._reuse_counters else (0.0, 0, 0)
        made = attempts - attempts_before
        is_known = made > 0 and (reused > 0 or any(pool.opened for pool in pools))
        self.reuse.append(now_mono_s, (reused - reused_before) / made if is_known else float("nan"))
        self._reuse_counters.append((now_mono_s, attempts, reused))
        self._steps.note(PoolCounters.of(pools).plus(self._replaced), now_mono_s)

    def counters_between(self, start_mono_s: float, end_mono_s: float) -> PoolCounters | None:
        """What the counters gained in a period, to within the spacing of samples.

        ``None`` when the period ends before the first sample, or begins before what is still remembered: then it is
        not known. Before the first sample of all nothing had been counted.
        """
        first_s = self._steps.first_time_s
        if first_s is None or end_mono_s < first_s:
            return None
        before = self._steps.at(start_mono_s)
        if before is None:
            if self._steps.has_forgotten:
                return None
            before = PoolCounters()
        return (self._steps.at(end_mono_s) or PoolCounters()).since(before)

    def gauges_at(self, time_s: float) -> PoolGauges | None:
        """How the pools stood then, to within the spacing of samples; ``None`` where no sample is kept of it."""
        active, idle, rare = self.active.at(time_s), self.idle.at(time_s), self._rare.at(time_s)
        if active is None or idle is None or rare is None or time_s - active[0] > SAMPLE_HOLDS_S:
            return None
        suspect, waiting, maximum = rare
        return PoolGauges(active=int(active[1]), idle=int(idle[1]), suspect=suspect, waiting=waiting, maximum=maximum)

    def reuse_at(self, time_s: float) -> float | None:
        """Reuse of the minute before, as a fraction; ``None`` where nothing was asked in it or no sample is kept."""
        reuse = self.reuse.at(time_s)
        return None if reuse is None or time_s - reuse[0] > SAMPLE_HOLDS_S else reuse[1]

    def advice_at(self, time_s: float) -> tuple[SizingAdvice, ...] | None:
        """What was advised on the size then; ``None`` where no sample is kept of it."""
        return None if self.gauges_at(time_s) is None else self.advice.at(time_s)

    def fit_between(self, pool: PoolStats, start_mono_s: float, end_mono_s: float) -> KeepAliveFit | None:
        """The keep-alive fit of a pool's host from a period alone; ``None`` where it is not known."""
        fits = self._fits.get((pool.host, pool.scheme))
        return None if fits is None else fits.between(start_mono_s, end_mono_s, pool.host)


def span_of(series: TimeSeries, start_mono_s: float, end_mono_s: float) -> GaugeSpan | None:
    """The samples of a gauge within a period; ``None`` without one. Costs what copying them costs."""
    _, values = series.points(*series.index_range(start_mono_s, end_mono_s))
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    return GaugeSpan(least=float(known.min()), mean=float(known.mean()), most=float(known.max()), n=len(known))
