"""The requests adapter: our pools in requests' place, our trust, and the last read-only check before a socket."""

import functools
import socket
from collections.abc import Mapping
from time import perf_counter
from typing import Any, cast

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.utils import get_encoding_from_headers
from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, Retry

from monitor.domain.errors import ConnectFailed, ErrorKind
from monitor.transport.config import TransportConfig
from monitor.transport.interface import DEFAULT_MAX_REPLY_BYTES
from monitor.transport.policy import Origin, ReadOnlyPolicy
from monitor.transport.pools import PoolSupport, TracedHTTPPool, TracedHTTPSPool
from monitor.transport.retry import HealDrops
from monitor.transport.socks import SocksProxy
from monitor.transport.tracing import CURRENT, Record

_KEEP_ALIVE_IDLE_S = 30
_KEEP_ALIVE_INTERVAL_S = 10
_KEEP_ALIVE_COUNT = 3


def socket_options() -> list[tuple[int, int, int | bytes]]:
    """No Nagle delay, and probes that find a silently dead connection within a minute; also through proxies."""
    options: list[tuple[int, int, int | bytes]] = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    # Names differ per system: macOS calls the idle time TCP_KEEPALIVE.
    for name, value in (
        ("TCP_KEEPIDLE", _KEEP_ALIVE_IDLE_S),
        ("TCP_KEEPALIVE", _KEEP_ALIVE_IDLE_S),
        ("TCP_KEEPINTVL", _KEEP_ALIVE_INTERVAL_S),
        ("TCP_KEEPCNT", _KEEP_ALIVE_COUNT),
    ):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


