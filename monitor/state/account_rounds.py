"""Closed positions of an account: the venue's list of them, or what its executions tell. Pure, Decimal."""

from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any

import msgspec

from monitor.domain.account import Fill, FillList, FundingPaid, FundingPaidList, PositionSide
from monitor.domain.account_history import PastPosition
from monitor.state.account_realized import fee_money, fills_by_symbol
from monitor.state.accounts import AccountBlock, AccountState

_SPOT_SIGNS = ("@", "/", "#", "+")
"""In the symbols of what is owned rather than held as a position."""


def past_block(state: AccountState) -> AccountBlock[Any]:
    """The block that closed positions come from."""
    listed = state.fills.value
    return state.fills if listed is not None and listed.tells_sizes else state.past_positions


def closed_positions(state: AccountState) -> tuple[PastPosition, ...]:
    """Closed positions, the last closed first."""
    listed, funding = state.fills.value, state.funding.value
    if listed is not None and past_block(state) is state.fills:
        return state.reckon("rounds", (listed, funding), lambda: rounds_of(listed, funding))
    return () if state.past_positions.value is None else state.past_positions.value.positions


def rounds_of(listed: FillList, funding: FundingPaidList | None) -> tuple[PastPosition, ...]:
    """Positions that were opened and closed within ``listed``, the last closed first.

    ``realized_pnl`` is net: profit less fees, plus funding; ``None`` while the payments known do not reach back to the
    opening. One whose executions are not all there is left out rather than told wrong.
    """
    payments: dict[str, list[FundingPaid]] = {}
    for payment in () if funding is None else funding.payments:
        payments.setdefault(payment.venue_symbol, []).append(payment)
    since = None if funding is None else funding.complete_since
    found: list[PastPosition] = []
    for symbol, fills in fills_by_symbol(listed.fills).items():
        if not any(sign in symbol for sign in _SPOT_SIGNS):
            found += _rounds(symbol, fills, payments.get(symbol, []), since)
    return tuple(sorted(found, key=lambda one: (one.closed_at, one.position_id), reverse=True))


class _Round(msgspec.Struct):
    """A position on its way through its executions. Sums are ``None`` once a part was not told."""

    opened_at: datetime
    held: Decimal
    fees: Decimal | None = Decimal(0)
    gained: Decimal | None = Decimal(0)
    most: Decimal = Decimal(0)
    bought: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    sold: Decimal = Decimal(0)
    got: Decimal = Decimal(0)
    forced: Decimal = Decimal(0)

    def add(self, fill: Fill, size: Decimal, *, is_opening: bool) -> None:
        """Take in ``size`` of an execution."""
        share = size / fill.size if fill.size else Decimal(0)
        if self.fees is not None:
            self.fees = None if fill.fee_paid is None else self.fees + fee_money(fill, fill.fee_paid) * share
        if is_opening:
            self.bought += size
            self.paid += size * fill.price
            return
        self.sold += size
        self.got += size * fill.price
        self.forced += size if fill.is_liquidation else Decimal(0)
        if self.gained is not None:
            self.gained = None if fill.realized_pnl is None else self.gained + fill.realized_pnl


def _rounds(
    symbol: str, newest_first: list[Fill], payments: list[FundingPaid], payments_since: datetime | None
) -> list[PastPosition]:
    done: list[PastPosition] = []
    now: _Round | None = None
    held: Decimal | None = None
    for _, group in groupby(reversed(newest_first), key=attrgetter("time")):
        left = list(group)
        while left:
            # Of one instant the order is not told: the sizes tell it.
            fill = next((one for one in left if one.position_before == (held or 0)), left[0])
            left.remove(fill)
            before, change = fill.position_before, fill.change
            if before is None or change is None or (held is not None and before != held):
                # One is missing: what was going on cannot be told whole.
                now = None
            if before is None or change is None:
                held = None
                continue
            held = before + change
            closes = min(abs(change), abs(before)) if before * change < 0 else Decimal(0)
            if now is not None and closes:
                now.add(fill, closes, is_opening=False)
            if now is not None and before * held <= 0 and before:
                done.append(_closed(symbol, now, fill.time, payments, payments_since))
                now = None
            if before * held <= 0 and held:
                now = _Round(opened_at=fill.time, held=held)
            if now is not None and abs(change) > closes:
                now.add(fill, abs(change) - closes, is_opening=True)
            if now is not None:
                now.most = max(now.most, abs(held))
    return done


def _closed(
    symbol: str, one: _Round, closed_at: datetime, payments: list[FundingPaid], payments_since: datetime | None
) -> PastPosition:
    funding = None
    if payments_since is not None and payments_since <= one.opened_at:
        inside = (payment.amount for payment in payments if one.opened_at <= payment.time <= closed_at)
        funding = sum(inside, Decimal(0))
    net = None
    if one.gained is not None and one.fees is not None and funding is not None:
        net = one.gained - one.fees + funding
    return PastPosition(
        venue_symbol=symbol,
        side=PositionSide.LONG if one.held > 0 else PositionSide.SHORT,
        position_id=f"{symbol} {one.opened_at.timestamp():.3f}",
        max_size=one.most,
        entry_price=one.paid / one.bought if one.bought else None,
        close_price=one.got / one.sold if one.sold else None,
        realized_pnl=net,
        fee_paid=one.fees,
        funding=funding,
        liquidated_size=one.forced or None,
        leverage=None,
        margin_mode=None,
        opened_at=one.opened_at,
        closed_at=closed_at,
    )
