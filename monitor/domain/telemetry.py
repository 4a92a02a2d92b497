"""What a request cost and how the pool that served it stands: the values every layer above the transport speaks of.

All ``*_s`` are seconds. ``*_mono_s`` are readings of ``time.perf_counter()`` and only comparable with each other;
``*_at`` are UTC stamps. ``None`` means "did not happen" or "not known", never zero.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import msgspec

from monitor.domain.errors import ErrorKind, PauseCause
from monitor.domain.pool_health import KeepAliveFit, SizingAdvice


class CloseCause(StrEnum):
    """Why a connection ended; exactly one per opened connection."""

    STALE = "stale"  # found dropped by the server when it was about to be used, or died keep-alive at the send
    EXPIRED = "expired"  # retired by us: idle too long or too old
    DISCARDED = "discarded"  # handed back to a full pool
    BY_SERVER = "by_server"  # the reply said Connection: close
    ERROR = "error"  # a request on it failed
    ABANDONED = "abandoned"  # we closed a reply before its end
    WITH_POOL = "with_pool"  # the pool was closed, cleared or evicted


class RequestTrace(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one request, phase by phase.

    A warm attempt (``is_cold`` False) has ``dns_s``, ``tcp_s`` and ``tls_s`` of ``None``: the phases are absent.
    ``total_s`` is from the request handed to the transport to the last body byte, without ``queue_s``; of a later
    attempt, from the end of the one before. Phases plus ``unaccounted_s`` add up to ``total_s``. In a failed attempt
    the last phase present is the one it died in, as long as that took.
    """

    request_id: int
    """Shared by all attempts of one logical request; unique in this process."""
    attempt: int
    """1 for the first."""
    venue: str
    endpoint: str
    """Low-cardinality name such as ``bitunix.tickers``; never a URL."""
    method: str
    host: str
    """``server.address:port``."""
    started_at: datetime
    started_mono_s: float
    ended_mono_s: float
    queue_s: float | None = None
    """Waiting for the worker or the budget, before the transport; ``None`` where nobody measured it."""
    lease_wait_s: float | None = None
    dns_s: float | None = None
    tcp_s: float | None = None
    tls_s: float | None = None
    send_s: float | None = None
    wait_s: float | None = None
    """Last request byte sent to first response byte (time to first byte)."""
    read_s: float | None = None
    """First response byte to last body byte."""
    unaccounted_s: float | None = None
    """The client's own time between the phases."""
    total_s: float = 0.0
    is_cold: bool | None = None
    """True: a connection was opened for this attempt. ``None``: it never got a connection."""
    connection_id: int | None = None
    request_bytes: int | None = None
    response_bytes: int | None = None
    """Bytes of the reply on the wire inside TLS, headers included."""
    status: int | None = None
    http_version: str | None = None
    weight: int = 0
    """Budget weight this attempt was charged."""
    error_kind: ErrorKind | None = None
    """``None`` when a reply arrived whole, whatever its status."""
    is_healed: bool = False
    """Its connection was closed before a byte of the reply; a later attempt of the same request was answered."""
    is_prewarmed: bool = False
    """Warm, but the first request on a connection that was opened ahead: its handshake was paid earlier, not saved."""
    is_dns_cached: bool | None = None
    """The address came from our own cache; ``None`` without a look-up (warm, or an address was given)."""
    is_resumed: bool | None = None
    """The TLS handshake resumed an earlier session; ``None`` without a handshake."""
    addresses_tried: int | None = None
    """Addresses the staggered connect began on before one answered; ``None`` without a connect."""

    @property
    def connect_s(self) -> float | None:
        """TCP + TLS in seconds; ``None`` on a reused connection."""
        if self.tcp_s is None:
            return None
        return self.tcp_s + (self.tls_s or 0.0)

    @property
    def ttfb_s(self) -> float | None:
        """Request start to first response byte in seconds, plus our own work on the reply (far below a millisecond).

        ``None`` when no byte arrived.
        """
        if self.wait_s is None or (self.error_kind is not None and self.read_s is None):
            return None
        return self.total_s - (self.read_s or 0.0)


