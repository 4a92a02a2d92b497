"""Numpy arrays and small sprites in the shape QPainter takes them: one draw call for thousands of marks.

Drawing point by point from Python costs some 50 times more. Qt's own calls take a pointer and a count; shiboken can
wrap an array's memory as that pointer, which is what pyqtgraph does internally too.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final, TypeVar, cast

import numpy as np
import numpy.typing as npt
import shiboken6
from pyqtgraph.functions import arrayToQPolygonF
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPixmap, QPolygonF

from monitor.state.series import FloatArray

_Primitive = TypeVar("_Primitive", QLineF, QPointF, QRectF, QPainter.PixmapFragment)

MARK_PX: Final = 8.0
"""Width of a mark. Even, so that a mark and its outline are symmetric about a pixel border."""


class MarkShape(StrEnum):
    """Shape of a venue's marks: what tells venues apart where colour does not."""

    CIRCLE = "circle"
    DIAMOND = "diamond"
    SQUARE = "square"
    TRIANGLE = "triangle"


class MarkFill(StrEnum):
    """How a mark is drawn: FILLED warm, OUTLINED cold, CROSS failed, PLUS healed."""

    FILLED = "filled"
    OUTLINED = "outlined"
    CROSS = "cross"
    PLUS = "plus"


def shape_for(number: int) -> MarkShape:
    """Shape of the venue in place ``number``; the same in every plot."""
    shapes = tuple(MarkShape)
    return shapes[number % len(shapes)]


@lru_cache(maxsize=256)
def mix(color: str, ground: str, part: float) -> QColor:
    """``part`` of ``color`` over ``ground``, opaque: what an alpha would give without its cost.

    The result is shared: do not change it.
    """
    over, under = QColor(color), QColor(ground)
    channels = (
        round(part * above + (1.0 - part) * below)
        for above, below in (
            (over.red(), under.red()),
            (over.green(), under.green()),
            (over.blue(), under.blue()),
        )
    )
    return QColor(*channels)


def hairline(color: QColor) -> QPen:
    """One device pixel wide at any scaling: the only width the raster engine draws fast."""
    pen = QPen(color, 1)
    pen.setCosmetic(True)
    return pen


def _pointer(memory: npt.NDArray[np.float64], kind: type[_Primitive]) -> _Primitive:
    """First of an array of ``kind``: what Qt's calls with a count take. ``memory`` must outlive the call."""
    return cast(_Primitive, shiboken6.wrapInstance(memory.ctypes.data, kind))


class LineArray:
    """Separate lines from arrays."""

    def __init__(self) -> None:
        self._memory: npt.NDArray[np.float64] = np.empty((0, 4))

    def draw(self, painter: QPainter, x1: FloatArray, y1: FloatArray, x2: FloatArray, y2: FloatArray) -> None:
        count = len(x1)
        if count == 0:
            return
        if len(self._memory) < count:
            self._memory = np.empty((2 * count, 4))
        memory = self._memory[:count]
        memory[:, 0], memory[:, 1], memory[:, 2], memory[:, 3] = x1, y1, x2, y2
        painter.drawLines(_pointer(self._memory, QLineF), count)


class RectArray:
    """Rectangles from arrays of left, top, width and height."""

    def __init__(self) -> None:
        self._memory: npt.NDArray[np.float64] = np.empty((0, 4))

    def draw(self, painter: QPainter, x: FloatArray, y: FloatArray, width: FloatArray, height: FloatArray) -> None:
        count = len(x)
        if count == 0:
            return
        if len(self._memory) < count:
            self._memory = np.empty((2 * count, 4))
        memory = self._memory[:count]
        memory[:, 0], memory[:, 1], memory[:, 2], memory[:, 3] = x, y, width, height
        painter.drawRects(_pointer(self._memory, QRectF), count)


class PointArray:
    """Points from arrays."""

    def __init__(self) -> None:
        self._memory: npt.NDArray[np.float64] = np.empty((0, 2))

    def draw(self, painter: QPainter, x: FloatArray, y: FloatArray) -> None:
        count = len(x)
        if count == 0:
            return
        if len(self._memory) < count:
            self._memory = np.empty((2 * count, 2))
        self._memory[:count, 0] = x
        self._memory[:count, 1] = y
        painter.drawPoints(_pointer(self._memory, QPointF), count)


