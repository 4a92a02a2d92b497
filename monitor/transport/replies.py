"""Reading a reply: counted, timed and bounded, byte by byte from the socket and as a decoded whole."""

import http.client
import io
import socket
import threading
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from urllib3.response import HTTPResponse

from monitor.transport.tracing import CURRENT, Record

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER_BYTES = 16 * 1024  # one TLS record


class TooManyBytes(OSError):
    """The reply exceeds what its endpoint may send. An ``OSError``, so urllib3 cleans up as after any failed read."""


class DeadlinePassed(TimeoutError):
    """The time for the whole request is over, although bytes may still trickle in."""


class TracedReply(http.client.HTTPResponse):
    """http.client's reply, reading through a :class:`ReplySource`."""

    def __init__(
        self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        # The constructor asks for nothing but a buffered file, which is how the source gets underneath it.
        source: Any = ReplySource(sock, CURRENT.record or Record.detached())
        super().__init__(source, debuglevel, method, url)


class ReplySource:
    """The bytes of one reply as they come from the socket; notes the first, counts all, and ends at the deadline.

    A raw stream by its methods only: :class:`io.RawIOBase` would cost a dictionary, a finalizer and, at every reply,
    an exception for not being seekable.
    """

    __slots__ = ("_receive", "_settimeout", "_timeout_s", "closed", "is_done", "owned", "record")

    def __init__(self, sock: socket.socket, record: Record) -> None:
        self._receive = sock.recv_into
        self._settimeout = sock.settimeout
        self._timeout_s = sock.gettimeout()
        self.record = record
        self.closed = False
        self.is_done = False
        self.owned: socket.socket | None = None
        """The socket, when its connection has let go of it before the reply was read ("Connection: close")."""
        record.source = self

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Never."""
        return False

    def tell(self) -> int:
        """Asked once, when the buffer is put on top."""
        return 0

    def flush(self) -> None:
        """Nothing to do."""

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        """Wait for bytes, up to the read timeout and never beyond the deadline."""
        if self.is_done:
            return None
        record = self.record
        left_s = record.deadline_s - perf_counter()
        if self._timeout_s is None or left_s < self._timeout_s:
            if left_s <= 0.0:
                record.is_past_deadline = record.is_reply_broken = True
                raise DeadlinePassed("deadline passed")
            if left_s < threading.TIMEOUT_MAX:
                self._settimeout(left_s)
        try:
            n = self._receive(buffer)
        except OSError:
            record.is_reply_broken = True
            raise
        now = perf_counter()
        if n == 0:
            record.is_reply_broken = True  # unless the reply was to end with the connection; then nobody asks
            return 0
        if record.first_byte_s is None:
            record.first_byte_s = now
            record.phase = "read"
        record.last_byte_s = now
        record.wire_bytes += n
        if record.wire_bytes > record.wire_limit:
            record.is_wire_full = record.is_reply_broken = True
            raise TooManyBytes("reply too large")
        return n

    def makefile(self, mode: str) -> "ReplyBuffer":
        """Itself, buffered."""
        if mode != "rb":
            raise ValueError("a reply is read, in bytes")
        return ReplyBuffer(cast(Any, self), _BUFFER_BYTES)

    def close(self) -> None:
        """Let go of the socket."""
        self.closed = True
        if self.owned is not None:
            self.owned.close()
            self.owned = None


class ReplyBuffer(io.BufferedReader):
    """Buffer over a :class:`ReplySource`; notices bytes that came after the end of the reply."""

    def close(self) -> None:
        """Close, and note what was left over: such a connection must not serve another request."""
        source = cast(ReplySource, self.raw)
        if not source.closed:
            source.is_done = True
            if self.peek(1):
                source.record.taint()
        super().close()


def read_body(raw: HTTPResponse, max_bytes: int) -> bytes | None:
    """The decoded body, read to its end, which gives the connection back; ``None`` if it is larger than ``max_bytes``.

    Raises what urllib3 raises on a broken, late or undecodable body.
    """
    announced = raw.length_remaining
    if announced is not None and announced > max_bytes:
        return None
    body = raw.read(max_bytes + 1, decode_content=True)
    if announced is not None and not raw.length_remaining:
        return body if len(body) <= max_bytes else None
    # No length was announced, or the connection ended before it: one more read finds the end, or what is wrong.
    parts = [body]
    size = len(body)
    while body and size <= max_bytes:
        body = raw.read(max_bytes + 1 - size, decode_content=True)
        parts.append(body)
        size += len(body)
    return b"".join(parts) if size <= max_bytes else None
