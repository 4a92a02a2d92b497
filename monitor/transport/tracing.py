"""The mutable record of the request a thread is making, frozen into one :class:`RequestTrace` per attempt."""

import itertools
import threading
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Protocol

from msgspec.structs import replace

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace

_request_ids = itertools.count(1)

MAX_ATTEMPTS = 3
"""Of one request: a kept connection that was dead, and at worst a new one that was dropped at once."""

_HTTP_VERSIONS = {9: "0.9", 10: "1.0", 11: "1.1", 20: "2"}


class Taintable(Protocol):
    """As much of a connection as a record touches."""

    is_tainted: bool


class HealCounter(Protocol):
    """As much of an origin's account as a record touches."""

    def count_healed(self, attempts: int) -> None: ...


class HeldSource(Protocol):
    """As much of a reply's bytes as a connection touches that lets go of its socket before they are read."""

    closed: bool
    owned: Any


class Record:
    """What is known so far of one logical request and of its current attempt.

    The adapter's classes write to it where sockets open, send and receive; ``phase`` is where the request is now, so a
    failure can say where it happened. Times are ``perf_counter()`` seconds.

    Thread: only the one that makes the request.
    """

    __slots__ = (
        "addresses_tried",
        "attempt",
        "body_bytes",
        "connection",
        "connection_id",
        "deadline_s",
        "dns_s",
        "endpoint",
        "first_byte_s",
        "heal_counter",
        "host",
        "http_version",
        "is_ahead",
        "is_cold",
        "is_dns_cached",
        "is_dropped",
        "is_fresh_required",
        "is_past_deadline",
        "is_prewarmed",
        "is_reply_broken",
        "is_resumed",
        "is_wire_full",
        "last_byte_s",
        "lease_wait_s",
        "method",
        "outer_error",
        "pending_lease",
        "phase",
        "phase_started_s",
        "request_bytes",
        "request_id",
        "send_started_s",
        "sent_s",
        "source",
        "started_at",
        "started_s",
        "status",
        "tcp_s",
        "tls_s",
        "traces",
        "venue",
        "wire_bytes",
        "wire_limit",
    )

    def __init__(
        self, *, venue: str, endpoint: str, method: str, host: str, deadline_s: float, wire_limit: int, started_s: float
    ) -> None:
        self.request_id = next(_request_ids)
        self.venue = venue
        self.endpoint = endpoint
        self.method = method
        self.host = host
        self.deadline_s = deadline_s
        self.wire_limit = wire_limit
        self.attempt = 1
        self.traces: tuple[RequestTrace, ...] = ()
        self.body_bytes = 0
        self.is_fresh_required = False
        self.heal_counter: HealCounter | None = None
        self.is_ahead = False
        """A connection is opened for later, not for a request: no attempt and no trace of its own."""
        self.is_past_deadline = False
        self.is_wire_full = False
        self.outer_error: BaseException | None = None
        self._begin(started_s)

    def _begin(self, started_s: float) -> None:
        self.started_s = started_s
        self.started_at = datetime.now(UTC)
        self.phase = "lease"
        self.phase_started_s = started_s
        self.lease_wait_s: float | None = None
        self.dns_s: float | None = None
        self.tcp_s: float | None = None
        self.tls_s: float | None = None
        self.send_started_s: float | None = None
        self.sent_s: float | None = None
        self.first_byte_s: float | None = None
        self.last_byte_s: float | None = None
        self.is_dns_cached: bool | None = None
        self.addresses_tried: int | None = None
        self.is_resumed: bool | None = None
        self.is_cold: bool | None = None
        self.is_prewarmed = False
        self.connection_id: int | None = None
        self.request_bytes = 0
        self.wire_bytes = 0
        self.status: int | None = None
        self.http_version: int | None = None
        self.is_dropped = False
        self.is_reply_broken = False
        self.pending_lease: object | None = None
        """The ledger that granted a lease no connection has taken up yet; only compared."""
        self.connection: Taintable | None = None
        self.source: HeldSource | None = None

    @classmethod
    def detached(cls) -> "Record":
        """A record nobody will read, for a connection used outside a request. Without a deadline."""
        return cls(
            venue="",
            endpoint="",
            method="",
            host="",
            deadline_s=float("inf"),
            wire_limit=2**62,
            started_s=perf_counter(),
        )

    def enter(self, phase: str) -> float:
        """Note that ``phase`` begins now; returns the time."""
        self.phase = phase
        self.phase_started_s = perf_counter()
        return self.phase_started_s

    def may_repeat(self, *, is_new_trusted: bool) -> bool:
        """Whether the current attempt, dropped by the other end, may be made again on a new connection.

        Not once a byte of a reply came, nor after ``MAX_ATTEMPTS``. On a kept connection it may; on a new one, which a
        server may call idle until the request is there, only where ``is_new_trusted``.
        """
        if self.wire_bytes or self.attempt >= MAX_ATTEMPTS or self.is_cold is None:
            return False
        return is_new_trusted or not self.is_cold

    def taint(self) -> None:
        """Bytes came after the end of the reply: the connection must not serve another request."""
        if self.connection is not None:
            self.connection.is_tainted = True

    def repeat(self, counter: HealCounter | None) -> None:
        """End the current attempt as one that a closed connection took along; begin the next, on a new socket.

        ``counter`` is told of it once the request is answered.
        """
        self.heal_counter = counter
        now = perf_counter()
        self.end(now, error_kind=ErrorKind.DROPPED, weight=0, is_healed=True)
        self.attempt += 1
        self.is_fresh_required = True
        self._begin(now)

    def end(
        self, ended_s: float, *, error_kind: ErrorKind | None, weight: int, is_healed: bool = False
    ) -> tuple[RequestTrace, ...]:
        """Freeze the current attempt and return the traces of all so far.

        Those before it were healed by it, or not, if this is the last and brought nothing.
        """
        if error_kind is not None:
            self._end_phase_in_vain(ended_s)
        if self.attempt > 1 and not is_healed:
            if error_kind is not None:
                self.traces = tuple([replace(trace, is_healed=False) for trace in self.traces])
            elif self.heal_counter is not None:
                self.heal_counter.count_healed(self.attempt - 1)
        send_s = wait_s = read_s = None
        if self.sent_s is not None and self.send_started_s is not None:
            send_s = self.sent_s - self.send_started_s
            if self.first_byte_s is not None and self.last_byte_s is not None:
                # A server that answers before it has everything leaves nothing to wait for.
                wait_s = max(self.first_byte_s - self.sent_s, 0.0)
                read_s = self.last_byte_s - max(self.first_byte_s, self.sent_s)
            elif error_kind is not None and self.phase == "wait":
                wait_s = ended_s - self.sent_s
        total_s = ended_s - self.started_s
        accounted_s = (
            (self.lease_wait_s or 0.0)
            + (self.dns_s or 0.0)
            + (self.tcp_s or 0.0)
            + (self.tls_s or 0.0)
            + (send_s or 0.0)
            + (wait_s or 0.0)
            + (read_s or 0.0)
        )
        trace = RequestTrace(
            request_id=self.request_id,
            attempt=self.attempt,
            venue=self.venue,
            endpoint=self.endpoint,
            method=self.method,
            host=self.host,
            started_at=self.started_at,
            started_mono_s=self.started_s,
            ended_mono_s=ended_s,
            lease_wait_s=self.lease_wait_s,
            dns_s=self.dns_s,
            tcp_s=self.tcp_s,
            tls_s=self.tls_s,
            send_s=send_s,
            wait_s=wait_s,
            read_s=read_s,
            unaccounted_s=total_s - accounted_s,
            total_s=total_s,
            is_cold=self.is_cold,
            connection_id=self.connection_id,
            request_bytes=self.request_bytes or None,
            response_bytes=self.wire_bytes or None,
            status=self.status,
            http_version=_HTTP_VERSIONS.get(self.http_version) if self.http_version is not None else None,
            weight=weight,
            error_kind=error_kind,
            is_healed=is_healed,
            is_prewarmed=self.is_prewarmed,
            is_dns_cached=self.is_dns_cached,
            is_resumed=self.is_resumed,
            addresses_tried=self.addresses_tried,
        )
        self.traces = (*self.traces, trace) if self.traces else (trace,)
        return self.traces

    def _end_phase_in_vain(self, ended_s: float) -> None:
        spent_s = max(ended_s - self.phase_started_s, 0.0)
        match self.phase:
            case "lease":
                self.lease_wait_s = spent_s if self.lease_wait_s is None else self.lease_wait_s
            case "dns":
                self.dns_s = spent_s if self.dns_s is None else self.dns_s
            case "connect":
                self.tcp_s = spent_s if self.tcp_s is None else self.tcp_s
            case "tls":
                self.tls_s = spent_s if self.tls_s is None else self.tls_s
            case "send":
                self.sent_s = ended_s if self.sent_s is None else self.sent_s
            case "read":
                self.last_byte_s = ended_s
            case _:
                pass


class _Current(threading.local):
    record: Record | None = None


CURRENT = _Current()
"""The record of the request this thread is making. urllib3 calls our classes without a word of what for; a thread makes
one request at a time, so the thread says which."""
