"""A board that shows a recording as it stood at its end: the recorded replies go through the board's own merging.

What was not recorded stays unknown: the budget, order books, accounts, sockets that were still open. The file tells
only what changed; that a reply confirmed the rest is taken from the requests, which are all there.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from statistics import median
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from monitor.domain.errors import ErrorKind, Failure
from monitor.domain.market import Candle, CandleBatch, Instrument, InstrumentCatalog, Quote, QuoteBatch, VenueStatus
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.exchanges.base import Source
from monitor.history.recorded_values import candle_of, card_of, events_of, instrument_of, trace_of, values_of
from monitor.history.recording import Recording, TableRow, moment_of
from monitor.history.schema import FIELDS
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey

SAME_REPLY_S: Final = 0.05
"""A request that ended this close to a row of its endpoint brought that row."""


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """The board at the end of a recording, with the two clocks that stand still there.

    ``keys``: instruments with prices, in the order in which they appear.
    """

    board: Board
    keys: tuple[InstrumentKey, ...]
    clock: Callable[[], float]
    utc_now: Callable[[], datetime]


class _Clock:
    """Moves when told. Monotonic seconds are seconds since the start of the recording."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def utc_now(self) -> datetime:
        return self.start + timedelta(seconds=self.now_s)

    def seconds(self, moment: datetime) -> float:
        return (moment - self.start).total_seconds()


def replay(recording: Recording, venues: Iterable[str]) -> Replayed:
    """Feed the whole recording to a new board. ``venues`` come first. Takes about a second for 15 minutes.

    Thread: any one; whoever gets the board owns it from then on.
    """
    clock = _Clock(recording.start)
    tables = recording.tables
    found = (row["venue"] for table in tables.values() for row in table if row.get("venue"))
    board = Board(venues=tuple(dict.fromkeys((*venues, *found))), clock=clock, utc_now=clock.utc_now)
    keys = tuple(dict.fromkeys((row["venue"], row["venue_symbol"]) for row in tables["quotes"] if row["venue_symbol"]))
    feeder = _Feeder(board, clock, tables)
    feeder.catalogs(keys)
    board.track(keys)
    feeder.candles()
    feeder.replies()
    clock.now_s = clock.seconds(recording.end)
    board.tick()
    for name in board.venue_names:
        # Not recorded, so not known.
        board.venue(name).budget = None
    # What the board said of itself while it was fed is not what happened.
    board.events = events_of(tables["events"], recording.start)
    return Replayed(board=board, keys=keys, clock=clock, utc_now=clock.utc_now)


