"""The accounts dialog over a keyring that is locked, absent, slow or not wanted at all."""

from pathlib import Path

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


def test_a_locked_keyring_is_said_and_can_be_tried_again(
    credential_bench: CredentialBench, tmp_path: Path, qtbot: QtBot
) -> None:
    other = CredentialStore(tmp_path / FILE_NAME, backend=credential_bench.keyring, is_trusted=True)
    other.add(ACCOUNT_VENUES["bitunix"].make_credentials("main", {"api_key": KEY, "secret": SECRET}))
    credential_bench.keyring.error = KeyringLocked("locked")
    credential_bench.service.start()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("open")))
    credential_dialog = CredentialDialog(credential_bench.service, hides_amounts=False)
    qtbot.addWidget(credential_dialog)
    credential_dialog.show()

    assert credential_bench.answered("open")[0].problem is CredentialProblem.LOCKED
    assert "not opened" in credential_dialog.list.item(0).text()
    assert credential_dialog.again_button.isVisible()
    credential_dialog.test_stored.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("test")))
    assert "The keyring is locked." in credential_dialog.result_label.text()
    credential_bench.keyring.error = None
    credential_dialog.again_button.click()
    credential_bench.wait_for(
        qtbot, lambda: credential_bench.controller.credentials_of(AccountRef("bitunix", "main")) is not None
    )
    assert not credential_dialog.again_button.isVisible()


def test_an_absent_keyring_is_said_by_test_and_by_add(
    credential_bench: CredentialBench, tmp_path: Path, qtbot: QtBot
) -> None:
    other = CredentialStore(tmp_path / FILE_NAME, backend=credential_bench.keyring, is_trusted=True)
    other.add(ACCOUNT_VENUES["bitunix"].make_credentials("main", {"api_key": KEY, "secret": SECRET}))
    credential_bench.keyring.error = NoKeyringError("no")
    credential_bench.service.start()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("open")))
    credential_dialog = CredentialDialog(credential_bench.service, hides_amounts=False)
    qtbot.addWidget(credential_dialog)
    credential_dialog.test_stored.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("test")))

    assert credential_bench.answered("test")[0].problem is CredentialProblem.ABSENT
    said = credential_dialog.result_label.text()
    assert said.startswith("✕ main: There is no keyring to keep secrets in.")
    assert "Public data works without it" in said
    fill(credential_dialog, "other", api_key=KEY + "2", secret=SECRET)
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))
    assert "There is no keyring" in credential_dialog.result_label.text()
    assert credential_bench.service.refs == (AccountRef("bitunix", "main"),)


def test_a_keyring_that_waits_for_its_user_shows_progress_and_can_be_left(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    credential_bench.keyring.gate.clear()
    fill(credential_dialog, "main", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()
    qtbot.waitUntil(credential_dialog.stop_waiting.isVisible, timeout=5_000)
    assert "storing main" in credential_dialog.waiting_label.text()
    assert not credential_dialog.keep.isEnabled()
    credential_dialog.stop_waiting.click()

    assert "Not waited for" in credential_dialog.result_label.text()
    credential_bench.keyring.gate.set()
    credential_bench.wait_for(qtbot, lambda: credential_bench.service.refs == (AccountRef("bitunix", "main"),))
    assert credential_bench.answered("add") == [], "nobody is told of what was not waited for; the list shows it"


def test_without_accounts_the_keyring_is_not_touched(credential_bench: CredentialBench, qtbot: QtBot) -> None:
    credential_bench.service.start()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("list")))

    assert credential_bench.keyring.calls == []


def test_the_demo_accounts_come_by_themselves_and_never_touch_the_keyring(tmp_path: Path, qtbot: QtBot) -> None:
    credential_bench = CredentialBench(tmp_path, store=MemoryStore())
    with demo_exchange() as exchange:
        from monitor.desktop.demo_process import DemoAccount  # noqa: PLC0415 - what the desk hands over

        offered = [DemoAccount(**account) for account in exchange.ready["accounts"]]
    credential_bench.service.offer_demo(offered)
    credential_bench.wait_for(qtbot, lambda: len(credential_bench.service.refs) == 2)
    credential_dialog = CredentialDialog(credential_bench.service, hides_amounts=False)
    qtbot.addWidget(credential_dialog)
    credential_dialog.show()
    assert [ref.venue for ref in credential_bench.service.refs] == ["bitunix", "hyperliquid"]
    credential_bench.service.rename(credential_bench.service.refs[0], "mine")
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("rename")))
    credential_dialog.demo_button.click()
    credential_bench.wait_for(qtbot, lambda: len(credential_bench.service.refs) == len(offered))
    assert credential_bench.service.refs[0].name == "mine"

    assert not credential_dialog.demo_button.isEnabled()
    assert credential_bench.keyring.calls == []
    assert list(tmp_path.iterdir()) == []
    credential_bench.close()
