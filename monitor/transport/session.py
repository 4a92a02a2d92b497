"""Pooled, traced, read-only requests to one venue."""

import ssl
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any, cast
from urllib.parse import urlencode

import requests
from requests import PreparedRequest
from urllib3.response import HTTPResponse
from urllib3.util import Timeout

from monitor.domain.errors import ErrorKind, MonitorError, ReplyTooLarge, TransportError
from monitor.domain.pool_health import KeepAliveFit
from monitor.domain.telemetry import BudgetState, PoolStats
from monitor.transport.accounts import OriginAccount
from monitor.transport.adapter import ReadOnlyAdapter
from monitor.transport.alpn import ProtocolProbe
from monitor.transport.budget import WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.failures import to_monitor_error
from monitor.transport.headers import parse_date, parse_retry_after
from monitor.transport.housekeeper import Housekeeper
from monitor.transport.interface import Endpoint, Question, Reply, Transport
from monitor.transport.policy import AllowedRequest, Origin, ReadOnlyPolicy
from monitor.transport.pools import PoolSupport, TracedHTTPPool
from monitor.transport.prewarm import open_missing
from monitor.transport.quiet import silence_urls
from monitor.transport.replies import read_body
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import TlsSessions, can_resume
from monitor.transport.rounds import ask_to_warm
from monitor.transport.sizing import grow_limit_of
from monitor.transport.tls import make_ssl_context
from monitor.transport.tracing import CURRENT, Record

_RATE_LIMIT_STATUSES = frozenset({418, 429})
_OVERLOADED_STATUS = 503

_HEADER_ALLOWANCE_BYTES = 256 * 1024
_CHUNKING_FACTOR = 8
"""Bytes on the wire per decoded byte that we put up with: tiny chunks cost six bytes of framing each."""


