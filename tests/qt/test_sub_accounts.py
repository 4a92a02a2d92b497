"""Sub-accounts: found at the demo exchange through the outbox, chosen in the dialog, added under their labels."""

from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QMessageBox
from pytestqt.qtbot import QtBot

from monitor.assembly import assemble
from monitor.controller import Controller
from monitor.desktop.memory_store import MemoryStore
from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.accounts import free_name
from monitor.polling.results import TaskDone
from monitor.qtmodels.account_service import AccountService
from monitor.widgets.credential_dialog import CredentialDialog
from monitor.widgets.sub_account_dialog import SubAccountDialog
from tests.fakes.demo_exchange import DemoServer, demo_exchange

DialogT = TypeVar("DialogT", bound=QDialog)

MASTER, SUB = "0xde00000000000000000000000000000000000001", "0xde00000000000000000000000000000000000004"
VENUES = ("bitunix", "hyperliquid")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(arguments=["--no-limits"]) as server:
        yield server


class Bench:
    """A service over accounts in memory, with venues to ask."""

    def __init__(self, exchange: DemoServer, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        # Markets are not what is looked at here, and would use the budget.
        self.controller = Controller(venues=VENUES, settings=Settings(disabled_venues=VENUES))
        self.service = AccountService(self.controller, MemoryStore(), lambda: ACCOUNT_VENUES)
        self.controller.attach(assemble(VENUES, Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file))

    def wait_for(self, is_true: Callable[[], bool]) -> None:
        """Take in what comes until it is."""

        def look() -> bool:
            results, _ = self.controller.outbox.drain()
            for result in results:
                if isinstance(result, TaskDone):
                    self.service.take(result)
            return is_true()

        self.qtbot.waitUntil(look, timeout=15_000)

    def add(self, name: str, address: str) -> AccountRef:
        """Add an address and wait until it is open."""
        ref = self.service.add("hyperliquid", name, {"address": address})
        self.wait_for(lambda: self.controller.credentials_of(ref) is not None)
        return ref


@pytest.fixture
def bench(exchange: DemoServer, qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(exchange, qtbot)
    yield made
    made.service.stop(3.0)
    made.controller.stop(10.0)


@pytest.fixture
def dialog(bench: Bench, qtbot: QtBot) -> CredentialDialog:
    made = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(made)
    made.show()
    return made


def opened(dialog: CredentialDialog, kind: type[DialogT]) -> list[DialogT]:
    """The windows of a kind that stand over the dialog."""
    return [one for one in dialog.findChildren(kind) if one.isVisible()]


def test_a_sub_account_is_found_and_added_under_its_label(bench: Bench, dialog: CredentialDialog) -> None:
    bench.add("main", MASTER)
    dialog.refresh()
    assert dialog.sub_button.isEnabled()

    QTest.mouseClick(dialog.sub_button, Qt.MouseButton.LeftButton)
    assert not dialog.sub_button.isEnabled(), "one search at a time"
    bench.wait_for(lambda: bool(opened(dialog, SubAccountDialog)))
    (shown,) = opened(dialog, SubAccountDialog)
    (offer,) = shown.chosen
    assert shown.windowTitle() == "Sub-accounts of main"
    assert (offer.name, offer.account.shown) == ("demo sub", "0xde00…0004")
    assert SUB not in repr(offer)
    assert SUB not in shown.list.item(0).text()
    shown.list.setCurrentRow(0)
    QTest.keyClick(shown.list, Qt.Key.Key_Space)
    assert not shown.add_button.isEnabled(), "nothing is ticked any more"
    QTest.keyClick(shown.list, Qt.Key.Key_Space)
    shown.add_button.click()
    sub = AccountRef("hyperliquid", "demo sub")
    bench.wait_for(lambda: bench.controller.credentials_of(sub) is not None)

    known = bench.controller.credentials_of(sub)
    assert known is not None
    assert known["address"].reveal() == SUB
    assert bench.service.refs == (AccountRef("hyperliquid", "main"), sub)


def test_one_that_is_here_already_cannot_be_added_twice(bench: Bench, dialog: CredentialDialog) -> None:
    bench.add("mine", SUB)
    bench.add("main", MASTER)
    dialog.refresh()
    dialog.list.setCurrentRow(1)

    dialog.sub_button.click()
    bench.wait_for(lambda: bool(opened(dialog, SubAccountDialog)))
    (shown,) = opened(dialog, SubAccountDialog)

    assert shown.chosen == ()
    assert "here already, as mine" in shown.list.item(0).text()
    assert not shown.add_button.isEnabled()
    shown.reject()
    assert len(bench.service.refs) == 2


@pytest.mark.parametrize("address", [SUB, "0x" + "ab" * 20])
def test_none_is_said_in_words(bench: Bench, dialog: CredentialDialog, address: str) -> None:
    bench.add("alone", address)
    dialog.refresh()

    dialog.sub_button.click()
    bench.wait_for(lambda: bool(opened(dialog, QMessageBox)))
    (box,) = opened(dialog, QMessageBox)

    assert box.text() == "alone: The venue lists no sub-accounts of this account."
    assert dialog.sub_button.isEnabled()
    box.reject()


def test_an_answer_after_the_dialog_was_closed_opens_nothing(bench: Bench, dialog: CredentialDialog) -> None:
    bench.add("main", MASTER)
    dialog.refresh()
    dialog.sub_button.click()
    dialog.close()
    bench.wait_for(lambda: not bench.service.sub_accounts.is_asking)

    assert opened(dialog, SubAccountDialog) == []


def test_a_venue_without_sub_accounts_has_the_button_off(bench: Bench, dialog: CredentialDialog) -> None:
    ref = bench.service.add("bitunix", "b", {"api_key": "demo-key-flat", "secret": "demo-secret-worth-nothing"})
    bench.wait_for(lambda: bench.controller.credentials_of(ref) is not None)
    dialog.refresh()

    assert not dialog.sub_button.isEnabled()
    assert dialog.sub_button.accessibleName().startswith("Find sub-accounts")


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("carry", (), "carry"),
        ("Carry", ("carry",), "Carry 2"),
        ("carry", ("carry", "carry 2"), "carry 3"),
        ("0x" + "ab" * 32, (), "sub-account"),
        ("a/b", ("sub-account",), "sub-account 2"),
        ("", (), "sub-account"),
    ],
)
def test_labels_become_names_that_are_free(wanted: str, taken: tuple[str, ...], name: str) -> None:
    assert free_name(wanted, taken) == name
