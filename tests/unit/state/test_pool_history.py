"""What a venue's pool counters gained in a period, also across pools that were replaced."""

from types import MappingProxyType

import pytest

from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.state.pool_history import COUNTER_STEPS_KEPT, POOL_HISTORY_SPACING_S, PoolCounters, PoolHistory


def pool(*, stale: int = 0, expired: int = 0, **counts: int) -> PoolStats:
    closed = MappingProxyType({CloseCause.STALE: stale, CloseCause.EXPIRED: expired})
    return PoolStats(venue="bitunix", host="venue.test:443", scheme="https", closed=closed, **counts)  # type: ignore[arg-type]  # counters


def test_a_period_counts_what_was_opened_and_closed_within_it() -> None:
    history = PoolHistory()
    history.add([pool(attempts=2, opened=2, prewarmed=1)], 100.0)
    history.add([pool(attempts=9, opened=2, prewarmed=1)], 200.0)
    history.add([pool(attempts=12, opened=5, prewarmed=1, stale=3)], 300.0)
    history.add([pool(attempts=15, opened=6, prewarmed=1, stale=3, expired=1, kept_warm=4)], 400.0)

    middle = history.counters_between(150.0, 350.0)
    assert middle == PoolCounters(opened=3, closed=MappingProxyType({CloseCause.STALE: 3}))
    late = history.counters_between(300.0, 400.0)
    assert late == PoolCounters(opened=1, kept_warm=4, closed=MappingProxyType({CloseCause.EXPIRED: 1}))


def test_before_the_first_sample_nothing_had_been_counted() -> None:
    history = PoolHistory()
    history.add([pool(attempts=2, opened=2)], 100.0)
    history.add([pool(attempts=4, opened=3)], 110.0)

    assert history.counters_between(0.0, 200.0) == PoolCounters(opened=3)


def test_a_period_before_everything_is_not_known() -> None:
    history = PoolHistory()
    assert history.counters_between(0.0, 50.0) is None
    history.add([pool(attempts=2, opened=2)], 100.0)

    assert history.counters_between(0.0, 50.0) is None


def test_counters_of_replaced_pools_are_not_lost_nor_negative() -> None:
    history = PoolHistory()
    history.add([pool(attempts=20, opened=4, stale=4)], 100.0)
    history.add([pool(attempts=1, opened=1)], 200.0)
    history.add([pool(attempts=3, opened=2)], 300.0)

    across = history.counters_between(150.0, 250.0)
    assert across is not None
    assert across.opened == 1
    assert history.counters_between(50.0, 350.0) == PoolCounters(
        opened=6, closed=MappingProxyType({CloseCause.STALE: 4})
    )


def test_what_is_no_longer_remembered_is_not_known() -> None:
    history = PoolHistory(capacity=8)
    for number in range(2 * COUNTER_STEPS_KEPT + 10):
        history.add([pool(attempts=number, opened=number)], number * POOL_HISTORY_SPACING_S)
    end_s = 2 * COUNTER_STEPS_KEPT * POOL_HISTORY_SPACING_S

    assert history.counters_between(0.0, end_s) is None
    recent = history.counters_between(end_s - 10 * POOL_HISTORY_SPACING_S, end_s)
    assert recent is not None
    assert recent.opened == pytest.approx(10)
