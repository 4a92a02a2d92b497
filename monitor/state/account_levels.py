"""Prices of the user's own positions and orders in one instrument, for the chart. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from monitor.domain.account import OpenOrder, OrderSide, PositionSide
from monitor.state.accounts import AccountState
from monitor.state.catalog import InstrumentKey


class LevelKind(StrEnum):
    """What happens, or happened, at a price."""

    ENTRY = "entry"
    LIQUIDATION = "liquidation"
    ORDER = "order"
    TRIGGER = "trigger"
    TAKE_PROFIT = "take profit"
    STOP_LOSS = "stop loss"


_WORDS: Final = (("take profit", LevelKind.TAKE_PROFIT), ("stop loss", LevelKind.STOP_LOSS))
"""In the type of an order that closes a position."""


class AccountLevel(msgspec.Struct, frozen=True, kw_only=True):
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
    """Entry and liquidation price of each position in ``keys``, the price or trigger of each open order, and where the
    position it opens would be closed."""
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
        for block in (state.orders, state.attached):
            placed = block.value
            is_current = block.verdict(now_mono_s).is_trustworthy
            for order in () if placed is None else placed.orders:
                key = (venue, order.venue_symbol)
                is_buy = None if order.side is None else order.side is OrderSide.BUY
                for kind, price in _prices_of(order) if key in wanted else ():
                    levels.append(
                        AccountLevel(
                            key=key,
                            kind=kind,
                            price=price,
                            size=order.size - (order.filled or Decimal(0)),
                            is_up=is_buy if is_buy is None else is_buy is not _closes(kind, order),
                            account=name,
                            is_current=is_current,
                        )
                    )
    return tuple(levels)


def _prices_of(order: OpenOrder) -> Iterator[tuple[LevelKind, Decimal]]:
    if order.trigger_price is not None:
        kind = next((kind for word, kind in _WORDS if word in order.order_type), LevelKind.TRIGGER)
        yield kind, order.trigger_price
    elif order.price is not None:
        yield LevelKind.ORDER, order.price
    for kind, price in (
        (LevelKind.TAKE_PROFIT, order.take_profit_price),
        (LevelKind.STOP_LOSS, order.stop_loss_price),
    ):
        if price is not None:
            yield kind, price


def _closes(kind: LevelKind, order: OpenOrder) -> bool:
    """Whether the level is where the position that ``order`` opens would be closed: the other way round."""
    return kind in {LevelKind.TAKE_PROFIT, LevelKind.STOP_LOSS} and order.trigger_price is None
