"""Makes poll results by hand, on a clock that only moves when told."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monitor.domain.credentials import AccountRef
from monitor.domain.errors import ErrorKind, Failure
from monitor.domain.market import Instrument, InstrumentCatalog, InstrumentKind, Quote, QuoteBatch
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.exchanges.base import Fetched, Payload, Source
from monitor.polling.results import PollFailure, PollSuccess

EPOCH = datetime(2026, 9, 26, 12, 0, 0, tzinfo=UTC)


class FakeClock:
    """A monotonic clock and a UTC clock that move together unless ``wall_jump_s`` is set."""

    def __init__(self, mono_s: float = 1_000.0) -> None:
        self.mono_s = mono_s
        self.wall_jump_s = 0.0
        self._start_s = mono_s

    def __call__(self) -> float:
        return self.mono_s

    def utc_now(self) -> datetime:
        return self.at(self.mono_s)

    def at(self, mono_s: float) -> datetime:
        return EPOCH + timedelta(seconds=mono_s - self._start_s + self.wall_jump_s)

    def advance(self, seconds: float) -> float:
        self.mono_s += seconds
        return self.mono_s


def make_budget(venue: str = "bitunix", **changes: object) -> BudgetState:
    """An idle budget of ten a second."""
    return replace(BudgetState(venue=venue, window_s=1.0, limit=10, cap=3, used=0), **changes)


def make_trace(request_id: int = 1, **changes: object) -> RequestTrace:
    """A warm success of 60 ms unless told otherwise."""
    trace = RequestTrace(
        request_id=request_id,
        attempt=1,
        venue="bitunix",
        endpoint="bitunix.tickers",
        method="GET",
        host="venue.test:443",
        started_at=EPOCH,
        started_mono_s=1_000.0,
        ended_mono_s=1_000.06,
        lease_wait_s=0.0,
        send_s=0.001,
        wait_s=0.05,
        read_s=0.005,
        unaccounted_s=0.004,
        total_s=0.06,
        is_cold=False,
        connection_id=1,
        status=200,
        http_version="HTTP/1.1",
        weight=1,
    )
    return replace(trace, **changes)


def make_success(
    payload: Payload,
    clock: FakeClock,
    *,
    endpoint: str = "bitunix.tickers",
    key: str = "",
    venue: str = "bitunix",
    cadence_s: float = 1.0,
    took_s: float = 0.06,
    received_mono_s: float | None = None,
    epoch: int = 0,
    source: Source = Source.NETWORK,
    cache_age_s: float = 0.0,
    clock_offset_s: float | None = None,
    traces: Sequence[RequestTrace] = (),
    pools: Sequence[PoolStats] = (),
    budget: BudgetState | None = None,
    missed: int = 0,
    planned: int = 1,
    made: int = 1,
) -> PollSuccess:
    """A success received at ``received_mono_s`` (now), asked ``took_s`` before."""
    received = clock.mono_s if received_mono_s is None else received_mono_s
    return PollSuccess(
        venue=venue,
        endpoint=endpoint,
        key=key or endpoint,
        plan_epoch=epoch,
        cadence_s=cadence_s,
        payload=payload,
        requested_mono_s=received - took_s,
        received_mono_s=received,
        received_at=clock.at(received),
        source=source,
        cache_age_s=cache_age_s,
        clock_offset_s=clock_offset_s,
        traces=tuple(traces),
        pools=tuple(pools),
        budget=budget or make_budget(venue),
        missed=missed,
        planned=planned,
        made=made,
    )


def make_failure(
    clock: FakeClock,
    *,
    kind: ErrorKind = ErrorKind.TIMEOUT,
    text: str = "no answer within 8 s",
    endpoint: str = "bitunix.tickers",
    venue: str = "bitunix",
    epoch: int = 0,
    streak: int = 1,
    traces: Sequence[RequestTrace] = (),
    budget: BudgetState | None = None,
    missed: int = 0,
    planned: int = 1,
    made: int = 1,
) -> PollFailure:
    """A failure that happened now."""
    return PollFailure(
        venue=venue,
        endpoint=endpoint,
        key=endpoint,
        plan_epoch=epoch,
        cadence_s=1.0,
        failure=Failure(kind=kind, user_text=text),
        failed_mono_s=clock.mono_s,
        failed_at=clock.utc_now(),
        traces=tuple(traces),
        pools=(),
        budget=budget or make_budget(venue),
        missed=missed,
        planned=planned,
        made=made,
        streak=streak,
        next_due_in_s=1.0,
    )


def success_of(fetched: Fetched[Payload], account: AccountRef, what: str) -> PollSuccess:
    """What a poller would hand over for a read of an account."""
    return PollSuccess(
        venue=account.venue,
        endpoint=f"{account.venue}.{what}",
        key=f"{account.venue}.{what}@{account.name}",
        plan_epoch=0,
        cadence_s=60.0,
        payload=fetched.value,
        requested_mono_s=fetched.requested_mono_s,
        received_mono_s=fetched.received_mono_s,
        received_at=fetched.received_at,
        source=fetched.source,
        cache_age_s=fetched.cache_age_s,
        clock_offset_s=fetched.clock_offset_s,
        traces=fetched.traces,
        pools=(),
        budget=make_budget(account.venue),
        missed=0,
        planned=1,
        made=1,
        account=account,
    )


def make_quotes(
    prices: Mapping[str, str | None],
    *,
    venue: str = "bitunix",
    field: str = "last",
    dex: str = "",
    complete: bool = True,
) -> QuoteBatch:
    """A batch that tells one field of each instrument."""
    return QuoteBatch(
        venue=venue,
        dex=dex,
        fields=frozenset({field}),
        quotes=tuple(
            replace(Quote(venue_symbol=symbol), **{field: None if price is None else Decimal(price)})
            for symbol, price in prices.items()
        ),
        is_complete=complete,
    )


def make_instrument(symbol: str, *, venue: str = "bitunix", **changes: object) -> Instrument:
    """``BTCUSDT`` becomes ``BTC-USDT-PERP``; a symbol without a known quote asset is quoted in USDC."""
    quote = "USDT" if symbol.endswith("USDT") else "USDC"
    base = symbol.removesuffix("USDT")
    instrument = Instrument(
        venue=venue,
        venue_symbol=symbol,
        name=f"{base}-{quote}-PERP",
        kind=InstrumentKind.PERPETUAL,
        base=base,
        quote=quote,
    )
    return replace(instrument, **changes)


def make_catalog(symbols: Iterable[str], *, venue: str = "bitunix") -> InstrumentCatalog:
    """A list of perpetuals."""
    return InstrumentCatalog(venue=venue, instruments=tuple(make_instrument(symbol, venue=venue) for symbol in symbols))
