"""*Measure* in the window: runs at a real demo exchange, shown, cancelled and saved."""

import gc
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from monitor.assembly import VenueRuntime, assemble
from monitor.desktop.settings import Settings
from monitor.proof.measurement import MeasureStage
from monitor.proof.report import measure_document
from monitor.proof.runs import MeasureReport, SaveReport
from monitor.widgets.measure_dialog import STAGE_WORDS, MeasureDialog
from monitor.widgets.measure_table import FigureTable
from monitor.widgets.theme import DARK, LIGHT, apply_theme
from monitor.widgets.window_actions import key_table
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.measure_bench import MeasureBench
from tests.fakes.proof_runs import runtime_of
from tests.fakes.slow_plan import SLOW_CADENCES_S
from tests.qt.conftest import WindowFactory


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=5) as server:
        yield server


@pytest.fixture(scope="module")
def runtimes(exchange: DemoServer) -> Iterator[Mapping[str, VenueRuntime]]:
    # Windows of earlier tests go here, in the GUI's thread: a run makes garbage enough to collect them in its own.
    gc.collect()
    made = {venue: runtime_of(exchange, venue) for venue in ("bitunix", "hyperliquid")}
    yield made
    for runtime in made.values():
        runtime.transport.close()


@pytest.fixture
def bench(qapp: QApplication, runtimes: Mapping[str, VenueRuntime]) -> Iterator[MeasureBench]:
    apply_theme(qapp, DARK)
    made = MeasureBench(runtimes)
    yield made
    made.close()


def _begin(bench: MeasureBench, requests: int) -> MeasureDialog:
    dialog = bench.dialog
    dialog.show()
    dialog.target.setCurrentIndex(max(dialog.target.findData("hyperliquid"), 0))
    dialog.requests.setValue(requests)
    QTest.mouseClick(dialog.start_button, Qt.MouseButton.LeftButton)
    return dialog


