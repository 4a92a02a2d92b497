"""The watchlist: what is watched, in the user's order, with the age and the state of every price."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QDropEvent, QFont, QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QMenu, QTableView, QVBoxLayout, QWidget

from monitor.qtmodels.quote_model import QuoteColumn, QuoteModel, QuoteSource
from monitor.widgets.calm_table import make_calm
from monitor.widgets.theme import Theme
from monitor.widgets.watchlist_delegate import PADDING_PX, QuoteDelegate, small_font

if TYPE_CHECKING:
    from monitor.widgets.watchlist_delegate import Spark

InstrumentKey: TypeAlias = tuple[str, str]

SPARK_SPAN_S = 900.0
SPARK_POINTS = 40
SPARK_EVERY_S = 5.0
"""How often trends are drawn anew: a pixel of one is twenty seconds wide."""

SHOWN_COLUMNS = (QuoteColumn.SYMBOL, QuoteColumn.LAST, QuoteColumn.SPREAD, QuoteColumn.AGE, QuoteColumn.TREND)
"""Columns with a place of their own; the others are the second lines of these."""

OPTIONAL_COLUMNS = (QuoteColumn.SPREAD, QuoteColumn.AGE, QuoteColumn.TREND)

LEFT_OUT = (QuoteColumn.TREND, QuoteColumn.SPREAD)
"""Columns that give way to the instrument's name in a narrow panel, the first one first."""

LEAST_NAME = "DOGE-USDT"
STRIPE_PX = 4
"""Left of a name, for the colour of its venue."""

EMPTY_TEXT = "Nothing watched yet.\n\nPress Ctrl+K and type a name,\nfor example BTC."


