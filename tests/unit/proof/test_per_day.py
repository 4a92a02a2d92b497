from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.proof.day import plain_jobs
from monitor.proof.measurement import known_life
from monitor.proof.per_day import PerDay, life_of, per_day
from monitor.proof.pool_life import LifeRules
from monitor.proof.statistics import Sample, figures
from monitor.transport.budget import BudgetRule
from tests.fakes.silent_transport import make_job

START = datetime(2026, 11, 23, 10, 2, 17, tzinfo=UTC)
RULES = LifeRules(server_idle_s=60.0, max_idle_s=300.0)
RULE = BudgetRule(venue="bitunix", limit=10, window_s=1.0)


def _job(cadence_s: float, key: str = "bitunix.tickers") -> PollJob:
    def fetch() -> Fetched[Payload]:
        raise AssertionError("the plan is only counted")

    return make_job(fetch, key=key, cadence_s=cadence_s)


CANDLES = replace(_job(300.0, "bitunix.candles:BTCUSDT:5m"), align_offset_s=1.0)
PLAN = (_job(20.0), _job(3_600.0, "bitunix.trading_pairs"), CANDLES)
MADE = 86_400 // 20 + 24


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


def _per_day(
    samples: list[Sample], jobs: tuple[PollJob, ...] = PLAN, *, first_samples: Sequence[Sample] = ()
) -> PerDay:
    pooled, unpooled = (figures(samples, is_pooled=way, opened=None) for way in (True, False))
    return per_day(
        jobs,
        samples,
        pooled,
        unpooled,
        first_samples=first_samples,
        budget_rule=RULE,
        rules=RULES,
        start=START,
    )


def test_a_plain_plan_asks_for_candles_every_minute_and_for_the_rest_as_often() -> None:
    plain = plain_jobs(PLAN)

    assert [job.cadence_s for job in plain] == [20.0, 3_600.0, 60.0]
    assert [job.align_offset_s for job in plain] == [None, None, None]


def test_the_four_days_follow_from_the_measured_times() -> None:
    day = _per_day(_samples())

    assert day.neither.calls == day.pooling.calls == MADE + 1_440
    # One more to begin with: the first look comes when the chart is opened, not at a close.
    assert day.cache.calls == day.both.calls == MADE + 288 + 1
    assert day.neither.handshakes == day.neither.calls
    assert day.both.handshakes <= 2, "polls every 20 s keep a connection that lives for 60 s"
    assert day.neither.api_s == pytest.approx(0.2 * day.neither.calls)
    assert day.both.api_s == pytest.approx(0.06 * day.both.calls + 0.12 * day.both.handshakes)
    assert day.cache.handshake_s == pytest.approx(0.12 * day.cache.calls)
    assert (day.warm_s, day.setup_s, day.rps_unpooled) == pytest.approx((0.06, 0.12, 5.0))


def test_savings_are_apart_and_count_nothing_twice() -> None:
    day = _per_day(_samples())

    assert day.cache.api_s is not None
    assert day.both.api_s is not None
    assert day.saved_by_pool_s == pytest.approx(day.cache.api_s - day.both.api_s)
    assert day.saved_by_cache_calls == 1_440 - 289
    assert day.saved_by_cache_s == pytest.approx(0.06 * day.saved_by_cache_calls)


def test_connections_that_do_not_last_are_paid_for() -> None:
    day = _per_day(_samples(later_cold=3))

    # Three of nine later requests opened one: a connection served three.
    assert day.both.handshakes == pytest.approx(day.both.calls / 3, rel=0.01)
    assert day.both.api_s == pytest.approx(0.06 * day.both.calls + 0.12 * day.both.handshakes)


def test_what_the_run_saw_of_closing_joins_what_was_known() -> None:
    assert life_of(_samples(), RULES) == RULES
    assert life_of(_samples(later_cold=3), RULES) == replace(RULES, max_requests=3.0)


def test_a_saving_may_be_negative() -> None:
    samples = [replace(sample, duration_s=0.01) if not sample.is_pooled else sample for sample in _samples()]
    often = (replace(CANDLES, cadence_s=30.0),)
    day = _per_day(samples, often)

    assert day.saved_by_pool_s is not None
    assert day.saved_by_pool_s < 0
    assert day.saved_by_cache_calls == pytest.approx(1_440 - 2_880, abs=2)


def test_without_a_cold_sample_what_depends_on_it_is_unknown_and_the_rest_is_not() -> None:
    day = _per_day(_samples(setup_s=None))

    assert (day.setup_s, day.both.handshake_s, day.both.api_s, day.saved_by_pool_s) == (None, None, None, None)
    assert day.cache.api_s == pytest.approx(0.2 * day.cache.calls)
    assert day.warm_s == pytest.approx(0.06)


def test_first_requests_add_set_ups_and_are_no_measure_of_a_pools_life() -> None:
    first = [
        Sample(pair=pair, is_pooled=True, is_prewarmed=warmed, duration_s=9.0, is_cold=not warmed, setup_s=setup_s)
        for pair in range(3)
        for warmed, setup_s in ((False, 0.3), (True, None))
    ]
    day = _per_day(_samples(), first_samples=first)

    assert day.warm_s == pytest.approx(0.06)
    assert day.setup_s == pytest.approx(0.3), "median of 0.12 once and 0.3 three times"
    assert day.both.handshakes <= 2, "as without them"


def test_nothing_measured_leaves_only_the_counts() -> None:
    day = _per_day([])

    assert (day.both.calls, day.neither.calls) == (MADE + 289, MADE + 1_440)
    unknown = (day.warm_s, day.setup_s, day.both.api_s, day.neither.api_s, day.rps, day.saved_by_pool_s)
    assert unknown == (None,) * 6


def test_connections_are_given_up_at_the_age_that_is_set() -> None:
    assert known_life((), 1_800.0).max_age_s == pytest.approx(1_620.0), "a tenth less at the soonest"
