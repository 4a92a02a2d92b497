"""Connections that do not come about, and what is said of them: a typed error, a trace, and no URL anywhere."""

import contextlib
import logging
import socket
import ssl
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest
import trustme

from monitor.domain.errors import ConnectFailed, ErrorKind, MonitorError, TimedOut
from monitor.domain.telemetry import CloseCause
from monitor.transport.resolver import AddressInfo, Resolver
from monitor.transport.session import PooledSession
from monitor.transport.tracing import MAX_ATTEMPTS
from tests.fakes.pooled import (
    ALLOWED,
    BODY,
    GET,
    POST,
    assert_adds_up,
    assert_at_rest,
    assert_phases_add_up,
    eventually,
    roomy_budget,
    session_to,
    the_pool,
    traces_of,
)
from tests.fakes.tls_server import LoopbackServer, Received, drop, serving

SECRET = "signature-0123456789abcdef"


def addresses_of(*ports: int) -> Callable[[str, int], list[AddressInfo]]:
    """A look-up whose answer is these ports of the loopback address, whatever was asked."""

    def lookup(host: str, port: int) -> list[AddressInfo]:
        del host, port
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", number)) for number in ports]

    return lookup


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose queue of new connections is full: a connect there gets no answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = int(listener.getsockname()[1])
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        try:
            yield port
        finally:
            for filler in fillers:
                filler.close()


def test_unknown_name_is_a_dns_failure(server: LoopbackServer) -> None:
    def lookup(host: str, port: int) -> list[AddressInfo]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    session = session_to(server, base_url="https://venue.test", resolver=Resolver(lookup))
    with pytest.raises(ConnectFailed) as caught:
        session.request(GET)

    (trace,) = traces_of(caught.value)
    assert caught.value.kind is trace.error_kind is ErrorKind.DNS
    assert "No address was found for venue.test" in caught.value.user_text
    assert (trace.is_cold, trace.tcp_s, trace.send_s) == (None, None, None)
    assert trace.dns_s is not None
    assert_phases_add_up(trace)
    stats = the_pool(session)
    assert_at_rest(stats, accepts=0)
    assert (stats.attempts, stats.connect_failed) == (1, 1)
    session.close()


def test_hanging_resolver_does_not_outlive_the_deadline(server: LoopbackServer) -> None:
    go_on = threading.Event()
    lookups = 0

    def lookup(host: str, port: int) -> list[AddressInfo]:
        nonlocal lookups
        lookups += 1
        go_on.wait(30)
        return []

    session = session_to(server, base_url="https://venue.test", resolver=Resolver(lookup), deadline_s=0.2)
    for _ in range(2):
        with pytest.raises(TimedOut) as caught:
            session.request(GET)
    go_on.set()
    session.close()

    assert caught.value.phase == "deadline"
    assert traces_of(caught.value)[0].dns_s == pytest.approx(traces_of(caught.value)[0].total_s, rel=0.2)
    assert lookups == 1  # the second request waited for the same answer
    assert_at_rest(the_pool(session), accepts=0)


def test_refused_connection(server: LoopbackServer) -> None:
    session = session_to(server, base_url=f"https://127.0.0.1:{closed_port()}")
    with pytest.raises(ConnectFailed) as caught:
        session.request(POST, body=BODY)

    (trace,) = traces_of(caught.value)
    assert caught.value.kind is trace.error_kind is ErrorKind.CONNECT
    assert (trace.is_cold, trace.tls_s) == (None, None)
    assert trace.tcp_s is not None
    assert_phases_add_up(trace)
    assert_at_rest(the_pool(session), accepts=0)
    assert the_pool(session).connect_failed == 1
    session.close()


def test_next_address_is_tried_when_one_refuses(server: LoopbackServer) -> None:
    resolver = Resolver(addresses_of(closed_port(), server.port))
    session = session_to(server, base_url="https://a.test", resolver=resolver)
    trace = session.request(GET).traces[0]

    assert trace.is_cold is True
    assert_at_rest(the_pool(session), accepts=1)
    session.close()


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="a full backlog answers differently on Windows")
def test_deaf_addresses_end_at_the_deadline_together(server: LoopbackServer) -> None:
    with deaf_port() as deaf:
        resolver = Resolver(addresses_of(*[deaf] * 10))
        session = session_to(
            server, base_url="https://a.test", resolver=resolver, connect_timeout_s=0.2, deadline_s=0.5
        )
        with pytest.raises(TimedOut) as caught:
            session.request(GET)

        assert caught.value.phase == "deadline"  # ten times 0.2 s would have been allowed each by itself
        session.close()

        one = session_to(
            server, base_url="https://a.test", resolver=Resolver(addresses_of(deaf)), connect_timeout_s=0.2
        )
        with pytest.raises(TimedOut) as caught:
            one.request(GET)
        assert caught.value.phase == "connect"
        assert the_pool(one).connect_failed == 1
        one.close()


def test_untrusted_certificate(server: LoopbackServer) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trustme.CA().configure_trust(stranger)
    session = PooledSession(
        venue="venue", base_url=server.url, allowed=ALLOWED, budget=roomy_budget(), ssl_context=stranger
    )
    with pytest.raises(ConnectFailed) as caught:
        session.request(GET)

    (trace,) = traces_of(caught.value)
    assert caught.value.kind is trace.error_kind is ErrorKind.TLS
    assert "certificate" in caught.value.user_text
    assert trace.tls_s is not None
    assert trace.is_cold is True  # a socket was opened, and the server saw it
    assert_phases_add_up(trace)
    assert_at_rest(the_pool(session), accepts=1)
    assert the_pool(session).closed == {CloseCause.ERROR: 1}
    assert eventually(lambda: server.open_connections == 0)
    session.close()


