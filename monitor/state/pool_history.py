"""How a venue's pools stood over time: connections by state, reuse, and what the counters said at any moment."""

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.state.series import TimeSeries

POOL_HISTORY_SPACING_S: Final = 2.0
POOL_HISTORY_CAPACITY: Final = 43_200
"""A day at one sample per ``POOL_HISTORY_SPACING_S``."""
REUSE_WINDOW_S: Final = 60.0
COUNTER_STEPS_KEPT: Final = 20_000
"""Sockets open and close seldom; at one a second this is more than five hours."""


class PoolCounters(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over a venue's pools of what moves only when a socket opens or closes; since start, or over a period."""

    opened: int = 0
    prewarmed: int = 0
    connect_failed: int = 0
    kept_warm: int = 0
    lease_timeouts: int = 0
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
        self._reuse_counters: deque[tuple[float, int, int]] = deque()
        self._step_times: list[float] = []
        self._steps: list[PoolCounters] = []
        self._first_time_s: float | None = None
        self._replaced = PoolCounters()

    def add(self, pools: Sequence[PoolStats], now_mono_s: float) -> None:
        """Take a sample, unless the last one is younger than the spacing."""
        last_s = self.open.last_time_s
        if last_s is not None and now_mono_s - last_s < POOL_HISTORY_SPACING_S:
            return
        idle = sum(pool.idle for pool in pools)
        active = sum(pool.active for pool in pools)
        attempts = sum(pool.attempts for pool in pools)
        reused = sum(pool.reused for pool in pools)
        self.open.append(now_mono_s, float(idle + active))
        self.idle.append(now_mono_s, float(idle))
        self.active.append(now_mono_s, float(active))
        if self._reuse_counters and attempts < self._reuse_counters[-1][1]:
            self._reuse_counters.clear()  # pools were replaced, their counters began anew
            if self._steps:
                self._replaced = self._steps[-1]
        # The newest sample from before the window stays: the minute is counted from it.
        while len(self._reuse_counters) > 1 and now_mono_s - self._reuse_counters[1][0] >= REUSE_WINDOW_S:
            self._reuse_counters.popleft()
        _, attempts_before, reused_before = self._reuse_counters[0] if self._reuse_counters else (0.0, 0, 0)
        made = attempts - attempts_before
        self.reuse.append(now_mono_s, (reused - reused_before) / made if made > 0 else float("nan"))
        self._reuse_counters.append((now_mono_s, attempts, reused))
        self._note_counters(PoolCounters.of(pools).plus(self._replaced), now_mono_s)

    def counters_between(self, start_mono_s: float, end_mono_s: float) -> PoolCounters | None:
        """What the counters gained in a period, to within the spacing of samples.

        ``None`` when the period ends before the first sample, or begins before what is still remembered: then it is
        not known. Before the first sample of all nothing had been counted.
        """
        if self._first_time_s is None or end_mono_s < self._first_time_s:
            return None
        before = self._at(start_mono_s)
        if before is None:
            if self._step_times[0] != self._first_time_s:
                return None
            before = PoolCounters()
        return (self._at(end_mono_s) or PoolCounters()).since(before)

    def _note_counters(self, counters: PoolCounters, now_mono_s: float) -> None:
        if self._first_time_s is None:
            self._first_time_s = now_mono_s
        if self._steps and self._steps[-1] == counters:
            return
        self._step_times.append(now_mono_s)
        self._steps.append(counters)
        if len(self._steps) > 2 * COUNTER_STEPS_KEPT:
            del self._steps[:COUNTER_STEPS_KEPT], self._step_times[:COUNTER_STEPS_KEPT]

    def _at(self, time_s: float) -> PoolCounters | None:
        place = bisect_right(self._step_times, time_s) - 1
        return None if place < 0 else self._steps[place]
