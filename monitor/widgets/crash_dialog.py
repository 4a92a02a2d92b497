"""What to do when something went wrong inside the program: a report to copy, and the log folder."""

from collections.abc import Callable

from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from monitor import APP_NAME

ADVICE = (
    "If it happens again, please report it with the text below. Keys, signatures, passwords and addresses have been "
    "removed from it; read it before you pass it on."
)
_MAX_CHARS = 60_000
"""A recursion's traceback is long; nobody reads more."""


class CrashDialog(QDialog):
    """Shows a report and goes on showing further ones below it.

    ``open_logs`` shows the log folder; ``None``: there is no such button. Thread: GUI.
    """

    def __init__(
        self, text: str, details: str, *, open_logs: Callable[[], object] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"{APP_NAME}: internal error")
        self.resize(640, 420)
        self._sentence = QLabel(text)
        advice = QLabel(ADVICE)
        advice.setProperty("muted", True)
        for label in (self._sentence, advice):
            label.setWordWrap(True)
        self.report = QPlainTextEdit(details[-_MAX_CHARS:])
        self.report.setReadOnly(True)
        self.report.setTabChangesFocus(True)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.report.setAccessibleName("Error report")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = QPushButton("&Copy report")
        self.copy_button.setDefault(True)
        self.copy_button.clicked.connect(self.copy)
        buttons.addButton(self.copy_button, QDialogButtonBox.ButtonRole.ActionRole)
        if open_logs is not None:
            logs = QPushButton("Open &log folder")
            logs.clicked.connect(open_logs)
            buttons.addButton(logs, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self._sentence, advice):
            layout.addWidget(widget)
        layout.addWidget(self.report, 1)
        layout.addWidget(buttons)

    def add(self, text: str, details: str) -> None:
        """Show one more report, above the earlier ones."""
        self._sentence.setText(text)
        self.report.setPlainText(f"{details}\n{'-' * 60}\n{self.report.toPlainText()}"[:_MAX_CHARS])
        self.copy_button.setText("&Copy report")

    def copy(self) -> None:
        """Put the report on the clipboard and say so."""
        QGuiApplication.clipboard().setText(self.report.toPlainText())
        self.copy_button.setText("&Copied")
