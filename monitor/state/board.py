"""The board: everything the screen knows, merged from poll results."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from monitor.domain.market import CandleBatch, Instrument, InstrumentCatalog, OrderBook, QuoteBatch, VenueStatus
from monitor.domain.telemetry import BudgetState, PoolStats
from monitor.exchanges.base import Source
from monitor.exchanges.caching import CacheStats
from monitor.polling.results import PollFailure, PollResult, PollSuccess, TaskDone
from monitor.state.accounts import AccountBook
from monitor.state.books import BookState
from monitor.state.candles import CandleSeries
from monitor.state.catalog import Catalog, InstrumentKey
from monitor.state.event_log import EventLog
from monitor.state.ledger import SavingsLedger
from monitor.state.market_state import MarketState
from monitor.state.merge import MergeOutcome
from monitor.state.narrator import Narrator
from monitor.state.quotes import Origin, QuoteState
from monitor.state.request_log import RequestLog
from monitor.state.restored import Past
from monitor.state.series import TimeSeries
from monitor.state.spike_log import SpikeLog
from monitor.state.venue_state import VenueState

_ALL_OUT_OF_REACH: Final = (
    "Check the network of this computer. Proxy and certificate authority: Settings, Network (Ctrl+,). Polling goes on."
)
_ONE_OUT_OF_REACH: Final = (
    "Another venue answers, so this one or the way to it is down. Proxy: Settings, Network (Ctrl+,). Polling goes on."
)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Board:
    """Newest quotes, series, candles, books, requests, pools, budgets and events of all venues.

    Plain Python, no lock, no Qt, nothing blocks. ``clock`` is the monotonic clock every ``*_mono_s`` is read from;
    ``utc_now`` stamps events. ``venues`` gives the order of :attr:`venue_names`; results of other venues are accepted
    and add the venue. Thread: one only, the GUI's or the headless loop's.
    """

    def __init__(
        self,
        *,
        venues: Sequence[str],
        clock: Callable[[], float] = time.perf_counter,
        utc_now: Callable[[], datetime] = _utc_now,
        series_capacity: int = 90_000,
    ) -> None:
        self.revision = 0
        """Grows with every change worth a repaint."""
        self.dropped_results = 0
        """Results lost because the hand-over to this thread was full."""
        self.requests = RequestLog()
        self.events = EventLog()
        self.ledger = SavingsLedger()
        self.spikes = SpikeLog()
        self.accounts = AccountBook()
        """The user's accounts; whoever opens them says which there are."""
        self.started_mono_s = clock()
        self.has_past = False
        """Whether series hold points of before :attr:`started_mono_s`: of an earlier run, drawn and never counted."""
        self.series_capacity = series_capacity
        self._clock = clock
        self._catalog = Catalog(venues)
        self._venues = {name: VenueState(name) for name in venues}
        self._narrator = Narrator(self.events, clock=clock, utc_now=utc_now)
        self._markets = MarketState(self._catalog, series_capacity=series_capacity)
        self._epoch = 0

    # What widgets read.

    @property
    def venue_names(self) -> tuple[str, ...]:
        """Names of the venues, in the order given at the start."""
        return tuple(self._venues)

    @property
    def instruments(self) -> Mapping[InstrumentKey, Instrument]:
        """Every instrument listed since start, by (venue, venue symbol); a live view."""
        return self._catalog.instruments

    @property
    def tracked(self) -> tuple[InstrumentKey, ...]:
        """The instruments that keep a full series, see :meth:`track`."""
        return tuple(self._markets.series)

    @property
    def epoch(self) -> int:
        """Epoch of the plan in force."""
        return self._epoch

    def venue(self, name: str) -> VenueState:
        """State of one venue; raises ``KeyError`` for an unknown name."""
        return self._venues[name]

    def why_silent(self, venue: str) -> str | None:
        """Why a venue brings nothing just now, in the user's words; ``None`` while its polls are answered."""
        state = self._venues.get(venue)
        return None if state is None else state.failing_because

    def what_helps(self, venue: str) -> str | None:
        """What the user can look at when ``venue`` cannot be reached; ``None`` while nothing of the kind is wrong."""
        state = self._venues.get(venue)
        if state is None or not state.is_out_of_reach:
            return None
        others = (other for other in self._venues.values() if other is not state and other.fast_feed is not None)
        if any(not other.failing_endpoints for other in others):
            return _ONE_OUT_OF_REACH
        return _ALL_OUT_OF_REACH

    def quote(self, key: InstrumentKey) -> QuoteState | None:
        """Newest quote of an instrument; ``None`` before any reply spoke of it."""
        return self._markets.rows.get(key)

    def series(self, key: InstrumentKey) -> TimeSeries | None:
        """History of the displayed price (float, by time received); ``None`` for what is not tracked."""
        return self._markets.series.get(key)

    def book(self, key: InstrumentKey) -> BookState | None:
        """Newest order book; ``None`` when none was ever polled."""
        return self._markets.books.get(key)

    def candles(self, key: InstrumentKey, interval: str) -> CandleSeries | None:
        """Candles of an instrument; ``None`` before the first reply of that interval."""
        return self._markets.candles.get((key, interval))

    def candle_origin(self, key: InstrumentKey, interval: str) -> Origin | None:
        """Reply and feed of the newest candles of an interval; ``None`` before the first."""
        return self._markets.candle_origins.get((key, interval))

    def catalog_origin(self, venue: str) -> Origin | None:
        """Reply and feed of a venue's list of instruments; ``None`` before the first."""
        return self._markets.catalog_origins.get(venue)

    def find(self, text: str, *, venue: str | None = None, limit: int = 50) -> list[Instrument]:
        """Search the instruments, best match first; see :meth:`monitor.state.catalog.Catalog.find`."""
        return self._catalog.find(text, venue=venue, limit=limit)

    def resolve(self, venue: str, text: str) -> Instrument | None:
        """The instrument with exactly this name or venue symbol, whatever the case."""
        return self._catalog.resolve(venue, text)

    def counterpart(self, key: InstrumentKey) -> InstrumentKey | None:
        """The same market on the other venue, ``None`` where there is none."""
        return self._catalog.counterpart(key)

    # What the frame pump (or the headless loop) calls.

    def accept_epoch(self, epoch: int) -> None:
        """A new plan is in force: prices of results of an older one are ignored from now on.

        What those requests cost is still counted, and what cannot resurrect a price (the list of instruments, closed
        candles) is still taken.
        """
        self._epoch = max(self._epoch, epoch)
        for venue in self._venues.values():
            venue.accept_epoch(self._epoch)

    def renew_transports(self) -> None:
        """The plan in force is the first through new transports: polls of an older one tell no more of pools and
        budgets, and counters begin anew.
        """
        for venue in self._venues.values():
            venue.renew_transport(self._epoch)

    def track(self, keys: Iterable[InstrumentKey]) -> None:
        """Keep a full series for exactly these instruments; the series of others are forgotten."""
        self._markets.track(keys)
        self.revision += 1

    def apply(self, results: Sequence[PollResult], dropped: int = 0) -> None:
        """Take in what the outbox held, oldest first, and how many results it had to drop.

        Results may arrive late and out of order. Call it with nothing at least once a second (or call :meth:`tick`),
        so that silence is noticed. One-off work (``TaskDone``) is not the board's and passes by.
        """
        if dropped:
            self.dropped_results += dropped
            self._narrator.dropped(dropped)
        for result in results:
            if isinstance(result, TaskDone):
                continue
            self._apply_one(result)
        if results or dropped:
            self.revision += 1
        self.tick()

    def tick(self) -> None:
        """Notice what time alone brings: a venue that went late, a pause that ended. Cheap; adds events only."""
        now_mono_s = self._clock()
        events_before = self.events.revision
        for venue in self._venues.values():
            self._narrator.watch(venue, now_mono_s)
        if self.events.revision != events_before:
            self.revision += 1

    def note_cache(self, venue: str, stats: CacheStats) -> None:
        """How the reads of a venue were answered so far, as its client counts."""
        self._venues[venue].note_cache(stats, self._clock())

    def note_polled(self, venue: str, is_polled: bool) -> None:
        """Whether the user has a venue polled, which it is until told otherwise."""
        self._venues[venue].note_polled(is_polled, self._clock())

    def note_pools(self, venue: str, pools: Sequence[PoolStats], budget: BudgetState, taken_mono_s: float) -> None:
        """How a venue's pools and budget stood at ``taken_mono_s``, from its transport and without a poll."""
        self._venues[venue].note_pools(pools, budget, taken_mono_s, self._clock())

    def restore(self, past: Past) -> None:
        """Put what an earlier run showed before what this one has shown so far; ``past`` is taken over. Cheap.

        It is there to be looked at: it counts in no ledger, ratio or verdict, and no quote becomes known by it. What
        is not tracked (any more) is left alone.
        """
        for key, series in past.series.items():
            self._markets.continue_series(key, series)
        own = self.requests.items
        if self.requests.first_revision == 0:
            for name, window in past.latency.items():
                if name in self._venues:
                    for trace in own:
                        if trace.venue == name:
                            window.add(trace)
                    self._venues[name].latency = window
        self.requests.earlier = past.requests or self.requests.earlier
        if past.spikes is not None:
            self.spikes.take_past(past.spikes)
        self.has_past = self.has_past or not past.is_empty
        self.revision += 1

    def mark_stale(self, *, slept_s: float = 0.0) -> None:
        """The machine slept or changed network: every price is late until it is received anew.

        ``slept_s`` is how long it slept as far as the monotonic clock did not count it; ages grow by it.
        """
        self._markets.mark_stale(slept_s)
        for venue in self._venues.values():
            venue.mark_stale(slept_s, self._clock())
        self.accounts.mark_stale(slept_s)
        self._narrator.marked_stale(slept_s)
        self.revision += 1

    # How a result is merged.

    def _apply_one(self, result: PollSuccess | PollFailure) -> None:
        venue = self._venues.get(result.venue)
        if venue is None:
            venue = self._venues[result.venue] = VenueState(result.venue)
        for trace in result.traces:
            if self.requests.add(trace):
                venue.note_trace(trace)
                self.ledger.add_trace(trace)
                self.spikes.add(trace, gives_way=result.account is not None)
                self._narrator.traced(trace)
        self._narrator.before_result(venue, result)
        venue.note_result(result, self._clock())
        if isinstance(result, PollFailure):
            venue.note_failure(result)
            if result.account is None or self.accounts.fail(result):
                self._narrator.failed(result)
            return
        self.ledger.add_poll(result)
        if result.account is None:
            self._narrator.recovered(result, venue.end_streak(result.endpoint))
        else:
            # Whatever the epoch: the plan changes with what is looked at, the account does not.
            self._narrator.recovered(result, self.accounts.apply(result))
        if result.clock_offset_s is not None and result.source is Source.NETWORK:
            round_trip_s = result.received_mono_s - result.requested_mono_s
            venue.note_clock(result.clock_offset_s, round_trip_s, result.received_mono_s)
        self._apply_payload(venue, result)

    def _apply_payload(self, venue: VenueState, result: PollSuccess) -> None:
        payload = result.payload
        is_old_plan = result.plan_epoch < self._epoch
        if isinstance(payload, InstrumentCatalog):
            self._tell_of_listing(result.venue, self._markets.apply_catalog(venue, payload, result))
        elif isinstance(payload, CandleBatch):
            self._markets.apply_candles(venue, payload, result, closed_only=is_old_plan)
        elif is_old_plan:
            return
        elif isinstance(payload, QuoteBatch):
            self._tell_of_listing(result.venue, self._markets.apply_quotes(venue, payload, result))
        elif isinstance(payload, OrderBook):
            self._markets.apply_book(venue, payload, result)
        elif isinstance(payload, VenueStatus):
            venue.special_status = payload.special_status

    def _tell_of_listing(self, venue: str, outcome: MergeOutcome) -> None:
        self._narrator.listing(venue, self._names(outcome.vanished), self._names(outcome.returned))

    def _names(self, rows: Iterable[QuoteState]) -> list[str]:
        known = self._catalog.instruments
        return [known[row.key].name if row.key in known else row.venue_symbol for row in rows]
