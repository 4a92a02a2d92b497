"""Hyperliquid's moving side: mids, contexts, books, candles, trades and funding, written as the venue writes them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np

from monitor.simulator.books import Side, make_book, newest_trades
from monitor.simulator.candles import HOUR_MS, INTERVALS_MS, MONTH_MS, close_time
from monitor.simulator.hyperliquid_contexts import BUILDER_MULTIPLIER, mids, perp_contexts, spot_contexts
from monitor.simulator.hyperliquid_meta import Json, make_static, pseudo_address
from monitor.simulator.market import Market
from monitor.simulator.noise import U64, bits
from monitor.simulator.rates import hourly_rate, premium, running_premium
from monitor.simulator.replies import Moment
from monitor.simulator.tape import lateness
from monitor.simulator.texts import listed, objects, plain, plains
from monitor.simulator.world import World

_MAX_CANDLES = 5000
_MAX_FUNDINGS = 500
_LEVELS = 20


class MarketReads:
    """Every market read of the venue. Unknown names give None. Thread: the event loop."""

    intervals = frozenset(name for name in INTERVALS_MS if name != "6h")

    def __init__(self, world: World) -> None:
        self.static = make_static(world)
        self._perps = world.perps
        self._spot = world.spot
        self._markets: dict[str, Market] = {"": world.perps, **world.builders}
        self._pairs = world.pairs
        self._cache: dict[str, tuple[int, bytes]] = {}
        self._static_text = {
            name: json.dumps(value, separators=(",", ":"))
            for name, value in (*self.static.meta.items(), ("spot", self.static.spot_meta))
        }

    def meta(self, dex: str) -> Json:
        """Return the metadata of a dex."""
        return self.static.meta[dex]

    def all_perp_metas(self) -> list[Json]:
        """Return the metadata of all dexes in the order of perpDexs; the documentation shows pairs, the wire does
        not."""
        return list(self.static.meta.values())

    def find(self, coin: str) -> tuple[Market, int] | None:
        """Return the market and row of a coin name of any kind."""
        if coin.startswith("@") or "/" in coin:
            row = self._spot.rows.index.get(coin)
            return None if row is None else (self._spot, row)
        dex, _, _ = coin.rpartition(":")
        market = self._markets.get(dex)
        row = None if market is None else market.rows.index.get(coin)
        return None if market is None or row is None else (market, row)

    def all_mids(self, dex: str, now_ms: int) -> bytes:
        """Return coin -> mid of a dex; the first dex also carries all spot pairs and the delisted perpetuals."""

        def make() -> bytes:
            parts: list[str] = []
            for market in (self._perps, self._spot) if dex == "" else (self._markets[dex],):
                prices = plains(mids(market, now_ms))
                parts += [f'"{row.symbol}":"{mid}"' for row, mid in zip(market.rows.listings, prices, strict=True)]
            return ("{" + ",".join(sorted(parts)) + "}").encode()

        return self._once(f"mids {dex}", now_ms, make)

    def meta_and_contexts(self, dex: str, now_ms: int) -> bytes:
        """Return [meta, contexts]; the contexts have no names."""

        def make() -> bytes:
            rows = ",".join(perp_contexts(self._markets[dex], now_ms, is_builder=dex != ""))
            return f"[{self._static_text[dex]},[{rows}]]".encode()

        return self._once(f"contexts {dex}", now_ms, make)

    def spot_meta_and_contexts(self, now_ms: int) -> bytes:
        """Return [spotMeta, contexts]; contexts have no holes where the universe has them."""

        def make() -> bytes:
            rows = spot_contexts(self._spot, self._pairs, now_ms)
            return f"[{self._static_text['spot']},[{','.join(rows)}]]".encode()

        return self._once("spot contexts", now_ms, make)

    def l2_book(self, coin: str, figures: int | None, mantissa: int | None, moment: Moment) -> bytes | None:
        """Return up to 20 levels a side, aggregated when asked for; empty lists for a delisted market."""
        found = self.find(coin)
        if found is None:
            return None
        market, row = found
        step = None
        if figures is not None:
            price = float(market.tick(moment.data_ms).last[row])
            step = 10.0 ** (math.floor(math.log10(price)) - figures + 1) * (mantissa or 1)
        book = make_book(market, row, _LEVELS, moment.data_ms, step)
        spread = ""
        if figures is not None and len(book.bids.price) and len(book.asks.price):
            spread = f',"spread":"{plain(round(float(book.asks.price[0] - book.bids.price[0]), 10))}"'
        sides = f"[{self._levels(market, row, book.bids)}],[{self._levels(market, row, book.asks)}]"
        return f'{{"coin":"{coin}","time":{moment.told_ms - 40},"levels":[{sides}]{spread}}}'.encode()

    @staticmethod
    def _levels(market: Market, row: int, side: Side) -> str:
        sizes = plains(side.lots / 10.0 ** int(market.rows.lot_places[row]))
        levels = zip(plains(side.price), sizes, side.orders.tolist(), strict=True)
        return ",".join(f'{{"px":"{price}","sz":"{size}","n":{count}}}' for price, size, count in levels)

    def candles(self, coin: str, interval: str, start_ms: int, end_ms: int, now_ms: int) -> tuple[bytes, int] | None:
        """Return the candles that overlap the range, oldest first, at most the newest 5000 of the interval, and their
        number."""
        found = self.find(coin)
        if found is None:
            return None
        market, row = found
        interval_ms = INTERVALS_MS[interval]
        if interval_ms != MONTH_MS:
            start_ms = max(start_ms, now_ms // interval_ms * interval_ms - (_MAX_CANDLES - 1) * interval_ms)
        bars = market.candles.candles(row, interval_ms, start_ms, end_ms, now_ms)
        bars = bars.cut(max(0, len(bars) - _MAX_CANDLES), len(bars))
        volumes = bars.lots / 10.0 ** int(market.rows.lot_places[row])
        times = bars.time_ms.tolist()
        rows = objects(
            {"t": times, "T": [close_time(interval_ms, opened) - 1 for opened in times]}
            | {"s": [coin] * len(times), "i": [interval] * len(times)}
            | {"o": plains(bars.open), "c": plains(bars.close), "h": plains(bars.high), "l": plains(bars.low)}
            | {"v": plains(volumes), "n": bars.trades.tolist()},
            bare=("t", "T", "n"),
        )
        return listed(rows), len(rows)

    def recent_trades(self, coin: str, now_ms: int) -> list[Json] | None:
        """Return the ten newest trades, newest first; side is the aggressor's."""
        found = self.find(coin)
        if found is None:
            return None
        market, row = found
        unit = 10 ** int(market.rows.lot_places[row])
        key: U64 = market.rows.key[row : row + 1]
        trades: list[Json] = []
        for trade in newest_trades(market, row, 10, now_ms):
            mark = int(bits(key, trade.serial, 98)[0])
            trades.append(
                {
                    "coin": coin,
                    "side": "B" if trade.is_buy else "A",
                    "px": plain(trade.price),
                    "sz": plain(trade.lots / unit),
                    "time": trade.time_ms,
                    "hash": pseudo_address("a", mark) + pseudo_address("b", mark)[2:26],
                    "tid": mark % 1_100_000_000_000_000,
                    "users": [pseudo_address("user", mark % 97), pseudo_address("user", mark // 97 % 89)],
                }
            )
        return trades

    def funding_history(self, coin: str, start_ms: int, end_ms: int, now_ms: int) -> list[Json] | None:
        """Return what was charged at each whole hour in the range, oldest first, at most 500 rows."""
        found = self.find(coin)
        if found is None:
            return None
        market, row = found
        if market is self._spot:
            return None
        if market.rows.is_dead[row]:
            return []
        key: U64 = market.rows.key[row : row + 1]
        first = max(-(-start_ms // HOUR_MS), int(market.rows.first_day[row]) * 24)
        # Rows are stamped some milliseconds after the hour, so a start in those milliseconds still sees the row.
        if start_ms % HOUR_MS and start_ms % HOUR_MS <= lateness(key, np.array([start_ms // HOUR_MS]))[0]:
            first -= 1
        hours = np.arange(first, min(end_ms, now_ms) // HOUR_MS + 1)[:_MAX_FUNDINGS]
        if not len(hours):
            return []
        times = hours * HOUR_MS + lateness(key, hours)
        averages = premium(key, hours - 1)
        rates = hourly_rate(averages) * (1.0 if market is self._perps else BUILDER_MULTIPLIER)
        rows = zip(plains(np.round(rates, 10)), plains(np.round(averages, 10)), times.tolist(), strict=True)
        return [
            {"coin": coin, "fundingRate": rate, "premium": over, "time": time_ms}
            for rate, over, time_ms in rows
            if start_ms <= time_ms <= min(end_ms, now_ms)
        ]

    def predicted_fundings(self, now_ms: int) -> list[object]:
        """Return the estimates for three venues. The own venue's next time is the hour already settled: a defect of
        the real one."""
        market = self._perps
        rates = plains(np.round(hourly_rate(running_premium(market.rows.key, now_ms - now_ms % 5000)), 10))
        others = plains(np.round(hourly_rate(running_premium(market.rows.key, now_ms - now_ms % 60_000)) * 8, 8))
        hour_ms = now_ms // HOUR_MS * HOUR_MS
        rows: list[object] = []
        for number, listing in enumerate(market.rows.listings):
            if listing.is_delisted:
                continue
            hours = 8 if number < 20 else 4
            next_ms = (now_ms // (hours * HOUR_MS) + 1) * hours * HOUR_MS
            other = {"fundingRate": others[number], "nextFundingTime": next_ms, "fundingIntervalHours": hours}
            own = {"fundingRate": rates[number], "nextFundingTime": hour_ms, "fundingIntervalHours": 1}
            bybit = None if number % 11 == 10 else other
            rows.append([listing.symbol, [["BinPerp", other], ["HlPerp", own], ["BybitPerp", bybit]]])
        rows.sort(key=lambda row: str(row[0]) if isinstance(row, list) else "")
        return rows

    def exchange_status(self, stamp_ms: int) -> Json:
        """Return the venue's clock, which trails the wall clock by 130 to 270 ms."""
        lag_ms = 130 + int(bits(self._perps.rows.key[:1], stamp_ms // 1000, 99)[0] % np.uint64(141))
        return {"specialStatuses": None, "time": stamp_ms - lag_ms}

    def dex_limits(self, dex: str) -> Json:
        """Return the open interest caps of a builder dex."""
        names = [row.symbol for row in self._markets[dex].rows.listings if not row.is_delisted]
        return {
            "totalOiCap": "400000000.0",
            "oiSzCapPerPerp": "1000000000.0",
            "maxTransferNtl": "150000000.0",
            "coinToOiCap": [[name, "25000000.0"] for name in sorted(names)],
        }

    def token_details(self, token_id: str, now_ms: int) -> Json | None:
        """Return supply and price of one token."""
        token = self.static.tokens_by_id.get(token_id)
        if token is None:
            return None
        price = "1.0"
        for number, pair in enumerate(self._pairs):
            if pair.base_token == token["index"]:
                price = plain(float(self._spot.tick(now_ms).last[number]))
                break
        return {
            "name": token["name"],
            "maxSupply": "1000000000.0",
            "totalSupply": "999631892.0948150158",
            "circulatingSupply": "336337728.7935058475",
            "szDecimals": token["szDecimals"],
            "weiDecimals": token["weiDecimals"],
            "midPx": price,
            "markPx": price,
            "prevDayPx": price,
            "genesis": None,
            "deployer": None,
            "deployGas": None,
            "deployTime": None,
            "seededUsdc": "0.0",
            "nonCirculatingUserBalances": [],
            "futureEmissions": "0.0",
        }

    def _once(self, name: str, now_ms: int, make: Callable[[], bytes]) -> bytes:
        # Every client that asks within a quarter of a second gets the same bytes.
        slot = now_ms // 250
        found = self._cache.get(name)
        if found is None or found[0] != slot:
            found = self._cache[name] = (slot, make())
        return found[1]
