"""Every request as a row with its phases, to sort, to filter, and to look at closely."""

from collections.abc import Callable, Sequence
from statistics import median

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSplitter,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.figures import DASH, bytes_text, count_text, duration_text, local_time, plain_tooltip, safe_text
from monitor.qtmodels.request_model import TRACE_ROLE, RequestColumn, RequestFilter, RequestModel
from monitor.qtmodels.request_words import (
    PHASES,
    describe_phases,
    is_earlier,
    phase_text,
    phases_of,
    short_endpoint,
    socket_text,
    status_text,
)
from monitor.qtmodels.spike_words import CAUSE_WORDS, SPIKE_DEFINITION
from monitor.state.period import Period
from monitor.state.request_log import RequestLog
from monitor.state.spike_log import SpikeLog, is_comparable
from monitor.widgets.calm_table import calm_table, empty_label, set_widths
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme
from monitor.widgets.trace_delegate import TraceDelegate
from monitor.widgets.waterfall import (
    QUEUE_SHARE,
    PhaseLegend,
    WaterfallDelegate,
    draw_waterfall,
    nice_scale,
    phase_definition,
)

SOCKET_DEFINITION = (
    "cold: opened for this attempt; warm: was open; opened ahead: the first request on it, whose handshake was paid "
    "before anybody waited"
)
EMPTY_TEXT = "No request yet. Each attempt gets a row here, with where its time went."
NONE_MATCHES = "No request held here matches the filter. Clear it to see all of them."
NONE_IN_PERIOD = "No request of this period matches. Esc leaves the period, and an empty filter shows all of it."
FILTER_HINT = "Filter: endpoint, status, cold, failed, slow, #12 …"


