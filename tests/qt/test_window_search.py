"""The search of the window: instruments, commands, and nothing found."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from tests.qt.conftest import WindowFactory


def test_palette_finds_an_instrument_and_watches_it(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1, watched=1)
    s.window.show()
    s.window.open_search()
    QTest.keyClicks(s.window.search.edit, "doge")
    assert s.window.search.entries()[0].startswith("DOGE")

    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Down)
    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Return)

    watched = s.commands.named("set_watchlist")[-1][0]
    assert s.window.focus_key is not None
    assert s.window.focus_key[1].startswith("DOGE")
    assert watched == (*s.feed.watchlist(1), s.window.focus_key)
    assert not s.window.search.isVisible()


def test_palette_runs_a_command(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.open_search()
    QTest.keyClicks(s.window.search.edit, "refresh")
    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Return)

    assert s.commands.named("refresh") == [()]


def test_palette_with_nothing_found_stays_open(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.show()
    s.window.open_search()
    QTest.keyClicks(s.window.search.edit, "zzzz qqqq")
    QTest.keyClick(s.window.search.edit, Qt.Key.Key_Return)

    assert s.window.search.entries() == []
    assert s.window.search.isVisible()
    s.window.search.close()


def test_search_opens_inside_the_window(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.window.resize(1280, 720)
    s.window.show()
    s.window.open_search()
    corner = s.window.mapToGlobal(QPoint(0, 0))

    assert s.window.search.x() > corner.x()
    assert s.window.search.width() <= 520
    s.window.search.close()
