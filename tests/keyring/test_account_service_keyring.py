"""The window's accounts against a real gnome-keyring: stored by one run, opened by the next, told when it is locked."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.private_session import make_home, needs_gnome_keyring, run_in_session

PLANTED = "pl4nted-s3cret-9876543210"

pytestmark = [pytest.mark.keyring, needs_gnome_keyring]

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
    return make_home(tmp_path)


def run(home: Path, what: str, *, password: str) -> Any:
    """One run of the service in a private session whose keyring is unlocked with ``password``."""
    script = home / "child.py"
    script.write_text(CHILD)
    line = f"printf '%s\\n' '{PLANTED}' | {sys.executable} {script} {what} {home / 'config' / 'accounts.json'}"
    done = run_in_session(home, [line], unlock=password)
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
