"""What a Hyperliquid account is worth, counted once whatever its mode. Pure.

Source: the venue's documentation of account abstraction modes; the arithmetic was checked on recorded accounts.

``default``, ``disabled``, ``dexAbstraction``
    a perp account per dex plus spot: the sum of account values and of spot balances
``unifiedAccount``, ``portfolioMargin``
    the spot balances hold everything; perp account values would count the same money twice
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from monitor.domain.account import AccountSummary, Balance, Position, RowProblem, WalletApart
from monitor.domain.credentials import AccountRef
from monitor.exchanges.account_rows import total_of
from monitor.exchanges.decoding import parse_decimal
from monitor.exchanges.hyperliquid.account_parse import DexState, SpotState, TokenBalance
from monitor.exchanges.hyperliquid.names import USDC_INDEX
from monitor.exchanges.hyperliquid.wire import SpotMeta

CURRENCY = "USDC"

SEPARATE_MODES = frozenset({"default", "disabled", "dexAbstraction"})
UNIFIED_MODES = frozenset({"unifiedAccount", "portfolioMargin"})

_DOLLARS = frozenset({"USDC", "USDT0", "USDH", "USDE"})
"""Tokens that are margin somewhere."""


class TokenPrices(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of spot tokens in USDC, from pairs and their mids."""

    by_token: Mapping[int, Decimal]
    mids: Mapping[str, Any]

    @classmethod
    def build(cls, meta: SpotMeta, mids: Mapping[str, Any]) -> "TokenPrices":
        """USDC is 1; a token has the mid of its pair with USDC, or with another token that has one."""
        prices: dict[int, Decimal] = {USDC_INDEX: Decimal(1)}
        # Twice: a token's pair may be quoted in a token whose own pair comes later.
        for _ in range(2):
            for pair in meta.universe:
                base, quote = pair.tokens
                mid = parse_decimal(mids.get(pair.name))
                if base not in prices and quote in prices and mid is not None and mid > 0:
                    prices[base] = mid * prices[quote]
        return cls(by_token=prices, mids=mids)

    def of(self, balance: TokenBalance) -> Decimal | None:
        """What one of it is worth; ``None`` when nobody tells."""
        if balance.token is not None:
            return self.by_token.get(balance.token)
        if balance.coin.startswith("+"):
            # An outcome's market is called as its token, with another sign.
            price = parse_decimal(self.mids.get("#" + balance.coin[1:]))
            return price if price is not None and price > 0 else None
        return None


ONLY_USDC = TokenPrices(by_token={USDC_INDEX: Decimal(1)}, mids={})
"""Enough for an account that holds nothing else."""


def needs_prices(spot: SpotState, collateral: Mapping[str, int | None]) -> bool:
    """Whether anything but USDC has to be valued."""
    tokens = {balance.token for balance in spot.balances} | set(collateral.values())
    return bool(tokens - {USDC_INDEX})


