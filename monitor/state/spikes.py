"""Why one request took longer than its like: the phase that was in excess over its own recent median. Pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from statistics import median, quantiles
from typing import Final

import msgspec

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
_SET_UP: Final = ("dns_s", "tcp_s", "tls_s")
MIN_SAMPLES: Final = 8
"""Fewer like requests than this say nothing about what is usual."""
SPIKE_FACTOR: Final = 2.0
"""A spike takes at least this many times the usual median ..."""
SPIKE_DEVIATIONS: Final = 6.0
"""... lies this many median absolute deviations above it ..."""
SPIKE_FLOOR_S: Final = 0.020
"""... and is longer by at least this, so that jitter on a fast line is no spike."""
QUEUE_FLOOR_S: Final = 0.250
"""A wait for the rate limit or for its turn counts from this much over what one in ten waits: pollers of a venue stand
in one line, and where the budget is narrow many of them wait each time around."""
USUAL_WINDOW: Final = 64
"""What is usual is read from so many requests to the same endpoint before."""


class Spike(msgspec.Struct, frozen=True, kw_only=True):
    """An outlier and its reason.

    ``phase`` is a key of :data:`PHASES`, ``queue_s``, or ``retry`` for the attempts before with the new connection they
    made necessary; ``share`` its part of the excess. ``total_excess_s`` is what the request took over the median of its
    like, the attempts before included; of a wait in the queue, which is in no latency, what that took over its own
    median.
    """

    request_id: int
    attempt: int
    cause: SpikeCause
    phase: str
    phase_excess_s: float
    total_excess_s: float
    share: float
    text: str


class _Usual(msgspec.Struct, frozen=True, kw_only=True):
    """Medians over ``n`` requests, ``None`` for phases that none of them had; ``deviation_s``: of the totals."""

    is_cold: bool
    n: int
    total_s: float
    deviation_s: float
    phases_s: Mapping[str, float | None]

    @property
    def words(self) -> str:
        return f"the median of {self.n} {'cold' if self.is_cold else 'warm'} requests"

    def excess_s(self, trace: RequestTrace, phase: str) -> float:
        return (_phase_s(trace, phase) or 0.0) - (self.phases_s[phase] or 0.0)


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
    took_s = trace.total_s + lost_s
    if took_s < SPIKE_FLOOR_S:
        return None
    like = [one for one in before if one.is_cold is trace.is_cold]
    is_exception = bool(trace.is_cold) and 2 * len(like) < len(before)
    if is_exception:
        like = [one for one in before if one.is_cold is False]
    if len(like) < MIN_SAMPLES:
        return None
    total_s = median(one.total_s for one in like)
    excess_s = took_s - total_s
    # Most requests end here: what is dear comes after.
    if excess_s < SPIKE_FLOOR_S or took_s < SPIKE_FACTOR * total_s:
        return None
    deviation_s = median(abs(one.total_s - total_s) for one in like)
    if excess_s < SPIKE_DEVIATIONS * deviation_s:
        return None
    usual = _Usual(
        is_cold=bool(like[0].is_cold),
        n=len(like),
        total_s=total_s,
        deviation_s=deviation_s,
        phases_s={name: _median_of(name, like) for name in PHASES},
    )
    return _explain(trace, usual, excess_s, lost_s, is_exception=is_exception)


def _explain(trace: RequestTrace, usual: _Usual, excess_s: float, lost_s: float, *, is_exception: bool) -> Spike:
    phase = max(PHASES, key=lambda name: usual.excess_s(trace, name))
    phase_excess_s = usual.excess_s(trace, phase)
    cause = CAUSE_OF_PHASE[phase]
    what = f"{PHASES[phase]} took {_ms(phase_excess_s)} longer than usual"
    set_up_s = sum(usual.excess_s(trace, name) for name in _SET_UP)
    if trace.attempt > 1 and lost_s + set_up_s >= phase_excess_s:
        phase, phase_excess_s, cause = "retry", lost_s + set_up_s, SpikeCause.RETRY
        what = f"it was sent again on a new connection, which cost {_ms(phase_excess_s)}"
    elif is_exception and set_up_s >= phase_excess_s:
        # Together they are the reason, even where none of them alone is the longest phase.
        phase = max(_SET_UP, key=lambda name: usual.excess_s(trace, name))
        phase_excess_s, cause = set_up_s, CAUSE_OF_PHASE[phase]
        what = f"a new connection had to be opened, which took {_ms(set_up_s)}"
    share = phase_excess_s / excess_s
    return Spike(
        request_id=trace.request_id,
        attempt=trace.attempt,
        cause=cause,
        phase=phase,
        phase_excess_s=phase_excess_s,
        total_excess_s=excess_s,
        share=share,
        text=f"{what}: {min(share, 1.0):.0%} of the {_ms(excess_s)} over {usual.words}",
    )


def _queue_spike(trace: RequestTrace, before: Sequence[RequestTrace]) -> Spike | None:
    if trace.queue_s is None or trace.queue_s < QUEUE_FLOOR_S:
        return None
    known = [one.queue_s for one in before if one.queue_s is not None]
    if len(known) < MIN_SAMPLES:
        return None
    usual_s = median(known)
    common_s = quantiles(known, n=10, method="inclusive")[-1]
    excess_s = trace.queue_s - usual_s
    if trace.queue_s < max(common_s + QUEUE_FLOOR_S, SPIKE_FACTOR * usual_s):
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


def _median_of(phase: str, traces: Sequence[RequestTrace]) -> float | None:
    known = [value for value in (_phase_s(trace, phase) for trace in traces) if value is not None]
    return median(known) if known else None


def _phase_s(trace: RequestTrace, name: str) -> float | None:
    value: float | None = getattr(trace, name)
    return value
