"""The window on a saved incident: labelled as past, standing still, and asking nothing of anybody."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel

from monitor.desk.frame import StartFrame
from monitor.desk.replay import NOT_OF_THE_PAST, ReplayDesk, read_replay, show_recording
from monitor.desktop.settings import Settings
from monitor.domain.telemetry import PoolStats
from monitor.history.recording import RecordingError
from monitor.history.records import Entry
from monitor.state.pool_figures import figures_since_start
from tests.fakes.figure_walk import ignoring_period
from tests.fakes.history_samples import WatchedBoard
from tests.fakes.incidents import save_incident
from tests.fakes.period_samples import BEFORE_EVERYTHING
from tests.fakes.widget_texts import everything_in
from tests.qt.conftest import WindowFactory


def _desk(folder: Path, *, is_demo: bool | None = None) -> ReplayDesk:
    watched = WatchedBoard()
    for number in range(90):
        watched.feed({"BTCUSDT": str(100 + number % 7), "ETHUSDT": str(10 + number % 3)})
    watched.clock.advance(40.0)
    watched.board.tick()
    said = watched.board.events.items[-1]
    watched.entries.append(Entry(at=said.at, events=(said,)))
    read = read_replay(save_incident(watched, folder, is_demo=is_demo))
    assert not isinstance(read, RecordingError)
    recording, replayed = read
    settings = Settings(disabled_venues=("bitunix",), focus=("hyperliquid", "BTC"))
    return ReplayDesk(settings=settings, frame=StartFrame(settings), recording=recording, replayed=replayed)


@pytest.fixture
def desk(qapp: QApplication, tmp_path: Path) -> ReplayDesk:
    del qapp  # the frame takes the application over
    return _desk(tmp_path)


def test_it_is_labelled_as_past_and_nothing_can_be_asked(desk: ReplayDesk, qapp: QApplication) -> None:
    window = desk.window
    window.show()
    window.on_slow_frame()
    qapp.processEvents()

    assert desk.banner.text().startswith("PAST ")
    assert desk.banner.width() > 600
    assert "incident.zip" in window.windowTitle()
    actions = window.commands_of_user
    assert [name for name in NOT_OF_THE_PAST if actions.named[name].isEnabled()] == []
    assert not any(action.isEnabled() for action in actions.venues.values())
    assert actions.named["quit"].isEnabled()
    window.close()


@pytest.mark.parametrize("is_demo", [True, False, None])
def test_a_recording_of_the_demo_exchange_says_so(qapp: QApplication, tmp_path: Path, is_demo: bool | None) -> None:
    desk = _desk(tmp_path, is_demo=is_demo)
    window = desk.window
    window.show()
    qapp.processEvents()

    badges = [label for label in window.bar.findChildren(QLabel) if label.text() == "DEMO"]
    assert [badge.isVisibleTo(window.bar) for badge in badges] == [is_demo is True]
    assert ("demo exchange" in desk.banner.text()) is (is_demo is True)
    assert ("(demo)" in window.windowTitle()) is (is_demo is True)
    window.close()


def test_advice_that_is_not_recorded_is_not_promised(desk: ReplayDesk) -> None:
    section = desk.window.pools.sections["bitunix"]
    pools = (PoolStats(venue="bitunix", host="venue.test:443", scheme="https", attempts=3),)
    section.show_pools(pools, figures_since_start(pools))

    assert "advice on the size is not recorded" in everything_in(section)
    assert "no advice yet" not in everything_in(section)


def test_a_period_of_a_recording_is_shown_as_far_as_it_was_recorded(desk: ReplayDesk, qapp: QApplication) -> None:
    window = desk.window
    window.show()
    window.charts.load_plots()
    window.on_frame()
    window.on_slow_frame()
    ended_s = sorted(window.requests.model.trace_at(row).ended_mono_s for row in range(90))
    window.panels.period.choose(ended_s[20], ended_s[59])
    window.on_slow_frame()
    light = window.status.lights["bitunix"].text

    assert window.requests.proxy.rowCount() == 40
    assert "40 calls" in light
    assert window.status.lag_label.text == "app lag –"
    assert "not recorded" in window.status.lag_label.toolTip()
    assert window.status.clock_label.text == "clock –"
    window.panels.period.choose(BEFORE_EVERYTHING.start_mono_s, BEFORE_EVERYTHING.end_mono_s)
    window.on_slow_frame()
    assert list(ignoring_period(window)) == []
    window.panels.period.clear()
    window.on_slow_frame()
    window.close()


def test_prices_are_shown_as_old_as_they_were(desk: ReplayDesk, qapp: QApplication) -> None:
    window = desk.window
    window.show()
    window.on_frame()
    window.on_slow_frame()
    qapp.processEvents()
    model = window.watchlist.table.model()
    texts = [
        str(model.index(row, column).data(Qt.ItemDataRole.DisplayRole))
        for row in range(model.rowCount())
        for column in range(model.columnCount())
    ]

    assert model.rowCount() == 2
    assert "40 s" in texts
    assert window.events.model.row_at(0).level == "warning"
    assert window.toasts.toasts() == []
    assert window.focus_key == ("bitunix", "BTCUSDT")
    assert window.requests.model.rowCount() == 90
    window.close()


def test_a_file_that_is_none_is_told(qapp: QApplication, tmp_path: Path) -> None:
    file = tmp_path / "notes.zip"
    file.write_text("nothing")
    settings = Settings()
    frame = StartFrame(settings)
    problem = show_recording(
        read_replay(file), settings=settings, frame=frame, size=None, duration_s=0.1, screenshot=None
    )
    assert problem is not None
    assert "notes.zip is no incident" in problem


def test_the_window_offers_to_open_one(window_factory: WindowFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = window_factory()
    # The system's dialog waits for a person.
    monkeypatch.setattr("monitor.widgets.window_dialogs.QFileDialog.getOpenFileName", lambda *_: ("/x/i.zip", ""))
    sample.window.commands_of_user.named["open_incident"].trigger()
    assert sample.commands.named("open_incident") == [(Path("/x/i.zip"),)]
