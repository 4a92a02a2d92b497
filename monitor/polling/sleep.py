"""Noticing that the machine slept or its clock was set. Pure; both clock readings are passed in."""

from enum import StrEnum

import msgspec


class JumpKind(StrEnum):
    """What happened between two looks at the clocks."""

    ASLEEP = "asleep"  # the wall clock went on without us; set forward by hand looks the same and is treated the same
    CLOCK_SET_BACK = "clock_set_back"


class ClockJump(msgspec.Struct, frozen=True, kw_only=True):
    """``gap_s`` seconds (positive) that one clock has and the other has not, or that passed without us."""

    kind: JumpKind
    gap_s: float
    unseen_s: float = 0.0
    """The part of ``gap_s`` that the monotonic clock did not count, so that ages must grow by it."""

    @property
    def are_prices_stale(self) -> bool:
        """Whether what is shown must be marked stale and polled again at once."""
        return self.kind is JumpKind.ASLEEP


class SleepDetector:
    """Compares ``time.time()`` with ``time.perf_counter()`` at every look.

    On Linux and macOS the monotonic clock stands still while the machine sleeps, so the wall clock runs ahead of it. On
    Windows it goes on, so a look that comes far too late tells. Look at least once a second.

    Thread: none of its own; one caller at a time.
    """

    def __init__(self, *, threshold_s: float = 3.0, longest_look_gap_s: float = 20.0) -> None:
        """``threshold_s``: drift between the clocks in one step that counts; slewing by NTP stays far below.

        ``longest_look_gap_s``: a later look than this means that the whole process stood still.
        """
        self._threshold_s = threshold_s
        self._longest_look_gap_s = longest_look_gap_s
        self._last: tuple[float, float] | None = None

    def look(self, wall_s: float, mono_s: float) -> ClockJump | None:
        """Compare with the look before; ``None`` when nothing happened, and at the first look."""
        last, self._last = self._last, (wall_s, mono_s)
        if last is None:
            return None
        mono_step_s = mono_s - last[1]
        drift_s = wall_s - last[0] - mono_step_s
        if drift_s > self._threshold_s:
            return ClockJump(kind=JumpKind.ASLEEP, gap_s=drift_s + mono_step_s, unseen_s=drift_s)
        if mono_step_s > self._longest_look_gap_s:
            return ClockJump(kind=JumpKind.ASLEEP, gap_s=mono_step_s)
        if drift_s < -self._threshold_s:
            return ClockJump(kind=JumpKind.CLOCK_SET_BACK, gap_s=-drift_s)
        return None
