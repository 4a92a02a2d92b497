"""Hyperliquid's account states and open orders to domain values. Pure."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from monitor.domain.account import (
    OpenOrder,
    OrderSide,
    Position,
    PositionSide,
    RowProblem,
    reachable_liquidation,
)
from monitor.domain.errors import PayloadError
from monitor.exchanges.account_rows import RowFields, read_object, read_rows
from monitor.exchanges.decoding import clean_text, parse_decimal

SIDES = {"B": OrderSide.BUY, "A": OrderSide.SELL}

_MARK_STEP = Decimal("0.00000001")


class DexState(msgspec.Struct, frozen=True, kw_only=True):
    """One dex's perp account, in that dex's collateral. Its money means nothing when the account is unified."""

    dex: str
    account_value: Decimal | None
    margin_used: Decimal | None
    maintenance_margin: Decimal | None
    """Of cross positions only."""
    cross_value: Decimal | None
    withdrawable: Decimal | None
    positions: tuple[Position, ...]
    venue_time: datetime | None
    problems: tuple[RowProblem, ...]

    @property
    def is_in_use(self) -> bool:
        """Whether the address has anything there."""
        return bool(self.positions or self.account_value or self.problems)


class TokenBalance(msgspec.Struct, frozen=True, kw_only=True):
    """One token; ``token`` is its index, ``None`` for outcomes (``+E``, ``oN``)."""

    coin: str
    token: int | None
    total: Decimal
    hold: Decimal | None


class SpotState(msgspec.Struct, frozen=True, kw_only=True):
    """Token balances. ``available`` by token index, only in unified and portfolio-margin accounts."""

    balances: tuple[TokenBalance, ...]
    available: Mapping[int, Decimal]
    problems: tuple[RowProblem, ...]


def parse_clearinghouse(reply: Any, endpoint: str, dex: str) -> DexState:
    """One dex's positions and margin. Fields that a reply of another year lacks are unknown.

    Raises:
        PayloadError: no object, or no list of positions.
    """
    problems: list[RowProblem] = []
    state = read_object(reply, endpoint, "", problems)
    positions = read_rows(
        state.row.get("assetPositions"),
        endpoint,
        "assetPositions",
        lambda row: _position(_inner(row, "position"), dex),
        problems,
    )
    whole = state.below("marginSummary")
    cross = state.below("crossMarginSummary")
    return DexState(
        dex=dex,
        account_value=None if whole is None else whole.number_or_none("accountValue"),
        margin_used=None if whole is None else whole.number_or_none("totalMarginUsed"),
        maintenance_margin=state.number_or_none("crossMaintenanceMarginUsed"),
        cross_value=None if cross is None else cross.number_or_none("accountValue"),
        withdrawable=state.number_or_none("withdrawable"),
        positions=tuple(positions),
        venue_time=state.time_or_none("time"),
        problems=tuple(problems),
    )


def _inner(row: RowFields, field: str) -> RowFields:
    found = row.below(field)
    if found is None:
        row.fail(field, "an object")
    return found


def _position(row: RowFields, dex: str) -> Position | None:
    coin = row.symbol("coin")
    signed = row.number("szi")
    if not signed:
        return None
    size = abs(signed)
    entry = row.price_or_none("entryPx")
    value = row.number_or_none("positionValue")
    # The venue sends no mark; the notional is at mark.
    mark = None if not value else _trimmed(abs(value) / size)
    leverage = row.below("leverage")
    mode = None if leverage is None else leverage.text_or_none("type", 40)
    margin = row.number_or_none("marginUsed")
    most = row.number_or_none("maxLeverage")
    funding = row.below("cumFunding")
    paid = None if funding is None else funding.number_or_none("sinceOpen")
    return Position(
        venue_symbol=coin,
        side=PositionSide.LONG if signed > 0 else PositionSide.SHORT,
        size=size,
        entry_price=entry,
        mark_price=mark,
        unrealized_pnl=row.number_or_none("unrealizedPnl"),
        leverage=None if leverage is None else leverage.price_or_none("value"),
        margin_mode=mode,
        margin=margin,
        liquidation_price=reachable_liquidation(row.number_or_none("liquidationPx"), reference_price=mark or entry),
        # Positions are one-way, so the coin is the position.
        position_id=coin,
        # Positive means paid here, the opposite of userFunding and of the domain.
        funding=None if paid is None else -paid,
        # That of cross positions is the account's, which a mode of the account decides about.
        margin_ratio=_isolated_ratio(value, margin, most) if mode == "isolated" else None,
        dex=dex,
    )


def _isolated_ratio(value: Decimal | None, margin: Decimal | None, max_leverage: Decimal | None) -> Decimal | None:
    """Maintenance margin, which is the notional / (2 x max leverage), / margin."""
    if not value or not max_leverage or margin is None or margin <= 0 or max_leverage < 1:
        return None
    return abs(value) / (2 * max_leverage) / margin


def _trimmed(price: Decimal) -> Decimal:
    # A price has six decimals at most; the rest is the rounding of the notional.
    text = format(price.quantize(_MARK_STEP), "f") if price.adjusted() < 18 else format(price, "f")
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)


def parse_spot(reply: Any, endpoint: str) -> SpotState:
    """Token balances, zero ones left out.

    Raises:
        PayloadError: no object, or no list of balances.
    """
    problems: list[RowProblem] = []
    state = read_object(reply, endpoint, "", problems)
    rows = read_rows(state.row.get("balances"), endpoint, "balances", _token_balance, problems)
    available: dict[int, Decimal] = {}
    pairs = state.row.get("tokenToAvailableAfterMaintenance")
    for number, pair in enumerate(pairs if isinstance(pairs, list) else ()):
        amount = parse_decimal(pair[1]) if isinstance(pair, list) and len(pair) == 2 else None
        if amount is None or type(pair[0]) is not int:
            state.report(f"tokenToAvailableAfterMaintenance[{number}]", "a token and an amount")
        else:
            available[pair[0]] = amount
    return SpotState(
        balances=tuple(row for row in rows if row.total or row.hold), available=available, problems=tuple(problems)
    )


def _token_balance(row: RowFields) -> TokenBalance:
    coin = row.symbol("coin")
    token = row.row.get("token")
    if token is not None and (type(token) is not int or not 0 <= token < 10**9):
        row.report("token", "a token index")
        token = None
    return TokenBalance(coin=coin, token=token, total=row.number("total"), hold=row.number_or_none("hold"))


def parse_open_orders(rows: Any, endpoint: str, problems: list[RowProblem]) -> list[OpenOrder]:
    """Open orders of one dex. An order's children are listed on their own as well and appear once.

    Raises:
        PayloadError: no list.
    """
    found: dict[str, OpenOrder] = {}
    for order in read_rows(rows, endpoint, "", _order_family, problems):
        for one in order:
            held = found.get(one.order_id)
            # Seen as somebody's child it says more.
            if held is None or held.parent_id is None:
                found[one.order_id] = one
    return list(found.values())


def _order_family(row: RowFields) -> list[OpenOrder]:
    order = parse_order(row)
    children = row.row.get("children")
    family = [order]
    for child in row.children("children") if children else ():
        try:
            family.append(parse_order(child, parent_id=order.order_id))
        except PayloadError as error:
            # A child that cannot be read costs neither its parent nor its brothers.
            child.report_error(error)
    return family


def parse_order(row: RowFields, *, parent_id: str | None = None, status: str | None = None) -> OpenOrder:
    """One order of any list. Raises ``PayloadError`` when id, coin or size are wrong."""
    order_id = row.ident("oid")
    coin = row.symbol("coin")
    left = row.size("sz")
    placed = row.size_or_none("origSz")
    order_type = (row.text_or_none("orderType", 40) or "limit").lower()
    is_trigger = row.flag_or_none("isTrigger") or False
    filled = None if placed is None or placed < left else placed - left
    condition = row.text_or_none("triggerCondition", 80)
    return OpenOrder(
        order_id=order_id,
        venue_symbol=coin,
        side=side_of(row),
        order_type=order_type,
        price=None if "market" in order_type else row.price_or_none("limitPx"),
        size=left if placed is None else placed,
        filled=filled,
        reduce_only=row.flag_or_none("reduceOnly"),
        status=status or ("waiting" if is_trigger else ("partly_filled" if filled else "new")),
        client_id=row.ident_or_none("cloid"),
        time_in_force=row.text_or_none("tif", 20),
        trigger_price=row.price_or_none("triggerPx") if is_trigger else None,
        trigger_condition=condition if is_trigger else None,
        parent_id=parent_id,
        created_at=row.time_or_none("timestamp"),
    )


def side_of(row: RowFields) -> OrderSide | None:
    """``B`` buys, ``A`` sells; another value is reported."""
    if not row.has("side"):
        return None
    value = row.row["side"]
    side = SIDES.get(value) if isinstance(value, str) else None
    if side is None:
        row.report("side", "A or B")
    return side


def parse_mode(text: str) -> str:
    """How the account counts its margin, as the venue calls it."""
    return clean_text(text, 40)
