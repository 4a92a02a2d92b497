"""Hyperliquid's static side: universes, margin tables, builder dexes and spot tokens, with the holes and gaps of the
real ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from monitor.simulator.assets import Listing
from monitor.simulator.world import World

Json = dict[str, object]

# Margin table id -> tiers (lower bound in USD, leverage). Ids below 50 have no table: the id is the leverage itself.
_TIERS: dict[int, tuple[str, tuple[tuple[str, int], ...]]] = {
    50: ("", (("0.0", 50),)),
    51: ("tiered 10x", (("0.0", 10), ("3000000.0", 5))),
    52: ("tiered 10x (2)", (("0.0", 10), ("20000000.0", 5))),
    53: ("tiered 20x", (("0.0", 20), ("40000000.0", 10))),
    54: ("tiered 20x (2)", (("0.0", 20), ("70000000.0", 10))),
    55: ("tiered 25x", (("0.0", 25), ("100000000.0", 15))),
    56: ("tiered 40x", (("0.0", 40), ("150000000.0", 20))),
}
# Collateral token of each dex: 0 is USDC, 235 USDE, 360 USDH.
COLLATERAL = {"": 0, "xyz": 0, "flx": 360, "hyna": 235}
_FULL_NAMES = {"xyz": "XYZ", "flx": "Felix Exchange", "hyna": "HyENA"}
_KNOWN_TOKEN_IDS = {
    "USDC": "0x6d1e7cde53ba9467b783cb7c530ce054",
    "PURR": "0xc1fb593aeffbeb02f85e0308e9956a90",
    "HYPE": "0x0d01dc56dcaaca66ad901c959b4011ec",
}
_FULL_TOKEN_NAMES = {
    "HYPE": "Hyperliquid",
    "UBTC": "Unit Bitcoin",
    "UETH": "Unit Ethereum",
    "USOL": "Unit Solana",
    "USDE": "USDe",
}
# Tokens that are a quote or a collateral without a listed pair of their own: index -> (name, size decimals, wei
# decimals).
_EXTRA_TOKENS = {0: ("USDC", 8, 8), 235: ("USDE", 2, 8), 268: ("USDT0", 2, 8), 360: ("USDH", 2, 8)}


def pseudo_address(*parts: object) -> str:
    """Return a made-up 42-character address that is always the same for the same parts."""
    return "0x" + hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class StaticData:
    """Replies that do not change while the server runs. meta is by dex name, "" for the first."""

    meta: dict[str, Json]
    perp_dexs: list[Json | None]
    spot_meta: Json
    tokens_by_id: dict[str, Json]


def make_static(world: World) -> StaticData:
    """Build all metadata of a world."""
    meta = {"": _first_meta(world)}
    for dex, market in world.builders.items():
        meta[dex] = {
            "universe": [_builder_row(row, dex) for row in market.rows.listings],
            "marginTables": [_table(50)],
            "collateralToken": COLLATERAL[dex],
        }
    spot = _spot_meta(world)
    tokens = spot["tokens"]
    assert isinstance(tokens, list)  # noqa: S101  # built a line above
    return StaticData(meta, _perp_dexs(world), spot, {token["tokenId"]: token for token in tokens})


def _table(number: int) -> list[object]:
    description, tiers = _TIERS[number]
    return [
        number,
        {"description": description, "marginTiers": [{"lowerBound": low, "maxLeverage": top} for low, top in tiers]},
    ]


def _first_meta(world: World) -> Json:
    universe = []
    for row in world.perps.rows.listings:
        entry: Json = {
            "szDecimals": row.size_decimals,
            "name": row.symbol,
            "maxLeverage": row.max_leverage,
            "marginTableId": int(row.extra["table"]),
        }
        if "i" in row.flags:
            entry["onlyIsolated"] = True
        if row.is_delisted:
            entry["isDelisted"] = True
        if "i" in row.flags:
            entry["marginMode"] = "strictIsolated"
        universe.append(entry)
    return {"universe": universe, "marginTables": [_table(number) for number in _TIERS], "collateralToken": 0}


def _builder_row(row: Listing, dex: str) -> Json:
    entry: Json = {
        "szDecimals": row.size_decimals,
        "name": row.symbol,
        "maxLeverage": row.max_leverage,
        "marginTableId": row.max_leverage,
        "onlyIsolated": True,
    }
    if row.is_delisted:
        entry["isDelisted"] = True
    entry["marginMode"] = "noCross" if row.turnover_usd > 1e8 else "strictIsolated"
    if dex == "xyz":
        entry["growthMode"] = "enabled"
        entry["lastGrowthModeChangeTime"] = "2025-11-23T17:37:10.033211662"
    return entry


def _perp_dexs(world: World) -> list[Json | None]:
    dexes: list[Json | None] = [None]
    for dex, market in world.builders.items():
        names = [row.symbol for row in market.rows.listings if not row.is_delisted]
        dexes.append(
            {
                "name": dex,
                "fullName": _FULL_NAMES[dex],
                "deployer": pseudo_address("deployer", dex),
                "oracleUpdater": None if dex == "xyz" else pseudo_address("oracle", dex),
                "feeRecipient": pseudo_address("fees", dex) if dex == "xyz" else None,
                "assetToStreamingOiCap": [[name, "25000000.0"] for name in names],
                "subDeployers": [["setOracle", [pseudo_address("setter", dex)]]],
                "assetToFundingMultiplier": [[name, "0.5"] for name in names],
                # Currencies carry no interest of their own.
                "assetToFundingInterestRate": [[name, "0.0"] for name in names if name in ("xyz:EUR", "xyz:JPY")],
                "assetToFundingClamp": [],
            }
        )
    return dexes


def _spot_meta(world: World) -> Json:
    known = dict(_EXTRA_TOKENS)
    for pair in world.pairs:
        known[pair.base_token] = (pair.base, pair.listing.size_decimals, pair.wei_decimals)
    tokens = []
    for number in range(max(known) + 1):
        # The list is dense although most tokens never got a pair.
        name, size, wei = known.get(number, (f"TKN{number}", 2, 8))
        tokens.append(
            {
                "name": name,
                "szDecimals": size,
                "weiDecimals": wei,
                "index": number,
                "tokenId": _KNOWN_TOKEN_IDS.get(name) or pseudo_address("token", name, number)[:34],
                "isCanonical": number < 2,
                "evmContract": None
                if number % 3 or number == 0
                else {"address": pseudo_address("evm", name), "evm_extra_wei_decimals": 18 - wei},
                "fullName": _FULL_TOKEN_NAMES.get(name),
                "deployerTradingFeeShare": "1.0" if name.startswith("U") and name != "USDC" else "0.0",
            }
        )
    universe = [
        {
            "tokens": [pair.base_token, pair.quote_token],
            "name": pair.listing.symbol,
            "index": pair.index,
            "isCanonical": pair.index == 0,
        }
        for pair in world.pairs
    ]
    return {"universe": universe, "tokens": tokens}
