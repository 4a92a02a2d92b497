"""Commands whose output nobody reads any more: ``| head -1`` ends them quietly, as any Unix program."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.cli import EXIT_READER_GONE
from tests.fakes.command_line import ROOT, addresses_of, run_monitor
from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a pipe without a reader is another error there")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


def run_unread(arguments: list[str], home: Path, *, reads_stderr: bool = True) -> tuple[int, str]:
    """Exit code and standard error of a command whose standard output has no reader from the start."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", *arguments],
            env={**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE if reads_stderr else writer,
            text=True,
            timeout=120.0,
            check=False,
        )
    finally:
        os.close(writer)
    return done.returncode, done.stderr or ""


@pytest.mark.parametrize("extra", [["--json"], []])
def test_snapshot_without_a_reader_ends_quietly(exchange: DemoServer, tmp_path: Path, extra: list[str]) -> None:
    arguments = ["snapshot", "--venue=bitunix", "--instrument=BTCUSDT", *addresses_of(exchange), *extra]

    code, told = run_unread(arguments, tmp_path)

    assert code == EXIT_READER_GONE
    assert told == ""


def test_watch_without_a_reader_ends_quietly(exchange: DemoServer, tmp_path: Path) -> None:
    code, told = run_unread(["watch", "--duration=2", *addresses_of(exchange)], tmp_path)

    assert code == EXIT_READER_GONE
    assert "Traceback" not in told
    assert "mistake" not in told
    assert "BrokenPipe" not in told


@pytest.mark.parametrize("command", [["--help"], ["simulate", "--json", "--port=0"], ["credentials", "--help"]])
def test_short_output_without_a_reader_is_no_traceback(tmp_path: Path, command: list[str]) -> None:
    code, told = run_unread(command, tmp_path)

    # The parser of arguments forgives a pipe that breaks while it writes, and then there is nothing left to write.
    assert code in (0, EXIT_READER_GONE)
    assert told == ""


def test_export_without_a_reader_ends_quietly(exchange: DemoServer, tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    run_monitor(["watch", "--duration=2", f"--history={file}", *addresses_of(exchange)], home=tmp_path)

    code, told = run_unread(["export", "--from=1h", f"--db={file}"], tmp_path)

    assert code == EXIT_READER_GONE
    assert told == ""


def test_nothing_at_all_can_be_told(exchange: DemoServer, tmp_path: Path) -> None:
    arguments = ["snapshot", "--venue=bitunix", "--instrument=NO-SUCH", *addresses_of(exchange)]

    code, _ = run_unread(arguments, tmp_path, reads_stderr=False)

    assert code == EXIT_READER_GONE


def test_a_window_of_fixed_length_ends_without_a_reader(tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"

    code, told = run_unread(["--demo", "--duration=4", f"--screenshot={picture}"], tmp_path)

    assert code == EXIT_READER_GONE
    assert picture.stat().st_size > 10_000
    assert "Traceback" not in told
