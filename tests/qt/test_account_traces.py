"""The whole window with planted secrets: refusals, crash, export, log at DEBUG, history, settings; then a search."""

import io
import logging
import re
import threading
import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from monitor.crash import CrashHooks, CrashReport
from monitor.desk.desk import Desk
from monitor.desk.options import DeskOptions
from monitor.desktop.account_index import FILE_NAME
from monitor.desktop.credentials import CredentialStore
from monitor.desktop.logs import configure_logging
from monitor.desktop.paths import AppPaths
from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef
from monitor.exchanges.bitunix.signing import signed_headers
from monitor.widgets.account_panels import NAMES
from monitor.widgets.credential_dialog import CredentialDialog
from tests.fakes.demo_exchange import demo_exchange
from tests.fakes.fake_keyring import FakeKeyring

KEY = "Unique-Planted-Key-Heron-31"
SECRET = "Unique-Planted-Secret-Ibex-42"
ADDRESS = "0x" + "7e57ADd4" * 5
PRIVATE_KEY = "0x" + "5eC0de99" * 8


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
    raw_log = io.StringIO()
    handler = logging.StreamHandler(raw_log)
    setup = configure_logging(tmp_path / "log", stream=io.StringIO(), is_verbose=True)
    logging.getLogger().addHandler(handler)
    levels = {name: logging.getLogger(name).level for name in ("", "monitor", "urllib3", "keyring")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    texts: list[str] = []
    with demo_exchange() as exchange:
        desk = Desk(
            settings=Settings(),
            paths=AppPaths(config_dir=tmp_path, data_dir=tmp_path, cache_dir=tmp_path, log_dir=tmp_path),
            notes=(),
            options=DeskOptions(
                base_urls=exchange.venues,
                ca_file=exchange.ca_file,
                settings_file=tmp_path / "settings.json",
                is_scripted=True,
            ),
        )
        keyring = FakeKeyring()
        desk.accounts._store = CredentialStore(tmp_path / FILE_NAME, backend=keyring, is_trusted=True)
        desk.open()
        dialog = CredentialDialog(desk.accounts, hides_amounts=False, parent=desk.window)
        dialog.show()
        dialog.name.setText(PRIVATE_KEY)
        desk.accounts.add("bitunix", "planted", {"api_key": KEY, "secret": SECRET})
        desk.accounts.add("hyperliquid", "planted", {"address": ADDRESS})
        board = desk.controller.board
        planted = AccountRef("bitunix", "planted")
        give_up_s = time.monotonic() + 30
        while time.monotonic() < give_up_s and not (
            planted in board.accounts.states and board.accounts.states[planted].is_refused
        ):
            desk.work_for(0.1)
        desk.accounts.test(planted)
        desk.work_for(2.0)
        credentials = desk.controller.credentials_of(planted)
        crashes: list[CrashReport] = []
        hooks = CrashHooks(crashes.append)

        def crash() -> None:
            raise RuntimeError(f"a mistake while holding {credentials!r} of {board.accounts.states[planted]!r}")

        monkeypatch.setattr(threading, "excepthook", hooks.on_thread_exception)
        thread = threading.Thread(target=crash)
        thread.start()
        thread.join()
        panels = desk.window.panels.accounts
        panels.refresh_all()
        for name in NAMES:
            desk.save_text(tmp_path / f"{name}.csv", panels.tables[name].csv_text(with_amounts=True))
            texts += [chip.story for chip in panels.tables[name].chips.chips]
        texts += [entry.text for entry in board.events.items]
        texts += [dialog.result_label.text(), repr(vars(desk.accounts)), repr(vars(desk.controller))]
        texts += [line for crash in crashes for line in (crash.text, crash.details)]
        desk.save_settings(desk.controller.settings)
        desk.work_for(1.5)
        dialog.close()
        desk.window.close()
        desk.close()
    logging.getLogger().removeHandler(handler)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    setup.close()
    captured = capfd.readouterr()
    texts += [captured.out, captured.err, raw_log.getvalue()]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    everything = "\n".join([*texts, *(path.read_bytes().decode("latin-1") for path in files)]).lower()

    assert SECRET in str(keyring.entries), "it was in use"
    assert len(crashes) == 1
    assert len(signatures) >= 4
    assert {"history.db", "positions.csv", FILE_NAME} <= {path.name for path in files}
    assert "does not know this api key" in everything, "the refusals were written down"
    hidden = [KEY, SECRET, ADDRESS[2:], PRIVATE_KEY[2:], *signatures]
    assert [text for text in hidden if text.lower() in everything] == []
    assert re.search("planted", everything), "the account's name may be read"
