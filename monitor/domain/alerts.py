"""What the user wants to be told of: one rule per alert, plain values that can be kept as JSON."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

MAX_LEVEL_CHARS: Final = 40
MIN_WINDOW_S: Final = 10
MAX_WINDOW_S: Final = 86_400
MAX_COOL_DOWN_S: Final = 86_400
DEFAULT_WINDOW_S: Final = 300
DEFAULT_COOL_DOWN_S: Final = 60


class AlertKind(StrEnum):
    """What an alert watches. The first seven need an instrument, the others are of a whole venue."""

    PRICE = "price"  # the displayed price, in the quote asset
    MOVE = "move"  # change of the displayed price over the window, either way, in per cent
    AGE = "age"  # seconds since the reply that brought the displayed price
    FUNDING = "funding"  # funding in per cent an hour
    SPREAD = "spread"  # (ask - bid) / middle, in basis points
    BASIS = "basis"  # difference to the same market on the other venue, either way, in basis points
    LIQUIDATION = "liquidation"  # smallest distance of a position to its liquidation, in per cent of the mark price
    DOWN = "down"  # seconds without new prices from the venue: nothing received, or nothing in it changes
    LATENCY = "latency"  # p95 of warm requests over the window, in milliseconds
    REUSE = "reuse"  # warm attempts of all attempts over the window, in per cent
    STREAK = "streak"  # failed polls in a row of any endpoint of the plan


class AlertShape(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule of one kind is made of.

    ``directions``: ``above`` and ``below`` as far as they make sense. ``unit`` stands behind the level. The level must
    be within ``lowest`` and ``highest``. ``has_window``: figures are taken over ``window_s``.
    """

    title: str
    unit: str
    directions: tuple[str, ...]
    needs_symbol: bool
    has_window: bool
    lowest: Decimal
    highest: Decimal
    first_level: str
    """What a new rule of this kind begins with; empty: nothing sensible is known."""
    what: str
    """Its definition, for a tooltip."""


def _shape(
    title: str,
    unit: str,
    what: str,
    *,
    first: str,
    directions: tuple[str, ...] = ("above",),
    symbol: bool = True,
    window: bool = False,
    lowest: str = "0",
    highest: str = "1e12",
) -> AlertShape:
    return AlertShape(
        title=title,
        unit=unit,
        directions=directions,
        needs_symbol=symbol,
        has_window=window,
        lowest=Decimal(lowest),
        highest=Decimal(highest),
        first_level=first,
        what=what,
    )


_BOTH: Final = ("above", "below")
_BELOW: Final = ("below",)

SHAPES: Final[Mapping[AlertKind, AlertShape]] = MappingProxyType(
    {
        AlertKind.PRICE: _shape(
            "Price",
            "",
            "The displayed price reaches a level. A price that is late or frozen tells nothing.",
            first="",
            directions=_BOTH,
            lowest="1e-30",
            highest="1e30",
        ),
        AlertKind.MOVE: _shape(
            "Price moves by",
            "%",
            "The displayed price differs from what it was one window ago, up or down. Needs the instrument on the "
            "watchlist.",
            first="1",
            window=True,
            lowest="0.001",
            highest="1000",
        ),
        AlertKind.AGE: _shape(
            "Price age",
            "s",
            "So long ago came the reply that brought the displayed price.",
            first="10",
            lowest="1",
            highest="86400",
        ),
        AlertKind.FUNDING: _shape(
            "Funding per hour",
            "%",
            "The venue's funding rate divided by its interval in hours; negative: shorts pay longs.",
            first="0.01",
            directions=_BOTH,
            lowest="-100",
            highest="100",
        ),
        AlertKind.SPREAD: _shape(
            "Spread",
            "bp",
            "(ask - bid) / middle. Where a venue tells bid and ask in its order book only, it is known while the "
            "instrument is in focus.",
            first="5",
            lowest="0.0001",
            highest="10000",
        ),
        AlertKind.BASIS: _shape(
            "Basis",
            "bp",
            "Difference of the price to the same market on the other venue, up or down, per coin.",
            first="20",
            lowest="0.0001",
            highest="100000",
        ),
        AlertKind.LIQUIDATION: _shape(
            "Liquidation distance",
            "%",
            "How far the mark price must move against the nearest position of your accounts at this venue.",
            first="10",
            directions=_BELOW,
            symbol=False,
            lowest="0.01",
            highest="1000",
        ),
        AlertKind.DOWN: _shape(
            "No new prices for",
            "s",
            "Nothing was received from the venue, or nothing in its replies changes any more.",
            first="15",
            symbol=False,
            lowest="2",
            highest="86400",
        ),
        AlertKind.LATENCY: _shape(
            "Warm latency p95",
            "ms",
            "95 of 100 requests on open connections were faster, over the window; from 10 requests on.",
            first="500",
            symbol=False,
            window=True,
            lowest="1",
            highest="120000",
        ),
        AlertKind.REUSE: _shape(
            "Connection reuse",
            "%",
            "Warm attempts of all attempts over the window; from 10 attempts on.",
            first="90",
            directions=_BELOW,
            symbol=False,
            window=True,
            lowest="1",
            highest="100",
        ),
        AlertKind.STREAK: _shape(
            "Failures in a row",
            "",
            "Polls of one endpoint that failed one after the other. Waiting for our own share of the rate limit is no "
            "failure.",
            first="3",
            symbol=False,
            lowest="1",
            highest="10000",
        ),
    }
)
"""Every kind, in the order in which they are offered."""


