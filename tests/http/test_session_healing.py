"""A connection closed before it answered costs no failed request; nothing else is tried twice."""

import ssl
import threading
from collections.abc import Callable, Iterator

import pytest

from monitor.domain.errors import ConnectionDropped, ErrorKind, TimedOut, TransportError
from monitor.domain.telemetry import CloseCause
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.interface import Endpoint, Reply
from monitor.transport.session import PooledSession
from tests.fakes.fake_clock import FakeClock
from tests.fakes.pooled import (
    BODY,
    GET,
    POST,
    assert_at_rest,
    assert_phases_add_up,
    close_idle,
    session_to,
    the_pool,
    traces_of,
)
from tests.fakes.tls_server import LoopbackServer, Received, answer, drop, http_reply, reset, serving


@pytest.fixture(params=["tls 1.3", "tls 1.2", "plain"])
def server(request: pytest.FixtureRequest) -> Iterator[LoopbackServer]:
    version = ssl.TLSVersion.TLSv1_2 if request.param == "tls 1.2" else None
    with serving(is_tls=request.param != "plain", tls_version=version) as running:
        yield running


def ask(session: PooledSession, endpoint: Endpoint) -> Reply:
    return session.request(endpoint, body=BODY if endpoint.method == "POST" else None)


@pytest.mark.parametrize("endpoint", [GET, POST], ids=lambda endpoint: endpoint.method)
@pytest.mark.parametrize("end", [drop, reset])
def test_dropped_keep_alive_is_healed_once(
    server: LoopbackServer, session: PooledSession, endpoint: Endpoint, end: Callable[[Received], None]
) -> None:
    ask(session, endpoint)
    server.script.append(end)
    reply = ask(session, endpoint)

    first, second = reply.traces
    assert reply.status == 200
    assert (first.attempt, first.is_healed, first.is_cold, first.error_kind) == (1, True, False, ErrorKind.DROPPED)
    assert (second.attempt, second.is_healed, second.is_cold, second.error_kind) == (2, False, True, None)
    assert first.request_id == second.request_id
    assert first.response_bytes is None
    assert first.ttfb_s is None
    assert second.started_mono_s == first.ended_mono_s == reply.requested_mono_s
    assert_phases_add_up(first)
    assert_phases_add_up(second)
    stats = the_pool(session)
    assert_at_rest(stats, accepts=2)
    assert (stats.healed, stats.attempts) == (1, 3)
    assert stats.closed == {CloseCause.STALE: 1}


