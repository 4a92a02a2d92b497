"""Writes what was shown to the history file, on a thread of its own: on disk within a second, also after a kill."""

import logging
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from monitor.history.records import Entry
from monitor.history.retention import Limits, Retention
from monitor.history.schema import NotHistoryError, open_for_writing
from monitor.history.trouble import TEXTS, HistoryNotice, Trouble, keep_aside, trouble_of
from monitor.history.writer import HistoryWriter

log = logging.getLogger(__name__)

WRITE_EVERY_S: Final = 0.5
"""With this and the time of one write, what was shown more than a second ago is in the file."""
RETRY_EVERY_S: Final = 2.0
CAPACITY: Final = 8_192
"""Entries held while nothing can be written: about twenty minutes of the default plan, some 40 MB."""
ASIDE_EVERY_S: Final = 600.0
"""A new file that is damaged sooner than this is the disk's fault; it is not kept aside again and again."""
RETENTION_EVERY_S: Final = 60.0
"""Between two looks at age and size; while there is something to delete, a step follows every write."""

_Broken = (sqlite3.Error, OSError, NotHistoryError)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class HistoryRecorder:
    """Takes entries and writes them in batches; whatever is wrong with the file, the caller goes on.

    When the file cannot be written, entries wait, bounded; the oldest are dropped, counted, and the loss is told. Two
    processes may record to one file: each writes a session of its own, and waits its turn.

    Thread: :meth:`record` from one thread, never blocks beyond a lock held for an append. ``tell`` is called on the
    recorder's thread.
    """

    def __init__(
        self,
        file: Path,
        *,
        version: str,
        tell: Callable[[HistoryNotice], None],
        limits: Limits | None = None,
        write_every_s: float = WRITE_EVERY_S,
        retry_every_s: float = RETRY_EVERY_S,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.perf_counter,
        utc_now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """``limits``: what is kept; ``None``: the defaults. ``version`` of the app, kept with the session."""
        self.file = file
        self._version = version
        self._tell = tell
        self._limits = limits or Limits()
        self._write_every_s = write_every_s
        self._retry_every_s = retry_every_s
        self._clock = clock
        self._utc_now = utc_now
        self._lock = threading.Lock()
        self._waiting: deque[Entry] = deque(maxlen=capacity)
        self._dropped = 0
        self._stop = threading.Event()
        self._wants_new_file = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)
        # Of the recorder's thread only.
        self._connection: sqlite3.Connection | None = None
        self._writer: HistoryWriter | None = None
        self._retention: Retention | None = None
        self._identity: tuple[int, int] | None = None
        self._trouble: Trouble | None = None
        self._next_retention_s = 0.0
        self._unstorable = 0
        self._last_aside_s = float("-inf")

    @property
    def thread(self) -> threading.Thread:
        """The thread that writes."""
        return self._thread

    def start(self) -> None:
        """Begin to write; call it once."""
        self._thread.start()

    def record(self, entry: Entry) -> None:
        """Write ``entry`` soon; drops the oldest one waiting when there are too many."""
        with self._lock:
            if len(self._waiting) == self._waiting.maxlen:
                self._dropped += 1
            self._waiting.append(entry)

    def begin_anew(self) -> None:
        """Keep the file aside as damaged and begin a new one: somebody who read it found it so. Does not block."""
        self._wants_new_file.set()

    def close(self, timeout_s: float = 3.0) -> bool:
        """Write what waits and end; False: that took longer than ``timeout_s``, and goes on. Blocks."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # Everything below runs on the recorder's thread.

    def _run(self) -> None:
        wait_s = 0.0
        while not self._stop.wait(wait_s):
            self._cycle()
            wait_s = self._write_every_s if self._trouble is None else self._retry_every_s
        self._cycle()
        self._disconnect(is_final=True)

    def _cycle(self) -> None:
        """Write what waits. On failure everything stays in line, and the connection is made anew next time."""
        with self._lock:
            entries = list(self._waiting)
            # Those taken now must still be counted as dropped, if they are by the time the write fails.
            dropped_before = self._dropped
        try:
            if self._wants_new_file.is_set():
                self._wants_new_file.clear()
                self._set_aside("corrupt")
            self._connect()
            if entries:
                self._write(entries)
            self._keep_within_limits()
        except _Broken as error:
            self._failed(error)
            return
        with self._lock:
            # What was dropped from the left while we wrote was in the batch, and is in the file.
            written_and_dropped = min(self._dropped - dropped_before, len(entries))
            for _ in range(len(entries) - written_and_dropped):
                self._waiting.popleft()
            lost = self._dropped - written_and_dropped + self._unstorable
            self._dropped = self._unstorable = 0
        self._worked(lost)

    def _connect(self) -> None:
        if self._connection is not None and self._identity != _identity_of(self.file):
            # Somebody deleted or replaced the file: what we write to it nobody would ever find.
            self._disconnect()
        if self._connection is not None:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = open_for_writing(self.file)
        self._identity = _identity_of(self.file)
        self._writer = HistoryWriter(self._connection, version=self._version)
        self._retention = Retention(self._connection, self._limits)

    def _disconnect(self, *, is_final: bool = False) -> None:
        connection, writer = self._connection, self._writer
        self._connection = self._writer = self._retention = None
        if connection is None:
            return
        try:
            if is_final and writer is not None:
                writer.finish(self._utc_now())
            connection.close()
        except sqlite3.Error as error:
            log.info("history was not closed in order: %s", error)

    def _write(self, entries: Sequence[Entry]) -> None:
        assert self._writer is not None  # noqa: S101 - _connect() made it
        try:
            self._writer.write(entries)
        except _Broken:
            raise
        except Exception:
            # One value that cannot be stored must not cost the others, nor end the thread.
            log.exception("an entry cannot be stored")
            storable = [entry for entry in entries if self._is_storable(self._writer, entry)]
            self._writer.write(storable)
            self._unstorable += len(entries) - len(storable)

    def _is_storable(self, writer: HistoryWriter, entry: Entry) -> bool:
        try:
            writer.write((entry,), is_trial=True)
        except _Broken:
            raise
        except Exception:  # noqa: BLE001 - logged by the caller, who counts it
            return False
        return True

    def _keep_within_limits(self) -> None:
        now_s = self._clock()
        if self._retention is None or now_s < self._next_retention_s:
            return
        if not self._retention.step(self._utc_now()):
            self._next_retention_s = now_s + RETENTION_EVERY_S

    def _set_aside(self, word: str) -> bool:
        """Rename the file; False: the last time was just now, so it is not the file that is bad."""
        self._disconnect()
        now_s = self._clock()
        if now_s - self._last_aside_s < ASIDE_EVERY_S:
            return False
        if self.file.exists():
            self._last_aside_s = now_s
            aside = keep_aside(self.file, word)
            what = "is damaged" if word == "corrupt" else "is of a newer version of the app"
            text = f"The history file {what}; it is kept as {aside.name}, and a new one was begun."
            self._tell(HistoryNotice(level="warning", text=text))
        return True

    def _failed(self, error: sqlite3.Error | OSError | NotHistoryError) -> None:
        trouble = trouble_of(error)
        log.info("history: %s (%s)", trouble.value, error)
        if trouble not in {Trouble.LOCKED, Trouble.FULL}:
            # The others may be of the connection: a new one shows.
            self._disconnect()
        if trouble in {Trouble.CORRUPT, Trouble.NEWER}:
            try:
                is_done = self._set_aside("corrupt" if trouble is Trouble.CORRUPT else "newer")
            except OSError as failure:
                log.info("history: cannot be kept aside (%s)", failure)
                is_done = False
            if is_done:
                return
            trouble = Trouble.DISK
        if trouble is not self._trouble:
            self._trouble = trouble
            self._tell(HistoryNotice(level="warning", text=TEXTS[trouble]))

    def _worked(self, lost: int) -> None:
        was_in_trouble = self._trouble is not None
        self._trouble = None
        results = "1 result" if lost == 1 else f"{lost} results"
        if was_in_trouble:
            ending = f"{results} of the time between could not be kept." if lost else "Nothing was lost."
            self._tell(HistoryNotice(level="info", text=f"History is being recorded again. {ending}"))
        elif lost:
            self._tell(HistoryNotice(level="warning", text=f"{results} could not be recorded to the history."))


def _identity_of(file: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(file)  # noqa: PTH116 - twice a second: the plain call
    except OSError:
        return None
    return (status.st_dev, status.st_ino)
