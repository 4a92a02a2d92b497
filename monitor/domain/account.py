"""Account values: what one account of a venue holds, has ordered, traded and paid.

Money, prices and sizes are ``Decimal`` as the venue sent them, ``None`` means "not known", never zero. Sizes are
positive; the side is said. Signs: ``fee_paid`` is positive when the account paid (negative: a rebate); ``funding`` is
positive when the account received. Ids are text. Stamps are timezone-aware UTC.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from monitor.domain.credentials import AccountRef

FAR_LIQUIDATION = 10
"""A liquidation price further away than this many times the price cannot be reached and says nothing."""

ALL_KEPT = datetime(1970, 1, 1, tzinfo=UTC)
"""Older than anything a venue keeps."""
JUST_AFTER = timedelta(milliseconds=1)
"""Venues stamp in milliseconds; of the oldest one in a list some may be missing."""


class PositionSide(StrEnum):
    """Which way a position is held."""

    LONG = "long"
    SHORT = "short"


class OrderSide(StrEnum):
    """What an order or fill does."""

    BUY = "buy"
    SELL = "sell"


class RowProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something of one row that could not be read: the field's path, and what was expected there.

    ``is_row_lost``: the row is not shown at all; otherwise only that field is unknown. ``row_id`` is the id of the
    position, order or fill it belongs to; empty where that is not known or it is about the whole reply.
    """

    path: str
    expected: str
    is_row_lost: bool
    row_id: str = ""

    def __str__(self) -> str:
        return f"{self.path} is not {self.expected}"


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One asset in one place of the account (``location``: ``spot``, ``perp``, ``perp xyz``; empty: there is only one).

    ``total`` may be negative when borrowed, and includes unrealised PnL in a perp account; ``value`` is its worth in
    the account's currency.
    """

    asset: str
    total: Decimal
    available: Decimal | None
    value: Decimal | None = None
    location: str = ""


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """One open position.

    ``liquidation_price`` is ``None`` where there is none, or it is out of reach (see :func:`reachable_liquidation`).
    ``mark_price`` is ``None`` where the account reply has none; the quotes do. ``unrealized_pnl`` and ``margin`` are in
    the margin currency. ``realized_pnl``: as the venue counts; Bitunix includes fees and funding.
    ``funding``: received since it was opened.
    """

    venue_symbol: str
    side: PositionSide
    size: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    unrealized_pnl: Decimal | None
    leverage: Decimal | None
    margin_mode: str | None
    """``cross`` or ``isolated``; another word as the venue wrote it."""
    margin: Decimal | None
    liquidation_price: Decimal | None
    position_id: str
    margin_ratio: Decimal | None = None
    """Maintenance margin / margin, a fraction; liquidation comes at 1. In cross mode it is the whole account's."""
    realized_pnl: Decimal | None = None
    fee_paid: Decimal | None = None
    funding: Decimal | None = None
    opened_at: datetime | None = None
    updated_at: datetime | None = None
    dex: str = ""


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order. ``price`` is ``None`` for a market order; ``filled`` is the size done so far.

    ``status`` is ``new``, ``partly_filled``, ``filled``, ``cancelled``, ``expired``, ``rejected``, ``waiting`` (for its
    trigger), or the venue's own word. ``order_type`` is lower case.
    """

    order_id: str
    venue_symbol: str
    side: OrderSide | None
    order_type: str
    price: Decimal | None
    size: Decimal
    filled: Decimal | None
    reduce_only: bool | None
    status: str
    client_id: str | None = None
    time_in_force: str | None = None
    trigger_price: Decimal | None = None
    trigger_condition: str | None = None
    take_profit_price: Decimal | None = None
    stop_loss_price: Decimal | None = None
    parent_id: str | None = None
    """The order that must fill before this one is placed."""
    leverage: Decimal | None = None
    """Of the position it would open, as ``margin_mode`` is."""
    margin_mode: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Fill(msgspec.Struct, frozen=True, kw_only=True):
    """One execution. ``realized_pnl`` before fees; ``direction`` is the venue's free text.

    ``fill_id`` alone may stand for several: Hyperliquid's is unique only with instrument and time, and 0 for dust.
    ``position_before``: signed size held before it, where the venue tells.
    """

    fill_id: str
    order_id: str | None
    venue_symbol: str
    side: OrderSide | None
    price: Decimal
    size: Decimal
    time: datetime
    fee_paid: Decimal | None = None
    fee_asset: str | None = None
    realized_pnl: Decimal | None = None
    is_taker: bool | None = None
    is_liquidation: bool | None = None
    reduce_only: bool | None = None
    direction: str | None = None
    transaction: str | None = None
    """Hash of the transaction, where there is one."""
    position_before: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """What it did to the position, signed; ``None`` without a side."""
        return None if self.side is None else self.size if self.side is OrderSide.BUY else -self.size

    @property
    def key(self) -> str:
        """What tells it from every other one; the same for an execution that was sent twice."""
        told = (self.fill_id, self.order_id, self.venue_symbol, self.side, self.price, self.size, self.position_before)
        return f"{self.time.timestamp():.3f} {' '.join(map(str, told))}"


class FundingPaid(msgspec.Struct, frozen=True, kw_only=True):
    """Funding charged or credited: ``amount`` positive when received.

    ``is_position_total``: the sum over the life of the position ``position_id``, where the venue lists no payments.
    """

    venue_symbol: str
    time: datetime
    amount: Decimal
    rate: Decimal | None = None
    position_size: Decimal | None = None
    """Signed: negative for a short."""
    is_position_total: bool = False
    position_id: str | None = None


class WalletApart(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet, or part of an account, whose figures are in no sum: its coin has no known price in the account's own.

    The figures are in ``currency``; ``None``: unknown.
    """

    name: str
    currency: str
    available: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    margin_used: Decimal | None = None


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The account as a whole, in ``currency``.

    ``equity`` includes unrealised PnL. ``available`` can be used for new positions. ``unvalued_assets`` are held but
    have no known price, so ``equity`` is without them; ``wallets_apart`` are in none of the figures.
    ``mode`` is the venue's word for how the account counts margin.
    ``oldest_part_mono_s``: when the oldest part was asked for (monotonic), where it is made of parts; else ``None``.
    """

    account: AccountRef
    currency: str
    equity: Decimal | None
    available: Decimal | None
    balances: tuple[Balance, ...]
    wallet_balance: Decimal | None = None
    unrealized_pnl: Decimal | None = None
    margin_used: Decimal | None = None
    order_margin: Decimal | None = None
    maintenance_margin: Decimal | None = None
    margin_ratio: Decimal | None = None
    mode: str | None = None
    unvalued_assets: tuple[str, ...] = ()
    wallets_apart: tuple[WalletApart, ...] = ()
    venue_time: datetime | None = None
    oldest_part_mono_s: float | None = None
    problems: tuple[RowProblem, ...] = ()


class PositionList(msgspec.Struct, frozen=True, kw_only=True):
    """Every open position of an account. ``is_complete`` False: a part of it could not be read (``problems``)."""

    account: AccountRef
    positions: tuple[Position, ...]
    is_complete: bool = True
    oldest_part_mono_s: float | None = None
    problems: tuple[RowProblem, ...] = ()


class AccountSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Summary and positions of one moment."""

    account: AccountRef
    summary: AccountSummary
    positions: PositionList


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, newest first: the open ones (``is_open``), all of them when ``is_complete``, or past ones.

    ``is_attached``: what would close positions, of a venue that lists this apart from its other open orders.
    """

    account: AccountRef
    orders: tuple[OpenOrder, ...]
    is_open: bool = True
    is_attached: bool = False
    is_complete: bool = True
    oldest_part_mono_s: float | None = None
    problems: tuple[RowProblem, ...] = ()


class FillList(msgspec.Struct, frozen=True, kw_only=True):
    """Executions, newest first.

    ``complete_since``: from here on every execution is in it, ``ALL_KEPT`` when nothing older is kept anywhere;
    ``None``: no more is known than that these are the newest. ``tells_sizes``: the venue tells the size before each, so
    that closed positions can be read off it.
    """

    account: AccountRef
    fills: tuple[Fill, ...]
    complete_since: datetime | None = None
    tells_sizes: bool = False
    problems: tuple[RowProblem, ...] = ()


class FundingPaidList(msgspec.Struct, frozen=True, kw_only=True):
    """Funding, newest first. ``complete_since``: from here on every payment is in it; ``None``: not known."""

    account: AccountRef
    payments: tuple[FundingPaid, ...]
    complete_since: datetime | None = None
    problems: tuple[RowProblem, ...] = ()


def distinct_fills(fills: Iterable[Fill]) -> tuple[Fill, ...]:
    """Each execution once: venues have sent one twice, and have given several the same id."""
    return tuple({fill.key: fill for fill in fills}.values())


def reachable_liquidation(price: Decimal | None, *, reference_price: Decimal | None) -> Decimal | None:
    """``price``, or ``None`` when it is no price that could be reached.

    Venues send 0, a negative number or something absurdly far for a position that is well covered. ``reference_price``
    is the mark, or the entry where there is no mark; without it only the sign is checked.
    """
    if price is None or price <= 0:
        return None
    if (
        reference_price is not None
        and reference_price > 0
        and price - reference_price > FAR_LIQUIDATION * reference_price
    ):
        return None
    return price


def liquidation_distance(position: Position, mark_price: Decimal | None = None) -> Decimal | None:
    """How far the price must move against the position to be liquidated, as a fraction of the mark; negative: beyond.

    ``mark_price`` overrides the position's own; ``None`` when any of the two prices is unknown.
    """
    mark = mark_price if mark_price is not None else position.mark_price
    if mark is None or mark <= 0 or position.liquidation_price is None:
        return None
    gap = mark - position.liquidation_price
    return (gap if position.side is PositionSide.LONG else -gap) / mark
