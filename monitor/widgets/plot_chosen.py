"""Requests that were chosen elsewhere, found again on a plot: a ring around each, a line through time at the one."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from monitor.domain.telemetry import RequestTrace
from monitor.widgets.plot_primitives import hairline, mix
from monitor.widgets.plot_view import PlotView
from monitor.widgets.theme import Theme

MOST_OTHERS: Final = 300
"""So many of the newest others get a ring: more would be a band, and cost each frame."""
RING_PX: Final = 7.0
_SMALL_RING_PX: Final = 4.5
_OUTSIDE_TEXT: Final = "◂ the request is further back"


class Chosen:
    """What is ringed. Thread: GUI."""

    def __init__(self) -> None:
        self.one: RequestTrace | None = None
        self.others: tuple[RequestTrace, ...] = ()

    def take(self, one: RequestTrace | None, others: Sequence[RequestTrace]) -> bool:
        """Ring ``one``, and the newest of ``others`` (oldest first) less loudly; False: they are ringed already."""
        wanted = tuple(others[-MOST_OTHERS:])
        if one is self.one and wanted == self.others:
            return False
        self.one, self.others = one, wanted
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
        painter.setPen(QPen(QColor(mix(theme.text, theme.panel, 0.7)), 1.0))
        for trace in self.others:
            at = place_of(view, trace) if trace.ended_mono_s >= view.start_mono_s else None
            if at is not None:
                painter.drawEllipse(at, _SMALL_RING_PX, _SMALL_RING_PX)
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
