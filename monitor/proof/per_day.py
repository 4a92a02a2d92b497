"""What a measurement means per day for the plan in use. Pure.

Everything follows from times measured in the same run, of one endpoint that stands for all, and from a simulated day of
the plan; nothing is assumed, so without a measured figure the answer is ``None``. Savings may be negative.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import fmean, median

import msgspec

from monitor.exchanges.base import PollJob
from monitor.proof.day import day_table
from monitor.proof.pool_life import LifeRules
from monitor.proof.simulated import DayFigures, MeasuredTimes
from monitor.proof.statistics import Sample, VariantFigures
from monitor.transport.budget import BudgetRule


class DayCost(msgspec.Struct, frozen=True, kw_only=True):
    """A day of one way of polling. ``api_s``: waiting for the venue, summed over all requests; ``handshake_s``: the
    part of it that set up connections.
    """

    calls: int
    handshakes: int
    api_s: float | None
    handshake_s: float | None


class PerDay(msgspec.Struct, frozen=True, kw_only=True):
    """Figures per day of the plan in use.

    ``neither``, ``cache``, ``pooling`` and ``both`` are simulated days: with a new connection per request or with the
    pool, with candles asked for once a minute or as they close. ``warm_s``: mean of the pooled requests that opened
    nothing. ``setup_s``: median DNS + TCP + TLS of the pooled ones that did. ``rps`` and ``rps_unpooled``: requests per
    second one thread gets done back to back, 1 / overall mean.
    """

    neither: DayCost
    cache: DayCost
    pooling: DayCost
    both: DayCost
    warm_s: float | None
    setup_s: float | None
    rps: float | None
    rps_unpooled: float | None

    @property
    def saved_by_pool_s(self) -> float | None:
        """API time of the plan in use without a pool - with it: the same calls both times."""
        if self.cache.api_s is None or self.both.api_s is None:
            return None
        return self.cache.api_s - self.both.api_s

    @property
    def saved_by_cache_calls(self) -> int:
        """Calls of the plain plan - of the plan in use; negative when ours asks more often (very short candles)."""
        return self.neither.calls - self.both.calls

    @property
    def saved_by_cache_s(self) -> float | None:
        """Calls avoided × ``warm_s``: what they would have cost with the pool, so that nothing is counted twice."""
        return None if self.warm_s is None else self.saved_by_cache_calls * self.warm_s


def life_of(samples: Sequence[Sample], rules: LifeRules) -> LifeRules:
    """``rules``, with what the run saw of connections that were closed on us while requests came close together."""
    later = [sample for sample in samples if _is_later(sample)]
    reopened = sum(sample.is_cold is True for sample in later)
    if reopened == 0:
        return rules
    return LifeRules(
        server_idle_s=rules.server_idle_s,
        max_idle_s=rules.max_idle_s,
        max_age_s=rules.max_age_s,
        max_requests=len(later) / reopened,
    )


def per_day(
    jobs: Sequence[PollJob],
    samples: Sequence[Sample],
    pooled: VariantFigures,
    unpooled: VariantFigures,
    *,
    first_samples: Sequence[Sample] = (),
    budget_rule: BudgetRule,
    rules: LifeRules,
    start: datetime,
    rest: Callable[[], object] = lambda: None,
    progress: Callable[[], object] = lambda: None,
) -> PerDay:
    """Apply what was measured to simulated days of ``jobs``, which begin at ``start``.

    ``first_samples``: first requests on sessions of their own. They add to what is known of the set-up and say nothing
    about how long a connection lasts.
    Blocks for some seconds of processor time; ``rest`` and ``progress`` as in :func:`monitor.proof.day.day_table`.
    """
    good = [sample for sample in samples if sample.is_pooled and sample.duration_s is not None]
    warm = [sample.duration_s for sample in good if sample.is_cold is False and sample.duration_s is not None]
    setups = [sample.setup_s for sample in (*good, *first_samples) if sample.is_pooled and sample.setup_s is not None]
    warm_s = fmean(warm) if warm else None
    setup_s = median(setups) if setups else None
    unpooled_s = unpooled.overall_mean_s
    # What is not known takes no time in the simulation, and is unknown in its figures.
    times = MeasuredTimes(warm_s={"": warm_s or 0.0}, unpooled_s={"": unpooled_s or 0.0}, setup_s=setup_s or 0.0)
    table = day_table(
        jobs,
        budget_rule=budget_rule,
        times=times,
        rules=life_of(samples, rules),
        start=start,
        rest=rest,
        progress=progress,
    )
    is_pool_known = warm_s is not None and setup_s is not None

    def cost(day: DayFigures, *, is_known: bool) -> DayCost:
        return DayCost(
            calls=day.calls,
            handshakes=day.handshakes,
            api_s=day.api_s if is_known else None,
            handshake_s=day.handshakes * setup_s if setup_s is not None else None,
        )

    return PerDay(
        neither=cost(table.neither, is_known=unpooled_s is not None),
        cache=cost(table.cache, is_known=unpooled_s is not None),
        pooling=cost(table.pooling, is_known=is_pool_known),
        both=cost(table.both, is_known=is_pool_known),
        warm_s=warm_s,
        setup_s=setup_s,
        rps=_inverse(pooled.overall_mean_s),
        rps_unpooled=_inverse(unpooled_s),
    )


def _is_later(sample: Sample) -> bool:
    return sample.is_pooled and sample.pair > 0 and sample.duration_s is not None


def _inverse(seconds: float | None) -> float | None:
    return 1.0 / seconds if seconds else None
