"""Bitunix's envelope and error codes: every error comes with HTTP 200 and is told by ``code`` alone."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol, TypeVar

import msgspec

from monitor.domain.errors import EdgeBlocked, PayloadError, RateLimited, UnknownInstrument, VenueError
from monitor.exchanges.asking import refusal
from monitor.exchanges.bitunix.wire import Verdict
from monitor.exchanges.decoding import clean_text, decode
from monitor.transport.interface import Endpoint, Reply

TITLE = "Bitunix"


class CodeClass(StrEnum):
    """What to do about a code."""

    PASSING = "passing"  # may go away by itself
    REQUEST = "request"  # our request is wrong
    RATE_LIMIT = "rate_limit"
    INSTRUMENT = "instrument"  # gone, not tradable or never there
    KEY = "key"  # the API key, its secret, its permissions or its IP list
    ACCOUNT = "account"
    MISSING = "missing"  # an order or position that is not there


class CodeMeaning(msgspec.Struct, frozen=True):
    """One code in our words."""

    code_class: CodeClass
    text: str


_C = CodeClass
CODES: Mapping[int, CodeMeaning] = MappingProxyType(
    {
        1: CodeMeaning(_C.PASSING, "reports a network error on its side, or a parameter is missing"),
        2: CodeMeaning(_C.REQUEST, "reports an unknown symbol or a fault of its own"),
        403: CodeMeaning(_C.KEY, "says the API key lacks the permission for this"),
        404: CodeMeaning(_C.REQUEST, "does not know this address"),
        10001: CodeMeaning(_C.PASSING, "reports a network error on its side"),
        10002: CodeMeaning(_C.REQUEST, "rejects a parameter"),
        10003: CodeMeaning(_C.KEY, "misses the API key"),
        10004: CodeMeaning(_C.KEY, "does not accept the API key from this IP address"),
        10005: CodeMeaning(_C.RATE_LIMIT, "refused: too many requests"),
        10006: CodeMeaning(_C.RATE_LIMIT, "refused: requests too frequent"),
        10007: CodeMeaning(_C.KEY, "does not accept the signature"),
        10008: CodeMeaning(_C.REQUEST, "rejects the value of a parameter"),
        20001: CodeMeaning(_C.INSTRUMENT, "has no such market"),
        20007: CodeMeaning(_C.MISSING, "has no such order"),
        20011: CodeMeaning(_C.ACCOUNT, "does not let this account trade"),
        20012: CodeMeaning(_C.INSTRUMENT, "does not trade this contract"),
        20013: CodeMeaning(_C.ACCOUNT, "is about to delete this account"),
        20014: CodeMeaning(_C.ACCOUNT, "has deleted this account"),
        20015: CodeMeaning(_C.INSTRUMENT, "does not know or no longer trades this contract"),
        30004: CodeMeaning(_C.MISSING, "has no such position"),
        30040: CodeMeaning(_C.ACCOUNT, "forbids this to the account"),
    }
)
"""The codes a reading client can meet. Codes of order entry and copy trading cannot occur and count as unknown."""


class Envelope(Protocol):
    """A reply type: ``code`` and ``data``."""

    @property
    def code(self) -> int | str:
        """0, as a number or as text, for success."""
        ...

    @property
    def data(self) -> object:
        """``UNSET`` when the reply has none."""
        ...


E = TypeVar("E", bound=Envelope)

_verdict = msgspec.json.Decoder(Verdict)


def unwrap(endpoint: Endpoint, decoder: msgspec.json.Decoder[E], reply: Reply) -> E:
    """The reply as its type, with ``code`` 0 and ``data`` there (null included).

    Raises:
        RateLimited: HTTP 429 or 418, or code 10005 or 10006.
        EdgeBlocked: something in front of Bitunix answered, such as a page with HTTP 403.
        UnknownInstrument: the contract is not known or no longer traded.
        VenueError: any other code, or an HTTP error without an envelope.
        PayloadError: not the documented shape.
    """
    error = refusal(TITLE, reply)
    if error is not None:
        raise error
    try:
        value = decode(decoder, reply.body, endpoint=endpoint.name, max_bytes=endpoint.max_reply_bytes)
    except PayloadError as malformed:
        # The data of an error reply may have any type; what counts is its code.
        venue_error = _code_error_of(endpoint, reply) or _status_error(reply)
        if venue_error is None:
            raise
        raise venue_error from malformed
    if not is_success(value.code):
        raise _code_error_of(endpoint, reply) or PayloadError(
            endpoint=endpoint.name, path="code", expected="a whole number"
        )
    status_error = _status_error(reply)
    if status_error is not None:
        raise status_error
    if value.data is msgspec.UNSET:
        raise PayloadError(endpoint=endpoint.name, path="data", expected="present")
    return value


def is_success(code: int | str) -> bool:
    """Only zero is success, as a number or as text; the message says nothing ("Success", "result.success")."""
    return code in {0, "0"}


def code_error(code: int, http_status: int, message: str) -> VenueError:
    """The error that ``code`` stands for; ``message`` is the venue's text."""
    shown = clean_text(message)
    meaning = CODES.get(code)
    if meaning is None:
        text = f"{TITLE} answered with error {code}" + (f": {shown}" if shown else "")
        return VenueError(text, http_status=http_status, venue_code=str(code))
    text = f"{TITLE} {meaning.text} (code {code})"
    match meaning.code_class:
        case CodeClass.RATE_LIMIT:
            return RateLimited(text, http_status=http_status, retry_after_s=None, venue_code=str(code), detail=shown)
        case CodeClass.INSTRUMENT:
            return UnknownInstrument(text, http_status=http_status, venue_code=str(code), detail=shown)
        case _:
            return VenueError(
                text,
                http_status=http_status,
                venue_code=str(code),
                is_retryable=meaning.code_class is CodeClass.PASSING,
                detail=shown,
            )


def _code_error_of(endpoint: Endpoint, reply: Reply) -> VenueError | None:
    try:
        verdict = decode(_verdict, reply.body, endpoint=endpoint.name, max_bytes=endpoint.max_reply_bytes)
    except PayloadError:
        return None
    if is_success(verdict.code):
        return None
    # Codes have six digits at most; text that is no such number cannot be told apart from a broken reply.
    digits = str(verdict.code) if isinstance(verdict.code, str) or abs(verdict.code) < 10**9 else ""
    if not digits.removeprefix("-").isdecimal() or len(digits) > 10:
        return None
    return code_error(int(digits), reply.status, verdict.msg or verdict.message or "")


def _status_error(reply: Reply) -> VenueError | None:
    if reply.status < 400:
        return None
    if reply.status in {401, 403, 407}:
        return EdgeBlocked(f"Blocked at the edge of {TITLE} (HTTP {reply.status})", http_status=reply.status)
    return VenueError(
        f"{TITLE} answered with HTTP {reply.status}", http_status=reply.status, is_retryable=reply.status >= 500
    )