def _choose(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    """Answer the system's file dialog, which no test can press buttons in."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))


def _cells(table: FigureTable) -> list[tuple[str, str]]:
    """(text, tooltip) of every figure."""
    items = [table.item(row, column) for row in range(table.rowCount()) for column in range(table.columnCount())]
    return [(item.text(), item.toolTip()) for item in items if item is not None]


def test_a_run_shows_its_progress_and_then_every_figure_with_its_meaning(bench: MeasureBench) -> None:
    dialog = _begin(bench, 6)
    assert not dialog.start_button.isEnabled()
    assert dialog.cancel_button.isEnabled()
    assert dialog.progress.isVisible()
    bench.until(lambda: dialog.result_shown is not None)
    result = dialog.result_shown

    assert result is not None
    steps = [(one.done, one.total) for one in bench.progress]
    assert steps == [(done, 31) for done in range(1, 32)], "12 requests, 15 first ones, 4 days"
    for stage in MeasureStage:
        assert any(text.endswith(f"{STAGE_WORDS[stage]}.") for text in bench.stages)
    results = dialog.results
    assert [one.n for one in results.chart.groups] == [6, 1, 5, 5, 5, 5]
    names = [text for text, _ in _cells(results.comparison)]
    for name in ("first", "later mean", "overall mean", "total", "p95", "start, pre-warmed"):
        assert name in names
    assert {text for text, _ in _cells(results.day)} >= {"calls", "API time", "handshakes", "handshake time"}
    first = [results.comparison.item(0, column) for column in range(5)]
    assert [cell.text() for cell in first if cell is not None][::3] == ["first", "–"], "one pair tells nothing"
    assert first[3] is not None
    assert "One pair, which chance decides" in " ".join(first[3].toolTip().split())
    savings = {text for text, _ in _cells(results.savings)}
    assert savings >= {"saved by pooling", "saved by caching", "requests per second"}
    for table in (results.comparison, results.day, results.savings):
        assert table.isVisible()
        assert all(tooltip for text, tooltip in _cells(table) if text)
        heads = [table.horizontalHeaderItem(column) for column in range(1, table.columnCount())]
        assert all(head is not None and head.toolTip() for head in heads)
    assert "Outlined" in results.chart.toolTip()
    assert "paid earlier, not saved" in results.note.text()
    assert dialog.start_button.isEnabled()
    assert not dialog.progress.isVisible()


def test_what_was_found_is_saved_as_the_documents_that_are_promised(
    bench: MeasureBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = _begin(bench, 2)
    assert not dialog.save_json.isEnabled()
    bench.until(lambda: dialog.result_shown is not None)
    for button, name in ((dialog.save_json, "mine"), (dialog.save_png, "mine.png")):
        _choose(monkeypatch, tmp_path / name)
        button.click()
        bench.until(lambda: isinstance(bench.reports[-1], SaveReport))
        bench.reports.append(MeasureReport(run=0))
    result = dialog.result_shown
    assert result is not None
    document = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    picture = QImage(str(tmp_path / "mine.png"))

    assert document == json.loads(json.dumps(measure_document(result)))
    assert document["schema"] == "trading-monitor.measure/1"
    assert document["first_request"]["rounds"] == 5
    assert dialog.saved.text() == "Saved as mine.png."
    assert picture.width() == round(dialog.results.width() * dialog.devicePixelRatio())
    colors = {picture.pixelColor(x, y).name() for x in range(0, picture.width(), 7) for y in range(picture.height())}
    assert {DARK.panel, DARK.warm} <= colors, "marks that are filled, on the panel"


@pytest.mark.allow_warnings  # that is logged as well
def test_a_file_that_cannot_be_written_is_told_with_what_to_do(
    bench: MeasureBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = _begin(bench, 2)
    bench.until(lambda: dialog.result_shown is not None)
    _choose(monkeypatch, tmp_path / "nowhere" / "mine.json")
    dialog.save_json.click()
    bench.until(lambda: isinstance(bench.reports[-1], SaveReport))

    assert dialog.saved.text() == "mine.json could not be written: No such file or directory. Choose another folder."


def test_a_run_says_what_it_waits_for_and_no_longer_when_it_goes_on(bench: MeasureBench) -> None:
    """From a second on: the polls of the plan go first, at the warm-up and at a request in the middle."""
    held = iter((*(0.25,) * 6, *(0.0,) * 5, *(0.25,) * 6))
    bench.hold_s = lambda _waited_s: next(held, 0.0)
    dialog = _begin(bench, 3)
    bench.until(lambda: not dialog.is_running)
    first, second = (place for place, text in enumerate(bench.stages) if "Waiting" in text)

    assert bench.stages[first] == (
        "Warming up: one request each way that does not count. "
        "Waiting. The polls of the plan go first and leave no room yet."
    )
    assert bench.stages[second].endswith("Waiting. The polls of the plan go first and leave no room yet.")
    assert bench.stages[second].startswith("3 of 25: ")
    assert bench.stages[second + 1] == bench.stages[second].partition(" Waiting.")[0]
    assert dialog.result_shown is not None
    assert dialog.result_shown.pooled.n == 3


def test_cancelling_while_it_waits_keeps_saying_that_it_is_cancelled(bench: MeasureBench) -> None:
    bench.hold_s = lambda _waited_s: 0.25
    dialog = _begin(bench, 3)
    bench.until(lambda: "Waiting" in dialog.stage.text())
    dialog.cancel_button.click()
    bench.pump()
    told = dialog.stage.text()
    bench.until(lambda: not dialog.is_running)

    assert told.startswith("Cancelling")
    assert dialog.start_button.isEnabled()


def test_cancel_shows_what_came_until_then(bench: MeasureBench) -> None:
    dialog = _begin(bench, 500)
    bench.until(lambda: len(bench.progress) >= 12)
    dialog.cancel_button.click()
    assert not dialog.cancel_button.isEnabled()
    assert "the last one" in dialog.stage.text()
    bench.until(lambda: dialog.result_shown is not None)
    result = dialog.result_shown

    assert result is not None
    assert result.is_cancelled
    assert 12 <= len(result.samples) < 1_000
    assert "Cancelled" in dialog.results.end.text()
    assert not dialog.results.day.isVisible()
    assert dialog.save_json.isEnabled()
    assert dialog.start_button.isEnabled()


def test_what_comes_after_the_dialog_was_closed_is_shown_to_nobody(bench: MeasureBench) -> None:
    dialog = _begin(bench, 500)
    bench.until(lambda: len(bench.progress) >= 4)
    dialog.close()
    bench.until(lambda: isinstance(bench.reports[-1], MeasureReport) and bench.reports[-1].result is not None)
    dialog.show()
    QTest.qWait(20)

    assert dialog.result_shown is None
    assert dialog.results.empty.isVisible()
    assert not dialog.results.chart.isVisible()
    assert not dialog.save_json.isEnabled()
    # And the next run is a run like any other, after the one that was left.
    _begin(bench, 2)
    bench.until(lambda: not dialog.is_running)
    assert dialog.results.comparison.isVisible()
    assert [one.n for one in dialog.results.chart.groups][:3] == [2, 1, 1]


def test_a_venue_that_is_switched_off_is_left_alone(bench: MeasureBench) -> None:
    dialog = _begin(bench, 500)
    bench.until(lambda: len(bench.progress) >= 4)
    bench.measuring.leave("bitunix")
    asked = len(bench.progress)
    bench.until(lambda: len(bench.progress) > asked + 4)
    assert dialog.is_running
    bench.measuring.leave("hyperliquid")
    bench.until(lambda: not dialog.is_running)

    assert dialog.result_shown is not None
    assert dialog.result_shown.is_cancelled


def test_a_second_run_waits_for_the_request_of_the_first(bench: MeasureBench) -> None:
    first = bench.measuring.start("hyperliquid", 500)
    bench.until(lambda: len(bench.progress) >= 4)
    second = bench.measuring.start("bitunix", 2)
    bench.until(lambda: isinstance(bench.reports[-1], MeasureReport) and bench.reports[-1].run == second)
    ends = [one for one in bench.reports if isinstance(one, MeasureReport) and one.result is not None]

    assert [one.run for one in ends] == [first]
    assert ends[0].result is not None
    assert ends[0].result.is_cancelled


def test_nobody_answering_is_told_and_the_dialog_can_try_again(qapp: QApplication) -> None:
    nowhere = {"hyperliquid": "https://127.0.0.1:9"}
    runtime = assemble(["hyperliquid"], Settings(), base_urls=nowhere)["hyperliquid"]
    bench = MeasureBench({"hyperliquid": runtime})
    dialog = _begin(bench, 2)
    bench.until(lambda: not dialog.is_running)

    assert dialog.problem.isVisible()
    assert "could not be reached" in dialog.problem.text()
    assert dialog.start_button.isEnabled()
    assert not dialog.save_png.isEnabled()
    bench.close()
    runtime.transport.close()


def test_an_app_that_is_still_starting_says_so(qapp: QApplication) -> None:
    bench = MeasureBench({})
    dialog = _begin(bench, 2)
    bench.until(lambda: not dialog.is_running)

    assert "still starting" in dialog.problem.text()
    bench.close()


def test_live_venues_are_treated_politely_and_http2_is_not_what_is_compared(qapp: QApplication) -> None:
    bench = MeasureBench({}, is_demo=False, http2_venues=("hyperliquid",), disabled_venues=("bitunix",))
    dialog = bench.dialog
    offered = [dialog.target.itemText(place) for place in range(dialog.target.count())]

    assert offered == ["Hyperliquid", "Demo exchange, as Bitunix", "Demo exchange, as Hyperliquid"]
    for words in ("same budget", "0.1 s of pause", "at most one new connection in 1 s", "over HTTP/1.1"):
        assert words in dialog.about.text()
    dialog.requests.setValue(1_000)
    assert "About 22 min" in dialog.about.text()
    dialog.target.setCurrentIndex(1)
    assert "nobody shares" in dialog.about.text()
    assert "HTTP/1.1" not in dialog.about.text()
    bench.close()


def test_a_demo_exchange_that_is_polled_is_not_said_to_be_measured_alone(qapp: QApplication) -> None:
    bench = MeasureBench({})

    assert "waits for the budget that the polls use" in bench.dialog.about.text()
    assert "nobody shares" not in bench.dialog.about.text()
    bench.close()


def test_beside_live_venues_a_demo_exchange_is_started_for_the_run_and_ended_after_it(qapp: QApplication) -> None:
    before = set(psutil.Process().children())
    bench = MeasureBench({}, is_demo=False, cadences_s=SLOW_CADENCES_S)
    dialog = bench.dialog
    dialog.show()
    dialog.target.setCurrentIndex(dialog.target.findData("demo:hyperliquid"))
    dialog.requests.setValue(2)
    dialog.start_button.click()
    started: set[psutil.Process] = set()

    def is_over() -> bool:
        started.update(set(psutil.Process().children()) - before)
        return not dialog.is_running

    bench.until(is_over)
    result = dialog.result_shown

    assert result is not None, dialog.problem.text()
    assert result.host.startswith("127.0.0.1:")
    assert result.improvement.later is not None
    assert result.improvement.later > 0.4, "60 ms of round trip, and two of three are saved"
    assert any("The demo exchange of this run starts." in text for text in bench.stages)
    assert len(started) == 1
    assert not any(process.is_running() for process in started)
    bench.close()


def test_without_a_venue_there_is_nothing_to_start(qapp: QApplication) -> None:
    bench = MeasureBench({}, disabled_venues=("bitunix", "hyperliquid"))

    assert "Switch one on" in bench.dialog.about.text()
    assert not bench.dialog.start_button.isEnabled()
    bench.settings = Settings(disabled_venues=("bitunix",))
    bench.dialog.show()
    assert bench.dialog.start_button.isEnabled()
    bench.close()


def test_every_control_has_a_name_and_can_be_reached(bench: MeasureBench) -> None:
    dialog = bench.dialog
    dialog.show()
    controls: list[QWidget] = [dialog.target, dialog.requests, *dialog.findChildren(QPushButton)]

    assert len(controls) >= 7
    for control in controls:
        assert control.accessibleName()
        assert control.toolTip()
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert dialog.progress.accessibleName()


def test_the_window_opens_it_beside_itself_and_it_follows_the_theme(
    window_factory: WindowFactory, qtbot: QtBot, bench: MeasureBench
) -> None:
    sample = window_factory()
    sample.commands.measures = bench.measuring
    window = sample.window
    window.show()
    action = window.commands_of_user.named["measure"]
    action.trigger()
    dialog = window.dialogs.measure.dialog

    assert isinstance(dialog, MeasureDialog)
    assert dialog.isVisible()
    assert not dialog.isModal()
    action.trigger()
    assert window.dialogs.measure.dialog is dialog
    window.accept_settings(Settings(theme="light"))
    assert dialog.results.chart.theme == LIGHT
    actions = {one.text(): one for one in window.commands_of_user.all()}
    assert ("Ctrl+M", action.toolTip().partition("  (")[0]) in key_table(actions)
    assert window.bar.button_of(action).isVisible()
