"""Hyperliquid's typed replies to domain values. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.domain.errors import PayloadError
from monitor.domain.market import (
    BookLevel,
    Candle,
    FundingPayment,
    OrderBook,
    PredictedFunding,
    Quote,
    QuoteBatch,
    Trade,
    VenueStatus,
)
from monitor.exchanges.candles import is_closed
from monitor.exchanges.decoding import FieldReader, clean_text, is_symbol
from monitor.exchanges.hyperliquid import wire
from monitor.exchanges.hyperliquid.catalog import VENUE

MIDS_FIELDS = frozenset({"mid"})
CONTEXT_FIELDS = frozenset(
    {
        "mark",
        "index",
        "open_24h",
        "volume_24h_base",
        "volume_24h_quote",
        "open_interest_base",
        "funding_rate",
        "funding_interval_h",
        "next_funding_time",
    }
)
SPOT_CONTEXT_FIELDS = frozenset({"mark", "open_24h", "volume_24h_base", "volume_24h_quote"})

_SIDES = {"B": "buy", "A": "sell"}
_OWN_PREDICTION = "HlPerp"


def parse_all_mids(mids: wire.AllMids, endpoint: str, dex: str) -> QuoteBatch:
    """Mid prices of a dex; the first one's reply has every spot pair too, and pairs that left the universe.

    With an empty book the venue sends the last trade's price instead of a mid.

    Raises:
        PayloadError: nothing at all for the first dex, or a value that is no price.
    """
    if not mids and not dex:
        raise PayloadError(endpoint=endpoint, path="$", expected="an object with prices")
    read = FieldReader(endpoint, "{}{}")
    price_or_none = read.price_or_none
    quotes = []
    for coin, value in mids.items():
        if not is_symbol(coin):
            raise PayloadError(endpoint=endpoint, path="$", expected="an object with the names of instruments")
        quotes.append(Quote(venue_symbol=coin, mid=price_or_none(value, coin, "")))
    return QuoteBatch(venue=VENUE, dex=dex, fields=MIDS_FIELDS, quotes=tuple(quotes), is_complete=True)


def parse_contexts(reply: wire.MetaAndContexts, endpoint: str, dex: str, venue_time: datetime) -> QuoteBatch:
    """Mark, oracle price, funding and 24 h figures of a dex's perpetuals, delisted ones included.

    The rate is the running estimate for the hour that ends at the next whole UTC hour, a fraction per hour. The
    impact prices are not bid and ask and are not read.

    Raises:
        PayloadError: as many contexts as assets are needed, because only the position joins them.
    """
    meta, contexts = reply
    if len(meta.universe) != len(contexts):
        raise PayloadError(endpoint=endpoint, path="[1]", expected=f"as long as the universe ({len(meta.universe)})")
    read = FieldReader(endpoint, "[1][{}].{}")
    next_hour = venue_time.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    quotes = []
    for number, (asset, context) in enumerate(zip(meta.universe, contexts, strict=True)):
        rate = read.number_or_none(context.funding, number, "funding")
        quotes.append(
            Quote(
                venue_symbol=asset.name,
                mark=read.price_or_none(context.mark_px, number, "markPx"),
                index=read.price_or_none(context.oracle_px, number, "oraclePx"),
                open_24h=read.price_or_none(context.prev_day_px, number, "prevDayPx"),
                volume_24h_base=read.price_or_none(context.day_base_vlm, number, "dayBaseVlm"),
                volume_24h_quote=read.price_or_none(context.day_ntl_vlm, number, "dayNtlVlm"),
                open_interest_base=read.price_or_none(context.open_interest, number, "openInterest"),
                funding_rate=rate,
                funding_interval_h=None if rate is None else 1,
                next_funding_time=None if rate is None or asset.is_delisted else next_hour,
            )
        )
    # Spot pairs share the first dex, so what is missing here is not gone from the venue.
    return QuoteBatch(venue=VENUE, dex=dex, fields=CONTEXT_FIELDS, quotes=tuple(quotes), is_complete=False)


def parse_spot_contexts(reply: wire.SpotMetaAndContexts, endpoint: str) -> QuoteBatch:
    """Mark and 24 h figures of spot pairs, joined by ``coin``, else by the pair's own index, never by position."""
    meta, contexts = reply
    name_by_index = {pair.index: pair.name for pair in meta.universe}
    read = FieldReader(endpoint, "[1][{}].{}")
    quotes = []
    for number, context in enumerate(contexts):
        symbol = context.coin or name_by_index.get(number)
        if symbol is None:
            continue  # a removed pair's context, and nobody says which pair it was
        quotes.append(
            Quote(
                venue_symbol=symbol,
                mark=read.price_or_none(context.mark_px, number, "markPx"),
                open_24h=read.price_or_none(context.prev_day_px, number, "prevDayPx"),
                volume_24h_base=read.price_or_none(context.day_base_vlm, number, "dayBaseVlm"),
                volume_24h_quote=read.price_or_none(context.day_ntl_vlm, number, "dayNtlVlm"),
            )
        )
    return QuoteBatch(venue=VENUE, fields=SPOT_CONTEXT_FIELDS, quotes=tuple(quotes), is_complete=False)


def parse_dexes(rows: Sequence[wire.PerpDex | None], endpoint: str) -> tuple[str, ...]:
    """Names of the dexes in the venue's order; the first dex, null in the reply, is the empty text."""
    read = FieldReader(endpoint, "[{}].{}")
    return tuple("" if row is None else read.symbol(row.name, number, "name") for number, row in enumerate(rows))


