"""Read-only, budgeted requests to one venue, all on one HTTP/2 connection: the same promises as the pooled session."""

import logging
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import perf_counter

import httpx
import msgspec

from monitor.domain.errors import ErrorKind, MonitorError, ReplyTooLarge, TransportError
from monitor.domain.pool_health import KeepAliveFit
from monitor.domain.telemetry import BudgetState, PoolStats
from monitor.transport.accounts import OriginAccount
from monitor.transport.budget import WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.failures import to_monitor_error
from monitor.transport.headers import parse_date, parse_retry_after
from monitor.transport.http2.client import OnOneLink
from monitor.transport.http2.keeper import LinkKeeper
from monitor.transport.http2.lease import Connector, NotOffered
from monitor.transport.http2.link import LinkEnded
from monitor.transport.interface import Endpoint, Question, Reply, TendedTransport
from monitor.transport.policy import AllowedRequest, Origin, ReadOnlyPolicy
from monitor.transport.quiet import silence_urls
from monitor.transport.resolver import Resolver
from monitor.transport.resumption import TlsSessions, can_resume
from monitor.transport.rounds import ask_to_warm
from monitor.transport.tracing import CURRENT, MAX_ATTEMPTS, Record

log = logging.getLogger(__name__)

_RATE_LIMIT_STATUSES = frozenset({418, 429})
_OVERLOADED_STATUS = 503
_CHUNKING_FACTOR = 8
_HEADER_ALLOWANCE_BYTES = 256 * 1024
"""Both as for HTTP/1.1: frames cost nine bytes each, however small."""


class _Wishes(msgspec.Struct):
    """What was wished of looking after connections: a fallback made later is to have it too."""

    keeps_house: bool = False
    asks_protocols: bool = False
    tuning: Callable[[TendedTransport], None] | None = None
    fits: tuple[KeepAliveFit, ...] = ()


