"""The figures of a venue's pools as the panel shows them: since start, or of a period."""

from collections.abc import Sequence

import msgspec

from monitor.domain.telemetry import CloseCause, PoolStats, reuse_of
from monitor.state.pool_history import PoolCounters

_BY_SERVER = (CloseCause.BY_SERVER, CloseCause.STALE)
_BY_US = (CloseCause.EXPIRED, CloseCause.ABANDONED, CloseCause.WITH_POOL)


class PoolFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``None`` is not known: of a period, what nobody wrote down then."""

    attempts: int | None
    reused: int | None
    opened: int | None
    prewarmed: int | None
    kept_warm: int | None
    connect_failed: int | None
    by_server: int | None
    by_us: int | None
    on_error: int | None
    discarded: int | None
    healed: int | None
    peak: int | None
    waiting: int | None

    @property
    def reuse_ratio(self) -> float | None:
        """See :func:`reuse_of`; ``None`` also where attempts or reused ones are not known."""
        if self.attempts is None or self.reused is None:
            return None
        # Of a period nobody may have counted what was opened: then something was.
        return reuse_of(attempts=self.attempts, reused=self.reused, opened=1 if self.opened is None else self.opened)

    @property
    def requests_per_connection(self) -> float | None:
        """Attempts that got a connection / connections opened; ``None`` where none was opened."""
        if not self.opened or self.connect_failed is None or self.attempts is None:
            return None
        return (self.attempts - self.connect_failed) / self.opened


def figures_since_start(pools: Sequence[PoolStats]) -> PoolFigures | None:
    """Sums over a venue's pools; ``None`` before the first snapshot."""
    if not pools:
        return None
    counters = PoolCounters.of(pools)
    return _figures(
        counters,
        attempts=sum(pool.attempts for pool in pools),
        reused=sum(pool.reused for pool in pools),
        healed=sum(pool.healed for pool in pools),
        peak=sum(pool.peak_active for pool in pools),
        waiting=sum(pool.waiting for pool in pools),
    )


def figures_of_period(
    counters: PoolCounters | None, *, attempts: int | None, reused: int | None, healed: int | None
) -> PoolFigures:
    """The same of a period: its attempts by their traces, its sockets by ``counters`` (``None``: not known).

    ``peak`` and ``waiting`` are left unknown: they are no counts.
    """
    return _figures(counters, attempts=attempts, reused=reused, healed=healed, peak=None, waiting=None)


def _figures(
    counters: PoolCounters | None,
    *,
    attempts: int | None,
    reused: int | None,
    healed: int | None,
    peak: int | None,
    waiting: int | None,
) -> PoolFigures:
    def closed(causes: Sequence[CloseCause]) -> int | None:
        return None if counters is None else sum(counters.closed.get(cause, 0) for cause in causes)

    return PoolFigures(
        attempts=attempts,
        reused=reused,
        opened=None if counters is None else counters.opened,
        prewarmed=None if counters is None else counters.prewarmed,
        kept_warm=None if counters is None else counters.kept_warm,
        connect_failed=None if counters is None else counters.connect_failed,
        by_server=closed(_BY_SERVER),
        by_us=closed(_BY_US),
        on_error=closed((CloseCause.ERROR,)),
        discarded=closed((CloseCause.DISCARDED,)),
        healed=healed,
        peak=peak,
        waiting=waiting,
    )
