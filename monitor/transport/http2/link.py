"""One HTTP/2 connection: a thread of its own takes in frames, requests write under a lock and wait for their stream."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from time import perf_counter

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, ResponseReceived, StreamEnded, StreamReset
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings
from urllib3.util import wait_for_read, wait_for_write

from monitor.domain.telemetry import CloseCause
from monitor.transport.http2.frames import GOAWAY, REPLY_KINDS, Frame, FrameSplitter
from monitor.transport.replies import TooManyBytes

_WINDOW_BYTES = 1024 * 1024
"""What a stream may send before we acknowledge, so that a large book comes without a pause."""

_LOOK_EVERY_S = 30.0
"""The reader waits for bytes without end; this only bounds one wait."""

Header = tuple[bytes, bytes]


class LinkEnded(ConnectionError):
    """The connection ended before the reply was whole."""


class NotTakenUp(LinkEnded):
    """The server said that it did not look at this request, or the connection was gone before it was sent."""


class Exchange:
    """One request and its reply so far. Written by the reader under the link's lock; ``None`` means "not yet"."""

    def __init__(self, stream_id: int, max_wire_bytes: int) -> None:
        self.stream_id = stream_id
        self.max_wire_bytes = max_wire_bytes
        self.headers: list[Header] | None = None
        self.parts: list[bytes] = []
        self.request_bytes = 0
        self.wire_bytes = 0
        self.sent_s: float | None = None
        self.first_byte_s: float | None = None
        self.last_byte_s: float | None = None
        self.is_whole = False
        self.error: Exception | None = None


