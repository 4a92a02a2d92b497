"""LatencyWindow: cold and warm apart, failures counted, percentiles that are numpy's."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.state.latency import LatencyWindow, MarkKind, kind_of
from monitor.state.latency_bins import MIN_BAND_MARKS, percentiles


def trace(
    ended_s: float,
    latency_s: float = 0.06,
    *,
    is_cold: bool | None = False,
    error_kind: ErrorKind | None = None,
    is_healed: bool = False,
    status: int | None = 200,
    request_id: int = 1,
    attempt: int = 1,
    connection_id: int | None = 7,
    endpoint: str = "bitunix.tickers",
) -> RequestTrace:
    return RequestTrace(
        request_id=request_id,
        attempt=attempt,
        venue="bitunix",
        endpoint=endpoint,
        method="GET",
        host="127.0.0.1:443",
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
        started_mono_s=ended_s - latency_s,
        ended_mono_s=ended_s,
        total_s=latency_s,
        is_cold=is_cold,
        connection_id=connection_id,
        status=status,
        error_kind=error_kind,
        is_healed=is_healed,
    )


@given(st.lists(st.floats(1e-6, 100.0), min_size=1, max_size=300), st.sampled_from([0.0, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_percentiles_equal_numpys(values: list[float], fraction: float) -> None:
    (found,) = percentiles(np.array(values), (fraction,))

    assert found == pytest.approx(np.percentile(values, 100 * fraction), rel=1e-12)


def test_percentiles_of_nothing_are_unknown() -> None:
    assert percentiles(np.array([]), (0.5, 0.95)) == (None, None)


def test_cold_and_warm_never_share_a_figure() -> None:
    window = LatencyWindow(100)
    for second in range(20):
        window.add(trace(float(second), 0.06, is_cold=False))
        window.add(trace(float(second), 0.30, is_cold=True))

    warm, cold = window.summary(0.0, 99.0, False), window.summary(0.0, 99.0, True)

    assert (warm.n, warm.p50_s, warm.p99_s) == (20, 0.06, 0.06)
    assert (cold.n, cold.p50_s, cold.p99_s) == (20, 0.30, 0.30)
    both = window.summary(0.0, 99.0, None)
    assert (both.n, both.p50_s, both.p95_s, both.p99_s) == (40, None, None, None)


def test_a_failure_is_counted_and_never_a_latency() -> None:
    window = LatencyWindow(100)
    window.add(trace(1.0, 0.06))
    window.add(trace(2.0, 8.0, error_kind=ErrorKind.TIMEOUT, status=None))
    window.add(trace(3.0, 0.05, status=429))
    window.add(trace(4.0, 3.0, is_cold=None, error_kind=ErrorKind.CONNECT, status=None, connection_id=None))
    window.add(trace(5.0, 0.01, error_kind=ErrorKind.DROPPED, is_healed=True, status=None))
    window.add(trace(6.0, 0.4, is_cold=True, error_kind=ErrorKind.DROPPED, status=None))

    warm, cold, both = (window.summary(0.0, 9.0, is_cold) for is_cold in (False, True, None))

    assert (warm.n, warm.p99_s, warm.failed, warm.healed) == (1, 0.06, 2, 1)
    assert (cold.n, cold.p50_s, cold.failed, cold.healed) == (0, None, 1, 0)
    assert (both.n, both.failed, both.healed) == (1, 4, 1)


@pytest.mark.parametrize(
    ("attempt", "kind"),
    [
        (trace(1.0), MarkKind.WARM),
        (trace(1.0, is_cold=True), MarkKind.COLD),
        (trace(1.0, status=500), MarkKind.FAILED),
        (trace(1.0, is_cold=None), MarkKind.FAILED),
        (trace(1.0, error_kind=ErrorKind.DROPPED), MarkKind.FAILED),
        (trace(1.0, error_kind=ErrorKind.DROPPED, is_healed=True), MarkKind.HEALED),
    ],
)
def test_each_attempt_has_one_kind_of_mark(attempt: RequestTrace, kind: MarkKind) -> None:
    assert kind_of(attempt) is kind


@given(
    ends=st.lists(st.floats(0.0, 100.0), max_size=60),
    capacity=st.integers(1, 80),
    start=st.floats(-5.0, 100.0),
    length=st.floats(0.0, 100.0),
)
def test_a_focus_period_counts_what_a_list_counts(
    ends: list[float], capacity: int, start: float, length: float
) -> None:
    window = LatencyWindow(capacity)
    for number, ended_s in enumerate(sorted(ends)):
        window.add(trace(ended_s, 0.01 + number * 0.001, request_id=number))
    kept = [(ended_s, 0.01 + number * 0.001) for number, ended_s in enumerate(sorted(ends))][-capacity:]
    expected = [latency for ended_s, latency in kept if start <= ended_s <= start + length]

    summary = window.summary(start, start + length, False)
    marks = window.marks(MarkKind.WARM, start, start + length)

    assert summary.n == len(expected) == marks.n
    assert marks.latencies_s.tolist() == expected
    if expected:
        assert summary.p95_s == pytest.approx(np.percentile(expected, 95), rel=1e-12)
    else:
        assert summary.p95_s is None


def test_a_mark_leads_back_to_its_request() -> None:
    window = LatencyWindow(4)
    for number in range(6):
        window.add(
            trace(float(number), request_id=100 + number, attempt=2, connection_id=number, endpoint=f"e{number}")
        )

    marks = window.marks(MarkKind.WARM, 0.0, 99.0)
    assert marks.first_index == 2
    found = window.mark(MarkKind.WARM, marks.first_index + 1)

    assert found is not None
    assert (found.request_id, found.attempt, found.connection_id, found.endpoint) == (103, 2, 3, "e3")
    assert (found.time_s, found.latency_s, found.is_cold, found.kind) == (3.0, 0.06, False, MarkKind.WARM)
    assert window.mark(MarkKind.WARM, 1) is None
    assert window.mark(MarkKind.WARM, 6) is None
    assert window.mark(MarkKind.COLD, 0) is None


def test_a_mark_without_a_connection_says_so() -> None:
    window = LatencyWindow(4)
    window.add(trace(1.0, is_cold=None, connection_id=None, error_kind=ErrorKind.DNS, status=None))

    found = window.mark(MarkKind.FAILED, 0)

    assert found is not None
    assert (found.is_cold, found.connection_id) == (None, None)


def test_a_healed_attempt_told_late_stands_where_it_ended() -> None:
    """Both attempts of a healed request arrive together, after requests that ended between them."""
    window = LatencyWindow(10)
    window.add(trace(10.0))
    window.add(trace(8.0, request_id=2))

    marks = window.marks(MarkKind.WARM, 0.0, 99.0)

    assert marks.times_s.tolist() == [10.0, 8.0]


def test_too_many_marks_keep_the_fastest_and_the_slowest() -> None:
    window = LatencyWindow(50_000)
    rng = np.random.default_rng(3)
    latencies = rng.lognormal(-2.8, 0.3, 20_000)
    for number, latency_s in enumerate(latencies.tolist()):
        window.add(trace(number * 1.0, latency_s))

    marks = window.marks(MarkKind.WARM, 0.0, 20_000.0, max_points=200)

    assert marks.first_index is None
    assert marks.n == 20_000
    assert len(marks.times_s) == len(marks.latencies_s) <= 2 * 200 + 4
    # What is drawn has the middle of what is there, not only its extremes.
    assert np.median(marks.latencies_s) == pytest.approx(np.median(latencies), rel=0.2)
    assert marks.latencies_s.min() == latencies.min()
    assert marks.latencies_s.max() == latencies.max()


def test_the_band_is_of_warm_attempts_binned_by_time() -> None:
    window = LatencyWindow(1_000)
    rng = np.random.default_rng(5)
    times = np.sort(rng.uniform(100.0, 160.0, 300))
    latencies = rng.uniform(0.02, 0.2, 300)
    for ended_s, latency_s in zip(times.tolist(), latencies.tolist(), strict=True):
        window.add(trace(ended_s, latency_s))
        window.add(trace(ended_s, 5.0, is_cold=True))

    band = window.warm_band(100.0, 159.9, 10.0)

    assert band.edges_s.tolist() == [100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0]
    for number, edge_s in enumerate(band.edges_s[:-1].tolist()):
        inside = latencies[(times >= edge_s) & (times < edge_s + 10.0)]
        assert band.n[number] == len(inside)
        assert band.p50_s[number] == pytest.approx(np.percentile(inside, 50), rel=1e-12)
        assert band.p95_s[number] == pytest.approx(np.percentile(inside, 95), rel=1e-12)


def test_a_bin_of_few_marks_has_no_band() -> None:
    window = LatencyWindow(100)
    for number in range(MIN_BAND_MARKS - 1):
        window.add(trace(1.0 + number))

    band = window.warm_band(0.0, 9.0, 10.0)

    assert band.n.tolist() == [MIN_BAND_MARKS - 1]
    assert np.isnan(band.p50_s).all()
    assert np.isnan(band.p95_s).all()


def test_the_remembered_band_equals_a_fresh_one() -> None:
    """Bins are remembered once their end has passed; asking while the series grows must not freeze half a bin."""
    rng = np.random.default_rng(8)
    watched, ended_s = LatencyWindow(5_000), 0.0
    fresh = LatencyWindow(5_000)
    for _ in range(600):
        ended_s += float(rng.uniform(0.0, 1.0))
        attempt = trace(ended_s, float(rng.uniform(0.01, 1.0)))
        watched.add(attempt)
        fresh.add(attempt)
        watched.warm_band(0.0, ended_s, 5.0)

    seen, expected = watched.warm_band(0.0, ended_s, 5.0), fresh.warm_band(0.0, ended_s, 5.0)

    assert np.array_equal(seen.p50_s, expected.p50_s, equal_nan=True)
    assert np.array_equal(seen.p95_s, expected.p95_s, equal_nan=True)
    assert seen.n.tolist() == expected.n.tolist()
    other_width = watched.warm_band(0.0, ended_s, 20.0)
    assert other_width.n.sum() == 600


def test_a_bin_needs_a_width() -> None:
    with pytest.raises(ValueError, match="width"):
        LatencyWindow(10).warm_band(0.0, 1.0, 0.0)
