"""What follows from an account's numbers: distance to liquidation, PnL since open and today, totals. Pure, Decimal.

Unknown is ``None``; a sum that misses a part says of how many it was made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from monitor.domain.account import Position, liquidation_distance
from monitor.state.accounts import AccountState
from monitor.state.quotes import QuoteState

DOLLARS: Final = frozenset({"USD", "USDT", "USDC", "USDT0", "USDH", "USDE"})
"""Counted as one dollar each where accounts of several venues are added up."""
FILLS_PAGE: Final = 100
"""A list of at least this many fills, all of today, may have begun earlier today than it reaches back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFigures:
    """One position with what the quotes add.

    ``mark`` is the account reply's own, else the quotes'; ``is_mark_current`` False: that quote is old. ``distance`` is
    a fraction of the mark, see :func:`liquidation_distance`. ``value`` is size times mark. ``since_open``: unrealised
    PnL, and what was realised, paid and received since the position was opened as far as the venue tells.
    """

    mark: Decimal | None
    is_mark_current: bool
    distance: Decimal | None
    value: Decimal | None
    unrealized: Decimal | None
    since_open: Decimal | None


def position_figures(position: Position, quote: QuoteState | None, now_mono_s: float) -> PositionFigures:
    """The figures of ``position`` with the mark price of ``quote`` where its own reply has none."""
    mark, is_current = position.mark_price, True
    if mark is None and quote is not None:
        mark, is_current = quote.mark, quote.is_current("mark", now_mono_s)
    unrealized = position.unrealized_pnl
    since_open = unrealized
    if unrealized is not None:
        # Where a venue counts the realised part it counts fees and funding in it.
        since_open = unrealized + (
            position.realized_pnl if position.realized_pnl is not None else (position.funding or Decimal(0))
        )
    return PositionFigures(
        mark=mark,
        is_mark_current=is_current,
        distance=liquidation_distance(position, mark),
        value=None if mark is None else mark * position.size,
        unrealized=unrealized,
        since_open=since_open,
    )


def realized_today(state: AccountState, now: datetime) -> Decimal | None:
    """Realised since 00:00 UTC: profit of closed size less fees, plus funding payments received.

    ``None`` while the fills are not known, do not reach back to midnight, or one of today's lacks its profit or fee.
    Funding that a venue tells only as the sum over a position's life is not in it.
    """
    if state.fills.value is None:
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    fills = state.fills.value.fills
    todays = [fill for fill in fills if fill.time >= midnight]
    if len(todays) == len(fills) >= FILLS_PAGE:
        return None
    if any(problem.is_row_lost for problem in state.fills.problems):
        return None
    total = Decimal(0)
    for fill in todays:
        if fill.realized_pnl is None or fill.fee_paid is None:
            return None
        # A fee in the coin that was traded is worth what that coin cost.
        is_money = fill.fee_asset is None or fill.fee_asset in DOLLARS
        total += fill.realized_pnl - (fill.fee_paid if is_money else fill.fee_paid * fill.price)
    if state.funding.value is not None:
        total += sum(
            (
                payment.amount
                for payment in state.funding.value.payments
                if payment.time >= midnight and not payment.is_position_total
            ),
            Decimal(0),
        )
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A sum of what is known: ``value`` is ``None`` when nothing is; ``known`` of ``count`` parts are in it."""

    value: Decimal | None
    known: int
    count: int

    @property
    def is_whole(self) -> bool:
        """Whether every part is known."""
        return self.known == self.count


def add_up(parts: Iterable[Decimal | None]) -> Sum:
    """The sum of the known parts."""
    values = list(parts)
    known = [value for value in values if value is not None]
    return Sum(value=sum(known, Decimal(0)) if known else None, known=len(known), count=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTotals:
    """Accounts of one venue, or of all (``venue`` None), added up in ``currency``.

    ``currency`` is ``USD`` where several dollar coins were added as one dollar each, and ``None`` where the accounts
    count in things that cannot be added: then every sum is unknown.
    """

    venue: str | None
    accounts: int
    currency: str | None
    equity: Sum
    available: Sum
    unrealized: Sum
    margin: Sum
    today: Sum


def totals(states: Sequence[AccountState], now: datetime, *, venue: str | None = None) -> AccountTotals:
    """Add up ``states``; each account counts once, however it is made up (see ``AccountSummary.equity``)."""
    summaries = [state.summary.value for state in states]
    currencies = {one.currency for one in summaries if one is not None}
    mixed = "USD" if currencies <= DOLLARS else None
    currency = next(iter(currencies), None) if len(currencies) <= 1 else mixed
    is_addable = currency is not None or not currencies

    def total(parts: Iterable[Decimal | None]) -> Sum:
        summed = add_up(parts)
        return summed if is_addable else Sum(value=None, known=0, count=summed.count)

    return AccountTotals(
        venue=venue,
        accounts=len(states),
        currency=currency,
        equity=total(None if one is None else one.equity for one in summaries),
        available=total(None if one is None else one.available for one in summaries),
        unrealized=total(None if one is None else one.unrealized_pnl for one in summaries),
        margin=total(None if one is None else one.margin_used for one in summaries),
        today=total(realized_today(state, now) for state in states),
    )
