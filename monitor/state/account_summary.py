"""An account as a JSON-ready document: the figures of the tables, made of the tables' own rows.

Decimals are text, stamps ISO 8601, unknown null.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.domain.account import Balance, Fill, FundingPaid, OpenOrder, RowProblem
from monitor.state.account_figures import PositionFigures
from monitor.state.account_past_tables import funding_rows
from monitor.state.account_tables import (
    BalanceRow,
    OrderRow,
    PositionRow,
    balance_rows,
    fill_rows,
    order_rows,
    position_rows,
)
from monitor.state.accounts import AccountState
from monitor.state.board import Board
from monitor.state.summary import Document, decimal_text, quotient_text
from monitor.state.times import time_text

InstrumentName = Callable[[str], str | None]
"""Our name of an instrument by its venue symbol; ``None`` where it is not listed."""


def account_document(
    state: AccountState,
    *,
    board: Board,
    name_of: InstrumentName,
    now_mono_s: float,
    now: datetime,
    received_at: datetime,
) -> Document:
    """One account as ``snapshot --account`` prints it. Marks that the account reply lacks come from the board's quotes.

    ``problems`` lists what could not be read: the rows and fields concerned are missing or null.
    """
    states = (state,)
    summary, listed = state.summary.value, state.fills.value

    def shown(venue: str, symbol: str) -> str:  # noqa: ARG001 - the shape of a name giver
        return name_of(symbol) or symbol

    balances = balance_rows(states, now_mono_s, now)
    whole = next((row for row in balances if row.summary is not None), None)
    blocks = (
        state.summary,
        state.positions,
        state.orders,
        state.attached,
        state.fills,
        state.funding,
        state.history,
    )
    return {
        "venue": state.ref.venue,
        "name": state.ref.name,
        "received_at": time_text(received_at),
        "currency": None if summary is None else summary.currency,
        "mode": None if summary is None else summary.mode,
        **_account(whole),
        "unvalued_assets": [] if summary is None else list(summary.unvalued_assets),
        "balances": [_balance(row.balance) for row in balances if row.balance is not None],
        "positions_complete": state.positions.value is not None and state.positions.is_complete,
        "positions": [
            _position(row, row.figures, name_of)
            for row in position_rows(states, board, shown, now_mono_s, now)
            if row.figures is not None
        ],
        "open_orders_complete": state.orders.value is not None
        and state.orders.is_complete
        and state.attached.is_complete,
        "open_orders": [
            _order(row, row.order) for row in order_rows(states, shown, now_mono_s) if row.order is not None
        ],
        "fills_complete_since": None if listed is None else time_text(listed.complete_since),
        "fills": [_fill(row.fill) for row in fill_rows(states, shown, now_mono_s) if row.fill is not None],
        "funding": [
            _funding(row.payment) for row in funding_rows(states, shown, now_mono_s) if row.payment is not None
        ],
        "problems": _problems([problem for block in blocks for problem in block.problems]),
    }


def _account(row: BalanceRow | None) -> Document:
    summary = None if row is None else row.summary
    return {
        "equity": None if summary is None else decimal_text(summary.equity),
        "available": None if summary is None else decimal_text(summary.available),
        "unrealized_pnl": None if summary is None else decimal_text(summary.unrealized_pnl),
        "pnl_since_open": None if row is None else decimal_text(row.since_open),
        "realized_today": None if row is None else decimal_text(row.today),
        "venue_pnl_24h": None if row is None else decimal_text(row.venue_day),
        "margin_used": None if summary is None else decimal_text(summary.margin_used),
        "margin_ratio": None if summary is None else quotient_text(summary.margin_ratio),
    }


def _balance(balance: Balance) -> Document:
    return {
        "asset": balance.asset,
        "location": balance.location or None,
        "total": decimal_text(balance.total),
        "available": decimal_text(balance.available),
        "value": decimal_text(balance.value),
    }


def _position(row: PositionRow, figures: PositionFigures, name_of: InstrumentName) -> Document:
    position = row.position
    assert position is not None  # noqa: S101 - there are figures of positions only
    return {
        "instrument": name_of(position.venue_symbol),
        "venue_symbol": position.venue_symbol,
        "side": position.side.value,
        "size": decimal_text(position.size),
        "entry_price": decimal_text(position.entry_price),
        "mark_price": decimal_text(figures.mark),
        "value": decimal_text(figures.value),
        "unrealized_pnl": decimal_text(figures.unrealized),
        "realized_since_open": decimal_text(figures.realized),
        "pnl_since_open": decimal_text(figures.since_open),
        "realized_today": decimal_text(row.today),
        "leverage": decimal_text(position.leverage),
        "margin_mode": position.margin_mode,
        "margin": decimal_text(position.margin),
        "margin_ratio": quotient_text(position.margin_ratio),
        "liquidation_price": decimal_text(position.liquidation_price),
        "liquidation_distance": quotient_text(figures.distance),
        "funding": decimal_text(position.funding),
        "position_id": position.position_id,
    }


def _order(row: OrderRow, order: OpenOrder) -> Document:
    return {
        "order_id": order.order_id,
        "venue_symbol": order.venue_symbol,
        "side": None if order.side is None else order.side.value,
        "type": order.order_type,
        "price": decimal_text(order.price),
        "trigger_price": decimal_text(order.trigger_price),
        "condition": order.trigger_condition,
        "take_profit": decimal_text(order.take_profit_price),
        "stop_loss": decimal_text(order.stop_loss_price),
        "size": decimal_text(order.size),
        "filled": decimal_text(order.filled),
        "value_left": decimal_text(row.value),
        "reduce_only": order.reduce_only,
        "leverage": decimal_text(order.leverage),
        "margin_mode": order.margin_mode,
        "status": order.status,
        "created_at": time_text(order.created_at),
    }


def _fill(fill: Fill) -> Document:
    return {
        "fill_id": fill.fill_id,
        "order_id": fill.order_id,
        "venue_symbol": fill.venue_symbol,
        "side": None if fill.side is None else fill.side.value,
        "price": decimal_text(fill.price),
        "size": decimal_text(fill.size),
        "value": decimal_text(fill.size * fill.price),
        "time": time_text(fill.time),
        "fee_paid": decimal_text(fill.fee_paid),
        "fee_asset": fill.fee_asset,
        "realized_pnl": decimal_text(fill.realized_pnl),
        "taker": fill.is_taker,
        "liquidation": fill.is_liquidation,
    }


def _funding(payment: FundingPaid) -> Document:
    return {
        "venue_symbol": payment.venue_symbol,
        "time": time_text(payment.time),
        "amount": decimal_text(payment.amount),
        "rate": decimal_text(payment.rate),
        "position_size": decimal_text(payment.position_size),
        "of_closed_position": payment.is_position_total,
    }


def _problems(problems: Sequence[RowProblem]) -> list[Document]:
    return [
        {"path": problem.path, "expected": problem.expected, "row_lost": problem.is_row_lost} for problem in problems
    ]
