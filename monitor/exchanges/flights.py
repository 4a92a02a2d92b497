"""One request shared by everybody who needs the same reply at the same moment."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from msgspec.structs import replace

from monitor.domain.errors import MonitorError
from monitor.exchanges.base import Fetched, Source

T = TypeVar("T")


class _Flight:
    """A read under way; set once, by its leader, before ``done``."""

    __slots__ = ("done", "error", "value")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: Fetched[Any] | None = None
        self.error: MonitorError | None = None


class SingleFlight:
    """Lets the first caller of a key read and hands its result to those who come while it reads.

    A follower made no request, so it gets the value without traces, as from a cache, with its age. An error reaches
    every follower as an object of its own.

    Thread: any. A follower waits as long as its leader reads, at most ``WAIT_S``; then it reads itself.
    """

    WAIT_S = 60.0

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight] = {}
        self._shared = 0
        self._waiting = 0

    @property
    def shared(self) -> int:
        """Reads that needed no request of their own, since start."""
        return self._shared

    @property
    def waiting(self) -> int:
        """Callers that wait for somebody else's read now."""
        return self._waiting

    def share(self, key: Hashable, read: Callable[[], Fetched[T]]) -> Fetched[T]:
        """The result of ``read``, ours or the one that is under way for ``key``; raises what it raises."""
        with self._lock:
            flight = self._flights.get(key)
            is_leader = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
            else:
                self._waiting += 1
        if is_leader:
            return self._lead(key, flight, read)
        is_done = flight.done.wait(self.WAIT_S)
        with self._lock:
            self._waiting -= 1
        if not is_done:
            return read()
        if flight.error is not None:
            raise _without_traces(flight.error)
        if flight.value is None:
            # The leader failed in a way that is a fault of ours; it surfaces in its own thread.
            return read()
        with self._lock:
            self._shared += 1
        return handed_out(flight.value, self._clock() - flight.value.received_mono_s, Source.CACHE)

    def _lead(self, key: Hashable, flight: _Flight, read: Callable[[], Fetched[T]]) -> Fetched[T]:
        try:
            value = read()
            flight.value = value
            return value
        except MonitorError as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._flights[key]
            flight.done.set()


def handed_out(fetched: Fetched[T], age_s: float, source: Source) -> Fetched[T]:
    """``fetched`` as somebody gets it who did not ask for it: no traces, and held for ``age_s``."""
    return replace(fetched, traces=(), source=source, cache_age_s=max(0.0, age_s))


def _without_traces(error: MonitorError) -> MonitorError:
    # The same exception must not be raised in two threads: each raise writes its frames into it.
    twin = error.__class__.__new__(error.__class__)
    twin.__dict__.update(error.__dict__)
    twin.args = error.args
    twin.traces = ()
    return twin
