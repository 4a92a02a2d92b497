"""Cells of the account tables: gains by sign and colour, what is late struck through, margins as bars."""

from decimal import Decimal
from typing import Final

from PySide6.QtCore import QObject, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from monitor.qtmodels.account_columns import COVERED, Column, Look
from monitor.qtmodels.account_model import COLUMN_ROLE, LATE_ROLE, MARK, VALUE_ROLE
from monitor.qtmodels.figures import DASH
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.state.account_tables import Row
from monitor.widgets.marks import verdict_color
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

PADDING_PX: Final = 6
_BAR_TEXT: Final = "100.0 % "
FULL_DISTANCE: Final = 0.5
"""A liquidation this far away (a fraction of the mark) fills its bar."""
NEAR_DISTANCE: Final = 0.05
CLOSE_DISTANCE: Final = 0.15
HIGH_USE: Final = 0.8
RAISED_USE: Final = 0.5
"""From these on the bars alarm or warn."""


def distance_color(distance: float, theme: Theme) -> str:
    """Colour of a distance to liquidation: it alarms when near."""
    if distance < NEAR_DISTANCE:
        return theme.error
    return theme.warn if distance < CLOSE_DISTANCE else theme.ok


def used_color(used: float, theme: Theme) -> str:
    """Colour of a margin that is used up by a fraction."""
    if used >= HIGH_USE:
        return theme.error
    return theme.warn if used >= RAISED_USE else theme.ok


class AccountDelegate(ThemedDelegate):
    """Draws the cells of :class:`AccountModel` and, bold on a raised ground, of :class:`TotalsModel`."""

    def __init__(self, theme: Theme, *, is_total: bool = False, parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self._is_total = is_total

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        theme, rect = self._theme, option.rect
        column, row = index.data(COLUMN_ROLE), index.data(ROW_ROLE)
        if not isinstance(column, Column):
            return
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(theme.selection))
        elif self._is_total:
            painter.fillRect(rect, QColor(theme.raised))
        text = str(index.data() or "")
        is_old = not row.is_current(column.name) if isinstance(row, Row) else bool(index.data(LATE_ROLE))
        font = QFont(option.font)
        font.setBold(self._is_total)
        is_struck = is_old and column.look not in {Look.TEXT, Look.SIDE, Look.AGE, Look.YES}
        font.setStrikeOut(is_struck and text not in {"", DASH, COVERED})
        painter.setFont(font)
        inner = rect.adjusted(PADDING_PX, 0, -PADDING_PX, 0)
        if column.name == "account" and isinstance(row, Row):
            stripe = QRect(rect.left(), rect.top() + 3, 3, rect.height() - 6)
            painter.fillRect(stripe, QColor(theme.venue_color(row.ref.venue)))
            inner.adjust(3, 0, 0, 0)
        value = index.data(VALUE_ROLE)
        color = self._color(column, row, value, text, is_old=is_old)
        if column.look in {Look.USED_BAR, Look.DISTANCE_BAR} and isinstance(value, Decimal):
            inner = self._paint_bar(painter, inner, column.look, float(value), is_old=is_old)
        painter.setPen(QColor(color))
        align = index.data(Qt.ItemDataRole.TextAlignmentRole)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, int(align), shown)
        painter.restore()

    def _color(self, column: "Column[Row]", row: object, value: object, text: str, *, is_old: bool) -> str:
        theme = self._theme
        if isinstance(row, Row) and (row.is_lost or text.startswith(MARK)):
            return theme.warn
        if column.look is Look.AGE and isinstance(row, Row):
            return verdict_color(row.verdict, theme) if is_old else theme.text_muted
        if is_old or text in {DASH, COVERED}:
            return theme.text_muted
        if column.look is Look.GAIN and isinstance(value, Decimal):
            return theme.change_color(float(value))
        if column.look is Look.SIDE:
            return theme.up if text.endswith(("long", "buy")) else theme.down
        is_quiet = column.look in {Look.TIME, Look.YES} or column.name in {"order_id", "location", "type", "fee_asset"}
        return theme.text_muted if is_quiet else theme.text

    def _paint_bar(self, painter: QPainter, rect: QRect, look: Look, value: float, *, is_old: bool) -> QRect:
        """Draw the bar and return the room that is left for the figure."""
        theme = self._theme
        text_width = min(painter.fontMetrics().horizontalAdvance(_BAR_TEXT), rect.width())
        bar = QRectF(rect.left(), rect.center().y() - 3, max(0, rect.width() - text_width - 4), 7)
        if bar.width() >= 8:
            is_distance = look is Look.DISTANCE_BAR
            part = min(max(value / FULL_DISTANCE if is_distance else value, 0.0), 1.0)
            color = distance_color(value, theme) if is_distance else used_color(value, theme)
            painter.fillRect(bar, QColor(theme.grid))
            filled = QRectF(bar.left(), bar.top(), max(bar.width() * part, 1.0), bar.height())
            painter.fillRect(filled, QColor(theme.text_muted if is_old else color))
        return rect.adjusted(rect.width() - text_width, 0, 0, 0)
