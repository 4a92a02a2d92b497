"""The columns of past orders, closed positions and funding."""

from typing import Final

from msgspec.structs import replace

from monitor.qtmodels.account_columns import Column, Look, Raw, account_column, instrument_column, leverage_text, of
from monitor.qtmodels.account_lists import ORDERS
from monitor.state.account_past_tables import FundingRow, PastPositionRow
from monitor.state.account_tables import OrderRow

_OPEN_ONLY: Final = ("value_left", "condition")
_OTHERWISE: Final = {
    "instrument": "What the order was about",
    "side": "What the order did",
    "size": "Size the order was placed with, in the base asset",
    "filled": "Part of the size that was traded",
    "status": "What became of it: filled, cancelled, rejected, expired, or the venue's own word",
}


def _ended_at(row: OrderRow) -> Raw:
    return None if row.order is None else row.order.updated_at


PAST_ORDERS: Final[tuple[Column[OrderRow], ...]] = (
    Column(
        name="ended_at",
        title="Ended",
        definition="When it was filled, cancelled or refused, local time; dash where the venue does not tell",
        look=Look.TIME,
        read=_ended_at,
    ),
    *(
        replace(column, definition=_OTHERWISE.get(column.name, column.definition))
        for column in ORDERS
        if column.name not in _OPEN_ONLY
    ),
)

PAST_POSITIONS: Final[tuple[Column[PastPositionRow], ...]] = (
    Column(
        name="closed_at",
        title="Closed",
        definition="When the last of it was closed, local time",
        look=Look.TIME,
        read=of("past", "closed_at"),
    ),
    account_column(),
    instrument_column("What was held"),
    Column(
        name="side",
        title="Side",
        definition="Long gained when the price rose, short when it fell",
        look=Look.SIDE,
        read=of("past", "side"),
    ),
    Column(
        name="max_size",
        title="Most held",
        definition="Largest size it had, in the base asset",
        look=Look.PRICE,
        read=of("past", "max_size"),
        is_amount=True,
    ),
    Column(
        name="entry_price",
        title="Entry",
        definition="Average price of what opened and enlarged it",
        look=Look.AVERAGE,
        read=of("past", "entry_price"),
    ),
    Column(
        name="close_price",
        title="Close",
        definition="Average price of what closed it",
        look=Look.AVERAGE,
        read=of("past", "close_price"),
    ),
    Column(
        name="realized_pnl",
        title="Realised",
        definition=(
            "Profit or loss less fees, plus funding: what it brought in the end. From the venue's list of closed "
            "positions, or added up from its fills where it has none; dash while a part is not known"
        ),
        look=Look.GAIN,
        read=of("past", "realized_pnl"),
        is_amount=True,
        total="realized",
    ),
    Column(
        name="fee_paid",
        title="Fees",
        definition="Fees paid for opening and closing it; negative for a rebate",
        look=Look.MONEY,
        read=of("past", "fee_paid"),
        is_amount=True,
        total="fee",
    ),
    Column(
        name="funding",
        title="Funding",
        definition=(
            "Funding received while it was held; negative: paid. Dash while the payments known do not reach back to "
            "its opening"
        ),
        look=Look.GAIN,
        read=of("past", "funding"),
        sample="+00,000.00",
        is_amount=True,
        total="funding",
    ),
    Column(
        name="liquidated_size",
        title="Forced",
        definition="Part of it that the venue closed by force",
        look=Look.PRICE,
        read=of("past", "liquidated_size"),
        is_amount=True,
        applies=lambda row: row.past is not None and bool(row.past.liquidated_size),
    ),
    Column(
        name="leverage",
        title="Leverage",
        definition="Leverage and margin mode it was held with; dash where the venue does not tell it of closed ones",
        look=Look.TEXT,
        read=lambda row: None if row.past is None else leverage_text(row.past.leverage, row.past.margin_mode),
        sample="100× isolated",
    ),
    Column(
        name="opened_at",
        title="Opened",
        definition="When it was opened, local time",
        look=Look.TIME,
        read=of("past", "opened_at"),
    ),
)

FUNDING: Final[tuple[Column[FundingRow], ...]] = (
    Column(
        name="time",
        title="Time",
        definition="When it was charged or credited, local time; for a whole position, when that was closed",
        look=Look.TIME,
        read=of("payment", "time"),
    ),
    account_column(),
    instrument_column("What was held"),
    Column(
        name="amount",
        title="Received",
        definition="Funding received; negative: paid",
        look=Look.GAIN,
        read=of("payment", "amount"),
        sample="+00,000.0000",
        is_amount=True,
        total="amount",
    ),
    Column(
        name="rate",
        title="Rate",
        definition="Rate of this payment; a positive one is paid by longs to shorts",
        look=Look.RATE,
        read=of("payment", "rate"),
        applies=lambda row: row.payment is not None and not row.payment.is_position_total,
    ),
    Column(
        name="position_size",
        title="Size held",
        definition="Size of the position at that time, in the base asset; negative: short",
        look=Look.PRICE,
        read=of("payment", "position_size"),
        sample="-000,000.00",
        is_amount=True,
        applies=lambda row: row.payment is not None and not row.payment.is_position_total,
    ),
    Column(
        name="of",
        title="Of",
        definition="One payment, or all of a closed position where the venue does not list payments",
        look=Look.TEXT,
        read=lambda row: (
            None if row.payment is None else "closed position" if row.payment.is_position_total else "payment"
        ),
        sample="closed position",
    ),
)
