"""The pool's queue as its ledger: every lease, every opened and closed socket, counted where it happens.

urllib3 asks a pool's queue for a connection and puts it back; nothing else in a pool sees every lease. A
:class:`Ledger` is such a queue, one per pool; it books into the :class:`OriginAccount` of its origin, which outlives
the pools that served it, so that an evicted pool takes no history with it. Neither keeps a pool alive.
"""

import queue
import threading
import weakref
from collections.abc import Callable
from time import perf_counter

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import OriginAccount, SocketEntry
from monitor.transport.leasable import Leasable, Pool
from monitor.transport.sizing import USES_KEPT
from monitor.transport.tracing import CURRENT, Record


class Ledger:
    """The queue of one pool: idle connections, newest on top, and the leases.

    ``maxsize`` idle connections are kept; with ``is_blocking`` that many leases exist at most, and those who wait do so
    until their request's deadline. Connections idle longer than ``max_idle_s`` are retired instead of used. Where it
    would turn one away it grows instead, up to ``grow_limit`` (0: it does not).

    Of :class:`queue.LifoQueue` it has what a urllib3 pool calls: ``get``, ``put``, ``qsize``.

    Thread: any.
    """

    def __init__(self, account: OriginAccount, *, maxsize: int, is_blocking: bool, max_idle_s: float | None) -> None:
        self.account = account
        self.maxsize = maxsize
        self.grow_limit = 0
        self.max_idle_s = max_idle_s
        self._is_blocking = is_blocking
        self._lock = account.lock
        self._may_lease = threading.Condition(account.lock)
        self._idle: list[Leasable] = []
        self._leased = 0
        self._anonymous = 0
        self._warming = 0
        self._is_shut = False
        self._pool: weakref.ref[Pool] | None = None
        with self._lock:
            account.max_connections = maxsize
            account.is_changed = True

    def bind(self, pool: Pool) -> None:
        """Know the pool, weakly. Until then ``put`` ignores what urllib3 fills a new queue with."""
        self._pool = weakref.ref(pool)

    @property
    def is_shut(self) -> bool:
        """No connection is kept any more: the pool was evicted or the session closed."""
        return self._is_shut

    def qsize(self) -> int:
        """Idle connections."""
        return len(self._idle)

    def get(self, block: bool = True, timeout: float | None = None) -> Leasable | None:
        """Lease: an idle live connection, or ``None`` / ``queue.Empty`` for "open one".

        Raises:
            queue.Empty: nothing idle, or no lease became free in time.
        """
        pool = self._pool() if self._pool is not None else None
        if pool is None or pool.pool is None or (self._is_blocking and not block):
            # urllib3 closes a pool, or finds it collected, or the interpreter ends: it empties the queue, with the
            # same call as for a lease.
            return self._drain_one()
        record = CURRENT.record or Record.detached()
        started_s = perf_counter()
        account = self.account
        with self._lock:
            if self._is_blocking and self._leased >= self.maxsize and not self._grow():
                self._wait_for_lease(started_s, record.deadline_s - started_s if timeout is None else timeout)
            self._leased += 1
            account.leased += 1
            if account.leased > account.peak_leased:  # noqa: PLR1730 - max() costs a call on every request
                account.peak_leased = account.leased
            account.attempts += 1
            account.uses[account.leased if account.leased < USES_KEPT else -1] += 1
            account.is_changed = True
            connection, idle_since_s = self._pop_idle(record, started_s)
        while connection is not None and not self._is_usable(connection, idle_since_s, started_s):
            record.connection_id = None
            record.is_prewarmed = False
            with self._lock:
                account.reused -= 1
                connection, idle_since_s = self._pop_idle(record, started_s)
        record.lease_wait_s = perf_counter() - started_s
        if connection is None:
            record.pending_lease = self
            if record is not CURRENT.record:
                with self._lock:
                    self._anonymous += 1
            if self._is_blocking:
                self._make_room()
                return None
            raise queue.Empty
        connection.lease(record)
        record.is_cold = False
        return connection

    def put(self, item: Leasable | None, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002 - the queue's signature
        """End a lease: keep ``item`` if there is room, else close it. ``None``: the connection was lost on the way."""
        if self._pool is None:
            return
        if item is None:
            self.abandon_pending(CURRENT.record)
            return
        cause: CloseCause | None = None
        with self._lock:
            if item.is_leased:
                item.is_leased = False
                self._end_lease()
            entry = item.entry
            if entry is None:  # the server ended the connection with this reply
                return
            if self._is_shut:
                cause = CloseCause.WITH_POOL
            elif item.is_tainted:
                cause = CloseCause.ERROR
            elif len(self._idle) + (self._leased if self._is_blocking else 0) >= self.maxsize and not self._grow():
                cause = CloseCause.DISCARDED
            else:
                self._idle.append(item)
                entry.idle_since_s = perf_counter()
                entry.card = None
                self.account.idle += 1
        if cause is not None:
            item.retire(cause)

    def release(self, connection: Leasable) -> None:
        """End the lease of a connection that is being closed on the way."""
        with self._lock:
            if connection.is_leased:
                connection.is_leased = False
                self._end_lease()

    def claim_anonymous(self) -> bool:
        """Whether a lease was taken that no record knows of; it is the caller's now."""
        with self._lock:
            if self._anonymous == 0:
                return False
            self._anonymous -= 1
            return True

    def abandon_pending(self, record: Record | None) -> None:
        """End the lease of an attempt that never got as far as a connection."""
        if record is not None and record.pending_lease is self:
            record.pending_lease = None
            with self._lock:
                self._end_lease()
                self.account.connect_failed += 1

    def shut(self) -> None:
        """Close idle connections; those in use close when they are handed back."""
        with self._lock:
            self._is_shut = True
            idle, self._idle = self._idle, []
            for connection in idle:
                self._not_idle(connection)
            for connection in idle:  # under the lock, as in sweep()
                connection.retire(CloseCause.WITH_POOL)

    # For the housekeeper; none of these touches a connection that is leased.

    def reserve(self, wanted: int) -> int:
        """Places for connections to be opened ahead so that ``wanted`` are there in all; each place is to be filled
        with :meth:`insert` or given back with :meth:`unreserve`."""
        with self._lock:
            there = len(self._idle) + self._leased + self._warming
            free = 0 if self._is_shut else max(min(wanted, self.maxsize) - there, 0)
            self._warming += free
            return free

    def reserve_one(self) -> bool:
        """One place for a replacement, whatever is there already, as long as there is room."""
        with self._lock:
            has_room = not self._is_shut and len(self._idle) + self._leased + self._warming < self.maxsize + 1
            self._warming += has_room
            return has_room

    def unreserve(self) -> None:
        """The connection for a reserved place could not be opened."""
        with self._lock:
            self._warming -= 1

    def insert(self, connection: Leasable) -> bool:
        """Put a connection opened ahead into its reserved place; ``False``: there is no room for it any more."""
        with self._lock:
            self._warming -= 1
            entry = connection.entry
            there = len(self._idle) + (self._leased if self._is_blocking else 0)
            is_kept = entry is not None and not self._is_shut and there < self.maxsize + 1
            if is_kept and entry is not None:
                self._idle.append(connection)
                entry.idle_since_s = perf_counter()
                entry.card = None
                self.account.idle += 1
                self.account.is_changed = True
        if not is_kept:
            connection.retire(CloseCause.WITH_POOL if self._is_shut else CloseCause.DISCARDED)
        return is_kept

    def resize(self, maxsize: int, *, grow_limit: int = 0) -> None:
        """Keep, or with blocking lease, at most ``maxsize`` from now on: closes surplus idle ones, wakes who waits."""
        surplus = []
        pool = self.bound_pool  # as in sweep()
        with self._lock:
            is_larger = maxsize > self.maxsize
            self.maxsize = self.account.max_connections = maxsize
            self.grow_limit = grow_limit
            self.account.is_changed = True
            while self._idle and len(self._idle) + (self._leased if self._is_blocking else 0) > maxsize:
                # The one that was returned first; the newest is the one the next request wants.
                connection = self._idle.pop(0)
                self._give_up(connection, perf_counter())
                surplus.append(connection)
            if is_larger:
                self._may_lease.notify_all()
            for connection in surplus:
                connection.retire(CloseCause.EXPIRED)
        del pool

    def sweep(self, now: float, is_due: Callable[[SocketEntry], bool]) -> int:
        """Retire idle connections that are dead, idle for too long, or ``is_due``; returns how many.

        They are looked at under the lock, which takes a few microseconds each: taken out for it, they would be missing
        to a request that comes just then.
        """
        doomed: list[tuple[Leasable, CloseCause]] = []
        # Held so that the garbage collector cannot find the pool forgotten and empty the list that is being walked.
        pool = self.bound_pool
        if pool is None:
            return 0
        with self._lock:
            kept = []
            for connection in self._idle:
                cause = self._doom_of(connection, now, is_due)
                if cause is None:
                    kept.append(connection)
                else:
                    self._give_up(connection, now)
                    doomed.append((connection, cause))
            self._idle = kept
            # Still under the lock, or a snapshot could show a card as idle that is not counted so any more.
            for connection, cause in doomed:
                connection.retire(cause)
        return len(doomed)

    def idle_entries(self) -> tuple[SocketEntry, ...]:
        """The idle sockets, the one that goes next last."""
        with self._lock:
            return tuple([connection.entry for connection in self._idle if connection.entry is not None])

    @property
    def leased(self) -> int:
        """Leases under way."""
        return self._leased

    @property
    def bound_pool(self) -> Pool | None:
        """The pool, as long as it is there and open."""
        pool = self._pool() if self._pool is not None else None
        return None if pool is None or pool.pool is None else pool

    def _doom_of(self, connection: Leasable, now: float, is_due: Callable[[SocketEntry], bool]) -> CloseCause | None:
        entry = connection.entry
        if entry is None or entry.idle_since_s is None or not connection.is_alive():
            return CloseCause.STALE
        idle_s = now - entry.idle_since_s
        self.account.idle_times.seen_alive(idle_s)
        if (self.max_idle_s is not None and idle_s > self.max_idle_s) or is_due(entry):
            return CloseCause.EXPIRED
        return None

    def _give_up(self, connection: Leasable, now: float) -> None:
        self._not_idle(connection)
        entry = connection.entry
        if entry is not None and entry.idle_since_s is not None:
            entry.idled_s = max(now - entry.idle_since_s, 0.0)
            self.account.idle_times.survived(entry.idled_s)

    def _wait_for_lease(self, started_s: float, timeout_s: float) -> None:
        self.account.waiting += 1
        try:
            while self._leased >= self.maxsize:
                left_s = started_s + timeout_s - perf_counter()
                if left_s <= 0.0:
                    self.account.lease_timeouts += 1
                    raise queue.Empty
                self._may_lease.wait(min(left_s, threading.TIMEOUT_MAX))
        finally:
            self.account.waiting -= 1
            self.account.lease_wait_total_s += perf_counter() - started_s
            self.account.is_changed = True

    def _pop_idle(self, record: Record, now: float) -> tuple[Leasable | None, float]:
        if not self._idle or record.is_fresh_required:
            return None, 0.0
        connection = self._idle.pop()
        account = self.account
        account.idle -= 1
        account.reused += 1
        entry = connection.entry
        if entry is None or entry.idle_since_s is None:  # closed behind our back; found out when it is looked at
            return connection, 0.0
        idle_since_s, entry.idle_since_s = entry.idle_since_s, None
        entry.card = None
        entry.requests += 1
        if entry.requests == 1:
            record.is_prewarmed = True
        entry.idled_s = max(now - idle_since_s, 0.0)  # put back while this lease was waited for
        account.idle_times.survived(entry.idled_s)
        record.connection_id = entry.connection_id
        return connection, idle_since_s

    def _grow(self) -> bool:
        # Exactly by what is needed: the housekeeper takes it back once it has not been needed for long.
        if self.maxsize >= self.grow_limit or self._is_shut:
            return False
        self.maxsize += 1
        self.account.max_connections = self.maxsize
        return True

    def _not_idle(self, connection: Leasable) -> None:
        self.account.idle -= 1
        self.account.is_changed = True
        if connection.entry is not None:
            connection.entry.card = None

    def _is_usable(self, connection: Leasable, idle_since_s: float, now: float) -> bool:
        if not connection.is_alive():
            cause = CloseCause.STALE
        elif self.max_idle_s is not None and now - idle_since_s > self.max_idle_s:
            cause = CloseCause.EXPIRED
        else:
            return True
        with self._lock:
            if connection.entry is not None:
                # It did not serve after all, and its card tells how long it had been idle.
                connection.entry.requests -= 1
                connection.entry.idle_since_s = idle_since_s
            connection.retire(cause)
        return False

    def _make_room(self) -> None:
        # A lease that insists on a new socket may find the pool full of idle ones; the cap on open sockets holds.
        with self._lock:
            if self._idle and len(self._idle) + self._leased > self.maxsize:
                surplus = self._idle.pop(0)
                self._not_idle(surplus)
                surplus.retire(CloseCause.DISCARDED)  # under the lock, as in sweep()

    def _end_lease(self) -> None:
        self._leased -= 1
        self.account.leased -= 1
        self.account.is_changed = True
        if self._is_blocking:
            self._may_lease.notify()

    def _drain_one(self) -> Leasable:
        with self._lock:
            if not self._idle:
                raise queue.Empty
            connection = self._idle.pop()
            self._not_idle(connection)
            if connection.entry is not None:
                connection.entry.idle_since_s = None  # in use by whoever closes it now
            return connection
