"""A keyring in memory that can be locked, absent, forgetful or slow."""

import threading

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError


class FakeKeyring:
    """What the store uses of a backend. Set ``error`` to have every call raise it; clear ``gate`` to block them.

    Thread: any.
    """

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.error: Exception | None = None
        self.is_forgetful = False
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[str] = []
        self.threads: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        """The secret."""
        self._enter("get")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store, unless it is forgetful."""
        self._enter("set")
        if not self.is_forgetful:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Remove."""
        self._enter("delete")
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("No such password!")

    def _enter(self, what: str) -> None:
        self.calls.append(what)
        self.threads.append(threading.current_thread().name)
        self.gate.wait(10.0)
        if self.error is not None:
            raise self.error


class PlaintextKeyring(KeyringBackend):
    """Stands for the backends of keyrings.alt: it works, and protects nothing."""

    priority = 0.5

    def get_password(self, service: str, username: str) -> str | None:
        """Never called: the test fails if it is."""
        raise AssertionError("a refused backend was used")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Never called."""
        raise AssertionError("a refused backend was used")

    def delete_password(self, service: str, username: str) -> None:
        """Never called."""
        raise AssertionError("a refused backend was used")
