"""Hyperliquid's fills, funding, past orders, portfolio and limits of an address to domain values. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec.structs import replace

from monitor.domain.account import (
    Fill,
    FundingPaid,
    OpenOrder,
    RowProblem,
)
from monitor.domain.account_history import AccountPeriod, AddressLimits
from monitor.domain.credentials import AccountRef, Address, CredentialInputError, clean_address
from monitor.domain.errors import PayloadError
from monitor.exchanges.account_rows import RowFields, read_object, read_rows
from monitor.exchanges.decoding import clean_text, parse_decimal
from monitor.exchanges.hyperliquid.account_parse import parse_order, side_of

_STATUSES: Mapping[str, str] = MappingProxyType(
    {"open": "new", "filled": "filled", "triggered": "triggered", "rejected": "rejected", "canceled": "cancelled"}
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 4_102_444_800_000


class SubAccount(msgspec.Struct, frozen=True, kw_only=True):
    """One sub-account, by its name and its own address."""

    name: str
    address: Address


class AddressRole(msgspec.Struct, frozen=True, kw_only=True):
    """What an address is: ``missing`` (never used), ``user``, ``vault``, ``subAccount`` or ``agent``.

    ``owner``: the account an agent wallet or a sub-account belongs to.
    """

    role: str
    owner: Address | None


def parse_fills(rows: Any, endpoint: str, problems: list[RowProblem]) -> list[Fill]:
    """Executions in the order of the reply. Raises ``PayloadError`` without a list."""
    return read_rows(rows, endpoint, "", _fill, problems)


def _fill(row: RowFields) -> Fill:
    trade_id = row.ident_or_none("tid")
    order_id = row.ident_or_none("oid")
    direction = row.text_or_none("dir", 60)
    crossed = row.flag_or_none("crossed")
    is_liquidation = row.has("liquidation") or "liquidat" in (direction or "").lower()
    return Fill(
        # Dust rows have trade id 0, rows of 2023 none.
        fill_id=trade_id if trade_id and trade_id != "0" else f"order {order_id}",
        order_id=order_id,
        venue_symbol=row.symbol("coin"),
        side=side_of(row),
        price=row.size("px"),
        size=row.size("sz"),
        time=row.time("time"),
        fee_paid=row.number_or_none("fee"),
        fee_asset=row.text_or_none("feeToken", 40),
        realized_pnl=row.number_or_none("closedPnl"),
        is_taker=crossed,
        is_liquidation=is_liquidation,
        direction=direction,
        transaction=row.text_or_none("hash", 80),
        position_before=row.number_or_none("startPosition"),
    )


def parse_funding_paid(rows: Any, endpoint: str, problems: list[RowProblem]) -> list[FundingPaid]:
    """Funding payments in the order of the reply; positive was received. Raises ``PayloadError`` without a list."""

    def build(row: RowFields) -> FundingPaid | None:
        delta = row.below("delta")
        if delta is None:
            row.fail("delta", "an object")
        if delta.text_or_none("type", 40) not in {None, "funding"}:
            return None
        return FundingPaid(
            venue_symbol=delta.symbol("coin"),
            time=row.time("time"),
            # Already positive when received, unlike cumFunding of a position.
            amount=delta.number("usdc"),
            rate=delta.number_or_none("fundingRate"),
            position_size=delta.number_or_none("szi"),
        )

    return read_rows(rows, endpoint, "", build, problems)


def parse_past_orders(rows: Any, endpoint: str, problems: list[RowProblem]) -> list[OpenOrder]:
    """Past orders in the order of the reply. Raises ``PayloadError`` without a list."""

    def build(row: RowFields) -> OpenOrder:
        order = row.below("order")
        if order is None:
            row.fail("order", "an object")
        found = parse_order(order, status=_status(row.text_or_none("status", 60)))
        return replace(found, updated_at=row.time_or_none("statusTimestamp"))

    return read_rows(rows, endpoint, "", build, problems)


def _status(word: str | None) -> str:
    if word is None:
        return "unknown"
    if word.endswith("Rejected"):
        return "rejected"
    if word.endswith("Canceled"):
        return "cancelled"
    return _STATUSES.get(word, word)


def parse_portfolio(rows: Any, endpoint: str, problems: list[RowProblem]) -> tuple[AccountPeriod, ...]:
    """Periods as the venue names them. Raises ``PayloadError`` without a list."""
    if not isinstance(rows, list):
        raise PayloadError(endpoint=endpoint, path="$", expected="a list")
    periods = []
    for number, pair in enumerate(rows):
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            problems.append(RowProblem(path=f"[{number}]", expected="a period and its figures", is_row_lost=True))
            continue
        try:
            row = read_object(pair[1], endpoint, f"[{number}][1]", problems)
        except PayloadError as error:
            problems.append(RowProblem(path=error.path, expected=error.expected, is_row_lost=True))
            continue
        periods.append(
            AccountPeriod(
                period=clean_text(pair[0], 40),
                values=_points(row, "accountValueHistory"),
                pnl=_points(row, "pnlHistory"),
                volume=row.number_or_none("vlm"),
            )
        )
    return tuple(periods)


def _points(row: RowFields, field: str) -> tuple[tuple[datetime, Decimal], ...]:
    rows = row.row.get(field)
    if not isinstance(rows, list):
        row.report(field, "a list")
        return ()
    points = []
    for number, pair in enumerate(rows):
        value = parse_decimal(pair[1]) if isinstance(pair, list) and len(pair) == 2 else None
        if value is None or type(pair[0]) is not int or not 0 <= pair[0] <= _LATEST_MS:
            row.report(f"{field}[{number}]", "a time and an amount")
        else:
            points.append((_EPOCH + timedelta(milliseconds=pair[0]), value))
    return tuple(points)


def parse_limits(reply: Any, endpoint: str, account: AccountRef) -> AddressLimits:
    """The address's own request limits. Raises ``PayloadError`` when it is no object."""
    problems: list[RowProblem] = []
    row = read_object(reply, endpoint, "", problems)

    def count(field: str) -> int | None:
        number = row.size_or_none(field)
        return None if number is None or number != number.to_integral_value() else int(number)

    volume, used, cap = row.number_or_none("cumVlm"), count("nRequestsUsed"), count("nRequestsCap")
    surplus = count("nRequestsSurplus")
    return AddressLimits(account=account, volume=volume, used=used, cap=cap, surplus=surplus, problems=tuple(problems))


def parse_sub_accounts(rows: Any, endpoint: str, problems: list[RowProblem]) -> tuple[SubAccount, ...]:
    """Names and addresses of sub-accounts; what they hold is read by their address. Raises ``PayloadError``."""

    def build(row: RowFields) -> SubAccount:
        address = _address(row.row.get("subAccountUser"))
        if address is None:
            row.fail("subAccountUser", "an address")
        return SubAccount(name=row.text_or_none("name", 60) or address.shown, address=address)

    return tuple(read_rows(rows, endpoint, "", build, problems))


def parse_role(reply: Any, endpoint: str) -> AddressRole:
    """What an address is. Raises ``PayloadError`` when it is no object or has no role."""
    row = read_object(reply, endpoint, "", [])
    role = row.text_or_none("role", 40)
    if role is None:
        row.fail("role", "text")
    data = row.below("data")
    owner = None if data is None else _address(data.row.get("user") or data.row.get("master"))
    return AddressRole(role=role, owner=owner)


def _address(value: object) -> Address | None:
    try:
        return clean_address(value) if isinstance(value, str) else None
    except CredentialInputError:
        return None
