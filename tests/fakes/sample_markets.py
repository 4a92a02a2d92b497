"""Two invented venues: markets that move, sockets that are reused, a budget. No network and no clock of their own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

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
from monitor.domain.telemetry import BudgetState, CloseCause, ConnectionCard, PoolStats

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


def sample_symbols(venue: str, count: int) -> list[tuple[str, str, float, int]]:
    """Base, venue symbol, price and decimals of the first ``count`` markets."""
    symbols: list[tuple[str, str, float, int]] = []
    for i in range(count):
        base, price, decimals = BASES[i] if i < len(BASES) else (f"T{i:03d}", 1.0 + i / 7, 4)
        symbols.append((base, f"{base}USDT" if venue == FIRST else base, price, decimals))
    return symbols


@dataclass(slots=True)
class SampleSocket:
    """A connection, open until ``closed_mono_s``."""

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
    sockets: list[SampleSocket] = field(default_factory=list)
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
            total_weight=2 * self.attempts,
            by_endpoint_60s=MappingProxyType({f"{self.name}.quotes": used}),
        )
