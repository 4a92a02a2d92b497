"""Panels one by one: watchlist, pools, requests, toasts, settings, first start."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from monitor.desktop.settings import Settings
from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.qtmodels.figures import DASH
from monitor.qtmodels.request_model import RequestColumn
from monitor.state.board import Board
from monitor.state.pool_figures import figures_since_start
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.first_run import FirstRunDialog, StartChoice
from monitor.widgets.pool_overview import DEFINITIONS, WORDS, VenuePools, counter_texts
from monitor.widgets.settings_dialog import SettingsDialog
from monitor.widgets.theme import DARK
from monitor.widgets.toasts import MAX_TOASTS, ToastStack
from monitor.widgets.watchlist import Watchlist
from monitor.widgets.waterfall import nice_scale
from tests.fakes.board_samples import FIRST, SECOND, TITLES, SampleFeed, make_board, title_of
from tests.qt.conftest import WindowFactory

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


def test_same_toast_again_raises_a_count(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    stack = ToastStack(over, DARK)
    stack.notify("a", "warning", "it failed")
    stack.notify("a", "error", "it failed again", count=3)
    (toast,) = stack.toasts()

    assert toast.text == "it failed again  × 3"


def test_a_long_toast_has_room_for_every_line(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    over.show()
    stack = ToastStack(over, DARK)
    stack.notify("a", "error", "Bitunix does not know this API key: it is mistyped, expired or deleted. " * 3)
    QApplication.processEvents()
    (toast,) = stack.toasts()
    label = toast.findChildren(QLabel)[0]

    assert label.height() >= label.heightForWidth(label.width())
    assert label.height() > 4 * label.fontMetrics().height()
    assert stack.rect().contains(toast.geometry())


def test_a_graver_notice_is_not_hidden_by_a_lesser_one(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    stack = ToastStack(over, DARK)
    stack.notify("a", "error", "no connection")
    stack.notify("a", "warning", "polls were missed")

    assert [toast.text for toast in stack.toasts()] == ["no connection"]


def test_toasts_are_few_plain_and_inside(qtbot: QtBot) -> None:
    over = QWidget()
    qtbot.addWidget(over)
    over.resize(800, 500)
    over.show()
    stack = ToastStack(over, DARK)
    for number in range(10):
        stack.notify(str(number), "info", f"<b>{number}</b>\n" + "long " * 500)

    assert [toast.identity for toast in stack.toasts()] == ["7", "8", "9"]
    assert len(stack.toasts()) == MAX_TOASTS
    assert stack.toasts()[0].text.startswith("<b>7</b> long")
    assert over.rect().contains(stack.geometry())


def fetch_nothing() -> Fetched[Payload]:
    raise AssertionError("a dialog fetches nothing")


def job(endpoint: str, cadence_s: float, weight: int) -> PollJob:
    venue = endpoint.partition(".")[0]
    return PollJob(
        venue=venue, endpoint=endpoint, key=endpoint, cadence_s=cadence_s, weight=weight, fetch=fetch_nothing
    )


@pytest.fixture
def dialog(qtbot: QtBot) -> SettingsDialog:
    board: Board = make_board(seconds=1)[0]
    budgets = {name: budget for name in board.venue_names if (budget := board.venue(name).budget) is not None}
    dialog = SettingsDialog(
        Settings(cadences_s={"gone.endpoint": 5.0}),
        jobs=(job(f"{FIRST}.quotes", 1.0, 1), job(f"{SECOND}.quotes", 1.0, 2)),
        budgets=budgets,
        venue_title=title_of,
    )
    qtbot.addWidget(dialog)
    return dialog


def test_untouched_settings_stay_as_they_are(dialog: SettingsDialog) -> None:
    assert dialog.settings() == Settings(cadences_s={"gone.endpoint": 5.0})
    assert dialog.problem() is None


def test_a_faster_cadence_shows_its_cost(dialog: SettingsDialog) -> None:
    assert f"{TITLES[SECOND]}: 120 of 1,200 a minute (10.0 %), within the cap" in dialog.plan.costs.text()

    dialog.plan._boxes[f"{SECOND}.quotes"].setValue(0.2)

    assert "600 of 1,200 a minute (50.0 %), over the cap" in dialog.plan.costs.text()
    assert dialog.settings().cadences_s == {"gone.endpoint": 5.0, f"{SECOND}.quotes": 0.2}

    dialog.plan.cap.setValue(60)

    assert "(50.0 %), within the cap" in dialog.plan.costs.text()


@pytest.mark.parametrize(
    "proxy", ["proxy.example", "http://", "ftp://proxy.example:21", "http://[::1", "http://u:p@h:1"]
)
def test_a_bad_proxy_is_refused_with_the_reason(dialog: SettingsDialog, proxy: str) -> None:
    dialog.proxy.setText(proxy)
    dialog._on_ok()

    assert dialog.problem() is not None
    assert dialog.result() == 0
    assert not dialog._problem.isHidden()


def test_a_good_proxy_is_taken(dialog: SettingsDialog) -> None:
    dialog.proxy.setText(" socks5://proxy.example:1080 ")
    dialog._on_ok()

    assert dialog.result() == 1
    assert dialog.settings().proxies["https"] == "socks5://proxy.example:1080"


def test_how_connections_are_kept_can_be_set(dialog: SettingsDialog) -> None:
    page = dialog.reuse
    page.sizing.setCurrentIndex(page.sizing.findData("automatic"))
    page.prewarm.setValue(4)
    page.keep_warm.setChecked(True)
    page.max_age.setValue(10.0)
    page.dns_cache.setValue(0.0)
    page.ipv4_only.setChecked(True)
    page.resumption.setChecked(False)
    page.http2[FIRST].setChecked(True)

    assert dialog.settings() == Settings(
        cadences_s={"gone.endpoint": 5.0},
        pool_sizing="automatic",
        prewarm_connections=4,
        keep_warm=True,
        max_age_s=600.0,
        dns_cache_s=0.0,
        is_ipv4_only=True,
        tls_resumption=False,
        http2_venues=(FIRST,),
    )


def test_first_start_asks_and_takes_the_answer(qtbot: QtBot) -> None:
    dialog = FirstRunDialog(DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.mouseClick(dialog.demo, Qt.MouseButton.LeftButton)

    assert dialog.choice is StartChoice.DEMO
    assert not dialog.isVisible()


def test_first_start_can_be_answered_with_the_keyboard(qtbot: QtBot) -> None:
    dialog = FirstRunDialog(DARK)
    qtbot.addWidget(dialog)
    dialog.show()
    QTest.keyClick(dialog, Qt.Key.Key_Return)

    assert dialog.choice is StartChoice.LIVE
