"""Where a value on screen came from: the network, a cache, or kept beyond its time because asking anew failed."""

import msgspec

from monitor.exchanges.base import Source
from monitor.state.ages import seconds_text
from monitor.state.feeds import FeedState
from monitor.state.quotes import Origin, QuoteState, Stamp

SOURCE_DEFINITION = (
    "Source: from the network (the newest poll brought it), cache (held in memory and still good), or stale cache "
    "(the last good value, kept because asking anew failed), with the time it has been held."
)


class SourceFigures(msgspec.Struct, frozen=True, kw_only=True):
    """``held_s``: how long the value has been kept, in seconds; 0 from the network. ``reason``: why it is stale.

    ``retry_in_s``: until it is asked for again; ``None`` where that is not known.
    """

    source: Source
    held_s: float
    reason: str | None = None
    retry_in_s: float | None = None

    @property
    def text(self) -> str:
        """``from the network``, ``cache, 12 s`` or ``stale cache, 90 s, because the venue did not answer``."""
        if self.source is Source.NETWORK:
            return "from the network"
        name = "cache" if self.source is Source.CACHE else "stale cache"
        because = "" if self.reason is None else f", because: {self.reason}"
        retry = "" if self.retry_in_s is None else f", next try in {seconds_text(self.retry_in_s)}"
        return f"{name}, {seconds_text(self.held_s)}{because}{retry}"


def source_of(stamp: Stamp | None, feed: FeedState | None, now_mono_s: float) -> SourceFigures | None:
    """Where what ``stamp`` brought stands at ``now_mono_s``; ``None`` before the first reply.

    ``feed`` is what brings it: when its newest poll failed after the reply, the reply is the last good one, kept.
    """
    if stamp is None:
        return None
    held_s = stamp.held_s(now_mono_s)
    if feed is not None and feed.failure_text is not None and (feed.failed_mono_s or 0.0) >= stamp.received_mono_s:
        return _kept(feed.failure_text, feed, held_s, now_mono_s)
    if stamp.source is Source.NETWORK:
        return SourceFigures(source=Source.NETWORK, held_s=0.0)
    return SourceFigures(
        source=stamp.source,
        held_s=held_s,
        reason="the venue failed" if stamp.source is Source.STALE_CACHE else None,
    )


def source_of_feed(feed: FeedState | None, now_mono_s: float) -> SourceFigures | None:
    """Where the newest reply of a feed stands; ``None`` before the first."""
    if feed is None or feed.received_mono_s is None:
        return None
    held_s = max(feed.cache_age_s, now_mono_s - feed.received_mono_s + feed.unseen_s)
    if feed.failure_text is not None:
        return _kept(feed.failure_text, feed, held_s, now_mono_s)
    return SourceFigures(source=feed.source, held_s=0.0 if feed.source is Source.NETWORK else held_s)


def _kept(why: str, feed: FeedState, held_s: float, now_mono_s: float) -> SourceFigures:
    left_s = None if feed.retry_mono_s is None else feed.retry_mono_s - now_mono_s
    return SourceFigures(
        source=Source.STALE_CACHE,
        held_s=held_s,
        reason=why.rstrip(". "),
        retry_in_s=left_s if left_s is not None and left_s > 0.0 else None,
    )


def source_of_quote(quote: QuoteState | None, now_mono_s: float) -> SourceFigures | None:
    """Where the displayed price came from; ``None`` before the first."""
    return None if quote is None else source_of(quote.stamp, quote.feed, now_mono_s)


def source_of_origin(origin: Origin | None, now_mono_s: float) -> SourceFigures | None:
    """Where the value of a reply and a feed came from; ``None`` without one."""
    return None if origin is None else source_of(origin.stamp, origin.feed, now_mono_s)


def source_text(figures: SourceFigures | None) -> str:
    """The source in words; a dash while nothing has come."""
    return "–" if figures is None else figures.text
