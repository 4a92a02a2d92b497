"""Hyperliquid market reads: ``POST /info`` requests in, domain values out."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from monitor.domain.errors import BudgetExhausted, EdgeBlocked, MonitorError, PayloadError, RateLimited, VenueError
from monitor.domain.intervals import INTERVALS_S
from monitor.domain.market import (
    Candle,
    CandleBatch,
    FundingPayment,
    InstrumentCatalog,
    OrderBook,
    PredictedFunding,
    QuoteBatch,
    Trade,
    VenueStatus,
)
from monitor.exchanges import candles as series
from monitor.exchanges.asking import Asking, VenueClock, utc_now, venue_time_at_most
from monitor.exchanges.base import ExchangeClient, Fetched, Focus, PollJob
from monitor.exchanges.decoding import to_ms
from monitor.exchanges.hyperliquid import parse, wire
from monitor.exchanges.hyperliquid.catalog import VENUE, build_catalog
from monitor.exchanges.hyperliquid.endpoints import INFO
from monitor.exchanges.hyperliquid.errors import TITLE, unwrap
from monitor.exchanges.hyperliquid.plan import plan_jobs
from monitor.exchanges.hyperliquid.spot_meta import keep_spot_meta
from monitor.transport.interface import Reply, Transport

T = TypeVar("T")

BOOK_LEVELS = 20
"""Most levels a side."""
CANDLES_KEPT = 5_000
"""The venue keeps only the newest ones of each interval."""
PAGE_ROWS = 500
"""A time range answers with at most this many rows; candles with up to ``CANDLES_KEPT``."""
MAX_PAGES = 100

_CLOCK_MARGIN = timedelta(seconds=5)
"""Asked beyond now, so that a candle that has just begun is not missed by a clock that is a little slow."""

_HEADERS = {"Content-Type": "application/json"}

_mids = msgspec.json.Decoder(wire.AllMids)
_meta = msgspec.json.Decoder(wire.Meta)
_metas = msgspec.json.Decoder(wire.AllPerpMetas)
_contexts: msgspec.json.Decoder[wire.MetaAndContexts] = msgspec.json.Decoder(wire.MetaAndContexts)
_spot_meta = msgspec.json.Decoder(wire.SpotMeta)
_spot_contexts: msgspec.json.Decoder[wire.SpotMetaAndContexts] = msgspec.json.Decoder(wire.SpotMetaAndContexts)
_dexes = msgspec.json.Decoder(list[wire.PerpDex | None])
_book = msgspec.json.Decoder(wire.L2Book)
_candles = msgspec.json.Decoder(list[wire.CandleRow])
_trades = msgspec.json.Decoder(list[wire.TradeRow])
_funding = msgspec.json.Decoder(list[wire.FundingHistoryRow])
_predicted = msgspec.json.Decoder(wire.PredictedFundings)
_status = msgspec.json.Decoder(wire.ExchangeStatus)
_encode = msgspec.json.Encoder().encode


class HyperliquidClient:
    """Hyperliquid, market side; an :class:`ExchangeClient`.

    ``dex`` is the empty text for the first dex, else a builder dex such as ``xyz``; requests about one instrument take
    its prefixed name (``xyz:TSLA``) instead. Names are case-sensitive.

    Thread: any; it keeps nothing but an estimate of the venue's clock.
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
        """``hyperliquid``."""
        return VENUE

    @property
    def intervals(self) -> tuple[str, ...]:
        """1m to 1M without 6h."""
        return tuple(interval for interval in INTERVALS_S if interval != "6h")

    def fetch_instruments(self) -> Fetched[InstrumentCatalog]:
        """Perpetuals of every dex, delisted ones included, and spot pairs: 40 of weight.

        A server that does not know ``allPerpMetas`` is asked dex by dex; a builder dex that fails then, or for which
        the budget does not suffice, is left out.
        """
        with self._asking() as asking:
            asked_mono_s = time.perf_counter()
            spot = self._ask(asking, "spotMeta", _spot_meta)
            keep_spot_meta(self._transport, spot, asked_mono_s)
            perp_endpoint, metas = self._perp_metas(asking)
            catalog = build_catalog(spot, metas, spot_endpoint="hyperliquid.spotMeta", perp_endpoint=perp_endpoint)
            return asking.fetched(catalog)

    def fetch_dexes(self) -> Fetched[tuple[str, ...]]:
        """Names of the dexes, the first one as the empty text."""
        with self._asking() as asking:
            rows = self._ask(asking, "perpDexs", _dexes)
            return asking.fetched(parse.parse_dexes(rows, "hyperliquid.perpDexs"))

    def fetch_quotes(self, dex: str = "") -> Fetched[QuoteBatch]:
        """Mid prices: of the first dex with every spot pair, or of a builder dex."""
        with self._asking() as asking:
            mids = self._ask(asking, "allMids", _mids, _of_dex(dex))
            return asking.fetched(parse.parse_all_mids(mids, "hyperliquid.allMids", dex))

    def fetch_details(self, dex: str = "") -> Fetched[QuoteBatch]:
        """Mark, oracle price, funding, open interest and 24 h figures of a dex's perpetuals."""
        with self._asking() as asking:
            reply = self._send(asking, "metaAndAssetCtxs", _of_dex(dex))
            both = unwrap(INFO["metaAndAssetCtxs"].endpoint, _contexts, reply)
            venue_time = venue_time_at_most(reply)
            return asking.fetched(parse.parse_contexts(both, "hyperliquid.metaAndAssetCtxs", dex, venue_time))

    def fetch_spot_details(self) -> Fetched[QuoteBatch]:
        """Mark and 24 h figures of spot pairs."""
        with self._asking() as asking:
            both = self._ask(asking, "spotMetaAndAssetCtxs", _spot_contexts)
            return asking.fetched(parse.parse_spot_contexts(both, "hyperliquid.spotMetaAndAssetCtxs"))

    def fetch_order_book(self, venue_symbol: str, *, depth: int = 15) -> Fetched[OrderBook]:
        """The newest book, at most 20 levels a side."""
        return self.fetch_grouped_book(venue_symbol, depth=depth)

    def fetch_grouped_book(
        self,
        venue_symbol: str,
        *,
        depth: int = BOOK_LEVELS,
        significant_figures: int | None = None,
        mantissa: int | None = None,
    ) -> Fetched[OrderBook]:
        """The book with prices grouped to 2 to 5 figures; ``mantissa`` (1, 2 or 5) steps the fifth figure."""
        body: dict[str, object] = {"coin": venue_symbol}
        if significant_figures is not None:
            body["nSigFigs"] = significant_figures
        if mantissa is not None:
            body["mantissa"] = mantissa
        with self._asking() as asking:
            book = self._ask(asking, "l2Book", _book, body, instrument=venue_symbol)
            return asking.fetched(parse.parse_book(book, "hyperliquid.l2Book", venue_symbol, depth))

    def fetch_candles(
        self,
        venue_symbol: str,
        interval: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 200,
    ) -> Fetched[CandleBatch]:
        """The newest ``limit`` candles that overlap [start, end], of the newest 5000 that the venue keeps."""
        if interval not in self.intervals:
            raise MonitorError(f"{TITLE} has no candles of {interval}")
        until = self._clock.now() + _CLOCK_MARGIN if end is None else end
        limit = min(limit, CANDLES_KEPT)
        earliest = series.range_start(until, interval, limit)
        since = earliest if start is None else max(start, earliest)
        endpoint = INFO["candleSnapshot"].endpoint
        pages: list[tuple[Candle, ...]] = []
        page_start = since
        with self._asking() as asking:
            for _ in range(MAX_PAGES):
                # Negative times are refused by the server; the start is never before 1970.
                span = {"startTime": to_ms(page_start), "endTime": max(0, to_ms(until))}
                body = {"req": {"coin": venue_symbol, "interval": interval, **span}}
                reply = self._send(asking, "candleSnapshot", body)
                rows = unwrap(endpoint, _candles, reply, instrument=venue_symbol)
                self._charge_rows("candleSnapshot", len(rows))
                page = parse.parse_candles(rows, endpoint.name, interval, venue_time_at_most(reply))
                held_to = pages[-1][-1].open_time if pages else None
                page = tuple(candle for candle in page if held_to is None or candle.open_time >= held_to)
                if not page or page[-1].open_time == held_to:
                    break
                pages.append(page)
                # A page shorter than the limit is the end. A full one goes on from its last candle, which may have
                # been cut short, unless that candle already reaches the end.
                if len(rows) < PAGE_ROWS or series.close_time(page[-1].open_time, interval) > until:
                    break
                page_start = page[-1].open_time
            found = series.clipped(series.merged(pages), interval, start=start, end=end, limit=limit)
            return asking.fetched(CandleBatch(venue=VENUE, venue_symbol=venue_symbol, interval=interval, candles=found))

    def fetch_funding_history(
        self,
        venue_symbol: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
    ) -> Fetched[tuple[FundingPayment, ...]]:
        """The newest ``limit`` hourly rates in [start, end], oldest first, 500 a request."""
        until = self._clock.now() if end is None else end
        earliest = series.range_start(until, "1h", limit)
        page_start = earliest if start is None else max(start, earliest)
        endpoint = INFO["fundingHistory"].endpoint
        found: dict[datetime, FundingPayment] = {}
        with self._asking() as asking:
            for _ in range(MAX_PAGES):
                body: dict[str, object] = {"coin": venue_symbol, "startTime": to_ms(page_start)}
                if end is not None:
                    body["endTime"] = max(0, to_ms(end))
                rows = self._ask(asking, "fundingHistory", _funding, body, instrument=venue_symbol)
                self._charge_rows("fundingHistory", len(rows))
                page = parse.parse_funding_history(rows, endpoint.name, venue_symbol)
                # The start is inclusive, so a page begins with the last row of the one before.
                news = [payment for payment in page if payment.time not in found]
                found.update((payment.time, payment) for payment in news)
                if not news or len(rows) < PAGE_ROWS:
                    break
                page_start = page[-1].time
            times = sorted(time for time in found if end is None or time <= end)
            return asking.fetched(tuple(found[time] for time in times[-limit:] if limit > 0))

    def fetch_predicted_fundings(self) -> Fetched[tuple[PredictedFunding, ...]]:
        """What this and other venues are expected to charge next, for the first dex's perpetuals."""
        with self._asking() as asking:
            rows = self._ask(asking, "predictedFundings", _predicted)
            return asking.fetched(parse.parse_predicted(rows, "hyperliquid.predictedFundings"))

    def fetch_recent_trades(self, venue_symbol: str) -> Fetched[tuple[Trade, ...]]:
        """The 10 newest public trades, oldest first."""
        with self._asking() as asking:
            rows = self._ask(asking, "recentTrades", _trades, {"coin": venue_symbol}, instrument=venue_symbol)
            self._charge_rows("recentTrades", len(rows))
            return asking.fetched(parse.parse_trades(rows, "hyperliquid.recentTrades", venue_symbol))

    def fetch_status(self) -> Fetched[VenueStatus]:
        """The venue's clock to the millisecond and its special status; the cheapest call."""
        with self._asking() as asking:
            reply = self._send(asking, "exchangeStatus")
            status = parse.parse_status(
                unwrap(INFO["exchangeStatus"].endpoint, _status, reply), "hyperliquid.exchangeStatus"
            )
            round_trip_s = max(0.0, reply.received_mono_s - reply.requested_mono_s)
            middle = reply.received_at - timedelta(seconds=round_trip_s / 2)
            offset_s = None if status.venue_time is None else (status.venue_time - middle).total_seconds()
            return asking.fetched(status, clock_offset_s=offset_s)

    def poll_jobs(self, focus: Focus) -> tuple[PollJob, ...]:
        """The default plan, reading through this client."""
        return self.plan_jobs(self, focus)

    def plan_jobs(self, reads: ExchangeClient, focus: Focus) -> tuple[PollJob, ...]:
        """The default plan, reading through ``reads``."""
        return plan_jobs(reads, focus, self.fetch_spot_details)

    def _perp_metas(self, asking: Asking) -> tuple[str, list[wire.Meta]]:
        """The endpoint that answered, and the universe of every dex, the first dex first."""
        try:
            rows = self._ask(asking, "allPerpMetas", _metas)
        except (RateLimited, EdgeBlocked):
            raise
        except (VenueError, PayloadError):
            rows = []
        if not rows:
            return INFO["meta"].endpoint.name, self._metas_one_by_one(asking)
        metas = [row if isinstance(row, wire.Meta) else row[0] for row in rows]
        return INFO["allPerpMetas"].endpoint.name, metas

    def _metas_one_by_one(self, asking: Asking) -> list[wire.Meta]:
        metas = [self._ask(asking, "meta", _meta, _of_dex(""))]
        rows = self._ask(asking, "perpDexs", _dexes)
        for dex in parse.parse_dexes(rows, "hyperliquid.perpDexs"):
            if dex:
                try:
                    metas.append(self._ask(asking, "meta", _meta, _of_dex(dex)))
                except (RateLimited, EdgeBlocked):
                    raise
                except (VenueError, PayloadError):
                    continue  # one builder's trouble must not take everybody else's instruments away
                except BudgetExhausted:
                    break
        return metas

    def _asking(self) -> Asking:
        return Asking(self._transport, self._clock, pause=self._pause)

    def _send(self, asking: Asking, kind: str, body: Mapping[str, object] | None = None) -> Reply:
        info = INFO[kind]
        document = _encode({"type": kind, **(body or {})})
        return asking.send(info.endpoint, body=document, headers=_HEADERS, weight=info.weight)

    def _ask(
        self,
        asking: Asking,
        kind: str,
        decoder: msgspec.json.Decoder[T],
        body: Mapping[str, object] | None = None,
        *,
        instrument: str | None = None,
    ) -> T:
        return unwrap(INFO[kind].endpoint, decoder, self._send(asking, kind, body), instrument=instrument)

    def _charge_rows(self, kind: str, rows: int) -> None:
        weight = INFO[kind].surcharge(rows)
        if weight:
            self._transport.charge(INFO[kind].endpoint, weight)


def _of_dex(dex: str) -> dict[str, object]:
    return {"dex": dex} if dex else {}
