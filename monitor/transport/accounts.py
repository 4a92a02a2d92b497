"""Counters, gauges and connection cards of one origin, from which its :class:`PoolStats` are taken."""

import random
import threading
from collections import deque
from datetime import UTC, datetime
from time import perf_counter
from types import MappingProxyType

from monitor.domain.pool_health import KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from monitor.transport.keep_alive import IdleTimes
from monitor.transport.sizing import no_uses

_CLOSED_CARDS = 30


class SocketEntry:
    """One open socket. Written under its account's lock, except by the thread that is connecting it."""

    __slots__ = (
        "address_family",
        "age_jitter",
        "alpn",
        "card",
        "cipher",
        "connect_s",
        "connection_id",
        "idle_since_s",
        "idled_s",
        "is_prewarmed",
        "is_resumed",
        "opened_at",
        "opened_s",
        "peer",
        "requests",
        "tls_version",
    )

    def __init__(self, connection_id: int, *, peer: str | None, address_family: str | None) -> None:
        self.connection_id = connection_id
        self.opened_at = datetime.now(UTC)
        self.opened_s = perf_counter()
        self.age_jitter = random.random()
        """Which part of the jitter of the maximum age is taken off for this one, 0 to 1."""
        self.peer = peer
        self.address_family = address_family
        self.requests = 0
        self.idle_since_s: float | None = None
        self.idled_s: float | None = None
        """How long it had been idle before the lease it is in, or when it was given up."""
        self.tls_version: str | None = None
        self.cipher: str | None = None
        self.alpn: str | None = None
        self.is_resumed: bool | None = None
        self.is_prewarmed = False
        self.connect_s: float | None = None
        self.card: ConnectionCard | None = None

    def freeze(self, host: str, state: str, cause: CloseCause | None = None) -> ConnectionCard:
        """Its card in ``state``."""
        return ConnectionCard(
            connection_id=self.connection_id,
            host=host,
            opened_at=self.opened_at,
            opened_mono_s=self.opened_s,
            state=state,
            requests=self.requests,
            peer=self.peer,
            address_family=self.address_family,
            tls_version=self.tls_version,
            cipher=self.cipher,
            alpn=self.alpn,
            is_resumed=self.is_resumed,
            connect_s=self.connect_s,
            idle_since_mono_s=self.idle_since_s,
            closed_mono_s=perf_counter() if cause is not None else None,
            close_cause=cause,
            is_prewarmed=self.is_prewarmed,
        )


