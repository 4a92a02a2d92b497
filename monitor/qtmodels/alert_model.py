"""Alerts as rows: how each stands, what it waits for, what its figure is now."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any, TypeAlias

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from monitor.domain.alerts import AlertRule
from monitor.qtmodels.figures import DASH, local_time, plain_tooltip, safe_text
from monitor.qtmodels.row_sync import sync_rows
from monitor.state.alerts import AlertPhase, AlertStatus, condition_text, figure_text

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()

STATUS_ROLE = int(Qt.ItemDataRole.UserRole)
"""The ``AlertStatus`` of a row."""


class AlertColumn(IntEnum):
    """Columns of the alert list, in order."""

    STATE = 0
    VENUE = 1
    CONDITION = 2
    NOW = 3
    TOLD = 4
    COUNT = 5


_TITLES = ("State", "Venue", "Tell me when", "Now", "Last told", "Times")
_WHATS = (
    (
        "reached: the figure is at its level, or not yet back by the margin (0.05 % of a price, 10 % of anything else)."
        " no data: the figure is not known, or may not be believed"
    ),
    "Where the figure comes from",
    "What the alert waits for; the level itself counts as reached",
    "The figure as it stands",
    "When this run last told of it",
    "How often this run told of it; at most once per cool-down",
)
_GLYPHS = {AlertPhase.MET: "▲", AlertPhase.WATCHING: "●", AlertPhase.UNKNOWN: DASH}


class AlertModel(QAbstractTableModel):
    """One row an alert, in the user's order. ``name_of`` says what a rule is about, ``venue_title`` names venues."""

    def __init__(
        self,
        *,
        name_of: Callable[[AlertRule], str],
        venue_title: Callable[[str], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._name_of = name_of
        self._venue_title = venue_title
        self._rows: list[AlertStatus] = []

    def show(self, statuses: Sequence[AlertStatus]) -> None:
        """Show these; rows that stay keep their selection."""
        sync_rows(self, self._rows, statuses, lambda status: status.rule.identity)

    def status_at(self, row: int) -> AlertStatus:
        """The alert in ``row``; raises ``IndexError`` outside the table."""
        if not 0 <= row < len(self._rows):
            raise IndexError(row)
        return self._rows[row]

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt: number of alerts."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt: number of columns."""
        return 0 if parent.isValid() else len(AlertColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: titles, with their definitions as tooltips."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(AlertColumn):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(_WHATS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(AlertColumn(section))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: one text per cell; the status under ``STATUS_ROLE``."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        status, column = self._rows[index.row()], AlertColumn(index.column())
        if role == STATUS_ROLE:
            return status
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(status, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self._tooltip(status))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def _text(self, status: AlertStatus, column: AlertColumn) -> str:
        rule = status.rule
        match column:
            case AlertColumn.STATE:
                return f"{_GLYPHS[status.phase]} {status.phase.value}{', muted' if rule.is_muted else ''}"
            case AlertColumn.VENUE:
                return self._venue_title(rule.venue)
            case AlertColumn.CONDITION:
                return safe_text(condition_text(rule, self._name_of(rule)))
            case AlertColumn.NOW:
                return DASH if status.value is None else figure_text(rule, status.value.value)
            case AlertColumn.TOLD:
                return local_time(status.told_at)
            case AlertColumn.COUNT:
                return f"{status.times_told:,}"

    def _tooltip(self, status: AlertStatus) -> str:
        rule = status.rule
        lines = [condition_text(rule, self._name_of(rule)), rule.shape.what]
        if status.value is not None and status.value.subject:
            lines.append(f"Now: {safe_text(status.value.subject)}")
        lines.append(f"Told at most once in {rule.cool_down_s} s{'; muted now' if rule.is_muted else ''}.")
        return "\n".join(lines)


def _alignment(column: AlertColumn) -> Qt.AlignmentFlag:
    side = (
        Qt.AlignmentFlag.AlignRight
        if column in (AlertColumn.NOW, AlertColumn.TOLD, AlertColumn.COUNT)
        else Qt.AlignmentFlag.AlignLeft
    )
    return side | Qt.AlignmentFlag.AlignVCenter
