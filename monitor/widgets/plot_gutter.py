"""The column right of a plot that holds its values of now: one tag per venue, moved apart where they would overlap."""

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QGraphicsWidget, QStyleOptionGraphicsItem, QWidget

from monitor.widgets.plot_primitives import MARK_PX, MarkFill, MarkShape, Sprites
from monitor.widgets.plot_scale import TEXT_CHARACTERS
from monitor.widgets.theme import Theme

_PAD_PX = 4.0


class Tag(msgspec.Struct, frozen=True):
    """A value at height ``y`` (pixels from the top of the plot).

    ``is_old`` greys it and strikes it through; ``is_plain`` draws no box filled with its colour (a threshold);
    ``is_cursor`` neither, and puts the tag at its very height; the others move out of its way.
    """

    y: float
    text: str
    color: str
    shape: MarkShape | None = None
    is_old: bool = False
    is_plain: bool = False
    is_cursor: bool = False


def spread(centres: Sequence[float], height: float, low: float, high: float) -> list[float]:
    """Move ``centres`` (ascending) as little as needed so that boxes of ``height`` neither overlap nor leave the range.

    When there is not room for all, they overlap evenly rather than leave.
    """
    if not centres:
        return []
    height = min(height, (high - low) / len(centres))
    # Boxes that touch form a block, which sits where its members' wishes average out (pool adjacent violators).
    blocks: list[tuple[float, int]] = []  # summed wish of the first box's centre, number of boxes
    for number, centre in enumerate(centres):
        wish, count = centre - number * height, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > wish / count:
            before, members = blocks.pop()
            wish, count = wish + before, count + members
        blocks.append((wish, count))
    firsts = [wish / count for wish, count in blocks for _ in range(count)]
    least, most = low + height / 2.0, high - height / 2.0 - (len(centres) - 1) * height
    return [min(max(first, least), most) + number * height for number, first in enumerate(firsts)]


def placed(tags: Sequence[Tag], height: float, low: float, high: float) -> list[tuple[Tag, float]]:
    """Each tag with the centre of its box; that of the cursor stays where it points, the others make room for it."""
    values = sorted((tag for tag in tags if not tag.is_cursor), key=lambda tag: tag.y)
    cursor = next((tag for tag in tags if tag.is_cursor), None)
    centres = [tag.y for tag in values]
    if cursor is None:
        return list(zip(values, spread(centres, height, low, high), strict=True))
    at = min(max(cursor.y, low + height / 2.0), high - height / 2.0)
    above, below = at - height / 2.0, at + height / 2.0
    # As many on either side as belong there, unless there is no room for them.
    number = sum(centre <= at for centre in centres)
    number = max(min(number, int((above - low) / height)), len(values) - int((high - below) / height), 0)
    number = min(number, len(values))
    moved = (*spread(centres[:number], height, low, above), *spread(centres[number:], height, below, high))
    return [*zip(values, moved, strict=True), (cursor, at)]


class TagGutter(QGraphicsWidget):
    """Paints the tags. Its width is fixed by the font, so that plots with the same font line up."""

    def __init__(self, theme: Theme, sprites: Sprites, font: QFont) -> None:
        super().__init__()
        self._theme = theme
        self._sprites = sprites
        self._tags: tuple[Tag, ...] = ()
        self._font = font
        self.set_tag_font(font)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_tag_font(self, font: QFont) -> None:
        """Use ``font`` and make the column as wide as the longest value in it."""
        self._font = font
        metrics = QFontMetricsF(font)
        width = round(metrics.horizontalAdvance("0" * TEXT_CHARACTERS) + MARK_PX + 4.0 * _PAD_PX)
        self.setMinimumWidth(width)
        self.setMaximumWidth(width)

    def set_tags(self, tags: Sequence[Tag]) -> None:
        """Show ``tags``; nothing happens when they are shown already."""
        if self._tags != tuple(tags):
            self._tags = tuple(tags)
            self.update()

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setFont(self._font)
        metrics = QFontMetricsF(self._font)
        box_height = round(metrics.height()) + 2.0
        top, bottom = 0.0, self.rect().height()
        ratio = 1.0 if widget is None else widget.devicePixelRatioF()
        for tag, centre in placed(self._tags, box_height + 1.0, top, bottom):
            y = min(max(round(centre - box_height / 2.0), top), bottom - box_height)
            self._paint_tag(painter, tag, QRectF(2.0, y, self._box_width, box_height), ratio)

    @property
    def _box_width(self) -> float:
        return self.rect().width() - 5.0

    def _paint_tag(self, painter: QPainter, tag: Tag, box: QRectF, pixel_ratio: float) -> None:
        theme = self._theme
        is_outlined = tag.is_old or tag.is_plain or tag.is_cursor
        ground = theme.panel if is_outlined else tag.color
        ink = theme.text_muted if tag.is_old else tag.color if is_outlined else theme.on_accent
        painter.setPen(
            QPen(QColor(theme.text_muted if tag.is_cursor else theme.border if is_outlined else tag.color), 1)
        )
        painter.setBrush(QColor(ground))
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        left = box.left() + _PAD_PX
        if tag.shape is not None:
            sprite = self._sprites.mark(
                tag.shape, MarkFill.OUTLINED if tag.is_old else MarkFill.FILLED, ink, pixel_ratio
            )
            side = sprite.width() / sprite.devicePixelRatio()
            painter.drawPixmap(QPointF(left - 1.0, round(box.center().y() - side / 2.0)), sprite)
            left += MARK_PX + _PAD_PX
        font = QFont(self._font)
        font.setStrikeOut(tag.is_old)
        painter.setFont(font)
        painter.setPen(QColor(ink))
        text_box = QRectF(left, box.top(), box.right() - left - _PAD_PX, box.height())
        painter.drawText(text_box, Qt.AlignmentFlag.AlignVCenter, tag.text)
