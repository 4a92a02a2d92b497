"""The newest state of all markets of one venue: last trade, best bid and ask, 24 h figures. Recomputed at most once
per slot."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from monitor.simulator.assets import Listing
from monitor.simulator.candles import MINUTE_MS, CandleSource
from monitor.simulator.latent import HOURS, HourBlock, LatentPaths
from monitor.simulator.noise import F64, I64, bits
from monitor.simulator.paths import MINUTES, SLOT_MS, MinuteBlock, Rows, SlotBlock

_Block = TypeVar("_Block")


@dataclass(frozen=True, slots=True)
class Tick:
    """All markets of a venue at one slot: prices on the tick. trade_slot is the slot of the newest trade (since
    1970)."""

    slot: int
    last: F64
    bid: F64
    ask: F64
    trade_slot: I64


@dataclass(frozen=True, slots=True)
class DayStats:
    """Rolling 24 h figures of all markets at one minute: prices on the tick, volumes in units of the size, turnover
    in quote."""

    open: F64
    high: F64
    low: F64
    volume: F64
    turnover: F64


class Market:
    """Markets of one venue (or one part of it) over time. Everything is a pure function of the time asked for; blocks
    are cached.

    Thread: the event loop.
    """

    def __init__(self, seed: int, name: str, listings: Sequence[Listing], latent: LatentPaths) -> None:
        self.rows = Rows(seed, name, listings, latent)
        self.candles = CandleSource(self.rows)
        self.all = np.arange(len(listings))
        self.frozen_price: F64 = np.array([row.price_usd for row in listings])
        turnover = np.maximum(np.array([row.turnover_usd for row in listings]), 1.0)
        self._spread: F64 = np.clip(2e-5 * np.sqrt(1e9 / turnover), 1e-5, 4e-3)
        self._days: OrderedDict[int, tuple[HourBlock, I64, I64]] = OrderedDict()
        self._hours: OrderedDict[int, MinuteBlock] = OrderedDict()
        self._minutes: OrderedDict[int, SlotBlock] = OrderedDict()
        self._ticks: OrderedDict[int, Tick] = OrderedDict()
        self._stats: tuple[int, DayStats] | None = None

    def day(self, day: int) -> tuple[HourBlock, I64, I64]:
        """Return the hours of a day of every market."""
        return kept(self._days, day, 4, lambda: self.rows.hours(self.all, np.full(len(self.all), day)))

    def hour(self, hour: int) -> MinuteBlock:
        """Return the minutes of an hour of every market."""
        return kept(self._hours, hour, 4, lambda: self.rows.minutes(self.all, np.full(len(self.all), hour)))

    def minute(self, minute: int) -> SlotBlock:
        """Return the slots of a minute of every market."""
        block = self.hour(minute // MINUTES)
        return kept(self._minutes, minute, 4, lambda: self.rows.slots(self.all, np.full(len(self.all), minute), block))

    def tick(self, now_ms: int) -> Tick:
        """Return the state at a time."""
        slot = now_ms // SLOT_MS
        return kept(self._ticks, slot, 6, lambda: self._make_tick(slot))

    def tick_size(self, price: F64) -> F64:
        """Return the smallest price step of every market at these prices."""
        places = self.rows.price_decimals
        if self.rows.significant:
            places = np.clip(4 - np.floor(np.log10(price)).astype(np.int64), 0, np.maximum(places, 0))
        return 10.0 ** -places.astype(np.float64)

    def _make_tick(self, slot: int) -> Tick:
        minute, done = slot * SLOT_MS // MINUTE_MS, slot % (MINUTE_MS // SLOT_MS)
        block = self.minute(minute)
        last = self.rows.round_prices(self.all, np.exp(block.points[:, done]))
        last = np.where(self.rows.is_dead, self.frozen_price, last)
        traded = block.lots[:, :done] > 0
        ago = np.argmax(traded[:, ::-1], axis=1) if done else np.zeros(len(last), dtype=np.int64)
        some = traded.any(axis=1) if done else np.zeros(len(last), dtype=bool)
        base = slot - done
        trade_slot = np.where(some, base + done - 1 - ago, base - 1)
        tick = self.tick_size(last)
        width = np.maximum(np.round(self._spread * last / tick), 1.0) * tick
        is_buy = self.is_buy(self.all, trade_slot)
        bid = self.rows.round_prices(self.all, np.where(is_buy, np.maximum(last - width, tick), last))
        ask = self.rows.round_prices(self.all, np.where(is_buy, last, last + width))
        return Tick(slot, last, bid, ask, trade_slot)

    def is_buy(self, rows: I64, trade_slots: I64) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Say for each trade whether the buyer was the aggressor; then the price is the ask, otherwise the bid."""
        return (bits(self.rows.key[rows], trade_slots, 60) & np.uint64(1)).astype(bool)

    def stats(self, now_ms: int) -> DayStats:
        """Return the rolling 24 h figures; they change once a minute, apart from the newest trades."""
        minute = now_ms // MINUTE_MS
        if self._stats is None or self._stats[0] != now_ms // SLOT_MS:
            self._stats = (now_ms // SLOT_MS, self._make_stats(minute, now_ms))
        return self._stats[1]

    def _make_stats(self, minute: int, now_ms: int) -> DayStats:
        hour, inside = minute // MINUTES, minute % MINUTES
        old, new = self.hour(hour - HOURS), self.hour(hour)
        yesterday, today = self.day(hour // HOURS - 1), self.day(hour // HOURS)
        first, last = hour % HOURS + 1, hour % HOURS  # whole hours after the oldest, before the newest
        done = now_ms % MINUTE_MS // SLOT_MS
        slots = self.minute(minute)
        seen = slots.points[:, : done + 1]
        high = [old.high[:, inside:], yesterday[0].high[:, first:], today[0].high[:, :last], new.high[:, :inside], seen]
        low = [old.low[:, inside:], yesterday[0].low[:, first:], today[0].low[:, :last], new.low[:, :inside], seen]
        lots = [
            old.lots[:, inside:],
            yesterday[1][:, first:],
            today[1][:, :last],
            new.lots[:, :inside],
            slots.lots[:, :done],
        ]
        prices = [
            old.points[:, inside:-1],
            yesterday[0].points[:, first:-1],
            today[0].points[:, :last],
            new.points[:, :inside],
            seen[:, 1:],
        ]
        unit = 10.0 ** -self.rows.lot_places.astype(np.float64)
        volume = sum(part.sum(axis=1) for part in lots) * unit
        turnover = sum((part * np.exp(price)).sum(axis=1) for part, price in zip(lots, prices, strict=True)) * unit
        rounded = self.rows.round_prices
        dead, fixed = self.rows.is_dead, self.frozen_price
        top = np.max([part.max(axis=1) for part in high if part.shape[1]], axis=0)
        bottom = np.min([part.min(axis=1) for part in low if part.shape[1]], axis=0)
        opened = rounded(self.all, np.exp(old.points[:, inside]))
        return DayStats(
            np.where(dead, fixed, opened),
            np.where(dead, fixed, rounded(self.all, np.exp(top))),
            np.where(dead, fixed, rounded(self.all, np.exp(bottom))),
            np.where(dead, 0.0, volume),
            np.where(dead, 0.0, turnover),
        )


def kept(store: OrderedDict[int, _Block], key: int, count: int, make: Callable[[], _Block]) -> _Block:
    """Return what is stored under the key, made if need be; the store forgets the longest unused beyond count."""
    found = store.get(key)
    if found is None:
        found = store[key] = make()
        while len(store) > count:
            store.popitem(last=False)
    else:
        store.move_to_end(key)
    return found
