"""Every panel of the window: made, docked, shown frame by frame, coloured. A new panel is added here."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QMainWindow, QWidget

from monitor.state.board import Board
from monitor.widgets.account_panels import AccountPanels
from monitor.widgets.alert_panel import AlertPanel
from monitor.widgets.book_view import BookView
from monitor.widgets.chart_area import ChartArea
from monitor.widgets.dock import Dock, dock_icons
from monitor.widgets.event_list import EventList
from monitor.widgets.period_focus import PeriodFocus
from monitor.widgets.pool_panel import PoolPanel
from monitor.widgets.request_table import RequestTable
from monitor.widgets.spike_panel import SpikePanel
from monitor.widgets.status_bar import StatusBar
from monitor.widgets.theme import Theme
from monitor.widgets.watchlist import Watchlist

AGE_INTERVAL_MS = 250
"""Polls come once a second: an age that is written as seldom would show the same part of a second for ever."""


class WindowPanels:
    """The charts in the middle of ``window``, docks around them, the status bar. Thread: GUI."""

    def __init__(
        self,
        window: QMainWindow,
        board: Board,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], datetime],
        venue_title: Callable[[str], str],
        theme: Theme,
    ) -> None:
        venues = [board.venue(name) for name in board.venue_names]
        self.charts = ChartArea(board, clock=clock, utc_now=wall_clock, venue_title=venue_title, theme=theme)
        window.setCentralWidget(self.charts)
        self.watchlist = Watchlist(board, clock=clock, venue_title=venue_title, theme=theme)
        self.pools = PoolPanel(venues, ledger=board.ledger, clock=clock, venue_title=venue_title, theme=theme)
        self.requests = RequestTable(board.requests, board.spikes, venue_title=venue_title, theme=theme)
        self.spikes = SpikePanel(board.spikes, utc_now=wall_clock, venue_title=venue_title, theme=theme)
        self.book = BookView(board, clock=clock, venue_title=venue_title, theme=theme)
        self.alerts = AlertPanel(board, venue_title=venue_title, theme=theme)
        self.events = EventList(board.events, venue_title=venue_title, theme=theme)
        self.status = StatusBar(venues, clock=clock, venue_title=venue_title, theme=theme)
        window.setStatusBar(self.status)
        self.accounts = AccountPanels(
            window, board, clock=clock, wall_clock=wall_clock, venue_title=venue_title, theme=theme
        )
        self.watchlist.focus_changed.connect(self.book.set_focus)
        self.charts.time_range_changed.connect(self.pools.set_time_range)
        docks = (
            Dock("watchlist", "Watchlist", self.watchlist, parent=window),
            Dock("pools", "Connection pools", self.pools, parent=window),
            Dock("requests", "Requests", self.requests, extra=(self.requests.head,), parent=window),
            Dock("spikes", "Why slow", self.spikes, extra=(self.spikes.head,), parent=window),
            *self.accounts.docks,
            Dock("book", "Order book", self.book, extra=(self.book.head,), parent=window),
            Dock("alerts", "Alerts", self.alerts, extra=(self.alerts.head,), parent=window),
            Dock("events", "Events", self.events, parent=window),
        )
        self._window, self._clock = window, clock
        self._aged_mono_s = float("-inf")
        self._age_timer = QTimer(window)
        self._age_timer.setInterval(AGE_INTERVAL_MS)
        self._age_timer.timeout.connect(self.on_age_frame)
        self._age_timer.start()
        self.docks = {dock.objectName(): dock for dock in docks}
        self.period = PeriodFocus(
            window,
            charts=self.charts,
            pools=self.pools,
            requests=self.requests,
            spikes=self.spikes,
            events=self.events,
            status=self.status,
            of_now=[
                dock.title
                for dock in docks
                if dock.widget() in (self.watchlist, self.book, self.alerts) or dock in self.accounts.docks
            ],
            clock=clock,
            utc_now=wall_clock,
            started_mono_s=board.started_mono_s,
        )

    def on_frame(self) -> None:
        """Something changed: show it where it moves."""
        self.watchlist.on_frame()
        self.requests.on_frame()
        self.accounts.on_frame()
        self.book.on_frame()
        self.charts.on_frame()
        # With what is painted anyway an age costs its own cell, by itself another pass over the window.
        if self._clock() - self._aged_mono_s > AGE_INTERVAL_MS / 1_250:
            self.on_age_frame()

    def on_age_frame(self) -> None:
        """Let every age that says how live a price is run on, all of them to the same moment."""
        if self._window.isVisible() and not self._window.isMinimized():
            self._aged_mono_s = now = self._clock()
            self._age_timer.start()
            self.watchlist.on_age_frame(now)
            self.charts.on_age_frame(now)
            self.status.show_ages(now)

    def on_slow_frame(self) -> None:
        """A second has passed: let ages run and figures change."""
        self.watchlist.on_slow_frame()
        self.pools.on_slow_frame()
        self.requests.on_slow_frame()
        self.spikes.refresh()
        self.accounts.on_slow_frame()
        self.book.on_slow_frame()
        self.alerts.refresh()
        self.charts.on_slow_frame()

    def set_theme(self, theme: Theme) -> None:
        """Draw everything in the colours of ``theme``."""
        icons = dock_icons(theme)
        for dock in self.docks.values():
            dock.title.set_theme(theme, icons)
        self.watchlist.set_theme(theme)
        self.pools.set_theme(theme)
        self.requests.set_theme(theme)
        self.spikes.set_theme(theme)
        self.accounts.set_theme(theme)
        self.book.set_theme(theme)
        self.alerts.set_theme(theme)
        self.events.set_theme(theme)
        self.charts.set_theme(theme)
        self.status.set_theme(theme)

    def cycle(self) -> tuple[QWidget, ...]:
        """What the keyboard goes through from panel to panel."""
        return (
            self.watchlist.table,
            self.charts.price_plot or self.charts,
            self.charts.latency_plot or self.charts,
            self.pools.front,
            self.requests.table,
            self.spikes.table,
            *(table.table for table in self.accounts.made.values()),
            self.book.table,
            self.alerts.table,
            self.events.table,
        )
