"""One account table: rows to sort, filter and copy, sums below them, how old each account's part is above."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QGuiApplication, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from monitor.qtmodels.account_columns import Column
from monitor.qtmodels.account_filter import AccountFilter
from monitor.qtmodels.account_model import AccountModel, TotalsModel
from monitor.qtmodels.headed_model import ROW_ROLE
from monitor.state.account_tables import Row, RowTotals
from monitor.widgets.account_chips import AccountChips, Chip, EmptyState
from monitor.widgets.account_delegate import PADDING_PX, AccountDelegate
from monitor.widgets.calm_table import make_calm
from monitor.widgets.theme import Theme
from monitor.widgets.venue_sums import VenueSums

LOW_TABLE_PX: Final = 260
"""A table lower than this keeps its room for rows: the sums of all venues share one line."""

PREPARED_AT_ONCE: Final = 100
"""Rows made ready for filtering with each refresh: a few milliseconds."""

FILTER_HINT: Final = "Filter: account, instrument, side …"


class AccountTable(QWidget):
    """A table of one kind of row. ``head`` (filter, ages, buttons) is placed by whoever owns the table.

    Signals:
        accounts_requested(): the user wants to add or mend an account.
        export_requested(): the user wants the rows in a file.

    Thread: GUI.
    """

    accounts_requested = Signal()
    export_requested = Signal()

    def __init__(
        self,
        title: str,
        columns: Sequence[Column[Any]],
        *,
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.title = title
        self.model: AccountModel[Any] = AccountModel(columns, venue_title, self)
        self.totals = TotalsModel(columns, venue_title, self)
        self.proxy = AccountFilter(self)
        self.proxy.setSourceModel(self.model)
        self._delegate = AccountDelegate(theme, parent=self)
        self._total_delegate = AccountDelegate(theme, is_total=True, parent=self)
        self.table = QTableView()
        self.footer = QTableView()
        self._set_up(self.table, title)
        self._set_up(self.footer, f"{title}, sums")
        self.table.setModel(self.proxy)
        self.table.setItemDelegate(self._delegate)
        self.footer.setModel(self.totals)
        self.footer.setItemDelegate(self._total_delegate)
        self.venue_sums = VenueSums(f"{title}, sums by venue", theme)
        self._lines: tuple[RowTotals, ...] = ()
        self._arrange_columns(columns)
        self._make_head(theme)
        self._make_empty()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.venue_sums)
        layout.addWidget(self.footer)
        self._connect()
        self.show_totals(())

    def _set_up(self, table: QTableView, name: str) -> None:
        make_calm(table, name)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setCornerButtonEnabled(False)

    def _arrange_columns(self, columns: Sequence[Column[Any]]) -> None:
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(36)
        header.setSectionsMovable(True)
        metrics = self.table.fontMetrics()
        font = QFont(self.table.font())
        font.setBold(True)
        bold = QFontMetrics(font)
        for number, column in enumerate(columns):
            # The heading needs room for its arrow when the table is sorted by it.
            wanted = max(metrics.horizontalAdvance(column.widest), metrics.horizontalAdvance(column.title) + 8)
            if column.total:
                # Sums are bold, and have a star when a part is missing.
                wanted = max(wanted, bold.horizontalAdvance(f"{column.widest.removesuffix(' *')} *"))
            self.table.setColumnWidth(number, wanted + 2 * PADDING_PX + 4)
            self.footer.setColumnWidth(number, self.table.columnWidth(number))
        self.table.setSortingEnabled(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.proxy.sort(-1)
        self.footer.setProperty("sums", True)
        self.footer.horizontalHeader().hide()
        self.footer.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.footer.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.footer.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.footer.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.footer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _make_head(self, theme: Theme) -> None:
        self.head = QWidget()
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(FILTER_HINT)
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(f"Filter {self.title.lower()}")
        self.filter.setMaximumWidth(260)
        self.filter.setMinimumWidth(110)
        self.chips = AccountChips(theme)
        self.accounts_button = self._button("Accounts…", "Add, test, replace or delete accounts")
        self.export_button = self._button("CSV…", "Write these rows to a file")
        head = QHBoxLayout(self.head)
        head.setContentsMargins(6, 0, 6, 0)
        head.setSpacing(10)
        head.addWidget(self.filter, 2)
        head.addWidget(self.chips, 5)
        head.addWidget(self.accounts_button)
        head.addWidget(self.export_button)

    def _button(self, text: str, what: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(what)
        button.setAccessibleName(f"{self.title}: {what}")
        return button

    def _make_empty(self) -> None:
        self._empty = QWidget()
        self.empty_label = QLabel()
        self.empty_label.setTextFormat(Qt.TextFormat.PlainText)
        self.empty_label.setProperty("muted", True)
        self.empty_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty_label.setWordWrap(True)
        self.empty_button = QPushButton()
        self.empty_button.setAccessibleName("Add or mend an account")
        inside = QVBoxLayout(self._empty)
        inside.setContentsMargins(12, 4, 12, 4)
        inside.addStretch(1)
        inside.addWidget(self.empty_label)
        inside.addWidget(self.empty_button, 0, Qt.AlignmentFlag.AlignHCenter)
        inside.addStretch(1)
        over = QVBoxLayout(self.table.viewport())
        over.setContentsMargins(0, 0, 0, 0)
        over.addWidget(self._empty)

    def _connect(self) -> None:
        self.filter.textChanged.connect(self.proxy.set_filter_text)
        self.accounts_button.clicked.connect(self.accounts_requested)
        self.empty_button.clicked.connect(self.accounts_requested)
        self.export_button.clicked.connect(self.export_requested)
        header = self.table.horizontalHeader()
        header.sectionResized.connect(self._on_resized)
        header.sectionMoved.connect(self._on_moved)
        self.table.horizontalScrollBar().valueChanged.connect(self.footer.horizontalScrollBar().setValue)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._on_menu)
        copy = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self.table)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy)

    # What it shows

    def show_rows(self, rows: Sequence[Row], now_mono_s: float, empty: EmptyState) -> None:
        """Show ``rows`` as of now, or ``empty`` when there are none."""
        self.model.set_rows(rows, now_mono_s)
        self.proxy.prepare(PREPARED_AT_ONCE)
        self._empty.setVisible(not rows)
        if not rows:
            self.empty_label.setText(empty.text)
            self.empty_button.setText(empty.button)
            self.empty_button.setVisible(empty.offers_accounts)

    def show_totals(self, lines: Sequence[RowTotals]) -> None:
        """Show the sums, that of all last, or no footer at all."""
        self._lines = tuple(lines)
        self._place_totals()

    def _place_totals(self) -> None:
        """A line each where there is room, else one of all and one for the venues together."""
        is_low = self.height() < LOW_TABLE_PX and len(self._lines) > 1
        is_covered = self.model.is_covered
        below = self._lines[-1:] if is_low else self._lines
        summed = [column for column in self.model.columns if column.total]
        late = frozenset(
            (row.ref.venue, column.total)
            for row in self.model.rows
            for column in summed
            if not row.is_current(column.name)
        )
        self.totals.set_lines(below, is_covered=is_covered, late=late)
        self.footer.setVisible(bool(below))
        self.footer.setFixedHeight(self.footer.verticalHeader().defaultSectionSize() * len(below) + 2)
        self.venue_sums.setVisible(is_low)
        together = self._lines[:-1] if is_low else ()
        self.venue_sums.set_venues([self.totals.figures_of(line, is_covered=is_covered) for line in together])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: another height may have room for other sums."""
        super().resizeEvent(event)
        self._place_totals()

    def show_chips(self, chips: Sequence[Chip]) -> None:
        """Show how old each account's part is."""
        self.chips.set_chips(chips)

    def set_covered(self, is_covered: bool) -> None:
        """Hide or show every amount."""
        self.model.set_covered(is_covered)
        self._place_totals()
        # What was typed may no longer be visible in any row.
        self.proxy.invalidate()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._delegate.set_theme(theme)
        self._total_delegate.set_theme(theme)
        self.chips.set_theme(theme)
        self.venue_sums.set_theme(theme)
        self.table.viewport().update()
        self.footer.viewport().update()

    # What the user takes out of it

    def shown_rows(self) -> list[Row]:
        """The rows as they stand, sorted and filtered."""
        return [self.proxy.index(number, 0).data(ROW_ROLE) for number in range(self.proxy.rowCount())]

    def selected_rows(self) -> list[Row]:
        """The rows selected, in the order shown; all when none is."""
        numbers = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        chosen: list[Row] = [self.proxy.index(number, 0).data(ROW_ROLE) for number in numbers]
        return chosen or self.shown_rows()

    def copy(self) -> None:
        """Put the selected rows (all when none is) on the clipboard as tab-separated text; hidden amounts stay out."""
        QGuiApplication.clipboard().setText(self._written(self.selected_rows(), "\t", not self.model.is_covered))

    def csv_text(self, *, with_amounts: bool) -> str:
        """The rows shown as CSV with headings: every digit, UTC, unknown empty."""
        return self._written(self.shown_rows(), ",", with_amounts)

    def _written(self, rows: Sequence[Row], delimiter: str, with_amounts: bool) -> str:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        writer.writerow(self.model.file_head)
        writer.writerows(self.model.file_row(row, with_amounts=with_amounts) for row in rows)
        return text.getvalue()

    def _select_all(self) -> None:
        self.table.selectAll()

    def _on_menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction("Copy", self.copy)
        menu.addAction("Select all", self._select_all)
        menu.addSeparator()
        menu.addAction("Export as CSV…", self.export_requested.emit)
        menu.exec(self.table.viewport().mapToGlobal(at))
        menu.deleteLater()

    def _on_resized(self, section: int, before: int, after: int) -> None:
        self.footer.setColumnWidth(section, after)

    def _on_moved(self, section: int, before: int, after: int) -> None:
        self.footer.horizontalHeader().moveSection(before, after)
