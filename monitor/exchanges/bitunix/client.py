"""Bitunix futures market reads: GET requests in, domain values out."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from monitor.domain.errors import MonitorError, PayloadError, RateLimited
from monitor.domain.market import Candle, CandleBatch, FundingPayment, InstrumentCatalog, OrderBook, QuoteBatch
from monitor.exchanges import candles as series
from monitor.exchanges.asking import Asking, VenueClock, utc_now, venue_time_at_most
from monitor.exchanges.base import ExchangeClient, Fetched, Focus, PollJob
from monitor.exchanges.bitunix import parse, wire
from monitor.exchanges.bitunix.errors import E, unwrap
from monitor.exchanges.bitunix.plan import plan_jobs
from monitor.exchanges.decoding import to_ms
from monitor.transport.interface import Endpoint, Reply, Transport

R = TypeVar("R")

_MARKET = "/api/v1/futures/market/"
TICKERS = Endpoint(name="bitunix.tickers", method="GET", path=_MARKET + "tickers")
DEPTH = Endpoint(name="bitunix.depth", method="GET", path=_MARKET + "depth")
KLINE = Endpoint(name="bitunix.kline", method="GET", path=_MARKET + "kline")
TRADING_PAIRS = Endpoint(name="bitunix.trading_pairs", method="GET", path=_MARKET + "trading_pairs")
FUNDING_RATE = Endpoint(name="bitunix.funding_rate", method="GET", path=_MARKET + "funding_rate")
FUNDING_BATCH = Endpoint(name="bitunix.funding_batch", method="GET", path=_MARKET + "funding_rate/batch")
FUNDING_HISTORY = Endpoint(name="bitunix.funding_history", method="GET", path=_MARKET + "get_funding_rate_history")

DEPTH_LIMITS = (1, 5, 15, 50)
"""The only limits the venue accepts besides ``max``, the whole book (about 475 KB)."""
PAGE_ROWS = 200
"""Most rows of a kline or funding history page."""
MAX_PAGES = 100

_tickers = msgspec.json.Decoder(wire.TickersReply)
_depth = msgspec.json.Decoder(wire.DepthReply)
_kline = msgspec.json.Decoder(wire.KlineReply)
_pairs = msgspec.json.Decoder(wire.PairsReply)
_funding = msgspec.json.Decoder(wire.FundingReply)
_funding_history = msgspec.json.Decoder(wire.FundingHistoryReply)


class BitunixClient:
    """Bitunix futures, market side; an :class:`ExchangeClient`.

    Symbols are sent in upper case. Thread: any; it keeps nothing but an estimate of the venue's clock.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        wall_clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._transport = transport
        self._clock = VenueClock(wall_clock)
        self._pause = pause

    @property
    def venue(self) -> str:
        """``bitunix``."""
        return parse.VENUE

    @property
    def intervals(self) -> tuple[str, ...]:
        """1m to 1M without 3m."""
        return parse.venue_intervals()

    def fetch_instruments(self) -> Fetched[InstrumentCatalog]:
        """Every contract, in all states."""
        with self._asking() as asking:
            rows = _listed(TRADING_PAIRS, self._ask(asking, TRADING_PAIRS, _pairs).data)
            return asking.fetched(parse.parse_pairs(rows, TRADING_PAIRS.name))

    def fetch_quotes(self, dex: str = "") -> Fetched[QuoteBatch]:
        """Last, mark and 24 h figures of every contract in one reply; more contracts than the catalog has."""
        _refuse_dex(dex)
        with self._asking() as asking:
            rows = _listed(TICKERS, self._ask(asking, TICKERS, _tickers).data)
            return asking.fetched(parse.parse_tickers(rows, TICKERS.name))

    def fetch_details(self, dex: str = "") -> Fetched[QuoteBatch]:
        """Index price and funding of every contract, dead ones included (rate 0, index unknown)."""
        _refuse_dex(dex)
        with self._asking() as asking:
            rows = _funding_rows(FUNDING_BATCH, self._ask(asking, FUNDING_BATCH, _funding).data)
            return asking.fetched(parse.parse_funding(rows, FUNDING_BATCH.name, is_complete=True))

    def fetch_funding(self, venue_symbol: str) -> Fetched[QuoteBatch]:
        """Index price and funding of one contract."""
        with self._asking() as asking:
            data = self._ask(asking, FUNDING_RATE, _funding, {"symbol": venue_symbol.upper()}).data
            rows = _funding_rows(FUNDING_RATE, data)
            if len(rows) != 1:
                raise PayloadError(endpoint=FUNDING_RATE.name, path="data", expected="one contract")
            return asking.fetched(parse.parse_funding(rows, FUNDING_RATE.name, is_complete=False))

    def fetch_order_book(self, venue_symbol: str, *, depth: int = 15) -> Fetched[OrderBook]:
        """The newest book; the venue stamps it with no time. More than 50 levels cost the whole book."""
        symbol = venue_symbol.upper()
        limit = next((str(allowed) for allowed in DEPTH_LIMITS if allowed >= depth), "max")
        with self._asking() as asking:
            sides = self._ask(asking, DEPTH, _depth, {"symbol": symbol, "limit": limit}).data
            if not isinstance(sides, wire.BookSides):
                raise PayloadError(endpoint=DEPTH.name, path="data", expected="an object")
            return asking.fetched(parse.parse_depth(sides, DEPTH.name, symbol, depth))

    def fetch_candles(
        self,
        venue_symbol: str,
        interval: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 200,
    ) -> Fetched[CandleBatch]:
        """The newest ``limit`` candles that overlap [start, end], 200 a request, paging backwards by ``endTime``."""
        if interval not in self.intervals:
            raise MonitorError(f"Bitunix has no candles of {interval}")
        symbol = venue_symbol.upper()
        pages: list[tuple[Candle, ...]] = []
        page_end = end
        with self._asking() as asking:
            for _ in range(MAX_PAGES):
                # Calls are limited, rows are not: a later page is a full one, in case it repeats some.
                rows_wanted = PAGE_ROWS if pages else max(1, min(PAGE_ROWS, limit))
                params = {"symbol": symbol, "interval": interval, "limit": str(rows_wanted)}
                if page_end is not None:
                    params["endTime"] = str(max(0, to_ms(page_end)))
                reply = asking.send(KLINE, params=params)
                rows = _listed(KLINE, self._unwrap(KLINE, _kline, reply).data)
                page = parse.parse_klines(rows, KLINE.name, interval, venue_time_at_most(reply))
                # The server may repeat candles of the page before; only older ones are news.
                page = tuple(candle for candle in page if not pages or candle.open_time < pages[-1][0].open_time)
                if not page:
                    break
                pages.append(page)
                oldest = page[0].open_time
                if sum(len(held) for held in pages) >= limit or (start is not None and oldest <= start):
                    break
                page_end = oldest - timedelta(milliseconds=1)
            found = series.clipped(series.merged(reversed(pages)), interval, start=start, end=end, limit=limit)
            return asking.fetched(CandleBatch(venue=self.venue, venue_symbol=symbol, interval=interval, candles=found))

    def fetch_funding_history(
        self,
        venue_symbol: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
    ) -> Fetched[tuple[FundingPayment, ...]]:
        """The newest ``limit`` settlements in [start, end], oldest first, 200 a request."""
        symbol = venue_symbol.upper()
        found: dict[datetime, FundingPayment] = {}
        page_end = end
        with self._asking() as asking:
            for _ in range(MAX_PAGES):
                rows_wanted = PAGE_ROWS if found else max(1, min(PAGE_ROWS, limit))
                params = {"symbol": symbol, "limit": str(rows_wanted)}
                if start is not None:
                    # The venue's own spelling, without the second t.
                    params["starTime"] = str(max(0, to_ms(start)))
                if page_end is not None:
                    params["endTime"] = str(max(0, to_ms(page_end)))
                rows = _listed(FUNDING_HISTORY, self._ask(asking, FUNDING_HISTORY, _funding_history, params).data)
                page = parse.parse_funding_history(rows, FUNDING_HISTORY.name, symbol)
                news = {payment.time: payment for payment in page if payment.time not in found}
                found.update(news)
                if not news or len(rows) < rows_wanted or len(found) >= limit:
                    break
                page_end = min(news) - timedelta(milliseconds=1)
            inside = sorted(
                (
                    payment
                    for payment in found.values()
                    if (start is None or payment.time >= start) and (end is None or payment.time <= end)
                ),
                key=lambda payment: payment.time,
            )
            return asking.fetched(tuple(inside[-limit:] if limit > 0 else ()))

    def poll_jobs(self, focus: Focus) -> tuple[PollJob, ...]:
        """The default plan, reading through this client."""
        return self.plan_jobs(self, focus)

    def plan_jobs(self, reads: ExchangeClient, focus: Focus) -> tuple[PollJob, ...]:
        """The default plan, reading through ``reads``."""
        return plan_jobs(reads, focus)

    def _asking(self) -> Asking:
        return Asking(self._transport, self._clock, pause=self._pause)

    def _ask(
        self,
        asking: Asking,
        endpoint: Endpoint,
        decoder: msgspec.json.Decoder[E],
        params: Mapping[str, str] | None = None,
    ) -> E:
        return self._unwrap(endpoint, decoder, asking.send(endpoint, params=params))

    def _unwrap(self, endpoint: Endpoint, decoder: msgspec.json.Decoder[E], reply: Reply) -> E:
        try:
            return unwrap(endpoint, decoder, reply)
        except RateLimited as error:
            # A 429 has reached the budget on its way; a refusal inside HTTP 200 has not.
            if reply.status == 200:
                self._transport.refused(endpoint, error.retry_after_s)
            raise


def _refuse_dex(dex: str) -> None:
    if dex:
        raise MonitorError(f"Bitunix has no builder dex {dex}")


def _listed(endpoint: Endpoint, data: list[R] | msgspec.UnsetType | None) -> list[R]:
    if not isinstance(data, list):
        raise PayloadError(endpoint=endpoint.name, path="data", expected="a list")
    return data


def _funding_rows(
    endpoint: Endpoint, data: wire.FundingRow | list[wire.FundingRow] | msgspec.UnsetType | None
) -> list[wire.FundingRow]:
    # One contract comes as an object, although the documentation shows a list of one.
    return [data] if isinstance(data, wire.FundingRow) else _listed(endpoint, data)
