"""Keep-alive fit: how long each host lets a socket idle, drawn and in words."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from monitor.domain.pool_health import IdleBucket, KeepAliveFit
from monitor.domain.telemetry import PoolStats
from monitor.qtmodels.figures import DASH, plain_tooltip, safe_text
from monitor.state.ages import seconds_text
from monitor.state.period import Period
from monitor.state.pool_words import FitKind, FitWords, describe_fit, describe_fit_of_period
from monitor.state.venue_period import fit_of_period
from monitor.state.venue_state import VenueState
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme

FIT_DEFINITION = (
    "Each socket that was looked at again after a pause, by how long it had idled: survived (still open, below) or "
    "dropped by the server (above). The height is the share, n the number of sockets. Triangle: the time between two "
    "requests to this host. Diamond: the idle time after which we close a socket ourselves."
)
PERIOD_FIT_WHAT = (
    "Of the chosen period alone: the sockets looked at in it, with the poll interval and the idle time at its end; not "
    "what earlier sockets and runs had shown. Pools tell of it every five seconds, so sockets looked at shortly before "
    "the period may be among them."
)
NO_SOCKET = "no socket was looked at after a pause yet"
NO_SOCKET_THEN = "no socket was looked at after a pause then"
_BAR_HEIGHT_PX = 58
MOST_BARS = 9
"""More would leave no room for their numbers."""


def short_seconds(seconds: float) -> str:
    """``0.5``, ``15s``, ``2m``: an idle time where there is little room."""
    if seconds < 1.0:
        return f"{seconds:g}s"
    if seconds < 120.0:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 7_200.0 else f"{seconds / 3_600:.0f}h"


def merged(buckets: Sequence[IdleBucket], most: int = MOST_BARS) -> tuple[IdleBucket, ...]:
    """Neighbours put together so that there are at most ``most``; no sample is lost."""
    size = -(-len(buckets) // most) or 1
    groups = [buckets[at : at + size] for at in range(0, len(buckets), size)]
    return tuple(
        IdleBucket(
            idle_from_s=group[0].idle_from_s,
            idle_to_s=group[-1].idle_to_s,
            survived=sum(one.survived for one in group),
            dropped=sum(one.dropped for one in group),
        )
        for group in groups
    )


class FitChart(QWidget):
    """A bar per idle time: the part that survived at the bottom, the part that was dropped on top, n below."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._fit: KeepAliveFit | None = None
        self._interval_s: float | None = None
        self._empty = NO_SOCKET
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.8, 6.0))
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Qt: bars, and two lines of text."""
        return QSize(200, _BAR_HEIGHT_PX + 3 * self.fontMetrics().height() + 4)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.update()

    def show_fit(self, fit: KeepAliveFit | None, interval_s: float | None, *, is_period: bool = False) -> None:
        """Show what was learned of a host that is asked every ``interval_s``, since ever or in a period."""
        empty = NO_SOCKET if not is_period else DASH if fit is None else NO_SOCKET_THEN
        if (fit, interval_s, empty) == (self._fit, self._interval_s, self._empty):
            return
        self._fit, self._interval_s, self._empty = fit, interval_s, empty
        buckets = () if fit is None else fit.buckets
        lines = [
            f"idle {seconds_text(one.idle_from_s)} to {seconds_text(one.idle_to_s)}: {one.survived} survived, "
            f"{one.dropped} dropped"
            for one in buckets
        ]
        self.setAccessibleDescription("; ".join(lines))
        definition = [PERIOD_FIT_WHAT, FIT_DEFINITION] if is_period else [FIT_DEFINITION]
        self.setToolTip(plain_tooltip("\n".join([*lines, *definition])))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Qt: the bars, their n, their idle times, and the marks."""
        painter = QPainter(self)
        theme, line = self._theme, self.fontMetrics().height()
        fit = self._fit
        if fit is None or not fit.buckets:
            painter.setPen(QColor(theme.text_muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._empty)
            return
        bars = merged(fit.buckets)
        width = min(self.width() / len(bars), 44.0)
        top = line
        for place, bucket in enumerate(bars):
            column = QRectF(place * width, top, width, _BAR_HEIGHT_PX)
            self._paint_bucket(painter, column, bucket)
            label = QRect(int(column.left()), int(column.bottom()), int(width), line)
            painter.setPen(QColor(theme.text_muted))
            painter.drawText(label, Qt.AlignmentFlag.AlignHCenter, short_seconds(bucket.idle_to_s))
            marks = ""
            if self._interval_s is not None and bucket.idle_from_s <= self._interval_s < bucket.idle_to_s:
                marks += "▲"
            if bucket.idle_from_s <= fit.retire_after_s < bucket.idle_to_s:
                marks += "◆"
            if marks:
                painter.setPen(QColor(theme.text))
                painter.drawText(label.translated(0, line), Qt.AlignmentFlag.AlignHCenter, marks)

    def _paint_bucket(self, painter: QPainter, column: QRectF, bucket: IdleBucket) -> None:
        theme, seen = self._theme, bucket.survived + bucket.dropped
        bar = column.adjusted(2.0, 0.0, -2.0, 0.0)
        survived_px = bar.height() * bucket.survived / seen if seen else 0.0
        painter.fillRect(bar, QColor(theme.error if bucket.dropped else theme.grid))
        painter.fillRect(QRectF(bar.left(), bar.bottom() - survived_px, bar.width(), survived_px), QColor(theme.ok))
        painter.setPen(QColor(theme.text))
        count = QRect(int(column.left()), 0, int(column.width()), int(column.top()))
        text = f"{seen:,}" if seen < 1_000 else f"{seen / 1_000:.0f}k"
        painter.drawText(count, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, text)


class _HostFit(QWidget):
    """One host: its name, the sentence, the chart."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._title = ElidedLabel("", is_bold=True)
        self._host = ElidedLabel("", scale=0.88)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        self.chart = FitChart(theme)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._host, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 7, 10, 7)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.words)
        layout.addWidget(self.chart)
        self._theme = theme
        self._kind = FitKind.UNKNOWN

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        self.chart.set_theme(theme)
        self._color()

    def show_host(
        self,
        title: str,
        pool: PoolStats,
        fit: KeepAliveFit | None,
        words: FitWords,
        interval_s: float | None,
        *,
        is_period: bool,
    ) -> None:
        """Show the ``fit`` of one pool's host, of a period where ``is_period``."""
        self._title.set_text(title, self._theme.venue_color(pool.venue))
        self._host.set_text(safe_text(pool.host, 80), self._theme.text_muted)
        self.words.setText(words.text)
        closes = "closed" if is_period else "close"
        retire = "" if fit is None else f"\nWe {closes} a socket after {seconds_text(fit.retire_after_s)} idle."
        period = f"{PERIOD_FIT_WHAT}\n" if is_period else ""
        self.words.setToolTip(plain_tooltip(f"{words.text}{retire}\n{period}{FIT_DEFINITION}"))
        self.chart.setAccessibleName(f"{title}: how long sockets survive idling")
        self.chart.show_fit(fit, interval_s, is_period=is_period)
        self._kind = words.kind
        self._color()

    def _color(self) -> None:
        color = {
            FitKind.FITS: self._theme.ok,
            FitKind.TIGHT: self._theme.warn,
            FitKind.OUTLIVES: self._theme.error,
        }.get(self._kind, self._theme.text_muted)
        self.words.setStyleSheet(f"color: {color};")


class KeepAliveView(QScrollArea):
    """The fit of every host of every venue. ``keeps_warm`` says whether the user has one connection kept warm."""

    def __init__(self, venues: Sequence[VenueState], *, venue_title: Callable[[str], str], theme: Theme) -> None:
        super().__init__()
        self._venues = tuple(venues)
        self._venue_title = venue_title
        self._theme = theme
        self._period: Period | None = None
        self.keeps_warm = False
        self.hosts: dict[tuple[str, str, str], _HostFit] = {}
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Keep-alive fit")
        inside = QWidget()
        self._layout = QVBoxLayout(inside)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self._empty = QLabel("How long each host lets a socket idle is learned from the first requests on.")
        self._empty.setWordWrap(True)
        self._empty.setProperty("muted", True)
        self._empty.setMargin(10)
        self._layout.addWidget(self._empty)
        self._layout.addStretch(1)
        self.setWidget(inside)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._theme = theme
        for host in self.hosts.values():
            host.set_theme(theme)

    def set_period(self, period: Period | None) -> None:
        """Show the fit from the sockets of ``period`` alone; ``None``: from all sockets so far."""
        self._period = period
        self.refresh()

    def refresh(self) -> None:
        """Show what is known now, or was seen in the period."""
        period = self._period
        seen: set[tuple[str, str, str]] = set()
        for venue in self._venues:
            interval_s = venue.shortest_cadence_s if period is None else venue.cadence.at(period.end_mono_s)
            for pool in venue.pools:
                key = (pool.venue, pool.host, pool.scheme)
                seen.add(key)
                host = self.hosts.get(key)
                if host is None:
                    host = self.hosts[key] = _HostFit(self._theme)
                    self._layout.insertWidget(self._layout.count() - 1, host)
                if period is None:
                    fit = pool.fit
                    words = describe_fit(fit, interval_s, is_kept_warm=self.keeps_warm)
                else:
                    fit = fit_of_period(venue, pool, period)
                    words = describe_fit_of_period(fit, interval_s)
                title = safe_text(self._venue_title(venue.name), 30) or DASH
                host.show_host(title, pool, fit, words, interval_s, is_period=period is not None)
        for key in self.hosts.keys() - seen:
            gone = self.hosts.pop(key)
            self._layout.removeWidget(gone)
            gone.deleteLater()
        self._empty.setVisible(not self.hosts)
