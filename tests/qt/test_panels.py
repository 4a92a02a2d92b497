"""The pool panel, request details and the status bar as a person meets them."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.qtmodels.figures import DASH
from monitor.qtmodels.request_model import RequestColumn
from monitor.state.pool_figures import figures_since_start
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.focus_header import FocusHeader
from monitor.widgets.pool_overview import DEFINITIONS, WORDS, VenuePools, counter_texts
from monitor.widgets.theme import DARK
from monitor.widgets.waterfall import nice_scale
from tests.fakes.sample_markets import FIRST, SECOND
from tests.qt.conftest import WindowFactory


def test_pool_counters_say_who_closed(qtbot: QtBot) -> None:
    closed = {
        CloseCause.BY_SERVER: 1,
        CloseCause.STALE: 2,
        CloseCause.EXPIRED: 4,
        CloseCause.ABANDONED: 8,
        CloseCause.WITH_POOL: 16,
        CloseCause.ERROR: 32,
        CloseCause.DISCARDED: 64,
    }
    figures = figures_since_start([PoolStats(venue=FIRST, host="h", scheme="https", opened=127, closed=closed)])
    assert figures is not None
    counters = counter_texts(figures)

    assert (figures.by_server, figures.by_us, figures.on_error, figures.discarded) == (3, 28, 32, 64)
    assert [counters[name] for name in ("by server", "by us", "on error", "discarded")] == ["3", "28", "32", "64"]
    assert set(counters) == {name for name, _ in DEFINITIONS}


def test_reuse_is_a_dash_before_the_first_attempt(qtbot: QtBot) -> None:
    pools = VenuePools(FIRST, "Venue", DARK)
    qtbot.addWidget(pools)
    pools.show_pools([], None)
    assert pools._reuse.text == DASH

    unused = [PoolStats(venue=FIRST, host="h", scheme="https", max_connections=20)]
    pools.show_pools(unused, figures_since_start(unused))
    assert pools._reuse.text == DASH

    used = [PoolStats(venue=FIRST, host="h", scheme="https", attempts=4, reused=3)]
    pools.show_pools(used, figures_since_start(used))
    assert pools._reuse.text == "75.0 %"


def test_every_figure_of_the_pool_panel_is_defined(qtbot: QtBot) -> None:
    pools = VenuePools(FIRST, "Venue", DARK)
    qtbot.addWidget(pools)

    for name, label in pools._values.items():
        assert name in label.toolTip()
    assert set(WORDS) <= pools._values.keys()
    assert "HikariCP: PendingConnections" in pools._values["waiting"].toolTip()
    used = [PoolStats(venue=FIRST, host="h", scheme="https", idle=1)]
    pools.show_pools(used, figures_since_start(used))
    for words in ("http.client.open_connections", "http.connection.state", "maximumPoolSize", "IdleConnections"):
        assert words in pools._occupancy.toolTip()
    assert "warm attempts / all attempts" in pools._reuse.toolTip()


def test_detail_of_a_warm_request_has_dashes_for_connecting(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=10)
    s.window.show()
    s.show_now()
    warm = next(trace for trace in s.board.requests.items if trace.is_cold is False)
    s.window.requests.select_request(warm.request_id)
    form = s.window.requests.detail._form
    texts = {}
    for row in range(form.rowCount()):
        value = form.itemAt(row, form.ItemRole.FieldRole)
        assert value is not None
        label = value.widget()
        assert isinstance(label, ElidedLabel)
        caption = form.labelForField(label)
        assert isinstance(caption, QLabel)
        texts[caption.text()] = label.text

    assert (texts["DNS"], texts["TCP"], texts["TLS"]) == (DASH, DASH, DASH)
    assert texts["wait"].endswith("ms")


def test_an_outlier_is_told_with_the_phase_in_excess(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=120)
    s.show_now()
    usual = next(trace for trace in reversed(s.board.requests.items) if trace.is_cold is False)
    slow = replace(usual, request_id=9_999, wait_s=(usual.wait_s or 0.0) + 1.0, total_s=usual.total_s + 1.0)
    s.feed.deliver_quotes(slow.venue, slow)
    s.show_now()
    told = s.window.requests._spike_text(slow)

    assert told.startswith("venue: waiting for the venue's first byte took ")
    assert s.window.requests._spike_text(usual).startswith("no: the median is ")
    model = s.window.requests.model
    cell = model.index(0, RequestColumn.CAUSE)
    assert (model.trace_at(0), cell.data()) == (slow, "venue")
    assert "longer than usual" in str(cell.data(Qt.ItemDataRole.ToolTipRole))
    s.window.requests.filter.setText("no such thing")
    assert not s.window.requests._empty.isHidden()
    assert "matches the filter" in s.window.requests._empty.text()
    s.window.requests.filter.setText("slow:venue")
    assert s.window.requests._empty.isHidden()
    assert s.window.requests.proxy.index(0, RequestColumn.CAUSE).data() == "venue"
    assert 0 < s.window.requests.proxy.rowCount() < model.rowCount()
    assert s.window.requests._spike_text(replace(usual, is_cold=None)) == DASH
    assert s.window.requests._spike_text(replace(usual, endpoint="never.asked")) == DASH


def test_bid_and_ask_are_shown_together_or_not_at_all(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = window_factory(seconds=5)
    header = FocusHeader(sample.board, clock=sample.clock, venue_title=str, theme=DARK)
    qtbot.addWidget(header)
    header.show()
    seen = set()
    for width in range(400, 1500, 10):
        header.resize(width, header.height())
        shown = {caption for caption, figure in header._figures.items() if not figure.isHidden()}
        assert ("Bid" in shown) == ("Ask" in shown), width
        seen.add(frozenset(shown))
    assert max(seen, key=len) == set(header._figures)


def test_the_basis_is_shown_with_its_age_and_struck_through_when_a_leg_is_old(
    window_factory: WindowFactory, qtbot: QtBot
) -> None:
    s = window_factory(seconds=30)
    s.show_now()
    value = s.window.charts.header._figures["Basis"].value
    here, there = (s.board.quote(s.feed.key(venue, 0)) for venue in (FIRST, SECOND))
    assert here is not None
    assert there is not None
    assert here.price is not None
    assert there.price is not None

    assert f"{float(here.price / there.price - 1) * 1e4:.1f} bp" in value.text
    assert "apart in time" in value.toolTip()
    assert not value.font().strikeOut()

    s.clock.now_s += 60
    s.window.on_slow_frame()
    assert value.font().strikeOut()


def test_the_light_of_a_venue_tells_headroom_and_use_by_endpoint(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=5)
    s.show_now()
    told = s.window.status.lights[SECOND].toolTip()

    assert "headroom: 116 of 360 weight a minute" in told
    assert f"{SECOND}.quotes: 244 in the last 60 s" in told


def test_scrolled_down_table_stays_where_it_is(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=120)
    s.window.resize(1280, 720)
    s.window.show()
    s.show_now()
    table = s.window.requests.table
    qtbot.waitUntil(lambda: table.verticalScrollBar().maximum() > 60)
    table.verticalScrollBar().setValue(50)
    top = s.window.requests.proxy.index(table.rowAt(0), 0)
    request_id = s.window.requests.model.trace_at(s.window.requests.proxy.mapToSource(top).row()).request_id
    s.run(5)
    top = s.window.requests.proxy.index(table.rowAt(0), 0)

    assert s.window.requests.model.trace_at(s.window.requests.proxy.mapToSource(top).row()).request_id == request_id


def test_a_request_number_beyond_32_bits_can_be_chosen(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=1)
    s.feed._request_id = 2**40
    s.run(1)
    s.window.show()
    newest = s.board.requests.items[-1].request_id
    with qtbot.waitSignal(s.window.requests.request_chosen) as chosen:
        s.window.requests.select_request(newest)

    assert chosen.args is not None
    assert chosen.args[0].request_id == newest > 2**40


@pytest.mark.parametrize(
    ("seconds", "scale"), [(0.0, 0.1), (0.061, 0.07), (0.1, 0.1), (0.11, 0.15), (1.2, 1.5), (3.1, 5)]
)
def test_waterfall_scale_moves_in_steps(seconds: float, scale: float) -> None:
    assert nice_scale(seconds) == pytest.approx(scale)
