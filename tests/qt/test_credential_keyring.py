"""The accounts dialog over a keyring that is locked, absent, slow or not wanted at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked, NoKeyringError
from pytestqt.qtbot import QtBot

from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.memory_store import MemoryStore
from monitor.domain.credentials import AccountRef, CredentialProblem
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.credential_bench import KEY, SECRET, CredentialBench, fill
from tests.fakes.demo_exchange import demo_exchange


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[CredentialBench]:
    made = CredentialBench(tmp_path)
    yield made
    made.close()


@pytest.fixture
def dialog(bench: CredentialBench, qtbot: QtBot) -> CredentialDialog:
    made = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_locked_keyring_is_said_and_can_be_tried_again(bench: CredentialBench, tmp_path: Path, qtbot: QtBot) -> None:
    other = CredentialStore(tmp_path / FILE_NAME, backend=bench.keyring, is_trusted=True)
    other.add(ACCOUNT_VENUES["bitunix"].make_credentials("main", {"api_key": KEY, "secret": SECRET}))
    bench.keyring.error = KeyringLocked("locked")
    bench.service.start()
    bench.wait_for(qtbot, lambda: bool(bench.answered("open")))
    dialog = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(dialog)
    dialog.show()

    assert bench.answered("open")[0].problem is CredentialProblem.LOCKED
    assert "not opened" in dialog.list.item(0).text()
    assert dialog.again_button.isVisible()
    dialog.test_stored.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("test")))
    assert "The keyring is locked." in dialog.result_label.text()
    bench.keyring.error = None
    dialog.again_button.click()
    bench.wait_for(qtbot, lambda: bench.controller.credentials_of(AccountRef("bitunix", "main")) is not None)
    assert not dialog.again_button.isVisible()


def test_an_absent_keyring_is_said_by_test_and_by_add(bench: CredentialBench, tmp_path: Path, qtbot: QtBot) -> None:
    other = CredentialStore(tmp_path / FILE_NAME, backend=bench.keyring, is_trusted=True)
    other.add(ACCOUNT_VENUES["bitunix"].make_credentials("main", {"api_key": KEY, "secret": SECRET}))
    bench.keyring.error = NoKeyringError("no")
    bench.service.start()
    bench.wait_for(qtbot, lambda: bool(bench.answered("open")))
    dialog = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(dialog)
    dialog.test_stored.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("test")))

    assert bench.answered("test")[0].problem is CredentialProblem.ABSENT
    said = dialog.result_label.text()
    assert said.startswith("✕ main: There is no keyring to keep secrets in.")
    assert "Public data works without it" in said
    fill(dialog, "other", api_key=KEY + "2", secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))
    assert "There is no keyring" in dialog.result_label.text()
    assert bench.service.refs == (AccountRef("bitunix", "main"),)


def test_a_keyring_that_waits_for_its_user_shows_progress_and_can_be_left(
    bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot
) -> None:
    bench.keyring.gate.clear()
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    qtbot.waitUntil(dialog.stop_waiting.isVisible, timeout=5_000)
    assert "storing main" in dialog.waiting_label.text()
    assert not dialog.keep.isEnabled()
    dialog.stop_waiting.click()

    assert "Not waited for" in dialog.result_label.text()
    bench.keyring.gate.set()
    bench.wait_for(qtbot, lambda: bench.service.refs == (AccountRef("bitunix", "main"),))
    assert bench.answered("add") == [], "nobody is told of what was not waited for; the list shows it"


def test_without_accounts_the_keyring_is_not_touched(bench: CredentialBench, qtbot: QtBot) -> None:
    bench.service.start()
    bench.wait_for(qtbot, lambda: bool(bench.answered("list")))

    assert bench.keyring.calls == []


def test_the_demo_accounts_come_by_themselves_and_never_touch_the_keyring(tmp_path: Path, qtbot: QtBot) -> None:
    bench = CredentialBench(tmp_path, store=MemoryStore())
    with demo_exchange() as exchange:
        from monitor.desktop.demo_process import DemoAccount  # noqa: PLC0415 - what the desk hands over

        offered = [DemoAccount(**account) for account in exchange.ready["accounts"]]
    bench.service.offer_demo(offered)
    bench.wait_for(qtbot, lambda: len(bench.service.refs) == 2)
    dialog = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(dialog)
    dialog.show()
    assert [ref.venue for ref in bench.service.refs] == ["bitunix", "hyperliquid"]
    bench.service.rename(bench.service.refs[0], "mine")
    bench.wait_for(qtbot, lambda: bool(bench.answered("rename")))
    dialog.demo_button.click()
    bench.wait_for(qtbot, lambda: len(bench.service.refs) == len(offered))
    assert bench.service.refs[0].name == "mine"

    assert not dialog.demo_button.isEnabled()
    assert bench.keyring.calls == []
    assert list(tmp_path.iterdir()) == []
    bench.close()
