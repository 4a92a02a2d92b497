"""Bitunix's spelling of contracts: ``BTCUSDT``, ``1000PEPEUSDT``, ``1MBABYDOGEUSDT``, ``BTCUSD``."""

import re
from decimal import Decimal

from monitor.domain.market import InstrumentStatus

QUOTES = ("USDT", "USDC", "USD")
"""Longest first, so that a contract without a ``quote`` field is split right."""

STATUSES = {
    "OPEN": InstrumentStatus.OPEN,
    "CANCEL_ONLY": InstrumentStatus.CANCEL_ONLY,
    "STOP": InstrumentStatus.STOPPED,
    "PREVIEW": InstrumentStatus.PREVIEW,
}

_SCALES = {"1M": Decimal(1_000_000), **{str(10**power): Decimal(10**power) for power in range(3, 10)}}
# Only where the venue does not name the coin itself. At least two characters remain: 1000X is a coin of its own.
_SCALED = re.compile(r"(1000000000|100000000|10000000|1000000|100000|10000|1000|1M(?=.{3}))([A-Z].+)")


def split_symbol(symbol: str, base: str | None, quote: str | None) -> tuple[str, str, str, Decimal]:
    """The contract's head, coin, quote and how many coins one priced unit holds.

    ``1000PEPEUSDT`` is head ``1000PEPE``, coin ``PEPE``, quote ``USDT``, 1000; ``base`` names the coin without the
    scale, and some catalogs may name it with the scale. ``base`` and ``quote`` are ``None`` where the venue sent none.
    """
    if not quote:
        quote = next((known for known in QUOTES if symbol.endswith(known) and symbol != known), "")
    head = symbol.removesuffix(quote) or symbol
    if base and base != head:
        scale = _SCALES.get(head.removesuffix(base)) if head.endswith(base) else None
        return (head, base, quote, scale) if scale is not None else (head, base, quote, Decimal(1))
    scaled = _SCALED.fullmatch(head)
    if scaled:
        return head, scaled[2], quote, _SCALES[scaled[1]]
    return head, head, quote, Decimal(1)
