"""The models: correct as Qt checks them, quiet about what did not change, never a reset."""

from collections.abc import Hashable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels import event_model, request_model
from monitor.qtmodels.connection_model import ConnectionModel
from monitor.qtmodels.event_model import EventColumn, EventFilter, EventModel
from monitor.qtmodels.figures import DASH, local_time
from monitor.qtmodels.quote_model import QuoteColumn, QuoteModel
from monitor.qtmodels.request_model import RequestColumn, RequestFilter, RequestModel
from monitor.qtmodels.request_words import describe_phases, phase_text, phases_of
from monitor.qtmodels.row_sync import sync_rows
from monitor.state.event_log import EventLog
from monitor.state.period import Period
from monitor.state.spike_log import SpikeLog
from monitor.state.spikes import Spike, SpikeCause
from tests.fakes.board_samples import make_board
from tests.fakes.sample_markets import FIRST, SECOND, title_of


class Watcher(QObject):
    """Writes down what a model tells its views."""

    def __init__(self, model: QAbstractTableModel) -> None:
        super().__init__()
        self.changed: list[tuple[int, int]] = []
        self.resets = 0
        model.dataChanged.connect(self.on_changed)
        model.modelReset.connect(self.on_reset)

    def on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        self.changed.append((first.row(), last.row()))

    def on_reset(self) -> None:
        self.resets += 1


