"""What is loaded before the first frame: every module there keeps somebody waiting who double-clicked."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fakes.command_line import ROOT

STOP_AT_FIRST_FRAME = """
import json, linecache, os, sys
from PySide6 import QtCore, QtWidgets
import monitor.desk.frame as frame

show = frame.StartFrame.show

def show_and_tell(self):
    show(self)
    names = {"QtCore": vars(QtCore), "QtWidgets": vars(QtWidgets)}
    made = [f"{module}.{name}" for module in names for name in ("Qt", "QStyle") if name in names[module]]
    modules = sorted(sys.modules)
    import colorsys
    told = {"modules": modules, "made": made, "was_read": colorsys.__file__ in linecache.cache}
    print(json.dumps({**told, "is_painted": self._is_painted}), flush=True)
    os._exit(0)

frame.StartFrame.show = show_and_tell
from monitor.cli import main
main(sys.argv[1:])
"""

OURS = {
    "monitor",
    "monitor.app",
    "monitor.cli",
    "monitor.desk",
    "monitor.desk.frame",
    "monitor.desk.options",
    "monitor.desk.plain_imports",
    "monitor.desktop",
    "monitor.desktop.build_info",
    "monitor.desktop.early_log",
    "monitor.desktop.paths",
    "monitor.desktop.setting_checks",
    "monitor.desktop.settings",
    "monitor.desktop.single_instance",
    "monitor.domain",
    "monitor.domain.intervals",
    "monitor.qtmodels",
    "monitor.qtmodels.gui_garbage",
    "monitor.widgets",
    "monitor.widgets.main_window",
    "monitor.widgets.start_page",
    "monitor.widgets.stylesheet",
    "monitor.widgets.theme",
    "monitor.widgets.theme_switch",
    "monitor.widgets.window_place",
}
"""Of the program itself; whatever is added here is paid for by every start."""

NOT_YET = {
    "PySide6.QtSvg",
    "asyncio",
    "decimal",
    "email",
    "hashlib",
    "http",
    "keyring",
    "logging.handlers",
    "msgspec",
    "multiprocessing",
    "numpy",
    "pyqtgraph",
    "requests",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "urllib3",
}


def test_the_first_frame_waits_for_nothing_it_does_not_show(tmp_path: Path) -> None:
    folders = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    done = subprocess.run(
        [sys.executable, "-c", STOP_AT_FIRST_FRAME, f"--settings={tmp_path / 'settings.json'}"],
        cwd=ROOT,
        env={**os.environ, **folders, "HOME": str(tmp_path), "QT_QPA_PLATFORM": "minimal"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    modules = set(told["modules"])

    assert told["is_painted"]
    assert {name for name in modules if name.partition(".")[0] == "monitor"} == OURS
    assert not modules & NOT_YET
    # PySide makes these faces with their many enumerations when they are first named.
    assert told["made"] == []
    assert not told["was_read"], "PySide reads the source text of every module again"
