"""Reuse as the server sees it: what the counters and traces say of warm, cold and ended connections."""

import socket
import threading
from collections.abc import Iterator

import pytest

from monitor.domain.errors import ErrorKind, TransportError
from monitor.domain.telemetry import CloseCause
from monitor.transport.session import PooledSession
from tests.fakes.pooled import (
    BODY,
    GET,
    POST,
    assert_at_rest,
    assert_phases_add_up,
    close_idle,
    eventually,
    session_to,
    the_pool,
)
from tests.fakes.tls_server import SMALL_JSON, LoopbackServer, Received, answer_and_close, serving


@pytest.fixture(params=["https", "http"])
def server(request: pytest.FixtureRequest) -> Iterator[LoopbackServer]:
    with serving(is_tls=request.param == "https") as running:
        yield running


def test_second_request_is_warm_and_has_no_connect_phases(server: LoopbackServer, session: PooledSession) -> None:
    cold = session.request(GET).traces[0]
    warm = session.request(POST, body=BODY).traces[0]

    assert (cold.is_cold, warm.is_cold) == (True, False)
    assert cold.tcp_s is not None
    assert (cold.tls_s is not None) == server.is_tls
    assert (warm.dns_s, warm.tcp_s, warm.tls_s) == (None, None, None)
    assert cold.connection_id == warm.connection_id
    assert cold.request_id != warm.request_id
    assert_phases_add_up(cold)
    assert_phases_add_up(warm)
    assert_at_rest(the_pool(session), accepts=1)
    assert server.accepts == 1


def test_reply_brings_body_type_date_and_clocks(session: PooledSession) -> None:
    reply = session.request(GET)

    assert reply.status == 200
    assert reply.body == SMALL_JSON
    assert reply.content_type == "application/json; charset=utf-8"
    assert reply.date is not None
    assert reply.date.isoformat() == "2026-11-23T10:00:00+00:00"
    assert reply.requested_mono_s == reply.traces[0].started_mono_s
    assert reply.received_mono_s == reply.traces[0].ended_mono_s
    assert reply.received_at.utcoffset() is not None
    assert (reply.traces[0].status, reply.traces[0].http_version) == (200, "1.1")


def test_bytes_are_counted_on_the_wire(server: LoopbackServer, session: PooledSession) -> None:
    seen: list[int] = []

    def measure(received: Received) -> None:
        head = sum(len(name) + len(value) + 4 for name, value in received.headers.items())
        line = f"{received.method} {received.target} HTTP/1.1\r\n"
        seen.append(len(line) + head + 2 + len(received.body))
        received.reply()

    server.behave = measure
    trace = session.request(POST, body=BODY).traces[0]

    assert trace.request_bytes == seen[0]
    assert trace.response_bytes is not None
    assert trace.response_bytes > len(SMALL_JSON)


def test_reuse_counts_what_the_server_accepted_when_idle_sockets_are_closed(
    server: LoopbackServer, session: PooledSession
) -> None:
    """urllib3's own counter says one connection here, whatever happens."""
    for _ in range(5):
        session.request(GET)
        close_idle(server, 1)

    stats = the_pool(session)
    assert_at_rest(stats, accepts=server.accepts)
    assert server.accepts == 5
    assert stats.reused == stats.healed  # nothing that looked reused brought a reply
    assert stats.closed == {CloseCause.STALE: 4}  # the last one is found when it is wanted


def test_close_found_before_use_is_stale_and_costs_no_attempt(server: LoopbackServer, session: PooledSession) -> None:
    session.request(GET)
    close_idle(server, 1)
    reply = session.request(GET)

    if len(reply.traces) == 1:  # the close had arrived, as it nearly always has
        assert reply.traces[0].is_cold is True
        assert the_pool(session).reused == 0
    assert the_pool(session).closed == {CloseCause.STALE: 1}


def test_connection_close_is_counted_as_the_servers(server: LoopbackServer, session: PooledSession) -> None:
    server.behave = answer_and_close
    bodies = {session.request(GET).body for _ in range(4)}

    stats = the_pool(session)
    assert bodies == {SMALL_JSON}
    assert_at_rest(stats, accepts=4)
    assert stats.closed == {CloseCause.BY_SERVER: 4}
    assert (stats.idle, stats.reused) == (0, 0)


