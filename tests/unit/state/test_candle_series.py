"""Candles: the venue's word wins, polled prices fill the time since, and the order of arrival does not matter."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.market import Candle, CandleBatch
from monitor.state.board import Board
from monitor.state.candles import CandleSeries
from tests.fakes.poll_results import FakeClock, make_quotes, make_success

START_S = 1_790_424_000  # a whole number of hours
MINUTE_S = 60


def make_candle(
    open_s: int, close: str, *, high: str | None = None, low: str | None = None, closed: bool = True
) -> Candle:
    return Candle(
        open_time=datetime.fromtimestamp(open_s, UTC),
        open=Decimal(100),
        high=Decimal(high or max(close, "100", key=Decimal)),
        low=Decimal(low or min(close, "100", key=Decimal)),
        close=Decimal(close),
        volume_base=Decimal(5),
        volume_quote=None,
        is_closed=closed,
    )


def make_series(interval: str = "1m", capacity: int = 5_000) -> CandleSeries:
    return CandleSeries(venue="bitunix", venue_symbol="BTCUSDT", interval=interval, capacity=capacity)


def merge(series: CandleSeries, candles: Sequence[Candle], at_s: float, took_s: float = 0.1) -> None:
    series.merge(candles, requested_mono_s=at_s - took_s, received_mono_s=at_s)


def add(series: CandleSeries, price: str, at_s: float) -> None:
    """A price received ``at_s`` seconds after the start, on a clock that agrees with the venue's."""
    series.add_price(Decimal(price), received_mono_s=at_s, venue_epoch_s=START_S + at_s)


def test_the_forming_candle_grows_from_polled_prices() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100", closed=False)], 1.0)
    for at_s, price in ((2.0, "103"), (3.0, "97"), (4.0, "101")):
        add(series, price, at_s)

    newest = series.newest
    assert newest is not None
    assert (newest.open, newest.high) == (Decimal(100), Decimal(103))
    assert (newest.low, newest.close) == (Decimal(97), Decimal(101))
    assert not newest.is_closed
    assert series.arrays().is_reconciled.tolist() == [False]


def test_a_reply_replaces_what_was_grown_before_it() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100", closed=False)], 1.0)
    add(series, "150", 2.0)
    merge(series, [make_candle(START_S, "102", closed=False)], 3.0)

    newest = series.newest
    assert newest is not None
    assert (newest.high, newest.close) == (Decimal(102), Decimal(102))
    assert series.arrays().is_reconciled.tolist() == [True]


def test_a_new_candle_begins_at_the_interval_boundary_and_closes_the_old_one() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100", closed=False)], 1.0)
    add(series, "101", 59.9)
    add(series, "102", 60.0)

    before, newest = series.items
    assert before.is_closed
    assert before.close == 101
    assert newest.open_time == datetime.fromtimestamp(START_S + MINUTE_S, UTC)
    assert (newest.open, newest.close, newest.is_closed) == (Decimal(102), Decimal(102), False)


def test_volume_of_a_grown_candle_is_unknown_until_reconciled() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100")], 60.5)
    add(series, "102", 61.0)
    grown = series.arrays().volume.tolist()
    merge(series, [make_candle(START_S + MINUTE_S, "103", closed=False)], 62.0)

    assert np.isnan(grown[1])
    assert series.arrays().volume.tolist() == [5.0, 5.0]


def test_missing_candles_stay_gaps() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100"), make_candle(START_S + 3 * MINUTE_S, "101", closed=False)], 200.0)
    add(series, "150", 70.0)  # late, of an interval in which the venue says nothing traded

    assert series.arrays().open_time_epoch_s.tolist() == [START_S, START_S + 3 * MINUTE_S]


def test_a_price_older_than_the_reply_adds_nothing() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100", closed=False)], 10.0)
    revision = series.revision
    add(series, "150", 9.0)

    assert series.revision == revision
    assert series.items == (make_candle(START_S, "100", closed=False),)


def test_a_closed_candle_is_never_opened_again() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "105")], 61.0)
    merge(series, [make_candle(START_S, "101", closed=False)], 70.0)

    assert series.items == (make_candle(START_S, "105"),)


def test_a_reply_asked_for_earlier_does_not_overwrite_a_later_one() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "102", closed=False)], 20.0)
    merge(series, [make_candle(START_S, "101", closed=False)], 21.0, took_s=15.0)

    assert [candle.close for candle in series.items] == [102]


def test_only_closed_candles_are_taken_from_an_old_plan() -> None:
    series = make_series()
    candles = [make_candle(START_S, "101"), make_candle(START_S + MINUTE_S, "102", closed=False)]
    series.merge(candles, requested_mono_s=1.0, received_mono_s=2.0, closed_only=True)

    assert series.items == (candles[0],)


def test_weeks_and_months_follow_the_venues_own_opening_times() -> None:
    weekly, monthly = make_series("1w"), make_series("1M")
    monday = int(datetime(2026, 9, 21, tzinfo=UTC).timestamp())
    february = int(datetime(2026, 2, 1, tzinfo=UTC).timestamp())
    wednesday = int(datetime(2026, 9, 30, tzinfo=UTC).timestamp())
    assert weekly.open_time_of(wednesday) is None
    weekly.add_price(Decimal(1), received_mono_s=1.0, venue_epoch_s=wednesday)
    assert weekly.items == ()
    merge(weekly, [make_candle(monday, "100", closed=False)], 2.0)
    merge(monthly, [make_candle(february, "100", closed=False)], 2.0)

    assert weekly.open_time_of(wednesday) == int(datetime(2026, 9, 28, tzinfo=UTC).timestamp())
    assert monthly.next_open(february) == int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())