class _DetailBar(QWidget):
    """The waterfall of one request on its own scale."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._trace: RequestTrace | None = None

    def sizeHint(self) -> QSize:
        """Qt: a bar."""
        return QSize(100, 14)

    def show_trace(self, trace: RequestTrace | None, theme: Theme) -> None:
        """Draw ``trace``."""
        self._trace, self._theme = trace, theme
        what = "The phases below one after the other; the whole width is latency and queue."
        self.setToolTip(plain_tooltip("" if trace is None else f"{describe_phases(trace)}\n{what}"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the bar fills the width."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.grid))
        if self._trace is not None:
            total = self._trace.total_s + (self._trace.queue_s or 0.0)
            draw_waterfall(painter, QRectF(self.rect()), self._trace, max(total, 1e-6), self._theme)


_SAMPLES = {
    RequestColumn.TIME: "00:00:00.000",
    RequestColumn.VENUE: "A venue name",
    RequestColumn.ENDPOINT: "metaAndAssetCtxs",
    RequestColumn.STATUS: "rate limited",
    RequestColumn.SOCKET: "● warm #000",
    RequestColumn.TOTAL: "0000 ms",
    RequestColumn.CAUSE: "connecting",
    RequestColumn.ATTEMPT: "Try",
    RequestColumn.BYTES: "000.0 kB",
    RequestColumn.WEIGHT: "Weight",
}


class RequestDetail(QScrollArea):
    """All facts of one attempt. Empty until a row is chosen.

    Signals:
        closed(): the user does not want to see them any more.
    """

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Request details")
        inside = QWidget()
        self._title = ElidedLabel("", is_bold=True)
        self._bar = _DetailBar(theme)
        self._form = QFormLayout()
        self._form.setHorizontalSpacing(12)
        self._form.setVerticalSpacing(1)
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(10, 6, 10, 6)
        close = QToolButton()
        close.setText("×")
        close.setToolTip("Close the details (Esc)")
        close.setAccessibleName("Close the request details")
        close.clicked.connect(self.closed)
        title = QHBoxLayout()
        title.addWidget(self._title, 1)
        title.addWidget(close)
        layout.addLayout(title)
        layout.addWidget(self._bar)
        layout.addLayout(self._form)
        layout.addStretch(1)
        self.setWidget(inside)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme

    def show_trace(self, trace: RequestTrace, venue_title: str, spike: str) -> None:
        """Show every phase and fact of ``trace``; phases that did not happen are dashes. ``spike``: why it was slow."""
        self._title.set_text(f"{venue_title} · {short_endpoint(trace)}")
        self._bar.show_trace(trace, self._theme)
        while self._form.rowCount():
            self._form.removeRow(0)
        done = dict(phases_of(trace))
        self._add("latency", duration_text(trace.total_s), "request handed over until the body was fully read")
        for key, word in PHASES:
            text = phase_text(trace, key, done.get(key))
            self._add(word, text, phase_definition(key), self._theme.phases[key])
        self._add("outlier", spike, SPIKE_DEFINITION)
        self._add("status", status_text(trace), "HTTP status, or why there was none")
        ahead = ", opened ahead" if trace.is_prewarmed else ""
        self._add("socket", f"{socket_text(trace)}{ahead}", SOCKET_DEFINITION)
        self._add("host", safe_text(trace.host, 60), "address and port asked for")
        number = "earlier run" if is_earlier(trace) else f"#{trace.request_id}"
        self._add("request", f"{number}, try {trace.attempt}", "all tries of a request share its number")
        self._add("began", local_time(trace.started_at, with_ms=True), "local time")
        self._add("protocol", f"{trace.method} {trace.http_version or DASH}", "method and HTTP version")
        self._add("sent", bytes_text(trace.request_bytes), "bytes inside TLS, headers included")
        self._add("received", bytes_text(trace.response_bytes), "bytes inside TLS, headers included")
        self._add("weight", count_text(trace.weight), "charged of the venue's rate limit")

    def _add(self, name: str, value: str, definition: str, color: str | None = None) -> None:
        caption = QLabel(name)
        caption.setProperty("muted", True)
        caption.setToolTip(plain_tooltip(f"{name}: {definition}."))
        if color is not None:
            caption.setStyleSheet(f"border-left: 3px solid {color}; padding-left: 5px;")
        label = ElidedLabel(value)
        label.set_definition(f"{value}\n{name}: {definition}.")
        self._form.addRow(caption, label)


class RequestTable(QWidget):
    """The newest attempts, newest first. ``head`` (filter, legend, count) is placed by whoever owns the table.

    Signals:
        request_chosen(object): the ``RequestTrace`` of the row gone to; ``None``: there is no such row any more.
        detail_toggled(): the details were opened or closed.
    """

    request_chosen = Signal(object)
    detail_toggled = Signal()

    def __init__(
        self,
        requests: RequestLog,
        spikes: SpikeLog,
        *,
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._requests = requests
        self._spikes = spikes
        self._seen_revision = 0
        self._earlier = requests.earlier[:0]
        self._venue_title = venue_title
        self._scale_s = 0.1
        self._has_period = self._is_changing = False
        self.model = RequestModel(venue_title, self, spike_of=spikes.of)
        self.proxy = RequestFilter(self)
        self.proxy.setSourceModel(self.model)
        self._waterfall = WaterfallDelegate(theme, self._current_scale, self)
        self._texts = TraceDelegate(theme, self)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(FILTER_HINT)
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter requests")
        self.filter.setMaximumWidth(330)
        self.filter.setMinimumWidth(120)
        self.legend = PhaseLegend(theme)
        self.table = self._make_table()
        self.detail = RequestDetail(theme)
        self.detail.hide()
        self._count = ElidedLabel("", scale=0.92)
        splitter = QSplitter(Qt.Orientation.Horizontal)
        splitter.addWidget(self.table)
        splitter.addWidget(self.detail)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([900, 270])
        splitter.setChildrenCollapsible(False)
        self.head = QWidget()
        head = QHBoxLayout(self.head)
        head.setContentsMargins(6, 0, 6, 0)
        head.setSpacing(12)
        head.addWidget(self.filter, 2)
        head.addWidget(self.legend, 5)
        head.addWidget(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(splitter, 1)
        self._empty = empty_label(self.table, EMPTY_TEXT)
        self.filter.textChanged.connect(self._on_filter_changed)
        self.detail.closed.connect(self.close_detail)
        self.table.selectionModel().currentRowChanged.connect(self._on_current_changed)

    def _make_table(self) -> QTableView:
        table = calm_table(self.proxy, "Requests")
        table.setItemDelegate(self._texts)
        table.setItemDelegateForColumn(RequestColumn.WATERFALL, self._waterfall)
        table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 6)
        header = table.horizontalHeader()
        header.setMinimumSectionSize(30)
        set_widths(table, _SAMPLES, stretched=RequestColumn.WATERFALL, room_px=18)
        table.setSortingEnabled(True)
        # Newest first by nature: the model's own order costs nothing, a sort would cost with every request.
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.proxy.sort(-1)
        header.setSortIndicatorClearable(True)
        return table

    def _current_scale(self) -> float:
        return self._scale_s

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._waterfall.set_theme(theme)
        self._texts.set_theme(theme)
        self.legend.set_theme(theme)
        self.detail.set_theme(theme)
        self.table.viewport().update()

    def on_frame(self) -> None:
        """Put new attempts in front; a view that was scrolled down stays where it is."""
        if self._requests.earlier is not self._earlier:
            self._earlier = self._requests.earlier
            self.model.put_below(self._earlier)
        if self._requests.revision == self._seen_revision:
            return
        fresh = self._requests.since(self._seen_revision)
        self._seen_revision = self._requests.revision
        bar = self.table.verticalScrollBar()
        was_at_top = bar.value() == 0
        offset_before = bar.value()
        rows_before = self.proxy.rowCount()
        self._keep_row(lambda: self.model.append(fresh))
        self._show_empty()
        if not was_at_top and self.proxy.sortColumn() < 0:
            bar.setValue(offset_before + max(self.proxy.rowCount() - rows_before, 0))

    def on_slow_frame(self) -> None:
        """Follow the slowest of the newest requests with the scale, and say how many rows there are."""
        self._show_empty()
        scale_s = nice_scale(self.model.longest_s() / (1.0 - QUEUE_SHARE))
        if scale_s != self._scale_s:
            self._scale_s = scale_s
            self.table.viewport().update()
        shown, held = self.proxy.rowCount(), self.model.rowCount()
        rows = f"{shown:,}" if shown == held else f"{shown:,} of {held:,}"
        of_period = " in the period" if self._has_period else ""
        self._count.set_text(f"{rows} rows{of_period} · full bar {duration_text(self._scale_s)}")
        self._count.set_definition(
            "Attempts shown (of those held, where a filter or a period leaves some out), and the time that the full "
            "width of a bar stands for."
        )

    def _show_empty(self) -> None:
        is_empty = self.proxy.rowCount() == 0
        if is_empty:
            is_known = self.model.rowCount() > 0
            self._empty.setText(EMPTY_TEXT if not is_known else NONE_IN_PERIOD if self._has_period else NONE_MATCHES)
        if self._empty.isHidden() is is_empty:
            self._empty.setVisible(is_empty)

    def select_request(self, request_id: int, attempt: int | None = None) -> bool:
        """Go to an attempt of a request, or to its last; False when it is not in the table any more, or not shown."""
        row = self.model.row_of(request_id, attempt)
        if row is None:
            return False
        index = self.proxy.mapFromSource(self.model.index(row, 0))
        if not index.isValid():
            return False
        if self.table.currentIndex().row() == index.row():
            # Gone to once more: whoever listens may be elsewhere by now.
            self._on_current_changed(index, index)
        self.table.setCurrentIndex(index)
        self.table.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        return True

    def set_period(self, period: Period | None) -> None:
        """Show only attempts that ended within ``period``; ``None`` shows all."""
        self._has_period = period is not None
        self._keep_row(lambda: self.proxy.set_period(period))
        self.on_slow_frame()

    def show_only(self, words: Sequence[str]) -> None:
        """Filter for all of ``words``; for none, show all."""
        self.filter.setText(" ".join(words))

    def close_detail(self) -> None:
        """Hide the details and leave the row."""
        self.detail.hide()
        self.detail_toggled.emit()
        self.table.clearSelection()
        self.table.setCurrentIndex(QModelIndex())

    def _spike_text(self, trace: RequestTrace) -> str:
        """Why ``trace`` was an outlier among those before it; a dash while too few are known."""
        spike = self._spikes.of(trace)
        if spike is not None:
            return f"{CAUSE_WORDS[spike.cause]}: {spike.text}"
        if is_earlier(trace) or not is_comparable(trace):
            return DASH
        like = [one.total_s for one in self._spikes.usual_of(trace) if one.is_cold is trace.is_cold]
        return f"no: the median is {duration_text(median(like))}, n = {len(like)}" if like else DASH

    def _on_filter_changed(self, text: str) -> None:
        self._keep_row(lambda: self.proxy.set_filter_text(text))
        self.on_slow_frame()

    def _keep_row(self, change: Callable[[], None]) -> None:
        """Run ``change``, which may take rows away; where that is the one gone to, leave it rather than the next."""
        kept = QPersistentModelIndex(self.table.currentIndex())
        was_chosen = kept.isValid()
        self._is_changing = True
        change()
        if kept.isValid() and self.table.currentIndex() != kept:
            self.table.setCurrentIndex(kept)
        self._is_changing = False
        if was_chosen and not kept.isValid():
            self.close_detail()

    def _on_current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if self._is_changing:
            return
        trace = current.data(TRACE_ROLE) if current.isValid() else None
        if not isinstance(trace, RequestTrace):
            self.request_chosen.emit(None)
            return
        self.detail.show_trace(trace, self._venue_title(trace.venue), self._spike_text(trace))
        self.detail.show()
        self.detail_toggled.emit()
        self.request_chosen.emit(trace)
