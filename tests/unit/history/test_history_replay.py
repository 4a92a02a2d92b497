"""A saved incident is shown as it stood at its end; a file that is none, or damaged, is refused in words."""

import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from monitor.domain.errors import ErrorKind
from monitor.domain.market import Quote
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.history.export import SCHEMA
from monitor.history.recorded_values import instrument_of
from monitor.history.recording import RecordingError, read_recording
from monitor.history.replayed import Replayed, replay
from monitor.state.verdict import Verdict
from tests.fakes.history_samples import KEYS, WatchedBoard
from tests.fakes.incidents import save_incident
from tests.fakes.poll_results import make_budget, make_failure, make_quotes, make_success, make_trace

BTC, ETH = KEYS


def _replayed(watched: WatchedBoard, folder: Path, *, seconds: float = 3_600.0) -> Replayed:
    return replay(read_recording(save_incident(watched, folder, seconds=seconds)), ("bitunix", "hyperliquid"))


def _busy_board() -> WatchedBoard:
    """Two minutes: one market moves, the other stands still and is only confirmed."""
    watched = WatchedBoard()
    for number in range(120):
        watched.feed({"BTCUSDT": str(100 + number % 7), "ETHUSDT": "10"})
    return watched


def test_prices_ages_and_verdicts_are_those_of_the_end(tmp_path: Path) -> None:
    watched = _busy_board()
    watched.clock.advance(0.7)
    shown = _replayed(watched, tmp_path)
    now_s, then_s = shown.clock(), watched.clock.mono_s

    for key in KEYS:
        was, is_now = watched.board.quote(key), shown.board.quote(key)
        assert was is not None
        assert is_now is not None
        assert is_now.price == was.price
        assert is_now.verdict(now_s) is was.verdict(then_s)
        was_age, age = was.age(then_s), is_now.age(now_s)
        assert was_age is not None
        assert age is not None
        # The file counts in milliseconds.
        assert age.low_s == pytest.approx(was_age.low_s, abs=0.005)
    assert shown.utc_now() == watched.clock.utc_now()
    assert shown.keys == KEYS


def test_a_feed_that_fell_silent_is_late_at_the_end(tmp_path: Path) -> None:
    watched = _busy_board()
    watched.clock.advance(30.0)
    shown = _replayed(watched, tmp_path)

    quote = shown.board.quote(BTC)
    assert quote is not None
    assert quote.verdict(shown.clock()) is Verdict.LATE
    assert shown.board.venue("bitunix").verdict(shown.clock()) is Verdict.LATE


def test_a_period_that_begins_in_the_middle_is_shown_too(tmp_path: Path) -> None:
    shown = _replayed(_busy_board(), tmp_path, seconds=20.5)

    quote, series = shown.board.quote(BTC), shown.board.series(BTC)
    assert quote is not None
    assert quote.verdict(shown.clock()) is Verdict.LIVE
    assert series is not None
    assert 15 <= len(series) <= 25


def test_requests_latencies_and_failures_are_all_there(tmp_path: Path) -> None:
    watched = _busy_board()
    now_s = watched.clock.advance(1.0)
    failed = make_trace(
        999,
        started_at=watched.clock.at(now_s - 0.4),
        started_mono_s=now_s - 0.4,
        ended_mono_s=now_s,
        total_s=0.4,
        status=None,
        error_kind=ErrorKind.TIMEOUT,
        is_dns_cached=True,
        addresses_tried=2,
    )
    failure = make_failure(watched.clock, traces=(failed,), streak=1)
    watched.board.apply((failure,))
    watched.entries.append(watched.observer.after(failure))
    shown = _replayed(watched, tmp_path)

    venue = shown.board.venue("bitunix")
    was = watched.board.venue("bitunix").latency.summary(0.0, 1e9, False)
    summary = venue.latency.summary(-1e9, 1e9, False)
    assert (summary.n, summary.failed) == (was.n, was.failed) == (120, 1)
    assert summary.p95_s == was.p95_s
    assert len(shown.board.requests) == 121
    last = shown.board.requests.items[-1]
    assert (last.is_dns_cached, last.is_resumed, last.addresses_tried) == (True, None, 2)
    assert venue.failure_streak == 1
    assert venue.failed_by_kind == {ErrorKind.TIMEOUT: 1}


