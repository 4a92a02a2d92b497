"""When one job is due: cadence, missed polls, backoff. Pure; the clock reading is passed in."""

import math
from collections.abc import Callable

BACKOFF_BASE_S = 5.0
"""First delay after a failure of a job whose cadence is longer than this; a faster job waits its cadence first."""

BACKOFF_CEILING_S = 15.0
"""A venue that comes back is seen within about this long, at the price of four requests a minute and job."""

SLOW_CEILING_S = 60.0
"""Ceiling for jobs that are slow anyway, and for failures that asking again seldom mends."""

START_SPREAD_S = 0.5
"""The jobs of a venue start spread over this time, so that the later ones find the first one's connection warm."""

JITTER = 0.25
"""Backoff is stretched by a random part of up to this fraction, so that jobs that failed together do not retry so."""

# A clock reading taken exactly at a slot may fall a rounding error before it.
_SLOT_TOLERANCE = 1e-6


class Cadence:
    """Schedule of one job on a fixed grid: slot ``k`` is due at ``first_due_s + k * cadence_s``.

    Every slot that comes due ends up as made or as missed, so ``planned == made + missed`` at any time: a poll that
    takes three cadences makes one slot and misses two, and a slot that passes during backoff or while the budget holds
    the job back is missed as well (coordinated omission: a slow venue must not thin out the record of its slowness). A
    poll beside the grid (a refresh, a retry after a failure) counts as planned when it is made.

    All times are readings of one monotonic clock in seconds. ``random`` returns floats in [0, 1).
    Thread: none of its own; one caller at a time.
    """

    def __init__(self, cadence_s: float, *, first_due_s: float, random: Callable[[], float]) -> None:
        if not (cadence_s > 0.0 and math.isfinite(cadence_s)):
            raise ValueError("cadence_s must be positive and finite")
        self._cadence_s = cadence_s
        self._origin_s = first_due_s
        self._random = random
        self._last_slot = -1
        """Newest slot already counted as made or missed."""
        self._next_due_s = first_due_s
        self._newest_start_s: float | None = None
        self._newest_end_s = first_due_s
        self._planned = 0
        self._made = 0
        self._streak = 0

    @property
    def cadence_s(self) -> float:
        """Planned seconds from poll to poll."""
        return self._cadence_s

    @property
    def next_due_s(self) -> float:
        """Clock reading at which to poll next; in the past when the poll is late."""
        return self._next_due_s

    @property
    def planned(self) -> int:
        """Slots that came due and were accounted for, plus the polls beside the grid."""
        return self._planned

    @property
    def made(self) -> int:
        """Polls that were made, whatever they brought."""
        return self._made

    @property
    def missed(self) -> int:
        """Slots that passed without a poll."""
        return self._planned - self._made

    @property
    def streak(self) -> int:
        """Failures in a row, waits of our own left out; 0 after a success."""
        return self._streak

    def succeeded(self, started_s: float, ended_s: float) -> int:
        """Account for a poll that brought something and go back to the grid at once.

        Returns the slots missed since the last accounting, those before this poll; the ones that passed during it are
        counted with the next.
        """
        missed = self._count_poll(started_s)
        self._streak = 0
        self._newest_end_s = ended_s
        self._next_due_s = self._next_grid_due(ended_s)
        return missed

    def failed(
        self,
        started_s: float,
        ended_s: float,
        *,
        retry_after_s: float | None = None,
        is_stubborn: bool = False,
        is_own: bool = False,
    ) -> int:
        """Account for a poll that brought nothing and back off.

        The delay doubles with every failure in a row up to a ceiling, is stretched by jitter, and is never shorter than
        ``retry_after_s``. ``is_stubborn`` says that asking again soon will hardly help, ``is_own`` that we held the
        poll back ourselves: the streak stays as it is. Returns the slots missed before this poll.
        """
        missed = self._count_poll(started_s)
        self._streak += 0 if is_own else 1
        self._next_due_s = ended_s + max(self._backoff_s(is_stubborn=is_stubborn), retry_after_s or 0.0)
        return missed

    def align(self, phase_s: float, *, slack_s: float) -> None:
        """Move the grid so that slots fall on ``phase_s + k * cadence_s``; what was accounted for stays.

        The newest poll stands for the slot it was early for by at most ``slack_s``; the slot after that is the next
        one, however soon it comes. Call it after :meth:`succeeded`: a backoff is not shortened.
        """
        if self._newest_start_s is None or self._streak > 0:
            return
        served = math.floor((self._newest_start_s + slack_s - phase_s) / self._cadence_s + _SLOT_TOLERANCE)
        self._origin_s = phase_s + (served - self._last_slot) * self._cadence_s
        # The newest poll may have ended before the slot that it stands for.
        unserved_s = self._origin_s + (self._last_slot + 1) * self._cadence_s
        self._next_due_s = max(unserved_s, self._next_grid_due(self._newest_end_s))

    def held(self, now_s: float) -> int:
        """Count the slots that passed while the budget held a poll back; returns how many.

        The newest stays to be made.
        """
        return self._count_slots(self._slot(now_s) - 1)

    def poll_at(self, due_s: float) -> None:
        """Make a poll due at ``due_s`` whatever the schedule says; the grid stays where it is."""
        self._next_due_s = due_s

    def resume(self, due_s: float) -> None:
        """Go on with a poll at ``due_s`` after a time in which nothing was planned (pause, sleep).

        Slots up to then that were not accounted for yet are neither planned nor missed.
        """
        self._last_slot = max(self._last_slot, self._slot(due_s))
        self._next_due_s = due_s

    def change(self, cadence_s: float, now_s: float) -> None:
        """Use another cadence from ``now_s`` on. Totals and streak stay, a backoff is waited out, and the next poll
        comes when it was due before or one new cadence from now, whichever is sooner.
        """
        if cadence_s == self._cadence_s:
            return
        is_waiting = self._next_due_s <= now_s
        # The slot of a poll that is due but not made yet becomes the first one of the new grid.
        self._count_slots(self._slot(now_s) - (1 if is_waiting else 0))
        next_slot_s = max(now_s, min(self._next_due_s, now_s + cadence_s))
        self._cadence_s = cadence_s
        self._origin_s = next_slot_s
        self._last_slot = -1
        if self._streak == 0:
            self._next_due_s = next_slot_s

    def _slot(self, time_s: float) -> int:
        """Newest slot that is due at ``time_s``; -1 before the first."""
        return max(-1, math.floor((time_s - self._origin_s) / self._cadence_s + _SLOT_TOLERANCE))

    def _count_slots(self, slot: int) -> int:
        newly = max(0, slot - self._last_slot)
        self._planned += newly
        self._last_slot += newly
        return newly

    def _count_poll(self, started_s: float) -> int:
        newly = self._count_slots(self._slot(started_s))
        self._newest_start_s = started_s
        self._made += 1
        if newly == 0:
            # Beside the grid: its slot has been accounted for already.
            self._planned += 1
            return 0
        return newly - 1

    def _next_grid_due(self, ended_s: float) -> float:
        slot = self._slot(ended_s)
        if slot > self._last_slot:
            # Slots passed during the poll. The newest is still worth making unless the one after it is closer.
            due_s = self._origin_s + slot * self._cadence_s
            if ended_s - due_s < self._cadence_s / 2:
                return due_s
        return self._origin_s + (slot + 1) * self._cadence_s

    def _backoff_s(self, *, is_stubborn: bool) -> float:
        base_s = min(self._cadence_s, BACKOFF_BASE_S)
        ceiling_s = SLOW_CEILING_S if is_stubborn else min(max(BACKOFF_CEILING_S, self._cadence_s), SLOW_CEILING_S)
        # The exponent is bounded because 2.0 ** 1100 overflows, and no streak is too long for a night without network.
        delay_s = min(ceiling_s, base_s * 2.0 ** min(max(self._streak - 1, 0), 32))
        return delay_s * (1.0 + JITTER * self._random())


def align_to_venue(cadence: Cadence, *, offset_s: float, venue_epoch_s: float, now_s: float) -> None:
    """Bring the next poll to ``offset_s`` after a whole multiple of the cadence since 1970 on the venue's clock.

    ``venue_epoch_s`` is that clock's reading (UTC seconds) at ``now_s`` of the monotonic one.
    """
    since_slot_s = (venue_epoch_s - offset_s) % cadence.cadence_s
    # A poll half the offset after a boundary has seen it; one that came before must not stand for it.
    cadence.align(now_s - since_slot_s, slack_s=offset_s / 2.0)


def start_delay_s(place: int, count: int, cadence_s: float, random: float) -> float:
    """How long after the start the ``place``-th of a venue's ``count`` jobs polls first; ``random`` is in [0, 1)."""
    return (place + random / 2.0) / count * min(START_SPREAD_S, cadence_s)
