"""What happened, for people: repeats of the same event collapse into a count."""

from collections import deque
from datetime import datetime
from typing import Literal

import msgspec
from msgspec.structs import replace

EVENT_CAPACITY = 2_000
COLLAPSE_FIRST_S = 30.0
"""A repeat within this time of the last one adds to its count instead of making a new line."""
COLLAPSE_MAX_S = 300.0
"""The window doubles with each repeat up to this, so that something that keeps happening stays one line."""

Level = Literal["info", "warning", "error"]


class EventEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the event list. ``at`` is the first time (UTC), ``last_at`` / ``mono_s`` the newest of ``count``.

    ``entry_id`` stays the same while ``count`` grows; ``revision`` is the log's when the entry last changed.
    ``venue`` is ``None`` for what concerns the app itself.
    """

    entry_id: int
    revision: int
    at: datetime
    last_at: datetime
    mono_s: float
    level: Level
    venue: str | None
    text: str
    count: int = 1


class _Open(msgspec.Struct):
    entry_id: int
    mono_s: float
    window_s: float


class EventLog:
    """Bounded list of events, oldest first by first occurrence. Thread: the board's."""

    def __init__(self, capacity: int = EVENT_CAPACITY) -> None:
        self._entries: dict[int, EventEntry] = {}  # insertion order is the order of first occurrence
        self._capacity = capacity
        self._open: dict[tuple[str | None, str], _Open] = {}
        self._changes: deque[int] = deque(maxlen=4 * capacity)
        self._revision = 0
        self._next_id = 1

    @property
    def revision(self) -> int:
        """Grows by one with every event, repeated ones included."""
        return self._revision

    @property
    def items(self) -> tuple[EventEntry, ...]:
        """Every entry held, oldest first."""
        return tuple(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def add(
        self, text: str, *, at: datetime, mono_s: float, level: Level = "info", venue: str | None = None, key: str = ""
    ) -> EventEntry:
        """Record that something happened.

        Events of one venue with the same ``key`` (the text itself if empty) are repeats of each other: within the
        window they become one entry with the newest text and level.
        """
        self._revision += 1
        identity = (venue, key or text)
        known = self._open.get(identity)
        if known is not None and known.entry_id in self._entries and mono_s - known.mono_s <= known.window_s:
            known.mono_s = mono_s
            known.window_s = min(2.0 * known.window_s, COLLAPSE_MAX_S)
            old = self._entries[known.entry_id]
            entry = replace(
                old, revision=self._revision, last_at=at, mono_s=mono_s, level=level, text=text, count=old.count + 1
            )
        else:
            entry = EventEntry(
                entry_id=self._next_id,
                revision=self._revision,
                at=at,
                last_at=at,
                mono_s=mono_s,
                level=level,
                venue=venue,
                text=text,
            )
            self._next_id += 1
            self._open[identity] = _Open(entry.entry_id, mono_s, COLLAPSE_FIRST_S)
        self._entries[entry.entry_id] = entry
        self._changes.append(entry.entry_id)
        if len(self._entries) > self._capacity:
            self._forget_oldest()
        return entry

    def since(self, revision: int) -> tuple[EventEntry, ...]:
        """Entries that are new or have changed after ``revision``, each once, oldest first."""
        count = self._revision - revision
        if count <= 0:
            return ()
        if count >= len(self._changes):
            return tuple(entry for entry in self._entries.values() if entry.revision > revision)
        ids = {self._changes[-offset] for offset in range(1, count + 1)}
        return tuple(self._entries[entry_id] for entry_id in sorted(ids) if entry_id in self._entries)

    def _forget_oldest(self) -> None:
        oldest = next(iter(self._entries))
        del self._entries[oldest]
        if len(self._open) > self._capacity:
            self._open = {key: known for key, known in self._open.items() if known.entry_id in self._entries}
