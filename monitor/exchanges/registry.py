"""Every venue the program knows: one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from monitor.exchanges.bitunix.entry import BITUNIX
from monitor.exchanges.hyperliquid.entry import HYPERLIQUID
from monitor.exchanges.venue import VenueEntry

__all__ = ["VENUES", "VenueEntry"]

VENUES: Mapping[str, VenueEntry] = MappingProxyType(
    {
        BITUNIX.name: BITUNIX,
        HYPERLIQUID.name: HYPERLIQUID,
    }
)
"""By name, in the order the window shows them."""
