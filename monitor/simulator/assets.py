"""Everything that has a price in the demo world, and which venue lists it under which name."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from monitor.simulator.asset_tables import MORE_COINS, PERPS, SPOT_PAIRS, STOCKS
from monitor.simulator.noise import text_key

# Daily volatility of the logarithm of the price and share of it that is the common market, by kind of asset.
_CALM: Final = {
    "BTC": (0.022, 0.90),
    "ETH": (0.031, 0.88),
    "BNB": (0.026, 0.8),
    "SOL": (0.036, 0.85),
    "XRP": (0.036, 0.8),
}
_STABLE: Final = frozenset({"USDC", "USDT", "USDT0", "USDE", "FEUSD", "USDXL", "USDHL", "USH", "USR", "DBLN", "HUSD"})
_WRAPPED: Final = {
    "UBTC": "BTC",
    "UETH": "ETH",
    "USOL": "SOL",
    "UFART": "FARTCOIN",
    "UPUMP": "PUMP",
    "XAUT0": "GOLD",
    "PAXG": "GOLD",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One latent price, shared by every market on it at both venues.

    price_usd is the level that the path keeps returning to, of one single coin; sigma_day the standard deviation of
    the daily log return; beta the share of that deviation (0 to 1) that comes from the common market.
    """

    name: str
    price_usd: float
    sigma_day: float
    beta: float


@dataclass(frozen=True, slots=True)
class Listing:
    """One market of one venue.

    scale: coins in one unit of price and size (1000 for kPEPE). price_decimals: places of the tick, or with
    significant > 0 the most places while at most that many significant figures are kept. size_decimals: places of a
    lot. turnover_usd: typical 24 h turnover. live_from_day: first day (since 1970) with history.
    """

    symbol: str
    asset: str
    scale: float
    price_usd: float
    price_decimals: int
    significant: int
    size_decimals: int
    turnover_usd: float
    max_leverage: int = 10
    flags: str = ""
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def is_delisted(self) -> bool:
        return "d" in self.flags


@dataclass(frozen=True, slots=True)
class SpotPair:
    """One spot pair: its own index and the token indices of base and quote."""

    index: int
    listing: Listing
    base: str
    base_token: int
    quote_token: int
    wei_decimals: int


