"""An export tells the whole of what was shown, in words, and nothing that is secret; a file is whole or not there."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.history.export import (
    ExportCancelled,
    ExportError,
    ExportWish,
    export_to_files,
    export_to_stream,
)
from monitor.history.schema import open_for_writing
from monitor.history.tables import TABLES
from monitor.history.writer import HistoryWriter
from monitor.state.event_log import EventLog
from tests.fakes.history_samples import WatchedBoard
from tests.fakes.poll_results import make_quotes

HOUR = timedelta(hours=1)
SECRET = "f00dfacef00dfacef00dfacef00dface"


@pytest.fixture
def watched() -> WatchedBoard:
    return WatchedBoard()


def record(file: Path, watched: WatchedBoard) -> None:
    connection = open_for_writing(file)
    writer = HistoryWriter(connection, version="test")
    writer.write(watched.entries)
    writer.finish(watched.clock.utc_now())
    connection.close()


def quiet(_table: str, _part: float) -> None:
    return None


def wish(watched: WatchedBoard, *tables: str, format: str = "csv", start: datetime | None = None) -> ExportWish:  # noqa: A002 - the word of the command line
    now = watched.clock.utc_now()
    return ExportWish(start=start or now - HOUR, end=now, tables=tables or ("quotes",), format=format)


def read_csv(file: Path, one: ExportWish) -> list[dict[str, str]]:
    stream = io.StringIO()
    export_to_stream(file, one, stream, progress=quiet)
    return list(csv.DictReader(io.StringIO(stream.getvalue())))


def test_a_quote_row_is_whole_although_only_changes_are_recorded(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100.10", "ETHUSDT": "7"})
    watched.feed_batch(make_quotes({"BTCUSDT": "99.5"}, field="mark", complete=False))
    watched.feed({"BTCUSDT": "100.10", "ETHUSDT": "8"})
    watched.feed({"BTCUSDT": "101.00000000000000000001", "ETHUSDT": "8"})
    record(file, watched)
    rows = read_csv(file, wish(watched))

    btc = [(row["price"], row["last"], row["mark"]) for row in rows if row["venue_symbol"] == "BTCUSDT"]
    assert btc == [
        ("100.10", "100.10", ""),
        ("100.10", "100.10", "99.5"),
        ("101.00000000000000000001", "101.00000000000000000001", "99.5"),
    ]
    assert [row["price"] for row in rows if row["venue_symbol"] == "ETHUSDT"] == ["7", "8"]
    moment = datetime.fromisoformat(rows[0]["time"])
    assert moment.tzinfo is not None
    assert moment.astimezone(UTC) == watched.clock.at(1_001.0)
    assert rows[0]["after_gap"] == "true"


def test_what_was_told_before_the_period_is_known_in_it(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100"})
    watched.feed_batch(make_quotes({"BTCUSDT": "99.5"}, field="mark", complete=False))
    start = watched.clock.utc_now() + timedelta(milliseconds=1)
    watched.feed({"BTCUSDT": "102"})
    record(file, watched)
    (row,) = read_csv(file, wish(watched, start=start))

    assert (row["price"], row["mark"]) == ("102", "99.5")


def test_json_holds_every_table_with_unknown_as_null(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100"})
    record(file, watched)
    stream = io.StringIO()
    done = export_to_stream(file, wish(watched, *TABLES, format="json"), stream, progress=quiet)
    document = json.loads(stream.getvalue())

    assert document["schema"] == "trading-monitor.export/1"
    assert {name: len(document[name]) for name in TABLES} == done.rows
    (request,) = document["requests"]
    assert request["http.client.request.duration"] == pytest.approx(0.06)
    assert (request["tcp_s"], request["cold"], request["status"]) == (None, False, 200)
    assert document["quotes"][0]["mark"] is None


def test_a_folder_gets_a_file_for_each_table(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100"})
    record(file, watched)
    done = export_to_files(file, wish(watched, *TABLES), tmp_path / "out", progress=quiet)

    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == sorted(f"{name}.csv" for name in TABLES)
    assert done.rows["quotes"] == 1


def test_nothing_secret_is_in_any_table(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100"})
    log = EventLog()
    event = log.add(f"refused: api-key={SECRET}", at=watched.clock.utc_now(), mono_s=watched.clock.mono_s)
    connection = open_for_writing(file)
    HistoryWriter(connection, version="test").write(watched.entries)
    # As a version without the second defence would have written it.
    connection.execute(
        "INSERT INTO event VALUES (1, 99, ?, ?, 'error', NULL, ?, 1)",
        (round(event.at.timestamp() * 1e3), round(event.at.timestamp() * 1e3), event.text),
    )
    connection.close()
    stream = io.StringIO()
    export_to_stream(file, wish(watched, *TABLES, format="json"), stream, progress=quiet)

    assert SECRET not in stream.getvalue()
    assert "refused" in stream.getvalue()


def test_an_export_that_is_cancelled_leaves_what_was_there(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100"})
    record(file, watched)
    output = tmp_path / "quotes.csv"
    output.write_text("before")

    def cancel(_table: str, _part: float) -> None:
        raise ExportCancelled

    with pytest.raises(ExportCancelled):
        export_to_files(file, wish(watched), output, progress=cancel)
    assert output.read_text() == "before"
    assert sorted(one.name for one in tmp_path.iterdir() if "quotes" in one.name) == ["quotes.csv"]


def test_a_file_that_is_none_of_ours_is_refused_in_words(tmp_path: Path, watched: WatchedBoard) -> None:
    other = tmp_path / "other.db"
    other.write_text("this is no database, whatever it is called; long enough to have a header" * 4)
    with pytest.raises(ExportError, match="damaged"):
        read_csv(other, wish(watched))
    with pytest.raises(ExportError, match="no history file"):
        read_csv(tmp_path / "missing.db", wish(watched))


def test_parquet_says_what_is_missing_or_is_read_back(tmp_path: Path, watched: WatchedBoard) -> None:
    file = tmp_path / "history.db"
    watched.feed({"BTCUSDT": "100.10"})
    record(file, watched)
    output = tmp_path / "quotes.parquet"
    one = wish(watched, format="parquet")
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an optional extra
    except ImportError:
        with pytest.raises(ExportError, match="pip install"):
            export_to_files(file, one, output, progress=quiet)
        assert not output.exists()
        return
    export_to_files(file, one, output, progress=quiet)
    (row,) = parquet.read_table(output).to_pylist()
    assert (row["price"], row["mark"], row["after_gap"], row["run"]) == ("100.10", None, True, 1)
