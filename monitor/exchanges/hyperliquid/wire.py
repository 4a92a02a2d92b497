"""The shapes of Hyperliquid's market replies, as far as they are read; unknown keys are ignored.

Prices come as text, times as whole milliseconds. A field without a default must be there; ``None`` stands for null and
absent. Where the documentation or a probe knows of ``null`` for a whole reply, the type allows it.
"""

from typing import Any

import msgspec

from monitor.exchanges.decoding import Number


class Asset(msgspec.Struct, rename="camel", gc=False):
    """One perpetual of a dex's universe; its position is its identity."""

    name: str
    sz_decimals: Number
    max_leverage: Number | None = None
    is_delisted: bool | None = None


class Meta(msgspec.Struct, rename="camel"):
    """A dex's perpetuals; ``collateral_token`` is the index of a spot token, absent in older replies (then USDC)."""

    universe: list[Asset]
    collateral_token: Number | None = None


class AssetContext(msgspec.Struct, rename="camel", gc=False):
    """The figures of one perpetual. It has no name: its position joins it to the universe."""

    mark_px: Number | None
    funding: Number | None
    oracle_px: Number | None = None
    prev_day_px: Number | None = None
    open_interest: Number | None = None
    day_ntl_vlm: Number | None = None
    day_base_vlm: Number | None = None


class SpotToken(msgspec.Struct, rename="camel", gc=False):
    """One token; found by ``index``, not by position."""

    name: str
    index: int
    sz_decimals: Number


class SpotPair(msgspec.Struct, rename="camel"):
    """One spot pair: ``tokens`` are base and quote by token index; ``index`` may jump where pairs were removed."""

    name: str
    index: int
    tokens: tuple[int, int]


class SpotMeta(msgspec.Struct):
    """Spot pairs and tokens."""

    universe: list[SpotPair]
    tokens: list[SpotToken]


class SpotContext(msgspec.Struct, rename="camel", gc=False):
    """The figures of one spot pair. Not aligned with the universe: joined by ``coin``, else by pair index."""

    mark_px: Number | None
    coin: str | None = None
    prev_day_px: Number | None = None
    day_ntl_vlm: Number | None = None
    day_base_vlm: Number | None = None


class PerpDex(msgspec.Struct):
    """A builder dex; the first dex is null in the list."""

    name: str


class BookLevelRow(msgspec.Struct, gc=False):
    """``n`` is the number of orders."""

    px: Number
    sz: Number
    n: Number | None = None


class L2Book(msgspec.Struct):
    """``levels`` are bids and asks."""

    coin: str
    levels: tuple[list[BookLevelRow], list[BookLevelRow]]
    time: Number | None = None


class CandleRow(
    msgspec.Struct,
    gc=False,
    rename={"open_ms": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v", "trades": "n"},
):
    """One candle; the volume is in coins."""

    open_ms: Number
    open: Number
    high: Number
    low: Number
    close: Number
    volume: Number | None = None
    trades: Number | None = None


class TradeRow(msgspec.Struct, gc=False):
    """One public trade; ``side`` is the aggressor's."""

    side: str
    px: Number
    sz: Number
    time: Number
    tid: Number


class FundingHistoryRow(msgspec.Struct, rename="camel", gc=False):
    """One settled hour."""

    funding_rate: Number
    time: Number
    premium: Number | None = None


class PredictedRow(msgspec.Struct, rename="camel", gc=False):
    """What one venue is expected to charge."""

    funding_rate: Number | None = None
    next_funding_time: Number | None = None
    funding_interval_hours: Number | None = None


_NULL = msgspec.Raw(b"null")


class ExchangeStatus(msgspec.Struct, rename="camel"):
    """The venue's clock, and a text when something is special."""

    time: Number
    special_statuses: msgspec.Raw = _NULL


AllMids = dict[str, Any]
MetaAndContexts = tuple[Meta, list[AssetContext]]
SpotMetaAndContexts = tuple[SpotMeta, list[SpotContext]]
# The documentation shows [meta, contexts] pairs, the wire has metas.
AllPerpMetas = list[Meta | tuple[Meta, Any]]
PredictedFundings = list[tuple[str, list[tuple[str, PredictedRow | None]]]]
