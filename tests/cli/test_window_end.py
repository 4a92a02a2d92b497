"""A window that is told to end by a signal, as by a session that closes: whatever it is doing, it ends in order."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes.command_line import ROOT, addresses_of
from tests.fakes.demo_exchange import demo_exchange

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a program without asking it")


def _start(home: Path, arguments: Sequence[str] = ()) -> subprocess.Popen[str]:
    # "minimal" is a screen that nobody sees: unlike "offscreen", it does not count as a run without anybody there.
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    variables = {**os.environ, **folders, "HOME": str(home), "QT_QPA_PLATFORM": "minimal", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "monitor", "--verbose", f"--settings={home / 'settings.json'}", *arguments]
    return subprocess.Popen(
        command,
        cwd=home,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}")


def _end(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send the signal, and return what was said until the end."""
    try:
        process.send_signal(number)
        return process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_question_of_the_first_start_does_not_keep_it(tmp_path: Path, number: signal.Signals) -> None:
    process = _start(tmp_path)
    _read_until(process, "asking what to watch")
    # The event loop of the question is waiting by then, with no line of Python to run.
    time.sleep(1.0)
    said = _end(process, number)

    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert not (tmp_path / "settings.json").exists(), "nothing was chosen"


def test_a_window_that_polls_keeps_its_settings(tmp_path: Path) -> None:
    with demo_exchange() as exchange:
        process = _start(tmp_path, addresses_of(exchange))
        _read_until(process, "bitunix")
        said = _end(process, signal.SIGTERM)

    assert process.returncode == 0, said
    assert "window closed after" in said
    assert "Traceback" not in said
    assert "window_state" in (tmp_path / "settings.json").read_text()


def test_a_signal_while_it_starts_is_not_lost(tmp_path: Path) -> None:
    with demo_exchange() as exchange:
        for delay_s in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5):
            process = _start(tmp_path, [*addresses_of(exchange), "--duration=300"])
            _read_until(process, "the window is on screen")
            time.sleep(delay_s)
            said = _end(process, signal.SIGTERM)

            assert process.returncode == 0, f"{delay_s} s: {said}"
            assert "Traceback" not in said
