"""Looks after the idle connections of one session, every few seconds, and never touches one that is in use."""

import weakref
from collections.abc import Callable
from time import perf_counter

from msgspec.structs import replace

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import SocketEntry
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Question
from monitor.transport.ledger import Ledger
from monitor.transport.pools import PoolSupport, TracedHTTPPool
from monitor.transport.rounds import Rounds, Use, idle_limit_s, is_overdue, is_too_old, needs_warming
from monitor.transport.sizing import MAX_SIZE, Sizer, no_uses


class _Tended:
    """What is remembered of one ledger between two looks."""

    def __init__(self, now: float) -> None:
        self.sizer = Sizer(now)
        self.use = Use(now)


class Housekeeper:
    """Retires what is dead, too old or idle too long, resizes, keeps one connection warm, publishes what it learned.

    ``ask`` puts a question for a connection's sake and says whether a warm one served it. ``config`` may be replaced
    at any time. Thread: ``tick`` from one thread at a time, normally the one that ``start`` starts; it blocks as long
    as opening a connection or asking takes. The rest from any thread.
    """

    def __init__(self, *, support: PoolSupport, config: TransportConfig, ask: Callable[[Question], bool]) -> None:
        self.config = config
        self._support = support
        self._ask = ask
        self._tended: weakref.WeakKeyDictionary[Ledger, _Tended] = weakref.WeakKeyDictionary()
        self._rounds = Rounds(self.tick)

    def start(self) -> None:
        """Look after the connections from now on; ended by :meth:`stop`, which the session's ``close`` calls."""
        self._rounds.start()

    def stop(self) -> None:
        """End; does not wait for a look that is under way."""
        self._rounds.stop()

    def tick(self, now: float) -> None:
        """One look at every pool. ``now`` is a ``perf_counter()`` time; a test may be ahead of it."""
        for ledger in self._support.ledgers():
            pool = ledger.bound_pool
            if isinstance(pool, TracedHTTPPool):
                self._tend(pool, now)

    def _tend(self, pool: TracedHTTPPool, now: float) -> None:
        ledger, config = pool.ledger, self.config
        account = ledger.account
        tended = self._tended.get(ledger)
        if tended is None:
            tended = self._tended[ledger] = _Tended(now)
        tended.use.notice(account, now)
        limit_s = idle_limit_s(account, config)
        ledger.max_idle_s = limit_s
        if config.keep_warm is not None and limit_s is not None:
            self._keep_warm(pool, tended, config.keep_warm, now, limit_s)
        ledger.sweep(now, self._make_is_due(pool, tended, now))
        self._size_and_publish(ledger, tended, now)

    def _make_is_due(self, pool: TracedHTTPPool, tended: _Tended, now: float) -> Callable[[SocketEntry], bool]:
        """Which idle sockets are too old. The last one of a pool in use is replaced before it goes."""
        max_age_s = self.config.max_age_s

        def is_due(entry: SocketEntry) -> bool:
            return is_too_old(entry, max_age_s, now)

        idle = pool.ledger.idle_entries()
        if not idle or not all(is_due(entry) for entry in idle) or pool.ledger.leased or not tended.use.is_recent(now):
            return is_due
        if pool.ledger.reserve_one() and self._open(pool):
            return is_due
        return lambda entry: is_overdue(entry, max_age_s, now)

    def _keep_warm(self, pool: TracedHTTPPool, tended: _Tended, question: Question, now: float, limit_s: float) -> None:
        # A warm request, not a new handshake in time: on loopback a third of its CPU here and fewer bytes
        # (tests/benchmarks/bench_connect.py), and in the network one round trip against two or three. It costs the
        # least weight the venue has, once per idle limit, and nothing while polls come often enough.
        if pool.ledger.leased or not tended.use.is_recent(now):
            return
        idle = pool.ledger.idle_entries()
        if not idle:
            if tended.use.may_open(now) and pool.ledger.reserve(1):
                tended.use.opened(self._open(pool), now)
            return
        newest_s = idle[-1].idle_since_s
        if newest_s is not None and needs_warming(now - newest_s, limit_s) and self._ask(question):
            pool.ledger.account.count_kept_warm()

    def _open(self, pool: TracedHTTPPool) -> bool:
        return pool.open_ahead(
            connect_timeout_s=self.config.connect_timeout_s, deadline_s=perf_counter() + self.config.deadline_s
        )

    def _size_and_publish(self, ledger: Ledger, tended: _Tended, now: float) -> None:
        account = ledger.account
        is_automatic = self.config.is_sizing_automatic
        with account.lock:
            uses, account.uses = account.uses, no_uses()
            advice = tended.sizer.advise(
                now,
                uses,
                maximum=ledger.maxsize,
                peak=account.peak_leased,
                discarded=account.closed[CloseCause.DISCARDED],
                is_automatic=is_automatic,
            )
        if is_automatic:
            size = tended.sizer.size(now, advice)
            if size != ledger.maxsize:
                ledger.resize(size, grow_limit=MAX_SIZE)
                advice = replace(advice, maximum=size)
        with account.lock:
            account.publish(account.idle_times.fit(account.host), advice)
