"""Candles of any interval of one market, aggregated from minutes, hours or days; the forming one ends at the newest
trade."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, fields
from datetime import UTC, datetime

import numpy as np

from monitor.simulator.latent import EPOCH_DAY, HOURS, HourBlock
from monitor.simulator.noise import F64, I64
from monitor.simulator.paths import MINUTES, SLOT_MS, Rows

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MONTH_MS = -1  # stands for the calendar month, which has no fixed length
_UNIT_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}
_FIXED = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w")
INTERVALS_MS = {name: int(name[:-1]) * _UNIT_MS[name[-1]] for name in _FIXED} | {"1M": MONTH_MS}
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05; a week counted from 1970-01-01 would start on Thursday
_CACHED_DAYS = 400


@dataclass(frozen=True, slots=True)
class Bars:
    """Candles oldest first: open times in ms; prices (logarithms inside this module, on the tick outside); lots and
    trades."""

    time_ms: I64
    open: F64
    high: F64
    low: F64
    close: F64
    lots: I64
    trades: I64

    def __len__(self) -> int:
        return len(self.time_ms)

    def cut(self, first: int, last: int) -> Bars:
        """Return the candles from index first up to, not including, last."""
        return Bars(*(getattr(self, item.name)[first:last] for item in fields(self)))


def join(parts: list[Bars]) -> Bars:
    """Return the parts one after the other; at least one is needed."""
    return Bars(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Bars)))


def open_time(interval_ms: int, time_ms: int) -> int:
    """Return when the candle that contains time_ms opened. Weeks start on Monday, months on the first, all UTC."""
    if interval_ms == MONTH_MS:
        day = datetime.fromtimestamp(time_ms / 1000, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) * 1000
    offset = _MONDAY_MS if interval_ms == 7 * DAY_MS else 0
    return (time_ms - offset) // interval_ms * interval_ms + offset


def close_time(interval_ms: int, opened_ms: int) -> int:
    """Return when the candle opened at opened_ms ends (the next one opens)."""
    if interval_ms == MONTH_MS:
        return open_time(interval_ms, opened_ms + 32 * DAY_MS)
    return opened_ms + interval_ms


class CandleSource:
    """Candles of one venue's markets. Keeps the minutes of recently asked days. Thread: the event loop."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._minutes: OrderedDict[tuple[int, int], Bars] = OrderedDict()

    def candles(self, row: int, interval_ms: int, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        """Return the candles that overlap [start_ms, end_ms], none of them opened after now_ms; prices on the tick."""
        first_ms = max(int(self._rows.first_day[row]), EPOCH_DAY) * DAY_MS
        start_ms = open_time(interval_ms, max(start_ms, first_ms))
        end_ms = min(end_ms, now_ms)
        if end_ms < start_ms or self._rows.is_dead[row]:
            return _EMPTY
        end_ms = min(close_time(interval_ms, open_time(interval_ms, end_ms)) - 1, now_ms)
        if 0 < interval_ms < HOUR_MS:
            bars = self._minute_bars(row, start_ms, end_ms, now_ms)
        else:
            bars = self._hour_bars(row, start_ms, end_ms, now_ms)
        bars = bars.cut(
            int(np.searchsorted(bars.time_ms, start_ms)), int(np.searchsorted(bars.time_ms, end_ms, "right"))
        )
        return self._on_tick(row, _group(bars, interval_ms))

    def _on_tick(self, row: int, bars: Bars) -> Bars:
        if not len(bars):
            return bars
        one = np.array([row])
        prices = np.exp(np.stack([bars.open, bars.high, bars.low, bars.close]))[None]
        o, h, low, c = self._rows.round_prices(one, prices)[0]
        return Bars(bars.time_ms, o, h, low, c, bars.lots, bars.trades)

    def _minute_bars(self, row: int, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        today, days = now_ms // DAY_MS, range(start_ms // DAY_MS, end_ms // DAY_MS + 1)
        missing = [day for day in days if day < today and (row, day) not in self._minutes]
        if missing:
            self._load_minutes(row, missing)
        parts = []
        for day in days:
            if day < today:
                parts.append(self._minutes[row, day])
                self._minutes.move_to_end((row, day))
        while len(self._minutes) > _CACHED_DAYS:
            self._minutes.popitem(last=False)
        if end_ms // DAY_MS == today:
            parts.extend(self._today_minutes(row, start_ms, now_ms))
        return join(parts)

    def _today_minutes(self, row: int, start_ms: int, now_ms: int) -> list[Bars]:
        hour = now_ms // HOUR_MS
        first = max(start_ms // HOUR_MS, now_ms // DAY_MS * HOURS)
        closed = [self._whole_minutes(row, np.arange(first, hour))] if first < hour else []
        return [*closed, self.forming_hour(row, now_ms)]

    def _load_minutes(self, row: int, days: list[int]) -> None:
        hours = (np.array(days)[:, None] * HOURS + np.arange(HOURS)).ravel()
        bars = self._whole_minutes(row, hours)
        size = HOURS * MINUTES
        for number, day in enumerate(days):
            self._minutes[row, day] = bars.cut(number * size, (number + 1) * size)

    def _whole_minutes(self, row: int, hours: I64) -> Bars:
        block = self._rows.minutes(np.full(len(hours), row), hours)
        time_ms = (hours[:, None] * HOUR_MS + np.arange(MINUTES) * MINUTE_MS).ravel()
        points = block.points
        return Bars(
            time_ms, points[:, :-1].ravel(), block.high.ravel(), block.low.ravel(), points[:, 1:].ravel(),
            block.lots.ravel(), block.trades.ravel(),
        )  # fmt: skip

    def forming_hour(self, row: int, now_ms: int) -> Bars:
        """Return the minutes of the current hour, logarithmic, the last of them cut at the newest trade."""
        minute = now_ms // MINUTE_MS
        inside = minute % MINUTES
        whole = self._whole_minutes(row, np.array([now_ms // HOUR_MS])).cut(0, inside + 1)
        done = now_ms % MINUTE_MS // SLOT_MS
        slots = self._rows.slots(np.array([row]), np.array([minute]))
        seen = slots.points[0, : done + 1]
        lots = int(slots.lots[0, :done].sum())
        share = float((slots.lots[0, :done] > 0).sum()) / max(1.0, float((slots.lots[0] > 0).sum()))
        whole.high[-1], whole.low[-1], whole.close[-1] = seen.max(), seen.min(), seen[-1]
        whole.lots[-1], whole.trades[-1] = lots, int(whole.trades[-1] * share)
        return whole

    def _hour_bars(self, row: int, start_ms: int, end_ms: int, now_ms: int) -> Bars:
        days = np.arange(start_ms // DAY_MS, end_ms // DAY_MS + 1)
        block, lots, trades = self._rows.hours(np.full(len(days), row), days)
        bars = hour_bars(days, block, lots, trades)
        hour = now_ms // HOUR_MS
        if end_ms // HOUR_MS < hour:
            return bars
        closed = bars.cut(0, int(np.searchsorted(bars.time_ms, hour * HOUR_MS)))
        return join([closed, _group(self.forming_hour(row, now_ms), HOUR_MS)])


def hour_bars(days: I64, block: HourBlock, lots: I64, trades: I64) -> Bars:
    """Return consecutive hours as candles."""
    time_ms = (days[:, None] * DAY_MS + np.arange(HOURS) * HOUR_MS).ravel()
    points = block.points
    return Bars(
        time_ms,
        points[:, :-1].ravel(),
        block.high.ravel(),
        block.low.ravel(),
        points[:, 1:].ravel(),
        lots.ravel(),
        trades.ravel(),
    )


def _group(bars: Bars, interval_ms: int) -> Bars:
    if not len(bars):
        return bars
    if interval_ms == MONTH_MS:
        months = bars.time_ms.astype("datetime64[ms]").astype("datetime64[M]")
        opened = months.astype("datetime64[ms]").astype(np.int64)
    else:
        offset = _MONDAY_MS if interval_ms == 7 * DAY_MS else 0
        opened = (bars.time_ms - offset) // interval_ms * interval_ms + offset
    starts = np.flatnonzero(np.concatenate([np.ones(1, dtype=bool), opened[1:] != opened[:-1]]))
    ends = np.concatenate([starts[1:], [len(bars)]]) - 1
    return Bars(
        opened[starts],
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
        np.add.reduceat(bars.lots, starts),
        np.add.reduceat(bars.trades, starts),
    )


_NO_INTS: I64 = np.empty(0, dtype=np.int64)
_NO_FLOATS: F64 = np.empty(0)
_EMPTY = Bars(_NO_INTS, _NO_FLOATS, _NO_FLOATS, _NO_FLOATS, _NO_FLOATS, _NO_INTS, _NO_INTS)
