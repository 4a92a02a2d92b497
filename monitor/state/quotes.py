"""The newest quote of one instrument: merged from several feeds, with the clocks that say how old each part is."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from monitor.exchanges.base import Source
from monitor.state.feeds import FeedState
from monitor.state.verdict import Verdict, late_after_s, quote_verdict

if TYPE_CHECKING:
    from monitor.state.candles import CandleSeries
    from monitor.state.series import TimeSeries


class AgeInterval(NamedTuple):
    """How old a value is, in seconds: at least ``low_s`` (since its reply) and at most ``high_s`` (since we asked)."""

    low_s: float
    high_s: float


class Stamp(msgspec.Struct, kw_only=True, eq=False):
    """The clocks of one reply, shared by every value it brought.

    ``handed_out_mono_s`` is when a cache gave the reply to us; ``None``: at once, when it was received.
    ``unseen_s`` is time that passed while the machine slept and the monotonic clock may have stood still;
    ``is_marked_stale`` says that a sleep or a network change came after the reply.
    """

    requested_mono_s: float
    received_mono_s: float
    received_at: datetime
    cache_age_s: float = 0.0
    source: Source = Source.NETWORK
    handed_out_mono_s: float | None = None
    unseen_s: float = 0.0
    is_marked_stale: bool = False

    def age(self, now_mono_s: float) -> AgeInterval:
        """[now - received, now - requested + cache age], never negative; a time in our own cache counts once."""
        high_s = max(0.0, now_mono_s - self.requested_mono_s + self.uncounted_s + self.unseen_s)
        return AgeInterval(min(high_s, max(0.0, now_mono_s - self.received_mono_s + self.unseen_s)), high_s)

    @property
    def uncounted_s(self) -> float:
        """The part of ``cache_age_s`` that did not pass between ``received_mono_s`` and the handing out, in seconds."""
        handed_out_s = self.received_mono_s if self.handed_out_mono_s is None else self.handed_out_mono_s
        return max(0.0, self.cache_age_s - max(0.0, handed_out_s - self.received_mono_s))

    def held_s(self, now_mono_s: float) -> float:
        """How long the value has been in our hands, in seconds: its time in a cache and since."""
        return max(0.0, self.cache_age_s, now_mono_s - self.received_mono_s + self.uncounted_s + self.unseen_s)


class Origin(NamedTuple):
    """Which reply and which feed a value came from."""

    stamp: Stamp
    feed: FeedState


class QuoteState(msgspec.Struct, kw_only=True, eq=False):
    """What is known of one instrument's market, ``None`` where unknown. Written by ``state`` only; widgets read.

    The first block has the names and meanings of :class:`monitor.domain.market.Quote`. ``price`` is the displayed one:
    the kind the venue's fastest feed brings (``last``, else ``mid``), or the next best one known; ``price_kind`` says
    which. The clocks below it belong to ``price``; other fields have their own, see :meth:`field_origin`. ``bid`` and
    ``ask`` come from the book of the focused instrument where the quotes carry none, and stay with their age when the
    focus moves on: ask :meth:`is_current` before showing them plain.
    """

    venue: str
    venue_symbol: str
    dex: str = ""
    last: Decimal | None = None
    mark: Decimal | None = None
    index: Decimal | None = None
    mid: Decimal | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    open_24h: Decimal | None = None
    volume_24h_base: Decimal | None = None
    volume_24h_quote: Decimal | None = None
    open_interest_base: Decimal | None = None
    funding_rate: Decimal | None = None
    funding_interval_h: int | None = None
    next_funding_time: datetime | None = None
    venue_time: datetime | None = None

    price: Decimal | None = None
    price_kind: str | None = None
    """``last``, ``mid`` or ``mark``; ``None`` before the first price."""
    stamp: Stamp | None = None
    """Clocks of ``price``; ``None`` before the first one."""
    feed: FeedState | None = None
    """The feed that brought ``price``."""
    changed_mono_s: float | None = None
    """When the displayed price last changed (as received), ``None`` before the first one."""
    missing_from: frozenset[str] = frozenset()
    """Keys of complete feeds, or ``catalog``, that listed this instrument once and no longer do."""

    series: "TimeSeries | None" = None
    candles: "tuple[CandleSeries, ...]" = ()
    find_origin: Callable[[str, str], Origin | None] = lambda _symbol, _name: None

    @property
    def key(self) -> tuple[str, str]:
        """(venue, venue symbol)."""
        return (self.venue, self.venue_symbol)

    @property
    def is_vanished(self) -> bool:
        """True while a reply that used to list this instrument does not."""
        return bool(self.missing_from)

    @property
    def requested_mono_s(self) -> float | None:
        """When the request that brought ``price`` was sent."""
        return None if self.stamp is None else self.stamp.requested_mono_s

    @property
    def received_mono_s(self) -> float | None:
        """When the reply that brought ``price`` was whole."""
        return None if self.stamp is None else self.stamp.received_mono_s

    @property
    def received_at(self) -> datetime | None:
        """The same as a UTC stamp of our own clock; for display, never for an age."""
        return None if self.stamp is None else self.stamp.received_at

    @property
    def cache_age_s(self) -> float | None:
        """How long ``price`` had been held in a cache when it was handed out; 0 from the network."""
        return None if self.stamp is None else self.stamp.cache_age_s

    @property
    def change_24h(self) -> Decimal | None:
        """Change of the displayed price over 24 h as a fraction; ``None`` where the venue tells no open."""
        if self.price is None or self.open_24h is None or self.open_24h <= 0:
            return None
        return self.price / self.open_24h - 1

    @property
    def spread(self) -> Decimal | None:
        """Ask - bid in quote units; negative for a crossed book."""
        if self.bid is None or self.ask is None:
            return None
        return self.ask - self.bid

    @property
    def spread_fraction(self) -> Decimal | None:
        """Spread / middle of bid and ask."""
        if self.bid is None or self.ask is None or self.bid + self.ask <= 0:
            return None
        return (self.ask - self.bid) * 2 / (self.bid + self.ask)

    @property
    def funding_rate_hourly(self) -> Decimal | None:
        """Funding as a fraction per hour; ``None`` where the interval is not known."""
        if self.funding_rate is None or self.funding_interval_h is None or self.funding_interval_h <= 0:
            return None
        return self.funding_rate / self.funding_interval_h

    @property
    def funding_rate_annual(self) -> Decimal | None:
        """Funding as a plain (not compounded) fraction per 365 days."""
        hourly = self.funding_rate_hourly
        return None if hourly is None else hourly * (24 * 365)

    def age(self, now_mono_s: float) -> AgeInterval | None:
        """Age of the displayed price; ``None`` before the first one."""
        return None if self.stamp is None else self.stamp.age(now_mono_s)

    def verdict(self, now_mono_s: float) -> Verdict:
        """What to think of the displayed price at ``now_mono_s``; see :mod:`monitor.state.verdict`."""
        stamp, feed = self.stamp, self.feed
        if stamp is None or feed is None or self.price is None:
            return Verdict.UNKNOWN
        return quote_verdict(
            now_mono_s=now_mono_s,
            received_mono_s=stamp.received_mono_s,
            changed_mono_s=self.changed_mono_s,
            cadence_s=feed.cadence_s,
            of_feed=feed.verdict(now_mono_s),
            is_vanished=self.is_vanished,
            is_marked_stale=stamp.is_marked_stale,
        )

    def field_origin(self, name: str) -> Origin | None:
        """Reply and feed that last spoke of field ``name`` (``mark``, ``bid``, ...); ``None`` if none did."""
        return self.find_origin(self.venue_symbol, name)

    def field_age(self, name: str, now_mono_s: float) -> AgeInterval | None:
        """Age of one field, ``None`` where it was never told."""
        origin = self.field_origin(name)
        return None if origin is None else origin.stamp.age(now_mono_s)

    def is_current(self, name: str, now_mono_s: float) -> bool:
        """Whether field ``name`` was received within its feed's late threshold, and since the machine last slept."""
        origin = self.field_origin(name)
        if origin is None or origin.stamp.is_marked_stale or self.is_vanished:
            return False
        return now_mono_s - origin.stamp.received_mono_s <= late_after_s(origin.feed.cadence_s)
