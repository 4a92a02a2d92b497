"""Keeps the history within an age and a size, a little at a time, so that the writer is never held up for long."""

import sqlite3
from datetime import datetime, timedelta
from typing import Final

import msgspec

from monitor.history.units import to_ms

ROWS_A_STEP: Final = 2_000
"""Deleted per table and step: a few milliseconds of work."""
PAGES_A_STEP: Final = 2_000
"""Free pages handed back to the operating system per step, 2 MB."""
SIZE_SLACK: Final = 0.95
"""Over the limit, the oldest is deleted until this part of it is used, so that it does not begin anew at once."""

# Table and the column of its age; quotes go with their replies.
_TABLES: Final = (
    ("trace", "started_ms"),
    ("spike", "started_ms"),
    ("span", "from_ms"),
    ("pool", "at_ms"),
    ("connection", "closed_ms"),
    ("event", "at_ms"),
    ("candle", "open_ms"),
)
_KEYS: Final = {
    "trace": "id",
    "spike": "session, request, attempt",
    "pool": "id",
    "span": "from_ms, instrument, session",
    "connection": "session, connection",
    "event": "session, entry",
    "candle": "instrument, interval, open_ms",
}
_HOUR_MS: Final = 3_600_000


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept. ``max_bytes`` is of the file, without the log of the last minutes beside it."""

    max_age: timedelta = timedelta(days=7)
    max_bytes: int = 1_000_000_000


class Retention:
    """Deletes the oldest rows in steps. Thread: the connection's own; a step blocks on the disk for milliseconds."""

    def __init__(self, connection: sqlite3.Connection, limits: Limits) -> None:
        self._connection = connection
        self._limits = limits
        self._cut_ms: int | None = None
        """Everything older goes, while the file is too large."""

    def step(self, now: datetime) -> bool:
        """Delete a little of what is too old, or of the oldest while the file is too large; True: there is more to do.

        Raises ``sqlite3.Error``; the step is undone then and may be repeated.
        """
        too_old_ms = to_ms(now - self._limits.max_age)
        self._choose_size_cut()
        is_cutting = self._cut_ms is not None
        cut_ms = too_old_ms if self._cut_ms is None else max(too_old_ms, self._cut_ms)
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            deleted = self._delete(cut_ms, too_old_ms)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        if free > PAGES_A_STEP or (free and is_cutting):
            # It frees one page a step of the statement, and has no columns: execute() would take one step only.
            connection.executescript(f"PRAGMA incremental_vacuum({PAGES_A_STEP})")
        return deleted

    def used_bytes(self) -> int:
        """Size of the pages in use."""
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * size)

    def _choose_size_cut(self) -> None:
        used = self.used_bytes()
        if used <= self._limits.max_bytes * (1.0 if self._cut_ms is None else SIZE_SLACK):
            self._cut_ms = None
            return
        oldest = [
            self._connection.execute(f"SELECT min({column}) FROM {table}").fetchone()[0]
            for table, column in (("reply", "received_ms"), ("trace", "started_ms"))
        ]
        known = [moment_ms for moment_ms in oldest if moment_ms is not None]
        # An hour at a time, counted from the oldest there is.
        self._cut_ms = min(known) + _HOUR_MS if known else None

    def _delete(self, cut_ms: int, too_old_ms: int) -> bool:
        connection = self._connection
        has_more = False
        replies = [
            number
            for (number,) in connection.execute(
                "SELECT id FROM reply WHERE received_ms < ? ORDER BY received_ms LIMIT ?", (cut_ms, ROWS_A_STEP // 10)
            )
        ]
        if replies:
            marks = ",".join("?" * len(replies))
            connection.execute(f"DELETE FROM quote WHERE reply IN ({marks})", replies)
            connection.execute(f"DELETE FROM reply WHERE id IN ({marks})", replies)
            has_more = True
        for table, column in _TABLES:
            # Candles are of long ago by nature and small; they go with age of their own kind only.
            before_ms = too_old_ms - 30 * 24 * _HOUR_MS if table == "candle" else cut_ms
            key = _KEYS[table]
            chosen = f"SELECT {key} FROM {table} WHERE {column} < ? ORDER BY {column} LIMIT {ROWS_A_STEP}"
            done = connection.execute(f"DELETE FROM {table} WHERE ({key}) IN ({chosen})", (before_ms,)).rowcount
            has_more = has_more or done > 0
        return has_more
