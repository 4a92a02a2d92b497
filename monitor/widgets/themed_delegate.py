"""What the delegates of lists and tables have in common: a theme, and cells drawn in its colours."""

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from monitor.widgets.theme import Theme

CELL_PADDING_PX = 6
"""Where Qt's own header has its text."""


class ThemedDelegate(QStyledItemDelegate):
    """Draws with ``_theme``. Thread: GUI."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours from now on."""
        self._theme = theme

    def paint_ground(self, painter: QPainter, option: QStyleOptionViewItem) -> None:
        """The ground of a cell whose row is selected; nothing otherwise."""
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(self._theme.selection))

    @staticmethod
    def paint_text(
        painter: QPainter, option: QStyleOptionViewItem, text: str, color: str, align: Qt.AlignmentFlag | int
    ) -> None:
        """``text`` in ``color``, elided where there is no room for it."""
        painter.setFont(option.font)
        painter.setPen(QColor(color))
        room = option.rect.adjusted(CELL_PADDING_PX, 0, -CELL_PADDING_PX, 0)
        shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, int(align), shown)

    @staticmethod
    def color_text(option: QStyleOptionViewItem, color: str) -> None:
        """Let Qt draw the text of a cell in ``color``, selected or not."""
        for role in (QPalette.ColorRole.Text, QPalette.ColorRole.HighlightedText):
            option.palette.setColor(role, QColor(color))
