"""TimeSeries against a plain list, in every relation of history, capacity and window."""

import itertools
import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.state.series import FloatArray, TimeSeries


@dataclass
class PlainSeries:
    """The same promises kept with a list and loops."""

    capacity: int
    kept: list[tuple[float, float]] = field(default_factory=list)

    def append(self, time_s: float, value: float) -> None:
        if self.kept:
            time_s = max(time_s, self.kept[-1][0])
        self.kept = [*self.kept, (time_s, value)][-self.capacity :]

    def window(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        return [point for point in self.kept if start_s <= point[0] <= end_s]


VALUES = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan), st.integers(-5, 5).map(float))
STEPS = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 30.0))
POINTS = st.lists(st.tuples(STEPS, VALUES), max_size=400)


def filled(points: list[tuple[float, float]], capacity: int) -> tuple[TimeSeries, PlainSeries]:
    series, plain = TimeSeries(capacity), PlainSeries(capacity)
    time_s = 0.0
    for step_s, value in points:
        time_s += step_s
        series.append(time_s, value)
        plain.append(time_s, value)
    return series, plain


def as_pairs(window: tuple[FloatArray, FloatArray]) -> list[tuple[float, float]]:
    return list(zip(window[0].tolist(), window[1].tolist(), strict=True))


def same(left: list[tuple[float, float]], right: list[tuple[float, float]]) -> bool:
    return len(left) == len(right) and all(
        a[0] == b[0] and (a[1] == b[1] or (math.isnan(a[1]) and math.isnan(b[1])))
        for a, b in zip(left, right, strict=True)
    )


@given(points=POINTS, capacity=st.integers(1, 130), start=st.floats(-10, 3000), length=st.floats(0, 3000))
def test_a_window_with_few_points_equals_the_list(
    points: list[tuple[float, float]], capacity: int, start: float, length: float
) -> None:
    series, plain = filled(points, capacity)

    window = as_pairs(series.window(start, start + length, 1000))

    assert same(window, plain.window(start, start + length))
    assert len(series) == len(plain.kept)
    assert series.first_time_s == (plain.kept[0][0] if plain.kept else None)
    assert series.last_time_s == (plain.kept[-1][0] if plain.kept else None)


@settings(max_examples=300)
@given(
    points=POINTS,
    capacity=st.integers(1, 400),
    start=st.floats(-10, 1000),
    length=st.floats(1, 6000),
    columns=st.integers(1, 40),
)
def test_a_reduced_window_keeps_extremes_ends_and_gaps(
    points: list[tuple[float, float]], capacity: int, start: float, length: float, columns: int
) -> None:
    series, plain = filled(points, capacity)
    expected = plain.window(start, start + length)

    times, values = series.window(start, start + length, columns)

    assert np.all(np.diff(times) >= 0)
    assert len(times) <= 3 * (columns + 1) + 2 or len(times) == len(expected)
    if not expected:
        assert len(times) == 0
        return
    assert same([(float(times[0]), float(values[0]))], expected[:1])
    assert same([(float(times[-1]), float(values[-1]))], expected[-1:])
    finite = [value for _, value in expected if not math.isnan(value)]
    drawn = values[~np.isnan(values)].tolist()
    assert bool(drawn) == bool(finite)
    if finite:
        assert min(drawn) == min(finite)
        assert max(drawn) == max(finite)
        assert set(drawn) <= set(finite)
    # A gap anywhere leaves a NaN in the drawing, and no NaN comes from nowhere.
    assert bool(np.isnan(values).any()) == (len(finite) < len(expected))


@given(
    points=st.lists(VALUES, min_size=200, max_size=1500), columns=st.integers(2, 20), capacity=st.integers(100, 1500)
)
def test_each_column_of_evenly_spaced_points_has_its_own_extremes(
    points: list[float], columns: int, capacity: int
) -> None:
    series, plain = filled([(1.0, value) for value in points], capacity)
    end_s = float(len(points))
    start_s = 0.0
    column_s = end_s / columns

    times, values = series.window(start_s, end_s, columns)

    # A column holds whole blocks, a block is at most half a column long: everything within two columns is exact.
    for low, high in itertools.pairwise(times.tolist()):
        assert high - low <= 2 * column_s + 1
    for time_s, value in plain.window(start_s, end_s):
        if math.isnan(value):
            continue
        near = values[(times >= time_s - 2 * column_s) & (times <= time_s + 2 * column_s)]
        assert np.nanmin(near) <= value <= np.nanmax(near)


