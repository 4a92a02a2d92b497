"""The whole window with a keyring that does not answer: prices go on, and one can go on without."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.domain.credentials import AccountRef
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.state.accounts import Access
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.fake_keyring import FakeKeyring
from tests.fakes.sample_desk import make_desk, work_until

INPUTS = {"api_key": "demo-key-worth-nothing", "secret": "demo-secret-worth-nothing"}
MAIN = AccountRef("bitunix", "main")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


class Run:
    """One run of the desk on a keyring that holds an account already; ``ticks`` counts what its event loop does."""

    def __init__(self, exchange: DemoServer, folder: Path) -> None:
        self.keyring = FakeKeyring()
        store = CredentialStore(folder / FILE_NAME, backend=self.keyring, is_trusted=True)
        store.add(ACCOUNT_VENUES[MAIN.venue].make_credentials(MAIN.name, INPUTS))
        self.keyring.calls.clear()
        self.keyring.threads.clear()
        self.desk = make_desk(exchange, folder, store)
        self.ticks = 0
        timer = QTimer(self.desk)
        timer.timeout.connect(self._tick)
        timer.start(10)

    def _tick(self) -> None:
        self.ticks += 1

    @property
    def access(self) -> Access | None:
        """Whether the account is open."""
        state = self.desk.accounts.states.get(MAIN)
        return None if state is None else state.access

    @property
    def replies(self) -> int:
        """How many replies have come so far; of accounts there is none yet."""
        return self.desk.controller.board.requests.revision

    def wait_until(self, is_true: Callable[[], bool]) -> None:
        """Let the desk work until it is."""
        work_until(self.desk, is_true)


@pytest.fixture
def run(qapp: QApplication, exchange: DemoServer, tmp_path: Path) -> Iterator[Run]:
    del qapp  # the desk takes the application over
    made = Run(exchange, tmp_path)
    yield made
    made.desk.close()
    made.keyring.gate.set()
    for thread in threading.enumerate():
        if thread.name == "keyring":
            thread.join(5.0)


@pytest.mark.allow_warnings  # an account that cannot be opened is told of
def test_a_keyring_that_hangs_at_the_start_delays_neither_window_nor_prices(run: Run) -> None:
    run.keyring.gate.clear()
    run.desk.open()
    run.wait_until(lambda: run.access is Access.OPENING and bool(run.keyring.calls))
    ticks, replies = run.ticks, run.replies
    run.wait_until(lambda: run.replies > replies + 5)
    assert run.ticks > ticks + 5, "the event loop went on"
    run.desk.window.panels.accounts.refresh_all()
    table = run.desk.window.panels.accounts.tables["positions"]
    assert [chip.text for chip in table.chips.chips] == ["waiting for the keyring"]
    dialog = CredentialDialog(run.desk.accounts, hides_amounts=False, parent=run.desk.window)
    dialog.show()
    run.wait_until(dialog.stop_waiting.isVisible)
    assert "opening main" in dialog.waiting_label.text()
    assert "(waiting for the keyring)" in dialog.list.item(0).text()
    dialog.stop_waiting.click()

    assert run.access is Access.CLOSED
    seen = run.replies
    run.wait_until(lambda: run.replies > seen)
    run.keyring.gate.set()
    dialog.again_button.click()
    run.wait_until(lambda: run.access is Access.OPEN)
    assert set(run.keyring.threads) == {"keyring"}
    dialog.close()


def test_nothing_a_user_can_do_asks_the_keyring_from_the_windows_thread(run: Run) -> None:
    run.desk.open()
    run.wait_until(lambda: run.access is Access.OPEN)
    accounts = run.desk.accounts
    answers: list[str] = []
    accounts.answered.connect(lambda answer: answers.append(answer.what))
    run.wait_until(lambda: run.desk.controller.engine is not None)
    accounts.test(MAIN)
    run.wait_until(lambda: "test" in answers)
    accounts.replace(MAIN, {**INPUTS, "secret": "another-secret"})
    run.wait_until(lambda: "replace" in answers)
    accounts.rename(MAIN, "other")
    run.wait_until(lambda: "rename" in answers)
    accounts.add("bitunix", "second", {**INPUTS, "api_key": "demo-key-flat"})
    run.wait_until(lambda: "add" in answers)
    accounts.remove(AccountRef("bitunix", "other"))
    run.wait_until(lambda: "remove" in answers)

    assert set(run.keyring.calls) == {"get", "set", "delete"}
    assert set(run.keyring.threads) == {"keyring"}


def test_the_window_closes_while_the_keyring_hangs(run: Run) -> None:
    run.keyring.gate.clear()
    run.desk.open()
    run.wait_until(lambda: bool(run.keyring.calls))
    run.desk.window.close()
    run.desk.close()

    (hanging,) = [thread for thread in threading.enumerate() if thread.name == "keyring"]
    assert hanging.daemon, "it does not keep the process"
    assert set(run.keyring.threads) == {"keyring"}
