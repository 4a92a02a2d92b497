"""The price of one market at any instant, when it first reached a level, and what its funding was: what accounts are
made of."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, fields

import numpy as np

from monitor.simulator.candles import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.simulator.market import Market, kept
from monitor.simulator.noise import F64, I64, U64, bits
from monitor.simulator.paths import SLOT_MS, MinuteBlock
from monitor.simulator.rates import hourly_rate, premium

_KEPT_DAYS = 16
_KEPT_MINUTES = 32
_HOURS = 24


@dataclass(frozen=True, slots=True)
class Settlement:
    """One funding settlement: the rate is a fraction, positive when longs pay."""

    time_ms: int
    rate: float
    price: float


@dataclass(frozen=True, slots=True)
class _Day:
    points: F64  # price at the start of each of the 1440 minutes
    high: F64
    low: F64
    block: MinuteBlock


class Tape:
    """One row of a market. interval_h: hours between settlements, 0 without funding; rate_factor and places: what the
    venue multiplies the hourly rate by, and its decimals; is_late: rows are stamped some milliseconds after the hour.

    Everything is a pure function of the time asked for. Thread: the event loop.
    """

    def __init__(
        self, market: Market, row: int, *, interval_h: int = 0, rate_factor: float = 1.0, places: int = 10,
        is_late: bool = False,
    ) -> None:  # fmt: skip
        self.market = market
        self.row = row
        self.listing = market.rows.listings[row]
        self.key: U64 = market.rows.key[row : row + 1]
        self.unit = 10.0**-self.listing.size_decimals
        self._interval_h = interval_h
        self._rate_factor = rate_factor
        self._places = places
        self._is_late = is_late
        self._rows = np.array([row])
        self._minutes: OrderedDict[int, F64] = OrderedDict()
        self._days: OrderedDict[int, _Day] = OrderedDict()

    def price(self, now_ms: int) -> float:
        """Return the newest traded price."""
        return float(self._slot_prices(now_ms // MINUTE_MS)[now_ms % MINUTE_MS // SLOT_MS])

    def rough_price(self, now_ms: int) -> float:
        """Return the price at the start of the minute: much cheaper, for histories."""
        return float(self._day(now_ms // DAY_MS).points[now_ms % DAY_MS // MINUTE_MS])

    def on_tick(self, price: float) -> float:
        """Return the nearest price that an order may have."""
        return float(self.market.rows.round_prices(self._rows, np.array([[price]]))[0, 0])

    def lots(self, usd: float, price: float) -> int:
        """Return how many lots this much money buys, at least one."""
        return max(1, round(usd / price / self.unit))

    def first_touch(self, level: float, start_ms: int, end_ms: int, *, is_below: bool) -> int | None:
        """Return when the price first was at the level or beyond it within [start, end), None if it never was.

        is_below: beyond means below. The answer is the start of a quarter second, so the price of that instant is what
        reached it.
        """
        minute, last = start_ms // MINUTE_MS, (end_ms - 1) // MINUTE_MS
        while minute <= last:
            day = self._day(minute * MINUTE_MS // DAY_MS)
            first = minute % 1440
            count = min(1440 - first, last - minute + 1)
            edge = (day.low if is_below else day.high)[first : first + count]
            hits = np.flatnonzero(edge <= level if is_below else edge >= level)
            for hit in hits.tolist():
                found = self._touch_inside(minute + hit, level, start_ms, end_ms, is_below=is_below)
                if found is not None:
                    return found
            minute += count
        return None

    def settlements(self, start_ms: int, end_ms: int) -> list[Settlement]:
        """Return what was settled after start_ms, at the latest at end_ms, oldest first."""
        if not self._interval_h:
            return []
        step = self._interval_h
        first, last = start_ms // (step * HOUR_MS) + 1, end_ms // (step * HOUR_MS)
        hours: I64 = np.arange(first, last + 1) * step
        if not len(hours):
            return []
        keys = np.repeat(self.key, len(hours))
        rates = np.round(hourly_rate(premium(keys, hours - 1)) * self._rate_factor, self._places)
        times = hours * HOUR_MS
        prices = [self.rough_price(time_ms) for time_ms in times.tolist()]
        if self._is_late:
            times = times + lateness(keys, hours)
        rows = zip(times.tolist(), rates.tolist(), prices, strict=True)
        return [Settlement(time_ms, rate, price) for time_ms, rate, price in rows if time_ms <= end_ms]

    def _touch_inside(self, minute: int, level: float, start_ms: int, end_ms: int, *, is_below: bool) -> int | None:
        prices = self._slot_prices(minute)[:-1]
        times = minute * MINUTE_MS + np.arange(len(prices)) * SLOT_MS
        hit = (prices <= level if is_below else prices >= level) & (times >= start_ms) & (times < end_ms)
        return int(times[np.argmax(hit)]) if hit.any() else None

    def _slot_prices(self, minute: int) -> F64:
        return kept(self._minutes, minute, _KEPT_MINUTES, lambda: self._make_slot_prices(minute))

    def _make_slot_prices(self, minute: int) -> F64:
        day, hour = self._day(minute // 1440).block, minute // 60 % _HOURS
        block = MinuteBlock(*(getattr(day, item.name)[hour : hour + 1] for item in fields(MinuteBlock)))
        slots = self.market.rows.slots(self._rows, np.array([minute]), block)
        prices: F64 = self.market.rows.round_prices(self._rows, np.exp(slots.points))[0]
        return prices

    def _day(self, day: int) -> _Day:
        return kept(self._days, day, _KEPT_DAYS, lambda: self._make_day(day))

    def _make_day(self, day: int) -> _Day:
        # A whole day at once costs hardly more than one of its hours.
        block = self.market.rows.minutes(np.full(_HOURS, self.row), np.arange(day * _HOURS, (day + 1) * _HOURS))
        logs = np.stack([block.points[:, :-1].ravel(), block.high.ravel(), block.low.ravel()])
        points, high, low = self.market.rows.round_prices(self._rows, np.exp(logs)[None])[0]
        return _Day(points, high, low, block)


def lateness(keys: U64, hours: I64) -> I64:
    """Return how many milliseconds after the hour a settlement is stamped: 1 to 118."""
    return 1 + (bits(keys, hours, 94) % np.uint64(118)).astype(np.int64)
