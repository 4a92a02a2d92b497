"""Time and size have an end, whatever the server does."""

import gzip
import sys
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import structs

from monitor.domain.errors import ConnectionDropped, ErrorKind, MonitorError, ReplyTooLarge, TimedOut, TransportError
from monitor.domain.telemetry import CloseCause
from monitor.transport.session import PooledSession
from tests.fakes.pooled import (
    BODY,
    GET,
    POST,
    assert_at_rest,
    assert_phases_add_up,
    eventually,
    session_to,
    the_pool,
    traces_of,
)
from tests.fakes.tls_server import SMALL_JSON, LoopbackServer, Received, drop, http_reply

SMALL = structs.replace(GET, max_reply_bytes=10_000)


def trickle(prefix: bytes, forever: bytes) -> Callable[[Received], None]:
    """Send ``prefix``, then ``forever`` bit by bit until the client has had enough."""

    def behave(received: Received) -> None:
        received.connection.send(prefix)
        while True:
            received.connection.send(forever)
            time.sleep(0.02)

    return behave


def send(data: bytes) -> Callable[[Received], None]:
    """Send these bytes and close."""

    def behave(received: Received) -> None:
        received.connection.send(data)
        received.connection.close()

    return behave


@pytest.mark.parametrize(
    "behave",
    [
        trickle(http_reply(b"", headers={"Content-Length": "100000"}, length=False), b"x"),
        trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y"),
        trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        trickle(http_reply(b"", headers={"Transfer-Encoding": "chunked"}, length=False), b"1\r\nx\r\n"),
    ],
    ids=["body", "headers", "100 Continue", "chunks"],
)
def test_trickle_ends_at_the_deadline(server: LoopbackServer, behave: Callable[[Received], None]) -> None:
    """Each byte comes well within the read time-out; all together never do."""
    session = session_to(server, deadline_s=0.5, read_timeout_s=10.0)
    server.behave = behave
    with pytest.raises(TimedOut) as caught:
        session.request(GET)
    session.close()

    (trace,) = traces_of(caught.value)
    assert (caught.value.phase, caught.value.kind) == ("deadline", ErrorKind.DEADLINE)
    assert trace.error_kind is ErrorKind.DEADLINE
    assert trace.total_s >= 0.5
    assert_phases_add_up(trace)
    assert_at_rest(the_pool(session), accepts=1)
    assert the_pool(session).closed == {CloseCause.ERROR: 1}
    assert eventually(lambda: server.open_connections == 0)


def test_silence_ends_at_the_read_timeout(server: LoopbackServer) -> None:
    session = session_to(server, read_timeout_s=0.2)
    go_on = threading.Event()

    def hang(received: Received) -> None:
        go_on.wait(10)

    server.behave = hang
    with pytest.raises(TimedOut) as caught:
        session.request(GET)
    go_on.set()
    session.close()

    (trace,) = traces_of(caught.value)
    assert (caught.value.phase, caught.value.kind) == ("wait", ErrorKind.TIMEOUT)
    assert trace.wait_s is not None
    assert trace.wait_s >= 0.2
    assert trace.ttfb_s is None
    assert_phases_add_up(trace)


def test_silence_within_the_body_is_the_phase_read(server: LoopbackServer) -> None:
    session = session_to(server, read_timeout_s=0.2)
    go_on = threading.Event()

    def stall(received: Received) -> None:
        received.connection.send(http_reply(b"x", headers={"Content-Length": "10"}, length=False))
        go_on.wait(10)

    server.behave = stall
    with pytest.raises(TimedOut) as caught:
        session.request(GET)
    go_on.set()
    session.close()

    (trace,) = traces_of(caught.value)
    assert caught.value.phase == "read"
    assert trace.read_s is not None
    assert trace.read_s >= 0.1
    assert trace.ttfb_s is not None


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(http_reply, id="announced"),
        pytest.param(lambda body: http_reply(body, length=False, headers={"Connection": "close"}), id="until close"),
        pytest.param(
            lambda body: http_reply(
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body), length=False, headers={"Transfer-Encoding": "chunked"}
            ),
            id="chunked",
        ),
        pytest.param(lambda body: http_reply(gzip.compress(body), headers={"Content-Encoding": "gzip"}), id="gzip"),
        pytest.param(
            lambda body: http_reply(zlib.compress(body), headers={"Content-Encoding": "deflate"}), id="deflate"
        ),
        pytest.param(
            lambda body: http_reply(gzip.compress(gzip.compress(body)), headers={"Content-Encoding": "gzip, gzip"}),
            id="gzip twice",
        ),
    ],
)
def test_size_limit_counts_decoded_bytes(
    server: LoopbackServer, session: PooledSession, encode: Callable[[bytes], bytes]
) -> None:
    just_fits = b"a" * SMALL.max_reply_bytes
    server.script.extend([send(encode(just_fits)), send(encode(just_fits + b"a"))])

    assert session.request(SMALL).body == just_fits
    with pytest.raises(ReplyTooLarge) as caught:
        session.request(SMALL)
    assert caught.value.kind is ErrorKind.TOO_LARGE
    assert traces_of(caught.value)[-1].error_kind is ErrorKind.TOO_LARGE
    assert session.request(SMALL).body == SMALL_JSON
    assert_at_rest(the_pool(session), accepts=server.accepts)


