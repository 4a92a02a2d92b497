"""The "Test" of a Hyperliquid address."""

from collections.abc import Callable
from typing import Protocol

from monitor.domain.account import AccountSnapshot, AccountSummary
from monitor.domain.credentials import AccountCheck, AccountRef, CheckOutcome
from monitor.domain.errors import MonitorError
from monitor.exchanges.account_check import outcome_of, patiently
from monitor.exchanges.base import Fetched
from monitor.exchanges.hyperliquid.account_history import AddressRole


class Reads(Protocol):
    """What is tried."""

    @property
    def account(self) -> AccountRef:
        """Whose it is."""
        ...

    def fetch_role(self) -> Fetched[AddressRole]:
        """What kind of address it is."""
        ...

    def fetch_snapshot(self) -> Fetched[AccountSnapshot]:
        """Summary and positions."""
        ...


def run_check(reads: Reads, pause: Callable[[float], None]) -> AccountCheck:
    """Ask what the address is, then read its account. Blocks; never raises ``MonitorError``.

    An agent's ("API wallet") address has no account of its own: the venue answers with an empty one, not an error.
    """
    offset_s: float | None = None
    try:
        fetched = patiently(reads.fetch_role, pause)
        role, offset_s = fetched.value, fetched.clock_offset_s
        if role.role == "agent":
            whose = "" if role.owner is None else f" It belongs to {role.owner.shown}: add that one."
            text = f"This is the address of an API (agent) wallet, which holds nothing itself.{whose}"
            return _check(reads, CheckOutcome.WRONG_ADDRESS, text, offset_s, is_ok=False)
        summary = patiently(reads.fetch_snapshot, pause).value.summary
    except MonitorError as error:
        return _check(reads, outcome_of(error), error.user_text, offset_s, is_ok=False)
    if role.role == "missing":
        text = "The address has never been used here. Check it for a typing mistake, unless it is new."
        return _check(reads, CheckOutcome.UNUSED_ADDRESS, text, offset_s, is_ok=True, summary=summary)
    what = {"vault": "a vault", "subAccount": "a sub-account"}.get(role.role)
    text = "The account can be read." if what is None else f"The account can be read; it is {what}."
    return _check(reads, CheckOutcome.OK, text, offset_s, is_ok=True, summary=summary)


def _check(
    reads: Reads,
    outcome: CheckOutcome,
    text: str,
    offset_s: float | None,
    *,
    is_ok: bool,
    summary: AccountSummary | None = None,
) -> AccountCheck:
    return AccountCheck(
        account=reads.account,
        outcome=outcome,
        is_ok=is_ok,
        text=text,
        clock_offset_s=offset_s,
        # An address signs nothing.
        can_trade=False,
        # Tokens may have no price yet, or our budget none for asking: then it would be too little.
        equity=None if summary is None or summary.unvalued_assets else summary.equity,
        currency=None if summary is None else summary.currency,
    )
