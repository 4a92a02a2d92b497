"""Latencies of one venue's requests: cold and warm apart, failures counted but never a latency.

Latency is ``RequestTrace.total_s`` of an attempt whose reply arrived whole and with a good status; an attempt stands at
the time it ended. An attempt is *failed* when it has an ``error_kind`` or a status of 400 and above, and *healed* when
its connection was closed before it answered and the next attempt of the same request took over.

Percentiles are those of :mod:`monitor.state.latency_bins`; each comes with its n.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from monitor.domain.telemetry import RequestTrace
from monitor.state.latency_bins import BinCache, LatencyBand, percentiles
from monitor.state.series import FloatArray, TimeSeries


class MarkKind(StrEnum):
    """Which of the four shapes an attempt is drawn with."""

    WARM = "warm"
    COLD = "cold"
    FAILED = "failed"
    HEALED = "healed"


class LatencyMark(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, as a click on its mark finds it. ``is_cold`` is ``None`` when it never got a connection."""

    time_s: float
    """End of the attempt, monotonic."""
    latency_s: float
    """How long the attempt took; of a failed one, until it failed."""
    kind: MarkKind
    is_cold: bool | None
    endpoint: str
    host: str
    request_id: int
    attempt: int
    connection_id: int | None


class LatencySummary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one class over one period. Percentiles in seconds, of ``n`` attempts; ``None`` when n is 0."""

    n: int
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    failed: int
    """Failed attempts of the same class and period; healed ones are not among them."""
    healed: int


class HostTally(msgspec.Struct, frozen=True):
    """``warm`` counts whole replies on open connections, without the first one on a connection that was opened ahead:
    its handshake was paid earlier, not saved. ``wasted_s``: attempts that died with an open one and were healed.
    """

    warm: int = 0
    cold: int = 0
    wasted_s: float = 0.0


class EndpointTally(msgspec.Struct, frozen=True):
    """Requests (whatever their attempts) of one endpoint, and the budget weight of all attempts when they were sent:
    without what only the reply revealed.
    """

    calls: int = 0
    weight: int = 0


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts of one period. ``warm`` and ``cold`` count every attempt on an open and on a new connection."""

    attempts: int
    warm: int
    cold: int
    calls: int
    """Requests, whatever their attempts."""
    failed: int
    healed: int
    by_host: Mapping[str, HostTally]
    by_endpoint: Mapping[str, EndpointTally]


class MarkArrays(msgspec.Struct, frozen=True):
    """Marks of one kind in a period.

    ``first_index`` numbers the first one for :meth:`LatencyWindow.mark`, the others follow; it is ``None`` when the
    marks are too many to draw, and only a part of them is here. ``n`` counts all.
    """

    times_s: FloatArray
    latencies_s: FloatArray
    first_index: int | None
    n: int


