"""About: which version this is and what it is made of."""

import platform
import ssl
from importlib import metadata

import PySide6
from PySide6.QtCore import QSysInfo, Qt, qVersion
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from monitor import APP_NAME, __version__
from monitor.desktop.build_info import commit
from monitor.widgets.resources import app_icon

_DISTRIBUTIONS = ("pyqtgraph", "numpy", "requests", "urllib3", "msgspec", "keyring")


def versions() -> list[tuple[str, str]]:
    """Names and versions of the app, of what it runs on and of its libraries; a dash where one cannot be told."""
    rows = [
        (APP_NAME, __version__),
        ("Built from", commit() or "a source checkout"),
        ("System", QSysInfo.prettyProductName()),
        ("Python", platform.python_version()),
        ("Qt", qVersion()),
        ("PySide6", PySide6.__version__),
        ("OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")),
    ]
    for name in _DISTRIBUTIONS:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            rows.append((name, "–"))
    return rows


class AboutDialog(QDialog):
    """Version, libraries, licences. ``notices`` is the text of the third-party notices, empty if there is none."""

    def __init__(self, notices: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"About {APP_NAME}")
        # Lines of licences are 80 characters wide.
        self.resize(*(740, 700) if notices else (460, 440))
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        title = QLabel(f"{APP_NAME} {__version__}")
        title.setProperty("heading", True)
        title.setAlignment(Qt.AlignmentFlag.AlignCenter)
        promise = QLabel(
            "Tells you how old each price is, why, and whether your connection reuse is really working.\n"
            "Read-only: it never places, changes or cancels an order and has no code that could."
        )
        promise.setWordWrap(True)
        promise.setAlignment(Qt.AlignmentFlag.AlignCenter)
        promise.setProperty("muted", True)
        form = QFormLayout()
        form.setHorizontalSpacing(24)
        for name, version in versions()[1:]:
            caption, value = QLabel(name), QLabel(version)
            caption.setProperty("muted", True)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            form.addRow(caption, value)
        layout = QVBoxLayout(self)
        for widget in (picture, title, promise):
            layout.addWidget(widget)
        layout.addLayout(form)
        if notices:
            text = QPlainTextEdit(notices)
            text.setReadOnly(True)
            text.setAccessibleName("Licences of the libraries")
            layout.addWidget(text, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
