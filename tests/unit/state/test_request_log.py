"""The request log is bounded, tells apart what is new, and takes each attempt once."""

from hypothesis import given
from hypothesis import strategies as st

from monitor.state.request_log import RequestLog
from tests.fakes.poll_results import make_trace


def test_since_gives_only_what_is_new() -> None:
    log = RequestLog()
    log.add(make_trace(1))
    seen = log.revision
    log.add(make_trace(2))
    log.add(make_trace(3))

    assert [trace.request_id for trace in log.since(seen)] == [2, 3]
    assert log.since(log.revision) == ()


def test_an_attempt_shared_by_two_polls_is_held_once() -> None:
    log = RequestLog()

    assert log.add(make_trace(1))
    assert not log.add(make_trace(1))
    assert log.add(make_trace(1, attempt=2))
    assert len(log) == 2


@given(st.integers(1, 12), st.lists(st.integers(1, 6), max_size=20))
def test_a_reader_that_follows_sees_every_row_that_is_still_held(capacity: int, bursts: list[int]) -> None:
    log = RequestLog(capacity)
    mirror: list[int] = []
    seen = 0
    number = 0
    for burst in bursts:
        for _ in range(burst):
            number += 1
            log.add(make_trace(number))
        mirror.extend(trace.request_id for trace in log.since(seen))
        seen = log.revision
        mirror = mirror[-len(log) :]

        assert mirror == [trace.request_id for trace in log.items]
        assert log.first_revision == log.revision - len(log)
    assert len(log) <= capacity


def test_a_forgotten_attempt_may_come_again() -> None:
    log = RequestLog(1)
    log.add(make_trace(1))
    log.add(make_trace(2))

    assert log.add(make_trace(1))
