"""What a measurement means per day for the plan in use. Pure.

Everything follows from times measured in the same run, of one endpoint that stands for all; nothing is assumed, so
without a measured figure the answer is ``None``. Savings may be negative.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from monitor.exchanges.base import PollJob
from monitor.proof.statistics import Sample, VariantFigures

DAY_S = 86_400.0
PLAIN_CANDLES_EVERY_S = 60.0
"""A client without a memory asks for its candles once a minute, as the ones this app grew from did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCalls:
    """Calls a day: of our plan, and of a plain one that shows the same without growing candles from polled prices."""

    made: float
    plain: float

    @property
    def saved(self) -> float:
        """Calls avoided by the cache; negative when ours asks more often (candles shorter than a minute's worth)."""
        return self.plain - self.made


@dataclass(frozen=True, slots=True, kw_only=True)
class PerDay:
    """Figures per day of the plan in use. Seconds are time spent waiting for the venue, summed over all requests.

    ``warm_s``: mean of the pooled requests that opened nothing. ``setup_s``: median DNS + TCP + TLS of the pooled ones
    that did. ``handshakes``: calls × the share of later pooled requests that opened a connection, and the first one.
    ``api_s`` = calls × ``warm_s`` + handshakes × ``setup_s``; ``api_unpooled_s`` = calls × mean of the unpooled.
    ``handshake_unpooled_s`` = calls × ``setup_s``. ``rps`` and ``rps_unpooled``: requests per second one thread gets
    done back to back, 1 / overall mean. ``saved_by_pool_s`` = ``api_unpooled_s`` - ``api_s``. ``saved_by_cache_s`` =
    calls avoided × ``warm_s``; it is not in ``saved_by_pool_s``, nor the other way round.
    """

    calls: float
    plain_calls: float
    warm_s: float | None
    setup_s: float | None
    handshakes: float | None
    api_s: float | None
    api_unpooled_s: float | None
    handshake_s: float | None
    handshake_unpooled_s: float | None
    rps: float | None
    rps_unpooled: float | None
    saved_by_pool_s: float | None
    saved_by_cache_calls: float
    saved_by_cache_s: float | None


def plan_calls(jobs: Iterable[PollJob]) -> PlanCalls:
    """Calls a day of ``jobs``; a poll that needs two requests counts as one call."""
    made = plain = 0.0
    for job in jobs:
        calls = DAY_S / job.cadence_s
        made += calls
        # Only candle jobs follow the closes; all others ask what a plain client would ask as often.
        plain += calls if job.align_offset_s is None else DAY_S / PLAIN_CANDLES_EVERY_S
    return PlanCalls(made=made, plain=plain)


def per_day(calls: PlanCalls, samples: Sequence[Sample], pooled: VariantFigures, unpooled: VariantFigures) -> PerDay:
    """Apply what was measured to a day of calls."""
    good = [sample for sample in samples if sample.is_pooled and sample.duration_s is not None]
    warm = [sample.duration_s for sample in good if sample.is_cold is False and sample.duration_s is not None]
    setups = [sample.setup_s for sample in good if sample.setup_s is not None]
    later = [sample for sample in good if sample.pair > 0]
    warm_s = fmean(warm) if warm else None
    setup_s = median(setups) if setups else None
    handshakes = 1.0 + calls.made * sum(sample.is_cold is True for sample in later) / len(later) if later else None
    handshake_s = handshakes * setup_s if handshakes is not None and setup_s is not None else None
    api_s = calls.made * warm_s + handshake_s if warm_s is not None and handshake_s is not None else None
    unpooled_s = unpooled.overall_mean_s
    api_unpooled_s = calls.made * unpooled_s if unpooled_s is not None else None
    return PerDay(
        calls=calls.made,
        plain_calls=calls.plain,
        warm_s=warm_s,
        setup_s=setup_s,
        handshakes=handshakes,
        api_s=api_s,
        api_unpooled_s=api_unpooled_s,
        handshake_s=handshake_s,
        handshake_unpooled_s=calls.made * setup_s if setup_s is not None else None,
        rps=_inverse(pooled.overall_mean_s),
        rps_unpooled=_inverse(unpooled_s),
        saved_by_pool_s=api_unpooled_s - api_s if api_unpooled_s is not None and api_s is not None else None,
        saved_by_cache_calls=calls.saved,
        saved_by_cache_s=calls.saved * warm_s if warm_s is not None else None,
    )


def _inverse(seconds: float | None) -> float | None:
    return 1.0 / seconds if seconds else None
