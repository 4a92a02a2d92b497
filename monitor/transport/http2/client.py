"""What httpx sends through: the connection that all requests share, leased for the length of each."""

import contextlib
from collections.abc import Iterator

import httpx

from monitor.transport.http2.exchange import send
from monitor.transport.http2.lease import Connector
from monitor.transport.tracing import CURRENT


class OnOneLink(httpx.BaseTransport):
    """What httpx sends through: the connection that all requests share."""

    def __init__(self, connector: Connector, read_timeout_s: float) -> None:
        self._connector = connector
        self._read_timeout_s = read_timeout_s

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Lease, send, and wait for the headers; the lease ends when the response is closed."""
        record = CURRENT.record
        if record is None:
            raise RuntimeError("only a session's request goes through here")
        with contextlib.ExitStack() as stack:
            link = stack.enter_context(self._connector.leased(record))
            response = send(link, request, record, self._read_timeout_s)
            response.stream = _Leased(response.stream, stack.pop_all())
        return response


class _Leased(httpx.SyncByteStream):
    """A body that gives the connection back when it is closed."""

    def __init__(self, stream: object, lease: contextlib.ExitStack) -> None:
        if not isinstance(stream, httpx.SyncByteStream):
            raise TypeError("a body to be read by a thread")
        self._stream = stream
        self._lease = lease

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        """Close the body, then end the lease."""
        try:
            self._stream.close()
        finally:
            self._lease.close()
