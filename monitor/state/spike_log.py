"""Every outlier of this run with its cause, and how many of each there were in the last seven days."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

from monitor.domain.telemetry import RequestTrace
from monitor.state.period import Period
from monitor.state.spikes import USUAL_WINDOW, Spike, SpikeCause, find_spike

TALLY_SPAN: Final = timedelta(days=7)
SPIKE_CAPACITY: Final = 2_000
_HOUR_S: Final = 3_600.0
_RETRIES_KEPT: Final = 64
_NO_REQUESTS: Final[tuple[RequestTrace, ...]] = ()


class SpikeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An outlier, and when its attempt began and ended. The number of an earlier run's request is below zero."""

    venue: str
    started_at: datetime
    ended_mono_s: float
    spike: Spike


class Count(NamedTuple):
    """How many outliers, what they took over the usual in all, the worst of them, and when the newest began."""

    n: int
    lost_s: float
    worst_s: float
    last_at: datetime

    def plus(self, other: "Count | None") -> "Count":
        """Both together."""
        if other is None:
            return self
        return Count(
            self.n + other.n,
            self.lost_s + other.lost_s,
            max(self.worst_s, other.worst_s),
            max(self.last_at, other.last_at),
        )


Bucket: TypeAlias = tuple[str, SpikeCause]
"""Venue and cause."""


class PastSpikes(msgspec.Struct, frozen=True, kw_only=True):
    """Outliers of earlier runs.

    ``hours``: counts by the hour since 1970 in which they began; ``minutes``: how many minutes of each hour saw a
    request. ``entries``: the newest of them, oldest first, with times on this run's clock.
    """

    hours: Mapping[int, Mapping[Bucket, Count]] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    minutes: Mapping[int, int] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    entries: tuple[SpikeEntry, ...] = ()


class SpikeTally(msgspec.Struct, frozen=True, kw_only=True):
    """Outliers by venue and cause.

    ``watched_s``: in how much of that time requests were made at all, by the minute; ``None``: not known.
    """

    counts: Mapping[Bucket, Count]
    watched_s: float | None

    @property
    def n(self) -> int:
        """All of them."""
        return sum(count.n for count in self.counts.values())

    @property
    def lost_s(self) -> float:
        """What all of them took over the usual."""
        return sum(count.lost_s for count in self.counts.values())


