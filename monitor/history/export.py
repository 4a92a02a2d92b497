"""Writes a period of the history as CSV, JSON or Parquet; a file appears under its name when it is whole."""

import csv
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Final, Protocol

import msgspec

from monitor.history.memory import Row
from monitor.history.parquet import ParquetFile
from monitor.history.schema import NotHistoryError, open_for_reading
from monitor.history.tables import TABLES, Table
from monitor.history.trouble import Trouble, trouble_of
from monitor.history.units import to_ms
from monitor.state.times import time_text

SCHEMA: Final = "trading-monitor.export/1"
FORMATS: Final = ("csv", "json", "parquet")
PROGRESS_EVERY: Final = 2_000
"""Rows between two calls of ``progress``."""

Progress = Callable[[str, float], None]
"""Given the table and the part of the period done, 0 to 1; may raise :class:`ExportCancelled`."""

_TEXTS: Final = {
    Trouble.CORRUPT: "The history file is damaged at this place. Choose a shorter period, or export another file.",
    Trouble.LOCKED: "Another program holds the history file. Try again when it has finished.",
    Trouble.UNREACHABLE: "There is no history file, or it cannot be opened. The first start of the window makes one.",
}


class ExportError(Exception):
    """The export could not be made; the text says why and what to do."""


class ExportCancelled(Exception):
    """Raised by a ``progress`` that wants the export to end; no file is left behind."""


