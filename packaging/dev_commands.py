"""What the commands of dev.py do: make this checkout ready, then start the program or the checks."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import dev_system
from dev_report import Stop, become, run_visible, say
from dev_venv import DEV, RUNTIME, VirtualEnvironment, only_one

ROOT = Path(__file__).resolve().parent.parent
# Ignored by git, like everything else that these commands write.
CACHE = ROOT / ".cache"

# What Ctrl-C gives in a shell: 128 + SIGINT.
EXIT_INTERRUPTED = 130


class Check(NamedTuple):
    """One of the checks of the test command: a name and the arguments for ``python -m``."""

    name: str
    arguments: Sequence[str]


CHECKS_BEFORE_TESTS = (
    Check("ruff check", ("ruff", "check")),
    Check("ruff format", ("ruff", "format", "--check")),
    Check("mypy", ("mypy",)),
)


def run(command: str, arguments: Sequence[str]) -> int:
    """Run one command (``demo``, ``test`` or ``prepare``) and return the exit code.

    Never raises for what can be foreseen: a failed step is told as a sentence.
    """
    try:
        if command == "demo":
            venv = make_ready(RUNTIME)
            say("Starting Trading Monitor on its demo exchange.")
            return become([str(venv.python), "-P", "-m", "monitor", "--demo", *arguments])
        venv = make_ready(DEV)
        if command == "prepare":
            say("Ready.")
            return 0
        return run_checks(venv, arguments)
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
        return stop.exit_code
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again to finish.", file=sys.stderr)
        return EXIT_INTERRUPTED
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(f"\nThis did not work: {error.strerror or error}{place}.", file=sys.stderr)
        return 1


def make_ready(kind: str) -> VirtualEnvironment:
    """Install what is missing for ``kind`` (RUNTIME or DEV) and return the environment.

    Blocks; quick and without network when nothing is missing. Raises Stop.
    """
    problem = platform_problem(
        system=platform.system(),
        machine=platform.machine(),
        libc=platform.libc_ver(),
        mac_release=platform.mac_ver()[0],
        is_64_bit=sys.maxsize > 2**32,
        python=(sys.version_info[0], sys.version_info[1]),
    )
    if problem is not None:
        raise Stop(problem, exit_code=2)
    venv = VirtualEnvironment(ROOT)
    if not venv.is_ready(kind) or dev_system.missing(_needs(venv, kind)):
        CACHE.mkdir(exist_ok=True)
        with only_one(CACHE / "dev.lock"):
            _install(venv, kind, log=CACHE / "dev.log")
    return venv


def _install(venv: VirtualEnvironment, kind: str, *, log: Path) -> None:
    started_s = time.perf_counter()
    log.write_bytes(b"")
    # Looked at again: another run may have done it while this one waited.
    dev_system.provide(_needs(venv, kind), log=log)
    if not venv.is_ready(kind):
        venv.prepare(kind, log=log)
    say(f"Everything is installed ({time.perf_counter() - started_s:.0f} s).")


def _needs(venv: VirtualEnvironment, kind: str) -> list[dev_system.Need]:
    return dev_system.needs(
        platform=sys.platform,
        environment=os.environ,
        for_tests=kind == DEV,
        for_venv=not venv.is_ready(RUNTIME),
    )


def platform_problem(
    *,
    system: str,
    machine: str,
    libc: tuple[str, str],
    mac_release: str,
    is_64_bit: bool,
    python: tuple[int, int],
) -> str | None:
    """Return why the libraries of the lock cannot be installed here, None when they can.

    They are installed as wheels only, and these are the systems that Qt's and cryptography's wheels are made for. The
    arguments are what the functions of ``platform`` return.
    """
    is_arm = machine.lower() in ("arm64", "aarch64")
    if not is_64_bit:
        return "This is a 32-bit Python; Qt is there for 64-bit ones only. Install a 64-bit Python."
    if system == "Windows" and is_arm:
        return "This is a Python for Windows on ARM, which some libraries are not made for. Install the x86-64 one."
    if system == "Darwin":
        # 3.12 and later take a newer Qt.
        oldest = 13 if python < (3, 12) else 14
        if not is_arm:
            return "Macs with an Intel processor are not supported: some libraries are made for Apple silicon only."
        if mac_release and int(mac_release.split(".", maxsplit=1)[0]) < oldest:
            return f"This is macOS {mac_release}; Qt needs macOS {oldest} or later with this Python."
    if system == "Linux":
        if libc[0] != "glibc":
            return "Qt's libraries need a Linux with glibc; this one seems to use another C library (musl?)."
        needed = "2.39" if is_arm else "2.34"
        if _numbers(libc[1]) < _numbers(needed):
            return (
                f"This Linux has glibc {libc[1]}; Qt needs {needed} or later "
                f"({'Ubuntu 24.04' if is_arm else 'Debian 12, Ubuntu 22.04'} or newer)."
            )
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def run_checks(venv: VirtualEnvironment, pytest_arguments: Sequence[str]) -> int:
    """Run style, types and tests, all of them whatever fails, and return the first exit code that is not 0.

    pytest comes last: its own closing line ends the output, followed only by what else has failed.
    """
    os.chdir(ROOT)
    results = [(check.name, _run_check(venv, check, dict(os.environ))) for check in CHECKS_BEFORE_TESTS]

    environment = dict(os.environ)
    # No windows popping up; the tests that want a real one start their own X server.
    environment.setdefault("QT_QPA_PLATFORM", "offscreen")
    # Two processes, one of them for tests that mostly wait (tests/conftest.py); more would spoil what is timed.
    tests = Check("pytest", ("pytest", "--numprocesses=2", "--dist=loadgroup", "--durations=10", *pytest_arguments))
    results.append((tests.name, _run_check(venv, tests, environment, is_last=True)))

    failed = [(name, code) for name, code in results if code]
    if failed:
        say(f"Failed: {', '.join(name for name, _ in failed)}")
    return failed[0][1] if failed else 0


def _run_check(venv: VirtualEnvironment, check: Check, environment: dict[str, str], *, is_last: bool = False) -> int:
    say(f"== {check.name}")
    started_s = time.perf_counter()
    code = run_visible([str(venv.python), "-m", *check.arguments], environment)
    if not is_last:
        say(f"   {check.name}: {'passed' if code == 0 else 'FAILED'} in {time.perf_counter() - started_s:.1f} s")
    return code
