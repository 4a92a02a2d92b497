"""Where the panels are: at the first start, as the user left them, and back again.

A window that is made smaller takes room from its panels, and one that is made larger gives it to the charts only. So
the layout remembers what the panels are to have, and gives it back.
"""

from collections.abc import Mapping
from dataclasses import replace

from PySide6.QtCore import QByteArray, QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMainWindow, QTabBar, QTabWidget

from monitor.desktop.settings import Settings
from monitor.qtmodels.timers import single_shot
from monitor.widgets.account_panels import NAMES as ACCOUNT_DOCKS
from monitor.widgets.dock import Dock

LAYOUT_VERSION = 5
"""Grows when docks come or go, so that an older saved layout is not forced onto a newer window."""

WATCHLIST_WIDTH_PX = 398
POOLS_WIDTH_PX = 310
BOTTOM_HEIGHT_PX = 200


_FIRST_SIZES = {"watchlist": WATCHLIST_WIDTH_PX, "pools": POOLS_WIDTH_PX, "requests": BOTTOM_HEIGHT_PX}
_AREAS = {
    "watchlist": Qt.DockWidgetArea.LeftDockWidgetArea,
    "pools": Qt.DockWidgetArea.RightDockWidgetArea,
    "requests": Qt.DockWidgetArea.BottomDockWidgetArea,
}


class WindowLayout(QObject):
    """Geometry of ``window`` and its docks (``watchlist``, ``pools``, ``requests``, ``events`` by name)."""

    def __init__(self, window: QMainWindow, docks: Mapping[str, Dock]) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._is_first_layout = True
        self._state_to_repeat: QByteArray | None = None
        self._wanted_px: dict[str, int] = dict(_FIRST_SIZES)
        """What each panel is to have, as far as there is room: its width, of the lower ones the height."""
        self._pressed_px: dict[str, int] | None = None
        self._give_back_timer = single_shot(self, 0, self._give_back)
        window.installEventFilter(self)
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def reset(self) -> None:
        """Put every panel where it was at the first start."""
        window, docks = self._window, self._docks
        self._state_to_repeat = None
        # What is between two layouts is not to be seen.
        window.setUpdatesEnabled(False)
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
        self._wanted_px = dict(_FIRST_SIZES)
        self._share()
        # In a window that is on screen already, new docks get their sizes with the next turn of the event loop.
        QTimer.singleShot(0, window, self._share)
        QTimer.singleShot(0, self, self._settle)

    def _settle(self) -> None:
        # What was shared out is in force with the turn after.
        QTimer.singleShot(0, self, lambda: self._window.setUpdatesEnabled(True))

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
                self._wanted_px = {}
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
            # What was restored is in force with the next turn.
            QTimer.singleShot(0, self, self._take_sizes)

    # What a panel is to have

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: the borders between panels are no widgets, so that the window itself is told when one is dragged."""
        kind = event.type()
        if kind is QEvent.Type.MouseButtonPress:
            self._pressed_px = self._sizes_px()
        elif kind is QEvent.Type.MouseButtonRelease and self._pressed_px is not None:
            before, self._pressed_px = self._pressed_px, None
            now = self._sizes_px()
            self._wanted_px |= {name: size for name, size in now.items() if before.get(name) != size}
        elif kind is QEvent.Type.Show and not self._wanted_px:
            QTimer.singleShot(0, self, self._take_sizes)
        elif isinstance(event, QResizeEvent):
            before_size, size = event.oldSize(), event.size()
            if size.width() > before_size.width() or size.height() > before_size.height():
                self._give_back_timer.start()
        return super().eventFilter(watched, event)

    def _sizes_px(self) -> dict[str, int]:
        """Of the panels that stand where they were at the first start."""
        return {
            name: dock.height() + self._tabs_px(dock) if name == "requests" else dock.width()
            for name, dock in self._docks.items()
            if name in _AREAS
            and self._window.dockWidgetArea(dock) == _AREAS[name]
            and not dock.isFloating()
            and not dock.isHidden()
        }

    def _tabs_px(self, dock: Dock) -> int:
        """Height of the tabs above ``dock``, which belong to its size."""
        found = self._window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
        above = [bar.height() for bar in found if bar.isVisible() and 0 <= dock.y() - bar.y() - bar.height() <= 2]
        return max(above, default=0)

    def _take_sizes(self) -> None:
        self._wanted_px = self._sizes_px()

    def _give_back(self) -> None:
        """Let panels have what a smaller window took from them."""
        lacking = [name for name, size in self._sizes_px().items() if size < self._wanted_px.get(name, 0)]
        sides = [name for name in lacking if name != "requests"]
        self._resize(sides, Qt.Orientation.Horizontal)
        self._resize([name for name in lacking if name == "requests"], Qt.Orientation.Vertical)

    def _resize(self, names: list[str], orientation: Qt.Orientation) -> None:
        if names:
            self._window.resizeDocks(
                [self._docks[name] for name in names], [self._wanted_px[name] for name in names], orientation
            )

    def remember(self, settings: Settings) -> Settings:
        """``settings`` with the layout as it is now, or as it is about to be."""
        state = self._state_to_repeat or self._window.saveState(LAYOUT_VERSION)
        return replace(
            settings,
            window_geometry=bytes(self._window.saveGeometry().toBase64().data()).decode(),
            window_state=bytes(state.toBase64().data()).decode(),
        )
