"""Percentiles of latencies, and the band they make of consecutive bins of time.

Percentiles are numpy's default, method "linear" (Hyndman and Fan's type 7): the value at rank ``(n - 1) * p`` of the
sorted latencies, between neighbours by linear interpolation. Each comes with its n.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.state.series import FloatArray, TimeSeries

MIN_BAND_MARKS: Final = 8
"""A bin of the band with fewer marks shows nothing: its p95 would be its maximum under another name."""
_MAX_CACHED_BINS: Final = 4_096


class LatencyBand(msgspec.Struct, frozen=True):
    """Warm p50 and p95 of consecutive bins of one width. NaN in a bin of fewer than ``MIN_BAND_MARKS`` marks."""

    edges_s: FloatArray
    """One more than there are bins; multiples of the width."""
    p50_s: FloatArray
    p95_s: FloatArray
    n: npt.NDArray[np.int64]
    since_s: float = -math.inf
    """Nothing was measured before this; the bin it lies in begins earlier."""


class BinCache:
    """Percentiles of finished bins of a growing series, for the bin width asked for last."""

    def __init__(self, series: TimeSeries) -> None:
        self._series = series
        self._bin_s = 0.0
        self._finished: dict[int, tuple[float, float, int]] = {}
        self._since_s = -math.inf

    def band(self, start_s: float, end_s: float, bin_s: float) -> LatencyBand:
        """The bins of ``bin_s`` seconds that cover ``[start_s, end_s]``."""
        if not bin_s > 0.0:
            raise ValueError(f"a bin must have a width, not {bin_s}")
        if bin_s != self._bin_s or len(self._finished) > _MAX_CACHED_BINS:
            self._bin_s = bin_s
            self._finished.clear()
        first, last = math.floor(start_s / bin_s), math.floor(end_s / bin_s)
        rows = [self._bin(number) for number in range(first, last + 1)]
        first_s = self._series.first_time_s
        if first_s is not None and len(self._series) == self._series.total:
            self._since_s = first_s
        return LatencyBand(
            edges_s=np.arange(first, last + 2, dtype=np.float64) * bin_s,
            p50_s=np.array([row[0] for row in rows]),
            p95_s=np.array([row[1] for row in rows]),
            n=np.array([row[2] for row in rows], dtype=np.int64),
            since_s=self._since_s,
        )

    def _bin(self, number: int) -> tuple[float, float, int]:
        known = self._finished.get(number)
        if known is not None:
            return known
        series = self._series
        start_s, end_s = number * self._bin_s, (number + 1) * self._bin_s
        first, end = series.index_range(start_s, math.nextafter(end_s, -math.inf))
        _, values = series.points(first, end)
        p50_s, p95_s = percentiles(values, (0.50, 0.95))
        row = (
            (math.nan, math.nan, len(values))
            if p50_s is None or p95_s is None or len(values) < MIN_BAND_MARKS
            else (p50_s, p95_s, len(values))
        )
        # A bin can still change while its end has not passed; what was forgotten since is kept as it was.
        last_time_s = series.last_time_s
        if last_time_s is not None and last_time_s >= end_s:
            self._finished[number] = row
        return row


def percentiles(values: FloatArray, fractions: Sequence[float]) -> tuple[float | None, ...]:
    """Percentiles of ``values`` in any order, by the module's method; all ``None`` when there is no value.

    Equal to ``numpy.percentile(values, 100 * fraction)`` and several times faster on the few hundred values of a bin.
    """
    if len(values) == 0:
        return (None,) * len(fractions)
    ordered = np.sort(values)
    found: list[float] = []
    for fraction in fractions:
        rank = (len(ordered) - 1) * fraction
        below = math.floor(rank)
        low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
        part = rank - below
        # From the nearer neighbour, as numpy does, so that rounding cannot step over it.
        found.append(low + (high - low) * part if part < 0.5 else high - (high - low) * (1.0 - part))
    return tuple(found)
