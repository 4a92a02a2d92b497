"""Rows of requests, pools and ended connections."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from monitor.domain.telemetry import PoolStats, RequestTrace
from monitor.history.memory import Memory, Row
from monitor.history.names import Names
from monitor.history.units import to_ms, to_us
from monitor.state.spikes import Spike

POOL_EVERY_S: Final = 60.0
"""A pool is recorded when a socket came or went, and at least this often."""
CONNECTIONS_REMEMBERED: Final = 2_000


def trace_row(trace: RequestTrace, session: int | None, names: Names) -> Row:
    """One attempt."""
    elapsed_us, total_us = to_us(trace.ended_mono_s - trace.started_mono_s), to_us(trace.total_s)
    return (
        None,
        session,
        trace.request_id,
        trace.attempt,
        names.label(trace.venue),
        names.label(trace.endpoint),
        names.label(trace.method),
        names.label(trace.host),
        to_ms(trace.started_at),
        None if elapsed_us == total_us else elapsed_us,
        to_us(trace.queue_s),
        to_us(trace.lease_wait_s),
        to_us(trace.dns_s),
        to_us(trace.tcp_s),
        to_us(trace.tls_s),
        to_us(trace.send_s),
        to_us(trace.wait_s),
        to_us(trace.read_s),
        to_us(trace.unaccounted_s),
        total_us,
        trace.is_cold,
        trace.connection_id,
        trace.request_bytes,
        trace.response_bytes,
        trace.status,
        names.label(trace.http_version),
        trace.weight,
        None if trace.error_kind is None else names.label(trace.error_kind.value),
        trace.is_healed,
        trace.is_prewarmed,
        trace.is_dns_cached,
        trace.is_resumed,
        trace.addresses_tried,
    )


def spike_row(trace: RequestTrace, spike: Spike, session: int | None, names: Names) -> Row:
    """Why one attempt was an outlier."""
    return (
        session,
        trace.request_id,
        trace.attempt,
        to_ms(trace.started_at),
        to_us(trace.ended_mono_s - trace.started_mono_s),
        names.label(trace.venue),
        names.label(spike.cause.value),
        names.label(spike.phase),
        to_us(spike.phase_excess_s),
        to_us(spike.total_excess_s),
        spike.text,
    )


def pool_rows(pool: PoolStats, at: datetime, memory: Memory, names: Names) -> Iterator[Row]:
    """The figures of a pool, if they are due."""
    closed = sum(pool.closed.values())
    place = (pool.venue, pool.scheme, pool.host)
    figures = (pool.opened, closed, pool.connect_failed, pool.healed, pool.discarded)
    known = memory.pools.get(place)
    if known is not None and known[0] == figures and (at - known[1]).total_seconds() < POOL_EVERY_S:
        return
    memory.pools[place] = (figures, at)
    yield (
        None,
        memory.session,
        to_ms(at),
        *(names.label(name) for name in place),
        pool.attempts,
        pool.opened,
        pool.reused,
        pool.connect_failed,
        pool.healed,
        pool.discarded,
        closed,
        pool.idle,
        pool.active,
        pool.suspect,
        pool.waiting,
        pool.peak_active,
        pool.max_connections,
    )


def connection_rows(pool: PoolStats, memory: Memory, names: Names) -> Iterator[Row]:
    """Connections that ended, each once."""
    for card in pool.connections:
        if card.closed_mono_s is None or card.connection_id in memory.connections:
            continue
        memory.connections[card.connection_id] = None
        if len(memory.connections) > CONNECTIONS_REMEMBERED:
            del memory.connections[next(iter(memory.connections))]
        opened_ms = to_ms(card.opened_at)
        yield (
            memory.session,
            card.connection_id,
            names.label(pool.venue),
            names.label(card.host),
            opened_ms,
            opened_ms + round((card.closed_mono_s - card.opened_mono_s) * 1e3),
            card.requests,
            names.label(card.address_family),
            names.label(card.tls_version),
            names.label(card.cipher),
            names.label(card.alpn),
            card.is_resumed,
            to_us(card.connect_s),
            None if card.close_cause is None else names.label(card.close_cause.value),
        )
