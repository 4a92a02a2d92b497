"""Build the desktop bundle and try it: ``python packaging/build.py [--strict] [--skip-smoke] [--skip-floors]``.

Makes ``dist/trading-monitor`` (``dist/Trading Monitor.app`` on macOS) from the locks, in an environment of its own,
with the commit written into it; starts what it built (``smoke.py``); bundles the floors of ``packaging/floors`` and
prints size and start-up beside them (``start_times.py``). It needs a network once.
"""

import argparse
import os
import shutil
import string
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import bundle_facts as facts
from build_venv import build_python

FLOORS = ("hello", "empty_plot", "same_libraries")
PLAIN_ARCHIVE = {"PYINSTALLER_ZLIB_COMPRESSION_LEVEL": "0"}
"""To unpack some 900 modules at each start takes a twelfth of the time to the first price; 11 MB more are the price."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, try, measure; return the exit code."""
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__.splitlines()[0])
    parser.add_argument("--skip-smoke", action="store_true", help="do not start what was built")
    parser.add_argument("--skip-floors", action="store_true", help="do not measure size and start-up")
    parser.add_argument("--rounds", type=int, default=9, help="rounds of timing (9)")
    parser.add_argument("--strict", action="store_true", help="a bar of size or start-up that was missed is an error")
    parser.add_argument("--output", type=Path, metavar="DIR", help="copy the finished bundle into DIR")
    options = parser.parse_args(arguments)

    python = build_python()
    facts.BUILD.mkdir(exist_ok=True)
    facts.COMMIT_FILE.write_text(facts.commit() + "\n", "utf-8")
    write_version_resource(facts.VERSION_RESOURCE)
    run([str(python), str(facts.PACKAGING / "icons.py")])
    bundle(python, facts.PACKAGING / "monitor.spec", facts.DIST, facts.BUILD / "work", PLAIN_ARCHIVE)
    print(f"Built {facts.bundle_folder()} from {facts.commit()}", flush=True)
    if not options.skip_smoke:
        run([sys.executable, str(facts.PACKAGING / "smoke.py")])
    if options.output is not None:
        target = options.output / facts.bundle_folder().name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(facts.bundle_folder(), target, symlinks=True)
        print(f"Copied to {target}", flush=True)
    if options.skip_floors:
        return 0
    for name in FLOORS:
        bundle(
            python,
            facts.PACKAGING / "floors" / "floor.spec",
            facts.BUILD / "floors",
            facts.BUILD / "work-floors",
            {"TRADING_MONITOR_FLOOR": name},
        )
    times = [sys.executable, str(facts.PACKAGING / "start_times.py"), f"--rounds={options.rounds}"]
    # A bar that was missed is printed and is no reason to throw the bundle away, unless it is to be released.
    missed = run(times, is_allowed_to_fail=True)
    return 1 if missed and options.strict else 0


def bundle(python: Path, spec: Path, dist: Path, work: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run PyInstaller on ``spec``. Blocks for about a minute. Raises ``SystemExit``: it failed."""
    command = [str(python), "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level=WARN"]
    run([*command, f"--distpath={dist}", f"--workpath={work}", str(spec)], environment)


def write_version_resource(file: Path) -> None:
    """Fill in what Windows shows in a program's properties. Raises ``KeyError``: the template wants something new."""
    template = string.Template((facts.PACKAGING / "windows" / "version_info.txt.in").read_text("utf-8"))
    file.write_text(
        template.substitute(
            numbers=", ".join(version_numbers(facts.VERSION)),
            version=facts.VERSION,
            name=facts.APP_NAME,
            publisher=facts.PUBLISHER,
            executable=facts.EXECUTABLE,
            copyright=facts.COPYRIGHT,
        ),
        "utf-8",
    )


def version_numbers(version: str) -> list[str]:
    """The four numbers that Windows wants of a version: ``1.2.3rc1`` is 1, 2, 3, 0."""
    numbers = []
    for part in version.split(".")[:4]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        numbers.append(digits or "0")
    return numbers + ["0"] * (4 - len(numbers))


def run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, *, is_allowed_to_fail: bool = False
) -> int:
    """Run ``command`` in the checkout and return its exit code. Raises ``SystemExit``: it failed and must not."""
    result = subprocess.run(command, cwd=facts.ROOT, env={**os.environ, **(environment or {})}, check=False)
    if result.returncode and not is_allowed_to_fail:
        raise SystemExit(f"This did not work ({result.returncode}): {' '.join(command)}")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
