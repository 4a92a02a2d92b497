"""The window as a person uses it: focus, keys, names, settings, requests, and which thread touches it."""

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSpinBox, QApplication, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from monitor.desktop.settings import Settings
from monitor.exchanges.registry import VENUES
from monitor.widgets.theme import DARK, LIGHT
from tests.fakes.sample_markets import FIRST, SECOND
from tests.qt.conftest import WindowFactory

ROOT = Path(__file__).resolve().parents[2]


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


def test_venue_switch_tells_the_app_once_and_is_remembered(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.commands_of_user.venues[SECOND].trigger()
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
        s.window.commands_of_user.ranges[seconds].trigger()
    s.window.commands_of_user.named["candles"].trigger()
    qtbot.waitUntil(lambda: s.commands.named("save_settings") != [], timeout=10_000)
    (saved,) = (arguments[0] for arguments in s.commands.named("save_settings"))

    assert isinstance(saved, Settings)
    assert (saved.time_range_s, saved.chart_kind) == (86_400, "candles")


def test_settings_of_another_dialog_are_shown(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.accept_settings(
        replace(s.window.current_settings(), time_range_s=3600, chart_kind="candles", theme="light")
    )

    assert s.window.commands_of_user.ranges[3600].isChecked()
    assert s.window.commands_of_user.named["candles"].isChecked()
    assert s.window.theme_switch.theme.name == "light"


def test_theme_switches_back_and_forth(window_factory: WindowFactory, qtbot: QtBot, qapp: QApplication) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.charts.load_plots()
    for expected in (LIGHT, DARK):
        s.window.commands_of_user.named["theme"].trigger()
        assert s.window.theme_switch.theme.name == expected.name
        assert qapp.palette().window().color().name() == expected.background


def test_close_saves_and_quits(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.commands_of_user.named["quit"].trigger()

    assert [name for name, _ in s.commands.calls][-2:] == ["save_settings", "quit"]


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
