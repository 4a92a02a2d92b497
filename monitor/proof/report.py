"""A measurement as JSON document. Pure."""

import json
from collections.abc import Iterable
from typing import Any, Final

from monitor.proof.first import FirstFigures
from monitor.proof.measurement import MeasureResult
from monitor.proof.per_day import DayCost, PerDay
from monitor.proof.statistics import Sample, VariantFigures
from monitor.state.times import time_text

MEASURE_SCHEMA: Final = "trading-monitor.measure/1"


def measure_document(result: MeasureResult) -> dict[str, Any]:
    """The document of ``measure --json``: durations in seconds, improvements as fractions, unknown is ``None``.

    ``improvement.first`` is always ``None``: one pair of requests tells nothing; ``first_request`` has several.
    ``ci95`` is the interval of ``improvement.overall``. ``per_day`` is ``None`` when the run was cancelled.
    """
    gain = result.improvement
    return {
        "schema": MEASURE_SCHEMA,
        "venue": result.venue,
        "host": result.host,
        "endpoint": result.endpoint,
        "started_at": time_text(result.started_at),
        "duration_s": round(result.duration_s, 3),
        "requests": result.requests,
        "complete": not result.is_cancelled and not result.stopped_because,
        "stopped_because": result.stopped_because or None,
        "pooled": _variant(result.pooled),
        "unpooled": _variant(result.unpooled),
        "improvement": {
            "first": None,
            "later": _rounded(gain.later),
            "overall": _rounded(gain.overall),
            "ci95": _interval(gain.overall_ci95),
            "later_ci95": _interval(gain.later_ci95),
        },
        "first_request": _first(result.first),
        "per_day": None if result.per_day is None else _per_day(result.per_day),
        "seed": result.seed,
        "samples": _samples(result.samples),
        "first_samples": _samples(result.first_samples),
    }


def document_bytes(result: MeasureResult) -> bytes:
    """The document as the content of a file."""
    return (json.dumps(measure_document(result), indent=2) + "\n").encode()


def _first(first: FirstFigures) -> dict[str, Any]:
    return {
        "rounds": first.rounds,
        "unpooled_s": _rounded(first.unpooled_s),
        "pooled_s": _rounded(first.pooled_s),
        "prewarmed_s": _rounded(first.prewarmed_s),
        "paid_earlier_s": _rounded(first.prewarm_s),
        "improvement_pooled": _rounded(first.pooled_gain),
        "improvement_prewarmed": _rounded(first.prewarmed_gain),
    }


def _per_day(day: PerDay) -> dict[str, Any]:
    return {
        "calls": day.both.calls,
        "plain_calls": day.neither.calls,
        "api_s": _rounded(day.both.api_s, 3),
        "api_unpooled_s": _rounded(day.cache.api_s, 3),
        "handshakes": day.both.handshakes,
        "handshake_s": _rounded(day.both.handshake_s, 3),
        "handshake_unpooled_s": _rounded(day.cache.handshake_s, 3),
        "requests_per_s": _rounded(day.rps, 3),
        "requests_per_s_unpooled": _rounded(day.rps_unpooled, 3),
        "saved_by_pool_s": _rounded(day.saved_by_pool_s, 3),
        "saved_by_cache_calls": day.saved_by_cache_calls,
        "saved_by_cache_s": _rounded(day.saved_by_cache_s, 3),
        "neither": _cost(day.neither),
        "cache": _cost(day.cache),
        "pooling": _cost(day.pooling),
        "both": _cost(day.both),
    }


def _cost(cost: DayCost) -> dict[str, Any]:
    return {
        "calls": cost.calls,
        "api_s": _rounded(cost.api_s, 3),
        "handshakes": cost.handshakes,
        "handshake_s": _rounded(cost.handshake_s, 3),
    }


def _variant(figures: VariantFigures) -> dict[str, Any]:
    return {
        "first_s": _rounded(figures.first_s),
        "later_mean_s": _rounded(figures.later_mean_s),
        "overall_mean_s": _rounded(figures.overall_mean_s),
        "total_s": _rounded(figures.total_s),
        "p95_s": _rounded(figures.p95_s),
        "opened": figures.opened,
        "n": figures.n,
        "failed": {kind.value: count for kind, count in sorted(figures.failed.items())},
    }


def _samples(samples: Iterable[Sample]) -> list[dict[str, Any]]:
    return [
        {
            "pair": sample.pair,
            "pooled": sample.is_pooled,
            "prewarmed": sample.is_prewarmed,
            "duration_s": _rounded(sample.duration_s),
            "cold": sample.is_cold,
            "error": None if sample.error_kind is None else sample.error_kind.value,
        }
        for sample in samples
    ]


def _interval(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(interval[0], 6), round(interval[1], 6)]


def _rounded(value: float | None, digits: int = 6) -> float | None:
    # A microsecond, or a millionth, is finer than anything measured here.
    return None if value is None else round(value, digits)
