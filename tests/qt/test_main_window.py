"""The window as a person uses it: keys, focus, docks, pause, palette, and what it must never show."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from monitor.desktop.settings import Settings
from monitor.exchanges.registry import VENUES
from monitor.qtmodels.figures import DASH
from monitor.state.verdict import Verdict
from monitor.widgets.theme import DARK, LIGHT
from tests.fakes.board_samples import FIRST, SECOND
from tests.qt.conftest import WindowFactory

ROOT = Path(__file__).resolve().parents[2]


def press(sample_action: QAction) -> None:
    sample_action.trigger()


def test_first_row_is_in_focus_and_shown(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.show_now()

    assert s.window.focus_key == s.feed.key(FIRST, 0)
    qtbot.waitUntil(lambda: s.commands.named("set_focus") != [])
    assert s.commands.named("set_focus") == [(s.feed.key(FIRST, 0), "1m")]


def test_focus_of_the_last_time_comes_back(window_factory: WindowFactory, qapp: QApplication) -> None:
    s = window_factory(seconds=2, settings=Settings(focus=(SECOND, "ETH")))

    assert s.window.focus_key == (SECOND, "ETH")


def test_rows_passed_on_the_way_are_not_polled(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=2)
    s.window.show()
    for _ in range(4):
        QTest.keyClick(s.window.watchlist.table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: s.commands.named("set_focus") != [])

    assert [key for key, _ in s.commands.named("set_focus")] == [s.feed.key(FIRST, 2)]


def test_pause_tells_the_app_and_leaves_no_green_light(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.show_now()
    press(s.window.commands_of_user.named["pause"])
    s.clock.now_s += 30
    s.window.on_slow_frame()

    assert s.commands.named("set_paused") == [(True,)]
    assert "paused" in s.window.status.lights[FIRST].text
    assert s.window.status.lights[FIRST].verdict is Verdict.LATE
    assert not s.window.watchlist.model.figures_at(0).is_believable

    press(s.window.commands_of_user.named["pause"])

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


def test_docks_close_float_and_come_back(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    docks = s.window.docks
    docks["watchlist"].close()
    docks["pools"].setFloating(True)
    s.window.removeDockWidget(docks["events"])

    press(s.window.commands_of_user.named["reset_layout"])

    assert all(dock.isVisible() or dock.objectName() == "events" for dock in docks.values())
    assert not any(dock.isFloating() for dock in docks.values())
    area = s.window.dockWidgetArea
    assert area(docks["watchlist"]) is Qt.DockWidgetArea.LeftDockWidgetArea
    assert area(docks["pools"]) is Qt.DockWidgetArea.RightDockWidgetArea
    assert area(docks["requests"]) is Qt.DockWidgetArea.BottomDockWidgetArea
    tabs = {dock.objectName() for dock in s.window.tabifiedDockWidgets(docks["requests"])}
    assert tabs == {"spikes", "positions", "orders", "balances", "fills", "book", "alerts", "events"}


def test_layout_is_remembered_over_a_restart(window_factory: WindowFactory, qtbot: QtBot) -> None:
    first = window_factory(seconds=1)
    first.window.show()
    first.window.docks["watchlist"].close()
    first.window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, first.window.docks["pools"])
    first.window.close()
    saved = first.commands.named("save_settings")[-1][0]
    assert isinstance(saved, Settings)

    second = window_factory(seconds=1, settings=saved)
    second.window.show()

    assert not second.window.docks["watchlist"].isVisible()
    assert second.window.dockWidgetArea(second.window.docks["pools"]) is Qt.DockWidgetArea.LeftDockWidgetArea


def test_a_damaged_layout_gives_the_first_one(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1, settings=Settings(window_state="AAAA", window_geometry="AAAA"))
    s.window.show()

    assert s.window.docks["watchlist"].isVisible()


def test_palette_finds_an_instrument_and_watches_it(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1, watched=1)
    s.window.show()
    s.window.open_search()
    QTest.keyClicks(s.window.search.edit, "doge")
    assert s.window.search.entries()[0].startswith("DOGE")

    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Down)
    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Return)

    watched = s.commands.named("set_watchlist")[-1][0]
    assert s.window.focus_key is not None
    assert s.window.focus_key[1].startswith("DOGE")
    assert watched == (*s.feed.watchlist(1), s.window.focus_key)
    assert not s.window.search.isVisible()


def test_palette_runs_a_command(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.open_search()
    QTest.keyClicks(s.window.search.edit, "refresh")
    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Return)

    assert s.commands.named("refresh") == [()]


def test_palette_with_nothing_found_stays_open(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.open_search()
    QTest.keyClicks(s.window.search.edit, "zzzz qqqq")
    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Return)

    assert s.window.search.entries() == []
    assert s.window.search.isVisible()
    s.window.search.close()


def test_venue_switch_tells_the_app_once_and_is_remembered(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    press(s.window.commands_of_user.venues[SECOND])
    s.window.on_slow_frame()

    assert s.commands.named("set_venue_enabled") == [(SECOND, False)]
    assert "off" in s.window.status.lights[SECOND].text
    qtbot.waitUntil(lambda: s.commands.named("save_settings") != [], timeout=10_000)
    saved = s.commands.named("save_settings")[-1][0]
    assert isinstance(saved, Settings)
    assert saved.disabled_venues == (SECOND,)


def test_changes_are_saved_together_not_one_by_one(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    for seconds in (60, 3600, 86_400):
        press(s.window.commands_of_user.ranges[seconds])
    press(s.window.commands_of_user.named["candles"])
    qtbot.waitUntil(lambda: s.commands.named("save_settings") != [], timeout=10_000)
    (saved,) = (arguments[0] for arguments in s.commands.named("save_settings"))

    assert isinstance(saved, Settings)
    assert (saved.time_range_s, saved.chart_kind) == (86_400, "candles")


def test_theme_switches_back_and_forth(window_factory: WindowFactory, qtbot: QtBot, qapp: QApplication) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.charts.load_plots()
    for expected in (LIGHT, DARK):
        press(s.window.commands_of_user.named["theme"])
        assert s.window.theme_switch.theme.name == expected.name
        assert qapp.palette().window().color().name() == expected.background


def test_close_saves_and_quits(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    press(s.window.commands_of_user.named["quit"])

    assert [name for name, _ in s.commands.calls][-2:] == ["save_settings", "quit"]


def test_next_panel_goes_round(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.charts.load_plots()
    s.window.activateWindow()
    qtbot.waitUntil(lambda: not s.window.requests.table.visibleRegion().isEmpty())
    seen = []
    for _ in range(6):
        press(s.window.commands_of_user.named["next_panel"])
        seen.append(s.window.focusWidget())

    assert len(set(seen[:5])) == 5
    assert seen[5] is seen[0]


def test_every_control_has_a_name(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.window.show()
    s.window.charts.load_plots()
    s.show_now()
    kinds = (QAbstractButton, QAbstractItemView, QLineEdit, QComboBox, QAbstractSpinBox)
    nameless = []
    for kind in kinds:
        for widget in s.window.findChildren(kind):
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            inner = widget.parent() is not None and isinstance(widget.parent(), QComboBox | QLineEdit)
            # A clear button, a combo box's list, a table's corner: parts of a control that has a name.
            part = inner or type(widget.parent()).__name__ in ("QComboBoxPrivateContainer", "QTableView", "_Table")
            if not part and not widget.accessibleName() and not text and widget.focusPolicy() != Qt.FocusPolicy.NoFocus:
                nameless.append(f"{type(widget).__name__} {widget.objectName()}")

    assert nameless == []


def test_no_two_actions_share_a_key(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    keys = [a.shortcut().toString() for a in s.window.commands_of_user.all() if not a.shortcut().isEmpty()]

    assert len(keys) == len(set(keys))


def test_small_window_is_usable(window_factory: WindowFactory, qtbot: QtBot) -> None:
    """1280 x 720 is the smallest promised size: nothing may force the window to be larger."""
    s = window_factory(seconds=5, is_demo=True)
    s.window.show()
    s.window.charts.load_plots()
    s.window.resize(1280, 720)
    s.show_now()

    assert (s.window.width(), s.window.height()) == (1280, 720)
    bar = s.window.bar
    last = bar.button_of(s.window.commands_of_user.named["settings"])
    assert last.isVisible()
    assert bar.rect().contains(last.geometry())


def test_markup_from_a_venue_stays_text(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1, keys=[(FIRST, "<img src=x>" * 40)])
    s.show_now()
    symbol = s.window.watchlist.model.figures_at(0).symbol
    tip = s.window.watchlist.model.index(0, 1).data(Qt.ItemDataRole.ToolTipRole)

    assert len(symbol) <= 28
    assert "<img" not in tip


def test_click_on_a_request_shows_its_socket_and_details(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=10)
    s.window.show()
    s.show_now()
    newest = s.board.requests.items[-1]
    s.window.links.show_request(newest.request_id)

    assert s.window.requests.detail.isVisible()
    row = s.window.pools.cards.currentIndex().row()
    assert s.window.pools.model.row_at(row).card.connection_id == newest.connection_id


def test_price_point_leads_to_the_request_that_brought_it(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=10)
    s.window.show()
    s.show_now()
    quote = s.board.quote(s.feed.key(SECOND, 0))
    assert quote is not None
    assert quote.received_mono_s is not None
    s.window.links.show_reply(SECOND, quote.received_mono_s)
    index = s.window.requests.table.currentIndex()

    shown = s.window.requests.proxy.mapToSource(index).row()
    assert s.window.requests.model.trace_at(shown).venue == SECOND
    assert abs(s.window.requests.model.trace_at(shown).ended_mono_s - quote.received_mono_s) < 0.02


def test_a_request_that_is_gone_is_said_to_be(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.links.show_request(10**12)

    assert "no longer" in s.window.toasts.toasts()[0].text


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
    press(s.window.commands_of_user.named["pause"])
    s.clock.now_s += 30
    s.board.tick()
    s.window.on_slow_frame()
    events = [s.window.events.model.row_at(row).text for row in range(s.window.events.model.rowCount())]

    assert any("late" in text for text in events)
    assert s.window.toasts.toasts() == []


def test_update_paints_tell_the_pump(window_factory: WindowFactory, qtbot: QtBot) -> None:
    """From a result in the outbox to the end of a real repaint: measured once per reply, and never negative."""
    s = window_factory(seconds=5)
    s.window.show()
    qtbot.waitExposed(s.window)
    s.window.charts.load_plots()
    sink = s.feed
    sink._sink = s.outbox.put
    sink.deliver_quotes(FIRST)
    s.pump._clock = s.clock
    s.pump.on_tick()
    qtbot.waitUntil(lambda: s.pump.reply_to_paint.total == 1)

    assert s.pump.reply_to_paint.values() == [0.0]


def test_widgets_are_only_touched_from_the_gui_thread(
    window_factory: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results come from other threads through the outbox; every method of the window that they cause runs here."""
    s = window_factory(seconds=2)
    s.window.show()
    here = threading.current_thread()
    seen: set[threading.Thread] = set()
    original = s.window.watchlist.on_frame

    def spy() -> None:
        seen.add(threading.current_thread())
        original()

    monkeypatch.setattr(s.window.watchlist, "on_frame", spy)
    s.feed._sink = s.outbox.put
    s.pump._clock = s.clock
    s.pump.start()
    worker = threading.Thread(target=s.feed.run, args=(50,))
    worker.start()
    qtbot.waitUntil(lambda: not worker.is_alive() and s.board.requests.revision > 100)
    worker.join()
    qtbot.waitUntil(lambda: bool(seen))

    assert seen == {here}


