"""The centre of the window: header, price plot and latency plot on one time axis.

pyqtgraph and numpy take as long to import as everything else together, so the window is painted first and the plots
are loaded one turn of the event loop later.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from monitor.domain.alerts import AlertRule, latency_levels_s
from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.quote_figures import silence_text
from monitor.qtmodels.spike_words import CAUSE_WORDS
from monitor.state.board import Board
from monitor.state.period import Period
from monitor.widgets.focus_header import FocusHeader
from monitor.widgets.theme import Theme

if TYPE_CHECKING:
    from monitor.widgets.account_lines import AccountLine
    from monitor.widgets.chart_content import ChartContent
    from monitor.widgets.latency_plot import LatencyPlot
    from monitor.widgets.price_plot import PricePlot

InstrumentKey: TypeAlias = tuple[str, str]

PERIOD_WHAT = (
    "Leave the period: every figure is of now again (Esc).\n"
    "Of the period: the headers of both plots, the basis, requests, what made them slow, events; latency, reuse, "
    "calls, budget, the app's lag and the clocks in the status bar; everything of the pools, sockets and savings too.\n"
    "Of now, and said to be where they stand: the state and age of a venue, the price above the plots, the watchlist, "
    "the order book, accounts and alerts: an old price must never look like the newest.\n"
    "Prices and requests of an earlier run are drawn and listed, and counted nowhere: in a period that goes back to "
    "one, counts begin with this run."
)
MOTION_INTERVAL_MS = {60: 100, 900: 500}
"""How often the axis moves on without new data: about a pixel at a time in the shorter ranges; 1 s in the longer."""


class ChartArea(QWidget):
    """Charts of the instrument in focus and its counterpart on the other venue.

    Signals:
        plots_loaded(): the plots exist from now on.
        price_clicked(str, float): venue and monotonic time of the price point clicked.
        request_clicked(object, int): request id (an int of any size) and attempt of the latency mark clicked.
        time_range_changed(float): the plots show the last so many seconds.
        period_selected(float, float): start and end, monotonic seconds, of the stretch selected on a plot.
        period_cleared(): the selection is to be left.
    """

    plots_loaded = Signal()
    price_clicked = Signal(str, float)
    request_clicked = Signal(object, int)
    time_range_changed = Signal(float)
    period_selected = Signal(float, float)
    period_cleared = Signal()

    def __init__(
        self,
        board: Board,
        *,
        clock: Callable[[], float],
        utc_now: Callable[[], datetime],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._board = board
        self._clock = clock
        self._utc_now = utc_now
        self._venue_title = venue_title
        self._theme = theme
        self._key: InstrumentKey | None = None
        self._counterpart: InstrumentKey | None = None
        self._range_s = 900
        self._is_candles = False
        self._interval = "1m"
        self._latency_levels_s: dict[str, float] = {}
        self._content: ChartContent | None = None
        self.empty_text = ""
        """What the price plot says while there is no price in its window."""
        self.price_plot: PricePlot | None = None
        self.latency_plot: LatencyPlot | None = None
        self.account_lines: Callable[[Sequence[InstrumentKey], float, Theme], Sequence[AccountLine]] | None = None
        """Gives what is drawn of the user's own positions and orders; ``None``: nothing."""
        self.header = FocusHeader(board, clock=clock, venue_title=venue_title, theme=theme)
        loading = QLabel("Loading charts…")
        loading.setAlignment(Qt.AlignmentFlag.AlignCenter)
        loading.setProperty("muted", True)
        self.splitter = QSplitter(Qt.Orientation.Vertical)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setAccessibleName("Charts")
        self._stack = QStackedWidget()
        self._stack.addWidget(loading)
        self._stack.addWidget(self.splitter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        self._period_badge = QPushButton()
        self._period_badge.setObjectName("periodBadge")
        self._period_badge.setAccessibleName("Leave the period")
        self._period_badge.setToolTip(PERIOD_WHAT)
        self._period_badge.clicked.connect(self.period_cleared)
        self._period_badge.hide()
        layout.addWidget(self._period_badge)
        layout.addWidget(self._stack, 1)
        self.setMinimumSize(360, 270)
        # Time must move on the plots also when nothing arrives.
        self._motion = QTimer(self)
        self._motion.timeout.connect(self.refresh_plots)

    def load_plots(self) -> None:
        """Import the plots and put them in place; takes some 0.2 s the first time. A second call does nothing."""
        if self.price_plot is not None:
            return
        # Before anything of pyqtgraph, which would have copied all of Qt by then.
        from monitor.widgets import plot_library  # noqa: F401, PLC0415 - see above
        from monitor.widgets.chart_content import ChartContent  # noqa: PLC0415 - see the module's docstring
        from monitor.widgets.latency_plot import LatencyPlot  # noqa: PLC0415
        from monitor.widgets.price_plot import PricePlot  # noqa: PLC0415

        self._content = ChartContent(self._board, self._venue_title, self._theme)
        price_plot, latency_plot = PricePlot(self._theme), LatencyPlot(self._theme)
        self.price_plot, self.latency_plot = price_plot, latency_plot
        self.splitter.addWidget(price_plot)
        self.splitter.addWidget(latency_plot)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 2)
        price_plot.set_time_axis_visible(False)
        price_plot.cursor_moved.connect(latency_plot.set_cursor)
        latency_plot.cursor_moved.connect(price_plot.set_cursor)
        for plot in (price_plot, latency_plot):
            plot.time_range_selected.connect(self.period_selected)
            plot.time_range_cleared.connect(self.period_cleared)
        price_plot.point_clicked.connect(self.price_clicked)
        latency_plot.request_clicked.connect(self.request_clicked)
        latency_plot.cause_of = self._cause_of
        latency_plot.set_thresholds_s(self._latency_levels_s)
        self._stack.setCurrentWidget(self.splitter)
        self.set_time_range(self._range_s)
        self.refresh_plots()
        self.plots_loaded.emit()

    @property
    def is_loaded(self) -> bool:
        """Whether the plots exist."""
        return self.price_plot is not None

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        if self._content is not None:
            self._content.theme = theme
        self.header.set_theme(theme)
        for plot in (self.price_plot, self.latency_plot):
            if plot is not None:
                plot.set_theme(theme)
        self.refresh_plots()

    def set_focus(self, key: InstrumentKey | None) -> None:
        """Show another instrument, and the same market on the other venue where there is one."""
        self._key = key
        self._counterpart = None if key is None else self._board.counterpart(key)
        self.header.set_counterpart(self._counterpart)
        self.header.set_key(key)
        self.refresh_plots()

    def set_chart(self, *, is_candles: bool, interval: str) -> None:
        """Show candles of ``interval`` or a line."""
        self._is_candles, self._interval = is_candles, interval
        self.refresh_plots()

    def set_alerts(self, rules: Sequence[AlertRule]) -> None:
        """Show where alerts on latency begin."""
        self._latency_levels_s = latency_levels_s(rules)
        if self.latency_plot is not None:
            self.latency_plot.set_thresholds_s(self._latency_levels_s)

    def set_time_range(self, seconds: int) -> None:
        """Show the last ``seconds`` in both plots."""
        self._range_s = seconds
        for plot in (self.price_plot, self.latency_plot):
            if plot is not None:
                plot.set_span_s(float(seconds))
        self._motion.start(MOTION_INTERVAL_MS.get(seconds, 1000))
        self.time_range_changed.emit(float(seconds))
        self.refresh_plots()

    def set_chosen(self, one: RequestTrace | None, others: Sequence[RequestTrace] = ()) -> None:
        """Show where these requests stand in both plots; ``one`` is the one gone to, ``others`` are oldest first."""
        for plot in (self.price_plot, self.latency_plot):
            if plot is not None:
                plot.set_chosen(one, others)

    def set_period(self, period: Period | None, text: str) -> None:
        """Shade ``period`` in both plots and say ``text`` above them; ``None``: no period."""
        for plot in (self.price_plot, self.latency_plot):
            if plot is not None:
                plot.set_focus_period(None if period is None else (period.start_mono_s, period.end_mono_s))
        self.header.set_period(period)
        is_whole = period is None or period.start_mono_s >= self._board.started_mono_s
        # There is room for one of the two; "now" says itself which time it is of.
        but = " · what says “now” is not of it" if is_whole else ""
        self._period_badge.setText(f"{text}{but} · Esc clears")
        self._period_badge.setAccessibleName(self._period_badge.text())
        self._period_badge.setVisible(period is not None)

    def on_frame(self) -> None:
        """Show new data."""
        self.header.refresh()
        self.refresh_plots()

    def on_age_frame(self, now_mono_s: float) -> None:
        """Let the age in the header run on."""
        self.header.show_age(now_mono_s)

    def on_slow_frame(self) -> None:
        """Let ages run; look for the counterpart, which may be listed only now."""
        if self._key is not None and self._counterpart is None:
            self._counterpart = self._board.counterpart(self._key)
            self.header.set_counterpart(self._counterpart)
        self.header.refresh()

    def refresh_plots(self) -> None:
        """Bring both plots to now; nothing happens while they are not visible."""
        if self._content is None or self.price_plot is None or self.latency_plot is None or not self.isVisible():
            return
        now, utc = self._clock(), self._utc_now()
        keys = [key for key in (self._key, self._counterpart) if key is not None]
        empty_text = self._why_empty()
        if empty_text != self.empty_text:
            self.empty_text = empty_text
            self.price_plot.set_empty_text(empty_text)
        if self._board.has_past:
            for plot in (self.price_plot, self.latency_plot):
                plot.set_run_start(self._board.started_mono_s)
        interval = self._interval if self._is_candles else None
        lines = self._content.price_lines(keys, now, candle_interval=interval, polled_interval=self._interval)
        if self.account_lines is not None:
            self.price_plot.set_account_lines(self.account_lines(keys, now, self._theme))
        self.price_plot.refresh(now, utc, lines)
        self.latency_plot.refresh(now, utc, self._content.latency_lanes(now))

    def _why_empty(self) -> str:
        if self._key is None:
            return "Choose an instrument on the left, or press Ctrl+K and type a name."
        venue = self._key[0]
        why = self._board.why_silent(venue)
        if why is None:
            return "Waiting for the first price…"
        helps = self._board.what_helps(venue)
        return f"No price. {silence_text(venue, self._venue_title(venue), why)}" + (f"\n{helps}" if helps else "")

    def _cause_of(self, request_id: int, attempt: int) -> str:
        entry = self._board.spikes.entry_of(request_id, attempt)
        return "" if entry is None else CAUSE_WORDS[entry.spike.cause]


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)
