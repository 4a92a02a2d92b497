from dataclasses import replace

import pytest

from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.proof.per_day import PerDay, PlanCalls, per_day, plan_calls
from monitor.proof.statistics import Sample, figures
from tests.fakes.silent_transport import make_job


def _job(cadence_s: float, key: str = "bitunix.tickers") -> PollJob:
    def fetch() -> Fetched[Payload]:
        raise AssertionError("the plan is only counted")

    return make_job(fetch, key=key, cadence_s=cadence_s)


def _samples(*, later_cold: int = 0, setup_s: float | None = 0.12) -> list[Sample]:
    """Ten pairs: warm 60 ms, a cold one 180 ms; unpooled always 200 ms."""
    samples = []
    for pair in range(10):
        is_cold = pair == 0 or pair > 9 - later_cold
        samples.append(
            Sample(
                pair=pair,
                is_pooled=True,
                duration_s=0.18 if is_cold else 0.06,
                is_cold=is_cold,
                setup_s=setup_s if is_cold else None,
            )
        )
        samples.append(Sample(pair=pair, is_pooled=False, duration_s=0.2, is_cold=True))
    return samples


def _per_day(samples: list[Sample], calls: PlanCalls) -> PerDay:
    pooled, unpooled = (figures(samples, is_pooled=way, opened=None) for way in (True, False))
    return per_day(calls, samples, pooled, unpooled)


def test_a_plan_is_counted_and_a_plain_one_asks_for_candles_every_minute() -> None:
    candles = replace(_job(300.0, "bitunix.candles:BTCUSDT:5m"), align_offset_s=1.0)
    calls = plan_calls([_job(1.0), _job(3_600.0), candles])

    assert calls.made == pytest.approx(86_400 + 24 + 288)
    assert calls.plain == pytest.approx(86_400 + 24 + 1_440)
    assert calls.saved == pytest.approx(1_152)


def test_the_day_follows_from_the_measured_times() -> None:
    day = _per_day(_samples(), PlanCalls(made=1_000.0, plain=1_400.0))

    assert (day.warm_s, day.setup_s, day.handshakes) == pytest.approx((0.06, 0.12, 1.0))
    assert day.api_s == pytest.approx(1_000 * 0.06 + 0.12)
    assert day.api_unpooled_s == pytest.approx(200.0)
    assert (day.handshake_s, day.handshake_unpooled_s) == pytest.approx((0.12, 120.0))
    assert day.saved_by_pool_s == pytest.approx(200.0 - 60.12)
    assert (day.saved_by_cache_calls, day.saved_by_cache_s) == pytest.approx((400.0, 24.0))
    assert day.rps_unpooled == pytest.approx(5.0)


def test_connections_that_do_not_last_are_paid_for() -> None:
    day = _per_day(_samples(later_cold=3), PlanCalls(made=900.0, plain=900.0))

    assert day.handshakes == pytest.approx(1 + 300)
    assert day.api_s == pytest.approx(900 * 0.06 + 301 * 0.12)


def test_a_saving_may_be_negative() -> None:
    samples = [replace(sample, duration_s=0.01) if not sample.is_pooled else sample for sample in _samples()]
    day = _per_day(samples, PlanCalls(made=2_000.0, plain=1_440.0))

    assert day.saved_by_pool_s is not None
    assert day.saved_by_pool_s < 0
    assert day.saved_by_cache_s == pytest.approx(-560 * 0.06)


def test_without_a_cold_sample_what_depends_on_it_is_unknown_and_the_rest_is_not() -> None:
    day = _per_day(_samples(setup_s=None), PlanCalls(made=1_000.0, plain=1_000.0))

    assert (day.setup_s, day.handshake_s, day.api_s, day.saved_by_pool_s) == (None, None, None, None)
    assert day.api_unpooled_s == pytest.approx(200.0)
    assert day.warm_s == pytest.approx(0.06)


def test_nothing_measured_leaves_only_the_counts() -> None:
    day = _per_day([], PlanCalls(made=10.0, plain=20.0))

    assert (day.calls, day.plain_calls, day.saved_by_cache_calls) == (10.0, 20.0, 10.0)
    unknown = (day.warm_s, day.setup_s, day.handshakes, day.api_s, day.rps, day.saved_by_pool_s, day.saved_by_cache_s)
    assert unknown == (None,) * 7
