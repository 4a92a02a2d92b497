"""First requests in rounds: what pre-warming costs is told apart, and nothing is opened in vain."""

from dataclasses import dataclass, field
from typing import cast

import pytest
from msgspec.structs import replace

from monitor.domain.errors import BudgetExhausted
from monitor.proof.first import FirstRequests
from monitor.proof.interleave import Reading
from monitor.proof.statistics import Sample
from monitor.transport.session import PooledSession

WARM, COLD = Reading(duration_s=0.06, is_cold=False), Reading(duration_s=0.18, is_cold=True, setup_s=0.12)


@dataclass
class _Pool:
    is_warm: bool = False
    is_closed: bool = False

    def close(self) -> None:
        self.is_closed = True


@dataclass
class _Bench:
    """Three ways on pools that only say what was done to them. ``refusals``: how often the budget says no first."""

    refusals: int = 0
    can_warm: bool = True
    pools: list[_Pool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.first = FirstRequests(
            unpooled=lambda: COLD,
            make_pool=self._make,
            ask_pool=self._ask,
            prewarm=self._prewarm,
        )
        self.ask_cold, self.ask_prewarmed = (one.ask for one in self.first.contenders if one.is_pooled)

    def _make(self) -> PooledSession:
        self.pools.append(_Pool())
        return cast(PooledSession, self.pools[-1])

    def _prewarm(self, session: PooledSession) -> None:
        cast(_Pool, session).is_warm = self.can_warm

    def _ask(self, session: PooledSession) -> Reading:
        if self.refusals:
            self.refusals -= 1
            raise BudgetExhausted("wait", available_in_s=0.5)
        return WARM if cast(_Pool, session).is_warm else COLD


def _sample(reading: Reading, *, is_pooled: bool, is_prewarmed: bool = False, pair: int = 0) -> Sample:
    return Sample(
        pair=pair,
        is_pooled=is_pooled,
        is_prewarmed=is_prewarmed,
        duration_s=reading.duration_s,
        is_cold=reading.is_cold,
        setup_s=reading.setup_s,
    )


def test_a_prewarmed_first_request_is_warm_and_what_warming_took_is_kept_apart() -> None:
    bench = _Bench()
    samples = [
        _sample(COLD, is_pooled=False),
        _sample(bench.ask_cold(), is_pooled=True),
        _sample(bench.ask_prewarmed(), is_pooled=True, is_prewarmed=True),
    ]
    figures = bench.first.figures(samples)

    assert (figures.rounds, figures.unpooled_s, figures.pooled_s, figures.prewarmed_s) == (1, 0.18, 0.18, 0.06)
    assert figures.prewarmed_gain is None, "chance decides a single one"
    assert replace(figures, rounds=2).prewarmed_gain == pytest.approx(2 / 3)
    assert figures.prewarm_s is not None
    assert all(pool.is_closed for pool in bench.pools)


def test_a_wait_for_the_budget_opens_no_second_connection() -> None:
    bench = _Bench(refusals=2)
    for _ in range(2):
        with pytest.raises(BudgetExhausted):
            bench.ask_prewarmed()
    assert [pool.is_closed for pool in bench.pools] == [False]

    assert bench.ask_prewarmed() == WARM
    assert [pool.is_closed for pool in bench.pools] == [True]


def test_what_was_opened_for_a_request_that_was_never_made_is_closed() -> None:
    bench = _Bench(refusals=1)
    with pytest.raises(BudgetExhausted):
        bench.ask_prewarmed()
    bench.first.close()

    assert [pool.is_closed for pool in bench.pools] == [True]


def test_a_pool_that_could_not_be_warmed_says_nothing_about_prewarming() -> None:
    bench = _Bench(can_warm=False)
    samples = [_sample(bench.ask_prewarmed(), is_pooled=True, is_prewarmed=True)]
    figures = bench.first.figures(samples)

    assert (figures.prewarmed_s, figures.prewarmed_gain, figures.prewarm_s) == (None, None, None)
