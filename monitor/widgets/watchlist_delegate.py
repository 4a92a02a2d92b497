"""How a row of the watchlist is drawn: two lines a cell, so that everything fits a narrow dock."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QObject, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from monitor.qtmodels.figures import DASH
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.qtmodels.quote_figures import QuoteFigures
from monitor.qtmodels.quote_model import KEY_ROLE, QuoteColumn
from monitor.widgets.marks import verdict_color, verdict_glyph
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Spark: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


PADDING_PX = 6
LINE_GAP_PX = 1
SMALL = 0.88
"""Size of the second line against the first."""
LEAST_FIT = 0.7
"""How far a figure may shrink to fit its column, as a share of its size."""


class QuoteDelegate(ThemedDelegate):
    """Draws the cells of :class:`QuoteModel`, the second of each pair of columns under the first.

    ``spark`` gives the points of the trend of an instrument (x ascending, NaN breaks the line), or ``None``.
    """

    def __init__(
        self, theme: Theme, spark: "Callable[[tuple[str, str]], Spark | None]", parent: QObject | None = None
    ) -> None:
        super().__init__(theme, parent)
        self._spark = spark

    def row_height(self, font: QFont) -> int:
        """Height of a row in pixels for ``font``."""
        return QFontMetrics(font).height() + QFontMetrics(small_font(font)).height() + LINE_GAP_PX + 9

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Qt: constant height; the width is the view's business."""
        return QSize(60, self.row_height(option.font))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        theme = self._theme
        rect = option.rect
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if is_selected:
            painter.fillRect(rect, QColor(theme.selection))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(theme.raised))
        painter.setPen(QColor(theme.grid))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        column = QuoteColumn(index.column())
        if column is QuoteColumn.TREND:
            self._paint_trend(painter, rect, index)
        else:
            figures = index.data(ROW_ROLE)
            if isinstance(figures, QuoteFigures):
                self._paint_texts(painter, rect, option.font, figures, column)
                if column is QuoteColumn.SYMBOL:
                    painter.fillRect(
                        QRect(rect.left(), rect.top() + 4, 3, rect.height() - 9),
                        QColor(theme.venue_color(figures.key[0])),
                    )
        painter.restore()

    def _paint_texts(
        self, painter: QPainter, rect: QRect, font: QFont, figures: QuoteFigures, column: QuoteColumn
    ) -> None:
        theme = self._theme
        muted = theme.text_muted
        is_right = True
        is_struck = is_bottom_struck = False
        top_color = theme.text if figures.is_believable else muted
        if column is QuoteColumn.SYMBOL:
            is_right = False
            top, bottom, bottom_color, top_color = figures.symbol, figures.venue_title, muted, theme.text
        elif column is QuoteColumn.LAST:
            top, bottom = figures.price, figures.change
            is_struck = is_bottom_struck = not figures.is_believable and figures.price != DASH
            bottom_color = theme.change_color(figures.change_fraction) if figures.is_believable else muted
        elif column is QuoteColumn.SPREAD:
            top, bottom, bottom_color = figures.spread, figures.funding, muted
            # As in the line over the chart: each is as old as its own reply, whatever the age of the price.
            top_color = theme.text if figures.is_spread_current else muted
            is_struck, is_bottom_struck = not figures.is_spread_current, not figures.is_funding_current
        elif column is QuoteColumn.AGE:
            bottom = f"{verdict_glyph(figures.verdict)} {figures.state}"
            bottom_color = verdict_color(figures.verdict, theme)
            top, top_color = figures.age, theme.text if figures.is_believable else bottom_color
        else:
            top, bottom, bottom_color = str(figures.venue_title), "", muted
        align = Qt.AlignmentFlag.AlignRight if is_right else Qt.AlignmentFlag.AlignLeft
        inner = rect.adjusted(PADDING_PX + (0 if is_right else 4), 4, -PADDING_PX, -4)
        top_font = QFont(font)
        top_font.setStrikeOut(is_struck and top != DASH)
        if column in (QuoteColumn.SYMBOL, QuoteColumn.LAST):
            top_font.setWeight(QFont.Weight.DemiBold)
        self._line(painter, inner, font=top_font, text=top, color=top_color, align=align)
        below = inner.adjusted(0, QFontMetrics(top_font).height() + LINE_GAP_PX, 0, 0)
        small = small_font(font)
        small.setStrikeOut(is_bottom_struck and bottom != DASH)
        self._line(painter, below, font=small, text=bottom, color=bottom_color, align=align)

    @staticmethod
    def _line(painter: QPainter, rect: QRect, *, font: QFont, text: str, color: str, align: Qt.AlignmentFlag) -> None:
        if align == Qt.AlignmentFlag.AlignRight:
            font = fitting_font(font, text, rect.width())
        metrics = QFontMetrics(font)
        painter.setFont(font)
        painter.setPen(QColor(color))
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(QRect(rect.left(), rect.top(), rect.width(), metrics.height()), align, shown)

    def _paint_trend(self, painter: QPainter, rect: QRect, index: Index) -> None:
        points = self._spark(index.data(KEY_ROLE))
        if points is None:
            return
        times, values = points
        known = values[values == values]  # noqa: PLR0124 - NaN is what does not equal itself; no numpy import needed
        if len(known) < 2 or times[-1] <= times[0]:
            return
        low, high = float(known.min()), float(known.max())
        inner = rect.adjusted(4, 8, -6, -9)
        x_scale = inner.width() / float(times[-1] - times[0])
        y_scale = inner.height() / (high - low) if high > low else 0.0
        middle = inner.center().y()
        first, last = float(known[0]), float(known[-1])
        painter.setPen(QPen(QColor(self._theme.change_color(last - first)), 1))
        run = QPolygonF()
        for time_s, value in zip(times.tolist(), values.tolist(), strict=True):
            if value != value:  # noqa: PLR0124 - NaN breaks the line
                painter.drawPolyline(run)
                run = QPolygonF()
                continue
            x = inner.left() + (time_s - float(times[0])) * x_scale
            run.append(QPointF(x, inner.bottom() - (value - low) * y_scale if y_scale else middle))
        painter.drawPolyline(run)


def small_font(font: QFont) -> QFont:
    """The font of a second line under a first one in ``font``."""
    small = QFont(font)
    small.setPointSizeF(max(font.pointSizeF() * SMALL, 6.0))
    return small


def fitting_font(font: QFont, text: str, width_px: int) -> QFont:
    """``font``, or a smaller one in which ``text`` fits ``width_px``: a price without its last digits is another price.

    Never below 70 % of the size; what is longer still is cut with an ellipsis by the caller.
    """
    if QFontMetrics(font).horizontalAdvance(text) <= width_px:
        return font
    smaller = QFont(font)
    least_pt = font.pointSizeF() * LEAST_FIT
    # In steps: hinted glyphs do not shrink in proportion.
    while smaller.pointSizeF() > least_pt and QFontMetrics(smaller).horizontalAdvance(text) > width_px:
        smaller.setPointSizeF(max(least_pt, smaller.pointSizeF() - 0.5))
    return smaller
