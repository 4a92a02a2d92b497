"""What the writer puts into the file: only changes, everything it was told, and never a secret."""

import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.domain.market import Candle, CandleBatch, Quote
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.history.memory import Memory
from monitor.history.names import Names
from monitor.history.records import Entry
from monitor.history.request_rows import trace_row
from monitor.history.schema import ALL_TOLD, KEYFRAME_EVERY_S, MIGRATIONS, NotHistoryError, open_for_writing
from monitor.history.writer import HistoryWriter
from monitor.state.event_log import EventLog
from tests.fakes.history_samples import WatchedBoard
from tests.fakes.poll_results import EPOCH, make_success, make_trace


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    opened = open_for_writing(tmp_path / "history.db")
    yield opened
    opened.close()


@pytest.fixture
def writer(connection: sqlite3.Connection) -> HistoryWriter:
    return HistoryWriter(connection, version="1.2.3")


def _prices(connection: sqlite3.Connection, symbol: str = "BTCUSDT") -> list[tuple[str | None, int]]:
    return connection.execute(
        "SELECT price, told FROM quote JOIN instrument i ON i.id = instrument WHERE symbol = ? ORDER BY reply",
        (symbol,),
    ).fetchall()


def test_only_changed_prices_become_rows_and_every_reply_counts_as_a_heartbeat(
    connection: sqlite3.Connection, writer: HistoryWriter
) -> None:
    watched = WatchedBoard()
    for price in ("100.0", "100.0", "100.5", "100.5"):
        watched.feed({"BTCUSDT": price, "ETHUSDT": "7"})
    writer.write(watched.entries)

    assert [price for price, _ in _prices(connection)] == ["100.0", "100.5"]
    assert [price for price, _ in _prices(connection, "ETHUSDT")] == ["7"]
    assert connection.execute("SELECT count(*), sum(has_price), sum(is_after_gap) FROM reply").fetchone() == (4, 4, 1)


def test_everything_is_told_anew_once_a_minute(connection: sqlite3.Connection, writer: HistoryWriter) -> None:
    watched = WatchedBoard()
    for _ in range(int(KEYFRAME_EVERY_S) + 2):
        watched.feed({"BTCUSDT": "100"})
    writer.write(watched.entries)

    whole = [told for _, told in _prices(connection)]
    assert len(whole) == 2
    # The displayed field itself is told by the price.
    assert whole == [ALL_TOLD & ~1, ALL_TOLD & ~1]


def test_a_silence_longer_than_late_is_a_gap(connection: sqlite3.Connection, writer: HistoryWriter) -> None:
    watched = WatchedBoard()
    for seconds in (1.0, 1.0, 2.9, 3.1, 1.0):
        watched.feed({"BTCUSDT": "100"}, seconds=seconds)
    writer.write(watched.entries)

    assert [gap for (gap,) in connection.execute("SELECT is_after_gap FROM reply ORDER BY id")] == [1, 0, 0, 1, 0]


def test_an_instrument_that_is_no_longer_tracked_or_listed_loses_its_price(
    connection: sqlite3.Connection, writer: HistoryWriter
) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100", "ETHUSDT": "7"})
    watched.feed({"BTCUSDT": "100"})
    watched.board.track([("bitunix", "ETHUSDT")])
    watched.feed({"BTCUSDT": "101"})
    watched.feed({"BTCUSDT": "102", "ETHUSDT": "8"})
    writer.write(watched.entries)

    assert [price for price, _ in _prices(connection)] == ["100", None]
    assert [price for price, _ in _prices(connection, "ETHUSDT")] == ["7", None, "8"]


