"""A period chosen on a plot: the figures follow it, say so, and come back on Escape."""

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.state.period import Period
from tests.fakes.sample_markets import FIRST
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory


def shown(window_factory: WindowFactory, qtbot: QtBot) -> SampleWindow:
    s = window_factory(seconds=120)
    s.window.resize(1280, 720)
    s.window.show()
    s.window.charts.load_plots()
    s.show_now()
    s.window.activateWindow()
    return s


def test_every_figure_follows_a_chosen_period(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)
    now = s.clock.now_s
    table, latency_plot = s.window.requests, s.window.charts.latency_plot
    assert latency_plot is not None
    before = table.proxy.rowCount()
    latency_plot.time_range_selected.emit(now - 60.0, now - 30.0)
    s.show_now()
    tally = s.board.venue(FIRST).latency.tally(now - 60.0, now - 30.0)

    assert s.window.panels.period.period == Period(now - 60.0, now - 30.0)
    assert 0 < table.proxy.rowCount() < before
    assert "in the period" in table._count.text
    assert f"{tally.calls} calls" in s.window.status.lights[FIRST].text
    assert s.window.pools.sections[FIRST]._values["reused"].text == str(tally.warm)
    assert s.window.pools.sections[FIRST]._values["peak"].text == "2"
    assert "p95" in latency_plot.header.text
    assert s.window.panels.period.text_of(Period(now - 60.0, now - 30.0)) in s.window.status.period_label.toolTip()
    assert s.window.charts._period_badge.isVisible()


def test_what_is_of_now_says_so_while_a_period_is_chosen(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)
    light, age = s.window.status.lights[FIRST], s.window.charts.header._age

    def of_now() -> list[str]:
        """What shows the present whatever is chosen."""
        titles = [s.window.docks[name].title._label.text.lower() for name in ("watchlist", "book", "alerts")]
        return [light.text.split(" · ")[0], age.text, *titles]

    before = of_now()
    assert "age" in light.text
    assert not any("now" in text for text in before)
    s.window.panels.period.choose(s.clock.now_s - 60.0, s.clock.now_s - 30.0)
    assert all("now" in text for text in of_now())
    s.show_now()
    assert all("now" in text for text in of_now())
    assert [part for part in light.text.split(" · ") if "live" in part or "age" in part] == of_now()[:1]
    assert "now" not in s.window.docks["requests"].title._label.text.lower()
    tooltip = s.window.charts._period_badge.toolTip()
    assert all(word in tooltip for word in ("order book", "accounts", "alerts", "watchlist"))

    s.window.panels.period.leave()
    s.show_now()
    assert of_now() == before


def test_events_and_the_prices_above_the_plot_follow_a_period(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)
    plot, events = s.window.charts.price_plot, s.window.events
    assert plot is not None
    began = s.clock.now_s
    s.feed.down.add(FIRST)
    s.run(20)
    s.feed.down.clear()
    s.run(20)
    told = events.model.rowCount()
    assert events.proxy.rowCount() == told > 0

    s.window.panels.period.choose(began - 60.0, began - 30.0)
    s.show_now()
    assert events.proxy.rowCount() == 0
    assert not events._empty.isHidden()
    assert "in this period" in events._empty.text()
    series = s.board.series(s.feed.key(FIRST, 0))
    assert series is not None
    _, values = series.points(*series.index_range(began - 60.0, began - 30.0))
    assert f"{values[0]:,.1f} → {values[-1]:,.1f}" in plot.header.text
    assert f"low {values.min():,.1f}  high {values.max():,.1f}" in plot.header.text
    assert " %" in plot.header.text

    s.window.panels.period.choose(began, s.clock.now_s)
    assert 0 < events.proxy.rowCount() <= told
    s.window.panels.period.choose(-2_000.0, -1_000.0)
    s.show_now()
    assert "no price" in plot.header.text
    s.window.panels.period.leave()
    assert events.proxy.rowCount() == told
    assert events._empty.isHidden()


def test_escape_brings_the_figures_of_now_back(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)
    before = s.window.requests.proxy.rowCount()
    s.window.panels.period.choose(s.clock.now_s - 60.0, s.clock.now_s - 30.0)
    s.window.requests.select_request(
        s.window.requests.model.trace_at(
            s.window.requests.proxy.mapToSource(s.window.requests.proxy.index(0, 0)).row()
        ).request_id
    )
    assert s.window.requests.detail.isVisible()

    s.window.panels.period.leave()
    assert not s.window.requests.detail.isVisible()
    assert s.window.charts._period_badge.isVisible()

    s.window.panels.period.leave()
    s.show_now()
    assert s.window.panels.period.period is None
    assert s.window.requests.proxy.rowCount() == before
    assert "calls" not in s.window.status.lights[FIRST].text
    assert not s.window.charts._period_badge.isVisible()
    assert not s.window.panels.period._escape.isEnabled()


def test_a_period_is_chosen_with_the_keyboard(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = shown(window_factory, qtbot)
    plot = s.window.charts.latency_plot
    assert plot is not None
    plot.setFocus()
    for _ in range(3):
        QTest.keyClick(plot, Qt.Key.Key_Left)
    QTest.keyClick(plot, Qt.Key.Key_Space)
    for _ in range(4):
        QTest.keyClick(plot, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert not s.window.charts._period_badge.isVisible()
    QTest.keyClick(plot, Qt.Key.Key_Space)

    period = s.window.panels.period.period
    assert period is not None
    assert period.length_s > 0
    assert period.end_mono_s < s.clock.now_s + 2.0
