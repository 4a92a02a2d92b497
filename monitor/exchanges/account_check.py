"""What the failure of an account read means for the test of its credentials. Pure."""

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
