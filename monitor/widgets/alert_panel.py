"""The list of alerts: how each stands, with buttons to add, change, mute and delete."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QPushButton,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.alerts import AlertRule
from monitor.qtmodels.alert_model import AlertColumn, AlertModel
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.state.alerts import AlertPhase, AlertStatus
from monitor.state.board import Board
from monitor.widgets.calm_table import calm_table, empty_label, set_widths
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

_SAMPLES = {
    AlertColumn.STATE: "● watching, muted",
    AlertColumn.VENUE: "A venue name",
    AlertColumn.NOW: "+0.00123456 %",
    AlertColumn.TOLD: "00:00:00 last",
    AlertColumn.COUNT: "00,000",
}


class _Delegate(ThemedDelegate):
    """Says by colour, besides the glyph, how an alert stands; a muted one is calm."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: the colour of the text."""
        super().initStyleOption(option, index)
        status = index.data(ROW_ROLE)
        if not isinstance(status, AlertStatus):
            return
        theme, color = self._theme, self._theme.text
        if status.rule.is_muted or status.phase is AlertPhase.UNKNOWN:
            color = theme.text_muted
        elif index.column() == AlertColumn.STATE:
            color = theme.warn if status.phase is AlertPhase.MET else theme.ok
        elif index.column() == AlertColumn.VENUE:
            color = theme.venue_color(status.rule.venue)
        self.color_text(option, color)


class AlertPanel(QWidget):
    """The alerts of the user. ``head`` (buttons) is placed by whoever owns the panel; ``source`` gives the rows.

    Signals:
        add_requested(), edit_requested(object), mute_requested(object, bool), delete_requested(object): about the
        ``AlertRule`` chosen. mute_all_requested(bool): every sound and notification.

    Thread: GUI.
    """

    add_requested = Signal()
    edit_requested = Signal(object)
    mute_requested = Signal(object, bool)
    delete_requested = Signal(object)
    mute_all_requested = Signal(bool)

    def __init__(
        self, board: Board, *, venue_title: Callable[[str], str], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._board = board
        self._venue_title = venue_title
        self.source: Callable[[], Sequence[AlertStatus]] = tuple
        self.model = AlertModel(name_of=self.name_of, venue_title=venue_title, parent=self)
        self._delegate = _Delegate(theme, self)
        self.table = calm_table(self.model, "Alerts")
        self.table.setItemDelegate(self._delegate)
        set_widths(self.table, _SAMPLES, stretched=AlertColumn.CONDITION, room_px=24)
        self._make_head()
        self._empty = empty_label(
            self.table,
            "No alerts yet. Ctrl+Shift+P adds one: a price, its age, a venue that is down, slow requests, "
            "lost reuse, funding, spread, basis, distance to liquidation.",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.selectionModel().selectionChanged.connect(self._show_buttons)
        self.table.doubleClicked.connect(self._on_edit)
        remove = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.table)
        remove.setContext(Qt.ShortcutContext.WidgetShortcut)
        remove.activated.connect(self._on_delete)
        enter = QShortcut(QKeySequence(Qt.Key.Key_Return), self.table)
        enter.setContext(Qt.ShortcutContext.WidgetShortcut)
        enter.activated.connect(self._on_edit)
        self._show_buttons()

    def _make_head(self) -> None:
        self.add, self.edit = QPushButton("Add…"), QPushButton("Edit…")
        self.mute, self.delete = QPushButton("Mute"), QPushButton("Delete")
        self.mute_all = QCheckBox("Mute all")
        self.mute_all.setToolTip("No sound and no notification; the list and the events go on")
        self.head = QWidget()
        row = QHBoxLayout(self.head)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(6)
        for button, what in (
            (self.add, "Add an alert (Ctrl+Shift+P)"),
            (self.edit, "Change the alert chosen (Enter)"),
            (self.mute, "Watch the alert chosen without telling of it, or tell again"),
            (self.delete, "Delete the alert chosen (Del)"),
        ):
            button.setToolTip(what)
            button.setAccessibleName(f"Alerts: {what}")
            button.setAutoDefault(False)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.mute_all)
        self.add.clicked.connect(self.add_requested)
        self.edit.clicked.connect(self._on_edit)
        self.mute.clicked.connect(self._on_mute)
        self.delete.clicked.connect(self._on_delete)
        self.mute_all.toggled.connect(self.mute_all_requested)

    def name_of(self, rule: AlertRule) -> str:
        """What a rule is about, for people."""
        if not rule.symbol:
            return self._venue_title(rule.venue)
        instrument = self._board.instruments.get(rule.key)
        return rule.symbol if instrument is None else instrument.name

    def chosen(self) -> AlertRule | None:
        """The rule of the selected row; ``None`` without one."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.row_at(rows[0].row()).rule if rows else None

    def choose(self, row: int) -> None:
        """Select a row."""
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.table.selectionModel().setCurrentIndex(self.model.index(row, 0), flags)

    def refresh(self) -> None:
        """Show how the alerts stand now; cheap, call it once a second."""
        self.model.show(self.source())
        is_empty = self.model.rowCount() == 0
        if self._empty.isHidden() is is_empty:
            self._empty.setVisible(is_empty)
        self._show_buttons()

    def set_all_muted(self, is_muted: bool) -> None:
        """Show whether everything is muted."""
        self.mute_all.setChecked(is_muted)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._delegate.set_theme(theme)
        self.table.viewport().update()

    def _show_buttons(self) -> None:
        rule = self.chosen()
        for button in (self.edit, self.mute, self.delete):
            button.setEnabled(rule is not None)
        self.mute.setText("Unmute" if rule is not None and rule.is_muted else "Mute")

    def _on_edit(self) -> None:
        rule = self.chosen()
        if rule is not None:
            self.edit_requested.emit(rule)

    def _on_mute(self) -> None:
        rule = self.chosen()
        if rule is not None:
            self.mute_requested.emit(rule, not rule.is_muted)

    def _on_delete(self) -> None:
        rule = self.chosen()
        if rule is not None:
            self.delete_requested.emit(rule)
