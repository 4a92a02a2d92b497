"""What the exchange clients see of the transport: endpoints in, replies out.

The HTTP/1.1 pool of :mod:`monitor.transport.session` implements :class:`Transport`; another protocol would implement
the same and fill in the same traces.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

import msgspec

from monitor.domain.pool_health import KeepAliveFit
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace

DEFAULT_MAX_REPLY_BYTES = 8 * 1024 * 1024
"""Decoded bytes after which reading stops; the largest real reply (a whole order book) is about 0.5 MB."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One fixed thing to ask a venue. ``name`` is what traces and logs show, such as ``bitunix.tickers``."""

    name: str
    method: str
    path: str
    max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole reply of any status, its body decompressed.

    ``date`` is the ``Date`` header (1 s steps, ``None`` when absent or unreadable), ``retry_after_s`` the header in
    seconds. ``requested_mono_s`` and ``received_mono_s`` bracket the attempt that succeeded (monotonic clock).
    """

    status: int
    body: bytes
    content_type: str
    date: datetime | None
    retry_after_s: float | None
    traces: tuple[RequestTrace, ...]
    requested_mono_s: float
    received_mono_s: float
    received_at: datetime


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A whole request, to be asked again and again: what :meth:`Transport.request` takes."""

    endpoint: Endpoint
    params: Mapping[str, str] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    weight: int = 1


class Transport(Protocol):
    """Pooled, read-only, budgeted requests to one venue.

    Thread: every method from any thread. ``request`` blocks up to the deadline; the others do not block.
    """

    @property
    def venue(self) -> str:
        """Name of the venue it talks to."""
        ...

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        """Send and read one reply.

        A 429, 418 or 503 is reported to the budget and returned like any other reply; nothing sleeps here.

        Raises:
            ReadOnlyViolation: method and path are not on the venue's read-only list; no socket was touched.
            BudgetExhausted: ``weight`` does not fit under our cap now, or the venue asked us to pause.
            TransportError: no whole reply arrived; ``traces`` has every attempt.
        """
        ...

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        """Add ``weight`` that only the reply revealed (surcharges by rows)."""
        ...

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:
        """Tell the budget of a rate-limit refusal that did not come as an HTTP status."""
        ...

    def available_in_s(self, weight: int) -> float:
        """Seconds until ``weight`` fits the budget; 0 when it does now."""
        ...

    def pool_stats(self) -> tuple[PoolStats, ...]:
        """One snapshot per pool that exists."""
        ...

    def budget_state(self) -> BudgetState:
        """Where the venue's budget stands now."""
        ...

    def forget_network(self) -> None:
        """The network changed, or the machine slept: look names up anew and shake hands in full from now on."""
        ...

    def close(self) -> None:
        """Close idle connections; a request in flight ends at its own deadline, a new one raises ``TransportError``."""
        ...


@runtime_checkable
class TendedTransport(Transport, Protocol):
    """A transport whose kept connections are looked after: what :class:`PooledSession` and ``Http2Session`` share.

    Thread: any. ``prewarm`` blocks; the others do not.
    """

    def keep_house(self) -> None:
        """Look after idle connections from now until ``close``."""
        ...

    def ask_protocols(self) -> None:
        """Have it found out which protocols the host offers; the answer shows in its ``PoolStats``."""
        ...

    def prewarm(self, count: int, timeout_s: float | None = None) -> int:
        """Open connections ahead until ``count`` are there, or as many as it uses; returns how many opened.

        Blocks up to ``timeout_s`` (``None``: the deadline of a request). Nothing is raised.
        """
        ...

    def learned(self) -> tuple[KeepAliveFit, ...]:
        """How long each host was found to let sockets idle, as far as there is a sample."""
        ...

    def adopt(self, fits: Iterable[KeepAliveFit]) -> None:
        """Go on from what another session learned; for hosts that have not been asked anything yet."""
        ...

    def tune(
        self, *, pool_maxsize: int, is_sizing_automatic: bool, max_age_s: float, keep_warm: Question | None
    ) -> None:
        """Change these while requests are under way; none of them notices."""
        ...
