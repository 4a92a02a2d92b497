"""This program once more, for what deserves a window of its own."""

import subprocess
import sys
from pathlib import Path


def open_in_new_window(file: Path) -> None:
    """Start this program once more to show ``file``; the running one goes on watching.

    Raises:
        OSError: it could not be started.
    """
    program = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "monitor"]
    root = Path(__file__).resolve().parents[2]
    subprocess.Popen(  # noqa: S603 - our own program; the file is one argument, never a shell's
        [*program, "--replay", str(file.resolve())],
        cwd=None if getattr(sys, "frozen", False) else root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
