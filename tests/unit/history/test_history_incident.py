"""One zip file holds the last minutes and nothing secret; what is broken is said in it and does not stop it."""

import json
import zipfile
from datetime import timedelta
from pathlib import Path

from monitor.history.incident import LOG_BYTES, IncidentWish, write_incident
from monitor.history.schema import open_for_writing
from monitor.history.writer import HistoryWriter
from tests.fakes.history_samples import WatchedBoard

SECRET = "c0ffee00c0ffee00c0ffee00c0ffee00"


def _wish(watched: WatchedBoard, log_file: Path | None = None) -> IncidentWish:
    now = watched.clock.utc_now()
    return IncidentWish(
        start=now - timedelta(seconds=2),
        end=now,
        versions={"app": "1.2.3"},
        settings=json.dumps({"proxies": {"https": f"http://user:{SECRET}@proxy.test:3128"}}),
        log_file=log_file,
        picture=b"\x89PNG",
    )


def test_the_last_minutes_are_in_one_file_and_no_secret_is(tmp_path: Path) -> None:
    watched = WatchedBoard()
    for price in ("100", "101", "102", "103", "104"):
        watched.feed({"BTCUSDT": price})
    history, log_file = tmp_path / "history.db", tmp_path / "app.log"
    connection = open_for_writing(history)
    HistoryWriter(connection, version="test").write(watched.entries)
    connection.close()
    log_file.write_text(f"{'x' * LOG_BYTES}\nrequest with api-key={SECRET} refused\n")
    problems = write_incident(history, tmp_path / "out" / "incident.zip", _wish(watched, log_file))

    assert problems == ()
    with zipfile.ZipFile(tmp_path / "out" / "incident.zip") as bundle:
        texts = {name: bundle.read(name) for name in bundle.namelist()}
    assert sorted(texts) == ["about.json", "export.json", "log.txt", "settings.json", "window.png"]
    assert all(SECRET.encode() not in text for text in texts.values())
    assert b"refused" in texts["log.txt"]
    quotes = json.loads(texts["export.json"])["quotes"]
    assert [row["price"] for row in quotes] == ["102", "103", "104"]
    assert json.loads(texts["about.json"])["versions"] == {"app": "1.2.3"}


def test_a_history_that_cannot_be_read_is_told_and_the_rest_is_kept(tmp_path: Path) -> None:
    output = tmp_path / "incident.zip"
    problems = write_incident(tmp_path / "missing.db", output, _wish(WatchedBoard()))

    assert len(problems) == 1
    with zipfile.ZipFile(output) as bundle:
        assert json.loads(bundle.read("about.json"))["problems"] == list(problems)
        assert bundle.read("window.png") == b"\x89PNG"
