"""Bitunix's line among the venues that have accounts."""

from collections.abc import Mapping

from monitor.domain.credentials import CredentialField, Credentials, Hidden, clean_token
from monitor.exchanges.accounts import AccountClient, AccountVenue
from monitor.exchanges.bitunix.account import BitunixAccount
from monitor.exchanges.bitunix.errors import TITLE
from monitor.exchanges.bitunix.parse import VENUE
from monitor.transport.interface import Transport

_FIELDS = (
    CredentialField(name="api_key", title="API key", is_secret=True, hint="from Bitunix, API management"),
    CredentialField(name="secret", title="API secret", is_secret=True, hint="shown once, when the key is made"),
)


def make_values(inputs: Mapping[str, str]) -> dict[str, Hidden]:
    """Both fields trimmed; ``CredentialInputError`` when one cannot be right."""
    return {field.name: clean_token(inputs[field.name], f"The {field.title}") for field in _FIELDS}


def make_client(transport: Transport, credentials: Credentials) -> AccountClient:
    """The client of one account."""
    return BitunixAccount(transport, credentials)


BITUNIX_ACCOUNTS = AccountVenue(
    venue=VENUE,
    title=TITLE,
    fields=_FIELDS,
    advice=(
        "A read-only key is enough and recommended: make one without trade, transfer and withdraw permission. "
        "Bitunix does not tell what a key may do, so this program cannot check that."
    ),
    make_values=make_values,
    make_client=make_client,
)
