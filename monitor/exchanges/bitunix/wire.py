"""The shapes of Bitunix's market replies, as far as they are read; unknown keys are ignored.

Numbers come as text or as JSON numbers. A field without a default must be there; ``None`` stands for null and absent.
"""

import msgspec

from monitor.exchanges.decoding import Number


class TickerRow(msgspec.Struct, rename="camel", gc=False):
    """24 h ticker. ``last`` on the wire lags behind ``lastPrice`` and is not read."""

    symbol: str
    last_price: Number
    mark_price: Number | None = None
    open: Number | None = None
    base_vol: Number | None = None
    quote_vol: Number | None = None


class BookSides(msgspec.Struct):
    """``[price, quantity]`` levels."""

    asks: list[list[Number]]
    bids: list[list[Number]]


class KlineRow(msgspec.Struct, rename="camel", gc=False):
    """One candle; the two volume names are swapped on the wire (see ``parse``)."""

    open: Number
    high: Number
    low: Number
    close: Number
    time: Number
    quote_vol: Number | None = None
    base_vol: Number | None = None


class PairRow(msgspec.Struct, rename="camel", gc=False):
    """One contract of the catalog. PREVIEW contracts lack most fields."""

    symbol: str
    base_precision: Number
    quote_precision: Number
    symbol_status: str
    base: str | None = None
    quote: str | None = None
    max_leverage: Number | None = None


class FundingRow(msgspec.Struct, rename="camel", gc=False):
    """Current funding; the rate is in percent."""

    symbol: str
    funding_rate: Number
    index_price: Number | None = None
    funding_interval: Number | None = None
    next_funding_time: Number | None = None


class FundingHistoryRow(msgspec.Struct, rename="camel", gc=False):
    """One settlement; the rate is a fraction."""

    funding_rate: Number
    funding_time: Number
    mark_price: Number | None = None


class Verdict(msgspec.Struct):
    """The envelope without its data: whether the call succeeded. Some replies say ``message`` for ``msg``."""

    code: int | str
    msg: str | None = None
    message: str | None = None


class TickersReply(msgspec.Struct):
    """``data``: every contract."""

    code: int | str
    data: list[TickerRow] | msgspec.UnsetType | None = msgspec.UNSET


class DepthReply(msgspec.Struct):
    """``data``: both sides."""

    code: int | str
    data: BookSides | msgspec.UnsetType | None = msgspec.UNSET


class KlineReply(msgspec.Struct):
    """``data``: candles, newest first."""

    code: int | str
    data: list[KlineRow] | msgspec.UnsetType | None = msgspec.UNSET


class PairsReply(msgspec.Struct):
    """``data``: the catalog."""

    code: int | str
    data: list[PairRow] | msgspec.UnsetType | None = msgspec.UNSET


class FundingReply(msgspec.Struct):
    """``data``: a list of all contracts, or for one contract an object (live) or a list of one (documented)."""

    code: int | str
    data: FundingRow | list[FundingRow] | msgspec.UnsetType | None = msgspec.UNSET


class FundingHistoryReply(msgspec.Struct):
    """``data``: settlements, newest first."""

    code: int | str
    data: list[FundingHistoryRow] | msgspec.UnsetType | None = msgspec.UNSET
