"""Secrets kept in a keyring: stored, listed, replaced, renamed and removed, and the list of names beside it."""

import json
from pathlib import Path

import pytest
from keyring import errors

from monitor.desktop.account_index import FILE_NAME, load_index
from monitor.desktop.credentials import CredentialStore, service_name
from monitor.domain.credentials import AccountRef, CredentialError, CredentialInputError, CredentialProblem
from tests.fakes.fake_keyring import FakeKeyring
from tests.fakes.planted_credentials import PLANTED, made, problem_of

P = CredentialProblem


@pytest.fixture
def keyring() -> FakeKeyring:
    return FakeKeyring()


@pytest.fixture
def store(tmp_path: Path, keyring: FakeKeyring) -> CredentialStore:
    return CredentialStore(tmp_path / FILE_NAME, backend=keyring, is_trusted=True)


class CaselessKeyring(FakeKeyring):
    """To the Credential Locker of Windows ``main`` and ``Main`` are one entry."""

    def get_password(self, service: str, username: str) -> str | None:
        return super().get_password(service.casefold(), username)

    def set_password(self, service: str, username: str, password: str) -> None:
        super().set_password(service.casefold(), username, password)

    def delete_password(self, service: str, username: str) -> None:
        super().delete_password(service.casefold(), username)


class StubbornKeyring(FakeKeyring):
    """Does not delete what was stored before ``is_stubborn`` was set."""

    is_stubborn = ""

    def delete_password(self, service: str, username: str) -> None:
        if self.is_stubborn and self.is_stubborn in service:
            raise errors.KeyringLocked("locked meanwhile")
        super().delete_password(service, username)


def test_what_is_stored_is_loaded_and_listed(store: CredentialStore, tmp_path: Path) -> None:
    ref = store.add(made(" my  bot "))

    assert ref == AccountRef("bitunix", "my bot")
    assert store.load(ref).values == made().values
    assert store.names() == (ref,)
    assert store.names("hyperliquid") == ()
    assert store.find("bitunix", "MY BOT") == ref
    assert {path.name for path in tmp_path.iterdir()} == {FILE_NAME}


def test_the_file_beside_the_settings_holds_names_and_nothing_else(store: CredentialStore, tmp_path: Path) -> None:
    store.add(made())
    text = (tmp_path / FILE_NAME).read_text()

    assert json.loads(text)["accounts"] == [{"venue": "bitunix", "name": "main"}]
    assert PLANTED not in text
    assert "key-12345" not in text


def test_each_account_is_one_entry_with_its_own_service(store: CredentialStore, keyring: FakeKeyring) -> None:
    store.add(made("one"))
    store.add(made("two"))
    store.add(made("one", venue="hyperliquid"))

    assert {service for service, _ in keyring.entries} == {
        "trading-monitor:bitunix:one",
        "trading-monitor:bitunix:two",
        "trading-monitor:hyperliquid:one",
    }
    assert {user for _, user in keyring.entries} == {"account"}
    assert all(len(text) < 1_280 for text in keyring.entries.values())


@pytest.mark.parametrize("name", ["main", "MAIN", " Main "])
def test_names_are_unique_within_a_venue_whatever_the_case(store: CredentialStore, name: str) -> None:
    store.add(made())

    with pytest.raises(CredentialError) as caught:
        store.add(made(name))

    assert problem_of(caught.value) is P.DUPLICATE
    store.add(made(name, venue="hyperliquid"))


def test_a_name_that_holds_a_key_is_refused_before_anything_is_stored(
    store: CredentialStore, keyring: FakeKeyring, tmp_path: Path
) -> None:
    with pytest.raises(CredentialInputError, match="private key"):
        store.add(made("4c0883a69102937d" * 4))

    assert keyring.calls == []
    assert list(tmp_path.iterdir()) == []


def test_secrets_are_replaced_and_the_old_ones_are_gone(store: CredentialStore, keyring: FakeKeyring) -> None:
    ref = store.add(made())
    store.replace(made("MAIN", secret="another-secret"))

    assert store.load(ref)["secret"].reveal() == "another-secret"
    assert PLANTED not in str(keyring.entries)
    with pytest.raises(CredentialError) as caught:
        store.replace(made("other"))
    assert problem_of(caught.value) is P.MISSING


