"""The staggered connect against real loopback sockets: who wins, who is closed, and when it gives up."""

import contextlib
import gc
import select
import socket
from collections.abc import Iterator
from time import perf_counter

import psutil
import pytest

from monitor.domain.errors import ConnectFailed, ErrorKind, TimedOut
from monitor.transport.dialing import DialDeadlinePassed, Dialing
from monitor.transport.resolver import Resolver
from tests.fakes.listeners import address_info, closed_port, deaf_listener, has_ipv6, listener
from tests.fakes.pooled import GET, assert_at_rest, assert_phases_add_up, next_cold, session_to, the_pool, traces_of
from tests.fakes.tls_server import serving

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="a full backlog answers differently on Windows")

needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on loopback here")

FOUR = "127.0.0.1"
SIX = "::1"


@pytest.fixture
def open_port() -> Iterator[socket.socket]:
    with listener() as sock:
        yield sock


def port_of(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def sockets_to(port: int) -> int:
    """How many of this process are connected or connecting there."""
    return sum(bool(one.raddr) and one.raddr.port == port for one in psutil.Process().net_connections("tcp"))


def in_a_minute() -> float:
    return perf_counter() + 60.0


@needs_ipv6
def test_deaf_ipv6_costs_the_stagger_not_the_timeout(open_port: socket.socket) -> None:
    with deaf_listener(SIX) as deaf:
        dialing = Dialing([address_info(SIX, deaf), address_info(FOUR, port_of(open_port))], 30.0, in_a_minute())
        dialed = dialing.connect()

    with dialed.sock:
        assert dialed.tried == 2
        assert dialed.sock.getpeername() == open_port.getsockname()
        assert dialed.sock.gettimeout() is None


@needs_ipv6
def test_family_without_a_route_costs_nothing(open_port: socket.socket) -> None:
    """An address that fails at once makes room for the next at once, however long the stagger."""
    dialing = Dialing(
        [address_info(SIX, closed_port(SIX)), address_info(FOUR, port_of(open_port))],
        30.0,
        in_a_minute(),
        stagger_s=10_000.0,
    )
    with dialing.connect().sock as sock:
        assert sock.family == socket.AF_INET
    assert dialing.tried == 2


def test_first_address_that_answers_is_the_only_one_tried(open_port: socket.socket) -> None:
    with listener() as other:
        addresses = [address_info(FOUR, port_of(open_port)), address_info(FOUR, port_of(other))]
        dialing = Dialing(addresses, 30.0, in_a_minute(), stagger_s=10_000.0)
        with dialing.connect().sock as sock:
            assert sock.getpeername() == open_port.getsockname()
        assert dialing.tried == 1
        assert select.select([other], [], [], 0.0)[0] == []


def test_losers_are_closed(open_port: socket.socket) -> None:
    with deaf_listener() as deaf:
        addresses = [address_info(FOUR, deaf), address_info(FOUR, deaf), address_info(FOUR, port_of(open_port))]
        before = sockets_to(deaf)
        dialing = Dialing(addresses, 30.0, in_a_minute(), stagger_s=0.01)
        with dialing.connect().sock:
            assert dialing.tried == 3
            assert sockets_to(deaf) == before
        # pytest turns the ResourceWarning of a socket that was only dropped into a failure.
        gc.collect()


def test_each_address_has_its_own_timeout(open_port: socket.socket) -> None:
    with deaf_listener() as deaf, deaf_listener() as deaf_too:
        addresses = [address_info(FOUR, deaf), address_info(FOUR, deaf_too)]
        dialing = Dialing(addresses, 0.3, in_a_minute(), stagger_s=0.05)
        with pytest.raises(TimeoutError):
            dialing.connect()
        assert dialing.tried == 2

        addresses.append(address_info(FOUR, port_of(open_port)))
        dialing = Dialing(addresses, 30.0, in_a_minute(), stagger_s=0.05)
        with dialing.connect().sock as sock:
            assert sock.getpeername() == open_port.getsockname()
        assert dialing.tried == 3


def test_all_refuse() -> None:
    dialing = Dialing([address_info(FOUR, closed_port()) for _ in range(3)], 30.0, in_a_minute(), stagger_s=10_000.0)
    with pytest.raises(ConnectionRefusedError):
        dialing.connect()
    assert dialing.tried == 3


@pytest.mark.parametrize("count", [1, 3])
def test_deadline_ends_it_whatever_an_address_may_take(count: int) -> None:
    with deaf_listener() as deaf:
        dialing = Dialing([address_info(FOUR, deaf)] * count, 30.0, perf_counter() + 0.1, stagger_s=0.02)
        with pytest.raises(TimeoutError):
            dialing.connect()
        over = Dialing([address_info(FOUR, deaf)] * count, 30.0, perf_counter() - 1.0)
        with pytest.raises(DialDeadlinePassed):
            over.connect()
        assert (dialing.tried, over.tried) == (count, 0)


def test_no_address_at_all() -> None:
    dialing = Dialing([], 30.0, in_a_minute())
    with pytest.raises(OSError, match="no address"):
        dialing.connect()
    assert dialing.tried == 0


def test_options_reach_every_attempt(open_port: socket.socket) -> None:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for addresses in (
        [address_info(FOUR, port_of(open_port))],
        [address_info(FOUR, closed_port()), address_info(FOUR, port_of(open_port))],
    ):
        with Dialing(addresses, 30.0, in_a_minute(), options=options).connect().sock as sock:
            assert all(sock.getsockopt(level, name) != 0 for level, name, _ in options)


# --- as a session sees it


def test_session_falls_back_remembers_who_answered_and_counts_one_socket() -> None:
    with serving() as server, contextlib.ExitStack() as stack:
        host = SIX if has_ipv6() else FOUR
        addresses = [address_info(host, stack.enter_context(deaf_listener(host))), address_info(FOUR, server.port)]
        resolver = Resolver(lambda host, port: addresses, ttl_s=60.0)
        session = session_to(server, base_url="https://a.test", resolver=resolver)
        first = session.request(GET).traces[0]
        second = next_cold(session, server)

        assert (first.is_cold, first.addresses_tried, first.is_dns_cached) == (True, 2, False)
        assert first.tcp_s is not None
        assert (second.addresses_tried, second.is_dns_cached) == (1, True)
        assert second.tcp_s is not None
        assert second.tcp_s < first.tcp_s
        assert_phases_add_up(first)
        assert_phases_add_up(second)
        assert_at_rest(the_pool(session), accepts=server.accepts)
        assert {card.address_family for card in the_pool(session).connections} == {"IPv4"}
        session.close()


def test_warm_request_has_nothing_to_say_of_addresses() -> None:
    with serving() as server:
        session = session_to(server)
        cold, warm = (session.request(GET).traces[0] for _ in range(2))
        session.close()

    assert (cold.addresses_tried, cold.is_dns_cached) == (1, None)  # the host was an address
    assert (warm.addresses_tried, warm.is_dns_cached, warm.is_resumed) == (None, None, None)


def test_addresses_that_fail_are_asked_for_anew() -> None:
    with serving() as server:
        addresses = [address_info(FOUR, closed_port())]
        resolver = Resolver(lambda host, port: addresses, ttl_s=3600.0, patience_s=30.0)
        session = session_to(server, base_url="https://a.test", resolver=resolver)
        with pytest.raises(ConnectFailed) as refused:
            session.request(GET)
        addresses[:] = [address_info(FOUR, server.port)]
        trace = session.request(GET).traces[0]

        assert refused.value.kind is ErrorKind.CONNECT
        assert traces_of(refused.value)[0].addresses_tried == 1
        assert (trace.is_cold, trace.is_dns_cached) == (True, False)
        assert the_pool(session).connect_failed == 1
        session.close()


def test_deaf_addresses_time_out_as_a_connect() -> None:
    with serving() as server, deaf_listener() as deaf:
        resolver = Resolver(lambda host, port: [address_info(FOUR, deaf)] * 2, ttl_s=60.0)
        session = session_to(server, base_url="https://a.test", resolver=resolver, connect_timeout_s=0.4)
        with pytest.raises(TimedOut) as caught:
            session.request(GET)

        assert caught.value.phase == "connect"
        assert traces_of(caught.value)[0].addresses_tried == 2
        assert_phases_add_up(traces_of(caught.value)[0])
        assert_at_rest(the_pool(session), accepts=0)
        session.close()


def test_only_ipv4_is_asked_for_where_that_is_wanted() -> None:
    with serving() as server:
        session = session_to(server, base_url=f"https://localhost:{server.port}", is_ipv4_only=True)
        trace = session.request(GET).traces[0]

        assert trace.addresses_tried == 1
        assert the_pool(session).connections[0].address_family == "IPv4"
        session.close()


def test_forgotten_network_is_looked_up_again() -> None:
    with serving() as server:
        asked: list[str] = []

        def lookup(host: str, port: int) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
            asked.append(host)
            return [address_info(FOUR, server.port)]

        session = session_to(
            server, base_url="https://a.test", resolver=Resolver(lookup, ttl_s=3600.0), tls_resumption=True
        )
        session.request(GET)
        session.forget_network()
        trace = next_cold(session, server)

        assert (trace.is_dns_cached, trace.is_resumed) == (False, False)
        assert asked == ["a.test"] * 2
        session.close()
