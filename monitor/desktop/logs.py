"""The log: a rotating file in the user's log folder, redacted, and standard error for the command line."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from monitor.domain.redaction import redact

LOG_FILE_NAME = "trading-monitor.log"
_MAX_BYTES = 1_000_000
_KEPT_FILES = 4

LIBRARIES_KEPT_QUIET = ("urllib3", "requests", "charset_normalizer", "asyncio", "keyring")
"""Libraries whose records below ERROR are noise; urllib3's warnings hold whole URLs."""


class RedactingFormatter(logging.Formatter):
    """Formats a record as one line (and its traceback) in UTC, with secrets removed from the whole of it.

    It works on the finished text because a secret may come in by the message, by an argument, by an exception's text or
    by a line of source in the traceback.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(threadName)s %(name)s: %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 - logging's
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class _CalmFileHandler(RotatingFileHandler):
    """Loses a record when the disk is full instead of printing a traceback for each; ``lost`` counts them."""

    lost = 0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002 - logging's name and argument
        self.lost += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSetup:
    """The handlers in place. ``file`` is the log file or ``None``, and then ``problem`` may say why, for the user."""

    handlers: tuple[logging.Handler, ...]
    file: Path | None
    problem: str | None

    def close(self) -> None:
        """Take the handlers away again and close the file."""
        root = logging.getLogger()
        for handler in self.handlers:
            root.removeHandler(handler)
            handler.close()


def configure_logging(
    log_dir: Path | None, *, stream: TextIO | None = None, is_verbose: bool = False, stream_level: int = logging.WARNING
) -> LogSetup:
    """Send the log to a rotating file in ``log_dir`` (``None``: no file) and to ``stream`` (``None``: nowhere).

    The file has INFO and above; ``is_verbose`` adds one DEBUG line per request to both. The stream otherwise has what
    is at or above ``stream_level``. A folder that cannot be written to is no reason to stop: ``problem`` says so.
    Blocks on the disk; call it once, from the thread that starts the app.
    """
    formatter = RedactingFormatter()
    handlers: list[logging.Handler] = []
    file: Path | None = None
    problem: str | None = None
    if log_dir is not None:
        try:
            log_dir.mkdir(parents=True, exist_ok=True)
            file_handler = _CalmFileHandler(
                log_dir / LOG_FILE_NAME, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8"
            )
        except OSError as error:
            problem = f"No log file: {error.strerror or 'the folder cannot be written to'}."
        else:
            file = log_dir / LOG_FILE_NAME
            handlers.append(file_handler)
    if stream is not None:
        stream_handler = logging.StreamHandler(stream)
        stream_handler.setLevel(logging.DEBUG if is_verbose else stream_level)
        handlers.append(stream_handler)
    root = logging.getLogger()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("monitor").setLevel(logging.DEBUG if is_verbose else logging.INFO)
    for name in LIBRARIES_KEPT_QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    return LogSetup(handlers=tuple(handlers), file=file, problem=problem)
