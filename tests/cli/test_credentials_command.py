"""``credentials`` from arguments to exit codes, with a keyring in memory and a venue on loopback."""

import argparse
import getpass
import io
import json
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from keyring import errors

from monitor.commands.credentials import add_credentials_parser, run_credentials
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from tests.fakes.account_data import ADDRESS, KEY, SECRET
from tests.fakes.account_server import AccountVenue
from tests.fakes.fake_keyring import FakeKeyring
from tests.fakes.tls_server import LoopbackServer, Received, serving

PRIVATE_KEY = "4c0883a69102937d" * 4
SCHEMA = "trading-monitor.credentials/1"


class Terminal(io.StringIO):
    """Standard input that is a terminal."""

    def isatty(self) -> bool:
        return True


class Desk:
    """Runs the command with a keyring of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.keyring = FakeKeyring()
        self.store = CredentialStore(folder / FILE_NAME, backend=self.keyring, is_trusted=True)
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.out = ""
        self.err = ""

    def run(self, *arguments: str, stdin: io.StringIO | None = None) -> int:
        """The exit code; ``out`` and ``err`` hold what was said."""
        self._monkeypatch.setattr("sys.stdin", stdin or io.StringIO())
        parser = argparse.ArgumentParser()
        _venue_options(parser)
        parser.set_defaults(base_url=None, ca_file=None, verbose=False, settings=None)
        add_credentials_parser(parser.add_subparsers(dest="command"), _venue_options)
        try:
            code = run_credentials(parser.parse_args(["credentials", *arguments]), self.store)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        self.out, self.err = self._capsys.readouterr()
        return code

    @property
    def document(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    def add(self, venue: str = "bitunix", name: str = "main", text: str = f"{KEY}\n{SECRET}\n") -> int:
        """Add an account through standard input."""
        return self.run("add", "--venue", venue, "--name", name, stdin=io.StringIO(text))


def _venue_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base-url", action="append", type=lambda text: tuple(text.split("=", 1)), default=argparse.SUPPRESS
    )
    parser.add_argument("--ca-file", type=Path, default=argparse.SUPPRESS)
    parser.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(tmp_path, monkeypatch, capsys)


def test_add_list_and_remove(desk: Desk) -> None:
    assert desk.run("list") == 0
    assert desk.out == ""
    assert desk.add() == 0
    assert desk.add("hyperliquid", "main", f"{ADDRESS}\n") == 0
    assert desk.run("list") == 0
    assert desk.out.split() == ["bitunix", "main", "hyperliquid", "main"]
    assert desk.run("remove", "--venue", "bitunix", "--name", "MAIN") == 0
    assert [ref.venue for ref in desk.store.names()] == ["hyperliquid"]
    assert len(desk.keyring.entries) == 1


def test_the_json_documents(desk: Desk) -> None:
    desk.add()
    desk.run("list", "--json")
    backend = desk.document["keyring"]["backend"]

    assert desk.document == {
        "schema": SCHEMA,
        "accounts": [{"venue": "bitunix", "name": "main"}],
        "keyring": {"backend": backend, "problem": None},
    }
    assert desk.run("remove", "--venue", "bitunix", "--name", "main", "--json") == 0
    assert desk.document == {"schema": SCHEMA, "removed": {"venue": "bitunix", "name": "main"}}


def test_secrets_are_never_said_back(desk: Desk) -> None:
    said = ""
    for arguments in (("list",), ("list", "--json"), ("remove", "--venue", "bitunix", "--name", "main")):
        desk.add()
        said += desk.out + desk.err
        desk.run(*arguments)
        said += desk.out + desk.err

    assert KEY not in said
    assert SECRET not in said


def test_there_is_no_argument_for_a_secret(desk: Desk) -> None:
    for option in ("--key", "--secret", "--api-key", "--address", "--password"):
        assert desk.run("add", "--venue", "bitunix", "--name", "main", option, "x") == 2
    assert desk.keyring.calls == []


def test_the_environment_is_not_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "SECRET", "BITUNIX_API_KEY", "BITUNIX_SECRET", "TRADING_MONITOR_SECRET"):
        monkeypatch.setenv(name, SECRET)

    assert desk.add(text="") == 2
    assert desk.keyring.entries == {}


def test_at_a_terminal_each_field_is_asked_for_without_echo(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def typed(prompt: str, stream: object = None) -> str:
        asked.append(prompt)
        return {"API key": KEY, "API secret": SECRET}[prompt.split(" (", maxsplit=1)[0]]

    monkeypatch.setattr(getpass, "getpass", typed)

    assert desk.run("add", "--venue", "bitunix", "--name", "main", stdin=Terminal("not read")) == 0
    assert len(asked) == 2
    assert desk.store.load(desk.store.names()[0])["secret"].reveal() == SECRET
    assert "read-only" in desk.err


def test_a_terminal_that_cannot_hide_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(prompt: str, stream: object = None) -> str:
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=2)
        return SECRET

    monkeypatch.setattr(getpass, "getpass", typed)

    assert desk.run("add", "--venue", "bitunix", "--name", "main", stdin=Terminal()) == 2
    assert "standard input" in desk.err
    assert desk.keyring.entries == {}


@pytest.mark.parametrize(
    ("venue", "name", "text", "words"),
    [
        ("bitunix", "main", f"{KEY}\n", "2 line(s) were expected"),
        ("bitunix", "main", f"{KEY}\n{SECRET}\nmore\n", "3 came"),
        ("bitunix", "main", f"{KEY}\nwith space in it\n", "white space"),
        ("bitunix", "", f"{KEY}\n{SECRET}\n", "needs a name"),
        ("bitunix", KEY[:4] * 8 + "ab" * 12, f"{KEY}\n{SECRET}\n", "key or an address"),
        ("hyperliquid", "main", f"{PRIVATE_KEY}\n", "private key"),
        ("hyperliquid", "main", f"0x{PRIVATE_KEY}\n", "private key"),
        ("hyperliquid", PRIVATE_KEY, f"{ADDRESS}\n", "private key"),
        ("hyperliquid", "main", "0x123\n", "40 hexadecimal digits"),
        ("kraken", "main", "x\n", "no such venue"),
    ],
)
def test_input_that_cannot_be_right_is_refused_with_code_2(
    desk: Desk, venue: str, name: str, text: str, words: str
) -> None:
    assert desk.add(venue, name, text) == 2
    assert words in desk.err
    assert PRIVATE_KEY not in desk.out + desk.err
    assert KEY not in desk.out + desk.err
    assert desk.keyring.entries == {}
    assert not (desk.folder / FILE_NAME).exists()


def test_a_name_that_exists_is_refused_unless_it_is_to_be_replaced(desk: Desk) -> None:
    desk.add()

    assert desk.add(name="MAIN") == 2
    assert "already" in desk.err
    arguments = ("add", "--venue", "bitunix", "--name", "main", "--replace")
    assert desk.run(*arguments, stdin=io.StringIO(f"{KEY}\nother-secret\n")) == 0
    assert desk.store.load(desk.store.names()[0])["secret"].reveal() == "other-secret"
    missing = ("add", "--venue", "bitunix", "--name", "none", "--replace", "--json")
    assert desk.run(*missing, stdin=io.StringIO(f"{KEY}\n{SECRET}\n")) == 2
    assert desk.document["problem"] == "missing"


@pytest.mark.parametrize(
    ("error", "problem"),
    [(errors.KeyringLocked(), "keyring_locked"), (errors.NoKeyringError(), "keyring_absent")],
)
def test_a_keyring_that_fails_is_code_1_and_names_are_still_listed(desk: Desk, error: Exception, problem: str) -> None:
    desk.add()
    desk.keyring.error = error

    for arguments in (("remove", "--name", "main"), ("add", "--name", "new")):
        text = io.StringIO(f"{KEY}\n{SECRET}\n")
        assert desk.run(*arguments, "--venue", "bitunix", "--json", stdin=text) == 1
        assert desk.document["problem"] == problem
    assert desk.run("list") == 0
    assert "main" in desk.out


def test_removing_what_is_not_there_is_code_2(desk: Desk) -> None:
    assert desk.run("remove", "--venue", "bitunix", "--name", "none") == 2
    assert desk.run("test", "--name", "none") == 2
    assert desk.run("nonsense") == 2
    assert desk.run() == 2


# test, against a venue


Behave = Callable[[Received], None]


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[LoopbackServer]:
    with serving(behave=AccountVenue()) as server:
        server.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        yield server


def run_test(desk: Desk, server: LoopbackServer, *arguments: str) -> int:
    addresses = [f"--base-url={name}={server.url}" for name in ("bitunix", "hyperliquid")]
    return desk.run("test", *addresses, "--ca-file", str(desk.folder / "ca.pem"), *arguments)


def refuse(code: int) -> Behave:
    return lambda received: received.reply(json.dumps({"code": code, "data": None, "msg": "no"}).encode())


def date_now(behave: AccountVenue, *, ahead_s: float = 0.0) -> Behave:
    """``behave`` with a venue's clock that is ``ahead_s`` ahead of ours."""

    def answer(received: Received) -> None:
        stamp = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead_s), usegmt=True)
        received.reply(behave.body_for(received), headers={"Date": stamp})

    return answer


