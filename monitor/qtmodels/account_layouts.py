"""The columns of positions and balances."""

from collections.abc import Callable
from typing import Final

from monitor.qtmodels.account_columns import (
    Column,
    Look,
    Raw,
    account_column,
    age_column,
    instrument_column,
    leverage_text,
    nothing,
    of,
)
from monitor.state.account_tables import BalanceRow, PositionRow


def _of_summary(name: str, balance_name: str = "") -> Callable[[BalanceRow], Raw]:
    """Read ``name`` of an account as a whole, and ``balance_name`` of an asset."""
    of_account, of_asset = of("summary", name), of("balance", balance_name) if balance_name else nothing
    return lambda row: of_account(row) if row.summary is not None else of_asset(row)


def _leverage(row: PositionRow) -> Raw:
    return None if row.position is None else leverage_text(row.position.leverage, row.position.margin_mode)


def _is_whole_account(row: BalanceRow) -> bool:
    return row.summary is not None


POSITIONS: Final[tuple[Column[PositionRow], ...]] = (
    account_column(),
    instrument_column("What is held"),
    Column(
        name="side",
        title="Side",
        definition="Long gains when the price rises, short when it falls",
        look=Look.SIDE,
        read=of("position", "side"),
    ),
    Column(
        name="size",
        title="Size",
        definition="How much is held, in the base asset",
        look=Look.PRICE,
        read=of("position", "size"),
        is_amount=True,
    ),
    Column(
        name="entry_price",
        title="Entry",
        definition="Average price the position was opened at",
        look=Look.AVERAGE,
        read=of("position", "entry_price"),
    ),
    Column(
        name="mark_price",
        title="Mark",
        definition=(
            "Price the venue values the position at: from the account's own reply, or from the quotes where that has "
            "none; struck through when it is old"
        ),
        look=Look.QUOTED,
        read=of("figures", "mark"),
    ),
    Column(
        name="unrealized_pnl",
        title="Unrealised",
        definition="Profit or loss if it were closed at the mark price, as the venue tells it",
        look=Look.GAIN,
        read=of("figures", "unrealized"),
        is_amount=True,
        total="unrealized",
    ),
    Column(
        name="pnl_since_open",
        title="Since open",
        definition=(
            "Unrealised PnL, plus profit of parts already closed, less fees, plus funding, all since the position was "
            "opened. Where the venue does not add these up they are from its list of fills: dash while that does not "
            "reach back to the opening, or is older than the position"
        ),
        look=Look.GAIN,
        read=of("figures", "since_open"),
        is_amount=True,
        total="since_open",
    ),
    Column(
        name="realized_today",
        title="Realised today",
        definition=(
            "In this instrument since 00:00 UTC: profit of closed size less fees, plus funding payments; long and "
            "short together. Dash while the list of fills does not reach back to midnight"
        ),
        look=Look.GAIN,
        read=lambda row: row.today,
        is_amount=True,
    ),
    Column(
        name="liquidation_distance",
        title="To liquidation",
        definition="How far the mark price must move against the position to be liquidated: |mark - liq. price| / mark",
        look=Look.DISTANCE_BAR,
        read=of("figures", "distance"),
    ),
    Column(
        name="liquidation_price",
        title="Liq. price",
        definition="Price at which the venue closes it by force; dash when there is none or it is out of reach",
        look=Look.QUOTED,
        read=of("position", "liquidation_price"),
    ),
    Column(
        name="margin_ratio",
        title="Margin used up",
        definition=(
            "Maintenance margin / margin: at 100 % the position is liquidated. In cross mode it is the whole "
            "account's; dash where that cannot be told, as in a unified account"
        ),
        look=Look.USED_BAR,
        read=of("position", "margin_ratio"),
    ),
    Column(
        name="margin",
        title="Margin",
        definition="Money that backs the position, in the margin currency",
        look=Look.MONEY,
        read=of("position", "margin"),
        is_amount=True,
        total="margin",
    ),
    Column(
        name="value",
        title="Value",
        definition="Size times mark price, in the margin currency",
        look=Look.MONEY,
        read=of("figures", "value"),
        sample="0,000,000.00",
        is_amount=True,
        total="value",
    ),
    Column(
        name="leverage",
        title="Leverage",
        definition="Leverage; cross: the whole account backs the position, isolated: its own margin only",
        look=Look.TEXT,
        read=_leverage,
        sample="100× isolated",
    ),
    age_column(),
)

