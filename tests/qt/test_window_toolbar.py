"""The toolbar at every width: what matters stays, the rest is in the menu at its end."""

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from monitor.desktop.settings import Settings
from monitor.widgets.window_toolbar import WindowToolBar
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

STAY = ("pause", "search", "hide_amounts")


def _at_width(window_factory: WindowFactory, qapp: QApplication, width: int, *, is_paused: bool) -> SampleWindow:
    sample = window_factory(seconds=1, is_demo=True)
    window = sample.window
    window.show()
    # With every panel open the window is never narrower than what they need.
    window.docks["pools"].close()
    qapp.processEvents()
    window.resize(width, 720)
    window.set_paused(is_paused)
    qapp.processEvents()
    assert window.width() == width
    return sample


def _is_whole(bar: WindowToolBar, widget: QWidget) -> bool:
    corner = widget.mapTo(bar, widget.rect().topLeft())
    return widget.isVisible() and bar.rect().contains(widget.rect().translated(corner))


def _badges(bar: WindowToolBar) -> dict[str, QLabel]:
    return {label.text(): label for label in bar.findChildren(QLabel)}


def _more(bar: WindowToolBar) -> QToolButton:
    return next(one for one in bar.findChildren(QToolButton) if one.accessibleName() == "More of the toolbar")


def _entries(bar: WindowToolBar) -> QMenu:
    menu = _more(bar).menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    return menu


@pytest.mark.parametrize("is_paused", [False, True])
def test_at_the_smallest_promised_width_nothing_is_missing(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot, is_paused: bool
) -> None:
    window = _at_width(window_factory, qapp, 1280, is_paused=is_paused).window
    named = window.commands_of_user.named

    for name in (*STAY, "refresh", "measure", "accounts", "theme", "settings", "line", "candles"):
        assert _is_whole(window.bar, window.bar.button_of(named[name])), name
    badges = _badges(window.bar)
    assert _is_whole(window.bar, badges["DEMO"])
    assert _is_whole(window.bar, badges["PAUSED"]) == is_paused
    assert not _more(window.bar).isVisible()


@pytest.mark.parametrize("width", [1100, 960, 800])
def test_narrower_the_least_important_parts_move_into_a_menu(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot, width: int
) -> None:
    window = _at_width(window_factory, qapp, width, is_paused=True).window
    bar, actions = window.bar, window.commands_of_user

    for name in STAY:
        assert _is_whole(bar, bar.button_of(actions.named[name])), name
    assert all(_is_whole(bar, badge) for badge in _badges(bar).values())
    assert _is_whole(bar, _more(bar))
    entries = _entries(bar).actions()
    theme = actions.named["theme"]
    assert theme in entries
    assert theme.isVisible(), "its key and its entry in the menu bar still work"
    for action in (*actions.venues.values(), *actions.ranges.values(), actions.named["settings"]):
        assert _is_whole(bar, bar.button_of(action)) != (action in entries)


def test_the_candle_interval_can_be_chosen_in_the_menu(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    sample = window_factory(seconds=1, settings=Settings(chart_kind="candles"))
    window = sample.window
    window.show()
    window.docks["pools"].close()
    qapp.processEvents()
    window.resize(800, 720)
    qapp.processEvents()
    assert not window.bar.interval.isVisible()

    intervals = next(one.menu() for one in _entries(window.bar).actions() if one.text() == "Candle interval")
    assert isinstance(intervals, QMenu)
    next(one for one in intervals.actions() if one.text() == "1h").trigger()

    assert window.current_settings().interval == "1h"


def test_room_brings_everything_back(window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot) -> None:
    window = _at_width(window_factory, qapp, 800, is_paused=True).window
    search = window.bar.button_of(window.commands_of_user.named["search"])
    narrow_px = search.width()
    window.resize(1500, 720)
    qapp.processEvents()

    assert search.width() > narrow_px
    assert all(window.bar.button_of(action).isVisible() for action in window.commands_of_user.ranges.values())
    assert not _more(window.bar).isVisible()
