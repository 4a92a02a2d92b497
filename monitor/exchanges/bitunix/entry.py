"""Bitunix's line in the registry."""

from monitor.exchanges.bitunix.client import FUNDING_RATE, BitunixClient
from monitor.exchanges.bitunix.errors import TITLE
from monitor.exchanges.bitunix.parse import VENUE
from monitor.exchanges.caching import CachedClient
from monitor.exchanges.venue import VenueEntry
from monitor.transport.budget import BudgetRule
from monitor.transport.interface import Question, Transport
from monitor.transport.policy import AllowedRequest


def make_client(transport: Transport) -> CachedClient:
    """The caching client around ``transport``."""
    return CachedClient(BitunixClient(transport))


BITUNIX = VenueEntry(
    name=VENUE,
    title=TITLE,
    default_base_url="https://fapi.bitunix.com",
    allowed=(AllowedRequest(method="GET", path_prefix="/api/v1/futures/"),),
    # 10 a second per address; whether per endpoint or in all is not known, so it is taken as in all, 160 ms apart.
    budget_rule=BudgetRule(venue=VENUE, limit=10, window_s=1.0, min_spacing_s=0.16),
    make_client=make_client,
    default_watchlist=(
        "BTCUSDT",
        "ETHUSDT",
        "SOLUSDT",
        "XRPUSDT",
        "DOGEUSDT",
        "SUIUSDT",
        "HYPEUSDT",
        "1000PEPEUSDT",
    ),
    keep_warm=Question(endpoint=FUNDING_RATE, params={"symbol": "BTCUSDT"}),
)
