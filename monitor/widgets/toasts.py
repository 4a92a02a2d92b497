"""Short notices over the window's corner. The same notice again raises a count instead of a second box."""

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from monitor.qtmodels.figures import safe_text
from monitor.state.alerts import ALERT_WORD
from monitor.state.event_log import EventEntry
from monitor.widgets.event_list import LEVEL_GLYPHS, level_color
from monitor.widgets.theme import Theme

MAX_TOASTS = 3
SHOWN_MS = 6_000
SHOWN_ERROR_MS = 12_000
WIDTH_PX = 310
MARGIN_PX = 12

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
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        close = QToolButton()
        close.setText("×")
        close.setAccessibleName("Dismiss this notice")
        close.clicked.connect(self.dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(30, 8, 6, 8)
        layout.addWidget(self._label, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self.setFixedWidth(WIDTH_PX)
        self.again(level, text, count=1)

    @property
    def level(self) -> str:
        """``info``, ``warning`` or ``error``."""
        return self._level

    @property
    def text(self) -> str:
        """What it says, count included."""
        return self._label.text()

    def again(self, level: str, text: str, *, count: int) -> None:
        """Show the newest wording and how often it happened, and stay as long as a new one would."""
        self._level, self._text, self.count = level, text, count
        self._label.setText(text if count == 1 else f"{text}  × {count:,}")
        self.setAccessibleName(self._label.text())
        self._timer.start(SHOWN_ERROR_MS if level == "error" else SHOWN_MS)
        # Its own size hint is that of a line of any width, which is too low for a text of several lines.
        self.setFixedHeight(self.needed_height_px)
        self.update()

    @property
    def needed_height_px(self) -> int:
        """What all of its text needs at its width."""
        self.ensurePolished()
        self._label.ensurePolished()
        return max(self.heightForWidth(WIDTH_PX), self.minimumSizeHint().height())

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
        painter.fillRect(0, 8, 3, self.height() - 16, color)
        painter.setPen(color)
        painter.drawText(12, 8 + self.fontMetrics().ascent() + 1, LEVEL_GLYPHS.get(self._level, "i"))


class ToastStack(QWidget):
    """At most ``MAX_TOASTS`` notices in the lower right corner of ``over``; the oldest gives way."""

    def __init__(self, over: QWidget, theme: Theme) -> None:
        super().__init__(over)
        self._theme = theme
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation, False)
        self._layout = QVBoxLayout(self)
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
        """Qt: stay in the corner when the window changes size."""
        if watched is self.parentWidget() and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def sizeHint(self) -> QSize:
        """Qt: as high as its notices."""
        heights = [toast.needed_height_px + 6 for toast in self.toasts()]
        return QSize(WIDTH_PX, sum(heights))

    def _place(self) -> None:
        shown = self.toasts()
        self.setVisible(bool(shown))
        if not shown:
            return
        over = self.parentWidget()
        if over is None:
            return
        height = min(self.sizeHint().height(), over.height() - 2 * MARGIN_PX)
        self.setGeometry(over.width() - WIDTH_PX - MARGIN_PX, over.height() - height - MARGIN_PX, WIDTH_PX, height)
        self.raise_()
