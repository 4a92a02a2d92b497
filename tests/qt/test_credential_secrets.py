"""What is typed into the accounts dialog leaves no trace: not in a field, its undo history or memory."""

import gc

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.credential_bench import KEY, SECRET, CredentialBench, choose, fill
from tests.fakes.widget_texts import everything_in

PRIVATE_KEY = "0x" + "5eC0de77" * 8


def texts_held_by(*roots: object) -> set[str]:
    """Every text that can be reached from ``roots`` through containers and objects of the application."""
    found: set[str] = set()
    seen: set[int] = set()
    stack: list[object] = list(roots)
    while stack:
        one = stack.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, dict):
            stack += [*one.keys(), *one.values()]
        elif isinstance(one, list | tuple | set | frozenset):
            stack += list(one)
        elif type(one).__module__.startswith("monitor") and not isinstance(one, type):
            stack += gc.get_referents(one)
            stack.append(getattr(one, "__dict__", None))
    return found


def test_fields_are_masked_take_a_paste_with_white_space_and_give_nothing_back(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, qtbot: QtBot
) -> None:
    edit = credential_dialog.fields.edits["secret"]
    QGuiApplication.clipboard().setText(f"  {SECRET}\n")
    edit.paste()
    assert edit.echoMode() is QLineEdit.EchoMode.Password
    edit.selectAll()
    QGuiApplication.clipboard().setText("something else")
    edit.copy()
    assert QGuiApplication.clipboard().text() == "something else"
    fill(credential_dialog, "main", api_key=KEY)
    credential_dialog.keep.click()
    credential_bench.wait_for(qtbot, lambda: bool(credential_bench.answered("add")))

    assert f'"secret": "{SECRET}"' in next(iter(credential_bench.keyring.entries.values()))


@pytest.mark.parametrize("typed", [PRIVATE_KEY, PRIVATE_KEY[2:], " ".join(PRIVATE_KEY), f"key: {PRIVATE_KEY}!"])
@pytest.mark.parametrize("where", ["address", "name"])
def test_a_private_key_leaves_the_field_its_undo_history_and_memory(
    credential_bench: CredentialBench, credential_dialog: CredentialDialog, where: str, typed: str
) -> None:
    choose(credential_dialog, "hyperliquid")
    edit = credential_dialog.name if where == "name" else credential_dialog.fields.edits[where]
    QGuiApplication.clipboard().setText(typed)
    edit.paste()
    edit.undo()

    assert edit.text() == ""
    assert not edit.isUndoAvailable()
    assert not edit.isRedoAvailable()
    assert "form of a private key" in credential_dialog.result_label.text()
    assert "5eC0de77" not in everything_in(credential_dialog)
    held = texts_held_by(credential_dialog, credential_bench.service, credential_bench.controller)
    assert "bitunix" in held, "the search finds what is held"
    assert [text for text in held if PRIVATE_KEY[2:] in text.replace(" ", "")] == []
    assert credential_bench.keyring.calls == []
