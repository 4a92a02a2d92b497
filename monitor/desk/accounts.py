"""Accounts behind the window: where their credentials are kept, and files the user asked for."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject

from monitor.controller import Controller
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.memory_store import MemoryStore
from monitor.exchanges.accounts import AccountVenue
from monitor.polling.results import PollResult, TaskDone
from monitor.qtmodels.account_service import AccountService

log = logging.getLogger(__name__)

TOKEN_FILE: Final = -31


def make_accounts(controller: Controller, *, is_demo: bool, settings_file: Path, parent: QObject) -> AccountService:
    """The accounts of the keyring, their names beside the settings; in the demo, of the demo exchange and in memory.

    The demo never sees the user's own keys: they would be sent to a simulated venue.
    """
    store = MemoryStore() if is_demo else CredentialStore(settings_file.parent / FILE_NAME)
    return AccountService(controller, store, _account_venues, is_demo=is_demo, parent=parent)


def save_text(path: Path, text: str, put: Callable[[PollResult], object]) -> None:
    """Write a file in a thread of its own and hand over a sentence on how that went, as a ``TaskDone``."""

    def work() -> None:
        try:
            path.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            log.warning("a file could not be written: %s", error.strerror)
            said = f"{path.name} could not be written: {error.strerror or 'unknown reason'}. Choose another folder."
            put(TaskDone(token=TOKEN_FILE, value=(False, said), failure=None))
            return
        put(TaskDone(token=TOKEN_FILE, value=(True, f"Written: {path.name}"), failure=None))

    threading.Thread(target=work, name="save-file", daemon=True).start()


def _account_venues() -> Mapping[str, AccountVenue]:
    # Reading accounts is not part of a start without any.
    from monitor.exchanges.account_registry import ACCOUNT_VENUES  # noqa: PLC0415 - see above

    return ACCOUNT_VENUES
