"""The accounts dialog's service over a real store and the keyring's own thread, without a desk."""

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from monitor.controller import Controller
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.memory_store import MemoryStore
from monitor.desktop.settings import Settings
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.polling.results import TaskDone
from monitor.qtmodels.account_service import AccountAnswer, AccountService
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.fake_keyring import FakeKeyring

KEY, SECRET = "unique-key-Zebra-1234", "unique-secret-Okapi-5678"
VENUES = ("bitunix", "hyperliquid")


class CredentialBench:
    """A service with a keyring that can be locked or slow, and whatever it answered."""

    def __init__(self, tmp_path: Path, *, store: MemoryStore | None = None) -> None:
        self.keyring = FakeKeyring()
        self.controller = Controller(venues=VENUES, settings=Settings())
        kept = store or CredentialStore(tmp_path / FILE_NAME, backend=self.keyring, is_trusted=True)
        self.service = AccountService(self.controller, kept, lambda: ACCOUNT_VENUES, is_demo=store is not None)
        self.answers: list[AccountAnswer] = []
        self.service.answered.connect(self.answers.append)

    def drain(self) -> None:
        """What the frame pump does with one-off work."""
        results, _ = self.controller.outbox.drain()
        for result in results:
            if isinstance(result, TaskDone):
                self.service.take(result)

    def wait_for(self, qtbot: QtBot, is_true: Callable[[], bool], timeout_ms: int = 5_000) -> None:
        """Drain until it is."""

        def look() -> bool:
            self.drain()
            return is_true()

        qtbot.waitUntil(look, timeout=timeout_ms)

    def answered(self, what: str) -> list[AccountAnswer]:
        """The answers to one kind of wish."""
        return [answer for answer in self.answers if answer.what == what]

    def close(self) -> None:
        """End the keyring's thread, whatever it waits for."""
        self.keyring.gate.set()
        self.service.stop(3.0)


def fill(dialog: CredentialDialog, name: str, **inputs: str) -> None:
    """Type into the form."""
    dialog.name.setText(name)
    for field, text in inputs.items():
        dialog.fields.edits[field].setText(text)


def choose(dialog: CredentialDialog, venue: str) -> None:
    """Turn the form to ``venue``."""
    dialog.venue.setCurrentIndex(dialog.venue.findData(venue))
