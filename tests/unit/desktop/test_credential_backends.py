"""Keyrings that are too small, in trouble, not trusted or not there, and what the user is told."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from keyring import errors
from keyring.backends.chainer import ChainerBackend
from keyring.backends.fail import Keyring as FailKeyring
from keyring.backends.null import Keyring as NullKeyring

from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import USER_NAME, CredentialStore, _write_entry, service_name
from monitor.desktop.keyring_backends import ALLOWED, check_backend, choose_backend, explain
from monitor.domain.credentials import MAX_ENTRY_CHARS, CredentialError, CredentialProblem, Credentials
from tests.fakes.fake_keyring import FakeKeyring, PlaintextKeyring
from tests.fakes.planted_credentials import PLANTED, made, problem_of

ROOT = Path(__file__).resolve().parents[3]
P = CredentialProblem


@pytest.fixture
def keyring() -> FakeKeyring:
    return FakeKeyring()


@pytest.fixture
def store(tmp_path: Path, keyring: FakeKeyring) -> CredentialStore:
    return CredentialStore(tmp_path / FILE_NAME, backend=keyring, is_trusted=True)


def entry_of(chars: int, *, letter: str) -> Credentials:
    """Credentials whose entry has exactly ``chars`` UTF-16 units."""
    units = len(letter.encode("utf-16-le")) // 2
    empty = len(_write_entry(made(secret="").values))
    count, rest = divmod(chars - empty, units)
    return made(secret=letter * count + "x" * rest)


class _WindowsError(Exception):
    """pywintypes' own error, which is no KeyringError."""

    def __init__(self, winerror: int) -> None:
        super().__init__(winerror, "CredWrite", "text of Windows")
        self.winerror = winerror


class PromptDismissedException(Exception):
    """Recognised by its name: the library is only there on Linux."""


@pytest.mark.parametrize("letter", ["x", "ü", "𝄞"])
def test_what_windows_takes_is_taken_to_the_last_character_and_one_more_is_refused(
    store: CredentialStore, keyring: FakeKeyring, letter: str
) -> None:
    longest = entry_of(MAX_ENTRY_CHARS, letter=letter)
    ref = store.add(longest)
    (kept,) = keyring.entries.values()
    assert len(kept.encode("utf-16-le")) == 2_560, "all that the Credential Locker takes"
    assert store.load(ref) == longest
    with pytest.raises(CredentialError) as caught:
        store.replace(entry_of(MAX_ENTRY_CHARS + 1, letter=letter))

    assert problem_of(caught.value) is P.TOO_LARGE
    assert keyring.entries[service_name(ref), USER_NAME] == kept, "the old one is still there"


def test_an_entry_that_does_not_fit_windows_is_refused_everywhere(store: CredentialStore, keyring: FakeKeyring) -> None:
    with pytest.raises(CredentialError) as caught:
        store.add(made(secret="x" * 1_280))

    assert problem_of(caught.value) is P.TOO_LARGE
    assert keyring.calls == []
    assert store.names() == ()


def test_a_keyring_that_forgets_is_noticed(store: CredentialStore, keyring: FakeKeyring) -> None:
    keyring.is_forgetful = True

    with pytest.raises(CredentialError) as caught:
        store.add(made())

    assert problem_of(caught.value) is P.NOT_KEPT
    assert store.names() == ()


