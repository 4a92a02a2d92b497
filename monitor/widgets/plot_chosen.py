"""Requests that were chosen elsewhere, found again on a plot.

A line through time and a ring at the one gone to; the others have small rings where these stand apart, else a tick each
at the lower edge: rings in a row would hide what they are around.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from monitor.domain.telemetry import RequestTrace
from monitor.widgets.plot_primitives import hairline, mix
from monitor.widgets.plot_view import PlotView
from monitor.widgets.theme import Theme

RING_PX: Final = 7.0
_SMALL_RING_PX: Final = 4.5
_APART_PX: Final = 14.0
"""Rings this far apart on average can be told from each other."""
TICK_PX: Final = 6.0
_OUTSIDE_TEXT: Final = "◂ the request is further back"


class Chosen:
    """What is ringed. Thread: GUI."""

    def __init__(self) -> None:
        self.one: RequestTrace | None = None
        self.others: tuple[RequestTrace, ...] = ()
        self._times_s = np.empty(0)

    def take(self, one: RequestTrace | None, others: Sequence[RequestTrace]) -> bool:
        """Mark ``one``, and ``others`` (oldest first) less loudly; False: they are marked already."""
        wanted = tuple(others)
        if one is self.one and wanted == self.others:
            return False
        self.one, self.others = one, wanted
        self._times_s = np.array([trace.ended_mono_s for trace in wanted])
        return True

    def paint(
        self,
        painter: QPainter,
        view: PlotView,
        theme: Theme,
        font: QFont,
        place_of: Callable[[PlotView, RequestTrace], QPointF | None],
    ) -> None:
        """Draw over the data. ``place_of`` gives where a request stands in ``view``; ``None``: nowhere."""
        painter.setBrush(Qt.BrushStyle.NoBrush)
        self._paint_others(painter, view, theme, place_of)
        if self.one is None:
            return
        if self.one.ended_mono_s < view.start_mono_s:
            painter.setFont(font)
            painter.setPen(QColor(theme.text_muted))
            painter.drawText(QPointF(6.0, view.height - QFontMetricsF(font).descent() - 4.0), _OUTSIDE_TEXT)
            return
        at = place_of(view, self.one)
        x = round(view.x_of(self.one.ended_mono_s))
        painter.setPen(hairline(mix(theme.text, theme.panel, 0.55)))
        # Not through the ring: what is in it is the point.
        top, bottom = (view.height, view.height) if at is None else (at.y() - RING_PX, at.y() + RING_PX)
        painter.drawLine(QLineF(x, 0.0, x, top))
        painter.drawLine(QLineF(x, bottom, x, view.height))
        if at is not None:
            painter.setPen(QPen(QColor(theme.text), 2.0))
            painter.drawEllipse(at, RING_PX, RING_PX)

    def _paint_others(
        self,
        painter: QPainter,
        view: PlotView,
        theme: Theme,
        place_of: Callable[[PlotView, RequestTrace], QPointF | None],
    ) -> None:
        shown = np.flatnonzero((self._times_s >= view.start_mono_s) & (self._times_s <= view.now_mono_s))
        if not len(shown):
            return
        columns = np.unique(np.rint(view.x(self._times_s[shown])))
        painter.setPen(QPen(QColor(mix(theme.text, theme.panel, 0.7)), 1.0))
        if len(shown) * _APART_PX <= columns[-1] - columns[0] + _APART_PX:
            places = (place_of(view, self.others[number]) for number in shown.tolist())
            for at in places:
                if at is not None:
                    painter.drawEllipse(at, _SMALL_RING_PX, _SMALL_RING_PX)
        else:
            top, bottom = view.height - TICK_PX, view.height
            painter.drawLines([QLineF(x, top, x, bottom) for x in columns.tolist()])
