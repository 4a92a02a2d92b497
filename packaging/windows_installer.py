"""Make the Windows installer of the built bundle: ``python packaging/windows_installer.py``; needs Inno Setup 6.

Writes ``dist/trading-monitor-<version>-windows-setup.exe``. Runs on Windows only; the script it hands over is
``windows/installer.iss``.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import bundle_facts as facts
from build import version_numbers

SCRIPT = facts.PACKAGING / "windows" / "installer.iss"
COMPILER_FOLDERS = (r"C:\Program Files (x86)\Inno Setup 6", r"C:\Program Files\Inno Setup 6")


def definitions() -> dict[str, str]:
    """Every name that the script takes from outside."""
    return {
        "AppName": facts.APP_NAME,
        "AppVersion": facts.VERSION,
        "FileVersion": ".".join(version_numbers(facts.VERSION)),
        "AppUserModelId": facts.APP_ID,
        "Publisher": facts.PUBLISHER,
        "Executable": facts.EXECUTABLE,
        "Bundle": str(facts.bundle_folder("win32")),
        "Icon": str(facts.WINDOWS_ICON),
        "Licence": str(facts.ROOT / "LICENSE"),
        "Output": str(facts.DIST),
    }


def compiler() -> str:
    """Inno Setup's command-line compiler. Raises ``SystemExit``: it is not installed."""
    found = shutil.which("iscc") or next(
        (str(file) for folder in COMPILER_FOLDERS if (file := Path(folder) / "ISCC.exe").is_file()), None
    )
    if found is None:
        raise SystemExit("Inno Setup 6 was not found. Install it, then run this again.")
    return found


def main() -> int:
    """Make the installer; return the compiler's exit code."""
    facts.require(facts.bundle_executable("win32"), facts.WINDOWS_ICON, facts.ROOT / "LICENSE", SCRIPT)
    values = [f"/D{name}={value}" for name, value in definitions().items()]
    return subprocess.run([compiler(), "/Qp", *values, str(SCRIPT)], cwd=facts.ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
