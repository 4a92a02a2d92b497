"""What an account has realised, from its executions and funding payments: since midnight and since a position opened.

Pure, Decimal. Unknown is ``None``: a list that does not reach back far enough says nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby, takewhile
from typing import Final

from monitor.domain.account import Fill, FillList, FundingPaidList, Position, PositionSide
from monitor.state.accounts import AccountState

DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "USDT0", "USDH", "USDE"})
"""Counted as one dollar each where accounts of several venues are added up."""


def realized_today(state: AccountState, now: datetime) -> Decimal | None:
    """Realised since 00:00 UTC: profit of closed size less fees, plus funding payments received.

    ``None`` while the fills are not known, do not reach back to midnight, or one of today's lacks its profit or fee.
    Funding that a venue tells only as the sum over a position's life is not in it.
    """
    parts = realized_today_by_symbol(state, now)
    if parts is None:
        return None
    total = Decimal(0)
    for part in parts.values():
        if part is None:
            return None
        total += part
    return total


def realized_today_by_symbol(state: AccountState, now: datetime) -> Mapping[str, Decimal | None] | None:
    """The same by venue symbol; a symbol that is not in it realised nothing."""
    listed, funding = state.fills.value, state.funding.value
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if listed is None or not _reaches(listed, midnight):
        return None
    return state.reckon("today", (listed, funding, midnight), lambda: _by_symbol(listed, funding, midnight))


def fills_by_symbol(fills: Iterable[Fill]) -> dict[str, list[Fill]]:
    """``fills`` in their order, by venue symbol."""
    found: dict[str, list[Fill]] = {}
    for fill in fills:
        found.setdefault(fill.venue_symbol, []).append(fill)
    return found


def realized_since_open(position: Position, fills: Sequence[Fill]) -> Decimal | None:
    """Profit of what was closed of ``position``, less all fees, plus funding, since it was opened.

    The venue's own figure where it has one (fees and funding are in it); else from ``fills``, those of its instrument,
    newest first. They are followed back from the size held now to the execution that opened the position: ``None``
    when one is missing on the way, or they are of another moment than the position.
    """
    if position.realized_pnl is not None:
        return position.realized_pnl
    if position.funding is None:
        return None
    total = position.funding
    held = position.size if position.side is PositionSide.LONG else -position.size
    for _, group in groupby(fills, key=lambda fill: fill.time):
        # Of one instant the order is not told: the sizes tell it.
        left = list(group)
        while left:
            fill = next((one for one in left if _after(one) == held), None)
            if fill is None or fill.fee_paid is None or fill.position_before is None:
                return None
            left.remove(fill)
            if fill.position_before * held <= 0:
                # It opened the position; a fill that turned one round closed the other with its profit and fee.
                return total - fee_money(fill, fill.fee_paid) * abs(held) / fill.size
            net = _net(fill)
            if net is None:
                return None
            total += net
            held = fill.position_before
    return None


def fee_money(fill: Fill, fee: Decimal) -> Decimal:
    """``fee`` in money: one in the coin that was traded is worth what that coin cost."""
    return fee if fill.fee_asset is None or fill.fee_asset in DOLLARS else fee * fill.price


def _by_symbol(listed: FillList, funding: FundingPaidList | None, midnight: datetime) -> Mapping[str, Decimal | None]:
    parts: dict[str, Decimal | None] = {}
    for fill in takewhile(lambda one: one.time >= midnight, listed.fills):
        parts[fill.venue_symbol] = _add(parts.get(fill.venue_symbol, Decimal(0)), _net(fill))
    for payment in () if funding is None else funding.payments:
        if payment.time >= midnight and not payment.is_position_total:
            parts[payment.venue_symbol] = _add(parts.get(payment.venue_symbol, Decimal(0)), payment.amount)
    return parts


def _reaches(listed: FillList, midnight: datetime) -> bool:
    if any(problem.is_row_lost for problem in listed.problems):
        return False
    if listed.complete_since is not None:
        return listed.complete_since <= midnight
    return not listed.fills or listed.fills[-1].time < midnight


def _after(fill: Fill) -> Decimal | None:
    change = fill.change
    return None if change is None or fill.position_before is None else fill.position_before + change


def _net(fill: Fill) -> Decimal | None:
    if fill.realized_pnl is None or fill.fee_paid is None:
        return None
    return fill.realized_pnl - fee_money(fill, fill.fee_paid)


def _add(total: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if total is None or part is None else total + part
