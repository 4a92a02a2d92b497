"""What each endpoint brings, in the words of people who do not know the venues' documentation."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "bitunix.tickers": "prices",
        "bitunix.depth": "the order book",
        "bitunix.kline": "candles",
        "bitunix.trading_pairs": "the list of instruments",
        "bitunix.funding_batch": "funding rates",
        "bitunix.funding_rate": "a funding rate",
        "hyperliquid.allMids": "prices",
        "hyperliquid.l2Book": "the order book",
        "hyperliquid.candleSnapshot": "candles",
        "hyperliquid.meta": "the list of instruments",
        "hyperliquid.metaAndAssetCtxs": "funding and 24 h figures",
        "hyperliquid.spotMetaAndAssetCtxs": "24 h figures of spot pairs",
    }
)


def plain_name(endpoint: str) -> str:
    """What the replies of ``endpoint`` are about, such as ``prices``; the endpoint itself where it has no such word."""
    return _WORDS.get(endpoint, endpoint)
