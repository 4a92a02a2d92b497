"""Prices and volumes of listed markets inside an hour: minutes, then quarter seconds, exactly consistent with each
other.

Each level is drawn inside the level above: a minute's path touches the minute's high and low and nothing beyond them,
and the minutes of an hour do the same with the hour's. So a candle of any interval is the aggregate of the finer
ones, whichever is asked first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitor.simulator.assets import Listing
from monitor.simulator.latent import EPOCH_DAY, HOURS, HourBlock, LatentPaths, bridge, bridge_extremes
from monitor.simulator.noise import F64, I64, U64, bits, heavy, normal, text_key, uniform

MINUTES = 60
SLOT_MS = 250
SLOTS = 240  # quarter seconds in a minute
_MIN_LOTS = 4  # of an active minute: a trade each for its high, its low and its close, and one to spare
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class MinuteBlock:
    """Minutes of n (row, hour) pairs: log prices points (n, 61), high, low; lots and trades (n, 60), whole numbers."""

    points: F64
    high: F64
    low: F64
    lots: I64
    trades: I64


@dataclass(frozen=True, slots=True)
class SlotBlock:
    """Quarter seconds of n (row, minute) pairs: log price after each slot (n, 241, the first is the open), lots (n,
    240)."""

    points: F64
    lots: I64


class Rows:
    """The markets of one venue as arrays; computes any hour or minute of any subset of them. Holds no state but the
    tables."""

    def __init__(self, seed: int, venue: str, listings: Sequence[Listing], latent: LatentPaths) -> None:
        self.listings = list(listings)
        self.latent = latent
        self.index = {listing.symbol: number for number, listing in enumerate(self.listings)}
        self.asset: I64 = np.array([latent.index[listing.asset] for listing in self.listings], dtype=np.int64)
        self.key: U64 = np.array([text_key(seed, venue, row.symbol) for row in self.listings], dtype=np.uint64)
        count = len(self.listings)
        # The same coin costs a little less or more at each venue for reasons of its own.
        basis = normal(self.key, np.zeros(count, dtype=np.int64), 20) * 1.5e-4
        self.offset: F64 = np.log(np.array([row.scale for row in self.listings])) + basis
        self.price_decimals: I64 = np.array([row.price_decimals for row in self.listings], dtype=np.int64)
        self.significant = bool(self.listings) and self.listings[0].significant > 0
        self.lot_places: I64 = np.array([row.size_decimals for row in self.listings], dtype=np.int64)
        turnover = np.maximum(np.array([row.turnover_usd for row in self.listings]), 1.0)
        is_inverse = np.array([row.extra.get("quote") == "USD" for row in self.listings])
        unit_price = np.where(is_inverse, 1.0, np.array([row.price_usd for row in self.listings]))
        self.lots_per_hour: F64 = turnover / unit_price * 10.0**self.lot_places / HOURS
        per_second = np.clip(turnover / 86_400 / np.clip(turnover / 2e6, 120.0, 2500.0), 2e-4, 8.0)
        self.minute_odds: F64 = 1.0 - np.exp(-per_second * 60)
        self.slot_odds: F64 = np.clip(1.0 - np.exp(-per_second * SLOT_MS / 1000), 0.01, 0.85)
        self.trades_per_hour: F64 = per_second * 3600
        # Noise of its own on top of the shared path: a basis point on busy markets, several on quiet ones.
        self.wobble: F64 = np.clip(1e-4 * np.sqrt(2e7 / turnover), 0.4e-4, 8e-4)
        age = np.array([text_key(seed, "listed", row.asset) % 1500 for row in self.listings], dtype=np.int64)
        self.first_day: I64 = np.where(turnover > 3e7, EPOCH_DAY, EPOCH_DAY + age)
        self.is_dead: Bool = np.array([row.is_delisted for row in self.listings], dtype=bool)

    def hours(self, rows: I64, days: I64) -> tuple[HourBlock, I64, I64]:
        """Return the hours of n (row, day) pairs with this venue's basis, and their lots and numbers of trades (n,
        24)."""
        block = self.latent.hours(self.asset[rows], days)
        shift = self.offset[rows][:, None]
        hour = days[:, None] * HOURS + np.arange(HOURS)
        noise = np.exp(0.35 * normal(self.key[rows][:, None], hour, 21)) * block.heat
        lots = np.maximum(self.lots_per_hour[rows][:, None] * noise, MINUTES * _MIN_LOTS).astype(np.int64)
        trades = np.maximum(self.trades_per_hour[rows][:, None] * noise, 4).astype(np.int64)
        return HourBlock(block.points + shift, block.high + shift, block.low + shift, block.heat), lots, trades

    def minutes(self, rows: I64, hours: I64) -> MinuteBlock:
        """Return the minutes of n (row, hour) pairs; hours are counted from 1970."""
        days, inside = hours // HOURS, hours % HOURS
        block, hour_lots, hour_trades = self.hours(rows, days)
        pick = np.arange(len(rows))
        start, end = block.points[pick, inside], block.points[pick, inside + 1]
        minute = hours[:, None] * MINUTES + np.arange(MINUTES)
        asset = self.asset[rows]
        keys, own = self.latent.keys[asset][:, None], self.key[rows][:, None]
        market = self.latent.market_key
        beta, rest = self.latent.beta[asset][:, None], self.latent.rest[asset][:, None]
        heat = np.exp(
            0.45 * normal(market, minute // 15, 30)
            + 0.3 * normal(keys, minute // 5, 31)
            + 0.4 * normal(keys, minute, 32)
        )
        step = (self.latent.sigma[asset] * np.sqrt(block.heat[pick, inside] / (HOURS * MINUTES)))[:, None] * np.sqrt(
            heat
        )
        shock = (beta * heavy(market, minute, 33) + rest * heavy(keys, minute, 34)) * step
        raw = bridge(start, end, shock, step**2)
        raw[:, 1:-1] += self.wobble[rows][:, None] * normal(own, minute[:, 1:], 35)

        active = uniform(own, minute, 36) < self.minute_odds[rows][:, None]
        active[pick, (bits(self.key[rows], hours, 37) % np.uint64(MINUTES)).astype(np.int64)] = True
        points = _hold(raw, active)
        high, low = bridge_extremes(points, step, uniform(keys, minute, 38), uniform(keys, minute, 39))
        top, bottom = np.maximum(points[:, 1:], points[:, :-1]), np.minimum(points[:, 1:], points[:, :-1])
        high, low = np.where(active, high, top), np.where(active, low, bottom)
        points, high, low = _fit(points, high, low, block.high[pick, inside], block.low[pick, inside])

        weight = np.where(active, heat * np.exp(0.3 * normal(own, minute, 40)), 0.0)
        total = hour_lots[pick, inside]
        lots = np.where(active, _MIN_LOTS, 0)
        lots = lots + share_out(weight, total - lots.sum(axis=1))
        trades = share_out(weight, hour_trades[pick, inside]) + active
        return MinuteBlock(points, high, low, lots, trades)

    def slots(self, rows: I64, minutes: I64, block: MinuteBlock | None = None) -> SlotBlock:
        """Return the quarter seconds of n (row, minute) pairs; block is minutes() of the same pairs' hours if at
        hand."""
        if block is None:
            block = self.minutes(rows, minutes // MINUTES)
        pick, inside = np.arange(len(rows)), minutes % MINUTES
        start, end = block.points[pick, inside], block.points[pick, inside + 1]
        high, low, total = block.high[pick, inside], block.low[pick, inside], block.lots[pick, inside]
        slot = minutes[:, None] * SLOTS + np.arange(SLOTS)
        asset = self.asset[rows]
        keys, own = self.latent.keys[asset][:, None], self.key[rows][:, None]
        # One draw gives the trading mask, the step and the size: this runs for every market once a minute.
        mine = bits(own, slot, 50)
        traded = (mine >> np.uint64(40)).astype(np.float64) * 2.0**-24 < self.slot_odds[rows][:, None]
        traded &= (total >= SLOTS)[:, None]
        places = _four_places(self.key[rows], minutes)
        for place in places:
            traded[pick, place] = True
        traded &= (total > 0)[:, None]
        step = normal(keys, slot, 51) * 0.94 + ((mine & np.uint64(0xFFFF)).astype(np.float64) - 32767.5) * (
            0.34 / 18918.6
        )
        variance = traded.astype(np.float64)
        scale = (
            self.latent.sigma[asset] * np.sqrt(1.0 / (HOURS * MINUTES)) / np.sqrt(np.maximum(variance.sum(axis=1), 1.0))
        )
        points = _hold(bridge(start, end, step * variance * scale[:, None], variance), traded)
        points = _touch(points, traded, high, low)

        weight = variance * ((mine >> np.uint64(20)) & np.uint64(0xFFFF)).astype(np.float64)
        lots = traded.astype(np.int64)
        lots = lots + share_out(weight, np.maximum(total - lots.sum(axis=1), 0))
        return SlotBlock(points, lots)

    def round_prices(self, rows: I64, prices: F64) -> F64:
        """Return prices (n, ...) on the tick of their market; rounding keeps order, so highs stay highs."""
        places = self.price_decimals[rows].reshape((-1,) + (1,) * (prices.ndim - 1))
        if self.significant:
            figures = 4 - np.floor(np.log10(prices)).astype(np.int64)
            places = np.clip(figures, 0, np.maximum(places, 0))
        power = 10.0**places
        rounded: F64 = np.maximum(np.round(prices * power), 1.0) / power
        return rounded


def share_out(weight: F64, total: I64) -> I64:
    """Return whole numbers (n, k) in proportion to weight that add up to total (n,) exactly, by rounding the running
    sum."""
    running = np.cumsum(weight, axis=1)
    last = np.where(running[:, -1:] > 0, running[:, -1:], 1.0)
    steps = np.floor(running / last * total[:, None] + 1e-9).astype(np.int64)
    return np.diff(steps, axis=1, prepend=0)


def _hold(raw: F64, active: Bool) -> F64:
    # Without a trade the price stays; the last trade of the span closes it at the span's own close.
    count = active.shape[1]
    seen = np.maximum.accumulate(np.where(active, np.arange(1, count + 1), 0), axis=1)
    points = raw.copy()
    points[:, 1:] = np.take_along_axis(raw, seen, axis=1)
    last = seen[:, -1:]
    return np.where(np.arange(count + 1) >= np.maximum(last, 1), np.where(last > 0, raw[:, -1:], raw[:, :1]), points)


def _squeeze(values: F64, top: F64, bottom: F64, up: F64, down: F64) -> F64:
    above, below = values - top, bottom - values
    return np.where(above > 0, top + above * up, np.where(below > 0, bottom - below * down, values))


def _fit(points: F64, high: F64, low: F64, ceiling: F64, floor: F64) -> tuple[F64, F64, F64]:
    # Stretches what lies outside the span's body so that it just touches the span's high and low; open and close stay.
    top = np.maximum(points[:, 0], points[:, -1])[:, None]
    bottom = np.minimum(points[:, 0], points[:, -1])[:, None]
    most, least = high.max(axis=1, keepdims=True), low.min(axis=1, keepdims=True)
    up = (ceiling[:, None] - top) / np.maximum(most - top, 1e-15)
    down = (bottom - floor[:, None]) / np.maximum(bottom - least, 1e-15)
    new_high, new_low = _squeeze(high, top, bottom, up, down), _squeeze(low, top, bottom, up, down)
    new_high = np.where(high == most, ceiling[:, None], np.minimum(new_high, ceiling[:, None]))
    new_low = np.where(low == least, floor[:, None], np.maximum(new_low, floor[:, None]))
    inner = np.clip(_squeeze(points, top, bottom, up, down), floor[:, None], ceiling[:, None])
    return inner, new_high, new_low


def _touch(points: F64, traded: Bool, high: F64, low: F64) -> F64:
    # Like _fit, but for single trades: one trade is put on the high and another on the low.
    pick = np.arange(len(points))
    top = np.maximum(points[:, 0], points[:, -1])[:, None]
    bottom = np.minimum(points[:, 0], points[:, -1])[:, None]
    most, least = points.max(axis=1, keepdims=True), points.min(axis=1, keepdims=True)
    up = np.minimum((high[:, None] - top) / np.maximum(most - top, 1e-15), 50.0)
    down = np.minimum((bottom - low[:, None]) / np.maximum(bottom - least, 1e-15), 50.0)
    inner = np.clip(_squeeze(points, top, bottom, up, down), low[:, None], high[:, None])
    count = traded.shape[1]
    last = count - 1 - np.argmax(traded[:, ::-1], axis=1)
    free = traded.copy()
    free[pick, last] = False
    busy = free.sum(axis=1) >= 2
    first_high = np.argmax(np.where(free, inner[:, 1:], -np.inf), axis=1)
    inner[pick[busy], first_high[busy] + 1] = high[busy]
    free[pick, first_high] = False
    first_low = np.argmin(np.where(free, inner[:, 1:], np.inf), axis=1)
    inner[pick[busy], first_low[busy] + 1] = low[busy]
    inner[:, 0] = points[:, 0]
    return _hold(inner, traded)


def _four_places(keys: U64, minutes: I64) -> list[I64]:
    # One slot in each quarter of the minute, so that the four always differ.
    raw = bits(keys, minutes, 52)
    quarter = SLOTS // 4
    return [((raw >> np.uint64(16 * n)) % np.uint64(quarter)).astype(np.int64) + n * quarter for n in range(4)]
