"""One logical read of one or more requests: what they cost, when they were made, what the venue's clock said."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TypeVar

from monitor.domain.errors import BudgetExhausted, EdgeBlocked, MonitorError, RateLimited, VenueError
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.base import Fetched
from monitor.transport.interface import Endpoint, Reply, Transport

T = TypeVar("T")

_DATE_STEP_S = 1.0
"""The ``Date`` header is cut to whole seconds."""


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def clock_offset(reply: Reply) -> tuple[float, float] | None:
    """Venue clock minus ours in seconds, and how far off that may be; ``None`` without a ``Date`` header.

    The venue stamped the reply somewhere between request and reply and cut the stamp to a whole second, so the best
    guess is half a second after the stamp at the middle of the exchange, wrong by at most 0.5 s + half the round trip.
    """
    if reply.date is None:
        return None
    round_trip_s = max(0.0, reply.received_mono_s - reply.requested_mono_s)
    middle = reply.received_at - timedelta(seconds=round_trip_s / 2)
    offset_s = (reply.date - middle).total_seconds() + _DATE_STEP_S / 2
    return offset_s, (_DATE_STEP_S + round_trip_s) / 2


def venue_time_at_most(reply: Reply) -> datetime:
    """A moment the venue's clock had certainly reached when it replied: its own stamp, or ours without one."""
    return reply.received_at if reply.date is None else reply.date


class VenueClock:
    """The venue's time as well as it is known.

    Candle ranges end "now" on the venue's clock; a computer whose own clock is an hour off must not lose an hour.
    Thread: any; a single reference is replaced.
    """

    def __init__(self, wall_clock: Callable[[], datetime] = utc_now) -> None:
        self._wall_clock = wall_clock
        self._offset_s: float | None = None

    def learn(self, reply: Reply) -> float | None:
        """Take in a reply's stamp and return the offset in seconds, ``None`` when it has none."""
        measured = clock_offset(reply)
        if measured is None:
            return None
        self._offset_s = measured[0]
        return measured[0]

    def now(self) -> datetime:
        """The venue's time now; our own before the first stamp or while both agree within the stamp's resolution."""
        offset_s = self._offset_s
        if offset_s is None or abs(offset_s) <= 2 * _DATE_STEP_S:
            return self._wall_clock()
        return self._wall_clock() + timedelta(seconds=offset_s)


class Asking:
    """Context of one read: sends its requests and gives every error the traces of all of them.

    The first request is the caller's to time: when it does not fit the budget, that is an error at once. Later pages
    of the same read wait for the budget, up to ``patience_s`` in all; ``pause`` does the waiting.

    Thread: one; make a new one for each read.
    """

    PATIENCE_S = 10.0

    def __init__(
        self,
        transport: Transport,
        clock: VenueClock,
        *,
        pause: Callable[[float], None] = time.sleep,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._pause = pause
        self._patience_s = patience_s
        self._traces: list[RequestTrace] = []
        self._first: Reply | None = None
        self._offset_s: float | None = None

    def __enter__(self) -> "Asking":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if isinstance(error, MonitorError) and self._traces:
            # A transport error brings its own attempts; those of the pages before it come first.
            error.traces = (*self._traces, *error.traces)

    def send(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        """Blocks for one reply, of any status. Raises ``MonitorError``."""
        while True:
            try:
                reply = self._transport.request(endpoint, params=params, body=body, headers=headers, weight=weight)
                break
            except BudgetExhausted as error:
                # A wait of nothing would spin; a little more than asked for absorbs rounding.
                wait_s = max(error.available_in_s, 0.005)
                if self._first is None or wait_s > self._patience_s:
                    raise
                self._patience_s -= wait_s
                self._pause(wait_s)
        self._traces.extend(reply.traces)
        offset_s = self._clock.learn(reply)
        if self._first is None:
            # Offset and stamps of the same reply, so that its round trip bounds the offset's error.
            self._first, self._offset_s = reply, offset_s
        return reply

    def fetched(self, value: T, *, clock_offset_s: float | None = None) -> Fetched[T]:
        """``value`` with the cost and the clocks of what was sent; of several pages the oldest clock counts."""
        assert self._first is not None, "nothing was sent"  # noqa: S101  # a programming error, not a condition
        return Fetched(
            value=value,
            traces=tuple(self._traces),
            requested_mono_s=self._first.requested_mono_s,
            received_mono_s=self._first.received_mono_s,
            received_at=self._first.received_at,
            clock_offset_s=self._offset_s if clock_offset_s is None else clock_offset_s,
        )


def is_html(reply: Reply) -> bool:
    """Whether a page for people came back."""
    if "html" in reply.content_type.lower():
        return True
    return reply.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def refusal(venue_title: str, reply: Reply) -> VenueError | None:
    """The error that a reply's status or an HTML body means by itself; ``None`` when the body has to be read.

    The page is never quoted: it comes from somebody in between and may say anything.
    """
    status = reply.status
    if status in {418, 429}:
        return RateLimited(
            f"{venue_title} refused: too many requests from this address",
            http_status=status,
            retry_after_s=reply.retry_after_s,
        )
    if status >= 500 and is_html(reply):
        return VenueError(f"{venue_title} is unavailable (HTTP {status})", http_status=status, is_retryable=True)
    if 300 <= status < 400:
        return EdgeBlocked(
            f"{venue_title} was not reached: something in between redirects (HTTP {status})",
            http_status=status,
        )
    is_data = reply.body[:64].lstrip().startswith((b"{", b"["))
    if is_html(reply) or (status in {403, 407, 451} and not is_data):
        return EdgeBlocked(
            f"Blocked at the edge of {venue_title} (HTTP {status}): a page came back instead of data",
            http_status=status,
        )
    return None