class KeyedModel(QAbstractTableModel):
    """A list of (key, value) under a real Qt model."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[int, int]] = []

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        return 0 if parent.isValid() else 1

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:
        return self.rows[index.row()][1] if role == int(Qt.ItemDataRole.DisplayRole) else None


def check(tester: ModelTester, model: QAbstractItemModel) -> None:
    tester.check(model)  # type: ignore[no-untyped-call]  # pytest-qt leaves it without types


def key_of(row: tuple[int, int]) -> Hashable:
    return row[0]


def trace(request_id: int, **changes: object) -> RequestTrace:
    values: dict[str, object] = {
        "request_id": request_id,
        "attempt": 1,
        "venue": FIRST,
        "endpoint": f"{FIRST}.quotes",
        "method": "GET",
        "host": "h:443",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "started_mono_s": float(request_id),
        "ended_mono_s": request_id + 0.06,
        "total_s": 0.06,
        "is_cold": False,
        "connection_id": 3,
        "status": 200,
        **changes,
    }
    return RequestTrace(**values)  # type: ignore[arg-type]  # a table of overrides


lists = st.lists(st.integers(0, 8), unique=True, max_size=9)


@settings(max_examples=300, deadline=None)
@given(lists, lists, st.integers(0, 3))
def test_rows_become_what_is_wanted_and_selections_follow(before: list[int], after: list[int], bump: int) -> None:
    """Whatever the two lists are: same content as a plain assignment, and a persistent index stays on its row."""
    model = KeyedModel()
    sync_rows(model, model.rows, [(key, 0) for key in before], key_of)
    marks = {key: QPersistentModelIndex(model.index(row, 0)) for row, key in enumerate(before)}
    wanted = [(key, bump) for key in after]

    sync_rows(model, model.rows, wanted, key_of)

    assert model.rows == wanted
    for key, mark in marks.items():
        assert mark.isValid() == (key in after)
        if key in after:
            assert mark.row() == after.index(key)


def test_only_changed_rows_are_reported_neighbours_together() -> None:
    model = KeyedModel()
    sync_rows(model, model.rows, [(key, 0) for key in range(6)], key_of)
    watcher = Watcher(model)

    sync_rows(model, model.rows, [(0, 0), (1, 9), (2, 9), (3, 0), (4, 0), (5, 9)], key_of)

    assert watcher.changed == [(1, 2), (5, 5)]


def test_quote_model_passes_qts_own_checks(qtmodeltester: ModelTester) -> None:
    board, clock, feed = make_board(seconds=3)
    model = QuoteModel(board, clock=clock, venue_title=title_of)
    check(qtmodeltester, model)
    model.set_keys(feed.watchlist())
    feed.run(2)
    model.refresh()
    model.tick()
    model.set_keys(feed.watchlist()[2:8][::-1])

    check(qtmodeltester, model)

    assert model.rowCount() == 6


def test_watchlist_reports_only_rows_with_a_new_reply(qtbot: QtBot) -> None:
    board, clock, feed = make_board(seconds=3)
    model = QuoteModel(board, clock=clock, venue_title=title_of)
    model.set_keys([feed.key(FIRST, 0), feed.key(SECOND, 0), feed.key(FIRST, 1)])
    model.refresh()
    watcher = Watcher(model)

    model.refresh()
    assert watcher.changed == []

    clock.now_s += 1.0
    feed.deliver_quotes(FIRST)
    model.refresh()

    assert watcher.changed == [(0, 0), (2, 2)]
    assert watcher.resets == 0


def test_unknown_instrument_is_a_row_of_dashes(qtbot: QtBot) -> None:
    board, clock, _ = make_board(seconds=1)
    model = QuoteModel(board, clock=clock, venue_title=title_of)
    model.set_keys([(FIRST, "NOSUCH")])
    texts = {column: model.index(0, column).data() for column in QuoteColumn}

    assert texts[QuoteColumn.SYMBOL] == "NOSUCH"
    for column in (QuoteColumn.LAST, QuoteColumn.CHANGE, QuoteColumn.SPREAD, QuoteColumn.FUNDING, QuoteColumn.AGE):
        assert texts[column] == DASH, column
    assert texts[QuoteColumn.VERDICT] == "no data"


def test_ages_run_on_without_any_reply(qtbot: QtBot) -> None:
    board, clock, feed = make_board(seconds=3)
    model = QuoteModel(board, clock=clock, venue_title=title_of)
    model.set_keys([feed.key(FIRST, 0)])
    age, state = (model.index(0, column) for column in (QuoteColumn.AGE, QuoteColumn.VERDICT))
    assert state.data() == "live"

    clock.now_s += 42.0
    model.tick()

    assert age.data() == "42 s"
    assert state.data() == "late"
    assert not model.figures_at(0).is_believable


def test_request_model_passes_qts_own_checks(qtmodeltester: ModelTester) -> None:
    model = RequestModel(title_of, spike_of=SpikeLog().of)
    proxy = RequestFilter()
    proxy.setSourceModel(model)
    check(qtmodeltester, proxy)
    for start in range(0, 60, 20):
        model.append([trace(request_id) for request_id in range(start, start + 20)])
    proxy.sort(RequestColumn.TOTAL)
    proxy.set_filter_text("warm")

    check(qtmodeltester, model)
    check(qtmodeltester, proxy)


def test_newest_request_stands_first_also_through_the_filter(qtbot: QtBot) -> None:
    """Qt reverses the rows of a descending proxy that is sorted by no column; the proxy must not let it."""
    model = RequestModel(title_of, spike_of=SpikeLog().of)
    proxy = RequestFilter()
    proxy.setSourceModel(model)
    proxy.sort(-1, Qt.SortOrder.DescendingOrder)
    model.append([trace(1), trace(2), trace(3)])
    model.append([trace(4)])

    shown = [proxy.index(row, 0).data(request_model.TRACE_ROLE).request_id for row in range(proxy.rowCount())]

    assert shown == [4, 3, 2, 1]


def test_request_rows_are_bounded(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_model, "MAX_ROWS", 5)
    model = RequestModel(title_of, spike_of=SpikeLog().of)
    for request_id in range(12):
        model.append([trace(request_id)])
    model.append([trace(request_id) for request_id in range(12, 30)])

    assert [model.trace_at(row).request_id for row in range(model.rowCount())] == [29, 28, 27, 26, 25]
    assert model.row_of(27) == 2
    assert model.row_of(3) is None


def test_filter_words_all_have_to_occur(qtbot: QtBot) -> None:
    slow = Spike(
        request_id=2, attempt=1, cause=SpikeCause.RATE_LIMIT, phase="queue_s", phase_excess_s=1.0, total_excess_s=1.0,
        share=1.0, text="it waited",
    )  # fmt: skip
    model = RequestModel(title_of, spike_of=lambda one: slow if one.request_id == 2 else None)
    proxy = RequestFilter()
    proxy.setSourceModel(model)
    model.append(
        [
            trace(1, is_cold=True, connection_id=12),
            trace(2, endpoint=f"{FIRST}.book"),
            trace(3, error_kind=ErrorKind.TIMEOUT, status=None, is_cold=None, connection_id=None),
        ]
    )

    def found(text: str) -> list[int]:
        proxy.set_filter_text(text)
        return [proxy.index(row, 0).data(request_model.TRACE_ROLE).request_id for row in range(proxy.rowCount())]

    assert found("cold") == [1]
    assert found("WARM book") == [2]
    assert found("failed") == [3]
    assert found("#12") == [1]
    assert found("#1") == []
    assert found("slow") == [2]
    assert found("slow:rate_limit") == [2]
    assert found("slow:venue") == []
    assert found("") == [3, 2, 1]


def test_warm_request_has_no_connect_phases() -> None:
    warm = trace(1, wait_s=0.05, read_s=0.01, queue_s=0.0)

    assert [key for key, _ in phases_of(warm)] == ["queue", "wait", "read"]


def test_the_phases_say_what_a_cold_start_was_spared_and_had_to_go_through() -> None:
    facts: dict[str, object] = {"is_dns_cached": True, "addresses_tried": 2, "is_resumed": True}
    cold = trace(1, is_cold=True, dns_s=0.0, tcp_s=0.27, tls_s=0.02, wait_s=0.05, **facts)

    assert describe_phases(cold) == (
        "DNS 0.0 ms (from our cache), TCP 270 ms (2 addresses tried), TLS 20 ms (resumed), wait 50 ms"
    )
    assert phase_text(cold, "dns", cold.dns_s) == "0.0 ms, from our cache"
    plain = trace(2, is_cold=True, dns_s=0.01, tcp_s=0.02, tls_s=0.04, is_dns_cached=False, addresses_tried=1)
    assert describe_phases(plain) == "DNS 10 ms (looked up), TCP 20 ms (1 address tried), TLS 40 ms"
    ahead = trace(3, wait_s=0.05, is_prewarmed=True)
    assert describe_phases(ahead) == "wait 50 ms, the connection was opened ahead"
    assert [phase_text(ahead, phase, None) for phase in ("dns", "tcp", "tls")] == [DASH] * 3


def test_connection_model_passes_qts_own_checks(qtmodeltester: ModelTester) -> None:
    board, clock, feed = make_board(seconds=5)
    model = ConnectionModel(title_of)
    for _ in range(20):
        feed.run(30)
        model.refresh([pool for name in board.venue_names for pool in board.venue(name).pools], clock())
    check(qtmodeltester, model)
    states = [model.row_at(row).is_open for row in range(model.rowCount())]

    assert model.open_count == 4
    assert len(states) > 4
    assert states == sorted(states, reverse=True)


def test_event_filter_keeps_what_happened_within_a_period(qtmodeltester: ModelTester) -> None:
    board, clock, feed = make_board(seconds=5)
    model = EventModel(title_of)
    proxy = EventFilter()
    proxy.setSourceModel(model)
    check(qtmodeltester, proxy)
    began = clock()
    feed.down.add(FIRST)
    feed.run(30)
    feed.down.clear()
    feed.run(30)
    model.merge(board.events.since(0))
    everything = proxy.rowCount()
    failed = next(entry for entry in board.events.items if entry.count > 1)
    proxy.set_period(Period(failed.mono_s - 2.0, failed.mono_s - 1.0))
    model.merge(board.events.since(0))

    # It happened before and after, as one line: so it happened then.
    assert proxy.rowCount() == 1
    row = {column: proxy.index(0, column).data() for column in EventColumn}
    # How often of its times were within the period is not known, nor when.
    assert row[EventColumn.TIME] == f"since {local_time(failed.at)}"
    assert row[EventColumn.COUNT] == DASH
    assert row[EventColumn.TEXT] == failed.text
    proxy.set_period(Period(failed.mono_s - 2.0, failed.mono_s))
    counts = [proxy.index(at, EventColumn.COUNT).data() for at in range(proxy.rowCount())]
    assert f"× {failed.count}" in counts
    proxy.set_period(Period(began - 60.0, began - 30.0))
    assert proxy.rowCount() == 0
    proxy.set_period(None)
    assert proxy.rowCount() == everything == model.rowCount()
    check(qtmodeltester, proxy)


def test_event_model_passes_qts_own_checks(qtmodeltester: ModelTester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_model, "MAX_ROWS", 4)
    log, model = EventLog(), EventModel(title_of)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(9):
        log.add(f"event {number}", at=at, mono_s=float(number))
        model.merge(log.since(log.revision - 1))
    check(qtmodeltester, model)

    assert [model.row_at(row).text for row in range(model.rowCount())] == [f"event {n}" for n in (8, 7, 6, 5)]


def test_events_stand_in_the_order_they_were_last_seen(qtmodeltester: ModelTester) -> None:
    log, model = EventLog(), EventModel(title_of)
    check(qtmodeltester, model)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for second, text in enumerate(("pause", "late", "missed", "late", "pause", "pause", "listed")):
        log.add(text, at=at, mono_s=float(second))
        if text != "missed":
            model.merge(log.since(log.revision - 2))
    chosen = QPersistentModelIndex(model.index(2, EventColumn.TEXT))

    assert [model.row_at(row).text for row in range(model.rowCount())] == ["listed", "pause", "late", "missed"]
    log.add("late", at=at, mono_s=9.0)
    model.merge(log.since(log.revision - 1))
    assert [model.row_at(row).text for row in range(model.rowCount())] == ["late", "listed", "pause", "missed"]
    assert (chosen.row(), chosen.data()) == (0, "late"), "a selection goes with its row"


def test_repeated_event_is_one_row_with_a_count(qtbot: QtBot) -> None:
    log, model = EventLog(), EventModel(title_of)
    watcher = Watcher(model)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for second in range(3):
        log.add("no route <b>bold</b>\x00", at=at, mono_s=float(second), level="error", venue=FIRST)
        model.merge(log.since(log.revision - 1))

    assert model.rowCount() == 1
    assert model.index(0, EventColumn.COUNT).data() == "× 3"
    assert model.index(0, EventColumn.TEXT).data() == "no route <b>bold</b>"
    assert "<b>" not in model.index(0, EventColumn.TEXT).data(Qt.ItemDataRole.ToolTipRole)
    assert watcher.changed == [(0, 0), (0, 0)]
