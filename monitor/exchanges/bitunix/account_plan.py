"""What to poll of a Bitunix account and how often, by default."""

from collections.abc import Callable
from typing import Protocol

from monitor.domain.account import AccountSummary, FillList, FundingPaidList, OrderList, PositionList
from monitor.domain.credentials import AccountRef
from monitor.exchanges.base import Fetched, Payload, PollJob

SUMMARY_EVERY_S = 5.0
POSITIONS_EVERY_S = 5.0
ORDERS_EVERY_S = 10.0
FILLS_EVERY_S = 60.0
FUNDING_EVERY_S = 600.0


class Reads(Protocol):
    """What is polled."""

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        ...

    def fetch_summary(self) -> Fetched[AccountSummary]:
        """Equity and balances."""
        ...

    def fetch_positions(self) -> Fetched[PositionList]:
        """Open positions."""
        ...

    def fetch_open_orders(self) -> Fetched[OrderList]:
        """Open orders."""
        ...

    def poll_fills(self) -> Fetched[FillList]:
        """Executions."""
        ...

    def fetch_funding(self) -> Fetched[FundingPaidList]:
        """Funding."""
        ...


def plan_account_jobs(reads: Reads, sharers: int = 1) -> tuple[PollJob, ...]:
    """The default plan: 0.52 calls a second of the 10 that are allowed, however many accounts share it."""
    stretch = float(max(1, sharers))

    def job(endpoint: str, cadence_s: float, fetch: Callable[[], Fetched[Payload]]) -> PollJob:
        return PollJob(
            venue="bitunix",
            endpoint=f"bitunix.{endpoint}",
            key=f"bitunix.{endpoint}@{reads.account.name}",
            cadence_s=cadence_s * stretch,
            weight=1,
            fetch=fetch,
            account=reads.account,
        )

    return (
        job("account", SUMMARY_EVERY_S, reads.fetch_summary),
        job("positions", POSITIONS_EVERY_S, reads.fetch_positions),
        job("orders", ORDERS_EVERY_S, reads.fetch_open_orders),
        job("trades", FILLS_EVERY_S, reads.poll_fills),
        job("past_positions", FUNDING_EVERY_S, reads.fetch_funding),
    )
