"""A long history of one number, cheap to extend and cheap to draw at any zoom.

The newest ``capacity`` points lie in a ring. Above it stands a pyramid: level ``k`` keeps, for every closed block of
``4 ** k`` points, the time of its first point, its lowest and highest value and whether it holds a gap. A window is
read from the coarsest level that still has a few blocks per column, so that reading a day costs what reading a minute
costs.
"""

import math
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]

_Scalar = TypeVar("_Scalar", bound=np.generic)
_Side: TypeAlias = Literal["left", "right"]

_FAN_OUT: Final = 4
"""Blocks of one level per block of the next. A power of two: the block arithmetic below is done with shifts."""
_FAN_OUT_BITS: Final = 2
_BLOCKS_PER_COLUMN: Final = 2
"""A level is coarse enough to draw from when it has at least this many blocks per column of the picture, so that a
column's edges are wrong by half a column at most while points come evenly."""


class _Level:
    """Closed blocks of one size: a ring of its own, long enough for every block whose points are still there."""

    __slots__ = ("block_capacity", "block_size", "gaps", "highs", "lows", "times")

    def __init__(self, block_size: int, capacity: int) -> None:
        # A multiple of the fan-out: then the children of one parent never straddle the end of the ring.
        self.block_capacity = -(-(capacity // block_size + 2) // _FAN_OUT) * _FAN_OUT
        self.block_size = block_size
        self.times = np.empty(self.block_capacity)
        self.lows = np.empty(self.block_capacity)
        self.highs = np.empty(self.block_capacity)
        self.gaps = np.empty(self.block_capacity, dtype=np.uint8)


class _Blocks:
    """Blocks gathered for one window, oldest first, from several levels. A block without a value is (inf, -inf)."""

    __slots__ = ("gaps", "highs", "lows", "times")

    def __init__(self) -> None:
        self.times: list[float] = []
        self.lows: list[float] = []
        self.highs: list[float] = []
        self.gaps: list[int] = []

    def add_points(self, times: FloatArray, values: FloatArray) -> None:
        for time_s, value in zip(times.tolist(), values.tolist(), strict=True):
            is_gap = math.isnan(value)
            self.times.append(time_s)
            self.lows.append(math.inf if is_gap else value)
            self.highs.append(-math.inf if is_gap else value)
            self.gaps.append(is_gap)

    def add_blocks(self, level: _Level, first: int, end: int) -> None:
        for block in range(first, end):
            slot = block % level.block_capacity
            self.times.append(float(level.times[slot]))
            self.lows.append(float(level.lows[slot]))
            self.highs.append(float(level.highs[slot]))
            self.gaps.append(int(level.gaps[slot]))


class TimeSeries:
    """The newest ``capacity`` points of one number over time; a value of NaN is a gap and breaks the line.

    Times are ``time.perf_counter()`` seconds (``mono_s``). Points are counted from 0 for the first ever appended;
    :meth:`index_range` and :attr:`total` speak of that count, so that a caller may keep columns of its own beside this
    one under ``index % capacity``.

    Thread: one only.
    """

    __slots__ = (
        "_block_gap",
        "_block_high",
        "_block_low",
        "_block_time_s",
        "_last_time_s",
        "_levels",
        "_slot",
        "_times",
        "_values",
        "capacity",
        "total",
    )

    def __init__(self, capacity: int) -> None:
        """``capacity`` is at least 1; beyond it the oldest points are forgotten."""
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self.capacity = capacity
        self.total = 0
        self._times = np.empty(capacity)
        self._values = np.empty(capacity)
        self._slot = 0
        self._last_time_s = -math.inf
        self._levels: list[_Level] = []
        block_size = _FAN_OUT
        while block_size <= capacity:
            self._levels.append(_Level(block_size, capacity))
            block_size *= _FAN_OUT
        # The running block of the lowest level.
        self._block_time_s = 0.0
        self._block_low = math.inf
        self._block_high = -math.inf
        self._block_gap = 0

    @classmethod
    def of_points(cls, capacity: int, times: FloatArray, values: FloatArray) -> "TimeSeries":
        """A series as if ``times`` and ``values`` had been appended one by one, in a fraction of the time.

        Of more than ``capacity`` points the newest are taken, and counted from 0. Times are finite and do not run
        backwards.
        """
        series = cls(capacity)
        times, values = times[-capacity:], values[-capacity:]
        total = len(times)
        if total == 0:
            return series
        is_gap = ~np.isfinite(values)
        series._times[:total], series._values[:total] = times, np.where(is_gap, math.nan, values)
        series.total, series._slot, series._last_time_s = total, total % capacity, float(times[-1])
        lows, highs = np.where(is_gap, math.inf, values), np.where(is_gap, -math.inf, values)
        open_from = total - total % _FAN_OUT
        if open_from < total:
            series._block_time_s = float(times[open_from])
            series._block_low, series._block_high = float(lows[open_from:].min()), float(highs[open_from:].max())
            series._block_gap = int(is_gap[open_from:].any())
        gaps: npt.NDArray[np.bool_] = is_gap
        for level in series._levels:
            count = len(lows) // _FAN_OUT
            # Copies of a fourth each time: all levels together cost a third of the points.
            times = times[: count * _FAN_OUT : _FAN_OUT]
            lows = lows[: count * _FAN_OUT].reshape(count, _FAN_OUT).min(axis=1, initial=math.inf)
            highs = highs[: count * _FAN_OUT].reshape(count, _FAN_OUT).max(axis=1, initial=-math.inf)
            gaps = np.logical_or.reduce(gaps[: count * _FAN_OUT].reshape(count, _FAN_OUT), axis=1)
            level.times[:count], level.lows[:count], level.highs[:count], level.gaps[:count] = times, lows, highs, gaps
        return series

    def __len__(self) -> int:
        return min(self.total, self.capacity)

    @property
    def first_time_s(self) -> float | None:
        """Time of the oldest point kept; ``None`` when empty."""
        if self.total == 0:
            return None
        return float(self._times[0 if self.total <= self.capacity else self._slot])

    @property
    def last_time_s(self) -> float | None:
        """Time of the newest point, a gap included; ``None`` when empty."""
        return None if self.total == 0 else self._last_time_s

    @property
    def last_value(self) -> float | None:
        """Value of the newest point; ``None`` when empty or when the newest point is a gap."""
        if self.total == 0:
            return None
        value = float(self._values[self._slot - 1])
        return None if math.isnan(value) else value

    def append(self, time_s: float, value: float) -> None:
        """Add a point; NaN, and any value that is not finite, is a gap. Amortised constant time.

        A ``time_s`` before the newest one is taken as the newest: results of two threads arrive swapped by
        milliseconds, and a line must not run backwards. Raises ``ValueError`` when ``time_s`` is not finite.
        """
        if time_s < self._last_time_s:
            time_s = self._last_time_s
        elif not math.isfinite(time_s):
            raise ValueError(f"time must be finite, not {time_s}")
        total = self.total
        if not total & (_FAN_OUT - 1):
            self._block_time_s = time_s
        if math.isfinite(value):
            # Not min() and max(): two calls would be a quarter of the cost of an append.
            if value < self._block_low:  # noqa: PLR1730
                self._block_low = value
            if value > self._block_high:  # noqa: PLR1730
                self._block_high = value
        else:
            value = math.nan
            self._block_gap = 1
        slot = self._slot
        self._times[slot] = time_s
        self._values[slot] = value
        self._last_time_s = time_s
        self._slot = slot + 1 if slot + 1 < self.capacity else 0
        self.total = total = total + 1
        if not total & (_FAN_OUT - 1):
            self._close_blocks(total >> _FAN_OUT_BITS)

    def _close_blocks(self, closed_blocks: int) -> None:
        """Store the running block as the newest of ``closed_blocks``, and every parent that is full with it."""
        block = closed_blocks - 1
        time_s, low, high, gap = self._block_time_s, self._block_low, self._block_high, self._block_gap
        for level in self._levels:
            slot = block % level.block_capacity
            level.times[slot] = time_s
            level.lows[slot] = low
            level.highs[slot] = high
            level.gaps[slot] = gap
            if block & (_FAN_OUT - 1) != _FAN_OUT - 1:
                break
            first = slot - (_FAN_OUT - 1)
            time_s = float(level.times[first])
            low = min(level.lows[first : slot + 1].tolist())
            high = max(level.highs[first : slot + 1].tolist())
            gap = max(level.gaps[first : slot + 1].tolist())
            block >>= _FAN_OUT_BITS
        self._block_low = math.inf
        self._block_high = -math.inf
        self._block_gap = 0

    def index_range(self, start_s: float, end_s: float) -> tuple[int, int]:
        """Indexes ``[first, end)`` of the points with ``start_s <= time <= end_s``; empty when there is none."""
        first = self._count_before(start_s, "left")
        return first, max(first, self._count_before(end_s, "right"))

    def points(self, first: int, end: int) -> tuple[FloatArray, FloatArray]:
        """Times and values of the points ``[first, end)``, all still kept. Views: copy what outlives the call."""
        return self._slice(self._times, first, end), self._slice(self._values, first, end)

    def values_at(self, slots: npt.NDArray[np.int64]) -> FloatArray:
        """Values in ``slots``, which are indexes modulo the capacity."""
        return self._values[slots]

    def at(self, time_s: float) -> tuple[float, float] | None:
        """Newest point at or before ``time_s``; ``None`` when that is a gap or there is none."""
        index = self._count_before(time_s, "right") - 1
        if index < self.total - len(self):
            return None
        slot = index % self.capacity
        value = float(self._values[slot])
        return None if math.isnan(value) else (float(self._times[slot]), value)

    def window(
        self, start_s: float, end_s: float, max_points: int, *, is_padded: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Times and values to draw ``[start_s, end_s]`` in ``max_points`` columns; the cost does not grow with history.

        Up to ``2 * max_points`` points come as they are. More are reduced to the lowest and the highest value of each
        column, both at the time of the column's first block; columns are aligned to multiples of their width on the
        time axis, so that a window which moves does not shimmer. The first and the last point of the window are
        themselves. A column with a gap in it ends in a NaN. ``is_padded`` adds the nearest point outside either end, so
        that a line reaches the edges of the picture.
        """
        first, end = self.index_range(start_s, end_s)
        if is_padded:
            first = max(first - 1, self.total - len(self))
            end = min(end + 1, self.total)
        count = end - first
        if count <= 2 * max_points:
            times, values = self.points(first, end)
            return times.copy(), values.copy()
        column_s = (end_s - start_s) / max_points
        if not column_s > 0.0:
            column_s = math.inf
        return self._reduce(first, end, self._level_for(count, max_points), column_s)

    def _level_for(self, count: int, columns: int) -> int:
        """Height of the coarsest level with enough blocks per column; 0 is the points themselves."""
        height = 0
        while height < len(self._levels) and count >= _BLOCKS_PER_COLUMN * columns * self._levels[height].block_size:
            height += 1
        return height

    def _reduce(self, first: int, end: int, height: int, column_s: float) -> tuple[FloatArray, FloatArray]:
        times, lows, highs, gaps = self._gather(first, end, height)
        # Numbers of columns from time zero; truncating is several times faster than floor, and times are positive.
        columns = (times * (1.0 / column_s)).astype(np.int64)
        starts = np.flatnonzero(columns[1:] != columns[:-1])
        starts += 1
        starts = np.concatenate(((0,), starts))
        column_times = times[starts]
        column_lows = np.minimum.reduceat(lows, starts)
        column_highs = np.maximum.reduceat(highs, starts)
        column_gaps = np.maximum.reduceat(gaps, starts)
        first_slot, last_slot = first % self.capacity, (end - 1) % self.capacity
        if not column_gaps.any():
            size = 2 * len(starts) + 2
            out_times, out_values = np.empty(size), np.empty(size)
            out_times[1:-1:2] = column_times
            out_times[2:-1:2] = column_times
            out_values[1:-1:2] = column_lows
            out_values[2:-1:2] = column_highs
        else:
            # Per column: low and high unless it holds nothing but gaps, then a NaN if it holds a gap.
            has_value = column_lows <= column_highs
            pair_at = 1 + np.concatenate(((0,), np.cumsum(2 * has_value + column_gaps)))
            size = int(pair_at[-1]) + 1
            out_times, out_values = np.empty(size), np.full(size, math.nan)
            out_times[1:-1] = np.repeat(column_times, np.diff(pair_at))
            low_at = pair_at[:-1][has_value]
            out_values[low_at] = column_lows[has_value]
            out_values[low_at + 1] = column_highs[has_value]
        out_times[0], out_values[0] = self._times[first_slot], self._values[first_slot]
        out_times[-1], out_values[-1] = self._times[last_slot], self._values[last_slot]
        return out_times, out_values

    def _gather(
        self, first: int, end: int, height: int
    ) -> tuple[FloatArray, FloatArray, FloatArray, npt.NDArray[np.uint8]]:
        """Blocks that cover exactly ``[first, end)``: of level ``height``, and finer ones towards both ends."""
        head = _Blocks()
        tails: list[_Blocks] = []
        for below in range(height):
            # Up to the next border of a block of the level above, from both sides.
            size = _FAN_OUT ** (below + 1)
            inner_first, inner_end = -(-first // size) * size, end // size * size
            if inner_first >= inner_end:  # cannot happen while a level has several blocks per window
                height = below
                break
            tail = _Blocks()
            if below == 0:
                head.add_points(*self.points(first, inner_first))
                tail.add_points(*self.points(inner_end, end))
            else:
                level = self._levels[below - 1]
                head.add_blocks(level, first // level.block_size, inner_first // level.block_size)
                tail.add_blocks(level, inner_end // level.block_size, end // level.block_size)
            tails.append(tail)
            first, end = inner_first, inner_end
        if height == 0:
            times, values = self.points(first, end)
            is_gap = np.isnan(values)
            if not is_gap.any():
                return times, values, values, is_gap.view(np.uint8)
            return (
                times,
                np.where(is_gap, math.inf, values),
                np.where(is_gap, -math.inf, values),
                is_gap.view(np.uint8),
            )
        level = self._levels[height - 1]
        first_block, end_block = first // level.block_size, end // level.block_size
        tails.reverse()
        return (
            _joined(head.times, self._slice(level.times, first_block, end_block), [tail.times for tail in tails]),
            _joined(head.lows, self._slice(level.lows, first_block, end_block), [tail.lows for tail in tails]),
            _joined(head.highs, self._slice(level.highs, first_block, end_block), [tail.highs for tail in tails]),
            np.concatenate(
                (
                    np.array(head.gaps, dtype=np.uint8),
                    self._slice(level.gaps, first_block, end_block),
                    np.array([gap for tail in tails for gap in tail.gaps], dtype=np.uint8),
                )
            ),
        )

    def _count_before(self, time_s: float, side: _Side) -> int:
        """How many points ever appended are before ``time_s`` (``right``: or at it), the forgotten ones included."""
        if self.total <= self.capacity:
            return int(self._times[: self.total].searchsorted(time_s, side))
        # The ring holds two ascending runs: the older from the write position on, the newer before it.
        oldest = self.total - self.capacity
        is_in_newer = self._slot > 0 and (self._times[0] < time_s or (side == "right" and self._times[0] == time_s))
        if is_in_newer:
            run = self._times[: self._slot]
            return oldest + self.capacity - self._slot + int(run.searchsorted(time_s, side))
        return oldest + int(self._times[self._slot :].searchsorted(time_s, side))

    @staticmethod
    def _slice(ring: npt.NDArray[_Scalar], first: int, end: int) -> npt.NDArray[_Scalar]:
        """Elements ``[first, end)`` of a ring in order, by their running numbers."""
        if first >= end:
            return ring[:0]
        start, stop = first % len(ring), (end - 1) % len(ring) + 1
        if start < stop:
            return ring[start:stop]
        return np.concatenate((ring[start:], ring[:stop]))


def _joined(head: list[float], middle: FloatArray, tails: list[list[float]]) -> FloatArray:
    return np.concatenate((np.array(head), middle, np.array([item for tail in tails for item in tail])))
