"""Hyperliquid's errors: plain HTTP statuses, and ``null`` where something does not exist."""

from typing import TypeVar

import msgspec

from monitor.domain.errors import EdgeBlocked, UnknownInstrument, VenueError
from monitor.exchanges.asking import refusal
from monitor.exchanges.decoding import clean_text, decode
from monitor.transport.interface import Endpoint, Reply

T = TypeVar("T")

TITLE = "Hyperliquid"

_NULL = b"null"

_OUR_FAULT = {
    400: "could not read the request",
    404: "does not know this address",
    405: "does not accept this method",
    415: "does not accept this content type",
    422: "does not understand the request",
}


def unwrap(endpoint: Endpoint, decoder: msgspec.json.Decoder[T], reply: Reply, *, instrument: str | None = None) -> T:
    """The reply as its type. ``instrument`` is what was asked about, ``None`` for whole-venue requests.

    Raises:
        RateLimited: HTTP 429, sent with the body ``null``.
        EdgeBlocked: something in front of the venue answered.
        UnknownInstrument: HTTP 200 with ``null`` for an instrument.
        VenueError: any other status. HTTP 500 with ``null`` is retryable although a wrong name looks the same.
        PayloadError: not the documented shape.
    """
    error = refusal(TITLE, reply)
    if error is not None:
        raise error
    if reply.status != 200:
        raise _status_error(reply, instrument)
    # Length first: only a body this short can be null, and a large one must not be copied to find out.
    if len(reply.body) <= 16 and reply.body.strip() == _NULL:
        if instrument is not None:
            raise UnknownInstrument(f"{TITLE} does not know {clean_text(instrument, 40)}", http_status=200)
        raise VenueError(f"{TITLE} answered with nothing", http_status=200, is_retryable=True)
    return decode(decoder, reply.body, endpoint=endpoint.name, max_bytes=endpoint.max_reply_bytes)


def _status_error(reply: Reply, instrument: str | None) -> VenueError:
    status = reply.status
    if status >= 500:
        hint = f"; it may not know {clean_text(instrument, 40)}" if instrument is not None and status == 500 else ""
        return VenueError(f"{TITLE} failed (HTTP {status}){hint}", http_status=status, is_retryable=True)
    if status in {401, 403, 407, 451}:
        return EdgeBlocked(f"Blocked at the edge of {TITLE} (HTTP {status})", http_status=status)
    text = _OUR_FAULT.get(status, "answered with an error")
    # The body of these is one line of plain text, not JSON.
    detail = clean_text(reply.body[:400].decode("utf-8", "replace"))
    return VenueError(f"{TITLE} {text} (HTTP {status})", http_status=status, detail=detail)
