"""Waterfall bars: where the time of a request went, one coloured part per phase, all rows on one scale."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QStyleOptionViewItem, QWidget

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.figures import plain_tooltip
from monitor.qtmodels.headed_model import Index
from monitor.qtmodels.request_model import TRACE_ROLE
from monitor.qtmodels.request_words import FACT_DEFINITIONS, PHASES, phases_of
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

QUEUE_SHARE = 0.3
"""The most that a wait in the queue takes of a row's width: it may be minutes, and the latency is what is looked at."""
_GAP_PX = 3.0

PHASE_DEFINITIONS: dict[str, str] = {
    "queue": (
        "waiting for a worker or for the budget, before the transport; not part of the latency, and broken off in the "
        "rows where it is long"
    ),
    "lease": "waiting for a place in the connection pool",
    "dns": "looking up the address; absent on a reused connection",
    "tcp": "opening the TCP connection; absent on a reused connection",
    "tls": "the TLS handshake; absent on a reused connection",
    "send": "writing the request",
    "wait": "last byte sent until the first byte of the reply (time to first byte)",
    "read": "first byte until the last byte of the reply",
    "unaccounted": "the client's own time between the phases",
}


def phase_definition(phase: str) -> str:
    """What a phase is, and what may be said of it."""
    fact = FACT_DEFINITIONS.get(phase)
    return PHASE_DEFINITIONS[phase] if fact is None else f"{PHASE_DEFINITIONS[phase]}. {fact}"


def nice_scale(seconds: float) -> float:
    """Round up to one of a few steps per power of ten: the scale of the bars must not move with every request."""
    if seconds <= 0:
        return 0.1
    step = 0.001
    while True:
        for factor in (1, 1.5, 2, 3, 5, 7):
            if seconds <= step * factor:
                return step * factor
        step *= 10


class WaterfallDelegate(ThemedDelegate):
    """Draws the phases of a ``RequestTrace``. ``scale_s`` gives the seconds that fill the cell's width."""

    def __init__(self, theme: Theme, scale_s: Callable[[], float], parent: QObject | None = None) -> None:
        super().__init__(theme, parent)
        self._scale_s = scale_s

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell."""
        trace = index.data(TRACE_ROLE)
        self.paint_ground(painter, option)
        if isinstance(trace, RequestTrace):
            room = QRectF(option.rect).adjusted(4, 5, -6, -5)
            draw_waterfall(painter, room, trace, self._scale_s(), self._theme, queue_share=QUEUE_SHARE)


def draw_waterfall(
    painter: QPainter, room: QRectF, trace: RequestTrace, scale_s: float, theme: Theme, *, queue_share: float = 1.0
) -> None:
    """Draw the phases of ``trace`` into ``room``, whose width stands for ``scale_s`` seconds.

    The queue is drawn thinner: it is not part of the latency. Where it would take more than ``queue_share`` of the
    width it is broken off there, with a gap for the rest. Other bars that do not fit end at the edge.
    """
    per_second = room.width() / scale_s
    x = room.left()
    right = room.right()
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    for key, seconds in phases_of(trace):
        width = min(seconds * per_second, right - x)
        if width <= 0:
            continue
        is_broken = key == "queue" and width > queue_share * room.width()
        if is_broken:
            width = queue_share * room.width()
        painter.setBrush(QColor(theme.phases[key]))
        inset = room.height() * 0.3 if key == "queue" else 0.0
        if is_broken:
            # A gap two thirds along: the line goes on for longer than is drawn.
            part = QRectF(x, room.top() + inset, width * 0.66 - _GAP_PX, room.height() - 2 * inset)
            painter.drawRect(part)
            painter.drawRect(part.translated(width * 0.66, 0.0).adjusted(0.0, 0.0, _GAP_PX - width * 0.32, 0.0))
        else:
            painter.drawRect(QRectF(x, room.top() + inset, max(width, 0.6), room.height() - 2 * inset))
        x += width
    if trace.error_kind is not None:
        painter.setPen(QPen(QColor(theme.failed), 1.5))
        end, middle, arm = min(x + 7, right - 4), room.center().y(), 3.5
        painter.drawLine(int(end - arm), int(middle - arm), int(end + arm), int(middle + arm))
        painter.drawLine(int(end - arm), int(middle + arm), int(end + arm), int(middle - arm))
    painter.restore()


class PhaseLegend(QWidget):
    """What the colours of the bars mean, in one line that drops its last words where there is no room."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.88, 6.0))
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Legend of the phases: " + ", ".join(word for _, word in PHASES))
        lines = (f"{word}: {phase_definition(key)}." for key, word in PHASES)
        self.setToolTip(plain_tooltip("\n".join(lines)))

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: room for all words."""
        metrics = self.fontMetrics()
        return QSize(sum(metrics.horizontalAdvance(word) + 24 for _, word in PHASES), metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        """Qt: it may be squeezed to nothing."""
        return QSize(0, self.fontMetrics().height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: a square and a word for each phase."""
        painter = QPainter(self)
        metrics = self.fontMetrics()
        x = 0
        side = 8
        for key, word in PHASES:
            width = side + 5 + metrics.horizontalAdvance(word)
            if x + width > self.width():
                return
            painter.fillRect(x, (self.height() - side) // 2, side, side, QColor(self._theme.phases[key]))
            painter.setPen(QColor(self._theme.text_muted))
            painter.drawText(x + side + 5, (self.height() + metrics.ascent() - metrics.descent()) // 2, word)
            x += width + 11
