"""The data area of a plot: where times and values stand in pixels, and the one graphics item that paints them."""

from collections.abc import Callable, Sequence

import msgspec
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QGraphicsItem, QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from monitor.state.series import FloatArray
from monitor.widgets.plot_primitives import hairline
from monitor.widgets.theme import Theme

EARLIER_TEXT = "before this run"


class PlotView(msgspec.Struct, frozen=True):
    """How times and positions become pixels of the canvas, whose origin is its top left corner."""

    width: float
    height: float
    now_mono_s: float
    """The right edge."""
    span_s: float
    low: float
    high: float
    """Positions of the bottom and of the top edge."""
    pixel_ratio: float

    @property
    def start_mono_s(self) -> float:
        return self.now_mono_s - self.span_s

    @property
    def columns(self) -> int:
        """Device pixels from left to right."""
        return max(1, round(self.width * self.pixel_ratio))

    def x(self, times_s: FloatArray) -> FloatArray:
        return (times_s - self.start_mono_s) * (self.width / self.span_s)

    def y(self, positions: FloatArray) -> FloatArray:
        return (self.high - positions) * (self.height / (self.high - self.low))

    def x_of(self, time_s: float) -> float:
        return (time_s - self.start_mono_s) * (self.width / self.span_s)

    def x_of_ago(self, ago_s: float) -> float:
        return self.width * (1.0 - ago_s / self.span_s)

    def y_of(self, position: float) -> float:
        return (self.high - position) * (self.height / (self.high - self.low))

    def time_at(self, x: float) -> float:
        return self.start_mono_s + x * (self.span_s / self.width)

    def position_at(self, y: float) -> float:
        return self.high - y * ((self.high - self.low) / self.height)


class Canvas(QGraphicsObject):
    """The data area: one item, so that a frame is one paint call and repaints nothing else."""

    def __init__(self, parent: QGraphicsItem, paint: Callable[[QPainter, QRectF], None]) -> None:
        super().__init__(parent)
        self._paint = paint
        self._rect = QRectF()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def set_size(self, width: float, height: float) -> None:
        self.prepareGeometryChange()
        self._rect = QRectF(0.0, 0.0, width, height)

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setClipRect(self._rect)
        self._paint(painter, self._rect)


def draw_level(painter: QPainter, view: PlotView, y: float, color: QColor, *, from_x: float = 0.0) -> None:
    """A dotted horizontal line at ``y`` pixels, to the right edge."""
    pen = hairline(color)
    pen.setDashPattern([2.0, 4.0])
    painter.setPen(pen)
    painter.drawLine(QLineF(from_x, y, view.width, y))


def draw_grid(painter: QPainter, view: PlotView, agos_s: Sequence[float], ys: Sequence[float], theme: Theme) -> None:
    """A line at each of ``agos_s`` seconds before now and at each position ``ys`` of the value axis; two axes."""
    painter.setPen(hairline(QColor(theme.grid)))
    painter.drawLines([QLineF(x, 0.0, x, view.height) for x in (round(view.x_of_ago(ago)) for ago in agos_s)])
    painter.drawLines([QLineF(0.0, y, view.width, y) for y in (round(view.y_of(position)) for position in ys)])
    painter.setPen(hairline(QColor(theme.border)))
    painter.drawPolyline([QPointF(0.0, 0.0), QPointF(0.0, view.height - 1.0), QPointF(view.width, view.height - 1.0)])


def draw_cursor(painter: QPainter, view: PlotView, x: float, y: float | None, theme: Theme) -> None:
    """The cursor's line through time, and through values where the pointer is over this plot."""
    painter.setPen(QPen(QColor(theme.text_muted), 1, Qt.PenStyle.DashLine))
    painter.drawLine(QPointF(round(x), 0.0), QPointF(round(x), view.height))
    if y is not None:
        painter.drawLine(QPointF(0.0, round(y)), QPointF(view.width, round(y)))


def draw_stretch(painter: QPainter, view: PlotView, x_from: float, x_to: float, theme: Theme) -> None:
    """The stretch of time that is being selected."""
    shade = QColor(theme.accent)
    shade.setAlphaF(0.2)
    painter.fillRect(QRectF(x_from, 0.0, x_to - x_from, view.height), shade)


def draw_run_start(
    painter: QPainter, view: PlotView, start_mono_s: float, theme: Theme, font: QFont, *, top_px: float
) -> None:
    """Shade what is of before ``start_mono_s``, which an earlier run of the app showed, and say so.

    The words stand below the rows at the upper edge (``top_px`` of them) and below a line of labels there.
    """
    x = round(view.x_of(start_mono_s))
    if x <= 0:
        return
    shade = QColor(theme.text_muted)
    shade.setAlphaF(0.06)
    painter.fillRect(QRectF(0.0, 0.0, min(float(x), view.width), view.height), shade)
    pen = QPen(QColor(theme.text_muted), 1, Qt.PenStyle.DotLine)
    painter.setPen(pen)
    painter.drawLine(QLineF(x, 0.0, x, view.height))
    metrics = QFontMetricsF(font)
    width = metrics.horizontalAdvance(EARLIER_TEXT)
    if width + 8.0 <= x <= view.width + 1.0:
        painter.setFont(font)
        below_px = max(top_px, metrics.height() + 4.0)
        painter.drawText(QPointF(x - width - 6.0, below_px + metrics.ascent() + 3.0), EARLIER_TEXT)


def bare_axis(axis: pg.AxisItem) -> pg.AxisItem:
    """``axis``, which would make up numbers of its own until it is given some."""
    axis.setTicks([[]])
    return axis
