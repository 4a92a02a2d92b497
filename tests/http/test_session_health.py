"""Connections opened ahead, found dead while idle, replaced, resized: on real TLS sockets, and nobody notices."""

import random
import threading
from time import perf_counter

import pytest

from monitor.domain.errors import MonitorError
from monitor.domain.telemetry import CloseCause
from monitor.transport.interface import Question
from monitor.transport.session import PooledSession
from tests.fakes.pooled import GET, assert_adds_up, assert_at_rest, close_idle, eventually, session_to, the_pool
from tests.fakes.tls_server import LoopbackServer


def test_connections_opened_ahead_survive_their_session_tickets(server: LoopbackServer, session: PooledSession) -> None:
    """TLS 1.3: the tickets lie unread in the socket, which looks like a close to whoever only polls it."""
    assert session.prewarm(3) == 3
    stats = the_pool(session)
    assert (stats.idle, stats.opened, stats.prewarmed, stats.attempts) == (3, 3, 3, 0)
    assert {card.tls_version for card in stats.connections} == {"TLSv1.3"}
    assert all(card.is_prewarmed and card.requests == 0 for card in stats.connections)

    first, second = session.request(GET).traces[0], session.request(GET).traces[0]

    assert (first.is_cold, first.is_prewarmed) == (False, True)
    assert (second.is_cold, second.is_prewarmed) == (False, False)
    assert first.connection_id == second.connection_id
    assert_at_rest(the_pool(session), accepts=3)


def test_no_more_are_opened_than_are_missing(server: LoopbackServer, session: PooledSession) -> None:
    session.request(GET)
    assert session.prewarm(2) == 1
    assert session.prewarm(2) == 0
    assert server.accepts == 2


def test_opening_ahead_in_vain_disturbs_nobody(server: LoopbackServer, session: PooledSession) -> None:
    server.on_accept = lambda sock: False
    assert session.prewarm(2) == 0
    stats = the_pool(session)
    assert_at_rest(stats)
    assert (stats.idle, stats.connect_failed, stats.attempts) == (0, 0, 0)
    server.on_accept = lambda sock: True

    assert session.request(GET).traces[0].is_cold
    session.close()
    assert session.prewarm(2) == 0


def test_dead_socket_is_found_while_it_idles(server: LoopbackServer, session: PooledSession) -> None:
    session.prewarm(2)
    close_idle(server, 1)
    assert eventually(lambda: _ticked(session) == 1)

    assert the_pool(session).closed == {CloseCause.STALE: 1}
    assert session.request(GET).traces[0].is_cold is False
    assert the_pool(session).healed == 0


def _ticked(session: PooledSession) -> int:
    session.housekeeper.tick(perf_counter())
    return the_pool(session).idle


def test_learned_limit_ends_idle_sockets_before_the_host_does(server: LoopbackServer, session: PooledSession) -> None:
    session.request(GET)
    with session._accounts[("https", server.host, server.port)].lock:
        times = session._accounts[("https", server.host, server.port)].idle_times
        for _ in range(2):
            times.survived(60.0)
            times.dropped_after_all(60.0)
    session.housekeeper.tick(perf_counter() + 40.0)
    assert the_pool(session).idle == 1
    session.housekeeper.tick(perf_counter() + 49.0)

    stats = the_pool(session)
    assert (stats.idle, stats.closed) == (0, {CloseCause.EXPIRED: 1})
    assert stats.fit is not None
    assert stats.fit.retire_after_s == pytest.approx(48.0)
    heir = session_to(server)
    heir.adopt(session.learned())
    heir.request(GET)
    assert heir.learned()[0].shortest_dropped_s == 60.0
    heir.close()


