"""``measure`` against the demo exchange: the document, the table, and counts that are the exchange's own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.command_line import ROOT, addresses_of, run_monitor
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.slow_plan import slow_settings, wide_settings


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=20) as server:
        yield server


@pytest.mark.parametrize("venue", ["bitunix", "hyperliquid"])
def test_the_document_has_the_promised_shape_and_the_exchanges_own_counts(
    exchange: DemoServer, venue: str, tmp_path: Path
) -> None:
    before = exchange.truth(venue)
    options = ["measure", f"--venue={venue}", *addresses_of(exchange), "--requests=8", "--json"]
    done = run_monitor([wide_settings(tmp_path), *options])
    after = exchange.truth(venue)

    assert done.code == 0, done.err
    document = done.document()
    assert (document["schema"], document["venue"], document["requests"]) == ("trading-monitor.measure/1", venue, 8)
    assert set(document) >= {"pooled", "unpooled", "improvement", "per_day"}
    assert set(document["improvement"]) >= {"first", "later", "overall", "ci95"}
    for variant in ("pooled", "unpooled"):
        figures = document[variant]
        assert set(figures) >= {"first_s", "later_mean_s", "overall_mean_s", "total_s", "p95_s", "opened"}
        assert figures["n"] == 8
        assert figures["failed"] == {}
        assert figures["total_s"] == pytest.approx(8 * figures["overall_mean_s"], rel=1e-3)
        mean_s = (figures["first_s"] + 7 * figures["later_mean_s"]) / 8
        assert mean_s == pytest.approx(figures["overall_mean_s"], rel=1e-3)
    assert (document["pooled"]["opened"], document["unpooled"]["opened"]) == (1, 8)
    rounds = document["first_request"]["rounds"]
    assert rounds > 0
    assert document["first_request"]["paid_earlier_s"] > 0
    first = 3 * rounds
    # Both warm-up requests are on connections of their own, and so is every first request.
    assert after["accepts"] - before["accepts"] == 1 + 8 + 2 + first
    assert after["requests"] - before["requests"] == 8 + 8 + 2 + first
    assert len(document["first_samples"]) == first
    assert document["first_request"]["improvement_prewarmed"] > 0.4, "its handshake was paid earlier"
    gain = document["improvement"]
    assert gain["first"] is None, "one pair tells nothing"
    assert document["pooled"]["first_s"] > 0
    assert gain["later"] > 0.4, "two of three round trips are saved"
    assert gain["ci95"][0] <= gain["overall"] <= gain["ci95"][1]
    day = document["per_day"]
    assert day["calls"] > 100_000
    assert day["saved_by_pool_s"] == pytest.approx(day["api_unpooled_s"] - day["api_s"], rel=1e-3)
    assert day["handshake_s"] < day["handshake_unpooled_s"] / 100
    # Each of two connections is replaced after 27 minutes at the soonest: the app's own maximum age, less its jitter.
    assert 86_400 / 1_800 <= day["handshakes"] <= 2 * 86_400 / 1_620 + 2, "what the first requests opened is no sign"
    assert set(day["neither"]) == {"calls", "api_s", "handshakes", "handshake_s"}
    assert (day["calls"], day["api_s"]) == (day["both"]["calls"], day["both"]["api_s"])
    assert day["both"]["api_s"] < day["pooling"]["api_s"] * 1.01 < day["cache"]["api_s"]
    orders = [sample["pair"] for sample in document["samples"]]
    assert orders == sorted(orders)
    assert all(one["pooled"] != other["pooled"] for one, other in list(pairwise(document["samples"]))[::2])


def test_the_table_says_the_same_to_people(exchange: DemoServer, tmp_path: Path) -> None:
    done = run_monitor([slow_settings(tmp_path), "measure", "--venue=bitunix", *addresses_of(exchange), "--requests=6"])

    assert done.code == 0, done.err
    words = ("first", "later mean", "overall mean", "p95", "opened", "failed", "Per day", "neither", "saved by caching")
    for word in words:
        assert word in done.out
    assert "start, pre-warmed" in done.out
    assert "the handshake was paid earlier, not saved" in done.out
    assert done.err == "", "progress is for terminals"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo terminal")
def test_a_terminal_sees_how_far_it_is(exchange: DemoServer, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "monitor", slow_settings(tmp_path), "measure", "--venue=bitunix"]
    command += [*addresses_of(exchange), "--requests=2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, cwd=ROOT) as process:
        os.close(theirs)
        out, _ = process.communicate(timeout=60)
    told = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error on Linux
        while chunk := os.read(ours, 65_536):
            told += chunk
    os.close(ours)
    steps = [step.strip() for step in told.decode().split("\r") if step.strip()]

    assert process.returncode == 0
    assert steps[0] == "1 of 23 · requests"
    assert steps[-1] == "23 of 23 · simulated days"
    assert any(step.endswith("first requests") for step in steps)
    assert "\r" not in out


def test_the_document_is_written_where_it_is_wanted(exchange: DemoServer, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    options = ["measure", "--venue=bitunix", *addresses_of(exchange), "--requests=2", "--json", f"--output={file}"]
    done = run_monitor([slow_settings(tmp_path), *options])

    assert done.code == 0, done.err
    assert json.loads(file.read_text(encoding="utf-8")) == done.document()


def test_a_result_that_cannot_be_written_is_a_failure_with_a_reason(exchange: DemoServer, tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "result.json"
    options = ["measure", "--venue=bitunix", *addresses_of(exchange), "--requests=2", f"--output={file}"]
    done = run_monitor([slow_settings(tmp_path), *options])

    assert done.code == 1
    assert "could not be written" in done.err
    assert "later mean" in done.out
    assert "Traceback" not in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="there is no interrupt to send to another process")
def test_an_interrupt_ends_the_run_with_the_figures_until_then(exchange: DemoServer) -> None:
    before = exchange.truth("bitunix")["requests"]
    command = [sys.executable, "-m", "monitor", "measure", "--venue=bitunix", *addresses_of(exchange)]
    with subprocess.Popen(
        [*command, "--requests=1000", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        while exchange.truth("bitunix")["requests"] - before < 12:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    document = json.loads(out)

    assert process.returncode == 1
    assert "Traceback" not in err
    assert not document["complete"]
    assert 2 <= document["pooled"]["n"] < 1_000
    assert document["per_day"] is None


def test_the_demo_needs_nothing_else(tmp_path: Path) -> None:
    done = run_monitor(["measure", "--demo", "--venue=hyperliquid", "--requests=2", "--json"], home=tmp_path)

    assert done.code == 0, done.err
    assert done.document()["pooled"]["opened"] == 1


def test_nobody_answering_is_the_venues_failure() -> None:
    done = run_monitor(["measure", "--venue=bitunix", "--base-url=bitunix=https://127.0.0.1:9", "--requests=3"])

    assert done.code == 1
    assert "could not be reached" in done.err
    assert "Traceback" not in done.err


def test_a_venue_that_refuses_is_left_alone_and_the_command_says_so(tmp_path: Path) -> None:
    with demo_exchange(rtt_ms=0, arguments=["--bitunix-refusal", "edge"]) as strict:
        strict.add_fault(kind="rate_limit", venue="bitunix", endpoint="tickers")
        before = strict.truth("bitunix")["requests"]
        done = run_monitor(["measure", "--venue=bitunix", *addresses_of(strict), "--requests=30", "--json"])
        asked = strict.truth("bitunix")["requests"] - before

    assert done.code == 1
    assert asked <= 6
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [["--venue=nowhere"], ["--venue=bitunix", "--requests=1"], ["--venue=bitunix", "--requests=1001"], []],
)
def test_wrong_arguments_are_told_apart(arguments: list[str]) -> None:
    assert run_monitor(["measure", *arguments]).code == 2


def test_no_window_library_is_needed(exchange: DemoServer, tmp_path: Path) -> None:
    done = run_monitor(
        [slow_settings(tmp_path), "measure", "--venue=hyperliquid", *addresses_of(exchange), "--requests=2"],
        environment={"PYTHONPROFILEIMPORTTIME": "1"},
    )

    assert done.code == 0
    assert "monitor.proof.measurement" in done.err, "the list of imports"
    assert "PySide6" not in done.err
    assert "pyqtgraph" not in done.err
