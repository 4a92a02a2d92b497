"""What keeping connections open and caching have saved so far: two ledgers that never share a column."""

from collections import deque
from collections.abc import Iterable, Mapping
from statistics import median, quantiles
from typing import Final

import msgspec

from monitor.domain.market import CandleBatch
from monitor.domain.telemetry import PoolStats, RequestTrace
from monitor.exchanges.base import Source
from monitor.exchanges.candles import PLAIN_POLL_S
from monitor.polling.results import PollSuccess
from monitor.state.latency import HostTally
from monitor.state.period import Period

COLD_SAMPLE_LIFE_S: Final = 3_600.0
"""A cold set-up older than this says nothing of today's network: without a newer one the saving is unknown."""
SAMPLES_KEPT: Final = 200
LATE_CADENCES: Final = 1.5
"""After a longer silence than this many cadences, a job was not polled in between, and a plain plan is not either."""
AVOIDED_KEPT: Final = 50_000
"""Polls that a cache answered (or that took more calls than one), remembered by time for the figures of a period."""


class PoolingSaving(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds saved by reuse on one host: warm requests × set-up, minus what stale connections cost.

    The set-up is DNS + TCP + TLS of recent cold requests to the same host: its median gives ``saved_s``, its
    quartiles the range. The first request on a connection opened ahead is left out: its handshake was paid earlier, not
    saved. ``wasted_s`` is the time of attempts that died with a connection we had kept. All three figures are ``None``
    without a cold sample in the last hour, and may be negative.
    """

    host: str
    warm_requests: int
    cold_requests: int
    cold_samples: int
    wasted_s: float
    saved_s: float | None
    saved_low_s: float | None
    saved_high_s: float | None


class CachingSaving(msgspec.Struct, frozen=True, kw_only=True):
    """Calls a plain plan would have made - calls made, of one venue; negative when we made more.

    A plain plan asks for what ours asks for as often, but has no memory: for candles it asks once a minute.
    ``saved_s`` is that × the median of recent warm requests; ``None`` while there is none.
    """

    venue: str
    plain_calls: int
    made_calls: int
    saved_s: float | None

    @property
    def saved_calls(self) -> int:
        """Calls avoided; negative when more were made than a plain plan would have."""
        return self.plain_calls - self.made_calls


class _Host(msgspec.Struct):
    warm: int = 0
    cold: int = 0
    newest_ahead: int = 0
    wasted_s: float = 0.0
    setups: deque[tuple[float, float]] = msgspec.field(default_factory=lambda: deque(maxlen=SAMPLES_KEPT))


class _Venue(msgspec.Struct):
    plain: int = 0
    made: int = 0
    warm_s: deque[float] = msgspec.field(default_factory=lambda: deque(maxlen=SAMPLES_KEPT))
    avoided: deque[tuple[float, int]] = msgspec.field(default_factory=lambda: deque(maxlen=AVOIDED_KEPT))
    candles: dict[str, tuple[float, float]] = msgspec.field(default_factory=dict)
    """Of each candle job: until when a plain plan's calls are counted, and when its last reply came."""

    def plain_candle_calls(self, result: PollSuccess) -> int:
        """How often a plain plan asked for these candles since the last reply of the same job."""
        now_s = result.received_mono_s if result.handed_out_mono_s is None else result.handed_out_mono_s
        until_s, last_s = self.candles.get(result.key, (now_s, now_s))
        calls = round((now_s - until_s) / PLAIN_POLL_S)
        if result.key not in self.candles or now_s - last_s > LATE_CADENCES * result.cadence_s:
            until_s, calls = now_s, 1
        else:
            until_s += calls * PLAIN_POLL_S
        self.candles[result.key] = (until_s, now_s)
        return calls


class SavingsLedger:
    """Counts both kinds of saving. Thread: the board's."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}
        self._venues: dict[str, _Venue] = {}

    def add_trace(self, trace: RequestTrace) -> None:
        """Take in one attempt."""
        if trace.is_cold is None:
            return
        host = self._hosts.setdefault(trace.host, _Host())
        if trace.is_cold:
            host.cold += 1
            setup_s = _setup_s(trace)
            if setup_s is not None and trace.error_kind is None:
                host.setups.append((trace.ended_mono_s, setup_s))
        elif trace.is_healed or trace.error_kind is not None:
            # It was sent on a kept connection and brought nothing: no handshake was saved by it.
            if trace.is_healed:
                host.wasted_s += trace.total_s
        else:
            host.warm += not trace.is_prewarmed
            self._venues.setdefault(trace.venue, _Venue()).warm_s.append(trace.total_s)

    def add_poll(self, result: PollSuccess) -> None:
        """Take in one successful poll: a plain plan pays for each, ours only for the requests really made.

        Of candles, ours asks for what closed when it closed, and a plain plan for all of them once a minute.
        """
        venue = self._venues.setdefault(result.venue, _Venue())
        made = len({trace.request_id for trace in result.traces})
        plain = 1 if result.source is not Source.NETWORK else max(1, made)
        if isinstance(result.payload, CandleBatch):
            plain = venue.plain_candle_calls(result)
        venue.made += made
        venue.plain += plain
        if plain != made:
            venue.avoided.append((result.received_mono_s, plain - made))
        for pool in result.pools:
            if pool.prewarmed:
                self._add_ahead(pool)

    def _add_ahead(self, pool: PoolStats) -> None:
        # Where all are opened ahead, no request is ever cold; what their set-up took is the same figure.
        host = self._hosts.setdefault(pool.host, _Host())
        known = host.newest_ahead
        for card in pool.connections:
            if card.is_prewarmed and card.connection_id > known and card.connect_s is not None:
                host.setups.append((card.opened_mono_s, card.connect_s))
                host.newest_ahead = max(host.newest_ahead, card.connection_id)

    def pooling(self, now_mono_s: float) -> Mapping[str, PoolingSaving]:
        """Saving by reuse, per host."""
        return {name: _pooling(name, host, now_mono_s) for name, host in self._hosts.items()}

    def pooling_between(self, period: Period, hosts: Mapping[str, HostTally]) -> Mapping[str, PoolingSaving]:
        """The same of one period, by its ``hosts``: the cold samples are those of the hour before its end."""
        return {
            name: _saving(name, counted, self._hosts.get(name, _Host()).setups, period.end_mono_s)
            for name, counted in hosts.items()
        }

    def caching_between(
        self, period: Period, calls: Mapping[str, int], warm_s: Mapping[str, float | None]
    ) -> Mapping[str, CachingSaving]:
        """Saving by caching in one period, by venue; ``calls`` are the requests made in it, ``warm_s`` the median of
        its warm ones.
        """
        savings: dict[str, CachingSaving] = {}
        for name, made in calls.items():
            venue = self._venues.get(name, _Venue())
            avoided = sum(count for at_s, count in venue.avoided if period.contains(at_s))
            median_s = warm_s.get(name)
            savings[name] = CachingSaving(
                venue=name,
                plain_calls=made + avoided,
                made_calls=made,
                saved_s=None if median_s is None else avoided * median_s,
            )
        return savings

    def caching(self) -> Mapping[str, CachingSaving]:
        """Saving by caching, per venue."""
        return {
            name: CachingSaving(
                venue=name,
                plain_calls=venue.plain,
                made_calls=venue.made,
                saved_s=(venue.plain - venue.made) * median(venue.warm_s) if venue.warm_s else None,
            )
            for name, venue in self._venues.items()
        }


def _setup_s(trace: RequestTrace) -> float | None:
    connect_s = trace.connect_s
    return None if connect_s is None else connect_s + (trace.dns_s or 0.0)


def _pooling(name: str, host: _Host, now_mono_s: float) -> PoolingSaving:
    counted = HostTally(warm=host.warm, cold=host.cold, wasted_s=host.wasted_s)
    return _saving(name, counted, host.setups, now_mono_s)


def _saving(name: str, host: HostTally, setups: Iterable[tuple[float, float]], now_mono_s: float) -> PoolingSaving:
    recent = [setup_s for at_s, setup_s in setups if 0.0 <= now_mono_s - at_s <= COLD_SAMPLE_LIFE_S]
    low_s = middle_s = high_s = None
    if recent:
        low_s, middle_s, high_s = (
            quantiles(recent, n=4, method="inclusive") if len(recent) > 1 else (recent[0], recent[0], recent[0])
        )

    def saved_s(setup_s: float | None) -> float | None:
        return None if setup_s is None else host.warm * setup_s - host.wasted_s

    return PoolingSaving(
        host=name,
        warm_requests=host.warm,
        cold_requests=host.cold,
        cold_samples=len(recent),
        wasted_s=host.wasted_s,
        saved_s=saved_s(middle_s),
        saved_low_s=saved_s(low_s),
        saved_high_s=saved_s(high_s),
    )
