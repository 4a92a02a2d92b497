"""Reads off the board what each poll result changed on screen, so that the recorder need not know the board."""

from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter

from monitor.domain.market import CandleBatch, OrderBook, QuoteBatch
from monitor.domain.telemetry import PoolStats
from monitor.history.records import Entry, Reading, ReplyRecord
from monitor.history.schema import FIELDS
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey
from monitor.state.event_log import EventEntry
from monitor.state.verdict import late_after_s

_values_of = attrgetter(*FIELDS)


class BoardObserver:
    """Turns results, after the board took them in, into entries. Never blocks. Thread: the board's."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._requests_seen = board.requests.revision
        self._events_seen = 0
        self._sockets_seen: dict[tuple[str, str, str], tuple[int, int]] = {}

    def after(self, result: PollSuccess | PollFailure) -> Entry:
        """What ``result``, applied to the board just now, added; call it for each result by itself."""
        board = self._board
        reply: ReplyRecord | None = None
        candles: CandleBatch | None = None
        if isinstance(result, PollSuccess):
            at = result.received_at
            payload = result.payload
            if isinstance(payload, CandleBatch):
                candles = payload
            elif isinstance(payload, QuoteBatch):
                keys = [key for key in board.tracked if key[0] == result.venue]
                reply = self._reply(result, payload.dex, keys, is_whole=True)
            elif isinstance(payload, OrderBook):
                key = (payload.venue, payload.venue_symbol)
                row = board.quote(key) if key in board.tracked else None
                reply = None if row is None else self._reply(result, row.dex, (key,), is_whole=False)
        else:
            at = result.failed_at
        traces = board.requests.since(self._requests_seen)
        self._requests_seen = board.requests.revision
        self._new_sockets(result.pools)
        return Entry(
            at=at,
            reply=reply,
            traces=traces,
            spikes=tuple((trace, spike) for trace in traces if (spike := board.spikes.of(trace)) is not None),
            pools=result.pools,
            candles=candles,
            events=self._events(),
        )

    def after_tick(self) -> Entry | None:
        """What time alone, or the app itself, added, sockets that opened or closed included; ``None`` when nothing."""
        board = self._board
        pools = self._new_sockets(pool for name in board.venue_names for pool in board.venue(name).pools)
        if board.events.revision == self._events_seen and not pools:
            return None
        return Entry(at=datetime.now(UTC), events=self._events(), pools=pools)

    def _new_sockets(self, pools: Iterable[PoolStats]) -> tuple[PoolStats, ...]:
        """Those of ``pools`` in which a socket opened or closed since the last look."""
        found = []
        for pool in pools:
            place, counts = (pool.venue, pool.scheme, pool.host), (pool.opened, sum(pool.closed.values()))
            if self._sockets_seen.get(place) != counts:
                self._sockets_seen[place] = counts
                found.append(pool)
        return tuple(found)

    def _events(self) -> tuple[EventEntry, ...]:
        log = self._board.events
        if log.revision == self._events_seen:
            return ()
        events = log.since(self._events_seen)
        self._events_seen = log.revision
        return events

    def _reply(
        self, result: PollSuccess, dex: str, keys: Iterable[InstrumentKey], *, is_whole: bool
    ) -> ReplyRecord | None:
        known = self._board.instruments
        readings: list[Reading] = []
        gap_s = late_after_s(result.cadence_s)
        for key in keys:
            row = self._board.quote(key)
            if row is None or row.dex != dex:
                continue
            is_confirmed = not row.is_vanished and row.received_mono_s == result.received_mono_s
            if is_confirmed and row.feed is not None:
                gap_s = late_after_s(row.feed.cadence_s)
            instrument = known.get(key)
            readings.append(
                Reading(
                    row.venue_symbol,
                    None if instrument is None else instrument.name,
                    is_confirmed,
                    None if row.is_vanished else row.price,
                    row.price_kind,
                    _values_of(row),
                )
            )
        if not readings:
            return None
        return ReplyRecord(
            venue=result.venue,
            dex=dex,
            endpoint=result.endpoint,
            requested_mono_s=result.requested_mono_s,
            received_mono_s=result.received_mono_s,
            received_at=result.received_at,
            cache_age_s=result.cache_age_s,
            gap_s=gap_s,
            is_whole=is_whole,
            readings=tuple(readings),
        )
