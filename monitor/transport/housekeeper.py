"""Looks after the idle connections of one session, every few seconds, and never touches one that is in use."""

import logging
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import OriginAccount, SocketEntry
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Question
from monitor.transport.ledger import Ledger
from monitor.transport.pools import PoolSupport, TracedHTTPPool
from monitor.transport.sizing import MAX_SIZE, Sizer, no_uses

log = logging.getLogger(__name__)

EVERY_S = 5.0
"""Between two looks: a socket the server has closed is found at most this late, and expiry is as exact as this."""

AGE_JITTER = 0.1
"""Part of the maximum age that is taken off at random, so that connections opened together do not end together."""

KEPT_WARM_FOR_S = 900.0
"""After the last real request; a venue that is paused or switched off is left alone after that."""

_OVERDUE = 1.25
"""Times its maximum age, after which a connection goes although it could not be replaced."""

_FIRST_PAUSE_S = 30.0
_LONGEST_PAUSE_S = 600.0


class _Tended:
    """What is remembered of one ledger between two looks."""

    def __init__(self, now: float) -> None:
        self.sizer = Sizer(now)
        self.requests = 0
        self.used_s: float | None = None
        self.next_open_s = now
        self.pause_s = _FIRST_PAUSE_S


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
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look after the connections from now on; ended by :meth:`stop`, which the session's ``close`` calls."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End; does not wait for a look that is under way."""
        self._stop.set()

    def tick(self, now: float) -> None:
        """One look at every pool. ``now`` is a ``perf_counter()`` time; a test may be ahead of it."""
        for ledger in self._support.ledgers():
            pool = ledger.bound_pool
            if isinstance(pool, TracedHTTPPool):
                self._tend(pool, now)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.tick(perf_counter())
            except Exception:
                # Polls go on without it, so it must go on without whatever failed.
                log.exception("the housekeeper stumbled")

    def _tend(self, pool: TracedHTTPPool, now: float) -> None:
        ledger, config = pool.ledger, self.config
        account = ledger.account
        tended = self._tended.get(ledger)
        if tended is None:
            tended = self._tended[ledger] = _Tended(now)
        self._notice_use(account, tended, now)
        limit_s = _idle_limit_s(account, config)
        ledger.max_idle_s = limit_s
        if config.keep_warm is not None and limit_s is not None:
            self._keep_warm(pool, tended, config.keep_warm, now, limit_s)
        ledger.sweep(now, self._make_is_due(pool, tended, now))
        self._size_and_publish(ledger, tended, now)

    def _notice_use(self, account: OriginAccount, tended: _Tended, now: float) -> None:
        with account.lock:
            requests = account.attempts - account.kept_warm
        if requests != tended.requests:
            tended.requests = requests
            tended.used_s = now

    def _make_is_due(self, pool: TracedHTTPPool, tended: _Tended, now: float) -> Callable[[SocketEntry], bool]:
        """Which idle sockets are too old. The last one of a pool in use is replaced before it goes."""
        max_age_s = self.config.max_age_s

        def is_due(entry: SocketEntry) -> bool:
            return now - entry.opened_s > max_age_s * (1.0 - AGE_JITTER * entry.age_jitter)

        def is_overdue(entry: SocketEntry) -> bool:
            return now - entry.opened_s > max_age_s * _OVERDUE

        idle = pool.ledger.idle_entries()
        is_in_use = tended.used_s is not None and now - tended.used_s < KEPT_WARM_FOR_S
        if not idle or not all(is_due(entry) for entry in idle) or pool.ledger.leased or not is_in_use:
            return is_due
        if pool.ledger.reserve_one() and self._open(pool):
            return is_due
        return is_overdue

    def _keep_warm(self, pool: TracedHTTPPool, tended: _Tended, question: Question, now: float, limit_s: float) -> None:
        # A warm request, not a new handshake in time: on loopback a third of its CPU here and fewer bytes
        # (tests/benchmarks/bench_connect.py), and in the network one round trip against two or three. It costs the
        # least weight the venue has, once per idle limit, and nothing while polls come often enough.
        if pool.ledger.leased or tended.used_s is None or now - tended.used_s > KEPT_WARM_FOR_S:
            return
        idle = pool.ledger.idle_entries()
        if not idle:
            if now >= tended.next_open_s and pool.ledger.reserve(1):
                is_open = self._open(pool)
                tended.pause_s = _FIRST_PAUSE_S if is_open else min(tended.pause_s * 2.0, _LONGEST_PAUSE_S)
                tended.next_open_s = now + tended.pause_s
            return
        newest_s = idle[-1].idle_since_s
        if (
            newest_s is not None
            and now - newest_s > limit_s - min(2.0 * EVERY_S, limit_s / 2.0)
            and self._ask(question)
        ):
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


def _idle_limit_s(account: OriginAccount, config: TransportConfig) -> float | None:
    with account.lock:
        fit = account.idle_times.fit(account.host)
    if config.max_idle_s is None:
        return None if fit.shortest_dropped_s is None else fit.retire_after_s
    return min(config.max_idle_s, fit.retire_after_s)
