"""Rows of the account tables: positions, orders, balances, fills, and what must be said of each."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeAlias

import msgspec
from msgspec.structs import replace

from monitor.domain.account import AccountSummary, Balance, Fill, OpenOrder, Position, RowProblem
from monitor.domain.credentials import AccountRef
from monitor.state.account_asides import Aside, account_asides, position_asides
from monitor.state.account_figures import (
    PositionFigures,
    Sum,
    add_up,
    position_figures,
    since_open,
    totals,
    venue_gain,
)
from monitor.state.account_realized import fills_by_symbol, realized_today, realized_today_by_symbol
from monitor.state.accounts import AccountBlock, AccountState
from monitor.state.board import Board
from monitor.state.quotes import Stamp
from monitor.state.verdict import Verdict

NameOf: TypeAlias = Callable[[str, str], str]
"""Display name of an instrument by venue and venue symbol."""


OF_MARK: Final = frozenset({"mark_price", "liquidation_distance", "value"})
"""Columns of a position that are as old as its mark price."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows have. ``notes`` say what of this row could not be read; ``is_lost``: nothing else of it could.

    ``verdict`` and ``stamp`` are those of the block it came with; ``name`` is what it is about.
    """

    ref: AccountRef
    row_id: str
    name: str
    verdict: Verdict
    stamp: Stamp | None
    notes: tuple[str, ...] = ()
    asides: tuple[Aside, ...] = ()
    is_lost: bool = False

    @property
    def key(self) -> Hashable:
        """Unique within its table."""
        return (self.ref, self.row_id, self.is_lost)

    @property
    def is_believable(self) -> bool:
        """Whether it may be shown as current."""
        return self.verdict.is_trustworthy

    def is_current(self, column: str) -> bool:  # noqa: ARG002 - for rows that know more of a column
        """Whether its figure in ``column`` may be shown as current."""
        return self.is_believable


class PositionRow(Row, frozen=True, kw_only=True):
    """One position; ``position`` is ``None`` for a row that was lost."""

    position: Position | None = None
    figures: PositionFigures | None = None
    today: Decimal | None = None
    """Realised today in the instrument, by every position of the account in it."""

    def is_current(self, column: str) -> bool:
        """Believable, and what follows from the mark price only with a current one."""
        has_old_mark = self.figures is not None and not self.figures.is_mark_current
        return self.is_believable and not (has_old_mark and column in OF_MARK)


class OrderRow(Row, frozen=True, kw_only=True):
    """One open order. ``value``: what is left of it times its price (or trigger), ``None`` where there is none."""

    order: OpenOrder | None = None
    value: Decimal | None = None


class BalanceRow(Row, frozen=True, kw_only=True):
    """One asset of an account, or the account as a whole (``summary``)."""

    balance: Balance | None = None
    summary: AccountSummary | None = None
    today: Decimal | None = None
    since_open: Decimal | None = None
    venue_day: Decimal | None = None


class FillRow(Row, frozen=True, kw_only=True):
    """One execution; ``value`` is size times price."""

    fill: Fill | None = None
    value: Decimal | None = None


def position_rows(
    states: Iterable[AccountState], board: Board, name_of: NameOf, now_mono_s: float, now: datetime
) -> list[PositionRow]:
    """Every position of ``states``, in the venues' order."""
    rows: list[PositionRow] = []
    for state in states:
        block = state.positions
        common = common_of(state, block, now_mono_s)
        listed = state.fills.value
        fills = {} if listed is None else state.reckon("by symbol", (listed,), partial(fills_by_symbol, listed.fills))
        todays = realized_today_by_symbol(state, now)
        for position in () if block.value is None else block.value.positions:
            quote = board.quote((state.ref.venue, position.venue_symbol))
            own = fills.get(position.venue_symbol, ())
            figures = position_figures(position, quote, now_mono_s, own)
            rows.append(
                PositionRow(
                    row_id=f"{position.dex}/{position.position_id}",
                    name=name_of(state.ref.venue, position.venue_symbol),
                    notes=notes_of(block.problems, position.position_id),
                    position=position,
                    figures=figures,
                    asides=position_asides(state, position, figures),
                    today=None if todays is None else todays.get(position.venue_symbol, Decimal(0)),
                    **common,
                )
            )
        rows.extend(PositionRow(**lost, **common) for lost in lost_rows(block.problems))
    return rows


def order_rows(states: Iterable[AccountState], name_of: NameOf, now_mono_s: float) -> list[OrderRow]:
    """Every open order of ``states``, newest first within an account, then what would close its positions."""
    rows: list[OrderRow] = []
    for state, block in ((one, block) for one in states for block in (one.orders, one.attached)):
        common = common_of(state, block, now_mono_s)
        for order in () if block.value is None else block.value.orders:
            price = order.price if order.price is not None else order.trigger_price
            left = order.size - (order.filled or Decimal(0))
            rows.append(
                OrderRow(
                    row_id=order.order_id,
                    name=name_of(state.ref.venue, order.venue_symbol),
                    notes=notes_of(block.problems, order.order_id),
                    order=order,
                    value=None if price is None else left * price,
                    **common,
                )
            )
        rows.extend(OrderRow(**lost, **common) for lost in lost_rows(block.problems))
    return rows


