"""More to say of single cells of the account tables, for their tooltips. Pure."""

from decimal import Decimal
from typing import Final

import msgspec

from monitor.domain.account import Position
from monitor.state.account_figures import PositionFigures, venue_gain
from monitor.state.accounts import AccountState

_PERIODS: Final = (("week", "7 days"), ("month", "30 days"), ("allTime", "all time"))


class Aside(msgspec.Struct, frozen=True):
    """A sentence about the cell of ``column``. ``is_amount``: it tells how much somebody has."""

    column: str
    text: str
    is_amount: bool = True


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
    """The venue's figures of longer periods, and what the address may still sign."""
    asides = []
    periods = [(title, venue_gain(state, period)) for period, title in _PERIODS]
    told = [f"{title} {_gain(gain)}" for title, gain in periods if gain is not None]
    if told:
        asides.append(Aside("venue_pnl_24h", f"By the same reckoning: {', '.join(told)}."))
    limits = state.limits.value
    if limits is not None and limits.used is not None and limits.cap is not None:
        text = f"Requests that the address signed: {limits.used:,} of the {limits.cap:,} it may. Reading uses none."
        asides.append(Aside("location", text, is_amount=False))
    return tuple(asides)


def _gain(value: Decimal) -> str:
    return f"{value:+,.2f}".replace("-", "\N{MINUS SIGN}")
