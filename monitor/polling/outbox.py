"""The one way across the thread boundary: poll results from the workers to whoever shows them."""

import threading
from collections import deque
from collections.abc import Sequence

from monitor.polling.results import PollResult

DEFAULT_CAPACITY = 4_096
"""Results held while nobody drains. The default plan makes about six a second, so this is more than ten minutes."""


class Outbox:
    """Bounded hand-over of poll results to the GUI thread.

    When full, the oldest result is dropped and counted: a monitor prefers fresh data, and a loss must show.
    Thread: put() from any thread; drain() from the GUI thread (or the one loop of the headless command).
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self._capacity = capacity
        self._lock = threading.Lock()
        self._items: deque[PollResult] = deque(maxlen=capacity)
        self._dropped = 0

    def put(self, result: PollResult) -> None:
        """Add ``result``; never blocks beyond the lock."""
        with self._lock:
            if len(self._items) == self._capacity:
                self._dropped += 1
            self._items.append(result)

    def drain(self) -> tuple[Sequence[PollResult], int]:
        """Return everything waiting, oldest first, and how many were dropped since the last call."""
        fresh: deque[PollResult] = deque(maxlen=self._capacity)
        with self._lock:
            items, self._items = self._items, fresh
            dropped, self._dropped = self._dropped, 0
        return items, dropped


class Gate:
    """A door into an outbox that can be shut for good.

    An engine that stopped shuts its gate, so that a thread still hanging in a request cannot put a result afterwards.
    Thread: any. After :meth:`close` returns, no put through this gate can happen any more.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._lock = threading.Lock()
        self._is_open = True

    def put(self, result: PollResult) -> bool:
        """Pass ``result`` on; False when the gate is shut and the result was thrown away."""
        with self._lock:
            if self._is_open:
                self._outbox.put(result)
            return self._is_open

    def close(self) -> None:
        """Shut the gate; a second call does nothing."""
        with self._lock:
            self._is_open = False
