"""What the tests of all venues' credentials share: waiting for our budget, and what a failure means."""

from collections.abc import Callable
from typing import TypeVar

from monitor.domain.credentials import CheckOutcome
from monitor.domain.errors import (
    BudgetExhausted,
    CredentialsRefused,
    EdgeBlocked,
    MonitorError,
    RateLimited,
    TransportError,
    VenueError,
)

T = TypeVar("T")

PATIENCE_S = 30.0
"""A person who pressed a button waits this long for our own share of the venue's limit."""


def patiently(read: Callable[[], T], pause: Callable[[float], None], patience_s: float = PATIENCE_S) -> T:
    """The result of ``read``, tried again while only our own budget holds it back, for ``patience_s`` at most.

    Blocks; raises what it raises.
    """
    left_s = patience_s
    while True:
        try:
            return read()
        except BudgetExhausted as error:
            # A wait of nothing would spin; a little more than asked for absorbs rounding.
            wait_s = max(error.available_in_s, 0.005)
            if wait_s > left_s:
                raise
        left_s -= wait_s
        pause(wait_s)


def outcome_of(error: MonitorError) -> CheckOutcome:
    """The outcome that ``error`` stands for."""
    match error:
        case CredentialsRefused():
            return CheckOutcome(error.reason)
        case RateLimited() | BudgetExhausted():
            return CheckOutcome.RATE_LIMITED
        case EdgeBlocked():
            return CheckOutcome.BLOCKED
        case TransportError():
            return CheckOutcome.VENUE_DOWN
        case VenueError() if error.is_retryable or error.http_status >= 500:
            return CheckOutcome.VENUE_DOWN
        case _:
            return CheckOutcome.OTHER