def test_good_accounts_of_both_venues_are_code_0(desk: Desk, venue: LoopbackServer) -> None:
    desk.add()
    desk.add("hyperliquid", "main", f"{ADDRESS}\n")
    venue.behave = date_now(AccountVenue())

    assert run_test(desk, venue, "--json") == 0
    first, second = desk.document["results"]
    assert (first["venue"], first["outcome"], first["ok"], first["equity"]) == ("bitunix", "ok", True, "990.75")
    assert (second["venue"], second["outcome"], second["can_trade"]) == ("hyperliquid", "ok", False)
    assert second["equity"].startswith("6304.81")
    assert set(first) == set(second)
    assert run_test(desk, venue, "--venue", "bitunix", "--name", "Main") == 0
    assert desk.out == "bitunix/main: ok: The account can be read.\n"
    assert desk.err == (
        "bitunix/main: The venue does not tell what a key may do: make sure that this one is read-only.\n"
    )
    run_test(desk, venue, "--venue", "hyperliquid")
    assert "read-only" not in desk.err, "an address signs nothing"


@pytest.mark.parametrize(
    ("behave", "outcome"),
    [
        (refuse(10003), "wrong_key"),
        (date_now(AccountVenue(secret="another")), "wrong_secret"),
        (refuse(10004), "ip_not_allowed"),
        (refuse(403), "no_permission"),
        (refuse(10006), "rate_limited"),
        (lambda received: received.reply(b"<html>", status=503, headers={"Content-Type": "text/html"}), "venue_down"),
        (lambda received: received.connection.close(), "venue_down"),
        (lambda received: received.reply(b"<html>", status=403, headers={"Content-Type": "text/html"}), "blocked"),
    ],
)
def test_each_trouble_of_a_key_has_its_own_outcome_and_code_1(
    desk: Desk, venue: LoopbackServer, behave: Behave, outcome: str
) -> None:
    desk.add()
    venue.behave = behave

    assert run_test(desk, venue, "--json") == 1
    (result,) = desk.document["results"]
    assert (result["outcome"], result["ok"]) == (outcome, False)
    assert result["text"]
    assert KEY not in desk.out + desk.err
    assert SECRET not in desk.out + desk.err


