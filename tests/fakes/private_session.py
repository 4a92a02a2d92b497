"""A D-Bus session of its own with a throw-away home, so that no keyring of the machine is ever touched."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

needs_gnome_keyring = pytest.mark.skipif(
    shutil.which("gnome-keyring-daemon") is None or shutil.which("dbus-run-session") is None,
    reason="needs gnome-keyring and dbus-run-session (packages gnome-keyring, dbus)",
)


def make_home(folder: Path) -> Path:
    """The folders that a session expects."""
    for name in ("data", "config", "cache", "run"):
        (folder / name).mkdir(mode=0o700)
    return folder


def environment_of(home: Path) -> dict[str, str]:
    """Nothing of the machine's own session."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_RUNTIME_DIR": str(home / "run"),
        "LANG": "C.UTF-8",
    }


def run_in_session(home: Path, lines: Sequence[str], *, unlock: str | None) -> subprocess.CompletedProcess[str]:
    """Run shell ``lines`` in a private session whose keyring is unlocked with ``unlock``; ``None``: no daemon yet."""
    opening = f"printf %s '{unlock}' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1"
    return subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", "\n".join([*([] if unlock is None else [opening]), *lines])],
        env=environment_of(home),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
