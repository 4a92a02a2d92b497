"""Text cells of the request table: what was cold or failed stands out."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.headed_model import Index
from monitor.qtmodels.request_model import TRACE_ROLE, RequestColumn
from monitor.qtmodels.request_words import is_earlier
from monitor.widgets.themed_delegate import ThemedDelegate

_MUTED = (RequestColumn.TIME, RequestColumn.ATTEMPT, RequestColumn.BYTES, RequestColumn.WEIGHT)


class TraceDelegate(ThemedDelegate):
    """Draws the text of an attempt: cold in the colour of cold marks with an open ring, warm with a filled one."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        theme = self._theme
        trace = index.data(TRACE_ROLE)
        self.paint_ground(painter, option)
        if not isinstance(trace, RequestTrace):
            return
        column = RequestColumn(index.column())
        text = str(index.data() or "")
        color = theme.text_muted if column in _MUTED else theme.text
        if column is RequestColumn.SOCKET and trace.is_cold is not None:
            text = f"{'○' if trace.is_cold else '●'} {text}"
            color = theme.cold if trace.is_cold else theme.text_muted
        elif column is RequestColumn.CAUSE:
            color = theme.warn
        elif column is RequestColumn.VENUE:
            color = theme.venue_color(trace.venue)
        elif column is RequestColumn.STATUS:
            if trace.is_healed:
                color = theme.warn
            elif trace.error_kind is not None or (trace.status or 0) >= 400:
                color = theme.error
            else:
                color = theme.text_muted
        if is_earlier(trace):
            color = theme.text_muted
        self.paint_text(painter, option, text, color, int(index.data(Qt.ItemDataRole.TextAlignmentRole)))
