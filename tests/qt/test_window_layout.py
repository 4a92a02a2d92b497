"""Panels come back with the sizes they had, start after start; the window is on screen before it is filled."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from monitor.desk.frame import StartFrame
from monitor.desk.replay import ReplayDesk, read_replay
from monitor.desktop.settings import Settings
from monitor.history.recording import RecordingError
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
