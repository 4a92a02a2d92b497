"""Whether a price may be believed: live, quiet, late, frozen or unknown, decided from data received and nothing else.

Pure functions of numbers. All thresholds are multiples of the planned cadence, so that a feed polled every 30 s is not
called late by the measure of one polled every second. *Failing* is not a verdict: it is told by the failure streak,
and a feed that fails long enough becomes late by itself.
"""

import math
from enum import StrEnum

LATE_CADENCES = 3.0
"""Late: nothing received for this many cadences. One lost poll is no news, three in a row are."""
LATE_FLOOR_S = 2.0
"""Never late sooner than this, so that a slow round trip does not make a fast cadence flicker."""
QUIET_CADENCES = 10.0
"""Quiet: this price stood still for this many cadences while its feed moved."""
FROZEN_REPLIES = 5
"""Frozen: at least this many whole replies in a row without any change."""
FROZEN_CADENCES = 5.0
"""Frozen: and at least this many cadences since the last change (a burst of refreshes is not a measure of time)."""
FROZEN_REPLIES_NEVER_CHANGED = 30
"""The same for a feed that has not changed since we started: there is no habit to compare with yet."""
FROZEN_MIN_INSTRUMENTS = 10
"""With fewer instruments in a reply, standing still is no evidence: such a feed becomes quiet, not frozen."""
FROZEN_CHANCE = 1e-6
"""Accepted chance that a feed with the habit it has shown stands still that long by itself."""


class Verdict(StrEnum):
    """What to think of a price, or of the feed that brings it."""

    LIVE = "live"  # received within its cadence, and moving
    QUIET = "quiet"  # received within its cadence; this price stands still while others of the same reply move
    LATE = "late"  # not received for several cadences
    FROZEN = "frozen"  # replies arrive, but nothing in them changes any more
    UNKNOWN = "unknown"  # never received

    @property
    def is_trustworthy(self) -> bool:
        """True for live and quiet only: nothing else may be shown in green, plain or as current."""
        return self in (Verdict.LIVE, Verdict.QUIET)

    @property
    def word(self) -> str:
        """The verdict for people, the same word wherever it stands."""
        return "no data" if self is Verdict.UNKNOWN else self.value


def late_after_s(cadence_s: float) -> float:
    """Seconds without a reply after which a feed of this cadence is late."""
    return max(LATE_CADENCES * cadence_s, LATE_FLOOR_S)


def replies_to_freeze(changed: int, replies: int) -> int:
    """How many unchanged replies in a row are too many for a feed of which ``changed`` of ``replies`` brought news.

    A feed that changes with every reply freezes after ``FROZEN_REPLIES``; one that changes every other time needs
    twenty, because standing still for a few replies is its habit. Without any change so far:
    ``FROZEN_REPLIES_NEVER_CHANGED``.
    """
    if changed <= 0 or replies <= 0:
        return FROZEN_REPLIES_NEVER_CHANGED
    share = changed / replies
    if share >= 1.0:
        return FROZEN_REPLIES
    return max(FROZEN_REPLIES, math.ceil(math.log(FROZEN_CHANCE) / math.log1p(-share)))


def feed_verdict(
    *,
    now_mono_s: float,
    received_mono_s: float | None,
    cadence_s: float,
    changed_mono_s: float | None,
    unchanged_replies: int,
    replies_needed: int,
    instruments: int,
    grace_s: float = 0.0,
    is_marked_stale: bool = False,
) -> Verdict:
    """Judge a whole feed.

    ``received_mono_s`` is the newest reply, ``None`` before the first. ``changed_mono_s`` is the newest reply that
    differed from the one before, ``unchanged_replies`` how many came since, ``replies_needed`` see
    :func:`replies_to_freeze`. ``grace_s`` is added to the time after which it is late. ``is_marked_stale`` says that
    the machine slept or changed network since.
    """
    if received_mono_s is None:
        return Verdict.UNKNOWN
    if is_marked_stale or now_mono_s - received_mono_s > late_after_s(cadence_s) + grace_s:
        return Verdict.LATE
    still_s = 0.0 if changed_mono_s is None else now_mono_s - changed_mono_s
    is_still = unchanged_replies >= replies_needed and still_s >= FROZEN_CADENCES * cadence_s
    if is_still:
        return Verdict.FROZEN if instruments >= FROZEN_MIN_INSTRUMENTS else Verdict.QUIET
    return Verdict.LIVE


def quote_verdict(
    *,
    now_mono_s: float,
    received_mono_s: float | None,
    changed_mono_s: float | None,
    cadence_s: float,
    of_feed: Verdict,
    is_vanished: bool = False,
    is_marked_stale: bool = False,
) -> Verdict:
    """Judge one instrument's price against ``of_feed``, the verdict on the feed that brought it.

    The instrument's own age counts as well: a price that is missing from replies which keep arriving grows late alone.
    """
    if received_mono_s is None:
        return Verdict.UNKNOWN
    if is_vanished or is_marked_stale or now_mono_s - received_mono_s > late_after_s(cadence_s):
        return Verdict.LATE
    if not of_feed.is_trustworthy:
        return of_feed
    if changed_mono_s is not None and now_mono_s - changed_mono_s > QUIET_CADENCES * cadence_s:
        return Verdict.QUIET
    return of_feed