class OriginAccount:
    """Counters, gauges and cards of one origin (scheme, host, port), over all pools it had.

    ``survival_s``: idle seconds that sockets of this host are known to survive; ``None`` while nobody has learned it.
    ``uses`` counts leases by the connections in use, this one included, since it was last taken away. ``fit`` and
    ``sizing`` are what the housekeeper last published; ``None`` where there is none. Thread: any, everything under
    ``lock``.
    """

    def __init__(self, *, venue: str, scheme: str, host: str) -> None:
        self.venue = venue
        self.scheme = scheme
        self.host = host
        # Re-entrant: the garbage collector may run while it is held, find a forgotten pool or response, and close it.
        self.lock = threading.RLock()
        self.survival_s: float | None = None
        self.attempts = 0
        self.reused = 0
        self.opened = 0
        self.prewarmed = 0
        self.kept_warm = 0
        self.connect_failed = 0
        self.healed = 0
        self.is_dropping_all = False
        """A request was dropped as often as it may be made, and none has been answered since."""
        self.evicted_pools = 0
        self.lease_timeouts = 0
        self.lease_wait_total_s = 0.0
        self.idle = 0
        self.leased = 0
        self.peak_leased = 0
        self.waiting = 0
        self.max_connections = 0
        self.idle_times = IdleTimes()
        self.uses = no_uses()
        self.fit: KeepAliveFit | None = None
        self.sizing: SizingAdvice | None = None
        self.offered_protocols: tuple[str, ...] | None = None
        self.closed = dict.fromkeys(CloseCause, 0)
        self.sockets: dict[int, SocketEntry] = {}
        self.closed_cards: deque[ConnectionCard] = deque(maxlen=_CLOSED_CARDS)
        self.is_changed = True
        self._stats: PoolStats | None = None

    def opened_socket(self, entry: SocketEntry, *, is_ahead: bool = False) -> None:
        """A TCP connection stands; what follows on it, TLS included, may still fail. ``is_ahead``: no request asked."""
        with self.lock:
            self.opened += 1
            if is_ahead:
                self.prewarmed += 1
                entry.is_prewarmed = True
            self.sockets[entry.connection_id] = entry
            self.is_changed = True

    def closed_socket(self, entry: SocketEntry, cause: CloseCause) -> None:
        """A socket ended. Only its first end counts."""
        with self.lock:
            if self.sockets.pop(entry.connection_id, None) is None:
                return
            self.closed[cause] += 1
            if cause is CloseCause.STALE and entry.idled_s is not None:
                self.idle_times.dropped_after_all(entry.idled_s)
            self.closed_cards.appendleft(entry.freeze(self.host, "closed", cause))
            self.is_changed = True

    def count_connect_failed(self) -> None:
        """An attempt ended without a TCP connection."""
        with self.lock:
            self.connect_failed += 1
            self.is_changed = True

    def count_evicted(self) -> None:
        """The manager dropped a pool of this origin because it knows too many."""
        with self.lock:
            self.evicted_pools += 1
            self.is_changed = True

    def count_healed(self, attempts: int) -> None:
        """A request was answered although ``attempts`` before had been dropped."""
        with self.lock:
            self.healed += attempts
            self.is_changed = True

    def count_kept_warm(self) -> None:
        """A connection was used only so that it would not be closed."""
        with self.lock:
            self.kept_warm += 1
            self.is_changed = True

    def publish(self, fit: KeepAliveFit, sizing: SizingAdvice) -> None:
        """Show these from the next snapshot on."""
        with self.lock:
            self.fit = fit
            self.sizing = sizing
            # While no drop repeats there is no limit to be suspicious about.
            self.survival_s = None if fit.shortest_dropped_s is None else fit.longest_survived_s
            self.is_changed = True

    def set_offered_protocols(self, chosen: tuple[str, ...]) -> None:
        """What the host took when offered HTTP/2 and HTTP/1.1."""
        with self.lock:
            self.offered_protocols = chosen
            self.is_changed = True

    def stats(self) -> PoolStats:
        """A consistent snapshot. Cheap: what has not changed since the last one is handed out again."""
        with self.lock:
            while self._stats is None or self.is_changed or self.survival_s is not None:
                self.is_changed = False
                self._stats = self._snapshot()
                # Unless something was closed in the middle of it, by the garbage collector on this very thread.
                if not self.is_changed:
                    break
            return self._stats

    def _snapshot(self) -> PoolStats:
        suspect, cards = self._open_cards()
        return PoolStats(
            venue=self.venue,
            host=self.host,
            scheme=self.scheme,
            attempts=self.attempts,
            opened=self.opened,
            reused=self.reused,
            connect_failed=self.connect_failed,
            healed=self.healed,
            closed=MappingProxyType({cause: n for cause, n in self.closed.items() if n}),
            idle=self.idle,
            active=len(self.sockets) - self.idle,
            suspect=suspect,
            waiting=self.waiting,
            peak_active=self.peak_leased,
            max_connections=self.max_connections,
            evicted_pools=self.evicted_pools,
            lease_timeouts=self.lease_timeouts,
            lease_wait_total_s=self.lease_wait_total_s,
            prewarmed=self.prewarmed,
            kept_warm=self.kept_warm,
            fit=self.fit,
            sizing=self.sizing,
            offered_protocols=self.offered_protocols,
            connections=(*cards, *tuple(self.closed_cards)),
        )

    def _open_cards(self) -> tuple[int, list[ConnectionCard]]:
        suspect = 0
        cards = []
        now = perf_counter() if self.survival_s is not None else 0.0
        for entry in tuple(self.sockets.values()):
            if entry.idle_since_s is None:
                state = "active"
            elif self.survival_s is not None and now - entry.idle_since_s > self.survival_s:
                state = "suspect"
                suspect += 1
            else:
                state = "idle"
            if entry.card is None or entry.card.state != state:
                entry.card = entry.freeze(self.host, state)
            cards.append(entry.card)
        return suspect, cards