class ReadOnlyAdapter(HTTPAdapter):
    """Sends what the policy allows, through traced pools, trusting only the given context.

    ``support`` None leaves urllib3's own pools in place (no telemetry, no healing).

    Thread: any.
    """

    def __init__(
        self, *, policy: ReadOnlyPolicy, config: TransportConfig, ssl_context: Any, support: PoolSupport | None
    ) -> None:
        self._policy = policy
        self._ssl_context = ssl_context
        self._support = support
        self._config = config
        self._deadline_s = config.deadline_s
        self._is_closing = False
        self._pool_keys: dict[Origin, tuple[Any, dict[str, Any]]] = {}
        super().__init__(
            pool_connections=config.pool_connections,
            pool_maxsize=config.pool_maxsize,
            max_retries=HealDrops() if support is not None else Retry(0, read=False),
            pool_block=config.pool_block,
        )

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """Build the manager of direct connections."""
        super().init_poolmanager(
            connections,
            maxsize,
            block,
            socket_options=socket_options(),
            ssl_context=self._ssl_context,
            **pool_kwargs,
        )
        self._instrument(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> ProxyManager:
        """The manager of connections through ``proxy``; made at its first use.

        Raises:
            ConnectFailed: a SOCKS proxy of a kind that we do not speak.
        """
        if proxy in self.proxy_manager:
            return cast(ProxyManager, self.proxy_manager[proxy])
        if proxy.lower().startswith("socks"):
            return cast(ProxyManager, self._socks_manager_for(proxy))
        manager = super().proxy_manager_for(
            proxy,
            socket_options=socket_options(),
            ssl_context=self._ssl_context,
            proxy_ssl_context=self._ssl_context,
            **proxy_kwargs,
        )
        self._instrument(manager)
        return cast(ProxyManager, manager)

    def _socks_manager_for(self, proxy: str) -> PoolManager:
        # To urllib3 the connections are direct ones: what is on the way is between our socket and the proxy.
        try:
            socks = SocksProxy.parse(proxy)
        except ValueError:
            raise ConnectFailed(
                "Of SOCKS proxies only socks5:// and socks5h:// are supported.", kind=ErrorKind.CONNECT
            ) from None
        if self._support is None:
            raise ConnectFailed("SOCKS proxies need the traced transport.", kind=ErrorKind.CONNECT)
        manager = PoolManager(
            num_pools=self._config.pool_connections,
            maxsize=self._config.pool_maxsize,
            block=self._config.pool_block,
            socket_options=socket_options(),
            ssl_context=self._ssl_context,
        )
        self._instrument(manager, socks)
        self.proxy_manager[proxy] = manager
        return manager

    def _instrument(self, manager: PoolManager, socks: SocksProxy | None = None) -> None:
        if self._support is None:
            return
        # A new dictionary: the one in place is urllib3's own, shared by every manager in the process.
        manager.pool_classes_by_scheme = {
            "http": cast(Any, functools.partial(TracedHTTPPool, support=self._support, socks=socks)),
            "https": cast(Any, functools.partial(TracedHTTPSPool, support=self._support, socks=socks)),
        }
        manager.pools.dispose_func = self._pool_disposed

    def _pool_disposed(self, pool: HTTPConnectionPool) -> None:
        if isinstance(pool, TracedHTTPPool):
            if not self._is_closing:
                pool.ledger.account.count_evicted()
            # urllib3 would leave the sockets open until the pool is collected.
            pool.ledger.shut()

    def close(self) -> None:
        """Close idle connections and forget the pools; what is in use closes when it is done."""
        self._is_closing = True
        super().close()

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Do nothing: requests would load certifi's roots into our context at every new connection."""

    def send(  # noqa: PLR0917 - requests' signature
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        """Check against the read-only list and send.

        Raises:
            ReadOnlyViolation: not on the list; no socket was touched.
            ValueError: other trust than the session's context was asked for (``verify=False``, a file, a certificate).
        """
        if verify is not True or cert is not None:
            raise ValueError("trust is decided by the session's TLS context alone")
        method = str(request.method)
        self._policy.check_url(method, str(request.url))
        self._policy.check_extras(method, request.headers, request.body, is_prepared=True)
        if CURRENT.record is not None or self._support is None:
            return super().send(request, stream, timeout, True, None, cast(dict[str, str] | None, proxies))
        # From the inner session, not from ours: nobody reads the trace, but deadline, healing and counters hold.
        record = CURRENT.record = self._record_for(method, str(request.url))
        try:
            response = super().send(request, stream, timeout, True, None, cast(dict[str, str] | None, proxies))
        finally:
            CURRENT.record = None
        if record.heal_counter is not None:
            record.heal_counter.count_healed(record.attempt - 1)
        return response

    def _record_for(self, method: str, url: str) -> Record:
        now = perf_counter()
        return Record(
            venue="",
            endpoint="",
            method=method,
            host=self._policy.origin_of(url).address,
            deadline_s=now + self._deadline_s,
            wire_limit=DEFAULT_MAX_REPLY_BYTES,
            started_s=now,
        )

    def pool_of(self, origin: Origin, proxies: Mapping[str, str] | None) -> HTTPConnectionPool:
        """The pool that requests to ``origin`` go through; made if it is not there yet."""
        request = PreparedRequest()
        request.url = origin.url + "/"
        return self.get_connection_with_tls_context(request, True, proxies)

    # The three below do what requests does, for the few fixed origins we have, at a third of its cost.

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Mapping[str, str] | None = None, cert: Any = None
    ) -> HTTPConnectionPool:
        """The pool of the request's origin."""
        if proxies:
            pool = super().get_connection_with_tls_context(request, verify, cast(dict[str, str], proxies), cert)
            return cast(HTTPConnectionPool, pool)
        origin = self._policy.origin_of(str(request.url))
        known = self._pool_keys.get(origin)
        if known is None:
            context = {
                **self.poolmanager.connection_pool_kw,
                "scheme": origin.scheme,
                "host": origin.host,
                "port": origin.port,
                "cert_reqs": "CERT_REQUIRED",
            }
            known = self._pool_keys[origin] = (self.poolmanager.key_fn_by_scheme[origin.scheme](dict(context)), context)
        key, context = known
        return cast(HTTPConnectionPool, self.poolmanager.connection_from_pool_key(key, dict(context)))

    def request_url(self, request: PreparedRequest, proxies: Mapping[str, str] | None) -> str:
        """The target on the request line: path and query, or the whole URL for a forwarding proxy."""
        if proxies:
            return super().request_url(request, cast(dict[str, str], proxies))
        url = str(request.url)
        return url[len(self._policy.origin_of(url).url) :]

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:
        """A response with urllib3's own headers (case-insensitive too) and without cookies, which we do not keep."""
        response = Response()
        response.status_code = resp.status
        response.headers = resp.headers
        response.raw = resp
        response.reason = resp.reason
        response.url = str(req.url)
        response.request = req
        response.encoding = get_encoding_from_headers(resp.headers)
        return response
