"""Tests that run in a second process are told like any other: passed, failed, skipped, or gone with their process."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from tests.fakes.command_line import ROOT

CONFTEST = """
import os
from pathlib import Path
import pytest
from tests.fakes import beside

def pytest_configure(config):
    beside.register(config)

@pytest.fixture(autouse=True)
def _tell(request):
    Path(request.node.name + ".pid").write_text(f"{os.getpid()} {os.getppid()}")
"""
BUSY = """
def test_busy():
    pass
"""
WAITING = """
import os
import pytest

pytestmark = pytest.mark.beside

def test_passes():
    pass

def test_fails():
    print("said before")
    assert 1 == 2, "in the second process"

@pytest.mark.skip(reason="not here")
def test_is_skipped():
    pass
"""
CRASHES = """

def test_ends_its_process():
    os.abort()

def test_never_comes():
    pass
"""
INTERRUPTS = """
import time
from pathlib import Path

def test_interrupts_once_the_other_process_waits():
    while not Path("test_passes.pid").exists():
        time.sleep(0.01)
    raise KeyboardInterrupt
"""


def run(folder: Path, waiting: str, *chosen: str) -> str:
    """What pytest says of the two modules, or of those chosen."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_a_waiting.py").write_text(waiting)
    (folder / "test_busy.py").write_text(BUSY)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-ra", "-p", "no:cacheprovider", *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def process_of(folder: Path, test: str) -> tuple[int, int]:
    """The process that ran ``test``, and its parent."""
    own, parent = (folder / f"{test}.pid").read_text().split()
    return int(own), int(parent)


def test_what_waits_runs_in_a_second_process_and_is_told_last(tmp_path: Path) -> None:
    said = run(tmp_path, WAITING)

    first, _ = process_of(tmp_path, "test_busy")
    assert process_of(tmp_path, "test_passes")[1] == process_of(tmp_path, "test_fails")[1] == first
    order = [
        line.partition("::")[2].split()[:2] for line in said.partition("= FAILURES =")[0].splitlines() if "::" in line
    ]
    assert order == [
        ["test_busy", "PASSED"],
        ["test_passes", "PASSED"],
        ["test_fails", "FAILED"],
        ["test_is_skipped", "SKIPPED"],
    ]
    for words in ("assert 1 == 2", "in the second process", "said before", "not here"):
        assert words in said
    assert "1 failed, 2 passed, 1 skipped" in said


def test_what_waits_runs_here_when_there_is_nothing_to_run_beside(tmp_path: Path) -> None:
    said = run(tmp_path, WAITING, "test_a_waiting.py")

    assert process_of(tmp_path, "test_passes") == process_of(tmp_path, "test_fails")
    assert process_of(tmp_path, "test_passes")[1] == os.getpid()
    assert "1 failed, 1 passed, 1 skipped" in said


def test_a_second_process_that_is_gone_is_a_failure_with_its_last_words(tmp_path: Path) -> None:
    said = run(tmp_path, WAITING + CRASHES, "-k", "busy or passes or ends or never")

    assert "2 failed, 2 passed, 2 deselected" in said
    assert "ended without a report" in said
    assert "Fatal Python error: Aborted" in said


def test_the_second_process_ends_with_the_first(tmp_path: Path) -> None:
    (tmp_path / "test_interrupts.py").write_text(INTERRUPTS)
    said = run(tmp_path, WAITING.replace("def test_passes():", "def test_passes():\n    import time; time.sleep(60)"))

    assert "KeyboardInterrupt" in said
    assert not psutil.pid_exists(process_of(tmp_path, "test_passes")[0])
