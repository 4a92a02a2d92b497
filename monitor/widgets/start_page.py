"""What the window shows before it is filled."""

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget


def centred(text: str) -> QWidget:
    """A page with ``text`` in its middle, without a word of ``QtCore.Qt`` (see the main window)."""
    page, label = QWidget(), QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    layout = QGridLayout(page)
    for outer in (0, 2):
        layout.setRowStretch(outer, 1)
        layout.setColumnStretch(outer, 1)
    layout.addWidget(label, 1, 1)
    return page