def balance_rows(states: Iterable[AccountState], now_mono_s: float, now: datetime) -> list[BalanceRow]:
    """Each account as a whole, then its assets."""
    rows: list[BalanceRow] = []
    for state in states:
        block = state.summary
        summary = block.value
        common = common_of(state, block, now_mono_s)
        if summary is None:
            continue
        notes = tuple(f"{problem} (field of the reply)" for problem in block.problems if not problem.is_row_lost)
        if summary.unvalued_assets:
            notes += (f"not in the equity, no price is known: {', '.join(summary.unvalued_assets)}",)
        rows.append(
            BalanceRow(
                row_id="",
                name="Account",
                notes=notes,
                asides=account_asides(state),
                summary=summary,
                today=realized_today(state, now),
                since_open=since_open(state),
                venue_day=venue_gain(state),
                **common,
            )
        )
        rows.extend(
            BalanceRow(row_id=f"{balance.location}/{balance.asset}", name=balance.asset, balance=balance, **common)
            for balance in summary.balances
        )
        rows.extend(BalanceRow(**lost, **common) for lost in lost_rows(block.problems))
    return rows


def fill_rows(states: Iterable[AccountState], name_of: NameOf, now_mono_s: float) -> list[FillRow]:
    """The executions of all ``states`` together, newest first."""
    rows: list[FillRow] = []
    lost: list[FillRow] = []
    for state in states:
        block = state.fills
        common = common_of(state, block, now_mono_s)
        rows.extend(
            FillRow(
                row_id=fill.key,
                name=name_of(state.ref.venue, fill.venue_symbol),
                notes=notes_of(block.problems, fill.key),
                fill=fill,
                value=fill.size * fill.price,
                **common,
            )
            for fill in (() if block.value is None else block.value.fills)
        )
        lost += [FillRow(**one, **common) for one in lost_rows(block.problems)]
    rows.sort(key=lambda row: row.fill.time.timestamp() if row.fill is not None else 0.0, reverse=True)
    return lost + rows


class RowTotals(msgspec.Struct, frozen=True, kw_only=True):
    """A line of sums below a table. ``venue`` ``None``: of all. Which sums a table has is its own business.

    ``unread``: accounts whose rows are not all known, so that every sum may lack some.
    """

    venue: str | None
    count: int
    currency: str | None
    sums: dict[str, Sum]
    unread: int = 0

    def sum_of(self, name: str) -> Sum | None:
        """The sum ``name``, ``None`` where the table has none such: 0 where nothing is held, unknown while that is not
        known of every account.
        """
        found = self.sums.get(name)
        if found is not None and found.count == 0 and self.unread:
            return replace(found, value=None)
        return found


def position_totals(rows: Sequence[PositionRow], venue: str | None) -> RowTotals:
    """``value``, ``unrealized``, ``since_open`` and ``margin`` of the positions of ``venue``, or of all."""
    chosen = [row for row in rows if venue in {None, row.ref.venue}]
    figures = [row.figures for row in chosen]
    return RowTotals(
        venue=venue,
        count=len(chosen),
        currency=None,
        sums={
            "value": add_up(None if one is None else one.value for one in figures),
            "unrealized": add_up(None if one is None else one.unrealized for one in figures),
            "since_open": add_up(None if one is None else one.since_open for one in figures),
            "margin": add_up(None if row.position is None else row.position.margin for row in chosen),
        },
    )


def order_totals(rows: Sequence[OrderRow], venue: str | None) -> RowTotals:
    """``value`` of what the open orders would still trade."""
    chosen = [row for row in rows if venue in {None, row.ref.venue}]
    return RowTotals(venue=venue, count=len(chosen), currency=None, sums={"value": add_up(row.value for row in chosen)})


def balance_totals(states: Sequence[AccountState], now: datetime, venue: str | None) -> RowTotals:
    """Sums of the accounts of ``venue``, or of all.

    ``equity``, ``available``, ``unrealized``, ``since_open``, ``today``, ``venue_day`` and ``margin``.
    """
    found = totals([state for state in states if venue in {None, state.ref.venue}], now, venue=venue)
    return RowTotals(
        venue=venue,
        count=found.accounts,
        currency=found.currency,
        sums={
            "equity": found.equity,
            "available": found.available,
            "unrealized": found.unrealized,
            "since_open": found.since_open,
            "today": found.today,
            "venue_day": found.venue_day,
            "margin": found.margin,
        },
    )


def fill_totals(rows: Sequence[FillRow], venue: str | None) -> RowTotals:
    """``value`` and ``realized`` of the executions listed; fees are paid in different coins."""
    chosen = [row for row in rows if venue in {None, row.ref.venue}]
    fills = [row.fill for row in chosen]
    return RowTotals(
        venue=venue,
        count=len(chosen),
        currency=None,
        sums={
            "value": add_up(row.value for row in chosen),
            "realized": add_up(None if one is None else one.realized_pnl for one in fills),
        },
    )


def common_of(state: AccountState, block: AccountBlock[Any], now_mono_s: float) -> dict[str, Any]:
    """What every row of a block has in common, by field."""
    return {"ref": state.ref, "verdict": block.verdict(now_mono_s), "stamp": block.stamp}


def notes_of(problems: Sequence[RowProblem], row_id: str) -> tuple[str, ...]:
    """What could not be read of one row."""
    return tuple(str(problem) for problem in problems if problem.row_id == row_id and not problem.is_row_lost)


def lost_rows(problems: Sequence[RowProblem]) -> list[dict[str, Any]]:
    """The fields of the rows that could not be read at all."""
    return [
        {"row_id": problem.path, "name": "unreadable", "notes": (str(problem),), "is_lost": True}
        for problem in {problem.path: problem for problem in problems if problem.is_row_lost}.values()
    ]
