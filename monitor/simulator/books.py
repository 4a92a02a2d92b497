"""Order books and public trades around the newest price; levels stay where they are for seconds and follow the
market."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from monitor.simulator.candles import MINUTE_MS
from monitor.simulator.market import Market
from monitor.simulator.noise import F64, I64, bits, uniform
from monitor.simulator.paths import MINUTES, SLOT_MS, SLOTS, SlotBlock


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a book, best first: prices on the tick, lots and orders, whole numbers."""

    price: F64
    lots: I64
    orders: I64


@dataclass(frozen=True, slots=True)
class Book:
    """Both sides; empty arrays for a market without orders."""

    bids: Side
    asks: Side


@dataclass(frozen=True, slots=True)
class Trade:
    """One public trade. serial is unique per market."""

    time_ms: int
    price: float
    lots: int
    is_buy: bool
    serial: int


_NO_SIDE = Side(np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


def make_book(market: Market, row: int, depth: int, now_ms: int, step: float | None = None) -> Book:
    """Return up to `depth` levels a side; step is a coarser price grid than the tick (bids round down, asks up)."""
    if market.rows.is_dead[row]:
        return Book(_NO_SIDE, _NO_SIDE)
    tick = market.tick(now_ms)
    bid, ask = float(tick.bid[row]), float(tick.ask[row])
    size = step if step is not None else float(market.tick_size(tick.last)[row])
    return Book(
        _side(market, row, now_ms, best=bid, size=size, depth=depth, direction=-1),
        _side(market, row, now_ms, best=ask, size=size, depth=depth, direction=1),
    )


def _side(market: Market, row: int, now_ms: int, *, best: float, size: float, depth: int, direction: int) -> Side:
    rows = market.rows
    key = rows.key[row : row + 1]
    turnover_lots = max(float(rows.lots_per_hour[row]), 1000.0)
    quiet = float(np.clip(1.0 - rows.minute_odds[row] * 1.2, 0.0, 0.65))  # share of price levels without any order
    # A coarser grid than the tick collects bids below the best one and asks above it.
    first = math.floor(best / size + 1e-6) if direction < 0 else math.ceil(best / size - 1e-6)
    reach = depth if quiet == 0.0 else int(depth / (1.0 - quiet) * 1.4) + 4
    grid = first + direction * np.arange(reach)
    grid = grid[grid > 0]
    # An order rests between 2 and 34 s: each level has a clock of its own, so that most of the book is unchanged at
    # the next look.
    rest_ms = 2000 + (bits(key, grid, 70) % np.uint64(32_000)).astype(np.int64)
    age = now_ms // rest_ms
    mark = grid * 64 + direction
    there = uniform(key, mark ^ (age << 24), 71) >= quiet
    there[0] = True
    # Thin at the touch, then even: a size that followed the distance would change at every step of the price.
    shape = np.where(np.abs(grid - first) < 3, 0.45, 1.5)
    draw = -np.log(uniform(key, mark ^ (age << 24), 72))
    lots = np.maximum(turnover_lots * 4e-4 * shape * draw, 1.0).astype(np.int64)
    orders = 1 + (bits(key, mark ^ (age << 24), 73) % np.uint64(9)).astype(np.int64) + (draw * 4).astype(np.int64)
    places = max(0, 12 - int(np.ceil(np.log10(max(best, 1e-12)))))
    prices = np.round(grid * size, min(places, 12))
    return Side(prices[there][:depth], lots[there][:depth], orders[there][:depth])


def newest_trades(market: Market, row: int, count: int, now_ms: int) -> list[Trade]:
    """Return up to `count` newest trades, newest first, looking back six hours at most."""
    if market.rows.is_dead[row]:
        return []
    found: list[Trade] = []
    one, minute = np.array([row]), now_ms // MINUTE_MS
    for hour in range(minute // MINUTES, minute // MINUTES - 6, -1):
        block = market.rows.minutes(one, np.array([hour]))
        for inside in np.flatnonzero(block.lots[0])[::-1].tolist():
            number = hour * MINUTES + inside
            if number > minute:
                continue
            slots = market.rows.slots(one, np.array([number]), block)
            last = now_ms % MINUTE_MS // SLOT_MS if number == minute else SLOTS
            found += _trades_of_minute(market, row, number, slots, last)
            if len(found) >= count:
                return found[:count]
    return found


def _trades_of_minute(market: Market, row: int, minute: int, block: SlotBlock, last: int) -> list[Trade]:
    # Newest first, and only what happened before slot `last`.
    places = np.flatnonzero(block.lots[0, :last] > 0)[::-1]
    slots = minute * SLOTS + places
    prices = market.rows.round_prices(np.array([row]), np.exp(block.points[0, places + 1])[None])[0]
    sides = market.is_buy(np.full(len(places), row), slots)
    delay_ms = (bits(market.rows.key[row : row + 1], slots, 74) % np.uint64(SLOT_MS)).astype(np.int64)
    times = slots * SLOT_MS + delay_ms
    return [
        Trade(time_ms, price, lots, is_buy, serial)
        for time_ms, price, lots, is_buy, serial in zip(
            times.tolist(),
            prices.tolist(),
            block.lots[0, places].tolist(),
            sides.tolist(),
            slots.tolist(),
            strict=True,
        )
    ]
