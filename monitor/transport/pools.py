"""Traced urllib3 pools: each with a ledger for its queue and our connections in it.

Opening a connection ahead of any request needs two of urllib3's underscored names, ``_new_conn`` and
``_prepare_proxy`` of the pool: there is no public way to a connection but a request.
"""

import functools
import http.client
import threading
import weakref
from collections.abc import Callable
from typing import Any, cast

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util.proxy import connection_requires_http_tunnel

from monitor.domain.telemetry import CloseCause
from monitor.transport.accounts import OriginAccount
from monitor.transport.connections import TracedHTTPConnection, TracedHTTPSConnection
from monitor.transport.ledger import Ledger
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import TlsSessions
from monitor.transport.socks import SocksProxy
from monitor.transport.tracing import CURRENT, Record


class PoolSupport:
    """What the pools of one adapter share: accounts of the origins, resolver, TLS sessions, sizes and limits.

    ``maxsize`` and ``grow_limit`` are those of the next pool's ledger; ``None``: as the pool manager says. Thread: any.
    """

    def __init__(
        self,
        *,
        account_for: Callable[[str, str, int], OriginAccount],
        resolver: Resolver,
        max_idle_s: float | None,
        maxsize: int | None = None,
        grow_limit: int = 0,
        tls_sessions: TlsSessions | None = None,
    ) -> None:
        self.account_for = account_for
        self.resolver = resolver
        self.max_idle_s = max_idle_s
        self.tls_sessions = tls_sessions
        self.maxsize = maxsize
        self.grow_limit = grow_limit
        self._lock = threading.Lock()
        # Weak, like everything here that could keep a pool's sockets open beyond the pool.
        self._ledgers: weakref.WeakSet[Ledger] = weakref.WeakSet()

    def make_ledger(self, maxsize: int, *, account: OriginAccount, is_blocking: bool) -> Ledger:
        """The queue of a new pool, for which the manager wants ``maxsize``."""
        ledger = Ledger(account, maxsize=self.maxsize or maxsize, is_blocking=is_blocking, max_idle_s=self.max_idle_s)
        ledger.grow_limit = self.grow_limit
        with self._lock:
            self._ledgers.add(ledger)
        return ledger

    def ledgers(self) -> tuple[Ledger, ...]:
        """Those of the pools that are in use."""
        with self._lock:
            return tuple([ledger for ledger in self._ledgers if not ledger.is_shut])

    def resize(self, maxsize: int, *, grow_limit: int) -> None:
        """Give all pools, also those to come, this size."""
        self.maxsize, self.grow_limit = maxsize, grow_limit
        for ledger in self.ledgers():
            ledger.resize(maxsize, grow_limit=grow_limit)


class TracedHTTPPool(HTTPConnectionPool):
    """A pool whose queue is its ledger."""

    ConnectionCls = TracedHTTPConnection

    def __init__(
        self, host: str, port: int, *, support: PoolSupport, socks: SocksProxy | None = None, **kwargs: Any
    ) -> None:
        make_ledger = functools.partial(
            support.make_ledger,
            account=support.account_for(str(self.scheme), host, port),
            is_blocking=bool(kwargs.get("block")),
        )
        # On the instance, and before the constructor that calls it with the size.
        self.QueueCls = cast(Any, make_ledger)
        super().__init__(host, port, **kwargs)
        self.ledger = cast(Ledger, self.pool)
        self.ledger.bind(self)
        self.conn_kw["ledger"] = self.ledger
        self.conn_kw["resolver"] = support.resolver
        self.conn_kw["tls_sessions"] = support.tls_sessions
        self.conn_kw["socks"] = socks

    def open_ahead(self, *, connect_timeout_s: float, deadline_s: float) -> bool:
        """Open a connection, TLS included, for a place reserved in the ledger, and put it there; False: it failed.

        Blocks up to ``deadline_s`` (a ``perf_counter()`` time). Nothing is raised for what networks do.
        """
        record = Record.detached()
        record.is_ahead = True
        record.deadline_s = deadline_s
        connection: Any = None
        before, CURRENT.record = CURRENT.record, record
        try:
            connection = self._new_conn()
            connection.timeout = connect_timeout_s
            if self.proxy is not None and connection_requires_http_tunnel(self.proxy, self.proxy_config, self.scheme):
                self._prepare_proxy(connection)
            else:
                connection.connect()
        except BaseException as error:
            if connection is not None:
                connection.retire(CloseCause.ERROR)
            self.ledger.unreserve()
            if isinstance(error, HTTPError | OSError | http.client.HTTPException):
                return False
            raise
        finally:
            CURRENT.record = before
        return self.ledger.insert(connection)


class TracedHTTPSPool(TracedHTTPPool, HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls = TracedHTTPSConnection
