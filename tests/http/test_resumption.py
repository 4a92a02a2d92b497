"""TLS sessions resumed for real: which connections say so, and when none may."""

import errno
import os
import socket
import ssl
import struct
import threading
from typing import Any

import pytest
from urllib3.util import wait_for_read

from monitor.domain.errors import ConnectFailed
from monitor.domain.telemetry import RequestTrace
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import MAX_AGE_S, ResumingSocket, TlsSessions, can_resume
from monitor.transport.session import PooledSession
from tests.fakes.connect_proxy import proxying
from tests.fakes.fake_clock import FakeClock
from tests.fakes.listeners import address_info
from tests.fakes.pooled import ALLOWED, GET, PATIENT, assert_at_rest, next_cold, roomy_budget, session_to, the_pool
from tests.fakes.tls_server import LoopbackServer, answer_and_close, serving

BOTH_VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


def cold_and_next(session: PooledSession, server: LoopbackServer) -> tuple[RequestTrace, RequestTrace]:
    first = session.request(GET).traces[0]
    return first, next_cold(session, server)


@BOTH_VERSIONS
def test_second_connection_resumes_the_first(version: ssl.TLSVersion) -> None:
    with serving(tls_version=version) as server:
        session = session_to(server)
        first, second = cold_and_next(session, server)

        assert (first.is_resumed, second.is_resumed) == (False, True)
        assert second.tls_s is not None
        # So does the third, with the same ticket.
        assert next_cold(session, server).is_resumed is True
        stats = the_pool(session)
        assert [card.is_resumed for card in reversed(stats.connections)] == [False, True, True]
        assert_at_rest(stats, accepts=server.accepts)
        session.close()


def test_connection_that_ended_with_its_first_reply_leaves_a_ticket() -> None:
    with serving(behave=answer_and_close) as server:
        session = session_to(server)
        assert [session.request(GET).traces[0].is_resumed for _ in range(3)] == [False, True, True]
        assert_at_rest(the_pool(session), accepts=3)
        session.close()


def test_it_can_be_switched_off() -> None:
    with serving() as server:
        session = session_to(server, tls_resumption=False)
        assert [trace.is_resumed for trace in cold_and_next(session, server)] == [False, False]
        session.close()


def test_plain_http_has_no_handshake_to_resume() -> None:
    with serving(is_tls=False) as server:
        session = session_to(server)
        assert [trace.is_resumed for trace in cold_and_next(session, server)] == [None, None]
        session.close()


def test_sessions_do_not_share_their_tickets() -> None:
    """What *Measure* compares with must begin as cold as it says."""
    with serving() as server:
        context = server.client_context()
        sessions = [
            PooledSession(
                venue="venue",
                base_url=server.url,
                allowed=ALLOWED,
                budget=roomy_budget(),
                config=PATIENT,
                ssl_context=context,
            )
            for _ in range(2)
        ]
        assert [session.request(GET).traces[0].is_resumed for session in sessions] == [False, False]
        for session in sessions:
            session.close()


def test_ticket_of_another_host_is_not_shown() -> None:
    """Two names of one server: each shakes hands in full first, because the certificate was checked for one only."""
    with serving() as server:
        context = server.client_context()
        sessions = TlsSessions(context)
        with socket.create_connection(("127.0.0.1", server.port)) as sock, sessions.offered("a.test:443"):
            first = context.wrap_socket(sock, server_hostname="a.test")
            first.sendall(b"GET /api/x HTTP/1.1\r\n\r\n")
            first.recv(65536)
            sessions.keep("a.test:443", first)
            first.close()
        reused = []
        for name in ("b.test", "a.test"):
            with socket.create_connection(("127.0.0.1", server.port)) as sock, sessions.offered("a.test:443"):
                tls = context.wrap_socket(sock, server_hostname=name)
                reused.append(tls.session_reused)
                tls.close()

    assert reused == [False, True]