def test_a_wrong_clock_is_told_with_its_offset(desk: Desk, venue: LoopbackServer) -> None:
    desk.add()
    venue.behave = date_now(AccountVenue(), ahead_s=3_600.0)

    assert run_test(desk, venue, "--json") == 0
    (result,) = desk.document["results"]
    assert result["clock_offset_s"] == pytest.approx(3_600.0, abs=60.0)
    assert result["outcome"] == "clock_skew"
    assert "clock" in result["text"]
    assert f"{abs(result['clock_offset_s']):.1f} s" in result["text"]


@pytest.mark.parametrize(
    ("error", "outcome", "words"),
    [
        (errors.KeyringLocked(), "keyring_locked", "Unlock it"),
        (errors.NoKeyringError(), "keyring_absent", "There is no keyring"),
    ],
)
def test_an_account_whose_keyring_is_closed_is_a_result_of_its_own(
    desk: Desk, venue: LoopbackServer, error: Exception, outcome: str, words: str
) -> None:
    desk.add()
    desk.keyring.error = error

    assert run_test(desk, venue, "--json") == 1
    (result,) = desk.document["results"]
    assert (result["outcome"], result["equity"]) == (outcome, None)
    assert words in result["text"]
    assert "Public data works without it" in result["text"]
    assert venue.served == 0


def test_an_entry_gone_from_the_keyring_is_told(desk: Desk, venue: LoopbackServer) -> None:
    desk.add()
    desk.keyring.entries.clear()

    assert run_test(desk, venue) == 1
    assert "bitunix/main: missing:" in desk.out


def test_a_stored_value_that_cannot_be_right_is_told(desk: Desk, venue: LoopbackServer) -> None:
    desk.add("hyperliquid", "main", f"{ADDRESS}\n")
    (entry,) = desk.keyring.entries
    desk.keyring.entries[entry] = '{"v": 1, "values": {"address": "0x1"}}'

    assert run_test(desk, venue, "--json") == 1
    assert desk.document["results"][0]["outcome"] == "damaged"
