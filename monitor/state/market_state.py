"""The markets of all venues: quotes, series, books and candles, merged from payloads."""

import math
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from monitor.domain.market import CandleBatch, InstrumentCatalog, OrderBook, Quote, QuoteBatch
from monitor.polling.results import PollSuccess
from monitor.state.books import BookState
from monitor.state.candles import CandleSeries
from monitor.state.catalog import Catalog, InstrumentKey
from monitor.state.feeds import FeedState
from monitor.state.merge import MergeOutcome, QuoteGroup
from monitor.state.quotes import Origin, QuoteState, Stamp
from monitor.state.series import TimeSeries
from monitor.state.venue_state import VenueState
from monitor.state.verdict import late_after_s

BOOKS_KEPT: Final = 16
CANDLE_SERIES_KEPT: Final = 16
"""Books and candles of instruments that were in focus; the ones unused longest are forgotten."""
MOST_POINTS_CONTINUED: Final = 2_000
"""A series that has more points than a past may take to be read is no longer put behind that past."""
_CATALOG: Final = "catalog"


class MarketState:
    """What the board knows of instruments. Widgets reach it through :class:`monitor.state.board.Board`."""

    def __init__(self, catalog: Catalog, *, series_capacity: int) -> None:
        self._catalog = catalog
        self._series_capacity = series_capacity
        self._groups: dict[tuple[str, str], QuoteGroup] = {}
        self.rows: dict[InstrumentKey, QuoteState] = {}
        self.series: dict[InstrumentKey, TimeSeries] = {}
        self.books: OrderedDict[InstrumentKey, BookState] = OrderedDict()
        self.candles: OrderedDict[tuple[InstrumentKey, str], CandleSeries] = OrderedDict()
        self.candle_origins: dict[tuple[InstrumentKey, str], Origin] = {}
        """The newest reply of each series in :attr:`candles`, and the feed that brought it."""
        self.catalog_origins: dict[str, Origin] = {}
        """The reply that each venue's list of instruments is of."""
        self._offsets_s: dict[str, float] = {}

    def track(self, keys: Iterable[InstrumentKey]) -> None:
        """Keep a series for exactly these instruments."""
        wanted = dict.fromkeys(keys)
        for key in self.series.keys() - wanted.keys():
            del self.series[key]
            if key in self.rows:
                self.rows[key].series = None
        for key in wanted:
            if key not in self.series:
                self.series[key] = TimeSeries(self._series_capacity)
                if key in self.rows:
                    self.rows[key].series = self.series[key]

    def continue_series(self, key: InstrumentKey, past: TimeSeries) -> None:
        """Let the series of a tracked instrument begin with ``past``, which is taken over."""
        own = self.series.get(key)
        if own is None or past.capacity != own.capacity or len(own) > MOST_POINTS_CONTINUED:
            return
        border_s = -math.inf if past.last_time_s is None else past.last_time_s
        times, values = own.points(*own.index_range(border_s, math.inf))
        for time_s, value in zip(times.tolist(), values.tolist(), strict=True):
            past.append(time_s, value)
        self.series[key] = past
        if key in self.rows:
            self.rows[key].series = past

    def mark_stale(self, slept_s: float) -> None:
        """Every value is of before a sleep or a network change."""
        # Stamps are shared by the values of a reply; each must grow older once.
        stamps = {id(stamp): stamp for group in self._groups.values() for stamp in group.stamps()}
        stamps.update((id(book.stamp), book.stamp) for book in self.books.values())
        for origin in (*self.candle_origins.values(), *self.catalog_origins.values()):
            stamps[id(origin.stamp)] = origin.stamp
        for stamp in stamps.values():
            stamp.is_marked_stale = True
            stamp.unseen_s += slept_s

    def apply_quotes(self, venue: VenueState, batch: QuoteBatch, result: PollSuccess) -> MergeOutcome:
        """Merge a reply of many instruments."""
        group = self._group(batch.venue, batch.dex)
        feed = venue.feed_of(result, dex=batch.dex)
        self._offsets_s[batch.venue] = venue.clock_offset_s or 0.0
        origin = Origin(_stamp_of(result), feed)
        outcome = group.apply(batch, origin)
        if not outcome.is_applied and batch.quotes:
            return outcome
        _note_reply(feed, result, is_changed=outcome.changed > 0, instruments=len(batch.quotes))
        if group.carries_price(batch):
            venue.note_price_feed(feed)
        return outcome

    def apply_book(self, venue: VenueState, book: OrderBook, result: PollSuccess) -> None:
        """Keep a book, and its best prices as bid and ask of the instrument."""
        key = (book.venue, book.venue_symbol)
        feed = venue.feed_of(result)
        stamp = _stamp_of(result)
        known = self.books.get(key)
        if known is not None and known.stamp.requested_mono_s > stamp.requested_mono_s:
            return
        is_changed = known is None or (known.book.bids, known.book.asks) != (book.bids, book.asks)
        self.books[key] = BookState(book=book, stamp=stamp, feed=feed, is_changed=is_changed)
        self.books.move_to_end(key)
        if len(self.books) > BOOKS_KEPT:
            self.books.popitem(last=False)
        _note_reply(feed, result, is_changed=is_changed, instruments=1)
        best = Quote(
            venue_symbol=book.venue_symbol,
            bid=book.bids[0].price if book.bids else None,
            ask=book.asks[0].price if book.asks else None,
        )
        dex = self._dex_of(key)
        one = QuoteBatch(venue=book.venue, dex=dex, fields=frozenset({"bid", "ask"}), quotes=(best,), is_complete=False)
        self._group(book.venue, dex).apply(one, Origin(stamp, feed))

    def apply_candles(self, venue: VenueState, batch: CandleBatch, result: PollSuccess, *, closed_only: bool) -> None:
        """Reconcile candles; the first reply of an interval starts its series."""
        key = (batch.venue, batch.venue_symbol)
        series = self.candles.get((key, batch.interval))
        if series is None:
            series = CandleSeries(venue=batch.venue, venue_symbol=batch.venue_symbol, interval=batch.interval)
            self.candles[(key, batch.interval)] = series
        self.candles.move_to_end((key, batch.interval))
        series.merge(
            batch.candles,
            requested_mono_s=result.requested_mono_s,
            received_mono_s=result.received_mono_s,
            closed_only=closed_only,
        )
        feed, stamp = venue.feed_of(result), _stamp_of(result)
        origin = self.candle_origins.get((key, batch.interval))
        if origin is None or origin.stamp.requested_mono_s <= stamp.requested_mono_s:
            self.candle_origins[(key, batch.interval)] = Origin(stamp, feed)
            _note_reply(feed, result, is_changed=True, instruments=1)
        if len(self.candles) > CANDLE_SERIES_KEPT:
            dropped, _ = self.candles.popitem(last=False)
            self.candle_origins.pop(dropped, None)
            self._link_candles(dropped[0])
        self._link_candles(key)

    def apply_catalog(self, state: VenueState, catalog: InstrumentCatalog, result: PollSuccess) -> MergeOutcome:
        """Take a venue's list of instruments in."""
        feed = state.feed_of(result)
        _note_reply(feed, result, is_changed=True, instruments=len(catalog.instruments))
        self.catalog_origins[catalog.venue] = Origin(_stamp_of(result), feed)
        is_first = not self._catalog.is_known(catalog.venue)
        gone, new = self._catalog.replace(catalog)
        outcome = MergeOutcome()
        for (venue, _), group in self._groups.items():
            if venue != catalog.venue:
                continue
            for symbol in gone:
                if (row := group.mark_missing(symbol, _CATALOG)) is not None:
                    outcome.vanished.append(row)
            for symbol in new:
                if (row := group.mark_listed(symbol, _CATALOG)) is not None:
                    outcome.returned.append(row)
            if is_first:
                for symbol in [name for name in group.rows if not self._catalog.is_listed(venue, name)]:
                    group.forget(symbol)
                    self.rows.pop((venue, symbol), None)
        return outcome

    def _group(self, venue: str, dex: str) -> QuoteGroup:
        group = self._groups.get((venue, dex))
        if group is None:
            group = QuoteGroup(lambda symbol: self._new_row(venue, dex, symbol), self._on_price)
            self._groups[(venue, dex)] = group
        return group

    def _new_row(self, venue: str, dex: str, symbol: str) -> QuoteState | None:
        if self._catalog.is_known(venue) and not self._catalog.is_listed(venue, symbol):
            return None
        key = (venue, symbol)
        row = QuoteState(venue=venue, venue_symbol=symbol, dex=dex, series=self.series.get(key))
        row.find_origin = self._group(venue, dex).find_origin
        self.rows[key] = row
        self._link_candles(key)
        return row

    def _dex_of(self, key: InstrumentKey) -> str:
        if key in self.rows:
            return self.rows[key].dex
        instrument = self._catalog.instruments.get(key)
        return "" if instrument is None else instrument.dex

    def _link_candles(self, key: InstrumentKey) -> None:
        row = self.rows.get(key)
        if row is not None:
            row.candles = tuple(series for (owner, _), series in self.candles.items() if owner == key)

    def _on_price(self, row: QuoteState, stamp: Stamp) -> None:
        if row.price is None:
            return
        received_s = stamp.received_mono_s
        series = row.series
        if series is not None:
            last_s = series.last_time_s
            gap_s = late_after_s(row.feed.cadence_s) if row.feed is not None else 0.0
            if last_s is not None and received_s - last_s > gap_s:
                series.append(last_s + gap_s / 2.0, float("nan"))
            series.append(received_s, float(row.price))
        if row.candles:
            venue_epoch_s = stamp.received_at.timestamp() + self._offsets_s.get(row.venue, 0.0)
            for candles in row.candles:
                candles.add_price(row.price, received_mono_s=received_s, venue_epoch_s=venue_epoch_s)


def _note_reply(feed: FeedState, result: PollSuccess, *, is_changed: bool, instruments: int) -> None:
    feed.note_reply(
        requested_mono_s=result.requested_mono_s,
        received_mono_s=result.received_mono_s,
        is_changed=is_changed,
        instruments=instruments,
        cache_age_s=result.cache_age_s,
        source=result.source,
    )


def _stamp_of(result: PollSuccess) -> Stamp:
    return Stamp(
        requested_mono_s=result.requested_mono_s,
        received_mono_s=result.received_mono_s,
        received_at=result.received_at,
        cache_age_s=result.cache_age_s,
        source=result.source,
        handed_out_mono_s=result.handed_out_mono_s,
    )
