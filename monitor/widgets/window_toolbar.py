"""The toolbar of the window; where it has no room for all, the least important parts move into a menu at its end."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from monitor.domain.intervals import INTERVALS_S
from monitor.widgets.resources import dot_icon
from monitor.widgets.theme import Theme
from monitor.widgets.window_actions import WindowActions

INTERVALS = tuple(name for name in INTERVALS_S if name in ("1m", "5m", "15m", "1h", "4h", "1d"))


class WindowToolBar(QToolBar):
    """The toolbar: venue switches, pause, time range, chart kind, search, badges.

    Badges, search, pause and the cover for amounts stay at any width. Thread: GUI.
    """

    def __init__(self, actions: WindowActions, parent: QWidget) -> None:
        super().__init__("Toolbar", parent)
        self.setObjectName("toolbar")
        self.setAccessibleName("Toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(17, 17))
        self._actions = actions
        self._buttons: dict[QAction, QToolButton] = {}
        # Their places in the bar: hiding one must leave the action itself, its key and its menu entry alone.
        self._places: dict[QAction, QAction] = {}
        named = actions.named
        for action in actions.venues.values():
            button = self._add(action, with_text=True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        after_venues = self.addSeparator()
        self._add(named["pause"])
        self._add(named["refresh"])
        after_polling = self.addSeparator()
        for action in actions.ranges.values():
            self._add(action, with_text=True)
        after_ranges = self.addSeparator()
        self._add(named["line"])
        self._add(named["candles"])
        self.interval = QComboBox()
        self.interval.addItems(INTERVALS)
        self.interval.setAccessibleName("Candle interval")
        self.interval.view().setAccessibleName("Candle intervals")
        self.interval.setToolTip("Length of a candle")
        self._interval_place = self.addWidget(self.interval)
        after_charts = self.addSeparator()
        self._add(named["measure"])
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self._paused_place = self._badge("PAUSED", "Polling is paused. What is shown grows old.")
        self._demo_place = self._badge(
            "DEMO", "Embedded demo exchange on this machine. No figure here is of a real market."
        )
        self._add(named["search"], with_text=True)
        self._add(named["accounts"])
        self._add(named["hide_amounts"])
        self._add(named["theme"])
        self._add(named["settings"])
        self._more_menu = QMenu(self)
        self._more_menu.aboutToShow.connect(self._fill_more)
        self._more_place = self._add_more()
        charts = (named["line"], named["candles"])
        self._steps: tuple[Callable[[], None], ...] = (
            lambda: self._show_search("Search"),
            self._hiding(named["theme"]),
            self._hiding(named["measure"], separators=(after_charts,)),
            self._hiding(named["accounts"]),
            self._hiding(named["refresh"]),
            lambda: self._interval_place.setVisible(False),
            self._hiding(*charts, separators=(after_ranges,)),
            self._hiding(named["settings"]),
            lambda: self._show_search(""),
            self._hiding(*actions.ranges.values(), separators=(after_polling,)),
            self._hiding(*actions.venues.values(), separators=(after_venues,)),
        )
        self._separators = (after_venues, after_polling, after_ranges, after_charts)
        self._more_place.setVisible(False)
        self._show_search("Search  Ctrl+K")

    def button_of(self, action: QAction) -> QToolButton:
        """The button of ``action``, which is hidden while there is no room for it."""
        return self._buttons[action]

    def set_theme(self, theme: Theme) -> None:
        """Give each venue switch the colour that stands for the venue."""
        for venue, action in self._actions.venues.items():
            action.setIcon(dot_icon(theme.venue_color(venue), theme.text_muted))

    def set_badges(self, *, is_demo: bool, is_paused: bool) -> None:
        """Show or hide the badges."""
        self._demo_place.setVisible(is_demo)
        self._paused_place.setVisible(is_paused)
        if self.isVisible():
            self._fit()

    # Room

    def _fit(self) -> None:
        for place in (*self._places.values(), *self._separators, self._interval_place):
            place.setVisible(True)
        self._more_place.setVisible(False)
        self._show_search("Search  Ctrl+K")
        layout = self.layout()
        if layout is None:
            return
        for step in self._steps:
            if layout.sizeHint().width() <= self.width():
                return
            step()
            self._more_place.setVisible(any(not place.isVisible() for place in self._places.values()))

    def _hiding(self, *hidden: QAction, separators: tuple[QAction, ...] = ()) -> Callable[[], None]:
        places = (*(self._places[action] for action in hidden), *separators)

        def hide() -> None:
            for place in places:
                place.setVisible(False)

        return hide

    def _show_search(self, text: str) -> None:
        action = self._actions.named["search"]
        # The button's own text would be overwritten with every change of the action's icon.
        action.setIconText(text)
        styles = Qt.ToolButtonStyle
        self._buttons[action].setToolButtonStyle(styles.ToolButtonTextBesideIcon if text else styles.ToolButtonIconOnly)

    def _fill_more(self) -> None:
        menu = self._more_menu
        menu.clear()
        menu.addActions([action for action, place in self._places.items() if not place.isVisible()])
        if not self._interval_place.isVisible():
            intervals = menu.addMenu("Candle interval")
            intervals.setEnabled(self.interval.isEnabled())
            for text in INTERVALS:
                entry = intervals.addAction(text)
                entry.setCheckable(True)
                entry.setChecked(text == self.interval.currentText())
                entry.triggered.connect(lambda _, text=text: self.interval.setCurrentText(text))

    # Parts

    def _add(self, action: QAction, *, with_text: bool = False) -> QToolButton:
        button = self._button()
        button.setDefaultAction(action)
        has_icon = not action.icon().isNull() or action is self._actions.named["search"]
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon if has_icon else Qt.ToolButtonStyle.ToolButtonTextOnly
        button.setToolButtonStyle(beside if with_text else Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setAccessibleName(action.toolTip())
        self._buttons[action] = button
        self._places[action] = self.addWidget(button)
        return button

    def _add_more(self) -> QAction:
        button = self._button()
        button.setText("»")
        button.setToolTip("What the toolbar has no room for")
        button.setAccessibleName("More of the toolbar")
        button.setMenu(self._more_menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return self.addWidget(button)

    def _button(self) -> QToolButton:
        button = QToolButton(self)
        button.setAutoRaise(True)
        button.setIconSize(self.iconSize())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _badge(self, text: str, what: str) -> QAction:
        label = QLabel(text)
        label.setObjectName("demoBadge")
        label.setToolTip(what)
        label.setAccessibleName(f"{text}: {what}")
        # A toolbar stretches what it holds to its full height.
        frame = QWidget()
        layout = QHBoxLayout(frame)
        layout.setContentsMargins(4, 0, 8, 0)
        layout.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        return self.addWidget(frame)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: another width has room for more or less."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: badges may have come while nobody saw it."""
        super().showEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: so has another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.isVisible():
            self._fit()
