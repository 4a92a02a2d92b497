"""Traced urllib3 connections: where sockets open, send, receive and close.

The only file that uses names of urllib3 with an underscore: ``HTTPConnection._new_conn`` (to time the name look-up
apart from the TCP connect) and ``_dns_host``. Everything else is the base-connection protocol that urllib3 ships.
"""

import http.client
import select
import socket
import ssl
import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util import wait_for_read

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import SocketEntry
from monitor.transport.dialing import MIN_TIMEOUT_S, DialDeadlinePassed, Dialing
from monitor.transport.ledger import Ledger
from monitor.transport.replies import TracedReply
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import TlsSessions
from monitor.transport.sockets import describe_tls, new_entry
from monitor.transport.socks import SocksProxy
from monitor.transport.tracing import CURRENT, Record


class TracedHTTPConnection(HTTPConnection):
    """One connection object; it may open several sockets one after the other, each with its own entry.

    Thread: the one that leases it; ``retire`` also by whoever took it out of the ledger.
    """

    response_class = TracedReply

    def __init__(
        self,
        *args: Any,
        ledger: Ledger,
        resolver: Resolver,
        tls_sessions: TlsSessions | None = None,
        socks: SocksProxy | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.entry: SocketEntry | None = None
        self.is_leased = False
        self.is_checked = False
        self.is_tainted = False
        self._ledger = ledger
        self._resolver = resolver
        self._tls_sessions = tls_sessions
        self._socks = socks
        self._wants_session = False
        self._record: Record | None = None
        self._poll: Callable[[int], list[tuple[int, int]]] | None = None
        self._retire_cause: CloseCause | None = None
        self._failure_cause: CloseCause | None = None
        self._held_head = b""
        self._is_connecting = False
        self._is_reading_headers = False
        self._closed_in_headers: SocketEntry | None = None

    # --- opening

    def connect(self) -> None:
        """Open the socket (and TLS where the scheme asks for it) within the record's deadline."""
        record = self._adopt()
        self._failure_cause = None
        self.is_tainted = False
        self._is_connecting = True
        started_s = perf_counter()
        try:
            self._connect()
        except OSError as error:
            # http.client reports a proxy's refusal as an OSError without a number.
            if self.proxy is not None and error.errno is None and not isinstance(error, ssl.SSLError | TimeoutError):
                record.phase = "proxy"
            raise
        finally:
            self._is_connecting = False
        connected_s = record.enter("send")
        # A proxy's answer to CONNECT came through the same reader; it is no byte of the reply.
        record.wire_bytes = 0
        record.first_byte_s = record.last_byte_s = None
        if self.sock is not None and hasattr(select, "poll"):
            poller = select.poll()
            poller.register(self.sock, select.POLLIN)
            self._poll = poller.poll
        if isinstance(self, HTTPSConnection):
            record.tls_s = connected_s - started_s - (record.dns_s or 0.0) - (record.tcp_s or 0.0)
        if self.entry is not None:
            self.entry.connect_s = connected_s - started_s
            self.entry.requests = 0 if record.is_ahead else 1
            if isinstance(self.sock, ssl.SSLSocket):
                describe_tls(self.entry, self.sock)
            record.is_resumed = self.entry.is_resumed
            self.entry.card = None

    def _connect(self) -> None:
        super().connect()

    def _new_conn(self) -> socket.socket:
        # The one private override: urllib3's own resolves and connects in one call, with no time limit on the first.
        record = self._adopt()
        started_s = record.enter("dns")
        target = host = self._dns_host.strip("[]")
        port = self.port
        try:
            if self._socks is not None:
                if not self._socks.looks_up:
                    target = str(self._resolver.resolve(host, port, self._left_s(record, None)).addresses[0][4][0])
                host, port = self._socks.host, self._socks.port
            resolved = self._resolver.resolve(host, port, self._left_s(record, None))
        except TimeoutError as error:
            self._count_failed(record)
            raise ConnectTimeoutError(self, "name look-up timed out") from error
        except socket.gaierror as error:
            self._count_failed(record)
            raise NameResolutionError(self.host, self, error) from error
        resolved_s = record.enter("connect")
        record.dns_s = resolved_s - started_s
        record.is_dns_cached = resolved.is_cached
        dialing = Dialing(
            resolved.addresses,
            timeout_s=self.timeout,
            deadline_s=record.deadline_s,
            options=self.socket_options or (),
            source_address=self.source_address,
        )
        try:
            dialed = dialing.connect()
        except OSError as error:
            self._count_failed(record)
            self._resolver.doubt(host, port)
            record.is_past_deadline |= isinstance(error, DialDeadlinePassed)
            if isinstance(error, TimeoutError):
                raise ConnectTimeoutError(self, "connect timed out") from error
            raise NewConnectionError(self, "connect failed") from error
        finally:
            record.addresses_tried = dialing.tried
        if self._socks is not None:
            self._negotiate(self._socks, dialed.sock, target, record)
        record.tcp_s = record.enter("tls") - resolved_s
        if dialed.address != resolved.addresses[0]:
            self._resolver.worked(host, port, dialed.address)
        # What is left of the time is for the TLS handshake.
        dialed.sock.settimeout(self._left_s(record, self.timeout))
        self._opened(dialed.sock, record)
        sys.audit("http.client.connect", self, self.host, self.port)
        return dialed.sock

    def _negotiate(self, socks: SocksProxy, sock: socket.socket, target: str, record: Record) -> None:
        try:
            socks.open(sock, target, self.port, lambda: self._left_s(record, self.timeout))
        except OSError as error:
            sock.close()
            self._count_failed(record)
            record.phase = "proxy"
            if isinstance(error, TimeoutError):
                raise ConnectTimeoutError(self, "proxy timed out") from error
            raise NewConnectionError(self, "proxy refused") from error

    def _opened(self, sock: socket.socket, record: Record) -> None:
        entry = self.entry = new_entry(sock)
        record.is_cold = True
        record.connection_id = entry.connection_id
        self._ledger.account.opened_socket(entry, is_ahead=record.is_ahead)

    def _count_failed(self, record: Record) -> None:
        if not record.is_ahead:
            self._ledger.account.count_connect_failed()

    def _keep_session(self) -> None:
        # The first reply is here, and with it the ticket, which TLS 1.3 sends after the handshake.
        self._wants_session = False
        if self._tls_sessions is not None and isinstance(self.sock, ssl.SSLSocket):
            self._tls_sessions.keep(self._ledger.account.host, self.sock)

    # --- one request

    def send(self, data: Any) -> None:
        """Hand bytes to the socket, and note when and how many; plain HTTP connects here where needed."""
        if self._is_connecting:  # CONNECT to a proxy
            super().send(data)
            return
        if self.sock is None and self.auto_open:
            self.connect()
        record = self._record or self._adopt()
        if record.send_started_s is None:
            record.send_started_s = perf_counter()
            record.phase = "send"
            if record.body_bytes:
                # Headers and body in one packet instead of two; the body is the next that comes.
                self._held_head = data
                return
        elif self._held_head:
            data, self._held_head = self._held_head + data, b""
        try:
            if self.sock is not None and isinstance(data, bytes):
                # As http.client does for bytes, without its looking for other kinds.
                sys.audit("http.client.send", self, data)
                self.sock.sendall(data)
            else:
                super().send(data)
        except OSError as error:
            self._failed(error, record)
            raise
        record.sent_s = perf_counter()
        record.request_bytes += len(data)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself overrides http.client here
        """Wait for the headers of the reply."""
        record = self._record or self._adopt()
        record.phase = "wait"
        self._is_reading_headers = True
        try:
            response = super().getresponse()
            _refuse_cut_headers(response, record)
        except Exception as error:
            self._is_reading_headers = False
            self._failed(error, record)
            self._account_for_close_in_headers(self._failure_cause or CloseCause.ERROR)
            raise
        self._is_reading_headers = False
        self._ledger.account.is_dropping_all = False
        if self._wants_session:
            self._keep_session()
        if self._closed_in_headers is not None:
            self._account_for_close_in_headers(CloseCause.BY_SERVER)
        record.status = response.status
        record.http_version = response.version
        return response

    def _failed(self, error: Exception, record: Record) -> None:
        self._failure_cause = CloseCause.ERROR
        if is_drop(error):
            record.is_dropped = True
            if record.is_cold is False and record.wire_bytes == 0:
                self._failure_cause = CloseCause.STALE

    # --- the end of a socket

    @property
    def is_connected(self) -> bool:
        """Whether the socket may be used again. The ledger has just looked when it hands a connection out."""
        if self.is_checked:
            self.is_checked = False
            return True
        return self.is_alive()

    def is_alive(self) -> bool:
        """Look, without blocking, whether the other end has closed or sent something unasked."""
        sock = self.sock
        if sock is None:
            return False
        if not (self._poll(0) if self._poll is not None else wait_for_read(sock, timeout=0.0)):
            return not (isinstance(sock, ssl.SSLSocket) and sock.pending())
        if not isinstance(sock, ssl.SSLSocket):
            return False
        # TLS 1.3 sends session tickets unasked. Reading them yields no data; a close or anything else does.
        sock.settimeout(0.0)
        try:
            sock.recv(1)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            return False
        return False

    def retire(self, cause: CloseCause) -> None:
        """Close the socket for this reason."""
        self._retire_cause = cause
        self.close()

    def close(self) -> None:
        """Close the socket; if the ledger still counts it, say why it ended."""
        entry, self.entry = self.entry, None
        if self._is_reading_headers:
            # http.client closes on "Connection: close" and on errors alike; getresponse() knows which it was, and
            # after the former the reply is still to be read.
            self._closed_in_headers = entry or self._closed_in_headers
            if self._wants_session:
                self._keep_session()
            source = self._record.source if self._record is not None else None
            if source is not None and not source.closed:
                source.owned, self.sock = self.sock, None
            super().close()
            return
        try:
            if entry is not None:
                self._ledger.account.closed_socket(entry, self._retire_cause or self._infer_cause())
        finally:
            self._retire_cause = self._failure_cause = self._poll = None
            self._held_head = b""
            if self.is_leased:
                self._ledger.release(self)
            super().close()

    def _account_for_close_in_headers(self, cause: CloseCause) -> None:
        entry, self._closed_in_headers = self._closed_in_headers, None
        if entry is not None:
            self._ledger.account.closed_socket(entry, cause)

    def _infer_cause(self) -> CloseCause:
        record = self._record
        if not self.is_leased:
            return CloseCause.WITH_POOL
        if self._failure_cause is not None:
            return self._failure_cause
        if record is None or record.status is None:
            return CloseCause.ERROR
        error = sys.exc_info()[1]
        if record.is_reply_broken or (error is not None and error is not record.outer_error):
            return CloseCause.ERROR
        return CloseCause.ABANDONED

    # --- bookkeeping

    def lease(self, record: Record) -> None:
        """Serve ``record`` next. The ledger calls it for a connection it had; a new one finds out by itself."""
        self.is_leased = self.is_checked = True
        self._record = record
        record.connection = self

    def _adopt(self) -> Record:
        record = CURRENT.record
        if record is None:
            # Somebody uses the pool without the adapter: counted all the same, timed for nobody.
            record = self._record or Record.detached()
            self.is_leased = self.is_leased or self._ledger.claim_anonymous()
        elif record.pending_lease is self._ledger:
            record.pending_lease = None
            record.connection = self
            self.is_leased = True
        self._record = record
        return record

    @staticmethod
    def _left_s(record: Record, timeout_s: float | None) -> float | None:
        left_s = record.deadline_s - perf_counter()
        if timeout_s is None:
            return None if left_s == float("inf") else max(left_s, MIN_TIMEOUT_S)
        return timeout_s if timeout_s < left_s else max(left_s, MIN_TIMEOUT_S)


class TracedHTTPSConnection(TracedHTTPConnection, HTTPSConnection):
    """The same with TLS, resuming an earlier session where that is wanted."""

    def _connect(self) -> None:
        sessions = self._tls_sessions
        if sessions is None or (self.proxy is not None and self.proxy.scheme == "https"):
            # With TLS to the proxy, that handshake would be the one to take up the offer.
            super()._connect()
            return
        with sessions.offered(self._ledger.account.host):
            super()._connect()
        self._wants_session = True


def _refuse_cut_headers(response: HTTPResponse, record: Record) -> None:
    # http.client takes the end of the stream for the end of the headers.
    if record.is_reply_broken:
        response.close()
        raise http.client.IncompleteRead(b"")


def is_drop(error: BaseException) -> bool:
    """Whether ``error`` says that the other end, or the way there, is gone; after a time-out it may still answer."""
    if isinstance(error, ssl.SSLError):
        return isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    if isinstance(error, TimeoutError):
        # With an errno it is the kernel that gave up on the connection, not our patience.
        return error.errno is not None
    return isinstance(error, OSError) and not isinstance(error, BlockingIOError)
