"""The accounts dialog: adding, replacing, renaming and deleting, and what it says when something cannot be right."""

from collections.abc import Iterator
from pathlib import Path

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


def test_an_account_is_added_with_the_keyboard_and_its_secrets_are_gone_from_the_fields(
    bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot
) -> None:
    dialog.name.setFocus()
    QTest.keyClicks(dialog.name, "main")
    order = [dialog.name]
    for _ in range(2):
        QTest.keyClick(order[-1], Qt.Key.Key_Tab)
        order.append(dialog.focusWidget())  # type: ignore[arg-type]  # one of the fields
    QTest.keyClicks(order[1], KEY)
    QTest.keyClicks(order[2], SECRET)
    QTest.keyClick(order[2], Qt.Key.Key_Return)
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))

    assert bench.answered("add")[0].is_ok
    assert bench.service.refs == (AccountRef("bitunix", "main"),)
    assert SECRET in next(iter(bench.keyring.entries.values()))
    assert KEY not in everything_in(dialog)
    assert SECRET not in everything_in(dialog)
    assert not any(edit.isUndoAvailable() for edit in dialog.fields.edits.values())
    assert bench.controller.board.accounts.states[bench.service.refs[0]].access is Access.OPEN


def test_what_cannot_be_right_is_said_and_nothing_is_stored(bench: CredentialBench, dialog: CredentialDialog) -> None:
    fill(dialog, "", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    assert "needs a name" in dialog.result_label.text()
    fill(dialog, "main", api_key=KEY, secret="two words")
    dialog.keep.click()
    assert "white space" in dialog.result_label.text()
    choose(dialog, "hyperliquid")
    fill(dialog, "main", address="0x1234")
    dialog.keep.click()

    assert "40 hexadecimal digits" in dialog.result_label.text()
    assert bench.keyring.calls == []


def test_the_same_account_is_not_counted_twice(bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot) -> None:
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))
    fill(dialog, "again", api_key=KEY, secret=SECRET)
    dialog.keep.click()

    assert "counted twice" in dialog.result_label.text()
    assert len(bench.service.refs) == 1


def test_replace_and_delete(
    bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))
    dialog.replace_button.click()
    assert not dialog.name.isEnabled()
    assert dialog.fields.edits["secret"].text() == "", "what is stored is never shown"
    fill(dialog, "main", api_key=KEY, secret="another-secret-1")
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("replace")))
    assert "another-secret-1" in next(iter(bench.keyring.entries.values()))
    assert dialog.name.isEnabled()

    asked: list[str] = []

    def answer(box: QMessageBox, word: str) -> None:
        asked.append(box.text())
        next(button for button in box.buttons() if word in button.text()).click()

    monkeypatch.setattr(QMessageBox, "exec", lambda box: answer(box, "Cancel"))
    dialog.delete_button.click()
    assert dialog.list.count() == 1
    assert not bench.answered("remove")
    monkeypatch.setattr(QMessageBox, "exec", lambda box: answer(box, "Delete"))
    dialog.delete_button.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("remove")))

    assert asked == ["Delete main and its secrets from the keyring? The venue is not told."] * 2
    assert bench.keyring.entries == {}
    assert not bench.service.refs
    assert dialog.current_ref is None


def test_an_account_is_renamed_and_no_secret_is_asked_for(
    bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot
) -> None:
    for name in ("main", "other"):
        fill(dialog, name, api_key=f"{KEY}-{name}", secret=SECRET)
        dialog.keep.click()
        bench.wait_for(qtbot, lambda: any(answer.ref and answer.ref.name == name for answer in bench.answered("add")))  # noqa: B023 - waited for here
    dialog.list.setCurrentRow(0)
    dialog.rename_button.click()
    assert dialog.form_title.text() == "Rename main"
    assert dialog.name.text() == dialog.name.selectedText() == "main"
    assert not dialog.fields.isVisible()
    assert not dialog.test_typed.isVisible()
    dialog.name.setText("Other")
    dialog.keep.click()
    assert "already an account of this name" in dialog.result_label.text()
    QTest.keyClicks(dialog.name, " bot")
    QTest.keyClick(dialog.name, Qt.Key.Key_Return)
    bench.wait_for(qtbot, lambda: bool(bench.answered("rename")))

    renamed = AccountRef("bitunix", "Other bot")
    assert dialog.result_label.text() == "✓ Other bot: Renamed."
    assert bench.service.refs == (renamed, AccountRef("bitunix", "other"))
    assert bench.controller.board.accounts.states[renamed].access is Access.OPEN
    held = bench.controller.credentials_of(renamed)
    assert held is not None
    assert held["secret"].reveal() == SECRET
    assert dialog.fields.isVisible()
    assert dialog.keep.text() == "Add"
    assert dialog.name.isEnabled()


def test_without_accounts_the_list_says_what_to_do(
    bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot
) -> None:
    assert dialog.list.empty_label.isVisible()
    assert "Fill in the form" in dialog.list.empty_label.text()
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))

    assert not dialog.list.empty_label.isVisible()


def test_no_button_moves_when_a_result_is_told(dialog: CredentialDialog, qtbot: QtBot) -> None:
    def places() -> dict[str, QPoint]:
        QApplication.processEvents()
        buttons = [button for button in dialog.findChildren(QPushButton) if button.isVisible()]
        return {button.text(): button.mapTo(dialog, QPoint(0, 0)) for button in buttons}

    before, texts = places(), ("One line.", "A sentence that goes on and on. " * 7, "")
    seen = []
    for text in texts:
        dialog.show_result(text)
        seen.append(places())

    width_px = dialog.result_label.fontMetrics().horizontalAdvance(texts[1])
    assert dialog.result_label.width() < width_px < 2 * dialog.result_label.width(), "the second one takes two lines"
    assert seen == [before] * len(texts)


def test_a_rename_is_left_with_cancel(bench: CredentialBench, dialog: CredentialDialog, qtbot: QtBot) -> None:
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))
    dialog.rename_button.click()
    dialog.cancel_change.click()

    assert dialog.fields.isVisible()
    assert not dialog.keep.isEnabled(), "nothing was typed"
    assert dialog.name.text() == ""
    assert bench.service.refs == (AccountRef("bitunix", "main"),)


def test_the_advice_to_use_a_read_only_key_is_seen_where_a_key_is_typed(dialog: CredentialDialog) -> None:
    assert dialog.advice.isVisible()
    assert "read-only key is enough and recommended" in dialog.advice.text()
    assert "does not tell what a key may do" in dialog.advice.text()
    choose(dialog, "hyperliquid")
    assert "Only the public address of the master account" in dialog.advice.text()
