"""What the rest of the program must know of a venue before it talks to it."""

from collections.abc import Callable

import msgspec

from monitor.exchanges.base import ExchangeClient
from monitor.transport.budget import BudgetRule
from monitor.transport.interface import Question, Transport
from monitor.transport.policy import AllowedRequest


class VenueEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One venue.

    ``allowed`` is the read-only list its transport enforces, ``budget_rule`` its documented rate limit.
    ``make_client`` builds the caching client around a transport; it makes no request. ``default_watchlist`` names
    instruments by ``venue_symbol``. ``keep_warm`` is its cheapest question, asked for a connection's sake.
    """

    name: str
    title: str
    default_base_url: str
    allowed: tuple[AllowedRequest, ...]
    budget_rule: BudgetRule
    make_client: Callable[[Transport], ExchangeClient]
    default_watchlist: tuple[str, ...]
    keep_warm: Question | None = None
