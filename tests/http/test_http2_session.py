"""The HTTP/2 transport against a real h2 server: one connection, the same traces, the same promises."""

import gzip
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from monitor.domain.errors import (
    BudgetExhausted,
    ConnectFailed,
    ErrorKind,
    ReadOnlyViolation,
    ReplyTooLarge,
    TimedOut,
    TransportError,
)
from monitor.domain.telemetry import CloseCause
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.http2.session import Http2Session
from monitor.transport.interface import Endpoint, Transport
from monitor.transport.session import PooledSession
from tests.fakes.fake_clock import FakeClock
from tests.fakes.h2_server import Asked, H2Server, serving_h2
from tests.fakes.pooled import (
    ALLOWED,
    BODY,
    GET,
    PATIENT,
    POST,
    assert_at_rest,
    assert_phases_add_up,
    eventually,
    roomy_budget,
    traces_of,
)
from tests.fakes.tls_server import SMALL_JSON, serving

SECRET = "sUpErSeCrEt"


@pytest.fixture
def server() -> Iterator[H2Server]:
    with serving_h2() as running:
        yield running


def session_on(
    server: H2Server, *, budget: WeightBudget | None = None, base_url: str | None = None, **changes: Any
) -> Http2Session:
    return Http2Session(
        venue="venue",
        base_url=base_url or server.url,
        allowed=ALLOWED,
        budget=budget or roomy_budget(),
        config=replace(PATIENT, **changes),
        ssl_context=server.client_context(),
    )


def stats_of(session: Transport) -> Any:
    (stats,) = session.pool_stats()
    return stats


def test_cold_then_warm_with_every_phase(server: H2Server) -> None:
    session = session_on(server)
    cold = session.request(GET, params={"a": "b"})
    warm = session.request(POST, body=BODY, headers={"Content-Type": "application/json"})
    session.close()

    assert cold.body == warm.body == SMALL_JSON
    assert cold.content_type == "application/json"
    first, second = cold.traces[0], warm.traces[0]
    assert (first.is_cold, second.is_cold) == (True, False)
    assert first.tcp_s is not None
    assert first.tls_s is not None
    assert (first.is_resumed, first.addresses_tried) == (False, 1)
    assert (second.dns_s, second.tcp_s, second.tls_s, second.is_resumed) == (None, None, None, None)
    for trace in (first, second):
        assert trace.http_version == "2"
        assert trace.status == 200
        assert trace.request_bytes is not None
        assert trace.response_bytes is not None
        assert trace.response_bytes > len(SMALL_JSON)
        assert None not in (trace.send_s, trace.wait_s, trace.read_s)
        assert_phases_add_up(trace)
    assert first.connection_id == second.connection_id
    stats = stats_of(session)
    assert_at_rest(stats, accepts=server.accepts)
    assert (stats.attempts, stats.opened, stats.reused) == (2, 1, 1)
    assert stats.closed == {CloseCause.WITH_POOL: 1}
    assert (stats.connections[0].alpn, stats.connections[0].requests) == ("h2", 2)


def test_many_at_once_share_one_connection(server: H2Server) -> None:
    everyone = threading.Barrier(10, timeout=20.0)

    def behave(asked: Asked) -> None:
        everyone.wait()  # nobody is answered before all ten were asked
        asked.reply(asked.path.encode())

    server.behave = behave
    session = session_on(server)
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda number: session.request(GET, params={"n": str(number)}), range(10)))

    assert [reply.body for reply in replies] == [f"/api/v1/tickers?n={number}".encode() for number in range(10)]
    assert (server.accepts, server.links[0].most_at_once) == (1, 10)
    assert sum(trace.is_cold is True for reply in replies for trace in reply.traces) == 1
    stats = stats_of(session)
    assert (stats.opened, stats.reused, stats.peak_active, stats.idle) == (1, 9, 1, 1)
    session.close()
    assert_at_rest(stats_of(session), accepts=1)


def test_server_that_allows_few_streams_is_not_asked_more(server: H2Server) -> None:
    with serving_h2(max_streams=2) as few:
        session = session_on(few)
        session.request(GET)
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda _: session.request(GET), range(40)))
        assert {reply.body for reply in replies} == {SMALL_JSON}
        assert few.links[0].most_at_once <= 2
        assert few.accepts == 1
        session.close()


