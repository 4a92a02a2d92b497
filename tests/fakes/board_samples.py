"""Believable results of two venues, to fill a board by hand: markets that move, sockets that are reused.

Nothing here touches the network or a wall clock: time is the ``SampleFeed``'s clock, advanced by ``run``.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from msgspec.structs import replace

from monitor.domain.errors import ErrorKind, Failure
from monitor.domain.market import (
    BookLevel,
    Candle,
    CandleBatch,
    Instrument,
    InstrumentCatalog,
    InstrumentKind,
    OrderBook,
    Quote,
    QuoteBatch,
)
from monitor.domain.telemetry import BudgetState, CloseCause, ConnectionCard, PoolStats, RequestTrace
from monitor.exchanges.base import Payload, Source
from monitor.polling.results import PollFailure, PollResult, PollSuccess
from monitor.state.board import Board

FIRST = "bitunix"
SECOND = "hyperliquid"
TITLES = {FIRST: "Bitunix", SECOND: "Hyperliquid"}

BASES: tuple[tuple[str, float, int], ...] = (
    ("BTC", 97_412.5, 1),
    ("ETH", 3_381.42, 2),
    ("SOL", 247.36, 3),
    ("XRP", 1.4183, 4),
    ("HYPE", 31.204, 3),
    ("DOGE", 0.40712, 5),
    ("ADA", 1.0451, 4),
    ("AVAX", 43.187, 3),
    ("LINK", 17.902, 3),
    ("SUI", 3.4416, 4),
    ("WIF", 3.2271, 4),
    ("TIA", 5.813, 3),
)
"""Base asset, starting price, decimals."""


def title_of(venue: str) -> str:
    """Display name of a sample venue."""
    return TITLES.get(venue, venue)


@dataclass(slots=True)
class SampleClock:
    """A monotonic and a wall clock that run together and only when told."""

    now_s: float = 50_000.0
    epoch: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> float:
        return self.now_s

    def utc_now(self) -> datetime:
        """The same moment as a UTC stamp."""
        return self.at(self.now_s)

    def at(self, mono_s: float) -> datetime:
        """UTC stamp of a monotonic reading."""
        return self.epoch + timedelta(seconds=mono_s - 50_000.0)


@dataclass(slots=True)
class _Socket:
    number: int
    opened_mono_s: float
    connect_s: float
    requests: int = 0
    used_mono_s: float = 0.0
    closed_mono_s: float | None = None
    cause: CloseCause | None = None


@dataclass(slots=True)
class SampleVenue:
    """One venue: its markets, its sockets, its budget."""

    name: str
    symbols: list[tuple[str, str, float, int]]
    """Base, venue symbol, price, decimals."""
    rng: random.Random
    rtt_s: float
    is_frozen: bool = False
    sockets: list[_Socket] = field(default_factory=list)
    prices: list[float] = field(default_factory=list)
    opens: list[float] = field(default_factory=list)
    attempts: int = 0
    reused: int = 0
    opened: int = 0
    closed: dict[CloseCause, int] = field(default_factory=dict)
    failed_connects: int = 0
    healed: int = 0
    made: dict[str, int] = field(default_factory=dict)
    streaks: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.prices = [price for _, _, price, _ in self.symbols]
        shared = random.Random(11)
        self.opens = [price * (1 + shared.gauss(0.004, 0.03)) for price in self.prices]

    @property
    def host(self) -> str:
        """Host as traces and pools name it."""
        return "fapi.bitunix.com:443" if self.name == FIRST else "api.hyperliquid.xyz:443"

    def move(self, shocks: Sequence[float]) -> None:
        """Let every market take a step; ``shocks`` are shared by the venues, so that they agree."""
        if self.is_frozen:
            return
        for i, shock in enumerate(shocks):
            step = shock + self.rng.gauss(0, 0.00003)
            if i > 5 and self.rng.random() < 0.5:
                step = 0.0
            self.prices[i] *= 1 + step

    def decimal(self, i: int, factor: float = 1.0) -> Decimal:
        """Price of market ``i`` with the venue's digits."""
        return Decimal(f"{self.prices[i] * factor:.{self.symbols[i][3]}f}")

    def catalog(self) -> InstrumentCatalog:
        """Every instrument."""
        quote = "USDT" if self.name == FIRST else "USDC"
        return InstrumentCatalog(
            venue=self.name,
            instruments=tuple(
                Instrument(
                    venue=self.name,
                    venue_symbol=symbol,
                    name=f"{base}-{quote}-PERP",
                    kind=InstrumentKind.PERPETUAL,
                    base=base,
                    quote=quote,
                    price_decimals=decimals,
                )
                for base, symbol, _, decimals in self.symbols
            ),
        )

    def quotes(self) -> QuoteBatch:
        """The fast reply: last price and 24 h on one venue, mid prices only on the other."""
        if self.name == FIRST:
            fields = frozenset({"last", "mark", "open_24h", "volume_24h_base", "volume_24h_quote"})
            quotes = tuple(
                Quote(
                    venue_symbol=symbol,
                    last=self.decimal(i),
                    mark=self.decimal(i, 1.00004),
                    open_24h=Decimal(f"{self.opens[i]:.{decimals}f}"),
                    volume_24h_base=Decimal(100_000 + i * 977),
                    volume_24h_quote=Decimal(f"{(100_000 + i * 977) * self.prices[i]:.2f}"),
                )
                for i, (_, symbol, _, decimals) in enumerate(self.symbols)
            )
            return QuoteBatch(venue=self.name, fields=fields, quotes=quotes, is_complete=True)
        quotes = tuple(
            Quote(venue_symbol=symbol, mid=self.decimal(i, 0.99992)) for i, (_, symbol, _, _) in enumerate(self.symbols)
        )
        return QuoteBatch(venue=self.name, fields=frozenset({"mid"}), quotes=quotes, is_complete=True)

    def details(self) -> QuoteBatch:
        """The slow reply: funding, and what the fast one does not carry."""
        quotes = tuple(
            Quote(
                venue_symbol=symbol,
                mark=self.decimal(i),
                open_24h=Decimal(f"{self.opens[i]:.{decimals}f}"),
                funding_rate=Decimal(f"{0.0000125 * ((i % 5) - 1) * (8 if self.name == FIRST else 1):.8f}"),
                funding_interval_h=8 if self.name == FIRST else 1,
                volume_24h_quote=Decimal(f"{9e8 / (i + 1):.0f}"),
                open_interest_base=Decimal(12_000 + i),
            )
            for i, (_, symbol, _, decimals) in enumerate(self.symbols)
        )
        fields = frozenset(
            {"mark", "open_24h", "funding_rate", "funding_interval_h", "volume_24h_quote", "open_interest_base"}
        )
        return QuoteBatch(venue=self.name, fields=fields, quotes=quotes, is_complete=True)

    def book(self, i: int) -> OrderBook:
        """Fifteen levels a side around the price of market ``i``."""
        price = self.prices[i]
        tick = 10.0 ** -self.symbols[i][3]

        def level(distance: int) -> BookLevel:
            decimals = self.symbols[i][3]
            return BookLevel(
                price=Decimal(f"{price + distance * tick:.{decimals}f}"),
                size=Decimal(f"{self.rng.uniform(0.1, 8):.3f}"),
            )

        return OrderBook(
            venue=self.name,
            venue_symbol=self.symbols[i][1],
            bids=tuple(level(-1 - n * 2) for n in range(15)),
            asks=tuple(level(1 + n * 2) for n in range(15)),
        )

    def candles(self, i: int, interval: str, count: int, now: datetime) -> CandleBatch:
        """``count`` candles that end at the price of now; the last one is forming."""
        length_s = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600}[interval]
        newest = datetime.fromtimestamp(now.timestamp() // length_s * length_s, tz=UTC)
        decimals = self.symbols[i][3]
        close = self.prices[i]
        rng = random.Random(i)
        candles: list[Candle] = []
        for back in range(count):
            open_ = close * (1 + rng.gauss(0, 0.0006))
            high = max(open_, close) * (1 + abs(rng.gauss(0, 0.0003)))
            low = min(open_, close) * (1 - abs(rng.gauss(0, 0.0003)))
            candles.append(
                Candle(
                    open_time=newest - timedelta(seconds=back * length_s),
                    open=Decimal(f"{open_:.{decimals}f}"),
                    high=Decimal(f"{high:.{decimals}f}"),
                    low=Decimal(f"{low:.{decimals}f}"),
                    close=Decimal(f"{close:.{decimals}f}"),
                    volume_base=Decimal(f"{rng.expovariate(0.02):.2f}"),
                    volume_quote=None,
                    is_closed=back > 0,
                )
            )
            close = open_
        return CandleBatch(
            venue=self.name, venue_symbol=self.symbols[i][1], interval=interval, candles=tuple(reversed(candles))
        )

    def pool(self, now_s: float, active: int = 0) -> PoolStats:
        """Figures of the one pool."""
        alive = [socket for socket in self.sockets if socket.closed_mono_s is None]
        cards = tuple(
            ConnectionCard(
                connection_id=socket.number,
                host=self.host,
                opened_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
                opened_mono_s=socket.opened_mono_s,
                state="closed" if socket.closed_mono_s is not None else ("suspect" if i == 3 else "idle"),
                requests=socket.requests,
                peer="203.0.113.17:443" if self.name == FIRST else "[2001:db8::42]:443",
                address_family="IPv4" if self.name == FIRST else "IPv6",
                tls_version="TLSv1.3",
                cipher="TLS_AES_256_GCM_SHA384",
                alpn="http/1.1",
                is_resumed=socket.number > 2,
                connect_s=socket.connect_s,
                idle_since_mono_s=socket.used_mono_s,
                closed_mono_s=socket.closed_mono_s,
                close_cause=socket.cause,
            )
            for i, socket in enumerate(self.sockets)
        )
        return PoolStats(
            venue=self.name,
            host=self.host,
            scheme="https",
            attempts=self.attempts,
            opened=self.opened,
            reused=self.reused,
            connect_failed=self.failed_connects,
            healed=self.healed,
            closed=MappingProxyType(dict(self.closed)),
            idle=len(alive) - active,
            active=active,
            suspect=sum(1 for card in cards if card.state == "suspect"),
            peak_active=min(3, len(alive)),
            max_connections=20,
            connections=cards,
        )

    def budget(self) -> BudgetState:
        """Where the venue's budget stands."""
        used = 62 if self.name == FIRST else 244
        return BudgetState(
            venue=self.name,
            window_s=1.0 if self.name == FIRST else 60.0,
            limit=10 if self.name == FIRST else 1200,
            cap=3 if self.name == FIRST else 360,
            used=2 if self.name == FIRST else used,
            used_60s=used,
            by_endpoint_60s=MappingProxyType({f"{self.name}.quotes": used}),
        )


class SampleFeed:
    """Fills ``board`` as two venues polled with the default plan would, from time to time on ``clock``.

    ``counts`` are instruments per venue. ``sink`` takes the results instead of the board (a real outbox, say).
    """

    def __init__(
        self,
        board: Board,
        clock: SampleClock,
        *,
        counts: tuple[int, int] = (12, 11),
        seed: int = 7,
        sink: Callable[[PollResult], None] | None = None,
    ) -> None:
        self.board = board
        self.clock = clock
        self._rng = random.Random(seed)
        self._sink = sink or self._into_board
        self._request_id = 0
        self._socket_number = 0
        self.venues = {
            name: SampleVenue(name, _symbols(name, count), random.Random(seed + i), 0.061 if i == 0 else 0.148)
            for i, (name, count) in enumerate(zip((FIRST, SECOND), counts, strict=True))
        }
        self.down: set[str] = set()
        self.second = 0

    def _into_board(self, result: PollResult) -> None:
        self.board.apply((result,))

    def key(self, venue: str, i: int) -> tuple[str, str]:
        """Key of market ``i``."""
        return (venue, self.venues[venue].symbols[i][1])

    def watchlist(self, count: int = 6) -> tuple[tuple[str, str], ...]:
        """The first markets of both venues, alternating."""
        return tuple(self.key(name, i) for i in range(count) for name in (FIRST, SECOND))

    def start(self, focus: int = 0) -> None:
        """What arrives first: instruments, details, candles, a book."""
        for venue in self.venues.values():
            self._deliver(venue, "instruments", venue.catalog(), 3600.0, slow_s=0.04)
            self._deliver(venue, "quotes", venue.quotes(), 1.0)
            self._deliver(venue, "details", venue.details(), 30.0, slow_s=0.03)
            self._deliver(venue, "book", venue.book(focus), 2.0)
            for interval in ("1m", "5m", "15m", "1h"):
                candles = venue.candles(focus, interval, 200, self.clock.utc_now())
                self._deliver(venue, "candles", candles, 60.0, key_suffix=f":{interval}")

    def run(self, seconds: int, focus: int = 0) -> None:
        """Let ``seconds`` pass, one poll of prices a second and the slower ones when they are due."""
        for _ in range(seconds):
            self.clock.now_s += 1.0
            self.second += 1
            count = max(len(venue.symbols) for venue in self.venues.values())
            market = self._rng.gauss(0, 0.00012)
            shocks = [market + self._rng.gauss(0, 0.00008) for _ in range(count)]
            for venue in self.venues.values():
                venue.move(shocks[: len(venue.symbols)])
                if venue.name in self.down:
                    if self.second % 4 == 0:
                        self._fail(venue, "quotes")
                    continue
                self._deliver(venue, "quotes", venue.quotes(), 1.0)
                if self.second % 2 == 0:
                    self._deliver(venue, "book", venue.book(focus), 2.0)
                if self.second % 30 == 0:
                    self._deliver(venue, "details", venue.details(), 30.0, slow_s=0.03)
                if self.second % 60 == 0:
                    for interval in ("1m", "5m", "15m", "1h"):
                        candles = venue.candles(focus, interval, 3, self.clock.utc_now())
                        self._deliver(venue, "candles", candles, 60.0, key_suffix=f":{interval}")

    def deliver_quotes(self, venue: str, *traces: RequestTrace) -> None:
        """One price reply of ``venue`` now; ``traces``: the attempts that brought it, else an ordinary one."""
        self._deliver(self.venues[venue], "quotes", self.venues[venue].quotes(), 1.0, traces=traces)

    def _socket(self, venue: SampleVenue) -> tuple[_Socket, bool]:
        now = self.clock.now_s
        alive = [socket for socket in venue.sockets if socket.closed_mono_s is None]
        if len(alive) >= 2 and venue.rng.random() < 0.004:
            dead = alive[0]
            dead.closed_mono_s = now
            dead.cause = venue.rng.choice([CloseCause.BY_SERVER, CloseCause.EXPIRED, CloseCause.STALE])
            venue.closed[dead.cause] = venue.closed.get(dead.cause, 0) + 1
            alive = alive[1:]
        is_cold = len(alive) < 2
        if is_cold:
            self._socket_number += 1
            socket = _Socket(self._socket_number, now, venue.rtt_s * 2.1)
            venue.sockets.append(socket)
            del venue.sockets[:-9]
            venue.opened += 1
        else:
            socket = alive[venue.attempts % len(alive)]
            venue.reused += 1
        venue.attempts += 1
        socket.requests += 1
        socket.used_mono_s = now
        return socket, is_cold

    def _deliver(
        self,
        venue: SampleVenue,
        operation: str,
        payload: Payload,
        cadence_s: float,
        *,
        slow_s: float = 0.0,
        key_suffix: str = "",
        traces: Sequence[RequestTrace] = (),
    ) -> None:
        socket, is_cold = self._socket(venue)
        rtt_s = venue.rtt_s * venue.rng.lognormvariate(0, 0.07) * (3.5 if venue.rng.random() < 0.008 else 1.0)
        tcp_s, tls_s = (rtt_s * 0.9, rtt_s * 1.15) if is_cold else (None, None)
        dns_s = 0.004 if is_cold else None
        read_s = 0.002 + slow_s
        total_s = (dns_s or 0) + (tcp_s or 0) + (tls_s or 0) + 0.0004 + rtt_s + read_s + 0.0006
        trace = self._trace(venue, operation, socket.number, total_s)
        trace = replace(
            trace,
            dns_s=dns_s,
            tcp_s=tcp_s,
            tls_s=tls_s,
            send_s=0.0002,
            wait_s=rtt_s,
            read_s=read_s,
            unaccounted_s=0.0006,
            lease_wait_s=0.0002,
            queue_s=0.0004,
            is_cold=is_cold,
            is_dns_cached=True if is_cold else None,
            is_resumed=venue.opened > 2 if is_cold else None,
            addresses_tried=1 if is_cold else None,
            status=200,
            http_version="HTTP/1.1",
            request_bytes=412,
            response_bytes=2_300 + 61 * len(venue.symbols),
        )
        now = self.clock.now_s
        made = venue.made[operation] = venue.made.get(operation, 0) + 1
        venue.streaks[operation] = 0
        self._sink(
            PollSuccess(
                venue=venue.name,
                endpoint=f"{venue.name}.{operation}",
                key=f"{venue.name}.{operation}{key_suffix}",
                plan_epoch=0,
                cadence_s=cadence_s,
                payload=payload,
                requested_mono_s=now - total_s,
                received_mono_s=now,
                received_at=self.clock.at(now),
                source=Source.NETWORK,
                cache_age_s=0.0,
                clock_offset_s=0.1,
                traces=tuple(traces) or (trace,),
                pools=(venue.pool(now),),
                budget=venue.budget(),
                missed=0,
                planned=made,
                made=made,
            )
        )

    def _fail(self, venue: SampleVenue, operation: str) -> None:
        now = self.clock.now_s
        streak = venue.streaks[operation] = venue.streaks.get(operation, 0) + 1
        venue.attempts += 1
        venue.failed_connects += 1
        for socket in venue.sockets:
            if socket.closed_mono_s is None:
                socket.closed_mono_s, socket.cause = now, CloseCause.ERROR
                venue.closed[CloseCause.ERROR] = venue.closed.get(CloseCause.ERROR, 0) + 1
        trace = replace(
            self._trace(venue, operation, None, 3.1), error_kind=ErrorKind.CONNECT, dns_s=0.003, unaccounted_s=0.0
        )
        made = venue.made[operation] = venue.made.get(operation, 0) + 1
        self._sink(
            PollFailure(
                venue=venue.name,
                endpoint=f"{venue.name}.{operation}",
                key=f"{venue.name}.{operation}",
                plan_epoch=0,
                cadence_s=1.0,
                failure=Failure(
                    kind=ErrorKind.CONNECT, user_text="No connection within 3.1 s; check the network or the proxy"
                ),
                failed_mono_s=now,
                failed_at=self.clock.at(now),
                traces=(trace,),
                pools=(venue.pool(now),),
                budget=venue.budget(),
                missed=3,
                planned=made + 3 * streak,
                made=made,
                streak=streak,
                next_due_in_s=4.0,
            )
        )

    def _trace(self, venue: SampleVenue, operation: str, connection_id: int | None, total_s: float) -> RequestTrace:
        self._request_id += 1
        now = self.clock.now_s
        return RequestTrace(
            request_id=self._request_id,
            attempt=1,
            venue=venue.name,
            endpoint=f"{venue.name}.{operation}",
            method="GET" if venue.name == FIRST else "POST",
            host=venue.host,
            started_at=self.clock.at(now - total_s),
            started_mono_s=now - total_s,
            ended_mono_s=now,
            total_s=total_s,
            connection_id=connection_id,
            weight=1 if venue.name == FIRST else 2,
        )


def _symbols(venue: str, count: int) -> list[tuple[str, str, float, int]]:
    symbols: list[tuple[str, str, float, int]] = []
    for i in range(count):
        base, price, decimals = BASES[i] if i < len(BASES) else (f"T{i:03d}", 1.0 + i / 7, 4)
        symbols.append((base, f"{base}USDT" if venue == FIRST else base, price, decimals))
    return symbols


def make_board(
    *, seconds: int = 60, counts: tuple[int, int] = (12, 11), seed: int = 7, watched: int = 6
) -> tuple[Board, SampleClock, SampleFeed]:
    """A board after ``seconds`` of polling with the first markets watched; 0 seconds: only what arrives first."""
    clock = SampleClock()
    board = Board(venues=(FIRST, SECOND), clock=clock, utc_now=clock.utc_now, series_capacity=90_000)
    feed = SampleFeed(board, clock, counts=counts, seed=seed)
    board.track(feed.watchlist(watched))
    feed.start()
    feed.run(seconds)
    return board, clock, feed
