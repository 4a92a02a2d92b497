"""What the demo's accounts own and do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from monitor.simulator.episodes import Entry, Leg


@dataclass(frozen=True, slots=True)
class Script:
    """One account. wallets: money by wallet at the start of every week, when what was won or lost is made up for: the
    margin coin at Bitunix, the dex at Hyperliquid. tokens: what lies in spot there. A week begins on Monday."""

    name: str
    wallets: Mapping[str, float]
    legs: tuple[Leg, ...] = ()
    tokens: Mapping[str, float] = field(default_factory=dict)


_DAY = 1440
_SWING = (Entry(0, 0.5), Entry(180, 0.3), Entry(900, 0.2))
_LONG, _SHORT = 1, -1


def _ladder(count: int, first: float, step: float) -> tuple[Entry, ...]:
    return tuple(Entry(0, 1 / count, first + number * step) for number in range(count))


def _script(name: str, wallets: Mapping[str, float], *legs: Leg, tokens: Mapping[str, float] | None = None) -> Script:
    numbered = tuple(replace(leg, number=number) for number, leg in enumerate(legs))
    return Script(name, wallets, numbered, tokens or {})


_FUTURES = (
    Leg("swing", "futures", "BTCUSDT", 5040, 12_000, 20, entries=_SWING, take_profit=0.06, stop=0.05),
    # So small beside the wallet that its liquidation price is absurdly high.
    Leg("hedge", "futures", "ETHUSDT", 2520, 1500, 10, side=_SHORT),
    # Liquidated every few hours: much faster than anybody would trade, so that it can be seen.
    Leg("scalp", "futures", "BTCUSDT", 60, 2500, 125, is_cross=False, side=_SHORT, take_profit=0.004,
        is_profit_limit=True),
    Leg("maker", "futures", "SOLUSDT", 20, 800, 20, is_cross=False, entries=(Entry(0.5, 1.0, 0.0006),),
        take_profit=0.001, is_profit_limit=True, give_up=0.5),
    Leg("ladder", "futures", "1000PEPEUSDT", _DAY, 2000, 10, entries=_ladder(5, 0.06, 0.02), give_up=1.0),
    Leg("dollars", "futures", "ETHUSDC", 2520, 900, 5, margin_coin="USDC"),
    # A contract that has stopped trading since.
    Leg("leftover", "futures", "STRAXUSDT", 5040, 150, 2, is_cross=False),
)  # fmt: skip

_STANDARD = (
    Leg("swing", "", "BTC", 5040, 30_000, 20, entries=_SWING, take_profit=0.06, stop=0.05),
    Leg("hedge", "", "ETH", 2520, 8000, 10, side=_SHORT),
    Leg("isolated", "", "HYPE", _DAY, 3000, 5, is_cross=False, take_profit=0.08, stop=0.08),
    Leg("maker", "", "SOL", 20, 1500, 20, entries=(Entry(0.5, 1.0, 0.0006),), take_profit=0.002, stop=0.004,
        give_up=0.5),
    # Liquidated every few days.
    Leg("gamble", "", "FARTCOIN", 720, 1200, 10, is_cross=False, side=0),
    Leg("ladder", "", "kPEPE", _DAY, 2000, 5, entries=_ladder(5, 0.06, 0.02), give_up=1.0),
    Leg("stock", "xyz", "xyz:TSLA", 2520, 2500, 5, is_cross=False, stop=0.06),
    Leg("dollars", "hyna", "hyna:SOL", _DAY, 500, 10, is_cross=False, side=_SHORT),
    Leg("spot", "spot", "@107", 60, 400, 1, entries=(Entry(0.5, 1.0, 0.001),), take_profit=0.003,
        is_profit_limit=True),
)  # fmt: skip

_UNIFIED = (
    Leg("swing", "", "BTC", 2520, 16_000, 10, entries=_SWING, take_profit=0.05, stop=0.04),
    Leg("hedge", "", "ETH", 5040, 5000, 10, side=_SHORT),
    Leg("stock", "xyz", "xyz:NVDA", 2520, 2000, 5, is_cross=False),
    Leg("maker", "", "SOL", 20, 1500, 20, entries=(Entry(0.5, 1.0, 0.0006),), take_profit=0.001,
        is_profit_limit=True, give_up=0.5),
)  # fmt: skip

SCRIPTS = {
    script.name: script
    for script in (
        _script("bitunix", {"USDT": 25_000.0, "USDC": 3000.0}, *_FUTURES),
        _script(
            "bitunix busy",
            {"USDT": 100_000.0},
            Leg("bids", "futures", "BTCUSDT", _DAY, 60_000, 20, entries=_ladder(130, 0.03, 0.001), give_up=1.0),
            Leg("asks", "futures", "ETHUSDT", _DAY, 60_000, 20, side=_SHORT, entries=_ladder(130, 0.04, 0.001),
                give_up=1.0),
            Leg("maker", "futures", "SOLUSDT", 20, 900, 20, is_cross=False, entries=(Entry(0.5, 1.0, 0.0006),),
                take_profit=0.001, is_profit_limit=True, give_up=0.5),
        ),
        _script("bitunix flat", {"USDT": 1000.0}),
        _script(
            "hyperliquid",
            {"": 40_000.0, "xyz": 5000.0, "hyna": 800.0},
            *_STANDARD,
            tokens={"USDC": 2500.0, "HYPE": 120.0, "PURR": 5000.0, "USDT0": 250.0},
        ),
        _script("unified", {"": 21_400.0}, *_UNIFIED, tokens={"USDT0": 0.0, "USDH": 0.0}),
        _script(
            "portfolio",
            {"": 6000.0},
            Leg("swing", "", "BTC", 2520, 9000, 10, entries=_SWING),
            tokens={"USDC": 2200.0, "HYPE": -40.0, "UBTC": 0.15},
        ),
        _script("sub", {"": 1500.0}, Leg("swing", "", "ETH", 2520, 3000, 10), tokens={"USDC": 40.0}),
        _script("vault", {"": 90_000.0}, Leg("short", "", "BTC", 5040, 60_000, 5, side=_SHORT)),
    )
}  # fmt: skip
"""By name."""
