"""The history behind the window: it records what is shown, and brings back what an earlier run showed."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from monitor import __version__
from monitor.desktop.settings import Settings
from monitor.history.reader import PastRead, read_past
from monitor.history.recorder import HistoryRecorder
from monitor.history.sink import RecordingSink
from monitor.history.tables import TABLES
from monitor.history.trouble import HistoryNotice
from monitor.polling.results import PollResult, TaskDone
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey
from monitor.state.event_log import Level
from monitor.state.restored import Past, prepare

log = logging.getLogger(__name__)

TOKEN_NOTICE: Final = -3
TOKEN_PAST: Final = -4

INCIDENT_MINUTES: Final = 15
SHOWN_WITHIN_S: Final = 1.0
"""The recorder's promise: what was shown longer ago than this is in the file."""


class DeskHistory:
    """Owns the recorder of one run and the threads that read the past. Thread: GUI; only :meth:`close` blocks.

    ``put`` hands a finished task to the board's thread, from any thread. With ``brings_back`` False the past stays in
    the file: a market that is made anew at every start does not continue the line of the last one. ``is_demo`` is
    written into what is saved.
    """

    def __init__(
        self, file: Path, board: Board, *, put: Callable[[PollResult], object], brings_back: bool, is_demo: bool
    ) -> None:
        self.file = file
        self._board = board
        self._put = put
        self._brings_back = brings_back
        self._is_demo = is_demo
        self._asked: set[InstrumentKey] = set()
        self._is_started = False
        self._is_first = True
        self._reading: threading.Thread | None = None
        self._recorder = HistoryRecorder(file, version=__version__, tell=self._report)
        self.sink = RecordingSink(board, self._recorder)
        """Where results go in place of the board."""

    @property
    def is_reading(self) -> bool:
        """Whether a thread reads the past at this moment."""
        return self._reading is not None and self._reading.is_alive()

    def start(self) -> None:
        """Begin to write what was received since the window opened, and to read the past."""
        self._is_started = True
        self._recorder.start()

    def look_around(self) -> None:
        """Read the past of what is tracked and was not asked for yet; call it once a second."""
        if not self._is_started or not self._brings_back or self.is_reading:
            return
        keys = tuple(key for key in self._board.tracked if key not in self._asked)
        if not keys:
            return
        self._asked.update(keys)
        # What is added later was not recorded since the start, unless it was watched before.
        now_mono_s, now = time.perf_counter(), datetime.now(UTC)
        if self._is_first:
            age_s = now_mono_s - self._board.started_mono_s
            now_mono_s, now = self._board.started_mono_s, datetime.fromtimestamp(now.timestamp() - age_s, UTC)
        wants_requests, self._is_first = self._is_first, False
        capacity = self._board.series_capacity

        def work() -> None:
            read = read_past(self.file, keys, now_mono_s=now_mono_s, now=now, wants_requests=wants_requests)
            past = prepare(read.restored, series_capacity=capacity)
            self._put(TaskDone(token=TOKEN_PAST, value=(read, past), failure=None))

        self._reading = threading.Thread(target=work, name="past", daemon=True)
        self._reading.start()

    def take(self, done: TaskDone) -> HistoryNotice | None:
        """Take over what a thread of ours found; a notice for the user, if there is one."""
        if done.token == TOKEN_NOTICE and isinstance(done.value, HistoryNotice):
            return done.value
        if done.token == TOKEN_PAST and isinstance(done.value, tuple):
            read, past = done.value
            if isinstance(read, PastRead) and isinstance(past, Past):
                return self._take_past(read, past)
        return None

    def save_incident(self, folder: Path, settings: Settings, log_file: Path, picture: bytes) -> None:
        """Write the last minutes as one zip file into ``folder``, in a thread; a notice tells how that went."""
        from monitor.history.incident import IncidentWish, write_incident  # noqa: PLC0415 - not part of a start
        from monitor.widgets.about_dialog import versions  # noqa: PLC0415 - as above

        now = datetime.now(UTC)
        output = folder / f"incident-{now:%Y%m%d-%H%M%S}.zip"

        def work() -> None:
            # What was shown until now is in the file a moment later.
            time.sleep(SHOWN_WITHIN_S)
            wish = IncidentWish(
                start=now - timedelta(minutes=INCIDENT_MINUTES),
                end=now,
                versions=dict(versions()),
                settings=_document_of(settings),
                log_file=log_file,
                picture=picture,
                is_demo=self._is_demo,
            )
            try:
                problems = write_incident(self.file, output, wish)
            except OSError as error:
                reason = error.strerror or "unknown reason"
                self._answer("warning", f"The incident could not be written: {reason}.")
                return
            text = f"The last {INCIDENT_MINUTES} minutes are kept as {output.name} in {output.parent}."
            level: Level = "warning" if problems else "info"
            self._answer(level, " ".join((text, *problems)))

        threading.Thread(target=work, name="incident", daemon=True).start()

    def export(self, output: Path, seconds: float) -> None:
        """Write the last ``seconds`` (``.csv``: the quotes, else JSON of everything) in a thread; a notice tells."""
        # Not part of a start.
        from monitor.history.export import ExportError, ExportWish, export_to_files, total_rows  # noqa: PLC0415

        now = datetime.now(UTC)
        is_csv = output.suffix.lower() == ".csv"
        wish = ExportWish(
            start=now - timedelta(seconds=seconds),
            end=now,
            tables=("quotes",) if is_csv else tuple(TABLES),
            format="csv" if is_csv else "json",
            is_demo=self._is_demo,
        )

        def work() -> None:
            time.sleep(SHOWN_WITHIN_S)
            try:
                done = export_to_files(self.file, wish, output, progress=lambda _table, _part: None)
            except (ExportError, OSError) as error:
                reason = str(error) if isinstance(error, ExportError) else error.strerror or "unknown reason"
                self._answer("warning", f"{output.name} could not be written: {reason}")
                return
            self._answer("info", f"Exported to {output.name} in {output.parent}: {total_rows(done)}.")

        threading.Thread(target=work, name="export", daemon=True).start()

    def close(self) -> None:
        """Write what waits and end. Blocks for a moment."""
        self._recorder.close()

    def _take_past(self, read: PastRead, past: Past) -> HistoryNotice | None:
        if not past.is_empty:
            self._board.restore(past)
        if read.is_damaged:
            # The recorder tells how it keeps the file aside.
            self._recorder.begin_anew()
        elif read.is_cut_short:
            text = "The history is large: only a part of the last day was read back in time. All of it is in the file."
            return HistoryNotice(level="info", text=text)
        return None

    def _answer(self, level: Level, text: str) -> None:
        self._report(HistoryNotice(level=level, text=text, is_answer=True))

    def _report(self, notice: HistoryNotice) -> None:
        # Called in the recorder's thread, or in one of ours.
        self._put(TaskDone(token=TOKEN_NOTICE, value=notice, failure=None))


def _document_of(settings: Settings) -> str:
    """The settings as JSON text, without what only Qt can read."""
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    shown = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    for name in ("window_geometry", "window_state"):
        shown.pop(name, None)
    return json.dumps(shown, indent=2, ensure_ascii=False, default=str)
