"""The event list: what went wrong, what came back, what changed at a venue."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monitor.qtmodels.event_model import EventColumn, EventFilter, EventModel
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.state.event_log import EventEntry, EventLog
from monitor.state.period import Period
from monitor.widgets.calm_table import calm_table, empty_label, set_widths
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

EMPTY_TEXT = "Nothing has happened yet. Failures, recoveries and listings appear here."
EMPTY_PERIOD_TEXT = "Nothing happened in this period. Esc shows all events again."
LEVEL_GLYPHS = {"info": "i", "warning": "▲", "error": "■"}


_SAMPLES = {
    EventColumn.TIME: "00:00:00 last",
    EventColumn.LEVEL: "▲ warning ",
    EventColumn.VENUE: "A venue name",
    EventColumn.COUNT: "× 00,000",
}


def level_color(level: str, theme: Theme) -> str:
    """Colour of an event's level."""
    return {"warning": theme.warn, "error": theme.error}.get(level, theme.text_muted)


class EventDelegate(ThemedDelegate):
    """Draws an event: level by shape and colour, venue in its colour, the rest calm."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        theme = self._theme
        entry = index.data(ROW_ROLE)
        self.paint_ground(painter, option)
        if not isinstance(entry, EventEntry):
            return
        column = EventColumn(index.column())
        text = str(index.data() or "")
        color = theme.text if column is EventColumn.TEXT else theme.text_muted
        if column is EventColumn.LEVEL:
            text, color = f"{LEVEL_GLYPHS[entry.level]} {text}", level_color(entry.level, theme)
        elif column is EventColumn.VENUE and entry.venue is not None:
            color = theme.venue_color(entry.venue)
        self.paint_text(painter, option, text, color, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)


class EventList(QWidget):
    """Events, last seen first; a repeated one is a single line with a count."""

    def __init__(
        self, events: EventLog, *, venue_title: Callable[[str], str], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._events = events
        self._seen_revision = 0
        self.model = EventModel(venue_title, self)
        self._delegate = EventDelegate(theme, self)
        self.proxy = EventFilter(self)
        self.proxy.setSourceModel(self.model)
        self.table = calm_table(self.proxy, "Events")
        self.table.setItemDelegate(self._delegate)
        set_widths(self.table, _SAMPLES, stretched=EventColumn.TEXT, room_px=16)
        self._empty = empty_label(self.table, EMPTY_TEXT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.proxy.rowsInserted.connect(self._show_or_hide_empty)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._delegate.set_theme(theme)
        self.table.viewport().update()

    def set_period(self, period: Period | None) -> None:
        """Show what happened within ``period``; ``None`` shows all."""
        self._empty.setText(EMPTY_TEXT if period is None else EMPTY_PERIOD_TEXT)
        self.proxy.set_period(period)
        self._show_or_hide_empty()

    def _show_or_hide_empty(self) -> None:
        self._empty.setVisible(self.proxy.rowCount() == 0)

    def take_new(self) -> tuple[EventEntry, ...]:
        """Show what is new or has changed, and return it (oldest first) for whoever wants to point at it."""
        if self._events.revision == self._seen_revision:
            return ()
        fresh = self._events.since(self._seen_revision)
        self._seen_revision = self._events.revision
        self.model.merge(fresh)
        return fresh
