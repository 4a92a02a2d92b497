"""An account as a JSON-ready document: the figures of the tables. Decimals are text, stamps ISO 8601, unknown null."""

from collections.abc import Callable, Sequence
from datetime import datetime

from monitor.domain.account import (
    AccountSnapshot,
    Balance,
    Fill,
    FillList,
    OpenOrder,
    OrderList,
    Position,
    RowProblem,
    distinct_fills,
)
from monitor.state.account_figures import position_figures
from monitor.state.board import Board
from monitor.state.summary import Document, decimal_text, quotient_text
from monitor.state.times import time_text

InstrumentName = Callable[[str], str | None]
"""Our name of an instrument by its venue symbol; ``None`` where it is not listed."""


def account_document(
    snapshot: AccountSnapshot,
    orders: OrderList,
    fills: FillList,
    *,
    board: Board,
    name_of: InstrumentName,
    now_mono_s: float,
    received_at: datetime,
) -> Document:
    """One account as ``snapshot --account`` prints it. Marks that the account reply lacks come from the board's quotes.

    ``problems`` lists what could not be read: the rows and fields concerned are missing or null.
    """
    summary, positions = snapshot.summary, snapshot.positions
    venue = snapshot.account.venue
    return {
        "venue": venue,
        "name": snapshot.account.name,
        "received_at": time_text(received_at),
        "currency": summary.currency,
        "mode": summary.mode,
        "equity": decimal_text(summary.equity),
        "available": decimal_text(summary.available),
        "unrealized_pnl": decimal_text(summary.unrealized_pnl),
        "margin_used": decimal_text(summary.margin_used),
        "margin_ratio": quotient_text(summary.margin_ratio),
        "unvalued_assets": list(summary.unvalued_assets),
        "balances": [_balance(one) for one in summary.balances],
        "positions_complete": positions.is_complete,
        "positions": [_position(one, venue, board, name_of, now_mono_s) for one in positions.positions],
        "open_orders_complete": orders.is_complete,
        "open_orders": [_order(one) for one in orders.orders],
        "fills": [_fill(one) for one in distinct_fills(fills.fills)],
        "problems": _problems((*summary.problems, *positions.problems, *orders.problems, *fills.problems)),
    }


def _balance(balance: Balance) -> Document:
    return {
        "asset": balance.asset,
        "location": balance.location or None,
        "total": decimal_text(balance.total),
        "available": decimal_text(balance.available),
        "value": decimal_text(balance.value),
    }


def _position(position: Position, venue: str, board: Board, name_of: InstrumentName, now_mono_s: float) -> Document:
    figures = position_figures(position, board.quote((venue, position.venue_symbol)), now_mono_s)
    return {
        "instrument": name_of(position.venue_symbol),
        "venue_symbol": position.venue_symbol,
        "side": position.side.value,
        "size": decimal_text(position.size),
        "entry_price": decimal_text(position.entry_price),
        "mark_price": decimal_text(figures.mark),
        "unrealized_pnl": decimal_text(position.unrealized_pnl),
        "pnl_since_open": decimal_text(figures.since_open),
        "leverage": decimal_text(position.leverage),
        "margin_mode": position.margin_mode,
        "margin": decimal_text(position.margin),
        "margin_ratio": quotient_text(position.margin_ratio),
        "liquidation_price": decimal_text(position.liquidation_price),
        "liquidation_distance": quotient_text(figures.distance),
        "funding": decimal_text(position.funding),
        "position_id": position.position_id,
    }


def _order(order: OpenOrder) -> Document:
    return {
        "order_id": order.order_id,
        "venue_symbol": order.venue_symbol,
        "side": None if order.side is None else order.side.value,
        "type": order.order_type,
        "price": decimal_text(order.price),
        "trigger_price": decimal_text(order.trigger_price),
        "size": decimal_text(order.size),
        "filled": decimal_text(order.filled),
        "reduce_only": order.reduce_only,
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
        "time": time_text(fill.time),
        "fee_paid": decimal_text(fill.fee_paid),
        "fee_asset": fill.fee_asset,
        "realized_pnl": decimal_text(fill.realized_pnl),
    }


def _problems(problems: Sequence[RowProblem]) -> list[Document]:
    return [
        {"path": problem.path, "expected": problem.expected, "row_lost": problem.is_row_lost} for problem in problems
    ]
