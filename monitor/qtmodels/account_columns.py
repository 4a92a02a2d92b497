"""The columns of the account tables: what each is called, means, shows and sums up.

A column reads a plain value off a row; how it is written, sorted, covered and exported follows from its ``look``.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar

import msgspec

from monitor.qtmodels.figures import DASH, average_decimals, price_text, safe_text, signed
from monitor.state.account_tables import Row

RowT = TypeVar("RowT", bound=Row)

Raw: TypeAlias = Decimal | datetime | str | bool | None
"""What a column reads: a number, a stamp, a text, yes or no; ``None``: unknown."""

COVERED: Final = "•••••"
"""Stands for every amount while amounts are hidden; always the same, so that not even its size shows."""


class Look(StrEnum):
    """How a value is shown."""

    TEXT = "text"
    SIDE = "side"  # long, short, buy, sell: with an arrow, in the colour of rising or falling
    QUOTED = "quoted"  # a price of the row's instrument, with as many decimals as that has
    PRICE = "price"  # the venue's digits
    MONEY = "money"  # two decimals
    AMOUNT = "amount"  # of any asset: two decimals, and more of what is small
    GAIN = "gain"  # money with its sign, in the colour of rising or falling
    AVERAGE = "average"  # a price that is a quotient: as many digits as a price of its size has
    PERCENT = "percent"
    RATE = "rate"  # a fraction so small that its percent needs six decimals
    USED_BAR = "used_bar"  # a fraction of which 1 is the end
    DISTANCE_BAR = "distance_bar"  # a fraction of which 0 is the end
    TIME = "time"
    YES = "yes"
    AGE = "age"  # of the row's block


RIGHT_LOOKS: Final = frozenset(
    {
        Look.QUOTED,
        Look.PRICE,
        Look.AVERAGE,
        Look.MONEY,
        Look.AMOUNT,
        Look.GAIN,
        Look.PERCENT,
        Look.RATE,
        Look.USED_BAR,
        Look.DISTANCE_BAR,
        Look.AGE,
    }
)

_SAMPLES: Final = {
    Look.TEXT: "partly filled",
    Look.SIDE: "▼ short",
    Look.QUOTED: "000,000.00",
    Look.PRICE: "000,000.00",
    Look.MONEY: "000,000.00",
    Look.AMOUNT: "0,000,000.00 *",
    Look.GAIN: "+000,000.00",
    Look.AVERAGE: "000,000.00",
    Look.PERCENT: "000.0 %",
    Look.RATE: "-00.000000 %",
    Look.USED_BAR: "▇▇▇▇▇▇ 00.0 %",
    Look.DISTANCE_BAR: "▇▇▇▇▇▇ 00.0 %",
    Look.TIME: "2026-00-00 00:00:00",
    Look.YES: "yes",
    Look.AGE: "00–00 min",
}
"""The widest text that is common for each."""


class Column(msgspec.Struct, Generic[RowT], frozen=True, kw_only=True):
    """One column. ``name`` is its heading in a file, ``total`` the name of its sum in ``RowTotals.sums``,
    ``sum_title`` what the sum is called where that is not the column's title.

    ``is_amount``: it tells how much somebody has, so it is covered for screen sharing. ``sample`` sets its width
    where that of its look does not.
    ``applies`` False for a row: the column says nothing of it and stays empty, which is not "unknown"; of a row that
    was lost only those that are ``is_always`` say something.
    """

    name: str
    title: str
    definition: str
    look: Look
    read: Callable[[RowT], Raw]
    sample: str = ""
    is_amount: bool = False
    total: str = ""
    sum_title: str = ""
    applies: Callable[[RowT], bool] | None = None
    is_always: bool = False

    def value_of(self, row: RowT) -> Raw:
        """What it reads off ``row``; the empty text where it does not apply."""
        if not self.is_always and (row.is_lost or (self.applies is not None and not self.applies(row))):
            return ""
        return self.read(row)

    @property
    def widest(self) -> str:
        """A text as wide as any that is expected."""
        return self.sample or _SAMPLES[self.look]

    @property
    def is_right(self) -> bool:
        """Whether it is aligned to the right."""
        return self.look in RIGHT_LOOKS


def of(part: str, name: str) -> Callable[[Row], Raw]:
    """Read attribute ``name`` of the row's ``part``; unknown where the row has no such part."""

    def read(row: Row) -> Raw:
        owner = getattr(row, part)
        value: Raw = None if owner is None else getattr(owner, name)
        return value

    return read


def nothing(row: Row) -> Raw:  # noqa: ARG001 - the shape of a reader
    """For a column that is not read off the row."""
    return None


def account_column() -> Column[Any]:
    """Whose row it is: in every table."""
    return Column(
        name="account",
        title="Account",
        definition="Your name for the account, with its venue where two have that name; its colour is the venue's",
        look=Look.TEXT,
        read=lambda row: row.ref.name,
        sample="demo · Some exchange",
        is_always=True,
    )


def instrument_column(definition: str) -> Column[Any]:
    """Which market a row is about, under its display name."""
    return Column(
        name="instrument",
        title="Instrument",
        definition=definition,
        look=Look.TEXT,
        read=lambda row: row.name,
        sample="DOGE-USDT-PERP",
        is_always=True,
    )


def age_column() -> Column[Any]:
    """How old a row is; the delegate reckons it while it runs."""
    return Column(
        name="age_s",
        title="Age",
        definition="Time since this was asked for; what is late is struck through",
        look=Look.AGE,
        read=nothing,
        is_always=True,
    )


def show(column: "Column[RowT]", value: Raw) -> str:
    """``value`` as ``column`` writes it."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return stamp_text(value)
    if isinstance(value, str):
        return side_text(value) if column.look is Look.SIDE else safe_text(value, 60)
    return number_text(column.look, value)


def number_text(look: Look, value: Decimal) -> str:
    """A number as ``look`` writes it."""
    if look is Look.GAIN:
        return signed(value, _money_decimals(value))
    if look is Look.MONEY:
        return price_text(value, _money_decimals(value))
    if look is Look.AMOUNT:
        return price_text(value, min(8, max(2, 3 - value.adjusted())) if value else 2)
    if look is Look.AVERAGE:
        return price_text(value, average_decimals(value))
    if look is Look.RATE:
        return f"{price_text(value * 100, 6)} %"
    if look in {Look.PERCENT, Look.USED_BAR, Look.DISTANCE_BAR}:
        return f"{price_text(value * 100, 1)} %"
    return price_text(value)


def leverage_text(leverage: Decimal | None, margin_mode: str | None) -> str | None:
    """``20× cross``; ``None`` when neither is known."""
    if leverage is None and margin_mode is None:
        return None
    return f"{DASH if leverage is None else f'{price_text(leverage)}×'} {margin_mode or DASH}"


def stamp_text(stamp: datetime) -> str:
    """Day and time of day in the user's zone."""
    return stamp.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def side_text(side: str) -> str:
    """A side with the arrow that makes it readable without its colour; nothing where there is no side."""
    if not side:
        return ""
    return f"{'▲' if side in {'long', 'buy'} else '▼'} {side}"


def file_text(value: Raw) -> str:
    """``value`` for a file: every digit, UTC, empty for unknown; a text that a spreadsheet would run is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    text = safe_text(value, 200)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _money_decimals(value: Decimal) -> int:
    return 2 if value == 0 or abs(value) >= Decimal("0.1") else 4
