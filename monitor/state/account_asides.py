"""More to say of single cells of the account tables, for their tooltips. Pure."""

from decimal import Decimal
from typing import Final

import msgspec

from monitor.domain.account import Position
from monitor.state.account_figures import PositionFigures, left_out, venue_gain
from monitor.state.accounts import AccountState

_PERIODS: Final = (("week", "7 days"), ("month", "30 days"), ("allTime", "all time"))
_PARTIAL: Final = (
    ("equity_or_total", "equity"),
    ("available", "available"),
    ("unrealized_pnl", "unrealized_pnl"),
    ("margin_used", "margin_used"),
)
"""Columns of an account and its figures from which wallets may be left out."""


class Aside(msgspec.Struct, frozen=True):
    """A sentence about the cell of ``column``. ``is_amount``: it tells how much somebody has. ``is_partial``: the
    cell's figure misses something.
    """

    column: str
    text: str
    is_amount: bool = True
    is_partial: bool = False


def position_asides(state: AccountState, position: Position, figures: PositionFigures) -> tuple[Aside, ...]:
    """What PnL since open is made of, and what a new position in the instrument would be opened with."""
    asides = []
    if figures.unrealized is not None and figures.realized is not None:
        parts = f"Unrealised {_gain(figures.unrealized)}; realised, with fees and funding, {_gain(figures.realized)}."
        asides.append(Aside("pnl_since_open", parts))
    known = state.leverage.value
    for setting in () if known is None else known.settings:
        if setting.venue_symbol == position.venue_symbol and setting.leverage is not None:
            mode = f" {setting.margin_mode}" if setting.margin_mode else ""
            text = f"A new position here would be opened with {setting.leverage.normalize():f}×{mode}."
            asides.append(Aside("leverage", text, is_amount=False))
    return tuple(asides)


def account_asides(state: AccountState) -> tuple[Aside, ...]:
    """What is in no figure, the venue's figures of longer periods, and what the address may still sign."""
    asides = _partial_asides(state)
    periods = [(title, venue_gain(state, period)) for period, title in _PERIODS]
    told = [f"{title} {_gain(gain)}" for title, gain in periods if gain is not None]
    if told:
        asides.append(Aside("venue_pnl_24h", f"By the same reckoning: {', '.join(told)}."))
    limits = state.limits.value
    if limits is not None and limits.used is not None and limits.cap is not None:
        text = f"Requests that the address signed: {limits.used:,} of the {limits.cap:,} it may. Reading uses none."
        asides.append(Aside("location", text, is_amount=False))
    return tuple(asides)


def _partial_asides(state: AccountState) -> list[Aside]:
    summary = state.summary.value
    if summary is None:
        return []
    asides = []
    for column, figure in _PARTIAL:
        missing = left_out(summary, figure)
        if missing and getattr(summary, figure) is not None:
            text = f"* Without {', '.join(missing)}: no price is known in {summary.currency}."
            asides.append(Aside(column, text, is_amount=False, is_partial=True))
        for wallet in summary.wallets_apart:
            value = None if figure == "equity" else getattr(wallet, figure)
            if value:
                shown = _gain(value) if figure == "unrealized_pnl" else f"{value:,.2f}"
                asides.append(Aside(column, f"In the {wallet.name}: {shown} {wallet.currency}."))
    return asides


def _gain(value: Decimal) -> str:
    return f"{value:+,.2f}".replace("-", "\N{MINUS SIGN}")