def test_pools_and_ended_connections_are_shown_and_what_is_unknown_stays_so(tmp_path: Path) -> None:
    watched = _busy_board()
    now_s = watched.clock.advance(1.0)
    card = ConnectionCard(
        connection_id=7,
        host="venue.test:443",
        opened_at=watched.clock.at(now_s - 60),
        opened_mono_s=now_s - 60,
        state="closed",
        requests=50,
        closed_mono_s=now_s - 1,
        close_cause=CloseCause.BY_SERVER,
    )
    pool = PoolStats(
        venue="bitunix",
        host="venue.test:443",
        scheme="https",
        attempts=121,
        opened=2,
        reused=119,
        idle=1,
        max_connections=20,
        closed={CloseCause.BY_SERVER: 1},
        connections=(card,),
    )
    result = make_success(make_quotes({"BTCUSDT": "5", "ETHUSDT": "10"}), watched.clock, pools=(pool,))
    watched.apply(result)
    watched.feed({"BTCUSDT": "6", "ETHUSDT": "10"})
    shown = _replayed(watched, tmp_path)

    venue = shown.board.venue("bitunix")
    (found,) = venue.pools
    # And the one request after the last row of the pool.
    assert (found.attempts, found.opened, found.reused, found.closed) == (122, 2, 120, {CloseCause.BY_SERVER: 1})
    assert [one.requests for one in found.connections] == [50]
    assert venue.reuse_ratio == pytest.approx(120 / 122)
    assert venue.budget is None
    assert len(shown.board.accounts) == 0


def test_a_request_under_way_when_a_pool_was_read_counts_once(tmp_path: Path) -> None:
    """Counted twice, it was taken back with the next row of the pool, and reuse of that minute was above 100 %."""
    watched = WatchedBoard()
    attempts, reused = 2, 0
    for number in range(1, 150):
        now_s = watched.clock.advance(1.0)
        slow_ended_s = now_s - 0.5
        traces = [make_trace(2 * number, started_mono_s=now_s - 0.06, ended_mono_s=now_s, is_cold=number == 1)]
        if number == 2:
            # It opened the second socket, and began before the pool was read for the first time.
            slow = make_trace(3, started_mono_s=now_s - 1.2, ended_mono_s=slow_ended_s, is_cold=True)
            traces.insert(0, slow)
        if number > 1:
            attempts, reused = attempts + 1, reused + 1
        pool = PoolStats(
            venue="bitunix",
            host=traces[0].host,
            scheme="https",
            attempts=attempts,
            opened=2,
            reused=reused,
            idle=2,
            max_connections=20,
        )
        stamped = [replace(one, started_at=watched.clock.at(one.started_mono_s)) for one in traces]
        watched.apply(make_success(make_quotes({"BTCUSDT": "5"}), watched.clock, traces=stamped, pools=(pool,)))
    shown = _replayed(watched, tmp_path)

    venue = shown.board.venue("bitunix")
    (found,) = venue.pools
    assert (found.attempts, found.reused) == (attempts, reused) == (150, 148)
    series = venue.pool_history.reuse
    _, ratios = series.points(0, len(series))
    assert len(ratios) > 50
    assert np.nanmax(ratios) == 1.0


def test_a_slow_reply_does_not_make_what_it_did_not_tell_younger(tmp_path: Path) -> None:
    watched = WatchedBoard()
    fields = frozenset({"funding_rate", "funding_interval_h"})
    for number in range(4):
        rate = Decimal("0.0001") * (number + 1)
        for symbol in ("BTCUSDT", "ETHUSDT"):
            watched.feed({symbol: "1" if symbol == "ETHUSDT" else "2"})
        batch = make_quotes({}, complete=False)
        quotes = tuple(Quote(venue_symbol=key[1], funding_rate=rate, funding_interval_h=8) for key in KEYS)
        told = make_success(
            type(batch)(venue="bitunix", fields=fields, quotes=quotes, is_complete=False),
            watched.clock,
            endpoint="bitunix.funding_batch",
            cadence_s=30.0,
        )
        watched.apply(told)
        for second in range(20):
            watched.feed({"BTCUSDT": str(50 + second), "ETHUSDT": str(20 + second)})
    shown = _replayed(watched, tmp_path)

    was, is_now = watched.board.quote(BTC), shown.board.quote(BTC)
    assert was is not None
    assert is_now is not None
    assert is_now.funding_rate == was.funding_rate == Decimal("0.0004")
    was_age = was.field_age("funding_rate", watched.clock.mono_s)
    age = is_now.field_age("funding_rate", shown.clock())
    assert was_age is not None
    assert age is not None
    assert age.low_s == pytest.approx(was_age.low_s, abs=0.01)


