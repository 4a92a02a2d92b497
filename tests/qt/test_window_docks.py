"""Docks that close, float, come back and are remembered, at the smallest size that is promised too."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from monitor.desktop.settings import Settings
from tests.qt.conftest import WindowFactory


def test_docks_close_float_and_come_back(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    docks = s.window.docks
    docks["watchlist"].close()
    docks["pools"].setFloating(True)
    s.window.removeDockWidget(docks["events"])

    s.window.commands_of_user.named["reset_layout"].trigger()

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


def test_next_panel_goes_round(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.charts.load_plots()
    s.window.activateWindow()
    qtbot.waitUntil(lambda: not s.window.requests.table.visibleRegion().isEmpty())
    seen = []
    for _ in range(6):
        s.window.commands_of_user.named["next_panel"].trigger()
        seen.append(s.window.focusWidget())

    assert len(set(seen[:5])) == 5
    assert seen[5] is seen[0]


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
