"""TLS session resumption: a new connection shows the ticket of an earlier one and is spared the certificates.

Python leaves it to the caller. A ticket comes with or after the first reply (TLS 1.3), is only good with the context
it was made with, and has to be set between the making of the TLS socket and its handshake, which urllib3 does in one
call. So the socket's class asks for it: the connecting thread lays it out, :class:`ResumingSocket` picks it up.
"""

import contextlib
import errno
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

MAX_AGE_S = 3600.0
"""A ticket is not used for longer: a resumed handshake does not look at certificates, a full one now and then does."""

_RENEW_AFTER_S = 600.0
"""A ticket that works is exchanged for a newer one after this."""


class _Offer(threading.local):
    host: str | None = None
    session: ssl.SSLSession | None = None


_OFFER = _Offer()


class ResumingSocket(ssl.SSLSocket):
    """A TLS socket that offers the session its thread laid out for this host; without one it is like any other."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, with an earlier session if there is one."""
        if _OFFER.session is not None and self.server_hostname == _OFFER.host:
            # ValueError: a session of another context. It would have been an offer, no more.
            with contextlib.suppress(ValueError):
                self.session = _OFFER.session
        super().do_handshake(block)

    def getpeername(self) -> Any:
        """Who is at the other end.

        A socket whose other end had reset it before the handshake is closed first: Python drops it unclosed, and it
        would stay open until garbage is collected.
        """
        try:
            return super().getpeername()
        except OSError as error:
            if self._sslobj is not None:  # type: ignore[attr-defined]  # set once TLS begins
                raise
            self.close()
            raise ConnectionResetError(errno.ECONNRESET, "reset before the TLS handshake") from error


def can_resume(context: ssl.SSLContext) -> bool:
    """Whether sessions of ``context`` may be resumed.

    Not with truststore (Windows, macOS): it looks at the certificates after each handshake, and a resumed one has none.
    """
    return type(context) is ssl.SSLContext


class TlsSessions:
    """A resumable session of each origin (any text that names it), for connections made with one context.

    Makes ``context`` build sockets that can resume; that changes nothing for others who use it. ``clock`` is
    monotonic, in seconds. Thread: any; nothing blocks.
    """

    def __init__(self, context: ssl.SSLContext, clock: Callable[[], float] = time.monotonic) -> None:
        """``ValueError``: this kind of context cannot (:func:`can_resume`)."""
        if not can_resume(context):
            raise ValueError("sessions of this kind of context are not resumed")
        context.sslsocket_class = ResumingSocket
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _Kept] = {}

    @contextlib.contextmanager
    def offered(self, origin: str) -> Iterator[None]:
        """The handshake this thread makes offers the session of ``origin``; one that failed is not offered again."""
        with self._lock:
            kept = self._sessions.get(origin)
            if kept is not None and self._clock() - kept.taken_s >= MAX_AGE_S:
                kept = None
                del self._sessions[origin]
        if kept is not None:
            _OFFER.host, _OFFER.session = kept.host, kept.session
        try:
            yield
        except Exception:
            self._drop(origin, kept)
            raise
        finally:
            _OFFER.host = _OFFER.session = None

    def keep(self, origin: str, sock: ssl.SSLSocket) -> None:
        """Remember the session of ``sock``, from which a reply has been read, if it can be resumed.

        Taking one costs about what resuming saves (Python copies it), so one that works is kept and shown again.
        """
        kept = self._sessions.get(origin)
        if sock.session_reused and kept is not None and self._clock() - kept.taken_s < _RENEW_AFTER_S:
            return
        session = sock.session
        if session is None or not (session.has_ticket or (session.id and sock.version() != "TLSv1.3")):
            return
        with self._lock:
            self._sessions[origin] = _Kept(session, sock.server_hostname, self._clock())

    def forget(self) -> None:
        """Forget all sessions: the network changed, and with it perhaps who answers."""
        with self._lock:
            self._sessions.clear()

    def _drop(self, origin: str, kept: "_Kept | None") -> None:
        with self._lock:
            if kept is not None and self._sessions.get(origin) is kept:
                del self._sessions[origin]


class _Kept(msgspec.Struct, frozen=True):
    session: ssl.SSLSession
    host: str | None
    """The name its certificate was checked for; it is offered for no other."""
    taken_s: float
