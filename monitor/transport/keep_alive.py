"""How long a host lets a socket idle, learned from how sockets had fared when they were looked at again."""

from bisect import bisect_right
from math import inf

from monitor.domain.pool_health import IdleBucket, KeepAliveFit

# The E12 series of preferred numbers (IEC 60063): twelve steps a decade, each about a fifth longer than the last.
_STEPS = (1.0, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 3.9, 4.7, 5.6, 6.8, 8.2)

EDGES_S = (0.0, *(round(step * decade, 1) for decade in (1.0, 10.0, 100.0) for step in _STEPS), 1_000.0, 86_400.0)
"""Bucket ``i`` holds idle times in [``EDGES_S[i]``, ``EDGES_S[i + 1]``) seconds."""

MIN_RETIRE_S = 15.0
MAX_RETIRE_S = 300.0
RETIRE_FRACTION = 0.8
"""Of the host's limit; the rest is for the way there and for limits that are looked at only now and then."""

_REMEMBERED = 16
_REPEATED = 2
_MASK = (1 << _REMEMBERED) - 1


class IdleTimes:
    """Fates of idle sockets of one host, by idle time.

    All samples are counted; what the limit is follows from the newest 16 of each bucket, so that a host that changes
    its mind is believed within 16 looks. Not thread-safe: the caller's lock.
    """

    def __init__(self) -> None:
        size = len(EDGES_S) - 1
        self._survived = [0] * size
        self._dropped = [0] * size
        self._fates = [1] * size
        """The newest fates as bits, 1 a drop, newest lowest, below a leading 1 that tells how many there are."""
        self._shortest_s = [inf] * size
        self._longest_s = 0.0
        self._longest_before_s = 0.0

    def survived(self, idle_s: float) -> None:
        """A socket idle for this long was open when it was taken or given up."""
        place = 0 if idle_s < 1.0 else bisect_right(EDGES_S, idle_s) - 1
        if place >= len(self._survived):
            return
        self._survived[place] += 1
        fates = self._fates[place] << 1
        self._fates[place] = fates if fates <= _MASK else fates & _MASK | _MASK + 1
        if idle_s > self._longest_s:
            self._longest_before_s, self._longest_s = self._longest_s, idle_s

    def seen_alive(self, idle_s: float) -> None:
        """A socket that goes on idling has been found open. No sample of its own: it will be one when it ends."""
        self._longest_s = max(self._longest_s, idle_s)

    def dropped_after_all(self, idle_s: float) -> None:
        """The socket that :meth:`survived` was told of turned out to be dead when it was used."""
        place = 0 if idle_s < 1.0 else bisect_right(EDGES_S, idle_s) - 1
        if place >= len(self._survived):
            return
        self._survived[place] = max(self._survived[place] - 1, 0)
        self._dropped[place] += 1
        self._fates[place] |= 1
        self._shortest_s[place] = min(self._shortest_s[place], idle_s)
        if self._longest_s == idle_s:
            self._longest_s = self._longest_before_s

    def fit(self, host: str) -> KeepAliveFit:
        """What is known now."""
        limit_s = self._limit_s()
        return KeepAliveFit(
            host=host,
            buckets=tuple(
                IdleBucket(
                    idle_from_s=EDGES_S[place],
                    idle_to_s=EDGES_S[place + 1],
                    survived=self._survived[place],
                    dropped=self._dropped[place],
                )
                for place in range(len(self._survived))
                if self._survived[place] or self._dropped[place]
            ),
            longest_survived_s=self._longest_s or None,
            shortest_dropped_s=limit_s,
            retire_after_s=MAX_RETIRE_S
            if limit_s is None
            else min(max(RETIRE_FRACTION * limit_s, MIN_RETIRE_S), MAX_RETIRE_S),
        )

    def adopt(self, fit: KeepAliveFit) -> None:
        """Go on from what an earlier run learned. Buckets that are not ours are left out."""
        for bucket in fit.buckets:
            place = bisect_right(EDGES_S, bucket.idle_from_s) - 1
            if place >= len(self._survived) or EDGES_S[place] != bucket.idle_from_s:
                continue
            self._survived[place] += bucket.survived
            self._dropped[place] += bucket.dropped
            limit_s = fit.shortest_dropped_s
            is_limit = limit_s is not None and bucket.idle_from_s <= limit_s < bucket.idle_to_s
            # The order of the fates is not known any more. Two drops stand for a limit found, and as many new
            # survivors overrule them; elsewhere the majority speaks once.
            for is_drop in (True, True) if is_limit else (bucket.dropped > bucket.survived,):
                self._fates[place] = self._fates[place] << 1 | is_drop
            if bucket.dropped:
                self._shortest_s[place] = limit_s if is_limit and limit_s is not None else bucket.idle_from_s
        self._longest_s = max(self._longest_s, fit.longest_survived_s or 0.0)

    def _limit_s(self) -> float | None:
        # The shortest bucket in which drops repeat and are not the exception: one may have been a restart, and a few
        # among many survivors are that, too.
        for place, fates in enumerate(self._fates):
            drops = fates.bit_count() - 1
            if drops >= _REPEATED and 2 * drops >= fates.bit_length() - 1:
                return self._shortest_s[place]
        return None
