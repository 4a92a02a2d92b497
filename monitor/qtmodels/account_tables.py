"""The columns of every account table, by the table's key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from monitor.qtmodels.account_columns import Column
from monitor.qtmodels.account_layouts import BALANCES, POSITIONS
from monitor.qtmodels.account_lists import FILLS, ORDERS
from monitor.qtmodels.account_past_layouts import FUNDING, PAST_ORDERS, PAST_POSITIONS

COLUMNS: Final[Mapping[str, Sequence[Column[Any]]]] = {
    "positions": POSITIONS,
    "past_positions": PAST_POSITIONS,
    "orders": ORDERS,
    "past_orders": PAST_ORDERS,
    "balances": BALANCES,
    "fills": FILLS,
    "funding": FUNDING,
}
