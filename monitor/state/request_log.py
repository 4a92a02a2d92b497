"""The newest requests, one trace per attempt, so that a model can fetch only what is new."""

from collections import deque
from collections.abc import Sequence
from itertools import islice

from monitor.domain.telemetry import RequestTrace

REQUEST_CAPACITY = 5_000
SAME_REPLY_S = 0.02
"""A price is stamped when its reply was whole; the attempt that brought it ended at the same moment but for this."""


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

    def ended_at(self, venue: str, time_mono_s: float) -> RequestTrace | None:
        """The attempt whose reply was whole at that moment, of an earlier run too; ``None``: it is not held (any more).

        Of several that ended within ``SAME_REPLY_S`` of it, the nearest. Walks from the newest on.
        """
        near = [
            trace
            for traces in (self._items, self.earlier)
            for trace in traces
            if trace.venue == venue and abs(trace.ended_mono_s - time_mono_s) <= SAME_REPLY_S
        ]
        return min(near, key=lambda trace: abs(trace.ended_mono_s - time_mono_s), default=None)

    def of_connection(self, connection_id: int) -> tuple[RequestTrace, ...]:
        """Attempts of this run that one connection carried, oldest first, as far as they are held."""
        return tuple(trace for trace in self._items if trace.connection_id == connection_id)

    def since(self, revision: int) -> tuple[RequestTrace, ...]:
        """Traces added after ``revision``, oldest first; those already forgotten are left out."""
        count = min(len(self._items), max(0, self._revision - revision))
        if not count:
            return ()
        # From the right: a deque reaches its ends at once but its middle only by walking.
        return tuple(islice(reversed(self._items), count))[::-1]
