"""Reads what earlier runs found to be outliers: counted by the hour for a week, the newest one by one."""

import sqlite3
from typing import Any, Final

from monitor.history.past_requests import REQUEST_NUMBER
from monitor.history.units import from_ms
from monitor.state.spike_log import TALLY_SPAN, Bucket, Count, PastSpikes, SpikeEntry
from monitor.state.spikes import Spike, SpikeCause

ENTRIES_RESTORED: Final = 2_000
_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000


def read_past_spikes(connection: sqlite3.Connection, *, now_ms: int, offset_s: float) -> PastSpikes | None:
    """What was found in the week before ``now_ms``; ``None`` where no run looked.

    ``offset_s`` is added to seconds since 1970 for this run's clock. Raises ``sqlite3.Error``. Thread: the
    connection's own; a busy week takes some tenths of a second, nearly all without the interpreter's lock.
    """
    since_ms = now_ms - round(TALLY_SPAN.total_seconds() * 1e3)
    (first_ms,) = connection.execute("SELECT min(started_ms) FROM session WHERE has_spikes").fetchone()
    if first_ms is None:
        return None
    names: dict[int, str] = dict(connection.execute("SELECT id, text FROM label"))
    period = (max(since_ms, first_ms), now_ms)
    return PastSpikes(
        hours=_hours(connection, names, period),
        minutes=_minutes(connection, period),
        entries=_entries(connection, names, period, offset_s),
    )


def _hours(
    connection: sqlite3.Connection, names: dict[int, str], period: tuple[int, int]
) -> dict[int, dict[Bucket, Count]]:
    hours: dict[int, dict[Bucket, Count]] = {}
    rows = connection.execute(
        f"SELECT started_ms / {_HOUR_MS}, venue, cause, count(*), sum(excess_us), max(excess_us), max(started_ms)"
        " FROM spike WHERE started_ms BETWEEN ? AND ? GROUP BY 1, 2, 3",
        period,
    )
    for hour, venue, cause, n, lost_us, worst_us, last_ms in rows:
        known = _cause(names[cause])
        if known is not None:
            count = Count(n, lost_us / 1e6, worst_us / 1e6, from_ms(last_ms))
            hours.setdefault(hour, {})[names[venue], known] = count
    return hours


def _minutes(connection: sqlite3.Connection, period: tuple[int, int]) -> dict[int, int]:
    # The index on the times alone answers this.
    return dict(
        connection.execute(
            f"SELECT started_ms / {_HOUR_MS}, count(DISTINCT started_ms / {_MINUTE_MS}) FROM trace"
            " WHERE started_ms BETWEEN ? AND ? GROUP BY 1",
            period,
        )
    )


def _entries(
    connection: sqlite3.Connection, names: dict[int, str], period: tuple[int, int], offset_s: float
) -> tuple[SpikeEntry, ...]:
    rows = connection.execute(
        f"SELECT {REQUEST_NUMBER}, attempt, started_ms, elapsed_us, venue, cause, phase, phase_us, excess_us, text"
        " FROM spike t WHERE started_ms BETWEEN ? AND ? ORDER BY started_ms DESC LIMIT ?",
        (*period, ENTRIES_RESTORED),
    ).fetchall()
    entries = (_entry(row, names, offset_s) for row in reversed(rows))
    return tuple(entry for entry in entries if entry is not None)


def _entry(row: tuple[Any, ...], names: dict[int, str], offset_s: float) -> SpikeEntry | None:
    request, attempt, started_ms, elapsed_us, venue, cause, phase, phase_us, excess_us, text = row
    known = _cause(names[cause])
    if known is None:
        return None
    spike = Spike(
        request_id=request,
        attempt=attempt,
        cause=known,
        phase=names[phase],
        phase_excess_s=phase_us / 1e6,
        total_excess_s=excess_us / 1e6,
        share=phase_us / excess_us if excess_us else 0.0,
        text=text,
    )
    return SpikeEntry(
        venue=names[venue],
        started_at=from_ms(started_ms),
        ended_mono_s=started_ms / 1e3 + elapsed_us / 1e6 + offset_s,
        spike=spike,
    )


def _cause(text: str) -> SpikeCause | None:
    try:
        return SpikeCause(text)
    except ValueError:
        # A word of another version of the app.
        return None
