"""``watch --headless`` against the demo exchange: figures that agree with the exchange's own, and a clean end."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.command_line import ROOT, addresses_of, run_monitor
from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.xdist_group("waiting")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=20) as server:
        yield server


def test_a_watch_reports_every_venue_and_its_counts_are_the_exchanges_own(exchange: DemoServer) -> None:
    before = {venue: exchange.truth(venue) for venue in exchange.venues}
    done = run_monitor(["watch", "--headless", *addresses_of(exchange), "--duration=6", "--json"])
    after = {venue: exchange.truth(venue) for venue in exchange.venues}

    assert done.code == 0, done.err
    document = done.document()
    assert document["schema"] == "trading-monitor.watch/1"
    assert document["duration_s"] == pytest.approx(6, abs=4)
    for venue in document["venues"]:
        name = venue["venue"]
        (pool,) = venue["pools"]
        assert pool["opened"] == after[name]["accepts"] - before[name]["accepts"]
        assert pool["attempts"] == after[name]["requests"] - before[name]["requests"]
        assert venue["planned"] == venue["made"] + venue["missed"]
        assert venue["latency"]["cold"]["n"] == pool["opened"]
        assert venue["latency"]["warm"]["n"] == pool["reused"]
        assert 0 < venue["budget"]["used"] <= venue["budget"]["cap"] < venue["budget"]["limit"]
        assert venue["failed"] == {}
        assert venue["quotes"], "the default watchlist is reported"
        assert {quote["source"] for quote in venue["quotes"]} == {"network"}
        assert venue["catalog"]["source"] == "network"
        assert venue["budget"]["paused_for_s"] is None
        assert venue["cache"]["misses"] > 0
        assert_pool_is_told(pool)
        assert document["savings"]["caching"][name]["made_calls"] == pool["attempts"]
        assert document["savings"]["pooling"][pool["host"]]["warm_requests"] == pool["reused"]
    assert "Traceback" not in done.err


def assert_pool_is_told(pool: Any) -> None:
    """Everything the pool panel shows."""
    assert (pool["suspect"], pool["waiting"], pool["evicted_pools"], pool["prewarmed"]) == (0, 0, 0, 0)
    assert pool["sizing"]["text"].startswith(f"peak {pool['peak']} of 20; ")
    assert pool["keep_alive"]["samples"] > 0
    assert pool["keep_alive"]["request_interval_s"] == 1.0
    assert "1 s" in pool["keep_alive"]["text"]
    assert pool["protocols"] is None, "a script's sockets are its own: nobody is asked"
    assert len(pool["connections"]) == pool["opened"]
    for card in pool["connections"]:
        assert card["peer"] == pool["host"]
        assert (card["tls_version"], card["alpn"]) == ("TLSv1.3", "http/1.1")
        assert card["age_s"] > 0
    assert sum(card["requests"] for card in pool["connections"]) == pool["attempts"]


def test_the_text_ends_with_size_fit_and_savings(exchange: DemoServer) -> None:
    done = run_monitor(["watch", *addresses_of(exchange), "--duration=6", "--venue=bitunix"])

    assert done.code == 0, done.err
    assert "size: peak " in done.out
    assert "fit: " in done.out
    assert "by pooling" in done.out
    assert "calls avoided" in done.out
    assert " stale served" in done.out


def test_a_refused_venue_tells_its_pause_and_its_prices_are_kept(exchange: DemoServer) -> None:
    before = exchange.truth("bitunix")["requests"]

    def refuse_once_prices_came() -> None:
        give_up_s = time.monotonic() + 30
        while exchange.truth("bitunix")["requests"] - before < 6 and time.monotonic() < give_up_s:
            time.sleep(0.05)
        exchange.add_fault(kind="rate_limit", venue="bitunix", retry_after_s=60.0)

    refusing = threading.Thread(target=refuse_once_prices_came)
    refusing.start()
    try:
        done = run_monitor(["watch", *addresses_of(exchange), "--duration=6", "--json", "--venue=bitunix"])
    finally:
        refusing.join()
        exchange.clear_faults()

    assert done.code == 0, done.err
    (venue,) = done.document()["venues"]
    assert 0 < venue["budget"]["paused_for_s"] <= 60
    for quote in venue["quotes"]:
        assert quote["source"] == "stale_cache"
        assert 0 < quote["cache_age_s"] <= quote["age_s"]
        assert quote["stale_reason"]


def test_chosen_instruments_are_the_ones_reported(exchange: DemoServer) -> None:
    done = run_monitor(
        ["watch", *addresses_of(exchange), "--duration=5", "--json", "--venue=hyperliquid", "--instrument=xyz:TSLA"]
    )

    assert done.code == 0, done.err
    (venue,) = done.document()["venues"]
    (quote,) = venue["quotes"]
    assert quote["venue_symbol"] == "xyz:TSLA"
    assert quote["mid"] is not None, "its builder dex is polled once the instrument is known"


def test_a_name_no_venue_knows_is_a_wrong_argument(exchange: DemoServer) -> None:
    done = run_monitor(["watch", *addresses_of(exchange), "--duration=4", "--instrument=NOSUCHTHING", "--json"])

    assert done.code == 2
    assert "NOSUCHTHING" in done.err


def test_a_dead_venue_fails_the_command_and_the_other_goes_on(exchange: DemoServer) -> None:
    addresses = [option for option in addresses_of(exchange) if "hyperliquid=" not in option]
    done = run_monitor(["watch", *addresses, "--base-url=hyperliquid=https://127.0.0.1:9", "--duration=4", "--json"])

    assert done.code == 1
    venues = {venue["venue"]: venue for venue in done.document()["venues"]}
    assert venues["bitunix"]["made"] > 0
    assert venues["bitunix"]["failed"] == {}
    assert venues["hyperliquid"]["failed"]["connect"] > 0
    assert "Hyperliquid" in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_a_watch_with_its_document(exchange: DemoServer) -> None:
    command = [sys.executable, "-m", "monitor", "watch", *addresses_of(exchange), "--json"]
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        requests_before = {venue: exchange.truth(venue)["requests"] for venue in exchange.venues}
        give_up_s = time.monotonic() + 30
        # By its fourth request a venue has answered the first: fewer are ever under way at once.
        while any(exchange.truth(venue)["requests"] < before + 4 for venue, before in requests_before.items()):
            assert time.monotonic() < give_up_s, "it never polled"
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)

    assert process.returncode == 0, err
    assert '"trading-monitor.watch/1"' in out
    assert "Traceback" not in err


def test_metrics_use_opentelemetrys_names(exchange: DemoServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "monitor",
        "watch",
        *addresses_of(exchange),
        "--duration=30",
        "--json",
        f"--metrics-port={port}",
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            text = ""
            give_up_s = time.monotonic() + 25
            while "http_client_request_duration_seconds_count{" not in text and time.monotonic() < give_up_s:
                time.sleep(0.5)
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as reply:
                        text = reply.read().decode()
                except OSError:
                    continue
        finally:
            process.terminate()
            process.communicate(timeout=30)

    assert "http_client_request_duration_seconds_count{" in text
    assert 'http_client_open_connections{http_connection_state="idle"' in text
    assert 'connection="cold"' in text
    assert "trading_monitor_price_age_seconds" in text
