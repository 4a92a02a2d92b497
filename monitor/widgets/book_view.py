"""The order book of the instrument in focus: levels with their depth, and how old they are."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.market import Instrument
from monitor.qtmodels.book_model import DEPTH_ROLE, BookColumn, BookModel
from monitor.qtmodels.figures import age_range_text, price_text, safe_text
from monitor.qtmodels.headed_model import Index
from monitor.qtmodels.quote_figures import short_name
from monitor.state.ages import explain_age
from monitor.state.books import BookState
from monitor.state.sources import SOURCE_DEFINITION, source_of, source_text
from monitor.widgets.calm_table import calm_table, empty_label
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

InstrumentKey: TypeAlias = tuple[str, str]

AGE_DEFINITION = "How old the book is: since its reply, and since it was asked for."
BAR_ALPHA = 45
_BIDS = (BookColumn.BID_TOTAL, BookColumn.BID_SIZE, BookColumn.BID)


class BookSource(Protocol):
    """The part of ``Board`` the book needs."""

    @property
    def instruments(self) -> Mapping[InstrumentKey, Instrument]:
        """Every instrument known."""
        ...

    def book(self, key: InstrumentKey) -> BookState | None:
        """Newest book; ``None`` when none was ever polled."""
        ...


class _Delegate(ThemedDelegate):
    """Draws a level over the bar of its depth, which grows from the middle; an old book grey and struck through."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(theme, parent)
        self.is_old = False

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: colour and strike-out of the text."""
        super().initStyleOption(option, index)
        color = self._theme.text
        if self.is_old or index.column() in (BookColumn.BID_TOTAL, BookColumn.ASK_TOTAL):
            color = self._theme.text_muted
        elif index.column() in (BookColumn.BID, BookColumn.ASK):
            color = self._theme.up if index.column() == BookColumn.BID else self._theme.down
        self.color_text(option, color)
        option.font.setStrikeOut(self.is_old)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: the part of the bar that lies in this cell, and the text."""
        depth = index.data(DEPTH_ROLE)
        view = option.widget
        if isinstance(depth, float) and isinstance(view, QTableView) and not self.is_old:
            is_bid = index.column() in _BIDS
            color = QColor(self._theme.up if is_bid else self._theme.down)
            color.setAlpha(BAR_ALPHA)
            middle = view.columnViewportPosition(BookColumn.ASK)
            half = middle if is_bid else view.viewport().width() - middle
            length = round(half * depth)
            left = middle - length if is_bid else middle
            bar = QRect(left, option.rect.top() + 1, length, option.rect.height() - 2)
            painter.fillRect(bar.intersected(option.rect), color)
        super().paint(painter, option, index)


class BookView(QWidget):
    """The book of the instrument in focus. ``head`` (name, spread, age) is placed by whoever owns the view.

    Thread: GUI.
    """

    def __init__(
        self,
        source: BookSource,
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._clock = clock
        self._venue_title = venue_title
        self._theme = theme
        self._key: InstrumentKey | None = None
        self._shown: BookState | None = None
        self.model = BookModel(self)
        self._delegate = _Delegate(theme, self)
        self.table = calm_table(self.model, "Order book")
        self._set_up_table()
        self.head = QWidget()
        self.name, self.spread, self.age = ElidedLabel("", is_bold=True), ElidedLabel(""), ElidedLabel("")
        self.spread.set_definition("Best ask − best bid, and that as a part of their middle in basis points")
        self.age.set_definition(AGE_DEFINITION)
        row = QHBoxLayout(self.head)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(18)
        for label in (self.name, self.spread, self.age):
            row.addWidget(label, 1)
        self._empty = empty_label(self.table, "No book yet. It is asked for while its instrument is in focus.")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)

    def _set_up_table(self) -> None:
        table = self.table
        table.setItemDelegate(self._delegate)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 3)
        # Of the width, not of the content: no level moves a column.
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)

    def set_focus(self, key: InstrumentKey) -> None:
        """Show another instrument's book."""
        self._key = key
        self.on_slow_frame()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self._delegate.set_theme(theme)
        self.on_slow_frame()
        self.table.viewport().update()

    def on_frame(self) -> None:
        """Show a newer book, when there is one and it can be seen."""
        if self.isVisible() and self._key is not None and self._source.book(self._key) is not self._shown:
            self.on_slow_frame()

    def on_slow_frame(self) -> None:
        """Let the age run."""
        if self._key is None:
            return
        instrument, state = self._source.instruments.get(self._key), self._source.book(self._key)
        if state is not self._shown or state is None:
            self._shown = state
            self.model.show(state, instrument)
        if self._empty.isHidden() is (self.model.rowCount() == 0):
            self._empty.setVisible(self.model.rowCount() == 0)
        title = f"{short_name(instrument, self._key[1])} · {self._venue_title(self._key[0])}"
        self.name.set_text(title, self._theme.venue_color(self._key[0]))
        self._show_state(state)

    def _show_state(self, state: BookState | None) -> None:
        if state is None:
            self.spread.set_text("")
            self.age.set_text("")
            self.age.set_definition(AGE_DEFINITION)
            return
        now_s = self._clock()
        verdict, age = state.verdict(now_s), state.age(now_s)
        is_old = not verdict.is_trustworthy
        if is_old is not self._delegate.is_old:
            self._delegate.is_old = is_old
            self.table.viewport().update()
        bid, ask, spread = state.best_bid, state.best_ask, state.spread
        if bid is None or ask is None or spread is None or bid.price + ask.price <= 0:
            self.spread.set_text("spread –", self._theme.text_muted)
        else:
            points = spread * 20_000 / (bid.price + ask.price)
            text = f"spread {price_text(spread)} · {points:.2f} bp"
            self.spread.set_text(text, self._theme.text_muted if is_old else None)
        text = f"{'▲' if is_old else '●'} {verdict.value} · {age_range_text(age.low_s, age.high_s)}"
        self.age.set_text(text, self._theme.warn if is_old else self._theme.ok)
        story = explain_age(state.stamp, now_s, cadence_s=state.feed.cadence_s)
        source = safe_text(source_text(source_of(state.stamp, state.feed, now_s)), 160)
        self.age.set_definition(f"{AGE_DEFINITION}\n{story}\nNow: {source}. {SOURCE_DEFINITION}")