class _Table(QTableView):
    """A table whose rows can be dragged to another place, by mouse or with Alt and the arrow keys.

    Signals:
        row_dropped(int, int): row to move, and the row before which it is to stand.
        remove_pressed(): Delete was pressed.
    """

    row_dropped = Signal(int, int)
    remove_pressed = Signal()

    def dropEvent(self, event: QDropEvent) -> None:
        """Qt: move the dragged row; the model is changed by the owner, never by Qt."""
        source = self.currentIndex().row()
        point = event.position().toPoint()
        target = self.rowAt(point.y())
        if target < 0:
            target = self.model().rowCount()
        elif point.y() > self.rowViewportPosition(target) + self.rowHeight(target) // 2:
            target += 1
        event.setDropAction(Qt.DropAction.IgnoreAction)
        event.accept()
        if event.source() is self and source >= 0:
            self.row_dropped.emit(source, target)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Qt: Delete, and Alt with the arrow keys."""
        row = self.currentIndex().row()
        if event.key() == Qt.Key.Key_Delete and row >= 0:
            self.remove_pressed.emit()
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() == Qt.Key.Key_Up and row > 0:
            self.row_dropped.emit(row, row - 1)
        elif event.modifiers() & Qt.KeyboardModifier.AltModifier and event.key() == Qt.Key.Key_Down and row >= 0:
            self.row_dropped.emit(row, row + 2)
        else:
            super().keyPressEvent(event)


class Watchlist(QWidget):
    """Watched instruments.

    Signals:
        focus_changed(object): the ``InstrumentKey`` of the row the user went to.
        keys_changed(object): tuple of the watched keys, after the user changed them.
        add_requested(): the user wants to look for an instrument.
    """

    focus_changed = Signal(object)
    keys_changed = Signal(object)
    add_requested = Signal()

    def __init__(
        self,
        source: QuoteSource,
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._clock = clock
        self._sparks: dict[InstrumentKey, Spark | None] = {}
        self._sparks_mono_s = float("-inf")
        self._widths: dict[QuoteColumn, int] = {}
        self._unwanted: set[QuoteColumn] = set()
        self.model = QuoteModel(source, clock=clock, venue_title=venue_title, parent=self)
        self._delegate = QuoteDelegate(theme, self._spark, self)
        self.table = self._make_table()
        self._empty = QLabel(EMPTY_TEXT, self.table)
        self._empty.setTextFormat(Qt.TextFormat.PlainText)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("muted", True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self._why = QLabel()
        self._why.setObjectName("problem")
        self._why.setTextFormat(Qt.TextFormat.PlainText)
        self._why.setWordWrap(True)
        self._why.setContentsMargins(8, 4, 8, 6)
        self._why.setToolTip("Why there is no price: what the newest poll of the venue met.")
        self._why.hide()
        self._help = QLabel()
        self._help.setProperty("muted", True)
        self._help.setTextFormat(Qt.TextFormat.PlainText)
        self._help.setWordWrap(True)
        self._help.setContentsMargins(8, 0, 8, 6)
        self._help.hide()
        layout.addWidget(self._why)
        layout.addWidget(self._help)
        empty_layout = QVBoxLayout(self.table.viewport())
        empty_layout.addWidget(self._empty)
        self.model.rowsInserted.connect(self._show_or_hide_empty)
        self.model.rowsRemoved.connect(self._show_or_hide_empty)

    def _make_table(self) -> _Table:
        table = _Table(self)
        table.setModel(self.model)
        make_calm(table, "Watchlist")
        table.setItemDelegate(self._delegate)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setMouseTracking(True)
        table.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        table.setDragDropOverwriteMode(False)
        header = table.horizontalHeader()
        header.setMinimumSectionSize(40)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        for column in QuoteColumn:
            table.setColumnHidden(column, column not in SHOWN_COLUMNS)
        self._fix_sizes(table)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._on_row_menu)
        table.row_dropped.connect(self._on_row_dropped)
        table.remove_pressed.connect(self.remove_current)
        table.selectionModel().currentRowChanged.connect(self._on_current_changed)
        return table

    def _fix_sizes(self, table: QTableView) -> None:
        # Widths are for the widest figure a cell may hold, once, so that no update ever moves a column.
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        small = QFontMetrics(small_font(table.font()))
        large_font = QFont(table.font())
        large_font.setWeight(QFont.Weight.DemiBold)
        large = QFontMetrics(large_font)
        for column, first, second in (
            (QuoteColumn.LAST, "000,000.0", "▼ −00.00 %"),
            (QuoteColumn.SPREAD, "", "−0.0000 %"),
            (QuoteColumn.AGE, "", "○ no data"),
        ):
            width = max(large.horizontalAdvance(first), small.horizontalAdvance(second))
            self._widths[column] = width + 2 * PADDING_PX
        self._widths[QuoteColumn.TREND] = 50
        self._least_name_px = large.horizontalAdvance(LEAST_NAME) + 2 * PADDING_PX + STRIPE_PX
        for column, width in self._widths.items():
            table.setColumnWidth(column, width)
        header.setSectionResizeMode(QuoteColumn.SYMBOL, QHeaderView.ResizeMode.Stretch)
        table.verticalHeader().setDefaultSectionSize(self._delegate.row_height(table.font()))

    def minimumSizeHint(self) -> QSize:
        """Qt: names, prices and ages are not cut off."""
        always = sum(
            width for column, width in self._widths.items() if column not in LEFT_OUT and column not in self._unwanted
        )
        bar_px = self.table.verticalScrollBar().sizeHint().width()
        return QSize(self._least_name_px + always + bar_px, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Qt: leave columns out while there is no room for them."""
        super().resizeEvent(event)
        self._leave_out()

    def _leave_out(self) -> None:
        hidden = set(self._unwanted)
        room = self.width() - self.table.verticalScrollBar().sizeHint().width() - self._least_name_px
        for column in LEFT_OUT:
            if sum(width for one, width in self._widths.items() if one not in hidden) > room:
                hidden.add(column)
        for column in self._widths:
            self.table.setColumnHidden(column, column in hidden)

    @property
    def keys(self) -> tuple[InstrumentKey, ...]:
        """Watched instruments, in order."""
        return self.model.keys

    @property
    def current_key(self) -> InstrumentKey | None:
        """The instrument of the current row."""
        row = self.table.currentIndex().row()
        return None if row < 0 else self.model.key_at(row)

    def set_keys(self, keys: Sequence[InstrumentKey]) -> None:
        """Show ``keys`` without telling anyone (they were told already)."""
        self.model.set_keys(keys)
        self._show_or_hide_empty()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._delegate.set_theme(theme)
        self._fix_sizes(self.table)
        self.table.viewport().update()

    def on_frame(self) -> None:
        """Show new replies."""
        self.model.refresh()

    def on_age_frame(self, now_mono_s: float) -> None:
        """Let ages run on."""
        if self.isVisible():
            self.model.tick_ages(now_mono_s)

    def on_slow_frame(self) -> None:
        """Let ages and trends run on."""
        now = self._clock()
        if now - self._sparks_mono_s >= SPARK_EVERY_S:
            self._sparks_mono_s = now
            self._sparks.clear()
            self.table.viewport().update()
        self.model.tick()
        self._show_why()

    def select(self, key: InstrumentKey) -> None:
        """Go to the row of ``key``; nothing happens when it is not watched."""
        row = self.model.row_of(key)
        if row is not None:
            self.table.setCurrentIndex(self.model.index(row, QuoteColumn.SYMBOL))

    def add(self, key: InstrumentKey) -> None:
        """Watch ``key`` too and go to it."""
        if key not in self.keys:
            self._change((*self.keys, key))
        self.select(key)

    def remove_current(self) -> None:
        """Stop watching the current row's instrument."""
        key = self.current_key
        if key is not None:
            self._change(tuple(other for other in self.keys if other != key))

    def _change(self, keys: tuple[InstrumentKey, ...]) -> None:
        self.set_keys(keys)
        self.keys_changed.emit(self.keys)

    def _on_row_dropped(self, source: int, before: int) -> None:
        keys = list(self.keys)
        key = keys.pop(source)
        keys.insert(before - 1 if before > source else before, key)
        if tuple(keys) != self.keys:
            self._change(tuple(keys))

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self.focus_changed.emit(self.model.key_at(current.row()))

    def _on_row_menu(self, point: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction("Add instrument…", self.add_requested.emit)
        remove = menu.addAction("Stop watching", self.remove_current)
        remove.setShortcut(Qt.Key.Key_Delete)
        remove.setEnabled(self.current_key is not None)
        menu.exec(self.table.viewport().mapToGlobal(point))
        menu.deleteLater()

    def _on_header_menu(self, point: QPoint) -> None:
        menu = QMenu(self)
        for column in OPTIONAL_COLUMNS:
            title = str(self.model.headerData(column, Qt.Orientation.Horizontal))
            is_wanted = column not in self._unwanted
            has_room = not (is_wanted and self.table.isColumnHidden(column))
            action = menu.addAction(title if has_room else f"{title} (needs a wider panel)")
            action.setCheckable(True)
            action.setChecked(is_wanted)
            action.setData(column)
        chosen = menu.exec(self.table.horizontalHeader().mapToGlobal(point))
        if chosen is not None:
            self.want_column(chosen.data(), is_wanted=chosen.isChecked())
        menu.deleteLater()

    def want_column(self, column: QuoteColumn, *, is_wanted: bool) -> None:
        """Show a column of ``OPTIONAL_COLUMNS`` where there is room for it, or not at all."""
        (self._unwanted.discard if is_wanted else self._unwanted.add)(column)
        self._leave_out()
        self.updateGeometry()

    def _show_why(self) -> None:
        # Without a network all of them say the same but for their names.
        for label, lines in zip((self._why, self._help), self.model.silent_venues(), strict=True):
            text = "\n".join(lines)
            if text != label.text():
                label.setText(text)
                label.setAccessibleName(text)
            label.setVisible(bool(lines))

    def _show_or_hide_empty(self) -> None:
        self._empty.setVisible(self.model.rowCount() == 0)

    def _spark(self, key: InstrumentKey) -> "Spark | None":
        if key not in self._sparks:
            series = self._source.series(key)
            now = self._clock()
            self._sparks[key] = None if series is None else series.window(now - SPARK_SPAN_S, now, SPARK_POINTS)
        return self._sparks[key]
