"""Which faults are in force now: parsed from JSON, matched against venue, endpoint and time."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """Everything that can go wrong on purpose. The comment says which parameter it reads."""

    # Before a reply exists.
    LATENCY = "latency"  # seconds: added to the round trip
    BLACK_HOLE = "black_hole"  # reads the request, never answers, keeps the socket open
    BLACK_HOLE_CONNECT = "black_hole_connect"  # accepts the connection, never finishes TLS
    REFUSE = "refuse"  # accepts the connection and resets it at once
    STALE_RACE = "stale_race"  # closes a reused connection exactly when a request arrives, without one byte
    EXPIRED_CERTIFICATE = "expired_certificate"  # new handshakes get a certificate that ended yesterday
    # Instead of the reply.
    RATE_LIMIT = "rate_limit"  # retry_after_s: null leaves the header out; edge: false makes Bitunix use its code 10006
    VENUE_ERROR = (
        "venue_error"  # code, to: the venue's own error reply with that code and text; HTTP 500 on Hyperliquid
    )
    SERVER_ERROR = "server_error"  # status: 500, 502, 503, 504
    FORBIDDEN_HTML = "forbidden_html"  # HTTP 403 with a page of the edge
    NULL_BODY = "null_body"  # HTTP 200 with the four bytes null
    MALFORMED_JSON = "malformed_json"  # complete reply, broken inside
    TRUNCATED_JSON = "truncated_json"  # half of the text, with the matching Content-Length
    WRONG_TYPES = "wrong_types"  # numbers become objects, texts become numbers
    HUGE_BODY = "huge_body"  # bytes: length of the reply
    RENAMED_FIELD = "renamed_field"  # field, to
    RAW_VALUE = "raw_value"  # field, to, row: JSON text put in place of its value as it is: NaN, 1e400, -1, 1,"field":2
    UNKNOWN_ENUM = "unknown_enum"  # field, to: its value wherever it is a text
    VANISHED_INSTRUMENT = "vanished_instrument"  # instrument: left out of lists, unknown when asked for
    FROZEN = "frozen"  # HTTP 200 with the data of the moment the fault began
    CLOCK_SKEW = "clock_skew"  # seconds: added to every time the venue tells
    # Only what is signed (Bitunix).
    NO_PERMISSION = "no_permission"  # the key may not read this: code 403
    ADDRESS_REFUSED = "address_refused"  # the caller is not on the key's IP list: code 10004
    CLOCK_WINDOW = "clock_window"  # seconds: how far a time stamp may be off
    # While sending it.
    TRICKLE = "trickle"  # bytes_per_s
    RESET = "reset"  # fraction of the reply that is sent before RST
    CUT = "cut"  # fraction of the reply that is sent before FIN
    CLOSE_AFTER_REPLY = "close_after_reply"  # announced: true adds Connection: close
    # Between requests.
    IDLE_CLOSE = "idle_close"  # seconds: connections idle for longer are closed


class FaultError(ValueError):
    """A fault description cannot be used; the text says what is wrong with it. Shown to whoever sent it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. Times are seconds since the server started; end_s None means until removed. venue, endpoint and
    instrument None match everything; endpoint may also be "accounts" or "markets", all of that side. count None means
    as often as it matches. row: only that one of the places where the field occurs, counted from 0; None is all."""

    kind: FaultKind
    venue: str | None = None
    endpoint: str | None = None
    start_s: float = 0.0
    end_s: float | None = None
    probability: float = 1.0
    count: int | None = None
    seconds: float = 1.0
    status: int = 503
    retry_after_s: float | None = None
    bytes_per_s: float = 2000.0
    fraction: float = 0.5
    field: str | None = None
    to: str | None = None
    instrument: str | None = None
    bytes: int = 50_000_000
    announced: bool = False
    edge: bool = True
    code: int = 10001
    row: int | None = None


_NEED_FIELD = frozenset({FaultKind.RENAMED_FIELD, FaultKind.UNKNOWN_ENUM, FaultKind.RAW_VALUE})
_NUMBERS = frozenset({"start_s", "end_s", "probability", "seconds", "retry_after_s", "bytes_per_s", "fraction"})
_WHOLE = frozenset({"count", "status", "bytes", "code", "row"})
_SWITCHES = frozenset({"announced", "edge"})
_TEXTS = frozenset({"venue", "endpoint", "field", "to", "instrument"})
_NULLABLE = frozenset({"venue", "endpoint", "end_s", "count", "retry_after_s", "field", "to", "instrument", "row"})
_MAY_BE_NEGATIVE = frozenset({"seconds"})


def parse_fault(raw: object, now_s: float = 0.0) -> Fault:
    """Return the fault that a JSON object describes; start_s and end_s count from now_s, duration_s gives the end.

    Raises FaultError.
    """
    if not isinstance(raw, dict):
        raise FaultError("a fault is a JSON object")
    values: dict[str, object] = dict(raw)
    try:
        kind = FaultKind(str(values.pop("kind", "")))
    except ValueError:
        raise FaultError(f"kind must be one of {', '.join(FaultKind)}") from None
    duration = values.pop("duration_s", None)
    if duration is not None:
        if "end_s" in values:
            raise FaultError("give end_s or duration_s, not both")
        values["end_s"] = _number("start_s", values.get("start_s", 0.0)) + _number("duration_s", duration)
    for name, value in values.items():
        values[name] = _checked(name, value)
    for name in ("start_s", "end_s"):
        value = values.get(name, 0.0 if name == "start_s" else None)
        values[name] = None if value is None else _number(name, value) + now_s
    if kind in _NEED_FIELD and not values.get("field"):
        raise FaultError(f"{kind} needs field")
    if kind is FaultKind.VANISHED_INSTRUMENT and not values.get("instrument"):
        raise FaultError(f"{kind} needs instrument")
    if not 0.0 <= _number("fraction", values.get("fraction", 0.5)) <= 1.0:
        raise FaultError("fraction must be between 0 and 1")
    if not 0.0 <= _number("probability", values.get("probability", 1.0)) <= 1.0:
        raise FaultError("probability must be between 0 and 1")
    return Fault(kind=kind, **values)  # type: ignore[arg-type]  # every value was checked by name above


def _checked(name: str, value: object) -> object:
    if value is None and name in _NULLABLE:
        return None
    if name in _NUMBERS:
        return _number(name, value)
    if name in _WHOLE:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise FaultError(f"{name} must be a whole number")
        return value
    if name in _TEXTS:
        if not isinstance(value, str):
            raise FaultError(f"{name} must be a text")
        return value
    if name in _SWITCHES:
        if not isinstance(value, bool):
            raise FaultError(f"{name} must be true or false")
        return value
    raise FaultError(f"unknown field {name!r}")


def _number(name: str, value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
        raise FaultError(f"{name} must be a number")
    if value < 0 and name not in _MAY_BE_NEGATIVE:
        raise FaultError(f"{name} must not be negative")
    return float(value)


def parse_faults(text: str | bytes) -> list[Fault]:
    """Return the faults of a file: a JSON list, or an object with the list under "faults". Raises FaultError."""
    try:
        raw = json.loads(text)
    except ValueError as exc:
        raise FaultError(f"not JSON: {exc}") from None
    if isinstance(raw, Mapping):
        raw = raw.get("faults")
    if not isinstance(raw, Sequence) or isinstance(raw, (str, bytes)):
        raise FaultError('expected a list of faults or {"faults": [...]}')
    return [parse_fault(item) for item in raw]


@dataclass(slots=True)
class _Held:
    fault: Fault
    fired: int = 0


@dataclass(slots=True)
class FaultBook:
    """The faults known to a running server. Thread: the event loop."""

    seed: int = 0
    _held: dict[int, _Held] = field(default_factory=dict)
    _last_id: int = 0
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(f"faults {self.seed}")

    def add(self, fault: Fault) -> int:
        """Take a fault into the book and return its id."""
        self._last_id += 1
        self._held[self._last_id] = _Held(fault)
        return self._last_id

    def remove(self, fault_id: int | None) -> int:
        """Forget one fault, or all for None; return how many were there."""
        if fault_id is None:
            count = len(self._held)
            self._held.clear()
            return count
        return 0 if self._held.pop(fault_id, None) is None else 1

    def items(self) -> list[tuple[int, Fault, int]]:
        """Return (id, fault, times fired) in the order of arrival."""
        return [(number, held.fault, held.fired) for number, held in self._held.items()]

    def match(
        self, kinds: frozenset[FaultKind], venue: str, endpoint: str | None, now_s: float, *, side: str | None = None
    ) -> dict[FaultKind, Fault]:
        """Return what strikes now, at most one fault of each kind (the newest), and count it as fired.

        endpoint None is a connection without a request: faults that name an endpoint do not match it. side is
        "accounts" or "markets".
        """
        struck: dict[FaultKind, Fault] = {}
        for held in self._held.values():
            fault = held.fault
            if fault.kind not in kinds or not _applies(fault, venue, (endpoint, side), now_s):
                continue
            if fault.count is not None and held.fired >= fault.count:
                continue
            if fault.probability < 1.0 and self._dice.random() >= fault.probability:
                continue
            held.fired += 1
            struck[fault.kind] = fault
        return struck


def _applies(fault: Fault, venue: str, names: tuple[str | None, str | None], now_s: float) -> bool:
    if fault.venue is not None and fault.venue != venue:
        return False
    if fault.endpoint is not None and fault.endpoint not in names:
        return False
    return fault.start_s <= now_s and (fault.end_s is None or now_s < fault.end_s)
