"""Signed GETs to Bitunix, and errors that carry nothing of what signed them."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from monitor.domain.credentials import Hidden
from monitor.domain.errors import MonitorError, RateLimited, VenueError
from monitor.exchanges.asking import Asking, VenueClock, clock_offset
from monitor.exchanges.bitunix.account_errors import SIGNATURE_CODES, credentials_error
from monitor.exchanges.bitunix.errors import unwrap
from monitor.exchanges.bitunix.signing import make_nonce, signed_headers, text_params
from monitor.exchanges.decoding import to_ms
from monitor.transport.interface import Endpoint, Reply, Transport

Params = Mapping[str, str | int | bool | None]

_CLOCK_TURN = timedelta(seconds=2)
"""A reply that moves the venue's clock by more than this may explain why the request before it was refused."""


class PrivateReply(msgspec.Struct):
    """``data`` is read by hand, row by row, so that one bad field does not cost the rest."""

    code: int | str
    data: Any = msgspec.UNSET


_decoder = msgspec.json.Decoder(PrivateReply)


class PrivateSession:
    """Signs requests with one key.

    ``offset`` is what the last reply told of the venue's clock: venue minus ours and its error, in seconds.
    ``was_clock_corrected``: a signature was refused with our clock and accepted with the venue's.

    Thread: any.
    """

    def __init__(
        self,
        transport: Transport,
        clock: VenueClock,
        *,
        api_key: Hidden,
        secret: Hidden,
        nonce: Callable[[], str] = make_nonce,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._api_key = api_key
        self._secret = secret
        self._nonce = nonce
        self.offset: tuple[float, float] | None = None
        self.was_clock_corrected = False

    @property
    def clock(self) -> VenueClock:
        """The venue's clock, as the time stamps use it."""
        return self._clock

    def ask(self, asking: Asking, endpoint: Endpoint, params: Params) -> Any:
        """``data`` of a successful reply. Blocks.

        A refused signature is tried once more when its reply showed that the time stamp was wrong.

        Raises:
            CredentialsRefused: the key, its secret, its permissions or its IP list.
            MonitorError: anything else.
        """
        texts = text_params(params)
        sent_at = self._clock.now()
        error, reply, data = self._try(asking, endpoint, texts, sent_at)
        if isinstance(error, VenueError) and error.venue_code in SIGNATURE_CODES and reply is not None:
            passed = timedelta(seconds=max(0.0, reply.received_mono_s - reply.requested_mono_s))
            if abs(self._clock.now() - passed - sent_at) > _CLOCK_TURN:
                error, reply, data = self._try(asking, endpoint, texts, self._clock.now())
                self.was_clock_corrected = error is None
        if error is None:
            return data
        if isinstance(error, VenueError):
            error = credentials_error(error, self.offset) or error
        raise error

    def _try(
        self, asking: Asking, endpoint: Endpoint, params: dict[str, str], stamp: datetime
    ) -> tuple[MonitorError | None, Reply | None, Any]:
        """One attempt: an error that is safe to show and log, or ``None``; the reply, if any; its data."""
        headers = signed_headers(
            api_key=self._api_key,
            secret=self._secret,
            nonce=self._nonce(),
            timestamp_ms=to_ms(stamp),
            params=params,
        )
        reply: Reply | None = None
        try:
            reply = asking.send(endpoint, params=params, headers=headers)
            self.offset = clock_offset(reply) or self.offset
            return None, reply, unwrap(endpoint, _decoder, reply).data
        except MonitorError as error:
            if isinstance(error, RateLimited) and reply is not None and reply.status == 200:
                # A 429 has reached the budget on its way; a refusal inside HTTP 200 has not.
                self._transport.refused(endpoint, error.retry_after_s)
            self._scrub(error, headers)
            return error, reply, None

    def _scrub(self, error: MonitorError, headers: Mapping[str, str]) -> None:
        """Take what was sent out of an error's texts: a venue, or something in between, may echo it."""
        hidden = [self._api_key.reveal(), self._secret.reveal(), headers["sign"], headers["nonce"]]
        for text in hidden:
            error.user_text = error.user_text.replace(text, "***")
            error.detail = error.detail.replace(text, "***")
        error.args = (error.user_text,)
        # The library's own error behind it may quote the reply; its frames hold the headers.
        error.__cause__ = None
        error.__context__ = None
        error.__traceback__ = None
