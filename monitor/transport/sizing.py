"""How large a pool should be, from how many of its connections are in use at once."""

from collections import deque
from collections.abc import Sequence

from monitor.domain.pool_health import SizingAdvice

MIN_SIZE = 2
MAX_SIZE = 32
"""More connections do not buy a higher rate: that is the budget's matter."""

WINDOW_S = 60.0
FIRST_ADVICE_S = 10.0
USES_KEPT = 64
"""Length of a count by connections in use: place ``n`` counts leases that made ``n`` in use, the last place more."""

_SHRINK_AFTER_S = 60.0
_SHRINK_EVERY_S = 10.0


def grow_limit_of(is_automatic: bool) -> int:
    """How far a pool may grow by itself; 0: not at all."""
    return MAX_SIZE if is_automatic else 0


def no_uses() -> list[int]:
    """An empty count of leases by the number of connections they made to be in use."""
    return [0] * USES_KEPT


class Sizer:
    """Advises one pool, and in automatic mode says what size it is to have. Pure; the caller's clock, in seconds.

    It grows at once and shrinks slowly: by one every 10 s, after 60 s in which fewer would always have done.
    """

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._uses: deque[tuple[float, Sequence[int]]] = deque()
        self._too_large_since_s: float | None = None
        self._shrunk_s = started_s

    def advise(
        self, now_s: float, uses: Sequence[int], *, maximum: int, peak: int, discarded: int, is_automatic: bool
    ) -> SizingAdvice:
        """Take in ``uses`` since the last call and say what size would do. ``peak``, ``discarded``: since start."""
        self._uses.append((now_s, uses))
        while now_s - self._uses[0][0] > WINDOW_S:
            self._uses.popleft()
        p99 = self._p99() if now_s - self._started_s >= FIRST_ADVICE_S else None
        return SizingAdvice(
            maximum=maximum,
            peak=peak,
            discarded=discarded,
            p99_active_60s=p99,
            recommended=None if p99 is None else min(max(int(p99 * 1.25 + 1.0), MIN_SIZE), MAX_SIZE),
            is_automatic=is_automatic,
        )

    def size(self, now_s: float, advice: SizingAdvice) -> int:
        """The size the pool is to have in automatic mode."""
        maximum = min(max(advice.maximum, MIN_SIZE), MAX_SIZE)
        wanted = advice.recommended
        if wanted is None or wanted >= maximum:
            self._too_large_since_s = None
            return maximum if wanted is None else wanted
        if self._too_large_since_s is None:
            self._too_large_since_s = now_s
        if now_s - self._too_large_since_s < _SHRINK_AFTER_S or now_s - self._shrunk_s < _SHRINK_EVERY_S:
            return maximum
        self._shrunk_s = now_s
        return maximum - 1

    def _p99(self) -> float:
        # By leases, not by time: a burst of 50 ms every second is what the pool is for.
        counts = [sum(column) for column in zip(*(uses for _, uses in self._uses), strict=True)]
        left = sum(counts) / 100.0
        for in_use in range(USES_KEPT - 1, 0, -1):
            left -= counts[in_use]
            if left < 0.0:
                return float(in_use)
        return 0.0
