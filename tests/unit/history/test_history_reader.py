"""What an earlier run showed is what the next one begins with: prices, marks, requests, and the gaps in between."""

import math
import sqlite3
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import ErrorKind
from monitor.history.reader import PastRead, read_past
from monitor.history.schema import open_for_writing
from monitor.history.writer import HistoryWriter
from monitor.state.latency import MarkKind
from monitor.state.restored import prepare
from tests.fakes.history_samples import KEYS, WatchedBoard
from tests.fakes.poll_results import FakeClock, make_quotes, make_trace

BTC, ETH = KEYS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def record(file: Path, watched: WatchedBoard) -> None:
    connection = open_for_writing(file)
    writer = HistoryWriter(connection, version="test")
    writer.write(watched.entries)
    writer.finish(watched.clock.utc_now())
    connection.close()


def read(file: Path, watched: WatchedBoard, *, fine_s: float = 3_600.0, later_s: float = 60.0) -> PastRead:
    """As the next start reads it, ``later_s`` after the last reply, on a clock that began anew."""
    now = watched.clock.utc_now() + timedelta(seconds=later_s)
    return read_past(file, KEYS, now_mono_s=10.0, now=now, fine_s=fine_s)


def points(past: PastRead, key: tuple[str, str] = BTC) -> list[tuple[float, float | None]]:
    times, values = past.restored.series[key]
    return [(round(t, 3), None if math.isnan(v) else v) for t, v in zip(times.tolist(), values.tolist(), strict=True)]


def test_the_line_is_as_it_was_shown_with_its_times_on_the_new_clock(file: Path) -> None:
    watched = WatchedBoard()
    for price in ("100", "100", "101.5", "101.5"):
        watched.feed({"BTCUSDT": price})
    record(file, watched)

    # The last reply was 60 s ago, and now is 10 s on the clock of this run.
    assert points(read(file, watched)) == [
        (-53.0, 100.0),
        (-52.0, 100.0),
        (-51.0, 101.5),
        (-50.0, 101.5),
        (-49.999, None),
    ]


def test_a_silence_and_a_time_without_the_app_are_gaps(file: Path) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100"})
    watched.feed({"BTCUSDT": "100"}, seconds=20.0)
    record(file, watched)
    again = WatchedBoard(watched.clock)
    again.feed({"BTCUSDT": "102"}, seconds=40.0)
    record(file, again)

    assert [value for _, value in points(read(file, watched))] == [100.0, None, 100.0, None, 102.0, None]


def test_an_instrument_that_was_not_shown_for_a_while_has_a_gap_there(file: Path) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100", "ETHUSDT": "7"})
    watched.board.track([ETH])
    watched.feed({"BTCUSDT": "101", "ETHUSDT": "7"})
    watched.feed({"BTCUSDT": "102", "ETHUSDT": "7"})
    watched.board.track(KEYS)
    watched.feed({"BTCUSDT": "103", "ETHUSDT": "8"})
    record(file, watched)
    past = read(file, watched)

    assert [value for _, value in points(past)] == [100.0, None, None, 103.0, None]
    assert [value for _, value in points(past, ETH)] == [7.0, 7.0, 7.0, 8.0, None]


def test_what_was_unchanged_since_before_the_range_is_known_from_its_keyframe(file: Path) -> None:
    watched = WatchedBoard()
    for _ in range(300):
        watched.feed({"BTCUSDT": "100"})
    record(file, watched)
    times_values = [value for at, value in points(read(file, watched, fine_s=100.0, later_s=0.0)) if at > -89.0]

    assert times_values == [100.0] * (len(times_values) - 1) + [None]
    assert len(times_values) > 70


