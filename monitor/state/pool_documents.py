"""What the pool panel shows, as JSON-ready documents: pools, their sockets, keep-alive fit, sizing, the cache.

Durations are seconds, stamps ISO 8601 in UTC, unknown is ``None``. Keys are only ever added.
"""

from typing import Any

from monitor.domain.pool_health import KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.exchanges.caching import CacheStats
from monitor.state.pool_words import closed_by, describe_fit, describe_protocols, describe_sizing
from monitor.state.times import time_text

Document = dict[str, Any]


def pool_document(
    pool: PoolStats, *, now_mono_s: float | None = None, request_interval_s: float | None = None
) -> Document:
    """Counters, gauges, advice and sockets of one pool. ``closed`` holds the causes that occurred.

    Ages of open sockets are as of ``now_mono_s``, ``None`` without it. ``request_interval_s``: how often the host is
    asked, which the keep-alive fit judges.
    """
    return {
        "host": pool.host,
        "attempts": pool.attempts,
        "opened": pool.opened,
        "reused": pool.reused,
        "reuse_ratio": pool.reuse_ratio,
        "connect_failed": pool.connect_failed,
        "healed": pool.healed,
        "discarded": pool.discarded,
        "closed": {cause.value: count for cause, count in pool.closed.items() if count},
        "idle": pool.idle,
        "active": pool.active,
        "suspect": pool.suspect,
        "waiting": pool.waiting,
        "peak": pool.peak_active,
        "max": pool.max_connections,
        "lease_wait_total_s": pool.lease_wait_total_s,
        "lease_timeouts": pool.lease_timeouts,
        "evicted_pools": pool.evicted_pools,
        "prewarmed": pool.prewarmed,
        "kept_warm": pool.kept_warm,
        "sizing": None if pool.sizing is None else sizing_document(pool.sizing),
        "keep_alive": None
        if pool.fit is None
        else fit_document(pool.fit, request_interval_s, is_kept_warm=pool.kept_warm > 0),
        "protocols": None if pool.offered_protocols is None else list(pool.offered_protocols),
        "protocols_text": describe_protocols(pool),
        "connections": [connection_document(card, now_mono_s=now_mono_s) for card in pool.connections],
    }


def sizing_document(advice: SizingAdvice) -> Document:
    """How large the pool should be, in figures and in words."""
    return {
        "max": advice.maximum,
        "peak": advice.peak,
        "discarded": advice.discarded,
        "p99_active_60s": advice.p99_active_60s,
        "recommended": advice.recommended,
        "automatic": advice.is_automatic,
        "text": describe_sizing(advice),
    }


def fit_document(fit: KeepAliveFit, request_interval_s: float | None, *, is_kept_warm: bool = False) -> Document:
    """How long the host lets a socket idle, and whether asking every ``request_interval_s`` fits that."""
    words = describe_fit(fit, request_interval_s, is_kept_warm=is_kept_warm)
    return {
        "samples": fit.samples,
        "longest_survived_s": fit.longest_survived_s,
        "shortest_dropped_s": fit.shortest_dropped_s,
        "retire_after_s": fit.retire_after_s,
        "request_interval_s": request_interval_s,
        "fit": words.kind.value,
        "text": words.text,
        "buckets": [
            {
                "idle_from_s": bucket.idle_from_s,
                "idle_to_s": bucket.idle_to_s,
                "survived": bucket.survived,
                "dropped": bucket.dropped,
            }
            for bucket in fit.buckets
        ],
    }


def connection_document(card: ConnectionCard, *, now_mono_s: float | None) -> Document:
    """One socket, as its card shows it. ``age_s`` of a closed one is how long it lived."""
    end_mono_s = now_mono_s if card.closed_mono_s is None else card.closed_mono_s
    is_idle = card.closed_mono_s is None and card.idle_since_mono_s is not None
    return {
        "id": card.connection_id,
        "state": card.state,
        "family": card.address_family,
        "peer": card.peer,
        "tls_version": card.tls_version,
        "cipher": card.cipher,
        "alpn": card.alpn,
        "resumed": card.is_resumed,
        "opened_at": time_text(card.opened_at),
        "connect_s": card.connect_s,
        "age_s": None if end_mono_s is None else max(0.0, end_mono_s - card.opened_mono_s),
        "idle_s": max(0.0, now_mono_s - card.idle_since_mono_s)
        if is_idle and now_mono_s is not None and card.idle_since_mono_s is not None
        else None,
        "requests": card.requests,
        "prewarmed": card.is_prewarmed,
        "close_cause": None if card.close_cause is None else card.close_cause.value,
        "closed_by": _closer(card.close_cause),
    }


def cache_document(stats: CacheStats) -> Document:
    """How reads were answered since start; ``partial``: only the candles that were missing were asked for."""
    return {
        "hits": stats.cached,
        "misses": stats.network,
        "partial": stats.partial,
        "shared": stats.shared,
        "stale_served": stats.stale,
    }


def _closer(cause: CloseCause | None) -> str | None:
    return None if cause is None else closed_by(cause)
