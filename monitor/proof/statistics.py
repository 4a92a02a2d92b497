"""From durations to figures: first, later, overall, p95, and how much faster, with a bootstrap interval. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from types import MappingProxyType

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.domain.errors import ErrorKind

RESAMPLES = 4_000
"""Enough that the ends of the interval move by less than a tenth of its width from seed to seed."""
MIN_PAIRS = 5
"""Later pairs below which an interval would say more about luck than about the venue: none is given."""

FloatArray = npt.NDArray[np.float64]


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One request of a measurement.

    ``pair`` counts from 0; pair 0 holds both first requests. ``duration_s``: request handed over to body decoded;
    ``None`` when it failed, with ``error_kind``. ``is_cold``: a connection was opened for it. ``setup_s``: its
    DNS + TCP + TLS, ``None`` when there was none or nobody measured it. ``is_prewarmed``: the connection of a pooled
    one had been opened before, in time that is not in ``duration_s``.
    """

    pair: int
    is_pooled: bool
    is_prewarmed: bool = False
    duration_s: float | None = None
    is_cold: bool | None = None
    setup_s: float | None = None
    error_kind: ErrorKind | None = None


class VariantFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One way of asking. Every figure is over ``n`` successes; failures are counted apart and are in no figure.

    ``first_s``: the very first request; ``None`` when it failed. ``later_mean_s``: all after it. ``total_s``: sum.
    ``p95_s``: of the later ones, so that the cold first one is not among them; linear between the two nearest.
    ``opened``: connections opened; ``None`` when nobody counted.
    """

    n: int
    failed: Mapping[ErrorKind, int]
    first_s: float | None
    later_mean_s: float | None
    overall_mean_s: float | None
    total_s: float | None
    p95_s: float | None
    opened: int | None


class Improvement(msgspec.Struct, frozen=True, kw_only=True):
    """1 - pooled / unpooled of the same figure: 0.25 is a quarter faster, below 0 slower, ``None`` unknown.

    ``overall_ci95`` and ``later_ci95`` are 95 % intervals (low, high); ``None`` with fewer than ``MIN_PAIRS`` pairs.
    The first requests are a single pair, from which nothing follows: see :class:`FirstFigures` instead.
    """

    later: float | None
    overall: float | None
    overall_ci95: tuple[float, float] | None
    later_ci95: tuple[float, float] | None


def figures(samples: Sequence[Sample], *, is_pooled: bool, opened: int | None) -> VariantFigures:
    """The figures of one of both ways."""
    own = [sample for sample in samples if sample.is_pooled == is_pooled]
    good = [(sample.pair, sample.duration_s) for sample in own if sample.duration_s is not None]
    durations = [duration_s for _, duration_s in good]
    first = next((duration_s for pair, duration_s in good if pair == 0), None)
    later = [duration_s for pair, duration_s in good if pair > 0]
    failed = Counter(sample.error_kind for sample in own if sample.error_kind is not None)
    return VariantFigures(
        n=len(durations),
        failed=MappingProxyType(dict(failed)),
        first_s=first,
        later_mean_s=_mean(later),
        overall_mean_s=_mean(durations),
        total_s=sum(durations) if durations else None,
        p95_s=float(np.percentile(later, 95)) if later else None,
        opened=opened,
    )


def improvement(
    samples: Sequence[Sample], pooled: VariantFigures, unpooled: VariantFigures, *, seed: int
) -> Improvement:
    """How much faster pooled is, with intervals from the pairs in which both requests succeeded.

    The interval is a paired bootstrap, BCa (B. Efron, "Better Bootstrap Confidence Intervals", 1987): both requests of
    a pair met the same network, so pairs are drawn, not requests; latencies are skewed, which makes plain percentile
    intervals of a ratio miss on one side, and BCa corrects bias and skew. The first pair is in every resample once:
    each run begins with exactly one first request, that is no matter of chance.
    """
    pairs = complete_pairs(samples)
    later = np.array([pair for number, pair in sorted(pairs.items()) if number > 0], dtype=np.float64).reshape(-1, 2)
    first = np.array([pairs[0]] if 0 in pairs else [], dtype=np.float64).reshape(-1, 2)
    none = np.empty((0, 2))
    return Improvement(
        later=faster_by(pooled.later_mean_s, unpooled.later_mean_s),
        overall=faster_by(pooled.overall_mean_s, unpooled.overall_mean_s),
        overall_ci95=bca_interval(later, always=first, seed=seed),
        later_ci95=bca_interval(later, always=none, seed=seed),
    )


def faster_by(pooled_s: float | None, unpooled_s: float | None) -> float | None:
    """1 - pooled / unpooled; ``None`` when either is unknown or there is nothing to divide by."""
    if pooled_s is None or unpooled_s is None or unpooled_s <= 0.0:
        return None
    return 1.0 - pooled_s / unpooled_s


def complete_pairs(samples: Sequence[Sample]) -> dict[int, tuple[float, float]]:
    """(pooled, unpooled) seconds by pair number, where both succeeded."""
    by_kind: dict[bool, dict[int, float]] = {True: {}, False: {}}
    for sample in samples:
        if sample.duration_s is not None:
            by_kind[sample.is_pooled][sample.pair] = sample.duration_s
    return {
        number: (pooled_s, by_kind[False][number])
        for number, pooled_s in by_kind[True].items()
        if number in by_kind[False]
    }


def bca_interval(
    pairs: FloatArray, *, always: FloatArray, seed: int, level: float = 0.95
) -> tuple[float, float] | None:
    """Bias-corrected and accelerated interval of 1 - mean(column 0) / mean(column 1).

    Rows of ``pairs`` are resampled, those of ``always`` are in every resample. The same seed gives the same interval.
    ``None`` with fewer than ``MIN_PAIRS`` rows.
    """
    n = len(pairs)
    if n < MIN_PAIRS:
        return None
    base = always.sum(axis=0)

    def gain(sums: FloatArray) -> FloatArray:
        # Both columns have the same number of rows, so their means' ratio is their sums'.
        result: FloatArray = 1.0 - (sums[..., 0] + base[0]) / (sums[..., 1] + base[1])
        return result

    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n, np.full(n, 1.0 / n), size=RESAMPLES)
    resampled = gain(drawn @ pairs)
    observed = float(gain(pairs.sum(axis=0)))
    normal = NormalDist()
    below = (np.count_nonzero(resampled < observed) + np.count_nonzero(resampled == observed) / 2) / RESAMPLES
    bias = normal.inv_cdf(min(max(below, 0.5 / RESAMPLES), 1.0 - 0.5 / RESAMPLES))
    left_out = gain(pairs.sum(axis=0) - pairs)
    off = left_out.mean() - left_out
    spread = float((off**2).sum())
    # Equal pairs leave nothing to correct, and nothing to divide by.
    acceleration = float((off**3).sum()) / (6.0 * spread**1.5) if spread > 0.0 else 0.0

    def end(probability: float) -> float:
        z = bias + normal.inv_cdf(probability)
        # A handful of wild samples can turn the correction around; then less of it is applied.
        corrected = bias + z / max(1.0 - acceleration * z, 0.1)
        return float(np.quantile(resampled, normal.cdf(corrected)))

    tail = (1.0 - level) / 2.0
    return end(tail), end(1.0 - tail)


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
