"""Requests through explicit proxies: the same reuse, the same traces, the same healing."""

import socket

import pytest

from monitor.domain.errors import ConnectFailed, ErrorKind
from monitor.domain.telemetry import CloseCause
from tests.fakes.connect_proxy import proxying
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
from tests.fakes.tls_server import SMALL_JSON, LoopbackServer, drop, serving


def test_tunnel_is_opened_once_and_reused(server: LoopbackServer) -> None:
    with proxying(user="me", password="word") as proxy:
        session = session_to(server, proxies={"https": proxy.url.replace("//", "//me:word@")})
        cold = session.request(GET).traces[0]
        warm = session.request(POST, body=BODY).traces[0]

        assert (cold.is_cold, warm.is_cold) == (True, False)
        assert cold.tls_s is not None
        assert proxy.targets == [f"127.0.0.1:{server.port}"]
        assert (proxy.accepts, server.accepts) == (1, 1)
        assert_phases_add_up(cold)
        assert_phases_add_up(warm)
        stats = the_pool(session)
        assert_at_rest(stats, accepts=1)
        assert stats.host == f"127.0.0.1:{server.port}"
        assert stats.connections[0].peer == f"127.0.0.1:{proxy.port}"
        session.close()
        assert eventually(lambda: server.open_connections == 0)


def test_bytes_of_connect_are_not_the_requests(server: LoopbackServer) -> None:
    direct = session_to(server)
    with proxying() as proxy:
        tunnelled = session_to(server, proxies={"all": proxy.url})
        ours, theirs = direct.request(GET).traces[0], tunnelled.request(GET).traces[0]

        assert (ours.request_bytes, ours.response_bytes) == (theirs.request_bytes, theirs.response_bytes)
        tunnelled.close()
    direct.close()


def test_stale_tunnel_is_healed(server: LoopbackServer) -> None:
    with proxying() as proxy:
        session = session_to(server, proxies={"https": proxy.url})
        session.request(POST, body=BODY)
        server.script.append(drop)
        reply = session.request(POST, body=BODY)

        assert reply.body == SMALL_JSON
        assert [trace.is_cold for trace in reply.traces] == [False, True]
        assert proxy.accepts == 2
        assert_at_rest(the_pool(session), accepts=2)
        session.close()


def test_proxy_that_wants_a_password(server: LoopbackServer) -> None:
    with proxying(user="me", password="right") as proxy:
        session = session_to(server, proxies={"https": proxy.url.replace("//", "//me:wrong@")})
        with pytest.raises(ConnectFailed) as caught:
            session.request(GET)

        assert caught.value.kind is ErrorKind.CONNECT
        assert "password" in caught.value.user_text
        assert "wrong" not in caught.value.user_text + caught.value.detail
        assert server.accepts == 0
        assert_at_rest(the_pool(session), accepts=1)  # the socket to the proxy
        assert the_pool(session).closed == {CloseCause.ERROR: 1}
        assert_phases_add_up(traces_of(caught.value)[0])
        session.close()


def test_proxy_that_cannot_reach_the_venue_and_one_that_is_gone(server: LoopbackServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nowhere = unused.getsockname()[1]
    with proxying() as proxy:
        session = session_to(server, base_url=f"https://127.0.0.1:{nowhere}", proxies={"https": proxy.url})
        with pytest.raises(ConnectFailed) as unreachable:
            session.request(GET)
        session.close()
        gone = proxy.url
    session = session_to(server, proxies={"https": gone})
    with pytest.raises(ConnectFailed) as refused:
        session.request(GET)
    session.close()

    for error in (unreachable.value, refused.value):
        assert error.kind is ErrorKind.CONNECT
        assert "proxy" in error.user_text


def test_plain_http_is_forwarded() -> None:
    with serving(is_tls=False) as server, proxying() as proxy:
        session = session_to(server, proxies={"http": proxy.url})
        replies = [session.request(GET, params={"a": "b"}) for _ in range(2)]

        assert [reply.body for reply in replies] == [SMALL_JSON] * 2
        assert proxy.targets == [f"{server.url}/api/v1/tickers?a=b"]
        assert_at_rest(the_pool(session), accepts=1)
        session.close()


def test_no_delay_also_through_a_proxy(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """urllib3 leaves Nagle's delay on for proxies unless it is told otherwise."""
    seen: list[int] = []
    real_connect = socket.socket.connect

    def connect(sock: socket.socket, address: tuple[str, int]) -> None:
        if address[1] == proxy.port:
            seen.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        real_connect(sock, address)

    with proxying() as proxy:
        monkeypatch.setattr(socket.socket, "connect", connect)
        session = session_to(server, proxies={"https": proxy.url})
        session.request(GET)
        session.close()

    assert seen == [1]


def test_unknown_kind_of_socks_is_refused_with_a_reason(server: LoopbackServer) -> None:
    session = session_to(server, proxies={"all": "socks4://127.0.0.1:9"})
    with pytest.raises(ConnectFailed, match="socks5"):
        session.request(GET)
    session.close()
