"""The newest requests, one trace per attempt, so that a model can fetch only what is new."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from monitor.domain.telemetry import RequestTrace

REQUEST_CAPACITY = 5_000


class RequestLog:
    """Bounded list of traces, oldest first; the oldest are forgotten. Thread: the board's."""

    def __init__(self, capacity: int = REQUEST_CAPACITY) -> None:
        self._items: deque[RequestTrace] = deque(maxlen=capacity)
        self._ids: set[tuple[int, int]] = set()
        self._revision = 0
        self.earlier: tuple[RequestTrace, ...] = ()
        """Requests of an earlier run, oldest first: to be looked at, in no count and in no other answer of this log."""

    @property
    def revision(self) -> int:
        """How many traces were ever added."""
        return self._revision

    @property
    def first_revision(self) -> int:
        """Revision before the oldest trace still held: rows up to it have been forgotten."""
        return self._revision - len(self._items)

    @property
    def items(self) -> Sequence[RequestTrace]:
        """Everything held, newest last; a live view, do not change it."""
        return self._items

    def __len__(self) -> int:
        return len(self._items)

    def add(self, trace: RequestTrace) -> bool:
        """Take a trace in; False when this attempt is already held (one reply shared by several polls)."""
        identity = (trace.request_id, trace.attempt)
        if identity in self._ids:
            return False
        if len(self._items) == self._items.maxlen:
            oldest = self._items[0]
            self._ids.discard((oldest.request_id, oldest.attempt))
        self._items.append(trace)
        self._ids.add(identity)
        self._revision += 1
        return True

    def since(self, revision: int) -> tuple[RequestTrace, ...]:
        """Traces added after ``revision``, oldest first; those already forgotten are left out."""
        count = min(len(self._items), max(0, self._revision - revision))
        if not count:
            return ()
        # From the right: a deque reaches its ends at once but its middle only by walking.
        return tuple(islice(reversed(self._items), count))[::-1]
