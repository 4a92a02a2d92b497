"""Outliers of earlier runs are found again: counted for a week, each of the newest with its reason."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.history.past_spikes import read_past_spikes
from monitor.history.reader import PastRead, read_past
from monitor.history.retention import Limits, Retention
from monitor.history.schema import MIGRATIONS, open_for_reading, open_for_writing
from monitor.history.units import to_ms
from monitor.history.writer import HistoryWriter
from monitor.state.period import Period
from monitor.state.restored import prepare
from monitor.state.spikes import SpikeCause
from tests.fakes.history_samples import KEYS, WatchedBoard
from tests.fakes.poll_results import FakeClock, make_quotes, make_trace

NEXT_RUN_S = 50.0
"""The next run's clock at its start; the earlier one ended a minute before."""


def busy_run(*slow: int) -> WatchedBoard:
    """Forty replies, one a second; those numbered in ``slow`` took a second longer at the venue."""
    watched = WatchedBoard()
    for number in range(1, 41):
        ended_s = watched.clock.mono_s + 1.0
        took_s = 1.06 if number in slow else 0.06
        trace = make_trace(
            number,
            started_at=watched.clock.at(ended_s - took_s),
            started_mono_s=ended_s - took_s,
            ended_mono_s=ended_s,
            wait_s=took_s - 0.01,
            total_s=took_s,
        )
        watched.feed_batch(make_quotes({"BTCUSDT": str(100 + number)}), traces=(trace,))
    return watched


def record(file: Path, watched: WatchedBoard) -> None:
    connection = open_for_writing(file)
    HistoryWriter(connection, version="test").write(watched.entries)
    connection.close()


def read(file: Path, watched: WatchedBoard) -> PastRead:
    now = watched.clock.utc_now() + timedelta(minutes=1)
    return read_past(file, KEYS, now_mono_s=NEXT_RUN_S, now=now)


def test_the_next_run_goes_on_counting_and_names_the_reasons(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    watched = busy_run(20, 30)
    record(file, watched)
    past = read(file, watched)
    board = WatchedBoard(FakeClock(mono_s=NEXT_RUN_S)).board
    board.restore(prepare(past.restored, series_capacity=board.series_capacity))
    now = watched.clock.utc_now() + timedelta(minutes=1)
    tally, was = board.spikes.tally(now), watched.board.spikes.tally(now)

    assert tally.counts.keys() == was.counts.keys() == {("bitunix", SpikeCause.VENUE)}
    count, before = tally.counts["bitunix", SpikeCause.VENUE], was.counts["bitunix", SpikeCause.VENUE]
    assert (count.n, before.n) == (2, 2)
    assert count.lost_s == pytest.approx(before.lost_s)
    assert count.worst_s == pytest.approx(before.worst_s)
    assert count.last_at == pytest.approx(before.last_at, abs=timedelta(milliseconds=1))
    assert tally.watched_s == was.watched_s
    # The request of the earlier run, by the number it has in this one.
    slow = next(trace for trace in board.requests.earlier if trace.total_s > 1.0)
    first, original = board.spikes.of(slow), watched.board.spikes.items[0].spike
    assert first is not None
    assert (first.cause, first.text, first.phase) == (original.cause, original.text, original.phase)
    assert first.total_excess_s == pytest.approx(original.total_excess_s, abs=1e-6)
    # On this run's clock, before its start.
    assert board.spikes.tally_between(Period(NEXT_RUN_S - 90.0, NEXT_RUN_S - 60.0)).n == 2
    assert board.spikes.tally_between(Period(NEXT_RUN_S - 59.0, NEXT_RUN_S)).n == 0


def test_a_file_of_before_says_nothing_rather_than_that_all_was_well(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    old = open_for_writing(file, migrations=MIGRATIONS[:2])
    old.execute("INSERT INTO session (started_ms, version) VALUES (0, 'old')")
    old.close()
    open_for_writing(file).close()
    connection = open_for_reading(file)

    assert read_past_spikes(connection, now_ms=1_000_000, offset_s=0.0) is None
    connection.close()


def test_a_cause_of_another_version_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    watched = busy_run(20, 30)
    record(file, watched)
    connection = open_for_writing(file)
    connection.execute("INSERT INTO label (text) VALUES ('cosmic rays')")
    connection.execute("UPDATE spike SET cause = (SELECT max(id) FROM label) WHERE request = 20")
    connection.close()
    spikes = read(file, watched).restored.spikes

    assert spikes is not None
    assert [entry.spike.cause for entry in spikes.entries] == [SpikeCause.VENUE]
    assert sum(count.n for bucket in spikes.hours.values() for count in bucket.values()) == 1


def test_outliers_leave_with_the_requests_they_are_of(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    watched = busy_run(20)
    record(file, watched)
    connection = open_for_writing(file)
    retention = Retention(connection, Limits())
    now = watched.clock.utc_now()
    while retention.step(now + timedelta(days=6)):
        pass
    assert connection.execute("SELECT count(*) FROM spike").fetchone() == (1,)
    while retention.step(now + timedelta(days=8)):
        pass
    assert connection.execute("SELECT (SELECT count(*) FROM spike), (SELECT count(*) FROM trace)").fetchone() == (0, 0)
    connection.close()


def test_an_attempt_written_twice_is_one_outlier(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    watched = busy_run(20)
    connection = open_for_writing(file)
    writer = HistoryWriter(connection, version="test")
    writer.write(watched.entries)
    writer.write([entry for entry in watched.entries if entry.spikes])

    assert connection.execute("SELECT count(*) FROM spike").fetchone() == (1,)
    assert (
        to_ms(watched.board.spikes.items[0].started_at)
        == connection.execute("SELECT started_ms FROM spike").fetchone()[0]
    )
    connection.close()