class _Feeder:
    def __init__(self, board: Board, clock: _Clock, tables: Mapping[str, tuple[TableRow, ...]]) -> None:
        self._board = board
        self._clock = clock
        self._tables = tables
        self._made: Counter[str] = Counter()
        self._streaks: Counter[str] = Counter()
        self._cadences_s = self._cadences()
        replies = _replies(tables["quotes"])
        self._many = {(rows[0]["venue"], rows[0]["endpoint"] or "") for rows in replies if len(rows) > 1}
        self._spoken = _spoken_fields(tables["quotes"], self._fast_places())
        self._last_symbol: dict[tuple[str, str], str] = {}
        self._row_times: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._pool_runs: dict[str, object] = {}
        self._pool_rows = self._rows_by_pool()
        self._pool_read_s: dict[tuple[str, str], float] = {}
        self._pools: dict[str, dict[str, PoolStats]] = defaultdict(dict)

    def catalogs(self, keys: Iterable[InstrumentKey]) -> None:
        names = {(row["venue"], row["venue_symbol"]): row["instrument"] for row in self._tables["quotes"]}
        by_venue: dict[str, list[Instrument]] = defaultdict(list)
        for venue, symbol in keys:
            by_venue[venue].append(instrument_of(venue, symbol, names.get((venue, symbol)) or symbol))
        for venue, instruments in by_venue.items():
            self._success(
                venue, "recorded instruments", 0.0, InstrumentCatalog(venue=venue, instruments=tuple(instruments))
            )

    def candles(self) -> None:
        by_series: dict[tuple[str, str, str], dict[datetime, Candle]] = defaultdict(dict)
        for row in self._tables["candles"]:
            candle = candle_of(row)
            if candle is not None:
                by_series[(row["venue"], row["venue_symbol"], row["interval"])][candle.open_time] = candle
        for (venue, symbol, interval), found in by_series.items():
            candles = tuple(found[at] for at in sorted(found))
            batch = CandleBatch(venue=venue, venue_symbol=symbol, interval=interval, candles=candles)
            self._success(venue, f"recorded candles {symbol} {interval}", 0.0, batch)

    def replies(self) -> None:
        """Requests, quotes and pools in the order of their times."""
        steps: list[tuple[float, int, Callable[[], None]]] = []
        for pool in self._tables["pools"]:
            at_s = self._at(pool["time"])
            if at_s is not None:
                steps.append((at_s, 0, partial(self._pool, pool, at_s)))
        for attempts in _grouped(self._tables["requests"]):
            traces = [trace for row in attempts if (trace := trace_of(row, self._clock.start)) is not None]
            if traces:
                steps.append((traces[-1].ended_mono_s, 1, partial(self._request, traces, attempts[0]["run"])))
        for rows in _replies(self._tables["quotes"]):
            at_s = self._at(rows[0]["time"])
            if at_s is not None:
                self._row_times[(rows[0]["venue"], rows[0]["endpoint"])].append(at_s)
                steps.append((at_s, 2, partial(self._quotes, rows, at_s)))
        for at_s, _, step in sorted(steps, key=lambda one: one[:2]):
            self._clock.now_s = max(self._clock.now_s, at_s)
            step()

    def _at(self, text: object) -> float | None:
        moment = moment_of(text)
        return None if moment is None else self._clock.seconds(moment)

    def _cadences(self) -> dict[str, float]:
        """The usual time between two requests of an endpoint: the plan was not recorded."""
        times: dict[str, list[float]] = defaultdict(list)
        for row in self._tables["requests"]:
            at_s = self._at(row["started_at"])
            if at_s is not None and row["endpoint"] and row["attempt"] == 1:
                times[row["endpoint"]].append(at_s)
        return {
            endpoint: max(0.2, round(median(b - a for a, b in pairwise(of_one)), 1))
            for endpoint, of_one in times.items()
            if len(of_one) > 1
        }

    def _rows_by_pool(self) -> dict[tuple[str, str], list[tuple[float, TableRow]]]:
        """Rows of each pool with their times, oldest first."""
        found: dict[tuple[str, str], list[tuple[float, TableRow]]] = defaultdict(list)
        for row in self._tables["pools"]:
            at_s = self._at(row["time"])
            if at_s is not None:
                found[(row["venue"], row["host"] or "")].append((at_s, row))
        for rows in found.values():
            rows.sort(key=lambda one: one[0])
        return found

    def _fast_places(self) -> set[tuple[str, str]]:
        """Of each venue the endpoint asked most often of those that tell of several instruments: it brings prices."""
        asked = Counter((row["venue"], row["endpoint"]) for row in self._tables["requests"])
        busiest = sorted(self._many, key=lambda place: asked[place])
        return set({venue: (venue, endpoint) for venue, endpoint in busiest}.values())

    def _pool(self, row: TableRow, now_s: float) -> None:
        host = row["host"] or ""
        cards = [
            card
            for one in self._tables["connections"]
            if one["host"] == host
            and (card := card_of(one, self._clock.start)) is not None
            and (card.closed_mono_s or 0.0) <= now_s
        ]
        causes = Counter(card.close_cause for card in cards if card.close_cause is not None)
        if self._pool_runs.get(row["venue"]) != row["run"]:
            # Another run of the app began with pools of its own.
            self._pool_runs[row["venue"]] = row["run"]
            self._pools[row["venue"]].clear()
        self._pool_read_s[(row["venue"], host)] = now_s
        self._pools[row["venue"]][host] = PoolStats(
            venue=row["venue"],
            host=host,
            scheme=row["scheme"] or "https",
            attempts=row["attempts"] or 0,
            opened=row["opened"] or 0,
            reused=row["reused"] or 0,
            connect_failed=row["connect_failed"] or 0,
            healed=row["healed"] or 0,
            closed=dict(causes),
            idle=row["idle"] or 0,
            active=row["active"] or 0,
            suspect=row["suspect"] or 0,
            waiting=row["waiting"] or 0,
            peak_active=row["peak"] or 0,
            max_connections=row["max"] or 0,
            connections=tuple(reversed(cards)),
        )
        if venue := row["venue"]:
            self._board.note_pools(venue, tuple(self._pools[venue].values()), _no_budget(venue), now_s)

    def _request(self, traces: list[RequestTrace], run: object) -> None:
        last = traces[-1]
        endpoint, at_s = last.endpoint, last.ended_mono_s
        if self._pool_runs.get(last.venue) == run:
            for trace in traces:
                self._count(trace, run)
        kind = last.error_kind
        if kind is None and last.status is not None and last.status >= 400:
            kind = ErrorKind.VENUE
        if kind is None:
            self._streaks[endpoint] = 0
            self._confirm(last)
            status = VenueStatus(venue=last.venue, venue_time=None, special_status=None)
            self._success(last.venue, endpoint, at_s, status, traces=tuple(traces), key=f"{endpoint} requests")
            return
        self._streaks[endpoint] += 1
        self._made[endpoint] += 1
        self._board.apply(
            (
                PollFailure(
                    venue=last.venue,
                    endpoint=endpoint,
                    key=endpoint,
                    plan_epoch=0,
                    cadence_s=self._cadences_s.get(endpoint, 1.0),
                    failure=Failure(kind=kind, user_text=f"failed: {kind.value}"),
                    failed_mono_s=at_s,
                    failed_at=last.started_at,
                    traces=tuple(traces),
                    pools=tuple(self._pools[last.venue].values()),
                    budget=_no_budget(last.venue),
                    missed=0,
                    planned=self._made[endpoint],
                    made=self._made[endpoint],
                    streak=self._streaks[endpoint],
                    next_due_in_s=0.0,
                ),
            )
        )

    def _count(self, trace: RequestTrace, run: object) -> None:
        """A pool's row is written when a socket comes or goes; the requests it had not begun by then count as well."""
        place = (trace.venue, trace.host)
        pool = self._pools[trace.venue].get(trace.host)
        read_s = self._pool_read_s.get(place, 0.0)
        # An attempt is counted when it gets its connection, so one that was under way is in the row already.
        if pool is None or trace.started_mono_s + (trace.lease_wait_s or 0.0) <= read_s:
            return
        attempts, reused = pool.attempts + 1, pool.reused + (trace.is_cold is False)
        # The next row knows better: counters that ran ahead of it would have to go back.
        rows = self._pool_rows[place]
        at = bisect_right(rows, read_s, key=lambda one: one[0])
        if at < len(rows) and rows[at][1]["run"] == run:
            attempts = min(attempts, rows[at][1]["attempts"] or 0)
            reused = min(reused, rows[at][1]["reused"] or 0)
        self._pools[trace.venue][trace.host] = replace(pool, attempts=attempts, reused=reused)

    def _confirm(self, trace: RequestTrace) -> None:
        """A reply without a row of its own told again what its endpoint had told before."""
        place = (trace.venue, trace.endpoint)
        fields, times = self._spoken.get(place), self._row_times.get(place, [])
        at = bisect_left(times, trace.ended_mono_s - SAME_REPLY_S)
        if not fields or (at < len(times) and times[at] <= trace.ended_mono_s + SAME_REPLY_S):
            return
        quotes = self._unchanged(place, fields)
        if quotes:
            self._batch(place, trace.ended_mono_s, fields, quotes, took_s=trace.total_s)

    def _unchanged(self, place: tuple[str, str], fields: frozenset[str], without: Container[str] = ()) -> list[Quote]:
        """What this endpoint told last, of every instrument it tells of."""
        venue, endpoint = place
        quotes = []
        for key in self._board.tracked:
            row = self._board.quote(key) if key[0] == venue and key[1] not in without else None
            # A book is of one instrument: the one before it is not confirmed by the next one's.
            if row is None or (place not in self._many and self._last_symbol.get(place) != key[1]):
                continue
            origins = (row.field_origin(name) for name in fields)
            if any(origin is not None and origin.feed.key == endpoint for origin in origins):
                values: dict[str, Any] = {name: getattr(row, name) for name in fields}
                quotes.append(Quote(venue_symbol=row.venue_symbol, **values))
        return quotes

    def _quotes(self, rows: list[TableRow], now_s: float) -> None:
        place = (rows[0]["venue"], rows[0]["endpoint"] or "")
        fields, took_s = self._spoken.get(place, frozenset()), rows[0]["took_s"] or 0.0
        news: list[Quote] = []
        for row in rows:
            symbol, told = row["venue_symbol"], values_of(row)
            known = self._board.quote((place[0], symbol))
            if known is None or known.price is None:
                # What it was at the beginning came from other replies as well, before the recording.
                first = Quote(venue_symbol=symbol, **told)
                self._batch(place, now_s, frozenset(told), [first], took_s=took_s)
            news.append(Quote(venue_symbol=symbol, **{name: told.get(name) for name in fields}))
            self._last_symbol[place] = symbol
        if fields:
            same = self._unchanged(place, fields, without=[row["venue_symbol"] for row in rows])
            self._batch(place, now_s, fields, [*news, *same], took_s=took_s)

    def _batch(
        self, place: tuple[str, str], at_s: float, fields: frozenset[str], quotes: list[Quote], *, took_s: float
    ) -> None:
        batch = QuoteBatch(venue=place[0], fields=fields, quotes=tuple(quotes), is_complete=False)
        self._success(*place, at_s, batch, took_s=took_s)

    def _success(  # the parts of a result that a recording knows
        self,
        venue: str,
        endpoint: str,
        at_s: float,
        payload: InstrumentCatalog | QuoteBatch | CandleBatch | VenueStatus,
        *,
        took_s: float = 0.0,
        traces: tuple[RequestTrace, ...] = (),
        key: str = "",
    ) -> None:
        self._made[key or endpoint] += 1
        self._board.apply(
            (
                PollSuccess(
                    venue=venue,
                    endpoint=endpoint,
                    key=key or endpoint,
                    plan_epoch=0,
                    cadence_s=self._cadences_s.get(endpoint, 1.0),
                    payload=payload,
                    requested_mono_s=at_s - took_s,
                    received_mono_s=at_s,
                    received_at=self._clock.start + timedelta(seconds=at_s),
                    source=Source.NETWORK,
                    cache_age_s=0.0,
                    clock_offset_s=None,
                    traces=traces,
                    pools=tuple(self._pools[venue].values()),
                    budget=_no_budget(venue),
                    missed=0,
                    planned=self._made[key or endpoint],
                    made=self._made[key or endpoint],
                ),
            )
        )


