"""What running totals gained, and when: so that a period has counts of its own."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

GAINS_SPACING_S: Final = 2.0
GAINS_CAPACITY: Final = 130_000
"""A day of three totals that move in every sample; 14 bytes each, taken as they come."""


class Gains:
    """The newest changes of some totals, sampled every ``GAINS_SPACING_S`` seconds at most.

    ``counts_first``: what the totals are at the first sample was counted just before it; otherwise it is of an earlier
    time and no gain. Times are ``perf_counter`` seconds. Thread: one only.
    """

    def __init__(self, *, counts_first: bool, capacity: int = GAINS_CAPACITY) -> None:
        self._capacity = capacity
        self._counts_first = counts_first
        self._times = np.empty(capacity)
        self._places = np.empty(capacity, dtype=np.int16)
        self._gains = np.empty(capacity, dtype=np.int32)
        self._total = 0
        self._last: list[int] = []
        self._first_time_s: float | None = None
        self._last_time_s = 0.0

    def note(self, totals: Sequence[int], now_mono_s: float, *, is_new_count: bool = False) -> None:
        """Take a sample; more totals than before are new ones, which were 0.

        ``is_new_count``: who counts was replaced; its first totals are taken as the first of all were.
        """
        if self._first_time_s is None:
            self._first_time_s = now_mono_s
            if not self._counts_first:
                self._last = list(totals)
        elif is_new_count:
            self._last = [] if self._counts_first else list(totals)
        elif now_mono_s - self._last_time_s < GAINS_SPACING_S:
            return
        self._last_time_s = now_mono_s
        self._last.extend([0] * (len(totals) - len(self._last)))
        for place, (total, before) in enumerate(zip(totals, self._last, strict=True)):
            if total != before:
                slot = self._total % self._capacity
                self._times[slot], self._places[slot], self._gains[slot] = now_mono_s, place, total - before
                self._total += 1
        self._last = list(totals)

    def between(self, start_mono_s: float, end_mono_s: float) -> npt.NDArray[np.int64] | None:
        """What each total gained after ``start_mono_s``, up to ``end_mono_s``; to within the spacing of samples.

        ``None`` where it is not known: the period ends before the first sample, or begins before what is still kept.
        """
        if self._first_time_s is None or end_mono_s < self._first_time_s:
            return None
        kept = min(self._total, self._capacity)
        if self._total > kept and start_mono_s < self._times[self._total % self._capacity]:
            return None
        times = self._times[:kept]
        is_inside = (times > start_mono_s) & (times <= end_mono_s)
        if self._counts_first and start_mono_s <= self._first_time_s:
            is_inside |= times == self._first_time_s
        gained = np.bincount(
            self._places[:kept][is_inside], weights=self._gains[:kept][is_inside], minlength=len(self._last)
        )
        return np.rint(gained).astype(np.int64)
