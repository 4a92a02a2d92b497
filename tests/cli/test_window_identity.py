"""What a desktop sees of the window: whose it is, its icon, and that a second start brings it back to the front."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from monitor import APP_ID
from tests.fakes.command_line import ROOT
from tests.fakes.x_server import ICONIC, NORMAL, Screen, is_missing, x_server

pytestmark = [
    pytest.mark.xserver,
    pytest.mark.skipif(not sys.platform.startswith("linux") or is_missing(), reason="needs Xvfb and openbox"),
]

NOWHERE = ("--base-url=bitunix=http://127.0.0.1:9", "--base-url=hyperliquid=http://127.0.0.1:9")
OTHER_WINDOW = """
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication(["other"])
label = QLabel("in front")
label.resize(1400, 900)
label.show()
app.exec()
"""


def _variables(screen: Screen, home: Path) -> dict[str, str]:
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    return {**screen.environment, **folders, "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "PYTHONPATH": str(ROOT)}


@contextmanager
def _window_of(screen: Screen, command: list[str], home: Path) -> Iterator[str]:
    """Start ``command``; gives the id of the window it shows."""
    before = set(screen.windows())
    process = subprocess.Popen(
        command,
        cwd=home,
        env=_variables(screen, home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert screen.wait_for(lambda: bool(set(screen.windows()) - before)), "no window came"
        yield next(iter(set(screen.windows()) - before))
    finally:
        process.terminate()
        process.wait(20)


def test_a_second_start_brings_a_window_back_that_task_bars_know(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "monitor", *NOWHERE]
    with x_server() as screen, _window_of(screen, program, tmp_path) as window:
        name = screen.ask("xprop", "-id", window, "WM_CLASS").partition("=")[2]
        # GNOME and KDE compare the first word, the instance, with StartupWMClass.
        assert name.split(",")[0].strip() == f'"{APP_ID}"'
        assert screen.wait_for(lambda: "Icon (" in screen.ask("xprop", "-id", window, "_NET_WM_ICON"))

        screen.ask("xdotool", "windowminimize", window)
        assert screen.wait_for(lambda: screen.state(window) == ICONIC)
        with _window_of(screen, [sys.executable, "-c", OTHER_WINDOW], tmp_path) as other:
            assert screen.wait_for(lambda: screen.active() == screen.topmost() == other)

            second = subprocess.run(
                program, cwd=tmp_path, env=_variables(screen, tmp_path), capture_output=True, text=True, check=False
            )

            assert second.returncode == 0, second.stderr
            assert "already running" in second.stderr
            assert screen.wait_for(lambda: screen.state(window) == NORMAL), "still minimised"
            assert screen.wait_for(lambda: screen.active() == screen.topmost() == window), "still behind the other"
            assert sorted(screen.windows()) == sorted([window, other]), "there is one window only"

        with _window_of(screen, [sys.executable, "-c", OTHER_WINDOW], tmp_path) as other:
            # Not minimised this time, only covered.
            assert screen.wait_for(lambda: screen.topmost() == other)
            subprocess.run(program, cwd=tmp_path, env=_variables(screen, tmp_path), capture_output=True, check=True)
            assert screen.wait_for(lambda: screen.active() == screen.topmost() == window)


def test_the_desktop_entry_names_the_same_window() -> None:
    entry = (ROOT / "packaging" / "linux" / "app.desktop.in").read_text("utf-8")

    assert "StartupWMClass=$app_id" in entry
    assert os.sep not in APP_ID, "Qt keeps what follows the last separator only"