def draw_polyline(painter: QPainter, x: FloatArray, y: FloatArray) -> None:
    """Draw a line through points all of which are finite."""
    if len(x) > 1:
        painter.drawPolyline(arrayToQPolygonF(x, y))


class SpriteArray:
    """One small picture at many places."""

    def __init__(self) -> None:
        self._memory: npt.NDArray[np.float64] = np.empty((0, 10))

    def draw(self, painter: QPainter, sprite: QPixmap, x: FloatArray, y: FloatArray) -> None:
        """Centre ``sprite`` on each point, moved to whole pixels so that all look the same."""
        count = len(x)
        if count == 0:
            return
        if len(self._memory) < count:
            self._memory = np.zeros((2 * count, 10))
            self._memory[:, 9] = 1.0  # opacity; columns 2 and 3, the place in the sprite, and 8, the angle, stay 0
        ratio = sprite.devicePixelRatio()
        memory = self._memory[:count]
        memory[:, 0] = np.rint(x * ratio) / ratio
        memory[:, 1] = np.rint(y * ratio) / ratio
        memory[:, 4] = sprite.width()
        memory[:, 5] = sprite.height()
        memory[:, 6:8] = 1.0 / ratio
        painter.drawPixmapFragments(_pointer(self._memory, QPainter.PixmapFragment), count, sprite)


class Sprites:
    """Marks drawn once per shape, fill, colour and device pixel ratio."""

    def __init__(self) -> None:
        self._made: dict[tuple[MarkShape, MarkFill, str, float, float], QPixmap] = {}

    def mark(
        self, shape: MarkShape, fill: MarkFill, color: str, pixel_ratio: float, size_px: float = MARK_PX
    ) -> QPixmap:
        """``size_px`` wide, with a transparent pixel around it."""
        key = (shape, fill, color, pixel_ratio, size_px)
        made = self._made.get(key)
        if made is None:
            if len(self._made) > 200:  # themes and scalings come and go
                self._made.clear()
            made = self._made[key] = _draw_mark(shape, fill, QColor(color), pixel_ratio, size_px)
        return made


def _draw_mark(shape: MarkShape, fill: MarkFill, color: QColor, pixel_ratio: float, size_px: float) -> QPixmap:
    side = round((size_px + 2.0) * pixel_ratio)
    pixmap = QPixmap(side, side)
    pixmap.setDevicePixelRatio(pixel_ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    middle = side / pixel_ratio / 2.0
    painter.translate(middle, middle)
    radius = size_px / 2.0
    if fill in (MarkFill.CROSS, MarkFill.PLUS):
        painter.setPen(QPen(color, 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
        if fill is MarkFill.CROSS:
            painter.rotate(45.0)
        arm = radius * (1.2 if fill is MarkFill.CROSS else 1.0)
        painter.drawLines([QLineF(-arm, 0.0, arm, 0.0), QLineF(0.0, -arm, 0.0, arm)])
    else:
        if fill is MarkFill.FILLED:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            # A venue's mark is about as large by eye whatever its shape.
            reach = radius * 0.85
        else:
            painter.setPen(QPen(color, 1.4))
            reach = radius * 0.85
        _draw_shape(painter, shape, reach)
    painter.end()
    return pixmap


def _draw_shape(painter: QPainter, shape: MarkShape, reach: float) -> None:
    if shape is MarkShape.CIRCLE:
        painter.drawEllipse(QPointF(0.0, 0.0), reach, reach)
    elif shape is MarkShape.SQUARE:
        half = reach * 0.88
        painter.drawRect(QRectF(-half, -half, 2.0 * half, 2.0 * half))
    elif shape is MarkShape.DIAMOND:
        tip = reach * 1.2
        painter.drawPolygon(QPolygonF([QPointF(0, -tip), QPointF(tip, 0), QPointF(0, tip), QPointF(-tip, 0)]))
    else:
        tip = reach * 1.1
        painter.drawPolygon(QPolygonF([QPointF(0, -tip), QPointF(tip, tip * 0.85), QPointF(-tip, tip * 0.85)]))