def test_a_field_that_changes_is_told_and_the_others_are_not(
    connection: sqlite3.Connection, writer: HistoryWriter
) -> None:
    watched = WatchedBoard()
    first = Quote(venue_symbol="BTCUSDT", last=Decimal(100), mark=Decimal("99.5"), open_24h=Decimal(90))
    fields = frozenset({"last", "mark", "open_24h"})
    watched.feed_quotes([first], fields)
    watched.feed_quotes([replace(first, mark=Decimal("99.6"))], fields)
    watched.feed_quotes([replace(first, mark=None)], fields)
    writer.write(watched.entries)

    rows = connection.execute("SELECT price, mark, open_24h, told >> 1 & 1, told >> 6 & 1 FROM quote").fetchall()
    assert rows == [("100", "99.5", "90", 1, 1), ("100", "99.6", None, 1, 0), ("100", None, None, 1, 0)]


def test_a_batch_that_fails_leaves_nothing_and_can_be_given_again(
    connection: sqlite3.Connection, writer: HistoryWriter
) -> None:
    watched = WatchedBoard()
    watched.feed({"BTCUSDT": "100"})
    watched.feed({"BTCUSDT": "101"})
    writer.write(watched.entries[:1])
    broken = Entry(at=EPOCH, traces=(make_trace(9, response_bytes=2**70),))
    with pytest.raises(OverflowError):
        writer.write([watched.entries[1], broken])

    assert [price for price, _ in _prices(connection)] == ["100"]
    writer.write([watched.entries[1]], is_trial=True)
    assert [price for price, _ in _prices(connection)] == ["100"]
    writer.write([watched.entries[1]])
    assert [price for price, _ in _prices(connection)] == ["100", "101"]


def test_two_writers_of_one_file_number_their_replies_apart(tmp_path: Path, connection: sqlite3.Connection) -> None:
    other_connection = open_for_writing(tmp_path / "history.db")
    writers = [HistoryWriter(connection, version="a"), HistoryWriter(other_connection, version="b")]
    boards = [WatchedBoard(), WatchedBoard()]
    for price in range(100, 110):
        for writer, watched in zip(writers, boards, strict=True):
            watched.feed({"BTCUSDT": str(price)})
            writer.write(watched.entries[-1:])
    other_connection.close()

    assert connection.execute("SELECT session, count(*) FROM reply GROUP BY session").fetchall() == [(1, 10), (2, 10)]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_connection_is_recorded_once_when_it_ended_and_a_pool_when_it_changed(
    connection: sqlite3.Connection, writer: HistoryWriter
) -> None:
    watched = WatchedBoard()
    card = ConnectionCard(
        connection_id=5,
        host="venue.test:443",
        opened_at=EPOCH,
        opened_mono_s=10.0,
        state="closed",
        requests=12,
        peer="192.0.2.7:443",
        address_family="IPv4",
        tls_version="TLSv1.3",
        closed_mono_s=71.5,
        close_cause=CloseCause.BY_SERVER,
    )
    pool = PoolStats(venue="bitunix", host="venue.test:443", scheme="https", attempts=1, opened=1, active=1)
    ended = replace(pool, attempts=2, active=0, closed={CloseCause.BY_SERVER: 1}, connections=(card,))
    for pools in ((pool,), (pool,), (ended,), (ended,)):
        watched.clock.advance(1.0)
        watched.apply(make_success(_candles(closed=0), watched.clock, pools=pools))
    writer.write(watched.entries)

    assert connection.execute("SELECT opened, closed, active FROM pool").fetchall() == [(1, 0, 1), (1, 1, 0)]
    rows = connection.execute("SELECT connection, requests, closed_ms - opened_ms FROM connection").fetchall()
    assert rows == [(5, 12, 61_500)]
    text = (Path(connection.execute("PRAGMA database_list").fetchone()[2])).read_bytes()
    assert b"192.0.2.7" not in text


def _candles(closed: int) -> CandleBatch:
    candles = tuple(
        Candle(
            open_time=EPOCH.replace(minute=minute),
            open=Decimal(1),
            high=Decimal(3),
            low=Decimal("0.5"),
            close=Decimal(2),
            volume_base=None,
            volume_quote=Decimal(9),
            is_closed=minute < closed,
        )
        for minute in range(closed + 1)
    )
    return CandleBatch(venue="bitunix", venue_symbol="BTCUSDT", interval="1m", candles=candles)


