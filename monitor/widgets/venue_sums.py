"""The sums of each venue in one line: for a table that is too low for a line each."""

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.qtmodels.account_columns import COVERED, Look
from monitor.qtmodels.account_model import SumFigure, VenueFigures
from monitor.qtmodels.figures import DASH, plain_tooltip
from monitor.widgets.theme import Theme

_STRIPE_PX = 3.0
_PADDING_PX = 6.0
_WORD_GAP_PX = 5.0
_FIGURE_GAP_PX = 12.0
_VENUE_GAP_PX = 22.0


class VenueSums(QWidget):
    """Draws the figures of each venue, as many as fit for all of them; the tooltip has the rest.

    Thread: GUI.
    """

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._theme = theme
        self._venues: tuple[VenueFigures, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)

    @property
    def venues(self) -> tuple[VenueFigures, ...]:
        """What is shown."""
        return self._venues

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def set_venues(self, venues: Sequence[VenueFigures]) -> None:
        """Show ``venues``; nothing happens when they are what is shown."""
        if self._venues == tuple(venues):
            return
        self._venues = tuple(venues)
        told = [
            f"{one.title}: "
            + ", ".join(
                f"{figure.title.lower()} {figure.text}{' (late)' if figure.is_late else ''}" for figure in one.figures
            )
            for one in venues
        ]
        definitions = list(dict.fromkeys(figure.story for one in venues for figure in one.figures))
        self.setAccessibleName(f"{self._name}: {'; '.join(told)}")
        self.setToolTip(plain_tooltip("\n".join([*told, "", *definitions])))
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: one line."""
        return QSize(220, self.fontMetrics().height() + 5)

    def minimumSizeHint(self) -> QSize:
        """Qt: one line, however short."""
        return QSize(60, self.sizeHint().height())

    @property
    def shown_figures(self) -> int:
        """How many figures of every venue there is room for."""
        most = max((len(one.figures) for one in self._venues), default=0)
        return next((count for count in range(most, 0, -1) if self._width_of(count) <= self.width()), 0)

    def _fonts(self) -> tuple[QFont, QFont]:
        plain, bold = QFont(self.font()), QFont(self.font())
        bold.setBold(True)
        return plain, bold

    def _width_of(self, count: int) -> float:
        plain, bold = (QFontMetricsF(font) for font in self._fonts())
        width = 0.0
        for one in self._venues:
            width += _STRIPE_PX + _PADDING_PX + bold.horizontalAdvance(one.title) + _VENUE_GAP_PX
            for figure in one.figures[:count]:
                width += _FIGURE_GAP_PX + plain.horizontalAdvance(figure.title.lower()) + _WORD_GAP_PX
                width += plain.horizontalAdvance(figure.text)
        return width

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: a stripe and the name of each venue, then its figures."""
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.raised))
        plain, bold = self._fonts()
        struck = QFont(plain)
        metrics, bold_metrics = QFontMetricsF(plain), QFontMetricsF(bold)
        baseline = (self.height() - metrics.height()) / 2.0 + metrics.ascent()
        count = self.shown_figures
        x = 0.0
        for one in self._venues:
            painter.fillRect(QRectF(x, 3.0, _STRIPE_PX, self.height() - 6.0), QColor(theme.venue_color(one.venue)))
            x += _STRIPE_PX + _PADDING_PX
            painter.setFont(bold)
            painter.setPen(QColor(theme.text))
            title = bold_metrics.elidedText(one.title, Qt.TextElideMode.ElideRight, max(0.0, self.width() - x))
            painter.drawText(QPointF(x, baseline), title)
            x += bold_metrics.horizontalAdvance(one.title)
            for figure in one.figures[:count]:
                x += _FIGURE_GAP_PX
                struck.setStrikeOut(figure.is_late and figure.text not in {DASH, COVERED})
                for text, color, font in (
                    (figure.title.lower(), theme.text_muted, plain),
                    (figure.text, theme.text_muted if figure.is_late else _color_of(figure, theme), struck),
                ):
                    painter.setFont(font)
                    painter.setPen(QColor(color))
                    painter.drawText(QPointF(x, baseline), text)
                    x += metrics.horizontalAdvance(text) + _WORD_GAP_PX
                x -= _WORD_GAP_PX
            x += _VENUE_GAP_PX


def _color_of(figure: SumFigure, theme: Theme) -> str:
    if figure.look is Look.GAIN and isinstance(figure.value, Decimal):
        return theme.change_color(float(figure.value))
    return theme.text
