"""Reads a recording back: an incident bundle, or a JSON export of all tables. The file is not trusted."""

import json
import zipfile
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from monitor.history.export import SCHEMA
from monitor.history.tables import TABLES, Kind

MAX_BYTES: Final = 400_000_000
"""A day of the default plan is about a tenth of this; what says it is larger is not read."""
MAX_NUMBER: Final = 2.0**53
"""No count and no duration is larger; also what keeps out NaN and infinity."""
MAX_PERIOD: Final = timedelta(days=2)
_DOCUMENT: Final = "export.json"
_TYPES: Final[Mapping[Kind, type | tuple[type, ...]]] = MappingProxyType(
    {Kind.TEXT: str, Kind.INTEGER: int, Kind.REAL: (int, float), Kind.FLAG: bool}
)

_NO_RECORDING: Final = (
    *(KeyError, ValueError, RecursionError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError),
)
"""What reading JSON out of a zip file raises for content that is wrong, encrypted or cut off."""

TableRow = dict[str, Any]
"""One row of a table by column name; types are those of the table, or ``None``."""


class RecordingError(Exception):
    """The file is no recording that can be shown; the text says why and what to do."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A period of what an app showed. ``tables``: rows by name of ``TABLES``, each as it was exported.

    ``skipped`` counts rows that could not be read. ``problems`` is what the app could not save at the time.
    ``is_demo``: whether it is of the demo exchange; ``None``: an older file, which does not say.
    """

    name: str
    start: datetime
    end: datetime
    tables: Mapping[str, tuple[TableRow, ...]]
    skipped: int = 0
    problems: tuple[str, ...] = ()
    versions: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    is_demo: bool | None = None


def read_recording(file: Path) -> Recording:
    """Read an incident (``.zip``) or an export of all tables (``.json``). Blocks; any thread but the GUI's.

    Raises:
        RecordingError: it is neither, or damaged.
    """
    about: object = {}
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as bundle:
                document = json.loads(_member(bundle, _DOCUMENT))
                about = json.loads(_member(bundle, "about.json")) if "about.json" in bundle.namelist() else {}
        else:
            if file.stat().st_size > MAX_BYTES:
                raise RecordingError(f"{file.name} is too large to be shown. Export a shorter period.")
            document = json.loads(file.read_bytes())
    except OSError as error:
        raise RecordingError(f"{file.name} cannot be read: {error.strerror or 'unknown reason'}.") from error
    except _NO_RECORDING as error:
        raise RecordingError(
            f"{file.name} is no incident and no export of this app, or it is damaged. Incidents are saved with "
            "Ctrl+Shift+I."
        ) from error
    return _recording(file.name, document, about)


def _member(bundle: zipfile.ZipFile, name: str) -> bytes:
    info = bundle.getinfo(name)
    if info.file_size > MAX_BYTES:
        raise ValueError(name)
    with bundle.open(info) as member:
        # The size in the directory is only what the file says of itself.
        content = member.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(name)
    return content


def _recording(name: str, document: object, about: object) -> Recording:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise RecordingError(f"{name} is not of the form {SCHEMA}. A newer version of the app may read it.")
    start, end = moment_of(document.get("from")), moment_of(document.get("to"))
    if start is None or end is None or not timedelta() < end - start:
        raise RecordingError(f"{name} does not say of which time it is.")
    if end - start > MAX_PERIOD:
        raise RecordingError(f"{name} is of more than two days. Export a shorter period.")
    tables: dict[str, tuple[TableRow, ...]] = {}
    skipped = 0
    for table in TABLES.values():
        found = document.get(table.name)
        rows = found if isinstance(found, list) else []
        good = tuple(row for row in rows if _is_row(row, table.columns))
        skipped += len(rows) - len(good)
        tables[table.name] = good
    facts = about if isinstance(about, dict) else {}
    is_demo = document.get("demo")
    told, versions = facts.get("problems"), facts.get("versions")
    return Recording(
        name=name,
        start=start,
        end=end,
        tables=MappingProxyType(tables),
        skipped=skipped,
        problems=tuple(str(one) for one in told) if isinstance(told, list) else (),
        versions=MappingProxyType(
            {str(one): str(value) for one, value in versions.items()} if isinstance(versions, dict) else {}
        ),
        is_demo=is_demo if isinstance(is_demo, bool) else None,
    )


def _is_row(row: object, columns: tuple[tuple[str, Kind], ...]) -> bool:
    if not isinstance(row, dict):
        return False
    for name, kind in columns:
        value = row.get(name)
        if value is None:
            row[name] = None
        elif not _is_value(value, kind):
            return False
    return True


def _is_value(value: object, kind: Kind) -> bool:
    if isinstance(value, bool) or kind is Kind.FLAG:
        return isinstance(value, bool) and kind is Kind.FLAG
    return isinstance(value, _TYPES[kind]) and (not isinstance(value, int | float) or abs(value) < MAX_NUMBER)


def moment_of(text: object) -> datetime | None:
    """The aware moment of an exported time; ``None`` for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)
