"""Rows of the watchlist: moved, stopped, added twice, and none at all."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.qtmodels.quote_figures import describe_row
from monitor.qtmodels.quote_model import QuoteColumn
from monitor.widgets.theme import DARK
from monitor.widgets.watchlist import Watchlist
from tests.fakes.board_samples import SampleFeed, make_board
from tests.fakes.sample_markets import SECOND, title_of

WatchlistMaker = Callable[[], tuple[Watchlist, SampleFeed]]


@pytest.fixture
def make_watchlist(qtbot: QtBot) -> WatchlistMaker:
    def make() -> tuple[Watchlist, SampleFeed]:
        board, clock, feed = make_board(seconds=5)
        watchlist = Watchlist(board, clock=clock, venue_title=title_of, theme=DARK)
        qtbot.addWidget(watchlist)
        watchlist.set_keys(feed.watchlist(2))
        watchlist.show()
        return watchlist, feed

    return make


def test_rows_move_with_the_keyboard_and_keep_the_selection(make_watchlist: WatchlistMaker, qtbot: QtBot) -> None:
    watchlist, feed = make_watchlist()
    first, second, *_ = feed.watchlist(2)
    watchlist.select(first)
    with qtbot.waitSignal(watchlist.keys_changed):
        QTest.keyClick(watchlist.table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)

    assert watchlist.keys[:2] == (second, first)
    assert watchlist.current_key == first

    QTest.keyClick(watchlist.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)

    assert watchlist.keys == feed.watchlist(2)


def test_moving_beyond_the_ends_changes_nothing(make_watchlist: WatchlistMaker, qtbot: QtBot) -> None:
    watchlist, feed = make_watchlist()
    watchlist.select(feed.watchlist(2)[0])
    with qtbot.assertNotEmitted(watchlist.keys_changed):
        QTest.keyClick(watchlist.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        watchlist.select(feed.watchlist(2)[-1])
        QTest.keyClick(watchlist.table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)

    assert watchlist.keys == feed.watchlist(2)


def test_delete_stops_watching(make_watchlist: WatchlistMaker, qtbot: QtBot) -> None:
    watchlist, feed = make_watchlist()
    watchlist.select(feed.key(SECOND, 0))
    with qtbot.waitSignal(watchlist.keys_changed):
        QTest.keyClick(watchlist.table, Qt.Key.Key_Delete)

    assert feed.key(SECOND, 0) not in watchlist.keys


def test_adding_what_is_watched_only_goes_there(make_watchlist: WatchlistMaker, qtbot: QtBot) -> None:
    watchlist, feed = make_watchlist()
    with qtbot.assertNotEmitted(watchlist.keys_changed):
        watchlist.add(feed.key(SECOND, 1))

    assert watchlist.current_key == feed.key(SECOND, 1)


def test_no_update_changes_a_column_width(make_watchlist: WatchlistMaker, qtbot: QtBot) -> None:
    """Product trap 11."""
    watchlist, feed = make_watchlist()
    watchlist.resize(390, 400)
    header = watchlist.table.horizontalHeader()
    before = [header.sectionSize(column) for column in range(header.count())]
    for _ in range(50):
        feed.run(1)
        watchlist.on_frame()
        watchlist.on_slow_frame()

    assert [header.sectionSize(column) for column in range(header.count())] == before


def test_empty_watchlist_says_what_to_do(make_watchlist: WatchlistMaker, qtbot: QtBot) -> None:
    watchlist, _ = make_watchlist()
    watchlist.set_keys(())

    assert "Ctrl+K" in watchlist._empty.text()
    assert watchlist._empty.isVisible()


def test_a_spread_and_a_funding_rate_that_are_old_are_struck_through_each_by_itself(
    make_watchlist: WatchlistMaker, qtbot: QtBot
) -> None:
    watchlist, _ = make_watchlist()
    figures = replace(watchlist.model.figures_at(0), spread="0.10 bp", funding="+0.0013 %")

    def runs(*, is_spread_current: bool, is_funding_current: bool) -> list[int]:
        """The longest unbroken line of ink in the upper and in the lower half of the cell."""
        image = QImage(120, 44, QImage.Format.Format_RGB32)
        image.fill(QColor(DARK.panel))
        shown = replace(figures, is_spread_current=is_spread_current, is_funding_current=is_funding_current)
        painter = QPainter(image)
        rect = QRect(0, 0, 120, 44)
        watchlist._delegate._paint_texts(painter, rect, watchlist.font(), shown, QuoteColumn.SPREAD)
        painter.end()
        ground = QColor(DARK.panel).rgb()
        rows = ["".join("#" if image.pixel(x, y) != ground else " " for x in range(120)) for y in range(44)]
        return [max(len(run) for row in half for run in row.split(" ")) for half in (rows[:21], rows[21:])]

    both = runs(is_spread_current=True, is_funding_current=True)
    spread_old = runs(is_spread_current=False, is_funding_current=True)
    funding_old = runs(is_spread_current=True, is_funding_current=False)

    assert spread_old[0] > 2 * both[0]
    assert spread_old[1] == both[1]
    assert funding_old[1] > 2 * both[1]
    assert funding_old[0] == both[0]
    assert "(old, " in describe_row(replace(figures, is_funding_current=False, is_spread_current=True), ", ")
