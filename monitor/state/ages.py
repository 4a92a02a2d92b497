"""Why a price is as old as it is."""

from typing import Final

import msgspec

from monitor.domain.errors import Failure
from monitor.exchanges.base import Source
from monitor.state.quotes import AgeInterval, Stamp

SPACED_FROM: Final = 1.5
"""From this many cadences between two replies on it is told: less is the waiting of a busy moment."""
SPACED: Final = "Replies come as our own share of the rate limit allows, not late by that measure."
_FOR_BUDGET: Final = "Waiting for our own share of the rate limit: prices go first."
_FIRST: Final = " A first reply may take minutes."


class AgeCauses(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of an age in seconds; together they are the upper end of the interval.

    ``poll_gap_s`` since the reply was ours to show (waiting for the next poll, the time asleep included), ``network_s``
    between asking and the whole reply, ``cache_s`` in a cache before it was handed out.
    """

    age: AgeInterval
    poll_gap_s: float
    network_s: float
    cache_s: float


def age_causes(stamp: Stamp, now_mono_s: float) -> AgeCauses:
    """Split the age of what ``stamp`` brought, as of ``now_mono_s``."""
    # What passed in our own cache is the cache's, not waiting for the next poll.
    cached_s = max(0.0, stamp.cache_age_s - stamp.uncounted_s)
    return AgeCauses(
        age=stamp.age(now_mono_s),
        poll_gap_s=max(0.0, now_mono_s - stamp.received_mono_s - cached_s) + stamp.unseen_s,
        network_s=max(0.0, stamp.received_mono_s - stamp.requested_mono_s),
        cache_s=max(0.0, stamp.cache_age_s),
    )


def explain_age(
    stamp: Stamp | None,
    now_mono_s: float,
    *,
    cadence_s: float | None = None,
    spaced_s: float | None = None,
    is_in_parts: bool = False,
) -> str:
    """One sentence for a tooltip: the interval, then its causes, largest first; causes of no weight are left out.

    ``cadence_s``: how often it is to be asked; ``spaced_s``: how often our own share of the rate limit lets it.
    ``is_in_parts``: not all of it was asked with the newest reply.
    """
    if stamp is None:
        return "No price has been received yet."
    causes = age_causes(stamp, now_mono_s)
    since = "the reply" if stamp.source is Source.NETWORK else "it was handed out"
    parts = [
        (causes.poll_gap_s, f"{seconds_text(causes.poll_gap_s)} since {since}"),
        (
            causes.network_s,
            f"its oldest part up to {seconds_text(causes.network_s)} more (parts take turns)"
            if is_in_parts
            else f"up to {seconds_text(causes.network_s)} between asking and the whole reply",
        ),
        (causes.cache_s, f"{seconds_text(causes.cache_s)} in {_held_in(stamp.source)}"),
    ]
    told = [text for seconds, text in sorted(parts, key=lambda part: -part[0]) if seconds >= 0.0005]
    low, high = seconds_text(causes.age.low_s), seconds_text(causes.age.high_s)
    sentence = f"{low} old" if low == high else f"{low} to {high} old"
    if told:
        sentence += ": " + ", ".join(told)
    sentence += "."
    if stamp.source is Source.NETWORK:
        sentence += " From the network."
    if cadence_s is not None:
        asked = f"every {seconds_text(cadence_s)}"
        if spaced_s is None or spaced_s < cadence_s * SPACED_FROM:
            sentence += f" Asked {asked}."
        else:
            sentence += (
                f" To be asked {asked}; our share of the rate limit, prices first, leaves about one every "
                f"{seconds_text(spaced_s)}."
            )
    if stamp.is_marked_stale:
        sentence += " The computer slept or changed network since."
    return sentence


def held_text(failure: Failure, *, is_first: bool) -> str:
    """Why a poll of an account was not sent, for a failure of kind ``BUDGET``. ``is_first``: nothing came before."""
    if failure.pause is None:
        return _FOR_BUDGET + (_FIRST if is_first else "")
    return f"{failure.user_text}: nothing is sent until the pause is over."


def seconds_text(seconds: float) -> str:
    """``60 ms``, ``0.9 s``, ``75 s``, ``12 min``, ``3.1 h``: a duration for a sentence."""
    if seconds < 0.1:
        return f"{seconds * 1_000:.0f} ms"
    if seconds < 10.0:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if seconds < 120.0:
        return f"{seconds:.0f} s"
    if seconds < 7_200.0:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"


def _held_in(source: Source) -> str:
    return "an expired cache entry, because the venue failed" if source is Source.STALE_CACHE else "the cache"
