"""The main window: docks around the charts, and who tells whom. It decides nothing about prices or venues.

It is made in two steps. The constructor needs little more than Qt, so that a window is on screen at once; what
:meth:`MainWindow.fill` needs (numpy, the venues, every panel) is imported there, by then in another thread. The first
step does not even name ``QtCore.Qt``: with that word PySide makes a hundred enumerations, a tenth of such a start.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

from PySide6 import QtCore
from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QCloseEvent, QHideEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from monitor import APP_NAME
from monitor.desktop.settings import Settings
from monitor.widgets.start_page import centred
from monitor.widgets.theme import Theme
from monitor.widgets.window_place import restore_place

if TYPE_CHECKING:
    from monitor.qtmodels.frame_pump import FramePump
    from monitor.state.board import Board
    from monitor.widgets.commands import WindowCommands

InstrumentKey: TypeAlias = tuple[str, str]

SAVE_AFTER_MS = 1_000
FOCUS_AFTER_MS = 150
"""A row passed on the way with the arrow keys is not polled; one that is stayed on is."""


class MainWindow(QMainWindow):
    """The window: an empty frame at first, the monitor after :meth:`fill`.

    ``theme`` is the one the application already has (:func:`monitor.widgets.theme.apply_theme`).

    Signals:
        first_painted(): the first frame is on screen; the plots are loaded after the first one that is filled.
        close_wanted(): the user closed the window before it was filled.

    Thread: GUI.
    """

    first_painted = Signal()
    close_wanted = Signal()

    def __init__(self, *, app: QApplication, theme: Theme, settings: Settings) -> None:
        super().__init__()
        self._app = app
        self._settings = settings
        self._theme = theme
        self._is_paused = False
        self._is_painted = False
        self.is_leaving = False
        self._is_filled = False
        self._is_content_painted = False
        self.focus_key: InstrumentKey | None = None
        self.setWindowTitle(APP_NAME)
        self.setObjectName("main")
        self.setCentralWidget(centred("Starting…"))
        restore_place(self, settings)

    def fill(
        self,
        *,
        board: "Board",
        pump: "FramePump",
        settings: Settings,
        commands: "WindowCommands",
        venue_titles: Mapping[str, str],
        is_demo: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        wall_clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Make the panels. Call it once, shown or not.

        ``venue_titles`` are display names by venue name; ``clock`` is the board's clock, ``wall_clock`` gives aware
        UTC times (``None``: the machine's).
        """
        from monitor.qtmodels.figures import safe_text
        from monitor.qtmodels.timers import single_shot
        from monitor.widgets.chart_area import utc_now
        from monitor.widgets.cross_links import CrossLinks
        from monitor.widgets.palette import Palette
        from monitor.widgets.theme_switch import ThemeSwitch
        from monitor.widgets.toasts import ToastStack, room_for_notices
        from monitor.widgets.window_actions import WindowActions
        from monitor.widgets.window_dialogs import WindowDialogs
        from monitor.widgets.window_layout import WindowLayout
        from monitor.widgets.window_menus import fill_menu_bar
        from monitor.widgets.window_panels import WindowPanels
        from monitor.widgets.window_toolbar import WindowToolBar

        self._board, self._pump, self._settings, self._commands = board, pump, settings, commands
        self._titles = {venue: safe_text(title, 30) for venue, title in venue_titles.items()}
        self._is_demo = is_demo
        self.setWindowTitle(f"{APP_NAME} (demo)" if is_demo else APP_NAME)
        self.theme_switch = ThemeSwitch(self._app, self._theme, self)
        self._theme = self._theme.for_venues(board.venue_names)
        self.commands_of_user = WindowActions(self, venues=board.venue_names, venue_title=self.title_of)
        self.bar = WindowToolBar(self.commands_of_user, self)
        self.addToolBar(self.bar)
        self.panels = WindowPanels(
            self, board, clock=clock, wall_clock=wall_clock or utc_now, venue_title=self.title_of, theme=self._theme
        )
        self.charts, self.watchlist, self.pools = self.panels.charts, self.panels.watchlist, self.panels.pools
        self.requests, self.events, self.status = self.panels.requests, self.panels.events, self.panels.status
        self.docks = self.panels.docks
        fill_menu_bar(self.menuBar(), self.commands_of_user, tuple(self.docks.values()))
        self.toasts = ToastStack(room_for_notices(self.menuBar(), self.charts), self._theme)
        actions = self.commands_of_user.all()
        self.search = Palette(board, actions, clock=clock, venue_title=self.title_of, theme=self._theme, parent=self)
        self.dialogs = WindowDialogs(
            self,
            actions=self.commands_of_user,
            board=board,
            commands=commands,
            settings=self.current_settings,
            venue_title=self.title_of,
            panels=self.panels,
            themes=self.theme_switch,
        )
        self.links = CrossLinks(
            log=board.requests,
            panels=self.panels,
            toasts=self.toasts,
            parent=self,
        )
        self._layout = WindowLayout(self, self.docks)
        self._save_timer = single_shot(self, SAVE_AFTER_MS, self._save)
        self._focus_timer = single_shot(self, FOCUS_AFTER_MS, self._tell_focus)
        self._load_timer = single_shot(self, 0, self.charts.load_plots)
        self._show_settings()
        self.theme_switch.choose(settings.theme, settings.price_colors)
        self.set_theme(self.theme_switch.theme)
        self._connect()
        self._layout.restore(settings)
        self._is_filled = True
        if self.isVisible():
            pump.set_window_shown(True)
            self.update()

    # Parts

    @property
    def is_painted(self) -> bool:
        """Whether the panels were on screen at least once."""
        return self._is_content_painted

    def title_of(self, venue: str) -> str:
        """Display name of a venue."""
        return self._titles.get(venue, venue)

    def _connect(self) -> None:
        self._pump.frame.connect(self.on_frame)
        self._pump.slow_frame.connect(self.on_slow_frame)
        self.theme_switch.changed.connect(self.set_theme)
        named = self.commands_of_user.named
        named["pause"].toggled.connect(self.set_paused)
        named["refresh"].triggered.connect(self._on_refresh)
        named["search"].triggered.connect(self.open_search)
        named["line"].triggered.connect(self._on_chart_chosen)
        named["candles"].triggered.connect(self._on_chart_chosen)
        named["filter"].triggered.connect(self._on_filter)
        named["theme"].triggered.connect(self._on_theme)
        named["reset_layout"].triggered.connect(self.reset_layout)
        named["next_panel"].triggered.connect(self.go_to_next_panel)
        named["full_screen"].toggled.connect(self._on_full_screen)
        named["quit"].triggered.connect(self.leave)
        for action in self.commands_of_user.ranges.values():
            action.triggered.connect(self._on_range_chosen)
        for action in self.commands_of_user.venues.values():
            action.toggled.connect(self._on_venue_toggled)
        self.bar.interval.currentTextChanged.connect(self._on_interval)
        self.watchlist.focus_changed.connect(self._on_row_chosen)
        self.watchlist.keys_changed.connect(self._on_keys_changed)
        self.watchlist.add_requested.connect(self.open_search)
        self.search.instrument_chosen.connect(self._on_instrument_chosen)
        self.status.venue_clicked.connect(self.links.show_venue)
        self.dialogs.settings_accepted.connect(self.accept_settings)

    # Settings in and out

    def current_settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def accept_settings(self, settings: Settings) -> None:
        """Take a whole new value, show what of it is visible here, and have it applied and remembered."""
        self._change(settings)
        self.theme_switch.choose(settings.theme, settings.price_colors)
        self._show_settings()

    def set_watchlist(self, keys: Sequence[InstrumentKey]) -> None:
        """Show ``keys`` and go to the instrument that was in focus the last time, else to the first."""
        self.watchlist.set_keys(keys)
        wanted = self._settings.focus
        if keys:
            self.watchlist.select(wanted if wanted is not None and wanted in keys else keys[0])

    def _change(self, settings: Settings) -> None:
        if settings != self._settings:
            self._settings = settings
            self._save_timer.start()

    def _save(self) -> None:
        self._commands.save_settings(self._settings)

    def _show_settings(self) -> None:
        settings, actions = self._settings, self.commands_of_user
        actions.ranges[settings.time_range_s].setChecked(True)
        actions.named[settings.chart_kind].setChecked(True)
        if self.bar.interval.findText(settings.interval) >= 0:
            self.bar.interval.setCurrentText(settings.interval)
        for venue, action in actions.venues.items():
            action.setChecked(venue not in settings.disabled_venues)
        self.pools.keep_alive.keeps_warm = settings.keep_warm
        self.charts.set_time_range(settings.time_range_s)
        self.dialogs.show_settings(settings)
        self.charts.set_alerts(settings.alerts)
        self._show_chart_kind()
        self._show_modes()

    def _show_chart_kind(self) -> None:
        is_candles = self._settings.chart_kind == "candles"
        self.bar.interval.setEnabled(is_candles)
        self.charts.set_chart(is_candles=is_candles, interval=self._settings.interval)

    def _show_modes(self) -> None:
        for venue, light in self.status.lights.items():
            is_enabled = self.commands_of_user.venues[venue].isChecked()
            light.set_modes(is_enabled=is_enabled, is_paused=self._is_paused)
        self.status.refresh(self._pump.stalls, self._pump.reply_to_paint)

    # Frames

    def on_frame(self) -> None:
        """Something changed: show it where it moves."""
        self.panels.on_frame()
        self._show_events()

    def _show_events(self) -> None:
        idle = self._board.venue_names if self._is_paused else self._settings.disabled_venues
        self.toasts.notify_events(self.events.take_new(), idle_venues=idle, title_of=self.title_of)

    def on_slow_frame(self) -> None:
        """A second has passed: let ages run and figures change."""
        self.panels.on_slow_frame()
        self.links.refresh()
        # Silence makes events too: a venue that went late is noticed by time alone.
        self._show_events()
        self.status.refresh(self._pump.stalls, self._pump.reply_to_paint)

    # What the user does

    def open_search(self) -> None:
        """Open the search palette."""
        self.search.open_over(self)

    def set_paused(self, is_paused: bool) -> None:
        """Stop or resume polling; figures grow old visibly."""
        self._is_paused = is_paused
        self.commands_of_user.set_paused(is_paused, self._theme)
        self.bar.set_badges(is_demo=self._is_demo, is_paused=is_paused)
        self._show_modes()
        self._commands.set_paused(is_paused)

    def set_theme(self, theme: Theme) -> None:
        """Draw everything in the colours of ``theme``."""
        self._theme = theme.for_venues(self._board.venue_names)
        self.commands_of_user.set_theme(self._theme)
        self.panels.set_theme(self._theme)
        self.bar.set_theme(self._theme)
        self.toasts.set_theme(self._theme)
        self.search.set_theme(self._theme)
        self.bar.set_badges(is_demo=self._is_demo, is_paused=self._is_paused)
        self.on_slow_frame()

    def leave(self) -> None:
        """Close the window for good, whatever closing it means otherwise."""
        self.is_leaving = True
        self.close()

    def reset_layout(self) -> None:
        """Put every panel where it was at the first start."""
        self._layout.reset()

    def go_to_next_panel(self) -> None:
        """Move the keyboard to the next panel that is open."""
        from monitor.widgets.panel_cycle import focus_next

        focus_next(self.panels.cycle(), self.focusWidget())

    def _on_refresh(self) -> None:
        self._commands.refresh()

    def _on_theme(self) -> None:
        self.accept_settings(replace(self._settings, theme="light" if self._theme.is_dark else "dark"))

    def _on_chart_chosen(self) -> None:
        kind = "candles" if self.commands_of_user.named["candles"].isChecked() else "line"
        self._change(replace(self._settings, chart_kind=kind))
        self._show_chart_kind()

    def _on_interval(self, interval: str) -> None:
        self._change(replace(self._settings, interval=interval))
        self._show_chart_kind()
        self._focus_timer.start()

    def _on_range_chosen(self) -> None:
        for seconds, action in self.commands_of_user.ranges.items():
            if action.isChecked():
                self.charts.set_time_range(seconds)
                self._change(replace(self._settings, time_range_s=seconds))

    def _on_venue_toggled(self) -> None:
        actions = self.commands_of_user.venues
        disabled = tuple(venue for venue, action in actions.items() if not action.isChecked())
        for venue in set(disabled) ^ set(self._settings.disabled_venues):
            self._commands.set_venue_enabled(venue, venue not in disabled)
        self._change(replace(self._settings, disabled_venues=disabled))
        self._show_modes()

    def _on_row_chosen(self, key: InstrumentKey) -> None:
        self.focus_key = key
        self.charts.set_focus(key)
        self._change(replace(self._settings, focus=key))
        self._focus_timer.start()

    def _tell_focus(self) -> None:
        if self.focus_key is not None:
            self._commands.set_focus(self.focus_key, self._settings.interval)

    def _on_keys_changed(self, keys: tuple[InstrumentKey, ...]) -> None:
        self._commands.set_watchlist(keys)
        self._change(replace(self._settings, watchlist=keys))

    def _on_instrument_chosen(self, key: InstrumentKey) -> None:
        self.watchlist.add(key)
        self.watchlist.table.setFocus()

    def _on_filter(self) -> None:
        self.links.raise_requests()
        self.requests.filter.setFocus(QtCore.Qt.FocusReason.ShortcutFocusReason)

    def _on_full_screen(self, is_full: bool) -> None:
        states = QtCore.Qt.WindowState
        self.setWindowState(states.WindowFullScreen if is_full else states.WindowNoState)

    # Qt

    def event(self, event: QEvent) -> bool:
        """Qt: after a repaint of the window, tell the pump that what was applied is on screen."""
        is_handled = super().event(event)
        if event.type() == QEvent.Type.UpdateRequest and self.updatesEnabled():
            if not self._is_painted:
                self._is_painted = True
                self.first_painted.emit()
            if self._is_filled:
                self._pump.painted()
                if not self._is_content_painted:
                    self._is_content_painted = True
                    self._load_timer.start()
        return is_handled

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: measure from now on."""
        super().showEvent(event)
        if self._is_filled:
            self._pump.set_window_shown(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Qt: nothing is painted, so nothing is measured."""
        super().hideEvent(event)
        if self._is_filled:
            self._pump.set_window_shown(False)

    def changeEvent(self, event: QEvent) -> None:
        """Qt: a minimised window is not painted either."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange and self._is_filled:
            self._pump.set_window_shown(not self.isMinimized())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Qt: remember the layout, then let the app decide what closing means."""
        if not self._is_filled:
            event.accept()
            self.close_wanted.emit()
            return
        self._save_timer.stop()
        self._settings = self._layout.remember(self._settings)
        self._commands.save_settings(self._settings)
        event.accept()
        self._commands.quit()
