"""The line above a plot: what is drawn, with which mark, and what lies under the cursor. Never over the data."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.widgets.plot_primitives import MARK_PX, MarkFill, MarkShape, Sprites
from monitor.widgets.theme import Theme

_RUN_GAP_PX = 6.0
_GROUP_GAP_PX = 16.0


class Run(msgspec.Struct, frozen=True):
    """A piece of text in one colour, with a mark before it if ``shape`` is given.

    Where there is no room, ``is_optional`` pieces are left out and the others say ``short`` instead, if they have one,
    and then ``shortest``, first those without a mark. What has no room even so is cut between words: a part of a number
    would be another number.
    ``starts_group`` puts a wider gap before the piece.
    """

    text: str
    color: str
    shape: MarkShape | None = None
    fill: MarkFill = MarkFill.FILLED
    mark_color: str | None = None
    is_struck: bool = False
    is_bold: bool = False
    is_optional: bool = False
    starts_group: bool = False
    short: str = ""
    shortest: str = ""


def cut_between_words(text: str, metrics: QFontMetricsF, width: float) -> str:
    """``text``, or as many whole words of it as fit into ``width`` pixels, with an ellipsis."""
    shown = text
    while metrics.horizontalAdvance(shown) > width and shown not in {"…", ""}:
        shown = f"{shown.removesuffix('…').rstrip().rpartition(' ')[0].rstrip()}…"
    return shown if metrics.horizontalAdvance(shown) <= width else ""


class PlotHeader(QWidget):
    """One line of runs, left aligned, and a badge at the right. GUI thread only."""

    def __init__(self, theme: Theme, sprites: Sprites) -> None:
        super().__init__()
        self._theme = theme
        self._sprites = sprites
        self._runs: tuple[Run, ...] = ()
        self._badge = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_runs(self, runs: Sequence[Run]) -> None:
        """Show ``runs``; nothing happens when they are what is shown already."""
        if self._runs != tuple(runs):
            self._runs = tuple(runs)
            self.update()

    def set_badge(self, text: str) -> None:
        """A word at the right end such as "Paused"; empty for none."""
        if text != self._badge:
            self._badge = text
            self.update()

    @property
    def text(self) -> str:
        """Everything shown, as one line for people who cannot see it."""
        pieces = [self._badge, *(run.text for run in self._runs)]
        return " ".join(piece for piece in pieces if piece)

    def sizeHint(self) -> QSize:
        return QSize(200, round(QFontMetricsF(self.font()).height()) + 8)

    def minimumSizeHint(self) -> QSize:
        return QSize(60, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        metrics = QFontMetricsF(self.font())
        right = self.width() - 8.0
        if self._badge:
            right = self._paint_badge(painter, metrics, right)
        bold = QFont(self.font())
        bold.setBold(True)
        runs = self._fitting(right - 8.0, metrics, QFontMetricsF(bold))
        x = 8.0
        for number, run in enumerate(runs):
            if number:
                x += _GROUP_GAP_PX if run.starts_group else _RUN_GAP_PX
            x = self._paint_run(painter, run, x, right, bold)
            if x >= right:
                break

    def _paint_badge(self, painter: QPainter, metrics: QFontMetricsF, right: float) -> float:
        width = metrics.horizontalAdvance(self._badge) + 12.0
        box = QRectF(right - width, (self.height() - metrics.height()) / 2.0, width, metrics.height())
        painter.setPen(QColor(self._theme.warn))
        painter.drawRect(box)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self._badge)
        return box.left() - 8.0

    def _fitting(self, room: float, metrics: QFontMetricsF, bold: QFontMetricsF) -> tuple[Run, ...]:
        if self._width(self._runs, metrics, bold) <= room:
            return self._runs
        needed = [run for run in self._runs if not run.is_optional]
        short = [run.short or run.text for run in needed]
        least = [run.shortest or text for run, text in zip(needed, short, strict=True)]
        # What is said of all, such as the time, gives way before the figures, and those of all venues alike.
        of_all = [text if run.shape is None else longer for run, longer, text in zip(needed, short, least, strict=True)]
        for texts in (short, of_all, least):
            runs = tuple(replace(run, text=text) for run, text in zip(needed, texts, strict=True))
            if self._width(runs, metrics, bold) <= room:
                break
        return runs

    @staticmethod
    def _width(runs: Sequence[Run], metrics: QFontMetricsF, bold: QFontMetricsF) -> float:
        width = 0.0
        for run in runs:
            width += _GROUP_GAP_PX if run.starts_group else _RUN_GAP_PX
            width += 0.0 if run.shape is None else MARK_PX + 5.0
            width += (bold if run.is_bold else metrics).horizontalAdvance(run.text)
        return width

    def _paint_run(self, painter: QPainter, run: Run, x: float, right: float, bold: QFont) -> float:
        if run.shape is not None:
            sprite: QPixmap = self._sprites.mark(
                run.shape, run.fill, run.mark_color or run.color, self.devicePixelRatioF()
            )
            side = sprite.width() / sprite.devicePixelRatio()
            painter.drawPixmap(QPointF(x - 1.0, round((self.height() - side) / 2.0)), sprite)
            x += MARK_PX + 5.0
        font = QFont(bold if run.is_bold else self.font())
        font.setStrikeOut(run.is_struck)
        own = QFontMetricsF(font)
        text = cut_between_words(run.text, own, right - x)
        painter.setFont(font)
        painter.setPen(QColor(run.color))
        painter.drawText(QPointF(x, (self.height() - own.height()) / 2.0 + own.ascent()), text)
        width = own.horizontalAdvance(run.text)
        return x + width
