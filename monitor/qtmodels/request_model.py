"""The newest requests as rows of a table: one row per attempt, newest first, with what each phase took."""

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QObject, QSortFilterProxyModel, Qt

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.figures import bytes_text, count_text, duration_text
from monitor.qtmodels.headed_model import NO_PARENT, ROW_ROLE, Head, HeadedModel, Index
from monitor.qtmodels.request_words import (
    EARLIER_DEFINITION,
    describe_phases,
    is_earlier,
    short_endpoint,
    socket_text,
    status_text,
    time_text,
)
from monitor.qtmodels.spike_words import CAUSE_WORDS, SPIKE_DEFINITION, filter_word
from monitor.state.period import Period
from monitor.state.spikes import Spike

TRACE_ROLE = ROW_ROLE
"""The ``RequestTrace`` of a row."""
SORT_ROLE = TRACE_ROLE + 1
"""A number or text to sort by; unknown sorts below everything known."""

MAX_ROWS = 2_000
_NUMBER = re.compile(r"#\d+")


class RequestColumn(IntEnum):
    """Columns of the request table, in order."""

    TIME = 0
    VENUE = 1
    ENDPOINT = 2
    STATUS = 3
    SOCKET = 4
    TOTAL = 5
    CAUSE = 6
    WATERFALL = 7
    ATTEMPT = 8
    BYTES = 9
    WEIGHT = 10


_HEADS = (
    Head("Time", "When the attempt began, local time"),
    Head("Venue", "Which venue was asked"),
    Head("Endpoint", "What was asked, by its short name"),
    Head("Status", "HTTP status of the reply, or why there was none"),
    Head("Socket", "Cold: a TCP connection was opened for this attempt. Warm: none was. Then the connection's number"),
    Head("Latency", "Request handed to the transport until the body was fully read, without the queue", is_right=True),
    Head("Slow by", f"Outlier: {SPIKE_DEFINITION}"),
    Head("Phases", "Where the time went. A warm request has no DNS, TCP or TLS phase"),
    Head("Try", "Attempt number within one logical request", is_right=True),
    Head("Bytes", "Reply on the wire inside TLS, headers included", is_right=True),
    Head("Weight", "What the attempt was charged of the venue's rate limit", is_right=True),
)


_TEXTS: dict[RequestColumn, Callable[[RequestTrace], str]] = {
    RequestColumn.TIME: time_text,
    RequestColumn.ENDPOINT: short_endpoint,
    RequestColumn.STATUS: status_text,
    RequestColumn.SOCKET: socket_text,
    RequestColumn.TOTAL: lambda trace: duration_text(trace.total_s),
    RequestColumn.ATTEMPT: lambda trace: str(trace.attempt),
    RequestColumn.BYTES: lambda trace: bytes_text(trace.response_bytes),
    RequestColumn.WEIGHT: lambda trace: count_text(trace.weight),
}

_SORTS: dict[RequestColumn, Callable[[RequestTrace], float | str]] = {
    RequestColumn.TIME: lambda trace: trace.started_mono_s,
    RequestColumn.VENUE: lambda trace: trace.venue,
    RequestColumn.ENDPOINT: lambda trace: trace.endpoint,
    RequestColumn.STATUS: status_text,
    RequestColumn.SOCKET: lambda trace: -1.0 if trace.connection_id is None else float(trace.connection_id),
    RequestColumn.TOTAL: lambda trace: trace.total_s,
    RequestColumn.WATERFALL: lambda trace: trace.total_s,
    RequestColumn.ATTEMPT: lambda trace: float(trace.attempt),
    RequestColumn.BYTES: lambda trace: -1.0 if trace.response_bytes is None else float(trace.response_bytes),
    RequestColumn.WEIGHT: lambda trace: float(trace.weight),
}


