"""Every venue that has accounts: one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from monitor.exchanges.accounts import AccountVenue
from monitor.exchanges.bitunix.account_entry import BITUNIX_ACCOUNTS
from monitor.exchanges.hyperliquid.account_entry import HYPERLIQUID_ACCOUNTS

ACCOUNT_VENUES: Mapping[str, AccountVenue] = MappingProxyType(
    {
        BITUNIX_ACCOUNTS.venue: BITUNIX_ACCOUNTS,
        HYPERLIQUID_ACCOUNTS.venue: HYPERLIQUID_ACCOUNTS,
    }
)
"""By name, in the order the window shows them."""
