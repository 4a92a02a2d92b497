"""The warm band behind the marks of a latency plot, the mark under the pointer, and its percentiles in words."""

import math
from typing import Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter

from monitor.state.series import FloatArray
from monitor.widgets.plot_header import Run
from monitor.widgets.plot_primitives import LineArray, MarkShape, RectArray, hairline, mix
from monitor.widgets.plot_scale import latency_text
from monitor.widgets.plot_view import PlotView

_BAND_ALPHA: Final = 0.16


class BandPainter:
    """Draws p50 to p95 as one step per bin: filled between, p50 as a line, p95 as a paler one."""

    def __init__(self) -> None:
        self._rects = RectArray()
        self._lines = LineArray()

    def draw(  # noqa: PLR0917 - private to the plot; what to draw and in which colours
        self,
        painter: QPainter,
        view: PlotView,
        color: str,
        ground: str,
        edges_s: FloatArray,
        p50: FloatArray,
        p95: FloatArray,
    ) -> None:
        """``p50`` and ``p95`` are positions on the value axis, NaN in a bin without a band."""
        known = np.flatnonzero(~np.isnan(p50))
        if len(known) == 0:
            return
        edges = np.rint(np.clip(view.x(edges_s), 0.0, view.width))
        left, right = edges[known], edges[known + 1]
        lower, upper = np.rint(view.y(p50[known])), np.rint(view.y(p95[known]))
        fill = QColor(color)
        fill.setAlphaF(_BAND_ALPHA)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        self._rects.draw(painter, left, upper, right - left, lower - upper)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(hairline(mix(color, ground, 0.45)))
        self._lines.draw(painter, left, upper, right, upper)
        painter.setPen(hairline(mix(color, ground, 0.8)))
        self._lines.draw(painter, left, lower, right, lower)


def nearest_mark(x: FloatArray, y: FloatArray, at_x: float, at_y: float) -> tuple[int, float]:
    """Index of and distance to the mark nearest to a point; with NaN for ``at_y``, sideways only. Not empty."""
    sideways = np.abs(x - at_x)
    distances = sideways if math.isnan(at_y) else np.hypot(sideways, y - at_y)
    index = int(distances.argmin())
    return index, float(distances[index])


def warm_run(
    p50_s: float | None, p95_s: float | None, n: int, *, ink: str, shape: MarkShape, color: str, of: str = ""
) -> Run:
    """What a header says of warm requests; where there is little room, without the p95 rather than without the n.

    ``of``: what the n is a part of, in words that follow it.
    """
    if p50_s is None or math.isnan(p50_s) or p95_s is None:
        return Run(f"—  n {n:,} warm{of}", ink, shape, mark_color=color, short=f"—  n {n:,}{of}")
    p50, p95 = f"p50 {latency_text(p50_s)}", f"p95 {latency_text(p95_s)}"
    return Run(
        f"{p50}  {p95}  n {n:,} warm{of}",
        ink,
        shape,
        mark_color=color,
        short=f"{p50}  {p95}  n {n:,}{of}",
        shortest=f"{p50}  n {n:,}{of}",
    )
