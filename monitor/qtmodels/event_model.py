"""What happened, last seen first; a repeated event is one row with a count."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt

from monitor.qtmodels.figures import local_time, plain_tooltip, safe_text
from monitor.qtmodels.row_sync import sync_rows
from monitor.state.event_log import EventEntry
from monitor.state.period import Period

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()

ENTRY_ROLE = int(Qt.ItemDataRole.UserRole)
"""The ``EventEntry`` of a row."""

MAX_ROWS = 1_000
MAX_EVENT_TEXT = 300


class EventColumn(IntEnum):
    """Columns of the event list, in order."""

    TIME = 0
    LEVEL = 1
    VENUE = 2
    TEXT = 3
    COUNT = 4


_TITLES = ("Last seen", "Level", "Venue", "What happened", "Times")
_WHATS = (
    "When it happened, the last time of several, local time",
    "info: good to know. warning: figures are affected. error: something does not work",
    "Which venue it concerns; app: this app itself",
    "What was seen last stands first: a repeat brings its row up again",
    "How often, where it was repeated within minutes",
)


class EventModel(QAbstractTableModel):
    """The ``MAX_ROWS`` events seen last, those first; a repeat moves its row up, and selections go with it."""

    def __init__(self, venue_title: Callable[[str], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._venue_title = venue_title
        self._entries: list[EventEntry] = []

    def merge(self, entries: Sequence[EventEntry]) -> None:
        """Take entries that are new or changed, in any order."""
        known = {entry.entry_id: entry for entry in (*self._entries, *entries)}
        wanted = sorted(known.values(), key=lambda entry: (entry.mono_s, entry.revision), reverse=True)
        sync_rows(self, self._entries, wanted[:MAX_ROWS], lambda entry: entry.entry_id)

    def entry_at(self, row: int) -> EventEntry:
        """The event in ``row``; raises ``IndexError`` outside the table."""
        if not 0 <= row < len(self._entries):
            raise IndexError(row)
        return self._entries[row]

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt: number of events."""
        return 0 if parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt: number of columns."""
        return 0 if parent.isValid() else len(EventColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: titles, with their definitions as tooltips."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(EventColumn):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(_WHATS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: one text per cell; the entry under ``ENTRY_ROLE``."""
        if not index.isValid() or index.row() >= len(self._entries):
            return None
        entry = self.entry_at(index.row())
        column = EventColumn(index.column())
        if role == ENTRY_ROLE:
            return entry
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(entry, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            since = "" if entry.count == 1 else f" · {entry.count} times since {local_time(entry.at)}"
            return plain_tooltip(safe_text(entry.text, MAX_EVENT_TEXT) + since)
        return None

    def _text(self, entry: EventEntry, column: EventColumn) -> str:
        if column is EventColumn.TIME:
            return local_time(entry.last_at)
        if column is EventColumn.LEVEL:
            return entry.level
        if column is EventColumn.VENUE:
            return "app" if entry.venue is None else self._venue_title(entry.venue)
        if column is EventColumn.TEXT:
            return safe_text(entry.text, MAX_EVENT_TEXT)
        return "" if entry.count == 1 else f"× {entry.count:,}"


class EventFilter(QSortFilterProxyModel):
    """Keeps the events of a period, in the order of the model."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._period: Period | None = None

    def set_period(self, period: Period | None) -> None:
        """Show what happened within ``period``, once of several times too; ``None`` shows all."""
        if period != self._period:
            self._period = period
            self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Qt: whether a row is shown."""
        model, period = self.sourceModel(), self._period
        if period is None or not isinstance(model, EventModel):
            return True
        entry = model.entry_at(source_row)
        first_s = entry.mono_s - (entry.last_at - entry.at).total_seconds()
        return first_s <= period.end_mono_s and entry.mono_s >= period.start_mono_s
