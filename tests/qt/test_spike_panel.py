"""The tally of outliers: what it counts, that it follows a period, and that it leads to the requests."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.figures import DASH, age_text
from monitor.qtmodels.request_model import TRACE_ROLE
from monitor.qtmodels.spike_model import SpikeColumn, SpikeModel
from monitor.qtmodels.spike_words import CAUSE_DEFINITIONS, CAUSE_WORDS
from monitor.state.period import Period
from monitor.state.spike_log import PastSpikes
from monitor.state.spikes import SpikeCause
from monitor.widgets.spike_panel import EMPTY_PERIOD_TEXT, EMPTY_TEXT, SpikePanel
from tests.fakes.board_samples import make_board
from tests.fakes.sample_markets import FIRST, SECOND, title_of
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory


def slow_request(s: SampleWindow, venue: str, excess_s: float, number: int) -> RequestTrace:
    """A reply whose first byte was late by ``excess_s`` arrives now."""
    usual = next(
        one for one in reversed(s.board.requests.items) if one.is_cold is False and one.endpoint == f"{venue}.quotes"
    )
    now = s.clock.now_s
    total_s = usual.total_s + excess_s
    slow = replace(
        usual, request_id=number, wait_s=(usual.wait_s or 0.0) + excess_s, total_s=total_s, ended_mono_s=now,
        started_mono_s=now - total_s, started_at=s.clock.at(now - total_s),
    )  # fmt: skip
    s.feed.deliver_quotes(venue, slow)
    return slow


@pytest.fixture
def shown(window_factory: WindowFactory, qtbot: QtBot) -> SampleWindow:
    s = window_factory(seconds=120)
    s.window.resize(1280, 720)
    s.window.show()
    s.window.charts.load_plots()
    s.window.docks["spikes"].raise_()
    qtbot.waitUntil(s.window.panels.spikes.isVisible)
    s.window.activateWindow()
    return s


def rows(panel: SpikePanel) -> list[tuple[str, ...]]:
    model = panel.model
    return [
        tuple(str(model.index(row, column).data()) for column in list(SpikeColumn)[:5])
        for row in range(model.rowCount())
    ]


def test_the_tally_lists_causes_by_venue_with_what_they_cost(shown: SampleWindow) -> None:
    panel = shown.window.panels.spikes
    before = shown.board.spikes.tally(shown.clock.utc_now()).counts.get((SECOND, SpikeCause.VENUE))
    slow_request(shown, SECOND, 40.0, 90_001)
    shown.run(1)
    count = shown.board.spikes.tally(shown.clock.utc_now()).counts[SECOND, SpikeCause.VENUE]

    assert count.n == (0 if before is None else before.n) + 1
    first = rows(panel)[0]
    assert first[:3] == ("venue", "Hyperliquid", str(count.n))
    assert first[4].startswith("40.")
    assert "Last 7 days" in panel._summary.text
    assert f"watched {age_text(shown.board.spikes.tally(shown.clock.utc_now()).watched_s)}" in panel._summary.text
    assert "lost" in panel._summary.text


def test_the_tally_follows_a_period_and_comes_back(shown: SampleWindow) -> None:
    panel = shown.window.panels.spikes
    slow_request(shown, FIRST, 2.0, 90_001)
    at = shown.clock.now_s
    shown.run(60)
    of_week = rows(panel)
    shown.window.panels.period.choose(at - 0.5, at + 0.5)

    assert [row[:3] for row in rows(panel)] == [("venue", "Bitunix", "1")]
    assert panel._summary.text.startswith("Period ")
    shown.window.panels.period.choose(at - 1_000.0, at - 900.0)
    assert rows(panel) == []
    assert panel._empty.isVisible()
    assert panel._empty.text() == EMPTY_PERIOD_TEXT
    assert "watched time not known" in panel._summary.text
    shown.window.panels.period.leave()
    assert rows(panel) == of_week
    assert not panel._empty.isVisible()


@pytest.mark.parametrize("by_keyboard", [True, False])
def test_a_line_leads_to_its_requests(shown: SampleWindow, by_keyboard: bool) -> None:
    slow_request(shown, FIRST, 2.0, 90_001)
    shown.run(1)
    panel, table = shown.window.panels.spikes, shown.window.requests
    row = next(at for at, row in enumerate(rows(panel)) if row[:2] == ("venue", "Bitunix"))
    panel.table.setCurrentIndex(panel.model.index(row, 0))
    if by_keyboard:
        panel.table.setFocus()
        QTest.keyClick(panel.table, Qt.Key.Key_Return)
    else:
        panel.table.doubleClicked.emit(panel.model.index(row, 0))

    assert table.filter.text() == f"{FIRST} slow:venue"
    found = [table.proxy.index(at, 0).data(TRACE_ROLE) for at in range(table.proxy.rowCount())]
    assert 90_001 in [trace.request_id for trace in found]
    assert {trace.venue for trace in found} == {FIRST}
    assert {spike.cause for trace in found if (spike := shown.board.spikes.of(trace))} == {SpikeCause.VENUE}
    assert table.isVisible()


def test_outliers_whose_requests_are_gone_are_said_to_be(shown: SampleWindow) -> None:
    shown.run(1)
    shown.window.links.show_matching((FIRST, "slow:rate_limit"))

    assert any("no longer in the table" in toast.text for toast in shown.window.toasts.toasts())


def test_without_outliers_the_panel_says_what_will_be_there(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=-1)
    s.window.show()
    s.window.docks["spikes"].raise_()
    qtbot.waitUntil(s.window.panels.spikes.isVisible)
    panel = s.window.panels.spikes

    assert panel._empty.isVisible()
    assert panel._empty.text() == EMPTY_TEXT
    s.board.spikes.take_past(PastSpikes())
    s.show_now()
    assert "0 outliers" in panel._summary.text


def test_spike_model_passes_qts_own_checks(qtmodeltester: ModelTester) -> None:
    board, clock, feed = make_board(seconds=5)
    model = SpikeModel(title_of)
    for _ in range(6):
        feed.run(100)
        model.show(board.spikes.tally(clock.utc_now()), clock.utc_now())
        model.show(board.spikes.tally_between(Period(clock() - 80.0, clock() - 40.0)), clock.utc_now())
    model.show(board.spikes.tally(clock.utc_now()), clock.utc_now())
    qtmodeltester.check(model)  # type: ignore[no-untyped-call]  # pytest-qt leaves it without types

    assert model.rowCount() > 2
    lost = [model.row_at(row).count.lost_s for row in range(model.rowCount())]
    assert lost == sorted(lost, reverse=True)
    rate = model.row_at(0).per_hour
    assert rate == pytest.approx(model.row_at(0).count.n / (60.0 * 11 / 3_600.0), rel=0.11)
    model.show(board.spikes.tally_between(Period(-1e6, clock())), clock.utc_now())
    assert model.index(0, SpikeColumn.RATE).data() == DASH


def test_every_cause_has_a_word_and_a_meaning() -> None:
    assert set(CAUSE_WORDS) == set(CAUSE_DEFINITIONS) == set(SpikeCause)
    assert len(set(CAUSE_WORDS.values())) == len(SpikeCause)
