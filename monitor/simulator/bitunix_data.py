"""What Bitunix futures tell about their markets, as JSON text in the venue's own shapes: rows only, no envelopes, no
parameters."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from monitor.simulator.books import Side, make_book
from monitor.simulator.candles import DAY_MS, HOUR_MS, INTERVALS_MS, MONTH_MS, open_time
from monitor.simulator.noise import F64, I64, bits, text_key
from monitor.simulator.rates import hourly_rate, premium, running_premium
from monitor.simulator.texts import listed, objects, plain, trimmed, trimmeds
from monitor.simulator.world import World

# Contracts long gone that tickers and the funding batch still carry.
_GONE = tuple((f"OLD{number:02d}USDT", f"0.{number + 11}".rstrip("0")) for number in range(24))
_SLOT_MS = 250


class FuturesReads:
    """The reads of the futures market. Rows are numbers from `find`. Thread: the event loop."""

    def __init__(self, world: World) -> None:
        self._market = world.futures
        self._keys = self._market.rows.key
        self._symbols = [row.symbol for row in self._market.rows.listings]
        listings = self._market.rows.listings
        self._status = [row.extra["status"] for row in listings]
        # Neither tickers nor funding know a contract that is only announced.
        self.quoted = [number for number, status in enumerate(self._status) if status != "PREVIEW"]
        self.everything = list(range(len(listings)))
        hours = [(8, 8, 4, 4, 1)[text_key(world.seed, "interval", row.symbol) % 5] for row in listings]
        hours[:12] = [8] * len(hours[:12])
        self._interval_h: I64 = np.array(hours, dtype=np.int64)
        self._bound = ["0.3" if row.max_leverage >= 100 else "0.375" for row in listings]
        self._pairs = [json.dumps(self._pair(number), separators=(",", ":")) for number in self.everything]
        self._whole: dict[str, tuple[int, bytes]] = {}

    def find(self, symbol: str) -> int | None:
        """Return the row of a symbol in any case, None when there is no such contract."""
        return self._market.rows.index.get(symbol.upper())

    def is_preview(self, row: int) -> bool:
        """Say whether the contract is only announced: it has no prices yet."""
        return self._status[row] == "PREVIEW"

    def interval_h(self, row: int) -> int:
        """Return the hours between two settlements."""
        return int(self._interval_h[row])

    def mark(self, row: int, now_ms: int) -> float:
        """Return the mark price of one contract, the one that tickers show."""
        return float(self._mark(now_ms)[row])

    def all_tickers(self, now_ms: int) -> bytes:
        """Return every ticker, also of contracts that the catalog no longer has."""
        return self._once("tickers", now_ms, lambda: listed(self._tickers(self.quoted, now_ms) + self._gone_tickers()))

    def tickers(self, rows: list[int], now_ms: int) -> bytes:
        """Return the tickers of some contracts."""
        return listed(self._tickers(rows, now_ms))

    def _tickers(self, rows: list[int], now_ms: int) -> list[str]:
        pick = np.array(rows)
        tick, stats = self._market.tick(now_ms), self._market.stats(now_ms)
        lagging = self._market.tick(now_ms - now_ms % 10_000).last  # `last` is not `lastPrice` but older
        last = tick.last[pick]
        columns = {
            "markPrice": self._mark(now_ms)[pick],
            "lastPrice": last,
            "open": stats.open[pick],
            "last": lagging[pick],
            "quoteVol": np.round(stats.turnover[pick], 5),
            "baseVol": np.round(stats.volume[pick], 4),
            "high": np.maximum(stats.high[pick], last),
            "low": np.minimum(stats.low[pick], last),
        }
        return objects({"symbol": self._names(rows)} | {name: trimmeds(values) for name, values in columns.items()})

    @staticmethod
    def _gone_tickers() -> list[str]:
        symbols, prices = zip(*_GONE, strict=True)
        zeros = ["0"] * len(_GONE)
        return objects(
            {"symbol": symbols, "markPrice": zeros, "lastPrice": prices, "open": prices, "last": prices}
            | {"quoteVol": zeros, "baseVol": zeros, "high": prices, "low": prices}
        )

    def _mark(self, now_ms: int) -> F64:
        # For every other contract the mark is simply the last price; the others are smoothed and move every three
        # seconds.
        last, rows = self._market.tick(now_ms).last, self._market.all
        drift = running_premium(self._keys, now_ms - now_ms % 3000) * 0.2
        own = (bits(self._keys, rows * 0, 90) & np.uint64(1)).astype(bool)
        return np.where(own, self._market.rows.round_prices(rows, last * (1 + drift)), last)

    def depth(self, row: int, limit: int, now_ms: int) -> bytes:
        """Return the book, two empty lists for an announced contract."""
        if self.is_preview(row):
            return b'{"asks":[],"bids":[]}'
        book = make_book(self._market, row, limit, now_ms)
        return b'{"asks":' + self._side(row, book.asks) + b',"bids":' + self._side(row, book.bids) + b"}"

    def _side(self, row: int, side: Side) -> bytes:
        sizes = side.lots / 10.0 ** int(self._market.rows.lot_places[row])
        levels = zip(trimmeds(side.price), trimmeds(sizes), strict=True)
        return listed([f'["{price}","{size}"]' for price, size in levels])

    def klines(self, row: int, interval: str, limit: int, span_ms: tuple[int, int], now_ms: int) -> bytes:
        """Return at most `limit` candles, newest first; span_ms is (start, end).

        The start never moves the page, it only cuts off what is older: the newest rows come whatever it says.
        """
        interval_ms = INTERVALS_MS[interval]
        end_ms = min(span_ms[1], now_ms)
        length_ms = 31 * DAY_MS if interval_ms == MONTH_MS else interval_ms
        first_ms = max(open_time(interval_ms, end_ms) - length_ms * (limit - 1), span_ms[0], 0)
        bars = self._market.candles.candles(row, interval_ms, first_ms, end_ms, now_ms)
        bars = bars.cut(max(0, len(bars) - limit), len(bars))
        base = bars.lots / 10.0 ** int(self._market.rows.lot_places[row])
        turnover = base * (bars.open + bars.high + bars.low + bars.close) / 4
        prices = {"open": bars.open, "high": bars.high, "low": bars.low, "close": bars.close}
        # The names of the two volumes are swapped in klines, and only there.
        volumes = {"quoteVol": base, "baseVol": np.round(turnover, 5)}
        columns = {name: trimmeds(values) for name, values in (prices | volumes).items()}
        return listed(objects(columns | {"time": bars.time_ms.tolist()})[::-1])

    def pairs(self, rows: list[int]) -> bytes:
        """Return the catalog rows of some contracts."""
        return listed([self._pairs[row] for row in rows])

    def _pair(self, number: int) -> dict[str, object]:
        row = self._market.rows.listings[number]
        is_preview = self._status[number] == "PREVIEW"
        least = 10.0**-row.size_decimals
        pair: dict[str, object] = {
            "symbol": row.symbol,
            "base": row.extra["base"],
            "quote": row.extra["quote"],
            "minTradeVolume": trimmed(least),
            "minBuyPriceOffset": None if is_preview else "-0.95",
            "maxSellPriceOffset": None if is_preview else "100",
        }
        precise: dict[str, object] = {"basePrecision": row.size_decimals, "quotePrecision": row.price_decimals}
        lever: dict[str, object] = {"maxLeverage": row.max_leverage, "minLeverage": 1, "defaultLeverage": 20}
        if is_preview:  # these rows lack several keys
            return pair | precise | lever | {"symbolStatus": "PREVIEW"}
        largest = max(1.0, float(f"{5e6 / row.price_usd:.1g}"))
        limits: dict[str, object] = {
            "maxLimitOrderVolume": trimmed(largest),
            "maxMarketOrderVolume": trimmed(max(least, largest / 10)),
        }
        bound = self._bound[number]
        return (
            pair | limits | precise | lever
            | {
                "defaultMarginMode": "2",
                "priceProtectScope": "0.01" if row.max_leverage >= 100 else "0.02",
                "symbolStatus": self._status[number],
                "isApiSupported": row.extra["api"] == "1",
                "maxFundingRate": bound,
                "minFundingRate": f"-{bound}",
            }
        )  # fmt: skip

    def funding(self, row: int, now_ms: int) -> bytes:
        """Return the current funding of one contract, one object; the documentation shows a list."""
        return self._funding([row], now_ms)[0].encode()

    def all_funding(self, now_ms: int) -> bytes:
        """Return the current funding of all contracts, also of dead ones whose next settlement is just "now"."""
        return self._once(
            "batch", now_ms, lambda: listed(self._funding(self.quoted, now_ms) + self._gone_funding(now_ms))
        )

    def _funding(self, rows: list[int], now_ms: int) -> list[str]:
        pick = np.array(rows)
        last, over = self._market.tick(now_ms).last[pick], running_premium(self._keys[pick], now_ms)
        hours = self._interval_h[pick]
        step_ms = hours * HOUR_MS
        bounds = [self._bound[row] for row in rows]
        # The current rate is told in percent, the history in fractions.
        percent = np.round(hourly_rate(over) * hours * 100, 6)
        return objects(
            {
                "symbol": self._names(rows),
                "markPrice": trimmeds(self._mark(now_ms)[pick]),
                "lastPrice": trimmeds(last),
                "indexPrice": trimmeds(self._market.rows.round_prices(pick, last * (1 - over))),
                "fundingRate": trimmeds(percent),
                "fundingInterval": hours.tolist(),
                "nextFundingTime": ((now_ms // step_ms + 1) * step_ms).tolist(),
                "maxFundingRate": bounds,
                "minFundingRate": [f"-{bound}" for bound in bounds],
            },
            bare=("fundingInterval",),
        )

    @staticmethod
    def _gone_funding(now_ms: int) -> list[str]:
        symbols, prices = zip(*_GONE, strict=True)
        count = len(_GONE)
        return objects(
            {"symbol": symbols, "markPrice": ["0"] * count, "lastPrice": prices, "indexPrice": ["null"] * count}
            | {"fundingRate": ["0"] * count, "fundingInterval": [8] * count, "nextFundingTime": [now_ms] * count}
            | {"maxFundingRate": ["0.3"] * count, "minFundingRate": ["-0.3"] * count},
            bare=("indexPrice", "fundingInterval"),
        )

    def funding_history(self, row: int, limit: int, span_ms: tuple[int, int], now_ms: int) -> bytes:
        """Return at most `limit` settlements within span_ms (start, end), newest first, rates as fractions."""
        step_ms = int(self._interval_h[row]) * HOUR_MS
        first_ms = max(span_ms[0], int(self._market.rows.first_day[row]) * DAY_MS)
        newest = min(span_ms[1], now_ms) // step_ms
        oldest = max(newest - limit + 1, -(-first_ms // step_ms))
        times = np.arange(oldest, newest + 1) * step_ms
        if not len(times):
            return b"[]"
        key = np.repeat(self._keys[row : row + 1], len(times))
        rates = np.round(hourly_rate(premium(key, times // HOUR_MS - 1)) * self._interval_h[row], 8)
        block, _, _ = self._market.rows.hours(np.full(len(times), row), times // DAY_MS)
        points = block.points[np.arange(len(times)), times // HOUR_MS % 24]
        prices = self._market.rows.round_prices(np.array([row]), np.exp(points)[None])[0]
        rows = objects({"fundingRate": trimmeds(rates), "fundingTime": times.tolist(), "markPrice": trimmeds(prices)})
        return listed(rows[::-1])

    def tiers(self, row: int) -> bytes:
        """Return the position tiers of a contract."""
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
        return json.dumps(tiers, separators=(",", ":")).encode()

    def _names(self, rows: list[int]) -> list[str]:
        return [self._symbols[row] for row in rows]

    def _once(self, name: str, now_ms: int, make: Callable[[], bytes]) -> bytes:
        # Every client that asks within a slot gets the same bytes; making them is most of the cost of a poll.
        slot = now_ms // _SLOT_MS
        found = self._whole.get(name)
        if found is None or found[0] != slot:
            found = self._whole[name] = (slot, make())
        return found[1]
