"""The whole window with planted secrets: refusals, faults, a crash, files, log at DEBUG, history; then a search."""

import io
import logging
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.logs import LOG_FILE_NAME, configure_logging
from monitor.domain.credentials import AccountRef, CheckOutcome, CredentialInputError
from monitor.exchanges.bitunix.signing import signed_headers
from monitor.history.export import ExportWish, export_to_files
from monitor.history.files import history_name
from monitor.history.tables import TABLES
from monitor.qtmodels.account_service import AccountAnswer
from monitor.widgets.account_panels import NAMES
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.fake_keyring import FakeKeyring
from tests.fakes.sample_desk import make_desk, work_until
from tests.fakes.widget_texts import everything_in

# Words, so that no redaction rule knows their form and only not saying them helps; and digits, as a venue's are.
KEY = "Unique-Planted-Key-Heron-31"
SECRET = "Unique-Planted-Secret-Ibex-42"
HEX_KEY = "7e57c0de4b1d5eed" * 2
HEX_SECRET = "7e575ec4e7b0a710" * 2
ADDRESS = "0x" + "7e57ADd4" * 5
PRIVATE_KEY = "0x" + "5eC0de99" * 8
# These two are the demo exchange's own, which it lets in.
KNOWN_KEY = "demo-key-worth-nothing"
KNOWN_SECRET = "demo-secret-worth-nothing"

HIDDEN = (KEY, SECRET, HEX_KEY, HEX_SECRET, ADDRESS[2:], PRIVATE_KEY[2:], KNOWN_KEY, KNOWN_SECRET)

WORDS = AccountRef("bitunix", "planted")
DIGITS = AccountRef("bitunix", "digits")
KNOWN = AccountRef("bitunix", "known")
HOLDER = AccountRef("hyperliquid", "planted")

FAULTS: tuple[tuple[dict[str, object], CheckOutcome], ...] = (
    ({"kind": "no_permission"}, CheckOutcome.NO_PERMISSION),
    ({"kind": "forbidden_html"}, CheckOutcome.BLOCKED),
    ({"kind": "server_error", "status": 500}, CheckOutcome.VENUE_DOWN),
    ({"kind": "venue_error", "code": 99_999, "to": "unheard of"}, CheckOutcome.OTHER),
    # Dropped once, without one byte of a reply, and asked again on another connection.
    ({"kind": "stale_race", "count": 1}, CheckOutcome.OK),
)


