"""Alerts as rows: how each stands, what it waits for, what its figure is now."""

from collections.abc import Callable, Sequence
from enum import IntEnum

from PySide6.QtCore import QObject

from monitor.domain.alerts import AlertRule
from monitor.qtmodels.figures import DASH, local_time, safe_text
from monitor.qtmodels.headed_model import Head, RowsModel
from monitor.qtmodels.row_sync import sync_rows
from monitor.state.alerts import AlertPhase, AlertStatus, condition_text, figure_text


class AlertColumn(IntEnum):
    """Columns of the alert list, in order."""

    STATE = 0
    VENUE = 1
    CONDITION = 2
    NOW = 3
    TOLD = 4
    COUNT = 5


_HEADS = (
    Head(
        "State",
        "reached: the figure is at its level, or not yet back by the margin (0.05 % of a price, 10 % of anything else)."
        " no data: the figure is not known, or may not be believed",
    ),
    Head("Venue", "Where the figure comes from"),
    Head("Tell me when", "What the alert waits for; the level itself counts as reached"),
    Head("Now", "The figure as it stands", is_right=True),
    Head("Last told", "When this run last told of it", is_right=True),
    Head("Times", "How often this run told of it; at most once per cool-down", is_right=True),
)
_GLYPHS = {AlertPhase.MET: "▲", AlertPhase.WATCHING: "●", AlertPhase.UNKNOWN: DASH}


class AlertModel(RowsModel[AlertStatus]):
    """One row an alert, in the user's order. ``name_of`` says what a rule is about, ``venue_title`` names venues."""

    def __init__(
        self,
        *,
        name_of: Callable[[AlertRule], str],
        venue_title: Callable[[str], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(_HEADS, parent)
        self._name_of = name_of
        self._venue_title = venue_title

    def show(self, statuses: Sequence[AlertStatus]) -> None:
        """Show these; rows that stay keep their selection."""
        sync_rows(self, self._rows, statuses, lambda status: status.rule.identity)

    def text_of(self, row: AlertStatus, column: int) -> str:
        """One part of how an alert stands."""
        status, rule = row, row.rule
        match AlertColumn(column):
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

    def tooltip_of(self, row: AlertStatus, column: int) -> str:
        """What the alert waits for and what that is."""
        status, rule = row, row.rule
        lines = [condition_text(rule, self._name_of(rule)), rule.shape.what]
        if status.value is not None and status.value.subject:
            lines.append(f"Now: {safe_text(status.value.subject)}")
        lines.append(f"Told at most once in {rule.cool_down_s} s{'; muted now' if rule.is_muted else ''}.")
        return "\n".join(lines)
