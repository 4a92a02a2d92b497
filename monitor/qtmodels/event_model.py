"""What happened, last seen first; a repeated event is one row with a count."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, QSortFilterProxyModel, Qt

from monitor.qtmodels.figures import DASH, local_time, safe_text
from monitor.qtmodels.headed_model import ROW_ROLE, Head, Index, RowsModel
from monitor.qtmodels.row_sync import sync_rows
from monitor.state.event_log import EventEntry
from monitor.state.period import Period

MAX_ROWS = 1_000
MAX_EVENT_TEXT = 300


class EventColumn(IntEnum):
    """Columns of the event list, in order."""

    TIME = 0
    LEVEL = 1
    VENUE = 2
    TEXT = 3
    COUNT = 4


_HEADS = (
    Head("Last seen", "When it happened, the last time of several, local time"),
    Head("Level", "info: good to know. warning: figures are affected. error: something does not work"),
    Head("Venue", "Which venue it concerns; app: this app itself"),
    Head("What happened", "What was seen last stands first: a repeat brings its row up again"),
    Head("Times", "How often, where it was repeated within minutes"),
)


class EventModel(RowsModel[EventEntry]):
    """The ``MAX_ROWS`` events seen last, those first; a repeat moves its row up, and selections go with it."""

    def __init__(self, venue_title: Callable[[str], str], parent: QObject | None = None) -> None:
        super().__init__(_HEADS, parent)
        self._venue_title = venue_title

    def merge(self, entries: Sequence[EventEntry]) -> None:
        """Take entries that are new or changed, in any order."""
        known = {entry.entry_id: entry for entry in (*self._rows, *entries)}
        wanted = sorted(known.values(), key=lambda entry: (entry.mono_s, entry.revision), reverse=True)
        sync_rows(self, self._rows, wanted[:MAX_ROWS], lambda entry: entry.entry_id)

    def tooltip_of(self, row: EventEntry, column: int) -> str:
        """The whole event, and since when it repeats."""
        since = "" if row.count == 1 else f" · {row.count} times since {local_time(row.at)}"
        return safe_text(row.text, MAX_EVENT_TEXT) + since

    def text_of(self, row: EventEntry, column: int) -> str:
        """One part of an event."""
        match EventColumn(column):
            case EventColumn.TIME:
                return local_time(row.last_at)
            case EventColumn.LEVEL:
                return row.level
            case EventColumn.VENUE:
                return "app" if row.venue is None else self._venue_title(row.venue)
            case EventColumn.TEXT:
                return safe_text(row.text, MAX_EVENT_TEXT)
            case EventColumn.COUNT:
                return "" if row.count == 1 else f"× {row.count:,}"


class EventFilter(QSortFilterProxyModel):
    """Keeps the events of a period, in the order of the model.

    Of one that was repeated after the period it tells since when, and no count: how often within it is not known.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._period: Period | None = None

    def set_period(self, period: Period | None) -> None:
        """Show what happened within ``period``, once of several times too; ``None`` shows all."""
        if period != self._period:
            self._period = period
            self.invalidate()

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: the cell of the model, unless it tells of what came after the period."""
        if role == Qt.ItemDataRole.DisplayRole and self._period is not None:
            row = super().data(index, ROW_ROLE)
            if isinstance(row, EventEntry) and row.mono_s > self._period.end_mono_s:
                if index.column() == EventColumn.TIME:
                    return f"since {local_time(row.at)}"
                if index.column() == EventColumn.COUNT:
                    return DASH
        return super().data(index, role)

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Qt: whether a row is shown."""
        model, period = self.sourceModel(), self._period
        if period is None or not isinstance(model, EventModel):
            return True
        entry = model.row_at(source_row)
        first_s = entry.mono_s - (entry.last_at - entry.at).total_seconds()
        return first_s <= period.end_mono_s and entry.mono_s >= period.start_mono_s
