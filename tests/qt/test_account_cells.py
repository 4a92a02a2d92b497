"""Cells of the account tables by their pixels: bars of margin and distance, their thresholds, and what is late."""

from decimal import Decimal

import pytest
from PySide6.QtCore import QModelIndex, QRect
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from monitor.domain.account import Position, PositionList
from monitor.widgets.account_delegate import FULL_DISTANCE
from monitor.widgets.account_table import AccountTable
from monitor.widgets.theme import DARK, LIGHT, Theme
from tests.fakes.account_samples import MAIN, SampleAccounts, position
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

D = Decimal
MARK = D(100_000)


def at_distance(distance: str) -> Position:
    """A long that is liquidated at this fraction below its mark."""
    return position(mark_price=MARK, liquidation_price=MARK * (1 - D(distance)), margin_ratio=None)


def using(ratio: str) -> Position:
    """A long that has used up this fraction of its margin."""
    return position(mark_price=MARK, liquidation_price=None, margin_ratio=D(ratio))


class Shown:
    """The table of positions over one account, high enough for every row; a picture of it as painted."""

    def __init__(self, sample: SampleWindow, theme: Theme) -> None:
        self.sample = sample
        self.theme = theme
        self.accounts = SampleAccounts(sample.board, sample.clock)
        sample.board.accounts.set_refs((MAIN,))
        self.table: AccountTable = sample.window.panels.accounts.tables["positions"]
        sample.window.show()
        sample.window.docks["positions"].raise_()

    def paint(self, held: Position, *, later_s: float = 0.0) -> QImage:
        """Show one position and return the picture of the table's cells."""
        self.sample.clock.now_s += 1
        self.accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(held,)))
        self.sample.clock.now_s += later_s
        self.sample.window.panels.accounts.refresh_all()
        QApplication.processEvents()
        return self.table.table.viewport().grab().toImage()

    def cell(self, name: str) -> QRect:
        """Where the column's cell of the only row is."""
        column = next(at for at, one in enumerate(self.table.model.columns) if one.name == name)
        index = self.table.proxy.index(0, column, QModelIndex())
        self.table.table.scrollTo(index)
        return self.table.table.visualRect(index)

    def bar(self, held: Position, name: str, *, later_s: float = 0.0) -> tuple[str, float]:
        """Colour of a bar and the part of it that is filled; no colour: there is no bar."""
        self.paint(held)
        rect = self.cell(name)
        picture = self.paint(held, later_s=later_s)
        y = rect.center().y()
        along = [picture.pixelColor(x, y).name() for x in range(rect.left() + 6, rect.right())]
        ground = QColor(self.theme.grid).name()
        names = {QColor(getattr(self.theme, one)).name(): one for one in ("ok", "warn", "error", "text_muted")}
        filled: list[str] = []
        for color in along:
            if color not in names:
                break
            filled.append(color)
        rest = 0
        for color in along[len(filled) :]:
            if color != ground:
                break
            rest += 1
        if not filled:
            return "", 0.0
        assert len(set(filled)) == 1
        return names[filled[0]], len(filled) / (len(filled) + rest)


@pytest.fixture(params=[DARK, LIGHT], ids=["dark", "light"])
def shown(window_factory: WindowFactory, request: pytest.FixtureRequest) -> Shown:
    sample = window_factory(seconds=2, theme=request.param)
    sample.window.resize(1600, 900)
    return Shown(sample, request.param)


def test_the_bar_of_the_distance_fills_with_it_and_warns_and_alarms_when_near(shown: Shown) -> None:
    for distance, color in (
        ("0.02", "error"),
        ("0.0499", "error"),
        ("0.05", "warn"),
        ("0.1499", "warn"),
        ("0.15", "ok"),
        ("0.3", "ok"),
        ("0.5", "ok"),
        ("0.9", "ok"),
    ):
        found, part = shown.bar(at_distance(distance), "liquidation_distance")

        assert found == color, distance
        assert part == pytest.approx(min(1.0, float(distance) / FULL_DISTANCE), abs=0.03), distance


