"""The recorder against a real disk that misbehaves: kill, full, locked, read-only, damaged, deleted."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.history.recorder import HistoryRecorder
from monitor.history.records import Entry
from monitor.history.schema import NotHistoryError, open_for_reading, open_for_writing
from monitor.history.sink import RecordingSink
from monitor.history.trouble import HistoryNotice
from monitor.state.board import Board
from tests.fakes.history_samples import numbered_entry
from tests.fakes.poll_results import EPOCH, FakeClock, make_budget, make_quotes, make_success, make_trace

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 30.0


class Told:
    """Collects notices."""

    def __init__(self) -> None:
        self.notices: list[HistoryNotice] = []

    def __call__(self, notice: HistoryNotice) -> None:
        self.notices.append(notice)

    @property
    def texts(self) -> list[str]:
        return [notice.text for notice in self.notices]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def make_recorder(tmp_path: Path, told: Told) -> Iterator[Callable[..., HistoryRecorder]]:
    made: list[HistoryRecorder] = []

    def make(file: Path | None = None, *, capacity: int = 8_192) -> HistoryRecorder:
        recorder = HistoryRecorder(
            file or tmp_path / "history.db",
            version="test",
            tell=told,
            write_every_s=0.02,
            retry_every_s=0.02,
            capacity=capacity,
        )
        made.append(recorder)
        recorder.start()
        return recorder

    yield make
    for recorder in made:
        assert recorder.close(PATIENCE_S)


def wait_until(condition: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_s, "it never happened"
        time.sleep(0.01)


def prices_in(file: Path) -> list[int]:
    """Numbers recorded, in order; empty as long as there is no readable file."""
    try:
        connection = open_for_reading(file)
    except (sqlite3.Error, NotHistoryError):
        return []
    rows = connection.execute("SELECT CAST(price AS INTEGER) FROM quote ORDER BY reply").fetchall()
    connection.close()
    return [number for (number,) in rows]


def now_entry(number: int) -> Entry:
    return numbered_entry(number, datetime.now(UTC))


def test_what_is_recorded_is_on_disk_without_closing(make_recorder: Callable[..., HistoryRecorder], told: Told) -> None:
    recorder = make_recorder()
    for number in range(1, 6):
        recorder.record(now_entry(number))
    wait_until(lambda: len(prices_in(recorder.file)) == 5)

    assert prices_in(recorder.file) == [1, 2, 3, 4, 5]
    assert told.notices == []


def test_a_socket_that_closes_while_nothing_is_polled_is_on_disk(make_recorder: Callable[..., HistoryRecorder]) -> None:
    clock, recorder = FakeClock(), make_recorder()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    sink = RecordingSink(board, recorder)
    card = ConnectionCard(connection_id=5, host="h:1", opened_at=EPOCH, opened_mono_s=clock(), state="idle", requests=9)
    pool = PoolStats(venue="bitunix", host="h:1", scheme="https", opened=1, idle=1, connections=(card,))
    sink.apply([make_success(make_quotes({"BTCUSDT": "1"}), clock, pools=[pool])])
    closed = replace(card, state="closed", closed_mono_s=clock.advance(70.0), close_cause=CloseCause.EXPIRED)
    gone = replace(pool, idle=0, closed=MappingProxyType({CloseCause.EXPIRED: 1}), connections=(closed,))
    board.note_pools("bitunix", [gone], make_budget(), clock())
    for _ in range(3):
        sink.tick()
    assert recorder.close(PATIENCE_S)

    with sqlite3.connect(recorder.file) as connection:
        lives = connection.execute("SELECT requests, closed_ms - opened_ms FROM connection").fetchall()
        pools = connection.execute("SELECT opened, idle FROM pool ORDER BY id").fetchall()
    connection.close()
    assert lives == [(9, 70_000)]
    assert pools == [(1, 1), (1, 0)], "told once, not with every look"


def test_closing_writes_the_rest_and_marks_the_end(make_recorder: Callable[..., HistoryRecorder]) -> None:
    recorder = make_recorder()
    recorder.record(now_entry(1))
    assert recorder.close(PATIENCE_S)

    with sqlite3.connect(recorder.file) as connection:
        (ended_ms, version) = connection.execute("SELECT ended_ms, version FROM session").fetchone()
        (spans,) = connection.execute("SELECT count(*) FROM span").fetchone()
    connection.close()
    assert ended_ms is not None
    assert version == "test"
    assert spans == 1


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_after_a_kill_everything_shown_more_than_a_second_before_is_there(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    command = [sys.executable, "-m", "tests.fakes.history_samples", str(file), "60", "0.005"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown: list[tuple[int, float]] = []
        for line in process.stdout:
            _, number, shown_s = line.split()
            shown.append((int(number), float(shown_s)))
            # Long enough for several batches, and then in the middle of whatever it does.
            if shown[-1][1] - shown[0][1] > 2.3:
                break
        killed_s = time.monotonic()
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    old = [number for number, shown_s in shown if killed_s - shown_s > 1.0]
    found = prices_in(file)

    assert len(old) > 50
    assert found == list(range(1, len(found) + 1))
    assert len(found) >= len(old)
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM trace").fetchone() == (len(found),)
    connection.close()


@pytest.mark.skipif(sys.platform == "win32", reason="RLIMIT_FSIZE")
def test_a_full_disk_is_told_once_and_recording_resumes_when_there_is_space(tmp_path: Path) -> None:
    import resource  # noqa: PLC0415 - does not exist on Windows

    file = tmp_path / "history.db"
    # The limit of the file size stands for the end of the disk; the child sets it for itself.
    command = [sys.executable, "-m", "tests.fakes.history_samples", str(file), "60", "0.002", "150000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        notices: list[str] = []
        in_trouble_for = last = 0
        is_lifted = False
        for line in process.stdout:
            if line.startswith("notice"):
                notices.append(line)
                if is_lifted and "recorded again" in line:
                    break
                # A checkpoint may have made room for a moment.
                in_trouble_for = 0
                continue
            last = int(line.split()[1])
            in_trouble_for += bool(notices) and "nothing is recorded" in notices[-1]
            if in_trouble_for == 300 and not is_lifted:
                is_lifted = True
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        process.kill()
        process.wait(PATIENCE_S)
    found = prices_in(file)

    assert is_lifted, "monitoring went on for 300 results in trouble"
    assert ["nothing is recorded" in text for text in notices] == [number % 2 == 0 for number in range(len(notices))]
    assert "Nothing was lost" in notices[-1]
    assert found == list(range(1, len(found) + 1))
    assert last >= len(found) > 300


def test_a_file_held_by_another_program_is_told_and_nothing_is_lost(
    make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path
) -> None:
    file = tmp_path / "history.db"
    holder = open_for_writing(file)
    holder.execute("BEGIN IMMEDIATE")
    recorder = make_recorder()
    recorder.record(now_entry(1))
    wait_until(lambda: bool(told.notices))
    recorder.record(now_entry(2))
    holder.execute("COMMIT")
    holder.close()
    wait_until(lambda: prices_in(file) == [1, 2] and len(told.notices) == 2)

    assert "Another program" in told.texts[0]
    assert "Nothing was lost" in told.texts[1]


def test_what_cannot_be_kept_while_in_trouble_is_counted(
    make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path
) -> None:
    file = tmp_path / "history.db"
    holder = open_for_writing(file)
    holder.execute("BEGIN IMMEDIATE")
    recorder = make_recorder(capacity=3)
    recorder.record(now_entry(1))
    wait_until(lambda: bool(told.notices))
    for number in range(2, 8):
        recorder.record(now_entry(number))
    holder.execute("COMMIT")
    holder.close()
    wait_until(lambda: len(told.notices) == 2)

    assert prices_in(file) == [5, 6, 7]
    assert "4 results" in told.texts[1]


def test_a_folder_that_cannot_be_is_told_and_found_when_it_can(
    make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path
) -> None:
    # A file in the way of the folder: unlike missing permissions, that stops the administrator too.
    in_the_way = tmp_path / "data"
    in_the_way.write_text("")
    recorder = make_recorder(in_the_way / "history.db")
    recorder.record(now_entry(1))
    wait_until(lambda: bool(told.notices))
    in_the_way.unlink()
    wait_until(lambda: len(told.notices) == 2)

    assert "cannot be opened" in told.texts[0]
    assert prices_in(recorder.file) == [1]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_read_only_folder_is_told(make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    recorder = make_recorder(folder / "history.db")
    recorder.record(now_entry(1))
    wait_until(lambda: bool(told.notices))
    folder.chmod(0o700)
    wait_until(lambda: len(told.notices) == 2)

    assert prices_in(recorder.file) == [1]


@pytest.mark.parametrize("damage", ["no_database", "bad_page"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(
    make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "history.db"
    if damage == "no_database":
        file.write_bytes(b"this was never a database " * 100)
    else:
        connection = open_for_writing(file)
        connection.close()
        content = bytearray(file.read_bytes())
        content[100:1024] = b"\xff" * 924
        file.write_bytes(content)
    before = file.read_bytes()
    recorder = make_recorder()
    recorder.record(now_entry(1))
    wait_until(lambda: prices_in(file) == [1])

    assert (tmp_path / "history.corrupt-1.db").read_bytes() == before
    assert len(told.notices) == 1
    assert "history.corrupt-1.db" in told.texts[0]


def test_a_reader_can_have_a_damaged_file_replaced(
    make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path
) -> None:
    recorder = make_recorder()
    recorder.record(now_entry(1))
    wait_until(lambda: prices_in(recorder.file) == [1])
    recorder.begin_anew()
    wait_until((tmp_path / "history.corrupt-1.db").exists)
    recorder.record(now_entry(2))
    wait_until(lambda: prices_in(recorder.file) == [2])

    assert prices_in(tmp_path / "history.corrupt-1.db") == [1]


def test_somebody_elses_file_stays_as_it_is(
    make_recorder: Callable[..., HistoryRecorder], told: Told, tmp_path: Path
) -> None:
    file = tmp_path / "history.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = file.read_bytes()
    recorder = make_recorder()
    recorder.record(now_entry(1))
    wait_until(lambda: bool(told.notices))
    assert recorder.close(PATIENCE_S)

    assert file.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["history.db"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not delete open files")
def test_a_file_that_was_deleted_is_begun_again(make_recorder: Callable[..., HistoryRecorder]) -> None:
    recorder = make_recorder()
    recorder.record(now_entry(1))
    wait_until(lambda: prices_in(recorder.file) == [1])
    for path in recorder.file.parent.iterdir():
        path.unlink()
    recorder.record(now_entry(2))
    wait_until(lambda: prices_in(recorder.file) == [2])


@pytest.mark.allow_warnings
def test_an_entry_that_cannot_be_stored_costs_only_itself(
    make_recorder: Callable[..., HistoryRecorder], told: Told
) -> None:
    recorder = make_recorder()
    recorder.record(now_entry(1))
    recorder.record(Entry(at=EPOCH, traces=(make_trace(2, response_bytes=2**70),)))
    recorder.record(now_entry(3))
    wait_until(lambda: bool(told.notices))

    assert prices_in(recorder.file) == [1, 3]
    assert "1 result could not be recorded" in told.texts[0]


def test_two_recorders_on_one_file_do_not_harm_each_other(make_recorder: Callable[..., HistoryRecorder]) -> None:
    recorders = [make_recorder(), make_recorder()]

    def record(recorder: HistoryRecorder) -> None:
        for number in range(1, 201):
            recorder.record(now_entry(number))
            time.sleep(0.001)

    threads = [threading.Thread(target=record, args=(recorder,)) for recorder in recorders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for recorder in recorders:
        assert recorder.close(PATIENCE_S)

    with sqlite3.connect(recorders[0].file) as connection:
        rows = connection.execute("SELECT session, count(*) FROM trace GROUP BY session").fetchall()
        integrity = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    assert [count for _, count in rows] == [200, 200]
    assert integrity == ("ok",)
