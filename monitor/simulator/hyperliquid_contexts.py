"""Hyperliquid's asset contexts: mark, oracle, funding and 24 h figures of every market, as JSON text without names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.simulator.assets import SpotPair
from monitor.simulator.market import Market
from monitor.simulator.noise import F64, bits, normal, uniform
from monitor.simulator.rates import current_premium, hourly_rate, running_premium
from monitor.simulator.texts import objects, plain, plains

_MARK_MS = 3000  # mark and oracle move about this often
_RATE_MS = 5000  # and the running funding rate this often
BUILDER_MULTIPLIER = 0.5  # funding of builder markets, as perpDexs tells
# What a delisted market shows, beside its frozen mark and oracle price.
_DELISTED = {"funding": "0.0", "openInterest": "0.0", "dayNtlVlm": "0.0", "dayBaseVlm": "0.0"} | dict.fromkeys(
    ("premium", "midPx", "impactPxs"), "null"
)


def mids(market: Market, now_ms: int) -> F64:
    """Return the middle of each book; an average of two prices on the tick may need one decimal more, and is shown so.

    Without a book (delisted) it is the last price.
    """
    tick = market.tick(now_ms)
    return np.where(market.rows.is_dead, tick.last, np.round((tick.bid + tick.ask) / 2, 10))


def marks(market: Market, now_ms: int) -> F64:
    """Return the mark price of every market of a dex; the last price where it is delisted."""
    over, settled = _settled(market, now_ms)
    moving = market.rows.round_prices(market.all, settled * (1 - 0.15 * over))
    return np.where(market.rows.is_dead, market.tick(now_ms).last, moving)


def _settled(market: Market, now_ms: int) -> tuple[F64, F64]:
    # Premium and middle of the moment at which mark and oracle last moved.
    step_ms = now_ms - now_ms % _MARK_MS
    before = market.tick(step_ms)
    return current_premium(market.rows.key, step_ms), (before.bid + before.ask) / 2


def perp_contexts(market: Market, now_ms: int, *, is_builder: bool) -> list[str]:
    """Return the contexts of a dex in universe order."""
    rows, keys, dead = market.all, market.rows.key, market.rows.is_dead
    tick, stats = market.tick(now_ms), market.stats(now_ms)
    over, settled = _settled(market, now_ms)
    middle = (tick.bid + tick.ask) / 2
    oracle = np.where(dead, tick.last, market.rows.round_prices(rows, settled / (1 + over)))
    width = np.maximum((tick.ask - tick.bid) * 0.8, middle * 4e-5)
    rate = hourly_rate(running_premium(keys, now_ms - now_ms % _RATE_MS)) * (BUILDER_MULTIPLIER if is_builder else 1.0)
    drift = 1 + 0.02 * normal(keys, rows * 0 + now_ms // 60_000, 96)
    interest = stats.volume * (0.25 + 0.6 * uniform(keys, rows * 0, 95)) * drift
    power = 10.0 ** (5 - np.floor(np.log10(middle)))  # six significant figures
    quotes = zip(*(plains(np.round((middle + side) * power) / power) for side in (-width, width)), strict=True)
    texts = {
        "funding": plains(np.round(rate, 10)),
        "openInterest": plains(np.round(interest, 5)),
        "prevDayPx": plains(stats.open),
        "dayNtlVlm": plains(np.round(stats.turnover, 10)),
        "premium": [f'"{value}"' for value in plains(np.round(over, 10))],
        "oraclePx": plains(oracle),
        "markPx": plains(marks(market, now_ms)),
        "midPx": [f'"{value}"' for value in plains(mids(market, now_ms))],
        "impactPxs": [f'["{low}","{high}"]' for low, high in quotes],
        "dayBaseVlm": plains(np.round(stats.volume, 5)),
    }
    if is_builder:
        # A thin builder market has a mid but nothing deep enough for the impact notional.
        thin = bits(keys, rows * 0 + now_ms // 600_000, 97) % np.uint64(9) == 0
        for number in np.flatnonzero(thin).tolist():
            texts["premium"][number] = texts["impactPxs"][number] = "null"
    for number in np.flatnonzero(dead).tolist():
        for name, text in _DELISTED.items():
            texts[name][number] = text
        texts["prevDayPx"][number] = texts["markPx"][number]
    return objects(texts, bare=("premium", "midPx", "impactPxs"))


def spot_contexts(market: Market, pairs: Sequence[SpotPair], now_ms: int) -> list[str]:
    """Return a context for every pair index from 0 on, also for the removed pairs that left a hole in the universe."""
    tick, stats = market.tick(now_ms), market.stats(now_ms)
    supply = [plain(round(1e6 * 10 ** (pair.index % 4) * 1.003, 8)) for pair in pairs]
    rows = objects(
        {
            "prevDayPx": plains(stats.open),
            "dayNtlVlm": plains(np.round(stats.turnover, 8)),
            "markPx": plains(tick.last),
            "midPx": plains(mids(market, now_ms)),
            "circulatingSupply": supply,
            "coin": [pair.listing.symbol for pair in pairs],
            "totalSupply": supply,
            "dayBaseVlm": plains(np.round(stats.volume, 6)),
        }
    )
    known = {pair.index: row for pair, row in zip(pairs, rows, strict=True)}
    return [known.get(index) or _removed(index) for index in range(max(known) + 1)]


def _removed(index: int) -> str:
    return (
        f'{{"prevDayPx":"0.0","dayNtlVlm":"0.0","markPx":"1.0","midPx":null,"circulatingSupply":"0.0",'
        f'"coin":"@{index}","totalSupply":"0.0","dayBaseVlm":"0.0"}}'
    )