class Http2Session(TendedTransport):
    """One HTTP/2 connection for all requests, opened at the first one and again whenever it ended.

    A request that died with its connection before a byte of its reply, or that the server says it did not take up, is
    repeated on a new one, up to ``MAX_ATTEMPTS`` in all. ``ssl_context`` must verify, and offer ``h2`` (a context of
    its own: urllib3 rewrites what a shared one offers). A host that does not choose ``h2`` is asked over
    ``make_fallback()`` from then on, which is looked after as this one would be. No proxy: whoever builds it looks to
    that.

    Thread: any. ``request`` blocks, up to ``config.deadline_s``; the rest does not.
    """

    def __init__(
        self,
        *,
        venue: str,
        base_url: str,
        allowed: tuple[AllowedRequest, ...],
        budget: WeightBudget,
        config: TransportConfig,
        ssl_context: ssl.SSLContext,
        make_fallback: Callable[[], TendedTransport] | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        """``ValueError`` when ``base_url`` is no HTTPS URL, or ``ssl_context`` does not verify."""
        if ssl_context.verify_mode != ssl.CERT_REQUIRED or not ssl_context.check_hostname:
            raise ValueError("the TLS context must verify certificates and host names")
        self._venue = venue
        self._config = config
        self._budget = budget
        self._origin = Origin.parse(base_url)
        if self._origin.scheme != "https":
            raise ValueError("HTTP/2 needs https")
        self._policy = ReadOnlyPolicy((self._origin,), allowed)
        self._account = OriginAccount(venue=venue, scheme="https", host=self._origin.address)
        self._resolver = resolver or Resolver(ttl_s=config.dns_cache_s, is_ipv4_only=config.is_ipv4_only)
        self._tls_sessions = TlsSessions(ssl_context) if config.tls_resumption and can_resume(ssl_context) else None
        self._connector = Connector(
            origin=self._origin,
            account=self._account,
            config=config,
            ssl_context=ssl_context,
            resolver=self._resolver,
            tls_sessions=self._tls_sessions,
        )
        self._make_fallback = make_fallback
        self._fallback: TendedTransport | None = None
        self._wishes = _Wishes()
        self._keeper = LinkKeeper(
            connector=self._connector, account=self._account, config=config, ask=partial(ask_to_warm, self)
        )
        self._lock = threading.Lock()
        self._is_closed = False
        self._client = httpx.Client(
            transport=OnOneLink(self._connector, config.read_timeout_s),
            base_url=self._origin.url + self._origin.path,
            headers={"User-Agent": config.user_agent, "Accept": "application/json"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
            follow_redirects=False,
        )
        silence_urls()

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
        """Send and read one reply; see :meth:`monitor.transport.interface.Transport.request`."""
        if self._fallback is not None:
            return self._fallback.request(endpoint, params=params, body=body, headers=headers, weight=weight)
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
        error: MonitorError | None = None
        CURRENT.record = record
        try:
            response, content = self._attempts(endpoint, params, body, headers, record)
        except Exception as caught:  # noqa: BLE001 - whatever the libraries raise becomes one of ours
            now_s = perf_counter()
            error = to_monitor_error(caught, record, deadline_s=self._config.deadline_s, now_s=now_s)
            error.traces = record.end(now_s, error_kind=error.kind, weight=weight)
        finally:
            CURRENT.record = None
        if error is not None:
            if isinstance(error, NotOffered) and self._make_fallback is not None:
                return self._fall_back(self._make_fallback).request(
                    endpoint, params=params, body=body, headers=headers, weight=0
                )
            # Raised here, not in the handler: as its context the original would travel along, URLs and all.
            raise error
        return self._reply(response, content, record, reserved_s, weight)

    def _attempts(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        record: Record,
    ) -> tuple[httpx.Response, bytes]:
        # A path without its slash is joined to the base URL's; everything in it has been checked.
        request = self._client.build_request(
            endpoint.method, endpoint.path, params=params or None, content=body, headers=headers
        )
        self._policy.check_url(endpoint.method, self._origin.url + request.url.raw_path.decode("ascii"))
        account = self._account
        while True:
            try:
                answer = self._attempt(request, endpoint)
            except LinkEnded:
                if not record.may_repeat(is_new_trusted=not account.is_dropping_all):
                    account.is_dropping_all |= not record.wire_bytes and record.attempt >= MAX_ATTEMPTS
                    raise
                record.repeat(account)
            else:
                account.is_dropping_all = False
                return answer

    def _attempt(self, request: httpx.Request, endpoint: Endpoint) -> tuple[httpx.Response, bytes]:
        parts: list[bytes] = []
        size = 0
        response = self._client.send(request, stream=True)
        try:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if size > endpoint.max_reply_bytes:
                    raise ReplyTooLarge(
                        f"{self._venue} sent more than this reply may have.",
                        detail=f"{endpoint.name}: over {endpoint.max_reply_bytes} bytes",
                    )
        finally:
            response.close()
        return response, b"".join(parts)

    def _reply(self, response: httpx.Response, content: bytes, record: Record, reserved_s: float, weight: int) -> Reply:
        received_s, received_at = perf_counter(), datetime.now(UTC)
        started_s = record.started_s
        traces = record.end(received_s, error_kind=None, weight=weight)
        status = response.status_code
        date = parse_date(response.headers.get("date"))
        retry_after_s = parse_retry_after(response.headers.get("retry-after"), sent_at=date, received_at=received_at)
        if status in _RATE_LIMIT_STATUSES:
            self._budget.refused(retry_after_s)
        elif status == _OVERLOADED_STATUS:
            self._budget.refused(retry_after_s, is_rate_limit=False)
        else:
            self._budget.answered(reserved_s)
        return Reply(
            status=status,
            body=content,
            content_type=response.headers.get("content-type", ""),
            date=date,
            retry_after_s=retry_after_s,
            traces=traces,
            requested_mono_s=started_s,
            received_mono_s=received_s,
            received_at=received_at,
        )

    def _fall_back(self, make: Callable[[], TendedTransport]) -> TendedTransport:
        with self._lock:
            if self._fallback is None:
                fallback, wishes = make(), self._wishes
                log.info("%s does not offer HTTP/2; asked over HTTP/1.1", self._venue)
                self._keeper.stop()
                fallback.adopt(wishes.fits)
                if wishes.tuning is not None:
                    wishes.tuning(fallback)
                if self._is_closed:
                    fallback.close()
                elif wishes.keeps_house:
                    fallback.keep_house()
                if wishes.asks_protocols:
                    fallback.ask_protocols()
                self._fallback = fallback
            return self._fallback

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
        """A pool of one connection; after falling back, that of HTTP/1.1."""
        if self._fallback is not None:
            return self._fallback.pool_stats()
        return (self._account.stats(),) if self._account.attempts or self._account.opened else ()

    def budget_state(self) -> BudgetState:
        """Where the venue's budget stands now."""
        return self._budget.state()

    def forget_network(self) -> None:
        """Look names up anew and shake hands in full from now on: the network changed, or the machine slept."""
        self._resolver.forget()
        if self._tls_sessions is not None:
            self._tls_sessions.forget()
        if self._fallback is not None:
            self._fallback.forget_network()

    # The health of the connection

    @property
    def housekeeper(self) -> LinkKeeper:
        """Looks after the connection: nobody does until it is started, or ticked by hand."""
        return self._keeper

    def keep_house(self) -> None:
        """Look after the connection, or those of the fallback, from now until :meth:`close`."""
        with self._lock:
            self._wishes.keeps_house = True
            if self._fallback is None:
                self._keeper.start()
            else:
                self._fallback.keep_house()

    def ask_protocols(self) -> None:
        """Have the fallback, where there is one, ask; what this one's host chose it has told at its handshake."""
        with self._lock:
            self._wishes.asks_protocols = True
            if self._fallback is not None:
                self._fallback.ask_protocols()

    def prewarm(self, count: int, timeout_s: float | None = None) -> int:
        """Open the connection ahead, one whatever the ``count``; where HTTP/2 is not offered, those of HTTP/1.1.

        Blocks as :meth:`PooledSession.prewarm` does. Nothing is raised.
        """
        if count < 1 or self._is_closed:
            return 0
        deadline_s = perf_counter() + (self._config.deadline_s if timeout_s is None else timeout_s)
        if self._fallback is None:
            try:
                return int(self._connector.open_ahead(deadline_s))
            except NotOffered:
                if self._make_fallback is None:
                    return 0
                self._fall_back(self._make_fallback)
        return 0 if self._fallback is None else self._fallback.prewarm(count, max(deadline_s - perf_counter(), 0.0))

    def learned(self) -> tuple[KeepAliveFit, ...]:
        """How long the host was found to let a socket idle, as far as there is a sample."""
        if self._fallback is not None:
            return self._fallback.learned()
        with self._account.lock:
            fit = self._account.idle_times.fit(self._account.host)
        return (fit,) if fit.samples else ()

    def adopt(self, fits: Iterable[KeepAliveFit]) -> None:
        """Go on from what another session learned of this host, unless it has been asked something already."""
        own = tuple([fit for fit in fits if fit.host == self._account.host])
        with self._lock:
            self._wishes.fits = own
            if self._fallback is not None:
                self._fallback.adopt(own)
        with self._account.lock:
            if not self._account.attempts:
                for fit in own:
                    self._account.idle_times.adopt(fit)

    def tune(
        self, *, pool_maxsize: int, is_sizing_automatic: bool, max_age_s: float, keep_warm: Question | None
    ) -> None:
        """Change these while requests are under way; the size only counts for a fallback's pool."""

        def tuning(transport: TendedTransport) -> None:
            transport.tune(
                pool_maxsize=pool_maxsize,
                is_sizing_automatic=is_sizing_automatic,
                max_age_s=max_age_s,
                keep_warm=keep_warm,
            )

        with self._lock:
            self._config = replace(self._config, max_age_s=max_age_s, keep_warm=keep_warm)
            self._keeper.config = self._connector.config = self._config
            self._wishes.tuning = tuning
            if self._fallback is not None:
                tuning(self._fallback)

    def close(self) -> None:
        """Close the connection, once the requests on it are done; a new one raises ``TransportError``."""
        self._keeper.stop()
        with self._lock:
            self._is_closed = True
            if self._fallback is not None:
                self._fallback.close()
        self._connector.close()
