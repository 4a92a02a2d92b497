"""The accounts dialog over a real store and the keyring's own thread; what is typed wrongly leaves no trace."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from keyring.errors import KeyringLocked, NoKeyringError
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from monitor.assembly import assemble
from monitor.controller import Controller
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.memory_store import MemoryStore
from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef, CredentialProblem
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.polling.results import TaskDone
from monitor.qtmodels.account_service import AccountAnswer, AccountService
from monitor.state.accounts import Access
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.fake_keyring import FakeKeyring
from tests.fakes.widget_texts import everything_in

KEY, SECRET = "unique-key-Zebra-1234", "unique-secret-Okapi-5678"
PRIVATE_KEY = "0x" + "5eC0de77" * 8
VENUES = ("bitunix", "hyperliquid")


class Bench:
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


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.keyring.gate.set()
    made.service.stop(3.0)


@pytest.fixture
def dialog(bench: Bench, qtbot: QtBot) -> CredentialDialog:
    made = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(made)
    made.show()
    return made


def fill(dialog: CredentialDialog, name: str, **inputs: str) -> None:
    dialog.name.setText(name)
    for field, text in inputs.items():
        dialog.fields.edits[field].setText(text)


def choose(dialog: CredentialDialog, venue: str) -> None:
    dialog.venue.setCurrentIndex(dialog.venue.findData(venue))


def test_an_account_is_added_with_the_keyboard_and_its_secrets_are_gone_from_the_fields(
    bench: Bench, dialog: CredentialDialog, qtbot: QtBot
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


def test_fields_are_masked_take_a_paste_with_white_space_and_give_nothing_back(
    bench: Bench, dialog: CredentialDialog, qtbot: QtBot
) -> None:
    edit = dialog.fields.edits["secret"]
    QGuiApplication.clipboard().setText(f"  {SECRET}\n")
    edit.paste()
    assert edit.echoMode() is QLineEdit.EchoMode.Password
    edit.selectAll()
    QGuiApplication.clipboard().setText("something else")
    edit.copy()
    assert QGuiApplication.clipboard().text() == "something else"
    fill(dialog, "main", api_key=KEY)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))

    assert f'"secret": "{SECRET}"' in next(iter(bench.keyring.entries.values()))


@pytest.mark.parametrize("typed", [PRIVATE_KEY, PRIVATE_KEY[2:], " ".join(PRIVATE_KEY), f"key: {PRIVATE_KEY}!"])
@pytest.mark.parametrize("where", ["address", "name"])
def test_a_private_key_leaves_the_field_its_undo_history_and_memory(
    bench: Bench, dialog: CredentialDialog, where: str, typed: str
) -> None:
    choose(dialog, "hyperliquid")
    edit = dialog.name if where == "name" else dialog.fields.edits[where]
    QGuiApplication.clipboard().setText(typed)
    edit.paste()
    edit.undo()

    assert edit.text() == ""
    assert not edit.isUndoAvailable()
    assert not edit.isRedoAvailable()
    assert "form of a private key" in dialog.result_label.text()
    assert "5eC0de77" not in everything_in(dialog)
    held = texts_held_by(dialog, bench.service, bench.controller)
    assert "bitunix" in held, "the search finds what is held"
    assert [text for text in held if PRIVATE_KEY[2:] in text.replace(" ", "")] == []
    assert bench.keyring.calls == []


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


def test_what_cannot_be_right_is_said_and_nothing_is_stored(bench: Bench, dialog: CredentialDialog) -> None:
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


def test_the_same_account_is_not_counted_twice(bench: Bench, dialog: CredentialDialog, qtbot: QtBot) -> None:
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))
    fill(dialog, "again", api_key=KEY, secret=SECRET)
    dialog.keep.click()

    assert "counted twice" in dialog.result_label.text()
    assert len(bench.service.refs) == 1


def test_replace_and_delete(
    bench: Bench, dialog: CredentialDialog, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
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


def test_an_account_is_renamed_and_no_secret_is_asked_for(bench: Bench, dialog: CredentialDialog, qtbot: QtBot) -> None:
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


def test_without_accounts_the_list_says_what_to_do(bench: Bench, dialog: CredentialDialog, qtbot: QtBot) -> None:
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


def test_a_rename_is_left_with_cancel(bench: Bench, dialog: CredentialDialog, qtbot: QtBot) -> None:
    fill(dialog, "main", api_key=KEY, secret=SECRET)
    dialog.keep.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("add")))
    dialog.rename_button.click()
    dialog.cancel_change.click()

    assert dialog.fields.isVisible()
    assert not dialog.keep.isEnabled(), "nothing was typed"
    assert dialog.name.text() == ""
    assert bench.service.refs == (AccountRef("bitunix", "main"),)


def test_a_locked_keyring_is_said_and_can_be_tried_again(bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
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


def test_an_absent_keyring_is_said_by_test_and_by_add(bench: Bench, tmp_path: Path, qtbot: QtBot) -> None:
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


def test_the_advice_to_use_a_read_only_key_is_seen_where_a_key_is_typed(dialog: CredentialDialog) -> None:
    assert dialog.advice.isVisible()
    assert "read-only key is enough and recommended" in dialog.advice.text()
    assert "does not tell what a key may do" in dialog.advice.text()
    choose(dialog, "hyperliquid")
    assert "Only the public address of the master account" in dialog.advice.text()


def test_a_keyring_that_waits_for_its_user_shows_progress_and_can_be_left(
    bench: Bench, dialog: CredentialDialog, qtbot: QtBot
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


def test_without_accounts_the_keyring_is_not_touched(bench: Bench, qtbot: QtBot) -> None:
    bench.service.start()
    bench.wait_for(qtbot, lambda: bool(bench.answered("list")))

    assert bench.keyring.calls == []


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


DEMO_SECRET = "demo-secret-worth-nothing"


@pytest.mark.parametrize(
    ("key", "secret", "said"),
    [
        ("demo-key-worth-nothing", DEMO_SECRET, "It works."),
        ("no-such-key-at-all", DEMO_SECRET, "The key is wrong."),
        ("demo-key-worth-nothing", "not-the-secret", "The secret is wrong."),
        ("demo-key-other-ip", DEMO_SECRET, "not on the key's list"),
        ("demo-key-no-permission", DEMO_SECRET, "lacks a permission"),
    ],
)
def test_test_says_what_is_wrong_with_a_key(
    exchange: DemoServer, bench: Bench, qtbot: QtBot, key: str, secret: str, said: str
) -> None:
    runtimes = assemble(("bitunix",), Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file)
    bench.controller.attach(runtimes)
    dialog = CredentialDialog(bench.service, hides_amounts=True)
    qtbot.addWidget(dialog)
    dialog.show()
    fill(dialog, "", api_key=key, secret=secret)
    dialog.test_typed.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("test")), timeout_ms=30_000)
    bench.controller.stop(15.0)

    assert said in dialog.result_label.text()
    assert dialog.result_label.text()[0] == ("✓" if said == "It works." else "✕")
    assert ("make sure that this one is read-only" in dialog.result_label.text()) is (said == "It works.")
    assert key not in dialog.result_label.text()
    assert "Equity" not in dialog.result_label.text(), "amounts are hidden"
    assert bench.service.refs == ()
    assert bench.keyring.entries == {}


def test_a_wrong_clock_is_a_warning_with_its_offset(exchange: DemoServer, bench: Bench, qtbot: QtBot) -> None:
    runtimes = assemble(("bitunix",), Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file)
    bench.controller.attach(runtimes)
    dialog = CredentialDialog(bench.service, hides_amounts=True)
    qtbot.addWidget(dialog)
    fill(dialog, "", api_key="demo-key-worth-nothing", secret=DEMO_SECRET)
    exchange.add_fault(kind="clock_skew", venue="bitunix", seconds=90.0)
    dialog.test_typed.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("test")), timeout_ms=30_000)
    exchange.clear_faults()
    bench.controller.stop(15.0)
    said = dialog.result_label.text()
    check = bench.answered("test")[0].check

    assert check is not None
    assert check.clock_offset_s == pytest.approx(90.0, abs=5.0)
    assert said.startswith("⚠")
    assert "The clock of this computer is wrong." in said
    assert said.count(f"{check.clock_offset_s:.1f} s") == 1
    assert dialog.result_label.objectName() == "warning"


def test_a_venue_that_is_down_is_told_from_a_wrong_key(exchange: DemoServer, bench: Bench, qtbot: QtBot) -> None:
    runtimes = assemble(("bitunix",), Settings(), base_urls={"bitunix": "http://127.0.0.1:9"})
    bench.controller.attach(runtimes)
    dialog = CredentialDialog(bench.service, hides_amounts=False)
    qtbot.addWidget(dialog)
    fill(dialog, "", api_key=KEY, secret=SECRET)
    dialog.test_typed.click()
    bench.wait_for(qtbot, lambda: bool(bench.answered("test")), timeout_ms=60_000)
    bench.controller.stop(15.0)

    assert "The venue does not answer." in dialog.result_label.text()


def test_the_demo_accounts_come_by_themselves_and_never_touch_the_keyring(tmp_path: Path, qtbot: QtBot) -> None:
    bench = Bench(tmp_path, store=MemoryStore())
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
    bench.service.stop(3.0)