def test_graceful_goodbye_costs_nobody_anything(server: H2Server) -> None:
    """Replies that were promised before GOAWAY still come; the next request opens a new connection."""
    has_left, go_on = threading.Event(), threading.Event()

    def behave(asked: Asked) -> None:
        asked.link.go_away(asked.stream_id)
        has_left.set()
        go_on.wait(20)
        asked.reply()

    server.behave = behave
    session = session_on(server)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(session.request, GET)
        assert has_left.wait(20)
        server.behave = lambda asked: asked.reply()
        assert eventually(lambda: session.request(GET).traces[-1].is_cold is True)
        go_on.set()
        assert len(first.result(20).traces) == 1
    assert eventually(lambda: stats_of(session).closed.get(CloseCause.BY_SERVER) == 1)
    session.close()
    assert_at_rest(stats_of(session), accepts=2)


def test_refusal_goes_to_the_budget(server: H2Server) -> None:
    budget = WeightBudget(BudgetRule(venue="venue", limit=1000, window_s=60.0), FakeClock())
    server.behave = lambda asked: asked.reply(b"{}", status=429, headers=(("retry-after", "7"),))
    session = session_on(server, budget=budget)
    reply = session.request(GET)

    assert (reply.status, reply.retry_after_s) == (429, 7.0)
    assert session.budget_state().paused_for_s == 7.0
    with pytest.raises(BudgetExhausted):
        session.request(GET)
    assert server.served == 1
    session.close()


def test_one_reply_too_large_leaves_the_others_alone(server: H2Server) -> None:
    small = Endpoint(name="venue.get", method="GET", path="/api/v1/small", max_reply_bytes=1000)
    session = session_on(server)
    session.request(GET)
    server.behave = lambda asked: asked.reply(b"x" * (1001 if "small" in asked.path else 400_000))
    with pytest.raises(ReplyTooLarge):
        session.request(small)
    assert len(session.request(GET).body) == 400_000
    server.behave = lambda asked: asked.reply(
        gzip.compress(b"x" * 100_000) if "small" in asked.path else SMALL_JSON,
        headers=(("content-encoding", "gzip"),) if "small" in asked.path else (),
    )
    with pytest.raises(ReplyTooLarge):
        session.request(small)
    assert session.request(GET).body == SMALL_JSON

    assert server.accepts == 1
    session.close()
    assert_at_rest(stats_of(session), accepts=1)


def test_compressed_reply_is_decoded_and_a_broken_one_is_an_error(server: H2Server) -> None:
    session = session_on(server)
    server.behave = lambda asked: asked.reply(gzip.compress(SMALL_JSON), headers=(("content-encoding", "gzip"),))
    assert session.request(GET).body == SMALL_JSON
    server.behave = lambda asked: asked.reply(b"not gzip", headers=(("content-encoding", "gzip"),))
    with pytest.raises(TransportError):
        session.request(GET)
    session.close()


def test_deadline_of_one_request_is_not_that_of_the_others(server: H2Server) -> None:
    """A reply that trickles ends at its deadline; the connection and whoever else is on it go on."""
    stop = threading.Event()

    def behave(asked: Asked) -> None:
        if "slow" not in asked.path:
            asked.reply()
            return
        asked.link.send_part(asked.stream_id, b"[", is_first=True)
        while not stop.wait(0.02):
            asked.link.send_part(asked.stream_id, b" ", is_first=False)

    server.behave = behave
    session = session_on(server, deadline_s=0.5)
    patient = Endpoint(name="venue.slow", method="GET", path="/api/slow")
    session.request(GET)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(session.request, patient)
        for _ in range(5):
            assert session.request(GET).body == SMALL_JSON
        with pytest.raises(TimedOut) as caught:
            slow.result(20)
    stop.set()

    assert caught.value.phase == "deadline"
    assert_phases_add_up(traces_of(caught.value)[0])
    assert session.request(GET).traces[0].is_cold is False
    assert server.accepts == 1
    session.close()


def test_no_answer_is_a_timeout(server: H2Server) -> None:
    server.behave = lambda asked: None
    session = session_on(server, read_timeout_s=0.2)
    with pytest.raises(TimedOut) as caught:
        session.request(GET)
    assert caught.value.phase == "wait"
    assert caught.value.kind is ErrorKind.TIMEOUT
    session.close()
    assert_at_rest(stats_of(session), accepts=1)


def test_read_only_list_holds(server: H2Server) -> None:
    session = session_on(server)
    with pytest.raises(ReadOnlyViolation):
        session.request(Endpoint(name="x", method="POST", path="/api/v1/order"), body=b"{}")
    with pytest.raises(ReadOnlyViolation):
        session.request(GET, headers={"Host": "elsewhere.test"})
    with pytest.raises(ReadOnlyViolation):
        session.request(Endpoint(name="x", method="GET", path="/api/../order"))
    assert server.accepts == 0
    session.close()
    with pytest.raises(TransportError):
        session.request(GET)


