"""The extra handshake that finds out whether a host speaks HTTP/2."""

import threading

from monitor.transport.accounts import OriginAccount
from monitor.transport.alpn import ProtocolProbe, chosen_protocols
from monitor.transport.session import PooledSession
from tests.fakes.connect_proxy import proxying
from tests.fakes.fake_clock import FakeClock
from tests.fakes.h2_server import H2Server, serving_h2
from tests.fakes.pooled import ALLOWED, GET, PATIENT, assert_at_rest, eventually, roomy_budget, the_pool
from tests.fakes.tls_server import LoopbackServer, serving


def account() -> OriginAccount:
    return OriginAccount(venue="venue", scheme="https", host="x")


def probe_for(server: H2Server | LoopbackServer, clock: FakeClock | None = None) -> ProtocolProbe:
    return ProtocolProbe(server.client_context, delay_s=0.0, spacing_s=0.0, clock=clock or FakeClock())


def test_choice_of_real_servers() -> None:
    with serving_h2() as both, serving_h2(protocols=("http/1.1",)) as old, serving() as none:
        chosen = []
        for server in (both, old, none):
            context = server.client_context()
            context.set_alpn_protocols(["h2", "http/1.1"])
            chosen.append(chosen_protocols("127.0.0.1", server.port, context))
    assert chosen == [("h2",), ("http/1.1",), ()]


def test_host_is_asked_once_a_day() -> None:
    clock = FakeClock()
    with serving_h2() as server:
        probe, books = probe_for(server, clock), account()
        probe.want(books, "127.0.0.1", server.port)
        probe.want(books, "127.0.0.1", server.port)
        assert eventually(lambda: books.stats().offered_protocols == ("h2",))
        assert books.stats().opened == 0
        clock.advance(86_399.0)
        probe.want(books, "127.0.0.1", server.port)
        assert server.accepts == 1
        clock.advance(1.0)
        probe.want(books, "127.0.0.1", server.port)
        assert eventually(lambda: server.accepts == 2)


def test_host_that_cannot_be_asked_stays_unknown() -> None:
    with serving_h2() as server, serving_h2() as stranger:
        probe, books, others = probe_for(stranger), account(), account()
        probe.want(books, "127.0.0.1", server.port)
        probe.want(others, "127.0.0.1", stranger.port)
        assert eventually(lambda: others.stats().offered_protocols == ("h2",))
        assert books.stats().offered_protocols is None


def test_closing_a_probe_ends_its_thread_and_asks_nobody_any_more() -> None:
    with serving_h2() as server:
        probe = ProtocolProbe(server.client_context, delay_s=60.0)
        probe.want(account(), "127.0.0.1", server.port)
        assert any(thread.name == "protocol probe" for thread in threading.enumerate())

        probe.close()
        probe.want(account(), "localhost", server.port)

        assert not any(thread.name == "protocol probe" for thread in threading.enumerate())


def test_session_has_its_host_asked_when_told_but_not_through_a_proxy() -> None:
    with serving() as server, proxying() as proxy:
        for proxies in (None, {"https": proxy.url}):
            accepted = server.accepts
            session = PooledSession(
                venue="venue",
                base_url=server.url,
                allowed=ALLOWED,
                budget=roomy_budget(),
                config=PATIENT if proxies is None else PATIENT.__class__(proxies=proxies),
                ssl_context=server.client_context(),
                probe=probe_for(server),
            )
            for _ in range(3):
                session.request(GET)
            assert server.accepts == accepted + 1
            session.ask_protocols()
            if proxies is None:
                assert eventually(lambda: the_pool(session).offered_protocols == ())  # noqa: B023 - called at once
                assert server.accepts == accepted + 2
            else:
                assert the_pool(session).offered_protocols is None
            assert_at_rest(the_pool(session))
            assert the_pool(session).opened == 1
            session.close()
