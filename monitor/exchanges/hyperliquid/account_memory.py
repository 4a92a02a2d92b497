"""What an account client remembers between polls, with the time it was asked for."""

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from monitor.domain.account import Fill, FundingPaid, OpenOrder, RowProblem
from monitor.exchanges.hyperliquid.account_parse import DexState, SpotState
from monitor.exchanges.hyperliquid.account_values import TokenPrices

T_co = TypeVar("T_co", covariant=True)


class Held(msgspec.Struct, Generic[T_co], frozen=True):
    """A value and when it was asked for (monotonic)."""

    value: T_co
    asked_mono_s: float


class DexOrders(msgspec.Struct, frozen=True, kw_only=True):
    """Open orders of one dex."""

    orders: tuple[OpenOrder, ...]
    problems: tuple[RowProblem, ...]


class AccountMemory(msgspec.Struct, frozen=True, kw_only=True):
    """Everything remembered. Replaced as a whole, so that several pollers may read it at once."""

    mode: Held[str] | None = None
    dexes: Held[tuple[str, ...]] | None = None
    collateral: Mapping[str, int]
    states: Mapping[str, Held[DexState]]
    spot: Held[SpotState] | None = None
    prices: Held[TokenPrices] | None = None
    orders: Mapping[str, Held[DexOrders]]
    fills: tuple[Fill, ...] = ()
    """Newest first."""
    fills_since: datetime | None = None
    """See ``FillList.complete_since``."""
    funding: tuple[FundingPaid, ...] = ()
    """Newest first."""
    funding_since: datetime | None = None
    """See ``FundingPaidList.complete_since``."""

    @property
    def known_dexes(self) -> tuple[str, ...]:
        """Every dex, the first one first; only that one before the list is known."""
        return ("",) if self.dexes is None else self.dexes.value

    @property
    def used_dexes(self) -> tuple[str, ...]:
        """The first dex, and those where the address has something."""
        used = [dex for dex in self.known_dexes if dex and dex in self.states and self.states[dex].value.is_in_use]
        return ("", *used)

    @property
    def busy_dexes(self) -> frozenset[str]:
        """Those in use, and those where the address has orders."""
        return frozenset(self.used_dexes) | {dex for dex, held in self.orders.items() if held.value.orders}

    @property
    def other_dexes(self) -> tuple[str, ...]:
        """The rest."""
        used = self.used_dexes
        return tuple(dex for dex in self.known_dexes if dex not in used)


class MemoryBox:
    """Holds the memory. Thread: any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._memory = AccountMemory(collateral={}, states={}, orders={})

    @property
    def now(self) -> AccountMemory:
        """What is remembered now."""
        return self._memory

    def keep(self, **changes: object) -> None:
        """Replace fields, by name."""
        with self._lock:
            self._memory = replace(self._memory, **changes)

    def keep_state(self, dex: str, held: Held[DexState]) -> None:
        """One dex's state."""
        with self._lock:
            self._memory = replace(self._memory, states={**self._memory.states, dex: held})

    def keep_orders(self, dex: str, held: Held[DexOrders]) -> None:
        """One dex's open orders."""
        with self._lock:
            self._memory = replace(self._memory, orders={**self._memory.orders, dex: held})

    def keep_collateral(self, dex: str, token: int) -> None:
        """What a dex's money is."""
        with self._lock:
            self._memory = replace(self._memory, collateral={**self._memory.collateral, dex: token})