def test_removing_deletes_the_entry_and_the_name_also_when_one_is_missing(
    store: CredentialStore, keyring: FakeKeyring
) -> None:
    ref = store.add(made())
    keyring.entries.clear()
    store.remove(ref)
    store.remove(ref)

    assert store.names() == ()
    with pytest.raises(CredentialError) as caught:
        store.load(ref)
    assert problem_of(caught.value) is P.MISSING


def test_an_account_gets_another_name_and_keeps_its_place_and_secrets(
    store: CredentialStore, keyring: FakeKeyring
) -> None:
    first, second = store.add(made("first")), store.add(made("second", secret="another-secret"))
    renamed = store.rename(first, "  main  bot ")

    assert renamed == AccountRef("bitunix", "main bot")
    assert store.names() == (renamed, second)
    assert store.load(renamed) == made("main bot")
    assert {service for service, _ in keyring.entries} == {service_name(renamed), service_name(second)}
    assert store.rename(renamed, "main bot") == renamed


@pytest.mark.parametrize("kind", [FakeKeyring, CaselessKeyring])
def test_only_the_case_of_a_name_can_be_changed(tmp_path: Path, kind: type[FakeKeyring]) -> None:
    keyring = kind()
    store = CredentialStore(tmp_path / FILE_NAME, backend=keyring, is_trusted=True)
    renamed = store.rename(store.add(made("main")), "Main")

    assert store.names() == (renamed,)
    assert store.load(renamed) == made("Main")
    assert len(keyring.entries) == 1


@pytest.mark.parametrize(("name", "error"), [("SECOND", CredentialError), ("0x" + "ab" * 20, CredentialInputError)])
def test_a_new_name_is_checked_like_a_first_one(
    store: CredentialStore, keyring: FakeKeyring, name: str, error: type[Exception]
) -> None:
    first, second = store.add(made("first")), store.add(made("second"))
    with pytest.raises(error):
        store.rename(first, name)

    assert store.names() == (first, second)
    assert len(keyring.entries) == 2


def test_a_name_that_cannot_be_changed_stays_and_nothing_is_left_behind(tmp_path: Path) -> None:
    keyring = StubbornKeyring()
    store = CredentialStore(tmp_path / FILE_NAME, backend=keyring, is_trusted=True)
    ref = store.add(made("first"))
    keyring.is_stubborn = "first"
    with pytest.raises(CredentialError) as caught:
        store.rename(ref, "second")

    assert problem_of(caught.value) is P.LOCKED
    assert store.names() == (ref,)
    assert store.load(ref) == made("first")
    assert [service for service, _ in keyring.entries] == [service_name(ref)]
    with pytest.raises(CredentialError) as caught:
        store.rename(AccountRef("bitunix", "none"), "second")
    assert problem_of(caught.value) is P.MISSING


def test_an_index_that_cannot_be_read_is_said_and_left_alone(store: CredentialStore, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    for text in ("{", "[]", '{"schema":"other/1","accounts":[]}', '{"schema":"trading-monitor.accounts/1"}'):
        path.write_text(text)
        with pytest.raises(CredentialError) as caught:
            store.names()
        assert problem_of(caught.value) is P.INDEX
        assert path.read_text() == text


def test_an_index_that_cannot_be_written_leaves_nothing_in_the_keyring(tmp_path: Path, keyring: FakeKeyring) -> None:
    (tmp_path / "file").write_text("")
    store = CredentialStore(tmp_path / "file" / FILE_NAME, backend=keyring, is_trusted=True)

    with pytest.raises(CredentialError) as caught:
        store.add(made())

    assert problem_of(caught.value) is P.INDEX
    assert keyring.entries == {}


def test_names_edited_by_hand_into_keys_are_not_taken(tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    rows = [{"venue": "bitunix", "name": name} for name in ("main", "ab" * 32, "0x" + "cd" * 20, "Main", "")]
    path.write_text(json.dumps({"schema": "trading-monitor.accounts/1", "accounts": [*rows, 5, {"venue": 1}]}))

    assert load_index(path) == (AccountRef("bitunix", "main"),)
