"""The HTTP/2 connection is opened ahead, replaced, kept warm and learned from, as those of HTTP/1.1 are."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from monitor.assembly import assemble, tune
from monitor.desk.http import ConnectionCare
from monitor.desktop.settings import Settings
from monitor.domain.errors import TransportError
from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.state.pool_words import describe_protocols
from monitor.transport.alpn import ProtocolProbe
from monitor.transport.http2.session import Http2Session
from monitor.transport.interface import Endpoint, Question, TendedTransport
from monitor.transport.session import PooledSession
from tests.fakes.h2_server import Asked, H2Server, serving_h2
from tests.fakes.pooled import (
    ALLOWED,
    GET,
    PATIENT,
    assert_adds_up,
    assert_at_rest,
    eventually,
    roomy_budget,
)
from tests.fakes.tls_server import LoopbackServer, serving

DEPTH = Endpoint(name="bitunix.depth", method="GET", path="/api/v1/futures/market/depth")


@pytest.fixture
def server() -> Iterator[H2Server]:
    with serving_h2() as running:
        yield running


@pytest.fixture
def sessions() -> Iterator[list[TendedTransport]]:
    made: list[TendedTransport] = []
    yield made
    for session in made:
        session.close()


def session_on(server: H2Server, sessions: list[TendedTransport], **changes: Any) -> Http2Session:
    session = Http2Session(
        venue="venue",
        base_url=server.url,
        allowed=ALLOWED,
        budget=roomy_budget(),
        config=replace(PATIENT, **changes),
        ssl_context=server.client_context(),
    )
    sessions.append(session)
    return session


def stats_of(session: TendedTransport) -> PoolStats:
    (stats,) = session.pool_stats()
    return stats


def ago(session: Http2Session, *, opened_s: float = 0.0, idle_s: float = 0.0) -> None:
    """Let the open connection be so much older."""
    entry = session._connector.entry
    assert entry is not None
    entry.opened_s -= opened_s
    if idle_s:
        assert entry.idle_since_s is not None
        entry.idle_since_s -= idle_s


def test_one_connection_is_opened_ahead_and_its_first_request_says_so(
    server: H2Server, sessions: list[TendedTransport]
) -> None:
    session = session_on(server, sessions)
    assert session.prewarm(4) == 1, "one serves all"
    assert session.prewarm(4) == 0
    stats = stats_of(session)
    assert (stats.idle, stats.opened, stats.prewarmed, stats.attempts) == (1, 1, 1, 0)
    assert [(card.is_prewarmed, card.requests, card.alpn) for card in stats.connections] == [(True, 0, "h2")]

    first, second = session.request(GET).traces[0], session.request(GET).traces[0]

    assert (first.is_cold, first.is_prewarmed) == (False, True)
    assert (second.is_cold, second.is_prewarmed) == (False, False)
    assert (first.dns_s, first.tcp_s, first.tls_s) == (None, None, None)
    assert_at_rest(stats_of(session), accepts=1)


def test_opening_ahead_in_vain_disturbs_nobody(server: H2Server, sessions: list[TendedTransport]) -> None:
    session = session_on(server, sessions, connect_timeout_s=1.0)
    server.stop()

    assert session.prewarm(1) == 0
    assert session.pool_stats() == ()
    session.close()
    assert session.prewarm(1) == 0


def test_what_is_told_of_the_protocol_comes_from_its_own_handshake(
    server: H2Server, sessions: list[TendedTransport]
) -> None:
    session = session_on(server, sessions)
    session.ask_protocols()
    session.request(GET)

    stats = stats_of(session)
    assert stats.offered_protocols == ("h2",)
    assert describe_protocols(stats) == "HTTP/2 in use: one socket for all requests"
    assert server.accepts == 1, "nobody had to be asked"


def test_idle_times_are_learned_and_the_limit_is_kept(server: H2Server, sessions: list[TendedTransport]) -> None:
    session = session_on(server, sessions)
    for drops in (1, 2):
        session.request(GET)
        ago(session, idle_s=60.0)
        server.links[-1].drop()
        assert eventually(lambda wanted=drops: stats_of(session).closed.get(CloseCause.STALE) == wanted)  # type: ignore[misc]  # bound now
    (fit,) = session.learned()
    assert fit.samples == 2
    assert fit.shortest_dropped_s == pytest.approx(60.0, abs=5.0)

    session.request(GET)
    session.housekeeper.tick(perf_counter() + 40.0)
    assert stats_of(session).idle == 1
    session.housekeeper.tick(perf_counter() + 55.0)
    assert stats_of(session).closed == {CloseCause.STALE: 2, CloseCause.EXPIRED: 1}
    assert stats_of(session).fit is not None
    assert stats_of(session).sizing is not None

    heir = session_on(server, sessions)
    heir.adopt(session.learned())
    assert heir.learned()[0].shortest_dropped_s == fit.shortest_dropped_s


def test_a_goodbye_to_an_idle_connection_is_a_limit_too(server: H2Server, sessions: list[TendedTransport]) -> None:
    session = session_on(server, sessions)
    session.request(GET)
    ago(session, idle_s=60.0)
    server.links[0].go_away(1)
    assert eventually(lambda: stats_of(session).closed.get(CloseCause.BY_SERVER) == 1)

    (fit,) = session.learned()
    assert [(bucket.survived, bucket.dropped) for bucket in fit.buckets] == [(0, 1)]


def test_a_kept_connection_that_died_at_the_send_was_stale(server: H2Server, sessions: list[TendedTransport]) -> None:
    session = session_on(server, sessions)
    session.request(GET)
    ago(session, idle_s=60.0)

    def behave(asked: Asked) -> None:
        asked.link.drop()
        server.behave = lambda next_one: next_one.reply()

    server.behave = behave
    assert [trace.is_healed for trace in session.request(GET).traces] == [True, False]

    assert stats_of(session).closed == {CloseCause.STALE: 1}
    (fit,) = session.learned()
    assert (fit.buckets[-1].survived, fit.buckets[-1].dropped) == (0, 1)
    assert fit.buckets[-1].idle_from_s <= 60.0 < fit.buckets[-1].idle_to_s + 10.0


def test_too_old_is_replaced_before_it_goes_and_its_last_request_ends_in_peace(
    server: H2Server, sessions: list[TendedTransport]
) -> None:
    session = session_on(server, sessions, max_age_s=100.0)
    go_on = threading.Event()
    session.request(GET)
    ago(session, opened_s=89.0)
    session.housekeeper.tick(perf_counter())
    assert stats_of(session).closed == {}

    def behave(asked: Asked) -> None:
        go_on.wait(20)
        asked.reply()

    server.behave = behave
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(session.request, GET)
        assert eventually(lambda: server.served == 2)
        ago(session, opened_s=12.0)
        session.housekeeper.tick(perf_counter())
        server.behave = lambda asked: asked.reply()
        after = session.request(GET).traces[0]
        go_on.set()
        assert len(under_way.result(20).traces) == 1

    assert (after.is_cold, after.is_prewarmed) == (False, True)
    assert eventually(lambda: stats_of(session).closed == {CloseCause.EXPIRED: 1})
    stats = stats_of(session)
    assert (stats.idle, stats.opened, stats.prewarmed) == (1, 2, 1)
    assert_at_rest(stats, accepts=2)


def test_too_old_and_not_replaceable_goes_when_it_is_overdue(server: H2Server, sessions: list[TendedTransport]) -> None:
    session = session_on(server, sessions, max_age_s=100.0, connect_timeout_s=0.5, deadline_s=2.0)
    session.request(GET)
    session.housekeeper.tick(perf_counter())
    server._listener.close()
    ago(session, opened_s=101.0)
    session.housekeeper.tick(perf_counter())
    assert stats_of(session).idle == 1
    ago(session, opened_s=30.0)
    session.housekeeper.tick(perf_counter())

    assert stats_of(session).closed == {CloseCause.EXPIRED: 1}


def test_the_connection_is_kept_warm_while_the_venue_is_in_use(
    server: H2Server, sessions: list[TendedTransport]
) -> None:
    session = session_on(server, sessions, keep_warm=Question(endpoint=GET))
    session.request(GET)
    start_s = perf_counter()
    session.housekeeper.tick(start_s)
    session.housekeeper.tick(start_s + 100.0)
    assert server.served == 1
    session.housekeeper.tick(start_s + 295.0)

    assert (server.served, stats_of(session).kept_warm, server.accepts) == (2, 1, 1)
    server.links[0].drop()
    assert eventually(lambda: stats_of(session).idle == 0)
    session.housekeeper.tick(start_s + 300.0)
    assert (stats_of(session).idle, stats_of(session).prewarmed) == (1, 1), "another one is there before it is needed"
    session.housekeeper.tick(start_s + 2_000.0)
    assert stats_of(session).kept_warm == 1


def test_tuning_is_followed_by_the_connection(server: H2Server, sessions: list[TendedTransport]) -> None:
    session = session_on(server, sessions)
    session.request(GET)
    session.tune(pool_maxsize=5, is_sizing_automatic=False, max_age_s=10.0, keep_warm=None)
    ago(session, opened_s=11.0)
    session.housekeeper.tick(perf_counter())

    assert stats_of(session).closed == {CloseCause.EXPIRED: 1}
    assert session.request(GET).traces[0].is_cold is False


def test_looking_after_it_disturbs_no_request_of_eight_threads(
    server: H2Server, sessions: list[TendedTransport]
) -> None:
    session = session_on(server, sessions, keep_warm=Question(endpoint=GET))
    is_over = threading.Event()
    failed: list[BaseException] = []

    def tend() -> None:
        while not is_over.is_set():
            entry = session._connector.entry
            if entry is not None:
                entry.opened_s -= 1_000.0
            session.housekeeper.tick(perf_counter())
            session.prewarm(1)
            for stats in session.pool_stats():
                try:
                    assert_adds_up(stats)
                except AssertionError as error:
                    failed.append(error)

    def work(_: int) -> None:
        for _ in range(40):
            try:
                session.request(GET)
            except TransportError as error:
                failed.append(error)

    tender = threading.Thread(target=tend)
    tender.start()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    is_over.set()
    tender.join(30)

    assert failed == []
    session.close()
    assert eventually(lambda: sum(stats_of(session).closed.values()) == stats_of(session).opened)
    assert stats_of(session).closed.get(CloseCause.EXPIRED, 0) > 2
    assert_at_rest(stats_of(session), accepts=server.accepts)


# A host without HTTP/2


def falling_back(plain: LoopbackServer, sessions: list[TendedTransport], made: list[PooledSession]) -> Http2Session:
    context = plain.client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])

    def make() -> PooledSession:
        made.append(
            PooledSession(
                venue="venue",
                base_url=plain.url,
                allowed=ALLOWED,
                budget=roomy_budget(),
                config=PATIENT,
                ssl_context=plain.client_context(),
                probe=ProtocolProbe(plain.client_context, delay_s=0.0),
            )
        )
        return made[-1]

    session = Http2Session(
        venue="venue",
        base_url=plain.url,
        allowed=ALLOWED,
        budget=roomy_budget(),
        config=PATIENT,
        ssl_context=context,
        make_fallback=make,
    )
    sessions.append(session)
    return session


def test_the_fallback_is_looked_after_as_was_wished_before_it_existed(sessions: list[TendedTransport]) -> None:
    made: list[PooledSession] = []
    with serving() as plain:
        session = falling_back(plain, sessions, made)
        session.keep_house()
        session.ask_protocols()
        session.tune(pool_maxsize=3, is_sizing_automatic=False, max_age_s=50.0, keep_warm=None)
        assert session.prewarm(2) == 2, "finding out costs one handshake, then HTTP/1.1 is opened ahead"

        (fallback,) = made
        assert session.request(GET).traces[0].is_prewarmed
        assert stats_of(session).max_connections == 3
        assert fallback._config.max_age_s == 50.0
        assert "housekeeper" in {thread.name for thread in threading.enumerate()}
        assert eventually(lambda: stats_of(session).offered_protocols == ())
        assert describe_protocols(stats_of(session)) == "HTTP/2: not offered"
        assert session.learned() == fallback.learned()
        session.close()


def test_the_care_of_a_run_serves_http2_and_its_fallback_alike(tmp_path: Path) -> None:
    """Two venues set to HTTP/2, one of whose hosts does not speak it: both opened ahead, tuned and handed on."""
    with serving_h2() as modern, serving_h2(protocols=("http/1.1",)) as old:
        ca_file = tmp_path / "ca.pem"
        ca_file.write_bytes(modern.authority.cert_pem.bytes() + old.authority.cert_pem.bytes())
        settings = Settings(http2_venues=("bitunix", "hyperliquid"), prewarm_connections=1)
        urls = {"bitunix": modern.url, "hyperliquid": old.url}
        runtimes = assemble(["bitunix", "hyperliquid"], settings, base_urls=urls, ca_file=ca_file)
        transport = runtimes["bitunix"].transport
        other = runtimes["hyperliquid"].transport
        assert isinstance(transport, Http2Session)
        assert isinstance(other, Http2Session)
        care = ConnectionCare(None, asks_protocols=True)
        care.begin(runtimes, settings)

        assert eventually(lambda: the_pool_of(transport).prewarmed == 1)
        assert eventually(lambda: isinstance(other._fallback, PooledSession))
        assert eventually(lambda: sum(pool.prewarmed for pool in other.pool_stats()) == 1)
        tune(runtimes, replace(settings, max_age_s=77.0))
        assert transport.housekeeper.config.max_age_s == 77.0
        assert transport.request(DEPTH).traces[0].is_prewarmed
        assert eventually(lambda: transport.available_in_s(1) == 0.0)
        assert transport.request(DEPTH).traces[0].is_cold is False
        (fit,) = transport.learned()
        assert fit.samples == 2
        # Settings changed: what was learned goes over to the transports that follow.
        heirs = assemble(["bitunix"], settings, base_urls=urls, ca_file=ca_file)
        care.begin(heirs, replace(settings, prewarm_connections=0))
        heir = heirs["bitunix"].transport
        assert isinstance(heir, Http2Session)
        assert [one.samples for one in heir.learned()] == [2]
        care.close()
        for runtime in (*runtimes.values(), *heirs.values()):
            runtime.transport.close()


def the_pool_of(session: Http2Session) -> PoolStats:
    """Its only pool, or an empty one before the first connection."""
    pools = session.pool_stats()
    return pools[0] if pools else PoolStats(venue="venue", host="", scheme="https")
