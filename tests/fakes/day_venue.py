"""A market known to the second for a day, and the old bots' job done on it: 200 candles of 5 m, once a minute."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

import numpy as np
from msgspec.structs import replace

from monitor.domain.market import Candle, CandleBatch, QuoteBatch
from monitor.exchanges.base import Fetched, Focus, Payload, PollJob
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.caching import CachedClient
from monitor.exchanges.registry import VENUES
from monitor.polling.clock import ClockOffset
from monitor.proof.day import run_day
from monitor.proof.pool_life import LifeRules
from monitor.proof.simulated import DayClock, DayFigures, DayTransport, MeasuredTimes
from monitor.state.candles import CandleSeries
from monitor.transport.budget import WeightBudget
from monitor.transport.interface import Endpoint

SYMBOL = "BTCUSDT"
INTERVAL = "5m"
INTERVAL_S = 300
CANDLES = 200
OLD_EVERY_S = 60.0
START = datetime(2026, 11, 23, 10, 2, 17, 400_000, tzinfo=UTC)
"""Somewhere inside a candle, like every real start."""


class DayMarket:
    """One instrument's price at every second: a random walk in cents. Answers as Bitunix would."""

    def __init__(self, *, start: datetime, duration_s: float, seed: int) -> None:
        self._first_s = (int(start.timestamp()) // INTERVAL_S - CANDLES - 2) * INTERVAL_S
        seconds = int(start.timestamp() + duration_s) + 2 * INTERVAL_S - self._first_s
        steps = np.random.default_rng(seed).integers(-300, 301, seconds)
        self._cents = 6_000_000 + np.cumsum(steps)

    def price(self, epoch_s: float) -> Decimal:
        """The last trade at this moment."""
        return Decimal(int(self._cents[int(epoch_s) - self._first_s])) / 100

    def candle(self, open_s: int, upto_epoch_s: float) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Open, high, low and close of a candle as far as it has formed."""
        first = open_s - self._first_s
        formed = self._cents[first : min(first + INTERVAL_S, int(upto_epoch_s) - self._first_s + 1)]
        ends = (formed[0], formed.max(), formed.min(), formed[-1])
        return tuple(Decimal(int(cents)) / 100 for cents in ends)  # type: ignore[return-value]  # four go in

    def answer(self, endpoint: Endpoint, params: Mapping[str, str] | None, epoch_s: float) -> bytes:
        """The body of a reply."""
        if endpoint.name == "bitunix.tickers":
            price = str(self.price(epoch_s))
            return json.dumps({"code": 0, "data": [{"symbol": SYMBOL, "lastPrice": price}], "msg": "ok"}).encode()
        assert endpoint.name == "bitunix.kline"
        assert params is not None
        newest_s = int(epoch_s) // INTERVAL_S * INTERVAL_S
        rows = []
        for place in range(int(params["limit"])):
            open_s = newest_s - place * INTERVAL_S
            names = ("open", "high", "low", "close")
            row = dict(zip(names, map(str, self.candle(open_s, epoch_s)), strict=True))
            rows.append({**row, "time": str(open_s * 1000), "quoteVol": "2", "baseVol": "120000"})
        return json.dumps({"code": 0, "data": rows, "msg": "ok"}).encode()


@dataclass
class CandleWatch:
    """Judges what the user sees of the candles: the board's own series, against the market's truth."""

    market: DayMarket
    transport: DayTransport
    series: CandleSeries
    clock_offset: ClockOffset
    grows: bool
    seen_closes: dict[int, float]
    wrong_forming: int = 0
    worst_price_age_s: float = 0.0
    newest_price_s: float | None = None

    def take(self, clock: DayClock, fetched: Fetched[Payload]) -> None:
        """A reply arrived: show it, then look."""
        value = fetched.value
        if self.newest_price_s is not None:
            age_s = fetched.received_mono_s - self.newest_price_s
            self.worst_price_age_s = max(self.worst_price_age_s, age_s)
        if fetched.clock_offset_s is not None:
            self.clock_offset.add(fetched.clock_offset_s, fetched.received_mono_s - fetched.requested_mono_s)
        if isinstance(value, CandleBatch):
            self.series.merge(
                value.candles, requested_mono_s=fetched.requested_mono_s, received_mono_s=fetched.received_mono_s
            )
            self._look_at_closed()
            self.newest_price_s = fetched.requested_mono_s
        elif isinstance(value, QuoteBatch) and self.grows:
            price = value.quotes[0].last
            assert price is not None
            venue_s = clock.utc_now().timestamp() + (self.clock_offset.offset_s or 0.0)
            self.series.add_price(price, received_mono_s=fetched.received_mono_s, venue_epoch_s=venue_s)
            newest = self.series.newest
            self.wrong_forming += newest is not None and newest.close != price
            self.newest_price_s = fetched.requested_mono_s

    def _look_at_closed(self) -> None:
        now_s = self.transport.venue_epoch_s()
        for candle in self.series.items[-3:]:
            open_s = int(candle.open_time.timestamp())
            close_s = open_s + INTERVAL_S
            if candle.is_closed and close_s not in self.seen_closes and self._is_true(candle, open_s):
                self.seen_closes[close_s] = now_s - close_s

    def _is_true(self, candle: Candle, open_s: int) -> bool:
        truth = self.market.candle(open_s, open_s + INTERVAL_S)
        return (candle.open, candle.high, candle.low, candle.close) == truth


@dataclass(frozen=True)
class OldJobDay:
    """What a day of the old job cost and showed.

    ``closes``: candles that closed while we watched; ``right``: how many of them were ever shown right.
    ``worst_close_s``: longest time from a close until its candle was shown right. ``worst_price_age_s``: the oldest
    price the forming candle ended with, from its request until the next one was shown.
    """

    figures: DayFigures
    closes: int
    right: int
    worst_close_s: float
    worst_price_age_s: float
    wrong_forming: int


def old_job_day(
    times: MeasuredTimes,
    *,
    is_cached: bool,
    is_pooled: bool,
    server_idle_s: float = 60.0,
    max_idle_s: float | None = 300.0,
    max_age_s: float | None = None,
    duration_s: float = 86_400.0,
    venue_ahead_s: float = 0.37,
    seed: int = 1,
) -> OldJobDay:
    """Run it for ``duration_s``, with the price poll that runs in this app anyway beside it.

    Not cached: 200 candles a minute, as the bots did. Cached: what our plan does for the same chart.
    """
    clock = DayClock(START)
    market = DayMarket(start=START, duration_s=duration_s + venue_ahead_s, seed=seed)
    transport = DayTransport(
        venue="bitunix",
        clock=clock,
        budget=WeightBudget(VENUES["bitunix"].budget_rule, clock),
        times=times,
        rules=LifeRules(server_idle_s=server_idle_s, max_idle_s=max_idle_s, max_age_s=max_age_s, is_pooled=is_pooled),
        answer=market.answer,
        venue_ahead_s=venue_ahead_s,
    )
    client = BitunixClient(transport, wall_clock=clock.utc_now)
    cached = CachedClient(client, clock=clock, wall_clock=clock.utc_now)
    planned = cached.poll_jobs(Focus(venue_symbol=SYMBOL, interval=INTERVAL))
    jobs: list[PollJob] = [job for job in planned if job.endpoint in {"bitunix.tickers", "bitunix.kline"}]
    assert len(jobs) == 2
    if not is_cached:
        fetch = partial(client.fetch_candles, SYMBOL, INTERVAL, limit=CANDLES)
        jobs[1] = replace(jobs[1], cadence_s=OLD_EVERY_S, align_offset_s=None, fetch=fetch)
    watch = CandleWatch(
        market=market,
        transport=transport,
        series=CandleSeries(venue="bitunix", venue_symbol=SYMBOL, interval=INTERVAL),
        clock_offset=ClockOffset(),
        grows=is_cached,
        seen_closes={},
    )
    figures = run_day(
        jobs,
        transport,
        clock,
        random=random.Random(seed).random,
        on_result=lambda _job, fetched: watch.take(clock, fetched),
        duration_s=duration_s,
    )
    begin_s = START.timestamp() + venue_ahead_s
    # The last close counts only if there was time to show it.
    ends = range(
        int(begin_s) // INTERVAL_S * INTERVAL_S + INTERVAL_S, int(begin_s + duration_s - OLD_EVERY_S - 2), INTERVAL_S
    )
    delays_s = [watch.seen_closes[end] for end in ends if end in watch.seen_closes]
    return OldJobDay(
        figures=figures,
        closes=len(ends),
        right=len(delays_s),
        worst_close_s=max(delays_s, default=float("inf")),
        worst_price_age_s=watch.worst_price_age_s,
        wrong_forming=watch.wrong_forming,
    )
