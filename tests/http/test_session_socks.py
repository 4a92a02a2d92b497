"""Requests through a real SOCKS 5 proxy: the same reuse and the same traces."""

import pytest

from monitor.domain.errors import ConnectFailed, ErrorKind
from monitor.transport.resolver import AddressInfo, Resolver
from tests.fakes.listeners import address_info, closed_port
from tests.fakes.pooled import GET, assert_at_rest, assert_phases_add_up, next_cold, session_to, the_pool, traces_of
from tests.fakes.socks_proxy import socks_proxying
from tests.fakes.tls_server import SMALL_JSON, LoopbackServer, serving


def test_connection_through_it_is_traced_reused_and_resumed(server: LoopbackServer) -> None:
    with socks_proxying(user="me", password="word") as proxy:
        session = session_to(server, proxies={"all": f"socks5://me:word@127.0.0.1:{proxy.port}"})
        cold, warm = (session.request(GET).traces[0] for _ in range(2))

        assert (cold.is_cold, warm.is_cold) == (True, False)
        assert cold.tcp_s is not None
        assert cold.tls_s is not None
        assert_phases_add_up(cold)
        assert proxy.targets == ["127.0.0.1"]
        assert the_pool(session).connections[0].peer == f"127.0.0.1:{proxy.port}"
        assert next_cold(session, server).is_resumed is True
        assert_at_rest(the_pool(session), accepts=server.accepts)
        session.close()


def test_who_looks_the_name_up(server: LoopbackServer) -> None:
    with socks_proxying() as proxy:
        for scheme, target in (("socks5", "127.0.0.1"), ("socks5h", "a.test")):
            asked: list[str] = []

            def lookup(host: str, port: int, asked: list[str] = asked) -> list[AddressInfo]:
                asked.append(host)
                return [address_info("127.0.0.1", proxy.port if host == "127.0.0.1" else port)]

            session = session_to(
                server,
                base_url=f"https://a.test:{server.port}",
                resolver=Resolver(lookup),
                proxies={"all": f"{scheme}://127.0.0.1:{proxy.port}"},
            )
            assert session.request(GET).body == SMALL_JSON
            assert proxy.targets[-1] == target
            assert ("a.test" in asked) is (scheme == "socks5")
            session.close()


def test_wrong_password_unreachable_venue_and_no_proxy(server: LoopbackServer) -> None:
    with socks_proxying(user="me", password="right") as proxy:
        way = f"127.0.0.1:{proxy.port}"
        wrong = session_to(server, proxies={"all": f"socks5h://me:wrong@{way}"})
        nowhere = session_to(
            server, base_url=f"https://127.0.0.1:{closed_port()}", proxies={"all": f"socks5h://me:right@{way}"}
        )
        for session, words in ((wrong, "password"), (nowhere, "proxy")):
            with pytest.raises(ConnectFailed, match=words) as caught:
                session.request(GET)
            assert caught.value.kind is ErrorKind.CONNECT
            assert "wrong" not in caught.value.user_text + caught.value.detail
            assert_phases_add_up(traces_of(caught.value)[0])
            assert_at_rest(the_pool(session), accepts=0)
            assert the_pool(session).connect_failed == 1
            session.close()
    with serving(is_tls=False, on_accept=lambda sock: sock.sendall(b"HTTP/1.1 400 Bad\r\n\r\n") is None) as web:
        session = session_to(server, proxies={"all": f"socks5h://127.0.0.1:{web.port}"})
        with pytest.raises(ConnectFailed, match="proxy"):
            session.request(GET)
        session.close()
    assert server.accepts == 0