class AssetBook:
    """Collects the latent assets that the listings refer to, each once."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.by_name: dict[str, Asset] = {}

    def want(self, name: str, price_usd: float, *, is_stock: bool = False) -> str:
        """Return `name` after making sure that an asset of that name exists; the first price given wins."""
        if name not in self.by_name:
            if name in _STABLE:
                sigma, beta = 0.0004, 0.0
            elif is_stock:
                sigma, beta = 0.018, 0.45
            else:
                spread = (text_key(self.seed, "sigma", name) % 1000) / 1000
                sigma, beta = _CALM.get(name, (0.040 + 0.030 * spread, 0.75 - 0.25 * spread))
            self.by_name[name] = Asset(name, price_usd, sigma, beta)
        return name


def split_scaled(name: str) -> tuple[str, float]:
    """Return (coin, coins per unit): ("PEPE", 1000.0) for "kPEPE", ("BTC", 1.0) for "BTC"."""
    if len(name) > 2 and name[0] == "k" and name[1:].isupper():
        return name[1:], 1000.0
    return name, 1.0


def perp_listings(book: AssetBook, count: int | None = None) -> list[Listing]:
    """Return the perpetuals of the venue with the fixed universe; count None gives the whole table, more adds made-up
    ones."""
    rows: list[Listing] = []
    for entry in PERPS.split():
        name, decimals, leverage, table, price, turnover, *flags = entry.split(":")
        coin, scale = split_scaled(name)
        asset = book.want(_WRAPPED.get(coin, coin), float(price) / scale)
        rows.append(
            Listing(
                symbol=name,
                asset=asset,
                scale=scale,
                price_usd=float(price),
                price_decimals=6 - int(decimals),
                significant=5,
                size_decimals=int(decimals),
                turnover_usd=float(turnover) * 1e6,
                max_leverage=int(leverage),
                flags=flags[0] if flags else "",
                extra={"table": table},
            )
        )
    if count is None:
        return rows
    for number in range(len(rows), count):
        name = f"DEMO{number:03d}"
        price = 0.01 * 10 ** (number % 5)
        asset = book.want(name, price)
        rows.append(Listing(name, asset, 1.0, price, 6, 5, 0, 2e5, max_leverage=3, extra={"table": "3"}))
    return rows[:count]


def spot_pairs(book: AssetBook) -> list[SpotPair]:
    """Return the spot pairs in universe order; indices have holes."""
    pairs: list[SpotPair] = []
    for entry in SPOT_PAIRS.split():
        index, base, token, decimals, wei, price, turnover, *quote = entry.split(":")
        coin = _WRAPPED.get(base, base if base in ("HYPE", "PURR", *_STABLE) else f"spot:{base}")
        asset = book.want(coin, float(price))
        listing = Listing(
            symbol="PURR/USDC" if index == "0" else f"@{index}",
            asset=asset,
            scale=1.0,
            price_usd=float(price),
            price_decimals=8 - int(decimals),
            significant=5,
            size_decimals=int(decimals),
            turnover_usd=float(turnover) * 1e6,
        )
        pairs.append(SpotPair(int(index), listing, base, int(token), int(quote[0]) if quote else 0, int(wei)))
    return pairs


def stock_rows(book: AssetBook) -> list[tuple[str, str, float, int, float, str]]:
    """Return (name, asset, price, size decimals, turnover in USD, flags) of each stock-like contract."""
    rows = []
    for entry in STOCKS.split():
        name, price, decimals, turnover, *flags = entry.split(":")
        asset = book.want(name, float(price), is_stock=True)
        rows.append((name, asset, float(price), int(decimals), float(turnover) * 1e6, flags[0] if flags else ""))
    return rows


def builder_listings(book: AssetBook, dex: str) -> list[Listing]:
    """Return the perpetuals of one builder dex, names with the prefix."""
    if dex == "xyz":
        return [
            Listing(f"xyz:{name}", asset, 1.0, price, 6 - decimals, 5, decimals, turnover, max_leverage=10, flags=flags)
            for name, asset, price, decimals, turnover, flags in stock_rows(book)
        ]
    if dex == "flx":  # every market of this one was given up
        gone = (("COIN", 3, 262.0), ("CRCL", 3, 78.0), ("GOLD", 3, 4200.0), ("TSLA", 3, 410.0))
        return [
            Listing(f"flx:{name}", book.want(name, price), 1.0, price, 6 - decimals, 5, decimals, 0.0, 10, "d")
            for name, decimals, price in gone
        ]
    coins = (
        ("BTC", 5, 86000.0, 4e7),
        ("ETH", 4, 2900.0, 2e7),
        ("HYPE", 2, 36.0, 9e6),
        ("SOL", 2, 135.0, 1e7),
        ("US500", 3, 670.0, 3e6),
    )
    return [
        Listing(
            f"{dex}:{name}", book.want(name, price), 1.0, price, 6 - decimals, 5, decimals, turnover, max_leverage=20
        )
        for name, decimals, price, turnover in coins
    ]


def _price_places(price: float) -> int:
    if price > 20_000:
        return 1
    if price > 1000:
        return 2
    return max(2, 5 - math.ceil(math.log10(price)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contract:
    symbol: str
    asset: str
    base: str
    price: float
    turnover: float
    quote: str = "USDT"
    scale: float = 1.0
    status: str = "OPEN"
    api: str = "1"

    def listing(self, seed: int) -> Listing:
        factor = 0.25 + 1.5 * (text_key(seed, "turnover", self.symbol) % 1000) / 1000
        # Coin-margined contracts are counted in dollars.
        places = 0 if self.quote == "USD" else min(4, max(0, round(math.log10(self.price / 8))))
        return Listing(
            symbol=self.symbol,
            asset=self.asset,
            scale=self.scale,
            price_usd=self.price,
            price_decimals=_price_places(self.price),
            significant=0,
            size_decimals=places,
            turnover_usd=max(5e4, self.turnover * factor),
            max_leverage=next(leverage for above, leverage in _LEVERAGES if self.turnover > above),
            extra={"base": self.base, "quote": self.quote, "status": self.status, "api": self.api},
        )


_LEVERAGES: Final = ((1e9, 200), (5e7, 100), (5e6, 75), (1e6, 50), (-1.0, 20))


def futures_listings(book: AssetBook, count: int) -> list[Listing]:
    """Return the contracts of the venue with many listings; `extra` holds base, quote, status and api ("1" or "0").

    The first ones are the most traded, so that a small count still has what everybody watches.
    """
    perps = sorted((row for row in perp_listings(book) if not row.is_delisted), key=lambda row: -row.turnover_usd)
    stocks = [row for row in stock_rows(book) if not row[5]]
    contracts = [
        *map(_tether, perps[:12]),
        *_oddities(book),
        *map(_stock, stocks[:14]),
        *map(_tether, perps[12:]),
        *map(_stock, stocks[14:]),
        *_other_quotes(perps),
    ]
    taken = {contract.symbol for contract in contracts}
    contracts += [contract for contract in _more_coins(book) if contract.symbol not in taken]
    for number in range(len(contracts), count):
        name = f"DEMO{number:03d}"
        price = 0.01 * 10 ** (number % 5)
        asset = book.want(name, price)
        contracts.append(_Contract(symbol=f"{name}USDT", asset=asset, base=name, price=price, turnover=2e5))
    return [contract.listing(book.seed) for contract in contracts[:count]]


def _tether(row: Listing) -> _Contract:
    coin, scale = split_scaled(row.symbol)
    symbol = f"1000{coin}USDT" if scale > 1 else f"{coin}USDT"
    return _Contract(
        symbol=symbol, asset=row.asset, base=coin, price=row.price_usd, turnover=row.turnover_usd, scale=scale
    )


def _stock(row: tuple[str, str, float, int, float, str]) -> _Contract:
    name, asset, price, _, turnover, _ = row
    return _Contract(symbol=f"{name}USDT", asset=asset, base=name, price=price, turnover=turnover / 4, api="0")


def _oddities(book: AssetBook) -> list[_Contract]:
    # What a client must cope with, near the front so that a small count has it too.
    rows = []
    for coin, price in (("BTC", 86_000.0), ("ETH", 2900.0), ("SOL", 135.0)):
        rows.append(_Contract(symbol=f"{coin}USDC", asset=coin, base=coin, price=price, turnover=4e7, quote="USDC"))
        rows.append(_Contract(symbol=f"{coin}USD", asset=coin, base=coin, price=price, turnover=2e7, quote="USD"))
    for symbol, base, single, scale in (
        ("1MBABYDOGEUSDT", "BABYDOGE", 1.1e-9, 1e6),
        ("1000000MOGUSDT", "MOG", 3.4e-7, 1e6),
    ):
        asset = book.want(base, single)
        rows.append(_Contract(symbol=symbol, asset=asset, base=base, price=single * scale, turnover=2e6, scale=scale))
    for base, price, status in (("SAMSUNG", 71.0, "PREVIEW"), ("OMNI", 4.2, "CANCEL_ONLY"), ("STRAX", 1.6, "STOP")):
        asset = book.want(base, price, is_stock=base == "SAMSUNG")
        rows.append(_Contract(symbol=f"{base}USDT", asset=asset, base=base, price=price, turnover=1e5, status=status))
    return rows


def _other_quotes(perps: list[Listing]) -> list[_Contract]:
    whole = [row for row in perps[3:25] if split_scaled(row.symbol)[1] == 1.0]
    rows = []
    for quote, chosen, share in (("USDC", whole, 40), ("USD", whole[:9], 80)):
        for row in chosen:
            symbol, price = f"{row.symbol}{quote}", row.price_usd
            turnover = row.turnover_usd / share
            rows.append(
                _Contract(symbol=symbol, asset=row.asset, base=row.symbol, price=price, turnover=turnover, quote=quote)
            )
    return rows


def _more_coins(book: AssetBook) -> list[_Contract]:
    rows = []
    for entry in MORE_COINS.split():
        name, price, turnover = entry.split(":")
        asset = book.want(name, float(price))
        rows.append(
            _Contract(symbol=f"{name}USDT", asset=asset, base=name, price=float(price), turnover=float(turnover) * 1e6)
        )
    return rows