class ConnectionCard(msgspec.Struct, frozen=True, kw_only=True):
    """One socket, as its card in the pool panel shows it."""

    connection_id: int
    host: str
    opened_at: datetime
    opened_mono_s: float
    state: str
    """``active``, ``idle``, ``suspect`` (idle longer than such sockets are known to survive) or ``closed``."""
    requests: int
    peer: str | None = None
    """IP address and port of the other end."""
    address_family: str | None = None
    """``IPv4`` or ``IPv6``."""
    tls_version: str | None = None
    cipher: str | None = None
    alpn: str | None = None
    is_resumed: bool | None = None
    connect_s: float | None = None
    idle_since_mono_s: float | None = None
    closed_mono_s: float | None = None
    close_cause: CloseCause | None = None
    is_prewarmed: bool = False
    """Opened ahead, not for a request."""


class PoolStats(msgspec.Struct, frozen=True, kw_only=True):
    """Counters and gauges of one pool (one scheme, host and port), taken under the pool's own lock.

    ``attempts = reused + (opened - prewarmed) + connect_failed`` once nothing is connecting;
    ``opened = idle + active + sum(closed.values())`` always.
    """

    venue: str
    host: str
    scheme: str
    attempts: int = 0
    opened: int = 0
    reused: int = 0
    connect_failed: int = 0
    healed: int = 0
    closed: Mapping[CloseCause, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    idle: int = 0
    active: int = 0
    suspect: int = 0
    waiting: int = 0
    peak_active: int = 0
    max_connections: int = 0
    evicted_pools: int = 0
    """Pools the manager dropped because it knew too many origins; any is a misconfiguration."""
    lease_wait_total_s: float = 0.0
    lease_timeouts: int = 0
    """Requests that waited for a connection until their deadline; they made no attempt."""
    prewarmed: int = 0
    """Connections opened ahead; part of ``opened``."""
    kept_warm: int = 0
    """Times an idle connection was used only so that the server would not close it."""
    fit: KeepAliveFit | None = None
    """How long this host lets sockets idle; ``None`` where nobody watches (an unpooled client)."""
    sizing: SizingAdvice | None = None
    offered_protocols: tuple[str, ...] | None = None
    """What the host took when offered HTTP/2 and HTTP/1.1 (ALPN names); ``None``: not asked, ``()``: no choice."""
    connections: tuple[ConnectionCard, ...] = ()
    """Open ones first, then the newest closed ones, a bounded number."""

    @property
    def discarded(self) -> int:
        """Connections thrown away because the pool was full."""
        return self.closed.get(CloseCause.DISCARDED, 0)

    @property
    def reuse_ratio(self) -> float | None:
        """See :func:`reuse_of`."""
        return reuse_of(attempts=self.attempts, reused=self.reused, opened=self.opened)


def reuse_of(*, attempts: int, reused: int, opened: int) -> float | None:
    """Warm attempts / all attempts; ``None`` before the first, and while no connection was there to be reused."""
    return reused / attempts if attempts and (reused or opened) else None


class BudgetState(msgspec.Struct, frozen=True, kw_only=True):
    """Where this app stands against one venue's documented rate limit.

    ``limit`` and ``cap`` are weights per ``window_s`` seconds; ``cap`` is the part of the limit this app allows itself.
    """

    venue: str
    window_s: float
    limit: int
    cap: int
    used: int
    """Weight this app spent within the last ``window_s``."""
    used_60s: int = 0
    total_weight: int = 0
    """Weight this app spent since its transport was made, with what only replies revealed; never falls."""
    by_endpoint_60s: Mapping[str, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    paused_for_s: float | None = None
    """Seconds until the venue may be asked again after it refused; ``None`` when not paused."""
    pause_cause: PauseCause | None = None
    """Why it is paused; ``None`` when it is not."""
    refusals: int = 0
    """Replies that said "too many requests" since start."""
    is_shared_suspected: bool = False
    """The venue refused although our own use was under the cap: someone else on this IP uses the budget."""

    @property
    def used_fraction(self) -> float:
        """Weight used in the last 60 s / what the documented limit allows in 60 s."""
        return self.used_60s / (self.limit * 60.0 / self.window_s)
