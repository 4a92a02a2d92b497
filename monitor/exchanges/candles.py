"""What both venues' candles have in common: when one ends, and how pages become one series. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from monitor.domain.intervals import INTERVALS_S
from monitor.domain.market import Candle

_SETTLING = timedelta(seconds=1)
"""A reply's stamp may be a moment younger than its data, so the last candle counts as closed only this much later."""


POLL_AFTER_CLOSE_S = 1.0
"""Candles are asked for this long after each close on the venue's clock: the stamp by which that clock is known is good
to about half a second at first, and a reply's own stamp shows a candle as closed once its end is a second past."""
PLAIN_POLL_S = 60.0
"""A client without a memory asks for its candles once a minute, as the ones this app grew from did."""

LONGEST_POLL_S = 300.0
"""A forming candle grows from polled prices; its volume, and what happened between two prices, is at most this old."""


def poll_every_s(interval: str) -> float:
    """Seconds between candle polls: at every close, and every five minutes of a longer candle to reconcile it.

    Each divides every longer interval, so that polls on this grid meet each close.
    """
    return min(float(INTERVALS_S[interval]), LONGEST_POLL_S)


def close_time(open_time: datetime, interval: str) -> datetime:
    """When the candle that opened at ``open_time`` ends, exclusive. Months are calendar months in UTC."""
    if interval != "1M":
        return open_time + timedelta(seconds=INTERVALS_S[interval])
    if open_time.month == 12:
        return open_time.replace(year=open_time.year + 1, month=1)
    # A month candle opens on the first; any other day is clamped to it, so that no day is out of range.
    return open_time.replace(month=open_time.month + 1, day=1)


def is_closed(open_time: datetime, interval: str, *, newest: datetime, venue_time: datetime) -> bool:
    """Whether a candle is final: a newer one has begun, or its end is well past at ``venue_time``."""
    return open_time < newest or close_time(open_time, interval) + _SETTLING <= venue_time


def merged(pages: Iterable[Iterable[Candle]]) -> tuple[Candle, ...]:
    """One series, oldest first; of candles with the same open time the one of the later page counts."""
    by_time = {candle.open_time: candle for page in pages for candle in page}
    return tuple(by_time[open_time] for open_time in sorted(by_time))


def clipped(
    candles: tuple[Candle, ...], interval: str, *, start: datetime | None, end: datetime | None, limit: int
) -> tuple[Candle, ...]:
    """The newest ``limit`` of those that overlap [start, end]."""
    inside = tuple(
        candle
        for candle in candles
        if (end is None or candle.open_time <= end)
        and (start is None or close_time(candle.open_time, interval) > start)
    )
    return inside[-limit:] if limit > 0 else ()


def range_start(end: datetime, interval: str, count: int) -> datetime:
    """A moment from which at least ``count`` candles reach to ``end``, not before 1970."""
    earliest = datetime(1970, 1, 1, tzinfo=UTC)
    reach_s = INTERVALS_S[interval] * count
    return max(earliest, end - timedelta(seconds=reach_s)) if reach_s < (end - earliest).total_seconds() else earliest
