"""The pool panel: four pages in a narrow dock, each figure with its definition, nothing unknown written as zero."""

from types import MappingProxyType

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.domain.pool_health import IdleBucket, KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.exchanges.caching import CacheStats
from monitor.qtmodels.connection_model import ConnectionRow, describe_connection
from monitor.qtmodels.figures import DASH
from monitor.state.ledger import CachingSaving, PoolingSaving, SavingsLedger
from monitor.state.period import Period
from monitor.state.pool_figures import figures_since_start
from monitor.state.venue_state import VenueState
from monitor.widgets.connection_list import small_lines
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.keep_alive_view import MOST_BARS, merged
from monitor.widgets.pool_overview import VenuePools
from monitor.widgets.pool_panel import PoolPanel
from monitor.widgets.savings_view import SavingsRow, SavingsView, pooled_total, saved_text
from monitor.widgets.theme import DARK
from monitor.widgets.window_layout import POOLS_WIDTH_PX
from tests.fakes.poll_results import FakeClock, make_budget, make_quotes, make_success, make_trace
from tests.fakes.sample_markets import FIRST, SECOND, title_of
from tests.qt.conftest import WindowFactory

HOST = "venue.test:443"
SCROLL_BAR_PX = 10
FIT = KeepAliveFit(
    host=HOST,
    buckets=(
        IdleBucket(idle_from_s=1.0, idle_to_s=2.0, survived=40, dropped=0),
        IdleBucket(idle_from_s=60.0, idle_to_s=120.0, survived=0, dropped=5),
    ),
    longest_survived_s=58.0,
    shortest_dropped_s=60.0,
    retire_after_s=48.0,
)


def a_pool(**changes: object) -> PoolStats:
    card = ConnectionCard(
        connection_id=3,
        host=HOST,
        opened_at=FakeClock().utc_now(),
        opened_mono_s=990.0,
        state="idle",
        requests=12,
        peer="203.0.113.17:443",
        address_family="IPv4",
        tls_version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
        alpn="http/1.1",
        is_resumed=True,
        connect_s=0.13,
        idle_since_mono_s=999.0,
        is_prewarmed=True,
    )
    pool = PoolStats(
        venue=FIRST,
        host=HOST,
        scheme="https",
        attempts=30,
        opened=2,
        reused=29,
        prewarmed=1,
        idle=2,
        peak_active=3,
        max_connections=20,
        fit=FIT,
        sizing=SizingAdvice(maximum=20, peak=3, discarded=0, recommended=2),
        offered_protocols=("h2", "http/1.1"),
        connections=(card,),
    )
    return replace(pool, **changes)


class Panel:
    """A pool panel over one venue whose results are made by hand."""

    def __init__(self, qtbot: QtBot) -> None:
        self.clock = FakeClock()
        self.venue = VenueState(FIRST)
        self.ledger = SavingsLedger()
        self.panel = PoolPanel([self.venue], ledger=self.ledger, clock=self.clock, venue_title=title_of, theme=DARK)
        qtbot.addWidget(self.panel)
        self.panel.resize(POOLS_WIDTH_PX, 400)
        self.panel.show()

    def receive(self, pool: PoolStats, *, cadence_s: float = 1.0) -> None:
        result = make_success(make_quotes({"A": "1"}), self.clock, pools=[pool], cadence_s=cadence_s)
        self.venue.feed_of(result)
        self.venue.note_result(result, self.clock())
        self.panel.on_slow_frame()


@pytest.fixture
def shown(qtbot: QtBot) -> Panel:
    return Panel(qtbot)


def test_everything_fits_into_the_width_of_the_first_layout(window_factory: WindowFactory, qtbot: QtBot) -> None:
    s = window_factory(seconds=120)
    for section in s.window.pools.sections.values():
        assert section.minimumSizeHint().width() <= POOLS_WIDTH_PX - SCROLL_BAR_PX
    assert s.window.pools.savings.minimumSizeHint().width() <= POOLS_WIDTH_PX
    tabs = s.window.pools.tabs.tabBar()
    assert tabs.sizeHint().width() <= POOLS_WIDTH_PX


