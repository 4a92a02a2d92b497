"""Two small plots of one pool: connections by state, and reuse, over the time range of the charts."""

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.qtmodels.figures import DASH, percent, plain_tooltip
from monitor.state.pool_history import SAMPLE_HOLDS_S
from monitor.state.series import FloatArray, TimeSeries
from monitor.state.venue_period import PoolPeriod
from monitor.widgets.theme import Theme

LEAST_HEIGHT_PX = 34
CONNECTIONS_DEFINITION = (
    "Connections over time, sampled every 2 s: the whole height of the coloured area is open, the "
    "part at the bottom active (a request is on them), the rest idle. A gap: nobody looked."
)
REUSE_DEFINITION = (
    "Reuse over time: warm attempts / all attempts of the minute before each moment. A gap: nothing was asked."
)


class _Trend(QWidget):
    """Base of the two: a frame, a caption, a time axis that ends now."""

    def __init__(self, caption: str, definition: str, theme: Theme) -> None:
        super().__init__()
        self._caption = caption
        self._definition = definition
        self._theme = theme
        self._start_s = self._end_s = 0.0
        self._chosen: PoolPeriod | None = None
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.8, 6.0))
        self.setFont(font)
        self.setAccessibleName(caption)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Qt: small, and it takes what is left."""
        return QSize(120, 44)

    def minimumSizeHint(self) -> QSize:
        """Qt: below this a line cannot be told from the frame."""
        return QSize(80, LEAST_HEIGHT_PX)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def set_period(self, chosen: PoolPeriod | None) -> None:
        """Shade a period and tell its figures with the next ``refresh``; ``None``: those of now."""
        self._chosen = chosen

    def _take_span(self, end_s: float, span_s: float) -> None:
        self._start_s, self._end_s = end_s - span_s, end_s

    def _columns(self) -> int:
        return max(2, self.width() // 2)

    def _x(self, time_s: float) -> float:
        span_s = self._end_s - self._start_s
        return (time_s - self._start_s) / span_s * self.width() if span_s > 0 else 0.0

    def _tell(self, figures: str) -> None:
        self.setAccessibleDescription(figures)
        self.setToolTip(plain_tooltip(f"{figures}\n{self._definition}"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: frame, shade, data, caption."""
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.background))
        if self._chosen is not None:
            ends = (self._chosen.period.start_mono_s, self._chosen.period.end_mono_s)
            left, right = (min(max(self._x(time_s), 0.0), float(self.width())) for time_s in ends)
            painter.fillRect(QRectF(left, 0.0, max(right - left, 1.0), self.height()), QColor(theme.selection))
        self._paint_data(painter)
        painter.setPen(QColor(theme.text_muted))
        painter.drawText(self.rect().adjusted(4, 1, -4, 0), Qt.AlignmentFlag.AlignLeft, self._caption)

    def _paint_data(self, painter: QPainter) -> None:
        raise NotImplementedError

    def _room(self) -> QRectF:
        """Where data may be drawn: below the caption while there is height for both."""
        top = min(self.fontMetrics().height(), self.height() // 3)
        return QRectF(0.0, top, self.width(), self.height() - top - 1.0)


class ConnectionTrend(_Trend):
    """Open and active connections as areas on one scale."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("connections", CONNECTIONS_DEFINITION, theme)
        self._open: tuple[FloatArray, FloatArray] | None = None
        self._active: tuple[FloatArray, FloatArray] | None = None
        self._most = 1.0

    def refresh(self, opened: TimeSeries, active: TimeSeries, end_s: float, span_s: float) -> None:
        """Show the ``span_s`` seconds before ``end_s``."""
        self._take_span(end_s, span_s)
        start_s = end_s - span_s
        self._open = opened.window(start_s, end_s, self._columns(), is_padded=True)
        self._active = active.window(start_s, end_s, self._columns(), is_padded=True)
        known = self._open[1][np.isfinite(self._open[1])]
        self._most = max(1.0, float(known.max())) if len(known) else 1.0
        now, busy, when = opened.last_value, active.last_value, "now"
        if self._chosen is not None:
            gauges, when = self._chosen.gauges, "at the end of the chosen period"
            now, busy = (None, None) if gauges is None else (float(gauges.open), float(gauges.active))
        idle = None if now is None or busy is None else now - busy
        parts = ((now, "open"), (busy, "active"), (idle, "idle"))
        told = ", ".join(f"{DASH if count is None else f'{count:.0f}'} {name}" for count, name in parts)
        most = f"; at most {self._most:.0f} open in the time shown"
        self._tell(f"{told} {when}{most}." if len(known) else "No sample yet.")
        self.update()

    def _paint_data(self, painter: QPainter) -> None:
        theme = self._theme
        for data, color in ((self._open, theme.ok), (self._active, theme.accent)):
            if data is None or not len(data[0]):
                continue
            fill = QColor(color)
            fill.setAlphaF(0.45 if color == theme.ok else 0.9)
            for area in self._areas(*data):
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(fill)
                painter.drawPolygon(area)
        painter.setPen(QColor(theme.text_muted))
        painter.drawText(self.rect().adjusted(4, 1, -4, 0), Qt.AlignmentFlag.AlignRight, f"{self._most:.0f}")

    def _areas(self, times: FloatArray, values: FloatArray) -> list[QPolygonF]:
        """Steps down to the base line; a gap ends an area."""
        room = self._room()
        areas: list[QPolygonF] = []
        points: list[QPointF] = []
        last_y = room.bottom()
        for time_s, value in zip(times.tolist(), values.tolist(), strict=True):
            x = min(max(self._x(time_s), 0.0), room.right())
            if math.isnan(value):
                if points:
                    areas.append(_closed(points, x, last_y, room.bottom()))
                points = []
                continue
            y = room.bottom() - value / self._most * (room.height() - 2.0)
            if points:
                points.append(QPointF(x, last_y))
            else:
                points.append(QPointF(x, room.bottom()))
            points.append(QPointF(x, y))
            last_y = y
        if points:
            end_x = self._x(float(times[-1]) + SAMPLE_HOLDS_S)
            areas.append(_closed(points, min(end_x, room.right()), last_y, room.bottom()))
        return areas


class ReuseTrend(_Trend):
    """Reuse of the last minute as a line between 0 and 100 %."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("reuse", REUSE_DEFINITION, theme)
        self._data: tuple[FloatArray, FloatArray] | None = None
        self._told: float | None = None

    def refresh(self, reuse: TimeSeries, end_s: float, span_s: float) -> None:
        """Show the ``span_s`` seconds before ``end_s``."""
        self._take_span(end_s, span_s)
        self._data = reuse.window(end_s - span_s, end_s, self._columns(), is_padded=True)
        self._told = reuse.last_value if self._chosen is None else self._chosen.reuse
        when = "in the last minute" if self._chosen is None else "in the minute before the end of the chosen period"
        known = self._data[1][np.isfinite(self._data[1])]
        least = percent(float(known.min()), 1) if len(known) else ""
        self._tell(
            f"{percent(self._told, 1)} {when}; {least} at least in the time shown."
            if least
            else "No attempt in the time shown."
        )
        self.update()

    def _paint_data(self, painter: QPainter) -> None:
        theme, room = self._theme, self._room()
        painter.setPen(QColor(theme.grid))
        for share in (0.0, 0.5, 1.0):
            y = round(room.bottom() - share * (room.height() - 2.0))
            painter.drawLine(0, y, self.width(), y)
        if self._data is None:
            return
        painter.setPen(QColor(theme.ok))
        line: list[QPointF] = []
        for time_s, share in zip(self._data[0].tolist(), self._data[1].tolist(), strict=True):
            if math.isnan(share):
                _draw_line(painter, line)
                line = []
            else:
                line.append(QPointF(self._x(time_s), room.bottom() - share * (room.height() - 2.0)))
        _draw_line(painter, line)
        painter.setPen(QColor(theme.text_muted))
        shown = self.rect().adjusted(4, 1, -4, 0)
        painter.drawText(shown, Qt.AlignmentFlag.AlignRight, percent(self._told))


def _closed(points: list[QPointF], x: float, y: float, bottom: float) -> QPolygonF:
    return QPolygonF([*points, QPointF(x, y), QPointF(x, bottom)])


def _draw_line(painter: QPainter, points: list[QPointF]) -> None:
    if len(points) == 1:
        painter.drawPoint(points[0])
    elif points:
        painter.drawPolyline(points)