def test_the_bar_of_the_margin_fills_with_what_is_used_and_warns_and_alarms_when_much_is(shown: Shown) -> None:
    for ratio, color in (
        ("0.1", "ok"),
        ("0.499", "ok"),
        ("0.5", "warn"),
        ("0.799", "warn"),
        ("0.8", "error"),
        ("1", "error"),
        ("1.4", "error"),
    ):
        found, part = shown.bar(using(ratio), "margin_ratio")

        assert found == color, ratio
        assert part == pytest.approx(min(1.0, float(ratio)), abs=0.03), ratio


def test_even_the_least_has_a_pixel_and_the_unknown_no_bar(shown: Shown) -> None:
    found, part = shown.bar(using("0"), "margin_ratio")
    assert found == "ok"
    assert 0 < part < 0.05

    assert shown.bar(at_distance("0.2"), "margin_ratio") == ("", 0.0)
    assert shown.bar(using("0.2"), "liquidation_distance") == ("", 0.0)


def test_a_bar_of_late_figures_alarms_nobody(shown: Shown) -> None:
    found, part = shown.bar(using("0.9"), "margin_ratio", later_s=120.0)

    assert found == "text_muted"
    assert part == pytest.approx(0.9, abs=0.03)


def test_a_distance_to_liquidation_from_an_old_mark_alarms_nobody_and_is_struck_through(shown: Shown) -> None:
    quoted = position(mark_price=None, liquidation_price=D("96400"), margin_ratio=None)
    color, _ = shown.bar(quoted, "liquidation_distance")
    assert color == "error"

    shown.sample.clock.now_s += 60
    color, part = shown.bar(quoted, "liquidation_distance")

    assert color == "text_muted"
    assert part < 0.1
    row = shown.table.model.rows[0]
    assert row.is_believable, "the account itself was just read"
    told = {column.name: row.is_current(column.name) for column in shown.table.model.columns}
    assert {name for name, is_current in told.items() if not is_current} == {
        "mark_price",
        "liquidation_distance",
        "value",
    }
    names = list(told)
    assert "mark price it follows from is old" in shown.table.model.tooltip_of(row, names.index("liquidation_distance"))
    assert "it follows from" not in shown.table.model.tooltip_of(row, names.index("unrealized_pnl"))


def test_the_figure_stands_beside_the_bar_not_on_it(shown: Shown) -> None:
    held = using("0.61")
    shown.paint(held)
    rect = shown.cell("margin_ratio")
    picture = shown.paint(held)
    text = QColor(shown.theme.text)
    bar = {QColor(shown.theme.warn).name(), QColor(shown.theme.grid).name()}
    columns = range(rect.left() + 6, rect.right())
    of_bar = [x for x in columns if picture.pixelColor(x, rect.center().y()).name() in bar]
    of_text = [x for x in columns if any(picture.pixelColor(x, y) == text for y in range(rect.top(), rect.bottom()))]

    assert of_bar
    assert of_text
    assert max(of_bar) < min(of_text)


def test_a_table_of_late_figures_is_struck_through_except_for_names(shown: Shown) -> None:
    held = using("0.2")
    shown.paint(held)
    rect = shown.cell("entry_price")
    name = shown.cell("instrument")

    def ink(picture: QImage, cell: QRect) -> int:
        """The longest unbroken run of one colour that is not the ground, in any line of the cell."""
        longest = 0
        for y in range(cell.top(), cell.bottom()):
            run = 0
            for x in range(cell.left() + 4, cell.right() - 4):
                is_ground = picture.pixelColor(x, y).name() == QColor(shown.theme.panel).name()
                run = 0 if is_ground else run + 1
                longest = max(longest, run)
        return longest

    fresh, late = shown.paint(held), shown.paint(held, later_s=120.0)

    assert ink(late, rect) > 3 * ink(fresh, rect)
    assert ink(late, name) == ink(fresh, name)
