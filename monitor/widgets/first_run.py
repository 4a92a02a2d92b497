"""The chooser of the first start: live prices, or the demo exchange."""

from enum import StrEnum

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from monitor import APP_NAME
from monitor.widgets.resources import app_icon, themed_icon
from monitor.widgets.theme import Theme


class StartChoice(StrEnum):
    """What to start with; the words of ``Settings.start_with``."""

    LIVE = "live"
    DEMO = "demo"


class _ChoiceButton(QPushButton):
    """A large button with a title and a sentence."""

    def __init__(self, icon: str, title: str, what: str, theme: Theme) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setAccessibleDescription(what)
        self.setProperty("choice", True)
        picture = QLabel()
        picture.setPixmap(themed_icon(icon, theme.accent).pixmap(QSize(30, 30)))
        heading, text = QLabel(title), QLabel(what)
        heading.setProperty("heading", True)
        text.setProperty("muted", True)
        text.setWordWrap(True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(heading)
        words.addWidget(text)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 8)
        layout.setSpacing(14)
        layout.addWidget(picture)
        layout.addLayout(words, 1)
        for label in (picture, heading, text):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class FirstRunDialog(QDialog):
    """Asks once what to show. ``choice`` is ``None`` until something was chosen."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(APP_NAME)
        self.setMinimumWidth(460)
        self.choice: StartChoice | None = None
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(56, 56))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = QLabel("What would you like to watch?")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        font.setBold(True)
        title.setFont(font)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.live = _ChoiceButton(
            "live", "Live public data", "Prices of both venues from the internet. No account and no key needed.", theme
        )
        self.demo = _ChoiceButton(
            "demo",
            "Demo exchange",
            "A simulated exchange on this machine. Nothing leaves it; good to try out.",
            theme,
        )
        self.live.setDefault(True)
        later = QLabel(
            "The app only reads: it never places, changes or cancels an order. You can switch later in Settings."
        )
        later.setWordWrap(True)
        later.setProperty("muted", True)
        later.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(12)
        for widget in (picture, title, self.live, self.demo, later):
            layout.addWidget(widget)
        self.live.clicked.connect(self._on_live)
        self.demo.clicked.connect(self._on_demo)
        self.live.setFocus()

    def _on_live(self) -> None:
        self.choice = StartChoice.LIVE
        self.accept()

    def _on_demo(self) -> None:
        self.choice = StartChoice.DEMO
        self.accept()
