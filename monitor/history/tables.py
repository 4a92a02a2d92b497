"""The history as flat tables: what is recorded as changes and numbers, read back as whole rows in words.

Times are ISO 8601 UTC, prices and other decimals text with every digit, durations seconds, unknown ``None``. Where the
OpenTelemetry conventions name a figure (``http.client.request.duration``), its column has that name.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import msgspec

from monitor.domain.redaction import redact
from monitor.history.memory import Row
from monitor.history.schema import FIELDS, KEYFRAME_EVERY_S, PRICE_KINDS
from monitor.history.units import from_ms
from monitor.state.times import time_text


class Kind(StrEnum):
    """What a column holds; any may be ``None``."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    FLAG = "flag"


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table of the export. ``read`` yields rows of ``columns`` with times in [from, to], both milliseconds UTC."""

    name: str
    what: str
    columns: tuple[tuple[str, Kind], ...]
    read: Callable[[sqlite3.Connection, int, int], Iterator[tuple[int, Row]]]
    """Yields (time in milliseconds, row), oldest first."""


def _columns(text: str = "", integer: str = "", real: str = "", flag: str = "") -> dict[str, Kind]:
    kinds = ((text, Kind.TEXT), (integer, Kind.INTEGER), (real, Kind.REAL), (flag, Kind.FLAG))
    return {name: kind for names, kind in kinds for name in names.split()}


def _table(
    name: str,
    what: str,
    order: str,
    kinds: dict[str, Kind],
    read: Callable[[sqlite3.Connection, int, int], Iterator[tuple[int, Row]]],
) -> Table:
    return Table(name=name, what=what, columns=tuple((one, kinds[one]) for one in order.split()), read=read)


# Quotes

_INTERVAL_AT: Final = FIELDS.index("funding_interval_h")
_MOMENTS_AT: Final = frozenset({FIELDS.index("next_funding_time"), FIELDS.index("venue_time")})
_NOTHING: Final[tuple[None, ...]] = (None,) * len(FIELDS)


def _read_quotes(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    # A row tells what changed; the minutes before the range tell what everything was at its beginning.
    lookback_ms = from_ms_ - round(2 * KEYFRAME_EVERY_S * 1e3)
    rows = connection.execute(
        "SELECT received_ms, r.session, i.id, i.venue, i.name, i.symbol, s.endpoint, took_us, cache_age_ms,"
        " is_after_gap,"
        " q.price, q.kind, q.told, q.last, q.mark, q.index_price, q.mid, q.bid, q.ask, q.open_24h, q.volume_24h_base,"
        " q.volume_24h_quote, q.open_interest_base, q.funding_rate, q.funding_interval_h, q.next_funding_ms, q.venue_ms"
        " FROM reply r JOIN source s ON s.id = r.source JOIN quote q ON q.reply = r.id"
        " JOIN instrument i ON i.id = q.instrument"
        " WHERE received_ms BETWEEN ? AND ? ORDER BY received_ms, r.id",
        (lookback_ms, to_ms_),
    )
    known: dict[tuple[int, int], Sequence[Any]] = {}
    for row in rows:
        received_ms, session, instrument = row[:3]
        price, kind, told = row[10:13]
        values = _whole(known.get((session, instrument), _NOTHING), row[13:], price, kind, told)
        known[(session, instrument)] = values
        if received_ms < from_ms_:
            continue
        shown = [
            time_text(from_ms(value)) if place in _MOMENTS_AT and value is not None else value
            for place, value in enumerate(values)
        ]
        word = None if kind is None else PRICE_KINDS[kind]
        age_s = None if row[8] is None else row[8] / 1e3
        head = (time_text(from_ms(received_ms)), row[3], row[4], row[5], price, word)
        yield received_ms, (*head, *shown, row[6], row[7] / 1e6, age_s, bool(row[9]), session)


def _whole(
    before: Sequence[Any], told_values: Sequence[Any], price: str | None, kind: int | None, told: int
) -> Sequence[Any]:
    if price is None and kind is None and not told:
        # No longer watched: nothing is known of it from here on.
        return _NOTHING
    values = [
        new if told >> place & 1 else old for place, (old, new) in enumerate(zip(before, told_values, strict=True))
    ]
    if kind is not None:
        place = FIELDS.index(PRICE_KINDS[kind])
        if not told >> place & 1:
            values[place] = price
    return values


_QUOTES: Final = _table(
    "quotes",
    "a row when a quote changed, and one a minute at least; in between it was confirmed unchanged",
    f"time venue instrument venue_symbol price price_kind {' '.join(FIELDS)} endpoint took_s cache_age_s after_gap run",
    _columns(
        text=f"time venue instrument venue_symbol price price_kind {' '.join(FIELDS)} endpoint",
        integer="run",
        real="took_s cache_age_s",
        flag="after_gap",
    )
    | {FIELDS[_INTERVAL_AT]: Kind.INTEGER},
    _read_quotes,
)


# Requests, pools, connections, events, candles

_TRACE_US: Final = "queue_us lease_us dns_us tcp_us tls_us send_us wait_us read_us unaccounted_us total_us"


def _read_requests(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    names = _labels(connection)
    rows = connection.execute(
        "SELECT started_ms, request, attempt, venue, endpoint, method, host, is_cold, connection, request_bytes,"
        " response_bytes, status, http_version, weight, error, is_healed, session, is_prewarmed, is_dns_cached,"
        f" is_resumed, dials, {', '.join(_TRACE_US.split())}"
        " FROM trace WHERE started_ms BETWEEN ? AND ? ORDER BY started_ms, id",
        (from_ms_, to_ms_),
    )
    for row in rows:
        seconds = tuple(None if value is None else value / 1e6 for value in row[21:])
        words = tuple(names.get(number) for number in row[3:7])
        cold, *facts = (None if value is None else bool(value) for value in (row[7], *row[17:20]))
        tail = (*row[8:12], names.get(row[12]), row[13], names.get(row[14]), bool(row[15]), *facts, row[20], row[16])
        yield row[0], (time_text(from_ms(row[0])), *row[1:3], *words, *seconds, cold, *tail)


def _read_spikes(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    names = _labels(connection)
    rows = connection.execute(
        "SELECT started_ms, request, attempt, venue, cause, phase, phase_us, excess_us, text, session FROM spike"
        " WHERE started_ms BETWEEN ? AND ? ORDER BY started_ms, session, request, attempt",
        (from_ms_, to_ms_),
    )
    for row in rows:
        words = tuple(names.get(number) for number in row[3:6])
        yield row[0], (time_text(from_ms(row[0])), *row[1:3], *words, row[6] / 1e6, row[7] / 1e6, row[8], row[9])


def _read_pools(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    names = _labels(connection)
    rows = connection.execute(
        "SELECT at_ms, venue, scheme, host, attempts, opened, reused, connect_failed, healed, discarded, closed, idle,"
        " active, suspect, waiting, peak_active, max_connections, session FROM pool WHERE at_ms BETWEEN ? AND ?"
        " ORDER BY at_ms, id",
        (from_ms_, to_ms_),
    )
    for row in rows:
        attempts, reused, idle, active = row[4], row[6], row[11], row[12]
        ratio = round(reused / attempts, 6) if attempts else None
        words = tuple(names.get(number) for number in row[1:4])
        head = (time_text(from_ms(row[0])), *words, *row[4:7], ratio, *row[7:11])
        yield row[0], (*head, idle + active, *row[11:])


def _read_connections(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    names = _labels(connection)
    rows = connection.execute(
        "SELECT closed_ms, opened_ms, connection, venue, host, requests, address_family, tls_version, cipher, alpn,"
        " is_resumed, connect_us, cause, session FROM connection WHERE closed_ms BETWEEN ? AND ?"
        " ORDER BY closed_ms, session, connection",
        (from_ms_, to_ms_),
    )
    for row in rows:
        words = tuple(names.get(number) for number in row[6:10])
        resumed = None if row[10] is None else bool(row[10])
        connect_s = None if row[11] is None else row[11] / 1e6
        head = (time_text(from_ms(row[0])), time_text(from_ms(row[1])), row[2], names.get(row[3]), names.get(row[4]))
        life_s = (row[0] - row[1]) / 1e3
        yield row[0], (*head, life_s, row[5], names.get(row[12]), *words, resumed, connect_s, row[13])


def _read_events(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    rows = connection.execute(
        "SELECT at_ms, last_ms, level, venue, text, count, session FROM event WHERE at_ms BETWEEN ? AND ?"
        " ORDER BY at_ms, session, entry",
        (from_ms_, to_ms_),
    )
    for at_ms, last_ms, level, venue, text, count, session in rows:
        # Written without secrets; redacted once more, for files that an earlier version wrote.
        shown = (time_text(from_ms(at_ms)), time_text(from_ms(last_ms)), level, venue, redact(text), count, session)
        yield at_ms, shown


def _read_candles(connection: sqlite3.Connection, from_ms_: int, to_ms_: int) -> Iterator[tuple[int, Row]]:
    rows = connection.execute(
        "SELECT open_ms, venue, name, symbol, interval, open, high, low, close, volume_base, volume_quote, trades"
        " FROM candle JOIN instrument i ON i.id = instrument WHERE open_ms BETWEEN ? AND ?"
        " ORDER BY open_ms, i.id, interval",
        (from_ms_, to_ms_),
    )
    for row in rows:
        yield row[0], (time_text(from_ms(row[0])), *row[1:])


def _labels(connection: sqlite3.Connection) -> dict[int | None, str]:
    return dict(connection.execute("SELECT id, text FROM label"))


_REQUESTS: Final = _table(
    "requests",
    "a row for each attempt; a phase that did not happen is empty, not zero",
    "started_at request_id attempt venue endpoint method host queue_s lease_wait_s dns_s tcp_s tls_s send_s wait_s"
    " read_s unaccounted_s http.client.request.duration cold connection_id request_bytes response_bytes status"
    " http_version weight error healed prewarmed dns_cached resumed addresses_tried run",
    _columns(
        text="started_at venue endpoint method host http_version error",
        integer="request_id attempt connection_id request_bytes response_bytes status weight addresses_tried run",
        real="queue_s lease_wait_s dns_s tcp_s tls_s send_s wait_s read_s unaccounted_s http.client.request.duration",
        flag="cold healed prewarmed dns_cached resumed",
    ),
    _read_requests,
)
_SPIKES: Final = _table(
    "spikes",
    "a row for each attempt that took far longer than its like, with what that was put down to at the time",
    "started_at request_id attempt venue cause phase phase_excess_s excess_s text run",
    _columns(
        text="started_at venue cause phase text",
        integer="request_id attempt run",
        real="phase_excess_s excess_s",
    ),
    _read_spikes,
)
_POOLS: Final = _table(
    "pools",
    "a row when a socket came or went, and one a minute at least; counters are since the start of the run",
    "time venue scheme host attempts opened reused reuse_ratio connect_failed healed discarded closed"
    " http.client.open_connections idle active suspect waiting peak max run",
    _columns(
        text="time venue scheme host",
        integer="attempts opened reused connect_failed healed discarded closed http.client.open_connections idle active"
        " suspect waiting peak max run",
        real="reuse_ratio",
    ),
    _read_pools,
)
_CONNECTIONS: Final = _table(
    "connections",
    "a row for each connection, when it ended",
    "closed_at opened_at connection_id venue host http.client.connection.duration requests closed_by address_family"
    " tls_version cipher alpn resumed connect_s run",
    _columns(
        text="closed_at opened_at venue host closed_by address_family tls_version cipher alpn",
        integer="connection_id requests run",
        real="http.client.connection.duration connect_s",
        flag="resumed",
    ),
    _read_connections,
)
_EVENTS: Final = _table(
    "events",
    "a row for each event; repeats are counted in one row",
    "time last_time level venue text count run",
    _columns(text="time last_time level venue text", integer="count run"),
    _read_events,
)
_CANDLES: Final = _table(
    "candles",
    "a row for each closed candle the venue told",
    "open_time venue instrument venue_symbol interval open high low close volume_base volume_quote trades",
    _columns(
        text="open_time venue instrument venue_symbol interval open high low close volume_base volume_quote",
        integer="trades",
    ),
    _read_candles,
)

TABLES: Final = MappingProxyType(
    {one.name: one for one in (_QUOTES, _REQUESTS, _SPIKES, _POOLS, _CONNECTIONS, _EVENTS, _CANDLES)}
)
"""Every table, by name."""
