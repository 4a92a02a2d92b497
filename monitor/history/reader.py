"""Reads what an earlier run showed, so that a new one begins with yesterday's line."""

import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.domain.telemetry import RequestTrace
from monitor.history.past_requests import REQUEST_NUMBER, SELECT_TRACES, trace_of_row
from monitor.history.past_spikes import read_past_spikes
from monitor.history.schema import KEYFRAME_EVERY_S, SPAN_S, NotHistoryError, open_for_reading
from monitor.history.trouble import Trouble, trouble_of
from monitor.history.units import to_ms
from monitor.state.catalog import InstrumentKey
from monitor.state.latency import MarkColumns, MarkKind
from monitor.state.restored import Restored
from monitor.state.series import FloatArray
from monitor.state.spike_log import PastSpikes

_Number = TypeVar("_Number", np.float64, np.int64)

DAY_S: Final = 86_400.0
FINE_S: Final = 3_600.0
"""So far back every reply is a point; before that the lowest and highest price of each ``SPAN_S``."""
REQUESTS_RESTORED: Final = 500
DEADLINE_S: Final = 2.0
"""A start must not wait longer for the past than this; what was not read by then stays in the file."""

_PROGRESS_STEPS: Final = 20_000
_ROWS_A_PIECE: Final = 2_000
_SPAN_MS: Final = SPAN_S * 1_000
# The order of the questions is that of monitor.state.latency.kind_of.
_KIND: Final = (
    "CASE WHEN t.is_healed THEN 0 WHEN t.error IS NOT NULL OR t.is_cold IS NULL OR t.status >= 400 THEN 1"
    " WHEN t.is_cold THEN 2 ELSE 3 END"
)
_KINDS: Final = (MarkKind.HEALED, MarkKind.FAILED, MarkKind.COLD, MarkKind.WARM)