def test_server_that_lost_its_keys_is_shaken_hands_with_in_full() -> None:
    with serving() as old, serving(authority=old.authority) as new:
        port = [old.port]
        resolver = Resolver(lambda host, port_: [address_info("127.0.0.1", port[0])])
        session = session_to(old, base_url="https://a.test", resolver=resolver)
        session.request(GET)
        port[0] = new.port
        trace = next_cold(session, old)

        assert (trace.is_resumed, new.served) == (False, 1)
        assert next_cold(session, new).is_resumed is True
        session.close()


def test_through_a_tunnel_too() -> None:
    with serving() as server, proxying() as proxy:
        session = session_to(server, proxies={"https": proxy.url})
        assert [trace.is_resumed for trace in cold_and_next(session, server)] == [False, True]
        session.close()


def test_handshake_that_failed_with_a_ticket_is_tried_without_it_next_time() -> None:
    with serving() as server:
        session = session_to(server)
        session.request(GET)
        server.on_accept = lambda sock: False
        with pytest.raises(ConnectFailed):
            next_cold(session, server)
        server.on_accept = lambda sock: True

        assert session.request(GET).traces[0].is_resumed is False
        session.close()


def test_old_ticket_and_forgotten_one_are_not_shown() -> None:
    clock = FakeClock()
    with serving() as server:
        context = server.client_context()
        sessions = TlsSessions(context, clock)

        def connect() -> bool | None:
            with (
                socket.create_connection(("127.0.0.1", server.port)) as sock,
                sessions.offered("x"),
                context.wrap_socket(sock, server_hostname="127.0.0.1") as tls,
            ):
                tls.sendall(b"GET /api/x HTTP/1.1\r\n\r\n")
                tls.recv(65536)
                sessions.keep("x", tls)
                return tls.session_reused

        assert [connect(), connect()] == [False, True]
        clock.advance(MAX_AGE_S - 1.0)
        assert connect() is True  # and leaves a newer one
        clock.advance(MAX_AGE_S - 1.0)
        assert connect() is True
        clock.advance(MAX_AGE_S)
        assert [connect(), connect()] == [False, True]
        sessions.forget()
        assert [connect(), connect()] == [False, True]


def test_others_may_use_the_context_as_ever() -> None:
    """The app's context is shared on Linux; a socket made without an offer is an ordinary one, on any thread."""
    with serving() as server:
        context = server.client_context()
        sessions = TlsSessions(context)
        seen: list[Any] = []

        def plain() -> None:
            with (
                socket.create_connection(("127.0.0.1", server.port)) as sock,
                context.wrap_socket(sock, server_hostname="127.0.0.1") as tls,
            ):
                tls.sendall(b"GET /api/x HTTP/1.1\r\n\r\n")
                tls.recv(65536)
                sessions.keep("x", tls)
                seen.append((type(tls), tls.session_reused))

        plain()
        with sessions.offered("x"):
            worker = threading.Thread(target=plain)
            worker.start()
            worker.join(10)

    assert seen == [(ResumingSocket, False)] * 2


def test_context_that_verifies_by_itself_is_left_alone() -> None:
    class Verifier(ssl.SSLContext):
        """As truststore's: a subclass that looks at the certificates after the handshake."""

    context = Verifier(ssl.PROTOCOL_TLS_CLIENT)
    assert not can_resume(context)
    with pytest.raises(ValueError):
        TlsSessions(context)
    with serving() as server:
        server.authority.configure_trust(context)
        session = PooledSession(
            venue="venue",
            base_url=server.url,
            allowed=ALLOWED,
            budget=roomy_budget(),
            config=PATIENT,
            ssl_context=context,
        )
        assert [trace.is_resumed for trace in cold_and_next(session, server)] == [False, False]
        assert context.sslsocket_class is ssl.SSLSocket
        session.close()


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="what a reset leaves behind is known of POSIX")
def test_a_socket_that_was_reset_before_its_handshake_is_closed() -> None:
    """Python leaves it open until garbage is collected."""
    context = ssl.create_default_context()
    context.sslsocket_class = ResumingSocket
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()
        wait_for_read(sock, timeout=5.0)
        descriptor = sock.fileno()
        with pytest.raises(ConnectionResetError):
            context.wrap_socket(sock, server_hostname="127.0.0.1")

        with pytest.raises(OSError) as caught:
            os.fstat(descriptor)
    assert caught.value.errno == errno.EBADF
