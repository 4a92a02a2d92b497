"""Outliers as rows: one for each cause and venue, the one that cost most time first."""

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeAlias

import msgspec
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from monitor.qtmodels.figures import DASH, count_text, duration_text, local_time, plain_tooltip
from monitor.qtmodels.row_sync import sync_rows
from monitor.qtmodels.spike_words import CAUSE_DEFINITIONS, CAUSE_WORDS, SPIKE_DEFINITION
from monitor.state.spike_log import Count, SpikeTally
from monitor.state.spikes import SpikeCause

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_NO_PARENT = QModelIndex()

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
"""The ``SpikeRow`` of a row."""


class SpikeColumn(IntEnum):
    """Columns of the tally, in order."""

    CAUSE = 0
    VENUE = 1
    COUNT = 2
    LOST = 3
    WORST = 4
    LAST = 5
    RATE = 6
    WHAT = 7


_TITLES = ("Slow by", "Venue", "Times", "Time lost", "Worst", "Last", "An hour", "What it means")
_WHATS = (
    f"What outliers were put down to. Outlier: {SPIKE_DEFINITION}",
    "Which venue was asked",
    "Outliers with this cause",
    "What they took over the median of their like, added up",
    "The most that one of them took over the median of its like",
    "When the newest of them began, local time",
    "Outliers for each hour in which requests were made; a dash where that time is under a minute or not known",
    "What the cause is, and what helps",
)
_NUMBERS = (SpikeColumn.COUNT, SpikeColumn.LOST, SpikeColumn.WORST, SpikeColumn.LAST, SpikeColumn.RATE)
_LEAST_WATCHED_S = 60.0


class SpikeRow(msgspec.Struct, frozen=True):
    """One line of the tally; ``per_hour`` is ``None`` where it is not known how long requests were made."""

    venue: str
    cause: SpikeCause
    count: Count
    per_hour: float | None


class SpikeModel(QAbstractTableModel):
    """The tally. ``venue_title`` names venues."""

    def __init__(self, venue_title: Callable[[str], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._venue_title = venue_title
        self._rows: list[SpikeRow] = []
        self._now: datetime | None = None

    def show(self, tally: SpikeTally, now: datetime) -> None:
        """Show this tally; ``now`` (aware) tells which day is today. Rows that stay keep their selection."""
        self._now = now
        watched_s = tally.watched_s
        hours = None if watched_s is None or watched_s < _LEAST_WATCHED_S else watched_s / 3_600.0
        rows = [
            SpikeRow(venue, cause, count, None if hours is None else count.n / hours)
            for (venue, cause), count in tally.counts.items()
        ]
        rows.sort(key=lambda row: (-row.count.lost_s, row.venue, row.cause))
        sync_rows(self, self._rows, rows, lambda row: (row.venue, row.cause))

    def row_at(self, row: int) -> SpikeRow:
        """The line in ``row``; raises ``IndexError`` outside the table."""
        if not 0 <= row < len(self._rows):
            raise IndexError(row)
        return self._rows[row]

    def rowCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt: number of lines."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _NO_PARENT) -> int:
        """Qt: number of columns."""
        return 0 if parent.isValid() else len(SpikeColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: titles, with their definitions as tooltips."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(SpikeColumn):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _TITLES[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(_WHATS[section])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(SpikeColumn(section))
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: one text per cell; the line under ``ROW_ROLE``."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], SpikeColumn(index.column())
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            what = f"{CAUSE_WORDS[row.cause]}: {CAUSE_DEFINITIONS[row.cause]}."
            return plain_tooltip(f"{what}\nEnter or a double click shows those requests.")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def _text(self, row: SpikeRow, column: SpikeColumn) -> str:
        match column:
            case SpikeColumn.CAUSE:
                return CAUSE_WORDS[row.cause]
            case SpikeColumn.VENUE:
                return self._venue_title(row.venue)
            case SpikeColumn.COUNT:
                return count_text(row.count.n)
            case SpikeColumn.LOST:
                return duration_text(row.count.lost_s)
            case SpikeColumn.WORST:
                return duration_text(row.count.worst_s)
            case SpikeColumn.LAST:
                return self._moment(row.count.last_at)
            case SpikeColumn.RATE:
                return DASH if row.per_hour is None else f"{row.per_hour:,.1f}"
            case SpikeColumn.WHAT:
                return CAUSE_DEFINITIONS[row.cause]

    def _moment(self, at: datetime) -> str:
        local = at.astimezone()
        is_today = self._now is not None and local.date() == self._now.astimezone().date()
        return local_time(at) if is_today else f"{local:%d %b %H:%M}"


def _alignment(column: SpikeColumn) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
