"""Traced urllib3 pools: each with a ledger for its queue and our connections in it."""

import functools
from collections.abc import Callable
from typing import Any, cast

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from monitor.transport.accounts import OriginAccount
from monitor.transport.connections import TracedHTTPConnection, TracedHTTPSConnection
from monitor.transport.ledger import Ledger
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import TlsSessions


class PoolSupport:
    """What the pools of one adapter share: accounts of the origins, resolver, TLS sessions, how long a socket may idle.

    Thread: any.
    """

    def __init__(
        self,
        *,
        account_for: Callable[[str, str, int], OriginAccount],
        resolver: Resolver,
        max_idle_s: float | None,
        tls_sessions: TlsSessions | None = None,
    ) -> None:
        self.account_for = account_for
        self.resolver = resolver
        self.max_idle_s = max_idle_s
        self.tls_sessions = tls_sessions


class TracedHTTPPool(HTTPConnectionPool):
    """A pool whose queue is its ledger."""

    ConnectionCls = TracedHTTPConnection

    def __init__(self, host: str, port: int, *, support: PoolSupport, **kwargs: Any) -> None:
        make_ledger = functools.partial(
            _make_ledger,
            account=support.account_for(str(self.scheme), host, port),
            is_blocking=bool(kwargs.get("block")),
            max_idle_s=support.max_idle_s,
        )
        # On the instance, and before the constructor that calls it with the size.
        self.QueueCls = cast(Any, make_ledger)
        super().__init__(host, port, **kwargs)
        self.ledger = cast(Ledger, self.pool)
        self.ledger.bind(self)
        self.conn_kw["ledger"] = self.ledger
        self.conn_kw["resolver"] = support.resolver
        self.conn_kw["tls_sessions"] = support.tls_sessions


class TracedHTTPSPool(TracedHTTPPool, HTTPSConnectionPool):
    """The same with TLS."""

    ConnectionCls = TracedHTTPSConnection


def _make_ledger(maxsize: int, *, account: OriginAccount, is_blocking: bool, max_idle_s: float | None) -> Ledger:
    return Ledger(account, maxsize=maxsize, is_blocking=is_blocking, max_idle_s=max_idle_s)
