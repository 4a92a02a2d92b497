"""Bring the rows of a model to a wanted list with the fewest notifications, never with a reset.

A reset would drop the selection, the scroll position and the editor of every view, and repaint all of it.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex

RowT = TypeVar("RowT")


def sync_rows(
    model: QAbstractTableModel, rows: list[RowT], wanted: Sequence[RowT], key: Callable[[RowT], Hashable]
) -> None:
    """Change ``rows`` in place into ``wanted``, telling the views of ``model`` about each step.

    Rows are recognised by ``key``, which must be unique within ``wanted``; a row whose value differs is reported with
    ``dataChanged``, neighbours together. Rows that change place are moved, so that selections follow them.
    """
    parent = QModelIndex()
    keys = {key(row) for row in wanted}
    _remove_missing(model, rows, keys, key, parent)
    changed: list[int] = []
    position = {key(row): at for at, row in enumerate(rows)}
    for at, row in enumerate(wanted):
        row_key = key(row)
        if at < len(rows) and key(rows[at]) == row_key:
            pass
        elif row_key in position:
            source = next(i for i in range(at, len(rows)) if key(rows[i]) == row_key)
            model.beginMoveRows(parent, source, source, parent, at)
            rows.insert(at, rows.pop(source))
            model.endMoveRows()
        else:
            model.beginInsertRows(parent, at, at)
            rows.insert(at, row)
            model.endInsertRows()
            continue
        if rows[at] is not row and rows[at] != row:
            rows[at] = row
            changed.append(at)
    notify_changed(model, changed)


def _remove_missing(
    model: QAbstractTableModel,
    rows: list[RowT],
    keys: set[Hashable],
    key: Callable[[RowT], Hashable],
    parent: QModelIndex,
) -> None:
    end = len(rows)
    while end > 0:
        if key(rows[end - 1]) in keys:
            end -= 1
            continue
        start = end - 1
        while start > 0 and key(rows[start - 1]) not in keys:
            start -= 1
        model.beginRemoveRows(parent, start, end - 1)
        del rows[start:end]
        model.endRemoveRows()
        end = start


def notify_changed(model: QAbstractTableModel, changed: Sequence[int], *, column: int | None = None) -> None:
    """Emit ``dataChanged`` for the row numbers in ``changed`` (ascending), one per run of rows.

    ``column``: the only one that changed; ``None``: all of them.
    """
    first_column = 0 if column is None else column
    last_column = model.columnCount(QModelIndex()) - 1 if column is None else column
    at = 0
    while at < len(changed):
        end = at
        while end + 1 < len(changed) and changed[end + 1] == changed[end] + 1:
            end += 1
        model.dataChanged.emit(model.index(changed[at], first_column), model.index(changed[end], last_column))
        at = end + 1