@pytest.mark.parametrize("text", ["", "x", "[]", "null", '{"v":1}', '{"v":1,"values":{"a":5}}', "[" * 5_000])
def test_a_damaged_entry_is_named_as_such(store: CredentialStore, keyring: FakeKeyring, text: str) -> None:
    ref = store.add(made())
    keyring.entries[service_name(ref), "account"] = text

    with pytest.raises(CredentialError) as caught:
        store.load(ref)

    assert problem_of(caught.value) is P.DAMAGED


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (errors.NoKeyringError(PLANTED), P.ABSENT),
        (errors.KeyringLocked(PLANTED), P.LOCKED),
        (errors.InitError(f"Failed to create the collection: Prompt dismissed {PLANTED}"), P.DISMISSED),
        (errors.InitError(PLANTED), P.FAILED),
        (errors.KeyringLocked(f"Can't get password from keychain: (-128, 'User denied') {PLANTED}"), P.DENIED),
        (errors.PasswordSetError(PLANTED), P.FAILED),
        (PromptDismissedException(PLANTED), P.DISMISSED),
        (_WindowsError(1783), P.TOO_LARGE),
        (_WindowsError(1312), P.ABSENT),
        (_WindowsError(5), P.DENIED),
        (ConnectionResetError(PLANTED), P.ABSENT),
        (RuntimeError(PLANTED), P.FAILED),
        (UnicodeDecodeError("utf-8", PLANTED.encode(), 0, 1, PLANTED), P.FAILED),
    ],
)
def test_every_trouble_of_a_keyring_is_told_and_quotes_nothing(
    store: CredentialStore,
    keyring: FakeKeyring,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    problem: CredentialProblem,
) -> None:
    ref = store.add(made())
    keyring.error = error

    for work in (lambda: store.add(made("new")), lambda: store.load(ref), lambda: store.remove(ref)):
        with caplog.at_level(logging.DEBUG), pytest.raises(CredentialError) as caught:
            work()
        assert problem_of(caught.value) is problem
        assert PLANTED not in caught.value.detail
        assert caught.value.__context__ is None or isinstance(caught.value.__context__, CredentialError)
    assert PLANTED not in caplog.text
    assert store.names() == (ref,)


def test_the_sentences_say_what_to_do() -> None:
    absent = explain(errors.NoKeyringError(), "linux").user_text
    locked = explain(errors.KeyringLocked(), "linux").user_text

    assert "gnome-keyring" in absent
    assert "KWallet" in absent
    assert "Public data works without it" in absent
    assert "Unlock it" in locked
    assert "Credential Manager" in explain(errors.NoKeyringError(), "win32").user_text
    assert "Keychain" in explain(errors.NoKeyringError(), "darwin").user_text


@pytest.mark.parametrize("backend", [NullKeyring, FailKeyring, ChainerBackend, PlaintextKeyring])
def test_backends_that_protect_nothing_are_refused_by_name(tmp_path: Path, backend: type[object]) -> None:
    with pytest.raises(CredentialError) as caught:
        CredentialStore(tmp_path / FILE_NAME, backend=backend())  # type: ignore[arg-type]  # the kind is what is tested

    assert problem_of(caught.value) is P.REFUSED_BACKEND
    assert backend.__module__ in caught.value.user_text
    assert "nothing was stored" in caught.value.user_text


def test_a_subclass_of_an_allowed_backend_is_not_allowed() -> None:
    from keyring.backends.SecretService import Keyring  # noqa: PLC0415 - loads D-Bus libraries

    pretender = type("Keyring", (Keyring,), {"__module__": "somewhere"})()

    with pytest.raises(CredentialError):
        check_backend(pretender, "linux")
    check_backend(Keyring.__new__(Keyring), "linux")


def test_only_real_keyrings_are_on_the_list() -> None:
    for names in ALLOWED.values():
        assert not any(word in name.lower() for name in names for word in ("null", "fail", "chain", "alt", "plain"))


def test_without_any_keyring_the_user_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(CredentialError) as caught:
        choose_backend("linux", allowed=())

    assert problem_of(caught.value) in {P.ABSENT, P.REFUSED_BACKEND}
    assert "gnome-keyring" in caught.value.user_text


@pytest.mark.parametrize(
    "configured",
    [
        "keyring.backends.null.Keyring",
        "keyring.backends.chainer.ChainerBackend",
        "tests.fakes.fake_keyring.PlaintextKeyring",
    ],
)
def test_a_configured_backend_has_no_say_and_is_named_when_it_is_all_there_is(tmp_path: Path, configured: str) -> None:
    code = (
        "from pathlib import Path\n"
        "from monitor.desktop.credentials import CredentialStore\n"
        "from monitor.domain.credentials import *\n"
        "store = CredentialStore(Path('accounts.json'))\n"
        f"value = Credentials(account=AccountRef('bitunix', 'main'), values={{'secret': Secret({PLANTED!r})}})\n"
        "try:\n"
        "    store.add(value)\n"
        "except CredentialError as error:\n"
        "    print(error.problem.value, '|', error.user_text)\n"
    )
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DBUS_SESSION_BUS_ADDRESS"},
        "PYTHON_KEYRING_BACKEND": configured,
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "XDG_DATA_HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    problem, _, text = done.stdout.partition(" | ")
    assert problem == "keyring_refused"
    assert configured in text
    assert PLANTED not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(PLANTED.encode() not in path.read_bytes() for path in files)
