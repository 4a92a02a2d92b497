"""``credentials sub-accounts`` against the demo exchange, with a keyring in memory."""

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.commands.credentials import add_credentials_parser, run_credentials
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.fake_keyring import FakeKeyring

MASTER, SUB = "0xde00000000000000000000000000000000000001", "0xde00000000000000000000000000000000000004"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    made = CredentialStore(tmp_path / FILE_NAME, backend=FakeKeyring(), is_trusted=True)
    made.add(ACCOUNT_VENUES["hyperliquid"].make_credentials("main", {"address": MASTER}))
    return made


@pytest.fixture
def run(store: CredentialStore, exchange: DemoServer, capsys: pytest.CaptureFixture[str]) -> Run:
    def work(*arguments: str) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        parser.set_defaults(
            base_url=list(exchange.venues.items()), ca_file=exchange.ca_file, verbose=False, settings=None
        )
        add_credentials_parser(parser.add_subparsers(dest="command"), lambda _parser: None)
        code = run_credentials(parser.parse_args(["credentials", "sub-accounts", *arguments]), store)
        return code, *capsys.readouterr()

    return work


def names(store: CredentialStore) -> list[str]:
    return [ref.name for ref in store.names()]


def test_sub_accounts_are_listed_and_nothing_is_stored(run: Run, store: CredentialStore) -> None:
    code, out, err = run("--venue", "hyperliquid", "--name", "main")

    assert code == 0
    assert out == "0xde00…0004  demo sub\n"
    assert "--add" in err
    assert names(store) == ["main"]


def test_they_are_stored_under_their_labels_once(run: Run, store: CredentialStore) -> None:
    code, out, _ = run("--venue", "hyperliquid", "--name", "main", "--add", "--json")
    document: Any = json.loads(out)

    assert code == 0
    assert document["sub_accounts"] == [{"name": "demo sub", "address": "0xde00…0004", "stored_as": "demo sub"}]
    assert SUB not in out
    assert names(store) == ["main", "demo sub"]
    assert store.load(store.find("hyperliquid", "demo sub"))["address"].reveal() == SUB
    code, out, _ = run("--venue", "hyperliquid", "--name", "main", "--add")
    assert (code, out) == (0, "0xde00…0004  demo sub  (stored as demo sub)\n")
    assert names(store) == ["main", "demo sub"]


def test_an_account_without_any_and_a_venue_that_tells_none(run: Run, store: CredentialStore) -> None:
    store.add(ACCOUNT_VENUES["hyperliquid"].make_credentials("alone", {"address": SUB}))
    code, out, err = run("--venue", "hyperliquid", "--name", "alone")
    assert (code, out) == (0, "")
    assert "no sub-accounts" in err

    code, _, err = run("--venue", "bitunix", "--name", "main")
    assert code == 2
    assert "tells no sub-accounts" in err
    code, _, err = run("--venue", "hyperliquid", "--name", "nobody")
    assert code == 2
    assert "no account of this name" in err
