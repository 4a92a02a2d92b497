"""What to poll of a Bitunix account and how often, by default."""

from collections.abc import Callable
from typing import Protocol

from monitor.domain.account import AccountSummary, FillList, OrderList, PositionList
from monitor.domain.account_history import LeverageList, PositionHistory
from monitor.domain.credentials import AccountRef
from monitor.exchanges.base import Fetched, Payload, PollJob

SUMMARY_EVERY_S = 5.0
POSITIONS_EVERY_S = 5.0
ORDERS_EVERY_S = 10.0
ATTACHED_EVERY_S = 20.0
FILLS_EVERY_S = 60.0
PAST_POSITIONS_EVERY_S = 300.0
PAST_ORDERS_EVERY_S = 300.0
LEVERAGE_EVERY_S = 60.0


class Reads(Protocol):
    """What is polled."""

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        ...

    def poll_summary(self) -> Fetched[AccountSummary]:
        """Equity and balances."""
        ...

    def fetch_positions(self) -> Fetched[PositionList]:
        """Open positions."""
        ...

    def fetch_open_orders(self) -> Fetched[OrderList]:
        """Open orders."""
        ...

    def fetch_attached_orders(self) -> Fetched[OrderList]:
        """What would close positions."""
        ...

    def poll_fills(self) -> Fetched[FillList]:
        """Executions."""
        ...

    def poll_past_positions(self) -> Fetched[PositionHistory]:
        """Closed positions and their funding."""
        ...

    def poll_past_orders(self) -> Fetched[OrderList]:
        """Orders that are no longer open."""
        ...

    def poll_leverage(self) -> Fetched[LeverageList]:
        """What new positions would be opened with."""
        ...


def plan_account_jobs(reads: Reads, sharers: int = 1) -> tuple[PollJob, ...]:
    """The default plan: 0.6 calls a second of the 10 that are allowed, however many accounts share it."""
    stretch = float(max(1, sharers))

    def job(endpoint: str, cadence_s: float, fetch: Callable[[], Fetched[Payload]], *, weight: int = 1) -> PollJob:
        return PollJob(
            venue="bitunix",
            endpoint=f"bitunix.{endpoint}",
            key=f"bitunix.{endpoint}@{reads.account.name}",
            cadence_s=cadence_s * stretch,
            weight=weight,
            fetch=fetch,
            account=reads.account,
        )

    return (
        job("account", SUMMARY_EVERY_S, reads.poll_summary),
        job("positions", POSITIONS_EVERY_S, reads.fetch_positions),
        job("orders", ORDERS_EVERY_S, reads.fetch_open_orders),
        job("tpsl", ATTACHED_EVERY_S, reads.fetch_attached_orders),
        job("trades", FILLS_EVERY_S, reads.poll_fills),
        job("past_positions", PAST_POSITIONS_EVERY_S, reads.poll_past_positions),
        # Done and cancelled ones are asked for apart.
        job("past_orders", PAST_ORDERS_EVERY_S, reads.poll_past_orders, weight=2),
        job("leverage", LEVERAGE_EVERY_S, reads.poll_leverage),
    )
