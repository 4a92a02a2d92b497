"""One instance per profile, tried with real processes: what is shown, what is left behind by one that was killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from monitor.desktop.single_instance import OtherInstanceError, SingleInstance, address_of, ask_to_show
from tests.fakes.command_line import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the child is ended with a POSIX signal")

CHILD = """
import sys, time
from pathlib import Path
from monitor.desktop.single_instance import SingleInstance
mine = SingleInstance.claim(Path(sys.argv[1]))
if mine:
    mine.serve(lambda _: None)
print("first" if mine else "second", flush=True)
if mine:
    time.sleep(float(sys.argv[2]))
    mine.close()
"""


def start(folder: Path, seconds: float = 60.0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def halt(child: subprocess.Popen[str]) -> None:
    """Make it hang. Its threads stop one after the other; one that still ran could answer."""
    os.kill(child.pid, signal.SIGSTOP)
    _, status = os.waitpid(child.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait(10)
    assert child.stdout is not None
    child.stdout.close()


def test_a_second_start_in_another_process_has_the_first_show_itself(tmp_path: Path) -> None:
    shown = threading.Event()
    first = SingleInstance.claim(tmp_path)
    assert first is not None
    first.serve(lambda _: shown.set())
    second = start(tmp_path)
    try:
        assert first_line(second) == "second"
        assert shown.wait(5)
        assert second.wait(10) == 0
    finally:
        end(second)
        first.close()
    assert not Path(address_of(tmp_path)).exists()


def test_a_killed_instance_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    killed = start(tmp_path)
    assert first_line(killed) == "first"
    os.kill(killed.pid, signal.SIGKILL)
    end(killed)

    again = SingleInstance.claim(tmp_path)

    assert again is not None
    again.close()


def test_only_one_of_many_simultaneous_starts_is_first(tmp_path: Path) -> None:
    children = [start(tmp_path, 3.0) for _ in range(6)]
    words = sorted(first_line(child) for child in children)
    for child in children:
        end(child)

    assert words == ["first", *["second"] * 5]


def test_profiles_do_not_know_each_other(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "a folder with spaces and ü"]
    claims = []
    for folder in folders:
        folder.mkdir()
        claims.append(SingleInstance.claim(folder))

    assert all(claim is not None for claim in claims)
    for claim in claims:
        assert claim is not None
        claim.close()
        claim.close()


def test_a_start_while_the_first_one_is_still_starting_waits_for_its_window(tmp_path: Path) -> None:
    first = SingleInstance.claim(tmp_path)
    assert first is not None
    shown: list[str] = []
    timer = threading.Timer(0.5, first.serve, [shown.append])
    timer.start()
    assert SingleInstance.claim(tmp_path) is None
    timer.join()

    assert shown == [""]
    assert SingleInstance.claim(tmp_path, token="granted") is None
    assert shown == ["", "granted"]
    first.close()
    assert shown == ["", "granted"], "its own end is no request"


def test_an_instance_that_does_not_answer_is_told_to_the_user(tmp_path: Path) -> None:
    hung = start(tmp_path)
    assert first_line(hung) == "first"
    halt(hung)
    try:
        with pytest.raises(OtherInstanceError, match="already running"):
            SingleInstance.claim(tmp_path)
    finally:
        end(hung)


def test_a_hung_instance_with_a_full_queue_blocks_nobody(tmp_path: Path) -> None:
    hung = start(tmp_path)
    assert first_line(hung) == "first"
    halt(hung)
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    try:
        for one in waiting:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(address_of(tmp_path))
        with pytest.raises(BlockingIOError):
            waiting[-1].connect(address_of(tmp_path))

        assert ask_to_show(address_of(tmp_path)) is False
    finally:
        for one in waiting:
            one.close()
        end(hung)


def test_a_folder_without_locks_costs_no_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    claim = SingleInstance.claim(tmp_path / "absent")
    assert claim is not None
    claim.close()
