"""Funding: what is settled each interval, and the running estimate that drifts towards it."""

from __future__ import annotations

import numpy as np

from monitor.simulator.candles import HOUR_MS
from monitor.simulator.noise import F64, I64, U64, normal

_INTEREST_8H = 0.0001
_CLAMP = 0.0005


def premium(keys: U64, hours: I64) -> F64:
    """Return the average premium of each hour as a fraction: a slow tide, a habit of each market and noise."""
    habit = normal(keys, np.zeros_like(hours), 80) * 2.5e-4
    tide = normal(keys, hours // 36, 81) * 3e-4 + normal(keys, hours // 6, 82) * 1.5e-4
    return habit + tide + normal(keys, hours, 83) * 1e-4 - 0.5e-4


def hourly_rate(average_premium: F64) -> F64:
    """Return the rate charged for an hour: (P + clamp(interest - P, ±0.0005)) / 8, capped at 4 %.

    Source: Hyperliquid documentation, "Funding".
    """
    rate = (average_premium + np.clip(_INTEREST_8H - average_premium, -_CLAMP, _CLAMP)) / 8
    return np.clip(rate, -0.04, 0.04)


def running_premium(keys: U64, now_ms: int) -> F64:
    """Return the average premium of the current hour as far as known; it ends at `premium` of that hour."""
    hour, step = now_ms // HOUR_MS, now_ms // 5000
    part = now_ms % HOUR_MS / HOUR_MS
    hours = np.full(len(keys), hour)
    end = premium(keys, hours)
    start = premium(keys, hours - 1)
    wander = normal(keys, np.full(len(keys), step), 84) * 0.6e-4 * (1.0 - part)
    return start + (end - start) * part + wander


def current_premium(keys: U64, now_ms: int) -> F64:
    """Return the premium of the moment, which jumps about its hourly average every few seconds."""
    return running_premium(keys, now_ms) + normal(keys, np.full(len(keys), now_ms // 3000), 85) * 1.2e-4
