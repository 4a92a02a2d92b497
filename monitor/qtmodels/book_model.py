"""The order book of one instrument as rows: best prices on top, bids at the left, asks at the right."""

from collections.abc import Sequence
from decimal import Decimal
from enum import IntEnum
from itertools import accumulate
from typing import Any

from PySide6.QtCore import QObject, Qt

from monitor.domain.market import BookLevel, Instrument
from monitor.qtmodels.figures import DASH, plain_tooltip, price_text, quoted_text
from monitor.qtmodels.headed_model import NO_PARENT, Head, HeadedModel, Index
from monitor.state.books import BookState

DEPTH_ROLE = int(Qt.ItemDataRole.UserRole)
"""Size up to this level / the larger side's size up to the last level, 0 to 1; ``None`` where there is no level."""


class BookColumn(IntEnum):
    """Columns of the book, from the bids' side to the asks'."""

    BID_TOTAL = 0
    BID_SIZE = 1
    BID = 2
    ASK = 3
    ASK_SIZE = 4
    ASK_TOTAL = 5


_HEADS = (
    Head("Total", "Sum of the sizes from the best bid down to this one", is_right=True),
    Head("Size", "Size wanted at this price, in units of the instrument", is_right=True),
    Head("Bid", "Price somebody is willing to buy at; the best one on top", is_right=True),
    Head("Ask", "Price somebody is willing to sell at; the best one on top"),
    Head("Size", "Size offered at this price, in units of the instrument"),
    Head("Total", "Sum of the sizes from the best ask up to this one"),
)
_BID_SIDE = (BookColumn.BID_TOTAL, BookColumn.BID_SIZE, BookColumn.BID)


class BookModel(HeadedModel):
    """Newest levels of one book; as many rows as the longer side has levels."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(_HEADS, parent)
        self._bids: tuple[tuple[BookLevel, Decimal], ...] = ()
        self._asks: tuple[tuple[BookLevel, Decimal], ...] = ()
        self._largest = Decimal(0)
        self._instrument: Instrument | None = None

    def show(self, state: BookState | None, instrument: Instrument | None) -> None:
        """Show ``state`` of ``instrument`` (``None``: not known; prices have the venue's own digits)."""
        before = self.rowCount()
        bids = () if state is None else _with_totals(state.book.bids)
        asks = () if state is None else _with_totals(state.book.asks)
        after = max(len(bids), len(asks))
        if after < before:
            self.beginRemoveRows(NO_PARENT, after, before - 1)
        elif after > before:
            self.beginInsertRows(NO_PARENT, before, after - 1)
        self._bids, self._asks, self._instrument = bids, asks, instrument
        self._largest = max((side[-1][1] for side in (bids, asks) if side), default=Decimal(0))
        if after < before:
            self.endRemoveRows()
        elif after > before:
            self.endInsertRows()
        if after:
            self.dataChanged.emit(self.index(0, 0), self.index(after - 1, len(BookColumn) - 1))

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of levels of the longer side."""
        return 0 if parent.isValid() else max(len(self._bids), len(self._asks))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: one text per cell; how deep the book is there under ``DEPTH_ROLE``."""
        if not index.isValid() or index.row() >= self.rowCount():
            return None
        column = BookColumn(index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._heads[column].alignment
        side = self._bids if column in _BID_SIDE else self._asks
        entry = side[index.row()] if index.row() < len(side) else None
        if role == DEPTH_ROLE:
            return None if entry is None or self._largest <= 0 else float(entry[1] / self._largest)
        if role == Qt.ItemDataRole.DisplayRole:
            return DASH if entry is None else self._text(column, *entry)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self._heads[column].what)
        return None

    def _text(self, column: BookColumn, level: BookLevel, total: Decimal) -> str:
        if column in (BookColumn.BID, BookColumn.ASK):
            return quoted_text(level.price, self._instrument)
        return price_text(level.size if column in (BookColumn.BID_SIZE, BookColumn.ASK_SIZE) else total)


def _with_totals(levels: Sequence[BookLevel]) -> tuple[tuple[BookLevel, Decimal], ...]:
    return tuple(zip(levels, accumulate(level.size for level in levels), strict=True))
