"""What the request table and the latency plot say of an attempt, in words and for people."""

from collections.abc import Mapping
from typing import Final

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.figures import DASH, duration_text, local_time, safe_text

EARLIER_DEFINITION = "An earlier run of the app made this request: shown for comparison, counted nowhere"


def is_earlier(trace: RequestTrace) -> bool:
    """Whether an earlier run made the request; its number is below zero then."""
    return trace.request_id < 0


def time_text(trace: RequestTrace) -> str:
    """When the attempt began; marked where that was in an earlier run."""
    if is_earlier(trace):
        return f"◂ {local_time(trace.started_at)}"
    return local_time(trace.started_at, with_ms=True)


def status_text(trace: RequestTrace) -> str:
    """Say in a word how the attempt ended."""
    if trace.error_kind is not None:
        word = trace.error_kind.value.replace("_", " ")
        return f"{word}, healed" if trace.is_healed else word
    return DASH if trace.status is None else str(trace.status)


def short_endpoint(trace: RequestTrace) -> str:
    """The endpoint's name without the venue it begins with."""
    return safe_text(trace.endpoint.partition(".")[2] or trace.endpoint, 60)


def socket_text(trace: RequestTrace) -> str:
    """Say whether the connection was opened for this attempt, and which one it was."""
    if trace.is_cold is None:
        return DASH
    word = "cold" if trace.is_cold else "warm"
    return word if trace.connection_id is None else f"{word} #{trace.connection_id}"


PHASES: tuple[tuple[str, str], ...] = (
    ("queue", "queue"),
    ("lease", "lease wait"),
    ("dns", "DNS"),
    ("tcp", "TCP"),
    ("tls", "TLS"),
    ("send", "send"),
    ("wait", "wait"),
    ("read", "read"),
    ("unaccounted", "unaccounted"),
)
"""Phases of an attempt in the order they happen, by key and by the word shown."""


def phases_of(trace: RequestTrace) -> list[tuple[str, float]]:
    """The phases that took place, in order, in seconds. A phase that did not happen is absent, not zero."""
    known = {
        "queue": trace.queue_s,
        "lease": trace.lease_wait_s,
        "dns": trace.dns_s,
        "tcp": trace.tcp_s,
        "tls": trace.tls_s,
        "send": trace.send_s,
        "wait": trace.wait_s,
        "read": trace.read_s,
        "unaccounted": trace.unaccounted_s,
    }
    return [(key, seconds) for key, _ in PHASES if (seconds := known[key]) is not None]


FACT_DEFINITIONS: Final[Mapping[str, str]] = {
    "dns": "From our cache: the address was known from a look-up before; looked up: the resolver was asked",
    "tcp": "Addresses tried: a next one is begun on after 250 ms, or when one fails; the first that answers is taken",
    "tls": "Resumed: the ticket of an earlier session spared the certificates; in full: it did not, or there was none",
}
"""What :func:`fact_of` says, by phase."""


def fact_of(trace: RequestTrace, phase: str) -> str:
    """What a new connection was spared in ``phase`` or had to go through; empty where that is not known."""
    if phase == "dns" and trace.is_dns_cached is not None:
        return "from our cache" if trace.is_dns_cached else "looked up"
    if phase == "tcp" and trace.addresses_tried:
        return "1 address tried" if trace.addresses_tried == 1 else f"{trace.addresses_tried} addresses tried"
    if phase == "tls" and trace.is_resumed is not None:
        return "resumed" if trace.is_resumed else "in full"
    return ""


def phase_text(trace: RequestTrace, phase: str, seconds: float | None) -> str:
    """How long a phase took, and what is known of it: ``0 ms, from our cache``."""
    return ", ".join(text for text in (duration_text(seconds), fact_of(trace, phase)) if text)


def describe_phases(trace: RequestTrace) -> str:
    """The phases as one line of text, for tooltips and screen readers: ``TCP 20 ms (2 addresses tried), …``."""
    words = dict(PHASES)
    parts = []
    for key, seconds in phases_of(trace):
        fact = fact_of(trace, key)
        parts.append(f"{words[key]} {duration_text(seconds)}{f' ({fact})' if fact else ''}")
    if trace.is_prewarmed:
        parts.append("the connection was opened ahead")
    return ", ".join(parts) or DASH
