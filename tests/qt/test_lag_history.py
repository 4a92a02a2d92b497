"""The app's own delays of the past: small, and true of the time asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from monitor.qtmodels.lag import LagFigures, LagWindow
from monitor.qtmodels.lag_history import SLOT_S, LagHistory
from monitor.state.period import Period
from tests.qt.conftest import WindowFactory

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


def test_a_stall_of_the_period_warns_and_one_outside_it_does_not(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.window.show()
    label, before_s = s.window.status.lag_label, s.clock.now_s
    s.pump.stalls.add(0.300)
    s.pump.reply_to_paint.add(0.210)
    s.show_now()
    s.clock.now_s += 100.0
    s.pump.stalls.add(0.001)
    s.pump.reply_to_paint.add(0.021)
    s.show_now()

    s.window.panels.period.choose(before_s, before_s + 5.0)
    assert "app lag worst 210 ms" in label.text
    colors = [label._color]
    assert "worst 300 ms" in label.toolTip()
    s.window.panels.period.choose(s.clock.now_s - 5.0, s.clock.now_s)
    assert "app lag worst 21 ms" in label.text
    colors.append(label._color)
    s.window.panels.period.choose(before_s + 40.0, before_s + 50.0)
    assert label.text == "app lag –"
    assert "none was measured in the chosen period" in label.toolTip()
    assert colors == [label._theme.warn, None]
