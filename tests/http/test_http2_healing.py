"""Over HTTP/2, too, a connection that is dropped before it answered costs no request."""

import random
import socket
import ssl
import threading
from collections.abc import Iterator

import pytest
from h2.errors import ErrorCodes

from monitor.domain.errors import ConnectionDropped, MonitorError
from monitor.domain.telemetry import CloseCause
from monitor.transport.http2.lease import Connector
from tests.fakes.h2_server import Asked, H2Server, serving_h2
from tests.fakes.pooled import BODY, GET, POST, assert_at_rest, assert_phases_add_up, eventually, side_by_side
from tests.http.test_http2_session import session_on, stats_of


@pytest.fixture
def server() -> Iterator[H2Server]:
    with serving_h2() as running:
        yield running


def test_request_that_was_not_taken_up_is_repeated(server: H2Server) -> None:
    def behave(asked: Asked) -> None:
        if asked.link is server.links[0] and asked.number == 2:
            asked.link.go_away(asked.stream_id - 2)
            return
        asked.reply()

    server.behave = behave
    session = session_on(server)
    session.request(GET)
    reply = session.request(POST, body=BODY)

    assert [(trace.is_cold, trace.is_healed) for trace in reply.traces] == [(False, True), (True, False)]
    assert stats_of(session).healed == 1
    session.close()
    assert_at_rest(stats_of(session), accepts=2)


def test_closed_connection_is_found_before_use_or_healed(server: H2Server) -> None:
    session = session_on(server)
    session.request(GET)
    server.links[0].drop()
    assert eventually(lambda: stats_of(session).closed.get(CloseCause.STALE) == 1)
    assert [trace.is_cold for trace in session.request(GET).traces] == [True]

    def behave(asked: Asked) -> None:
        asked.link.drop()
        server.behave = lambda next_one: next_one.reply()

    server.behave = behave
    healed = session.request(POST, body=BODY)
    assert [trace.is_healed for trace in healed.traces] == [True, False]
    for trace in healed.traces:
        assert_phases_add_up(trace)
    session.close()
    assert_at_rest(stats_of(session), accepts=3)


def test_drop_on_a_new_connection_is_healed_unless_everything_is_dropped(server: H2Server) -> None:
    def drop_once(asked: Asked) -> None:
        server.behave = lambda next_one: next_one.reply()
        asked.link.drop()

    server.behave = drop_once
    session = session_on(server)
    healed = session.request(GET)
    assert [(trace.is_cold, trace.is_healed) for trace in healed.traces] == [(True, True), (True, False)]

    server.behave = lambda asked: asked.link.drop()
    lost: list[int] = []
    for _ in range(2):
        with pytest.raises(ConnectionDropped) as caught:
            session.request(GET)
        lost.append(len(caught.value.traces))
    assert lost == [3, 1]

    server.behave = lambda asked: asked.reply()
    session.request(GET)
    server.behave = drop_once
    assert [trace.is_healed for trace in session.request(GET).traces] == [True, False]
    assert stats_of(session).healed == 2
    session.close()
    assert_at_rest(stats_of(session))


def test_what_is_no_part_of_a_reply_keeps_nobody_from_asking_again(server: H2Server) -> None:
    def refuse(asked: Asked) -> None:
        server.behave = widen_and_drop
        with asked.link.lock:
            asked.link.h2.reset_stream(asked.stream_id, ErrorCodes.REFUSED_STREAM)
            asked.link.flush()

    def widen_and_drop(asked: Asked) -> None:
        server.behave = lambda next_one: next_one.reply()
        with asked.link.lock:
            asked.link.h2.increment_flow_control_window(1000, asked.stream_id)
            asked.link.flush()
        asked.link.drop()

    session = session_on(server)
    session.request(GET)
    server.behave = refuse
    reply = session.request(POST, body=BODY)

    assert [trace.is_healed for trace in reply.traces] == [True, True, False]
    assert [trace.response_bytes is None for trace in reply.traces] == [True, True, False]
    session.close()
    assert_at_rest(stats_of(session))


def test_connections_dropped_under_many_threads_fail_no_request(server: H2Server) -> None:
    dice, lock = random.Random(3), threading.Lock()

    def behave(asked: Asked) -> None:
        with lock:
            is_dropped = asked.number > 1 and dice.random() < 0.01
        (asked.link.drop if is_dropped else asked.reply)()

    server.behave = behave
    session = session_on(server)
    failed: list[MonitorError] = []

    def work() -> None:
        for number in range(300):
            try:
                session.request(POST if number % 2 else GET, body=BODY if number % 2 else None)
            except MonitorError as error:
                failed.append(error)

    side_by_side(4, work)

    assert failed == []
    assert stats_of(session).healed > 0
    session.close()
    assert_at_rest(stats_of(session))


def test_drop_after_the_first_byte_is_one_error(server: H2Server) -> None:
    session = session_on(server)
    session.request(GET)

    def half(asked: Asked) -> None:
        asked.link.send_part(asked.stream_id, b"{", is_first=True)
        asked.link.drop()

    server.behave = half
    with pytest.raises(ConnectionDropped) as broken:
        session.request(GET)

    assert len(broken.value.traces) == 1
    assert stats_of(session).healed == 0
    session.close()
    assert_at_rest(stats_of(session))


def test_a_new_connection_that_ends_before_the_first_frame_is_healed(
    server: H2Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap = Connector._wrap
    made: list[ssl.SSLSocket] = []

    def wrap_and_lose(self: Connector, sock: socket.socket) -> ssl.SSLSocket:
        tls = wrap(self, sock)
        if not made:
            # What a reset does that comes between the handshake and the first frame: nothing can be sent any more.
            socket.socket.shutdown(tls, socket.SHUT_RDWR)
        made.append(tls)
        return tls

    monkeypatch.setattr(Connector, "_wrap", wrap_and_lose)
    session = session_on(server)
    reply = session.request(GET)

    assert [(trace.is_cold, trace.is_healed) for trace in reply.traces] == [(True, True), (True, False)]
    session.close()
    assert_at_rest(stats_of(session))
