"""What a made-up trader does in one market: in every cycle one position at most, opened, perhaps filled bit by bit, and
closed by the end of the cycle. A cycle is a pure function of (seed, account, leg, cycle).

Prices are known for all time, so a cycle is played to its end at once; who asks about an instant ignores what lies
after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from monitor.simulator.candles import DAY_MS, MINUTE_MS
from monitor.simulator.tape import Tape

_MONDAY_MS = 4 * DAY_MS  # 1970-01-05
WEEK_MS = 7 * DAY_MS


def week_start(now_ms: int) -> int:
    """Return the Monday 00:00 UTC before a time: no position is held over it."""
    return (now_ms - _MONDAY_MS) // WEEK_MS * WEEK_MS + _MONDAY_MS


class OrderKind(StrEnum):
    """How an order gets into the book."""

    MARKET = "market"
    LIMIT = "limit"
    TAKE_PROFIT = "take profit"
    STOP = "stop"
    LIQUIDATION = "liquidation"


class End(StrEnum):
    """What became of an order."""

    FILLED = "filled"
    CANCELLED = "cancelled"
    SIBLING = "sibling filled"
    LIQUIDATED = "account liquidated"


@dataclass(frozen=True, slots=True)
class Entry:
    """One order that builds the position: minutes after the start of the cycle, share of the leg's money, and for a
    limit order how far from the price of that moment (a fraction, on the better side); None is a market order."""

    at_min: float
    share: float
    offset: float | None = None


@dataclass(frozen=True, slots=True)
class Leg:
    """One market that an account is active in. cycle_min divides a week.

    side: 1 long, -1 short, 0 drawn for each cycle. take_profit and stop: distance from the first fill, as a fraction.
    is_profit_limit: the take-profit is a resting limit order instead of a trigger. give_up: share of the cycle after
    which an entry that has not filled is cancelled.
    """

    name: str
    market: str
    symbol: str
    cycle_min: int
    usd: float
    leverage: int = 10
    is_cross: bool = True
    side: int = 1
    entries: tuple[Entry, ...] = (Entry(0, 1.0),)
    take_profit: float | None = None
    stop: float | None = None
    is_profit_limit: bool = False
    give_up: float = 0.7
    margin_coin: str = "USDT"
    number: int = 0

    @property
    def length_ms(self) -> int:
        """How long a cycle is."""
        return self.cycle_min * MINUTE_MS

    def cycle_at(self, now_ms: int) -> int:
        """Return the number of the cycle at a time."""
        return (now_ms - _MONDAY_MS) // self.length_ms

    def start_of(self, cycle: int) -> int:
        """Return when a cycle begins; every week begins with a new one."""
        return cycle * self.length_ms + _MONDAY_MS


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill. pnl is realised by it, before the fee; fee is positive when paid; before_lots the signed position
    before it; mark_price what the mark was when it was a liquidation, else None."""

    time_ms: int
    number: int
    order: int
    is_buy: bool
    lots: int
    price: float
    is_maker: bool
    pnl: float = 0.0
    fee: float = 0.0
    before_lots: int = 0
    is_closing: bool = False
    mark_price: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One order from placing to its end; trigger is the price that wakes it, price None is "at market".

    parent: the order whose fill makes it live; live_ms is when that happened.
    """

    number: int
    kind: OrderKind
    is_buy: bool
    lots: int
    price: float | None
    placed_ms: int
    end_ms: int
    end: End
    is_closing: bool = False
    trigger: float | None = None
    parent: int | None = None
    live_ms: int = 0
    fills: tuple[Execution, ...] = ()

    def done_lots(self, now_ms: int) -> int:
        """Return how much of it was filled by then."""
        return sum(fill.lots for fill in self.fills if fill.time_ms <= now_ms)

    def is_open(self, now_ms: int) -> bool:
        """Say whether it rests at that time."""
        return self.placed_ms <= now_ms < self.end_ms


@dataclass(frozen=True, slots=True)
class Payment:
    """One funding payment: positive was received. lots are signed."""

    time_ms: int
    rate: float
    lots: int
    amount: float


@dataclass(frozen=True, slots=True)
class Episode:
    """A whole cycle. Fills and funding are in the order of time; liquidation is None for a cross position."""

    leg: Leg
    tape: Tape
    cycle: int
    number: int
    side: int
    start_ms: int
    end_ms: int
    orders: tuple[Order, ...]
    fills: tuple[Execution, ...]
    funding: tuple[Payment, ...]
    liquidation: float | None

    @property
    def net(self) -> float:
        """What the whole cycle brings: realised profit, fees and funding."""
        return sum(fill.pnl - fill.fee for fill in self.fills) + sum(row.amount for row in self.funding)

    @property
    def closed_ms(self) -> int | None:
        """When the position was closed, None when there never was one."""
        return self.fills[-1].time_ms if self.fills else None

    @property
    def opened_ms(self) -> int | None:
        """When the first fill was, None when there never was one."""
        return self.fills[0].time_ms if self.fills else None
