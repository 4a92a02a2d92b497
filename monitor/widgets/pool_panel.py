"""The pool panel: is the connection reuse working, venue by venue, and a card for every socket."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.qtmodels.connection_model import ConnectionModel
from monitor.qtmodels.figures import DASH, count_text, percent, safe_text
from monitor.state.venue_state import VenueState
from monitor.widgets.connection_list import ConnectionList
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.theme import Theme

REUSE_DEFINITION = (
    "Reuse: warm attempts / all attempts. Warm means that no TCP connection was opened for the attempt, "
    "counted where sockets open. A dash before the first attempt."
)

DEFINITIONS: tuple[tuple[str, str], ...] = (
    ("opened", "TCP connections opened since start"),
    ("reused", "Attempts that found an open connection"),
    ("peak", "Most connections in use at the same time"),
    ("by server", "Connections the server ended: it said so, or it was found gone before or at use (stale)"),
    ("by us", "Connections we ended: idle too long, too old, reply abandoned, or closed with the pool"),
    ("on error", "Connections ended because a request on them failed"),
    ("discarded", "Connections thrown away because the pool was full when they came back"),
    ("waiting", "Requests waiting for a free place in the pool now"),
    ("healed", "Polls saved by a second attempt after a kept-alive connection turned out to be dead"),
)
"""Counters of a pool in the order shown (three columns), with what they count."""

_BY_SERVER = (CloseCause.BY_SERVER, CloseCause.STALE)
_BY_US = (CloseCause.EXPIRED, CloseCause.ABANDONED, CloseCause.WITH_POOL)


def counters_of(pools: Sequence[PoolStats]) -> dict[str, int]:
    """Sum the counters of a venue's pools, by the words of ``DEFINITIONS``."""

    def closed(causes: Sequence[CloseCause]) -> int:
        return sum(pool.closed.get(cause, 0) for pool in pools for cause in causes)

    return {
        "opened": sum(pool.opened for pool in pools),
        "reused": sum(pool.reused for pool in pools),
        "by server": closed(_BY_SERVER),
        "by us": closed(_BY_US),
        "on error": closed((CloseCause.ERROR,)),
        "discarded": sum(pool.discarded for pool in pools),
        "waiting": sum(pool.waiting for pool in pools),
        "peak": sum(pool.peak_active for pool in pools),
        "healed": sum(pool.healed for pool in pools),
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
    """The pools of one venue: reuse in large, occupancy, counters."""

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
        self._occupancy.set_definition(
            "Open connections: active (a request is on them), idle, suspect (idle longer than such sockets are known "
            "to survive), of the most the pool keeps"
        )
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 7, 10, 7)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._occupancy)
        layout.addLayout(self._make_counters())
        self.set_theme(theme)

    def _make_counters(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setContentsMargins(0, 2, 0, 0)
        grid.setHorizontalSpacing(5)
        grid.setVerticalSpacing(1)
        grid.setColumnMinimumWidth(2, 4)
        grid.setColumnMinimumWidth(5, 4)
        for place, (name, definition) in enumerate(DEFINITIONS):
            row, side = divmod(place, 3)
            caption = ElidedLabel(name, scale=0.92, least=name)
            caption.set_definition(f"{name}: {definition}.")
            value = ElidedLabel(DASH, scale=0.96, least="000,000" if name == "reused" else "000")
            self._captions.append(caption)
            value.set_alignment(Qt.AlignmentFlag.AlignRight)
            value.set_definition(f"{name}: {definition}.")
            grid.addWidget(caption, row, side * 3)
            grid.addWidget(value, row, side * 3 + 1)
            self._values[name] = value
        for side in range(3):
            grid.setColumnStretch(side * 3 + 1, 1)
        return grid

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self._bar.set_theme(theme)
        self._muted = theme.text_muted
        for caption in self._captions:
            caption.set_text(caption.text, theme.text_muted)
        self._warn = theme.warn
        self._error = theme.error
        self._stripe.setStyleSheet(f"background: {theme.venue_color(self._venue)}; border-radius: 1px;")

    def show_pools(self, pools: Sequence[PoolStats], reuse_ratio: float | None) -> None:
        """Show the newest figures of the venue's pools."""
        if not pools:
            self._host.set_text("no request yet", self._muted)
            return
        hosts = ", ".join(dict.fromkeys(safe_text(pool.host, 80) for pool in pools))
        self._host.set_text(hosts, self._muted)
        self._reuse.set_text(percent(reuse_ratio, 1), self._muted if reuse_ratio is None else None)
        active, idle, suspect, maximum = (
            sum(pool.active for pool in pools),
            sum(pool.idle for pool in pools),
            sum(pool.suspect for pool in pools),
            sum(pool.max_connections for pool in pools),
        )
        self._bar.set_parts(active, max(idle - suspect, 0), suspect, maximum)
        failed = sum(pool.connect_failed for pool in pools)
        occupancy = f"{active + idle} open · {active} active · {idle} idle · {suspect} suspect · max {maximum}"
        if failed:
            occupancy = f"{active + idle} open of {maximum} · {failed:,} failed to connect"
        self._occupancy.set_text(occupancy, self._error if failed and not active + idle else None)
        counters = counters_of(pools)
        for name, label in self._values.items():
            count = counters[name]
            alarm = {"on error": self._error, "discarded": self._warn, "waiting": self._warn}
            label.set_text(count_text(count), alarm.get(name) if count else None)


class PoolPanel(QWidget):
    """Pools of every venue above, connection cards below.

    Signals:
        connection_chosen(int): the user went to the card of this connection number.
    """

    connection_chosen = Signal(int)

    def __init__(
        self,
        venues: Sequence[VenueState],
        *,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._venues = tuple(venues)
        self._clock = clock
        self._sections = {
            venue.name: VenuePools(venue.name, safe_text(venue_title(venue.name), 30), theme) for venue in venues
        }
        self.model = ConnectionModel(venue_title, self)
        self.cards = ConnectionList(self.model, theme)
        self._cards_title = ElidedLabel("Connections", is_bold=True, scale=0.92)
        inside = QWidget()
        inside_layout = QVBoxLayout(inside)
        inside_layout.setContentsMargins(0, 0, 0, 0)
        inside_layout.setSpacing(0)
        for section in self._sections.values():
            inside_layout.addWidget(section)
        cards_layout = QVBoxLayout()
        cards_layout.setContentsMargins(10, 6, 8, 6)
        cards_layout.addWidget(self._cards_title)
        cards_layout.addWidget(self.cards, 1)
        self.cards.setMinimumHeight(112)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(scroll, 0)
        layout.addLayout(cards_layout, 1)
        self.cards.selectionModel().currentChanged.connect(self._on_current_changed)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        for section in self._sections.values():
            section.set_theme(theme)
        self.cards.set_theme(theme)

    def on_slow_frame(self) -> None:
        """Show the newest figures: these are read, not watched, so once a second is right."""
        now = self._clock()
        pools: list[PoolStats] = []
        for venue in self._venues:
            self._sections[venue.name].show_pools(venue.pools, venue.reuse_ratio)
            pools.extend(venue.pools)
        self.model.refresh(pools, now)
        self.model.tick(now)
        opened = self.model.open_count
        closed = self.model.rowCount() - opened
        self._cards_title.set_text(f"Connections · {opened} open" + (f" · {closed} closed lately" if closed else ""))

    def select_connection(self, connection_id: int) -> bool:
        """Go to the card of a connection; False when it is not shown any more."""
        row = self.model.row_of(connection_id)
        if row is None:
            return False
        index = self.model.index(row, 0)
        self.cards.setCurrentIndex(index)
        self.cards.scrollTo(index)
        return True

    def _on_current_changed(self) -> None:
        row = self.cards.currentIndex().row()
        if row >= 0:
            self.connection_chosen.emit(self.model.row_at(row).card.connection_id)
