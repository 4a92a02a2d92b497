"""Hyperliquid's line in the registry."""

from monitor.exchanges.caching import CachedClient
from monitor.exchanges.hyperliquid.catalog import VENUE
from monitor.exchanges.hyperliquid.client import HyperliquidClient
from monitor.exchanges.hyperliquid.endpoints import INFO, PATH
from monitor.exchanges.hyperliquid.errors import TITLE
from monitor.exchanges.venue import VenueEntry
from monitor.transport.budget import BudgetRule
from monitor.transport.interface import Question, Transport
from monitor.transport.policy import AllowedRequest


def make_client(transport: Transport) -> CachedClient:
    """The caching client around ``transport``."""
    return CachedClient(HyperliquidClient(transport))


HYPERLIQUID = VenueEntry(
    name=VENUE,
    title=TITLE,
    default_base_url="https://api.hyperliquid.xyz",
    allowed=(AllowedRequest(method="POST", path=PATH),),
    budget_rule=BudgetRule(venue=VENUE, limit=1_200, window_s=60.0),
    make_client=make_client,
    default_watchlist=("BTC", "ETH", "SOL", "XRP", "DOGE", "SUI", "HYPE", "kPEPE"),
    keep_warm=Question(
        endpoint=INFO["exchangeStatus"].endpoint,
        body=b'{"type":"exchangeStatus"}',
        headers={"Content-Type": "application/json"},
        weight=INFO["exchangeStatus"].weight,
    ),
)
