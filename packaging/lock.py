"""Write the lock files again from pyproject.toml: ``python packaging/lock.py [--upgrade]``.

Three files, one set of versions: ``requirements.lock`` holds what the program runs on, ``requirements-dev.lock`` the
same pins plus the test tools, ``packaging/requirements-build.lock`` what makes the desktop bundle. All keep their
environment markers, so one file serves every supported Python and system.

Needs ``uv`` on the path or in ``.venv`` (``.venv/bin/pip install uv``). People who only run the program or its tests
need neither uv nor this file.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNTIME_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
BUILD_LOCK = ROOT / "packaging" / "requirements-build.lock"
OLDEST_PYTHON = "3.11"
HEADER = """\
# {what}: exact versions and hashes for every supported Python and system.
# Written by `python packaging/lock.py` from pyproject.toml; do not edit by hand.
"""

# Settings of the machine that would end up in the result: another index, a folder of wheels, a cut-off date.
_LEAKY_PREFIXES = ("UV_", "PIP_")


def main(arguments: list[str]) -> int:
    """Write the locks; without ``--upgrade`` pins that still fit stay as they are. Return the exit code."""
    parser = argparse.ArgumentParser(prog="lock.py", description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    upgrade = ["--upgrade"] if parser.parse_args(arguments).upgrade else []

    uv = _find_uv()
    if uv is None:
        print("lock.py needs uv. Install it with `.venv/bin/pip install uv`, then run this again.", file=sys.stderr)
        return 2
    compile_options = [
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
        f"--python-version={OLDEST_PYTHON}",
        *upgrade,
    ]
    compile_command = [uv, "--no-config", "pip", "compile", str(ROOT / "pyproject.toml"), *compile_options]
    runtime = _compile(compile_command, RUNTIME_LOCK, "What the program needs")
    if runtime:
        return runtime
    # Both locks go into one environment: what they share has one version.
    build_command = [uv, "--no-config", "pip", "compile", "--group=build", *compile_options]
    build = _compile([*build_command, f"--constraints={RUNTIME_LOCK}"], BUILD_LOCK, "What makes the desktop bundle")
    if build:
        return build
    # The overrides keep the program's own pins: ccxt asks for exact versions of some of the libraries that the
    # program uses too, and the tests must run on the versions that people get.
    return _compile(
        [*compile_command, "--group=dev", f"--overrides={RUNTIME_LOCK}"], DEV_LOCK, "What the tests need as well"
    )


def _find_uv() -> str | None:
    beside_python = ROOT / ".venv" / ("Scripts/uv.exe" if os.name == "nt" else "bin/uv")
    return str(beside_python) if beside_python.exists() else shutil.which("uv")


def _compile(command: list[str], lock: Path, what: str) -> int:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_LEAKY_PREFIXES)}
    result = subprocess.run([*command, f"--output-file={lock}"], env=environment, cwd=ROOT, check=False)
    if result.returncode == 0:
        lines = lock.read_text("utf-8").splitlines(keepends=True)
        pins = "".join(line for line in lines if not line.startswith("#"))
        lock.write_text(HEADER.format(what=what) + pins, "utf-8", newline="\n")
        print(f"{lock.name}: {sum(line[0].isalpha() for line in pins.splitlines())} pins")
    return result.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
