"""What the window showed is in the history file, also while it is still open."""

import gc
import json
import sqlite3
import threading
import zipfile
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QFileDialog

from monitor.desk.desk import Desk
from monitor.desk.options import DeskOptions
from monitor.desktop.paths import AppPaths
from monitor.desktop.settings import Settings
from monitor.domain.alerts import AlertRule
from monitor.widgets.export_dialog import FILTERS, with_ending
from tests.fakes.demo_exchange import demo_exchange
from tests.fakes.sample_desk import work_until


def _choose(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Answer the system's file dialog, which no test can press buttons in."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))


def test_a_file_gets_the_ending_of_its_kind(tmp_path: Path) -> None:
    texts = [text for text, _ in FILTERS]
    assert with_ending(tmp_path / "mine", texts[1]) == tmp_path / "mine.csv"
    assert with_ending(tmp_path / "mine.PNG", texts[1]) == tmp_path / "mine.PNG"
    assert with_ending(tmp_path / "v1.2", "") == tmp_path / "v1.2.json"


@pytest.mark.automatic_gc
@pytest.mark.allow_warnings  # a poll cut off at the end is logged
def test_what_was_shown_is_in_the_file_within_a_second(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del qapp  # the desk takes the application over
    with demo_exchange() as exchange:
        desk = Desk(
            settings=Settings(alerts=(AlertRule("price", "bitunix", "BTCUSDT", "above", "0.01"),)),
            paths=AppPaths(config_dir=tmp_path, data_dir=tmp_path, cache_dir=tmp_path, log_dir=tmp_path),
            notes=(),
            options=DeskOptions(
                base_urls=exchange.venues,
                ca_file=exchange.ca_file,
                settings_file=tmp_path / "settings.json",
                is_scripted=True,
            ),
        )
        collected_in: set[str] = set()

        def note(phase: str, about: dict[str, int]) -> None:
            del phase, about
            collected_in.add(threading.current_thread().name)

        desk.open()
        gc.callbacks.append(note)
        board = desk.controller.board
        work_until(desk, lambda: len(board.requests) >= 10)
        shown = len(board.requests)
        desk.work_for(1.0)
        file = tmp_path / "history.db"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as reader:
            tables = [name for (name,) in reader.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            counts = {name: reader.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608 - our own table names
        reader.close()
        answers: set[str] = set()

        def is_told_of(*names: str) -> bool:
            answers.update(toast.text for toast in desk.window.toasts.toasts())
            return all(any(name in text for text in answers) for name in names)

        # Who asked for a file is told where it is, once it is whole.
        desk.window.commands_of_user.named["incident"].trigger()
        folder = tmp_path / "incidents"
        work_until(desk, lambda: any(is_told_of(file.name) for file in folder.glob("*.zip")))
        (saved,) = folder.glob("*.zip")
        with zipfile.ZipFile(saved) as bundle:
            picture = bundle.read("window.png")
            requests = json.loads(bundle.read("export.json"))["requests"]
            settings = json.loads(bundle.read("settings.json"))
            about = json.loads(bundle.read("about.json"))
        names = ("all.json", "quotes.csv", "chart.png")
        for name in names:
            _choose(monkeypatch, tmp_path / name)
            desk.window.commands_of_user.named["export"].trigger()
        work_until(desk, lambda: is_told_of(*names))
        exported = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
        quotes = (tmp_path / "quotes.csv").read_text(encoding="utf-8-sig").splitlines()
        chart = (tmp_path / "chart.png").read_bytes()
        alerts = [entry.text for entry in board.events.items if entry.text.startswith("alert: ")]
        told = [entry.text for entry in board.events.items if saved.name in entry.text]
        was_gui_only = not gc.isenabled()
        desk.window.close()
        desk.close()
        gc.callbacks.remove(note)
        for thread in threading.enumerate():
            if thread.name == "protocol probe":
                # It asks after the start is over, and only then looks whether there is more to ask.
                thread.join(20)

    # Pollers, history, exports and the protocol probe all made garbage; none of them swept the window's.
    assert was_gui_only
    assert collected_in == {threading.main_thread().name}
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert shown >= 10
    assert picture.startswith(b"\x89PNG")
    assert len(requests) >= shown
    assert settings["theme"] == "dark"
    assert len(exported["requests"]) >= shown
    assert quotes[0].startswith("time,venue,instrument")
    assert len(quotes) > 1
    assert chart.startswith(b"\x89PNG")
    assert len(told) == 1
    assert about["demo"] is exported["demo"] is False
    for name in (saved.name, *names):
        assert any(name in text for text in answers), f"who asked for {name} is told where it is"
    assert len(alerts) == 1
    assert max(counts.values()) >= shown, counts