def test_a_single_gap_in_a_day_stays_visible_in_any_reduction() -> None:
    series = TimeSeries(100_000)
    for second in range(86_400):
        series.append(float(second), math.nan if second == 43_210 else 100.0)

    for columns in (10, 100, 1_000, 5_000):
        times, values = series.window(0.0, 86_400.0, columns)

        gaps = times[np.isnan(values)]
        assert len(gaps) == 1
        assert abs(gaps[0] - 43_210) <= 1.5 * 86_400 / columns  # a column, and the block that reaches into it


def test_a_moving_window_does_not_shimmer() -> None:
    """Columns stand on the time axis: what was drawn of the past is drawn the same way a frame later."""
    rng = np.random.default_rng(1)
    series = TimeSeries(50_000)
    for second, value in enumerate(rng.normal(size=40_000).tolist()):
        series.append(float(second), value)

    early = as_pairs(series.window(10_000.0, 30_000.0, 500))
    late = as_pairs(series.window(10_007.0, 30_007.0, 500))

    inner = {pair for pair in early if 10_200 < pair[0] < 29_800}
    assert len(inner) > 800
    assert inner <= set(late)


def test_padding_adds_one_point_beyond_each_end() -> None:
    series, _ = filled([(1.0, float(value)) for value in range(10)], 8)

    times, values = series.window(5.5, 7.5, 100, is_padded=True)

    assert times.tolist() == [5.0, 6.0, 7.0, 8.0]
    assert values.tolist() == [4.0, 5.0, 6.0, 7.0]
    assert series.window(0.0, 99.0, 100, is_padded=True)[0].tolist() == [3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]


def test_an_empty_series_knows_nothing() -> None:
    series = TimeSeries(5)

    assert len(series) == 0
    assert (series.first_time_s, series.last_time_s, series.last_value, series.at(1.0)) == (None, None, None, None)
    assert len(series.window(0.0, 10.0, 5)[0]) == 0


def test_the_newest_value_is_unknown_after_a_gap() -> None:
    series = TimeSeries(5)
    for time_s, value in ((1.0, 7.0), (2.0, math.nan)):
        series.append(time_s, value)

    assert series.last_value is None
    assert series.last_time_s == 2.0
    assert series.at(1.5) == (1.0, 7.0)
    assert series.at(2.5) is None
    assert series.at(0.5) is None


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_value_that_is_no_number_is_a_gap(value: float) -> None:
    series = TimeSeries(5)
    series.append(1.0, value)

    assert series.last_value is None
    assert math.isnan(series.window(0.0, 2.0, 5)[1][0])


def test_an_earlier_time_is_taken_as_the_newest() -> None:
    series = TimeSeries(5)
    series.append(10.0, 1.0)
    series.append(9.5, 2.0)

    assert as_pairs(series.window(0.0, 20.0, 5)) == [(10.0, 1.0), (10.0, 2.0)]


def test_a_time_that_is_no_number_is_refused() -> None:
    series = TimeSeries(5)

    for time_s in (math.nan, math.inf):
        with pytest.raises(ValueError, match="finite"):
            series.append(time_s, 1.0)
    assert len(series) == 0


def test_a_capacity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        TimeSeries(0)


@given(points=POINTS, capacity=st.integers(1, 130), start=st.floats(-10, 1000), length=st.floats(0, 1000))
def test_index_ranges_address_the_points_of_a_window(
    points: list[tuple[float, float]], capacity: int, start: float, length: float
) -> None:
    series, plain = filled(points, capacity)

    first, end = series.index_range(start, start + length)

    expected = plain.window(start, start + length)
    assert end - first == len(expected)
    assert same(as_pairs(series.points(first, end)), expected)
    assert 0 <= first <= end <= series.total


@given(points=POINTS, capacity=st.integers(1, 130), more=POINTS)
def test_a_series_of_points_goes_on_as_if_they_had_been_appended(
    points: list[tuple[float, float]], capacity: int, more: list[tuple[float, float]]
) -> None:
    kept = points[-capacity:]
    appended, _ = filled(kept, capacity)
    times, values = np.cumsum([step for step, _ in kept]), np.array([value for _, value in kept], dtype=np.float64)
    loaded = TimeSeries.of_points(capacity, times.astype(np.float64), values)
    # Older points than fit leave no trace.
    earlier = np.full(7, -1.0)
    longer = TimeSeries.of_points(capacity, np.concatenate((earlier, times)), np.concatenate((earlier, values)))
    assert len(loaded) == len(appended)
    if len(kept) == capacity:
        assert longer.first_time_s == appended.first_time_s
    time_s = float(times[-1]) if kept else 0.0
    for step_s, value in [(0.0, 1.0), *more]:
        time_s += step_s
        appended.append(time_s, value)
        loaded.append(time_s, value)
        for columns in (1, 3, 20):
            expected = as_pairs(appended.window(-10.0, time_s, columns))
            assert same(as_pairs(loaded.window(-10.0, time_s, columns)), expected)
