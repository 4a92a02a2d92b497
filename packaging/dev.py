"""The two commands: ``python3 packaging/dev.py demo`` and ``python3 packaging/dev.py test``.

Needs nothing but Python's standard library. This file stays within the syntax of old Pythons, so that they get a
sentence and not a traceback; what the commands do is in ``dev_commands.py`` and its neighbours.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

OLDEST, NEWEST = (3, 11), (3, 13)
COMMANDS = ("demo", "test", "prepare")
USAGE = """\
usage: python3 packaging/dev.py COMMAND [ARGUMENT ...]

commands:
  demo      install what is missing, then start Trading Monitor on its embedded demo exchange;
            arguments go to the program, for example: demo --duration 60
  test      install what is missing, then check style and types and run all tests;
            arguments go to pytest, for example: test -k latency
  prepare   only install what both of them need

Everything is installed into .venv in this checkout, from a lock with exact versions; delete .venv
to be rid of it. On Debian and Ubuntu, missing system libraries are installed with apt-get, as root
or through sudo; where neither works, the line to run is printed. A repeat needs no network.
Afterwards .venv/bin/trading-monitor (.venv\\Scripts\\trading-monitor on Windows) starts the program.
"""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code: 2 when the person has to do something first."""
    command = arguments[0] if arguments else ""
    if command in ("", "-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if command else 2
    if command not in COMMANDS:
        print(f"There is no command {command!r}.\n\n{USAGE}", end="", file=sys.stderr)
        return 2
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        other = find_python(version_of)
        if other is None:
            print(wrong_python(version), file=sys.stderr)
            return 2
        print(f"Python {version[0]}.{version[1]} does not fit; going on with {other}.", flush=True)
        return subprocess.run([other, str(Path(__file__).resolve()), *arguments], check=False).returncode

    from dev_commands import run  # noqa: PLC0415  an older Python may not get this far

    return run(command, arguments[1:])


def wrong_python(version: Sequence[int]) -> str:
    """Return what to tell a person whose Python is too old or too new, when no other was found."""
    age = "too old" if tuple(version) < OLDEST else "newer than this version of the program was tested with"
    return (
        f"This is Python {version[0]}.{version[1]}, which is {age}, and no other was found.\n"
        "Install Python 3.11, 3.12 or 3.13 and start the command with it, for example:\n"
        "    python3.12 packaging/dev.py demo        (Windows: py -3.12 packaging\\dev.py demo)"
    )


def find_python(
    look: Callable[[str], tuple[int, int] | None], minors: Iterable[int] = range(NEWEST[1], OLDEST[1] - 1, -1)
) -> str | None:
    """Return the path of another Python that fits, the newest first, or None. ``look`` tells a program's version."""
    for minor in minors:
        path = shutil.which(f"python3.{minor}")
        # The name is no proof: version managers put programs there that only say "not installed".
        if path is not None and look(path) == (3, minor):
            return path
    return None


def version_of(python: str) -> tuple[int, int] | None:
    """Return the version of the Python at this path, None when it does not start."""
    try:
        answer = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return None
    return int(answer[0]), int(answer[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
