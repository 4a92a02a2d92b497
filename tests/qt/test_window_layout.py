"""Panels come back with the sizes they had, start after start; the window is on screen before it is filled."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QTabBar
from pytestqt.qtbot import QtBot

from monitor.desk.frame import StartFrame
from monitor.desk.replay import ReplayDesk, read_replay
from monitor.desktop.settings import Settings
from monitor.history.recording import RecordingError
from monitor.qtmodels.quote_model import QuoteColumn
from monitor.widgets.scrolled import ScrolledColumn
from monitor.widgets.window_layout import BOTTOM_HEIGHT_PX, POOLS_WIDTH_PX, WATCHLIST_WIDTH_PX
from monitor.widgets.window_place import FIRST_SIZE
from tests.fakes.history_samples import WatchedBoard
from tests.fakes.incidents import save_incident
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

PANELS = ("watchlist", "pools", "requests")


def _start(window_factory: WindowFactory, qapp: QApplication, settings: Settings | None = None) -> SampleWindow:
    sample = window_factory(seconds=1, settings=settings, is_shown_empty=True)
    sample.window.show()
    _settle(qapp)
    return sample


def _settle(qapp: QApplication) -> None:
    # The sizes come with the second turn of the event loop, what they cause with the next.
    for _ in range(4):
        qapp.processEvents()


def _sizes(sample: SampleWindow) -> dict[str, QSize]:
    sizes = {name: sample.window.docks[name].size() for name in PANELS}
    return {**sizes, "charts": sample.window.charts.size(), "window": sample.window.size()}


def _end(sample: SampleWindow) -> Settings:
    sample.window.close()
    saved = sample.commands.named("save_settings")[-1][0]
    assert isinstance(saved, Settings)
    return saved


def test_the_first_layout_is_the_same_at_the_second_and_third_start(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    first = _start(window_factory, qapp)
    sizes = _sizes(first)
    assert sizes["watchlist"].width() == WATCHLIST_WIDTH_PX
    assert sizes["pools"].width() == POOLS_WIDTH_PX
    assert sizes["window"] == QSize(*FIRST_SIZE)

    second = _start(window_factory, qapp, _end(first))
    assert _sizes(second) == sizes
    third = _start(window_factory, qapp, _end(second))
    assert _sizes(third) == sizes


def test_sizes_chosen_by_the_user_come_back(window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot) -> None:
    first = _start(window_factory, qapp)
    window, docks = first.window, first.window.docks
    window.resizeDocks([docks["watchlist"], docks["pools"]], [340, 420], Qt.Orientation.Horizontal)
    window.resizeDocks([docks["requests"]], [BOTTOM_HEIGHT_PX + 70], Qt.Orientation.Vertical)
    _settle(qapp)
    sizes = _sizes(first)
    assert (sizes["watchlist"].width(), sizes["pools"].width()) == (340, 420)

    second = _start(window_factory, qapp, _end(first))
    assert _sizes(second) == sizes
    third = _start(window_factory, qapp, _end(second))
    assert _sizes(third) == sizes


def test_a_reset_right_after_the_start_is_not_undone(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    first = _start(window_factory, qapp)
    first.window.docks["pools"].close()
    second = window_factory(seconds=1, settings=_end(first), is_shown_empty=True)
    second.window.reset_layout()
    _settle(qapp)

    assert second.window.docks["pools"].isVisible()
    assert second.window.docks["pools"].width() == POOLS_WIDTH_PX


def test_a_window_closed_before_it_settled_keeps_its_layout(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    first = _start(window_factory, qapp)
    sizes = _sizes(first)
    second = window_factory(seconds=1, settings=_end(first), is_shown_empty=True)
    third = _start(window_factory, qapp, _end(second))

    assert _sizes(third) == sizes


def test_a_saved_layout_leaves_the_banner_of_an_incident(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    saved = _end(_start(window_factory, qapp))
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100", "ETHUSDT": "10"})
    read = read_replay(save_incident(watched, tmp_path))
    assert not isinstance(read, RecordingError)
    settings = replace(saved, focus=None)
    frame = StartFrame(settings)
    frame.show()
    desk = ReplayDesk(settings=settings, frame=frame, recording=read[0], replayed=read[1])
    _settle(qapp)

    assert desk.banner.isVisible()
    assert desk.window.docks["watchlist"].width() == WATCHLIST_WIDTH_PX
    desk.window.close()


@pytest.mark.parametrize("size", [(1024, 640), (1, 1)])
def test_a_small_window_cuts_nothing_off_at_the_side(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot, size: tuple[int, int]
) -> None:
    """No screen that is promised is as small as this: 1920 x 1080 at a scale of two is 960 x 540."""
    sample = _start(window_factory, qapp)
    window = sample.window
    window.resize(*size)
    _settle(qapp)
    sample.show_now()
    least = window.minimumSizeHint()
    pages = [window.pools.tabs.widget(place) for place in (0, 3)]
    for place in (3, 0):
        window.pools.tabs.setCurrentIndex(place)
        _settle(qapp)
    bar = window.pools.tabs.tabBar()

    assert least.width() <= 960
    assert least.height() <= 540
    assert window.size() == QSize(max(size[0], least.width()), max(size[1], least.height()))
    for page in pages:
        assert isinstance(page, ScrolledColumn)
        assert page.content.width() <= page.viewport().width()
    assert bar.tabRect(bar.count() - 1).right() <= window.pools.width()
    names = window.watchlist.table.columnWidth(QuoteColumn.SYMBOL)
    assert names >= window.watchlist.fontMetrics().horizontalAdvance("DOGE-USDT")
    assert window.charts.minimumSizeHint().height() <= window.charts.height()


def test_columns_of_the_watchlist_give_way_to_names_and_come_back(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    sample = _start(window_factory, qapp)
    watchlist, table = sample.window.watchlist, sample.window.watchlist.table

    def shown(width_px: int) -> list[QuoteColumn]:
        sample.window.resizeDocks([sample.window.docks["watchlist"]], [width_px], Qt.Orientation.Horizontal)
        _settle(qapp)
        return [column for column in QuoteColumn if not table.isColumnHidden(column)]

    every = [QuoteColumn.SYMBOL, QuoteColumn.LAST, QuoteColumn.SPREAD, QuoteColumn.AGE, QuoteColumn.TREND]
    assert shown(WATCHLIST_WIDTH_PX) == sorted(every)
    assert QuoteColumn.TREND not in shown(330)
    assert QuoteColumn.SPREAD in shown(330)
    assert shown(1) == [QuoteColumn.SYMBOL, QuoteColumn.LAST, QuoteColumn.AGE]
    least = watchlist.minimumSizeHint().width()
    watchlist.want_column(QuoteColumn.AGE, is_wanted=False)
    assert watchlist.minimumSizeHint().width() < least, "what nobody wants holds no room"
    assert shown(WATCHLIST_WIDTH_PX) == sorted(set(every) - {QuoteColumn.AGE})
    watchlist.want_column(QuoteColumn.AGE, is_wanted=True)
    assert shown(WATCHLIST_WIDTH_PX) == sorted(every)


def test_a_reset_leaves_the_window_its_size_and_no_second_line_of_tabs(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    sample = _start(window_factory, qapp)
    window = sample.window
    window.resize(1024, 640)
    _settle(qapp)
    window.reset_layout()
    _settle(qapp)
    bars = [bar for bar in window.findChildren(QTabBar) if bar.parent() is window and bar.isVisible() and bar.count()]

    assert window.size() == QSize(1024, 640)
    assert [bar.count() for bar in bars] == [len(window.docks) - 2]


def test_a_window_that_was_small_gives_its_panels_their_room_back(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    sample = _start(window_factory, qapp)
    window = sample.window
    window.resize(960, 560)
    _settle(qapp)
    small = _sizes(sample)
    assert small["watchlist"].width() < WATCHLIST_WIDTH_PX

    window.resize(1680, 1000)
    _settle(qapp)

    sizes = _sizes(sample)
    assert (sizes["watchlist"].width(), sizes["pools"].width()) == (WATCHLIST_WIDTH_PX, POOLS_WIDTH_PX)
    assert window._layout._sizes_px()["requests"] == BOTTOM_HEIGHT_PX
    assert not window.watchlist.table.isColumnHidden(QuoteColumn.TREND)


def test_a_border_moved_by_the_user_stays_where_it_is_when_the_window_grows(
    window_factory: WindowFactory, qapp: QApplication, qtbot: QtBot
) -> None:
    sample = _start(window_factory, qapp)
    window, docks = sample.window, sample.window.docks
    border = QPoint(docks["watchlist"].geometry().right() + 2, docks["watchlist"].geometry().center().y())
    QTest.mousePress(window, Qt.MouseButton.LeftButton, pos=border)
    QTest.mouseMove(window, border - QPoint(60, 0))
    _settle(qapp)
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, pos=border - QPoint(60, 0))
    _settle(qapp)
    moved = docks["watchlist"].width()
    assert moved == WATCHLIST_WIDTH_PX - 60

    window.resize(960, 560)
    _settle(qapp)
    window.resize(1680, 1000)
    _settle(qapp)

    assert docks["watchlist"].width() == moved
    assert docks["pools"].width() == POOLS_WIDTH_PX
    second = _start(window_factory, qapp, _end(sample))
    second.window.resize(1800, 1000)
    _settle(qapp)
    assert second.window.docks["watchlist"].width() == moved
