"""Accounts kept in memory only: those of the demo exchange, which must never touch the user's keyring."""

from monitor.domain.credentials import AccountRef, CredentialError, CredentialProblem, Credentials, clean_name


class MemoryStore:
    """Does what :class:`monitor.desktop.credentials.CredentialStore` does and forgets everything at the end.

    Nothing blocks. Thread: one at a time, as with the other store.
    """

    def __init__(self) -> None:
        self._kept: dict[AccountRef, Credentials] = {}

    def names(self, venue: str | None = None) -> tuple[AccountRef, ...]:
        """Every account in the order added."""
        return tuple(ref for ref in self._kept if venue in {None, ref.venue})

    def backend_name(self) -> str:
        """What stands for the keyring."""
        return "this program's memory"

    def add(self, credentials: Credentials) -> AccountRef:
        """Keep a new account; ``CredentialError`` (``DUPLICATE``) when there is one of this name."""
        ref = AccountRef(credentials.account.venue, clean_name(credentials.account.name))
        if any(one.venue == ref.venue and one.name.casefold() == ref.name.casefold() for one in self._kept):
            raise CredentialError("There is already an account of this name.", problem=CredentialProblem.DUPLICATE)
        self._kept[ref] = Credentials(account=ref, values=credentials.values)
        return ref

    def replace(self, credentials: Credentials) -> None:
        """Keep other secrets of an account that exists; ``CredentialError`` (``MISSING``) when it does not."""
        self.load(credentials.account)
        self._kept[credentials.account] = credentials

    def rename(self, ref: AccountRef, name: str) -> AccountRef:
        """Give an account another name; ``CredentialError`` (``DUPLICATE``, ``MISSING``)."""
        kept, new = self.load(ref), AccountRef(ref.venue, clean_name(name))
        others = [one for one in self._kept if one != ref and one.venue == new.venue]
        if any(one.name.casefold() == new.name.casefold() for one in others):
            raise CredentialError("There is already an account of this name.", problem=CredentialProblem.DUPLICATE)
        made = Credentials(account=new, values=kept.values)
        self._kept = {(new if one == ref else one): (made if one == ref else held) for one, held in self._kept.items()}
        return new

    def load(self, ref: AccountRef) -> Credentials:
        """What opens an account; ``CredentialError`` (``MISSING``)."""
        found = self._kept.get(ref)
        if found is None:
            raise CredentialError("There is no account of this name.", problem=CredentialProblem.MISSING)
        return found

    def remove(self, ref: AccountRef) -> None:
        """Forget an account; one that is not there is no error."""
        self._kept.pop(ref, None)
