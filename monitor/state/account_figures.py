"""What follows from an account's numbers: distance to liquidation, PnL since open and today, totals. Pure, Decimal.

Unknown is ``None``; a sum that misses a part says of how many it was made.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from monitor.domain.account import AccountSummary, Fill, FillList, Position, PositionList, liquidation_distance
from monitor.state.account_realized import DOLLARS, fills_by_symbol, realized_since_open, realized_today
from monitor.state.accounts import AccountState
from monitor.state.quotes import QuoteState


class PositionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One position with what the quotes add.

    ``mark`` is the account reply's own, else the quotes'; ``is_mark_current`` False: that quote is old. ``distance`` is
    a fraction of the mark, see :func:`liquidation_distance`. ``value`` is size times mark. ``realized``: profit of
    closed parts, fees and funding since the position was opened; ``since_open``: the same and the unrealised PnL.
    """

    mark: Decimal | None
    is_mark_current: bool
    distance: Decimal | None
    value: Decimal | None
    unrealized: Decimal | None
    realized: Decimal | None
    since_open: Decimal | None


def position_figures(
    position: Position, quote: QuoteState | None, now_mono_s: float, fills: Sequence[Fill] = ()
) -> PositionFigures:
    """The figures of ``position`` with the mark price of ``quote`` where its own reply has none.

    ``fills``: those of its instrument, newest first; needed where the venue does not reckon ``realized`` itself.
    """
    mark, is_current = position.mark_price, True
    if mark is None and quote is not None:
        mark, is_current = quote.mark, quote.is_current("mark", now_mono_s)
    unrealized, realized = position.unrealized_pnl, realized_since_open(position, fills)
    return PositionFigures(
        mark=mark,
        is_mark_current=is_current,
        distance=liquidation_distance(position, mark),
        value=None if mark is None else mark * position.size,
        unrealized=unrealized,
        realized=realized,
        since_open=None if unrealized is None or realized is None else unrealized + realized,
    )


def since_open(state: AccountState) -> Decimal | None:
    """Unrealised and realised PnL of every open position of an account since each was opened.

    ``None`` unless every position is known, and this figure of each.
    """
    held, listed = state.positions.value, state.fills.value
    if held is None or not held.is_complete:
        return None
    return state.reckon("since open", (held, listed), lambda: _since_open(held, listed))


def _since_open(held: PositionList, listed: FillList | None) -> Decimal | None:
    fills = fills_by_symbol(() if listed is None else listed.fills)
    total = Decimal(0)
    for position in held.positions:
        realized = realized_since_open(position, fills.get(position.venue_symbol, ()))
        if realized is None or position.unrealized_pnl is None:
            return None
        total += position.unrealized_pnl + realized
    return total


def venue_gain(state: AccountState, period: str = "day") -> Decimal | None:
    """PnL of ``period`` as the venue reckons it (realised and unrealised); ``None`` where it tells none."""
    history = state.history.value
    found = next((one for one in history.periods if one.period == period), None) if history is not None else None
    if found is None or not found.pnl:
        return None
    return found.pnl[-1][1] - found.pnl[0][1]


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """A sum of what is known: ``value`` is ``None`` when no part is, and 0 where there are no parts at all.

    ``known`` of ``count`` parts are in it in full; ``without`` names what some of them leave out.
    """

    value: Decimal | None
    known: int
    count: int
    without: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every part is known."""
        return self.known == self.count


def add_up(parts: Iterable[Decimal | None]) -> Sum:
    """The sum of the known parts."""
    values = list(parts)
    known = [value for value in values if value is not None]
    return Sum(value=sum(known, Decimal(0)) if known or not values else None, known=len(known), count=len(values))


class AccountTotals(msgspec.Struct, frozen=True, kw_only=True):
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
    since_open: Sum
    venue_day: Sum


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

    def part(figure: str) -> Sum:
        return _lacking(total(None if one is None else getattr(one, figure) for one in summaries), summaries, figure)

    return AccountTotals(
        venue=venue,
        accounts=len(states),
        currency=currency,
        equity=part("equity"),
        available=part("available"),
        unrealized=part("unrealized_pnl"),
        margin=part("margin_used"),
        today=total(realized_today(state, now) for state in states),
        since_open=total(since_open(state) for state in states),
        venue_day=total(venue_gain(state) for state in states),
    )


def left_out(summary: AccountSummary, figure: str) -> tuple[str, ...]:
    """What ``figure`` of an account is without, by name: assets without a price, or wallets that are not empty.

    ``figure``: ``equity``, or one that :class:`WalletApart` has.
    """
    if figure == "equity":
        return summary.unvalued_assets
    return tuple(wallet.name for wallet in summary.wallets_apart if getattr(wallet, figure) != 0)


def _lacking(total: Sum, summaries: Iterable[AccountSummary | None], figure: str) -> Sum:
    """``total`` with those accounts not counted as known of which not everything is in it."""
    short = [
        (one.account.name, missing)
        for one in summaries
        if one is not None and getattr(one, figure) is not None and (missing := left_out(one, figure))
    ]
    without = tuple(f"{', '.join(missing)} of {name}" for name, missing in short)
    return replace(total, known=max(0, total.known - len(short)), without=without)
