"""Candles of one instrument and interval: what the venue sent, and a forming one grown from polled prices meanwhile.

The venue's word always wins; polled prices only fill the time since its newest reply. What the series shows depends on
which replies and prices arrived, not on the order in which they did.
"""

import calendar
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from monitor.domain.intervals import INTERVALS_S
from monitor.domain.market import Candle

CANDLE_CAPACITY: Final = 5_000
SAMPLE_CAPACITY: Final = 4_096
"""Polled prices kept for growing; more than an hour at one a second, while candles are polled every minute."""

_DAY_S: Final = 86_400
_UNALIGNED: Final = frozenset({"3d", "1w", "1M"})
"""Intervals whose opening times are not whole multiples of their length since 1970."""

FloatArray = npt.NDArray[np.float64]


class CandleArrays(msgspec.Struct, frozen=True):
    """Columns for plotting, oldest first, one entry per candle; NaN is unknown. Missing candles are simply absent."""

    open_time_epoch_s: FloatArray
    """UTC seconds since 1970, by the venue's clock."""
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    """Base volume. Of a candle grown from polled prices it is NaN until a candle reply brings it."""
    is_closed: npt.NDArray[np.bool_]
    is_reconciled: npt.NDArray[np.bool_]
    """False where polled prices have a part in the candle: the venue has not confirmed it as it stands."""


class _Told(msgspec.Struct, frozen=True):
    """One candle as the venue sent it, and when that was asked and received (monotonic)."""

    candle: Candle
    asked_mono_s: float
    received_mono_s: float


class _Sample(msgspec.Struct, frozen=True):
    received_mono_s: float
    venue_epoch_s: float
    price: Decimal