class MarkColumns(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts of one kind from an earlier run, by the time they ended; one entry per attempt in each column."""

    ended_s: FloatArray
    latencies_s: FloatArray
    request_ids: npt.NDArray[np.int64]
    connection_ids: npt.NDArray[np.int64]
    """-1: none."""
    attempts: npt.NDArray[np.int64]
    coldness: npt.NDArray[np.int64]
    """1 cold, 0 warm, -1 no connection."""
    endpoints: npt.NDArray[np.int64]
    """Index into ``names``, as ``hosts``."""
    hosts: npt.NDArray[np.int64]
    names: tuple[str, ...]


class _Names:
    """Strings as small numbers. Endpoints and hosts are few; beyond the range the last number means "other"."""

    _LIMIT: Final = 32_000

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []

    def number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is None:
            if len(self._names) >= self._LIMIT:
                name = "other"
            number = self._numbers.setdefault(name, len(self._names))
            if number == len(self._names):
                self._names.append(name)
        return number

    def name(self, number: int) -> str:
        return self._names[number]


class _Marks:
    """Marks of one kind: a series of latencies and, beside it in the same places, who they were."""

    __slots__ = (
        "attempts",
        "coldness",
        "connection_ids",
        "ended_s",
        "endpoints",
        "first_own",
        "hosts",
        "is_prewarmed",
        "request_ids",
        "series",
        "weights",
    )

    def __init__(self, capacity: int) -> None:
        self.series = TimeSeries(capacity)
        # Attempts below this number are of an earlier run: drawn, not counted.
        self.first_own = 0
        # The series never runs backwards; this is when the attempt truly ended.
        self.ended_s = np.empty(capacity)
        self.request_ids = np.empty(capacity, dtype=np.int64)
        self.connection_ids = np.empty(capacity, dtype=np.int64)  # -1: none
        self.attempts = np.empty(capacity, dtype=np.int16)
        self.coldness = np.empty(capacity, dtype=np.int8)  # 1 cold, 0 warm, -1 no connection
        self.endpoints = np.empty(capacity, dtype=np.int16)
        self.hosts = np.empty(capacity, dtype=np.int16)
        # Of this run's attempts only, for nothing is counted of others.
        self.weights = np.empty(capacity, dtype=np.int16)
        self.is_prewarmed = np.empty(capacity, dtype=np.bool_)

    def slots(self, first: int, end: int) -> npt.NDArray[np.int64]:
        return np.arange(first, end) % self.series.capacity

    def own_range(self, start_s: float, end_s: float) -> tuple[int, int]:
        first, end = self.series.index_range(start_s, end_s)
        return max(first, self.first_own), max(end, self.first_own)


class LatencyWindow:
    """The newest attempts of one venue, ``capacity`` of each kind.

    Thread: one only.
    """

    def __init__(self, capacity: int = 100_000) -> None:
        """``capacity`` is at least 1; memory is taken as marks come, about 78 bytes a mark."""
        self.capacity = capacity
        self._kinds = {kind: _Marks(capacity) for kind in MarkKind}
        self._endpoints = _Names()
        self._hosts = _Names()
        self._bins = BinCache(self._kinds[MarkKind.WARM].series)
        self.revision = 0
        """Grows with every attempt added."""

    def add(self, trace: RequestTrace) -> None:
        """Add one attempt. Attempts come about in the order they ended, within seconds of each other."""
        kind = kind_of(trace)
        marks = self._kinds[kind]
        slot = marks.series.total % self.capacity
        marks.series.append(trace.ended_mono_s, trace.total_s)
        marks.ended_s[slot] = trace.ended_mono_s
        marks.request_ids[slot] = trace.request_id
        marks.connection_ids[slot] = -1 if trace.connection_id is None else trace.connection_id
        marks.attempts[slot] = min(trace.attempt, np.iinfo(np.int16).max)
        marks.coldness[slot] = -1 if trace.is_cold is None else int(trace.is_cold)
        marks.endpoints[slot] = self._endpoints.number(trace.endpoint)
        marks.hosts[slot] = self._hosts.number(trace.host)
        marks.weights[slot] = min(trace.weight, np.iinfo(np.int16).max)
        marks.is_prewarmed[slot] = trace.is_prewarmed
        self.revision += 1

    def load(self, kind: MarkKind, columns: MarkColumns) -> None:
        """Take in the attempts of an earlier run, the newest ``capacity`` of them: to be drawn, in no summary.

        Raises ``ValueError`` when there are attempts of this kind already: what was before comes before.
        """
        marks = self._kinds[kind]
        if len(marks.series):
            raise ValueError(f"{kind} attempts of this run came first")
        count = min(len(columns.ended_s), self.capacity)
        if not count:
            return
        newest = slice(len(columns.ended_s) - count, None)
        marks.series = TimeSeries.of_points(self.capacity, columns.ended_s[newest], columns.latencies_s[newest])
        marks.ended_s[:count] = columns.ended_s[newest]
        marks.request_ids[:count] = columns.request_ids[newest]
        marks.connection_ids[:count] = columns.connection_ids[newest]
        marks.attempts[:count] = np.minimum(columns.attempts[newest], np.iinfo(np.int16).max)
        marks.coldness[:count] = columns.coldness[newest]
        for target, source, numbers in (
            (marks.endpoints, columns.endpoints[newest], self._endpoints),
            (marks.hosts, columns.hosts[newest], self._hosts),
        ):
            used, places = np.unique(source, return_inverse=True)
            target[:count] = np.array([numbers.number(columns.names[one]) for one in used])[places]
        marks.first_own = count
        if kind is MarkKind.WARM:
            self._bins = BinCache(marks.series)
        self.revision += 1

    def summary(self, start_s: float, end_s: float, is_cold: bool | None) -> LatencySummary:
        """Figures of the cold, or of the warm, attempts of this run that ended in ``[start_s, end_s]``.

        With ``is_cold`` of ``None`` only counts: of everything, the attempts without a connection included. A
        percentile over cold and warm together means nothing and does not exist.
        """
        failed, healed = (self._count(kind, start_s, end_s, is_cold) for kind in (MarkKind.FAILED, MarkKind.HEALED))
        if is_cold is None:
            n = sum(self._count(kind, start_s, end_s, None) for kind in (MarkKind.COLD, MarkKind.WARM))
            return LatencySummary(n=n, p50_s=None, p95_s=None, p99_s=None, failed=failed, healed=healed)
        marks = self._kinds[MarkKind.COLD if is_cold else MarkKind.WARM]
        _, values = marks.series.points(*marks.own_range(start_s, end_s))
        p50_s, p95_s, p99_s = percentiles(values, (0.50, 0.95, 0.99))
        return LatencySummary(n=len(values), p50_s=p50_s, p95_s=p95_s, p99_s=p99_s, failed=failed, healed=healed)

    def tally(self, start_s: float, end_s: float) -> Tally:
        """Count this run's attempts that ended in ``[start_s, end_s]``, of every kind."""
        warm = cold = calls = 0
        hosts: dict[str, HostTally] = {}
        endpoints: dict[str, EndpointTally] = {}
        for kind, marks in self._kinds.items():
            first, end = marks.own_range(start_s, end_s)
            if first >= end:
                continue
            slots = marks.slots(first, end)
            coldness = marks.coldness[slots]
            warm += int(np.count_nonzero(coldness == 0))
            cold += int(np.count_nonzero(coldness == 1))
            _, took_s = marks.series.points(first, end)
            is_first = marks.attempts[slots] == 1
            is_saving = ~marks.is_prewarmed[slots] if kind is MarkKind.WARM else np.zeros(len(slots), dtype=np.bool_)
            calls += int(np.count_nonzero(is_first))
            for number in np.unique(marks.hosts[slots]):
                name, is_here = self._hosts.name(int(number)), marks.hosts[slots] == number
                host = hosts.get(name, HostTally())
                hosts[name] = HostTally(
                    warm=host.warm + int(np.count_nonzero(is_here & is_saving)),
                    cold=host.cold + int(np.count_nonzero(is_here & (coldness == 1))),
                    wasted_s=host.wasted_s
                    + (float(took_s[is_here & (coldness == 0)].sum()) if kind is MarkKind.HEALED else 0.0),
                )
            for number in np.unique(marks.endpoints[slots]):
                name, is_here = self._endpoints.name(int(number)), marks.endpoints[slots] == number
                endpoint = endpoints.get(name, EndpointTally())
                endpoints[name] = EndpointTally(
                    calls=endpoint.calls + int(np.count_nonzero(is_here & is_first)),
                    weight=endpoint.weight + int(marks.weights[slots][is_here].sum(dtype=np.int64)),
                )
        every = self.summary(start_s, end_s, None)
        return Tally(
            attempts=every.n + every.failed + every.healed,
            warm=warm,
            cold=cold,
            calls=calls,
            failed=every.failed,
            healed=every.healed,
            by_host=hosts,
            by_endpoint=endpoints,
        )

    def holds_earlier(self, start_s: float, end_s: float) -> bool:
        """Whether attempts of an earlier run, drawn and never counted, ended in ``[start_s, end_s]``."""
        ranges = ((marks.series.index_range(start_s, end_s), marks.first_own) for marks in self._kinds.values())
        return any(first < min(end, first_own) for (first, end), first_own in ranges)

    def spans(self, start_s: float, end_s: float) -> tuple[FloatArray, FloatArray]:
        """Begins and ends of this run's attempts, of every kind, that ended in ``[start_s, end_s]``; in no order."""
        ends = [np.empty(0)]
        took_s = [np.empty(0)]
        for marks in self._kinds.values():
            first, end = marks.own_range(start_s, end_s)
            ends.append(marks.ended_s[marks.slots(first, end)])
            took_s.append(marks.series.points(first, end)[1])
        ended_s = np.concatenate(ends)
        return ended_s - np.concatenate(took_s), ended_s

    def marks(self, kind: MarkKind, start_s: float, end_s: float, max_points: int | None = None) -> MarkArrays:
        """Marks of ``kind`` that ended in ``[start_s, end_s]``.

        Of more than twice ``max_points`` at most so many: the fastest and the slowest of each of a quarter as many
        columns, so that no outlier is lost, and every k-th mark, so that what lies between keeps its density. The cost
        then does not grow with their number, and a mark once chosen stays so while the window moves.
        """
        marks = self._kinds[kind]
        first, end = marks.series.index_range(start_s, end_s)
        count = end - first
        if max_points is None or count <= 2 * max_points:
            _, latencies_s = marks.series.points(first, end)
            return MarkArrays(marks.ended_s[marks.slots(first, end)], latencies_s, first, count)
        times_s, latencies_s = marks.series.window(start_s, end_s, max(1, max_points // 4))
        # The power of two that leaves at most one and a half times max_points.
        stride = 1 << (-(-2 * count // (3 * max_points)) - 1).bit_length()
        sampled = np.arange(-(-first // stride) * stride, end, stride) % self.capacity
        return MarkArrays(
            np.concatenate((times_s, marks.ended_s[sampled])),
            np.concatenate((latencies_s, marks.series.values_at(sampled))),
            None,
            count,
        )

    def mark(self, kind: MarkKind, index: int) -> LatencyMark | None:
        """Attempt number ``index`` of its kind (see :class:`MarkArrays`); ``None`` when it is no longer kept."""
        marks = self._kinds[kind]
        total = marks.series.total
        if not total - len(marks.series) <= index < total:
            return None
        slot = index % self.capacity
        _, latencies_s = marks.series.points(index, index + 1)
        connection_id, coldness = int(marks.connection_ids[slot]), int(marks.coldness[slot])
        return LatencyMark(
            time_s=float(marks.ended_s[slot]),
            latency_s=float(latencies_s[0]),
            kind=kind,
            is_cold=None if coldness < 0 else bool(coldness),
            endpoint=self._endpoints.name(int(marks.endpoints[slot])),
            host=self._hosts.name(int(marks.hosts[slot])),
            request_id=int(marks.request_ids[slot]),
            attempt=int(marks.attempts[slot]),
            connection_id=None if connection_id < 0 else connection_id,
        )

    def warm_band(self, start_s: float, end_s: float, bin_s: float) -> LatencyBand:
        """Warm p50 and p95 of the bins of ``bin_s`` seconds that cover ``[start_s, end_s]``.

        Bins stand on multiples of ``bin_s``, so that they do not move with the window; finished ones are remembered,
        and a call costs what the newest one costs.
        """
        return self._bins.band(start_s, end_s, bin_s)

    def _count(self, kind: MarkKind, start_s: float, end_s: float, is_cold: bool | None) -> int:
        marks = self._kinds[kind]
        first, end = marks.own_range(start_s, end_s)
        if is_cold is None or first == end:
            return end - first
        return int(np.count_nonzero(marks.coldness[marks.slots(first, end)] == int(is_cold)))


def kind_of(trace: RequestTrace) -> MarkKind:
    """Which mark an attempt is drawn with."""
    if trace.is_healed:
        return MarkKind.HEALED
    if trace.error_kind is not None or trace.is_cold is None or (trace.status is not None and trace.status >= 400):
        return MarkKind.FAILED
    return MarkKind.COLD if trace.is_cold else MarkKind.WARM
