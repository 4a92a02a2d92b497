"""What the window does for accounts: files of the tables, and the user's own prices over scaled instruments."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QFileDialog, QMessageBox

from monitor.domain.account import OrderList, PositionList
from monitor.domain.market import InstrumentCatalog
from monitor.widgets.account_lines import AccountLine, beyond, fitting, grouped
from monitor.widgets.account_table import AccountTable
from monitor.widgets.plot_view import PlotView
from tests.fakes.account_samples import MAIN, SampleAccounts, order, position
from tests.fakes.sample_markets import FIRST
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

D = Decimal
Ask = Callable[[str], None]


@pytest.fixture
def sample(window_factory: WindowFactory) -> SampleWindow:
    made = window_factory(seconds=5)
    made.window.resize(1600, 900)
    made.window.show()
    SampleAccounts(made.board, made.clock).fill_in()
    made.window.panels.accounts.refresh_all()
    return made


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, str]]:
    """What the file dialog was asked for: its title and the name it suggests; it answers with a file."""
    found: list[tuple[str, str]] = []

    def answer(_parent: object, title: str, name: str, _filter: str) -> tuple[str, str]:
        found.append((title, name))
        return str(tmp_path / name), "CSV (*.csv)"

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return found


def answering(monkeypatch: pytest.MonkeyPatch, word: str) -> list[str]:
    """Answer the next question with the button that says ``word``; the questions asked."""
    questions: list[str] = []

    def click(box: QMessageBox) -> None:
        questions.append(box.text())
        assert box.defaultButton().text() == "Without amounts", "the safe answer is the one of the Enter key"
        next(button for button in box.buttons() if word == button.text().replace("&", "")).click()

    monkeypatch.setattr(QMessageBox, "exec", click)
    return questions


def positions_of(sample: SampleWindow) -> AccountTable:
    return sample.window.panels.accounts.tables["positions"]


def written(sample: SampleWindow) -> list[dict[str, str]]:
    """The rows of the only file written."""
    ((path, text),) = sample.commands.named("save_text")
    assert isinstance(path, Path)
    assert path.name == "positions.csv"
    return list(csv.DictReader(io.StringIO(str(text))))


def test_csv_asks_for_a_file_and_writes_the_rows_with_every_digit(
    sample: SampleWindow, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = answering(monkeypatch, "With amounts")
    positions_of(sample).export_button.click()
    rows = written(sample)

    assert asked == [("Export positions", "positions.csv")]
    assert questions == [], "nothing is hidden"
    assert len(rows) == 4
    assert (rows[1]["size"], D(rows[1]["unrealized_pnl"])) == ("12", D("-351.84"))


@pytest.mark.parametrize(("word", "size"), [("With amounts", "12"), ("Without amounts", "")])
def test_hidden_amounts_are_asked_about_before_they_go_into_a_file(
    sample: SampleWindow,
    asked: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    size: str,
) -> None:
    sample.window.commands_of_user.named["hide_amounts"].trigger()
    questions = answering(monkeypatch, word)
    positions_of(sample).export_button.click()
    rows = written(sample)

    assert questions == ["Amounts are hidden on the screen. Write them to the file?"]
    assert len(asked) == 1
    assert rows[1]["size"] == size
    assert rows[1]["entry_price"] == "3352.1", "prices are no amounts"


def test_no_file_is_asked_for_or_written_when_the_question_is_cancelled(
    sample: SampleWindow, asked: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.window.commands_of_user.named["hide_amounts"].trigger()
    questions = answering(monkeypatch, "Cancel")
    positions_of(sample).export_button.click()

    assert len(questions) == 1
    assert asked == []
    assert sample.commands.named("save_text") == []


def test_no_file_is_written_when_its_dialog_is_cancelled(sample: SampleWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    positions_of(sample).export_button.click()

    assert sample.commands.named("save_text") == []


def test_own_prices_of_an_instrument_priced_by_the_thousand_stand_on_the_axis_of_one(sample: SampleWindow) -> None:
    """As ``1000PEPEUSDT``: the plot draws the price of one coin, so the lines and what they say must too."""
    key = (FIRST, "DOGEUSDT")
    accounts = SampleAccounts(sample.board, sample.clock)
    known = [
        replace(one, multiplier=D(1_000)) if one.venue_symbol == key[1] else one
        for one in sample.board.instruments.values()
        if one.venue == FIRST
    ]
    catalog = InstrumentCatalog(venue=FIRST, instruments=tuple(known))
    sample.board.apply([replace(accounts.success(MAIN, "trading_pairs", catalog), account=None)])
    held = position(key[1], entry_price=D("0.412300"), liquidation_price=D("0.3711"), mark_price=None)
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(held,)))
    accounts.deliver(MAIN, "orders", OrderList(account=MAIN, orders=(order(venue_symbol=key[1], price=D("0.4")),)))
    charts = sample.window.charts
    charts.load_plots()
    charts.set_focus(key)
    plot = charts.price_plot
    assert plot is not None
    plot.grab()
    lines = [line for line in plot._account_lines if line.label.startswith("main")]

    assert [line.price for line in lines] == pytest.approx([0.0004123, 0.0003711, 0.0004])
    assert [line.label for line in lines] == [
        "main long 0.5 entry 0.0004123",
        "main long 0.5 liq. 0.0003711",
        "main buy 0.15 0.0004",
    ]
    drawn = plot._lines[0]
    newest = drawn.series.last_value
    assert newest is not None
    assert newest * drawn.scale == pytest.approx(lines[0].price, rel=0.2), "both are on one axis"


def test_own_prices_beyond_the_plot_are_named_nearest_first(sample: SampleWindow) -> None:
    accounts = SampleAccounts(sample.board, sample.clock)
    prices = (70_000, 90_000, 80_000, 130_000, 110_000, 120_000)
    placed = tuple(order(str(price), price=D(price)) for price in prices)
    accounts.deliver(MAIN, "orders", OrderList(account=MAIN, orders=placed))
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=()))
    charts = sample.window.charts
    charts.load_plots()
    charts.set_focus((FIRST, "BTCUSDT"))
    plot = charts.price_plot
    assert plot is not None
    plot.grab()
    view = PlotView(600.0, 300.0, now_mono_s=60.0, span_s=60.0, low=97_000.0, high=98_000.0, pixel_ratio=1.0)
    above, below = beyond([line for line in plot._account_lines if line.label.startswith("main buy")], view)

    assert [line.label.split()[-1] for line in above] == ["110,000.0", "120,000.0", "130,000.0"]
    assert [line.label.split()[-1] for line in below] == ["90,000.0", "80,000.0", "70,000.0"]


def line(price: float) -> AccountLine:
    """An order of the account demo."""
    text = f"{price:,.1f}"
    return AccountLine(price, f"demo buy 0.32069 {text}", f"buy {text}", "#ffffff", Qt.PenStyle.DashLine)


def test_labels_of_own_prices_that_would_overlap_are_one_with_a_count() -> None:
    places = [(10.0, line(5)), (14.0, line(4)), (24.0, line(3)), (60.0, line(2))]
    groups = grouped(places, 16.0)

    assert [(y, [one.price for one in group]) for y, group in groups] == [(10.0, [5, 4, 3]), (60.0, [2])]
    metrics = QFontMetricsF(QFont())
    assert fitting(groups[0][1], "", 1_000.0, metrics) == "demo buy 0.32069 5.0  +2"


def test_a_label_gets_shorter_in_a_narrow_plot_and_no_price_is_cut() -> None:
    metrics = QFontMetricsF(QFont())
    group = [line(93_054.3), line(88_700.9)]
    texts = [fitting(group, "▼ ", width, metrics) for width in range(0, 600, 5)]

    assert list(dict.fromkeys(texts)) == ["▼ 2", "▼ buy 93,054.3  +1", "▼ demo buy 0.32069 93,054.3  +1"]
    assert [fitting(group[:number], "", 0.0, metrics) for number in (1, 2)] == ["", "2"]
