"""Account values of the past, and what is asked of an account now and then. As in :mod:`monitor.domain.account`."""

from datetime import datetime
from decimal import Decimal
from typing import TypeAlias

import msgspec

from monitor.domain.account import (
    AccountSnapshot,
    AccountSummary,
    FillList,
    FundingPaidList,
    OrderList,
    PositionList,
    PositionSide,
    RowProblem,
)
from monitor.domain.credentials import AccountRef


class PastPosition(msgspec.Struct, frozen=True, kw_only=True):
    """One closed position; ``max_size`` is the largest it was."""

    venue_symbol: str
    side: PositionSide
    position_id: str
    max_size: Decimal | None
    entry_price: Decimal | None
    close_price: Decimal | None
    realized_pnl: Decimal | None
    fee_paid: Decimal | None
    funding: Decimal | None
    liquidated_size: Decimal | None
    leverage: Decimal | None
    margin_mode: str | None
    opened_at: datetime | None
    closed_at: datetime | None


class PastPositionList(msgspec.Struct, frozen=True, kw_only=True):
    """Closed positions, newest first."""

    account: AccountRef
    positions: tuple[PastPosition, ...]
    problems: tuple[RowProblem, ...] = ()


class LeverageSetting(msgspec.Struct, frozen=True, kw_only=True):
    """What a new position of this instrument would be opened with."""

    venue_symbol: str
    leverage: Decimal | None
    margin_mode: str | None


class AccountPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """How one period went, oldest point first: account value and PnL since the period's start, and volume traded."""

    period: str
    values: tuple[tuple[datetime, Decimal], ...]
    pnl: tuple[tuple[datetime, Decimal], ...]
    volume: Decimal | None


class AccountHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's own history of the account, by period (``day``, ``week``, ``month``, ``allTime``, ``perpDay`` …)."""

    account: AccountRef
    periods: tuple[AccountPeriod, ...]
    problems: tuple[RowProblem, ...] = ()


class PositionHistory(msgspec.Struct, frozen=True, kw_only=True):
    """Closed positions, and their funding where the venue lists no payments; of one reply."""

    account: AccountRef
    positions: PastPositionList
    funding: FundingPaidList


class LeverageList(msgspec.Struct, frozen=True, kw_only=True):
    """Settings by instrument, each as it was last asked for."""

    account: AccountRef
    settings: tuple[LeverageSetting, ...]
    problems: tuple[RowProblem, ...] = ()


class AddressLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Signed requests that an address may make for what it traded (``volume``); reading does not use them."""

    account: AccountRef
    volume: Decimal | None
    used: int | None
    cap: int | None
    surplus: int | None
    problems: tuple[RowProblem, ...] = ()


AccountPayload: TypeAlias = (
    AccountSummary
    | PositionList
    | AccountSnapshot
    | OrderList
    | FillList
    | FundingPaidList
    | PastPositionList
    | PositionHistory
    | LeverageList
    | AccountHistory
    | AddressLimits
)
"""What a read of an account brings."""
