"""Bitunix's typed replies to domain values. Pure."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

from monitor.domain.errors import PayloadError
from monitor.domain.intervals import INTERVALS_S
from monitor.domain.market import (
    BookLevel,
    Candle,
    FundingPayment,
    Instrument,
    InstrumentCatalog,
    InstrumentKind,
    InstrumentStatus,
    OrderBook,
    Quote,
    QuoteBatch,
)
from monitor.exchanges.bitunix.names import STATUSES, split_symbol
from monitor.exchanges.bitunix.wire import (
    BookSides,
    FundingHistoryRow,
    FundingRow,
    KlineRow,
    PairRow,
    TickerRow,
)
from monitor.exchanges.candles import is_closed
from monitor.exchanges.decoding import FieldReader, Number, clean_text

VENUE = "bitunix"

TICKER_FIELDS = frozenset({"last", "mark", "open_24h", "volume_24h_base", "volume_24h_quote"})
FUNDING_FIELDS = frozenset({"index", "funding_rate", "funding_interval_h", "next_funding_time"})

_PERCENT = Decimal("0.01")
_SWAP_FACTOR = 2.0


def parse_tickers(rows: Sequence[TickerRow], endpoint: str) -> QuoteBatch:
    """Last price, mark and 24 h figures of every contract, also of those that are not in the catalog.

    Raises:
        PayloadError: no rows at all, or a field that is no number.
    """
    if not rows:
        raise PayloadError(endpoint=endpoint, path="data", expected="a list with rows")
    read = FieldReader(endpoint, "data[{}].{}")
    price, price_or_none = read.price, read.price_or_none
    return QuoteBatch(
        venue=VENUE,
        fields=TICKER_FIELDS,
        quotes=tuple(
            [
                Quote(
                    venue_symbol=row.symbol,
                    last=price(row.last_price, number, "lastPrice"),
                    mark=price_or_none(row.mark_price, number, "markPrice"),
                    open_24h=price_or_none(row.open, number, "open"),
                    volume_24h_base=price_or_none(row.base_vol, number, "baseVol"),
                    volume_24h_quote=price_or_none(row.quote_vol, number, "quoteVol"),
                )
                for number, row in enumerate(rows)
            ]
        ),
        is_complete=True,
    )


def parse_funding(rows: Sequence[FundingRow], endpoint: str, *, is_complete: bool) -> QuoteBatch:
    """Index price and current funding. The venue's rate is in percent; ours is the fraction per interval."""
    read = FieldReader(endpoint, "data[{}].{}")
    quotes = []
    for number, row in enumerate(rows):
        interval_h = read.whole_or_none(row.funding_interval, number, "fundingInterval", low=0, high=24 * 31)
        quotes.append(
            Quote(
                venue_symbol=row.symbol,
                index=read.price_or_none(row.index_price, number, "indexPrice"),
                funding_rate=read.number(row.funding_rate, number, "fundingRate") * _PERCENT,
                funding_interval_h=interval_h or None,
                next_funding_time=read.time_ms_or_none(row.next_funding_time, number, "nextFundingTime"),
            )
        )
    return QuoteBatch(venue=VENUE, fields=FUNDING_FIELDS, quotes=tuple(quotes), is_complete=is_complete)


def parse_funding_history(
    rows: Sequence[FundingHistoryRow], endpoint: str, venue_symbol: str
) -> tuple[FundingPayment, ...]:
    """Settlements, oldest first. Here the venue's rate is already a fraction."""
    read = FieldReader(endpoint, "data[{}].{}")
    payments = {}
    for number, row in enumerate(rows):
        time = read.time_ms(row.funding_time, number, "fundingTime")
        payments[time] = FundingPayment(
            venue_symbol=venue_symbol,
            time=time,
            rate=read.number(row.funding_rate, number, "fundingRate"),
            mark=read.price_or_none(row.mark_price, number, "markPrice"),
        )
    return tuple(payments[time] for time in sorted(payments))


def parse_depth(sides: BookSides, endpoint: str, venue_symbol: str, depth: int) -> OrderBook:
    """The best ``depth`` levels a side. Both lists are empty for a contract that does not trade yet."""
    return OrderBook(
        venue=VENUE,
        venue_symbol=venue_symbol,
        bids=_levels(sides.bids, endpoint, "bids", depth, is_descending=True),
        asks=_levels(sides.asks, endpoint, "asks", depth, is_descending=False),
    )


