"""Market values: instruments, quotes, books, candles, funding.

Prices, sizes and rates are ``Decimal`` as the venue sent them; rates and changes are fractions (0.01 is 1 %).
``None`` means "not known", never zero. Stamps are timezone-aware UTC.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec


class InstrumentKind(StrEnum):
    """What kind of contract an instrument is."""

    PERPETUAL = "perp"
    SPOT = "spot"


class InstrumentStatus(StrEnum):
    """Whether an instrument trades. An unknown word maps to OTHER and is kept in ``status_text``."""

    OPEN = "open"
    CANCEL_ONLY = "cancel_only"
    STOPPED = "stopped"
    PREVIEW = "preview"
    DELISTED = "delisted"
    OTHER = "other"


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that trades on one venue.

    ``name`` is ours and unique within a venue: ``BTC-USDT-PERP``, ``1000PEPE-USDT-PERP``, ``HYPE-USDC``,
    ``xyz:TSLA-USDC-PERP``. ``multiplier`` is how many coins of ``base`` one priced unit holds (1000 for ``kPEPE`` and
    ``1000PEPEUSDT``); divide a price by it before comparing venues. ``price_decimals``: of the finest price; where
    ``price_digits`` is told, a price has no more significant digits than that either.
    """

    venue: str
    venue_symbol: str
    name: str
    kind: InstrumentKind
    base: str
    quote: str
    multiplier: Decimal = Decimal(1)
    price_decimals: int | None = None
    price_digits: int | None = None
    size_decimals: int | None = None
    max_leverage: int | None = None
    status: InstrumentStatus = InstrumentStatus.OPEN
    status_text: str = ""
    dex: str = ""
    """Hyperliquid's builder dex, empty for the first one and on every other venue."""

    def decimals_at(self, price: Decimal | None) -> int | None:
        """Decimals that prices around ``price`` are shown with; ``None``: not known.

        A venue that limits digits lists the middle of bid and ask, which may lie between two of its prices: one more.
        """
        if self.price_decimals is None or self.price_digits is None or not price or not price.is_finite():
            return self.price_decimals
        return 1 + min(self.price_decimals, max(0, self.price_digits - 1 - price.adjusted()))

    @property
    def market(self) -> tuple[str, str]:
        """Key of the same market on any venue: kind and base asset, whatever the quote, dex or multiplier."""
        return (self.kind.value, self.base)


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What one reply said of one instrument; a field the reply does not carry is ``None``.

    Which fields a reply speaks of is told by :attr:`QuoteBatch.fields`, so that "null in this reply" and "not in this
    reply" stay apart. ``funding_rate`` is the fraction per ``funding_interval_h`` hours.
    """

    venue_symbol: str
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


class QuoteBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Quotes of one reply.

    ``fields`` names the :class:`Quote` fields this reply speaks of: those overwrite what was known, ``None`` included.
    ``is_complete`` says that an instrument of the same venue and dex that is missing here is gone from the venue.
    """

    venue: str
    dex: str = ""
    fields: frozenset[str]
    quotes: tuple[Quote, ...]
    is_complete: bool


class InstrumentCatalog(msgspec.Struct, frozen=True, kw_only=True):
    """Every instrument of a venue, delisted ones included, in the venue's order."""

    venue: str
    instruments: tuple[Instrument, ...]


class BookLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One price level; ``size`` in units of the instrument, ``orders`` is ``None`` where the venue does not count."""

    price: Decimal
    size: Decimal
    orders: int | None = None


class OrderBook(msgspec.Struct, frozen=True, kw_only=True):
    """Bids descending, asks ascending; either side may be empty. ``venue_time``: ``None`` where none is sent."""

    venue: str
    venue_symbol: str
    bids: tuple[BookLevel, ...]
    asks: tuple[BookLevel, ...]
    venue_time: datetime | None = None


class Candle(msgspec.Struct, frozen=True, kw_only=True):
    """One candle. ``open_time`` is inclusive; ``is_closed`` is False while it is still forming.

    ``volume_base`` in coins or contracts as the venue counts, ``volume_quote`` the turnover (``None`` where unknown).
    """

    open_time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume_base: Decimal | None
    volume_quote: Decimal | None
    is_closed: bool
    trades: int | None = None


class CandleBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Candles of one instrument and interval, oldest first, no two with the same open time."""

    venue: str
    venue_symbol: str
    interval: str
    candles: tuple[Candle, ...]


class Trade(msgspec.Struct, frozen=True, kw_only=True):
    """One public trade; ``side`` is the aggressor's, ``buy`` or ``sell``."""

    venue_symbol: str
    price: Decimal
    size: Decimal
    side: str
    time: datetime
    trade_id: str


class FundingPayment(msgspec.Struct, frozen=True, kw_only=True):
    """One settled funding rate: the fraction charged at ``time``; ``premium`` and ``mark`` where the venue tells."""

    venue_symbol: str
    time: datetime
    rate: Decimal
    premium: Decimal | None = None
    mark: Decimal | None = None


class PredictedFunding(msgspec.Struct, frozen=True, kw_only=True):
    """A funding rate another venue is expected to charge next, as Hyperliquid relays it under the name ``source``."""

    base: str
    source: str
    rate: Decimal
    interval_h: int | None
    next_funding_time: datetime | None


class VenueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What the venue says of itself: its clock, and a special status text (``None`` when all is normal)."""

    venue: str
    venue_time: datetime | None
    special_status: str | None
