"""What was known of a venue's clock, in time: the offset of a period with its bound."""

from typing import Final

import msgspec
import numpy as np

from monitor.state.period import Period
from monitor.state.series import TimeSeries

CLOCK_SPACING_S: Final = 10.0
CLOCK_CAPACITY: Final = 8_640
"""A day at one estimate per ``CLOCK_SPACING_S``."""
HOLDS_S: Final = 60.0
"""An estimate made this long before a period holds at its beginning: clocks drift by microseconds in that time."""


class ClockEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """Venue clock minus ours; the truth was within ``error_s`` of ``offset_s``."""

    offset_s: float
    error_s: float
    is_changed: bool
    """Two estimates of the period exclude each other: a clock was set. Then this is the last of them."""


class ClockHistory:
    """Estimates of one venue's offset, one in ``CLOCK_SPACING_S`` at most, and when they were given up.

    Times are ``perf_counter`` seconds. Thread: the board's.
    """

    def __init__(self, capacity: int = CLOCK_CAPACITY) -> None:
        self._offsets = TimeSeries(capacity)
        self._errors = TimeSeries(capacity)

    def note(self, offset_s: float | None, error_s: float | None, now_mono_s: float) -> None:
        """Take in the newest estimate; ``None``: what was known holds no more (sleep, another network)."""
        is_known = offset_s is not None and error_s is not None
        last_s, has_last = self._offsets.last_time_s, self._offsets.last_value is not None
        if is_known and has_last and last_s is not None and now_mono_s - last_s < CLOCK_SPACING_S:
            return
        self._offsets.append(now_mono_s, np.nan if offset_s is None else offset_s)
        self._errors.append(now_mono_s, np.nan if error_s is None else error_s)

    def between(self, period: Period) -> ClockEstimate | None:
        """The narrowest estimate that held in a period, the newest of several; ``None`` where none did.

        Candidates are those made within it and the one in force when it began, if not older than ``HOLDS_S``.
        """
        start_s, end_s = period.start_mono_s, period.end_mono_s
        first, end = self._offsets.index_range(start_s, end_s)
        before = self._offsets.at(start_s)
        if before is not None and before[0] >= start_s - HOLDS_S:
            first, _ = self._offsets.index_range(before[0], end_s)
        _, offsets = self._offsets.points(first, end)
        _, errors = self._errors.points(first, end)
        is_known = np.isfinite(offsets)
        offsets, errors = offsets[is_known], errors[is_known]
        if not len(offsets):
            return None
        is_changed = bool((offsets - errors).max() > (offsets + errors).min())
        best = len(offsets) - 1 - (0 if is_changed else int(np.argmin(errors[::-1])))
        return ClockEstimate(offset_s=float(offsets[best]), error_s=float(errors[best]), is_changed=is_changed)