class SpikeLog:
    """Finds outliers as requests come, and counts them by the hour. Thread: the board's."""

    def __init__(self, capacity: int = SPIKE_CAPACITY) -> None:
        self._items: deque[SpikeEntry] = deque(maxlen=capacity)
        self._before: dict[tuple[str, str], deque[RequestTrace]] = {}
        self._lost_s: dict[int, float] = {}
        self._hours: dict[int, dict[Bucket, Count]] = {}
        self._by_attempt: dict[tuple[int, int], SpikeEntry] = {}
        self._past = PastSpikes()
        self._first_mono_s: float | None = None
        self._minutes: set[int] = set()
        self.revision = 0
        """Grows with every outlier, and when those of earlier runs come."""

    @property
    def items(self) -> Sequence[SpikeEntry]:
        """The newest outliers of this run, oldest first; a live view, do not change it."""
        return self._items

    def add(self, trace: RequestTrace, *, gives_way: bool = False) -> SpikeEntry | None:
        """Take an attempt in; the entry when it is an outlier. Each attempt once, about in the order they ended.

        ``gives_way``: it lets others go first, as reads of accounts do, so that its wait for them is no outlier.
        """
        if self._first_mono_s is None or trace.started_mono_s < self._first_mono_s:
            self._first_mono_s = trace.started_mono_s
        self._minutes.add(int(trace.started_at.timestamp() // 60))
        if trace.is_healed:
            self._lost_s[trace.request_id] = self._lost_s.get(trace.request_id, 0.0) + trace.total_s
            if len(self._lost_s) > _RETRIES_KEPT:
                # A retry that never came: the app stopped asking in between.
                del self._lost_s[next(iter(self._lost_s))]
            return None
        lost_s = self._lost_s.pop(trace.request_id, 0.0) if trace.attempt > 1 else 0.0
        if not is_comparable(trace):
            return None
        before = self._before.setdefault((trace.venue, trace.endpoint), deque(maxlen=USUAL_WINDOW))
        spike = find_spike(replace(trace, queue_s=None) if gives_way else trace, before, lost_s=lost_s)
        before.append(trace)
        if spike is None:
            return None
        entry = SpikeEntry(venue=trace.venue, started_at=trace.started_at, ended_mono_s=trace.ended_mono_s, spike=spike)
        self._keep(entry)
        return entry

    def _keep(self, entry: SpikeEntry) -> None:
        if len(self._items) == self._items.maxlen:
            oldest = self._items[0].spike
            self._by_attempt.pop((oldest.request_id, oldest.attempt), None)
        self._items.append(entry)
        self._by_attempt[entry.spike.request_id, entry.spike.attempt] = entry
        bucket = self._hours.setdefault(hour_of(entry.started_at), {})
        key = (entry.venue, entry.spike.cause)
        bucket[key] = _count_of(entry).plus(bucket.get(key))
        self.revision += 1

    def take_past(self, past: PastSpikes) -> None:
        """Count the outliers of earlier runs from now on; those given before are forgotten."""
        for entry in self._past.entries:
            self._by_attempt.pop((entry.spike.request_id, entry.spike.attempt), None)
        self._past = past
        for entry in past.entries:
            self._by_attempt[entry.spike.request_id, entry.spike.attempt] = entry
        self.revision += 1

    def entry_of(self, request_id: int, attempt: int) -> SpikeEntry | None:
        """The outlier an attempt was; ``None``: it was none, or it is no longer kept."""
        return self._by_attempt.get((request_id, attempt))

    def of(self, trace: RequestTrace) -> Spike | None:
        """Why an attempt was an outlier; ``None``: it was none, or it is no longer kept."""
        entry = self._by_attempt.get((trace.request_id, trace.attempt))
        return None if entry is None else entry.spike

    def usual_of(self, trace: RequestTrace) -> Sequence[RequestTrace]:
        """The newest requests to the same endpoint that are usual for it, oldest first; empty before the first."""
        return self._before.get((trace.venue, trace.endpoint), _NO_REQUESTS)

    def tally(self, now: datetime) -> SpikeTally:
        """Outliers of the seven days before ``now`` (aware UTC), earlier runs included; whole hours at the old end."""
        first = hour_of(now - TALLY_SPAN)
        for hour in [hour for hour in self._hours if hour < first]:
            del self._hours[hour]
        self._minutes = {minute for minute in self._minutes if minute >= first * 60}
        counts: dict[Bucket, Count] = {}
        for hours in (self._past.hours, self._hours):
            for hour, bucket in hours.items():
                if hour >= first:
                    for key, count in bucket.items():
                        counts[key] = count.plus(counts.get(key))
        minutes = len(self._minutes) + sum(n for hour, n in self._past.minutes.items() if hour >= first)
        return SpikeTally(counts=MappingProxyType(counts), watched_s=60.0 * minutes)

    def tally_between(self, period: Period) -> SpikeTally:
        """Outliers whose attempts ended within ``period``, as far as they are kept.

        Of a period that began before this run's first request it is not known how much of it was watched.
        """
        counts: dict[Bucket, Count] = {}
        for entries in (self._past.entries, self._items):
            for entry in entries:
                if period.contains(entry.ended_mono_s):
                    key = (entry.venue, entry.spike.cause)
                    counts[key] = _count_of(entry).plus(counts.get(key))
        is_watched = self._first_mono_s is not None and period.start_mono_s >= self._first_mono_s
        return SpikeTally(counts=MappingProxyType(counts), watched_s=period.length_s if is_watched else None)


def is_comparable(trace: RequestTrace) -> bool:
    """Whether the attempt can be an outlier, and be usual for others: it brought a reply that was no refusal."""
    return trace.error_kind is None and trace.is_cold is not None and (trace.status is None or trace.status < 400)


def hour_of(at: datetime) -> int:
    """The hour since 1970 a moment lies in."""
    return int(at.astimezone(UTC).timestamp() // _HOUR_S)


def _count_of(entry: SpikeEntry) -> Count:
    excess_s = entry.spike.total_excess_s
    return Count(1, excess_s, excess_s, entry.started_at)
