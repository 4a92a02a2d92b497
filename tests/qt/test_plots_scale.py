"""Ticks, ranges and words of the plots: pure arithmetic."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.widgets.plot_gutter import spread
from monitor.widgets.plot_scale import (
    TEXT_CHARACTERS,
    LatencyRange,
    StepRange,
    age_text,
    compact_text,
    latency_text,
    linear_scale,
    log_scale,
    nice_step,
    price_text,
    time_ticks,
)

NOON = datetime(2026, 11, 23, 12, 3, 20, tzinfo=UTC)
PRICES = st.floats(1e-7, 1e7)


@given(st.floats(1e-9, 1e9))
def test_a_step_is_one_two_or_five_times_a_power_of_ten(raw: float) -> None:
    step = nice_step(raw)

    assert raw * (1 - 1e-6) <= step <= raw * 2.5 * (1 + 1e-6)
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert any(math.isclose(mantissa, factor, rel_tol=1e-6) for factor in (1, 2, 5))


@given(low=PRICES, part=st.floats(0.0, 0.5), max_ticks=st.integers(2, 12))
def test_a_price_scale_holds_the_data_and_few_ticks(low: float, part: float, max_ticks: int) -> None:
    high = low * (1 + part)

    scale = linear_scale(low, high, max_ticks)

    assert scale.low < low
    assert high < scale.high
    assert 1 <= len(scale.ticks) <= max_ticks + 2
    assert all(len(text) <= TEXT_CHARACTERS for _, text in scale.ticks)
    assert all(
        scale.low - scale.step * 1e-3 <= position <= scale.high + scale.step * 1e-3 for position, _ in scale.ticks
    )
    for (a, _), (b, _) in itertools.pairwise(scale.ticks):
        assert b - a == pytest.approx(scale.step, rel=1e-6)


@given(low=st.floats(1e-6, 1e-1), factor=st.floats(1.0, 1e4), max_ticks=st.integers(2, 12))
def test_a_latency_scale_holds_the_data_and_few_ticks(low: float, factor: float, max_ticks: int) -> None:
    scale = log_scale(low, low * factor, max_ticks)

    assert scale.low < math.log10(low)
    assert math.log10(low * factor) < scale.high
    assert len(scale.ticks) <= max(max_ticks, 2)
    assert scale.high - scale.low >= math.log10(9.9)


def test_a_range_stays_while_the_price_wanders_inside_it() -> None:
    ranges = StepRange()
    first = ranges.fit(100.0, 101.0, 6)

    assert all(ranges.fit(100.0 + 0.01 * number, 101.0, 6) is first for number in range(40))


def test_a_range_moves_when_the_price_leaves_it_and_when_a_spike_has_passed() -> None:
    ranges = StepRange()
    first = ranges.fit(100.0, 101.0, 6)
    wide = ranges.fit(100.0, 110.0, 6)
    narrow = ranges.fit(100.0, 101.0, 6)

    assert wide is not first
    assert wide.high > 110.0
    assert narrow.high - narrow.low < (wide.high - wide.low) / 3


def test_a_latency_range_stays_and_moves_alike() -> None:
    for is_log in (True, False):
        ranges = LatencyRange(is_log=is_log)
        first = ranges.fit(0.05, 0.08, 6)

        assert ranges.fit(0.051, 0.081, 6) is first
        spike = ranges.fit(0.05, 8.0, 6)
        assert spike is not first
        assert ranges.fit(0.05, 0.08, 6).high < spike.high


def test_a_linear_latency_range_starts_at_zero() -> None:
    scale = LatencyRange(is_log=False).fit(0.05, 0.08, 6)

    assert scale.low == 0.0
    assert scale.ticks[0] == (0.0, "0")


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (97123.4, 1, "97,123.4"),
        (0.00001234, 8, "0.00001234"),
        (1234567.891, 2, "1234567.89"),
        (1234567.891, 6, "1234567.89"),
        (0.0000001234567, 13, "1.235e−07"),
        (-3.5, 1, "−3.5"),
    ],
)
def test_prices_fit_their_column(value: float, decimals: int, text: str) -> None:
    assert price_text(value, decimals) == text


@given(st.floats(1e-12, 1e15), st.integers(0, 16))
def test_no_price_is_longer_than_its_column(value: float, decimals: int) -> None:
    assert len(price_text(value, decimals)) <= TEXT_CHARACTERS


def test_words_for_latencies_ages_and_volumes() -> None:
    assert [latency_text(value) for value in (0.0008, 0.061, 0.9994, 1.25, 123.0)] == [
        "0.8 ms",
        "61 ms",
        "999 ms",
        "1.2 s",
        "123 s",
    ]
    assert [age_text(value) for value in (-0.1, 0.44, 34.2, 59.6, 130.0, 11_100.0, 187_200.0)] == [
        "0.0 s",
        "0.4 s",
        "34 s",
        "1 min",
        "2 min 10 s",
        "3 h 5 min",
        "2 d 4 h",
    ]
    assert [compact_text(value) for value in (0.5, 950.0, 1234.0, 34e6, 250e6)] == [
        "0.5",
        "950",
        "1.2 k",
        "34.0 M",
        "250 M",
    ]


def test_short_spans_have_labels_that_never_move() -> None:
    early = time_ticks(NOON, 60.0, 8, UTC)
    late = time_ticks(NOON + timedelta(seconds=17.3), 60.0, 8, UTC)

    assert early == late
    assert early[0] == (0.0, "now")
    assert early[-1] == (-60.0, "−1 min")


def test_long_spans_have_clock_times_at_round_minutes() -> None:
    ticks = time_ticks(NOON, 3_600.0, 8, UTC)

    assert [text for _, text in ticks] == ["12:00", "11:50", "11:40", "11:30", "11:20", "11:10"]
    assert ticks[0][0] == -200.0


def test_midnight_shows_the_date_of_the_users_zone() -> None:
    ticks = dict(time_ticks(NOON, 86_400.0, 8, ZoneInfo("Asia/Tokyo")))

    assert "23 Nov" in ticks.values()
    midnight = next(ago for ago, text in ticks.items() if text == "23 Nov")
    assert NOON + timedelta(seconds=midnight) == datetime(2026, 11, 22, 15, tzinfo=UTC)


@given(st.floats(1.0, 3e6), st.integers(2, 20))
def test_time_ticks_lie_in_the_span_and_are_few(span_s: float, max_ticks: int) -> None:
    ticks = time_ticks(NOON, span_s, max_ticks, UTC)

    assert all(-span_s - 1e-6 <= ago <= 0.0 for ago, _ in ticks)
    assert len(ticks) <= max_ticks + 1


@given(
    st.lists(st.floats(-50.0, 350.0), max_size=6).map(sorted),
    st.floats(5.0, 40.0),
)
def test_tags_are_moved_apart_and_stay_inside(centres: list[float], height: float) -> None:
    placed = spread(centres, height, 0.0, 300.0)

    assert len(placed) == len(centres)
    assert all(b - a >= height - 1e-6 for a, b in itertools.pairwise(placed))
    assert all(height / 2 - 1e-6 <= y <= 300.0 - height / 2 + 1e-6 for y in placed)


def test_tags_that_do_not_touch_stay_where_they_are() -> None:
    assert spread([20.0, 100.0, 180.0], 16.0, 0.0, 300.0) == pytest.approx([20.0, 100.0, 180.0])


def test_more_tags_than_room_share_it() -> None:
    placed = spread([10.0, 10.0, 10.0, 10.0], 50.0, 0.0, 100.0)

    assert placed == pytest.approx([12.5, 37.5, 62.5, 87.5])
