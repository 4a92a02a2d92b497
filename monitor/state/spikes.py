"""Why one request took longer than its like: the phase that was in excess over its own recent median."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from monitor.domain.telemetry import RequestTrace

PHASES: Final[Mapping[str, str]] = {
    "lease_wait_s": "waiting for a pool slot",
    "dns_s": "DNS",
    "tcp_s": "TCP connect",
    "tls_s": "TLS handshake",
    "send_s": "sending",
    "wait_s": "waiting for the venue's first byte",
    "read_s": "reading the reply",
    "unaccounted_s": "this app itself",
}
"""The parts of ``total_s`` with their names for people, in the order in which they happen."""
MIN_SAMPLES: Final = 8
"""Fewer like requests than this say nothing about what is usual."""
SPIKE_FACTOR: Final = 2.0
"""A spike takes at least this many times the usual median ..."""
SPIKE_DEVIATIONS: Final = 6.0
"""... lies this many median absolute deviations above it ..."""
SPIKE_FLOOR_S: Final = 0.020
"""... and is longer by at least this, so that jitter on a fast line is no spike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is usual for an endpoint, cold or warm: medians over ``n`` recent successes, ``None`` for absent phases."""

    endpoint: str
    is_cold: bool
    n: int
    total_s: float
    deviation_s: float
    """Median absolute deviation of the totals."""
    phases_s: Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """An outlier and its reason. ``phase`` is a key of :data:`PHASES`; ``share`` its part of the whole excess."""

    request_id: int
    attempt: int
    phase: str
    phase_excess_s: float
    total_excess_s: float
    share: float
    text: str


def baselines(traces: Iterable[RequestTrace]) -> dict[tuple[str, bool], Baseline]:
    """Medians per endpoint, cold and warm apart, of the successes in ``traces``; those with too few are left out."""
    groups: dict[tuple[str, bool], list[RequestTrace]] = {}
    for trace in traces:
        if trace.error_kind is None and trace.is_cold is not None:
            groups.setdefault((trace.endpoint, trace.is_cold), []).append(trace)
    return {key: _baseline(key, like) for key, like in groups.items() if len(like) >= MIN_SAMPLES}


def explain(trace: RequestTrace, usual: Baseline) -> Spike | None:
    """The reason why ``trace`` is an outlier; ``None`` when it is not one, failed, or is not of the same class."""
    if trace.error_kind is not None or (trace.endpoint, trace.is_cold) != (usual.endpoint, usual.is_cold):
        return None
    excess_s = trace.total_s - usual.total_s
    floor_s = max(SPIKE_FLOOR_S, SPIKE_DEVIATIONS * usual.deviation_s)
    if excess_s < floor_s or trace.total_s < SPIKE_FACTOR * usual.total_s:
        return None
    phase, phase_excess_s = max(
        ((name, (_phase_s(trace, name) or 0.0) - (usual.phases_s[name] or 0.0)) for name in PHASES),
        key=lambda item: item[1],
    )
    share = phase_excess_s / excess_s
    return Spike(
        request_id=trace.request_id,
        attempt=trace.attempt,
        phase=phase,
        phase_excess_s=phase_excess_s,
        total_excess_s=excess_s,
        share=share,
        text=(
            f"{PHASES[phase]} took {phase_excess_s * 1_000:.0f} ms longer than usual: {min(share, 1.0):.0%} of the "
            f"{excess_s * 1_000:.0f} ms over the median of {usual.n} {'cold' if usual.is_cold else 'warm'} requests"
        ),
    )


def _baseline(key: tuple[str, bool], traces: list[RequestTrace]) -> Baseline:
    total_s = median(trace.total_s for trace in traces)
    phases: dict[str, float | None] = {}
    for name in PHASES:
        known = [value for value in (_phase_s(trace, name) for trace in traces) if value is not None]
        phases[name] = median(known) if known else None
    return Baseline(
        endpoint=key[0],
        is_cold=key[1],
        n=len(traces),
        total_s=total_s,
        deviation_s=median(abs(trace.total_s - total_s) for trace in traces),
        phases_s=phases,
    )


def _phase_s(trace: RequestTrace, name: str) -> float | None:
    value: float | None = getattr(trace, name)
    return value
