"""The "Test" of Bitunix credentials."""

from collections.abc import Callable
from typing import Protocol

from monitor.domain.account import AccountSummary, OrderList, PositionList
from monitor.domain.credentials import AccountCheck, AccountRef, CheckOutcome
from monitor.domain.errors import MonitorError
from monitor.exchanges.account_check import outcome_of, patiently
from monitor.exchanges.base import Fetched
from monitor.exchanges.bitunix.account_errors import clock_sentence
from monitor.exchanges.bitunix.private import PrivateSession


class Reads(Protocol):
    """What is tried."""

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


def run_check(reads: Reads, session: PrivateSession, pause: Callable[[float], None]) -> AccountCheck:
    """Read account, positions and orders once. Blocks; never raises ``MonitorError``.

    A refused signature is tried again on the venue's clock (see :meth:`PrivateSession.ask`), so a wrong local clock is
    told apart from a wrong secret: with the right secret the second try succeeds.
    """
    what = "the account"
    try:
        summary = patiently(reads.fetch_summary, pause).value
        what = "positions"
        patiently(reads.fetch_positions, pause)
        what = "orders"
        patiently(reads.fetch_open_orders, pause)
    except MonitorError as error:
        outcome = outcome_of(error)
        text = error.user_text
        if outcome is CheckOutcome.NO_PERMISSION:
            text = f"{text} It was refused when reading {what}."
        return _check(reads, session, outcome, text, is_ok=False)
    hint = clock_sentence(session.offset)
    if session.was_clock_corrected:
        wrong = hint or "This computer's clock is wrong."
        text = f"The key and its secret are right. {wrong} The monitor corrects for it."
        return _check(reads, session, CheckOutcome.CLOCK_SKEW, text, is_ok=True, summary=summary)
    if hint is not None:
        text = f"The account can be read. {hint}"
        return _check(reads, session, CheckOutcome.CLOCK_SKEW, text, is_ok=True, summary=summary)
    return _check(reads, session, CheckOutcome.OK, "The account can be read.", is_ok=True, summary=summary)


def _check(
    reads: Reads,
    session: PrivateSession,
    outcome: CheckOutcome,
    text: str,
    *,
    is_ok: bool,
    summary: AccountSummary | None = None,
) -> AccountCheck:
    offset = session.offset
    return AccountCheck(
        account=reads.account,
        outcome=outcome,
        is_ok=is_ok,
        text=text,
        clock_offset_s=None if offset is None else offset[0],
        clock_offset_error_s=None if offset is None else offset[1],
        equity=None if summary is None else summary.equity,
        currency=None if summary is None else summary.currency,
    )