def test_the_oldest_candles_are_forgotten() -> None:
    series = make_series(capacity=10)
    merge(series, [make_candle(START_S + number * MINUTE_S, "100") for number in range(25)], 1.0)

    assert len(series) == 10
    assert series.arrays().open_time_epoch_s[0] == START_S + 15 * MINUTE_S


def test_arrays_are_made_anew_only_after_a_change() -> None:
    series = make_series()
    merge(series, [make_candle(START_S, "100"), make_candle(START_S + MINUTE_S, "100", closed=False)], 61.0)
    first = series.arrays()

    assert series.arrays() is first
    add(series, "102", 62.0)
    assert series.arrays() is not first
    assert series.arrays().close.tolist() == [100.0, 102.0]


Price = tuple[int, int]
Reply = tuple[int, int]
Shown = tuple[int, Decimal, Decimal, Decimal, bool]


def rebuilt(prices: list[Price], replies: list[Reply], traded: set[int]) -> list[Shown]:
    """The definition, the slow way: newest reply of each candle, extended by the prices received after it."""
    told: dict[int, tuple[bool, int, Decimal]] = {}
    for at_s, told_close in replies:
        for minute in traded:
            version = (minute < at_s // MINUTE_S, at_s, Decimal(told_close))
            if minute <= at_s // MINUTE_S and (minute not in told or version[:2] >= told[minute][:2]):
                told[minute] = version
    newest_told = max(told, default=-1)
    candles: dict[int, list[Decimal]] = {
        minute: [close, max(close, Decimal(100)), min(close, Decimal(100))] for minute, (_, _, close) in told.items()
    }
    for at_s, number in sorted(prices):
        price, minute = Decimal(number), at_s // MINUTE_S
        if minute in told:
            is_closed, asked_s, _ = told[minute]
            if is_closed or at_s <= asked_s:
                continue
        elif minute < newest_told:
            continue
        _, high, low = candles.setdefault(minute, [price, price, price])
        candles[minute] = [price, max(high, price), min(low, price)]
    clock_s = max([at_s for at_s, _ in prices], default=0)
    newest = max(candles, default=0)
    result = []
    for minute in sorted(candles):
        close, high, low = candles[minute]
        is_over = (minute + 1) * MINUTE_S <= max(clock_s, newest * MINUTE_S)
        result.append((minute, close, high, low, is_over or (minute in told and told[minute][0])))
    return result


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(90, 110)), max_size=40, unique_by=lambda price: price[0]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(95, 105)), max_size=8, unique_by=lambda reply: reply[0]),
    st.sets(st.integers(0, 6), min_size=2),
    st.randoms(use_true_random=False),
)
def test_merging_in_any_order_equals_rebuilding_from_scratch(
    prices: list[Price], replies: list[Reply], traded: set[int], random: Random
) -> None:
    """A reply has every minute that traded so far, the running one still forming, as the venue sends them."""
    series = make_series()
    events: list[tuple[bool, Price | Reply]] = [(True, price) for price in prices]
    events += [(False, reply) for reply in replies]
    random.shuffle(events)
    for is_price, (at_s, number) in events:
        if is_price:
            add(series, str(number), float(at_s))
        else:
            series.merge(
                [
                    make_candle(START_S + minute * MINUTE_S, str(number), closed=minute < at_s // MINUTE_S)
                    for minute in traded
                    if minute <= at_s // MINUTE_S
                ],
                requested_mono_s=at_s + 0.25,
                received_mono_s=at_s + 0.5,
            )
        series.arrays()

    shown = [
        (round(one.open_time.timestamp() - START_S) // MINUTE_S, one.close, one.high, one.low, one.is_closed)
        for one in series.items
    ]
    arrays = series.arrays()
    assert shown == rebuilt(prices, replies, traded)
    assert arrays.close.tolist() == [float(candle.close) for candle in series.items]
    assert arrays.is_closed.tolist() == [candle.is_closed for candle in series.items]
    assert len(series) == len(shown)


def test_the_board_grows_candles_on_the_venues_clock() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    clock.wall_jump_s = -90.0  # our clock is 90 s behind the venue's
    minute = int(clock.utc_now().timestamp() + 90.0) // MINUTE_S * MINUTE_S
    batch = CandleBatch(
        venue="bitunix",
        venue_symbol="BTCUSDT",
        interval="1m",
        candles=(make_candle(minute, "100", closed=False),),
    )
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, clock_offset_s=90.0)])
    board.apply([make_success(batch, clock, endpoint="bitunix.kline", key="bitunix.candles:BTCUSDT:1m")])
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "104"}), clock, clock_offset_s=90.0)])
    candles = board.candles(("bitunix", "BTCUSDT"), "1m")

    assert candles is not None
    assert [(candle.open_time.timestamp(), candle.close) for candle in candles.items] == [(minute, Decimal(104))]
    assert board.candles(("bitunix", "BTCUSDT"), "5m") is None


@pytest.mark.parametrize("interval", ["1m", "1d"])
def test_opening_times_are_whole_multiples_of_the_interval(interval: str) -> None:
    series = make_series(interval)
    opened = series.open_time_of(START_S + 12_345.6)

    assert opened is not None
    assert opened % series.interval_s == 0
    assert 0 <= START_S + 12_345.6 - opened < series.interval_s
