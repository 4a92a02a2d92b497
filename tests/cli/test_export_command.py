"""``export`` as a person runs it, on a file that ``watch`` recorded from the demo exchange."""

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.fakes.command_line import addresses_of, run_monitor
from tests.fakes.demo_exchange import demo_exchange


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("history") / "watched.db"
    with demo_exchange() as exchange:
        done = run_monitor(["watch", "--duration=4", "--json", f"--history={file}", *addresses_of(exchange)])
    assert done.code == 0, done.err
    shown = {venue["venue"]: venue["made"] for venue in done.document()["venues"]}
    assert sum(shown.values()) > 0
    return file


def test_what_watch_recorded_is_exported(recorded: Path) -> None:
    done = run_monitor(["export", f"--db={recorded}", "--from=1h", "--what=requests"])

    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert {row["venue"] for row in rows} == {"bitunix", "hyperliquid"}
    assert f"Exported {len(rows):,} requests." in done.err


def test_all_tables_as_one_document(recorded: Path) -> None:
    done = run_monitor(["export", f"--db={recorded}", "--from=1h", "--what=all", "--format=json"])

    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert len(document["quotes"]) > 0
    assert all(isinstance(row["price"], str | None) for row in document["quotes"])


def test_an_empty_period_is_no_failure(recorded: Path) -> None:
    done = run_monitor(["export", f"--db={recorded}", "--from=2020-01-01", "--to=2020-01-02"])

    assert done.code == 0
    assert "Nothing was recorded in this period." in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--from is needed"),
        (["--from=now", "--to=1h"], "before"),
        (["--from=yesterday"], "not a time"),
        (["--from=1h", "--what=all"], "--output"),
        (["--from=1h", "--format=parquet"], "--output"),
        (["--from=1h", "--db=nowhere.db"], "no file"),
    ],
)
def test_wrong_arguments_are_told(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run_monitor(["export", *arguments], home=tmp_path)

    assert done.code == 2, done.err
    assert words in done.err
    assert "Traceback" not in done.err


def test_without_any_history_the_command_says_so(tmp_path: Path) -> None:
    done = run_monitor(["export", "--from=1h"], home=tmp_path)

    assert done.code == 1
    assert "no history file" in done.err


def test_an_incident_is_one_file(recorded: Path, tmp_path: Path) -> None:
    output = tmp_path / "incident.zip"
    done = run_monitor(["export", f"--db={recorded}", f"--incident={output}"])

    assert done.code == 0, done.err
    with zipfile.ZipFile(output) as bundle:
        assert len(json.loads(bundle.read("export.json"))["requests"]) > 0
