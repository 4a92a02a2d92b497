"""What looking after idle connections has in common, whatever the protocol: when to look, what is due, what is used."""

import logging
import threading
from collections.abc import Callable
from time import perf_counter

from monitor.domain.errors import MonitorError
from monitor.transport.accounts import OriginAccount, SocketEntry
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Question, Transport

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


class Rounds:
    """Calls ``look`` with the time (``perf_counter``) every few seconds on a thread of its own.

    Thread: any; :meth:`stop` does not wait for a look that is under way.
    """

    def __init__(self, look: Callable[[float], None]) -> None:
        self._look = look
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; a second call does nothing, nor does one after :meth:`stop`."""
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End for good."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self._look(perf_counter())
            except Exception:
                # Polls go on without it, so it must go on without whatever failed.
                log.exception("the housekeeper stumbled")


class Use:
    """When an origin was last really asked something, and when a connection may be opened for nobody. One thread."""

    def __init__(self, now: float) -> None:
        self._requests = 0
        self._used_s: float | None = None
        self._next_open_s = now
        self._pause_s = _FIRST_PAUSE_S

    def notice(self, account: OriginAccount, now: float) -> None:
        """Look whether there were requests since the last look; those that keep a connection warm do not count."""
        with account.lock:
            requests = account.attempts - account.kept_warm
        if requests != self._requests:
            self._requests = requests
            self._used_s = now

    def is_recent(self, now: float) -> bool:
        """Whether connections are worth keeping."""
        return self._used_s is not None and now - self._used_s <= KEPT_WARM_FOR_S

    def may_open(self, now: float) -> bool:
        """Whether the pause since the last opening is over."""
        return now >= self._next_open_s

    def opened(self, is_open: bool, now: float) -> None:
        """A connection was opened, or could not be: the next one comes later, after failures ever later."""
        self._pause_s = _FIRST_PAUSE_S if is_open else min(self._pause_s * 2.0, _LONGEST_PAUSE_S)
        self._next_open_s = now + self._pause_s


def is_too_old(entry: SocketEntry, max_age_s: float, now: float) -> bool:
    """Whether a connection has reached its own maximum age: ``max_age_s`` less its share of the jitter."""
    return now - entry.opened_s > max_age_s * (1.0 - AGE_JITTER * entry.age_jitter)


def is_overdue(entry: SocketEntry, max_age_s: float, now: float) -> bool:
    """Whether a connection must go although there is no other to take its place."""
    return now - entry.opened_s > max_age_s * _OVERDUE


def idle_limit_s(account: OriginAccount, config: TransportConfig) -> float | None:
    """How long a connection may idle, by what was learned of the host; ``None``: as long as it likes."""
    with account.lock:
        fit = account.idle_times.fit(account.host)
    if config.max_idle_s is None:
        return None if fit.shortest_dropped_s is None else fit.retire_after_s
    return min(config.max_idle_s, fit.retire_after_s)


def needs_warming(idle_s: float, limit_s: float) -> bool:
    """Whether a connection idle for ``idle_s`` would reach ``limit_s`` before the next looks."""
    return idle_s > limit_s - min(2.0 * EVERY_S, limit_s / 2.0)


def ask_to_warm(transport: Transport, question: Question) -> bool:
    """Ask ``question`` for the sake of a connection; False unless it was asked on one that had been idle. Blocks."""
    try:
        reply = transport.request(
            question.endpoint,
            params=question.params,
            body=question.body,
            headers=question.headers,
            weight=question.weight,
        )
    except MonitorError:  # no room in the budget, or no network: then the connection goes its way
        return False
    return not any(trace.is_cold for trace in reply.traces)
