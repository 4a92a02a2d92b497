"""Ages on screen run on by themselves, all of one feed to the same moment, and cost only their own cells."""

import pytest
from PySide6.QtCore import QEvent, QObject, QRect
from PySide6.QtGui import QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.qtmodels.quote_model import QuoteColumn, QuoteModel
from tests.fakes.board_samples import make_board
from tests.fakes.sample_markets import FIRST, title_of
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

Cell = tuple[int, int]


class PaintedRegion(QObject):
    """Collects what a widget paints."""

    def __init__(self) -> None:
        super().__init__()
        self.region = QRegion()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if isinstance(event, QPaintEvent):
            self.region = self.region.united(event.region())
        return False


def changes_of(model: QuoteModel) -> list[tuple[Cell, Cell]]:
    """A list that grows with what ``model`` tells its views: the first and the last cell."""
    told: list[tuple[Cell, Cell]] = []
    model.dataChanged.connect(
        lambda first, last, *_: told.append(((first.row(), first.column()), (last.row(), last.column())))
    )
    return told


@pytest.fixture
def shown(window_factory: WindowFactory, qtbot: QtBot) -> SampleWindow:
    s = window_factory(seconds=30)
    s.window.resize(1680, 900)
    s.window.show()
    s.feed.deliver_quotes(FIRST)
    s.show_now()
    s.window.watchlist.select(s.feed.key(FIRST, 0))
    QApplication.processEvents()
    return s


def shown_ages(s: SampleWindow) -> tuple[str, str, str]:
    """The upper end of the age of the first venue's price: in the list, in the header, in the status bar."""
    row = s.window.watchlist.model.row_of(s.feed.key(FIRST, 0))
    assert row is not None
    listed = s.window.watchlist.model.figures_at(row).age
    header = s.window.charts.header.age_label.text.rpartition("· ")[2].rpartition("–")[2]
    light = next(part for part in s.window.status.lights[FIRST].text.split(" · ") if part.startswith("age "))
    return listed, header, light.removeprefix("age ")


def test_list_header_and_status_bar_tell_the_same_age(shown: SampleWindow) -> None:
    told = []
    for _ in range(4):
        shown.clock.now_s += 0.25
        shown.window.panels.on_age_frame()
        told.append(shown_ages(shown))

    assert [len(set(ages)) for ages in told] == [1, 1, 1, 1], told
    assert len({ages[0] for ages in told}) == 4, "they run on between two polls"


def test_ages_run_on_by_themselves(shown: SampleWindow, qtbot: QtBot) -> None:
    before = shown_ages(shown)
    shown.clock.now_s += 0.5

    qtbot.waitUntil(lambda: all(now != then for now, then in zip(shown_ages(shown), before, strict=True)))


def test_nothing_runs_while_nobody_can_see_it(shown: SampleWindow) -> None:
    shown.window.hide()
    before = shown_ages(shown)
    shown.clock.now_s += 5.0
    shown.window.panels.on_age_frame()

    assert shown_ages(shown) == before


def test_an_age_alone_changes_its_own_cells_of_painted_rows(qtbot: QtBot) -> None:
    board, clock, feed = make_board(seconds=3)
    model = QuoteModel(board, clock=clock, venue_title=title_of)
    model.set_keys([feed.key(FIRST, place) for place in range(5)])
    figures = [model.figures_at(row) for row in (1, 2)]
    told = changes_of(model)

    clock.now_s += 0.25
    model.tick_ages(clock.now_s)
    model.tick_ages(clock.now_s)
    assert told == [((1, QuoteColumn.AGE), (2, QuoteColumn.AGE))], "once, and nothing for rows that nobody looked at"
    assert [model.figures_at(row).age for row in (1, 2)] != [one.age for one in figures]
    assert model.figures_at(1).price == figures[0].price

    told.clear()
    clock.now_s += 42.0
    model.tick_ages(clock.now_s)
    assert told == [((1, 0), (2, len(QuoteColumn) - 1))], "what went late is shown anew as a whole"
    assert model.figures_at(1).state == "late"


def test_only_the_column_of_ages_is_painted(shown: SampleWindow, qtbot: QtBot) -> None:
    table = shown.window.watchlist.table
    qtbot.wait(50)  # what the first frames left to be painted
    painted = PaintedRegion()
    table.viewport().installEventFilter(painted)
    shown.clock.now_s += 0.25
    shown.window.panels.on_age_frame()
    qtbot.waitUntil(lambda: not painted.region.isEmpty())

    left, width = table.columnViewportPosition(QuoteColumn.AGE), table.columnWidth(QuoteColumn.AGE)
    with_grid = QRect(left - 1, 0, width + 2, table.viewport().height())
    assert with_grid.contains(painted.region.boundingRect())