def test_wrong_host_name_is_a_tls_failure(server: LoopbackServer) -> None:
    session = session_to(server, base_url="https://other.test", resolver=Resolver(addresses_of(server.port)))
    with pytest.raises(ConnectFailed) as caught:
        session.request(GET)

    assert caught.value.kind is ErrorKind.TLS
    assert_at_rest(the_pool(session), accepts=1)
    session.close()


def test_handshake_that_hangs_and_one_that_is_cut(server: LoopbackServer) -> None:
    go_on = threading.Event()
    server.on_accept = lambda sock: go_on.wait(10) and False
    session = session_to(server, connect_timeout_s=0.2)
    with pytest.raises(TimedOut) as late:
        session.request(GET)
    go_on.set()
    with pytest.raises(ConnectFailed) as cut:
        session.request(GET)

    assert (late.value.phase, late.value.kind) == ("tls", ErrorKind.TIMEOUT)
    assert cut.value.kind is ErrorKind.TLS
    for error in (late.value, cut.value):
        assert traces_of(error)[0].tls_s is not None
        assert_phases_add_up(traces_of(error)[0])
    assert_at_rest(the_pool(session), accepts=2)
    session.close()


def test_tls_to_a_plain_server_is_a_tls_failure() -> None:
    def say_http(sock: socket.socket) -> bool:
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        return False

    with serving(is_tls=False, on_accept=say_http) as plain:
        session = session_to(plain, base_url=f"https://127.0.0.1:{plain.port}")
        with pytest.raises(ConnectFailed) as caught:
            session.request(GET)

        assert caught.value.kind is ErrorKind.TLS
        session.close()


def failing_sessions(server: LoopbackServer) -> Iterator[PooledSession]:
    """One session for each way to fail."""

    def unknown(host: str, port: int) -> list[AddressInfo]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    yield session_to(server, base_url="https://venue.test", resolver=Resolver(unknown))
    yield session_to(server, base_url=f"https://127.0.0.1:{closed_port()}")
    server.script.extend([drop] * MAX_ATTEMPTS)
    yield session_to(server)
    server.script.append(lambda received: received.connection.send(b"nonsense\r\n\r\n"))
    yield session_to(server)
    server.script.append(lambda received: received.reply(headers={"Content-Length": "1, 2"}))
    yield session_to(server)
    server.script.append(lambda received: received.reply(b"not gzip", headers={"Content-Encoding": "gzip"}))
    yield session_to(server)
    yield session_to(server, base_url="https://venue.test", proxies={"all": f"http://me:{SECRET}@127.0.0.1:9"})


def test_no_text_of_a_failure_contains_the_query_or_a_header(
    server: LoopbackServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[str] = []
    for session in failing_sessions(server):
        with pytest.raises(MonitorError) as caught:
            session.request(GET, params={"sign": SECRET}, headers={"api-sign": SECRET})
        error = caught.value
        assert error.__cause__ is None
        assert error.__context__ is None
        texts += [str(error), repr(error), error.detail, "".join(traceback.format_exception(error))]
        texts += [repr(trace) for trace in error.traces]
        session.close()

    texts += [record.getMessage() for record in caplog.records]
    assert len(texts) > 20
    assert not [text for text in texts if SECRET in text]
    assert not [text for text in texts if "api/v1" in text]


def send_odd_headers(received: Received) -> None:
    received.reply(headers={"Bad Header": "x"})
    received.connection.close()


def test_healing_logs_no_url(server: LoopbackServer, caplog: pytest.LogCaptureFixture) -> None:
    """urllib3 logs every retry as a warning with path and query, and every request at debug level."""
    caplog.set_level(logging.DEBUG)
    # A command that ran earlier in this process may have quietened it.
    caplog.set_level(logging.DEBUG, logger="urllib3")
    session = session_to(server)
    session.request(GET, params={"sign": SECRET})
    server.script.append(drop)
    session.request(GET, params={"sign": SECRET})
    # urllib3 warns about headers it cannot read, with the URL.
    server.script.append(send_odd_headers)
    with contextlib.suppress(MonitorError):
        session.request(GET, params={"sign": SECRET})
    session.close()

    messages = [record.getMessage() for record in caplog.records]
    assert any("HTTPS connection" in message for message in messages)  # the log was looked at
    assert not [message for message in messages if SECRET in message or "tickers" in message]
    assert not [record for record in caplog.records if record.exc_info]
    assert "Retrying" not in "".join(messages)


def test_headers_that_cannot_be_sent_are_an_error_of_ours(server: LoopbackServer) -> None:
    session = session_to(server)
    for value in ("with\r\nX-Injected: yes", "€"):
        with pytest.raises(MonitorError) as caught:
            session.request(GET, headers={"X-Odd": value})
        assert caught.value.kind is ErrorKind.INTERNAL
    assert server.served == 0
    assert_adds_up(the_pool(session))
    assert the_pool(session).active == 0
    session.close()