def _levels(
    rows: Sequence[Sequence[Number]], endpoint: str, side: str, depth: int, *, is_descending: bool
) -> tuple[BookLevel, ...]:
    read = FieldReader(endpoint, f"data.{side}[{{}}][{{}}]")
    levels = []
    for number, row in enumerate(rows):
        if len(row) < 2:
            raise PayloadError(endpoint=endpoint, path=f"data.{side}[{number}]", expected="a price and a quantity")
        level = BookLevel(price=read.price(row[0], number, 0), size=read.price(row[1], number, 1))
        if level.size:
            levels.append(level)
    # Sorted as documented, so this finds nothing to do; a book out of order would show a wrong spread.
    if any(one.price < other.price if is_descending else one.price > other.price for one, other in pairwise(levels)):
        levels.sort(key=lambda level: level.price, reverse=is_descending)
    return tuple(levels[:depth])


def parse_klines(rows: Sequence[KlineRow], endpoint: str, interval: str, venue_time: datetime) -> tuple[Candle, ...]:
    """Candles, oldest first, whatever order the page had; ``venue_time`` tells the forming one from the closed ones."""
    read = FieldReader(endpoint, "data[{}].{}")
    is_swapped = not _volumes_named_right(rows, read)
    open_times = [read.time_ms(row.time, number, "time") for number, row in enumerate(rows)]
    newest = max(open_times, default=venue_time)
    candles: dict[datetime, Candle] = {}
    for number, (open_time, row) in enumerate(zip(open_times, rows, strict=True)):
        quote_named = read.price_or_none(row.quote_vol, number, "quoteVol")
        base_named = read.price_or_none(row.base_vol, number, "baseVol")
        candles[open_time] = Candle(
            open_time=open_time,
            open=read.price(row.open, number, "open"),
            high=read.price(row.high, number, "high"),
            low=read.price(row.low, number, "low"),
            close=read.price(row.close, number, "close"),
            volume_base=quote_named if is_swapped else base_named,
            volume_quote=base_named if is_swapped else quote_named,
            is_closed=is_closed(open_time, interval, newest=newest, venue_time=venue_time),
        )
    return tuple(candles[open_time] for open_time in sorted(candles))


def _volumes_named_right(rows: Sequence[KlineRow], read: FieldReader) -> bool:
    """Whether the venue has mended its swapped volume names: then ``quoteVol / baseVol`` is near the price.

    Decided for the whole page, by the closer of both readings in each row; rows that fit neither do not vote.
    """
    votes = 0
    for number, row in enumerate(rows):
        quote_named = float(read.price_or_none(row.quote_vol, number, "quoteVol") or 0)
        base_named = float(read.price_or_none(row.base_vol, number, "baseVol") or 0)
        close = float(read.price(row.close, number, "close"))
        if not (quote_named and base_named and close):
            continue
        swapped_off = _off_by(base_named / quote_named, close)
        right_off = _off_by(quote_named / base_named, close)
        if min(swapped_off, right_off) <= _SWAP_FACTOR:
            votes += 1 if right_off < swapped_off else -1
    return votes > 0


def _off_by(ratio: float, price: float) -> float:
    """How many times too large or too small ``ratio`` is, 1 or more."""
    return max(ratio / price, price / ratio)


def parse_pairs(rows: Sequence[PairRow], endpoint: str) -> InstrumentCatalog:
    """Every contract, of all three families (USDT, USDC, coin-margined USD); there is no tick size but decimals."""
    if not rows:
        raise PayloadError(endpoint=endpoint, path="data", expected="a list with rows")
    read = FieldReader(endpoint, "data[{}].{}")
    instruments: dict[str, Instrument] = {}
    for number, row in enumerate(rows):
        symbol = read.symbol(row.symbol, number, "symbol")
        head, base, quote, multiplier = split_symbol(
            symbol, _coin(row.base, read, number, "base"), _coin(row.quote, read, number, "quote")
        )
        instruments[symbol] = Instrument(
            venue=VENUE,
            venue_symbol=symbol,
            name=f"{head}-{quote}-PERP" if quote else f"{head}-PERP",
            kind=InstrumentKind.PERPETUAL,
            base=base,
            quote=quote,
            multiplier=multiplier,
            price_decimals=read.whole(row.quote_precision, number, "quotePrecision", low=0, high=30),
            size_decimals=read.whole(row.base_precision, number, "basePrecision", low=0, high=30),
            max_leverage=read.whole_or_none(row.max_leverage, number, "maxLeverage", low=0, high=10_000),
            status=STATUSES.get(row.symbol_status, InstrumentStatus.OTHER),
            status_text=clean_text(row.symbol_status, 40),
        )
    return InstrumentCatalog(venue=VENUE, instruments=tuple(instruments.values()))


def _coin(value: str | None, read: FieldReader, row: int, field: str) -> str | None:
    return read.symbol(value, row, field) if value else None


def venue_intervals() -> tuple[str, ...]:
    """The documented intervals. 3m is offered by one client and denied by two others; it is left out."""
    return tuple(interval for interval in INTERVALS_S if interval != "3m")
