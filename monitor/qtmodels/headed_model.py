"""What the models of tables have in common: headings that say what their column means, and rows that are a list."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from monitor.qtmodels.figures import plain_tooltip

Index: TypeAlias = QModelIndex | QPersistentModelIndex
NO_PARENT = QModelIndex()

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
"""Of a :class:`RowsModel`: the row itself."""

RowT = TypeVar("RowT")


class Head(NamedTuple):
    """Heading of a column: ``what`` is its definition, ``is_right`` the side it and its cells are aligned to."""

    title: str
    what: str
    is_right: bool = False

    @property
    def alignment(self) -> Qt.AlignmentFlag:
        """Of heading and cells."""
        side = Qt.AlignmentFlag.AlignRight if self.is_right else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter


class HeadedModel(QAbstractTableModel):
    """A table with ``heads``, in the order of its columns."""

    def __init__(self, heads: Sequence[Head], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._heads = tuple(heads)

    def columnCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of columns."""
        return 0 if parent.isValid() else len(self._heads)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: titles, with their definitions as tooltips."""
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._heads):
            return None
        head = self._heads[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return head.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(head.what)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return head.alignment
        return None


class RowsModel(HeadedModel, Generic[RowT]):
    """A table of ``_rows``, which subclasses keep with :func:`monitor.qtmodels.row_sync.sync_rows`.

    They say what stands in a cell, :meth:`text_of`, and what its tooltip is, :meth:`tooltip_of`.
    """

    def __init__(self, heads: Sequence[Head], parent: QObject | None = None) -> None:
        super().__init__(heads, parent)
        self._rows: list[RowT] = []

    def text_of(self, row: RowT, column: int) -> str:
        """What a cell says."""
        raise NotImplementedError

    def tooltip_of(self, row: RowT, column: int) -> str:
        """What a cell's tooltip says, as plain text."""
        raise NotImplementedError

    def row_at(self, row: int) -> RowT:
        """What stands in ``row``; raises ``IndexError`` outside the table."""
        if not 0 <= row < len(self._rows):
            raise IndexError(row)
        return self._rows[row]

    def rowCount(self, parent: Index = NO_PARENT) -> int:
        """Qt: number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Qt: one text per cell; the row under ``ROW_ROLE``."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], index.column()
        if role == ROW_ROLE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text_of(row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tooltip(self.tooltip_of(row, column))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._heads[column].alignment
        return None
