"""install.sh of the portable archive, on a stand-in for the program: what it installs, starts and takes away."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
APP_ID = "org.example.App"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a shell script for Linux desktops")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    for name, text in {
        "install.sh": (PACKAGING / "linux" / "install.sh").read_text("utf-8").replace("@APP_ID@", APP_ID),
        "trading-monitor": '#!/bin/sh\necho "started with $1"\n',
        f"share/applications/{APP_ID}.desktop": "[Desktop Entry]\nType=Application\nExec=trading-monitor\nIcon=x\n",
        f"share/metainfo/{APP_ID}.metainfo.xml": "<component/>\n",
        f"share/icons/hicolor/48x48/apps/{APP_ID}.png": "picture\n",
    }.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        file.chmod(0o755)
    return folder


def _files(home: Path) -> set[str]:
    files = {str(file.relative_to(home)) for file in home.rglob("*") if not file.is_dir() or file.is_symlink()}
    # The desktop's own, of all entries, where update-desktop-database is installed.
    return files - {".local/share/applications/mimeinfo.cache"}


@pytest.mark.parametrize("name", ["plain", "Zoë O'Hara", 'cost $5 100% `x` "y"', "back\\slash\\"])
def test_the_menu_entry_starts_the_program_from_any_home(
    archive: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(PACKAGING))
    from package_situations import started_by  # noqa: PLC0415 - a script of packaging/, on the path here only

    home = tmp_path / name
    kept = home / ".local/share/trading-monitor/history.db"
    kept.parent.mkdir(parents=True)
    kept.write_text("the user's")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}

    subprocess.run([str(archive / "install.sh")], env=environment, check=True, capture_output=True)
    entry = home / ".local/share/applications" / f"{APP_ID}.desktop"
    program = started_by(entry.read_text("utf-8"))
    for command in (program, str(home / ".local/bin/trading-monitor")):
        assert subprocess.check_output([command, "x"], text=True) == "started with x\n"
    shutil.rmtree(archive)
    installed = str(home / ".local/opt/trading-monitor/install.sh")
    told = subprocess.run([installed, "--uninstall"], env=environment, check=True, capture_output=True, text=True)

    assert _files(home) == {".local/share/trading-monitor/history.db"}
    assert str(kept.parent) in told.stdout
