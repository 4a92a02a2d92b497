"""The checkout's own virtual environment: made from a lock, marked when complete, made again when it is not.

A stamp file is written last and named after everything the environment depends on. No stamp, no environment: a
half-made one (no ensurepip, Ctrl-C, a full disk) is made again from nothing instead of being repaired.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from dev_report import Stop, run_step, say

RUNTIME = "runtime"
DEV = "dev"
LOCKS = {RUNTIME: "requirements.lock", DEV: "requirements-dev.lock"}

# Raise it when something below changes what an environment looks like: launchers, options, the path file.
LAYOUT = 1

_PATH_FILE = "trading_monitor_checkout.pth"
# Imported once after an installation: a library that the list of system packages forgot shows here, not in the window.
FIRST_IMPORTS = "import numpy, requests, msgspec, keyring, trustme, PySide6.QtWidgets, PySide6.QtSvg, pyqtgraph"


class VirtualEnvironment:
    """``.venv`` in ``root``, for one version of Python (by default the running one).

    Not for use from several threads; several processes are kept apart by a lock file.
    """

    def __init__(
        self,
        root: Path,
        python_version: tuple[int, int] | None = None,
        *,
        first_imports: str = FIRST_IMPORTS,
    ) -> None:
        self.root = root
        self._first_imports = first_imports
        self.folder = root / ".venv"
        self.version = python_version or (sys.version_info[0], sys.version_info[1])
        self._scripts = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self._scripts / ("python.exe" if os.name == "nt" else "python")

    def stamp(self, kind: str) -> Path:
        """Return the file that marks a complete environment of this ``kind`` (RUNTIME or DEV).

        Its name changes with the lock, the Python version and the place of the checkout (a moved environment is
        broken: its programs hold the old path). Raises Stop when the lock file is not there.
        """
        lock = self.root / LOCKS[kind]
        try:
            content = lock.read_bytes()
        except OSError as error:
            raise Stop(f"{lock} cannot be read ({error.strerror}): the checkout is not complete.") from error
        facts = f"{LAYOUT}\n{self.version}\n{self.folder}\n".encode("utf-8", "surrogateescape")
        # A checkout with Windows line endings has the same lock.
        digest = hashlib.sha256(facts + content.replace(b"\r\n", b"\n")).hexdigest()
        return self.folder / f"ready-{kind}-{digest[:16]}"

    def is_ready(self, kind: str) -> bool:
        """Say whether the environment is complete; quick, and touches no network."""
        return self.stamp(kind).is_file() and self.python.exists()

    def why_again(self) -> str | None:
        """Return why a present ``.venv`` must be made again, or None when there is none."""
        if not os.path.lexists(self.folder):
            return None
        if not any(self.folder.glob("ready-*")):
            return "it was not finished, or not made by this command"
        if not self.python.exists():
            return "the Python it was made with is gone"
        return "the lock, the Python version or the place of the checkout has changed"

    def prepare(self, kind: str, *, log: Path) -> None:
        """Make the environment complete for ``kind``. Blocks; installs from the network only when it is not.

        Raises Stop when a step fails.
        """
        # The test tools go on top of a complete environment; anything else starts from nothing.
        is_addition = kind == DEV and self.is_ready(RUNTIME) and not any(self.folder.glob(f"ready-{DEV}-*"))
        if is_addition:
            self._forget_stamps()
        else:
            self._make(log)
        lock = self.root / LOCKS[kind]
        count = sum(line[:1].isalnum() for line in lock.read_text("utf-8").splitlines())
        run_step(
            f"Installing Python packages from {lock.name} (at most {count})",
            [
                *self._pip(),
                "install",
                # The lock is complete; resolving again could only disagree with it.
                "--no-deps",
                "--require-hashes",
                "--only-binary=:all:",
                "--progress-bar=off",
                "--requirement",
                str(lock),
            ],
            log=log,
            environment=_without_pip_targets(),
            advice="Most often this is the network, a proxy (HTTPS_PROXY) or a full disk. It starts anew next time.",
        )
        if not is_addition:
            self._connect_checkout()
            run_step(
                "Checking that Qt and the libraries load",
                [str(self.python), "-c", self._first_imports],
                log=log,
                advice="A system library is missing or does not fit. Please report it with the lines above.",
            )
        for ready in (RUNTIME, kind):
            self.stamp(ready).touch()

    def _make(self, log: Path) -> None:
        reason = self.why_again()
        if reason is not None:
            say(f"Making .venv again: {reason}.")
            if self.folder.is_symlink():
                raise Stop(f"{self.folder} is a link to another place. Remove it and run this again.", 2)
            self._forget_stamps()
            try:
                shutil.rmtree(self.folder)
            except OSError as error:
                raise Stop(
                    f"{error.filename} cannot be removed ({error.strerror}).\n"
                    "Close Trading Monitor and other programs that run from it, or delete .venv yourself.",
                    2,
                ) from error
        run_step(
            f"Making a virtual environment in .venv (Python {sys.version.split()[0]})",
            [_base_python(), "-I", "-m", "venv", str(self.folder)],
            log=log,
            advice="The folder is made anew next time.",
        )

    def _forget_stamps(self) -> None:
        for stamp in self.folder.glob("ready-*"):
            stamp.unlink()

    def _pip(self) -> list[str]:
        # Isolated: PYTHONPATH and the user's own packages must not decide what is already installed.
        return [str(self.python), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]

    def _connect_checkout(self) -> None:
        # The project itself is not installed: that needs a build tool from the network, and edits show at once.
        version = "python{}.{}".format(*self.version)
        library = self.folder / ("Lib" if os.name == "nt" else f"lib/{version}") / "site-packages"
        # Path files are read in the locale's encoding up to Python 3.12; ASCII with escapes is safe everywhere.
        line = f"import sys; sys.path.append({str(self.root)!a})\n"
        (library / _PATH_FILE).write_text(line, "ascii")

        # -P keeps a folder called "monitor" in the current directory from being taken for the program.
        if os.name == "nt":
            (self._scripts / "trading-monitor.cmd").write_text('@"%~dp0python.exe" -P -m monitor %*\n', "ascii")
            return
        launcher = self._scripts / "trading-monitor"
        python = os.fsencode(shlex.quote(str(self.python)))
        launcher.write_bytes(b"#!/bin/sh\nexec " + python + b' -P -m monitor "$@"\n')
        launcher.chmod(0o755)


@contextlib.contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Keep other processes out of the block; wait, and say so, while one of them is in it."""
    with lock_file.open("a+b") as handle:
        is_told = False
        while not _try_lock(handle.fileno()):
            if not is_told:
                say("Another run is preparing this checkout; waiting for it to finish.")
                is_told = True
            time.sleep(0.3)
        # Closing the file, or the end of the process however it comes, gives the lock back.
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415  this module exists on Windows only

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415  and this one everywhere else

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _base_python() -> str:
    # When .venv's own Python runs this, it is about to be deleted; the one it was made from stays.
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def _without_pip_targets() -> dict[str, str]:
    # The person's index, proxy and certificates count; settings that send packages elsewhere do not.
    elsewhere = {
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_USER",
        "PIP_CONSTRAINT",
        "PIP_REQUIREMENT",
        "PIP_EDITABLE",
    }
    return {name: value for name, value in os.environ.items() if name not in elsewhere}