def test_healing_takes_a_new_connection_though_others_are_idle(server: LoopbackServer, session: PooledSession) -> None:
    """Sockets idle side by side go stale side by side; another idle one would be no better."""
    together = threading.Barrier(4)

    def all_at_once(received: Received) -> None:
        together.wait(10)
        received.reply()

    server.behave = all_at_once
    workers = [threading.Thread(target=session.request, args=(GET,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(20)
    assert the_pool(session).idle == 4
    server.behave = lambda received: (drop if received.number > 1 else answer)(received)
    traces = session.request(GET).traces

    assert [trace.is_cold for trace in traces] == [False, True]
    assert the_pool(session).idle == 4
    assert server.accepts == 5


def test_drop_of_a_new_connection_is_healed(server: LoopbackServer, session: PooledSession) -> None:
    """Until its first request has arrived, a server may call it idle."""
    server.script.append(drop)
    reply = session.request(GET)

    assert [(trace.is_cold, trace.is_healed) for trace in reply.traces] == [(True, True), (True, False)]
    for trace in reply.traces:
        assert_phases_add_up(trace)
    stats = the_pool(session)
    assert_at_rest(stats, accepts=2)
    assert (stats.healed, stats.closed) == (1, {CloseCause.ERROR: 1})


def test_a_kept_and_a_new_connection_dropped_in_a_row_are_healed(
    server: LoopbackServer, session: PooledSession
) -> None:
    session.request(GET)
    server.script.extend([drop, reset])
    reply = session.request(POST, body=BODY)

    assert [(trace.is_cold, trace.is_healed) for trace in reply.traces] == [(False, True), (True, True), (True, False)]
    stats = the_pool(session)
    assert_at_rest(stats, accepts=3)
    assert (stats.healed, stats.closed) == (2, {CloseCause.STALE: 1, CloseCause.ERROR: 1})


def test_a_server_that_drops_everything_is_asked_three_times_and_then_once_a_poll(
    server: LoopbackServer, session: PooledSession
) -> None:
    session.request(GET)
    server.behave = drop
    with pytest.raises(ConnectionDropped) as caught:
        session.request(GET)
    assert [(trace.is_healed, trace.error_kind) for trace in traces_of(caught.value)] == [
        (False, ErrorKind.DROPPED)
    ] * 3
    assert server.served == 4
    assert the_pool(session).healed == 0, "nothing was made good"
    for _ in range(3):
        with pytest.raises(ConnectionDropped) as caught:
            session.request(GET)
        (trace,) = traces_of(caught.value)
        assert (trace.is_healed, trace.error_kind) == (False, ErrorKind.DROPPED)
    assert server.served == 7

    # The first answer ends the caution.
    server.behave = answer
    session.request(GET)
    server.script.extend([drop, drop])
    assert [trace.is_healed for trace in session.request(GET).traces] == [True, True, False]
    assert the_pool(session).healed == 2
    assert_at_rest(the_pool(session), accepts=server.accepts)


@pytest.mark.parametrize("sent", [1, 40, 300], ids=["a byte", "some headers", "some of the body"])
def test_drop_after_a_byte_is_not_repeated(server: LoopbackServer, session: PooledSession, sent: int) -> None:
    session.request(GET)

    def begin_and_drop(received: Received) -> None:
        received.connection.send(http_reply(b"x" * 1000)[: sent if sent < 300 else 900])
        received.connection.close()

    server.script.append(begin_and_drop)
    with pytest.raises(TransportError) as caught:
        session.request(GET)

    assert len(traces_of(caught.value)) == 1
    assert traces_of(caught.value)[0].response_bytes is not None
    assert server.served == 2
    stats = the_pool(session)
    assert_at_rest(stats, accepts=1)
    assert stats.closed == {CloseCause.ERROR: 1}


def test_time_out_on_a_reused_connection_is_not_repeated(server: LoopbackServer) -> None:
    done = threading.Event()
    session = session_to(server, read_timeout_s=0.2)
    session.request(GET)

    def hang(received: Received) -> None:
        done.wait(10)

    server.script.append(hang)
    with pytest.raises(TimedOut) as caught:
        session.request(POST, body=BODY)
    done.set()
    session.close()

    assert caught.value.phase == "wait"
    assert len(traces_of(caught.value)) == 1
    assert server.served == 2
    assert the_pool(session).healed == 0
    assert the_pool(session).closed == {CloseCause.ERROR: 1}


def test_healed_request_is_charged_once(server: LoopbackServer) -> None:
    budget = WeightBudget(BudgetRule(venue="venue", limit=100, window_s=60.0), FakeClock())
    session = session_to(server, budget=budget)
    session.request(GET, weight=5)
    server.script.append(drop)
    traces = session.request(GET, weight=7).traces
    session.close()

    assert [trace.weight for trace in traces] == [0, 7]
    assert budget.state().used == 12


def test_session_tickets_are_not_mistaken_for_a_close(server: LoopbackServer, session: PooledSession) -> None:
    """TLS 1.3 servers send tickets after the handshake: the idle socket is readable, and alive."""
    for _ in range(5):
        session.request(GET)

    assert server.accepts == 1


def test_unasked_bytes_after_a_reply_end_the_connection(server: LoopbackServer, session: PooledSession) -> None:
    """What follows a reply could be taken for the next one."""
    server.script.append(lambda received: received.connection.send(http_reply() + http_reply(b'"other"')))
    session.request(GET)
    reply = session.request(GET)

    assert reply.body != b'"other"'
    assert server.accepts == 2
    assert_at_rest(the_pool(session), accepts=2)


def test_stale_sockets_all_heal(server: LoopbackServer, session: PooledSession) -> None:
    for endpoint in (GET, POST, GET, POST):
        ask(session, endpoint)
        close_idle(server, 1)
        assert ask(session, endpoint).status == 200

    assert_at_rest(the_pool(session), accepts=server.accepts)
