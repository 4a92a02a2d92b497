"""Every outlier of this run with its cause, and how many of each there were in the last seven days."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from monitor.domain.telemetry import RequestTrace
from monitor.state.period import Period
from monitor.state.spikes import USUAL_WINDOW, Spike, SpikeCause, find_spike

TALLY_SPAN: Final = timedelta(days=7)
SPIKE_CAPACITY: Final = 2_000
_HOUR_S: Final = 3_600.0
_RETRIES_KEPT: Final = 64
_NO_REQUESTS: Final[tuple[RequestTrace, ...]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeEntry:
    """An outlier with the attempt it is about. The number of an earlier run's request is below zero."""

    trace: RequestTrace
    spike: Spike


class Count(NamedTuple):
    """How many outliers, what they took over the usual in all, and the worst of them, in seconds."""

    n: int = 0
    lost_s: float = 0.0
    worst_s: float = 0.0

    def with_one(self, excess_s: float) -> "Count":
        """One outlier more."""
        return Count(self.n + 1, self.lost_s + excess_s, max(self.worst_s, excess_s))

    def plus(self, other: "Count") -> "Count":
        """Both together."""
        return Count(self.n + other.n, self.lost_s + other.lost_s, max(self.worst_s, other.worst_s))


Bucket = tuple[str, SpikeCause]
"""Venue and cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSpikes:
    """Outliers of earlier runs. ``hours``: counts by the hour since 1970 they began in; ``entries``: oldest first.

    ``since``: from when on requests were looked at, ``None``: there were none. ``watched_s``: how long requests were
    made in that time, in minutes that had one. ``is_cut_short``: the file holds more than could be looked at in time.
    """

    hours: Mapping[int, Mapping[Bucket, Count]] = field(default_factory=lambda: MappingProxyType({}))
    entries: tuple[SpikeEntry, ...] = ()
    since: datetime | None = None
    watched_s: float = 0.0
    is_cut_short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SpikeTally:
    """Outliers by venue and cause. ``since`` and ``watched_s`` as in :class:`PastSpikes`, this run included."""

    counts: Mapping[Bucket, Count]
    since: datetime | None
    watched_s: float

    def of_cause(self, cause: SpikeCause, venues: Iterable[str]) -> Count:
        """Outliers of ``cause`` at all ``venues`` together."""
        total = Count()
        for venue in venues:
            total = total.plus(self.counts.get((venue, cause), Count()))
        return total


class SpikeLog:
    """Finds outliers as requests come, and counts them by the hour. Thread: the board's."""

    def __init__(self, capacity: int = SPIKE_CAPACITY) -> None:
        self._items: deque[SpikeEntry] = deque(maxlen=capacity)
        self._before: dict[tuple[str, str], deque[RequestTrace]] = {}
        self._lost_s: dict[int, float] = {}
        self._hours: dict[int, dict[Bucket, Count]] = {}
        self._by_attempt: dict[tuple[int, int], SpikeEntry] = {}
        self._past = PastSpikes()
        self._first_at: datetime | None = None
        self._minutes: set[int] = set()
        self.revision = 0
        """Grows with every outlier, and when those of earlier runs come."""

    @property
    def items(self) -> Sequence[SpikeEntry]:
        """The newest outliers of this run, oldest first; a live view, do not change it."""
        return self._items

    @property
    def earlier(self) -> tuple[SpikeEntry, ...]:
        """Outliers of earlier runs, oldest first."""
        return self._past.entries

    @property
    def is_cut_short(self) -> bool:
        """Whether the history held more of the last week than could be looked at in time."""
        return self._past.is_cut_short

    def add(self, trace: RequestTrace) -> SpikeEntry | None:
        """Take an attempt in; the entry when it is an outlier. Each attempt once, about in the order they ended."""
        if self._first_at is None or trace.started_at < self._first_at:
            self._first_at = trace.started_at
        self._minutes.add(int(trace.started_at.timestamp() // 60))
        if trace.is_healed:
            self._lost_s[trace.request_id] = self._lost_s.get(trace.request_id, 0.0) + trace.total_s
            if len(self._lost_s) > _RETRIES_KEPT:
                del self._lost_s[next(iter(self._lost_s))]
            return None
        if not is_comparable(trace):
            return None
        before = self._before.setdefault((trace.venue, trace.endpoint), deque(maxlen=USUAL_WINDOW))
        lost_s = self._lost_s.pop(trace.request_id, 0.0) if trace.attempt > 1 else 0.0
        spike = find_spike(trace, before, lost_s=lost_s)
        before.append(trace)
        if spike is None:
            return None
        entry = SpikeEntry(trace=trace, spike=spike)
        if len(self._items) == self._items.maxlen:
            oldest = self._items[0].spike
            self._by_attempt.pop((oldest.request_id, oldest.attempt), None)
        self._items.append(entry)
        self._by_attempt[spike.request_id, spike.attempt] = entry
        bucket = self._hours.setdefault(hour_of(trace.started_at), {})
        key = (trace.venue, spike.cause)
        bucket[key] = bucket.get(key, Count()).with_one(spike.total_excess_s)
        self.revision += 1
        return entry

    def take_past(self, past: PastSpikes) -> None:
        """Count the outliers of earlier runs from now on."""
        self._past = past
        for entry in past.entries:
            self._by_attempt[entry.spike.request_id, entry.spike.attempt] = entry
        self.revision += 1

    def of(self, trace: RequestTrace) -> Spike | None:
        """Why an attempt was an outlier; ``None``: it was none, or it is no longer kept."""
        entry = self._by_attempt.get((trace.request_id, trace.attempt))
        return None if entry is None else entry.spike

    def usual_of(self, trace: RequestTrace) -> Sequence[RequestTrace]:
        """The newest successes of the same endpoint, oldest first; empty for one of an earlier run."""
        return self._before.get((trace.venue, trace.endpoint), _NO_REQUESTS) if trace.request_id > 0 else _NO_REQUESTS

    def tally(self, now: datetime) -> SpikeTally:
        """Outliers of the seven days before ``now`` (aware UTC), earlier runs included; whole hours at the old end."""
        first = hour_of(now - TALLY_SPAN)
        for hour in [hour for hour in self._hours if hour < first]:
            del self._hours[hour]
        counts: dict[Bucket, Count] = {}
        for hours in (self._past.hours, self._hours):
            for hour, bucket in hours.items():
                if hour >= first:
                    for key, count in bucket.items():
                        counts[key] = counts.get(key, Count()).plus(count)
        starts = [at for at in (self._past.since, self._first_at) if at is not None]
        since = max(min(starts), now - TALLY_SPAN) if starts else None
        self._minutes = {minute for minute in self._minutes if minute >= first * 60}
        return SpikeTally(
            counts=MappingProxyType(counts), since=since, watched_s=self._past.watched_s + 60.0 * len(self._minutes)
        )

    def tally_between(self, period: Period) -> SpikeTally:
        """Outliers of this run whose attempts ended within ``period``, as far as they are kept."""
        counts: dict[Bucket, Count] = {}
        for entry in self._items:
            if period.contains(entry.trace.ended_mono_s):
                key = (entry.trace.venue, entry.spike.cause)
                counts[key] = counts.get(key, Count()).with_one(entry.spike.total_excess_s)
        return SpikeTally(counts=MappingProxyType(counts), since=None, watched_s=period.length_s)


def is_comparable(trace: RequestTrace) -> bool:
    """Whether the attempt can be an outlier, and be usual for others: it brought a reply that was no refusal."""
    return trace.error_kind is None and trace.is_cold is not None and (trace.status is None or trace.status < 400)


def hour_of(at: datetime) -> int:
    """The hour since 1970 a moment lies in."""
    return int(at.astimezone(UTC).timestamp() // _HOUR_S)