def test_the_window_does_not_import_the_plots_before_it_is_painted() -> None:
    """Issue 5's start-up budget: numpy and pyqtgraph come after the first frame. Alone in a fresh interpreter."""
    code = (
        "import sys, monitor.widgets.main_window\n"
        "print(sorted(name for name in ('numpy', 'pyqtgraph', 'requests', 'keyring') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "pyqtgraph" not in done.stdout
    assert "requests" not in done.stdout
    assert "keyring" not in done.stdout


def test_no_venue_is_named_in_widgets_or_models() -> None:
    names = {name for entry in VENUES.values() for name in (entry.name.casefold(), entry.title.casefold())}
    files = [*(ROOT / "monitor/widgets").glob("*.py"), *(ROOT / "monitor/qtmodels").glob("*.py")]
    found = [
        f"{file.name}: {name}"
        for file in files
        for name in names
        if name in file.read_text(encoding="utf-8").casefold()
    ]

    assert len(files) > 20
    assert found == []


def test_settings_of_another_dialog_are_shown(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.accept_settings(
        replace(s.window.current_settings(), time_range_s=3600, chart_kind="candles", theme="light")
    )

    assert s.window.commands_of_user.ranges[3600].isChecked()
    assert s.window.commands_of_user.named["candles"].isChecked()
    assert s.window.theme_switch.theme.name == "light"


def test_search_opens_inside_the_window(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.resize(1280, 720)
    s.window.show()
    s.window.open_search()
    corner = s.window.mapToGlobal(QPoint(0, 0))

    assert s.window.search.x() > corner.x()
    assert s.window.search.width() <= 520
    s.window.search.close()