class Http2Link:
    """A connected TLS socket on which ``h2`` was agreed; owns it. ``on_end`` is called once, from any thread, with why.

    OpenSSL's objects are not for two threads at once, so every read and write is short, unblocking and under the lock;
    the waiting is done outside. Thread: any.
    """

    def __init__(self, sock: ssl.SSLSocket, *, on_end: Callable[[CloseCause], None]) -> None:
        self._sock = sock
        self._on_end = on_end
        self._changed = threading.Condition(threading.RLock())
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._splitter = FrameSplitter()
        self._exchanges: dict[int, Exchange] = {}
        self._is_ended = False
        self._is_leaving = False
        self._leave_cause = CloseCause.BY_SERVER
        self._has_served = False
        self._is_read = False
        sock.setblocking(False)

    def start(self, deadline_s: float) -> None:
        """Send the preface and begin to read. Raises ``OSError``; then the link has ended."""
        with self._changed:
            # A whole new set: what is changed in an existing one counts only once it was acknowledged.
            self._h2.local_settings = Settings(
                client=True,
                initial_values={SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW_BYTES},
            )
            self._h2.initiate_connection()
            self._h2.increment_flow_control_window(_WINDOW_BYTES)
            self._write(deadline_s)
            self._is_read = True
        threading.Thread(target=self._read, name="http2 reader", daemon=True).start()

    @property
    def is_usable(self) -> bool:
        """Whether a new request may be sent on it; the reader has noticed if the server closed it."""
        return not self._is_ended and not self._is_leaving

    def ask(self, headers: Sequence[Header], body: bytes | None, *, max_wire_bytes: int, deadline_s: float) -> Exchange:
        """Send a request; waits while the server allows no further stream or byte.

        Raises:
            NotTakenUp: the link has ended meanwhile; nothing was sent.
            TimeoutError: the deadline came first. After half a request the link is closed too.
            OSError: the connection broke.
        """
        with self._changed:
            while (
                not self._is_ended and self._h2.open_outbound_streams >= self._h2.remote_settings.max_concurrent_streams
            ):
                self._wait(deadline_s)
            if not self.is_usable:
                raise NotTakenUp("the connection was gone")
            exchange = Exchange(self._h2.get_next_available_stream_id(), max_wire_bytes)
            self._exchanges[exchange.stream_id] = exchange
            try:
                self._h2.send_headers(exchange.stream_id, headers, end_stream=not body)
                self._write(deadline_s, exchange)
                rest = body or b""
                while rest and exchange.error is None and not exchange.is_whole:
                    room = min(self._h2.local_flow_control_window(exchange.stream_id), self._h2.max_outbound_frame_size)
                    if room <= 0:
                        self._wait(deadline_s)
                        continue
                    piece, rest = rest[:room], rest[room:]
                    self._h2.send_data(exchange.stream_id, piece, end_stream=not rest)
                    self._write(deadline_s, exchange)
            except BaseException:
                self.cancel(exchange)
                raise
            exchange.sent_s = perf_counter()
            return exchange

    def wait(self, exchange: Exchange, timeout_s: float, deadline_s: float) -> bool:
        """Wait until something more of the reply is there, up to ``timeout_s``; True: it is whole.

        Raises whatever ended it, or ``TimeoutError``.
        """
        until_s = min(perf_counter() + timeout_s, deadline_s)
        with self._changed:
            seen = exchange.wire_bytes
            while not exchange.is_whole and exchange.error is None and exchange.wire_bytes == seen:
                self._wait(until_s)
            if exchange.error is not None:
                raise exchange.error
            return exchange.is_whole

    def cancel(self, exchange: Exchange) -> None:
        """Tell the server that nobody waits for this one any more; nothing happens when it is over."""
        with self._changed:
            if self._exchanges.pop(exchange.stream_id, None) is None or self._is_ended:
                return
            try:
                self._h2.reset_stream(exchange.stream_id, ErrorCodes.CANCEL)
                self._write(perf_counter() + 1.0)
            except (H2Error, OSError):
                self._end(LinkEnded("broken"), CloseCause.ERROR)
            self._leave_if_done()

    def close(self, cause: CloseCause) -> None:
        """End it now, with whatever is under way, for this reason."""
        with self._changed:
            if not self._is_ended:
                # A courtesy; the socket is closed all the same.
                with contextlib.suppress(H2Error, OSError):
                    self._h2.close_connection()
                    self._write(perf_counter(), cause=cause)
            self._end(LinkEnded("closed by us"), cause)

    def leave(self, cause: CloseCause = CloseCause.WITH_POOL) -> None:
        """Take no further request, and end with the last one under way, for this reason."""
        with self._changed:
            if self._exchanges:
                self._is_leaving = True
                self._leave_cause = cause
            else:
                self.close(cause)

    def inspect(self, look: Callable[[ssl.SSLSocket], None]) -> None:
        """Let ``look`` see the socket while nobody uses it; not once it has ended."""
        with self._changed:
            if not self._is_ended:
                look(self._sock)

    # --- all below under the lock, except the waiting

    def _is_full(self) -> bool:
        return self._h2.open_outbound_streams >= self._h2.remote_settings.max_concurrent_streams

    def _wait(self, until_s: float) -> None:
        left_s = until_s - perf_counter()
        if left_s <= 0.0:
            raise TimeoutError("timed out")
        self._changed.wait(min(left_s, threading.TIMEOUT_MAX))

    def _cause_of_drop(self) -> CloseCause:
        """Why a connection ended that the server just dropped: a kept one that did not answer any more was stale."""
        is_silent = not any(exchange.wire_bytes for exchange in self._exchanges.values())
        return CloseCause.STALE if is_silent and (self._has_served or not self._exchanges) else CloseCause.ERROR

    def _write(self, deadline_s: float, exchange: Exchange | None = None, cause: CloseCause | None = None) -> None:
        data = self._h2.data_to_send()
        if exchange is not None:
            exchange.request_bytes += sum(
                len(frame.data) for frame in FrameSplitter().feed(data) if frame.stream_id == exchange.stream_id
            )
        rest = memoryview(data)
        try:
            while rest:
                try:
                    rest = rest[self._sock.send(rest) :]
                except ssl.SSLWantWriteError:
                    if not wait_for_write(self._sock, max(deadline_s - perf_counter(), 0.0)):
                        raise TimeoutError("timed out") from None
        except OSError as error:
            # Half a frame may be out: nothing more can be said on this connection.
            if cause is None:
                cause = CloseCause.ERROR if isinstance(error, TimeoutError) else self._cause_of_drop()
            self._end(LinkEnded("broken"), cause)
            raise error if isinstance(error, TimeoutError) else NotTakenUp("broken") from None

    def _read(self) -> None:
        try:
            while True:
                with self._changed:
                    if self._is_ended:
                        return
                    try:
                        data = self._sock.recv(64 * 1024)
                    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                        data = None
                    if data:
                        self._take(data)
                        continue
                    if data is not None:
                        break
                wait_for_read(self._sock, _LOOK_EVERY_S)
        except (OSError, H2Error):
            pass
        finally:
            with self._changed:
                cause = self._leave_cause if self._is_leaving else self._cause_of_drop()
                self._end(LinkEnded("closed by the server"), cause)
                self._sock.close()

    def _take(self, data: bytes) -> None:
        now = perf_counter()
        for frame in self._splitter.feed(data):
            exchange = self._exchanges.get(frame.stream_id)
            if exchange is not None and frame.kind in REPLY_KINDS:
                exchange.wire_bytes += len(frame.data)
                exchange.last_byte_s = now
                if exchange.first_byte_s is None:
                    exchange.first_byte_s = now
            if frame.kind == GOAWAY:
                self._go_away(frame)
                continue
            for event in self._h2.receive_data(frame.data):
                self._handle(event)
            if exchange is not None and exchange.wire_bytes > exchange.max_wire_bytes and not exchange.is_whole:
                exchange.error = TooManyBytes("reply too large")
                self.cancel(exchange)
        self._write(perf_counter() + 1.0)
        self._changed.notify_all()
        self._leave_if_done()

    def _handle(self, event: Event) -> None:
        exchange = self._exchanges.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, DataReceived) and event.stream_id is not None:
            # At once, also for a stream nobody waits for: the window of the connection is everyone's.
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
            if exchange is not None:
                exchange.parts.append(event.data or b"")
        elif exchange is None:
            return
        elif isinstance(event, ResponseReceived):
            exchange.headers = [(bytes(name), bytes(value)) for name, value in event.headers or ()]
        elif isinstance(event, StreamEnded):
            exchange.is_whole = True
            self._has_served = True
            del self._exchanges[exchange.stream_id]
        elif isinstance(event, StreamReset):
            is_refused = event.error_code == ErrorCodes.REFUSED_STREAM
            exchange.error = NotTakenUp("refused") if is_refused else LinkEnded("reset by the server")
            del self._exchanges[exchange.stream_id]

    def _go_away(self, frame: Frame) -> None:
        # Not handed to h2, which would take no further frame of the replies that are still promised.
        self._is_leaving = True
        for stream_id in [one for one in self._exchanges if one > frame.last_stream_id]:
            self._exchanges.pop(stream_id).error = NotTakenUp("the server is leaving")

    def _leave_if_done(self) -> None:
        if self._is_leaving and not self._exchanges:
            self._end(LinkEnded("the server left"), self._leave_cause)

    def _end(self, error: LinkEnded, cause: CloseCause) -> None:
        if self._is_ended:
            return
        self._is_ended = True
        for exchange in self._exchanges.values():
            exchange.error = error
        self._exchanges.clear()
        self._changed.notify_all()
        with contextlib.suppress(OSError):
            # Not SSLSocket's own: that would take the TLS state away from a thread that still waits for bytes.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        if not self._is_read:
            # Otherwise the reader does, which that has woken: it may be about to wait for this very descriptor, which
            # must not be somebody else's by then.
            self._sock.close()
        self._on_end(cause)
