"""``trading-monitor credentials`` as typed in a terminal, against a real gnome-keyring and the demo exchange."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.private_session import make_home, needs_gnome_keyring, run_in_session

pytestmark = [pytest.mark.keyring, needs_gnome_keyring]

KEY, SECRET = "demo-key-worth-nothing", "demo-secret-worth-nothing"
OTHER_SECRET = "Unique-Planted-Secret-Quagga-5"
ADDRESS = "0xde00000000000000000000000000000000000001"
PRIVATE_KEY = "0x" + "5eC0de42" * 8


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(arguments=["--no-limits"]) as server:
        yield server


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return make_home(tmp_path)


class Said:
    """What the commands of one session said: exit codes, documents and everything that was not one."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.returncode == 0, done.stderr[-2_000:]
        parts = re.findall(r"(.*?)EXIT (\d+)\n", done.stdout, re.DOTALL)
        self.codes = [int(code) for _, code in parts]
        self.documents: list[Any] = [json.loads(document) for document, _ in parts]
        self.text = done.stderr
        self.everything = done.stdout + done.stderr


def program_for(exchange: DemoServer | None) -> str:
    """The program, with the demo exchange in place of the venues if there is one."""
    program = f"{sys.executable} -m monitor"
    if exchange is None:
        return program
    urls = " ".join(f"--base-url {name}={url}" for name, url in exchange.venues.items())
    return f"{program} {urls} --ca-file {exchange.ca_file}"


def typed(home: Path, *commands: tuple[str, str], unlock: str | None, exchange: DemoServer | None = None) -> Said:
    """Run ``credentials`` commands, each with its standard input, one after the other in one session."""
    program = program_for(exchange)
    lines = [
        f"printf '{text}' | {program} credentials {arguments} --json; echo EXIT $?" for arguments, text in commands
    ]
    said = Said(run_in_session(home, lines, unlock=unlock))
    for secret in (SECRET, OTHER_SECRET, PRIVATE_KEY[2:], ADDRESS[2:]):
        assert secret not in said.everything
    return said


ADD = ("add --venue bitunix --name main", f"{KEY}\\n{SECRET}\\n")


def test_add_list_test_replace_and_remove(home: Path, exchange: DemoServer) -> None:
    said = typed(
        home,
        ADD,
        ("add --venue hyperliquid --name vault", f"{ADDRESS}\\n"),
        ("list", ""),
        ("test --venue bitunix --name main", ""),
        ("add --venue bitunix --name main --replace", f"{KEY}\\n{OTHER_SECRET}\\n"),
        ("test --venue bitunix --name main", ""),
        ("remove --venue bitunix --name main", ""),
        ("list", ""),
        unlock="testpw",
        exchange=exchange,
    )
    stored, _, listed, tested, _, again, removed, left = said.documents

    assert said.codes == [0, 0, 0, 0, 0, 1, 0, 0]
    assert stored["stored"] == {"venue": "bitunix", "name": "main"}
    assert [account["name"] for account in listed["accounts"]] == ["main", "vault"]
    assert listed["keyring"] == {"backend": "keyring.backends.SecretService.Keyring", "problem": None}
    assert (tested["results"][0]["outcome"], tested["results"][0]["can_trade"]) == ("ok", None)
    assert "make sure that this one is read-only" in said.text
    assert again["results"][0]["outcome"] == "wrong_secret"
    assert removed["removed"] == {"venue": "bitunix", "name": "main"}
    assert [account["name"] for account in left["accounts"]] == ["vault"]


def test_what_one_session_stores_the_next_one_tests(home: Path, exchange: DemoServer) -> None:
    typed(home, ADD, unlock="testpw")
    said = typed(home, ("test", ""), unlock="testpw", exchange=exchange)

    assert said.codes == [0]
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".keyring" for path in files)
    assert all(SECRET.encode() not in path.read_bytes() for path in files)


def test_a_verbose_snapshot_of_a_stored_account_says_nothing_secret(home: Path, exchange: DemoServer) -> None:
    typed(home, ADD, ("add --venue bitunix --name wrong", f"{KEY}-not\\n{OTHER_SECRET}\\n"), unlock="testpw")
    program = program_for(exchange)
    lines = [
        f"{program} --verbose snapshot --venue bitunix --account {name} --json; echo EXIT $?"
        for name in ("main", "wrong")
    ]
    said = Said(run_in_session(home, lines, unlock="testpw"))

    assert said.codes == [0, 1]
    assert Decimal(said.documents[0]["account"]["equity"]) > 0
    assert "does not know this API key" in said.text
    assert "DEBUG" in said.text
    written = [path.read_bytes().decode("latin-1") for path in (home / "config").rglob("*") if path.is_file()]
    everything = "\n".join([said.everything, *written])
    assert [secret for secret in (KEY, SECRET, OTHER_SECRET) if secret in everything] == []
    assert re.search("[0-9a-f]{32}", everything) is None, "neither a signature nor a nonce"


def test_a_locked_keyring_is_code_1_and_the_names_are_still_listed(home: Path, exchange: DemoServer) -> None:
    typed(home, ADD, unlock="testpw")
    said = typed(
        home,
        ("test", ""),
        ("remove --venue bitunix --name main", ""),
        ("add --venue bitunix --name new", f"{KEY}\\n{SECRET}\\n"),
        ("list", ""),
        unlock="wrong password",
        exchange=exchange,
    )
    tested, removed, added, listed = said.documents

    assert said.codes == [1, 1, 1, 0]
    assert tested["results"][0]["outcome"] == "keyring_locked"
    assert (removed["problem"], added["problem"]) == ("keyring_locked", "keyring_locked")
    assert "Unlock it" in removed["text"]
    assert [account["name"] for account in listed["accounts"]] == ["main"]


def test_a_private_key_is_refused_and_kept_nowhere(home: Path) -> None:
    said = typed(
        home,
        ("add --venue hyperliquid --name vault", f"{PRIVATE_KEY}\\n"),
        ("add --venue hyperliquid --name vault", f"{PRIVATE_KEY[2:]}\\n"),
        ("list", ""),
        unlock="testpw",
    )

    assert said.codes == [2, 2, 0]
    assert [document["problem"] for document in said.documents[:2]] == ["invalid_input"] * 2
    assert "form of a private key" in said.text
    assert said.documents[2]["accounts"] == []
    files = [path for path in home.rglob("*") if path.is_file()]
    assert all(PRIVATE_KEY[2:].encode() not in path.read_bytes() for path in files)


def test_without_a_keyring_the_command_says_what_to_install(home: Path) -> None:
    """A session bus that knows no keyring: as on a server."""
    lines = [
        "export DBUS_SESSION_BUS_ADDRESS=unix:path=/nothing/here",
        f"printf '{ADD[1]}' | {sys.executable} -m monitor credentials {ADD[0]} --json; echo EXIT $?",
    ]
    said = Said(run_in_session(home, lines, unlock=None))

    assert said.codes == [1]
    assert said.documents[0]["problem"] == "keyring_absent"
    assert "gnome-keyring" in said.documents[0]["text"]
    assert SECRET not in said.everything