def test_only_closed_candles_are_kept_and_each_once(connection: sqlite3.Connection, writer: HistoryWriter) -> None:
    watched = WatchedBoard()
    for closed in (2, 3):
        watched.apply(make_success(_candles(closed), watched.clock))
        writer.write(watched.entries[-1:])

    rows = connection.execute("SELECT open, high, low, close, volume_base, volume_quote FROM candle").fetchall()
    assert rows == [("1", "3", "0.5", "2", None, "9")] * 3


def test_an_event_grows_in_its_row_and_its_text_is_redacted(
    connection: sqlite3.Connection, writer: HistoryWriter
) -> None:
    log = EventLog()
    for _ in range(3):
        log.add("failed at https://name:hunter2@venue.test/x?apiKey=12345", at=EPOCH, mono_s=1.0, venue="bitunix")
        writer.write([Entry(at=EPOCH, events=log.since(log.revision - 1))])

    rows = connection.execute("SELECT count, text FROM event").fetchall()
    assert len(rows) == 1
    assert rows[0][0] == 3
    assert "hunter2" not in rows[0][1]
    assert "12345" not in rows[0][1]


def test_no_column_could_hold_a_secret(connection: sqlite3.Connection) -> None:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {
        f"{table}.{row[1]}".lower() for table in tables for row in connection.execute(f"PRAGMA table_info({table})")
    }

    assert "trace.total_us" in columns
    columns.remove("trace.unaccounted_us")
    words = ("url", "header", "key", "secret", "sign", "token", "password", "query", "body", "peer", "account")
    assert [column for column in columns if any(word in column for word in words)] == []
    assert [column for column in columns if "address" in column] == ["connection.address_family"]


def test_a_file_of_an_older_version_is_brought_up_to_date_with_its_rows(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    old = open_for_writing(file)
    HistoryWriter(old, version="old").write([Entry(at=EPOCH)])
    old.close()
    new = open_for_writing(file, migrations=(*MIGRATIONS, "ALTER TABLE session ADD COLUMN note TEXT; "))

    assert new.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
    assert new.execute("SELECT version, note FROM session").fetchall() == [("old", None)]
    new.close()
    with pytest.raises(NotHistoryError) as caught:
        open_for_writing(file)
    assert caught.value.is_newer


def test_requests_of_the_first_version_say_nothing_of_their_cold_start(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    old = open_for_writing(file, migrations=MIGRATIONS[:1])
    columns = len(old.execute("PRAGMA table_info(trace)").fetchall())
    row = trace_row(make_trace(is_cold=True), 1, Names(old, Memory()))[:columns]
    old.execute(f"INSERT INTO trace VALUES ({','.join('?' * columns)})", row)  # noqa: S608 - question marks only
    old.close()
    new = open_for_writing(file)
    cold = make_trace(2, is_cold=True, is_dns_cached=False, is_resumed=True, addresses_tried=3)
    HistoryWriter(new, version="new").write([Entry(at=EPOCH, traces=(cold,))])
    told = new.execute("SELECT is_prewarmed, is_dns_cached, is_resumed, dials FROM trace ORDER BY id").fetchall()
    new.close()

    assert told == [(None, None, None, None), (0, 0, 1, 3)]


def test_a_migration_that_fails_leaves_the_old_version(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    open_for_writing(file).close()
    with pytest.raises(sqlite3.OperationalError):
        open_for_writing(file, migrations=(*MIGRATIONS, "CREATE TABLE extra (x); CREATE TABLE extra (x);"))
    again = open_for_writing(file)

    assert again.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    assert again.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)
    again.close()


def test_somebody_elses_file_is_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE mine (x)")
    other.close()
    before = file.read_bytes()
    with pytest.raises(NotHistoryError):
        open_for_writing(file)

    assert file.read_bytes() == before
