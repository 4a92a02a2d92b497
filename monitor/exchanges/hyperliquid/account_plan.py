"""What to poll of a Hyperliquid address and how often, by default."""

from collections.abc import Callable
from typing import Protocol

from monitor.domain.account import (
    AccountSnapshot,
    FillList,
    FundingPaidList,
    OrderList,
)
from monitor.domain.account_history import AccountHistory, AddressLimits
from monitor.domain.credentials import AccountRef
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.exchanges.hyperliquid.account_info import ACCOUNT_INFO

STATE_EVERY_S = 5.0
ORDERS_EVERY_S = 20.0
FILLS_EVERY_S = 60.0
FUNDING_EVERY_S = 600.0
PORTFOLIO_EVERY_S = 600.0
PAST_ORDERS_EVERY_S = 900.0
LIMITS_EVERY_S = 900.0


class Reads(Protocol):
    """What is polled."""

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        ...

    def poll_snapshot(self) -> Fetched[AccountSnapshot]:
        """Summary and positions."""
        ...

    def poll_open_orders(self) -> Fetched[OrderList]:
        """Open orders."""
        ...

    def poll_fills(self) -> Fetched[FillList]:
        """Executions."""
        ...

    def poll_funding(self) -> Fetched[FundingPaidList]:
        """Funding."""
        ...

    def poll_past_orders(self) -> Fetched[OrderList]:
        """Orders that are no longer open."""
        ...

    def fetch_limits(self) -> Fetched[AddressLimits]:
        """What the address may sign."""
        ...

    def fetch_portfolio(self) -> Fetched[AccountHistory]:
        """Account value and PnL over time."""
        ...


def plan_account_jobs(reads: Reads, sharers: int = 1) -> tuple[PollJob, ...]:
    """The default plan: about 130 of weight a minute, however many addresses share it.

    State 24 and spot 8, open orders 60, fills 20 and what they bring, funding and portfolio 2 each, past orders up to
    8, limits 1.3; the first minute costs some 300 more. A price that has to be looked up adds 2.
    """
    stretch = float(max(1, sharers))

    # Last: what the first polls weigh in all, and later ones. Lists bring a surcharge by their rows, which is told only
    # afterwards: of a busy address the first may be twice as much.
    def job(kind: str, cadence_s: float, fetch: Callable[[], Fetched[Payload]], expected: tuple[int, ...]) -> PollJob:
        endpoint = ACCOUNT_INFO[kind].endpoint.name
        return PollJob(
            venue="hyperliquid",
            endpoint=endpoint,
            key=f"{endpoint}@{reads.account.name}",
            cadence_s=cadence_s * stretch,
            weight=ACCOUNT_INFO[kind].weight,
            fetch=fetch,
            account=reads.account,
            expected=expected,
        )

    return (
        job("clearinghouseState", STATE_EVERY_S, reads.poll_snapshot, (24, 24, 50, 6)),
        job("frontendOpenOrders", ORDERS_EVERY_S, reads.poll_open_orders, (40, 20)),
        job("userFills", FILLS_EVERY_S, reads.poll_fills, (60, 21)),
        job("userFunding", FUNDING_EVERY_S, reads.poll_funding, (30, 21)),
        job("historicalOrders", PAST_ORDERS_EVERY_S, reads.poll_past_orders, (60, 60)),
        job("userRateLimit", LIMITS_EVERY_S, reads.fetch_limits, (20, 20)),
        job("portfolio", PORTFOLIO_EVERY_S, reads.fetch_portfolio, (20, 20)),
    )
