"""What can be wrong with the history file, in words, and how a file that cannot be used is kept aside."""

import sqlite3
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from monitor.history.schema import NotHistoryError
from monitor.state.event_log import Level

_SIDE_FILES: Final = ("-wal", "-shm", "-journal")
_WHILE: Final = "Monitoring goes on"


class Trouble(StrEnum):
    """Why nothing can be written just now."""

    FULL = "full"
    LOCKED = "locked"
    READ_ONLY = "read_only"
    UNREACHABLE = "unreachable"
    DISK = "disk"
    CORRUPT = "corrupt"
    FOREIGN = "foreign"
    NEWER = "newer"
    OTHER = "other"


class HistoryNotice(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence about the history for the user; told when something begins and when it ends, not in between.

    ``is_answer``: the user asked for what it tells of, and waits for it.
    """

    level: Level
    text: str
    is_answer: bool = False


TEXTS: Final[dict[Trouble, str]] = {
    Trouble.FULL: f"The disk is full: nothing is recorded. {_WHILE}; recording resumes when there is space.",
    Trouble.LOCKED: f"Another program holds the history file: nothing is recorded. {_WHILE}; it is tried again.",
    Trouble.READ_ONLY: f"The history file may not be written: nothing is recorded. {_WHILE}; it is tried again.",
    Trouble.UNREACHABLE: f"The history file cannot be opened: nothing is recorded. {_WHILE}; it is tried again.",
    Trouble.DISK: f"The disk refuses to write the history: nothing is recorded. {_WHILE}; it is tried again.",
    Trouble.FOREIGN: f"The history file holds something else and was not touched: nothing is recorded. {_WHILE}.",
    Trouble.OTHER: f"The history cannot be written: nothing is recorded. {_WHILE}; it is tried again.",
}
"""Of the troubles that last. A corrupt or a newer file is kept aside and a new one begun, so those pass at once."""

_BY_CODE: Final = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_PERM: Trouble.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Trouble.UNREACHABLE,
    sqlite3.SQLITE_IOERR: Trouble.DISK,
    sqlite3.SQLITE_CORRUPT: Trouble.CORRUPT,
    sqlite3.SQLITE_NOTADB: Trouble.CORRUPT,
}


def trouble_of(error: sqlite3.Error | OSError | NotHistoryError) -> Trouble:
    """Classify what SQLite or the operating system said."""
    if isinstance(error, NotHistoryError):
        return Trouble.NEWER if error.is_newer else Trouble.FOREIGN
    if isinstance(error, OSError):
        return Trouble.UNREACHABLE
    # The low byte is the primary code; the rest tells variants apart that are one thing to the user.
    code = getattr(error, "sqlite_errorcode", None)
    return Trouble.OTHER if code is None else _BY_CODE.get(code & 0xFF, Trouble.OTHER)


def keep_aside(file: Path, word: str) -> Path:
    """Rename ``file``, with what SQLite keeps beside it, to ``name.<word>-N.suffix`` and return the new path.

    Raises:
        OSError: it cannot be renamed; nothing was deleted.
    """
    number = 1
    while (aside := file.with_name(f"{file.stem}.{word}-{number}{file.suffix}")).exists():
        number += 1
    file.rename(aside)
    # The side files belong to the old file: beside a new one of the same name they would be replayed into it.
    for ending in _SIDE_FILES:
        side = file.with_name(file.name + ending)
        if side.exists():
            side.rename(aside.with_name(aside.name + ending))
    return aside
