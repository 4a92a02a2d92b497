import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ErrorKind
from monitor.proof.statistics import (
    MIN_PAIRS,
    Sample,
    bca_interval,
    complete_pairs,
    faster_by,
    figures,
    improvement,
)

NONE = np.empty((0, 2))
seconds = st.floats(min_value=0.001, max_value=5.0)


def make_samples(pooled: list[float | None], unpooled: list[float | None]) -> list[Sample]:
    """Samples in pairs; ``None`` is a request that timed out."""
    return [
        Sample(pair=pair, is_pooled=is_pooled, duration_s=value)
        if value is not None
        else Sample(pair=pair, is_pooled=is_pooled, error_kind=ErrorKind.TIMEOUT)
        for is_pooled, values in ((True, pooled), (False, unpooled))
        for pair, value in enumerate(values)
    ]


@given(st.lists(seconds, min_size=2, max_size=60))
def test_figures_are_what_numpy_says_of_first_later_and_all(durations: list[float]) -> None:
    found = figures(make_samples([], list(durations)), is_pooled=False, opened=len(durations))

    assert found.first_s == durations[0]
    assert found.later_mean_s == pytest.approx(np.mean(durations[1:]))
    assert found.overall_mean_s == pytest.approx(np.mean(durations))
    assert found.total_s == pytest.approx(np.sum(durations))
    assert found.p95_s == pytest.approx(np.percentile(durations[1:], 95))
    assert (found.n, found.opened, found.failed) == (len(durations), len(durations), {})


def test_a_failure_is_in_no_figure_and_counted_by_kind() -> None:
    found = figures(make_samples([0.2, None, 0.1, None, 0.3], []), is_pooled=True, opened=None)

    assert found.n == 3
    assert found.failed == {ErrorKind.TIMEOUT: 2}
    assert found.total_s == pytest.approx(0.6)
    assert found.later_mean_s == pytest.approx(0.2)


def test_a_failed_first_request_leaves_the_first_unknown_and_is_not_replaced_by_the_next() -> None:
    samples = make_samples([None, 0.1, 0.1], [0.3, 0.3, 0.3])
    pooled, unpooled = (figures(samples, is_pooled=way, opened=None) for way in (True, False))

    assert pooled.first_s is None
    assert improvement(samples, pooled, unpooled, seed=1).later == pytest.approx(2 / 3)


def test_nothing_measured_is_unknown_everywhere() -> None:
    found = figures([], is_pooled=True, opened=None)
    gain = improvement([], found, found, seed=1)

    assert (found.n, found.first_s, found.later_mean_s, found.total_s, found.p95_s) == (0, None, None, None, None)
    assert (gain.later, gain.overall, gain.overall_ci95, gain.later_ci95) == (None,) * 4
    assert faster_by(0.1, 0.0) is None


def test_pairs_are_those_in_which_both_succeeded() -> None:
    samples = make_samples([0.1, None, 0.3, 0.4], [0.5, 0.6, None, 0.8])

    assert complete_pairs(samples) == {0: (0.1, 0.5), 3: (0.4, 0.8)}


def test_an_improvement_may_be_negative() -> None:
    samples = make_samples([0.4] * 9, [0.2] * 9)
    pooled, unpooled = (figures(samples, is_pooled=way, opened=None) for way in (True, False))
    gain = improvement(samples, pooled, unpooled, seed=1)

    assert gain.overall == pytest.approx(-1.0)
    assert gain.overall_ci95 == pytest.approx((-1.0, -1.0))


def test_too_few_pairs_give_no_interval() -> None:
    pairs = np.full((MIN_PAIRS - 1, 2), 0.1)

    assert bca_interval(pairs, always=NONE, seed=1) is None
    assert bca_interval(np.full((MIN_PAIRS, 2), 0.1), always=NONE, seed=1) == pytest.approx((0.0, 0.0))


def test_the_interval_is_the_same_for_the_same_seed_and_nearly_so_for_another() -> None:
    rng = np.random.default_rng(5)
    pairs = np.column_stack((rng.gamma(9.0, 0.01, 60), rng.gamma(9.0, 0.02, 60)))
    first = bca_interval(pairs, always=NONE, seed=1)
    other = bca_interval(pairs, always=NONE, seed=2)

    assert first == bca_interval(pairs, always=NONE, seed=1)
    assert first is not None
    assert other is not None
    assert other != first
    assert other == pytest.approx(first, abs=(first[1] - first[0]) / 10)


@given(st.lists(st.tuples(seconds, seconds), min_size=MIN_PAIRS, max_size=40))
def test_the_interval_is_ordered_and_within_what_the_pairs_allow(pairs: list[tuple[float, float]]) -> None:
    rows = np.array(pairs)
    interval = bca_interval(rows, always=NONE, seed=1)
    gains = 1.0 - rows[:, 0] / rows[:, 1]

    assert interval is not None
    assert interval[0] <= interval[1]
    assert gains.min() - 1e-9 <= interval[0]
    assert interval[1] <= gains.max() + 1e-9


def test_ninety_five_of_a_hundred_intervals_hold_the_truth() -> None:
    """Skewed latencies with a common part per pair, as of two requests in the same weather."""
    rng = np.random.default_rng(11)
    truth = 1.0 - (0.060 + 0.010 + 0.010) / (0.180 + 0.020 + 0.010)
    hits = 0
    runs = 300
    for seed in range(runs):
        weather = rng.exponential(0.010, 30)
        pairs = np.column_stack(
            (0.060 + rng.exponential(0.010, 30) + weather, 0.180 + rng.exponential(0.020, 30) + weather)
        )
        interval = bca_interval(pairs, always=NONE, seed=seed)
        assert interval is not None
        hits += interval[0] <= truth <= interval[1]

    # Three standard deviations of a binomial around 95 %, and a little for the bootstrap's own error at n = 30.
    assert 0.90 <= hits / runs <= 0.99


def test_the_one_first_request_widens_no_interval() -> None:
    """It is in each resample exactly once; drawn like the others it would be in there four times or not at all."""
    samples = make_samples([0.9, *[0.06, 0.061] * 10], [0.9, *[0.18, 0.181] * 10])
    pooled, unpooled = (figures(samples, is_pooled=way, opened=None) for way in (True, False))
    gain = improvement(samples, pooled, unpooled, seed=1)

    assert gain.overall is not None
    assert gain.overall_ci95 is not None
    assert gain.overall_ci95[0] <= gain.overall <= gain.overall_ci95[1]
    assert gain.overall_ci95[1] - gain.overall_ci95[0] < 0.01
