"""Why requests were slow: outliers of a week, or of a chosen period, by cause and venue."""

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from monitor.qtmodels.figures import age_text, duration_text
from monitor.qtmodels.headed_model import ROW_ROLE, Index
from monitor.qtmodels.spike_model import SpikeColumn, SpikeModel, SpikeRow
from monitor.qtmodels.spike_words import SPIKE_DEFINITION, filter_word
from monitor.state.period import Period
from monitor.state.spike_log import SpikeLog, SpikeTally
from monitor.widgets.calm_table import calm_table, empty_label, set_widths
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme
from monitor.widgets.themed_delegate import ThemedDelegate

EMPTY_TEXT = (
    "No slow request so far. A request that takes far longer than its like is listed here with what made it slow."
)
EMPTY_PERIOD_TEXT = "No slow request in this period. Esc shows the last seven days again."
_MUTED = (SpikeColumn.LAST, SpikeColumn.RATE, SpikeColumn.WHAT)


_SAMPLES = {
    SpikeColumn.CAUSE: "connecting",
    SpikeColumn.VENUE: "A venue name",
    SpikeColumn.COUNT: "00,000",
    SpikeColumn.LOST: "Time lost",
    SpikeColumn.WORST: "00.00 s",
    SpikeColumn.LAST: "00 Mmm 00:00",
    SpikeColumn.RATE: "0,000.0",
}


class _Delegate(ThemedDelegate):
    """A venue in its colour, what is secondary muted."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Qt: draw one cell, its text where the header has its own."""
        self.paint_ground(painter, option)
        row, theme = index.data(ROW_ROLE), self._theme
        if not isinstance(row, SpikeRow):
            return
        color = theme.text_muted if index.column() in _MUTED else theme.text
        if index.column() == SpikeColumn.VENUE:
            color = theme.venue_color(row.venue)
        elif index.column() == SpikeColumn.CAUSE:
            color = theme.warn
        align = int(index.data(Qt.ItemDataRole.TextAlignmentRole))
        self.paint_text(painter, option, str(index.data()), color, align)


class SpikePanel(QWidget):
    """The tally of outliers. ``head`` (what it is of) is placed by whoever owns the panel.

    Signals:
        requests_wanted(tuple): words that the request table is to be filtered for.

    Thread: GUI.
    """

    requests_wanted = Signal(tuple)

    def __init__(
        self,
        spikes: SpikeLog,
        *,
        utc_now: Callable[[], datetime],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._spikes = spikes
        self._utc_now = utc_now
        self._period: Period | None = None
        self._span_text = ""
        self.model = SpikeModel(venue_title, self)
        self._delegate = _Delegate(theme, self)
        self.table = calm_table(self.model, "Why slow")
        self.table.setItemDelegate(self._delegate)
        set_widths(self.table, _SAMPLES, stretched=SpikeColumn.WHAT, room_px=28)
        self._summary = ElidedLabel("", scale=0.92)
        self.head = QWidget()
        row = QHBoxLayout(self.head)
        row.setContentsMargins(8, 0, 4, 0)
        row.addWidget(self._summary, 1)
        self._empty = empty_label(self.table, EMPTY_TEXT)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        self.table.doubleClicked.connect(self._on_chosen)
        enter = QShortcut(QKeySequence(Qt.Key.Key_Return), self.table)
        enter.setContext(Qt.ShortcutContext.WidgetShortcut)
        enter.activated.connect(self._on_chosen)
        self.refresh()

    def refresh(self) -> None:
        """Show how it stands now; call it once a second. Nothing happens while it is not visible."""
        if not self.isVisible():
            return
        now = self._utc_now()
        period = self._period
        tally = self._spikes.tally(now) if period is None else self._spikes.tally_between(period)
        self.model.show(tally, now)
        is_empty = not tally.counts
        self._empty.setText(EMPTY_TEXT if period is None else EMPTY_PERIOD_TEXT)
        if self._empty.isHidden() is is_empty:
            self._empty.setVisible(is_empty)
        self._show_summary(tally)

    def set_period(self, period: Period | None, text: str) -> None:
        """Count those of ``period``, which is called ``text``; ``None``: of the last seven days."""
        self._period, self._span_text = period, text
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._delegate.set_theme(theme)
        self.table.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: what was not kept up to date while it was hidden is now."""
        super().showEvent(event)
        self.refresh()

    def _show_summary(self, tally: SpikeTally) -> None:
        span = "Last 7 days" if self._period is None else self._span_text
        times = "1 outlier" if tally.n == 1 else f"{tally.n:,} outliers"
        watched = "watched time not known" if tally.watched_s is None else f"watched {age_text(tally.watched_s)}"
        self._summary.set_text(f"{span} · {times}, {duration_text(tally.lost_s)} lost · {watched}")
        self._summary.set_definition(
            f"Outlier: {SPIKE_DEFINITION}.\nLost: what they took over the median of their like. Watched: how much of "
            "that time requests were made, by the minute; earlier runs are part of the seven days, as far as the "
            "history holds them."
        )

    def _on_chosen(self) -> None:
        row = self.table.currentIndex().row()
        if row >= 0:
            chosen = self.model.row_at(row)
            self.requests_wanted.emit((chosen.venue, filter_word(chosen.cause)))
