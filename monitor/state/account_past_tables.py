"""Rows of the past: orders that are no longer open, closed positions, funding payments."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from monitor.domain.account import FundingPaid, OpenOrder
from monitor.domain.account_history import PastPosition
from monitor.state.account_figures import add_up
from monitor.state.account_rounds import closed_positions, past_block
from monitor.state.account_tables import NameOf, OrderRow, Row, RowTotals, common_of, lost_rows, notes_of
from monitor.state.accounts import AccountState

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class PastPositionRow(Row, frozen=True, kw_only=True):
    """One closed position; ``past`` is ``None`` for a row that was lost."""

    past: PastPosition | None = None


class FundingRow(Row, frozen=True, kw_only=True):
    """One payment, or the sum over a position's life."""

    payment: FundingPaid | None = None


def past_order_rows(states: Iterable[AccountState], name_of: NameOf, now_mono_s: float) -> list[OrderRow]:
    """Orders of all ``states`` that are no longer open, the last to end first."""
    rows: list[OrderRow] = []
    lost: list[OrderRow] = []
    for state in states:
        block = state.past_orders
        common = common_of(state, block, now_mono_s)
        for order in () if block.value is None else block.value.orders:
            name = name_of(state.ref.venue, order.venue_symbol)
            # One order has been listed under several states.
            row_id = f"{order.order_id} {order.status}"
            notes = notes_of(block.problems, order.order_id)
            rows.append(OrderRow(row_id=row_id, name=name, notes=notes, order=order, **common))
        lost += [OrderRow(**one, **common) for one in lost_rows(block.problems)]
    rows.sort(key=lambda row: _ended(row.order), reverse=True)
    return lost + list({row.key: row for row in rows}.values())


def past_position_rows(states: Iterable[AccountState], name_of: NameOf, now_mono_s: float) -> list[PastPositionRow]:
    """Closed positions of all ``states``, the last closed first."""
    rows: list[PastPositionRow] = []
    lost: list[PastPositionRow] = []
    for state in states:
        block = past_block(state)
        common = common_of(state, block, now_mono_s)
        rows += [
            PastPositionRow(
                row_id=past.position_id, name=name_of(state.ref.venue, past.venue_symbol), past=past, **common
            )
            for past in closed_positions(state)
        ]
        lost += [PastPositionRow(**one, **common) for one in lost_rows(block.problems)]
    rows.sort(key=lambda row: (row.past and row.past.closed_at) or _LONG_AGO, reverse=True)
    return lost + rows


def funding_rows(states: Iterable[AccountState], name_of: NameOf, now_mono_s: float) -> list[FundingRow]:
    """Funding of all ``states``, newest first."""
    rows: list[FundingRow] = []
    lost: list[FundingRow] = []
    for state in states:
        block = state.funding
        common = common_of(state, block, now_mono_s)
        for payment in () if block.value is None else block.value.payments:
            name = name_of(state.ref.venue, payment.venue_symbol)
            row_id = f"{payment.venue_symbol} {payment.time.timestamp():.3f} {payment.position_id or ''}"
            rows.append(FundingRow(row_id=row_id, name=name, payment=payment, **common))
        lost += [FundingRow(**one, **common) for one in lost_rows(block.problems)]
    rows.sort(key=lambda row: row.payment.time if row.payment is not None else _LONG_AGO, reverse=True)
    return lost + list({row.key: row for row in rows}.values())


def past_order_totals(rows: Sequence[OrderRow], venue: str | None) -> RowTotals:
    """How many they are."""
    count = sum(venue in {None, row.ref.venue} for row in rows)
    return RowTotals(venue=venue, count=count, currency=None, sums={})


def past_position_totals(rows: Sequence[PastPositionRow], venue: str | None) -> RowTotals:
    """``realized``, ``fee`` and ``funding`` of the closed positions listed."""
    chosen = [row.past for row in rows if venue in {None, row.ref.venue}]
    return RowTotals(
        venue=venue,
        count=len(chosen),
        currency=None,
        sums={
            "realized": add_up(None if one is None else one.realized_pnl for one in chosen),
            "fee": add_up(None if one is None else one.fee_paid for one in chosen),
            "funding": add_up(None if one is None else one.funding for one in chosen),
        },
    )


def funding_totals(rows: Sequence[FundingRow], venue: str | None) -> RowTotals:
    """``amount`` of the funding listed."""
    chosen = [row.payment for row in rows if venue in {None, row.ref.venue}]
    amount = add_up(None if one is None else one.amount for one in chosen)
    return RowTotals(venue=venue, count=len(chosen), currency=None, sums={"amount": amount})


def _ended(order: OpenOrder | None) -> datetime:
    return (order and (order.updated_at or order.created_at)) or _LONG_AGO
