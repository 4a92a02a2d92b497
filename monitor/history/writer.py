"""Turns entries into rows: only what changed, each name once, each batch in one transaction."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from monitor.domain.market import CandleBatch
from monitor.domain.redaction import redact
from monitor.history.memory import Group, Known, Memory, Row, Span
from monitor.history.names import Names
from monitor.history.records import Entry, Reading, ReplyRecord
from monitor.history.request_rows import connection_rows, pool_rows, spike_row, trace_row
from monitor.history.schema import ALL_TOLD, FIELDS, KEYFRAME_EVERY_S, PRICE_KINDS, SPAN_S
from monitor.history.units import to_ms, to_text
from monitor.state.event_log import EventEntry

_INTERVAL_AT: Final = FIELDS.index("funding_interval_h")
_NEXT_FUNDING_AT: Final = FIELDS.index("next_funding_time")
_VENUE_TIME_AT: Final = FIELDS.index("venue_time")
_SPAN_MS: Final = SPAN_S * 1_000

_INSERTS: Final[dict[str, str]] = {
    "reply": "INSERT INTO reply VALUES (?,?,?,?,?,?,?,?)",
    "quote": f"INSERT INTO quote VALUES ({','.join('?' * (len(FIELDS) + 5))})",
    # A span that a late reply re-opens grows; it is never replaced.
    "span": "INSERT INTO span VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET low = min(low, excluded.low),"
    " high = max(high, excluded.high)",
    "trace": f"INSERT INTO trace VALUES ({','.join('?' * 33)})",
    "spike": f"INSERT OR IGNORE INTO spike VALUES ({','.join('?' * 11)})",
    "pool": f"INSERT INTO pool VALUES ({','.join('?' * 19)})",
    "connection": f"INSERT OR IGNORE INTO connection VALUES ({','.join('?' * 14)})",
    "event": "INSERT OR REPLACE INTO event VALUES (?,?,?,?,?,?,?,?)",
    "candle": "INSERT OR REPLACE INTO candle VALUES (?,?,?,?,?,?,?,?,?,?)",
}


class HistoryWriter:
    """Writes entries through one connection, as one session. Thread: the connection's own; every call blocks on disk.

    Raises ``sqlite3.Error`` from every method; nothing of the batch is in the file then, and it may be given again.
    """

    def __init__(self, connection: sqlite3.Connection, *, version: str) -> None:
        """``version`` of the app, kept with the session."""
        self._connection = connection
        self._version = version
        self._memory = Memory()

    def write(self, entries: Sequence[Entry], *, is_trial: bool = False) -> None:
        """Add ``entries``, oldest first, in one transaction; ``is_trial``: only try, and leave the file as it was."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            batch = _Batch(connection, self._memory.copy(), self._version)
            for entry in entries:
                batch.add(entry)
            batch.flush()
            connection.execute("ROLLBACK" if is_trial else "COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        if not is_trial:
            self._memory = batch.memory

    def finish(self, at: datetime) -> None:
        """Write what was held back and mark the session as ended in order."""
        memory = self._memory
        if memory.session is None:
            return
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = [(span.from_ms, key, memory.session, span.low, span.high) for key, span in memory.spans.items()]
            connection.executemany(_INSERTS["span"], rows)
            connection.execute("UPDATE session SET ended_ms = ? WHERE id = ?", (to_ms(at), memory.session))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        memory.spans.clear()


class _Batch:
    """One transaction's worth of rows."""

    def __init__(self, connection: sqlite3.Connection, memory: Memory, version: str) -> None:
        self.memory = memory
        self._connection = connection
        self._version = version
        self._names = Names(connection, memory)
        self._rows: dict[str, list[Row]] = {name: [] for name in _INSERTS}
        # Another process may write to the same file: numbers are taken from it anew inside each transaction.
        (newest,) = connection.execute("SELECT coalesce(max(id), 0) FROM reply").fetchone()
        memory.reply = int(newest)

    def add(self, entry: Entry) -> None:
        if self.memory.session is None:
            self.memory.session = self._connection.execute(
                "INSERT INTO session (started_ms, version, has_spikes) VALUES (?, ?, 1)",
                (to_ms(entry.at), self._version),
            ).lastrowid
        if entry.reply is not None:
            self._add_reply(entry.reply)
        for trace in entry.traces:
            self._rows["trace"].append(trace_row(trace, self.memory.session, self._names))
        for trace, spike in entry.spikes:
            self._rows["spike"].append(spike_row(trace, spike, self.memory.session, self._names))
        for pool in entry.pools:
            self._rows["pool"].extend(pool_rows(pool, entry.at, self.memory, self._names))
            self._rows["connection"].extend(connection_rows(pool, self.memory, self._names))
        if entry.candles is not None:
            self._add_candles(entry.candles)
        for event in entry.events:
            self._add_event(event)

    def flush(self) -> None:
        for name, rows in self._rows.items():
            if rows:
                self._connection.executemany(_INSERTS[name], rows)

    # Prices

    def _add_reply(self, reply: ReplyRecord) -> None:
        memory = self.memory
        group_key = (reply.venue, reply.dex)
        group = memory.groups.get(group_key)
        has_price = any(reading.is_confirmed for reading in reply.readings)
        is_after_gap = has_price and (group is None or reply.received_mono_s - group.received_mono_s > reply.gap_s)
        number = memory.reply + 1
        received_ms = to_ms(reply.received_at)
        rows: list[Row] = []
        shown: set[int] = set()
        priced: set[int] = set()
        confirmed: set[int] = set()
        for reading in reply.readings:
            instrument = self._names.instrument(reply.venue, reading.symbol, reading.name)
            shown.add(instrument)
            if reading.price is not None:
                priced.add(instrument)
            if reading.is_confirmed and reading.price is not None:
                confirmed.add(instrument)
                self._widen_span(instrument, received_ms, float(reading.price))
            row = self._quote_row(number, instrument, reading, reply.received_mono_s, is_whole=is_after_gap)
            if row is not None:
                rows.append(row)
        live = frozenset() if group is None else group.live
        if reply.is_whole:
            # No longer tracked: without this its last price would count as confirmed by every later reply.
            for instrument in live - shown:
                known = memory.known.pop(instrument, None)
                if known is not None and known.price is not None:
                    rows.append((number, instrument, None, None, 0, *([None] * len(FIELDS))))
            live &= priced
        if has_price:
            newest_s = reply.received_mono_s if group is None else max(reply.received_mono_s, group.received_mono_s)
            memory.groups[group_key] = Group(newest_s, live | confirmed)
        elif group is not None:
            memory.groups[group_key] = group._replace(live=live)
        if not rows and not has_price:
            return
        memory.reply = number
        took_us = max(0, round((reply.received_mono_s - reply.requested_mono_s) * 1e6))
        source = self._names.source(reply.venue, reply.dex, reply.endpoint)
        cache_age_ms = round(reply.cache_age_s * 1e3) or None
        self._rows["reply"].append(
            (number, memory.session, source, received_ms, took_us, cache_age_ms, has_price, is_after_gap)
        )
        self._rows["quote"].extend(rows)

    def _quote_row(
        self, number: int, instrument: int, reading: Reading, received_mono_s: float, *, is_whole: bool
    ) -> Row | None:
        """The row that brings the file up to date with ``reading``; ``None`` when it is."""
        known = self.memory.known.get(instrument)
        values, kind = reading.values, reading.price_kind
        told = 0
        if (
            known is None
            or is_whole
            or kind != known.kind
            or (reading.is_confirmed and received_mono_s - known.told_whole_mono_s >= KEYFRAME_EVERY_S)
        ):
            told = ALL_TOLD
            told_whole_s = received_mono_s
        else:
            told_whole_s = known.told_whole_mono_s
            if values != known.values:
                for place, (new, old) in enumerate(zip(values, known.values, strict=True)):
                    # The venue's clock moves with every reply: it is told along with something, never for itself.
                    if new != old and place != _VENUE_TIME_AT:
                        told |= 1 << place
        # The field that is displayed is told by the price, as long as they are the same.
        if kind is not None:
            place = FIELDS.index(kind)
            if values[place] == reading.price:
                told &= ~(1 << place)
        if not told and known is not None and reading.price == known.price:
            return None
        self.memory.known[instrument] = Known(reading.price, kind, values, told_whole_s)
        told |= 1 << _VENUE_TIME_AT
        columns = [
            _column(place, value) if told >> place & 1 and value is not None else None
            for place, value in enumerate(values)
        ]
        code = None if kind is None else PRICE_KINDS.index(kind)
        return (number, instrument, to_text(reading.price), code, told, *columns)

    def _widen_span(self, instrument: int, received_ms: int, price: float) -> None:
        spans = self.memory.spans
        from_ms = received_ms - received_ms % _SPAN_MS
        span = spans.get(instrument)
        if span is None or span.from_ms != from_ms:
            if span is not None:
                self._rows["span"].append((span.from_ms, instrument, self.memory.session, span.low, span.high))
            spans[instrument] = Span(from_ms, price, price)
        elif price < span.low:
            spans[instrument] = span._replace(low=price)
        elif price > span.high:
            spans[instrument] = span._replace(high=price)

    def _add_candles(self, batch: CandleBatch) -> None:
        instrument = self._names.instrument(batch.venue, batch.venue_symbol, None)
        place = (instrument, batch.interval)
        newest_ms = self.memory.candles.get(place, -1)
        for candle in batch.candles:
            open_ms = to_ms(candle.open_time)
            # The newest one again: a venue may still correct it in its next reply.
            if candle.is_closed and open_ms >= newest_ms:
                self.memory.candles[place] = open_ms
                prices = (to_text(candle.open), to_text(candle.high), to_text(candle.low), to_text(candle.close))
                volumes = (to_text(candle.volume_base), to_text(candle.volume_quote))
                self._rows["candle"].append((instrument, batch.interval, open_ms, *prices, *volumes, candle.trades))

    def _add_event(self, event: EventEntry) -> None:
        # Texts are written without secrets; this is the second defence, as in the log.
        text = redact(event.text)
        self._rows["event"].append(
            (
                self.memory.session,
                event.entry_id,
                to_ms(event.at),
                to_ms(event.last_at),
                event.level,
                event.venue,
                text,
                event.count,
            )
        )


def _column(place: int, value: Any) -> Any:
    if place in {_NEXT_FUNDING_AT, _VENUE_TIME_AT}:
        return to_ms(value)
    return value if place == _INTERVAL_AT else to_text(value)
