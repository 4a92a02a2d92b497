"""The app's own delays of a day, small: how many were of which length, in slots of ten seconds."""

from typing import Final

import numpy as np

from monitor.qtmodels.lag import LagFigures, LagWindow
from monitor.state.period import Period

SLOT_S: Final = 10.0
SLOTS_KEPT: Final = 8_640
_EDGES_S: Final = 0.00025 * 10.0 ** (np.arange(63) / 14)
"""0.25 ms to 6.7 s, fourteen to the decade: a percentile read from them is within 9 % of the true one."""
_MIDDLES_S: Final = np.concatenate(((0.0,), np.sqrt(_EDGES_S[:-1] * _EDGES_S[1:]), (_EDGES_S[-1],)))


class LagHistory:
    """Delays by the slot in which they were taken over; those of before the last ``slots`` are forgotten.

    At the default a day, 1.1 MB when it is full, taken as it comes. Thread: one only, the GUI's.
    """

    def __init__(self, slots: int = SLOTS_KEPT) -> None:
        self._slots = slots
        self._numbers = np.full(slots, -1, dtype=np.int64)
        self._counts = np.zeros((slots, len(_MIDDLES_S)), dtype=np.uint16)
        self._worst_s = np.zeros(slots)
        self._seen = 0

    def take(self, window: LagWindow, now_mono_s: float) -> None:
        """Take over what ``window`` got since the last call; once a second, so that nothing is lost from it."""
        if window.total < self._seen:
            self._seen = 0
        fresh = window.since(self._seen)
        self._seen = window.total
        if not fresh:
            return
        number = int(now_mono_s // SLOT_S)
        slot = number % self._slots
        if self._numbers[slot] != number:
            self._numbers[slot] = number
            self._counts[slot] = 0
            self._worst_s[slot] = 0.0
        places = np.searchsorted(_EDGES_S, fresh, side="right")
        counts = self._counts[slot] + np.bincount(places, minlength=len(_MIDDLES_S))
        self._counts[slot] = np.minimum(counts, np.iinfo(np.uint16).max)
        self._worst_s[slot] = max(float(self._worst_s[slot]), *fresh)

    def between(self, period: Period) -> LagFigures:
        """Figures of the slots that a period touches: the worst is exact, percentiles are within 9 %.

        Everything is ``None`` where no delay was taken over then. Some milliseconds for a day.
        """
        is_touched = (self._numbers >= period.start_mono_s // SLOT_S) & (self._numbers <= period.end_mono_s // SLOT_S)
        counts = self._counts[is_touched].sum(axis=0, dtype=np.int64)
        n = int(counts.sum())
        if n == 0:
            return LagFigures(n=0, p50_s=None, p99_s=None, worst_s=None)
        worst_s = float(self._worst_s[is_touched].max())
        up_to = counts.cumsum()
        p50_s, p99_s = (float(_MIDDLES_S[np.searchsorted(up_to, -(-n * part // 100))]) for part in (50, 99))
        return LagFigures(n=n, p50_s=min(p50_s, worst_s), p99_s=min(p99_s, worst_s), worst_s=worst_s)
