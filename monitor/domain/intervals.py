"""Candle intervals. Apart from the values they belong to: settings are read before anything of a market is."""

INTERVALS_S: dict[str, int] = {
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
    "3d": 259_200,
    "1w": 604_800,
    # Calendar months differ in length; this is the longest, used for ranges only, never to compute a candle's close.
    "1M": 2_678_400,
}
"""Candle intervals by name, in seconds. A venue may offer only some of them."""
