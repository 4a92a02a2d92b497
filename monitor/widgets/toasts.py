"""Short notices of one line in the room that the menu bar leaves, where nothing lies that is read.

The same notice again raises a count instead of a second box.
"""

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenuBar, QToolButton, QWidget

from monitor.qtmodels.figures import safe_text
from monitor.state.alerts import ALERT_WORD
from monitor.state.event_log import EventEntry
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.event_list import LEVEL_GLYPHS, level_color
from monitor.widgets.theme import Theme

MAX_TOASTS = 3
SHOWN_MS = 6_000
SHOWN_ERROR_MS = 12_000
MARGIN_PX = 16
RIGHT_PX = 5

_RANKS = {"info": 0, "warning": 1, "error": 2}


class Toast(QFrame):
    """One notice. Goes away by itself, or when its button is pressed."""

    def __init__(self, identity: str, level: str, text: str, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.identity = identity
        self.count = 1
        self._level = level
        self._text = text
        self._theme = theme
        self.setProperty("card", True)
        self._label = ElidedLabel(least="Venue: prices failed: no connection")
        close = QToolButton()
        close.setText("×")
        close.setAccessibleName("Dismiss this notice")
        close.setStyleSheet("padding: 0;")
        close.setFixedSize(20, 18)
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(24, 0, 4, 0)
        layout.addWidget(self._label, 1)
        layout.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self.again(level, text, count=1)

    @property
    def level(self) -> str:
        """``info``, ``warning`` or ``error``."""
        return self._level

    @property
    def text(self) -> str:
        """What it says, count included; the tooltip has all of it where there is not room for it."""
        return self._label.text

    def again(self, level: str, text: str, *, count: int) -> None:
        """Show the newest wording and how often it happened, and stay as long as a new one would."""
        self._level, self._text, self.count = level, text, count
        self._label.set_text(text if count == 1 else f"{text}  × {count:,}")
        self.setAccessibleName(self._label.text)
        self._timer.start(SHOWN_ERROR_MS if level == "error" else SHOWN_MS)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def dismiss(self) -> None:
        """Go away."""
        self._timer.stop()
        self.hide()
        self.setParent(None)
        self.deleteLater()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the box, a stripe and the shape of the level."""
        super().paintEvent(event)
        painter = QPainter(self)
        color = QColor(level_color(self._level, self._theme))
        painter.fillRect(0, 3, 3, self.height() - 6, color)
        painter.setPen(color)
        glyph = QRect(8, 0, 14, self.height())
        painter.drawText(glyph, Qt.AlignmentFlag.AlignCenter, LEVEL_GLYPHS.get(self._level, "i"))


def room_for_notices(bar: QMenuBar, otherwise: QWidget) -> QWidget:
    """``bar``, or, where it is the desktop's own and has no room of ours, the other widget."""
    return otherwise if bar.isNativeMenuBar() else bar


class ToastStack(QWidget):
    """At most ``MAX_TOASTS`` notices beside each other at the right of ``over``; the oldest gives way.

    ``over`` is a menu bar, of which the menus stay free, or any other widget, of which the lowest line is taken.
    """

    def __init__(self, over: QWidget, theme: Theme) -> None:
        super().__init__(over)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation, False)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self._layout.addStretch(1)
        self.hide()
        over.installEventFilter(self)

    def toasts(self) -> list[Toast]:
        """The notices shown, oldest first."""
        return [toast for toast in self.findChildren(Toast) if toast.parent() is self]

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        for toast in self.toasts():
            toast.set_theme(theme)

    def notify_events(
        self, entries: Sequence[EventEntry], *, idle_venues: Collection[str], title_of: Callable[[str], str]
    ) -> None:
        """Point at what is more than information. ``idle_venues`` are those the user does not poll."""
        for entry in entries:
            # Who paused a venue knows why its prices are late; the list has it all the same.
            is_expected = entry.venue is not None and entry.venue in idle_venues
            if entry.level != "info" and not is_expected:
                who = "" if entry.venue is None else f"{title_of(entry.venue)}: "
                # One notice per venue: a venue that is down tells of it in several ways, all of them in the list.
                # An alert stands for itself: two of a venue may come in the same second.
                is_alert = entry.text.startswith(ALERT_WORD)
                identity = f"entry {entry.entry_id}" if entry.venue is None or is_alert else entry.venue
                self.notify(identity, entry.level, f"{who}{entry.text}", count=entry.count)

    def notify(self, identity: str, level: str, text: str, *, count: int = 1) -> None:
        """Show ``text``; a notice of the same ``identity`` that is still there is updated, unless it is graver."""
        shown = self.toasts()
        clean = safe_text(text)
        for toast in shown:
            if toast.identity == identity:
                # What is less grave never hides what is graver.
                if _RANKS.get(level, 0) >= _RANKS.get(toast.level, 0):
                    toast.again(level, clean, count=count)
                    self._place()
                return
        for toast in shown[: max(len(shown) - MAX_TOASTS + 1, 0)]:
            toast.dismiss()
        toast = Toast(identity, level, clean, self._theme, self)
        if count > 1:
            toast.again(level, clean, count=count)
        toast.destroyed.connect(self._place)
        self._layout.addWidget(toast)
        toast.show()
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Qt: stay in place when the window changes size."""
        if watched is self.parentWidget() and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _place(self) -> None:
        shown = self.toasts()
        self.setVisible(bool(shown))
        over = self.parentWidget()
        if not shown or over is None:
            return
        left, height = MARGIN_PX, min(self.fontMetrics().height() + 6, over.height())
        top = over.height() - height
        if isinstance(over, QMenuBar):
            menus = [over.actionGeometry(action) for action in over.actions() if action.isVisible()]
            left += max((menu.right() for menu in menus), default=0)
            top //= 2
        self.setGeometry(left, top, max(0, over.width() - left - RIGHT_PX), height)
        self.raise_()