class PastRead(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. ``is_damaged``: the file cannot be read whole; ``is_cut_short``: the deadline came first."""

    restored: Restored
    is_damaged: bool = False
    is_cut_short: bool = False


def read_past(
    file: Path,
    keys: Collection[InstrumentKey],
    *,
    now_mono_s: float,
    now: datetime,
    fine_s: float = FINE_S,
    deadline_s: float = DEADLINE_S,
    wants_requests: bool = True,
) -> PastRead:
    """Read the prices of ``keys``, the marks of the last day and the last requests. Never raises for a bad file.

    Without ``wants_requests`` only the prices.

    ``now_mono_s`` and ``now`` are the same moment on both clocks; anything stamped later is left out (the clock was
    wrong then, or is now). Blocks up to about ``deadline_s``. Thread: any; not the GUI's.
    """
    try:
        connection = open_for_reading(file)
    except (sqlite3.Error, NotHistoryError) as error:
        return PastRead(restored=Restored(), is_damaged=trouble_of(error) is Trouble.CORRUPT)
    give_up_s = time.monotonic() + deadline_s
    connection.set_progress_handler(lambda: time.monotonic() > give_up_s, _PROGRESS_STEPS)
    past = _Past(connection, keys, now_mono_s=now_mono_s, now_ms=to_ms(now), fine_s=fine_s)
    is_damaged = is_cut_short = False
    try:
        past.read_series()
        if wants_requests:
            past.read_requests()
            past.read_marks()
            # Last: of a week, and the least missed where there is no time for it.
            past.read_spikes()
    except sqlite3.Error as error:
        is_cut_short = error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
        is_damaged = trouble_of(error) is Trouble.CORRUPT
    finally:
        connection.close()
    return PastRead(restored=past.restored(), is_damaged=is_damaged, is_cut_short=is_cut_short)


class _Past:
    def __init__(
        self,
        connection: sqlite3.Connection,
        keys: Collection[InstrumentKey],
        *,
        now_mono_s: float,
        now_ms: int,
        fine_s: float,
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._offset_s = now_mono_s - now_ms / 1e3
        self._now_ms = now_ms
        self._day_ms = now_ms - round(DAY_S * 1e3)
        # On the border of a span, so that no span is half replaced by its points.
        self._fine_ms = -(-(now_ms - round(fine_s * 1e3)) // _SPAN_MS) * _SPAN_MS
        self._series: dict[InstrumentKey, tuple[FloatArray, FloatArray]] = {}
        self._marks: dict[str, dict[MarkKind, MarkColumns]] = {}
        self._requests: tuple[RequestTrace, ...] = ()
        self._spikes: PastSpikes | None = None

    def restored(self) -> Restored:
        """What was read so far."""
        return Restored(
            series=MappingProxyType(self._series),
            marks=MappingProxyType({name: MappingProxyType(kinds) for name, kinds in self._marks.items()}),
            requests=self._requests,
            spikes=self._spikes,
        )

    def read_series(self) -> None:
        wanted = {
            number: (venue, symbol)
            for number, venue, symbol in self._connection.execute("SELECT id, venue, symbol FROM instrument")
            if (venue, symbol) in self._keys
        }
        pieces: dict[int, list[tuple[FloatArray, FloatArray]]] = {number: [] for number in wanted}
        for number, piece in self._coarse(wanted):
            pieces[number].append(piece)
        for number, piece in self._fine(wanted):
            pieces[number].append(piece)
        for number, key in wanted.items():
            if pieces[number]:
                self._series[key] = self._joined(pieces[number])

    def _coarse(self, wanted: Collection[int]) -> Iterator[tuple[int, tuple[FloatArray, FloatArray]]]:
        rows = self._connection.execute(
            "SELECT instrument, from_ms, min(low), max(high) FROM span WHERE from_ms >= ? AND from_ms < ?"
            " GROUP BY from_ms, instrument",
            (self._day_ms, min(self._fine_ms, self._now_ms)),
        )
        table = _table(rows, np.dtype(np.float64))
        for number in wanted:
            of_one = table[table[:, 0] == number]
            if len(of_one):
                starts, lows, highs = of_one[:, 1], of_one[:, 2], of_one[:, 3]
                times = np.column_stack((starts, starts + _SPAN_MS / 2)).ravel()
                is_broken = np.zeros(len(times), dtype=np.bool_)
                is_broken[::2] = np.diff(starts, prepend=starts[0]) > _SPAN_MS
                yield number, _broken(times, np.column_stack((lows, highs)).ravel(), is_broken)

    def _fine(self, wanted: Collection[int]) -> Iterator[tuple[int, tuple[FloatArray, FloatArray]]]:
        # Rows tell changes only; the minute before the range tells what everything was at its beginning.
        from_ms = self._fine_ms - round(2 * KEYFRAME_EVERY_S * 1e3)
        replies = self._connection.execute(
            "SELECT session, venue, dex, received_ms, is_after_gap FROM reply r JOIN source s ON s.id = r.source"
            " WHERE has_price AND received_ms BETWEEN ? AND ? ORDER BY session, received_ms",
            (self._fine_ms, self._now_ms),
        )
        timelines: dict[tuple[int, str, str], list[tuple[int, int]]] = {}
        for session, venue, dex, received_ms, is_after_gap in replies:
            timelines.setdefault((session, venue, dex), []).append((received_ms, is_after_gap))
        changes: dict[tuple[int, int, str, str], list[tuple[int, float | None]]] = {}
        rows = self._connection.execute(
            "SELECT instrument, session, venue, dex, received_ms, CAST(price AS REAL) FROM reply r"
            " JOIN source s ON s.id = r.source JOIN quote q ON q.reply = r.id"
            " WHERE received_ms BETWEEN ? AND ? AND (has_price OR price IS NULL) ORDER BY received_ms, r.id",
            (from_ms, self._now_ms),
        )
        for number, session, venue, dex, received_ms, price in rows:
            if number in wanted:
                changes.setdefault((session, number, venue, dex), []).append((received_ms, price))
        for (session, number, venue, dex), of_one in sorted(changes.items()):
            timeline = timelines.get((session, venue, dex))
            if timeline is None:
                continue
            line = np.array(timeline, dtype=np.float64)
            told = np.array(of_one, dtype=np.float64)
            places = np.searchsorted(told[:, 0], line[:, 0], "right") - 1
            values = np.where(places >= 0, told[places, 1], np.nan)
            yield number, _broken(line[:, 0], values, line[:, 1] > 0)

    def _joined(self, pieces: Iterable[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
        times_ms, values = np.empty(0), np.empty(0)
        for piece_times, piece_values in pieces:
            if not len(times_ms):
                times_ms, values = piece_times, piece_values
                continue
            last_ms = times_ms[-1]
            # Two runs at once tell the same twice; the later one's word counts from where the other ended.
            is_new = piece_times > last_ms
            # Each run is a piece of its own and the line breaks between them; spans end where points begin.
            border = [(last_ms + piece_times[is_new][0]) / 2] if is_new.any() else []
            if border and last_ms < self._fine_ms and 2 * (border[0] - last_ms) <= _SPAN_MS:
                border = []
            times_ms = np.concatenate((times_ms, border, piece_times[is_new]))
            values = np.concatenate((values, [np.nan] * len(border), piece_values[is_new]))
        # A gap at the end: between then and now this app did not run.
        times = np.append(times_ms, times_ms[-1] + 1.0) / 1e3 + self._offset_s
        values = np.append(values, np.nan)
        times.flags.writeable = values.flags.writeable = False
        return times, values

    def read_requests(self) -> None:
        names = self._names()
        rows = self._connection.execute(
            f"{SELECT_TRACES} WHERE started_ms BETWEEN ? AND ? ORDER BY started_ms DESC, id DESC LIMIT ?",
            (self._day_ms, self._now_ms, REQUESTS_RESTORED),
        ).fetchall()
        self._requests = tuple(trace_of_row(row, names, self._offset_s) for row in reversed(rows))

    def read_spikes(self) -> None:
        self._spikes = read_past_spikes(self._connection, now_ms=self._now_ms, offset_s=self._offset_s)

    def read_marks(self) -> None:
        names = self._names()
        size = max(names, default=0) + 1
        words = tuple(names.get(number, "") for number in range(size))
        rows = self._connection.execute(
            f"SELECT venue, {_KIND}, started_ms, coalesce(elapsed_us, total_us), total_us, {REQUEST_NUMBER}, attempt,"
            " coalesce(is_cold, -1), endpoint, host FROM trace t WHERE started_ms BETWEEN ? AND ? ORDER BY started_ms",
            (self._day_ms, self._now_ms),
        )
        table = _table(rows, np.dtype(np.int64))
        for venue in np.unique(table[:, 0]):
            of_venue = table[table[:, 0] == venue]
            kinds: dict[MarkKind, MarkColumns] = {}
            for code, kind in enumerate(_KINDS):
                of_kind = of_venue[of_venue[:, 1] == code]
                if len(of_kind):
                    kinds[kind] = self._columns(of_kind, words)
            self._marks[words[venue]] = kinds

    def _columns(self, table: npt.NDArray[np.int64], words: tuple[str, ...]) -> MarkColumns:
        ended_s = table[:, 2] / 1e3 + table[:, 3] / 1e6 + self._offset_s
        order = np.argsort(ended_s, kind="stable")
        table = table[order]
        return MarkColumns(
            ended_s=ended_s[order],
            latencies_s=table[:, 4] / 1e6,
            request_ids=table[:, 5],
            connection_ids=np.full(len(table), -1, dtype=np.int64),
            attempts=table[:, 6],
            coldness=table[:, 7],
            endpoints=table[:, 8],
            hosts=table[:, 9],
            names=words,
        )

    def _names(self) -> dict[int, str]:
        return dict(self._connection.execute("SELECT id, text FROM label"))


def _table(rows: sqlite3.Cursor, kind: np.dtype[_Number]) -> npt.NDArray[_Number]:
    """All rows as one array. In pieces: each is converted under the interpreter's lock, which the window waits for."""
    pieces = []
    while chunk := rows.fetchmany(_ROWS_A_PIECE):
        pieces.append(np.array(chunk, dtype=kind))
    return np.concatenate(pieces) if pieces else np.empty((0, len(rows.description)), dtype=kind)


def _broken(times: FloatArray, values: FloatArray, is_broken: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Put a NaN before each point that a gap came before, half way to the one before it."""
    at = np.flatnonzero(is_broken)
    at = at[at > 0]
    return np.insert(times, at, (times[at - 1] + times[at]) / 2), np.insert(values, at, np.nan)
