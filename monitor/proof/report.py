"""A measurement as JSON document and as text for people. Pure.

The definitions are here once, for the dialog's tooltips and the command's notes alike.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from monitor.proof.measurement import MeasureResult
from monitor.proof.statistics import VariantFigures
from monitor.state.summary import time_text

MEASURE_SCHEMA: Final = "trading-monitor.measure/1"
DASH: Final = "–"

DEFINITIONS: Final[Mapping[str, str]] = {
    "first": "The very first request of each way, connection set-up included. One sample: it has no interval.",
    "later mean": "Mean of all requests after the first: pooled on a kept connection, unpooled each on a new one.",
    "overall mean": "Mean of all requests, the first included.",
    "total": "Sum of all successful requests: time spent waiting for the venue.",
    "p95": "95 of 100 requests after the first were at most this slow.",
    "opened": "Connections opened, counted where sockets open.",
    "failed": "Requests without a usable reply. They are in no other figure, and never counted as 0.",
    "pooled": "This app's session: connections are kept and reused.",
    "unpooled": "A new requests.Session for every request, with stock settings, as a naive client does.",
    "improvement": "1 − pooled / unpooled of the same figure; negative when pooling was slower.",
    "interval": "95 % interval: BCa bootstrap over the pairs after the first; both of a pair met the same network.",
    "calls": "Requests of the poll plan in use in 24 hours.",
    "API time": "Waiting for the venue per day. Pooled: calls × warm mean + handshakes × set-up; unpooled: calls × its "
    "mean.",
    "handshakes": "Calls × share of later pooled requests that opened a connection, and the first one.",
    "handshake time": "Handshakes × median set-up (DNS + TCP + TLS), measured on this pool's cold requests.",
    "requests per second": "What one thread gets done back to back: 1 / overall mean.",
    "saved by pooling": "API time unpooled − API time pooled, for the same calls.",
    "saved by caching": "(Calls of a plain plan, with candles once a minute, − calls of the plan in use) × warm mean. "
    "It is not part of the saving by pooling.",
}


def measure_document(result: MeasureResult) -> dict[str, Any]:
    """The document of ``measure --json``: durations in seconds, improvements as fractions, unknown is ``None``.

    ``ci95`` is the interval of ``improvement.overall``.
    """
    gain, day = result.improvement, result.per_day
    return {
        "schema": MEASURE_SCHEMA,
        "venue": result.venue,
        "host": result.host,
        "endpoint": result.endpoint,
        "started_at": time_text(result.started_at),
        "duration_s": round(result.duration_s, 3),
        "requests": result.requests,
        "complete": not result.is_cancelled and not result.stopped_because,
        "prewarmed": result.is_prewarmed,
        "pooled": _variant(result.pooled),
        "unpooled": _variant(result.unpooled),
        "improvement": {
            "first": _rounded(gain.first),
            "later": _rounded(gain.later),
            "overall": _rounded(gain.overall),
            "ci95": _interval(gain.overall_ci95),
            "later_ci95": _interval(gain.later_ci95),
        },
        "per_day": {
            "calls": _rounded(day.calls, 1),
            "plain_calls": _rounded(day.plain_calls, 1),
            "api_s": _rounded(day.api_s, 3),
            "api_unpooled_s": _rounded(day.api_unpooled_s, 3),
            "handshakes": _rounded(day.handshakes, 1),
            "handshake_s": _rounded(day.handshake_s, 3),
            "handshake_unpooled_s": _rounded(day.handshake_unpooled_s, 3),
            "requests_per_s": _rounded(day.rps, 3),
            "requests_per_s_unpooled": _rounded(day.rps_unpooled, 3),
            "saved_by_pool_s": _rounded(day.saved_by_pool_s, 3),
            "saved_by_cache_calls": _rounded(day.saved_by_cache_calls, 1),
            "saved_by_cache_s": _rounded(day.saved_by_cache_s, 3),
        },
        "seed": result.seed,
        "samples": [
            {
                "pair": sample.pair,
                "pooled": sample.is_pooled,
                "duration_s": _rounded(sample.duration_s),
                "cold": sample.is_cold,
                "error": None if sample.error_kind is None else sample.error_kind.value,
            }
            for sample in result.samples
        ],
    }


def measure_lines(result: MeasureResult) -> Iterator[str]:
    """The same as a table for a terminal."""
    gain, day = result.improvement, result.per_day
    pooled, unpooled = result.pooled, result.unpooled
    yield f"{result.endpoint or result.venue} at {result.host}, {result.requests} requests each way, interleaved"
    yield ""
    yield f"{'':14}{'unpooled':>12}{'pooled':>12}{'faster by':>12}   95 % interval"
    for name, ours, theirs, faster, interval in (
        ("first", pooled.first_s, unpooled.first_s, gain.first, None),
        ("later mean", pooled.later_mean_s, unpooled.later_mean_s, gain.later, gain.later_ci95),
        ("overall mean", pooled.overall_mean_s, unpooled.overall_mean_s, gain.overall, gain.overall_ci95),
        ("p95", pooled.p95_s, unpooled.p95_s, None, None),
        ("total", pooled.total_s, unpooled.total_s, None, None),
    ):
        yield (
            f"{name:14}{milliseconds(theirs):>12}{milliseconds(ours):>12}{percent(faster):>12}"
            f"   {interval_text(interval)}"
        ).rstrip()
    yield f"{'opened':14}{_count(unpooled.opened):>12}{_count(pooled.opened):>12}"
    yield f"{'failed':14}{sum(unpooled.failed.values()):>12}{sum(pooled.failed.values()):>12}"
    yield ""
    yield f"Per day, for the plan in use ({day.calls:,.0f} calls):"
    yield f"  API time          {seconds(day.api_unpooled_s)} unpooled, {seconds(day.api_s)} pooled"
    yield f"  handshake time    {seconds(day.handshake_unpooled_s)} unpooled, {seconds(day.handshake_s)} pooled"
    yield f"  requests/s        {_rate(day.rps_unpooled)} unpooled, {_rate(day.rps)} pooled (one thread, back to back)"
    yield f"  saved by pooling  {seconds(day.saved_by_pool_s)}"
    yield f"  saved by caching  {day.saved_by_cache_calls:,.0f} calls, {seconds(day.saved_by_cache_s)}"
    if result.is_prewarmed:
        yield "The pool was warmed first: its handshake was paid earlier, not saved."
    if result.stopped_because:
        yield result.stopped_because


def milliseconds(value_s: float | None) -> str:
    """A duration in milliseconds, or a dash."""
    return DASH if value_s is None else f"{value_s * 1000:,.1f} ms"


def seconds(value_s: float | None) -> str:
    """A long duration in seconds, or a dash."""
    if value_s is None:
        return DASH
    return f"{value_s:,.0f} s" if abs(value_s) >= 100 else f"{value_s:,.2f} s"


def percent(fraction: float | None) -> str:
    """An improvement in per cent, or a dash."""
    return DASH if fraction is None else f"{fraction * 100:.1f} %"


def interval_text(interval: tuple[float, float] | None) -> str:
    """Both ends in per cent; empty without an interval."""
    return "" if interval is None else f"{interval[0] * 100:.1f} … {interval[1] * 100:.1f} %"


def _count(value: int | None) -> str:
    return DASH if value is None else str(value)


def _rate(value: float | None) -> str:
    return DASH if value is None else f"{value:,.1f}"


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


def _interval(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(interval[0], 6), round(interval[1], 6)]


def _rounded(value: float | None, digits: int = 6) -> float | None:
    # A microsecond, or a millionth, is finer than anything measured here.
    return None if value is None else round(value, digits)
