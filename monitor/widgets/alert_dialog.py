"""Makes or changes one alert: what to watch, at which level, over which time, how often to tell."""

from collections.abc import Callable, Sequence

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.alerts import (
    DEFAULT_COOL_DOWN_S,
    DEFAULT_WINDOW_S,
    MAX_COOL_DOWN_S,
    MAX_WINDOW_S,
    MIN_WINDOW_S,
    SHAPES,
    AlertKind,
    AlertRule,
    checked_rule,
)
from monitor.state.alert_values import AlertValue
from monitor.state.alerts import figure_text

_SIDE_WORDS = {"above": "at or above", "below": "at or below"}

CANNOT_BE = "1"
"""A level that every kind but one takes, for asking what a figure is before a level was typed."""


class AlertDialog(QDialog):
    """Edits one rule. ``result_rule`` is the rule after OK.

    ``subjects`` are (venue, venue symbol, what to call it) of the instruments that can be chosen, ``venues`` (name,
    title); ``figure_now`` tells what a rule's figure is at the moment, ``None`` for not known.
    """

    def __init__(
        self,
        rule: AlertRule | None,
        *,
        subjects: Sequence[tuple[str, str, str]],
        venues: Sequence[tuple[str, str]],
        figure_now: Callable[[AlertRule], AlertValue | None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("New alert" if rule is None else "Alert")
        self.setMinimumWidth(430)
        self._rule = rule
        self._figure_now = figure_now
        self.result_rule: AlertRule | None = None
        self.kind = QComboBox()
        for kind, shape in SHAPES.items():
            self.kind.addItem(shape.title, kind.value)
        self.instrument, self.venue = QComboBox(), QComboBox()
        # A tuple does not come back from an item as what it was.
        self._keys: list[tuple[str, str]] = []
        for venue, symbol, title in subjects:
            self._add_instrument((venue, symbol), title)
        for venue, title in venues:
            self.venue.addItem(title, venue)
        self.side = QComboBox()
        self.level = QLineEdit()
        self.unit = QLabel()
        self.now = QLabel()
        self.now.setProperty("muted", True)
        self.window_s = _seconds(MIN_WINDOW_S, MAX_WINDOW_S, DEFAULT_WINDOW_S)
        self.cool_down_s = _seconds(0, MAX_COOL_DOWN_S, DEFAULT_COOL_DOWN_S)
        self.what = QLabel()
        self.what.setProperty("muted", True)
        self.what.setWordWrap(True)
        self.problem = QLabel()
        self.problem.setObjectName("problem")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self._arrange()
        if rule is not None:
            self._show_rule(rule)
        self._on_kind()
        for box in (self.instrument, self.venue, self.side):
            box.currentIndexChanged.connect(self._show_now)
        self.window_s.valueChanged.connect(self._show_now)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.level.setFocus()

    def _arrange(self) -> None:
        for widget, name in (
            (self.kind, "What to watch"),
            (self.instrument, "Instrument"),
            (self.venue, "Venue"),
            (self.side, "Above or below"),
            (self.level, "Level"),
            (self.window_s, "Window in seconds"),
            (self.cool_down_s, "Least time between two notices, in seconds"),
        ):
            widget.setAccessibleName(name)
        level_row = QHBoxLayout()
        level_row.addWidget(self.side)
        level_row.addWidget(self.level, 1)
        level_row.addWidget(self.unit)
        self.form = QFormLayout()
        self.form.addRow("Watch", self.kind)
        self.form.addRow("Instrument", self.instrument)
        self.form.addRow("Venue", self.venue)
        self.form.addRow("Tell me", level_row)
        self.form.addRow("", self.now)
        self.form.addRow("Over the last", self.window_s)
        self.form.addRow("At most once in", self.cool_down_s)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self._on_ok)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(self.form)
        layout.addWidget(self.what)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)

    def rule(self) -> AlertRule:
        """The rule as edited.

        Raises:
            ValueError: it makes no sense yet; the text says what was expected.
        """
        return checked_rule(self._edited(self.level.text().strip().replace(",", "")))

    def _edited(self, level: str) -> AlertRule:
        kind = AlertKind(self.kind.currentData())
        if SHAPES[kind].needs_symbol:
            place = self.instrument.currentIndex()
            venue, symbol = self._keys[place] if place >= 0 else ("", "")
        else:
            venue, symbol = self.venue.currentData() or "", ""
        return AlertRule(
            kind.value,
            str(venue),
            str(symbol),
            str(self.side.currentData()),
            level,
            self.window_s.value() if SHAPES[kind].has_window else DEFAULT_WINDOW_S,
            self.cool_down_s.value(),
            self._rule is not None and self._rule.is_muted,
        )

    def _add_instrument(self, key: tuple[str, str], title: str) -> None:
        self._keys.append(key)
        self.instrument.addItem(title)

    def _show_rule(self, rule: AlertRule) -> None:
        self.kind.setCurrentIndex(self.kind.findData(rule.kind))
        if rule.symbol:
            if rule.key not in self._keys:
                self._add_instrument(rule.key, rule.symbol)
            self.instrument.setCurrentIndex(self._keys.index(rule.key))
        else:
            if self.venue.findData(rule.venue) < 0:
                self.venue.addItem(rule.venue, rule.venue)
            self.venue.setCurrentIndex(self.venue.findData(rule.venue))
        self.window_s.setValue(rule.window_s)
        self.cool_down_s.setValue(rule.cool_down_s)

    def _on_kind(self) -> None:
        kind = AlertKind(self.kind.currentData())
        shape = SHAPES[kind]
        self.side.clear()
        for side in shape.directions:
            self.side.addItem(_SIDE_WORDS[side], side)
        self.side.setEnabled(len(shape.directions) > 1)
        level = shape.first_level
        if self._rule is not None and kind == self._rule.kind:
            self.side.setCurrentIndex(max(self.side.findData(self._rule.side), 0))
            level = self._rule.level
        self.level.setText(level)
        self.level.setPlaceholderText("a number")
        self.level.selectAll()
        self.unit.setText(shape.unit)
        self.what.setText(shape.what)
        self.form.setRowVisible(self.instrument, shape.needs_symbol)
        self.form.setRowVisible(self.venue, not shape.needs_symbol)
        self.form.setRowVisible(self.window_s, shape.has_window)
        self.problem.hide()
        self._show_now()
        self._make_room()

    def _show_now(self) -> None:
        rule = self._edited(CANNOT_BE)
        value = None if not rule.venue else self._figure_now(rule)
        if value is None:
            self.now.setText("Now: not known")
            return
        subject = f" ({value.subject})" if value.subject else ""
        self.now.setText(f"Now: {figure_text(rule, value.value)}{subject}")

    def _on_ok(self) -> None:
        try:
            self.result_rule = self.rule()
        except ValueError as error:
            self.problem.setText(f"This needs {error}.")
            self.problem.show()
            self._make_room()
            self.level.setFocus()
            return
        self.accept()

    def _make_room(self) -> None:
        # Qt asks a window's layout for its least height without regard to lines that wrap, and squeezes the fields.
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.setMinimumHeight(layout.totalHeightForWidth(self.width()))

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: at another width, texts take more lines or fewer."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._make_room()


def _seconds(low: int, high: int, value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setSuffix(" s")
    box.setSingleStep(30)
    box.setValue(value)
    box.setMaximumWidth(130)
    return box
