"""Which system packages are missing on Linux, and how they get there.

Windows and macOS need none: their wheels bring everything. On Linux the Qt wheels take the graphics, font and keyboard
libraries from the system. Each one is looked for by loading it, so nothing is installed, and no network used, on a
machine that has them, whatever its package manager calls them.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dev_report import Stop, run_step, say


class Need(NamedTuple):
    """Something the system must have: ``name`` as it is looked for, and the Debian ``package`` that brings it."""

    kind: str
    """``library``, ``program`` or ``module``."""
    name: str
    package: str


def _libraries(table: Mapping[str, str]) -> list[Need]:
    return [Need("library", name, package) for name, package in table.items()]


# Without any one of these six, QtWidgets does not import, not even for the offscreen platform.
QT_NEEDS = _libraries(
    {
        "libGL.so.1": "libgl1",
        "libEGL.so.1": "libegl1",
        "libglib-2.0.so.0": "libglib2.0-0",
        "libfontconfig.so.1": "libfontconfig1",
        "libxkbcommon.so.0": "libxkbcommon0",
        "libdbus-1.so.3": "libdbus-1-3",
    }
)
# What Qt's xcb plugin links beyond that. When one is missing Qt does not raise, it aborts the process.
XCB_NEEDS = _libraries(
    {
        "libX11-xcb.so.1": "libx11-xcb1",
        "libxcb-cursor.so.0": "libxcb-cursor0",
        "libxcb-icccm.so.4": "libxcb-icccm4",
        "libxcb-image.so.0": "libxcb-image0",
        "libxcb-keysyms.so.1": "libxcb-keysyms1",
        "libxcb-randr.so.0": "libxcb-randr0",
        "libxcb-render-util.so.0": "libxcb-render-util0",
        "libxcb-render.so.0": "libxcb-render0",
        "libxcb-shape.so.0": "libxcb-shape0",
        "libxcb-shm.so.0": "libxcb-shm0",
        "libxcb-sync.so.1": "libxcb-sync1",
        "libxcb-util.so.1": "libxcb-util1",
        "libxcb-xfixes.so.0": "libxcb-xfixes0",
        "libxcb-xkb.so.1": "libxcb-xkb1",
        "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    }
)
WAYLAND_NEEDS = _libraries(
    {
        "libwayland-client.so.0": "libwayland-client0",
        "libwayland-cursor.so.0": "libwayland-cursor0",
        "libwayland-egl.so.1": "libwayland-egl1",
    }
)
# The tests that drive a real window bring their own X server.
TEST_NEEDS = [
    *XCB_NEEDS,
    Need("program", "Xvfb", "xvfb"),
    Need("program", "xauth", "xauth"),
    Need("program", "xdotool", "xdotool"),
    # The tests of the keyring bring a session bus and a keyring of their own.
    Need("program", "dbus-run-session", "dbus"),
    Need("program", "gnome-keyring-daemon", "gnome-keyring"),
]
_VENV_PACKAGE = "python{0}.{1}-venv"


def needs(*, platform: str, environment: Mapping[str, str], for_tests: bool, for_venv: bool) -> list[Need]:
    """Return what this run needs, in a fixed order and without repeats.

    ``platform`` is ``sys.platform``. A display (DISPLAY or WAYLAND_DISPLAY) asks for the libraries of a real window,
    ``for_tests`` for a virtual one, ``for_venv`` for what makes a virtual environment.
    """
    wanted: list[Need] = []
    if for_venv:
        wanted.append(Need("module", "ensurepip", _VENV_PACKAGE.format(*sys.version_info)))
    if platform.startswith("linux"):
        wanted += QT_NEEDS
        if environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"):
            wanted += XCB_NEEDS
        if environment.get("WAYLAND_DISPLAY"):
            wanted += WAYLAND_NEEDS
        if for_tests:
            wanted += TEST_NEEDS
    return list(dict.fromkeys(wanted))


def is_present(need: Need) -> bool:
    """Say whether this system has it, by loading the library or looking for the program or module."""
    if need.kind == "program":
        return shutil.which(need.name) is not None
    if need.kind == "module":
        return importlib.util.find_spec(need.name) is not None
    try:
        ctypes.CDLL(need.name)
    except OSError:
        return False
    return True


def missing(wanted: Sequence[Need], look: Callable[[Need], bool] = is_present) -> list[Need]:
    """Return those of ``wanted`` that the system does not have."""
    return [need for need in wanted if not look(need)]


def apt_line(absent: Sequence[Need]) -> str:
    """Return the one line that a person with sudo can paste."""
    packages = " ".join(_packages(absent))
    return f"sudo apt-get update && sudo apt-get install --no-install-recommends {packages}"


def provide(wanted: Sequence[Need], *, log: Path) -> None:
    """Install what is missing of ``wanted`` with apt-get; do nothing, at once, when nothing is.

    Blocks for as long as apt-get takes; may ask for sudo's password at the terminal. Raises Stop, with exit code 2
    when the person has to install something first.
    """
    absent = missing(wanted)
    if not absent:
        return
    if shutil.which("apt-get") is None or not _is_from_debian(absent):
        raise Stop(how_to_without_apt(absent), exit_code=2)
    packages = _packages(absent)
    say(f"Missing system packages: {' '.join(packages)}")
    prefix = _root_prefix(absent)

    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"]
    advice = f"Look at the lines above (network, disk, package sources), or install by hand:\n    {apt_line(absent)}"
    run_step("Reading the package lists (apt-get update)", [*apt, "update"], log=log, advice=advice)
    run_step(
        f"Installing {len(packages)} system package(s) (apt-get install)",
        [*apt, "-o", "Acquire::Retries=3", "install", "--yes", "--no-install-recommends", *packages],
        log=log,
        advice=advice,
    )
    # A module installed a moment ago is not seen through the import system's caches.
    importlib.invalidate_caches()
    still = missing(absent)
    if still:
        raise Stop(f"apt-get installed its packages, but these are still not found: {_names(still)}.")


def how_to_without_apt(absent: Sequence[Need]) -> str:
    """Return what to tell a person whose system has no apt-get, or whose Python is not the system's own."""
    if any(need.kind == "module" for need in absent) and not _is_from_debian(absent):
        return (
            f"The Python at {sys.executable} comes without ensurepip, so it cannot make a virtual environment.\n"
            "Use another Python 3.11, 3.12 or 3.13 (python.org's, Homebrew's, pyenv's or the system's own)."
        )
    return (
        f"These are missing on this system: {_names(absent)}.\n"
        "Install the packages of your distribution that hold them and run this again.\n"
        f"(On Debian and Ubuntu they are called: {' '.join(_packages(absent))})"
    )


def _is_from_debian(absent: Sequence[Need]) -> bool:
    # ensurepip belongs to one Python; apt-get can only complete the one that it installed itself.
    return sys.base_prefix == "/usr" or all(need.kind != "module" for need in absent)


def _packages(absent: Sequence[Need]) -> list[str]:
    return list(dict.fromkeys(need.package for need in absent))


def _names(absent: Sequence[Need]) -> str:
    return ", ".join(need.name for need in absent)


def _root_prefix(absent: Sequence[Need]) -> list[str]:
    if os.geteuid() == 0:
        return []
    manual = f"Run this line once, then the same command again:\n    {apt_line(absent)}"
    sudo = shutil.which("sudo")
    if sudo is None:
        raise Stop(f"They need root to install, and there is no sudo here. {manual}\n(As root, leave sudo out.)", 2)
    if sys.stdin is not None and sys.stdin.isatty():
        say("They need root to install: sudo may ask for your password (Ctrl-C to do it yourself).")
        allowed = subprocess.run([sudo, "-v"], check=False)
    else:
        allowed = subprocess.run([sudo, "-n", "true"], check=False, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if allowed.returncode:
        raise Stop(f"They need root to install, and sudo does not allow it here. {manual}", 2)
    return [sudo, "-n"]
