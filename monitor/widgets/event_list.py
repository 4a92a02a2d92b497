"""The event list: what went wrong, what came back, what changed at a venue."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monitor.qtmodels.event_model import EventColumn, EventFilter, EventModel
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.state.event_log import EventEntry, EventLog
from monitor.state.period import Period
from monitor.widgets.calm_table import calm_table
from monitor.widgets.theme import Theme

EMPTY_TEXT = "Nothing has happened yet. Failures, recoveries and listings appear here."
EMPTY_PERIOD_TEXT = "Nothing happened in this period. Esc shows all events again."
LEVEL_GLYPHS = {"info": "i", "warning": "▲", "error": "■"}


def level_color(level: str, theme: Theme) -> str:
    """Colour of an event's level."""
    return {"warning": theme.warn, "error": theme.error}.get(level, theme.text_muted)


class EventDelegate(QStyledItemDelegate):
    """Draws an event: level by shape and colour, venue in its colour, the rest calm."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours from now on."""
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        theme = self._theme
        entry = index.data(ROW_ROLE)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(theme.selection))
        if not isinstance(entry, EventEntry):
            return
        column = EventColumn(index.column())
        text = str(index.data() or "")
        color = theme.text if column is EventColumn.TEXT else theme.text_muted
        if column is EventColumn.LEVEL:
            text, color = f"{LEVEL_GLYPHS[entry.level]} {text}", level_color(entry.level, theme)
        elif column is EventColumn.VENUE and entry.venue is not None:
            color = theme.venue_color(entry.venue)
        painter.setFont(option.font)
        painter.setPen(QColor(color))
        rect = option.rect.adjusted(6, 0, -6, 0)
        shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


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
        header = self.table.horizontalHeader()
        metrics = self.table.fontMetrics()
        for column, sample in (
            (EventColumn.TIME, "00:00:00 last"),
            (EventColumn.LEVEL, "▲ warning "),
            (EventColumn.VENUE, "A venue name"),
            (EventColumn.COUNT, "× 00,000"),
        ):
            self.table.setColumnWidth(column, metrics.horizontalAdvance(sample) + 16)
        header.setSectionResizeMode(EventColumn.TEXT, QHeaderView.ResizeMode.Stretch)
        self._empty = QLabel(EMPTY_TEXT, self.table)
        self._empty.setProperty("muted", True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        QVBoxLayout(self.table.viewport()).addWidget(self._empty)
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
