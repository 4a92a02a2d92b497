"""Looks after the one HTTP/2 connection, by the same rules as the pools of HTTP/1.1: limits, age, keeping warm."""

from collections.abc import Callable
from time import perf_counter

from monitor.domain.pool_health import SizingAdvice
from monitor.transport.accounts import OriginAccount
from monitor.transport.config import TransportConfig
from monitor.transport.http2.lease import Connector, NotOffered
from monitor.transport.interface import Question
from monitor.transport.rounds import Rounds, Use, idle_limit_s, is_overdue, is_too_old, needs_warming


class LinkKeeper:
    """Retires the connection when it idles too long or is too old, keeps it warm, publishes what was learned.

    One the server has closed needs no looking for: the connection's own reader has noticed. ``ask`` puts a question
    for the connection's sake and says whether a warm one served it. ``config`` may be replaced at any time. Thread:
    ``tick`` from one thread at a time; it blocks as long as connecting or asking takes. The rest from any thread.
    """

    def __init__(
        self, *, connector: Connector, account: OriginAccount, config: TransportConfig, ask: Callable[[Question], bool]
    ) -> None:
        self.config = config
        self._connector = connector
        self._account = account
        self._ask = ask
        self._use = Use(perf_counter())
        self._rounds = Rounds(self.tick)

    def start(self) -> None:
        """Look after the connection from now on; ended by :meth:`stop`."""
        self._rounds.start()

    def stop(self) -> None:
        """End; does not wait for a look that is under way."""
        self._rounds.stop()

    def tick(self, now: float) -> None:
        """One look. ``now`` is a ``perf_counter()`` time; a test may be ahead of it."""
        account, config, connector = self._account, self.config, self._connector
        self._use.notice(account, now)
        limit_s = idle_limit_s(account, config)
        connector.max_idle_s = limit_s
        try:
            if config.keep_warm is not None and limit_s is not None and self._use.is_recent(now):
                self._keep_warm(config.keep_warm, now, limit_s)
            self._retire(now, limit_s)
        except NotOffered:
            # The next request finds out too, and goes the other way.
            pass
        with account.lock:
            advice = SizingAdvice(maximum=1, peak=account.peak_leased, discarded=0, recommended=1)
            account.publish(account.idle_times.fit(account.host), advice)

    def _keep_warm(self, question: Question, now: float, limit_s: float) -> None:
        entry = self._connector.entry
        if entry is None:
            if self._use.may_open(now):
                self._use.opened(self._connector.open_ahead(self._deadline_s()), now)
            return
        idle_since_s = entry.idle_since_s
        if idle_since_s is not None and needs_warming(now - idle_since_s, limit_s) and self._ask(question):
            self._account.count_kept_warm()

    def _retire(self, now: float, limit_s: float | None) -> None:
        entry = self._connector.entry
        if entry is None:
            return
        idle_since_s = entry.idle_since_s
        if idle_since_s is not None:
            with self._account.lock:
                self._account.idle_times.seen_alive(max(now - idle_since_s, 0.0))
            if limit_s is not None and now - idle_since_s > limit_s:
                self._connector.expire()
                return
        if not is_too_old(entry, self.config.max_age_s, now):
            return
        # Requests move over to the other one; no one on the old is disturbed.
        if self._use.is_recent(now) and self._connector.replace(self._deadline_s()):
            return
        if not self._use.is_recent(now) or is_overdue(entry, self.config.max_age_s, now):
            self._connector.expire()

    def _deadline_s(self) -> float:
        return perf_counter() + self.config.deadline_s