def test_too_old_is_replaced_before_it_goes(server: LoopbackServer) -> None:
    session = session_to(server, max_age_s=100.0)
    session.request(GET)
    (account,) = session._accounts.values()
    (entry,) = account.sockets.values()
    entry.opened_s -= 89.0
    session.housekeeper.tick(perf_counter())
    assert the_pool(session).closed == {}
    entry.opened_s -= 12.0
    session.housekeeper.tick(perf_counter())

    stats = the_pool(session)
    assert (stats.closed, stats.idle, stats.prewarmed) == ({CloseCause.EXPIRED: 1}, 1, 1)
    assert session.request(GET).traces[0].is_cold is False
    assert_at_rest(the_pool(session), accepts=2)
    session.close()


def test_one_idle_connection_is_kept_warm_while_the_venue_is_in_use(server: LoopbackServer) -> None:
    session = session_to(server, keep_warm=Question(endpoint=GET))
    session.request(GET)
    start_s = perf_counter()
    session.housekeeper.tick(start_s)
    served = server.served
    session.housekeeper.tick(start_s + 100.0)
    assert server.served == served
    session.housekeeper.tick(start_s + 295.0)

    assert (server.served, the_pool(session).kept_warm, server.accepts) == (served + 1, 1, 1)
    session.housekeeper.tick(start_s + 2_000.0)
    assert the_pool(session).kept_warm == 1
    session.close()


def test_leased_connection_is_not_touched(server: LoopbackServer, session: PooledSession) -> None:
    is_held, may_go = threading.Event(), threading.Event()

    def hold(received: object) -> None:
        is_held.set()
        may_go.wait(20)
        received.reply()  # type: ignore[attr-defined]  # a Received

    server.script.append(hold)
    worker = threading.Thread(target=session.request, args=(GET,))
    worker.start()
    assert is_held.wait(20)
    session.housekeeper.tick(perf_counter() + 1e6)
    assert the_pool(session).active == 1
    may_go.set()
    worker.join(20)

    assert the_pool(session).closed == {}


@pytest.mark.parametrize("is_blocking", [False, True])
def test_resizing_under_sixteen_threads_fails_no_request(server: LoopbackServer, is_blocking: bool) -> None:
    session = session_to(server, pool_maxsize=8, pool_block=is_blocking)
    failed: list[BaseException] = []
    is_over = threading.Event()

    def work() -> None:
        for _ in range(60):
            try:
                session.request(GET)
                assert_adds_up(the_pool(session))
            except (MonitorError, AssertionError) as error:
                failed.append(error)

    def tend() -> None:
        rng = random.Random(5)
        while not is_over.is_set():
            session.tune(
                pool_maxsize=rng.randint(1, 20),
                is_sizing_automatic=rng.random() < 0.5,
                max_age_s=1_800.0,
                keep_warm=None,
            )
            session.prewarm(rng.randint(0, 4))
            session.housekeeper.tick(perf_counter() + rng.choice([0.0, 400.0]))

    workers = [threading.Thread(target=work) for _ in range(16)]
    tender = threading.Thread(target=tend)
    tender.start()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    is_over.set()
    tender.join(20)
    session.tune(pool_maxsize=2, is_sizing_automatic=False, max_age_s=1_800.0, keep_warm=None)

    assert failed == []
    stats = the_pool(session)
    assert_at_rest(stats, accepts=server.accepts)
    assert stats.idle <= 2
    assert stats.sizing is not None
    session.close()
    assert the_pool(session).idle == 0


def test_automatic_pool_grows_instead_of_throwing_away(server: LoopbackServer) -> None:
    session = session_to(server, pool_maxsize=2, is_sizing_automatic=True)
    together = threading.Barrier(6)

    def all_at_once(received: object) -> None:
        together.wait(20)
        received.reply()  # type: ignore[attr-defined]  # a Received

    server.behave = all_at_once
    workers = [threading.Thread(target=session.request, args=(GET,)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)

    stats = the_pool(session)
    assert (stats.discarded, stats.max_connections, stats.idle) == (0, 6, 6)
    session.close()