def parse_book(book: wire.L2Book, endpoint: str, coin: str, depth: int) -> OrderBook:
    """The best ``depth`` levels a side, at most 20; either side may be empty."""
    if book.coin != coin:
        raise PayloadError(endpoint=endpoint, path="coin", expected="the instrument that was asked for")
    return OrderBook(
        venue=VENUE,
        venue_symbol=coin,
        bids=_levels(book.levels[0], endpoint, 0, depth),
        asks=_levels(book.levels[1], endpoint, 1, depth),
        venue_time=FieldReader(endpoint, "{}{}").time_ms_or_none(book.time, "time", ""),
    )


def _levels(rows: Sequence[wire.BookLevelRow], endpoint: str, side: int, depth: int) -> tuple[BookLevel, ...]:
    read = FieldReader(endpoint, f"levels[{side}][{{}}].{{}}")
    levels = [
        BookLevel(
            price=read.price(row.px, number, "px"),
            size=read.price(row.sz, number, "sz"),
            orders=read.whole_or_none(row.n, number, "n", low=0, high=10**9),
        )
        for number, row in enumerate(rows)
    ]
    is_bid = side == 0
    # Sorted as documented, so this finds nothing to do; a book out of order would show a wrong spread.
    if any(one.price < other.price if is_bid else one.price > other.price for one, other in pairwise(levels)):
        levels.sort(key=lambda level: level.price, reverse=is_bid)
    return tuple([level for level in levels if level.size][:depth])


def parse_candles(
    rows: Sequence[wire.CandleRow], endpoint: str, interval: str, venue_time: datetime
) -> tuple[Candle, ...]:
    """Candles, oldest first; the turnover is not sent. ``venue_time`` tells the forming one from the closed ones."""
    read = FieldReader(endpoint, "[{}].{}")
    open_times = [read.time_ms(row.open_ms, number, "t") for number, row in enumerate(rows)]
    newest = max(open_times, default=venue_time)
    candles = {
        open_time: Candle(
            open_time=open_time,
            open=read.price(row.open, number, "o"),
            high=read.price(row.high, number, "h"),
            low=read.price(row.low, number, "l"),
            close=read.price(row.close, number, "c"),
            volume_base=read.price_or_none(row.volume, number, "v"),
            volume_quote=None,
            is_closed=is_closed(open_time, interval, newest=newest, venue_time=venue_time),
            trades=read.whole_or_none(row.trades, number, "n", low=0, high=10**12),
        )
        for number, (open_time, row) in enumerate(zip(open_times, rows, strict=True))
    }
    return tuple(candles[open_time] for open_time in sorted(candles))


def parse_trades(rows: Sequence[wire.TradeRow], endpoint: str, coin: str) -> tuple[Trade, ...]:
    """Public trades, oldest first (the venue sends the newest first)."""
    read = FieldReader(endpoint, "[{}].{}")
    trades = []
    for number, row in enumerate(rows):
        side = _SIDES.get(row.side)
        if side is None:
            read.fail(number, "side", "A or B")
        trades.append(
            Trade(
                venue_symbol=coin,
                price=read.price(row.px, number, "px"),
                size=read.price(row.sz, number, "sz"),
                side=side,
                time=read.time_ms(row.time, number, "time"),
                trade_id=str(read.whole(row.tid, number, "tid", low=0, high=10**30)),
            )
        )
    trades.reverse()
    return tuple(trades)


def parse_funding_history(
    rows: Sequence[wire.FundingHistoryRow], endpoint: str, coin: str
) -> tuple[FundingPayment, ...]:
    """Settled rates, oldest first; each is the fraction charged for the time since the one before."""
    read = FieldReader(endpoint, "[{}].{}")
    payments = {}
    for number, row in enumerate(rows):
        time = read.time_ms(row.time, number, "time")
        payments[time] = FundingPayment(
            venue_symbol=coin,
            time=time,
            rate=read.number(row.funding_rate, number, "fundingRate"),
            premium=read.number_or_none(row.premium, number, "premium"),
        )
    return tuple(payments[time] for time in sorted(payments))


def parse_predicted(rows: wire.PredictedFundings, endpoint: str) -> tuple[PredictedFunding, ...]:
    """Rates that this and other venues are expected to charge next, per the source's own interval.

    The venue's own ``nextFundingTime`` names the hour already settled and is left out.
    """
    found = []
    for number, (coin, sources) in enumerate(rows):
        read = FieldReader(endpoint, f"[{number}][1][{{}}][1].{{}}")
        for place, (source, row) in enumerate(sources):
            if row is None or row.funding_rate is None:
                continue
            next_time = read.time_ms_or_none(row.next_funding_time, place, "nextFundingTime")
            interval_h = read.whole_or_none(row.funding_interval_hours, place, "fundingIntervalHours", low=0, high=744)
            found.append(
                PredictedFunding(
                    base=clean_text(coin, 40),
                    source=clean_text(source, 40),
                    rate=read.number(row.funding_rate, place, "fundingRate"),
                    interval_h=interval_h or None,
                    next_funding_time=None if source == _OWN_PREDICTION else next_time,
                )
            )
    return tuple(found)


def parse_status(status: wire.ExchangeStatus, endpoint: str) -> VenueStatus:
    """The venue's clock, which trails the wall clock by 0.1 to 0.3 s, and what is special."""
    return VenueStatus(
        venue=VENUE,
        venue_time=FieldReader(endpoint, "{}{}").time_ms(status.time, "time", ""),
        special_status=_special_text(bytes(status.special_statuses)),
    )


def _special_text(special: bytes) -> str | None:
    # Null or a text is what is known; anything else is shown as it came.
    text = clean_text(special[:400].decode("utf-8", "replace"))
    return None if text in {"null", '""', "[]", "{}"} else text.strip('"')
