"""Reads answered from memory: metadata with its age, prices never, candles by what closed since."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.domain.errors import (
    BudgetExhausted,
    MonitorError,
    PayloadError,
    RateLimited,
    ReadOnlyViolation,
    TransportError,
    UnknownInstrument,
)
from monitor.domain.market import InstrumentCatalog
from monitor.exchanges.base import Fetched, Focus, Source
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.caching import MAX_SERIES, CachedClient
from tests.fakes.exchange_data import as_bytes, reply_bytes
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

GONE = TransportError("the venue is gone")


class Market:
    """Bitunix as a server of one-minute candles that close as the fake clock goes on."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.trouble: MonitorError | None = None
        self.first_ms = self.now_ms - 1_000 * 60_000
        self.transport = FakeTransport(responder=self.answer, clock=self.clock)
        self.client = BitunixClient(self.transport, wall_clock=self.clock.utc_now, pause=self.clock.advance)
        self.cached = CachedClient(self.client, clock=self.clock, wall_clock=self.clock.utc_now)

    @property
    def now_ms(self) -> int:
        return int(self.clock.utc_now().timestamp() * 1_000)

    def answer(self, asked: Asked) -> Answer:
        if self.trouble is not None:
            return self.trouble
        kind = asked.endpoint.name.removeprefix("bitunix.")
        date = self.clock.utc_now().replace(microsecond=0)
        if kind != "kline":
            return Canned(body=reply_bytes("bitunix", kind), date=date)
        params = asked.params or {}
        step_ms = {"1m": 60_000, "5m": 300_000}[params["interval"]]
        newest_ms = min(self.now_ms, int(params.get("endTime", self.now_ms))) // step_ms * step_ms
        times = [newest_ms - step_ms * number for number in range(int(params["limit"]))]
        return Canned(
            body=as_bytes({"code": 0, "data": [self.row(time, step_ms) for time in times], "msg": ""}), date=date
        )

    def row(self, time_ms: int, step_ms: int) -> dict[str, str]:
        """Its close tells when it was read while it formed, and no longer once it has closed."""
        read_ms = min(self.now_ms, time_ms + step_ms)
        price = str(1_000 + read_ms % 1_000_000_007)
        return {
            "open": "1",
            "high": price,
            "low": "1",
            "close": price,
            "quoteVol": "1",
            "baseVol": price,
            "time": str(time_ms),
        }

    def limits(self) -> list[int]:
        """The number of rows of every kline request."""
        asked = [one.params for one in self.transport.asked if one.endpoint.name == "bitunix.kline"]
        return [int((params or {})["limit"]) for params in asked]


@pytest.fixture
def market() -> Market:
    return Market()


# Metadata


def test_metadata_is_asked_for_once_an_hour(market: Market) -> None:
    first = market.cached.fetch_instruments()
    market.clock.advance(3_500)
    second = market.cached.fetch_instruments()
    market.clock.advance(200)
    third = market.cached.fetch_instruments()

    assert (first.source, second.source, third.source) == (Source.NETWORK, Source.CACHE, Source.NETWORK)
    assert second.value is first.value
    assert second.traces == ()
    assert second.cache_age_s == pytest.approx(3_500)
    assert len(market.transport.asked) == 2


def test_old_metadata_is_better_than_none_and_says_how_old_it_is(market: Market) -> None:
    first = market.cached.fetch_instruments()
    market.clock.advance(10_000)
    market.trouble = TransportError("gone", traces=market.transport.request(market.transport.asked[0].endpoint).traces)

    stale = market.cached.fetch_instruments()

    assert (stale.source, stale.value) == (Source.STALE_CACHE, first.value)
    assert stale.cache_age_s >= 10_000
    assert len(stale.traces) == 1, "the failed try must stay visible"


def test_without_anything_held_an_error_is_an_error(market: Market) -> None:
    market.trouble = GONE

    with pytest.raises(TransportError):
        market.cached.fetch_instruments()
    with pytest.raises(TransportError):
        market.cached.fetch_candles("BTCUSDT", "1m")


# Prices


@pytest.mark.parametrize("name", ["quotes", "details", "book", "funding"])
def test_prices_are_never_served_from_memory(market: Market, name: str) -> None:
    reads: dict[str, Callable[[], object]] = {
        "quotes": market.cached.fetch_quotes,
        "details": market.cached.fetch_details,
        "book": lambda: market.cached.fetch_order_book("BTCUSDT"),
        "funding": lambda: market.cached.fetch_funding_history("BTCUSDT"),
    }

    for _ in range(3):
        result = reads[name]()
        assert isinstance(result, Fetched)
        assert result.source is Source.NETWORK
    assert len(market.transport.asked) == 3
    market.trouble = GONE
    with pytest.raises(TransportError):
        reads[name]()


