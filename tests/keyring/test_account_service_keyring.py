"""The window's accounts against a real gnome-keyring: stored by one run, opened by the next, told when it is locked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLANTED = "pl4nted-s3cret-9876543210"

pytestmark = [
    pytest.mark.keyring,
    pytest.mark.skipif(
        shutil.which("gnome-keyring-daemon") is None or shutil.which("dbus-run-session") is None,
        reason="needs gnome-keyring and dbus-run-session (packages gnome-keyring, dbus)",
    ),
]

# Runs the service as the desk does, with an event loop of its own, and prints what the board knows in the end.
CHILD = """
import json, sys, time
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from monitor.controller import Controller
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.settings import Settings
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.polling.results import TaskDone
from monitor.qtmodels.account_service import AccountService

what, index = sys.argv[1:3]
planted = sys.stdin.readline().strip()
app = QCoreApplication([])
controller = Controller(venues=("bitunix", "hyperliquid"), settings=Settings())
service = AccountService(controller, CredentialStore(Path(index)), lambda: ACCOUNT_VENUES)
answers = []
service.answered.connect(answers.append)
if what == "add":
    service.add("bitunix", "main", {"api_key": "key-12345", "secret": planted})
else:
    service.start()
wanted = {"add": "add", "open": "open", "locked": "open"}[what]
give_up_s = time.monotonic() + 30
while time.monotonic() < give_up_s and wanted not in [one.what for one in answers]:
    for result in controller.outbox.drain()[0]:
        if isinstance(result, TaskDone):
            service.take(result)
    time.sleep(0.02)
service.stop(1.0)
states = controller.board.accounts.states
held = [controller.credentials_of(ref) for ref in states]
print(json.dumps({
    "answers": [[one.what, one.is_ok, None if one.problem is None else one.problem.value] for one in answers],
    "access": {ref.name: state.access.value for ref, state in states.items()},
    "why": [state.access_text for state in states.values()],
    "is_same": [one is not None and one["secret"].reveal() == planted for one in held],
}))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("data", "config", "cache", "run"):
        (tmp_path / name).mkdir(mode=0o700)
    return tmp_path


def run(home: Path, what: str, *, password: str) -> Any:
    """One run of the service in a private session whose keyring is unlocked with ``password``."""
    script = home / "child.py"
    script.write_text(CHILD)
    lines = [
        f"printf %s '{password}' | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1",
        f"printf '%s\\n' '{PLANTED}' | {sys.executable} {script} {what} {home / 'config' / 'accounts.json'}",
    ]
    done = subprocess.run(
        ["dbus-run-session", "--", "sh", "-c", "\n".join(lines)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_CACHE_HOME": str(home / "cache"),
            "XDG_RUNTIME_DIR": str(home / "run"),
            "LANG": "C.UTF-8",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert PLANTED not in done.stdout + done.stderr
    return json.loads(done.stdout)


def test_what_one_run_stores_the_next_one_opens_and_a_locked_keyring_is_told(home: Path) -> None:
    stored = run(home, "add", password="testpw")
    opened = run(home, "open", password="testpw")
    locked = run(home, "locked", password="wrong password")

    assert ["add", True, None] in stored["answers"]
    assert opened["access"] == {"main": "open"}
    assert opened["is_same"] == [True]
    assert locked["access"] == {"main": "closed"}
    assert ["open", False, "keyring_locked"] in locked["answers"]
    assert "Public data works without it" in locked["why"][0]
    assert locked["is_same"] == [False]
