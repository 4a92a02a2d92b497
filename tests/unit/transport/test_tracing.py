import pytest

from monitor.domain.errors import ErrorKind
from monitor.transport.tracing import Record
from tests.fakes.pooled import assert_phases_add_up


def made(started_s: float = 100.0) -> Record:
    return Record(
        venue="venue",
        endpoint="venue.get",
        method="GET",
        host="venue.test:443",
        deadline_s=112.0,
        wire_limit=1000,
        started_s=started_s,
    )


def test_phases_of_a_cold_reply_add_up() -> None:
    record = made()
    record.lease_wait_s, record.dns_s, record.tcp_s, record.tls_s = 0.1, 0.2, 0.3, 0.4
    record.is_cold = True
    record.send_started_s, record.sent_s = 101.2, 101.25
    record.first_byte_s, record.last_byte_s = 101.75, 102.0
    (trace,) = record.end(102.5, error_kind=None, weight=2)

    assert (trace.send_s, trace.wait_s, trace.read_s) == pytest.approx((0.05, 0.5, 0.25))
    assert trace.total_s == pytest.approx(2.5)
    assert trace.unaccounted_s == pytest.approx(0.7)
    assert trace.connect_s == pytest.approx(0.7)
    assert_phases_add_up(trace)


def test_reply_before_the_request_had_left_waited_for_nothing() -> None:
    record = made()
    record.send_started_s, record.first_byte_s, record.sent_s, record.last_byte_s = 100.0, 100.5, 101.0, 101.5
    (trace,) = record.end(102.0, error_kind=None, weight=0)

    assert (trace.send_s, trace.wait_s, trace.read_s) == pytest.approx((1.0, 0.0, 0.5))
    assert_phases_add_up(trace)


@pytest.mark.parametrize(
    ("phase", "field"), [("lease", "lease_wait_s"), ("dns", "dns_s"), ("connect", "tcp_s"), ("tls", "tls_s")]
)
def test_failed_attempt_spent_its_time_where_it_died(phase: str, field: str) -> None:
    record = made()
    record.phase, record.phase_started_s = phase, 101.0
    (trace,) = record.end(104.0, error_kind=ErrorKind.TIMEOUT, weight=1)

    assert getattr(trace, field) == pytest.approx(3.0)
    assert trace.unaccounted_s == pytest.approx(1.0)
    assert trace.ttfb_s is None


def test_waiting_in_vain_is_waiting() -> None:
    record = made()
    record.send_started_s, record.sent_s, record.phase = 100.5, 101.0, "wait"
    (trace,) = record.end(105.0, error_kind=ErrorKind.TIMEOUT, weight=1)

    assert trace.wait_s == pytest.approx(4.0)
    assert trace.read_s is None
    assert trace.ttfb_s is None
    assert_phases_add_up(trace)


def test_healing_begins_where_the_dead_attempt_ended() -> None:
    record = made()
    record.is_cold = False
    record.connection_id = 7
    record.request_bytes = 10
    record.repeat(None)
    record.is_cold = True
    first, second = record.end(record.started_s + 1.0, error_kind=None, weight=3)

    assert (first.attempt, first.is_healed, first.weight, first.connection_id) == (1, True, 0, 7)
    assert (second.attempt, second.is_healed, second.weight, second.connection_id) == (2, False, 3, None)
    assert second.started_mono_s == first.ended_mono_s
    assert second.request_bytes is None
    assert record.is_fresh_required


def test_nothing_was_healed_if_the_last_attempt_failed_too() -> None:
    record = made()
    record.is_cold = False
    counted: list[int] = []

    class Counter:
        def count_healed(self, attempts: int) -> None:
            counted.append(attempts)

    record.repeat(Counter())
    record.is_cold = True
    traces = record.end(record.started_s + 1.0, error_kind=ErrorKind.DROPPED, weight=1)

    assert [trace.is_healed for trace in traces] == [False, False]
    assert counted == []


def test_request_ids_are_unique() -> None:
    assert len({made().request_id for _ in range(100)}) == 100