def test_before_the_fine_range_each_span_keeps_its_extremes_and_its_gaps(file: Path) -> None:
    watched = WatchedBoard()
    for number in range(200):
        price = 500 if number == 90 else 100 + number % 3
        watched.feed({"BTCUSDT": str(price)}, seconds=100.0 if number == 150 else 1.0)
    record(file, watched)
    coarse = points(read(file, watched, fine_s=0.0))
    values = [value for _, value in coarse if value is not None]

    assert max(values) == 500.0
    assert min(values) == 100.0
    assert len(values) < 40
    assert [value for _, value in coarse].count(None) == 2
    assert [at for at, _ in coarse] == sorted(at for at, _ in coarse)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.sampled_from([1.0, 1.0, 1.0, 2.9, 3.2, 70.0]), st.integers(1, 4), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_was_shown_comes_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[float, int, bool]]
) -> None:
    file = tmp_path_factory.mktemp("any") / "history.db"
    watched = WatchedBoard()
    for seconds, price, has_eth in steps:
        prices: dict[str, str | None] = {"BTCUSDT": str(price)}
        if has_eth:
            prices["ETHUSDT"] = str(10 * price)
        watched.feed(prices, seconds=seconds)
    record(file, watched)
    past = read(file, watched, later_s=0.0)
    offset_s = 10.0 - watched.clock.mono_s

    for key in KEYS:
        series = watched.board.series(key)
        assert series is not None
        times, values = series.points(*series.index_range(-math.inf, math.inf))
        shown = [(round(t + offset_s, 3), v) for t, v in zip(times.tolist(), values.tolist(), strict=True)]
        shown = [point for point in shown if not math.isnan(point[1])]
        if not shown:
            assert key not in past.restored.series or not [p for p in points(past, key) if p[1] is not None]
            continue
        found = [(at, value) for at, value in points(past, key) if value is not None]
        assert [value for _, value in found] == [value for _, value in shown]
        assert np.allclose([at for at, _ in found], [at for at, _ in shown], atol=0.0015)
        if key == BTC:
            # Its line breaks where the board's does.
            assert _breaks(past, key) == np.isnan(values).sum() + 1


def _breaks(past: PastRead, key: tuple[str, str]) -> int:
    return sum(value is None for _, value in points(past, key))


def test_requests_and_marks_come_back_under_numbers_of_their_own(file: Path) -> None:
    watched = WatchedBoard()
    kinds: dict[int, dict[str, object]] = {
        1: {
            "is_cold": True,
            "tcp_s": 0.02,
            "tls_s": 0.03,
            "is_dns_cached": True,
            "is_resumed": False,
            "addresses_tried": 2,
        },
        2: {"is_prewarmed": True},
        3: {"error_kind": ErrorKind.TIMEOUT, "status": None},
        4: {"is_healed": True, "error_kind": ErrorKind.DROPPED, "status": None},
        5: {"status": 503},
    }
    for number, changes in kinds.items():
        at = watched.clock.mono_s + 0.94
        trace = make_trace(number, started_at=watched.clock.at(at), started_mono_s=at, ended_mono_s=at + 0.06)
        watched.feed_batch(make_quotes({"BTCUSDT": "1"}), traces=(replace(trace, **changes),))
    record(file, watched)
    restored = read(file, watched).restored

    assert {kind: len(columns.ended_s) for kind, columns in restored.marks["bitunix"].items()} == {
        MarkKind.COLD: 1,
        MarkKind.WARM: 1,
        MarkKind.FAILED: 2,
        MarkKind.HEALED: 1,
    }
    assert [trace.request_id < 0 for trace in restored.requests] == [True] * 5
    first = restored.requests[0]
    assert (first.is_cold, first.tcp_s, first.tls_s, first.total_s, first.endpoint) == (
        True,
        0.02,
        0.03,
        0.06,
        "bitunix.tickers",
    )
    assert (first.is_dns_cached, first.is_resumed, first.addresses_tried) == (True, False, 2)
    assert first.connection_id is None
    second = restored.requests[1]
    assert (second.is_dns_cached, second.is_resumed, second.addresses_tried) == (None, None, None)
    assert [trace.is_prewarmed for trace in restored.requests[:3]] == [False, True, False]
    assert restored.requests[2].error_kind is ErrorKind.TIMEOUT
    assert first.ended_mono_s == pytest.approx(10.0 - 60.0 - 4.0 + 0.0, abs=0.01)