def test_base_path_is_kept_and_cookies_are_not(server: H2Server) -> None:
    seen: list[dict[str, str]] = []

    def behave(asked: Asked) -> None:
        seen.append(asked.headers)
        asked.reply(headers=(("set-cookie", "a=b; Path=/"),))

    server.behave = behave
    session = session_on(server, base_url=server.url + "/venue")
    for _ in range(2):
        session.request(GET, params={"q": "1"})
    session.close()

    assert [one[":path"] for one in seen] == ["/venue/api/v1/tickers?q=1"] * 2
    assert not any("cookie" in one or "host" in one or "connection" in one for one in seen)


def test_untrusted_certificate_and_unknown_name(server: H2Server) -> None:
    with serving_h2() as stranger:
        session = Http2Session(
            venue="venue",
            base_url=server.url,
            allowed=ALLOWED,
            budget=roomy_budget(),
            config=PATIENT,
            ssl_context=stranger.client_context(),
        )
        with pytest.raises(ConnectFailed) as untrusted:
            session.request(GET)
    assert untrusted.value.kind is ErrorKind.TLS
    assert "certificate" in untrusted.value.user_text
    assert_at_rest(stats_of(session))
    assert stats_of(session).closed == {CloseCause.ERROR: 1}
    session.close()


def test_host_without_http2_is_asked_over_http11() -> None:
    with serving() as plain:
        context = plain.client_context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        budget = roomy_budget()

        def make() -> PooledSession:
            return PooledSession(
                venue="venue",
                base_url=plain.url,
                allowed=ALLOWED,
                budget=budget,
                config=PATIENT,
                ssl_context=plain.client_context(),
            )

        def session_with(fallback: Any) -> Http2Session:
            return Http2Session(
                venue="venue",
                base_url=plain.url,
                allowed=ALLOWED,
                budget=budget,
                config=PATIENT,
                ssl_context=context,
                make_fallback=fallback,
            )

        falling = session_with(make)
        assert [falling.request(GET).traces[0].http_version for _ in range(2)] == ["1.1", "1.1"]
        assert stats_of(falling).opened == 1
        falling.close()
        with pytest.raises(TransportError):
            falling.request(GET)

        strict = session_with(None)
        with pytest.raises(ConnectFailed, match="HTTP/2"):
            strict.request(GET)
        strict.close()


def test_second_connection_resumes_the_first(server: H2Server) -> None:
    session = session_on(server)
    session.request(GET)
    server.links[0].drop()
    assert eventually(lambda: stats_of(session).closed.get(CloseCause.STALE) == 1)
    trace = session.request(GET).traces[0]
    session.close()

    assert (trace.is_cold, trace.is_resumed) == (True, True)


def test_closing_lets_what_is_under_way_finish(server: H2Server) -> None:
    go_on = threading.Event()

    def behave(asked: Asked) -> None:
        go_on.wait(20)
        asked.reply()

    server.behave = behave
    session = session_on(server)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(session.request, GET)
        assert eventually(lambda: server.served == 1)
        session.close()
        go_on.set()
        assert under_way.result(20).body == SMALL_JSON
    assert eventually(lambda: sum(stats_of(session).closed.values()) == 1)
    assert_at_rest(stats_of(session), accepts=1)


def test_logs_and_errors_hold_no_query_and_no_header(server: H2Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    session = session_on(server)
    session.request(GET, params={"sign": SECRET}, headers={"api-sign": SECRET})
    server.behave = lambda asked: asked.link.drop()  # the repeated one as well
    with pytest.raises(TransportError) as caught:
        session.request(GET, params={"sign": SECRET}, headers={"api-sign": SECRET})
    session.close()

    assert SECRET not in caplog.text
    assert SECRET not in caught.value.user_text + caught.value.detail
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_chaos_adds_up(server: H2Server) -> None:
    """Sixteen threads, a server that drops the connection now and then: every request ends, every socket is booked."""

    def behave(asked: Asked) -> None:
        if asked.number % 13 == 0:
            asked.link.drop()
        else:
            asked.reply()

    server.behave = behave
    session = session_on(server)
    outcomes: list[str] = []

    def work(_: int) -> None:
        for _ in range(15):
            try:
                session.request(GET)
            except TransportError as error:
                outcomes.append(str(error.kind))
            else:
                outcomes.append("ok")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    session.close()

    assert len(outcomes) == 240
    assert outcomes.count("ok") > 120
    assert eventually(lambda: sum(stats_of(session).closed.values()) == stats_of(session).opened)
    assert_at_rest(stats_of(session), accepts=server.accepts)