def _no_budget(venue: str) -> BudgetState:
    """A result carries one; the board's is taken away at the end."""
    return BudgetState(venue=venue, window_s=1.0, limit=1, cap=1, used=0)


def _grouped(rows: Iterable[TableRow]) -> list[list[TableRow]]:
    """Attempts of one request together, in order."""
    found: dict[tuple[object, object], list[TableRow]] = defaultdict(list)
    for row in rows:
        found[(row["run"], row["request_id"])].append(row)
    return list(found.values())


def _replies(rows: Iterable[TableRow]) -> list[list[TableRow]]:
    """Rows that one reply brought, together."""
    found: dict[tuple[object, ...], list[TableRow]] = defaultdict(list)
    for row in rows:
        if row["venue"] and row["venue_symbol"]:
            found[(row["time"], row["venue"], row["endpoint"], row["run"])].append(row)
    return list(found.values())


def _spoken_fields(rows: Iterable[TableRow], fast: Container[tuple[str, str]]) -> dict[tuple[str, str], frozenset[str]]:
    """Which fields each endpoint was seen to change: a row repeats what other endpoints told.

    The displayed price counts as told by the ``fast`` ones even while it stands still.
    """
    before: dict[tuple[str, str], TableRow] = {}
    spoken: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in rows:
        key = (row["venue"], row["venue_symbol"])
        known = before.get(key)
        if known is not None and row["endpoint"]:
            changed = (name for name in FIELDS if row[name] is not None and row[name] != known[name])
            spoken[(row["venue"], row["endpoint"])].update(changed)
        if (row["venue"], row["endpoint"]) in fast and row["price_kind"] in FIELDS:
            spoken[(row["venue"], row["endpoint"])].add(row["price_kind"])
        before[key] = row
    return {place: frozenset(fields) for place, fields in spoken.items()}
