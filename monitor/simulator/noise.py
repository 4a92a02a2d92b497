"""Random numbers as a pure function of (key, counter), vectorised: the whole demo market is drawn from here.

A conventional generator has a state, so a value depends on what was drawn before it. Here any instant of any instrument
can be computed alone and always comes out the same, which is what makes history, restarts and two venues agree.
The mixing function is splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MUL_1 = np.uint64(0xBF58476D1CE4E5B9)
_MUL_2 = np.uint64(0x94D049BB133111EB)
_SCALE_53 = 2.0**-53


def mix(values: U64) -> U64:
    """Scramble each 64-bit value; wraps around silently, as the algorithm wants."""
    with np.errstate(over="ignore"):
        x = values ^ (values >> np.uint64(30))
        x = x * _MUL_1
        x ^= x >> np.uint64(27)
        x *= _MUL_2
        x ^= x >> np.uint64(31)
    return x


def text_key(seed: int, *parts: str) -> int:
    """Return the 64-bit key of a name under a seed; stable over processes (unlike hash())."""
    key = seed & 0xFFFF_FFFF_FFFF_FFFF
    for part in parts:
        for byte in part.encode():
            key = ((key ^ byte) * 0x100000001B3) & 0xFFFF_FFFF_FFFF_FFFF  # FNV-1a
        key = ((key ^ 0xFF) * 0x100000001B3) & 0xFFFF_FFFF_FFFF_FFFF
    return int(mix(np.array([key], dtype=np.uint64))[0])


def bits(keys: U64, counters: I64 | U64 | int, stream: int = 0) -> U64:
    """Return 64 random bits for every (key, counter) pair; arguments broadcast. Streams are independent of each
    other."""
    counter = np.asarray(counters).astype(np.uint64)
    salt = np.uint64((stream * 0xD1B54A32D192ED03 + 0x8BB84B93962EACC9) & 0xFFFF_FFFF_FFFF_FFFF)
    with np.errstate(over="ignore"):
        return mix(mix(counter * _GOLDEN + salt) ^ (keys + counter * _MUL_2))


def uniform(keys: U64, counters: I64 | U64 | int, stream: int = 0) -> F64:
    """Return numbers in the open interval (0, 1)."""
    return ((bits(keys, counters, stream) >> np.uint64(11)).astype(np.float64) + 0.5) * _SCALE_53


def normal(keys: U64, counters: I64 | U64 | int, stream: int = 0) -> F64:
    """Return nearly normal numbers (mean 0, variance 1): the sum of four uniforms, which is several times cheaper
    than a logarithm and a cosine; tails come from `heavy` and from changing volatility."""
    raw = bits(keys, counters, stream)
    low = np.uint64(0xFFFF)
    total = (raw & low) + ((raw >> np.uint64(16)) & low) + ((raw >> np.uint64(32)) & low) + (raw >> np.uint64(48))
    centred: F64 = total.astype(np.float64) - 131070.0
    return centred / 37837.2


def heavy(keys: U64, counters: I64 | U64 | int, stream: int = 0) -> F64:
    """Return numbers with fat tails, mean 0 and variance close to 1: a normal value bent outwards by its cube."""
    z = normal(keys, counters, stream)
    bend: F64 = 0.145 * z * z + 0.62
    return z * bend
