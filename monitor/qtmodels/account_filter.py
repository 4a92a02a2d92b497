"""Sorting and filtering of an account table. Texts and sort keys are kept, as a venue lists thousands of fills."""

from collections.abc import Callable, Hashable
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, Final, TypeAlias

from PySide6.QtCore import (
    QAbstractItemModel,
    QObject,
    QSortFilterProxyModel,
    Qt,
)

from monitor.qtmodels.account_columns import Look, Raw
from monitor.qtmodels.account_model import AccountModel
from monitor.qtmodels.headed_model import Index
from monitor.state.account_tables import Row

_SortKey: TypeAlias = tuple[int, float | str]

_CLOCKS: Final = frozenset({"stamp", "verdict"})
"""Fields of a row that every reply changes and the filter does not look at."""
_SPARE_TEXTS: Final = 200


class AccountFilter(QSortFilterProxyModel):
    """Sorts by value, unknown always last, and keeps rows whose visible text holds every word of the filter.

    Thread: GUI.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._texts: dict[Hashable, tuple[object, bool, str]] = {}
        self._sort_keys: dict[int, _SortKey] = {}
        self._readers: dict[type, Callable[[Row], object]] = {}
        """By kind of row: reads what its text can depend on."""
        self._next = 0
        self.setDynamicSortFilter(True)

    def setSourceModel(self, model: QAbstractItemModel) -> None:
        """Qt: what is sorted and filtered; an ``AccountModel``."""
        # Connected before the proxy's own slots, so that it never sorts by what no longer holds.
        for signal in (
            model.dataChanged,
            model.rowsInserted,
            model.rowsRemoved,
            model.rowsMoved,
            model.modelReset,
            model.layoutChanged,
        ):
            signal.connect(self._forget_sort_keys)
        super().setSourceModel(model)

    def set_filter_text(self, text: str) -> None:
        """Show only rows in which every word of ``text`` occurs; empty shows all."""
        words = tuple(text.casefold().split())
        if words != self._words:
            self._words = words
            self.invalidate()

    def prepare(self, count: int) -> None:
        """Write out the texts of ``count`` more rows, so that the first letter typed has little left to do."""
        model = self.sourceModel()
        total = model.rowCount() if isinstance(model, AccountModel) else 0
        if not isinstance(model, AccountModel) or not total:
            return
        for step in range(min(count, total)):
            self._text_of(model, model.row_at((self._next + step) % total))
        self._next = (self._next + count) % total

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Qt: sort by ``column``; -1 is the model's own order."""
        self._sort_keys.clear()
        super().sort(column, Qt.SortOrder.AscendingOrder if column < 0 else order)

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        """Qt: whether a row is shown. What is covered cannot be searched for."""
        model = self.sourceModel()
        if not self._words or not isinstance(model, AccountModel):
            return True
        text = self._text_of(model, model.row_at(source_row))
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        """Qt: by value; ages by how old they are."""
        return self._sort_key(left) < self._sort_key(right)

    def _text_of(self, model: AccountModel[Any], row: Row) -> str:
        read = self._readers.get(type(row))
        if read is None:
            names = (name for name in row.__struct_fields__ if name not in _CLOCKS)
            read = self._readers[type(row)] = attrgetter(*names)
        content = read(row)
        held = self._texts.get(row.key)
        if held is not None and held[1] is model.is_covered and held[0] == content:
            return held[2]
        texts = (model.text(row, column) for column in model.columns if column.look is not Look.AGE)
        text = f"{row.ref.venue} {' '.join(texts)}".casefold()
        if len(self._texts) > 2 * model.rowCount() + _SPARE_TEXTS:
            self._texts.clear()
        self._texts[row.key] = (content, model.is_covered, text)
        return text

    def _sort_key(self, index: Index) -> _SortKey:
        number = index.row()
        key = self._sort_keys.get(number)
        if key is None:
            key = self._sort_keys[number] = self._made_key(number, index.column())
        return key

    def _made_key(self, number: int, column_number: int) -> _SortKey:
        model = self.sourceModel()
        assert isinstance(model, AccountModel)  # noqa: S101 - nothing else is ever its source
        row, column = model.row_at(number), model.columns[column_number]
        value: Raw = column.value_of(row)
        if column.look is Look.AGE and row.stamp is not None:
            value = Decimal(-row.stamp.requested_mono_s)
        # Below everything in one order, above everything in the other: at the end in both.
        last = 2 if self.sortOrder() is Qt.SortOrder.AscendingOrder else -1
        if value is None or value == "":
            return (last, "")
        if isinstance(value, datetime):
            return (0, value.timestamp())
        if isinstance(value, Decimal):
            return (0, float(value))
        return (1, str(value).casefold())

    def _forget_sort_keys(self) -> None:
        self._sort_keys.clear()
