"""The latent price of each asset: days, then the hours inside a day, each level a bridge between the points above
it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from monitor.simulator.assets import Asset
from monitor.simulator.noise import F64, I64, U64, heavy, normal, text_key, uniform

EPOCH_DAY = 18_628  # 2021-01-01: nothing is older
HOURS = 24
_PULL = 0.92  # what is left of yesterday's distance to the usual price: keeps BTC in the eighty thousands for years
# Trading is livelier while Europe and America are awake; one factor per hour of the UTC day, mean 1.
_SEASON = np.array(
    [
        0.8,
        0.85,
        0.85,
        0.75,
        0.7,
        0.7,
        0.75,
        0.9,
        1.0,
        1.0,
        0.95,
        0.95,
        1.05,
        1.3,
        1.6,
        1.6,
        1.4,
        1.2,
        1.1,
        1.05,
        1.0,
        0.95,
        0.85,
        0.7,
    ]
)


@dataclass(frozen=True, slots=True)
class HourBlock:
    """Hours of n (asset, day) pairs, logarithms of prices: points (n, 25), high and low (n, 24), heat (n, 24).

    heat is the activity of the hour relative to the usual one; volatility and volume both grow with it.
    """

    points: F64
    high: F64
    low: F64
    heat: F64


class LatentPaths:
    """Prices of all assets as a pure function of (seed, asset, time).

    Days follow an autoregressive process with a common factor and a slowly changing common volatility; inside a day
    the path is a bridge with the same factor structure. The extremes of an hour are drawn from the law of a Brownian
    bridge's maximum.
    """

    def __init__(self, seed: int, assets: Sequence[Asset]) -> None:
        self.index = {asset.name: number for number, asset in enumerate(assets)}
        self.keys: U64 = np.array([text_key(seed, "asset", asset.name) for asset in assets], dtype=np.uint64)
        self.market_key: U64 = np.array([text_key(seed, "market")], dtype=np.uint64)
        self.anchor: F64 = np.log(np.array([asset.price_usd for asset in assets]))
        self.sigma: F64 = np.array([asset.sigma_day for asset in assets])
        self.beta: F64 = np.array([asset.beta for asset in assets])
        self.rest: F64 = np.sqrt(1.0 - self.beta**2)
        self._days: F64 = np.zeros((1, len(assets)))
        self._mood: F64 = np.zeros(1)

    def _extend(self, day: int) -> None:
        have = len(self._days)
        want = day - EPOCH_DAY + 1
        if want <= have:
            return
        want += 400  # a year ahead at once: the recursion is short, but not something to do every midnight
        numbers = np.arange(have, want)
        shock = self.beta * heavy(self.market_key, numbers, 1)[:, None]
        shock = (shock + self.rest * heavy(self.keys[None, :], numbers[:, None], 2)) * self.sigma
        mood_shock = normal(self.market_key, numbers, 3) * 0.22
        days = np.empty((want, len(self.keys)))
        mood = np.empty(want)
        days[:have], mood[:have] = self._days, self._mood
        for step, number in enumerate(numbers):
            mood[number] = 0.86 * mood[number - 1] + mood_shock[step]
            days[number] = _PULL * days[number - 1] + shock[step] * np.exp(mood[number])
        self._days, self._mood = days, mood

    def day_points(self, assets: I64, days: I64) -> F64:
        """Return the log price at the start of each day; the arguments broadcast. Days before the epoch have its
        price."""
        self._extend(int(days.max()))
        return self.anchor[assets] + self._days[np.maximum(days - EPOCH_DAY, 0), assets]

    def hours(self, assets: I64, days: I64) -> HourBlock:
        """Return the hours of n (asset, day) pairs given as two arrays of length n."""
        start, end = self.day_points(assets, days), self.day_points(assets, days + 1)
        hour = days[:, None] * HOURS + np.arange(HOURS)
        mood = np.exp(self._mood[np.maximum(days - EPOCH_DAY, 0)])[:, None]
        keys = self.keys[assets][:, None]
        heat = _SEASON * np.exp(0.30 * normal(self.market_key, hour // 3, 4) + 0.28 * normal(self.market_key, hour, 5))
        heat = heat * np.exp(0.25 * normal(keys, hour, 6))
        step = self.sigma[assets][:, None] * mood * np.sqrt(heat / HOURS)
        shock = self.beta[assets][:, None] * heavy(self.market_key, hour, 7)
        shock = (shock + self.rest[assets][:, None] * heavy(keys, hour, 8)) * step
        points = bridge(start, end, shock, step**2)
        high, low = bridge_extremes(points, step, uniform(keys, hour, 9), uniform(keys, hour, 10))
        return HourBlock(points, high, low, heat)


def bridge(start: F64, end: F64, shock: F64, variance: F64) -> F64:
    """Return (n, k + 1) points from start to end whose k steps are the shocks, corrected in proportion to their
    variance."""
    total = variance.sum(axis=1, keepdims=True)
    share = np.cumsum(variance, axis=1) / np.where(total > 0, total, 1.0)
    walk = np.cumsum(shock, axis=1)
    points = np.empty((len(start), shock.shape[1] + 1))
    points[:, 0] = start
    points[:, 1:] = start[:, None] + walk + share * ((end - start)[:, None] - walk[:, -1:])
    points[:, -1] = end
    return points


def bridge_extremes(points: F64, step: F64, draw_high: F64, draw_low: F64) -> tuple[F64, F64]:
    """Return high and low of each step, drawn from the law of a Brownian bridge between its two ends.

    P(max > m) = exp(-2 (m - a)(m - c) / s^2), solved for m.
    """
    first, last = points[:, :-1], points[:, 1:]
    middle, gap, spread = (first + last) / 2, (last - first) ** 2, 2.0 * step**2
    high = middle + 0.5 * np.sqrt(gap - spread * np.log(draw_high))
    low = middle - 0.5 * np.sqrt(gap - spread * np.log(draw_low))
    return high, low