# Candles


def test_only_what_closed_and_the_forming_candle_are_asked_for(market: Market) -> None:
    market.cached.fetch_candles("BTCUSDT", "1m", limit=200)
    market.clock.advance(60)
    market.cached.fetch_candles("BTCUSDT", "1m", limit=200)
    market.clock.advance(150)
    market.cached.fetch_candles("BTCUSDT", "1m", limit=200)

    assert market.limits() == [200, 4, 5]


def test_incremental_candles_equal_those_of_a_full_read(market: Market) -> None:
    for seconds in (0, 5, 61, 59, 0.5, 240, 3_600, 17):
        market.clock.advance(seconds)
        held = market.cached.fetch_candles("BTCUSDT", "1m", limit=200)
        fresh = market.client.fetch_candles("BTCUSDT", "1m", limit=200)
        assert [one.open_time for one in held.value.candles] == [one.open_time for one in fresh.value.candles]
        assert held.value.candles[:-1] == fresh.value.candles[:-1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 20_000), min_size=1, max_size=12), st.sampled_from([5, 50, 200]))
def test_whatever_the_pauses_every_closed_candle_is_right(pauses_s: list[float], limit: int) -> None:
    market = Market()
    for pause_s in pauses_s:
        market.clock.advance(pause_s)
        held = market.cached.fetch_candles("BTCUSDT", "1m", limit=limit)
        age_s = market.clock() - held.received_mono_s
        candles = held.value.candles
        assert len(candles) == limit
        assert all(one.open_time + timedelta(minutes=1) == two.open_time for one, two in pairwise(candles))
        for candle in candles[:-1]:
            end_ms = int(candle.open_time.timestamp() * 1_000) + 60_000
            assert candle.is_closed
            assert candle.close == 1_000 + end_ms % 1_000_000_007
        # Never older than it says.
        assert held.cache_age_s >= age_s - 1e-6 or held.source is Source.NETWORK
        assert age_s <= held.cache_age_s + 0.2


def test_candles_asked_for_again_at_once_come_from_memory_with_their_age(market: Market) -> None:
    first = market.cached.fetch_candles("BTCUSDT", "1m", limit=50)
    market.clock.advance(0.5)
    second = market.cached.fetch_candles("BTCUSDT", "1m", limit=20)

    assert second.source is Source.CACHE
    assert second.cache_age_s == pytest.approx(0.5)
    assert second.value.candles == first.value.candles[-20:]
    assert len(market.transport.asked) == 1


def test_more_candles_than_are_held_are_asked_for_in_full(market: Market) -> None:
    market.cached.fetch_candles("BTCUSDT", "1m", limit=20)
    market.clock.advance(60)
    market.cached.fetch_candles("BTCUSDT", "1m", limit=100)

    assert market.limits() == [20, 100]


def test_after_a_long_pause_the_candles_are_read_anew(market: Market) -> None:
    market.cached.fetch_candles("BTCUSDT", "1m", limit=100)
    market.clock.advance(60 * 500)
    market.cached.fetch_candles("BTCUSDT", "1m", limit=100)

    assert market.limits() == [100, 100]


def test_a_sleep_that_stops_the_monotonic_clock_leaves_no_hole(market: Market) -> None:
    wall_extra_s = 0.0
    cached = CachedClient(
        market.client, clock=market.clock, wall_clock=lambda: market.clock.utc_now() + timedelta(seconds=wall_extra_s)
    )
    cached.fetch_candles("BTCUSDT", "1m", limit=100)
    wall_extra_s = 1_200.0
    fetched = cached.fetch_candles("BTCUSDT", "1m", limit=100)

    assert fetched.source is Source.NETWORK
    assert market.limits() == [100, 23]


