"""Who opens the one connection, who shares it, and how both are counted."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from time import perf_counter

from monitor.domain.errors import ConnectFailed, ErrorKind
from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import OriginAccount, SocketEntry
from monitor.transport.adapter import socket_options
from monitor.transport.config import TransportConfig
from monitor.transport.dialing import MIN_TIMEOUT_S, DialDeadlinePassed, Dialing
from monitor.transport.http2.link import Http2Link, LinkEnded
from monitor.transport.policy import Origin
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import TlsSessions
from monitor.transport.sockets import describe_tls, new_entry
from monitor.transport.tracing import Record

ALPN = ("h2", "http/1.1")


class NotOffered(ConnectFailed):
    """The host speaks TLS but does not choose HTTP/2."""


class _Live:
    """The open connection: its entry in the books, and how many requests are on it (under the account's lock)."""

    def __init__(self, link: Http2Link, entry: SocketEntry) -> None:
        self.link = link
        self.entry = entry
        self.users = 0
        self.wants_session = True


class Connector:
    """The connection of one :class:`~monitor.transport.http2.session.Http2Session`, opened when it is needed.

    One thread opens it while the others wait (their lease wait). Booked into ``account`` like a pool of one
    connection that many requests may share. Thread: any.
    """

    def __init__(
        self,
        *,
        origin: Origin,
        account: OriginAccount,
        config: TransportConfig,
        ssl_context: ssl.SSLContext,
        resolver: Resolver,
        tls_sessions: TlsSessions | None,
    ) -> None:
        self._origin = origin
        self._account = account
        self.config = config
        """May be replaced at any time; what it says of connecting counts for the next connection."""
        self.max_idle_s = config.max_idle_s
        """A connection idle for longer is not used any more; whoever looks after it knows the host better."""
        self._ssl_context = ssl_context
        self._resolver = resolver
        self._tls_sessions = tls_sessions
        self._opening = threading.Lock()
        self._live: _Live | None = None
        self._is_closed = False
        account.max_connections = 1

    @contextlib.contextmanager
    def leased(self, record: Record) -> Iterator[Http2Link]:
        """A usable connection for the attempt of ``record``, which is told how it came by it.

        Blocks up to the record's deadline. Raises what dialing and TLS raise, ``NotOffered``, or ``TimeoutError``.
        """
        started_s = perf_counter()
        with self._account.lock:
            self._account.attempts += 1
            self._account.is_changed = True
        if not self._opening.acquire(timeout=min(max(record.deadline_s - started_s, 0.0), threading.TIMEOUT_MAX)):
            self._account.count_connect_failed()
            raise TimeoutError("somebody else's connect took too long")
        try:
            record.lease_wait_s = perf_counter() - started_s
            live = self._usable()
            if live is None:
                live = self._live = self._open(record)
                record.is_cold = True
            else:
                record.is_cold = False
            self._begin(live, record)
        finally:
            self._opening.release()
        try:
            yield live.link
        finally:
            self._end(live)

    def open_ahead(self, deadline_s: float) -> bool:
        """Open the connection before anybody asks; False: there is one already, or it failed.

        Blocks up to ``deadline_s`` (a ``perf_counter()`` time). Raises ``NotOffered``, nothing else that networks do.
        """
        with self._opened_alone(deadline_s) as may_open:
            if not may_open or self._usable() is not None:
                return False
            return self._put_ahead(deadline_s)

    def replace(self, deadline_s: float) -> bool:
        """Open another connection for the requests to come and let the one there end with those on it.

        False: the other could not be opened, and the one there stays. Blocks and raises as :meth:`open_ahead`.
        """
        with self._opened_alone(deadline_s) as may_open:
            old = self._live
            if not may_open or not self._put_ahead(deadline_s):
                return False
            if old is not None:
                old.link.leave(CloseCause.EXPIRED)
            return True

    @property
    def entry(self) -> SocketEntry | None:
        """The open connection's; ``None`` while there is none."""
        live = self._live
        return live.entry if live is not None and live.link.is_usable else None

    def expire(self) -> None:
        """Close the connection if nobody is on it, because it is too old or idles too long."""
        live = self._live
        if live is not None and self._opening.acquire(blocking=False):
            try:
                if live.users == 0:
                    live.link.close(CloseCause.EXPIRED)
            finally:
                self._opening.release()

    def close(self) -> None:
        """Close the connection, or have it close when the requests on it are done."""
        self._is_closed = True
        live = self._live
        if live is not None:
            live.link.leave()

    def _usable(self) -> _Live | None:
        live = self._live
        if live is None or not live.link.is_usable:
            return None
        idle_since_s, limit_s = live.entry.idle_since_s, self.max_idle_s
        if limit_s is not None and idle_since_s is not None and perf_counter() - idle_since_s > limit_s:
            live.link.close(CloseCause.EXPIRED)
            return None
        return live

    @contextlib.contextmanager
    def _opened_alone(self, deadline_s: float) -> Iterator[bool]:
        """Whether this thread alone may open a connection now, for the length of a ``with`` block."""
        left_s = min(max(deadline_s - perf_counter(), 0.0), threading.TIMEOUT_MAX)
        if self._is_closed or not self._opening.acquire(timeout=left_s):
            yield False
            return
        try:
            yield True
        finally:
            self._opening.release()

    def _put_ahead(self, deadline_s: float) -> bool:
        record = Record.detached()
        record.is_ahead = True
        record.deadline_s = deadline_s
        try:
            live = self._open(record)
        except NotOffered:
            raise
        except OSError:
            return False
        account, entry = self._account, live.entry
        with account.lock:
            if entry.connection_id in account.sockets:
                entry.idle_since_s = perf_counter()
                entry.card = None
                account.idle += 1
                account.is_changed = True
        self._live = live
        return True

    def _begin(self, live: _Live, record: Record) -> None:
        account, entry = self._account, live.entry
        record.connection_id = entry.connection_id
        with account.lock:
            if not record.is_cold:
                record.is_prewarmed = entry.is_prewarmed and entry.requests == 0
                account.reused += 1
                entry.requests += 1
            if entry.idle_since_s is not None:
                self._end_idling(entry)
            if live.users == 0:
                account.leased += 1
                account.peak_leased = max(account.peak_leased, account.leased)
            live.users += 1
            entry.card = None
            account.is_changed = True

    def _end(self, live: _Live) -> None:
        account = self._account
        if live.wants_session and self._tls_sessions is not None:
            live.wants_session = False
            sessions = self._tls_sessions
            live.link.inspect(lambda sock: sessions.keep(account.host, sock))
        with account.lock:
            live.users -= 1
            live.entry.idled_s = None
            if live.users == 0:
                account.leased -= 1
                if live.entry.connection_id in account.sockets:
                    live.entry.idle_since_s = perf_counter()
                    account.idle += 1
            live.entry.card = None
            account.is_changed = True
        if self._is_closed:
            live.link.leave()

    def _ended(self, entry: SocketEntry, cause: CloseCause) -> None:
        account = self._account
        with account.lock:
            if entry.idle_since_s is not None and entry.connection_id in account.sockets:
                self._end_idling(entry)
                if cause is CloseCause.BY_SERVER and entry.idled_s is not None:
                    # It said goodbye to a connection that idled: as much a limit as a silent close.
                    account.idle_times.dropped_after_all(entry.idled_s)
            account.closed_socket(entry, cause)

    def _end_idling(self, entry: SocketEntry) -> None:
        """Under the account's lock: it is taken, or has ended; either way it tells how long it idled."""
        account = self._account
        if entry.idle_since_s is not None:
            entry.idled_s = max(perf_counter() - entry.idle_since_s, 0.0)
            account.idle_times.survived(entry.idled_s)
        entry.idle_since_s = None
        account.idle -= 1

    def _open(self, record: Record) -> _Live:
        if self._is_closed:
            raise LinkEnded("closed by us")
        started_s = perf_counter()
        sock = self._dial(record)
        entry = new_entry(sock)
        record.connection_id = entry.connection_id
        self._account.opened_socket(entry, is_ahead=record.is_ahead)
        try:
            tls = self._wrap(sock)
        except BaseException:
            record.is_cold = True
            sock.close()
            self._account.closed_socket(entry, CloseCause.ERROR)
            raise
        record.tls_s = perf_counter() - record.phase_started_s
        describe_tls(entry, tls)
        entry.requests = 0 if record.is_ahead else 1
        entry.connect_s = perf_counter() - started_s
        entry.card = None
        record.is_resumed = entry.is_resumed
        self._account.set_offered_protocols((entry.alpn,) if entry.alpn else ())
        if entry.alpn != ALPN[0]:
            record.is_cold = True
            tls.close()
            self._account.closed_socket(entry, CloseCause.ERROR)
            raise NotOffered("The venue does not offer HTTP/2.", kind=ErrorKind.TLS)
        link = Http2Link(tls, on_end=lambda cause: self._ended(entry, cause))
        record.enter("send")
        record.is_cold = True
        link.start(record.deadline_s)
        return _Live(link, entry)

    def _dial(self, record: Record) -> socket.socket:
        host, port = self._origin.host, self._origin.port
        started_s = record.enter("dns")
        left_s = max(record.deadline_s - started_s, MIN_TIMEOUT_S)
        try:
            resolved = self._resolver.resolve(host, port, left_s)
        except OSError:
            self._count_failed(record)
            raise
        resolved_s = record.enter("connect")
        record.dns_s = resolved_s - started_s
        record.is_dns_cached = resolved.is_cached
        dialing = Dialing(
            resolved.addresses,
            timeout_s=self.config.connect_timeout_s,
            deadline_s=record.deadline_s,
            options=socket_options(),
        )
        try:
            dialed = dialing.connect()
        except OSError as error:
            self._count_failed(record)
            self._resolver.doubt(host, port)
            record.is_past_deadline |= isinstance(error, DialDeadlinePassed)
            raise
        finally:
            record.addresses_tried = dialing.tried
        record.tcp_s = record.enter("tls") - resolved_s
        if dialed.address != resolved.addresses[0]:
            self._resolver.worked(host, port, dialed.address)
        left_s = record.deadline_s - perf_counter()
        dialed.sock.settimeout(max(min(self.config.connect_timeout_s, left_s), MIN_TIMEOUT_S))
        return dialed.sock

    def _count_failed(self, record: Record) -> None:
        if not record.is_ahead:
            self._account.count_connect_failed()

    def _wrap(self, sock: socket.socket) -> ssl.SSLSocket:
        if self._tls_sessions is None:
            return self._ssl_context.wrap_socket(sock, server_hostname=self._origin.host)
        with self._tls_sessions.offered(self._account.host):
            return self._ssl_context.wrap_socket(sock, server_hostname=self._origin.host)