BALANCES: Final[tuple[Column[BalanceRow], ...]] = (
    account_column(),
    Column(
        name="asset",
        title="Asset",
        definition="The asset held; Account stands for the account as a whole",
        look=Look.TEXT,
        read=lambda row: row.name,
        sample="Account 0",
        is_always=True,
    ),
    Column(
        name="location",
        title="Where",
        definition="Where in the account it lies; for the account as a whole, how it counts margin",
        look=Look.TEXT,
        read=lambda row: (
            row.summary.mode if row.summary is not None else (row.balance.location if row.balance is not None else None)
        ),
        sample="portfolioMargin",
        applies=lambda row: (
            (row.summary is not None and row.summary.mode is not None)
            or (row.balance is not None and bool(row.balance.location))
        ),
    ),
    Column(
        name="equity_or_total",
        title="Equity or total",
        definition=(
            "Of an account: everything in it, unrealised PnL included, each thing counted once. Of an asset: how much "
            "of it there is; negative when it is borrowed"
        ),
        look=Look.AMOUNT,
        read=_of_summary("equity", "total"),
        is_amount=True,
        total="equity",
        sum_title="Equity",
    ),
    Column(
        name="available",
        title="Available",
        definition=(
            "What new positions can use, or what of the asset is free; a star: without the wallets that equity leaves "
            "out"
        ),
        look=Look.AMOUNT,
        read=_of_summary("available", "available"),
        is_amount=True,
        total="available",
    ),
    Column(
        name="currency",
        title="In",
        definition="What the figures of an account are in; values of assets are in the same",
        look=Look.TEXT,
        read=lambda row: None if row.summary is None else row.summary.currency,
        sample="USDT0",
        applies=_is_whole_account,
    ),
    Column(
        name="value",
        title="Value",
        definition="Worth of the asset in the account's currency; dash where no price is known",
        look=Look.MONEY,
        read=lambda row: None if row.balance is None else row.balance.value,
        sample="0,000,000.00",
        is_amount=True,
        applies=lambda row: row.balance is not None,
    ),
    Column(
        name="unrealized_pnl",
        title="Unrealised",
        definition=(
            "Profit or loss of the open positions at the mark price, as the venue tells it for what equity counts. "
            "Where equity is the USDT wallet's, positions on another coin's wallet, such as USDC, are not in it, and a "
            "star says so; they are among the positions and in “Since open”"
        ),
        look=Look.GAIN,
        read=_of_summary("unrealized_pnl"),
        is_amount=True,
        total="unrealized",
        applies=_is_whole_account,
    ),
    Column(
        name="realized_today",
        title="Realised today",
        definition=(
            "Since 00:00 UTC: profit of closed size less fees, plus funding payments. Dash while the venue's list of "
            "fills does not reach back to midnight. Where funding is told only when a position closes it is not in it"
        ),
        look=Look.GAIN,
        read=lambda row: row.today,
        is_amount=True,
        total="today",
        applies=_is_whole_account,
    ),
    Column(
        name="pnl_since_open",
        title="Since open",
        definition=(
            "Sum over the open positions of every wallet since each was opened: unrealised PnL, profit of parts "
            "already closed, fees and funding, a dollar coin counted as one dollar. Dash while one of them is not "
            "known"
        ),
        look=Look.GAIN,
        read=lambda row: row.since_open,
        is_amount=True,
        total="since_open",
        applies=_is_whole_account,
    ),
    Column(
        name="venue_pnl_24h",
        title="Venue's 24 h",
        definition=(
            "Profit or loss of the last 24 hours as the venue reckons it, realised and unrealised together; its newest "
            "point may be some minutes old. Dash where a venue tells none"
        ),
        look=Look.GAIN,
        read=lambda row: row.venue_day,
        is_amount=True,
        total="venue_day",
        applies=_is_whole_account,
    ),
    Column(
        name="margin_used",
        title="Margin",
        definition="Money that backs open positions; a star: without the wallets that equity leaves out",
        look=Look.MONEY,
        read=_of_summary("margin_used"),
        is_amount=True,
        total="margin",
        applies=_is_whole_account,
    ),
    Column(
        name="margin_ratio",
        title="Margin used up",
        definition="Maintenance margin / margin of the cross positions: at 100 % they are liquidated",
        look=Look.USED_BAR,
        read=_of_summary("margin_ratio"),
        applies=_is_whole_account,
    ),
    age_column(),
)
