"""Why one request took longer than its like: the phase that was in excess over its own recent median. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
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


class SpikeCause(StrEnum):
    """What an outlier is put down to."""

    HANDSHAKE = "handshake"
    DNS = "dns"
    VENUE = "venue"
    RATE_LIMIT = "rate_limit"
    POOL_WAIT = "pool_wait"
    CLIENT = "client"
    RETRY = "retry"
    SEND = "send"
    READ = "read"


CAUSE_OF_PHASE: Final[Mapping[str, SpikeCause]] = {
    "lease_wait_s": SpikeCause.POOL_WAIT,
    "dns_s": SpikeCause.DNS,
    "tcp_s": SpikeCause.HANDSHAKE,
    "tls_s": SpikeCause.HANDSHAKE,
    "send_s": SpikeCause.SEND,
    "wait_s": SpikeCause.VENUE,
    "read_s": SpikeCause.READ,
    "unaccounted_s": SpikeCause.CLIENT,
}
MIN_SAMPLES: Final = 8
"""Fewer like requests than this say nothing about what is usual."""
SPIKE_FACTOR: Final = 2.0
"""A spike takes at least this many times the usual median ..."""
SPIKE_DEVIATIONS: Final = 6.0
"""... lies this many median absolute deviations above it ..."""
SPIKE_FLOOR_S: Final = 0.020
"""... and is longer by at least this, so that jitter on a fast line is no spike."""
QUEUE_FLOOR_S: Final = 0.250
"""A wait for the rate limit or for its turn counts from this excess on: pollers of a venue stand in one line anyway."""
USUAL_WINDOW: Final = 64
"""What is usual is read from so many requests to the same endpoint before."""


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
    """An outlier and its reason. ``phase`` is a key of :data:`PHASES` or ``queue_s``; ``share`` its part of the excess.

    ``total_excess_s`` is what the request took over the median of its like; of a wait in the queue, which is in no
    latency, what that took over its own median; of a retry, the time of the attempts before is part of it.
    """

    request_id: int
    attempt: int
    cause: SpikeCause
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
        cause=CAUSE_OF_PHASE[phase],
        phase=phase,
        phase_excess_s=phase_excess_s,
        total_excess_s=excess_s,
        share=share,
        text=(
            f"{PHASES[phase]} took {_ms(phase_excess_s)} longer than usual: {min(share, 1.0):.0%} of the "
            f"{_ms(excess_s)} over the median of {usual.n} {'cold' if usual.is_cold else 'warm'} requests"
        ),
    )


def find_spike(trace: RequestTrace, before: Sequence[RequestTrace], *, lost_s: float = 0.0) -> Spike | None:
    """Whether ``trace`` is an outlier among ``before``, and why; ``None`` too while too few are known.

    ``before`` are the newest ``USUAL_WINDOW`` successes of the same endpoint that came earlier, cold and warm;
    ``lost_s`` is what earlier attempts of the same request took. Where warm is usual, a request that had to connect is
    held against the warm ones: not to average the two, but because the new connection is what made it slow.
    """
    if trace.error_kind is not None or trace.is_cold is None:
        return None
    spike = _latency_spike(trace, before, lost_s)
    queue = _queue_spike(trace, before)
    if spike is None or (queue is not None and queue.total_excess_s > spike.total_excess_s):
        return queue
    return spike


def _latency_spike(trace: RequestTrace, before: Sequence[RequestTrace], lost_s: float) -> Spike | None:
    is_cold = bool(trace.is_cold)
    like = [one for one in before if one.is_cold is is_cold]
    is_exception = is_cold and 2 * len(like) < len(before)
    if is_exception:
        like = [one for one in before if one.is_cold is False]
    if len(like) < MIN_SAMPLES:
        return None
    total_s = median(one.total_s for one in like)
    if trace.total_s + lost_s - total_s < SPIKE_FLOOR_S:
        return None
    usual = _baseline((trace.endpoint, is_cold and not is_exception), like)
    # To be measured, not to be shown: the phases of a connection are held against their absence.
    spike = explain(replace(trace, is_cold=usual.is_cold, total_s=trace.total_s + lost_s), usual)
    if spike is None or not (is_exception or trace.attempt > 1):
        return spike
    if trace.attempt > 1:
        text = f"the request was sent again on a new connection, {_ms(spike.total_excess_s)} over the median of "
        return replace(spike, cause=SpikeCause.RETRY, text=f"{text}{usual.n} warm requests")
    set_up_s = sum(_phase_s(trace, name) or 0.0 for name in ("dns_s", "tcp_s", "tls_s"))
    if spike.cause not in {SpikeCause.HANDSHAKE, SpikeCause.DNS} and set_up_s < spike.phase_excess_s:
        return spike
    cause = SpikeCause.DNS if spike.cause is SpikeCause.DNS else SpikeCause.HANDSHAKE
    text = (
        f"a new connection had to be opened, which took {_ms(set_up_s)}: "
        f"{min(set_up_s / spike.total_excess_s, 1.0):.0%} of the {_ms(spike.total_excess_s)} over the median of "
        f"{usual.n} warm requests"
    )
    phase = spike.phase if cause is spike.cause else "tls_s"
    return replace(spike, cause=cause, phase=phase, share=set_up_s / spike.total_excess_s, text=text)


def _queue_spike(trace: RequestTrace, before: Sequence[RequestTrace]) -> Spike | None:
    if trace.queue_s is None or trace.queue_s < QUEUE_FLOOR_S:
        return None
    known = [one.queue_s for one in before if one.queue_s is not None]
    if len(known) < MIN_SAMPLES:
        return None
    usual_s = median(known)
    deviation_s = median(abs(queue_s - usual_s) for queue_s in known)
    excess_s = trace.queue_s - usual_s
    if excess_s < max(QUEUE_FLOOR_S, SPIKE_DEVIATIONS * deviation_s) or trace.queue_s < SPIKE_FACTOR * usual_s:
        return None
    return Spike(
        request_id=trace.request_id,
        attempt=trace.attempt,
        cause=SpikeCause.RATE_LIMIT,
        phase="queue_s",
        phase_excess_s=excess_s,
        total_excess_s=excess_s,
        share=1.0,
        text=(
            f"it waited {_ms(trace.queue_s)} for the rate limit or its turn before it was sent, {_ms(excess_s)} over "
            f"the median of {len(known)} requests; that is in no latency"
        ),
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.0f} ms"


def _baseline(key: tuple[str, bool], traces: Sequence[RequestTrace]) -> Baseline:
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
