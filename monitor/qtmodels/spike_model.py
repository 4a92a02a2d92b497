"""Outliers as rows: one for each cause and venue, the one that cost most time first."""

from collections.abc import Callable
from datetime import datetime
from enum import IntEnum

import msgspec
from PySide6.QtCore import QObject

from monitor.qtmodels.figures import DASH, count_text, duration_text, local_time
from monitor.qtmodels.headed_model import Head, RowsModel
from monitor.qtmodels.row_sync import sync_rows
from monitor.qtmodels.spike_words import CAUSE_DEFINITIONS, CAUSE_WORDS, SPIKE_DEFINITION
from monitor.state.spike_log import Count, SpikeTally
from monitor.state.spikes import SpikeCause


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


_HEADS = (
    Head("Slow by", f"What outliers were put down to. Outlier: {SPIKE_DEFINITION}"),
    Head("Venue", "Which venue was asked"),
    Head("Times", "Outliers with this cause", is_right=True),
    Head("Time lost", "What they took over the median of their like, added up", is_right=True),
    Head("Worst", "The most that one of them took over the median of its like", is_right=True),
    Head("Last", "When the newest of them began, local time", is_right=True),
    Head(
        "An hour",
        "Outliers for each hour in which requests were made; a dash where that time is under a minute or not known",
        is_right=True,
    ),
    Head("What it means", "What the cause is, and what helps"),
)
_LEAST_WATCHED_S = 60.0


class SpikeRow(msgspec.Struct, frozen=True):
    """One line of the tally; ``per_hour`` is ``None`` where it is not known how long requests were made."""

    venue: str
    cause: SpikeCause
    count: Count
    per_hour: float | None


class SpikeModel(RowsModel[SpikeRow]):
    """The tally. ``venue_title`` names venues."""

    def __init__(self, venue_title: Callable[[str], str], parent: QObject | None = None) -> None:
        super().__init__(_HEADS, parent)
        self._venue_title = venue_title
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

    def tooltip_of(self, row: SpikeRow, column: int) -> str:
        """What the cause is, and how to see its requests."""
        what = f"{CAUSE_WORDS[row.cause]}: {CAUSE_DEFINITIONS[row.cause]}."
        return f"{what}\nEnter or a double click shows those requests."

    def text_of(self, row: SpikeRow, column: int) -> str:
        """One figure of the line."""
        match SpikeColumn(column):
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
