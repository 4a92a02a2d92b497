"""The menu bar: every action once more, by subject."""

from collections.abc import Sequence

from PySide6.QtWidgets import QMenuBar

from monitor.widgets.dock import Dock
from monitor.widgets.window_actions import WindowActions


def fill_menu_bar(bar: QMenuBar, actions: WindowActions, docks: Sequence[Dock]) -> None:
    """Add the menus to ``bar``."""
    named = actions.named
    app_menu = bar.addMenu("&File")
    app_menu.addActions([named["accounts"], named["settings"], named["alert"], named["export"], named["incident"]])
    app_menu.addActions([named["open_incident"]])
    app_menu.addSeparator()
    app_menu.addAction(named["quit"])
    poll_menu = bar.addMenu("&Polling")
    poll_menu.addActions([named["pause"], named["refresh"]])
    poll_menu.addSeparator()
    poll_menu.addActions(list(actions.venues.values()))
    poll_menu.addSeparator()
    poll_menu.addAction(named["measure"])
    view_menu = bar.addMenu("&View")
    view_menu.addActions([named["search"], named["filter"]])
    view_menu.addSeparator()
    view_menu.addActions(list(actions.ranges.values()))
    view_menu.addSeparator()
    view_menu.addActions([named["line"], named["candles"], named["account_lines"]])
    view_menu.addSeparator()
    view_menu.addAction(named["hide_amounts"])
    view_menu.addSeparator()
    view_menu.addActions([dock.toggleViewAction() for dock in docks])
    view_menu.addActions([named["next_panel"], named["reset_layout"]])
    view_menu.addSeparator()
    view_menu.addActions([named["theme"], named["full_screen"]])
    help_menu = bar.addMenu("&Help")
    help_menu.addActions([named["help"], named["logs"], named["about"]])
