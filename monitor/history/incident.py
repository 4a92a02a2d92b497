"""An incident bundle: the last minutes of everything recorded, with what is needed to judge them, as one zip file.

In it: ``export.json`` (every table, see :mod:`monitor.history.tables`), ``about.json`` (period and versions),
``settings.json``, ``log.txt`` (the end of the log) and ``window.png``, as far as they were at hand. Every text is
redacted once more on its way in.
"""

import json
import os
import zipfile
from collections.abc import Mapping
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Final

import msgspec

from monitor.domain.redaction import redact
from monitor.history.export import ExportError, ExportWish, export_to_stream
from monitor.history.tables import TABLES
from monitor.state.times import time_text

SCHEMA: Final = "trading-monitor.incident/1"
LOG_BYTES: Final = 200_000
"""The end of the log that is taken along."""


class IncidentWish(msgspec.Struct, frozen=True, kw_only=True):
    """``settings`` is JSON text, ``picture`` a PNG, ``versions`` by name; each is left out when it is empty.

    ``is_demo``: whether it was received from the demo exchange; ``None``: not known, and not said.
    """

    start: datetime
    end: datetime
    versions: Mapping[str, str]
    settings: str = ""
    log_file: Path | None = None
    picture: bytes = b""
    is_demo: bool | None = None


def write_incident(history: Path, output: Path, wish: IncidentWish) -> tuple[str, ...]:
    """Write the bundle and return what could not be part of it, as sentences. Blocks; any thread.

    A history that cannot be read does not stop the rest: it may be the incident.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    problems: list[str] = []
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}-{os.getpid()}.part")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as bundle:
            problems.extend(_add_export(bundle, history, wish))
            if wish.settings:
                bundle.writestr("settings.json", redact(wish.settings))
            log = _log_end(wish.log_file)
            if log:
                bundle.writestr("log.txt", redact(log))
            if wish.picture:
                bundle.writestr("window.png", wish.picture)
            about: dict[str, object] = {
                "schema": SCHEMA,
                "from": time_text(wish.start),
                "to": time_text(wish.end),
                "versions": dict(wish.versions),
                "problems": problems,
            }
            if wish.is_demo is not None:
                about["demo"] = wish.is_demo
            bundle.writestr("about.json", json.dumps(about, indent=2, ensure_ascii=False))
        temporary.replace(output)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return tuple(problems)


def _add_export(bundle: zipfile.ZipFile, history: Path, wish: IncidentWish) -> tuple[str, ...]:
    what = ExportWish(start=wish.start, end=wish.end, tables=tuple(TABLES), format="json", is_demo=wish.is_demo)
    try:
        with bundle.open("export.json", "w") as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as stream:
            export_to_stream(history, what, stream, progress=lambda _table, _part: None)
    except ExportError as error:
        return (str(error),)
    return ()


def _log_end(file: Path | None) -> str:
    """The last lines of the log, whole ones only; empty when there is none."""
    if file is None:
        return ""
    try:
        with file.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - LOG_BYTES))
            text = log.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    # The first line was cut anywhere, in the middle of a secret for instance, which would then not be known as one.
    return text if size <= LOG_BYTES else text.partition("\n")[2]
