"""The search palette (Ctrl+K): instruments of every venue and every command, found by typing."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from PySide6.QtCore import QModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QFont, QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListView,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.market import Instrument
from monitor.exchanges.base import Source
from monitor.qtmodels.figures import safe_text
from monitor.qtmodels.headed_model import Index
from monitor.qtmodels.quote_figures import short_name
from monitor.state.ages import seconds_text
from monitor.state.quotes import Origin
from monitor.state.sources import SOURCE_DEFINITION, source_of_origin, source_text
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

InstrumentKey: TypeAlias = tuple[str, str]

_KEY_ROLE = int(Qt.ItemDataRole.UserRole)
_ACTION_ROLE = _KEY_ROLE + 1
_HINT_ROLE = _KEY_ROLE + 2
_VENUE_ROLE = _KEY_ROLE + 3

_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}

MAX_INSTRUMENTS = 40
MAX_COMMANDS = 8
WIDTH_PX = 520
HEIGHT_PX = 400


class InstrumentFinder(Protocol):
    """The part of ``Board`` the palette uses."""

    def find(self, text: str, *, venue: str | None = None, limit: int = 50) -> list[Instrument]:
        """Instruments, best match first."""
        ...

    @property
    def venue_names(self) -> Sequence[str]:
        """Names of the venues, in order."""
        ...

    def catalog_origin(self, venue: str) -> Origin | None:
        """The reply that a venue's list of instruments is of; ``None`` before the first."""
        ...


class _Delegate(ThemedDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt: one comfortable line."""
        return QSize(100, option.fontMetrics.height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: name at the left, venue or shortcut at the right."""
        theme = self._theme
        self.paint_ground(painter, option)
        inner = option.rect.adjusted(12, 0, -12, 0)
        venue = index.data(_VENUE_ROLE)
        hint = str(index.data(_HINT_ROLE) or "")
        hint_width = option.fontMetrics.horizontalAdvance(hint)
        if venue:
            painter.fillRect(
                QRect(option.rect.left() + 4, option.rect.top() + 6, 3, option.rect.height() - 12),
                QColor(theme.venue_color(str(venue))),
            )
        font = QFont(option.font)
        font.setWeight(QFont.Weight.DemiBold if venue else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        room = inner.adjusted(4, 0, -hint_width - 12, 0)
        shown = option.fontMetrics.elidedText(str(index.data()), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(option.font)
        painter.setPen(QColor(theme.venue_color(str(venue)) if venue else theme.text_muted))
        painter.drawText(inner, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, hint)


class SearchEdit(QLineEdit):
    """A text field that passes the arrow keys on.

    Signals:
        moved(int): how many entries down (negative: up).
    """

    moved = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: up and down belong to the list below."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.moved.emit(step)


class Palette(QDialog):
    """Type, choose with the arrow keys, press Enter.

    Signals:
        instrument_chosen(object): the ``InstrumentKey`` chosen.
    """

    instrument_chosen = Signal(object)

    def __init__(
        self,
        finder: InstrumentFinder,
        actions: Sequence[QAction],
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._finder = finder
        self._actions = tuple(actions)
        self._venue_title = venue_title
        self._theme = theme
        self._clock = clock
        self.setAccessibleName("Search instruments and commands")
        self.edit = SearchEdit()
        self.edit.setPlaceholderText("Instrument or command: btc, eth hyper, pause, theme …")
        self.edit.setAccessibleName("Search")
        self._model = QStandardItemModel(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self._delegate = _Delegate(theme, self)
        self.list.setItemDelegate(self._delegate)
        self.list.setAccessibleName("Found instruments and commands")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.edit)
        layout.addWidget(self.list)
        self.origin = ElidedLabel("", scale=0.88)
        layout.addWidget(self.origin)
        self.edit.textChanged.connect(self._on_text)
        self.edit.moved.connect(self._move)
        self.edit.returnPressed.connect(self._on_return)
        self.list.clicked.connect(self._on_clicked)
        self._on_text("")

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self._delegate.set_theme(theme)

    def open_over(self, window: QWidget) -> None:
        """Show the palette at the top centre of ``window``, empty, ready to type."""
        self.edit.clear()
        self._show_origins()
        width = min(WIDTH_PX, window.width() - 40)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.setGeometry(
            corner.x() + (window.width() - width) // 2, corner.y() + 56, width, min(HEIGHT_PX, window.height() - 90)
        )
        self.show()
        self.raise_()
        self.activateWindow()
        self.edit.setFocus()

    def entries(self) -> list[str]:
        """Texts found, in order."""
        return [str(self._model.index(row, 0).data()) for row in range(self._model.rowCount())]

    def _show_origins(self) -> None:
        """Say where the lists that are searched came from, and how old they are."""
        now_s = self._clock()
        short, long = [], []
        for venue in self._finder.venue_names:
            title, origin = self._venue_title(venue), self._finder.catalog_origin(venue)
            source = source_of_origin(origin, now_s)
            if origin is None or source is None:
                short.append(f"{title}: no list yet")
                long.append(f"{title}: the list of instruments has not come yet.")
                continue
            age = seconds_text(origin.stamp.age(now_s).high_s)
            name = {Source.NETWORK: "network", Source.CACHE: "cache", Source.STALE_CACHE: "stale cache"}[source.source]
            short.append(f"{title}: {name}, {age}")
            long.append(f"{title}: {safe_text(source_text(source), 160)}, {age} old.")
        self.origin.set_text("Instruments · " + " · ".join(short), self._theme.text_muted)
        self.origin.set_definition("\n".join([*long, SOURCE_DEFINITION]))

    def _move(self, step: int) -> None:
        count = self._model.rowCount()
        if count:
            row = min(max(self.list.currentIndex().row() + step, 0), count - 1)
            self.list.setCurrentIndex(self._model.index(row, 0))

    def _on_text(self, text: str) -> None:
        self._model.clear()
        words = text.casefold().split()
        commands = [action for action in self._actions if action.isEnabled() and _matches(action, words)]
        if words:
            for instrument in self._finder.find(text.strip(), limit=MAX_INSTRUMENTS):
                self._model.appendRow(self._instrument_item(instrument))
        for action in commands[: MAX_COMMANDS if words else len(commands)]:
            self._model.appendRow(_command_item(action))
        if self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(0, 0))

    def _instrument_item(self, instrument: Instrument) -> QStandardItem:
        item = QStandardItem(short_name(instrument, instrument.venue_symbol))
        item.setData((instrument.venue, instrument.venue_symbol), _KEY_ROLE)
        item.setData(self._venue_title(instrument.venue), _HINT_ROLE)
        item.setData(instrument.venue, _VENUE_ROLE)
        item.setToolTip(f"Watch {safe_text(instrument.name)}".replace("<", "&lt;"))
        return item

    def _on_return(self) -> None:
        self._choose(self.list.currentIndex())

    def _on_clicked(self, index: QModelIndex) -> None:
        self._choose(index)

    def _choose(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        key, action = index.data(_KEY_ROLE), index.data(_ACTION_ROLE)
        self.close()
        if isinstance(action, QAction):
            action.trigger()
        elif key is not None:
            venue, symbol = key
            self.instrument_chosen.emit((str(venue), str(symbol)))


def _matches(action: QAction, words: Sequence[str]) -> bool:
    text = f"{action.text()} {action.toolTip()}".replace("&", "").casefold()
    return all(word in text for word in words)


def _command_item(action: QAction) -> QStandardItem:
    item = QStandardItem(action.text().replace("&", ""))
    item.setData(action, _ACTION_ROLE)
    item.setData(action.shortcut().toString(), _HINT_ROLE)
    return item
