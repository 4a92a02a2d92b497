"""Writes settings on a thread of its own, so that no click waits for a disk."""

import logging
import queue
import threading
from pathlib import Path

from monitor.desktop.settings import Settings, SettingsError, save_settings

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 3.0


class SettingsWriter:
    """Keeps the newest settings on disk; those overtaken while one was being written are skipped.

    Thread: ``write`` from any thread, never blocks; ``close`` waits up to ``CLOSE_TIMEOUT_S`` for the last write.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._waiting: queue.SimpleQueue[Settings | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self.problem: str | None = None
        """Why the last write failed, for the user; ``None`` when it did not."""

    def write(self, settings: Settings) -> None:
        """Write ``settings`` soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="settings", daemon=True)
            self._thread.start()
        self._waiting.put(settings)

    def close(self) -> None:
        """Write what is waiting and end the thread."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join(CLOSE_TIMEOUT_S)
            self._thread = None

    def _run(self) -> None:
        is_closing = False
        while not is_closing:
            newest: Settings | None = None
            items = [self._waiting.get()]
            while not self._waiting.empty():
                items.append(self._waiting.get())
            for item in items:
                is_closing = is_closing or item is None
                newest = item or newest
            if newest is not None:
                self._save(newest)

    def _save(self, settings: Settings) -> None:
        try:
            save_settings(self._file, settings)
        except (OSError, SettingsError) as exc:
            self.problem = f"Settings could not be saved: {exc}"
            log.warning("settings could not be saved: %s", exc)
        else:
            self.problem = None
