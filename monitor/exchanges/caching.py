"""An exchange client around another one that does not ask for what it already knows."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from monitor.domain.errors import (
    BudgetExhausted,
    MonitorError,
    PayloadError,
    TransportError,
    UnknownInstrument,
    VenueError,
)
from monitor.domain.intervals import INTERVALS_S
from monitor.domain.market import (
    Candle,
    CandleBatch,
    FundingPayment,
    InstrumentCatalog,
    OrderBook,
    QuoteBatch,
)
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges import candles as series
from monitor.exchanges.asking import utc_now
from monitor.exchanges.base import ExchangeClient, Fetched, Focus, PollJob, Source
from monitor.exchanges.flights import SingleFlight, handed_out

T = TypeVar("T")

METADATA_TTL_S = 3_600.0
CANDLE_TTL_S = 1.0
"""A second asker within this time gets the same candles; the forming one is then at most this old, and says so."""
MAX_SERIES = 64
"""Candle series held; the one longest unused goes first. 64 of 5000 candles are about 100 MB, of 200 about 4 MB."""


class PlannedClient(ExchangeClient, Protocol):
    """An exchange client whose plan can be made to read through another one."""

    def plan_jobs(self, reads: ExchangeClient, focus: Focus) -> tuple[PollJob, ...]:
        """The default plan, with ``reads`` asked for everything that the protocol has."""
        ...


class CacheStats(msgspec.Struct, frozen=True, kw_only=True):
    """Reads since start, by how they were answered. ``partial``: only the candles that were missing were asked for."""

    network: int = 0
    partial: int = 0
    cached: int = 0
    shared: int = 0
    stale: int = 0


class _Series(msgspec.Struct, frozen=True):
    """Candles of one instrument and interval, and the reply that last brought some."""

    fetched: Fetched[CandleBatch]
    asked: int
    """How many were asked for; fewer held means that the venue has no more."""


class _Store:
    """What is held and counted. Thread: any, under its lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.catalog: Fetched[InstrumentCatalog] | None = None
        self.series: OrderedDict[tuple[str, str], _Series] = OrderedDict()
        self.counts = {"network": 0, "partial": 0, "cached": 0, "stale": 0}

    def count(self, how: str) -> None:
        with self.lock:
            self.counts[how] += 1


