"""Hyperliquid's line among the venues that have accounts."""

import time
from collections.abc import Mapping

from monitor.domain.credentials import CredentialField, Credentials, Hidden, clean_address, refuse_private_key
from monitor.exchanges.account_check import patiently
from monitor.exchanges.accounts import AccountClient, AccountVenue, RelatedAccount
from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from monitor.exchanges.hyperliquid.catalog import VENUE
from monitor.exchanges.hyperliquid.errors import TITLE
from monitor.transport.interface import Transport

_FIELDS = (
    CredentialField(
        name="address",
        title="Public address",
        is_secret=False,
        hint="0x and 40 digits; not that of an API wallet",
    ),
)


def make_values(inputs: Mapping[str, str]) -> dict[str, Hidden]:
    """The address; ``CredentialInputError`` when it cannot be one, and for a private key in any field."""
    for text in inputs.values():
        refuse_private_key(text)
    return {"address": clean_address(inputs["address"])}


def make_client(transport: Transport, credentials: Credentials) -> AccountClient:
    """The client of one address."""
    return HyperliquidAccount(transport, credentials)


def find_related(transport: Transport, credentials: Credentials) -> tuple[RelatedAccount, ...]:
    """The sub-accounts of an address. Blocks; raises ``MonitorError``."""
    client = HyperliquidAccount(transport, credentials)
    found = patiently(client.fetch_sub_accounts, time.sleep).value
    return tuple(
        RelatedAccount(name=sub.name, shown=sub.address.shown, inputs={"address": sub.address.reveal()})
        for sub in found
    )


HYPERLIQUID_ACCOUNTS = AccountVenue(
    venue=VENUE,
    title=TITLE,
    fields=_FIELDS,
    advice=(
        "Only the public address of the master account or a sub-account is needed. Never paste a private key or a seed "
        "phrase here: both are refused."
    ),
    make_values=make_values,
    make_client=make_client,
    find_related=find_related,
)
