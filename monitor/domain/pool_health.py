"""What has been learned of how long a host lets sockets idle, and of how large its pool should be.

All ``*_s`` are seconds. ``None`` means "not known yet", never zero.
"""

import msgspec


class IdleBucket(msgspec.Struct, frozen=True, kw_only=True):
    """Sockets that were looked at again after an idle time in [``idle_from_s``, ``idle_to_s``): how they had fared."""

    idle_from_s: float
    idle_to_s: float
    survived: int
    """Still open, found so when the next request took them or the housekeeper looked."""
    dropped: int
    """Found closed by the server, before the next request or by it."""


class KeepAliveFit(msgspec.Struct, frozen=True, kw_only=True):
    """How long one host lets a socket idle, from idle times at reuse.

    ``longest_survived_s`` bounds the host's limit from below, ``shortest_dropped_s`` from above as far as drops repeat
    (one drop may have been a restart). ``retire_after_s`` is the idle time after which we close a socket ourselves:
    0.8 x ``shortest_dropped_s`` within 15 to 300 s, 300 s while nothing was dropped.
    """

    host: str
    buckets: tuple[IdleBucket, ...] = ()
    """Shortest idle times first; only those with a sample."""
    longest_survived_s: float | None = None
    shortest_dropped_s: float | None = None
    retire_after_s: float = 300.0

    @property
    def samples(self) -> int:
        """Sockets looked at, of either fate."""
        return sum(bucket.survived + bucket.dropped for bucket in self.buckets)


class SizingAdvice(msgspec.Struct, frozen=True, kw_only=True):
    """What the pool's size should be, from its use: "peak 3 of 20; 2 would do; 0 thrown away".

    ``recommended`` is the 99th percentile of connections in use over the last 60 s x 1.25 + 1, within 2 to 32;
    ``None`` in the first seconds. ``peak`` and ``discarded`` count since start.
    """

    maximum: int
    peak: int
    discarded: int
    p99_active_60s: float | None = None
    recommended: int | None = None
    is_automatic: bool = False
    """The size follows the recommendation; otherwise it is only advice."""
