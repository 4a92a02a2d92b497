"""A table to read: rows of one line, one row selected at a time, nothing to edit, no grid."""

from collections.abc import Mapping
from typing import TypeVar

from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableView, QVBoxLayout

ColumnT = TypeVar("ColumnT", bound=int)


def calm_table(model: QAbstractItemModel, name: str) -> QTableView:
    """A table of ``model`` that is called ``name`` for screen readers; Tab leaves it."""
    table = QTableView()
    table.setModel(model)
    make_calm(table, name)
    return table


def make_calm(table: QTableView, name: str) -> None:
    """The same for a table that is there already."""
    table.setAccessibleName(name)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 7)
    table.horizontalHeader().setHighlightSections(False)


def set_widths(table: QTableView, samples: Mapping[ColumnT, str], *, stretched: int, room_px: int) -> None:
    """Make columns wide enough for their sample and ``room_px`` beside it, and ``stretched`` take what is left.

    Once, so that no update moves a column.
    """
    metrics = table.fontMetrics()
    for column, sample in samples.items():
        table.setColumnWidth(column, metrics.horizontalAdvance(sample) + room_px)
    table.horizontalHeader().setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)


def empty_label(table: QTableView, text: str) -> QLabel:
    """A label in the middle of ``table`` that says what to do while there is no row; show and hide it as needed."""
    label = QLabel(text)
    label.setProperty("muted", True)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setWordWrap(True)
    QVBoxLayout(table.viewport()).addWidget(label)
    return label
