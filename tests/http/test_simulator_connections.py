"""The demo exchange as a server: keep-alive, idle closes, limits, distance, exact counts, clean ends. Real sockets."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange, start_demo_exchange

_INFO = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=0, arguments=["--no-limits"]) as running:
        yield running


def connect(exchange: DemoServer, venue: str = "hyperliquid", timeout_s: float = 10.0) -> http.client.HTTPConnection:
    host, port = exchange.address(venue)
    if exchange.ca_file is None:
        return http.client.HTTPConnection(host, port, timeout=timeout_s)
    return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=exchange.ssl_context())


def ask(connection: http.client.HTTPConnection, body: object) -> tuple[int, Any, http.client.HTTPResponse]:
    connection.request("POST", "/info", json.dumps(body), _INFO)
    reply = connection.getresponse()
    return reply.status, json.loads(reply.read()), reply


def test_one_connection_serves_many_requests_and_is_counted_once(exchange: DemoServer) -> None:
    before = exchange.truth("hyperliquid")
    connection = connect(exchange)
    for _ in range(25):
        status, value, reply = ask(connection, {"type": "exchangeStatus"})
        assert status == 200
        assert value["specialStatuses"] is None
        assert reply.getheader("Connection") == "keep-alive"
    after = exchange.truth("hyperliquid")
    open_now = [item["requests"] for item in after["connections"]]
    connection.close()

    assert after["accepts"] - before["accepts"] == 1
    assert after["requests"] - before["requests"] == 25
    assert 25 in open_now


def test_ready_line_says_where_and_how(exchange: DemoServer) -> None:
    assert exchange.ready["schema"] == "trading-monitor.simulate/1"
    assert set(exchange.ready["venues"]) == {"bitunix", "hyperliquid"}
    assert len({*exchange.ready["venues"].values(), exchange.ready["control"]}) == 3, "each is a host of its own"
    assert (exchange.ready["rtt_s"], exchange.ready["seed"]) == (0.0, 1)


def test_replies_carry_the_headers_of_the_real_edges(exchange: DemoServer) -> None:
    info, futures = connect(exchange), connect(exchange, "bitunix")
    _, _, reply = ask(info, {"type": "meta"})
    futures.request("GET", "/api/v1/futures/market/depth?symbol=BTCUSDT&limit=5", headers={"Accept-Encoding": "gzip"})
    other = futures.getresponse()
    body = other.read()
    info.close()
    futures.close()

    assert reply.getheader("Server") == "nginx/1.22.1"
    assert "cloudfront" in str(reply.getheader("Via"))
    assert reply.getheader("Content-Length") is not None
    assert reply.getheader("Access-Control-Allow-Origin") == "*"
    assert other.getheader("Server") == "cloudflare"
    assert other.getheader("Content-Encoding") is None, "both venues were seen to send plain bodies"
    assert other.getheader("Content-Length") == str(len(body))
    assert {reply.getheader("X-Demo-Exchange"), other.getheader("X-Demo-Exchange")} == {"1"}
    assert all(item.getheader("Date", "").endswith("GMT") for item in (reply, other))


def test_connection_close_from_the_client_is_honoured(exchange: DemoServer) -> None:
    connection = connect(exchange)
    connection.request("POST", "/info", b'{"type":"exchangeStatus"}', _INFO | {"Connection": "close"})
    reply = connection.getresponse()
    reply.read()

    assert reply.getheader("Connection") == "close"
    connection.close()


def test_pipelined_and_chunked_requests_are_understood(exchange: DemoServer) -> None:
    host, port = exchange.address("hyperliquid")
    one = b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n"
    chunked = b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b'{"type":"exchangeStatus"}'
    pieces = b"a\r\n" + body[:10] + b"\r\nf\r\n" + body[10:] + b"\r\n0\r\n\r\n"
    with exchange.ssl_context().wrap_socket(socket.create_connection((host, port), 10), server_hostname=host) as sock:
        sock.sendall(one + body + one + body + chunked + pieces)
        received = b""
        while received.count(b'"specialStatuses":null') < 3:
            received += sock.recv(65_536)

    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_nonsense_instead_of_http_gets_400_and_a_close(exchange: DemoServer) -> None:
    host, port = exchange.address("bitunix")
    with exchange.ssl_context().wrap_socket(socket.create_connection((host, port), 10), server_hostname=host) as sock:
        sock.sendall(b"\x00\x01nonsense\r\n\r\n")
        assert sock.recv(1000).startswith(b"HTTP/1.1 400")
        assert sock.recv(1000) == b""


def test_idle_connection_is_closed_after_the_timeout_and_not_before() -> None:
    with demo_exchange(plain_http=True, arguments=["--idle-timeout-s", "0.4"]) as exchange:
        connection = connect(exchange)
        started = time.monotonic()
        ask(connection, {"type": "exchangeStatus"})
        assert isinstance(connection.sock, socket.socket)
        assert connection.sock.recv(1) == b""
        waited_s = time.monotonic() - started
        connection.close()

        assert waited_s >= 0.39
        assert exchange.truth("hyperliquid")["closes"] == {"idle_timeout": 1}


def test_each_venue_may_have_its_own_idle_timeout() -> None:
    flags = ["--idle-timeout-s", "60", "--bitunix-idle-timeout-s", "0.3"]
    with demo_exchange(plain_http=True, arguments=flags) as exchange:
        short, long = connect(exchange, "bitunix"), connect(exchange)
        ask(long, {"type": "exchangeStatus"})
        short.request("GET", "/api/v1/futures/market/tickers?symbols=BTCUSDT")
        short.getresponse().read()
        assert isinstance(short.sock, socket.socket)
        assert short.sock.recv(1) == b""
        status, _, _ = ask(long, {"type": "exchangeStatus"})
        short.close()
        long.close()

        assert status == 200
        assert exchange.truth("hyperliquid")["accepts"] == 1


def test_idle_connections_are_closed_on_command(exchange: DemoServer) -> None:
    connection = connect(exchange)
    ask(connection, {"type": "exchangeStatus"})
    assert exchange.close_idle("hyperliquid") >= 1
    assert isinstance(connection.sock, ssl.SSLSocket)
    assert connection.sock.recv(1) == b""
    connection.close()

    assert exchange.truth("hyperliquid")["closes"]["idle_close"] >= 1


def test_counts_are_exact_under_sixteen_threads(exchange: DemoServer) -> None:
    before = exchange.truth("hyperliquid")

    def work(_: int) -> int:
        connection = connect(exchange)
        done = sum(ask(connection, {"type": "exchangeStatus"})[0] == 200 for _ in range(10))
        connection.close()
        return done

    with ThreadPoolExecutor(16) as pool:
        answered = sum(pool.map(work, range(32)))
    after = exchange.truth("hyperliquid")

    assert answered == 320
    assert after["accepts"] - before["accepts"] == 32
    assert after["requests"] - before["requests"] == 320
    assert after["by_endpoint"]["exchangeStatus"] - before["by_endpoint"].get("exchangeStatus", 0) == 320


def test_two_hundred_connections_are_held_open_and_the_next_is_refused() -> None:
    with demo_exchange(plain_http=True, arguments=["--max-connections", "200"]) as exchange:
        held = [connect(exchange, timeout_s=30) for _ in range(200)]
        for connection in held:
            ask(connection, {"type": "exchangeStatus"})
        extra = connect(exchange)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask(extra, {"type": "exchangeStatus"})
        truth = exchange.truth("hyperliquid")
        for connection in (*held, extra):
            connection.close()

        assert truth["open"] == 200
        assert truth["refused"] == 1
        assert truth["accepts"] == 201


@pytest.mark.parametrize(("plain", "trips"), [(True, 2.0), (False, 3.0)])
def test_a_cold_request_costs_its_round_trips_and_a_warm_one_costs_one(*, plain: bool, trips: float) -> None:
    """Lower bounds only: they hold on any machine, while upper ones depend on its load."""
    rtt_s = 0.1
    with demo_exchange(rtt_ms=rtt_s * 1000, plain_http=plain) as exchange:
        connection = connect(exchange)
        started = time.perf_counter()
        ask(connection, {"type": "exchangeStatus"})
        cold_s = time.perf_counter() - started
        warm_s = []
        for _ in range(5):
            started = time.perf_counter()
            ask(connection, {"type": "exchangeStatus"})
            warm_s.append(time.perf_counter() - started)
        connection.close()

        assert cold_s >= trips * rtt_s * 0.92  # the jitter takes at most 8 % away
        assert min(warm_s) >= rtt_s * 0.92
        assert min(warm_s) < cold_s


def test_hyperliquid_weights_are_enforced_with_null_and_429() -> None:
    with demo_exchange(plain_http=True) as exchange:
        connection = connect(exchange)
        statuses = [ask(connection, {"type": "metaAndAssetCtxs"})[0] for _ in range(62)]
        _, value, reply = ask(connection, {"type": "metaAndAssetCtxs"})
        connection.close()

        assert statuses == [200] * 60 + [429] * 2
        assert value is None
        assert reply.getheader("Retry-After") is None
        assert exchange.truth("hyperliquid")["limited"] == 3


def test_candles_cost_a_surcharge_for_every_sixty_rows() -> None:
    with demo_exchange(plain_http=True) as exchange:
        connection = connect(exchange)
        body = {"type": "candleSnapshot", "req": {"coin": "BTC", "interval": "1m", "startTime": 0, "endTime": 2**52}}
        _, rows, _ = ask(connection, body)
        used = exchange.truth("hyperliquid")["used_weight"]
        connection.close()

        assert len(rows) == 5000
        assert list(used.values()) == [20 + 83]


@pytest.mark.parametrize(("refusal", "status", "text"), [("code", 200, b'"code":10006'), ("edge", 429, b"error code")])
def test_bitunix_allows_ten_calls_a_second_for_each_endpoint(refusal: str, status: int, text: bytes) -> None:
    with demo_exchange(plain_http=True, arguments=["--bitunix-refusal", refusal]) as exchange:
        connection = connect(exchange, "bitunix")
        seen = []
        for _ in range(40):
            connection.request("GET", "/api/v1/futures/market/depth?symbol=BTCUSDT&limit=1")
            reply = connection.getresponse()
            seen.append((reply.status, reply.read()))
        connection.request("GET", "/api/v1/futures/market/kline?symbol=BTCUSDT&interval=1h&limit=1")
        other = connection.getresponse()
        other_body = other.read()
        connection.close()

        assert all(body.startswith(b'{"code":0') for _, body in seen[:10])
        refused = [item for item in seen if not item[1].startswith(b'{"code":0')]
        assert refused
        assert refused[0][0] == status
        assert text in refused[0][1]
        assert other_body.startswith(b'{"code":0'), "another endpoint has a limit of its own"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly_while_requests_hang(number: signal.Signals) -> None:
    exchange = start_demo_exchange(plain_http=True)
    exchange.add_fault(kind="black_hole")
    connection = connect(exchange)
    connection.request("POST", "/info", b'{"type":"exchangeStatus"}', _INFO)
    while exchange.truth("hyperliquid")["requests"] < 1:
        time.sleep(0.01)
    os.kill(exchange.pid, number)
    code, errors = exchange.stop()
    connection.close()

    assert code == 0
    assert errors == ""


def test_it_ends_when_standard_input_ends_and_takes_its_certificate_along() -> None:
    exchange = start_demo_exchange()
    assert exchange.ca_file is not None
    assert exchange.ca_file.exists()
    code, errors = exchange.stop()

    assert (code, errors) == (0, "")
    assert not exchange.ca_file.exists()


def test_certificate_is_written_where_asked_and_without_a_private_key(tmp_path: Path) -> None:
    target = tmp_path / "ca.pem"
    with demo_exchange(arguments=["--write-ca", str(target)]) as exchange:
        assert exchange.ca_file == target
        text = target.read_text()
    assert text.startswith("-----BEGIN CERTIFICATE-----")
    assert "PRIVATE" not in text
    assert target.exists()


def test_fixed_ports_are_three_in_a_row_and_a_taken_one_is_an_error() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base = probe.getsockname()[1]
        probe.listen()
        command = [sys.executable, "-m", "monitor.simulator", "--plain-http", "--json", "--port", str(base)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("trading-monitor simulate: ")


def test_slow_client_does_not_hold_up_the_others(exchange: DemoServer) -> None:
    host, port = exchange.address("bitunix")
    slow = exchange.ssl_context().wrap_socket(socket.create_connection((host, port), 10), server_hostname=host)
    slow.sendall(b"GET /api/v1/futures/market/depth?symbol=BTCUSDT HTTP/1.1\r\nHost: x\r\n\r\n" * 40)
    answered = threading.Event()

    def other() -> None:
        connection = connect(exchange, "bitunix")
        connection.request("GET", "/api/v1/futures/market/tickers?symbols=BTCUSDT")
        if connection.getresponse().read():
            answered.set()
        connection.close()

    worker = threading.Thread(target=other)
    worker.start()
    worker.join(20)
    slow.close()

    assert answered.is_set()
