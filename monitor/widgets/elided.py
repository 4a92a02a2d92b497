"""A label that shortens its text instead of pushing its neighbours away."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from monitor.qtmodels.figures import plain_tooltip


class ElidedLabel(QWidget):
    """One line of plain text, cut with an ellipsis where the room ends; the whole text is then the tooltip.

    Plain by construction: the text is drawn, never parsed, so nothing a venue sends can be markup.
    """

    def __init__(
        self,
        text: str = "",
        *,
        is_bold: bool = False,
        scale: float = 1.0,
        least: str = "MM…",
        parent: QWidget | None = None,
    ) -> None:
        """``least`` is a text for which there must always be room."""
        super().__init__(parent)
        self._least = least
        self._text = ""
        self._color: str | None = None
        self._definition = ""
        self._align = Qt.AlignmentFlag.AlignLeft
        font = self.font()
        font.setBold(is_bold)
        font.setPointSizeF(max(font.pointSizeF() * scale, 6.0))
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_text(text)

    @property
    def text(self) -> str:
        """The whole text, however much of it is visible."""
        return self._text

    def set_text(self, text: str, color: str | None = None) -> None:
        """Show ``text`` in ``color`` (``#rrggbb``; ``None``: the palette's)."""
        if text == self._text and color == self._color:
            return
        # The layout is asked again only when the wish for room changes, not with every figure.
        is_resized = len(text) != len(self._text)
        self._text, self._color = text, color
        self.setAccessibleName(text)
        self._update_tooltip()
        if is_resized:
            self.updateGeometry()
        self.update()

    def set_definition(self, definition: str) -> None:
        """Say in the tooltip what the text means."""
        self._definition = definition
        self._update_tooltip()

    def set_alignment(self, align: Qt.AlignmentFlag) -> None:
        """Align horizontally."""
        self._align = align
        self.update()

    def sizeHint(self) -> QSize:
        """Qt: room for the whole text."""
        return self._room_for(self._text)

    def minimumSizeHint(self) -> QSize:
        """Qt: room for a few letters."""
        return self._room_for(self._least)

    def _room_for(self, text: str) -> QSize:
        metrics, margins = self.fontMetrics(), self.contentsMargins()
        return QSize(
            metrics.horizontalAdvance(text) + 2 + margins.left() + margins.right(),
            metrics.height() + 2 + margins.top() + margins.bottom(),
        )

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: draw the text."""
        painter = QPainter(self)
        color = self.palette().color(QPalette.ColorRole.WindowText) if self._color is None else self._color
        painter.setPen(color)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self._text, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, self._align | Qt.AlignmentFlag.AlignVCenter, shown)

    def _update_tooltip(self) -> None:
        # Qt guesses markup in tooltips; a leading line of ours and escaping keep it plain.
        self.setToolTip(plain_tooltip(self._definition or self._text))
