"""A small table of figures, each with what it means in its tooltip."""

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from monitor.proof.tables import Row
from monitor.qtmodels.figures import plain_tooltip

_ROW_PX = 4
_GAP = 18


class FigureTable(QTableWidget):
    """Rows of figures, read only, as wide and as high as what it holds. Ctrl+C copies it as text. Thread: GUI."""

    def __init__(self, name: str, heads: Sequence[str], meanings: Mapping[str, str], parent: QWidget | None = None):
        """``name``: for whoever hears the screen. ``meanings``: definitions of ``heads``."""
        super().__init__(0, len(heads) + 1, parent)
        self._heads = tuple(heads)
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        corner = QTableWidgetItem("")
        self.setHorizontalHeaderItem(0, corner)
        for column, head in enumerate(self._heads, start=1):
            item = QTableWidgetItem(head)
            item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(plain_tooltip(meanings.get(head, "")))
            self.setHorizontalHeaderItem(column, item)
        header = self.horizontalHeader()
        # As far from the edge as what stands below.
        header.setStyleSheet("QHeaderView::section { padding: 4px 3px; }")
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 2 * _ROW_PX)

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these figures."""
        self.setRowCount(len(rows))
        for place, row in enumerate(rows):
            tooltip = plain_tooltip(f"{row.name}: {row.definition}")
            for column, text in enumerate((row.name, *row.cells)):
                item = QTableWidgetItem(text)
                side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
                item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
                item.setToolTip(tooltip)
                self.setItem(place, column, item)
        self.updateGeometry()

    def as_text(self) -> str:
        """Heads and rows, separated by tabs."""
        lines = ["\t".join(("", *self._heads))]
        for row in range(self.rowCount()):
            cells = [self.item(row, column) for column in range(self.columnCount())]
            lines.append("\t".join("" if cell is None else cell.text() for cell in cells))
        return "\n".join(lines)

    def sizeHint(self) -> QSize:
        """Qt: all rows, without scrolling."""
        height = self.horizontalHeader().sizeHint().height() + self.verticalHeader().length() + 2
        return QSize(120 + self._least_width(), height)

    def minimumSizeHint(self) -> QSize:
        """Qt: narrower ones scroll."""
        return QSize(200, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: copy."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QApplication.clipboard().setText(self.as_text())
            return
        super().keyPressEvent(event)

    def _least_width(self) -> int:
        metrics = self.fontMetrics()
        return sum(metrics.horizontalAdvance(head) + _GAP for head in self._heads)
