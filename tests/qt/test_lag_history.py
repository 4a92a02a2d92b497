"""The app's own delays of the past: small, and true of the time asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.qtmodels.lag import LagFigures, LagWindow
from monitor.qtmodels.lag_history import SLOT_S, LagHistory
from monitor.state.period import Period

NOTHING = LagFigures(n=0, p50_s=None, p99_s=None, worst_s=None)


@given(st.lists(st.floats(0.0003, 4.9), min_size=1, max_size=200))
def test_percentiles_are_within_nine_per_cent_and_the_worst_is_exact(delays: list[float]) -> None:
    window, history = LagWindow(1_000), LagHistory(slots=10)
    for delay_s in delays:
        window.add(delay_s)
    history.take(window, 105.0)
    exact, kept = window.figures(), history.between(Period(100.0, 109.0))

    assert (kept.n, kept.worst_s) == (exact.n, exact.worst_s)
    assert kept.p50_s == pytest.approx(exact.p50_s, rel=0.09)
    assert kept.p99_s == pytest.approx(exact.p99_s, rel=0.09)


def test_each_delay_is_taken_once_and_stands_at_its_time() -> None:
    window, history = LagWindow(100), LagHistory(slots=100)
    for number in range(10):
        window.add(0.010 if number < 5 else 0.200)
        history.take(window, SLOT_S * number)
    early, late = history.between(Period(0.0, 4.5 * SLOT_S)), history.between(Period(5.0 * SLOT_S, 1e6))

    assert (early.n, early.worst_s) == (5, 0.010)
    assert (late.n, late.worst_s) == (5, 0.200)
    assert history.between(Period(-500.0, -400.0)) == NOTHING
    window.clear()
    window.add(0.5)
    history.take(window, 20.0 * SLOT_S)
    assert history.between(Period(20.0 * SLOT_S, 21.0 * SLOT_S)).n == 1


def test_what_is_older_than_is_kept_is_not_known() -> None:
    window, history = LagWindow(100), LagHistory(slots=4)
    for number in range(20):
        window.add(0.010)
        history.take(window, SLOT_S * number)

    assert history.between(Period(0.0, 15.5 * SLOT_S)) == NOTHING
    assert history.between(Period(0.0, 1e6)).n == 4


def test_no_delay_is_lost_from_a_window_read_in_time() -> None:
    window = LagWindow(5)
    for number in range(8):
        window.add(float(number))

    assert window.since(6) == [6.0, 7.0]
    assert window.since(8) == []
    assert window.since(0) == [3.0, 4.0, 5.0, 6.0, 7.0]
