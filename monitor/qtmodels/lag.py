"""The app's own delays: how long the window stood still, and how old a reply was when it was on screen."""

from collections import deque
from itertools import islice

import msgspec


class LagFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Percentiles in seconds over the window, ``None`` while it is empty; ``worst_s`` is of the window, not of ever."""

    n: int
    p50_s: float | None
    p99_s: float | None
    worst_s: float | None


class LagWindow:
    """The newest ``capacity`` delays.

    Thread: the GUI's. ``add`` costs nothing worth counting; ``figures`` sorts and belongs in the slow frame.
    """

    def __init__(self, capacity: int = 600) -> None:
        self._values: deque[float] = deque(maxlen=capacity)
        self.total = 0
        """Delays ever added."""
        self.worst_ever_s: float | None = None

    def add(self, delay_s: float) -> None:
        """Take one more delay; negative ones (a clock that is not ours) count as zero."""
        value = max(delay_s, 0.0)
        self._values.append(value)
        self.total += 1
        if self.worst_ever_s is None or value > self.worst_ever_s:
            self.worst_ever_s = value

    def clear(self) -> None:
        """Forget everything, totals included."""
        self._values.clear()
        self.total = 0
        self.worst_ever_s = None

    def values(self) -> list[float]:
        """The delays in the window, oldest first."""
        return list(self._values)

    def since(self, total: int) -> list[float]:
        """Those added after the first ``total`` of all, oldest first, as far as they are in the window still."""
        fresh = min(self.total - total, len(self._values))
        # From the right: a deque reaches its ends at once but its middle only by walking.
        return list(islice(reversed(self._values), max(fresh, 0)))[::-1]

    def figures(self) -> LagFigures:
        """Percentiles by nearest rank (the smallest value that at least that share does not exceed)."""
        ordered = sorted(self._values)
        n = len(ordered)
        if n == 0:
            return LagFigures(n=0, p50_s=None, p99_s=None, worst_s=None)
        return LagFigures(
            n=n, p50_s=ordered[(n * 50 + 99) // 100 - 1], p99_s=ordered[(n * 99 + 99) // 100 - 1], worst_s=ordered[-1]
        )