def test_every_figure_says_what_it_means(shown: Panel, qtbot: QtBot) -> None:
    shown.ledger.add_trace(make_trace(1))
    shown.receive(a_pool())
    for page in range(shown.panel.tabs.count()):
        shown.panel.tabs.setCurrentIndex(page)
        shown.panel.on_slow_frame()
        for label in shown.panel.findChildren(ElidedLabel):
            if label.isVisible() and any(char.isdigit() for char in label.text) and ":443" not in label.text:
                assert len(label.toolTip()) > len(label.text) + 40, label.text


def test_sizing_advice_is_always_there(shown: Panel, qtbot: QtBot) -> None:
    section = shown.panel.sections[FIRST]
    shown.receive(a_pool(sizing=None))
    assert section._sizing.text.startswith("no advice yet")

    shown.clock.advance(5)
    shown.receive(a_pool())

    assert section._sizing.text == "peak 3 of 20; 2 would do; 0 thrown away"
    assert "99th percentile" in section._sizing.toolTip()


def test_pools_that_went_with_their_transport_are_not_shown_any_more(shown: Panel, qtbot: QtBot) -> None:
    shown.receive(a_pool())
    section = shown.panel.sections[FIRST]
    before = section._occupancy.text
    shown.venue.note_pools([], make_budget(), shown.clock.advance(1.0), shown.clock())
    shown.panel.on_slow_frame()

    assert before.startswith("2 open")
    assert section._occupancy.text == DASH
    assert section._reuse.text == DASH
    assert {value.text for value in section._values.values()} == {DASH}
    assert section._host.text == "no request yet"


def test_evicted_pools_are_an_alarm_that_names_the_setting(shown: Panel, qtbot: QtBot) -> None:
    alarm = shown.panel.sections[FIRST]._alarm
    shown.receive(a_pool())
    assert not alarm.isVisible()

    shown.clock.advance(5)
    shown.receive(a_pool(evicted_pools=2))

    assert alarm.isVisible()
    assert "pool_connections" in alarm.text()


def test_requests_per_connection_need_a_connection(qtbot: QtBot) -> None:
    section = VenuePools(FIRST, "Venue", DARK)
    qtbot.addWidget(section)
    for pool, text in (
        (a_pool(attempts=30, opened=2), "15"),
        (a_pool(attempts=3, opened=2, connect_failed=1), "1.0"),
        (a_pool(attempts=2, opened=0, connect_failed=2), DASH),
    ):
        section.show_pools([pool], figures_since_start([pool]))
        assert section._values["per socket"].text == text


def test_small_plots_tell_their_history_to_who_cannot_see_it(shown: Panel, qtbot: QtBot) -> None:
    section = shown.panel.sections[FIRST]
    assert section.connections.accessibleDescription() == ""
    for number in range(40):
        shown.clock.advance(2)
        idle = 5 if number == 20 else 2
        shown.receive(a_pool(attempts=10 * (number + 1), reused=9 * (number + 1), idle=idle, active=1))

    assert (
        section.connections.accessibleDescription() == "3 open, 1 active, 2 idle now; at most 6 open in the time shown."
    )
    assert section.reuse_trend.accessibleDescription().startswith("90.0 % in the last minute")
    shown.panel.set_time_range(60.0)

    assert "at most 6 open" in section.connections.accessibleDescription()
    shown.panel.set_time_range(10.0)

    assert "at most 3 open" in section.connections.accessibleDescription()


