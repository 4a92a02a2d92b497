"""An outlier is explained by the phase in excess, measured against requests of its own kind."""

import pytest

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.state.spikes import CAUSE_OF_PHASE, MIN_SAMPLES, PHASES, Spike, SpikeCause, find_spike
from tests.fakes.poll_results import make_trace

COLD: dict[str, object] = {"is_cold": True, "dns_s": 0.01, "tcp_s": 0.06, "tls_s": 0.07, "total_s": 0.2}


def usual(count: int = 20, **changes: object) -> list[RequestTrace]:
    return [make_trace(number, total_s=0.058 + 0.0002 * number, wait_s=0.05, **changes) for number in range(count)]


def colds(count: int) -> list[RequestTrace]:
    return [make_trace(100 + number, **COLD) for number in range(count)]


def found(trace: RequestTrace, before: list[RequestTrace], lost_s: float = 0.0) -> Spike:
    spike = find_spike(trace, before, lost_s=lost_s)
    assert spike is not None
    return spike


@pytest.mark.parametrize("phase", ["lease_wait_s", "send_s", "wait_s", "read_s", "unaccounted_s"])
def test_the_phase_in_excess_is_named(phase: str) -> None:
    slow = make_trace(99, **{phase: (getattr(make_trace(), phase) or 0.0) + 0.5, "total_s": 0.56})
    spike = found(slow, usual())

    assert (spike.phase, spike.cause) == (phase, CAUSE_OF_PHASE[phase])
    assert spike.phase_excess_s == pytest.approx(0.5)
    assert spike.share == pytest.approx(1.0, abs=0.01)
    assert PHASES[phase] in spike.text
    assert "20 warm requests" in spike.text


def test_an_ordinary_request_is_no_spike() -> None:
    assert [trace.request_id for trace in usual() if find_spike(trace, usual()) is not None] == []


def test_jitter_on_a_fast_line_is_no_spike() -> None:
    fast = [make_trace(number, total_s=0.002, wait_s=0.001) for number in range(20)]

    assert find_spike(make_trace(99, total_s=0.012, wait_s=0.011), fast) is None
    assert find_spike(make_trace(99, total_s=0.021, wait_s=0.020), fast) is None


def test_what_scatters_anyway_is_no_spike() -> None:
    wide = [make_trace(number, total_s=0.05 + 0.05 * (number % 5), wait_s=0.01) for number in range(20)]

    assert find_spike(make_trace(99, total_s=0.4, wait_s=0.35), wide) is None


def test_where_warm_is_usual_a_new_connection_is_the_reason() -> None:
    slow = make_trace(99, is_cold=True, dns_s=0.1, tcp_s=0.2, tls_s=0.3, total_s=0.66)
    spike = found(slow, usual())

    assert (spike.cause, spike.phase) == (SpikeCause.HANDSHAKE, "tls_s")
    assert spike.phase_excess_s == pytest.approx(0.6)
    assert spike.share == pytest.approx(1.0, abs=0.01)
    assert "a new connection had to be opened, which took 600 ms" in spike.text
    assert "20 warm requests" in spike.text


def test_a_slow_look_up_is_named_before_the_handshake_it_delayed() -> None:
    slow = make_trace(99, is_cold=True, dns_s=1.0, tcp_s=0.06, tls_s=0.07, total_s=1.19)

    assert (found(slow, usual()).cause, found(slow, usual()).phase) == (SpikeCause.DNS, "dns_s")


def test_a_new_connection_does_not_hide_a_slow_venue() -> None:
    slow = make_trace(99, is_cold=True, dns_s=0.0, tcp_s=0.06, tls_s=0.07, wait_s=2.05, total_s=2.2)
    spike = found(slow, usual())

    assert (spike.cause, spike.phase) == (SpikeCause.VENUE, "wait_s")
    assert spike.phase_excess_s == pytest.approx(2.0)


def test_where_connecting_is_usual_a_slow_handshake_is_measured_against_other_handshakes() -> None:
    before = colds(MIN_SAMPLES)

    assert find_spike(make_trace(99, **COLD), before) is None
    spike = found(make_trace(99, **{**COLD, "dns_s": 1.01, "total_s": 1.2}), before)
    assert (spike.cause, spike.phase) == (SpikeCause.DNS, "dns_s")
    assert spike.phase_excess_s == pytest.approx(1.0)
    assert f"{MIN_SAMPLES} cold requests" in spike.text


def test_a_warm_request_is_never_held_against_cold_ones() -> None:
    before = [*colds(20), *usual(MIN_SAMPLES - 1)]

    assert find_spike(make_trace(99, wait_s=0.9, total_s=0.91), before) is None


def test_a_request_sent_again_is_put_down_to_that_with_the_time_of_both_attempts() -> None:
    again = make_trace(99, attempt=2, is_cold=True, dns_s=0.0, tcp_s=0.06, tls_s=0.07, total_s=0.19)
    spike = found(again, usual(), lost_s=0.3)

    assert spike.cause is SpikeCause.RETRY
    assert spike.total_excess_s == pytest.approx(0.49 - 0.06, abs=0.001)
    assert spike.phase_excess_s == pytest.approx(0.3 + 0.13)
    assert "sent again on a new connection" in spike.text


def test_a_retry_does_not_hide_a_slow_venue_either() -> None:
    again = make_trace(99, attempt=2, is_cold=True, tcp_s=0.06, tls_s=0.07, wait_s=2.0, total_s=2.2)

    assert found(again, usual(), lost_s=0.001).cause is SpikeCause.VENUE


def test_a_retry_among_cold_ones_says_so() -> None:
    again = make_trace(99, attempt=2, **COLD)

    assert f"the median of {MIN_SAMPLES} cold requests" in found(again, colds(MIN_SAMPLES), lost_s=0.9).text


def test_a_long_wait_for_the_rate_limit_is_an_outlier_although_it_is_in_no_latency() -> None:
    before = usual(queue_s=0.01)
    spike = found(make_trace(99, queue_s=3.0), before)

    assert (spike.cause, spike.phase) == (SpikeCause.RATE_LIMIT, "queue_s")
    assert spike.total_excess_s == pytest.approx(2.99)
    assert find_spike(make_trace(99, queue_s=0.2), before) is None
    # The larger of two reasons is told.
    both = make_trace(99, queue_s=1.0, wait_s=5.05, total_s=5.06)
    assert found(both, before).cause is SpikeCause.VENUE


def test_a_wait_that_is_common_where_the_budget_is_narrow_is_no_outlier() -> None:
    """One in seven waits for the others of its venue: that is how the plan is, and not an exception to it."""
    before = [make_trace(number, queue_s=0.6 if number % 7 == 0 else 0.01) for number in range(63)]

    assert find_spike(make_trace(99, queue_s=0.8), before) is None
    spike = found(make_trace(99, queue_s=0.9), before)
    assert spike.cause is SpikeCause.RATE_LIMIT
    assert spike.total_excess_s == pytest.approx(0.89)


def test_too_few_requests_say_nothing_of_what_is_usual() -> None:
    slow = make_trace(99, wait_s=0.9, total_s=0.91)

    assert find_spike(slow, usual(MIN_SAMPLES - 1)) is None
    assert find_spike(slow, usual(MIN_SAMPLES)) is not None


def test_a_failure_is_no_spike() -> None:
    assert find_spike(make_trace(99, total_s=8.0, error_kind=ErrorKind.TIMEOUT), usual()) is None
    assert find_spike(make_trace(99, total_s=8.0, is_cold=None), usual()) is None
