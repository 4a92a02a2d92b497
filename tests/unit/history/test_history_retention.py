"""Retention by age and by size, in small steps."""

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.history.retention import Limits, Retention
from monitor.history.schema import open_for_writing
from monitor.history.units import to_ms
from monitor.history.writer import HistoryWriter
from tests.fakes.history_samples import numbered_entry
from tests.fakes.poll_results import EPOCH

HOURS = 48


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Two days of one reply a minute."""
    opened = open_for_writing(tmp_path / "history.db")
    writer = HistoryWriter(opened, version="test")
    writer.write([numbered_entry(60 * n, EPOCH + timedelta(minutes=n)) for n in range(HOURS * 60)])
    yield opened
    opened.close()


def _run(retention: Retention, *, hours: int = HOURS) -> int:
    steps = 1
    while retention.step(EPOCH + timedelta(hours=hours)):
        steps += 1
        assert steps < 1_000, "it does not end"
    return steps


def _oldest(connection: sqlite3.Connection) -> set[int]:
    queries = (
        "SELECT min(received_ms) FROM reply",
        "SELECT min(started_ms) FROM trace",
        "SELECT min(received_ms) FROM quote JOIN reply ON reply.id = quote.reply",
    )
    return {connection.execute(query).fetchone()[0] for query in queries}


def test_nothing_within_the_limits_is_deleted(connection: sqlite3.Connection) -> None:
    _run(Retention(connection, Limits()))

    assert connection.execute("SELECT count(*) FROM quote").fetchone() == (HOURS * 60,)


def test_what_is_too_old_goes_everywhere_and_in_several_steps(connection: sqlite3.Connection) -> None:
    steps = _run(Retention(connection, Limits(max_age=timedelta(hours=12))))

    assert steps > 5
    assert _oldest(connection) == {to_ms(EPOCH + timedelta(hours=HOURS - 12))}
    assert connection.execute("SELECT count(*) FROM quote").fetchone() == (12 * 60,)
    assert connection.execute("SELECT count(*) FROM quote WHERE reply NOT IN (SELECT id FROM reply)").fetchone() == (0,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_is_too_large_loses_its_oldest_hours_and_shrinks(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    retention = Retention(connection, Limits())
    before = retention.used_bytes()
    small = Retention(connection, Limits(max_bytes=before // 2))
    _run(small)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    assert small.used_bytes() <= before // 2
    assert small.used_bytes() > before // 4, "no more than needed"
    assert (tmp_path / "history.db").stat().st_size < before * 0.6
    newest = connection.execute("SELECT max(received_ms) FROM reply").fetchone()
    assert newest == (to_ms(EPOCH + timedelta(minutes=HOURS * 60 - 1)),)


def test_a_file_of_a_size_that_cannot_be_reached_ends_all_the_same(connection: sqlite3.Connection) -> None:
    _run(Retention(connection, Limits(max_bytes=1)))

    assert connection.execute("SELECT count(*) FROM reply").fetchone() == (0,)
