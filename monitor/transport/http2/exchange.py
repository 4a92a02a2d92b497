"""Between httpx and a link: a request of httpx goes out on it, and its reply comes back piece by piece."""

from collections.abc import Iterator
from time import perf_counter

import httpx
from hpack import HeaderTuple, NeverIndexedHeaderTuple

from monitor.transport.http2.link import Exchange, Http2Link
from monitor.transport.replies import TooManyBytes
from monitor.transport.tracing import Record

HTTP2 = 20
"""In the record, as http.client counts versions."""

# Of HTTP/1.1 alone, or said by a pseudo-header (RFC 9113, section 8.2.2).
_NOT_SENT = frozenset({b"host", b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_WELL_KNOWN = frozenset({b"user-agent", b"accept", b"accept-encoding", b"content-type", b"content-length"})


def send(link: Http2Link, request: httpx.Request, record: Record, read_timeout_s: float) -> httpx.Response:
    """Send ``request`` and wait for the headers of its reply; the body is read from the response.

    Raises what :class:`Http2Link` raises.
    """
    body = request.read()
    record.enter("send")
    record.send_started_s = record.phase_started_s
    exchange = link.ask(
        _headers_of(request), body or None, max_wire_bytes=record.wire_limit, deadline_s=record.deadline_s
    )
    record.sent_s = exchange.sent_s
    record.request_bytes = exchange.request_bytes
    record.phase = "wait"
    stream = _Body(link, exchange, record, read_timeout_s)
    try:
        stream.wait_for_headers()
        headers = exchange.headers or []
        status = int(dict(headers).get(b":status", b"0"))
        record.status, record.http_version = status, HTTP2
        plain = [(name, value) for name, value in headers if not name.startswith(b":")]
        return httpx.Response(status, headers=plain, stream=stream, extensions={"http_version": b"HTTP/2"})
    except BaseException:
        stream.close()
        raise


class _Body(httpx.SyncByteStream):
    """The body as it arrives; keeps the record's times, and cancels the stream if it is not read to its end."""

    def __init__(self, link: Http2Link, exchange: Exchange, record: Record, read_timeout_s: float) -> None:
        self._link = link
        self._exchange = exchange
        self._record = record
        self._read_timeout_s = read_timeout_s
        self._taken = 0

    def wait_for_headers(self) -> None:
        while self._exchange.headers is None:
            self._wait()

    def __iter__(self) -> Iterator[bytes]:
        is_whole = self._exchange.is_whole
        while True:
            while self._taken < len(self._exchange.parts):
                part, self._exchange.parts[self._taken] = self._exchange.parts[self._taken], b""
                self._taken += 1
                yield part
            if is_whole:
                return
            is_whole = self._wait()

    def close(self) -> None:
        """End it, whole or not."""
        self._link.cancel(self._exchange)
        self._note()

    def _wait(self) -> bool:
        record = self._record
        try:
            return self._link.wait(self._exchange, self._read_timeout_s, record.deadline_s)
        except TimeoutError:
            record.is_past_deadline = perf_counter() >= record.deadline_s
            raise
        except TooManyBytes:
            record.is_wire_full = True
            raise
        finally:
            self._note()

    def _note(self) -> None:
        record, exchange = self._record, self._exchange
        record.wire_bytes = exchange.wire_bytes
        record.first_byte_s, record.last_byte_s = exchange.first_byte_s, exchange.last_byte_s
        if exchange.first_byte_s is not None and record.phase == "wait":
            record.phase = "read"


def _headers_of(request: httpx.Request) -> list[HeaderTuple]:
    url = request.url
    headers = [
        HeaderTuple(b":method", request.method.encode("ascii")),
        HeaderTuple(b":authority", url.netloc),
        HeaderTuple(b":scheme", url.raw_scheme),
        HeaderTuple(b":path", url.raw_path),
    ]
    for raw_name, value in request.headers.raw:
        name = raw_name.lower()
        if name not in _NOT_SENT:
            # Keys and signatures stay out of the compression's memory, here and at the other end.
            headers.append((HeaderTuple if name in _WELL_KNOWN else NeverIndexedHeaderTuple)(name, value))
    return headers
