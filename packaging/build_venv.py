"""An environment for building: what the program needs and PyInstaller, both from locks, and nothing else.

It is not the checkout's ``.venv``: that one holds test tools, and PyInstaller takes what it finds.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bundle_facts import PACKAGING, ROOT

LOCKS = (ROOT / "requirements.lock", PACKAGING / "requirements-build.lock")
FOLDER = ROOT / ".cache" / "build-venv"


def build_python() -> Path:
    """The environment's Python, made when the locks or this Python have changed. Blocks; needs the network then.

    Raises:
        SystemExit: it could not be made.
    """
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    facts = f"{sys.version}\n{FOLDER}\n" + "".join(lock.read_text("utf-8") for lock in LOCKS)
    stamp = FOLDER / f"ready-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"
    if stamp.is_file():
        return python
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    print("Making the build environment", flush=True)
    _run([str(getattr(sys, "_base_executable", sys.executable)), "-I", "-m", "venv", str(FOLDER)])
    pip = [str(python), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet"]
    for lock in LOCKS:
        _run([*pip, "--no-deps", "--require-hashes", "--only-binary=:all:", "--requirement", str(lock)])
    stamp.touch()
    return python


def _run(command: list[str]) -> None:
    result = subprocess.run(command, cwd=ROOT, check=False)
    if result.returncode:
        raise SystemExit(f"This did not work ({result.returncode}): {' '.join(command)}")
