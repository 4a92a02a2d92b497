"""Where the panels are: at the first start, as the user left them, and back again."""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QByteArray, Qt, QTimer
from PySide6.QtWidgets import QMainWindow, QTabWidget

from monitor.desktop.settings import Settings
from monitor.widgets.account_panels import NAMES as ACCOUNT_DOCKS
from monitor.widgets.dock import Dock

LAYOUT_VERSION = 5
"""Grows when docks come or go, so that an older saved layout is not forced onto a newer window."""

WATCHLIST_WIDTH_PX = 398
POOLS_WIDTH_PX = 310
BOTTOM_HEIGHT_PX = 200


class WindowLayout:
    """Geometry of ``window`` and its docks (``watchlist``, ``pools``, ``requests``, ``events`` by name)."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock]) -> None:
        self._window = window
        self._docks = docks
        self._is_first_layout = True
        self._state_to_repeat: QByteArray | None = None
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def reset(self) -> None:
        """Put every panel where it was at the first start."""
        window, docks = self._window, self._docks
        self._state_to_repeat = None
        for dock in docks.values():
            dock.setFloating(False)
            # What is still in its old place while others are put in theirs would leave its tabs behind, and a window
            # as wide as both layouts need together.
            window.removeDockWidget(dock)
        window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["watchlist"])
        window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, docks["pools"])
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, docks["requests"])
        for name in ("spikes", *ACCOUNT_DOCKS, "book", "alerts", "events"):
            # Tabs at once: side by side for a moment, they would widen the window by their least widths.
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, docks[name])
            window.tabifyDockWidget(docks["requests"], docks[name])
        for dock in docks.values():
            dock.show()
        docks["requests"].raise_()
        self._is_first_layout = True
        self._share()
        # In a window that is on screen already, new docks get their sizes with the next turn of the event loop.
        QTimer.singleShot(0, window, self._share)

    def _share(self) -> None:
        if not self._is_first_layout:
            return
        window, docks = self._window, self._docks
        window.resizeDocks(
            [docks["watchlist"], docks["pools"]], [WATCHLIST_WIDTH_PX, POOLS_WIDTH_PX], Qt.Orientation.Horizontal
        )
        window.resizeDocks([docks["requests"]], [BOTTOM_HEIGHT_PX], Qt.Orientation.Vertical)

    def restore(self, settings: Settings) -> None:
        """Put the panels where ``settings`` say; the first layout where they say nothing or it does not fit."""
        self.reset()
        if settings.window_state:
            state = QByteArray.fromBase64(settings.window_state.encode())
            if self._window.restoreState(state, LAYOUT_VERSION):
                self._is_first_layout = False
                if self._window.isVisible():
                    # In a window that is on screen already, docks made this moment do not know their least sizes nor
                    # the height of their tabs: the sizes of the state are shared out wrongly until the event loop
                    # has turned once.
                    self._state_to_repeat = state
                    QTimer.singleShot(0, self._window, self._restore_again)
            else:
                self.reset()

    def _restore_again(self) -> None:
        state, self._state_to_repeat = self._state_to_repeat, None
        if state is not None:
            self._window.restoreState(state, LAYOUT_VERSION)

    def remember(self, settings: Settings) -> Settings:
        """``settings`` with the layout as it is now, or as it is about to be."""
        state = self._state_to_repeat or self._window.saveState(LAYOUT_VERSION)
        return replace(
            settings,
            window_geometry=bytes(self._window.saveGeometry().toBase64().data()).decode(),
            window_state=bytes(state.toBase64().data()).decode(),
        )
