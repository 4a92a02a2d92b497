"""Hyperliquid's spelling of markets: ``BTC``, ``kPEPE``, ``xyz:TSLA``, ``PURR/USDC``, ``@107``."""

from decimal import Decimal

SHOWN_TOKENS = {"UBTC": "BTC", "UETH": "ETH", "USOL": "SOL", "USDT0": "USDT"}
"""Wrapped tokens and the name the venue's own interface shows for them."""

USDC_INDEX = 0


def split_coin(coin: str) -> tuple[str, str]:
    """Builder dex and the rest: ``xyz:TSLA`` is ``xyz`` and ``TSLA``; the first dex is the empty text."""
    dex, colon, rest = coin.partition(":")
    return (dex, rest) if colon and dex and rest else ("", coin)


def is_spot(coin: str) -> bool:
    """Whether ``coin`` names a spot pair."""
    return coin.startswith("@") or "/" in coin


def split_scale(name: str) -> tuple[str, Decimal]:
    """Coin and how many of it one priced unit holds: ``kPEPE`` is 1000 PEPE. Case tells: ``KAS`` is a coin."""
    if len(name) > 2 and name[0] == "k" and name[1:].upper() == name[1:]:
        return name[1:], Decimal(1000)
    return name, Decimal(1)


def shown_token(name: str) -> str:
    """The token's name as the venue's own interface shows it."""
    return SHOWN_TOKENS.get(name, name)