def test_close_ends_idle_sockets_and_refuses_later_requests(server: LoopbackServer, session: PooledSession) -> None:
    session.request(GET)
    session.close()

    assert eventually(lambda: server.open_connections == 0)
    assert the_pool(session).closed == {CloseCause.WITH_POOL: 1}
    assert_at_rest(the_pool(session), accepts=1)
    with pytest.raises(TransportError) as caught:
        session.request(GET)
    assert caught.value.kind is ErrorKind.CANCELLED
    assert server.accepts == 1


def test_request_in_flight_survives_close_and_its_socket_does_not(
    server: LoopbackServer, session: PooledSession
) -> None:
    arrived, go_on = threading.Event(), threading.Event()

    def hold(received: Received) -> None:
        arrived.set()
        go_on.wait(10)
        received.reply()

    server.behave = hold
    bodies: list[bytes] = []
    worker = threading.Thread(target=lambda: bodies.append(session.request(GET).body))
    worker.start()
    assert arrived.wait(10)
    session.close()
    go_on.set()
    worker.join(10)

    assert bodies == [SMALL_JSON]
    assert eventually(lambda: server.open_connections == 0)
    assert the_pool(session).closed == {CloseCause.WITH_POOL: 1}


def test_cards_tell_the_life_of_each_socket(server: LoopbackServer, session: PooledSession) -> None:
    session.request(GET)
    session.request(GET)
    (card,) = the_pool(session).connections

    assert (card.state, card.requests, card.address_family) == ("idle", 2, "IPv4")
    assert card.peer == f"127.0.0.1:{server.port}"
    assert (card.tls_version == "TLSv1.3") == server.is_tls
    assert card.idle_since_mono_s is not None
    assert card.close_cause is None

    session.close()
    (card,) = the_pool(session).connections
    assert (card.state, card.requests, card.close_cause) == ("closed", 2, CloseCause.WITH_POOL)
    assert card.closed_mono_s is not None


def test_only_the_newest_closed_cards_are_kept(server: LoopbackServer, session: PooledSession) -> None:
    server.behave = answer_and_close
    for _ in range(35):
        session.request(GET)

    cards = the_pool(session).connections
    assert len(cards) == 30
    assert [card.connection_id for card in cards] == sorted((card.connection_id for card in cards), reverse=True)


def test_socket_options_are_set(
    server: LoopbackServer, session: PooledSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    real_connect = socket.socket.connect

    def connect(sock: socket.socket, address: tuple[str, int]) -> None:
        nodelay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        seen.append((nodelay, sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)))
        real_connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    session.request(GET)

    assert seen == [(1, 1)]


def test_post_leaves_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 sends headers and body apart; without Nagle's delay these are two packets."""
    pieces: list[bytes] = []
    real_sendall = socket.socket.sendall

    with serving(is_tls=False) as server:

        def sendall(sock: socket.socket, data: bytes) -> None:
            if sock.getpeername()[1] == server.port:
                pieces.append(data)
            real_sendall(sock, data)

        monkeypatch.setattr(socket.socket, "sendall", sendall)
        session = session_to(server)
        for body in (BODY, BODY, b""):
            session.request(POST, body=body)
        session.close()

    assert len(pieces) == 3
    assert all(piece.startswith(b"POST /info HTTP/1.1\r\n") for piece in pieces)
    assert [piece.endswith(b"\r\n\r\n" + BODY) for piece in pieces] == [True, True, False]


def test_idle_for_too_long_is_retired_instead_of_used(server: LoopbackServer) -> None:
    session = session_to(server, max_idle_s=0.0)
    session.request(GET)
    session.request(GET)

    stats = the_pool(session)
    assert_at_rest(stats, accepts=2)
    assert stats.closed == {CloseCause.EXPIRED: 1}
    session.close()


def test_base_url_may_have_a_path(server: LoopbackServer) -> None:
    targets: list[str] = []

    def note(received: Received) -> None:
        targets.append(received.target)
        received.reply()

    server.behave = note
    session = session_to(server, base_url=server.url + "/mirror/venue/")
    session.request(GET, params={"symbols": "A,B C", "limit": "5"})
    session.close()

    assert targets == ["/mirror/venue/api/v1/tickers?symbols=A%2CB+C&limit=5"]


def test_snapshot_is_shared_until_something_changes(session: PooledSession) -> None:
    session.request(GET)
    first = the_pool(session)

    assert the_pool(session) is first
    session.request(GET)
    assert the_pool(session) is not first
