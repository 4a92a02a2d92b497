"""Bitunix futures, market side: the exact envelopes, types, quirks and errors of the public GET endpoints.

Wire format: project notes on Bitunix REST (recorded replies of 2026). Noted in place where the venue contradicts its documentation.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Literal

import numpy as np

from monitor.simulator.books import Side, make_book
from monitor.simulator.candles import DAY_MS, HOUR_MS, INTERVALS_MS, open_time
from monitor.simulator.noise import F64, I64, bits, text_key
from monitor.simulator.rates import hourly_rate, premium, running_premium
from monitor.simulator.replies import Headers, Moment, Reply, Request
from monitor.simulator.texts import plain, trimmed, trimmeds
from monitor.simulator.world import World

_PREFIX = "/api/v1/futures/"
_INTERVALS = frozenset({"1m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"})
_DEPTHS = {"1": 1, "5": 5, "15": 15, "50": 50, "max": 8000}
_DEAD_ROWS = 24  # contracts long gone that tickers and the funding batch still carry

_NOT_ALLOWED = (20015, "this Futures is not allowed to trade.")
_MISSING = (1, "Network Error")
_TOO_FAST = (10006, "Request too frequently")


class _Refused(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class BitunixVenue:
    """Answers like fapi.bitunix.com. Thread: the event loop."""

    name = "bitunix"

    def __init__(self, world: World, refusal: Literal["code", "edge"] = "code") -> None:
        self._market = world.futures
        self._refusal = refusal
        self._seed = world.seed
        listings = self._market.rows.listings
        self._status = [row.extra["status"] for row in listings]
        # Neither tickers nor funding know a contract that is only announced.
        self._quoted = [number for number, status in enumerate(self._status) if status != "PREVIEW"]
        self._keys = self._market.rows.key
        self._interval_h: I64 = np.array(
            [(8, 8, 4, 4, 1)[text_key(world.seed, "interval", row.symbol) % 5] for row in listings]
        )
        self._interval_h[: min(12, len(listings))] = 8
        self._routes: dict[str, Callable[[Request, Moment], bytes]] = {
            "market/tickers": self._tickers,
            "market/depth": self._depth,
            "market/kline": self._kline,
            "market/trading_pairs": self._trading_pairs,
            "market/funding_rate": self._funding_rate,
            "market/funding_rate/batch": self._funding_batch,
            "market/get_funding_rate_history": self._funding_history,
            "position/get_position_tiers": self._position_tiers,
        }
        self._whole: dict[str, tuple[int, bytes]] = {}
        self._pairs = [json.dumps(self._pair(number)) for number in range(len(listings))]

    def endpoint(self, request: Request) -> str:
        if not request.path.startswith(_PREFIX):
            return "other"
        name = request.path[len(_PREFIX) :].strip("/")
        return name.removeprefix("market/").removeprefix("position/") if name in self._routes else "other"

    def headers(self, stamp_ms: int) -> Headers:
        del stamp_ms
        return (
            ("Server", "cloudflare"),
            ("cf-cache-status", "DYNAMIC"),
            ("x-envoy-upstream-service-time", "4"),
            ("vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
            ("X-Demo-Exchange", "1"),
        )

    def refusal(self, request: Request, wait_s: float | None) -> Reply:
        del request
        if wait_s is not None or self._refusal == "edge":
            retry: Headers = () if wait_s is None else (("Retry-After", trimmed(float(wait_s))),)
            return Reply(429, b"error code: 1015", "text/plain; charset=UTF-8", retry)
        return _envelope(*_TOO_FAST)

    def answer(self, request: Request, moment: Moment) -> Reply:
        route = self._routes.get(request.path[len(_PREFIX) :].strip("/")) if request.path.startswith(_PREFIX) else None
        if route is None or request.method != "GET":
            return _envelope(404, "Not Found")  # the HTTP status is 200 all the same
        try:
            data = route(request, moment)
        except _Refused as exc:
            return _envelope(exc.code, exc.text)
        return Reply(200, b'{"code":0,"data":' + data + b',"msg":"Success"}')

    def _row(self, request: Request) -> int:
        symbol = request.query.get("symbol", "")
        if not symbol:
            raise _Refused(*_MISSING)
        row = self._market.rows.index.get(symbol.upper())
        if row is None:
            raise _Refused(*_NOT_ALLOWED)
        return row

    def _chosen(self, request: Request, rows: list[int]) -> list[int]:
        text = request.query.get("symbols", "")
        if not text:
            return rows
        index = self._market.rows.index
        wanted = [index[name] for name in text.upper().split(",") if name in index]
        chosen = [row for row in wanted if row in set(rows)]
        if not chosen:
            raise _Refused(*_NOT_ALLOWED)
        return chosen

    def _tickers(self, request: Request, moment: Moment) -> bytes:
        if request.query.get("symbols"):
            return self._ticker_rows(self._chosen(request, self._quoted), moment.data_ms, with_dead=False)
        return self._once(
            "tickers", moment.data_ms // 250, lambda: self._ticker_rows(self._quoted, moment.data_ms, with_dead=True)
        )

    def _ticker_rows(self, rows: list[int], now_ms: int, *, with_dead: bool) -> bytes:
        tick, stats = self._market.tick(now_ms), self._market.stats(now_ms)
        pick = np.array(rows)
        marks = self._mark(now_ms)[pick]
        # `last` lags behind `lastPrice`: it is the price of some seconds ago.
        old = self._market.tick(now_ms - now_ms % 10_000).last[pick]
        self._market.tick(now_ms)
        columns = [trimmeds(values) for values in (
            marks, tick.last[pick], stats.open[pick], old, np.round(stats.turnover[pick], 5), np.round(stats.volume[pick], 4),
            np.maximum(stats.high[pick], tick.last[pick]), np.minimum(stats.low[pick], tick.last[pick]),
        )]  # fmt: skip
        listings = self._market.rows.listings
        parts = [
            f'{{"symbol":"{listings[row].symbol}","markPrice":"{mark}","lastPrice":"{last}","open":"{opened}","last":"{lag}",'
            f'"quoteVol":"{quote}","baseVol":"{base}","high":"{high}","low":"{low}"}}'
            for row, mark, last, opened, lag, quote, base, high, low in zip(rows, *columns, strict=True)
        ]
        if with_dead:
            parts += [
                f'{{"symbol":"OLD{number:02d}USDT","markPrice":"0","lastPrice":"0.{number + 11}","open":"0.{number + 11}",'
                f'"last":"0.{number + 11}","quoteVol":"0","baseVol":"0","high":"0.{number + 11}","low":"0.{number + 11}"}}'
                for number in range(_DEAD_ROWS)
            ]
        return ("[" + ",".join(parts) + "]").encode()

    def _mark(self, now_ms: int) -> F64:
        # For every other contract the mark is simply the last price; the others are smoothed and move every three seconds.
        last = self._market.tick(now_ms).last
        rows = self._market.all
        drift = running_premium(self._keys, now_ms - now_ms % 3000) * 0.2
        own = (bits(self._keys, rows * 0, 90) & np.uint64(1)).astype(bool)
        return np.where(own, self._market.rows.round_prices(rows, last * (1 + drift)), last)

    def _depth(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        limit = request.query.get("limit", "max")
        if limit not in _DEPTHS:
            raise _Refused(10008, "limit must be one of [1, 5, 15, 50, max]")
        if self._status[row] == "PREVIEW":
            return b'{"asks":[],"bids":[]}'
        book = make_book(self._market, row, _DEPTHS[limit], moment.data_ms)
        return f'{{"asks":{self._side(row, book.asks)},"bids":{self._side(row, book.bids)}}}'.encode()

    def _side(self, row: int, side: Side) -> str:
        sizes = side.lots / 10.0 ** int(self._market.rows.lot_places[row])
        levels = zip(trimmeds(side.price), trimmeds(sizes), strict=True)
        return "[" + ",".join(f'["{price}","{size}"]' for price, size in levels) + "]"

    def _kline(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        interval = request.query.get("interval", "")
        if not interval:
            raise _Refused(*_MISSING)
        if interval not in _INTERVALS:
            return b"[]"
        limit = min(200, max(1, _whole(request, "limit", 100)))
        interval_ms = INTERVALS_MS[interval]
        end_ms = min(_whole(request, "endTime", moment.data_ms), moment.data_ms)
        span_ms = interval_ms if interval_ms > 0 else 31 * DAY_MS
        first_ms = open_time(interval_ms, end_ms) - span_ms * (limit - 1)
        # startTime never moves the page, it only cuts off what is older: the newest rows come whatever it says.
        first_ms = max(first_ms, _whole(request, "startTime", 0), 0)
        bars = self._market.candles.candles(row, interval_ms, first_ms, end_ms, moment.data_ms)
        bars = bars.cut(max(0, len(bars) - limit), len(bars))
        base = bars.lots / 10.0 ** int(self._market.rows.lot_places[row])
        quote = np.round(base * (bars.open + bars.high + bars.low + bars.close) / 4, 5)
        columns = [trimmeds(values) for values in (bars.open, bars.high, bars.low, bars.close, base, quote)]
        # The names of the two volumes are swapped in klines, and only there.
        parts = [
            f'{{"open":"{o}","high":"{h}","low":"{low}","close":"{c}","quoteVol":"{v}","baseVol":"{q}","time":"{time_ms}"}}'
            for o, h, low, c, v, q, time_ms in zip(*columns, bars.time_ms.tolist(), strict=True)
        ]
        return ("[" + ",".join(reversed(parts)) + "]").encode()

    def _trading_pairs(self, request: Request, moment: Moment) -> bytes:
        del moment
        rows = self._chosen(request, list(range(len(self._pairs))))
        return ("[" + ",".join(self._pairs[row] for row in rows) + "]").encode()

    def _pair(self, number: int) -> dict[str, object]:
        row = self._market.rows.listings[number]
        status = row.extra["status"]
        least = 10.0**-row.size_decimals
        pair: dict[str, object] = {
            "symbol": row.symbol,
            "base": row.extra["base"],
            "quote": row.extra["quote"],
            "minTradeVolume": trimmed(least),
            "minBuyPriceOffset": None if status == "PREVIEW" else "-0.95",
            "maxSellPriceOffset": None if status == "PREVIEW" else "100",
            "basePrecision": row.size_decimals,
            "quotePrecision": row.price_decimals,
            "maxLeverage": row.max_leverage,
            "minLeverage": 1,
            "defaultLeverage": 20,
            "symbolStatus": status,
        }
        if status == "PREVIEW":
            return pair
        largest = max(1.0, float(f"{5e6 / row.price_usd:.1g}"))
        bound = "0.3" if row.max_leverage >= 100 else "0.375"
        pair |= {
            "maxLimitOrderVolume": trimmed(largest),
            "maxMarketOrderVolume": trimmed(max(least, largest / 10)),
            "defaultMarginMode": "2",
            "priceProtectScope": "0.01" if row.max_leverage >= 100 else "0.02",
            "isApiSupported": row.extra["api"] == "1",
            "maxFundingRate": bound,
            "minFundingRate": f"-{bound}",
        }
        return pair

    def _funding_rate(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        if self._status[row] == "PREVIEW":
            raise _Refused(*_NOT_ALLOWED)
        return self._funding_rows([row], moment.data_ms)[0].encode()  # one object; the documentation shows a list

    def _funding_batch(self, request: Request, moment: Moment) -> bytes:
        del request

        def make() -> bytes:
            parts = self._funding_rows(self._quoted, moment.data_ms)
            parts += [
                f'{{"symbol":"OLD{number:02d}USDT","markPrice":"0","lastPrice":"0.{number + 11}","indexPrice":null,"fundingRate":"0",'
                f'"fundingInterval":8,"nextFundingTime":"{moment.data_ms}","maxFundingRate":"0.3","minFundingRate":"-0.3"}}'
                for number in range(_DEAD_ROWS)
            ]
            return ("[" + ",".join(parts) + "]").encode()

        return self._once("batch", moment.data_ms // 250, make)

    def _funding_rows(self, rows: list[int], now_ms: int) -> list[str]:
        pick = np.array(rows)
        last, marks = self._market.tick(now_ms).last[pick], self._mark(now_ms)[pick]
        index = self._market.rows.round_prices(pick, last * (1 - running_premium(self._keys[pick], now_ms)))
        # The current rate is told in percent, the history in fractions.
        percent = np.round(hourly_rate(running_premium(self._keys[pick], now_ms)) * self._interval_h[pick] * 100, 6)
        listings = self._market.rows.listings
        parts = []
        for number, row in enumerate(rows):
            hours = int(self._interval_h[row])
            step_ms = hours * HOUR_MS
            bound = "0.3" if listings[row].max_leverage >= 100 else "0.375"
            parts.append(
                f'{{"symbol":"{listings[row].symbol}","markPrice":"{trimmed(float(marks[number]))}",'
                f'"lastPrice":"{trimmed(float(last[number]))}","indexPrice":"{trimmed(float(index[number]))}",'
                f'"fundingRate":"{trimmed(float(percent[number]))}","fundingInterval":{hours},'
                f'"nextFundingTime":"{(now_ms // step_ms + 1) * step_ms}","maxFundingRate":"{bound}","minFundingRate":"-{bound}"}}'
            )
        return parts

    def _funding_history(self, request: Request, moment: Moment) -> bytes:
        row = self._row(request)
        limit = min(200, max(1, _whole(request, "limit", 100)))
        step_ms = int(self._interval_h[row]) * HOUR_MS
        end_ms = min(_whole(request, "endTime", moment.data_ms), moment.data_ms)
        start_ms = _whole(
            request, "starTime", _whole(request, "startTime", 0)
        )  # the venue's own spelling is without the t
        first_ms = max(start_ms, int(self._market.rows.first_day[row]) * DAY_MS)
        newest = end_ms // step_ms
        oldest = max(newest - limit + 1, -(-first_ms // step_ms))
        times = np.arange(oldest, newest + 1) * step_ms
        if not len(times):
            return b"[]"
        hours = times // HOUR_MS - 1
        rates = np.round(
            hourly_rate(premium(np.repeat(self._keys[row : row + 1], len(times)), hours)) * self._interval_h[row], 8
        )
        block, _, _ = self._market.rows.hours(np.full(len(times), row), times // DAY_MS)
        points = block.points[np.arange(len(times)), times // HOUR_MS % 24]
        prices = self._market.rows.round_prices(np.array([row]), np.exp(points)[None])[0]
        parts = [
            f'{{"fundingRate":"{trimmed(rate)}","fundingTime":"{time_ms}","markPrice":"{trimmed(price)}"}}'
            for rate, time_ms, price in zip(rates.tolist(), times.tolist(), prices.tolist(), strict=True)
        ]
        return ("[" + ",".join(reversed(parts)) + "]").encode()

    def _position_tiers(self, request: Request, moment: Moment) -> bytes:
        del moment
        row = self._row(request)
        listing = self._market.rows.listings[row]
        tiers, start = [], 0
        for level, (end, share) in enumerate(((100_000, 1.0), (400_000, 0.75), (1_000_000, 0.5), (5_000_000, 0.25)), 1):
            leverage = max(1, int(listing.max_leverage * share))
            tiers.append(
                {
                    "symbol": listing.symbol,
                    "level": level,
                    "startValue": str(start),
                    "endValue": str(end),
                    "leverage": leverage,
                    "maintenanceMarginRate": plain(round(0.6 / leverage, 5)),
                }
            )
            start = end
        return json.dumps(tiers).encode()

    def _once(self, name: str, slot: int, make: Callable[[], bytes]) -> bytes:
        # Every client that asks within a slot gets the same bytes; making them is most of the cost of a poll.
        found = self._whole.get(name)
        if found is None or found[0] != slot:
            found = self._whole[name] = (slot, make())
        return found[1]


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query.get(name, "")
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise _Refused(10002, "Parameter error") from None


def _envelope(code: int, text: str) -> Reply:
    return Reply(200, json.dumps({"code": code, "data": None, "msg": text}, separators=(",", ":")).encode())