def test_sockets_that_closed_while_nothing_was_polled_are_closed(tmp_path: Path) -> None:
    watched = _busy_board()
    pool = PoolStats(venue="bitunix", host="h:1", scheme="https", attempts=9, opened=2, idle=2, max_connections=20)
    watched.apply(make_success(make_quotes({"BTCUSDT": "1"}), watched.clock, pools=[pool], planned=121, made=121))
    watched.clock.advance(60.0)
    gone = replace(pool, idle=0, closed={CloseCause.EXPIRED: 2})
    watched.board.note_pools("bitunix", [gone], make_budget(), watched.clock())
    entry = watched.observer.after_tick()
    assert entry is not None
    watched.entries.append(replace(entry, at=watched.clock.utc_now()))
    watched.clock.advance(1.0)
    shown = _replayed(watched, tmp_path)

    (then,) = shown.board.venue("bitunix").pools
    assert (then.opened, then.idle, then.active) == (2, 0, 0)
    assert shown.board.venue("bitunix").pool_history.open.last_value == 0.0


def test_the_events_are_those_that_were_told_then(tmp_path: Path) -> None:
    watched = _busy_board()
    watched.clock.advance(60.0)
    watched.board.tick()
    entry = watched.observer.after_tick()
    assert entry is not None
    watched.entries.append(entry)
    shown = _replayed(watched, tmp_path)

    # Moments of the observer's own events are the machine's, not the sample clock's, so only the others are in.
    was = [one.text for one in watched.board.events.items]
    assert {one.text for one in shown.board.events.items} <= set(was)


@pytest.mark.parametrize(
    ("name", "base", "multiplier"),
    [("BTC-USDT-PERP", "BTC", 1), ("1000PEPE-USDT-PERP", "PEPE", 1_000), ("kPEPE-USDC-PERP", "PEPE", 1_000)],
)
def test_an_instrument_is_what_its_name_says(name: str, base: str, multiplier: int) -> None:
    found = instrument_of("bitunix", "X", name)
    assert (found.base, found.multiplier, found.market) == (base, Decimal(multiplier), ("perp", base))


def _document(**changes: object) -> dict[str, Any]:
    return {"schema": SCHEMA, "from": "2026-11-23T09:00:00Z", "to": "2026-11-23T09:15:00Z", **changes}


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        _document(schema="trading-monitor.export/99"),
        _document(to=None),
        _document(to="2026-11-23T08:00:00Z"),
        _document(to="2027-11-23T09:00:00Z"),
        _document(**{"from": "soon"}),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, document: object) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps(document))
    with pytest.raises(RecordingError, match=r"x\.json"):
        read_recording(file)


def _garbage(file: Path) -> None:
    file.write_bytes(b"PK\x03\x04 not really")


def _empty_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w"):
        pass


def _damaged_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("export.json", json.dumps(_document(events=[{}] * 1_000)))
    content = bytearray(file.read_bytes())
    content[60:80] = bytes(20)
    file.write_bytes(content)


@pytest.mark.parametrize("write", [_garbage, _empty_zip, _damaged_zip, lambda file: file.mkdir()])
def test_a_damaged_file_is_refused(tmp_path: Path, write: Callable[[Path], None]) -> None:
    file = tmp_path / "x.zip"
    write(file)
    with pytest.raises(RecordingError, match=r"x\.zip"):
        read_recording(file)
    with pytest.raises(RecordingError, match="cannot be read"):
        read_recording(tmp_path / "missing.zip")


def test_rows_that_make_no_sense_are_left_out_and_counted(tmp_path: Path) -> None:
    watched = _busy_board()
    with zipfile.ZipFile(save_incident(watched, tmp_path)) as bundle:
        document = json.loads(bundle.read("export.json"))
    good = len(document["quotes"])
    document["quotes"] += [{"price": 5}, "row", None, {"run": 10**40}, {"took_s": float("inf")}, {"run": True}]
    document["requests"] = "none"
    document["pools"].append({"attempts": -1, "venue": None, "host": "\x00"})
    document["candles"] = [{"open_time": "never", "open": "NaN"}]
    file = tmp_path / "x.json"
    file.write_text(json.dumps(document))
    recording = read_recording(file)

    assert recording.skipped == 6
    assert len(recording.tables["quotes"]) == good
    quote = replay(recording, ()).board.quote(ETH)
    assert quote is not None
    assert quote.price == 10
