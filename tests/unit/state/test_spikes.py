"""An outlier is explained by the phase in excess, measured against requests of its own kind."""

import pytest

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.state.spikes import MIN_SAMPLES, PHASES, baselines, explain
from tests.fakes.poll_results import make_trace

KEY = ("bitunix.tickers", False)


def usual(count: int = 20) -> list[RequestTrace]:
    return [make_trace(number, total_s=0.058 + 0.0002 * number, wait_s=0.05) for number in range(count)]


@pytest.mark.parametrize("phase", ["lease_wait_s", "send_s", "wait_s", "read_s", "unaccounted_s"])
def test_the_phase_in_excess_is_named(phase: str) -> None:
    slow = make_trace(99, **{phase: (getattr(make_trace(), phase) or 0.0) + 0.5, "total_s": 0.56})
    spike = explain(slow, baselines(usual())[KEY])

    assert spike is not None
    assert spike.phase == phase
    assert spike.phase_excess_s == pytest.approx(0.5)
    assert spike.share == pytest.approx(1.0, abs=0.01)
    assert PHASES[phase] in spike.text
    assert "20 warm requests" in spike.text


def test_an_ordinary_request_is_no_spike() -> None:
    baseline = baselines(usual())[KEY]

    assert [trace.request_id for trace in usual() if explain(trace, baseline) is not None] == []


def test_jitter_on_a_fast_line_is_no_spike() -> None:
    fast = [make_trace(number, total_s=0.002, wait_s=0.001) for number in range(20)]

    assert explain(make_trace(99, total_s=0.012, wait_s=0.011), baselines(fast)[KEY]) is None


def test_cold_and_warm_are_never_compared_with_each_other() -> None:
    baseline = baselines(usual())[KEY]
    slow_cold = make_trace(99, is_cold=True, dns_s=0.1, tcp_s=0.2, tls_s=0.3, total_s=0.66)

    assert explain(slow_cold, baseline) is None
    assert set(baselines([*usual(), slow_cold])) == {KEY}


def test_a_slow_handshake_is_measured_against_other_handshakes() -> None:
    colds = [
        make_trace(number, is_cold=True, dns_s=0.01, tcp_s=0.06, tls_s=0.07, total_s=0.2)
        for number in range(MIN_SAMPLES)
    ]
    slow = make_trace(99, is_cold=True, dns_s=1.01, tcp_s=0.06, tls_s=0.07, total_s=1.2)
    spike = explain(slow, baselines(colds)[("bitunix.tickers", True)])

    assert spike is not None
    assert spike.phase == "dns_s"
    assert spike.phase_excess_s == pytest.approx(1.0)


def test_too_few_requests_say_nothing_of_what_is_usual() -> None:
    assert baselines(usual(MIN_SAMPLES - 1)) == {}
    assert set(baselines(usual(MIN_SAMPLES))) == {KEY}


def test_failures_are_neither_usual_nor_spikes() -> None:
    failed = make_trace(99, total_s=8.0, error_kind=ErrorKind.TIMEOUT)
    with_failures = baselines([*usual(), failed])[KEY]

    assert with_failures.n == 20
    assert explain(failed, with_failures) is None