def summarize(
    *,
    account: AccountRef,
    mode: str | None,
    dexes: Sequence[DexState],
    spot: SpotState,
    collateral: Mapping[str, int | None],
    prices: TokenPrices,
    problems: Sequence[RowProblem] = (),
    oldest_part_mono_s: float | None = None,
) -> AccountSummary:
    """The account in USDC.

    ``collateral``: token index by dex, ``None`` where it is not known. A ``mode`` that is unknown or new leaves the
    equity unknown rather than perhaps doubled. Assets without a price are left out of the equity and named.
    """
    notes = [*problems, *spot.problems, *(problem for state in dexes for problem in state.problems)]
    unvalued: dict[str, None] = {}
    spot_rows: list[Balance] = []
    for balance in spot.balances:
        price = prices.of(balance)
        if price is None and balance.total:
            unvalued[balance.coin] = None
        spot_rows.append(
            Balance(
                asset=balance.coin,
                total=balance.total,
                available=_free(balance, spot),
                value=None if price is None else balance.total * price,
                location="spot",
            )
        )
    spot_value = sum((row.value for row in spot_rows if row.value is not None), Decimal(0))
    pnl_parts: list[Decimal | None] = []
    used_parts: list[Decimal | None] = []
    value_parts: list[Decimal | None] = []
    free_parts: list[Decimal | None] = []
    perp_rows: list[Balance] = []
    apart: list[WalletApart] = []
    for state in dexes:
        token = collateral.get(state.dex)
        price = None if token is None else prices.by_token.get(token)
        if price is None and state.is_in_use:
            if mode in UNIFIED_MODES:
                pnl_parts.extend(None for _ in state.positions)
            else:
                name = f"perp {state.dex}".strip()
                unvalued[name] = None
                apart.append(
                    WalletApart(
                        name=name,
                        currency=_collateral_name(token, spot),
                        available=state.withdrawable,
                        unrealized_pnl=total_of([position.unrealized_pnl for position in state.positions]),
                        margin_used=state.margin_used,
                    )
                )
            continue
        worth = price or Decimal(1)
        pnl_parts.extend(_times(position.unrealized_pnl, worth) for position in state.positions)
        if mode in UNIFIED_MODES:
            # Of the perp side only what is said of each position still means something.
            used_parts.extend(_times(position.margin, worth) for position in state.positions)
            continue
        value_parts.append(_times(state.account_value, worth))
        used_parts.append(_times(state.margin_used, worth))
        free_parts.append(_times(state.withdrawable, worth))
        if state.account_value:
            perp_rows.append(
                Balance(
                    asset=_collateral_name(token, spot),
                    total=state.account_value,
                    available=state.withdrawable,
                    value=state.account_value * worth,
                    location=f"perp {state.dex}".strip(),
                )
            )
    perp_value = total_of(value_parts)
    equity: Decimal | None = None
    available: Decimal | None = None
    if mode in SEPARATE_MODES:
        equity = None if perp_value is None else perp_value + spot_value
        available = total_of(free_parts)
    elif mode in UNIFIED_MODES:
        equity = spot_value
        available = _available(spot, prices)
    else:
        notes.append(
            RowProblem(path="userAbstraction", expected="an account mode this program knows", is_row_lost=False)
        )
    first = next((state for state in dexes if not state.dex), None)
    has_own_margin = first is not None and mode in SEPARATE_MODES
    return AccountSummary(
        account=account,
        currency=CURRENCY,
        equity=equity,
        available=available,
        balances=(*perp_rows, *spot_rows),
        unrealized_pnl=total_of(pnl_parts),
        margin_used=total_of(used_parts),
        maintenance_margin=first.maintenance_margin if first is not None and has_own_margin else None,
        margin_ratio=_ratio(first) if first is not None and has_own_margin else None,
        mode=mode,
        unvalued_assets=tuple(unvalued),
        wallets_apart=tuple(apart),
        venue_time=None if first is None else first.venue_time,
        oldest_part_mono_s=oldest_part_mono_s,
        problems=tuple(notes),
    )


def _free(balance: TokenBalance, spot: SpotState) -> Decimal | None:
    if balance.token is not None and balance.token in spot.available:
        return spot.available[balance.token]
    return None if balance.hold is None else balance.total - balance.hold


def _available(spot: SpotState, prices: TokenPrices) -> Decimal | None:
    """What new positions can use: the venue's own figure per token, else what is free of the margin tokens."""
    if spot.available:
        parts = [_times(amount, prices.by_token.get(token)) for token, amount in spot.available.items() if amount]
        return sum((part for part in parts if part is not None), Decimal(0))
    return total_of([_times(_free(row, spot), prices.of(row)) for row in spot.balances if row.coin in _DOLLARS])


def _times(amount: Decimal | None, price: Decimal | None) -> Decimal | None:
    return None if amount is None or price is None else amount * price


def _ratio(state: DexState) -> Decimal | None:
    if state.maintenance_margin is None or state.cross_value is None or state.cross_value <= 0:
        return None
    return state.maintenance_margin / state.cross_value


def positions_of(state: DexState, mode: str | None) -> tuple[Position, ...]:
    """The positions of a dex; cross ones with its margin ratio where its margin is its own."""
    ratio = _ratio(state) if mode in SEPARATE_MODES else None
    return tuple(
        replace(position, margin_ratio=ratio) if position.margin_mode == "cross" else position
        for position in state.positions
    )


def _collateral_name(token: int | None, spot: SpotState) -> str:
    if token in {None, USDC_INDEX}:
        return CURRENCY
    return next((balance.coin for balance in spot.balances if balance.token == token), f"token {token}")
