"""Every fault of the demo exchange, as a real client sees it."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange

# The standard library's own client leaves the socket of a failed handshake to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]

_INFO = {"Content-Type": "application/json"}
_STATUS = {"type": "exchangeStatus"}


@pytest.fixture(scope="module")
def running() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=0, arguments=["--no-limits"]) as exchange:
        yield exchange


@pytest.fixture
def exchange(running: DemoServer) -> Iterator[DemoServer]:
    yield running
    running.clear_faults()


def connect(exchange: DemoServer, venue: str = "hyperliquid", timeout_s: float = 10.0) -> http.client.HTTPSConnection:
    host, port = exchange.address(venue)
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=exchange.ssl_context())


def post(connection: http.client.HTTPConnection, body: object) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection.request("POST", "/info", json.dumps(body), _INFO)
    reply = connection.getresponse()
    return reply.status, reply.read(), reply


def get(exchange: DemoServer, path: str) -> tuple[int, bytes, http.client.HTTPResponse]:
    connection = connect(exchange, "bitunix")
    try:
        connection.request("GET", f"/api/v1/futures/market/{path}")
        reply = connection.getresponse()
        return reply.status, reply.read(), reply
    finally:
        connection.close()


@pytest.fixture
def warm(exchange: DemoServer) -> Iterator[http.client.HTTPSConnection]:
    connection = connect(exchange)
    assert post(connection, _STATUS)[0] == 200
    yield connection
    connection.close()


def test_latency_is_added_to_the_named_endpoint_only(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="latency", venue="hyperliquid", endpoint="meta", seconds=0.5)
    started = time.perf_counter()
    post(warm, {"type": "meta"})
    slow_s = time.perf_counter() - started
    started = time.perf_counter()
    post(warm, _STATUS)
    fast_s = time.perf_counter() - started

    assert slow_s >= 0.5
    assert fast_s < slow_s


def test_trickle_sends_the_whole_reply_slowly(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="trickle", venue="hyperliquid", bytes_per_s=2000)
    started = time.perf_counter()
    status, body, _ = post(warm, _STATUS)
    took_s = time.perf_counter() - started

    assert status == 200
    assert json.loads(body)["specialStatuses"] is None
    assert took_s >= 0.2, "about 600 bytes of headers and body at 2000 a second"


def test_reset_mid_body_breaks_the_reply(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="reset", venue="hyperliquid", count=1)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead, ssl.SSLError)):
        post(warm, {"type": "meta"})
    assert exchange.truth("hyperliquid")["closes"]["reset"] == 1


def test_cut_ends_the_reply_short_of_its_length(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="cut", venue="hyperliquid", count=1)
    with pytest.raises(http.client.IncompleteRead):
        post(warm, {"type": "meta"})


@pytest.mark.parametrize("announced", [True, False])
def test_close_after_reply_with_and_without_notice(
    exchange: DemoServer, warm: http.client.HTTPSConnection, *, announced: bool
) -> None:
    exchange.add_fault(kind="close_after_reply", venue="hyperliquid", count=1, announced=announced)
    sock = warm.sock
    status, _, reply = post(warm, _STATUS)

    assert status == 200
    assert reply.getheader("Connection") == ("close" if announced else "keep-alive")
    if not announced:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.recv(1) == b""


def test_stale_race_closes_a_reused_connection_without_a_byte(
    exchange: DemoServer, warm: http.client.HTTPSConnection
) -> None:
    exchange.add_fault(kind="stale_race", venue="hyperliquid")
    requests = exchange.truth("hyperliquid")["requests"]
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(warm, _STATUS)
    fresh = connect(exchange)
    status, _, _ = post(fresh, _STATUS)
    fresh.close()

    assert status == 200, "the first request of a connection is answered: that is what makes the race worth a retry"
    assert exchange.truth("hyperliquid")["requests"] == requests + 2
    assert exchange.truth("hyperliquid")["closes"]["stale_race"] == 1


def test_idle_close_fault_closes_what_is_idle_and_shortens_the_next_waits(
    exchange: DemoServer, warm: http.client.HTTPSConnection
) -> None:
    exchange.add_fault(kind="idle_close", venue="hyperliquid", seconds=0.2)
    assert isinstance(warm.sock, ssl.SSLSocket)
    assert warm.sock.recv(1) == b""
    fresh = connect(exchange)
    post(fresh, _STATUS)
    assert isinstance(fresh.sock, ssl.SSLSocket)
    assert fresh.sock.recv(1) == b""
    fresh.close()


def test_black_hole_never_answers(exchange: DemoServer) -> None:
    exchange.add_fault(kind="black_hole", venue="hyperliquid", endpoint="meta")
    connection = connect(exchange, timeout_s=0.4)
    with pytest.raises(TimeoutError):
        post(connection, {"type": "meta"})
    connection.close()


def test_black_hole_on_connect_never_finishes_the_handshake(exchange: DemoServer) -> None:
    exchange.add_fault(kind="black_hole_connect", venue="hyperliquid")
    accepts = exchange.truth("hyperliquid")["accepts"]
    connection = connect(exchange, timeout_s=0.4)
    with pytest.raises(TimeoutError):
        connection.connect()
    connection.close()

    assert exchange.truth("hyperliquid")["accepts"] == accepts + 1


def test_refuse_resets_new_connections_and_leaves_old_ones(
    exchange: DemoServer, warm: http.client.HTTPSConnection
) -> None:
    exchange.add_fault(kind="refuse", venue="hyperliquid")
    with pytest.raises((ConnectionError, ssl.SSLError)):
        connect(exchange).connect()
    assert post(warm, _STATUS)[0] == 200


def test_expired_certificate_fails_new_handshakes_only(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="expired_certificate", venue="hyperliquid")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        connect(exchange).connect()
    assert post(warm, _STATUS)[0] == 200


@pytest.mark.parametrize(("retry_after_s", "header"), [(None, None), (7, "7")])
def test_rate_limit_on_hyperliquid(
    exchange: DemoServer, warm: http.client.HTTPSConnection, retry_after_s: float | None, header: str | None
) -> None:
    exchange.add_fault(kind="rate_limit", venue="hyperliquid", retry_after_s=retry_after_s)
    status, body, reply = post(warm, _STATUS)

    assert (status, body) == (429, b"null")
    assert reply.getheader("Retry-After") == header


@pytest.mark.parametrize(("retry_after_s", "header"), [(None, None), (2.5, "2.5")])
def test_rate_limit_on_bitunix_comes_from_the_edge(
    exchange: DemoServer, retry_after_s: float | None, header: str | None
) -> None:
    exchange.add_fault(kind="rate_limit", venue="bitunix", retry_after_s=retry_after_s)
    status, body, reply = get(exchange, "tickers")

    assert status == 429
    assert b"{" not in body
    assert reply.getheader("Retry-After") == header


def test_venue_errors_in_the_venues_own_words(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="rate_limit", venue="bitunix", endpoint="tickers", edge=False)
    exchange.add_fault(kind="venue_error", venue="bitunix", endpoint="depth", code=10001, to="network error")
    exchange.add_fault(kind="venue_error", venue="hyperliquid")
    limited = get(exchange, "tickers")
    failed = get(exchange, "depth?symbol=BTCUSDT&limit=5")

    assert (limited[0], json.loads(limited[1])["code"]) == (200, 10006)
    assert (failed[0], json.loads(failed[1])) == (200, {"code": 10001, "data": None, "msg": "network error"})
    assert post(warm, _STATUS)[:2] == (500, b"null")


def test_builder_dex_that_was_away_appears(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    def dexes() -> list[str]:
        return [dex["name"] for dex in json.loads(post(warm, {"type": "perpDexs"})[1])[1:]]

    exchange.add_fault(kind="vanished_instrument", venue="hyperliquid", instrument="hyna")
    assert dexes() == ["xyz", "flx"]
    assert post(warm, {"type": "meta", "dex": "hyna"})[:2] == (500, b"null")
    exchange.clear_faults()
    assert dexes() == ["xyz", "flx", "hyna"]
    assert post(warm, {"type": "meta", "dex": "hyna"})[0] == 200


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors(exchange: DemoServer, warm: http.client.HTTPSConnection, status: int) -> None:
    exchange.add_fault(kind="server_error", venue="hyperliquid", status=status)
    seen, body, reply = post(warm, _STATUS)

    assert seen == status
    assert body == b"null" if status == 500 else body.startswith(b"<html>")
    assert reply.getheader("Content-Type") == ("application/json" if status == 500 else "text/html")


def test_forbidden_html(exchange: DemoServer) -> None:
    exchange.add_fault(kind="forbidden_html", venue="bitunix")
    status, body, reply = get(exchange, "tickers")

    assert status == 403
    assert b"Error 1010" in body
    assert str(reply.getheader("Content-Type")).startswith("text/html")


def test_null_body(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="null_body", venue="hyperliquid")
    assert post(warm, {"type": "meta"})[:2] == (200, b"null")


@pytest.mark.parametrize("kind", ["malformed_json", "truncated_json"])
def test_broken_json_has_the_length_it_claims(exchange: DemoServer, kind: str) -> None:
    exchange.add_fault(kind=kind, venue="bitunix")
    status, body, reply = get(exchange, "tickers")

    assert status == 200
    assert reply.getheader("Content-Length") == str(len(body))
    with pytest.raises(ValueError, match=r"."):
        json.loads(body)


def test_wrong_types_keep_the_envelope(exchange: DemoServer) -> None:
    exchange.add_fault(kind="wrong_types", venue="bitunix")
    value = json.loads(get(exchange, "tickers?symbols=BTCUSDT")[1])

    assert value["code"] == 0
    assert not isinstance(value["data"][0]["lastPrice"], str)


def test_huge_body_is_valid_json_of_the_length_asked_for(exchange: DemoServer) -> None:
    exchange.add_fault(kind="huge_body", venue="bitunix", bytes=3_000_000)
    body = get(exchange, "tickers?symbols=BTCUSDT")[1]

    assert len(body) == 3_000_000
    assert json.loads(body)["code"] == 0


def test_renamed_field(exchange: DemoServer) -> None:
    exchange.add_fault(kind="renamed_field", venue="bitunix", field="lastPrice", to="price")
    row = json.loads(get(exchange, "tickers?symbols=BTCUSDT")[1])["data"][0]

    assert "lastPrice" not in row
    assert float(row["price"]) > 0


def test_unknown_enum(exchange: DemoServer) -> None:
    exchange.add_fault(kind="unknown_enum", venue="bitunix", field="symbolStatus", to="HALTED")
    rows = json.loads(get(exchange, "trading_pairs")[1])["data"]

    assert {row["symbolStatus"] for row in rows} == {"HALTED"}


def test_vanished_instrument_is_gone_from_lists_and_unknown_by_name(
    exchange: DemoServer, warm: http.client.HTTPSConnection
) -> None:
    exchange.add_fault(kind="vanished_instrument", venue="bitunix", instrument="ETHUSDT")
    exchange.add_fault(kind="vanished_instrument", venue="hyperliquid", instrument="ETH")
    symbols = {row["symbol"] for row in json.loads(get(exchange, "tickers")[1])["data"]}
    depth = json.loads(get(exchange, "depth?symbol=ETHUSDT&limit=5")[1])
    meta, contexts = json.loads(post(warm, {"type": "metaAndAssetCtxs"})[1])
    mids = json.loads(post(warm, {"type": "allMids"})[1])
    book = post(warm, {"type": "l2Book", "coin": "ETH"})[1]

    assert "ETHUSDT" not in symbols
    assert "BTCUSDT" in symbols
    assert depth["code"] == 20015
    assert "ETH" not in [asset["name"] for asset in meta["universe"]]
    assert len(meta["universe"]) == len(contexts)
    assert "ETH" not in mids
    assert book == b"null"


def test_frozen_data_is_200_with_the_prices_of_the_moment_it_began(
    exchange: DemoServer, warm: http.client.HTTPSConnection
) -> None:
    exchange.add_fault(kind="frozen", venue="hyperliquid")
    first = post(warm, {"type": "allMids"})
    book = post(warm, {"type": "l2Book", "coin": "BTC"})[1]
    time.sleep(0.8)
    assert post(warm, {"type": "l2Book", "coin": "BTC"})[1] == book, "its time stands still as well"
    second = post(warm, {"type": "allMids"})
    exchange.clear_faults()
    third = post(warm, {"type": "allMids"})

    assert first[0] == second[0] == 200
    assert first[1] == second[1]
    assert third[1] != first[1]


def test_clock_skew_moves_every_time_the_venue_tells(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="clock_skew", venue="hyperliquid", seconds=-3600)
    _, body, reply = post(warm, _STATUS)
    told_s = json.loads(body)["time"] / 1000
    date_s = parsedate_to_datetime(str(reply.getheader("Date"))).timestamp()

    assert told_s == pytest.approx(time.time() - 3600, abs=30)
    assert date_s == pytest.approx(time.time() - 3600, abs=30)


def test_probability_count_and_duration_are_kept(exchange: DemoServer, warm: http.client.HTTPSConnection) -> None:
    exchange.add_fault(kind="server_error", status=500, venue="hyperliquid", count=2)
    assert [post(warm, _STATUS)[0] for _ in range(4)] == [500, 500, 200, 200]
    exchange.clear_faults()
    exchange.add_fault(kind="server_error", status=500, venue="hyperliquid", probability=0.5)
    statuses = [post(warm, _STATUS)[0] for _ in range(60)]
    assert 5 < statuses.count(500) < 55
    exchange.clear_faults()
    exchange.add_fault(kind="server_error", status=500, venue="hyperliquid", duration_s=1.0)
    assert post(warm, _STATUS)[0] == 500
    give_up_s = time.monotonic() + 20
    while post(warm, _STATUS)[0] != 200:
        assert time.monotonic() < give_up_s, "it never ended"
        time.sleep(0.05)


def test_control_door_lists_removes_and_explains(exchange: DemoServer) -> None:
    number = exchange.add_fault(kind="latency", seconds=1)
    listed = exchange.control("GET", "/faults")["faults"]
    assert [(fault["id"], fault["kind"], fault["fired"]) for fault in listed] == [(number, "latency", 0)]
    assert exchange.control("DELETE", f"/faults/{number}") == {"removed": 1}
    assert exchange.control("GET", "/faults")["faults"] == []
    for wrong in ({}, {"kind": "nope"}, {"kind": "latency", "venue": "nasdaq"}, {"kind": "latency", "secs": 1}, [1]):
        with pytest.raises(AssertionError, match="error"):
            exchange.control("POST", "/faults", wrong)


def test_faults_from_a_file_follow_their_times(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    faults: list[dict[str, Any]] = [{"kind": "server_error", "status": 500, "venue": "hyperliquid", "start_s": 0}]
    faults.append({"kind": "server_error", "status": 503, "venue": "bitunix", "start_s": 3600})
    file.write_text(json.dumps({"faults": faults}))
    with demo_exchange(arguments=["--faults", str(file)]) as exchange:
        connection = connect(exchange)
        status, _, _ = post(connection, _STATUS)
        connection.close()
        assert status == 500
        assert get(exchange, "tickers?symbols=BTCUSDT")[0] == 200


def test_unusable_fault_file_ends_with_status_2(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text('[{"kind": "nope"}]')
    command = [sys.executable, "-m", "monitor.simulator", "--faults", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "kind must be one of" in done.stderr
    assert "Traceback" not in done.stderr


def test_huge_reply_reaches_a_client_that_reads_late(exchange: DemoServer) -> None:
    exchange.add_fault(kind="huge_body", venue="bitunix", bytes=20_000_000)
    host, port = exchange.address("bitunix")
    with exchange.ssl_context().wrap_socket(socket.create_connection((host, port), 20), server_hostname=host) as sock:
        sock.sendall(b"GET /api/v1/futures/market/tickers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        total = 0
        while data := sock.recv(1 << 20):
            total += len(data)
    assert total > 20_000_000
