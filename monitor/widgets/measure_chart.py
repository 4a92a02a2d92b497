"""The distributions of a measurement: a row of marks for each kind of request, one mark a request."""

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QSizePolicy, QStyleOptionGraphicsItem, QVBoxLayout, QWidget

from monitor.proof.groups import Group
from monitor.proof.tables import milliseconds
from monitor.qtmodels.figures import plain_tooltip
from monitor.widgets.theme import Theme

_MARK_PX = 8
_GOLDEN = 0.618033988749895
_SPREAD = 0.5
"""Marks of one row lie this far apart at most, in rows; equal durations would cover each other."""
_LEGEND = (
    "One mark a request. Outlined: a connection was opened for it (cold). Filled: none (warm). "
    "Line: median. Pale band: 5th to 95th percentile, from 5 requests on."
)


class _Summary(QGraphicsItem):
    """Band and median of every row, under the marks."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: tuple[Group, ...] = ()
        self._theme: Theme | None = None
        self._width = 1.0

    def set_groups(self, groups: tuple[Group, ...], theme: Theme, width_ms: float) -> None:
        self.prepareGeometryChange()
        self._groups, self._theme, self._width = groups, theme, width_ms
        self.update()

    def boundingRect(self) -> QRectF:
        """Qt: everything, in data coordinates."""
        return QRectF(0.0, -0.5, self._width, max(1.0, float(len(self._groups))))

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        """Qt: rows from the top, as the axis is upside down."""
        theme = self._theme
        if theme is None:
            return
        band = QColor(theme.band)
        pen = QPen(QColor(theme.text), 2.0)
        pen.setCosmetic(True)
        for row, group in enumerate(self._groups):
            if group.band_s is not None:
                low_ms, high_ms = (one * 1000 for one in group.band_s)
                painter.fillRect(QRectF(low_ms, row - 0.36, high_ms - low_ms, 0.72), band)
            if group.median_s is not None:
                painter.setPen(pen)
                middle = group.median_s * 1000
                painter.drawLine(pg.QtCore.QPointF(middle, row - 0.36), pg.QtCore.QPointF(middle, row + 0.36))


class MeasureChart(QWidget):
    """Marks by kind of request along one axis of milliseconds. Thread: GUI."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._groups: tuple[Group, ...] = ()
        self._texts: list[pg.TextItem] = []
        self._left_px = 0
        self._plot = pg.PlotWidget(enableMenu=False, background=theme.panel)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        item = self._plot.getPlotItem()
        item.hideButtons()
        item.layout.setContentsMargins(4.0, 6.0, 14.0, 4.0)
        box = item.getViewBox()
        box.setMouseEnabled(False, False)
        box.disableAutoRange()
        box.setDefaultPadding(0.0)
        box.invertY(True)
        self._box, self._left, self._bottom = box, item.getAxis("left"), item.getAxis("bottom")
        self._summary = _Summary()
        box.addItem(self._summary, ignoreBounds=True)
        self._cold, self._warm = (pg.ScatterPlotItem(pxMode=True, size=_MARK_PX) for _ in range(2))
        for marks in (self._cold, self._warm):
            box.addItem(marks, ignoreBounds=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._plot)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(150)
        self.setAccessibleName("Durations of the requests, by kind")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._apply_looks()

    @property
    def theme(self) -> Theme:
        """What it is drawn in."""
        return self._theme

    @property
    def groups(self) -> tuple[Group, ...]:
        """What is shown."""
        return self._groups

    def set_groups(self, groups: Sequence[Group]) -> None:
        """Show these, from the top."""
        self._groups = tuple(groups)
        self._redraw()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self._apply_looks()
        self._redraw()

    def _redraw(self) -> None:
        groups, theme = self._groups, self._theme
        longest_ms = max((duration * 1000 for group in groups for duration in group.durations_s), default=0.0)
        self._set_width()
        width_ms = max(1.0, longest_ms * self._room())
        self._summary.set_groups(groups, theme, width_ms)
        # One pen and one brush for all of a kind: a thousand marks with their own would be a stall.
        for marks, is_cold in ((self._cold, True), (self._warm, False)):
            rows = [(row, group) for row, group in enumerate(groups) if group.is_cold is is_cold]
            times_ms = [duration * 1000 for _, group in rows for duration in group.durations_s]
            heights = [row + _scatter(place) for row, group in rows for place in range(group.n)]
            color = QColor(theme.cold if is_cold else theme.warm)
            marks.setData(
                x=times_ms,
                y=heights,
                pen=pg.mkPen(color, width=1.4),
                brush=pg.mkBrush(None if is_cold else color),
            )
        self._box.setRange(xRange=(0.0, width_ms), yRange=(-0.5, max(1, len(groups)) - 0.5), padding=0)
        self._left.setTicks([[(row, f"{group.name}   {group.counts}") for row, group in enumerate(groups)]])
        self._set_medians(width_ms)
        told = "\n".join(f"{group.name}: {group.counts}, median {milliseconds(group.median_s)}" for group in groups)
        meanings = "\n".join(f"{group.name}: {group.definition}" for group in groups)
        self.setAccessibleDescription(told)
        self.setToolTip(plain_tooltip("\n\n".join(part for part in (_LEGEND, told, meanings) if part)))

    def _set_medians(self, width_ms: float) -> None:
        for text in self._texts:
            self._box.removeItem(text)
        self._texts = []
        for row, group in enumerate(self._groups):
            if group.median_s is None:
                continue
            end_s = max(group.durations_s)
            text = pg.TextItem(_median_text(group), color=QColor(self._theme.text), anchor=(0.0, 0.5))
            text.setFont(self.font())
            text.setPos(end_s * 1000 + width_ms * _MARK_PX / self._row_px(), row)
            self._box.addItem(text, ignoreBounds=True)
            self._texts.append(text)

    def _row_px(self) -> float:
        """Pixels from 0 ms to the right edge."""
        return max(120.0, float(self.width() - self._left_px) - 20.0)

    def _room(self) -> float:
        """How much longer the axis is than the slowest request: the median's figure stands to the right of it."""
        metrics = QFontMetricsF(self.font())
        text_px = max((metrics.horizontalAdvance(_median_text(group)) for group in self._groups), default=0.0)
        row_px = self._row_px()
        return row_px / max(0.3 * row_px, row_px - text_px - 3 * _MARK_PX)

    def _set_width(self) -> None:
        metrics = QFontMetricsF(self.font())
        names = [f"{group.name}   {group.counts}" for group in self._groups] or ["start, pre-warmed   n 20"]
        # Kept: the axis tells a new width only after its next layout.
        self._left_px = round(max(metrics.horizontalAdvance(name) for name in names)) + 14
        self._left.setWidth(self._left_px)

    def _apply_looks(self) -> None:
        theme = self._theme
        self._plot.setBackground(theme.panel)
        font = QFont(self.font())
        for axis in (self._left, self._bottom):
            axis.setPen(QColor(theme.border))
            axis.setTextPen(QColor(theme.text_muted))
            axis.setStyle(tickFont=font, tickLength=0, tickTextOffset=6)
        self._bottom.setLabel("milliseconds a request", color=theme.text_muted)
        self._bottom.label.setFont(font)
        self._bottom.enableAutoSIPrefix(False)
        self._plot.getPlotItem().showGrid(x=True, y=False, alpha=0.12)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: the figures beside the marks take the same room on a longer axis."""
        super().resizeEvent(event)
        if self._groups:
            self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        """Qt: another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_left"):
            self._apply_looks()
            self._redraw()


def _scatter(place: int) -> float:
    """Where in its row a mark lies, the same each time."""
    return ((place * _GOLDEN) % 1.0 - 0.5) * _SPREAD


def _median_text(group: Group) -> str:
    return f"median {milliseconds(group.median_s)}"