class RequestModel(HeadedModel):
    """The newest ``MAX_ROWS`` attempts. Rows are only ever put in front and taken off the end.

    ``spike_of`` tells why an attempt was an outlier.
    """

    def __init__(
        self,
        venue_title: Callable[[str], str],
        parent: QObject | None = None,
        *,
        spike_of: Callable[[RequestTrace], Spike | None],
    ) -> None:
        super().__init__(_HEADS, parent)
        self._venue_title = venue_title
        self.spike_of = spike_of
        # Oldest first, so that an append is cheap; row r is the r-th from the end.
        self._traces: list[RequestTrace] = []

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of attempts."""
        return 0 if parent.isValid() else len(self._traces)

    def trace_at(self, row: int) -> RequestTrace:
        """The attempt in ``row``; raises ``IndexError`` outside the table."""
        if not 0 <= row < len(self._traces):
            raise IndexError(row)
        return self._traces[len(self._traces) - 1 - row]

    def row_of(self, request_id: int, attempt: int | None = None) -> int | None:
        """Row of an attempt of ``request_id``, by default its last; ``None`` when it is not (or no longer) here."""
        for row, trace in enumerate(reversed(self._traces)):
            if trace.request_id == request_id and attempt in (None, trace.attempt):
                return row
        return None

    def longest_s(self, newest: int = 30) -> float:
        """Longest latency of the ``newest`` attempts in seconds: the scale of the waterfall. 0 when empty.

        Failed ones do not count: a time-out would shrink every other bar to nothing. Nor does a wait in the queue: it
        may be minutes for what is seldom asked.
        """
        return max((trace.total_s for trace in self._traces[-newest:] if trace.error_kind is None), default=0.0)

    def append(self, traces: Sequence[RequestTrace]) -> None:
        """Put ``traces`` (oldest first) in front; attempts beyond ``MAX_ROWS`` leave at the end."""
        fresh = list(traces[-MAX_ROWS:])
        if not fresh:
            return
        surplus = len(self._traces) + len(fresh) - MAX_ROWS
        if surplus > 0:
            last = len(self._traces) - 1
            self.beginRemoveRows(NO_PARENT, last - surplus + 1, last)
            del self._traces[:surplus]
            self.endRemoveRows()
        self.beginInsertRows(NO_PARENT, 0, len(fresh) - 1)
        self._traces.extend(fresh)
        self.endInsertRows()

    def put_below(self, traces: Sequence[RequestTrace]) -> None:
        """Put ``traces`` of an earlier run (oldest first) behind the oldest row, as many as there is room for."""
        room = MAX_ROWS - len(self._traces)
        older = list(traces[-room:]) if room > 0 else []
        if not older:
            return
        first = len(self._traces)
        self.beginInsertRows(NO_PARENT, first, first + len(older) - 1)
        self._traces[:0] = older
        self.endInsertRows()

    def _described(self, trace: RequestTrace, column: RequestColumn) -> str | None:
        if column is RequestColumn.WATERFALL:
            return describe_phases(trace)
        spike = self.spike_of(trace) if column is RequestColumn.CAUSE else None
        return None if spike is None else f"{CAUSE_WORDS[spike.cause]}: {spike.text}"

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: texts, alignment, and the trace itself under ``TRACE_ROLE``."""
        if not index.isValid() or index.row() >= len(self._traces):
            return None
        trace = self.trace_at(index.row())
        column = RequestColumn(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            if column is RequestColumn.VENUE:
                return self._venue_title(trace.venue)
            if column is RequestColumn.CAUSE:
                spike = self.spike_of(trace)
                return "" if spike is None else CAUSE_WORDS[spike.cause]
            text = _TEXTS.get(column)
            return None if text is None else text(trace)
        if role == TRACE_ROLE:
            return trace
        if role == SORT_ROLE:
            if column is RequestColumn.CAUSE:
                spike = self.spike_of(trace)
                return -1.0 if spike is None else spike.total_excess_s
            return _SORTS[column](trace)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._heads[column].alignment
        if role == Qt.ItemDataRole.ToolTipRole and is_earlier(trace):
            return EARLIER_DEFINITION
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self._described(trace, column)
        return None


class RequestFilter(QSortFilterProxyModel):
    """Sorts by value, not by text, and keeps rows that hold every word of the filter.

    Words are looked for in venue, endpoint, status, socket and connection number; ``cold``, ``warm``, ``failed`` and
    ``slow`` work as one would hope, and ``slow:venue`` finds outliers of that cause. A connection's number is meant
    whole: ``#1`` is not ``#12``.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._period: Period | None = None
        self.setSortRole(SORT_ROLE)
        self.setDynamicSortFilter(True)

    def set_filter_text(self, text: str) -> None:
        """Show only rows in which every word of ``text`` occurs; empty shows all."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self._words = words
            self.invalidate()

    def set_period(self, period: Period | None) -> None:
        """Show only attempts that ended within ``period``; ``None`` shows all."""
        if period != self._period:
            self._period = period
            self.invalidate()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt: sort by ``column``; -1 is the model's own order, newest first, which Qt would reverse if descending."""
        super().sort(column, Qt.SortOrder.AscendingOrder if column < 0 else order)

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Qt: whether a row is shown."""
        model = self.sourceModel()
        if not (self._words or self._period) or not isinstance(model, RequestModel):
            return True
        trace = model.trace_at(source_row)
        if self._period is not None and not self._period.contains(trace.ended_mono_s):
            return False
        failed = "failed" if trace.error_kind is not None else "ok"
        spike = model.spike_of(trace)
        slow = "" if spike is None else filter_word(spike.cause)
        text = f"{trace.venue} {trace.endpoint} {status_text(trace)} {socket_text(trace)} {failed} {slow}".casefold()
        number = f"#{trace.connection_id}"
        return all(word == number if _NUMBER.fullmatch(word) else word in text for word in self._words)
