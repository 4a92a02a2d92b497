"""The contract of a venue: what can be asked of it, and what it suggests to poll."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeAlias, TypeVar

import msgspec

from monitor.domain.account_history import AccountPayload
from monitor.domain.credentials import AccountRef
from monitor.domain.market import (
    CandleBatch,
    FundingPayment,
    InstrumentCatalog,
    OrderBook,
    QuoteBatch,
    VenueStatus,
)
from monitor.domain.telemetry import RequestTrace

T_co = TypeVar("T_co", covariant=True)

Payload: TypeAlias = InstrumentCatalog | QuoteBatch | OrderBook | CandleBatch | VenueStatus | AccountPayload
"""What a poll brings."""


class Source(StrEnum):
    """Where a value came from."""

    NETWORK = "network"
    CACHE = "cache"
    STALE_CACHE = "stale_cache"


class Fetched(msgspec.Struct, Generic[T_co], frozen=True, kw_only=True):
    """A parsed value with the requests that brought it.

    ``requested_mono_s`` / ``received_mono_s``: when the (oldest) request was sent and its reply was whole, monotonic.
    ``cache_age_s``: how long the value had been held when it was handed out; 0 from the network.
    ``clock_offset_s``: venue clock minus ours where the reply tells (its error is up to the round trip), else ``None``.
    """

    value: T_co
    traces: tuple[RequestTrace, ...]
    requested_mono_s: float
    received_mono_s: float
    received_at: datetime
    source: Source = Source.NETWORK
    cache_age_s: float = 0.0
    clock_offset_s: float | None = None


class Focus(msgspec.Struct, frozen=True, kw_only=True):
    """What the user looks at; it decides which per-instrument endpoints a venue polls.

    ``venue_symbol`` is ``None`` when nothing of this venue is in focus. ``dexes`` are the builder dexes in use besides
    the first one.
    """

    venue_symbol: str | None = None
    interval: str = "1m"
    is_chart_shown: bool = True
    dexes: tuple[str, ...] = ()


class PollJob(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint to poll: what to call, how often, and what a call weighs.

    ``fetch`` blocks on the network and raises ``MonitorError``. Thread: called from the job's own poller thread only.
    ``key`` is unique within a venue and stays the same across plans while the job means the same, so that an unchanged
    job keeps its schedule: ``bitunix.tickers``, ``bitunix.depth:BTCUSDT``.

    ``align_offset_s``: polls come this many seconds after each whole multiple of ``cadence_s`` since 1970 on the
    venue's clock (a candle job: after each close); ``None``: every ``cadence_s`` from wherever the job started.
    """

    venue: str
    endpoint: str
    key: str
    cadence_s: float
    weight: int
    fetch: Callable[[], Fetched[Payload]]
    align_offset_s: float | None = None
    account: AccountRef | None = None
    """Whose it is; ``None``: a market read."""
    expected: tuple[int, ...] | None = None
    """What the first calls of an account's job weigh in all, and last what every later one does, where that is
    known."""


class ExchangeClient(Protocol):
    """Market reads of one venue.

    Every ``fetch_`` blocks on the network and raises ``MonitorError`` and nothing else. Thread: any.
    """

    @property
    def venue(self) -> str:
        """Name of the venue, as in the registry."""
        ...

    @property
    def intervals(self) -> tuple[str, ...]:
        """Candle intervals this venue serves, shortest first."""
        ...

    def fetch_instruments(self) -> Fetched[InstrumentCatalog]:
        """Every instrument of the venue."""
        ...

    def fetch_quotes(self, dex: str = "") -> Fetched[QuoteBatch]:
        """The cheapest reply with a price of every instrument."""
        ...

    def fetch_details(self, dex: str = "") -> Fetched[QuoteBatch]:
        """The slower figures: mark, funding, 24 h, open interest, as far as the venue has them."""
        ...

    def fetch_order_book(self, venue_symbol: str, *, depth: int = 15) -> Fetched[OrderBook]:
        """The newest book; ``depth`` levels a side at most."""
        ...

    def fetch_candles(
        self,
        venue_symbol: str,
        interval: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 200,
    ) -> Fetched[CandleBatch]:
        """The newest ``limit`` candles that overlap [start, end]; pages as often as the venue makes it necessary."""
        ...

    def fetch_funding_history(
        self,
        venue_symbol: str,
        *,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
    ) -> Fetched[tuple[FundingPayment, ...]]:
        """Settled funding rates, oldest first."""
        ...

    def poll_jobs(self, focus: Focus) -> tuple[PollJob, ...]:
        """The default plan for what the user looks at. Pure: no I/O."""
        ...
