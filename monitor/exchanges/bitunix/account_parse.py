"""Bitunix's account replies to domain values. Pure.

Field meanings are those of live replies where they differ from the documentation: position sides are BUY and SELL, one
account comes as an object, order states may end in an underscore, and numbers are text.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from monitor.domain.account import (
    AccountSummary,
    Balance,
    Fill,
    FundingPaid,
    OpenOrder,
    OrderSide,
    Position,
    PositionList,
    PositionSide,
    RowProblem,
    WalletApart,
    reachable_liquidation,
)
from monitor.domain.account_history import LeverageSetting, PastPosition
from monitor.domain.credentials import AccountRef
from monitor.exchanges.account_rows import RowFields, read_object, read_rows, total_of

_POSITION_SIDES = {
    "BUY": PositionSide.LONG,
    "LONG": PositionSide.LONG,
    "SELL": PositionSide.SHORT,
    "SHORT": PositionSide.SHORT,
}
_CLOSING_SIDES = {PositionSide.LONG: OrderSide.SELL, PositionSide.SHORT: OrderSide.BUY}
_STOP_TYPES = {
    "MARK_PRICE": "by the mark price",
    "MARK": "by the mark price",
    "LAST_PRICE": "by the last price",
    "LAST": "by the last price",
}
_ORDER_SIDES = {"BUY": OrderSide.BUY, "SELL": OrderSide.SELL}
_MARGIN_MODES = {"ISOLATION": "isolated", "CROSS": "cross"}
_STATUSES = {
    "INIT": "new",
    "NEW": "new",
    "PART_FILLED": "partly_filled",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "PART_FILLED_CANCELED": "cancelled",
    "SYSTEM_CANCELED": "cancelled",
    "EXPIRED": "expired",
}


def parse_account(data: Any, endpoint: str, account: AccountRef, margin_coin: str) -> AccountSummary:
    """Equity and margin in ``margin_coin``.

    Wallet = available + frozen + margin, equity = wallet + both unrealised PNLs (two clients agree, one version of one
    does not); available for new positions = available + cross unrealised PNL (documented). ``available`` may for a
    moment still hold money that a new order has just locked.

    Raises:
        PayloadError: neither an object nor a list of one.
    """
    problems: list[RowProblem] = []
    # Live an object, documented a list of one.
    row = read_object(data[0] if isinstance(data, list) and len(data) == 1 else data, endpoint, "data", problems)
    available = row.number_or_none("available")
    frozen = row.number_or_none("frozen")
    margin = row.number_or_none("margin")
    cross = row.number_or_none("crossUnrealizedPNL")
    unrealized = total_of([cross, row.number_or_none("isolationUnrealizedPNL")])
    wallet = total_of([available, frozen, margin])
    equity = total_of([wallet, unrealized])
    mode = row.text_or_none("positionMode")
    balances: tuple[Balance, ...] = ()
    if wallet is not None:
        balances = (Balance(asset=margin_coin, total=wallet, available=available, value=wallet),)
    return AccountSummary(
        account=account,
        currency=margin_coin,
        equity=equity,
        available=total_of([available, cross]),
        balances=balances,
        wallet_balance=wallet,
        unrealized_pnl=unrealized,
        margin_used=margin,
        order_margin=frozen,
        mode=None if mode is None else mode.lower(),
        problems=tuple(problems),
    )


def with_other_wallet(summary: AccountSummary, other: AccountSummary) -> AccountSummary:
    """``summary`` with the balance of a wallet in another coin, whose worth in the first one is not known."""
    asset = other.currency
    apart = WalletApart(
        name=f"{asset} wallet",
        currency=asset,
        available=other.available,
        unrealized_pnl=other.unrealized_pnl,
        margin_used=other.margin_used,
    )
    return replace(
        summary,
        balances=(*summary.balances, *(replace(balance, value=None) for balance in other.balances)),
        unvalued_assets=(*summary.unvalued_assets, asset) if other.wallet_balance else summary.unvalued_assets,
        wallets_apart=(*summary.wallets_apart, apart),
        problems=(*summary.problems, *other.problems),
    )


def parse_positions(data: Any, endpoint: str, account: AccountRef) -> PositionList:
    """Every open position; in hedge mode two of one symbol are possible.

    There is no mark price. Raises ``PayloadError`` when ``data`` is no list.
    """
    problems: list[RowProblem] = []
    found = read_rows(data, endpoint, "data", _position, problems)
    return PositionList(
        account=account,
        positions=tuple(found),
        is_complete=not any(problem.is_row_lost for problem in problems),
        problems=tuple(problems),
    )


def _position(row: RowFields) -> Position | None:
    symbol = row.symbol("symbol")
    side = _position_side(row)
    size = row.size("qty")
    if not size:
        return None
    entry = row.price_or_none("avgOpenPrice")
    return Position(
        venue_symbol=symbol,
        side=side,
        size=size,
        entry_price=entry,
        mark_price=None,
        unrealized_pnl=row.number_or_none("unrealizedPNL"),
        leverage=row.price_or_none("leverage"),
        margin_mode=_margin_mode(row),
        margin=row.number_or_none("margin"),
        liquidation_price=reachable_liquidation(row.number_or_none("liqPrice"), reference_price=entry),
        position_id=row.ident_or_none("positionId") or f"{symbol}:{side.value}",
        margin_ratio=row.number_or_none("marginRate"),
        realized_pnl=row.number_or_none("realizedPNL"),
        fee_paid=_fee(row),
        # Negative is paid, here as in the domain.
        funding=row.number_or_none("funding"),
        opened_at=row.time_or_none("ctime"),
        updated_at=row.time_or_none("mtime"),
    )


def parse_orders(data: Any, endpoint: str, problems: list[RowProblem]) -> tuple[list[OpenOrder], int | None, int]:
    """One page of orders: the orders, the number of all of them (``None``: not told), and the rows of this page.

    Raises:
        PayloadError: there is no list.
    """
    page = read_object(data, endpoint, "data", problems)
    rows = page.row.get("orderList")
    return read_rows(rows, endpoint, "data.orderList", _order, problems), _total(page), _length(rows)


def _order(row: RowFields) -> OpenOrder:
    order_id = row.ident("orderId")
    symbol = row.symbol("symbol")
    # Live "orderType", in the documentation "type".
    order_type = (row.text_or_none("orderType", 40) or row.text_or_none("type", 40) or "").lower()
    price = _order_price(row)
    return OpenOrder(
        order_id=order_id,
        venue_symbol=symbol,
        side=_order_side(row),
        order_type=order_type or ("market" if price is None else "limit"),
        price=None if order_type == "market" else price,
        size=row.size("qty"),
        filled=row.size_or_none("tradeQty"),
        reduce_only=row.flag_or_none("reduceOnly"),
        status=_status(row),
        client_id=row.ident_or_none("clientId"),
        time_in_force=row.text_or_none("effect", 20),
        take_profit_price=row.price_or_none("tpPrice"),
        stop_loss_price=row.price_or_none("slPrice"),
        leverage=row.price_or_none("leverage"),
        margin_mode=_margin_mode(row),
        created_at=row.time_or_none("ctime"),
        updated_at=row.time_or_none("mtime"),
    )


def _order_price(row: RowFields) -> Decimal | None:
    value = row.row.get("price")
    if isinstance(value, str) and value.strip().isalpha():
        return None  # "MARKET", "market"
    return row.price_or_none("price")


def parse_triggers(
    data: Any, endpoint: str, positions: Mapping[str, Position], problems: list[RowProblem]
) -> list[OpenOrder]:
    """Take-profit and stop-loss orders of positions; a row may be both. Raises ``PayloadError`` without a list.

    The rows tell neither a side nor always a size: both are those of the position, from ``positions`` by id.
    """

    def build(row: RowFields) -> list[OpenOrder]:
        ident, symbol = row.ident("id"), row.symbol("symbol")
        held = positions.get(row.ident_or_none("positionId") or "")
        found = []
        for kind, word in (("tp", "take profit"), ("sl", "stop loss")):
            trigger = row.price_or_none(f"{kind}Price")
            if trigger is None:
                continue
            size = row.size_or_none(f"{kind}Qty") or (None if held is None else held.size)
            if size is None:
                row.fail(f"{kind}Qty", "a size")
            price = row.price_or_none(f"{kind}OrderPrice")
            told = (row.text_or_none(f"{kind}OrderType", 40) or "").lower()
            order_type = told or ("market" if price is None else "limit")
            found.append(
                OpenOrder(
                    order_id=f"{ident} {kind}",
                    venue_symbol=symbol,
                    side=None if held is None else _CLOSING_SIDES[held.side],
                    order_type=f"{word} {order_type}",
                    price=None if order_type == "market" else price,
                    size=size,
                    filled=None,
                    reduce_only=True,
                    status="waiting",
                    trigger_price=trigger,
                    trigger_condition=_STOP_TYPES.get((row.text_or_none(f"{kind}StopType", 40) or "").upper()),
                    leverage=None if held is None else held.leverage,
                    margin_mode=None if held is None else held.margin_mode,
                )
            )
        return found

    return [order for family in read_rows(data, endpoint, "data", build, problems) for order in family]


def parse_trades(
    data: Any, endpoint: str, problems: list[RowProblem], *, default_asset: str | None = None
) -> tuple[list[Fill], int | None, int]:
    """One page of executions, as :func:`parse_orders`. ``default_asset`` is what fees are paid in."""

    def build(row: RowFields) -> Fill:
        role = (row.text_or_none("roleType", 20) or "").upper()
        return Fill(
            fill_id=row.ident("tradeId"),
            order_id=row.ident_or_none("orderId"),
            venue_symbol=row.symbol("symbol"),
            side=_order_side(row),
            price=row.size("price"),
            size=row.size("qty"),
            time=row.time("ctime"),
            fee_paid=row.number_or_none("fee"),
            fee_asset=row.text_or_none("marginCoin", 20) or default_asset,
            realized_pnl=row.number_or_none("realizedPNL"),
            is_taker={"TAKER": True, "MAKER": False}.get(role),
            reduce_only=row.flag_or_none("reduceOnly"),
        )

    page = read_object(data, endpoint, "data", problems)
    rows = page.row.get("tradeList")
    return read_rows(rows, endpoint, "data.tradeList", build, problems), _total(page), _length(rows)


def parse_past_positions(
    data: Any, endpoint: str, problems: list[RowProblem]
) -> tuple[list[PastPosition], int | None, int]:
    """One page of closed positions, as :func:`parse_orders`."""
    page = read_object(data, endpoint, "data", problems)
    rows = page.row.get("positionList")
    return read_rows(rows, endpoint, "data.positionList", _past_position, problems), _total(page), _length(rows)


def _past_position(row: RowFields) -> PastPosition:
    symbol = row.symbol("symbol")
    return PastPosition(
        venue_symbol=symbol,
        side=_position_side(row),
        position_id=row.ident("positionId"),
        max_size=row.size_or_none("maxQty"),
        entry_price=row.price_or_none("entryPrice"),
        close_price=row.price_or_none("closePrice"),
        realized_pnl=row.number_or_none("realizedPNL"),
        fee_paid=_fee(row),
        funding=row.number_or_none("funding"),
        liquidated_size=_magnitude(row.number_or_none("liqQty")),
        leverage=row.price_or_none("leverage"),
        margin_mode=_margin_mode(row),
        opened_at=row.time_or_none("ctime"),
        closed_at=row.time_or_none("mtime"),
    )


def funding_of(position: PastPosition) -> FundingPaid | None:
    """The funding of a closed position as one payment, since the venue lists none; ``None`` when there was none."""
    if not position.funding or position.closed_at is None:
        return None
    return FundingPaid(
        venue_symbol=position.venue_symbol,
        time=position.closed_at,
        amount=position.funding,
        is_position_total=True,
        position_id=position.position_id,
    )


def parse_leverage(data: Any, endpoint: str) -> LeverageSetting:
    """Leverage and margin mode of a symbol. Raises ``PayloadError`` when it is none."""
    problems: list[RowProblem] = []
    row = read_object(data, endpoint, "data", problems)
    return LeverageSetting(
        venue_symbol=row.symbol("symbol"), leverage=row.price_or_none("leverage"), margin_mode=_margin_mode(row)
    )


def _position_side(row: RowFields) -> PositionSide:
    value = row.row.get("side")
    side = _POSITION_SIDES.get(value.upper()) if isinstance(value, str) else None
    if side is None:
        # Never a default: the wrong side is worse than a missing row.
        row.fail("side", "BUY, LONG, SELL or SHORT")
    return side


def _order_side(row: RowFields) -> OrderSide | None:
    if not row.has("side"):
        return None
    value = row.row["side"]
    side = _ORDER_SIDES.get(value.upper()) if isinstance(value, str) else None
    if side is None:
        row.report("side", "BUY or SELL")
    return side


def _status(row: RowFields) -> str:
    # Live clients have seen "NEW_".
    word = (row.text_or_none("status", 40) or "").upper().rstrip("_")
    return _STATUSES.get(word, word.lower()) or "unknown"


def _margin_mode(row: RowFields) -> str | None:
    word = row.text_or_none("marginMode", 40)
    return None if word is None else _MARGIN_MODES.get(word.upper(), word.lower())


def _fee(row: RowFields) -> Decimal | None:
    # Live negative when paid, in the documentation and in one fixture (as "fees") positive; no rebate is known here.
    return _magnitude(row.number_or_none("fee" if row.has("fee") else "fees"))


def _magnitude(number: Decimal | None) -> Decimal | None:
    return None if number is None else abs(number)


def _total(page: RowFields) -> int | None:
    # A number, or text in live-shaped replies.
    total = page.number_or_none("total")
    if total is None or total < 0 or total != total.to_integral_value() or total > 10**9:
        return None
    return int(total)


def _length(rows: object) -> int:
    return len(rows) if isinstance(rows, list) else 0