def test_a_hole_that_no_clock_showed_is_found_and_filled(market: Market) -> None:
    frozen = FakeClock(market.clock())
    cached = CachedClient(market.client, clock=frozen, wall_clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    cached.fetch_candles("BTCUSDT", "1m", limit=100)
    frozen.advance(61)
    market.clock.advance(60 * 30)
    fetched = cached.fetch_candles("BTCUSDT", "1m", limit=100)

    assert market.limits() == [100, 4, 100]
    assert len(fetched.traces) == 2
    times = [candle.open_time for candle in fetched.value.candles]
    assert times[-1] - times[0] == timedelta(minutes=99)


def test_a_range_of_candles_is_always_asked_for(market: Market) -> None:
    end = market.clock.utc_now() - timedelta(hours=1)
    for _ in range(2):
        market.cached.fetch_candles("BTCUSDT", "1m", end=end, limit=10)

    assert market.limits() == [10, 10]


def test_the_old_job_of_a_day_needs_no_more_than_its_closes(market: Market) -> None:
    """200 candles of 5 m, asked for as each closes: 288 calls a day of a few rows instead of 1440 of 200."""
    for _ in range(288):
        market.cached.fetch_candles("BTCUSDT", "5m", limit=200)
        market.clock.advance(300 - 0.1)

    assert len(market.limits()) == 288
    assert market.limits()[0] == 200
    assert max(market.limits()[1:]) <= 4


@pytest.mark.parametrize(
    "error",
    [
        GONE,
        BudgetExhausted("cap", available_in_s=3.0),
        RateLimited("slow down", http_status=429, retry_after_s=None),
        PayloadError(endpoint="bitunix.kline", path="data", expected="a list"),
    ],
)
def test_held_candles_bridge_a_passing_error_with_their_age(market: Market, error: MonitorError) -> None:
    first = market.cached.fetch_candles("BTCUSDT", "1m", limit=50)
    market.clock.advance(90)
    market.trouble = error

    stale = market.cached.fetch_candles("BTCUSDT", "1m", limit=50)

    assert (stale.source, stale.value) == (Source.STALE_CACHE, first.value)
    assert stale.cache_age_s == pytest.approx(90)


@pytest.mark.parametrize(
    "error", [UnknownInstrument("gone", http_status=200), ReadOnlyViolation("no"), MonitorError("bug")]
)
def test_an_error_that_will_not_pass_is_not_hidden_behind_old_candles(market: Market, error: MonitorError) -> None:
    market.cached.fetch_candles("BTCUSDT", "1m", limit=50)
    market.clock.advance(90)
    market.trouble = error

    with pytest.raises(type(error)):
        market.cached.fetch_candles("BTCUSDT", "1m", limit=50)


def test_the_series_longest_unused_is_dropped_first(market: Market) -> None:
    for number in range(MAX_SERIES + 1):
        market.cached.fetch_candles(f"C{number}USDT", "1m", limit=5)
        market.cached.fetch_candles("C0USDT", "1m", limit=5)
        market.clock.advance(0.01)
    before = len(market.transport.asked)

    market.cached.fetch_candles("C1USDT", "1m", limit=5)

    assert market.limits()[before:] == [5], "C1 was the longest unused"


# Poll jobs


def test_jobs_read_through_the_memory(market: Market) -> None:
    jobs = {job.key: job for job in market.cached.poll_jobs(Focus(venue_symbol="BTCUSDT"))}
    candles = jobs["bitunix.candles:BTCUSDT:1m"]

    candles.fetch()
    market.clock.advance(60)
    candles.fetch()

    assert market.limits() == [200, 4]


def test_a_poll_that_fails_is_a_failed_poll_even_with_something_held(market: Market) -> None:
    jobs = {job.key: job for job in market.cached.poll_jobs(Focus(venue_symbol="BTCUSDT"))}
    for key in ("bitunix.candles:BTCUSDT:1m", "bitunix.trading_pairs"):
        jobs[key].fetch()
    market.clock.advance(3_600)
    market.trouble = GONE

    for key in ("bitunix.candles:BTCUSDT:1m", "bitunix.trading_pairs"):
        with pytest.raises(TransportError):
            jobs[key].fetch()


def test_the_hourly_poll_is_not_put_off_by_what_it_fetched_itself(market: Market) -> None:
    job = next(job for job in market.cached.poll_jobs(Focus()) if job.key == "bitunix.trading_pairs")
    job.fetch()
    market.clock.advance(3_599.5)

    assert job.fetch().source is Source.NETWORK


def test_a_metadata_poll_shares_what_the_start_has_just_fetched(market: Market) -> None:
    market.cached.fetch_instruments()
    job = next(job for job in market.cached.poll_jobs(Focus()) if job.key == "bitunix.trading_pairs")

    fetched = job.fetch()

    assert fetched.source is Source.CACHE
    assert isinstance(fetched.value, InstrumentCatalog)
    assert len(market.transport.asked) == 1


def test_reads_are_counted_by_how_they_were_answered(market: Market) -> None:
    market.cached.fetch_quotes()
    market.cached.fetch_candles("BTCUSDT", "1m", limit=10)
    market.cached.fetch_candles("BTCUSDT", "1m", limit=10)
    market.clock.advance(60)
    market.cached.fetch_candles("BTCUSDT", "1m", limit=10)
    market.clock.advance(60)
    market.trouble = GONE
    market.cached.fetch_candles("BTCUSDT", "1m", limit=10)
    stats = market.cached.stats()

    assert (stats.network, stats.partial, stats.cached, stats.shared, stats.stale) == (2, 1, 1, 0, 1)