@pytest.mark.skipif(sys.platform == "win32", reason="counts memory with the resource module")
def test_gzip_bomb_stops_at_the_limit(server: LoopbackServer, session: PooledSession) -> None:
    """All of it arrives, so the connection is clean; what must not grow is our memory."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    server.script.append(lambda received: received.reply(bomb, headers={"Content-Encoding": "gzip"}))
    import resource  # noqa: PLC0415 - not on Windows

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ReplyTooLarge):
        session.request(structs.replace(GET, max_reply_bytes=1_000_000))

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB; the bomb has twice that
    assert session.request(GET).body == SMALL_JSON
    assert_at_rest(the_pool(session), accepts=1)


def test_announced_size_is_refused_unread(server: LoopbackServer, session: PooledSession) -> None:
    reply = http_reply(b"", headers={"Content-Length": str(10**15)}, length=False)
    server.script.append(lambda received: received.connection.send(reply))
    with pytest.raises(ReplyTooLarge):
        session.request(GET)

    assert the_pool(session).closed == {CloseCause.ABANDONED: 1}


@pytest.mark.parametrize(
    "endless",
    [b"x" * 8192, b"X-More: and more\r\n" * 400, b"HTTP/1.1 100 Continue\r\n\r\n" * 300],
    ids=["line", "headers", "100 Continue"],
)
def test_header_bomb_is_one_typed_error(server: LoopbackServer, session: PooledSession, endless: bytes) -> None:
    def bomb(received: Received) -> None:
        received.connection.send(b"" if endless.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n")
        while True:
            received.connection.send(endless)

    server.script.append(bomb)
    with pytest.raises(TransportError):
        session.request(SMALL)

    assert_at_rest(the_pool(session), accepts=1)
    assert the_pool(session).closed == {CloseCause.ERROR: 1}


def test_endless_chunk_extension_and_negative_chunk_end(server: LoopbackServer, session: PooledSession) -> None:
    head = http_reply(b"", length=False, headers={"Transfer-Encoding": "chunked"})
    for chunks in (b"5;" + b"e" * 100_000, b"-1\r\n" + b"y" * 200_000, b"zz\r\n", b"5\r\nab"):
        server.script.append(send(head + chunks))
        with pytest.raises(MonitorError) as caught:
            session.request(SMALL)
        assert isinstance(caught.value, TransportError)
    assert_at_rest(the_pool(session), accepts=server.accepts)


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (http_reply(b"<html>busy</html>", status=502, headers={"Content-Type": "text/html"}), b"<html>busy</html>"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", b""),
        (http_reply(b"", status=200), b""),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", b"ok"),
        (b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/\r\nContent-Length: 0\r\n\r\n", b""),
        (http_reply("é€".encode(), headers={"X-Odd": "\xe9\xff"}), "é€".encode()),
        (http_reply(b"plain", headers={"Content-Encoding": "no-such-thing"}), b"plain"),
    ],
    ids=["html", "204", "304", "empty", "1.0", "no reason", "redirect", "unicode", "unknown encoding"],
)
def test_odd_replies_are_replies(server: LoopbackServer, session: PooledSession, reply: bytes, body: bytes) -> None:
    server.script.append(send(reply))
    got = session.request(GET)

    assert got.body == body
    assert got.status == int(reply.split()[1])
    assert server.accepts == 1  # no redirect was followed


@pytest.mark.parametrize(
    "reply",
    [
        b"\r\n",
        b"HELLO\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/3.7 200 OK\r\n\r\n",
        http_reply(b"short", headers={"Content-Length": "50"}, length=False),
        http_reply(b"ab", headers={"Content-Length": "2, 3"}, length=False),
        http_reply(b"not gzip", headers={"Content-Encoding": "gzip"}),
        http_reply(gzip.compress(b"x"), headers={"Content-Encoding": ", ".join(["gzip"] * 20)}),
    ],
    ids=["blank", "text", "status", "version", "cut", "two lengths", "not gzip", "twenty encodings"],
)
def test_broken_replies_are_transport_errors(server: LoopbackServer, session: PooledSession, reply: bytes) -> None:
    server.script.append(send(reply))
    with pytest.raises(TransportError) as caught:
        session.request(GET)

    assert len(traces_of(caught.value)) == 1
    assert_at_rest(the_pool(session), accepts=1)
    assert session.request(GET).body == SMALL_JSON


def test_lease_waits_for_a_slot_and_is_measured(server: LoopbackServer) -> None:
    session = session_to(server, pool_maxsize=2, pool_block=True)
    arrived = threading.Semaphore(0)
    go_on = threading.Event()

    def hold(received: Received) -> None:
        arrived.release()
        go_on.wait(10)
        received.reply()

    server.behave = hold
    waits: list[float] = []

    def work() -> None:
        trace = session.request(GET).traces[0]
        waits.append(trace.lease_wait_s or 0.0)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert arrived.acquire(timeout=10)
    assert arrived.acquire(timeout=10)
    assert eventually(lambda: the_pool(session).waiting == 1)
    assert server.accepts == 2
    go_on.set()
    for worker in workers:
        worker.join(10)

    stats = the_pool(session)
    assert_at_rest(stats, accepts=2)
    assert (stats.attempts, stats.reused, stats.peak_active) == (3, 1, 2)
    assert stats.lease_wait_total_s == pytest.approx(max(waits), rel=0.5)
    session.close()


def test_lease_wait_ends_at_the_deadline(server: LoopbackServer) -> None:
    session = session_to(server, pool_maxsize=1, pool_block=True)
    hurried = replace(session._config, deadline_s=0.2)
    arrived, go_on = threading.Event(), threading.Event()

    def hold(received: Received) -> None:
        arrived.set()
        go_on.wait(10)
        received.reply()

    server.behave = hold
    worker = threading.Thread(target=session.request, args=(GET,))
    worker.start()
    assert arrived.wait(10)
    session._config = hurried
    with pytest.raises(TimedOut) as caught:
        session.request(POST, body=BODY)
    go_on.set()
    worker.join(10)

    (trace,) = traces_of(caught.value)
    assert caught.value.phase == "lease"
    assert (trace.is_cold, trace.connection_id) == (None, None)
    assert trace.lease_wait_s is not None
    assert trace.lease_wait_s >= 0.2
    assert_phases_add_up(trace)
    stats = the_pool(session)
    assert_at_rest(stats, accepts=1)
    assert (stats.lease_timeouts, stats.attempts) == (1, 1)
    session.close()


def test_burst_of_40_over_20_discards_20(server: LoopbackServer, session: PooledSession) -> None:
    together = threading.Barrier(40)

    def all_at_once(received: Received) -> None:
        together.wait(30)
        received.reply()

    server.behave = all_at_once
    workers = [threading.Thread(target=session.request, args=(GET,)) for _ in range(40)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    stats = the_pool(session)
    assert_at_rest(stats, accepts=40)
    assert (stats.discarded, stats.idle, stats.peak_active, stats.max_connections) == (20, 20, 40, 20)


def test_blocking_pool_heals_without_exceeding_its_size(server: LoopbackServer) -> None:
    session = session_to(server, pool_maxsize=1, pool_block=True)
    session.request(GET)
    server.script.append(drop)
    session.request(GET)

    stats = the_pool(session)
    assert_at_rest(stats, accepts=2)
    assert (stats.idle, stats.healed) == (1, 1)
    session.close()


def test_dropped_body_is_a_dropped_connection(server: LoopbackServer, session: PooledSession) -> None:
    server.script.append(send(http_reply(b"x" * 50, headers={"Content-Length": "99"}, length=False)))
    with pytest.raises(ConnectionDropped):
        session.request(GET)