def test_a_new_board_begins_with_the_past_and_goes_on_from_there(file: Path) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100"})
    watched.feed({"BTCUSDT": "101"})
    record(file, watched)
    past = read(file, watched)
    next_run = WatchedBoard(FakeClock(mono_s=10.0))
    next_run.board.restore(prepare(past.restored, series_capacity=next_run.board.series_capacity))
    next_run.feed({"BTCUSDT": "105"})
    series = next_run.board.series(BTC)
    assert series is not None
    _, values = series.points(*series.index_range(-math.inf, math.inf))

    assert [None if math.isnan(value) else value for value in values][:3] == [100.0, 101.0, None]
    assert series.last_value == 105.0
    quote = next_run.board.quote(BTC)
    assert quote is not None
    assert quote.series is series
    latency = next_run.board.venue("bitunix").latency
    assert latency.marks(MarkKind.WARM, -1e9, 1e9).n == 3
    # What was before is drawn, and counted nowhere.
    assert latency.summary(-1e9, 1e9, False).n == 1
    assert latency.summary(-1e9, 1e9, None).n == 1
    assert len(next_run.board.requests) == 1
    assert len(next_run.board.requests.earlier) == 2
    assert next_run.board.has_past
    assert next_run.board.venue("bitunix").healed == 0
    # Nothing of the past is recorded a second time.
    assert [trace.request_id for entry in next_run.entries for trace in entry.traces] == [1]


def test_a_past_that_took_long_to_read_is_put_before_what_came_meanwhile(file: Path) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100"})
    record(file, watched)
    past = read(file, watched)
    begun = WatchedBoard(FakeClock(mono_s=10.0))
    begun.feed({"BTCUSDT": "105"})
    ahead = make_trace(7, ended_mono_s=begun.clock.mono_s, is_prewarmed=True)
    begun.board.venue("bitunix").note_trace(ahead)
    begun.board.requests.add(ahead)
    begun.board.restore(prepare(past.restored, series_capacity=begun.board.series_capacity))
    begun.feed({"BTCUSDT": "106"})
    series = begun.board.series(BTC)

    assert series is not None
    times, values = series.points(*series.index_range(-math.inf, math.inf))
    assert [None if math.isnan(value) else value for value in values] == [100.0, None, 105.0, 106.0]
    assert list(times) == sorted(times)
    latency = begun.board.venue("bitunix").latency
    assert latency.marks(MarkKind.WARM, -1e9, 1e9).n == 4
    assert latency.summary(-1e9, 1e9, False).n == 3
    (host,) = latency.tally(-1e9, 1e9).by_host.values()
    assert host.warm == 2, "the handshake of a connection opened ahead was not saved"


def test_what_is_not_watched_any_more_is_not_brought_back(file: Path) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100", "ETHUSDT": "7"})
    record(file, watched)
    past = read(file, watched)
    board = WatchedBoard(FakeClock(mono_s=10.0)).board
    board.track([ETH])
    board.restore(prepare(past.restored, series_capacity=board.series_capacity))

    assert board.series(BTC) is None
    assert board.quote(ETH) is None
    assert board.tracked == (ETH,)


def test_a_clock_that_was_ahead_brings_no_prices_from_the_future(file: Path) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100"})
    watched.clock.wall_jump_s = 7_200.0
    watched.feed({"BTCUSDT": "101"})
    watched.clock.wall_jump_s = 0.0
    record(file, watched)

    assert [value for _, value in points(read(file, watched))] == [100.0, None]


def test_no_file_is_an_empty_past(file: Path, tmp_path: Path) -> None:
    past = read_past(file, KEYS, now_mono_s=10.0, now=FakeClock().utc_now())

    assert past == PastRead(restored=past.restored)
    assert past.restored.is_empty
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_reported_and_what_could_be_read_is_used(file: Path) -> None:
    watched = WatchedBoard()
    for number in range(300):
        watched.feed({"BTCUSDT": str(number)})
    record(file, watched)
    with sqlite3.connect(file) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'trace_time'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    content[(root - 1) * size : root * size] = b"\xee" * size
    file.write_bytes(content)
    past = read(file, watched)

    assert past.is_damaged
    assert len(past.restored.series[BTC][0]) == 301
    assert past.restored.requests == ()


def test_the_deadline_cuts_the_past_short(file: Path) -> None:
    watched = WatchedBoard()
    for number in range(2_000):
        watched.feed({"BTCUSDT": str(number)})
    record(file, watched)
    past = read_past(file, KEYS, now_mono_s=10.0, now=watched.clock.utc_now(), deadline_s=-1.0)

    assert past.is_cut_short
    assert not past.is_damaged
