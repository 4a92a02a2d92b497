"""Prices of the user's own positions and orders in one instrument, for the chart. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from monitor.domain.account import OrderSide, PositionSide
from monitor.state.accounts import AccountState
from monitor.state.catalog import InstrumentKey


class LevelKind(StrEnum):
    """What happens, or happened, at a price."""

    ENTRY = "entry"
    LIQUIDATION = "liquidation"
    ORDER = "order"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLevel:
    """One price. ``is_up``: the position is long, or the order buys. ``size`` is an amount, to be covered.

    ``is_current`` False: what told of it is late.
    """

    key: InstrumentKey
    kind: LevelKind
    price: Decimal
    size: Decimal
    is_up: bool | None
    account: str
    is_current: bool


def account_levels(
    states: Iterable[AccountState], keys: Sequence[InstrumentKey], now_mono_s: float
) -> tuple[AccountLevel, ...]:
    """Entry and liquidation price of each position in ``keys``, and the price or trigger of each open order."""
    wanted = set(keys)
    levels: list[AccountLevel] = []
    for state in states:
        name, venue = state.ref.name, state.ref.venue
        held = state.positions.value
        is_current = state.positions.verdict(now_mono_s).is_trustworthy
        for position in () if held is None else held.positions:
            key = (venue, position.venue_symbol)
            if key not in wanted:
                continue
            is_long = position.side is PositionSide.LONG
            for kind, price in (
                (LevelKind.ENTRY, position.entry_price),
                (LevelKind.LIQUIDATION, position.liquidation_price),
            ):
                if price is not None:
                    levels.append(
                        AccountLevel(
                            key=key,
                            kind=kind,
                            price=price,
                            size=position.size,
                            is_up=is_long,
                            account=name,
                            is_current=is_current,
                        )
                    )
        orders = state.orders.value
        is_current = state.orders.verdict(now_mono_s).is_trustworthy
        for order in () if orders is None else orders.orders:
            key = (venue, order.venue_symbol)
            price = order.trigger_price if order.trigger_price is not None else order.price
            if key in wanted and price is not None:
                levels.append(
                    AccountLevel(
                        key=key,
                        kind=LevelKind.ORDER if order.trigger_price is None else LevelKind.TRIGGER,
                        price=price,
                        size=order.size - (order.filled or Decimal(0)),
                        is_up=None if order.side is None else order.side is OrderSide.BUY,
                        account=name,
                        is_current=is_current,
                    )
                )
    return tuple(levels)
