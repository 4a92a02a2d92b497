"""What the window must never show: green without prices, an old price as a new one, a venue's markup, false alarms."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from monitor.qtmodels.figures import DASH
from monitor.state.verdict import Verdict
from monitor.widgets.theme import DARK
from tests.fakes.sample_markets import FIRST, SECOND
from tests.qt.conftest import WindowFactory


def test_pause_tells_the_app_and_leaves_no_green_light(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.show_now()
    s.window.commands_of_user.named["pause"].trigger()
    s.clock.now_s += 30
    s.window.on_slow_frame()

    assert s.commands.named("set_paused") == [(True,)]
    assert "paused" in s.window.status.lights[FIRST].text
    assert s.window.status.lights[FIRST].verdict is Verdict.LATE
    assert not s.window.watchlist.model.figures_at(0).is_believable

    s.window.commands_of_user.named["pause"].trigger()

    assert s.commands.named("set_paused") == [(True,), (False,)]


def test_silence_turns_every_light_off_without_any_event(window_factory: WindowFactory, qtbot: QtBot) -> None:
    """Product rule 1: never frozen but green."""
    s = window_factory(seconds=30)
    s.show_now()
    assert s.window.status.lights[FIRST].verdict is Verdict.LIVE

    s.clock.now_s += 20
    s.window.on_slow_frame()

    for light in s.window.status.lights.values():
        assert light.verdict is Verdict.LATE
        assert "late" in light.text
        assert "20 s" in light.text


def test_nothing_received_shows_dashes_and_no_zero(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=-1)
    s.show_now()

    light = s.window.status.lights[FIRST].text
    assert f"{DASH} warm" in light
    assert f"age {DASH}" in light
    assert f"reuse {DASH}" in light
    assert f"budget {DASH}" in light
    assert s.window.charts.header.price_label.text == DASH
    figures = s.window.watchlist.model.figures_at(0)
    assert (figures.price, figures.change, figures.spread, figures.age) == (DASH, DASH, DASH, DASH)


def test_old_price_is_struck_through_with_its_age(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    label = s.window.charts.header.price_label
    s.show_now()
    assert not label.font().strikeOut()
    price = label.text

    s.clock.now_s += 60
    s.window.on_slow_frame()

    assert label.font().strikeOut()
    assert label.text == price


def test_row_of_an_old_price_looks_different(window_factory: WindowFactory, qtbot: QtBot) -> None:
    """Rendered pixels: the cell of an old price has no pixel in the colours of a rising price or of live text."""
    s = window_factory(seconds=5)
    s.window.resize(1280, 800)
    s.window.show()
    s.show_now()
    table = s.window.watchlist.table
    cell = table.visualRect(s.window.watchlist.model.index(1, 2))

    def colors() -> set[str]:
        image = table.viewport().grab(cell).toImage()
        return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}

    fresh = colors()
    s.clock.now_s += 60
    s.window.on_slow_frame()
    old = colors()

    assert {DARK.text, DARK.up} & fresh == {DARK.text, DARK.up}
    assert {DARK.text, DARK.up} & old == set()
    assert DARK.text_muted in old


def test_markup_from_a_venue_stays_text(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1, keys=[(FIRST, "<img src=x>" * 40)])
    s.show_now()
    symbol = s.window.watchlist.model.figures_at(0).symbol
    tip = s.window.watchlist.model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)

    assert len(symbol) <= 28
    assert "<img" not in tip


def test_a_venue_that_fails_is_told_once(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=10)
    s.window.show()
    s.show_now()
    s.feed.down.add(SECOND)
    s.run(60)

    mine = [toast for toast in s.window.toasts.toasts() if toast.identity == SECOND]
    assert len(mine) == 1
    assert any(s.window.events.model.row_at(row).level == "error" for row in range(s.window.events.model.rowCount()))


def test_a_pause_of_the_user_raises_no_alarm(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=30)
    s.window.show()
    s.show_now()
    s.window.commands_of_user.named["pause"].trigger()
    s.clock.now_s += 30
    s.board.tick()
    s.window.on_slow_frame()
    events = [s.window.events.model.row_at(row).text for row in range(s.window.events.model.rowCount())]

    assert any("late" in text for text in events)
    assert s.window.toasts.toasts() == []