class Traced:
    """A desk on the demo exchange with planted accounts; ``texts`` is whatever it said anywhere."""

    def __init__(self, exchange: DemoServer, folder: Path) -> None:
        self.exchange = exchange
        self.folder = folder
        self.texts: list[str] = []
        self.answers: list[AccountAnswer] = []
        self.keyring = FakeKeyring()
        store = CredentialStore(folder / FILE_NAME, backend=self.keyring, is_trusted=True)
        self.desk = make_desk(exchange, folder, store)
        # Somebody is there to read the crash dialog.
        self.desk.crashes._is_scripted = False
        self.desk.accounts.answered.connect(self.answers.append)
        self.desk.open()
        self.dialog = CredentialDialog(self.desk.accounts, hides_amounts=False, parent=self.desk.window)
        self.dialog.show()

    def wait_until(self, is_true: Callable[[], bool]) -> None:
        """Let the desk work until it is."""
        work_until(self.desk, is_true)

    @property
    def refused(self) -> set[AccountRef]:
        """Accounts that their venue does not let in."""
        return {ref for ref, state in self.desk.accounts.states.items() if state.is_refused}

    def rows_of(self, ref: AccountRef) -> int:
        """How many positions of an account are known."""
        known = self.desk.accounts.states[ref].positions.value
        return 0 if known is None else len(known.positions)

    def look(self) -> None:
        """Read whatever can be read in the window and its dialogs now."""
        self.desk.window.panels.accounts.refresh_all()
        for dialog in (self.dialog, self.desk.crashes.dialog):
            if dialog is not None:
                self.texts.append(everything_in(dialog))
        self.texts.append(everything_in(self.desk.window))
        for table in self.desk.window.panels.accounts.tables.values():
            self.texts += [chip.story for chip in table.chips.chips]
        self.texts += [entry.text for entry in self.desk.controller.board.events.items]
        self.texts += [repr(vars(self.desk.accounts)), repr(vars(self.desk.controller))]
        self.texts.append(repr(self.desk.controller.board.accounts.states))

    def test(self, ref: AccountRef) -> CheckOutcome:
        """Press Test for an account and read the answer."""
        before = len(self.answers)
        self.desk.accounts.test(ref)
        tests: Callable[[], list[AccountAnswer]] = lambda: [one for one in self.answers[before:] if one.what == "test"]  # noqa: E731 - read three times
        self.wait_until(lambda: bool(tests()))
        (answer,) = tests()
        self.texts.append(repr(answer))
        self.look()
        assert answer.check is not None, answer.text
        return answer.check.outcome

    def crash(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """Fail in a thread while secrets are at hand, open the dialog and copy its report; what it says."""
        refs = (WORDS, DIGITS, HOLDER)
        held = [self.desk.controller.credentials_of(ref) for ref in refs]
        states = self.desk.accounts.states

        def fail() -> None:
            raise RuntimeError(f"a mistake while holding {held!r} of {[states[ref] for ref in refs]!r}")

        monkeypatch.setattr(threading, "excepthook", self.desk._crash_hooks.on_thread_exception)
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        self.wait_until(lambda: self.desk.crashes.dialog is not None)
        dialog = self.desk.crashes.dialog
        assert dialog is not None
        dialog.copy_button.click()
        self.texts.append(QGuiApplication.clipboard().text())
        self.look()
        dialog.close()
        return dialog.report.toPlainText()

    def write_files(self) -> None:
        """Every file that the user can ask for."""
        window = self.desk.window
        for name in NAMES:
            table = window.panels.accounts.tables[name]
            table.copy()
            self.texts.append(QGuiApplication.clipboard().text())
            self.desk.save_text(self.folder / f"{name}.csv", table.csv_text(with_amounts=True))
        self.desk.export_history(self.folder / "history.json", 3_600.0)
        self.desk.export_history(self.folder / "quotes.csv", 3_600.0)
        self.desk.save_incident()
        wanted = [self.folder / f"{name}.csv" for name in NAMES]
        wanted += [self.folder / "history.json", self.folder / "quotes.csv"]
        self.wait_until(lambda: all(file.is_file() for file in wanted) and bool(self.incidents()))
        now = datetime.now(UTC)
        wish = ExportWish(start=now - timedelta(hours=1), end=now, tables=tuple(TABLES), format="csv")
        file = self.folder / history_name(is_demo=False)
        export_to_files(file, wish, self.folder / "tables", progress=lambda _table, _part: None)
        self.desk.save_settings(self.desk.controller.settings)
        self.desk.work_for(0.5)

    def incidents(self) -> list[Path]:
        """The bundles written."""
        return list(self.desk.incident_folder().glob("incident-*.zip"))

    def close(self) -> None:
        """End the desk."""
        self.dialog.close()
        self.desk.window.close()
        self.desk.close()


@contextmanager
def everything_logged(folder: Path) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """The log as the program keeps it, at DEBUG, and beside it what it would be without redaction."""
    raw, redacted = io.StringIO(), io.StringIO()
    handler = logging.StreamHandler(raw)
    handler.setFormatter(logging.Formatter("%(levelname)-8s %(name)s %(message)s"))
    setup = configure_logging(folder, stream=redacted, is_verbose=True)
    logging.getLogger().addHandler(handler)
    levels = {name: logging.getLogger(name).level for name in ("", "monitor", "urllib3", "requests", "keyring")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield raw, redacted
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    setup.close()


def readable(file: Path) -> list[str]:
    """What is in a file, of a bundle what is in its members."""
    texts = [file.name, file.read_bytes().decode("latin-1")]
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as bundle:
            texts += [f"{name}\n{bundle.read(name).decode('latin-1')}" for name in bundle.namelist()]
    return texts


@pytest.mark.allow_warnings  # the refusals are what is looked at
def test_no_file_log_or_output_of_the_window_holds_a_secret(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    del qapp  # the desk takes the application over
    signatures: list[str] = []

    def recorded(**arguments: object) -> dict[str, str]:
        headers = signed_headers(**arguments)  # type: ignore[arg-type]  # passed through
        signatures.extend((headers["sign"], headers["nonce"]))
        return headers

    monkeypatch.setattr("monitor.exchanges.bitunix.private.signed_headers", recorded)
    with everything_logged(tmp_path) as (raw_log, redacted_log), demo_exchange() as exchange:
        traced = Traced(exchange, tmp_path)
        desk, dialog = traced.desk, traced.dialog
        dialog.name.setText(PRIVATE_KEY)
        traced.look()
        dialog.venue.setCurrentIndex(dialog.venue.findData("hyperliquid"))
        dialog.fields.edits["address"].setText(PRIVATE_KEY)
        traced.look()
        assert "form of a private key" in dialog.result_label.text()
        with pytest.raises(CredentialInputError) as refused:
            desk.accounts.add("hyperliquid", "stolen", {"address": PRIVATE_KEY})
        traced.texts.append(repr(refused.value))
        desk.accounts.add(WORDS.venue, WORDS.name, {"api_key": KEY, "secret": SECRET})
        desk.accounts.add(DIGITS.venue, DIGITS.name, {"api_key": HEX_KEY, "secret": HEX_SECRET})
        desk.accounts.add(KNOWN.venue, KNOWN.name, {"api_key": KNOWN_KEY, "secret": KNOWN_SECRET})
        desk.accounts.add(HOLDER.venue, HOLDER.name, {"address": ADDRESS})
        traced.wait_until(lambda: {WORDS, DIGITS} <= traced.refused and bool(traced.rows_of(KNOWN)))

        assert traced.test(WORDS) is traced.test(DIGITS) is CheckOutcome.WRONG_KEY
        assert traced.test(KNOWN) is CheckOutcome.OK
        for fault, outcome in FAULTS:
            exchange.add_fault(venue="bitunix", endpoint="accounts", **fault)
            assert traced.test(KNOWN) is outcome, fault
            exchange.clear_faults()
        exchange.add_fault(venue="bitunix", endpoint="accounts", kind="stale_race", count=1)
        requests = desk.controller.board.requests
        traced.wait_until(lambda: any(trace.is_healed for trace in requests.items))
        report = traced.crash(monkeypatch)
        traced.write_files()
        bundles = [zipfile.ZipFile(file).namelist() for file in traced.incidents()]
        traced.close()
    captured = capfd.readouterr()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    texts = [*traced.texts, captured.out, captured.err, raw_log.getvalue(), redacted_log.getvalue()]
    everything = "\n".join([*texts, *(text for file in files for text in readable(file))]).lower()

    assert SECRET in str(traced.keyring.entries), "it was in use"
    assert "RuntimeError" in report
    assert len(signatures) >= 12
    assert {"history.db", "history.json", "quotes.csv", "requests.csv", "positions.csv", FILE_NAME, LOG_FILE_NAME} <= {
        path.name for path in files
    }
    assert [{"export.json", "settings.json", "log.txt", "window.png", "about.json"} - set(one) for one in bundles] == [
        set()
    ]
    # Which of an account's polls is refused first is chance.
    refusal = r"bitunix\.\w+@planted: bitunix does not know this api key"
    for said in (refusal, "debug    urllib3", "lacks a permission"):
        assert re.search(said, everything), "refusals, the log at DEBUG and an account's name may be read"
    assert [text for text in (*HIDDEN, *signatures) if text.lower() in everything] == []
    assert not re.search(r"5ec0de99|7e57add4", everything), "not even a part of a key"
