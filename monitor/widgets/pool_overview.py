"""One venue's pools at a glance: reuse, occupancy now and over time, who opened and closed what, and what to change."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from monitor.domain.pool_health import SizingAdvice
from monitor.domain.telemetry import PoolStats
from monitor.qtmodels.figures import DASH, compact, count_text, duration_text, percent, plain_tooltip, safe_text
from monitor.state.pool_figures import PoolFigures
from monitor.state.pool_history import PoolCounters, PoolGauges, PoolHistory
from monitor.state.pool_words import describe_eviction, describe_sizing
from monitor.state.venue_period import PoolPeriod
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.pool_trend import ConnectionTrend, ReuseTrend
from monitor.widgets.theme import Theme

REUSE_DEFINITION = (
    "Reuse: warm attempts / all attempts. Warm means that no TCP connection was opened for the attempt, "
    "counted where sockets open. A dash before the first attempt."
)
SIZING_DEFINITION = (
    "Peak: most connections in use at once since start. What would do: the 99th percentile of connections in use over "
    "the last 60 s, times 1.25, plus 1, within 2 to 32. Thrown away: connections closed because the pool was full. "
    "While a period is chosen: the advice as it stood at the end of the period."
)
ADVICE_THEN = "At the end of the chosen period: "
AT_THE_END = "end: "
"""Before a gauge of a chosen period: at its end. The tooltip says so in full; the line has to fit the panel."""
UNKNOWN_THEN = f"{AT_THE_END}{DASH}"
NO_GAUGES_WHAT = (
    "How the pools stood at the end of the chosen period is not known: samples are taken every two seconds while the "
    "app runs, and kept for a day."
)
NO_ADVICE_WHAT = "No advice on the size is known of the end of the chosen period."

DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("opened", "TCP connections opened"),
    ("reused", "Attempts that found an open connection"),
    (
        "peak",
        "Most connections in use at the same time since start; of a chosen period, most requests under way at once",
    ),
    ("by server", "Connections the server ended: it said so, or it was found gone before or at use (stale)"),
    ("by us", "Connections we ended: idle too long, too old, reply abandoned, or closed with the pool"),
    ("on error", "Connections ended because a request on them failed"),
    ("discarded", "Connections thrown away because the pool was full when they came back"),
    ("waiting", "Requests waiting for a free place in the pool now; of a chosen period, at its end"),
    ("healed", "Attempts that the other end dropped before it answered; the request went out again and was answered"),
    ("prewarmed", "Connections opened ahead of the first request; their handshake was paid earlier, not saved"),
    ("kept warm", "Times an idle connection was used only so that the server would not close it"),
    ("per socket", "Attempts per connection opened: how many requests one handshake pays for"),
)
"""Counters of a pool in the order shown (three columns), with what they count."""

WORDS: dict[str, str] = {
    "opened": "OpenTelemetry counts them in db.client.connection.create_time; HikariCP: connection creation",
    "by us": "HikariCP's limits for it: idleTimeout, maxLifetime. OpenTelemetry: http.client.connection.duration",
    "by server": "OpenTelemetry: http.client.connection.duration, with who ended it",
    "discarded": "HikariCP never opens more than maximumPoolSize; here surplus ones are opened and thrown away",
    "waiting": "HikariCP: PendingConnections. OpenTelemetry: db.client.connection.pending_requests",
    "healed": "OpenTelemetry: http.request.resend_count of 1 or more",
    "prewarmed": "HikariCP: minimumIdle",
    "kept warm": "HikariCP: keepaliveTime",
}
"""What others call the same, for who knows their dashboards."""

OCCUPANCY_WORDS = (
    "OpenTelemetry: http.client.open_connections by http.connection.state; the most kept is db.client.connection.max. "
    "HikariCP: TotalConnections, ActiveConnections, IdleConnections, PendingConnections; maximumPoolSize."
)
_DEFINITION_OF = dict(DEFINITIONS)
_COLUMNS = 3
_LEAST = {"reused": "00.0 k", "per socket": "000"}


def definition_text(name: str) -> str:
    """What a counter counts, and what others call it."""
    words = f"\n{WORDS[name]}." if name in WORDS else ""
    return f"{_DEFINITION_OF[name]}.{words}"


def counter_texts(figures: PoolFigures) -> dict[str, str]:
    """Every counter of ``DEFINITIONS`` as text; a dash where it is not known."""
    per_socket = figures.requests_per_connection
    return {
        "opened": count_text(figures.opened),
        "reused": count_text(figures.reused) if (figures.reused or 0) < 10_000 else compact(figures.reused),
        "peak": count_text(figures.peak),
        "by server": count_text(figures.by_server),
        "by us": count_text(figures.by_us),
        "on error": count_text(figures.on_error),
        "discarded": count_text(figures.discarded),
        "waiting": count_text(figures.waiting),
        "healed": count_text(figures.healed),
        "prewarmed": count_text(figures.prewarmed),
        "kept warm": count_text(figures.kept_warm),
        "per socket": DASH
        if per_socket is None
        else f"{per_socket:,.0f}"
        if per_socket >= 9.95
        else f"{per_socket:.1f}",
    }


class OccupancyBar(QWidget):
    """Active, idle and suspect connections as parts of the pool's maximum."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._parts: tuple[int, int, int] = (0, 0, 0)
        self._maximum = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Qt: a thin bar."""
        return QSize(100, 7)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def set_parts(self, active: int, idle: int, suspect: int, maximum: int) -> None:
        """Show these counts of connections."""
        parts = (active, idle, suspect)
        if (parts, maximum) != (self._parts, self._maximum):
            self._parts, self._maximum = parts, maximum
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: one slot per place in the pool while there are few, one bar when there are many."""
        theme = self._theme
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        total = max(self._maximum, sum(self._parts), 1)
        colors = [theme.accent] * self._parts[0] + [theme.ok] * self._parts[1] + [theme.warn] * self._parts[2]
        gap = 2.0 if self.width() / total > 5 else 0.0
        width = (self.width() + gap) / total
        for place in range(total):
            painter.setBrush(QColor(colors[place] if place < len(colors) else theme.grid))
            painter.drawRect(QRectF(place * width, 0, width - gap, self.height()))