class AlertRule(NamedTuple):
    """One alert. ``side`` is ``above`` or ``below`` (the level itself counts as reached), ``level`` decimal text.

    ``symbol`` is the venue's own, empty for kinds of a whole venue. ``window_s`` matters for kinds that have one.
    ``cool_down_s`` is the least time between two notices. A muted one is watched and shown, but tells nothing.
    """

    kind: str
    venue: str
    symbol: str
    side: str
    level: str
    window_s: int = DEFAULT_WINDOW_S
    cool_down_s: int = DEFAULT_COOL_DOWN_S
    is_muted: bool = False

    @property
    def shape(self) -> AlertShape:
        """What a rule of its kind is made of."""
        return SHAPES[AlertKind(self.kind)]

    @property
    def key(self) -> tuple[str, str]:
        """(venue, venue symbol)."""
        return (self.venue, self.symbol)

    @property
    def identity(self) -> "AlertRule":
        """The rule whether muted or not."""
        return self._replace(is_muted=False)


def checked_rule(rule: AlertRule) -> AlertRule:
    """The rule, if it makes sense.

    Raises:
        ValueError: says what was expected instead, for people.
    """
    try:
        shape = SHAPES[AlertKind(rule.kind)]
    except ValueError:
        raise ValueError("an alert of a known kind") from None
    if not rule.venue or bool(rule.symbol) != shape.needs_symbol:
        raise ValueError("an alert with a venue, and an instrument where its kind has one")
    if rule.side not in shape.directions:
        raise ValueError(f"an alert for {' or '.join(shape.directions)}")
    level = level_of(rule.level)
    if level is None or not shape.lowest <= level <= shape.highest:
        if rule.kind == AlertKind.PRICE:
            raise ValueError("a price above 0, such as 90000.5")
        raise ValueError(f"a level from {shape.lowest:f} to {shape.highest:f}, such as {shape.first_level}")
    if not MIN_WINDOW_S <= rule.window_s <= MAX_WINDOW_S or not 0 <= rule.cool_down_s <= MAX_COOL_DOWN_S:
        raise ValueError("an alert with a window of 10 seconds to a day and a cool-down of at most a day")
    return rule


def level_of(text: str) -> Decimal | None:
    """The number a level is; ``None`` for what is none."""
    if len(text) > MAX_LEVEL_CHARS:
        return None
    try:
        level = Decimal(text)
    except InvalidOperation:
        return None
    return level if level.is_finite() else None


def latency_levels_s(rules: Iterable[AlertRule]) -> dict[str, float]:
    """By venue, the lowest warm latency in seconds of which one of ``rules`` tells; muted ones tell of none."""
    found: dict[str, float] = {}
    for rule in rules:
        level = level_of(rule.level) if rule.kind == AlertKind.LATENCY and not rule.is_muted else None
        if level is not None:
            level_s = float(level) / 1_000.0
            found[rule.venue] = min(level_s, found.get(rule.venue, level_s))
    return found