class CandleSeries:
    """Bounded, sorted by open time. Thread: the board's.

    Of one candle a closed version beats a forming one, and of two alike the one asked for later wins. A forming candle
    is extended by the prices received after its reply. Where the venue's replies skip an interval, nothing traded: it
    stays a gap, whatever was polled. Intervals longer than a day do not begin at whole multiples since 1970; for them
    the venue's newest candle tells where the next one begins, and nothing is grown before there is one.
    """

    def __init__(self, *, venue: str, venue_symbol: str, interval: str, capacity: int = CANDLE_CAPACITY) -> None:
        self.venue = venue
        self.venue_symbol = venue_symbol
        self.interval = interval
        self.interval_s = INTERVALS_S[interval]
        self.revision = 0
        """Grows whenever what the series shows may have changed."""
        self.received_mono_s: float | None = None
        """When the newest candle reply arrived; ``None`` before the first."""
        self._capacity = capacity
        self._told: dict[int, _Told] = {}
        self._opens: list[int] = []  # keys of _told, sorted
        self._samples: deque[_Sample] = deque(maxlen=SAMPLE_CAPACITY)
        self._clock_epoch_s = float("-inf")
        self._grown: dict[int, Candle] = {}
        self._settled: tuple[tuple[int, int], CandleArrays] | None = None
        self._told_revision = 0
        self._view: tuple[int, CandleArrays] | None = None

    def __len__(self) -> int:
        return len(self._opens) + sum(1 for open_s in self._grown if open_s not in self._told)

    @property
    def items(self) -> tuple[Candle, ...]:
        """Every candle as shown, oldest first."""
        return tuple(self._shown(open_s) for open_s in sorted(self._told.keys() | self._grown.keys()))

    @property
    def newest(self) -> Candle | None:
        """The newest candle as shown; ``None`` when there is none."""
        newest_s = max(max(self._grown, default=-1), self._opens[-1] if self._opens else -1)
        return None if newest_s < 0 else self._shown(newest_s)

    def merge(
        self,
        candles: Sequence[Candle],
        *,
        requested_mono_s: float,
        received_mono_s: float,
        closed_only: bool = False,
    ) -> None:
        """Reconcile with a reply; its candles may overlap and need not be in order.

        ``closed_only``: take only what can no longer change (a reply of an older plan).
        """
        for candle in candles:
            if closed_only and not candle.is_closed:
                continue
            open_s = round(candle.open_time.timestamp())
            known = self._told.get(open_s)
            rank = (candle.is_closed, requested_mono_s, received_mono_s)
            if known is None or rank >= (known.candle.is_closed, known.asked_mono_s, known.received_mono_s):
                self._told[open_s] = _Told(candle, requested_mono_s, received_mono_s)
        self._opens = sorted(self._told)
        for open_s in self._opens[: -self._capacity]:
            del self._told[open_s]
        self._opens = self._opens[-self._capacity :]
        if self.received_mono_s is None or received_mono_s > self.received_mono_s:
            self.received_mono_s = received_mono_s
        self._samples = deque(
            (sample for sample in self._samples if self._is_news(sample)), maxlen=self._samples.maxlen
        )
        self._told_revision += 1
        self._grow_anew()
        self.revision += 1

    def add_price(self, price: Decimal, *, received_mono_s: float, venue_epoch_s: float) -> None:
        """Grow the forming candle by a polled price.

        ``venue_epoch_s`` is the venue's clock at that moment in UTC seconds since 1970: it decides which candle the
        price belongs to, and when one is over.
        """
        sample = _Sample(received_mono_s, venue_epoch_s, price)
        self._clock_epoch_s = max(self._clock_epoch_s, venue_epoch_s)
        if not self._is_news(sample):
            return
        is_in_order = not self._samples or received_mono_s >= self._samples[-1].received_mono_s
        self._samples.append(sample)
        if is_in_order:
            self._grow(sample)
        else:
            self._samples = deque(
                sorted(self._samples, key=lambda known: known.received_mono_s), maxlen=SAMPLE_CAPACITY
            )
            self._grow_anew()
        self.revision += 1

    def arrays(self) -> CandleArrays:
        """Columns of every candle as shown; made anew only when something changed. Do not write to them."""
        if self._view is not None and self._view[0] == self.revision:
            return self._view[1]
        # Only the candles from the first grown one on can have changed since the last reply.
        first_grown_s = min(self._grown, default=None)
        count = len(self._opens) if first_grown_s is None else bisect_left(self._opens, first_grown_s)
        if self._opens and count == len(self._opens):
            count -= 1  # the newest one closes by the clock alone
        key = (self._told_revision, count)
        if self._settled is None or self._settled[0] != key:
            self._settled = (key, self._columns(self._opens[:count]))
        tail = sorted(set(self._opens[count:]) | self._grown.keys())
        view = _joined(self._settled[1], self._columns(tail))
        self._view = (self.revision, view)
        return view

    def open_time_of(self, venue_epoch_s: float) -> int | None:
        """Opening time (UTC seconds) of the candle that holds this moment; ``None`` where nobody knows yet."""
        if self.interval not in _UNALIGNED:
            return int(venue_epoch_s // self.interval_s) * self.interval_s
        index = bisect_right(self._opens, venue_epoch_s) - 1
        if index < 0:
            return None
        open_s = self._opens[index]
        while (next_s := self.next_open(open_s)) <= venue_epoch_s:
            open_s = next_s
        return open_s

    def next_open(self, open_s: int) -> int:
        """Opening time (UTC seconds) of the candle after the one that opens at ``open_s``."""
        if self.interval != "1M":
            return open_s + self.interval_s
        opened = datetime.fromtimestamp(open_s, UTC)
        return open_s + calendar.monthrange(opened.year, opened.month)[1] * _DAY_S

    def _is_news(self, sample: _Sample) -> bool:
        open_s = self.open_time_of(sample.venue_epoch_s)
        if open_s is None:
            return False
        told = self._told.get(open_s)
        if told is not None:
            return not told.candle.is_closed and sample.received_mono_s > told.received_mono_s
        return not self._opens or open_s > self._opens[-1]

    def _grow_anew(self) -> None:
        self._grown.clear()
        for sample in self._samples:
            self._grow(sample)

    def _grow(self, sample: _Sample) -> None:
        open_s = self.open_time_of(sample.venue_epoch_s)
        if open_s is None:
            return
        price = sample.price
        base = self._grown.get(open_s)
        if base is None and (told := self._told.get(open_s)) is not None:
            base = told.candle
        if base is None:
            base = Candle(
                open_time=datetime.fromtimestamp(open_s, UTC),
                open=price,
                high=price,
                low=price,
                close=price,
                volume_base=None,
                volume_quote=None,
                is_closed=False,
            )
        self._grown[open_s] = replace(base, high=max(base.high, price), low=min(base.low, price), close=price)

    def _shown(self, open_s: int) -> Candle:
        candle = self._grown.get(open_s) or self._told[open_s].candle
        if candle.is_closed or not self._is_over(open_s):
            return candle
        return replace(candle, is_closed=True)

    def _is_over(self, open_s: int) -> bool:
        newest_s = max(self._opens[-1] if self._opens else open_s, max(self._grown, default=open_s))
        return self.next_open(open_s) <= max(self._clock_epoch_s, newest_s)

    def _columns(self, opens: Sequence[int]) -> CandleArrays:
        shown = [self._shown(open_s) for open_s in opens]
        volumes = [float("nan") if candle.volume_base is None else float(candle.volume_base) for candle in shown]
        return CandleArrays(
            open_time_epoch_s=np.array(opens, dtype=np.float64),
            open=np.array([float(candle.open) for candle in shown], dtype=np.float64),
            high=np.array([float(candle.high) for candle in shown], dtype=np.float64),
            low=np.array([float(candle.low) for candle in shown], dtype=np.float64),
            close=np.array([float(candle.close) for candle in shown], dtype=np.float64),
            volume=np.array(volumes, dtype=np.float64),
            is_closed=np.array([candle.is_closed for candle in shown], dtype=np.bool_),
            is_reconciled=np.array([open_s not in self._grown for open_s in opens], dtype=np.bool_),
        )


def _joined(head: CandleArrays, tail: CandleArrays) -> CandleArrays:
    return CandleArrays(
        *(np.concatenate((getattr(head, name), getattr(tail, name))) for name in CandleArrays.__struct_fields__)
    )
