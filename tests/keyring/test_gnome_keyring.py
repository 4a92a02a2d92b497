"""The store against a real gnome-keyring on a private D-Bus session: unlocked, locked, without a collection, absent.

Each test starts a bus of its own with a throw-away XDG_DATA_HOME, so no keyring of the machine is ever touched.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.private_session import ROOT, make_home, needs_gnome_keyring, run_in_session

PLANTED = "pl4nted-s3cret-0123456789"

pytestmark = [pytest.mark.keyring, needs_gnome_keyring]

# Runs one operation and prints its outcome as JSON; the secret comes by standard input.
CHILD = """
import json, sys, time
from pathlib import Path
from monitor.desktop.credentials import CredentialStore
from monitor.domain.credentials import AccountRef, CredentialError, Credentials, Secret

what, index = sys.argv[1:3]
planted = sys.stdin.readline().strip()
store = CredentialStore(Path(index))
ref = AccountRef("bitunix", "main")
made = Credentials(account=ref, values={"api_key": Secret("key-12345"), "secret": Secret(planted)})
started_s = time.perf_counter()
done = {"what": what, "problem": None}
try:
    if what == "add":
        store.add(made)
    elif what == "cycle":
        done["backend"] = store.backend_name()
        store.add(made)
        done["is_same"] = store.load(ref) == made
        again = Credentials(account=ref, values={"api_key": Secret("key-12345"), "secret": Secret("ü" * 1100)})
        store.replace(again)
        done["is_replaced"] = store.load(ref) == again
        store.remove(ref)
        store.remove(ref)
        try:
            store.load(ref)
        except CredentialError as error:
            done["after_remove"] = error.problem.value
        done["names"] = len(store.names())
    elif what == "load":
        done["is_same"] = store.load(ref) == made
    elif what == "remove":
        store.remove(ref)
    elif what == "names":
        done["names"] = [one.name for one in store.names()]
except CredentialError as error:
    done["problem"] = error.problem.value
    done["text"] = error.user_text
done["took_s"] = time.perf_counter() - started_s
print(json.dumps(done))
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path)


def run(home: Path, *whats: str, unlock: str | None) -> list[dict[str, Any]]:
    """Run operations one after the other in one private session; ``unlock`` None starts no keyring daemon."""
    script = home / "child.py"
    script.write_text(CHILD)
    python = f"{sys.executable} {script}"
    lines = [f"printf '%s\\n' '{PLANTED}' | {python} {what} {home / 'config' / 'accounts.json'}" for what in whats]
    done = run_in_session(home, lines, unlock=unlock)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert PLANTED not in done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_unlocked_keyring_keeps_replaces_and_forgets(home: Path) -> None:
    (done,) = run(home, "cycle", unlock="testpw")

    assert done["problem"] is None
    assert done["backend"] == "keyring.backends.SecretService.Keyring"
    assert done["is_same"]
    assert done["is_replaced"]
    assert done["after_remove"] == "missing"
    assert done["names"] == 0


def test_secrets_survive_the_session_and_are_not_in_plain_text_on_disk(home: Path) -> None:
    run(home, "add", unlock="testpw")
    (done,) = run(home, "load", unlock="testpw")

    assert done["is_same"]
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "child.py"]
    assert any(path.suffix == ".keyring" for path in files)
    assert all(PLANTED.encode() not in path.read_bytes() for path in files)


def test_a_locked_keyring_is_said_to_be_locked_and_the_names_are_still_listed(home: Path) -> None:
    run(home, "add", unlock="testpw")
    load, remove, names = run(home, "load", "remove", "names", unlock="wrong password")

    for done in (load, remove):
        assert done["problem"] == "keyring_locked"
        assert "Public data works without it" in done["text"]
    assert names["names"] == ["main"]
    (done,) = run(home, "load", unlock="testpw")
    assert done["is_same"]


def test_a_keyring_without_a_collection_and_without_a_display_is_said_to_be_closed(home: Path) -> None:
    """D-Bus starts the daemon by itself; it has no collection and cannot ask for a password to make one."""
    add, load, names = run(home, "add", "load", "names", unlock=None)

    for done in (add, load):
        assert done["problem"] == "keyring_dismissed"
        assert done["text"]
    assert names["names"] == []


def test_without_a_session_bus_the_keyring_is_absent_at_once(home: Path) -> None:
    script = home / "child.py"
    script.write_text(CHILD)
    done = subprocess.run(
        [sys.executable, script, "add", home / "config" / "accounts.json"],
        input=PLANTED,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={home}/nothing",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    outcome = json.loads(done.stdout)
    assert outcome["problem"] == "keyring_absent"
    assert "gnome-keyring" in outcome["text"]
    assert PLANTED not in done.stdout + done.stderr
    files = [path for path in home.rglob("*") if path.is_file() and path.name != "child.py"]
    assert all(PLANTED.encode() not in path.read_bytes() for path in files)
