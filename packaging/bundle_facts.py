"""What the bundle and its installers are called and made of: one place, read from the program itself."""

import datetime as dt
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGING = ROOT / "packaging"
BUILD = ROOT / "build"
DIST = ROOT / "dist"

# Run, not imported: a build script must not depend on what else is on the path.
_PROGRAM = runpy.run_path(str(ROOT / "monitor" / "__init__.py"))
APP_NAME: str = _PROGRAM["APP_NAME"]
APP_ID: str = _PROGRAM["APP_ID"]
VERSION: str = _PROGRAM["__version__"]

EXECUTABLE = "trading-monitor"
SUMMARY = "Tells how old each price is, why, and whether connections are really reused"
PUBLISHER = "Trading Monitor contributors"
COPYRIGHT = f"Copyright (c) 2026 {PUBLISHER}"

ICON_SOURCE = ROOT / "resources" / "icons" / "app.svg"
ICON_SIZES = (16, 24, 32, 48, 64, 128, 256, 512)
"""Of the PNG files; Windows' and macOS' icon files hold those that they know."""

RESOURCES = ("icons", "style.qss")
"""What of ``resources/`` the program reads; the rest is for the documentation."""

ENTRY = ROOT / "monitor" / "__main__.py"
ENTITLEMENTS = PACKAGING / "macos" / "entitlements.plist"

# Made by the build before the spec runs.
ICONS = BUILD / "icons"
WINDOWS_ICON = ICONS / "app.ico"
MACOS_ICON = ICONS / "app.icns"
VERSION_RESOURCE = BUILD / "version_info.txt"
COMMIT_FILE = BUILD / "commit.txt"
NOTICES_FILE = BUILD / "third-party-notices.txt"


def bundle_folder(platform: str = sys.platform) -> Path:
    """Where PyInstaller puts the finished bundle."""
    return DIST / (f"{APP_NAME}.app" if platform == "darwin" else EXECUTABLE)


def bundle_executable(platform: str = sys.platform) -> Path:
    """The program inside the finished bundle."""
    if platform == "darwin":
        return bundle_folder(platform) / "Contents" / "MacOS" / EXECUTABLE
    return bundle_folder(platform) / (f"{EXECUTABLE}.exe" if platform == "win32" else EXECUTABLE)


def require(*files: Path) -> None:
    """Raise ``SystemExit`` with a sentence when one of ``files`` is missing or empty."""
    for file in files:
        if not file.exists() or (file.is_file() and not file.stat().st_size):
            raise SystemExit(f"{file} is missing or empty: run packaging/build.py, which makes or checks it first.")


def commit() -> str:
    """What is being built: a short commit id, with ``+`` when the checkout was changed since, or ``unknown``."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return "unknown"
    asked = [git, "-C", str(ROOT)]
    head = subprocess.run([*asked, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=False)
    changed = subprocess.run(
        [*asked, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=False
    )
    if head.returncode or changed.returncode:
        return "unknown"
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def commit_time() -> dt.datetime:
    """When that commit was made, so that the same commit makes the same packages; now, outside a checkout."""
    git = shutil.which("git")
    told = ""
    if git is not None and (ROOT / ".git").exists():
        asked = [git, "-C", str(ROOT), "log", "-1", "--format=%ct"]
        told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return dt.datetime.fromtimestamp(int(told), dt.UTC) if told else dt.datetime.now(dt.UTC)
