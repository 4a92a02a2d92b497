"""What the window asks of a place where credentials are kept: the keyring, or for the demo this program's memory."""

from typing import Protocol

from monitor.domain.credentials import AccountRef, Credentials


class AccountStore(Protocol):
    """Where credentials are kept. Every method may block: called from the keyring's thread only."""

    def names(self, venue: str | None = None) -> tuple[AccountRef, ...]:
        """Every account."""
        ...

    def add(self, credentials: Credentials) -> AccountRef:
        """Keep a new one."""
        ...

    def replace(self, credentials: Credentials) -> None:
        """Other secrets for one that exists."""
        ...

    def rename(self, ref: AccountRef, name: str) -> AccountRef:
        """Another name for one."""
        ...

    def load(self, ref: AccountRef) -> Credentials:
        """What opens one."""
        ...

    def remove(self, ref: AccountRef) -> None:
        """Delete one."""
        ...
