"""Help (F1): every key, and what every figure means."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from monitor.widgets.marks import VERDICT_DEFINITIONS, verdict_glyph
from monitor.widgets.waterfall import PHASE_DEFINITIONS

FIXED_KEYS: tuple[tuple[str, str], ...] = (
    ("Tab / Shift+Tab", "Go to the next or previous control"),
    ("Up / Down", "Move in a list; in the watchlist: choose the instrument in focus"),
    ("Alt+Up / Alt+Down", "Move the watched instrument up or down"),
    ("Del", "Stop watching the chosen instrument; in the alerts: delete the chosen one"),
    ("Left / Right", "Move the cursor in a plot"),
    ("Esc", "Leave a selection, the details or the palette"),
)

DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("latency", "Request handed to the transport until the body is fully read, without the queue."),
    ("queue, lease wait", "Waiting for a worker or the budget; waiting for a place in the pool. Never hidden."),
    ("cold, warm", "A TCP connection was, or was not, opened for this attempt. They never share a figure."),
    ("reuse", "Warm attempts / all attempts, counted where sockets open. A dash before the first."),
    ("suspect", "A connection idle for longer than such connections are known to survive."),
    ("price age", "Between now − response received and now − request sent + age in the cache."),
    ("budget", "Weight this app used in the last 60 s / the venue's documented limit."),
    ("app lag", "From the last byte of a reply to the painted figure: our own delay, not the network's."),
    ("clock", "Venue clock minus this machine's, from the Date of replies."),
    ("alert", "Told when its figure reaches the level; over when it is back by 0.05 % of a price, 10 % of the rest."),
    ("measure", "Requests in turns on a kept connection and on a new session each, as a client without a pool asks."),
    ("–", "Not known. Never written as zero."),
)


def _grid(rows: Sequence[tuple[str, str]]) -> QScrollArea:
    inside = QWidget()
    grid = QGridLayout(inside)
    grid.setContentsMargins(14, 12, 14, 12)
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(6)
    for row, (left, right) in enumerate(rows):
        name, text = QLabel(left), QLabel(right)
        for label in (name, text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        name.setProperty("heading", True)
        text.setWordWrap(True)
        grid.addWidget(name, row, 0)
        grid.addWidget(text, row, 1)
    grid.setColumnStretch(1, 1)
    grid.setRowStretch(len(rows), 1)
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setWidget(inside)
    return scroll


class HelpDialog(QDialog):
    """Keys and definitions. ``keys`` are pairs of a key and what it does."""

    def __init__(self, keys: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and help")
        self.resize(560, 480)
        self.tabs = QTabWidget()
        self.tabs.addTab(_grid((*keys, *FIXED_KEYS)), "Keys")
        self.tabs.addTab(_grid(DEFINITIONS), "What the figures mean")
        verdicts = [(f"{verdict_glyph(v)} {v.value}", text) for v, text in VERDICT_DEFINITIONS.items()]
        self.tabs.addTab(_grid(verdicts), "States")
        phases = [(word, f"{text[0].upper()}{text[1:]}.") for word, text in PHASE_DEFINITIONS.items()]
        self.tabs.addTab(_grid(phases), "Phases")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs)
        layout.addWidget(buttons)
