"""What is logged before there is a log: kept, and written once the window is on screen.

Files that rotate and patterns that redact take as long to import as the window to be painted.
"""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.desktop.logs import LogSetup


class EarlyLog(logging.Handler):
    """Keeps every record until :meth:`open`, which hands them on. Thread: open and close from one; records from any.

    ``is_verbose``: as in :func:`monitor.desktop.logs.configure_logging`, with standard error as the stream.
    """

    def __init__(self, folder: Path, *, is_verbose: bool) -> None:
        super().__init__()
        self._folder = folder
        self._is_verbose = is_verbose
        self._records: list[logging.LogRecord] = []
        self._setup: LogSetup | None = None
        root = logging.getLogger()
        self._level_before = root.level
        root.setLevel(logging.DEBUG if is_verbose else logging.INFO)
        root.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep ``record``."""
        self._records.append(record)

    def open(self) -> "LogSetup":
        """Begin the log with what was kept; a second call does nothing. Blocks on the disk."""
        if self._setup is None:
            from monitor.desktop.logs import configure_logging  # noqa: PLC0415 - see the module's docstring

            stream = sys.stderr if self._is_verbose else None
            root = logging.getLogger()
            root.setLevel(self._level_before)
            self._setup = configure_logging(self._folder, stream=stream, is_verbose=self._is_verbose)
            root.removeHandler(self)
            for record in self._records:
                logger = logging.getLogger(record.name)
                if logger.isEnabledFor(record.levelno):
                    logger.handle(record)
            self._records.clear()
        return self._setup

    def close(self) -> None:
        """Write what was kept if nothing was written yet, and close the log's files."""
        self.open().close()
        super().close()