class CachedClient:
    """Metadata for an hour, candles as they close, one reply for all who need it at once, the last good one in need.

    Prices and books are never held: each read is a request, or the reply of one that is under way. What does not come
    from the network says so in ``Fetched.source`` and ``cache_age_s``, and brings no traces but those of a failed try.

    The jobs of :meth:`poll_jobs` go through the same memory but never get a stale value: a poll that failed is a failed
    poll, and the board keeps the last good value itself.

    ``clock`` is the monotonic clock of the transport's stamps. Thread: any.
    """

    def __init__(
        self,
        client: PlannedClient,
        *,
        clock: Callable[[], float] = time.perf_counter,
        wall_clock: Callable[[], datetime] = utc_now,
        metadata_ttl_s: float = METADATA_TTL_S,
        candle_ttl_s: float = CANDLE_TTL_S,
    ) -> None:
        self._client = client
        self._clock = clock
        self._wall_clock = wall_clock
        self._metadata_ttl_s = metadata_ttl_s
        self._candle_ttl_s = candle_ttl_s
        self._flights = SingleFlight(clock)
        self._store = _Store()

    @property
    def venue(self) -> str:
        """Name of the venue, as in the registry."""
        return self._client.venue

    @property
    def intervals(self) -> tuple[str, ...]:
        """Candle intervals this venue serves, shortest first."""
        return self._client.intervals

    def stats(self) -> CacheStats:
        """How reads were answered so far."""
        with self._store.lock:
            return CacheStats(**self._store.counts, shared=self._flights.shared)

    def fetch_instruments(self) -> Fetched[InstrumentCatalog]:
        """Every instrument, from memory for an hour, longer while the venue cannot be asked."""
        try:
            return self.fresh_instruments(self._metadata_ttl_s)
        except MonitorError as error:
            return self._stale(self._store.catalog, error)

    def fetch_quotes(self, dex: str = "") -> Fetched[QuoteBatch]:
        """As the venue's client; never from memory."""
        return self._flights.share(("quotes", dex), lambda: self._counted(self._client.fetch_quotes(dex)))

    def fetch_details(self, dex: str = "") -> Fetched[QuoteBatch]:
        """As the venue's client; never from memory."""
        return self._flights.share(("details", dex), lambda: self._counted(self._client.fetch_details(dex)))

    def fetch_order_book(self, venue_symbol: str, *, depth: int = 15) -> Fetched[OrderBook]:
        """As the venue's client; never from memory."""
        return self._flights.share(
            ("book", venue_symbol, depth),
            lambda: self._counted(self._client.fetch_order_book(venue_symbol, depth=depth)),
        )

    def fetch_candles(
        self,
        venue_symbol: str,
        interval: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 200,
    ) -> Fetched[CandleBatch]:
        """The newest ``limit``: only what closed since the last read and the forming one are asked for.

        A range is always asked for. While the venue cannot be asked, the newest ones come as they were last known.
        """
        if start is not None or end is not None:
            return self._flights.share(
                ("candles", venue_symbol, interval, start, end, limit),
                lambda: self._counted(
                    self._client.fetch_candles(venue_symbol, interval, start=start, end=end, limit=limit)
                ),
            )
        try:
            return self.fresh_candles(venue_symbol, interval, limit)
        except MonitorError as error:
            held = self._held(venue_symbol, interval, limit)
            return self._stale(None if held is None else _newest(held.fetched, limit), error)

    def fetch_funding_history(
        self,
        venue_symbol: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
    ) -> Fetched[tuple[FundingPayment, ...]]:
        """As the venue's client; never from memory."""
        return self._flights.share(
            ("funding", venue_symbol, start, end, limit),
            lambda: self._counted(self._client.fetch_funding_history(venue_symbol, start=start, end=end, limit=limit)),
        )

    def poll_jobs(self, focus: Focus) -> tuple[PollJob, ...]:
        """The venue's default plan, read through this memory, without stale values."""
        return self._client.plan_jobs(_PollReads(self, self._metadata_ttl_s / 2), focus)

    def fresh_instruments(self, max_age_s: float) -> Fetched[InstrumentCatalog]:
        """Every instrument, from memory if it is younger than ``max_age_s``, else from the venue or an error."""
        catalog = self._store.catalog
        if catalog is not None and self._age_s(catalog) < max_age_s:
            self._store.count("cached")
            return handed_out(catalog, self._age_s(catalog), Source.CACHE)
        return self._flights.share("instruments", self._read_instruments)

    def fresh_candles(self, venue_symbol: str, interval: str, limit: int) -> Fetched[CandleBatch]:
        """The newest ``limit`` candles, never stale: an error is an error."""
        return self._flights.share(
            ("candles", venue_symbol, interval, limit), lambda: self._read_candles(venue_symbol, interval, limit)
        )

    def _read_instruments(self) -> Fetched[InstrumentCatalog]:
        catalog = self._counted(self._client.fetch_instruments())
        self._store.catalog = catalog
        return catalog

    def _read_candles(self, venue_symbol: str, interval: str, limit: int) -> Fetched[CandleBatch]:
        held = self._held(venue_symbol, interval, limit)
        if held is None:
            return self._read_all_candles(venue_symbol, interval, limit)
        if self._age_s(held.fetched) < self._candle_ttl_s:
            self._store.count("cached")
            return handed_out(_newest(held.fetched, limit), self._age_s(held.fetched), Source.CACHE)
        missing = self._missing(held, interval)
        if missing >= held.asked:
            return self._read_all_candles(venue_symbol, interval, limit)
        news = self._client.fetch_candles(venue_symbol, interval, limit=missing)
        joined = _joined(held.fetched.value.candles, news.value.candles)
        if joined is None:
            # A hole between what is held and what came: the computer slept, or nothing was traded for a while.
            whole = self._read_all_candles(venue_symbol, interval, limit)
            return replace(whole, traces=(*news.traces, *whole.traces))
        self._store.count("partial")
        batch = replace(news.value, candles=joined[-held.asked :])
        self._hold(venue_symbol, interval, replace(news, value=batch), held.asked)
        return _newest(replace(news, value=batch), limit)

    def _read_all_candles(self, venue_symbol: str, interval: str, limit: int) -> Fetched[CandleBatch]:
        fetched = self._counted(self._client.fetch_candles(venue_symbol, interval, limit=limit))
        self._hold(venue_symbol, interval, fetched, limit)
        return fetched

    def _missing(self, held: _Series, interval: str) -> int:
        """How many of the newest candles may be new or changed, and one more to see that nothing lies between.

        In n whole intervals up to n + 1 candles closed, and one is forming.
        """
        return int(self._age_s(held.fetched) // INTERVALS_S[interval]) + 3

    def _age_s(self, held: Fetched[T]) -> float:
        """How long ago a value was received, by the clock that says longer.

        The monotonic one may stand still while the computer sleeps, the wall clock may be set back; a value that is
        called too old is only asked for again.
        """
        mono_s = self._clock() - held.received_mono_s
        wall_s = (self._wall_clock() - held.received_at).total_seconds()
        return max(mono_s, wall_s, 0.0)

    def _held(self, venue_symbol: str, interval: str, limit: int) -> _Series | None:
        """What is held, if it is as long as is wanted."""
        with self._store.lock:
            held = self._store.series.get((venue_symbol, interval))
            if held is None or held.asked < limit or interval not in INTERVALS_S:
                return None
            self._store.series.move_to_end((venue_symbol, interval))
            return held

    def _hold(self, venue_symbol: str, interval: str, fetched: Fetched[CandleBatch], asked: int) -> None:
        key = (venue_symbol, interval)
        with self._store.lock:
            held = self._store.series.get(key)
            # Two reads of different length may end in either order; the younger reply stays, then the longer one.
            if held is not None and held.fetched.received_mono_s > fetched.received_mono_s and held.asked >= asked:
                return
            self._store.series[key] = _Series(replace(fetched, traces=()), asked)
            self._store.series.move_to_end(key)
            while len(self._store.series) > MAX_SERIES:
                self._store.series.popitem(last=False)

    def _counted(self, fetched: Fetched[T]) -> Fetched[T]:
        self._store.count("network")
        return fetched

    def _stale(self, held: Fetched[T] | None, error: MonitorError) -> Fetched[T]:
        """The last good value with the traces of the try that failed; raises ``error`` where there is none.

        An instrument that is gone, or a fault of ours, is never hidden behind an old value.
        """
        is_passing = isinstance(error, TransportError | BudgetExhausted | VenueError | PayloadError)
        if held is None or not is_passing or isinstance(error, UnknownInstrument):
            raise error
        self._store.count("stale")
        stale = handed_out(held, self._age_s(held), Source.STALE_CACHE)
        traces = tuple(trace for trace in error.traces if isinstance(trace, RequestTrace))
        return replace(stale, traces=traces)


class _PollReads:
    """The client as the poll jobs use it: what is younger than half its life may come from memory, nothing stale."""

    def __init__(self, cached: CachedClient, metadata_max_age_s: float) -> None:
        self._cached = cached
        self._metadata_max_age_s = metadata_max_age_s
        self.fetch_quotes = cached.fetch_quotes
        self.fetch_details = cached.fetch_details
        self.fetch_order_book = cached.fetch_order_book
        self.fetch_funding_history = cached.fetch_funding_history
        self.poll_jobs = cached.poll_jobs

    @property
    def venue(self) -> str:
        return self._cached.venue

    @property
    def intervals(self) -> tuple[str, ...]:
        return self._cached.intervals

    def fetch_instruments(self) -> Fetched[InstrumentCatalog]:
        # A poll that comes a moment before the hour is over must not put the next look off by another hour.
        return self._cached.fresh_instruments(self._metadata_max_age_s)

    def fetch_candles(
        self,
        venue_symbol: str,
        interval: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 200,
    ) -> Fetched[CandleBatch]:
        if start is not None or end is not None:
            return self._cached.fetch_candles(venue_symbol, interval, start=start, end=end, limit=limit)
        return self._cached.fresh_candles(venue_symbol, interval, limit)


def _newest(fetched: Fetched[CandleBatch], limit: int) -> Fetched[CandleBatch]:
    candles = fetched.value.candles
    if len(candles) <= limit:
        return fetched
    return replace(fetched, value=replace(fetched.value, candles=candles[-limit:] if limit > 0 else ()))


def _joined(held: tuple[Candle, ...], news: tuple[Candle, ...]) -> tuple[Candle, ...] | None:
    """Both as one series in which only the last candle may be forming; ``None`` when they do not overlap."""
    if held and news and news[0].open_time > held[-1].open_time:
        return None
    joined = series.merged((held, news))
    return tuple(
        candle if candle.is_closed or number == len(joined) - 1 else replace(candle, is_closed=True)
        for number, candle in enumerate(joined)
    )
