"""From any exception of the HTTP libraries to one of ours: the only place where they are told apart.

Their texts contain whole URLs, so none of it is ever passed on: what failed is said in our words, and ``detail`` has
class names and error numbers only.
"""

import http.client
import re
import ssl
from collections.abc import Iterator

from urllib3.exceptions import HTTPError, ProxyError

from monitor.domain.errors import (
    ConnectFailed,
    ConnectionDropped,
    ErrorKind,
    MonitorError,
    ReplyTooLarge,
    TimedOut,
    TransportError,
)
from monitor.transport.connections import is_drop
from monitor.transport.socks import SocksPasswordRefused
from monitor.transport.tracing import Record

_PROXY_AUTH = re.compile("Tunnel connection failed: 407")  # http.client's words

_WAITED_FOR = {
    "lease": "a free connection",
    "dns": "its address",
    "connect": "the connection",
    "tls": "the TLS handshake",
    "proxy": "the proxy",
    "send": "the request to leave",
    "wait": "an answer",
    "read": "the rest of the answer",
}


def to_monitor_error(error: BaseException, record: Record, *, deadline_s: float, now_s: float) -> MonitorError:
    """What ``error`` means for the request of ``record``, as a sentence and a kind."""
    if isinstance(error, MonitorError):
        return error
    causes = tuple(_causes(error))
    detail = f"{record.endpoint}, {record.phase}: " + " <- ".join(_name(cause) for cause in causes)
    venue, phase = record.venue, record.phase
    if record.is_wire_full:
        return ReplyTooLarge(f"{venue} sent more than this reply may have.", detail=detail)
    is_timeout = any(isinstance(cause, TimeoutError) and cause.errno is None for cause in causes) or phase == "lease"
    if record.is_past_deadline or (is_timeout and phase != "lease" and now_s >= record.deadline_s):
        text = f"{venue} did not finish within {deadline_s:g} s; waited last for {_WAITED_FOR[phase]}."
        return TimedOut(text, phase="deadline", detail=detail)
    if is_timeout and not _is_foreign(causes):
        text = f"{venue} kept us waiting too long for {_WAITED_FOR[phase]}."
        return TimedOut(text, phase="wait" if phase == "send" else phase, detail=detail)
    if phase in {"dns", "connect", "tls", "proxy"}:
        return _connect_failed(venue, record, causes, detail)
    if any(is_drop(cause) or isinstance(cause, http.client.IncompleteRead) for cause in causes):
        return ConnectionDropped(f"{venue} closed the connection before the answer was whole.", detail=detail)
    # http.client trips over some malformed replies with a bare ValueError.
    if _is_foreign(causes) and phase != "read":
        failure = MonitorError("The request could not be made; this is a fault of the app.", detail=detail)
        failure.kind = ErrorKind.INTERNAL
        return failure
    return TransportError(f"{venue} answered with something that is not proper HTTP.", detail=detail)


def _connect_failed(venue: str, record: Record, causes: tuple[BaseException, ...], detail: str) -> ConnectFailed:
    if record.phase == "proxy" or any(isinstance(cause, ProxyError) for cause in causes):
        text = f"The proxy did not connect us to {venue}."
        if any(_wants_password(cause) for cause in causes):
            text = f"The proxy wants a valid user name and password before it connects us to {venue}."
        return ConnectFailed(text, kind=ErrorKind.CONNECT, detail=detail)
    if record.phase == "dns":
        text = f"No address was found for {record.host} ({venue}). Is the network up, and the host name right?"
        return ConnectFailed(text, kind=ErrorKind.DNS, detail=detail)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message
            return ConnectFailed(
                f"The certificate of {venue} was refused: {reason}.", kind=ErrorKind.TLS, detail=detail
            )
    if record.phase == "tls":
        text = f"No secure connection to {venue}: the TLS handshake failed."
        return ConnectFailed(text, kind=ErrorKind.TLS, detail=detail)
    return ConnectFailed(f"{venue} could not be reached.", kind=ErrorKind.CONNECT, detail=detail)


def _wants_password(cause: BaseException) -> bool:
    return isinstance(cause, SocksPasswordRefused) or any(
        _PROXY_AUTH.match(str(argument)) is not None for argument in cause.args
    )


def _is_foreign(causes: tuple[BaseException, ...]) -> bool:
    # Nothing of the network among the causes: a header that cannot be sent, or a mistake of ours.
    return not any(isinstance(cause, OSError | HTTPError | http.client.HTTPException) for cause in causes)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """``error`` and what it wraps: in its arguments, its ``reason``, or as its cause; each once."""
    waiting = [error]
    seen: set[int] = set()
    while waiting and len(seen) < 16:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [*current.args, getattr(current, "reason", None), current.__cause__]
        waiting += [candidate for candidate in inner if isinstance(candidate, BaseException)]


def _name(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return type(error).__name__ if number is None else f"{type(error).__name__} {number}"
