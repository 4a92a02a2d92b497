"""What an account table says beside its rows: how old each account's part is, and why there are no rows."""

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.qtmodels.figures import plain_tooltip
from monitor.state.verdict import Verdict
from monitor.widgets.marks import verdict_color, verdict_glyph
from monitor.widgets.theme import Theme

_GAP_PX = 14.0


class EmptyState(msgspec.Struct, frozen=True, kw_only=True):
    """What to say while there are no rows. ``offers_accounts`` puts the button that opens the accounts below it."""

    text: str
    offers_accounts: bool = False
    button: str = "Add an account…"


class Chip(msgspec.Struct, frozen=True):
    """One account: its name, what stands beside it, and the whole story for the tooltip.

    ``is_failed`` draws it as an error whatever the verdict on what was read before.
    """

    venue: str
    name: str
    text: str
    verdict: Verdict
    story: str
    is_failed: bool = False


class AccountChips(QWidget):
    """Draws the chips, shortened where there is no room; the tooltip and the accessible text have them whole."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chips: tuple[Chip, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def chips(self) -> tuple[Chip, ...]:
        """What is shown."""
        return self._chips

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Show ``chips``; nothing happens when they are what is shown."""
        if self._chips == tuple(chips):
            return
        self._chips = tuple(chips)
        self.setToolTip(plain_tooltip("\n\n".join(chip.story for chip in chips)))
        self.setAccessibleName("; ".join(f"{chip.name} {chip.text}, {chip.verdict.word}" for chip in chips))
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: one line."""
        return QSize(220, self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:
        """Qt: room for the first account."""
        return QSize(80, self.fontMetrics().height() + 2)

    @property
    def shown_chips(self) -> tuple[Chip, ...]:
        """What there is room for, failing accounts first; the last of them may be shortened."""
        ordered = sorted(self._chips, key=lambda chip: not chip.is_failed)
        metrics = QFontMetricsF(self.font())
        least_px = metrics.horizontalAdvance("● main …")
        x = 0.0
        for number, chip in enumerate(ordered):
            more = f"+{len(ordered) - number - 1}"
            needed_px = metrics.horizontalAdvance("".join(text for text, _ in self._parts(chip)))
            is_last = number == len(ordered) - 1
            room_px = self.width() - x - (0.0 if is_last else _GAP_PX + metrics.horizontalAdvance(more))
            if room_px < min(needed_px, least_px) and number:
                return tuple(ordered[:number])
            if room_px < needed_px and not is_last:
                return tuple(ordered[: number + 1])
            x += needed_px + _GAP_PX
        return tuple(ordered)

    def _parts(self, chip: Chip) -> tuple[tuple[str, str], ...]:
        color = self._theme.error if chip.is_failed else verdict_color(chip.verdict, self._theme)
        glyph = "✕" if chip.is_failed else verdict_glyph(chip.verdict)
        return (glyph, color), (f" {chip.name} ", self._theme.venue_color(chip.venue)), (chip.text, color)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: glyph, name and age of each, and how many there is no room for."""
        painter = QPainter(self)
        metrics = QFontMetricsF(self.font())
        baseline = (self.height() - metrics.height()) / 2.0 + metrics.ascent()
        shown = self.shown_chips
        hidden = len(self._chips) - len(shown)
        more = f"+{hidden}" if hidden else ""
        right = self.width() - (metrics.horizontalAdvance(more) + _GAP_PX if hidden else 0.0)
        x = 0.0
        for chip in shown:
            for text, ink in self._parts(chip):
                painter.setPen(QColor(ink))
                room = max(0.0, right - x)
                painter.drawText(QPointF(x, baseline), metrics.elidedText(text, Qt.TextElideMode.ElideRight, room))
                x = min(right, x + metrics.horizontalAdvance(text))
            x += _GAP_PX
        if hidden:
            painter.setPen(QColor(self._theme.text_muted))
            painter.drawText(QPointF(min(x, self.width() - metrics.horizontalAdvance(more)), baseline), more)
