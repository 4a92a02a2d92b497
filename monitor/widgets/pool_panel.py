"""The pool panel: is the connection reuse working, venue by venue; a card for every socket; keep-alive fit; savings."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from monitor.domain.telemetry import PoolStats
from monitor.qtmodels.connection_model import ConnectionModel
from monitor.qtmodels.figures import safe_text
from monitor.state.ledger import SavingsLedger
from monitor.state.period import Period
from monitor.state.pool_figures import PoolFigures, figures_since_start
from monitor.state.venue_period import PeakFinder, PoolPeriod, pool_period, venue_period, was_asked_by
from monitor.state.venue_state import VenueState
from monitor.widgets.connection_list import ConnectionList
from monitor.widgets.elided import ElidedLabel
from monitor.widgets.keep_alive_view import KeepAliveView
from monitor.widgets.pool_overview import VenuePools
from monitor.widgets.savings_view import SavingsRow, SavingsView
from monitor.widgets.scrolled import ScrolledColumn
from monitor.widgets.theme import Theme

SINCE_START = "since start"
CARDS_WHAT = "Sockets open now, and the newest of those that were closed."
CARDS_PERIOD_WHAT = (
    "Sockets that were open at some moment of the chosen period, as far as cards are kept: of those open now, and of "
    "the newest closed ones of each pool; the overview counts all. A card tells the socket's whole life until now."
)
TAB_WHAT = (
    "Reuse, connections now and over time, who opened and closed them",
    "A card for every socket, open ones first",
    "How long each host lets a socket idle, and whether the poll interval fits",
    "What reuse and caching have saved",
)


class PoolPanel(QWidget):
    """Four pages: overview of every venue's pools, connection cards, keep-alive fit, savings.

    Signals:
        connection_chosen(int): the user went to the card of this connection number.
    """

    connection_chosen = Signal(int)

    def __init__(
        self,
        venues: Sequence[VenueState],
        *,
        ledger: SavingsLedger,
        clock: Callable[[], float],
        venue_title: Callable[[str], str],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._venues = tuple(venues)
        self._ledger = ledger
        self._clock = clock
        self._span_s = 900.0
        self._period: Period | None = None
        self._span_text = SINCE_START
        self.sections = {
            venue.name: VenuePools(venue.name, safe_text(venue_title(venue.name), 30), theme) for venue in venues
        }
        self._peaks = {venue.name: PeakFinder(venue) for venue in venues}
        self.model = ConnectionModel(venue_title, self)
        self.cards = ConnectionList(self.model, theme)
        self.keep_alive = KeepAliveView(self._venues, venue_title=venue_title, theme=theme)
        self.savings = SavingsView([venue.name for venue in venues], venue_title=venue_title, theme=theme)
        self._cards_title = ElidedLabel("", scale=0.92)
        self._cards_title.set_definition(CARDS_WHAT)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("poolTabs")
        self.tabs.setDocumentMode(True)
        self.tabs.setAccessibleName("Connection pools")
        self.tabs.tabBar().setExpanding(True)
        self.tabs.setUsesScrollButtons(False)
        for widget, title, what in zip(
            (self._overview_page(), self._cards_page(), self.keep_alive, ScrolledColumn(self.savings)),
            ("Overview", "Sockets", "Keep-alive", "Savings"),
            TAB_WHAT,
            strict=True,
        ):
            place = self.tabs.addTab(widget, title)
            self.tabs.setTabToolTip(place, what)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.tabs)
        self.tabs.currentChanged.connect(self.on_slow_frame)
        self.cards.selectionModel().currentChanged.connect(self._on_current_changed)

    def _overview_page(self) -> QWidget:
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for section in self.sections.values():
            layout.addWidget(section, 1)
        return ScrolledColumn(inside)

    def _cards_page(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(10, 6, 8, 6)
        layout.addWidget(self._cards_title)
        layout.addWidget(self.cards, 1)
        return page

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        for section in self.sections.values():
            section.set_theme(theme)
        self.cards.set_theme(theme)
        self.keep_alive.set_theme(theme)
        self.savings.set_theme(theme)

    def set_recorded(self) -> None:
        """Say from now on of what a recording does not hold that it was not recorded."""
        for section in self.sections.values():
            section.is_recorded = True

    def set_time_range(self, seconds: float) -> None:
        """Show the last ``seconds`` in the small plots, as the charts do."""
        self._span_s = seconds
        self.on_slow_frame()

    def set_period(self, period: Period | None, text: str) -> None:
        """Show the figures of ``period``, which is called ``text``; ``None``: those since start, and gauges of now."""
        self._period, self._span_text = period, SINCE_START if period is None else text
        self.keep_alive.set_period(period)
        self.on_slow_frame()

    def on_slow_frame(self) -> None:
        """Show the newest figures of the page in front: they are read, not watched, so once a second is right."""
        now = self._clock()
        pools = [pool for venue in self._venues for pool in venue.pools]
        self._show_cards(pools, now)
        page = self.tabs.currentWidget()
        if page is self.keep_alive:
            self.keep_alive.refresh()
        elif self.savings.isVisible():
            self.savings.show_rows(self._savings(now), self._span_text)
        else:
            for venue in self._venues:
                section = self.sections[venue.name]
                chosen = None if self._period is None else pool_period(venue, self._period)
                section.show_pools(venue.pools, self._figures(venue, chosen), chosen)
                section.show_trends(venue.pool_history, now, self._span_s, chosen)

    @property
    def front(self) -> QWidget:
        """What the keyboard goes to: the cards while they are in front, else the tabs."""
        return self.cards if self.cards.isVisible() else self.tabs.tabBar()

    def show_sockets(self) -> None:
        """Bring the connection cards to the front."""
        self.tabs.setCurrentIndex(1)

    def select_connection(self, connection_id: int) -> bool:
        """Go to the card of a connection; False when it is not shown any more."""
        row = self.model.row_of(connection_id)
        if row is None:
            return False
        self.show_sockets()
        index = self.model.index(row, 0)
        self.cards.setCurrentIndex(index)
        self.cards.scrollTo(index)
        return True

    def _figures(self, venue: VenueState, chosen: PoolPeriod | None) -> PoolFigures | None:
        if chosen is None:
            return figures_since_start(venue.pools)
        return replace(
            venue_period(venue, chosen.period).pools,
            peak=self._peaks[venue.name].find(chosen.period),
            waiting=None if chosen.gauges is None else chosen.gauges.waiting,
        )

    def _show_cards(self, pools: Sequence[PoolStats], now_mono_s: float) -> None:
        period = self._period
        self.model.refresh(pools, now_mono_s, period)
        self.cards.set_period(period is not None)
        self.model.tick(now_mono_s)
        opened = self.model.open_count
        closed = self.model.rowCount() - opened
        if period is None:
            self._cards_title.set_text(f"{opened} open" + (f" · {closed} closed lately" if closed else ""))
        else:
            self._cards_title.set_text(f"of the period: {opened} open now · {closed} closed by now")
        self._cards_title.set_definition(CARDS_WHAT if period is None else CARDS_PERIOD_WHAT)

    def _savings(self, now_mono_s: float) -> dict[str, SavingsRow]:
        period = self._period
        if period is None:
            pooling, caching = self._ledger.pooling(now_mono_s), self._ledger.caching()
        else:
            tallies = {
                venue.name: venue.latency.tally(period.start_mono_s, period.end_mono_s) for venue in self._venues
            }
            hosts = {name: host for tally in tallies.values() for name, host in tally.by_host.items()}
            pooling = self._ledger.pooling_between(period, hosts)
            known = {venue.name for venue in self._venues if was_asked_by(venue, period)}
            warm_s = {
                venue.name: venue.latency.summary(period.start_mono_s, period.end_mono_s, False).p50_s
                for venue in self._venues
            }
            caching = self._ledger.caching_between(
                period, {name: tally.calls for name, tally in tallies.items() if name in known}, warm_s
            )
        return {
            venue.name: SavingsRow(
                venue.name,
                tuple(pooling[pool.host] for pool in venue.pools if pool.host in pooling),
                caching.get(venue.name),
                venue.cache if period is None else venue.cache_between(period),
            )
            for venue in self._venues
        }

    def _on_current_changed(self) -> None:
        row = self.cards.currentIndex().row()
        if row >= 0:
            self.connection_chosen.emit(self.model.row_at(row).card.connection_id)
