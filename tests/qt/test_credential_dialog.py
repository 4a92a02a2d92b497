"""The accounts dialog: adding, replacing, renaming and deleting, and what it says when something cannot be right."""

from functools import partial

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from monitor.domain.credentials import AccountRef
from monitor.state.accounts import Access
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.credential_bench import KEY, SECRET, CredentialBench, choose, fill
from tests.fakes.widget_texts import everything_in


def test_an_account_is_added_with_the_keyboard_and_its_secrets_are_gone_from_the_fields(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    credential_dialog.name.setFocus()
    QTest.keyClicks(credential_dialog.name, "main")
    order = [credential_dialog.name]
    for _ in range(2):
        QTest.keyClick(order[-1], Qt.Key.Key_Tab)
        order.append(credential_dialog.focusWidget())  # type: ignore[arg-type]  # one of the fields
    QTest.keyClicks(order[1], KEY)
    QTest.keyClicks(order[2], SECRET)
    QTest.keyClick(order[2], Qt.Key.Key_Return)
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))

    assert credential_bench.answered("add")[0].is_ok
    assert credential_bench.service.refs == (AccountRef("bitunix", "main"),)
    assert SECRET in next(iter(credential_bench.keyring.entries.values()))
    assert KEY not in everything_in(credential_dialog)
    assert SECRET not in everything_in(credential_dialog)
    assert not any(edit.isUndoAvailable() for edit in credential_dialog.fields.edits.values())
    assert credential_bench.controller.board.accounts.states[credential_bench.service.refs[0]].access is Access.OPEN


def test_what_cannot_be_right_is_said_and_nothing_is_stored(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog
) -> None:
    fill(credential_dialog, "", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()
    assert "needs a name" in credential_dialog.result_label.text()
    fill(credential_dialog, "main", api_key=KEY, secret="two words")
    credential_dialog.keep.click()
    assert "white space" in credential_dialog.result_label.text()
    choose(credential_dialog, "hyperliquid")
    fill(credential_dialog, "main", address="0x1234")
    credential_dialog.keep.click()

    assert "40 hexadecimal digits" in credential_dialog.result_label.text()
    assert credential_bench.keyring.calls == []


def test_the_same_account_is_not_counted_twice(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    fill(credential_dialog, "main", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))
    fill(credential_dialog, "again", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()

    assert "counted twice" in credential_dialog.result_label.text()
    assert len(credential_bench.service.refs) == 1


def test_replace_and_delete(
    credential_bench: CredentialBench,
    credential_dialog: CredentialDialog,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(credential_dialog, "main", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))
    credential_dialog.replace_button.click()
    assert not credential_dialog.name.isEnabled()
    assert credential_dialog.fields.edits["secret"].text() == "", "what is stored is never shown"
    fill(credential_dialog, "main", api_key=KEY, secret="another-secret-1")
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("replace")))
    assert "another-secret-1" in next(iter(credential_bench.keyring.entries.values()))
    assert credential_dialog.name.isEnabled()

    asked: list[str] = []

    def answer(box: QMessageBox, word: str) -> None:
        asked.append(box.text())
        next(button for button in box.buttons() if word in button.text()).click()

    monkeypatch.setattr(QMessageBox, "exec", lambda box: answer(box, "Cancel"))
    credential_dialog.delete_button.click()
    assert credential_dialog.list.count() == 1
    assert not credential_bench.answered("remove")
    monkeypatch.setattr(QMessageBox, "exec", lambda box: answer(box, "Delete"))
    credential_dialog.delete_button.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("remove")))

    assert asked == ["Delete main and its secrets from the keyring? The venue is not told."] * 2
    assert credential_bench.keyring.entries == {}
    assert not credential_bench.service.refs
    assert credential_dialog.current_ref is None


def test_an_account_is_renamed_and_no_secret_is_asked_for(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    def is_added(name: str) -> bool:
        return any(answer.ref and answer.ref.name == name for answer in credential_bench.answered("add"))

    for name in ("main", "other"):
        fill(credential_dialog, name, api_key=f"{KEY}-{name}", secret=SECRET)
        credential_dialog.keep.click()
        credential_bench.wait_for(qtbot, partial(is_added, name))
    credential_dialog.list.setCurrentRow(0)
    credential_dialog.rename_button.click()
    assert credential_dialog.form_title.text() == "Rename main"
    assert credential_dialog.name.text() == credential_dialog.name.selectedText() == "main"
    assert not credential_dialog.fields.isVisible()
    assert not credential_dialog.test_typed.isVisible()
    credential_dialog.name.setText("Other")
    credential_dialog.keep.click()
    assert "already an account of this name" in credential_dialog.result_label.text()
    QTest.keyClicks(credential_dialog.name, " bot")
    QTest.keyClick(credential_dialog.name, Qt.Key.Key_Return)
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("rename")))

    renamed = AccountRef("bitunix", "Other bot")
    assert credential_dialog.result_label.text() == "✓ Other bot: Renamed."
    assert credential_bench.service.refs == (renamed, AccountRef("bitunix", "other"))
    assert credential_bench.controller.board.accounts.states[renamed].access is Access.OPEN
    held = credential_bench.controller.credentials_of(renamed)
    assert held is not None
    assert held["secret"].reveal() == SECRET
    assert credential_dialog.fields.isVisible()
    assert credential_dialog.keep.text() == "Add"
    assert credential_dialog.name.isEnabled()


def test_without_accounts_the_list_says_what_to_do(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    assert credential_dialog.list.empty_label.isVisible()
    assert "Fill in the form" in credential_dialog.list.empty_label.text()
    fill(credential_dialog, "main", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))

    assert not credential_dialog.list.empty_label.isVisible()


def test_no_button_moves_when_a_result_is_told(credential_dialog: CredentialDialog, qtbot: QtBot) -> None:
    def places() -> dict[str, QPoint]:
        QApplication.processEvents()
        buttons = [button for button in credential_dialog.findChildren(QPushButton) if button.isVisible()]
        return {button.text(): button.mapTo(credential_dialog, QPoint(0, 0)) for button in buttons}

    before, texts = places(), ("One line.", "A sentence that goes on and on. " * 7, "")
    seen = []
    for text in texts:
        credential_dialog.show_result(text)
        seen.append(places())

    width_px = credential_dialog.result_label.fontMetrics().horizontalAdvance(texts[1])
    assert credential_dialog.result_label.width() < width_px < 2 * credential_dialog.result_label.width(), (
        "the second one takes two lines"
    )
    assert seen == [before] * len(texts)


def test_a_rename_is_left_with_cancel(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    fill(credential_dialog, "main", api_key=KEY, secret=SECRET)
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))
    credential_dialog.rename_button.click()
    credential_dialog.cancel_change.click()

    assert credential_dialog.fields.isVisible()
    assert not credential_dialog.keep.isEnabled(), "nothing was typed"
    assert credential_dialog.name.text() == ""
    assert credential_bench.service.refs == (AccountRef("bitunix", "main"),)


def test_the_advice_to_use_a_read_only_key_is_seen_where_a_key_is_typed(credential_dialog: CredentialDialog) -> None:
    assert credential_dialog.advice.isVisible()
    assert "read-only key is enough and recommended" in credential_dialog.advice.text()
    assert "does not tell what a key may do" in credential_dialog.advice.text()
    choose(credential_dialog, "hyperliquid")
    assert "Only the public address of the master account" in credential_dialog.advice.text()
