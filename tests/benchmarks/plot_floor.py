"""The floor of the plot benchmark: the same picture by the shortest way, one widget and a QPainter.

Axes, grid, labels, header, a line reduced to the lowest and highest value of each pixel column, band, marks, tags:
everything the plots show and nothing they can do (no pausing, cursor, gaps, other scales, other sizes).
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import shiboken6
from pyqtgraph.functions import arrayToQPolygonF
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from monitor.state.series import FloatArray
from monitor.widgets.theme import Theme

LEFT, RIGHT, TOP, BOTTOM = 86, 100, 29, 21


def pen(color: str, width: float = 1.0) -> QPen:
    made = QPen(QColor(color), width)
    made.setCosmetic(True)
    return made


class FloorPlot(QWidget):
    """Base: background, header, axes with their labels, grid, tags."""

    def __init__(self, theme: Theme, x_labels: Sequence[str]) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.theme = theme
        self.x_labels = x_labels
        self.y_labels: list[str] = []
        self.header = ""
        self.tags: list[tuple[float, str]] = []

    @property
    def area(self) -> QRectF:
        return QRectF(LEFT, TOP, self.width() - LEFT - RIGHT, self.height() - TOP - BOTTOM)

    def paint_frame(self, painter: QPainter) -> None:
        theme, area = self.theme, self.area
        painter.fillRect(self.rect(), QColor(theme.panel))
        painter.setPen(QColor(theme.text))
        painter.drawText(QRectF(8, 0, self.width() - 16, 22), Qt.AlignmentFlag.AlignVCenter, self.header)
        rows, columns = len(self.y_labels), len(self.x_labels)
        ys = [area.bottom() - area.height() * number / max(1, rows - 1) for number in range(rows)]
        xs = [area.right() - area.width() * number / max(1, columns - 1) for number in range(columns)]
        painter.setPen(pen(theme.grid))
        for y in ys:
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        for x in xs:
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        painter.setPen(pen(theme.border))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.setPen(QColor(theme.text_muted))
        for y, text in zip(ys, self.y_labels, strict=True):
            painter.drawText(QRectF(0, y - 8, LEFT - 5, 16), Qt.AlignmentFlag.AlignRight, text)
        for x, text in zip(xs, self.x_labels, strict=True):
            painter.drawText(QRectF(x - 40, area.bottom() + 4, 80, 16), Qt.AlignmentFlag.AlignHCenter, text)
        for y, text in self.tags:
            painter.fillRect(QRectF(area.right() + 2, y - 8, RIGHT - 5, 16), QColor(theme.accent))
            painter.setPen(QColor(theme.on_accent))
            painter.drawText(QRectF(area.right() + 18, y - 8, RIGHT - 20, 16), Qt.AlignmentFlag.AlignVCenter, text)


class FloorPrice(FloorPlot):
    """A line through ``prices``, evenly spaced from edge to edge."""

    def __init__(self, theme: Theme, x_labels: Sequence[str]) -> None:
        super().__init__(theme, x_labels)
        self.prices: FloatArray = np.empty(0)
        self.low, self.high = 0.0, 1.0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        area = self.area
        last_y = area.top() + (self.high - float(self.prices[-1])) * area.height() / (self.high - self.low)
        self.header = f"● Bitunix BTCUSDT {self.prices[-1]:,.1f}  0.7 s"
        self.tags = [(last_y, f"{self.prices[-1]:,.1f}")]
        self.paint_frame(painter)
        columns = int(area.width())
        starts = np.arange(columns) * len(self.prices) // columns
        values = np.empty(2 * columns)
        values[0::2] = np.minimum.reduceat(self.prices, starts)
        values[1::2] = np.maximum.reduceat(self.prices, starts)
        y = area.top() + (self.high - values) * (area.height() / (self.high - self.low))
        painter.setClipRect(area)
        painter.setPen(pen(self.theme.accent))
        painter.drawPolyline(arrayToQPolygonF(area.left() + np.repeat(np.arange(columns, dtype=np.float64), 2), y))
        level = pen(self.theme.text_muted)
        level.setDashPattern([2.0, 4.0])
        painter.setPen(level)
        painter.drawLine(QPointF(area.left(), last_y), QPointF(area.right(), last_y))
        painter.end()


class FloorLatency(FloorPlot):
    """Marks at ``ages`` seconds before now and heights 0 to 1 of the area; ``band`` in the same heights."""

    def __init__(self, theme: Theme, x_labels: Sequence[str], span_s: float) -> None:
        super().__init__(theme, x_labels)
        self.span_s = span_s
        self.warm: tuple[FloatArray, FloatArray] = (np.empty(0), np.empty(0))
        self.cold: tuple[FloatArray, FloatArray] = self.warm
        self.failed: FloatArray = np.empty(0)
        self.band: tuple[FloatArray, FloatArray] = self.warm
        self._memory = np.empty((4096, 2))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        area = self.area
        self.tags = [(area.bottom() - 60.0, "61 ms")]
        self.header = f"Bitunix ● {len(self.warm[0])} warm ○ {len(self.cold[0])} cold × {len(self.failed)} failed"
        self.paint_frame(painter)
        painter.setClipRect(area)
        p50, p95 = self.band
        width = area.width() / max(1, len(p50))
        fill = QColor(self.theme.accent)
        fill.setAlphaF(0.16)
        for number, (lower, upper) in enumerate(zip(p50.tolist(), p95.tolist(), strict=True)):
            left, bottom, top = (
                area.left() + number * width,
                area.bottom() - lower * area.height(),
                upper * area.height(),
            )
            box = QRectF(left, area.bottom() - top, width, bottom - area.bottom() + top)
            painter.fillRect(box, fill)
            painter.setPen(pen(self.theme.accent))
            painter.drawLine(box.topLeft(), box.topRight())
            painter.drawLine(box.bottomLeft(), box.bottomRight())
        filled = pen(self.theme.accent, 6.0)
        filled.setCapStyle(Qt.PenCapStyle.SquareCap)
        painter.setPen(filled)
        self._draw_points(painter, *self.warm)
        painter.setPen(pen(self.theme.accent))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for age_s, height in zip(*(column.tolist() for column in self.cold), strict=True):
            painter.drawRect(QRectF(self._x(age_s) - 3, area.bottom() - height * area.height() - 3, 6, 6))
        painter.setPen(pen(self.theme.failed))
        for age_s in self.failed.tolist():
            x, y = self._x(age_s), area.top() + 8
            painter.drawLine(QPointF(x - 3, y - 3), QPointF(x + 3, y + 3))
            painter.drawLine(QPointF(x - 3, y + 3), QPointF(x + 3, y - 3))
        painter.end()

    def _x(self, age_s: float) -> float:
        return self.area.right() - age_s * self.area.width() / self.span_s

    def _draw_points(self, painter: QPainter, ages: FloatArray, heights: FloatArray) -> None:
        area, count = self.area, len(ages)
        self._memory[:count, 0] = area.right() - ages * (area.width() / self.span_s)
        self._memory[:count, 1] = area.bottom() - heights * area.height()
        painter.drawPoints(cast(QPointF, shiboken6.wrapInstance(self._memory.ctypes.data, QPointF)), count)
