"""Rows of a recording as the values of the domain. Pure; times are seconds since ``start``, the recording's begin."""

import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from monitor.domain.errors import ErrorKind
from monitor.domain.market import Candle, Instrument, InstrumentKind
from monitor.domain.telemetry import CloseCause, ConnectionCard, RequestTrace
from monitor.history.recording import TableRow, moment_of
from monitor.history.schema import FIELDS
from monitor.state.event_log import EventLog, Level

_MOMENTS: Final = frozenset({"next_funding_time", "venue_time"})
_NAME: Final = re.compile(r"(?:\w+:)?(1000+|k(?=[A-Z]))?([A-Za-z0-9]+)-([A-Za-z0-9]+)(-PERP)?")
_PHASES: Final = ["queue_s", "lease_wait_s", "dns_s", "tcp_s", "tls_s", "send_s", "wait_s", "read_s", "unaccounted_s"]


def card_of(row: TableRow, start: datetime) -> ConnectionCard | None:
    """A connection that ended; ``None`` for a row that lacks what it cannot be without."""
    opened_at, closed_at = moment_of(row["opened_at"]), moment_of(row["closed_at"])
    if opened_at is None or closed_at is None or row["connection_id"] is None:
        return None
    return ConnectionCard(
        connection_id=row["connection_id"],
        host=row["host"],
        opened_at=opened_at,
        opened_mono_s=(opened_at - start).total_seconds(),
        state="closed",
        requests=row["requests"] or 0,
        address_family=row["address_family"],
        tls_version=row["tls_version"],
        cipher=row["cipher"],
        alpn=row["alpn"],
        is_resumed=row["resumed"],
        connect_s=row["connect_s"],
        closed_mono_s=(closed_at - start).total_seconds(),
        close_cause=_member_of(CloseCause, row["closed_by"]),
    )


def trace_of(row: TableRow, start: datetime) -> RequestTrace | None:
    """One attempt; ``None`` for a row that lacks what it cannot be without."""
    started_at, total_s = moment_of(row["started_at"]), row["http.client.request.duration"]
    if started_at is None or total_s is None or not row["venue"] or not row["endpoint"]:
        return None
    started_s = (started_at - start).total_seconds()
    return RequestTrace(
        # Unique over the runs that the period touches, and within 63 bits whatever the file says.
        request_id=(row["run"] or 0) % 2**22 * 2**40 + (row["request_id"] or 0) % 2**40,
        attempt=row["attempt"] or 1,
        venue=row["venue"],
        endpoint=row["endpoint"],
        method=row["method"] or "",
        host=row["host"] or "",
        started_at=started_at,
        started_mono_s=started_s,
        ended_mono_s=started_s + total_s,
        total_s=total_s,
        is_cold=row["cold"],
        connection_id=row["connection_id"],
        request_bytes=row["request_bytes"],
        response_bytes=row["response_bytes"],
        status=row["status"],
        http_version=row["http_version"],
        weight=row["weight"] or 0,
        error_kind=None if row["error"] is None else _member_of(ErrorKind, row["error"]) or ErrorKind.INTERNAL,
        is_healed=bool(row["healed"]),
        is_prewarmed=bool(row["prewarmed"]),
        is_dns_cached=row["dns_cached"],
        is_resumed=row["resumed"],
        addresses_tried=row["addresses_tried"],
        **{phase: row[phase] for phase in _PHASES},
    )


def values_of(row: TableRow) -> dict[str, Any]:
    """The known fields of a row as values of a quote."""
    values: dict[str, Any] = {}
    for name in FIELDS:
        text = row[name]
        value = moment_of(text) if name in _MOMENTS else text if isinstance(text, int) else decimal_of(text)
        if value is not None:
            values[name] = value
    return values


def decimal_of(text: object) -> Decimal | None:
    """A finite number written out; ``None`` for anything else."""
    try:
        value = Decimal(text) if isinstance(text, str) and len(text) < 100 else None
    except InvalidOperation:
        return None
    return value if value is not None and value.is_finite() else None


def candle_of(row: TableRow) -> Candle | None:
    """A closed candle; ``None`` for a row that lacks what it cannot be without."""
    open_time = moment_of(row["open_time"])
    prices = [decimal_of(row[name]) for name in ("open", "high", "low", "close")]
    first, high, low, close = prices
    if open_time is None or first is None or high is None or low is None or close is None:
        return None
    return Candle(
        open_time=open_time,
        open=first,
        high=high,
        low=low,
        close=close,
        volume_base=decimal_of(row["volume_base"]),
        volume_quote=decimal_of(row["volume_quote"]),
        is_closed=True,
        trades=row["trades"],
    )


def instrument_of(venue: str, symbol: str, name: str) -> Instrument:
    """What the name says: ``1000PEPE-USDT-PERP`` is a perpetual of a thousand PEPE."""
    found = _NAME.fullmatch(name)
    if found is None:
        return Instrument(venue=venue, venue_symbol=symbol, name=name, kind=InstrumentKind.SPOT, base=symbol, quote="")
    thousands, base, quote, is_perpetual = found.groups()
    return Instrument(
        venue=venue,
        venue_symbol=symbol,
        name=name,
        kind=InstrumentKind.PERPETUAL if is_perpetual else InstrumentKind.SPOT,
        base=base,
        quote=quote,
        multiplier=Decimal(1) if thousands is None else Decimal(1_000 if thousands == "k" else int(thousands)),
    )


def events_of(rows: Iterable[TableRow], start: datetime) -> EventLog:
    """What was told at the time."""
    events = EventLog()
    levels: dict[str, Level] = {"info": "info", "warning": "warning", "error": "error"}
    for row in rows:
        at = moment_of(row["time"])
        if at is None or not row["text"]:
            continue
        events.add(
            row["text"],
            at=at,
            mono_s=(at - start).total_seconds(),
            level=levels.get(row["level"], "info"),
            venue=row["venue"],
        )
    return events


def _member_of(kind: type[Any], text: object) -> Any:
    """The member of an enumeration with this value; ``None`` for a word of another version."""
    try:
        return kind(text)
    except ValueError:
        return None