class ExportWish(msgspec.Struct, frozen=True, kw_only=True):
    """What to write. ``start`` and ``end`` are aware moments, both included; ``tables`` are names of ``TABLES``.

    ``is_demo``: whether it was received from the demo exchange, said in JSON; ``None``: not known.
    """

    start: datetime
    end: datetime
    tables: tuple[str, ...]
    format: str
    is_demo: bool | None = None


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: rows by table, and the files (none when it went to a stream)."""

    rows: dict[str, int]
    files: tuple[Path, ...]


class _Target(Protocol):
    def rows(self, _table: Table, rows: Iterator[Row], /) -> None: ...

    def close(self) -> None: ...


def export_to_stream(file: Path, wish: ExportWish, stream: IO[str], *, progress: Progress) -> Exported:
    """Write one CSV table, or one JSON document, to ``stream``. Blocks; any thread.

    Raises:
        ExportError: the history cannot be read.
        ValueError: Parquet, or CSV of several tables.
        OSError: the stream cannot be written.
    """
    if wish.format == "parquet" or (wish.format == "csv" and len(wish.tables) != 1):
        raise ValueError("a stream takes one CSV table or one JSON document")
    with _reading(file) as connection:
        target: _Target = _JsonStream(stream, wish) if wish.format == "json" else _CsvStream(stream)
        counts = _write(connection, wish, target, progress)
        target.close()
    return Exported(rows=counts, files=())


def export_to_files(file: Path, wish: ExportWish, output: Path, *, progress: Progress) -> Exported:
    """Write ``output``, or, for several tables as CSV or Parquet, a file each in the folder ``output``. Blocks.

    Raises:
        ExportError: the history cannot be read, or Parquet is not installed.
        OSError: a file cannot be written; what was there before is untouched.
    """
    if wish.format == "json" or len(wish.tables) == 1:
        output.parent.mkdir(parents=True, exist_ok=True)
        return _one_file(file, wish, output, progress)
    output.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}
    files: list[Path] = []
    for name in wish.tables:
        one = ExportWish(start=wish.start, end=wish.end, tables=(name,), format=wish.format)
        done = _one_file(file, one, output / f"{name}.{wish.format}", progress)
        rows.update(done.rows)
        files.extend(done.files)
    return Exported(rows=rows, files=tuple(files))


def _one_file(file: Path, wish: ExportWish, output: Path, progress: Progress) -> Exported:
    with _reading(file) as connection, _replacing(output) as temporary:
        if wish.format == "parquet":
            table = TABLES[wish.tables[0]]
            try:
                target: _Target = ParquetFile(temporary, table)
            except ImportError as error:
                raise ExportError(
                    "Parquet needs a library that is not installed: pip install 'trading-monitor[parquet]'. "
                    "CSV and JSON need nothing."
                ) from error
            try:
                counts = _write(connection, wish, target, progress)
            finally:
                target.close()
        else:
            # Excel takes CSV for UTF-8 by the mark at its beginning only; every other reader knows how to skip it.
            encoding = "utf-8-sig" if wish.format == "csv" else "utf-8"
            with temporary.open("w", encoding=encoding, newline="") as stream:
                target = _JsonStream(stream, wish) if wish.format == "json" else _CsvStream(stream)
                counts = _write(connection, wish, target, progress)
                target.close()
    return Exported(rows=counts, files=(output,))


def _write(connection: sqlite3.Connection, wish: ExportWish, target: _Target, progress: Progress) -> dict[str, int]:
    counts: dict[str, int] = {}
    start_ms, end_ms = to_ms(wish.start), to_ms(wish.end)
    span_ms = max(1, end_ms - start_ms)

    def counted(table: Table) -> Iterator[Row]:
        for number, (at_ms, row) in enumerate(table.read(connection, start_ms, end_ms), start=1):
            counts[table.name] = number
            if number % PROGRESS_EVERY == 0:
                progress(table.name, (at_ms - start_ms) / span_ms)
            yield row

    for name in wish.tables:
        counts[name] = 0
        progress(name, 0.0)
        target.rows(TABLES[name], counted(TABLES[name]))
        progress(name, 1.0)
    return counts


class _CsvStream:
    """RFC 4180, a line of names first; unknown is an empty cell, truth is ``true`` or ``false``."""

    def __init__(self, stream: IO[str]) -> None:
        self._writer = csv.writer(stream)

    def rows(self, table: Table, rows: Iterator[Row]) -> None:
        self._writer.writerow([name for name, _ in table.columns])
        words = {None: "", True: "true", False: "false"}
        for row in rows:
            # By type: 1 == True, and a count of one is no truth.
            self._writer.writerow([words[cell] if cell is None or isinstance(cell, bool) else cell for cell in row])

    def close(self) -> None:
        """Nothing is held back."""


class _JsonStream:
    """One document, written row by row: a day does not fit into memory twice."""

    def __init__(self, stream: IO[str], wish: ExportWish) -> None:
        self._stream = stream
        head: dict[str, object] = {"schema": SCHEMA, "from": time_text(wish.start), "to": time_text(wish.end)}
        if wish.is_demo is not None:
            head["demo"] = wish.is_demo
        stream.write(json.dumps(head)[:-1])

    def rows(self, table: Table, rows: Iterator[Row]) -> None:
        names = [name for name, _ in table.columns]
        separator = f",\n{json.dumps(table.name)}: [\n"
        is_empty = True
        for row in rows:
            is_empty = False
            self._stream.write(separator + json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False))
            separator = ",\n"
        self._stream.write(separator + "]" if is_empty else "\n]")

    def close(self) -> None:
        """End the document."""
        self._stream.write("}\n")


@contextmanager
def _reading(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        connection = open_for_reading(file)
        try:
            # One moment of the file, whatever is recorded meanwhile.
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()
    except NotHistoryError as error:
        raise ExportError(str(error)) from error
    except sqlite3.Error as error:
        trouble = trouble_of(error)
        raise ExportError(_TEXTS.get(trouble, f"The history cannot be read ({trouble.value}).")) from error


@contextmanager
def _replacing(output: Path) -> Iterator[Path]:
    """A file beside ``output`` that takes its place when everything went well."""
    temporary = output.with_name(f".{output.name}-{os.getpid()}.part")
    try:
        yield temporary
        temporary.replace(output)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def total_rows(exported: Exported) -> str:
    """``1,234 quotes, 56 requests`` for people."""
    return ", ".join(f"{count:,} {name}" for name, count in exported.rows.items())