class PooledSession(Transport):
    """A ``requests`` session with our adapter on ``http://`` and ``https://``, and what each request cost.

    It follows no redirects, keeps no cookies and never looks at the environment. ``ssl_context`` None builds one from
    the system's store, which reads files; it must verify certificates. ``resolver`` None asks the operating system.
    ``probe``: this session's own, for ``ask_protocols``; closed with it.

    Thread: any. ``request`` blocks, up to ``config.deadline_s``; the rest does not.
    """

    def __init__(
        self,
        *,
        venue: str,
        base_url: str,
        allowed: tuple[AllowedRequest, ...],
        budget: WeightBudget,
        config: TransportConfig | None = None,
        ssl_context: ssl.SSLContext | None = None,
        resolver: Resolver | None = None,
        probe: ProtocolProbe | None = None,
    ) -> None:
        """``ValueError`` when ``base_url`` is none, or ``ssl_context`` does not verify."""
        if ssl_context is None:
            ssl_context = make_ssl_context(None)
        if ssl_context.verify_mode != ssl.CERT_REQUIRED or not ssl_context.check_hostname:
            raise ValueError("the TLS context must verify certificates and host names")
        self._venue = venue
        self._config = config if config is not None else TransportConfig()
        self._budget = budget
        self._origin = Origin.parse(base_url)
        self._base = self._origin.url + self._origin.path
        self._policy = ReadOnlyPolicy((self._origin,), allowed)
        self._accounts: dict[tuple[str, str, int], OriginAccount] = {}
        self._lock = threading.Lock()
        self._is_closed = False
        self._resolver = resolver or Resolver(ttl_s=self._config.dns_cache_s, is_ipv4_only=self._config.is_ipv4_only)
        self._tls_sessions = (
            TlsSessions(ssl_context) if self._config.tls_resumption and can_resume(ssl_context) else None
        )
        self._probe = probe
        self._adopted: dict[str, KeepAliveFit] = {}
        self._support = PoolSupport(
            account_for=self._account_for,
            resolver=self._resolver,
            max_idle_s=self._config.max_idle_s,
            maxsize=self._config.pool_maxsize,
            grow_limit=grow_limit_of(self._config.is_sizing_automatic),
            tls_sessions=self._tls_sessions,
        )
        self._adapter = ReadOnlyAdapter(
            policy=self._policy,
            config=self._config,
            ssl_context=ssl_context,
            support=self._support if self._config.is_traced else None,
        )
        self._housekeeper = Housekeeper(support=self._support, config=self._config, ask=partial(ask_to_warm, self))
        self._session = self._make_session()
        self._headers = {name: value for name, value in self._session.headers.items() if name.lower() != "connection"}
        self._proxies = self._proxies_of_origin()
        self._timeout = Timeout(connect=self._config.connect_timeout_s, read=self._config.read_timeout_s)
        silence_urls()

    def _make_session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.max_redirects = 0
        session.headers["User-Agent"] = self._config.user_agent
        session.headers["Accept"] = "application/json"
        if self._config.proxies:
            session.proxies.update(self._config.proxies)
        session.mount("http://", self._adapter)
        session.mount("https://", self._adapter)
        return session

    def _proxies_of_origin(self) -> dict[str, str] | None:
        proxies = self._config.proxies or {}
        proxy = proxies.get(self._origin.scheme, proxies.get("all"))
        return {self._origin.scheme: proxy} if proxy else None

    def _account_for(self, scheme: str, host: str, port: int) -> OriginAccount:
        with self._lock:
            account = self._accounts.get((scheme, host, port))
            if account is None:
                account = OriginAccount(venue=self._venue, scheme=scheme, host=f"{host}:{port}")
                if account.host in self._adopted:
                    account.idle_times.adopt(self._adopted[account.host])
                self._accounts[scheme, host, port] = account
            return account

    @property
    def venue(self) -> str:
        """Name of the venue it talks to."""
        return self._venue

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        """Send and read one reply; see :meth:`monitor.transport.interface.Transport.request`.

        A request whose connection is closed by the other end before a byte of the reply is repeated on a new one, up to
        ``MAX_ATTEMPTS`` in all; it is charged once. Raises ``MonitorError`` and nothing else.
        """
        started_s = perf_counter()
        self._policy.check_endpoint(endpoint.method, endpoint.path)
        self._policy.check_extras(endpoint.method, headers, body)
        if self._is_closed:
            failure = TransportError(f"The connection to {self._venue} was closed by us.", detail=endpoint.name)
            failure.kind = ErrorKind.CANCELLED
            raise failure
        reserved_s = self._budget.reserve(endpoint.name, weight)
        record = Record(
            venue=self._venue,
            endpoint=endpoint.name,
            method=endpoint.method,
            host=self._origin.address,
            deadline_s=started_s + self._config.deadline_s,
            wire_limit=endpoint.max_reply_bytes * _CHUNKING_FACTOR + _HEADER_ALLOWANCE_BYTES,
            started_s=started_s,
        )
        record.outer_error = sys.exc_info()[1]
        error: MonitorError | None = None
        CURRENT.record = record
        try:
            raw, content = self._send(endpoint, params, body, headers, record)
        except Exception as caught:  # noqa: BLE001 - whatever the libraries raise becomes one of ours
            error = self._failure(caught, record, weight)
        finally:
            CURRENT.record = None
            record.outer_error = None
        if error is not None:
            # Raised here, not in the handler: as its context the original would travel along, URLs and all.
            raise error
        received_s = perf_counter()
        received_at = datetime.now(UTC)
        started_s = record.started_s
        traces = record.end(received_s, error_kind=None, weight=weight) if self._config.is_traced else ()
        date = parse_date(raw.headers.get("date"))
        retry_after = raw.headers.get("retry-after")
        retry_after_s = None
        if retry_after is not None:
            retry_after_s = parse_retry_after(retry_after, sent_at=date, received_at=received_at)
        self._tell_budget(raw.status, retry_after_s, reserved_s)
        return Reply(
            status=raw.status,
            body=content,
            content_type=raw.headers.get("content-type", ""),
            date=date,
            retry_after_s=retry_after_s,
            traces=traces,
            requested_mono_s=started_s,
            received_mono_s=received_s,
            received_at=received_at,
        )

    def ask_protocols(self) -> None:
        """Have the host asked, once a day, which protocols it offers; the answer shows in its ``PoolStats``.

        One handshake of its own on the probe's thread, counted nowhere. Without a probe nothing happens, nor through
        a proxy, where who would answer is another question. Does not block.
        """
        origin = self._origin
        if self._probe is not None and self._proxies is None and origin.scheme == "https":
            self._probe.want(self._account_for(origin.scheme, origin.host, origin.port), origin.host, origin.port)

    def _send(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        record: Record,
    ) -> tuple[HTTPResponse, bytes]:
        # A prepared request without the preparing: every part of it is known and checked.
        prepared = PreparedRequest()
        prepared.method = endpoint.method
        prepared.url = self._base + endpoint.path
        if params:
            prepared.url += "?" + urlencode(params)
        merged = {**self._headers, **headers} if headers else self._headers
        if body is not None:
            # Without it requests would send the body in chunks.
            merged = {**merged, "Content-Length": str(len(body))}
            record.body_bytes = len(body)
        prepared.headers = cast(Any, merged)
        prepared.body = body
        response = self._adapter.send(prepared, stream=True, timeout=self._timeout, proxies=self._proxies)
        raw = cast(HTTPResponse, response.raw)
        try:
            content = read_body(raw, endpoint.max_reply_bytes)
        finally:
            if not raw.isclosed():
                raw.close()
                raw.release_conn()
        if content is None:
            raise ReplyTooLarge(
                f"{self._venue} sent more than this reply may have.",
                detail=f"{endpoint.name}: over {endpoint.max_reply_bytes} bytes",
            )
        return raw, content

    def _failure(self, caught: Exception, record: Record, weight: int) -> MonitorError:
        now_s = perf_counter()
        error = to_monitor_error(caught, record, deadline_s=self._config.deadline_s, now_s=now_s)
        if self._config.is_traced:
            error.traces = record.end(now_s, error_kind=error.kind, weight=weight)
        return error

    def _tell_budget(self, status: int, retry_after_s: float | None, reserved_s: float) -> None:
        if status in _RATE_LIMIT_STATUSES:
            self._budget.refused(retry_after_s)
        elif status == _OVERLOADED_STATUS:
            self._budget.refused(retry_after_s, is_rate_limit=False)
        else:
            self._budget.answered(reserved_s)

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        """Add ``weight`` that only the reply revealed."""
        self._budget.charge(endpoint.name, weight)

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:  # noqa: ARG002 - part of the contract
        """Tell the budget of a rate-limit refusal that did not come as an HTTP status."""
        self._budget.refused(retry_after_s)

    def available_in_s(self, weight: int) -> float:
        """Seconds until ``weight`` fits the budget; 0 when it does now."""
        return self._budget.available_in_s(weight)

    def pool_stats(self) -> tuple[PoolStats, ...]:
        """One snapshot per origin that had a pool; empty before the first request."""
        return tuple([account.stats() for account in list(self._accounts.values())])

    def budget_state(self) -> BudgetState:
        """Where the venue's budget stands now."""
        return self._budget.state()

    def forget_network(self) -> None:
        """Look names up anew and shake hands in full from now on: the network changed, or the machine slept."""
        self._resolver.forget()
        if self._tls_sessions is not None:
            self._tls_sessions.forget()

    # The health of the connections

    @property
    def housekeeper(self) -> Housekeeper:
        """Looks after the idle connections: nobody does until it is started, or ticked by hand."""
        return self._housekeeper

    def keep_house(self) -> None:
        """Have the housekeeper look after the idle connections from now until :meth:`close`."""
        self._housekeeper.start()

    def prewarm(self, count: int, timeout_s: float | None = None) -> int:
        """Open connections ahead, side by side, until ``count`` are there, within the pool's size; returns how many.

        Blocks until all are open or have failed, at most ``timeout_s`` (``None``: the deadline of a request); one that
        takes longer is still kept when it is done. Nothing is raised. A handshake costs no budget, so ``count`` is the
        limit.
        """
        if self._is_closed or not self._config.is_traced:
            return 0
        try:
            pool = self._adapter.pool_of(self._origin, self._proxies)
        except MonitorError:  # no way to this proxy; the first request will say so
            return 0
        if not isinstance(pool, TracedHTTPPool):
            return 0
        return open_missing(
            pool,
            count,
            connect_timeout_s=self._config.connect_timeout_s,
            timeout_s=self._config.deadline_s if timeout_s is None else timeout_s,
        )

    def learned(self) -> tuple[KeepAliveFit, ...]:
        """How long each host was found to let sockets idle, as far as there is a sample."""
        fits = []
        for account in list(self._accounts.values()):
            with account.lock:
                fits.append(account.idle_times.fit(account.host))
        return tuple([fit for fit in fits if fit.samples])

    def adopt(self, fits: Iterable[KeepAliveFit]) -> None:
        """Go on from what another session learned; for hosts that have not been asked anything yet."""
        self._adopted.update((fit.host, fit) for fit in fits)

    def tune(
        self, *, pool_maxsize: int, is_sizing_automatic: bool, max_age_s: float, keep_warm: Question | None
    ) -> None:
        """Change these while requests are under way; none of them notices."""
        changed = replace(
            self._config,
            pool_maxsize=pool_maxsize,
            is_sizing_automatic=is_sizing_automatic,
            max_age_s=max_age_s,
            keep_warm=keep_warm,
        )
        before, self._config = self._config, changed
        self._housekeeper.config = changed
        if (before.pool_maxsize, before.is_sizing_automatic) != (pool_maxsize, is_sizing_automatic):
            self._support.resize(pool_maxsize, grow_limit=grow_limit_of(is_sizing_automatic))

    def close(self) -> None:
        """Close idle connections; a request in flight ends at its own deadline, a new one raises ``TransportError``."""
        self._is_closed = True
        self._housekeeper.stop()
        if self._probe is not None:
            self._probe.close()
        self._session.close()
