"""Every error a caller can meet, and the frozen form in which a failure crosses threads.

``MonitorError``
    ``TransportError``      no usable reply: ``ConnectFailed``, ``TimedOut``, ``ConnectionDropped``, ``ReplyTooLarge``
    ``ReadOnlyViolation``   the request could have changed something; it was not sent
    ``BudgetExhausted``     our own cap on the venue's rate limit; it was not sent
    ``VenueError``          the venue answered, with an error: ``RateLimited``, ``EdgeBlocked``, ``UnknownInstrument``,
                            ``CredentialsRefused``
    ``PayloadError``        the reply is not what the endpoint promises

``str(error)`` is a sentence for people, without URL, query, header or key. ``detail`` is for the log, redacted too.
"""

from enum import StrEnum
from typing import Final

import msgspec


class ErrorKind(StrEnum):
    """Low-cardinality reason of a failure, for counters, colours and JSON."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    DEADLINE = "deadline"
    DROPPED = "dropped"
    TOO_LARGE = "too_large"
    READ_ONLY = "read_only"
    BUDGET = "budget"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    VENUE = "venue"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    CREDENTIALS = "credentials"
    PAYLOAD = "payload"
    CANCELLED = "cancelled"
    INTERNAL = "internal"


class PauseCause(StrEnum):
    """Why a venue is left alone for a while."""

    RATE_LIMIT = "rate_limit"  # HTTP 429 or 418, or a venue's own code for it
    UNAVAILABLE = "unavailable"  # HTTP 503: an outage or an overload, which says nothing of who asks how much

    @property
    def words(self) -> str:
        """What the venue is, to stand beside its name and before a countdown."""
        return "asked to wait" if self is PauseCause.RATE_LIMIT else "unavailable (HTTP 503)"

    def countdown(self, left: str) -> str:
        """``asked to wait 7 s`` or ``unavailable (HTTP 503), next try in 7 s``; ``left`` is a duration in words."""
        return f"{self.words} {left}" if self is PauseCause.RATE_LIMIT else f"{self.words}, next try in {left}"

    def sentence(self, venue: str) -> str:
        """A reason without its countdown: ``Bitunix is unavailable (HTTP 503)``."""
        if self is PauseCause.RATE_LIMIT:
            return f"{venue.capitalize()} asked us to pause (too many requests)"
        return f"{venue.capitalize()} is {self.words}"


NO_FAILURES: Final = frozenset({ErrorKind.BUDGET, ErrorKind.CANCELLED})
"""Kinds that say nothing of the venue: our own share of its limit is used up, or we gave up ourselves."""


class MonitorError(Exception):
    """Base of all. ``traces`` holds what the attempts cost (``RequestTrace`` values), empty if none was made."""

    kind = ErrorKind.INTERNAL

    def __init__(self, user_text: str, *, detail: str = "", traces: tuple[object, ...] = ()) -> None:
        super().__init__(user_text)
        self.user_text = user_text
        self.detail = detail
        self.traces = traces


class TransportError(MonitorError):
    """No usable reply arrived. Handled by the poller: backed off and tried again at a later poll."""

    kind = ErrorKind.DROPPED


class ConnectFailed(TransportError):
    """DNS, TCP or TLS did not succeed; ``kind`` says which. Nothing was sent."""

    kind = ErrorKind.CONNECT

    def __init__(self, user_text: str, *, kind: ErrorKind, detail: str = "", traces: tuple[object, ...] = ()) -> None:
        super().__init__(user_text, detail=detail, traces=traces)
        self.kind = kind


class TimedOut(TransportError):
    """Waited too long; ``phase`` is ``lease``, ``dns``, ``connect``, ``tls``, ``wait``, ``read`` or ``deadline``."""

    kind = ErrorKind.TIMEOUT

    def __init__(self, user_text: str, *, phase: str, detail: str = "", traces: tuple[object, ...] = ()) -> None:
        super().__init__(user_text, detail=detail, traces=traces)
        self.phase = phase
        if phase == "deadline":
            self.kind = ErrorKind.DEADLINE


class ConnectionDropped(TransportError):
    """The connection ended before the reply was whole."""

    kind = ErrorKind.DROPPED


class ReplyTooLarge(TransportError):
    """The reply is larger than the endpoint may be; reading stopped at the limit.

    The connection was closed, unless all of the reply had arrived and only its decompressed form is too large.
    """

    kind = ErrorKind.TOO_LARGE


class ReadOnlyViolation(MonitorError):
    """A request that is not on the read-only list. A programming error: no socket was touched."""

    kind = ErrorKind.READ_ONLY


class BudgetExhausted(MonitorError):
    """Our own cap of the venue's rate limit is used up, or the venue is left alone for a while. Nothing was sent.

    ``pause`` says why it is left alone; ``None``: it is our own cap. ``reason`` is the text without a countdown, for
    who shows it longer than it holds.
    """

    kind = ErrorKind.BUDGET

    def __init__(
        self,
        user_text: str,
        *,
        available_in_s: float,
        detail: str = "",
        pause: PauseCause | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(user_text, detail=detail)
        self.available_in_s = available_in_s
        self.pause = pause
        self.reason = user_text if reason is None else reason


class VenueError(MonitorError):
    """The venue answered with an error; ``venue_code`` is its own code as text, ``None`` where it gave none."""

    kind = ErrorKind.VENUE

    def __init__(
        self,
        user_text: str,
        *,
        http_status: int,
        venue_code: str | None = None,
        is_retryable: bool = False,
        detail: str = "",
        traces: tuple[object, ...] = (),
    ) -> None:
        super().__init__(user_text, detail=detail, traces=traces)
        self.http_status = http_status
        self.venue_code = venue_code
        self.is_retryable = is_retryable


class RateLimited(VenueError):
    """The venue refused for its rate limit; ``retry_after_s`` is ``None`` when it gave no hint."""

    kind = ErrorKind.RATE_LIMITED

    def __init__(
        self,
        user_text: str,
        *,
        http_status: int,
        retry_after_s: float | None,
        venue_code: str | None = None,
        detail: str = "",
        traces: tuple[object, ...] = (),
    ) -> None:
        super().__init__(
            user_text, http_status=http_status, venue_code=venue_code, is_retryable=True, detail=detail, traces=traces
        )
        self.retry_after_s = retry_after_s


class EdgeBlocked(VenueError):
    """Something in front of the venue answered (a proxy, a CDN's HTML page), not the venue itself."""

    kind = ErrorKind.BLOCKED


class UnknownInstrument(VenueError):
    """The venue does not know the instrument, or no longer trades it."""

    kind = ErrorKind.UNKNOWN_INSTRUMENT


class CredentialsRefused(VenueError):
    """The venue does not accept these credentials, for a ``reason`` such as ``wrong_secret``.

    Trying again changes nothing: whoever polls the account stops until the user has done something.
    """

    kind = ErrorKind.CREDENTIALS

    def __init__(
        self,
        user_text: str,
        *,
        reason: str,
        http_status: int,
        venue_code: str | None = None,
        detail: str = "",
        traces: tuple[object, ...] = (),
    ) -> None:
        super().__init__(user_text, http_status=http_status, venue_code=venue_code, detail=detail, traces=traces)
        self.reason = reason


class PayloadError(MonitorError):
    """The reply is not what ``endpoint`` promises: ``path`` is the field (``data[3].lastPrice``; ``$``: the whole)."""

    kind = ErrorKind.PAYLOAD

    def __init__(
        self, *, endpoint: str, path: str, expected: str, detail: str = "", traces: tuple[object, ...] = ()
    ) -> None:
        super().__init__(f"{endpoint}: {path} is not {expected}", detail=detail, traces=traces)
        self.endpoint = endpoint
        self.path = path
        self.expected = expected


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A failure as it crosses threads: no exception object, so no frames and no locals travel with it.

    ``pause``: nothing was sent, because the venue is left alone for this cause.
    """

    kind: ErrorKind
    user_text: str
    detail: str = ""
    retry_after_s: float | None = None
    pause: PauseCause | None = None

    @classmethod
    def from_error(cls, error: MonitorError) -> "Failure":
        """Keep what may be shown and logged of ``error``."""
        if isinstance(error, BudgetExhausted):
            return cls(
                kind=error.kind,
                user_text=error.reason,
                detail=error.detail,
                retry_after_s=error.available_in_s,
                pause=error.pause,
            )
        retry_after_s = getattr(error, "retry_after_s", None)
        return cls(kind=error.kind, user_text=error.user_text, detail=error.detail, retry_after_s=retry_after_s)
