"""What held, and what was counted, at any moment of the past that is still kept."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.state.gains import GAINS_SPACING_S, Gains
from monitor.state.steps import Steps


def test_a_step_holds_until_the_next() -> None:
    steps: Steps[str] = Steps()
    assert (steps.newest, steps.at(0.0), steps.first_time_s) == (None, None, None)
    for time_s, value in ((10.0, "a"), (20.0, "a"), (30.0, "b"), (40.0, "c")):
        steps.note(value, time_s)

    assert [steps.at(time_s) for time_s in (9.9, 10.0, 29.9, 30.0, 1e9)] == [None, "a", "a", "b", "c"]
    assert list(steps.within(15.0, 30.0)) == ["a", "b"]
    assert list(steps.within(0.0, 5.0)) == []
    assert (steps.newest, steps.has_forgotten) == ("c", False)


def test_forgotten_steps_are_not_known() -> None:
    steps: Steps[int] = Steps(kept=3)
    for number in range(10):
        steps.note(number, float(number))

    assert steps.has_forgotten
    assert steps.at(0.5) is None
    assert steps.at(9.5) == 9


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), min_size=1, max_size=60),
    st.tuples(st.floats(0.0, 300.0), st.floats(0.0, 300.0), st.floats(0.0, 300.0)),
)
def test_gains_of_neighbouring_periods_add_up(made: list[tuple[int, int]], ends: tuple[float, float, float]) -> None:
    first, middle, last = sorted(ends)
    gains, totals = Gains(counts_first=True), [0, 0, 0, 0]
    for number, (count, place) in enumerate(made):
        totals[place] += count
        gains.note(totals, 5.0 * number)
    whole, before, after = (gains.between(*pair) for pair in ((first, last), (first, middle), (middle, last)))

    assert whole is not None
    assert before is not None
    assert after is not None
    # The first sample is of what was counted just before it: a period that begins there has it, too.
    if middle > 0.0:
        assert (before + after).tolist() == whole.tolist()
    everything = gains.between(-1.0, 1e9)
    assert everything is not None
    assert everything.tolist() == totals


def test_what_an_earlier_run_had_counted_is_no_gain() -> None:
    gains = Gains(counts_first=False)
    gains.note([1_000, 3], 100.0)
    gains.note([1_004, 3, 2], 110.0)
    assert gains.between(0.0, 105.0) is not None
    found = gains.between(0.0, 200.0)

    assert found is not None
    assert found.tolist() == [4, 0, 2]
    assert gains.between(0.0, 99.0) is None, "nobody watched then"


def test_a_new_count_begins_where_it_says() -> None:
    kept, from_zero = Gains(counts_first=False), Gains(counts_first=True)
    for gains in (kept, from_zero):
        gains.note([10], 100.0)
        gains.note([12], 110.0)
        gains.note([5], 120.0, is_new_count=True)
        gains.note([6], 130.0)
    after = [gains.between(100.0, 200.0) for gains in (kept, from_zero)]

    assert [None if one is None else one.tolist() for one in after] == [[3], [18]]


def test_samples_are_spaced_and_nothing_between_them_is_lost() -> None:
    gains = Gains(counts_first=True)
    for number in range(1, 101):
        gains.note([number], number * GAINS_SPACING_S / 10)
    found = gains.between(-1.0, 1_000.0)

    assert found is not None
    assert 90 < int(found[0]) <= 100


def test_what_is_no_longer_kept_is_not_known() -> None:
    gains = Gains(counts_first=True, capacity=5)
    for number in range(20):
        gains.note([number], 10.0 * number)
    late = gains.between(160.0, 190.0)

    assert gains.between(10.0, 190.0) is None
    assert late is not None
    assert late.tolist() == np.array([3]).tolist()
