"""Where keys and addresses are kept: the operating system's keyring, and nowhere else."""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from monitor.desktop.account_index import load_index, save_index
from monitor.desktop.keyring_backends import SecretBackend, backend_name, check_backend, choose_backend, explain
from monitor.domain.credentials import (
    MAX_ENTRY_CHARS,
    AccountRef,
    CredentialError,
    CredentialProblem,
    Credentials,
    Hidden,
    Secret,
    clean_name,
)

T = TypeVar("T")

SERVICE_PREFIX = "trading-monitor"
USER_NAME = "account"
"""The same for every entry: two user names under one service make the Windows backend move entries about."""

_P = CredentialProblem


def service_name(ref: AccountRef) -> str:
    """What an entry is called in the keyring; one account, one entry, so that a pair is never half stored."""
    return f"{SERVICE_PREFIX}:{ref.venue}:{ref.name}"


class CredentialStore:
    """Accounts by venue and name, their secrets in the keyring.

    ``backend`` None chooses one from the allow-list at the first use, and again as long as there is none. Any other is
    refused unless it is on that list; tests hand one in with ``is_trusted``.

    Thread: call from a worker thread only (:class:`~monitor.desktop.credential_worker.CredentialWorker`): every method
    but :meth:`names` may block for minutes on the keyring's unlock dialog. One thread at a time.
    """

    def __init__(
        self,
        index_file: Path,
        *,
        backend: SecretBackend | None = None,
        is_trusted: bool = False,
        platform: str = sys.platform,
    ) -> None:
        if backend is not None and not is_trusted:
            check_backend(backend, platform)
        self._index_file = index_file
        self._backend = backend
        self._platform = platform

    def names(self, venue: str | None = None) -> tuple[AccountRef, ...]:
        """Every account in the order added, from the index file; the keyring is not asked.

        Raises:
            CredentialError: ``INDEX``.
        """
        return tuple(ref for ref in load_index(self._index_file) if venue in {None, ref.venue})

    def find(self, venue: str, name: str) -> AccountRef:
        """The account of this name, whatever the case.

        Raises:
            CredentialError: ``MISSING`` or ``INDEX``.
        """
        for ref in self.names(venue):
            if ref.name.casefold() == name.strip().casefold():
                return ref
        raise CredentialError("There is no account of this name.", problem=_P.MISSING)

    def backend_name(self) -> str:
        """The keyring in use. Raises ``CredentialError`` (``ABSENT``, ``REFUSED_BACKEND``); opens no dialog."""
        return backend_name(self._ready())

    def add(self, credentials: Credentials) -> AccountRef:
        """Store a new account and read it back.

        Raises:
            CredentialInputError: the name cannot be one.
            CredentialError: ``DUPLICATE``, or the keyring's or the index's trouble; then nothing is stored.
        """
        ref = AccountRef(credentials.account.venue, clean_name(credentials.account.name))
        accounts = load_index(self._index_file)
        if any(one.venue == ref.venue and one.name.casefold() == ref.name.casefold() for one in accounts):
            raise CredentialError("There is already an account of this name.", problem=_P.DUPLICATE)
        self._put(ref, credentials.values)
        try:
            save_index(self._index_file, (*accounts, ref))
        except CredentialError:
            self._drop(ref)
            raise
        return ref

    def replace(self, credentials: Credentials) -> None:
        """Store new secrets of an account that exists; the old ones are gone.

        Raises:
            CredentialError: ``MISSING``, or the keyring's trouble.
        """
        self._put(self.find(credentials.account.venue, credentials.account.name), credentials.values)

    def rename(self, ref: AccountRef, name: str) -> AccountRef:
        """Give an account another name; its place in the list and its secrets stay.

        Raises:
            CredentialInputError: the name cannot be one.
            CredentialError: ``DUPLICATE``, ``MISSING``, or the keyring's or the index's trouble; then nothing changed.
        """
        new = AccountRef(ref.venue, clean_name(name))
        accounts = load_index(self._index_file)
        others = [one for one in accounts if one != ref and one.venue == new.venue]
        if any(one.name.casefold() == new.name.casefold() for one in others):
            raise CredentialError("There is already an account of this name.", problem=_P.DUPLICATE)
        values = self.load(ref).values
        if new == ref:
            return ref
        self._put(new, values)
        try:
            save_index(self._index_file, tuple(new if one == ref else one for one in accounts))
        except CredentialError:
            self._drop(new)
            raise
        try:
            self._drop(ref)
        except CredentialError:
            save_index(self._index_file, accounts)
            with suppress(CredentialError):
                self._drop(new)
            raise
        if new.name.casefold() == ref.name.casefold():
            # To Windows both are the same entry, and it has just been deleted.
            self._put(new, values)
        return new

    def load(self, ref: AccountRef) -> Credentials:
        """The secrets of an account.

        Raises:
            CredentialError: ``MISSING`` (also when the entry is gone from the keyring), ``DAMAGED``, or the keyring's.
        """
        text = self._call(lambda backend: backend.get_password(service_name(ref), USER_NAME))
        if text is None:
            raise CredentialError(
                f"The keyring has no entry for the account {ref.name}: remove it here and add it again.",
                problem=_P.MISSING,
            )
        values = _read_entry(text)
        if values is None:
            raise CredentialError(
                f"The keyring's entry of the account {ref.name} is damaged: replace it.", problem=_P.DAMAGED
            )
        return Credentials(account=ref, values=values)

    def remove(self, ref: AccountRef) -> None:
        """Delete an account and its entry; an entry or a name that is not there is no error.

        Raises:
            CredentialError: the keyring's trouble or ``INDEX``; the account is still listed then.
        """
        self._drop(ref)
        accounts = load_index(self._index_file)
        kept = tuple(one for one in accounts if one != ref)
        if kept != accounts:
            save_index(self._index_file, kept)

    def _put(self, ref: AccountRef, values: Mapping[str, Hidden]) -> None:
        text = _write_entry(values)
        if len(text.encode("utf-16-le", "replace")) // 2 > MAX_ENTRY_CHARS:
            raise CredentialError(
                f"Together these have more than the {MAX_ENTRY_CHARS} characters that every keyring takes.",
                problem=_P.TOO_LARGE,
            )
        self._call(lambda backend: backend.set_password(service_name(ref), USER_NAME, text))
        if self._call(lambda backend: backend.get_password(service_name(ref), USER_NAME)) != text:
            raise CredentialError(
                "The keyring said it stored the secret, but it reads back differently.", problem=_P.NOT_KEPT
            )

    def _drop(self, ref: AccountRef) -> None:
        try:
            self._call(lambda backend: backend.delete_password(service_name(ref), USER_NAME))
        except CredentialError:
            # "No such entry" is said differently by every backend; asking tells it from trouble.
            if self._call(lambda backend: backend.get_password(service_name(ref), USER_NAME)) is not None:
                raise

    def _ready(self) -> SecretBackend:
        if self._backend is None:
            self._backend = choose_backend(self._platform)
        return self._backend

    def _call(self, work: Callable[[SecretBackend], T]) -> T:
        backend = self._ready()
        try:
            return work(backend)
        except Exception as caught:  # noqa: BLE001 - on Windows and D-Bus they are the libraries' own
            error = explain(caught, self._platform)
        # Raised here, not in the handler: as its context the original would travel along, secrets in its frames.
        raise error


def _write_entry(values: Mapping[str, Hidden]) -> str:
    return json.dumps({"v": 1, "values": {name: value.reveal() for name, value in values.items()}}, ensure_ascii=False)


def _read_entry(text: str) -> dict[str, Hidden] | None:
    try:
        document = json.loads(text[: 4 * MAX_ENTRY_CHARS])
    except (ValueError, RecursionError):
        return None
    values = document.get("values") if isinstance(document, dict) else None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        return None
    return {str(name): Secret(value) for name, value in values.items()}