def test_small_plots_draw_what_is_open_and_idle(shown: Panel, qtbot: QtBot) -> None:
    trend = shown.panel.sections[FIRST].connections
    for _ in range(30):
        shown.clock.advance(2)
        shown.receive(a_pool(idle=1, active=1))
    shown.panel.set_time_range(30.0)
    image = trend.grab().toImage()
    column = [image.pixelColor(image.width() // 2, y).name() for y in range(image.height())]

    assert DARK.background in column
    assert len(set(column[-10:])) <= 2  # active at the bottom, and the frame
    assert column[-5] not in (DARK.background, column[len(column) // 2])


def test_a_card_names_every_fact_of_its_socket() -> None:
    row = ConnectionRow(FIRST, "Venue", a_pool().connections[0], "HTTP/2 offered: saves 2 sockets, no time")
    lines = small_lines(row, 1_000.0)

    assert lines == (
        "age 10 s · idle 1.0 s · set-up 130 ms",
        "Venue IPv4 203.0.113.17:443",
        "TLSv1.3 · TLS_AES_256_GCM_SHA384",
        "ALPN http/1.1 · resumed",
        "HTTP/2 offered: saves 2 sockets, no time",
    )
    told = dict(describe_connection(row, 1_000.0))
    assert told["Opened ahead"].startswith("yes")
    assert told["Protocols"] == lines[-1]


def test_a_closed_card_says_who_closed_it() -> None:
    card = replace(a_pool().connections[0], state="closed", closed_mono_s=1_050.0, close_cause=CloseCause.STALE)

    lines = small_lines(ConnectionRow(FIRST, "Venue", card), 2_000.0)
    assert lines == ("Venue IPv4 203.0.113.17:443", "lived 60 s · closed by server, found stale")


def test_keep_alive_judges_the_interval_in_force(shown: Panel, qtbot: QtBot) -> None:
    shown.panel.tabs.setCurrentWidget(shown.panel.keep_alive)
    shown.receive(a_pool(), cadence_s=75.0)
    (host,) = shown.panel.keep_alive.hosts.values()

    assert "75 s outlives this host's ~60 s sockets: 0% benefit" in host.words.text()
    assert "idle 60 s to 120 s: 0 survived, 5 dropped" not in host.words.text()
    assert "5 dropped" in host.chart.toolTip()
    assert "40 survived" in host.chart.accessibleDescription()

    shown.panel.keep_alive.keeps_warm = True
    shown.panel.on_slow_frame()

    assert "one connection is kept warm" in host.words.text()

    shown.venue.note_polled(is_polled=False, now_mono_s=shown.clock())
    shown.panel.on_slow_frame()

    assert "The host is not polled now." in host.words.text()
    assert "75 s" not in host.words.text()


def test_many_idle_times_share_bars_without_losing_a_sample() -> None:
    fine = [IdleBucket(idle_from_s=float(n), idle_to_s=n + 1.0, survived=n, dropped=n % 3) for n in range(38)]
    bars = merged(fine)

    assert len(bars) <= MOST_BARS
    assert sum(bar.survived for bar in bars) == sum(range(38))
    assert sum(bar.dropped for bar in bars) == sum(one.dropped for one in fine)
    assert (bars[0].idle_from_s, bars[-1].idle_to_s) == (0.0, 38.0)
    assert merged(fine[:4]) == tuple(fine[:4])
    assert merged(()) == ()


def test_keep_alive_has_one_chart_per_host_and_forgets_hosts_that_went(shown: Panel, qtbot: QtBot) -> None:
    view = shown.panel.keep_alive
    shown.panel.tabs.setCurrentWidget(view)
    view.refresh()
    assert view.hosts == {}
    assert view._empty.isVisible()

    shown.receive(a_pool())
    shown.clock.advance(5)
    shown.receive(a_pool(host="other.test:443", fit=None))

    assert [key[1] for key in view.hosts] == ["other.test:443"]
    assert not view._empty.isVisible()


def test_a_saving_is_a_dash_then_unknown_then_a_figure(shown: Panel, qtbot: QtBot) -> None:
    shown.panel.tabs.setCurrentIndex(3)
    shown.receive(a_pool())
    cell = shown.panel.savings.pooling[FIRST]
    assert cell.value.text == DASH

    shown.ledger.add_trace(make_trace(1, host=HOST))
    shown.panel.on_slow_frame()
    assert cell.value.text == "unknown"
    assert cell.lines[0].text == "no set-up within 1 h"

    shown.ledger.add_trace(
        make_trace(2, host=HOST, is_cold=True, dns_s=0.01, tcp_s=0.04, tls_s=0.05, ended_mono_s=shown.clock())
    )
    shown.panel.on_slow_frame()
    assert cell.value.text == "+0.1 s"
    assert [line.text for line in cell.lines[1:]] == ["1 warm", "1 set-up within 1 h"]


def test_set_ups_that_a_saving_is_reckoned_with_are_not_those_of_the_period(shown: Panel, qtbot: QtBot) -> None:
    """The overview counts what was opened in the period; the saving takes the set-ups of the hour before its end."""
    shown.receive(a_pool(opened=2))
    shown.ledger.add_trace(make_trace(1, host=HOST, is_cold=True, tcp_s=0.04, tls_s=0.05, ended_mono_s=shown.clock()))
    start_s = shown.clock.advance(60.0)
    shown.venue.note_trace(make_trace(2, host=HOST, ended_mono_s=shown.clock.advance(5.0)))
    shown.receive(a_pool(opened=2, attempts=31, reused=30))
    shown.panel.set_period(Period(start_s, shown.clock.advance(1.0)), "Period 10:00:00–10:00:06")
    opened = shown.panel.sections[FIRST]._values["opened"].text
    shown.panel.tabs.setCurrentIndex(3)
    shown.panel.on_slow_frame()
    cell = shown.panel.savings.pooling[FIRST]

    assert opened == "0"
    assert [line.text for line in cell.lines[1:]] == ["1 warm", "1 set-up within 1 h"]
    assert "the overview counts those opened in the period itself" in cell.lines[2].toolTip().replace("\n", " ")


def test_a_loss_is_shown_as_one(qtbot: QtBot) -> None:
    view = SavingsView([FIRST, SECOND], venue_title=title_of, theme=DARK)
    qtbot.addWidget(view)
    pooling = PoolingSaving(
        host=HOST,
        warm_requests=4,
        cold_requests=1,
        cold_samples=1,
        wasted_s=3.0,
        saved_s=-2.6,
        saved_low_s=-2.8,
        saved_high_s=-2.4,
    )
    caching = CachingSaving(venue=FIRST, plain_calls=5, made_calls=9, saved_s=-0.24)
    view.show_rows({FIRST: SavingsRow(FIRST, (pooling,), caching)}, "since start")

    assert view.pooling[FIRST].value.text == "−2.6 s"
    assert view.pooling[FIRST].lines[0].text == "−2.8 s to −2.4 s"
    assert view.caching[FIRST].value.text == "−0.2 s"
    assert view.caching[FIRST].lines[0].text == "4 calls more"
    assert view.caching[SECOND].value.text == DASH


def test_how_reads_were_answered_stands_beside_the_savings(qtbot: QtBot) -> None:
    view = SavingsView([FIRST], venue_title=title_of, theme=DARK)
    qtbot.addWidget(view)
    rows = {FIRST: SavingsRow(FIRST, (), None, CacheStats(network=7, cached=2))}

    view.show_rows(rows, "since start")
    assert view.cache[FIRST][0].text == "cache 2 hits · 7 misses"
    view.show_rows({FIRST: SavingsRow(FIRST, (), None)}, "Period 10:00:00–10:01:00")
    assert view.cache[FIRST][0].text == f"cache {DASH}"


def test_one_unknown_host_makes_the_sum_unknown() -> None:
    known = PoolingSaving(
        host="a", warm_requests=1, cold_requests=1, cold_samples=1, wasted_s=0.0,
        saved_s=1.0, saved_low_s=0.5, saved_high_s=2.0,
    )  # fmt: skip
    unknown = replace(known, host="b", saved_s=None, saved_low_s=None, saved_high_s=None)

    assert pooled_total([known, known]) == (2.0, 1.0, 4.0)
    assert pooled_total([known, unknown]) == (None, None, None)
    assert pooled_total([]) == (None, None, None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "unknown"), (0.0, "0.0 s"), (12.34, "+12.3 s"), (-150.0, "−2.5 min"), (7_200.0, "+2.0 h")],
)
def test_savings_are_written_with_their_sign(seconds: float | None, text: str) -> None:
    assert saved_text(seconds) == text


def test_pages_are_reached_with_the_keyboard(shown: Panel, qtbot: QtBot) -> None:
    bar = shown.panel.tabs.tabBar()
    bar.setFocus()
    QTest.keyClick(bar, Qt.Key.Key_Right)
    QTest.keyClick(bar, Qt.Key.Key_Right)

    assert shown.panel.tabs.currentWidget() is shown.panel.keep_alive


def test_going_to_a_socket_brings_its_card_to_the_front(shown: Panel, qtbot: QtBot) -> None:
    shown.receive(a_pool(closed=MappingProxyType({})))

    assert not shown.panel.select_connection(99)
    assert shown.panel.tabs.currentIndex() == 0
    assert shown.panel.select_connection(3)
    assert shown.panel.cards.isVisible()