class VenuePools(QWidget):
    """The pools of one venue."""

    def __init__(self, venue: str, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._venue = venue
        self._title = ElidedLabel(title, is_bold=True, least=title)
        self._host = ElidedLabel(DASH, scale=0.88)
        self._reuse = ElidedLabel(DASH, is_bold=True, scale=1.35, least="00.0 %")
        self._reuse.set_alignment(Qt.AlignmentFlag.AlignRight)
        self._reuse.set_definition(REUSE_DEFINITION)
        self._bar = OccupancyBar(theme)
        self._bar.setAccessibleName(f"{title}: connections in the pool")
        self._occupancy = ElidedLabel(DASH, scale=0.92)
        self.connections = ConnectionTrend(theme)
        self.reuse_trend = ReuseTrend(theme)
        self._sizing = ElidedLabel(DASH, scale=0.92)
        self._alarm = QLabel()
        self._alarm.setObjectName("problem")
        self._alarm.setTextFormat(Qt.TextFormat.PlainText)
        self._alarm.setWordWrap(True)
        self._alarm.hide()
        self.is_recorded = False
        """Whether what is shown is a recording, which holds no advice."""
        self._stripe = QWidget()
        self._stripe.setFixedWidth(3)
        self._values: dict[str, ElidedLabel] = {}
        self._captions: list[ElidedLabel] = []
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._stripe)
        head.addWidget(self._title)
        head.addWidget(self._host, 1)
        head.addWidget(self._reuse)
        trends = QHBoxLayout()
        trends.setSpacing(6)
        trends.addWidget(self.connections)
        trends.addWidget(self.reuse_trend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 5, 8, 5)
        layout.setSpacing(3)
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._occupancy)
        layout.addWidget(self._alarm)
        layout.addLayout(trends, 1)
        layout.addLayout(self._make_counters())
        layout.addWidget(self._sizing)
        self.set_theme(theme)

    def _make_counters(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 1, 0, 0)
        grid.setHorizontalSpacing(2)
        grid.setVerticalSpacing(0)
        for place, (name, _) in enumerate(DEFINITIONS):
            row, side = divmod(place, _COLUMNS)
            caption = ElidedLabel(name, scale=0.9, least=name)
            caption.setContentsMargins(5 if side else 0, 0, 0, 0)
            caption.set_definition(f"{name}: {definition_text(name)}")
            value = ElidedLabel(DASH, scale=0.92, least=_LEAST.get(name, "00"))
            self._captions.append(caption)
            value.set_alignment(Qt.AlignmentFlag.AlignRight)
            value.set_definition(f"{name}: {definition_text(name)}")
            grid.addWidget(caption, row, side * 2)
            grid.addWidget(value, row, side * 2 + 1)
            self._values[name] = value
        for side in range(_COLUMNS):
            grid.setColumnStretch(side * 2 + 1, 1)
        return grid

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self._bar.set_theme(theme)
        self.connections.set_theme(theme)
        self.reuse_trend.set_theme(theme)
        for caption in self._captions:
            caption.set_text(caption.text, theme.text_muted)
        self._sizing.set_text(self._sizing.text, theme.text_muted)
        self._stripe.setStyleSheet(f"background: {theme.venue_color(self._venue)}; border-radius: 1px;")

    def show_pools(
        self, pools: Sequence[PoolStats], figures: PoolFigures | None, chosen: PoolPeriod | None = None
    ) -> None:
        """Show gauges as they stand in ``pools`` and ``figures`` since start; of a ``chosen`` period, how they stood at
        its end, and the figures of the period.
        """
        theme = self._theme
        if not pools or figures is None:
            self._show_nothing()
            return
        hosts = ", ".join(dict.fromkeys(safe_text(pool.host, 80) for pool in pools))
        self._host.set_text(hosts, theme.text_muted)
        self._host.set_definition(f"{hosts}: the hosts asked, with their ports; each has a pool of its own.")
        self._reuse.set_text(percent(figures.reuse_ratio, 1), theme.text_muted if figures.reuse_ratio is None else None)
        if chosen is None:
            self._show_gauges(pools)
            told = tuple(pool.sizing for pool in pools if pool.sizing is not None)
            self._show_advice(told, any(pool.discarded for pool in pools))
        else:
            self._show_gauges_then(chosen)
            self._show_advice_then(chosen)
        self._show_alarm(pools, before="" if chosen is None else "Since start: ")
        for name, text in counter_texts(figures).items():
            is_alarm = text not in ("0", DASH)
            alarm = {"on error": theme.error, "discarded": theme.warn, "waiting": theme.warn}
            self._values[name].set_text(text, alarm.get(name) if is_alarm else None)
        self._values["reused"].set_definition(f"reused: {count_text(figures.reused)}. {definition_text('reused')}")

    def _show_nothing(self) -> None:
        """No pool exists: before the first request, and again after its transport was replaced."""
        self._host.set_text("no request yet", self._theme.text_muted)
        self._bar.set_parts(0, 0, 0, 0)
        self._alarm.hide()
        for label in (self._reuse, self._occupancy, self._sizing, *self._values.values()):
            label.set_text(DASH, self._theme.text_muted)
        self._tell_occupancy("No pool yet: it comes with the first request.")

    def show_trends(
        self, history: PoolHistory, now_mono_s: float, span_s: float, chosen: PoolPeriod | None = None
    ) -> None:
        """Show the last ``span_s`` seconds in the two small plots; their figures are of ``chosen``, if there is one."""
        for trend in (self.connections, self.reuse_trend):
            trend.set_period(chosen)
        self.connections.refresh(history.open, history.active, now_mono_s, span_s)
        self.reuse_trend.refresh(history.reuse, now_mono_s, span_s)

    def _show_gauges(self, pools: Sequence[PoolStats]) -> None:
        gauges, counters = PoolGauges.of(pools), PoolCounters.of(pools)
        self._show_occupancy(gauges, counters)
        self._tell_occupancy(
            f"{gauges.open} open now: {_parts_text(gauges)}.\n"
            f"{gauges.waiting} requests wait for a place now; {_waits_text(counters)}."
        )

    def _show_gauges_then(self, chosen: PoolPeriod) -> None:
        gauges, counters = chosen.gauges, chosen.counters
        if gauges is None:
            self._bar.set_parts(0, 0, 0, 0)
            self._occupancy.set_text(UNKNOWN_THEN)
            self._tell_occupancy(NO_GAUGES_WHAT)
            return
        self._show_occupancy(gauges, counters, before=AT_THE_END)
        spans = "".join(
            f"In the period {name}: {span.least:.0f} to {span.most:.0f}, {span.mean:.1f} in the mean "
            f"({span.n:,} samples, every two seconds).\n"
            for name, span in (("open", chosen.open), ("active", chosen.active))
            if span is not None
        )
        waits = "" if counters is None else f"; in the period {_waits_text(counters)}"
        self._tell_occupancy(
            f"{gauges.open} open at the end of the chosen period: {_parts_text(gauges)}.\n{spans}"
            f"{gauges.waiting} requests waited for a place at its end{waits}."
        )

    def _show_occupancy(self, gauges: PoolGauges, counters: PoolCounters | None, before: str = "") -> None:
        theme, maximum = self._theme, gauges.maximum
        failed = 0 if counters is None or gauges.open else counters.connect_failed
        self._bar.set_parts(gauges.active, max(gauges.idle - gauges.suspect, 0), gauges.suspect, maximum)
        parts = f"{gauges.active} active · {gauges.idle} idle"
        occupancy = f"{gauges.open} open · {parts} · {gauges.suspect} suspect · max {maximum}"
        if failed:
            occupancy = f"none open of {maximum} · {failed:,} failed to connect"
        if gauges.waiting:
            occupancy = f"{gauges.waiting} waiting · {parts} · max {maximum}"
        color = theme.error if failed else theme.warn if gauges.waiting else None
        self._occupancy.set_text(f"{before}{occupancy}", color)

    def _tell_occupancy(self, story: str) -> None:
        self._occupancy.set_definition(f"{story}\n{OCCUPANCY_WORDS}")
        self._bar.setToolTip(self._occupancy.toolTip())

    def _show_advice(self, advice: Sequence[SizingAdvice], is_alarm: bool, before: str = "") -> None:
        told = [describe_sizing(one) for one in advice]
        sizing = " / ".join(dict.fromkeys(told)) if told else describe_sizing(None, is_recorded=self.is_recorded)
        self._sizing.set_text(f"{before}{sizing}", self._theme.warn if is_alarm else self._theme.text_muted)
        then = ADVICE_THEN if before else ""
        self._sizing.set_definition(f"{then}{sizing}\n{SIZING_DEFINITION}")

    def _show_advice_then(self, chosen: PoolPeriod) -> None:
        if chosen.advice or self.is_recorded:
            advice = chosen.advice or ()
            self._show_advice(advice, any(one.discarded for one in advice), before=AT_THE_END)
            return
        self._sizing.set_text(UNKNOWN_THEN, self._theme.text_muted)
        self._sizing.set_definition(f"{NO_ADVICE_WHAT}\n{SIZING_DEFINITION}")

    def _show_alarm(self, pools: Sequence[PoolStats], before: str) -> None:
        alarm = describe_eviction(max((pool.evicted_pools for pool in pools), default=0))
        self._alarm.setVisible(alarm is not None)
        if alarm is not None:
            self._alarm.setText(f"{before}{alarm}")
            self._alarm.setToolTip(
                plain_tooltip(
                    "Since start: least recently used hosts lose their pool when more hosts are asked than pools are "
                    "kept."
                )
            )


def _parts_text(gauges: PoolGauges) -> str:
    return (
        f"{gauges.active} active (a request is on them), {gauges.idle} idle, of these {gauges.suspect} suspect (idle "
        f"longer than such sockets are known to survive); at most {gauges.maximum} are kept"
    )


def _waits_text(counters: PoolCounters) -> str:
    return (
        f"{duration_text(counters.lease_wait_s)} were waited in all, {counters.lease_timeouts:,} gave up, "
        f"{counters.connect_failed:,} connections could not be opened"
    )
