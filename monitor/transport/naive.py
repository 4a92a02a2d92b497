"""What a client without a pool does: a new ``requests.Session`` for every request. The yardstick of *Measure*.

Stock settings on purpose: default adapters, headers and environment look-ups, the CA bundle parsed for each connection.
It differs from a naive script only where that would make it unsafe or compare two different things: read-only list and
budget are ours, no redirect is followed, no ``.netrc`` password is sent, there are time and size limits, and it goes
through the same proxy as the pooled session and trusts the same extra certificate authority. With such an authority it
parses that one file instead of certifi's hundred roots, which makes it faster than a real naive client.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import requests
from requests.models import CONTENT_CHUNK_SIZE

from monitor.domain.errors import MonitorError, PayloadError, ReplyTooLarge, TimedOut
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.transport.budget import WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.failures import to_monitor_error
from monitor.transport.headers import parse_date, parse_retry_after
from monitor.transport.interface import Endpoint, Reply, Transport
from monitor.transport.policy import AllowedRequest, Origin, ReadOnlyPolicy
from monitor.transport.quiet import silence_urls
from monitor.transport.tracing import Record

_RATE_LIMIT_STATUSES = frozenset({418, 429})
_OVERLOADED_STATUS = 503


class NaiveTransport(Transport):
    """One connection per request, opened and thrown away. Only for comparison; nothing else may use it.

    The trace of a request covers what ``requests.Session().get(url).json()`` covers: the session, the handshakes, the
    exchange and the decoding of the body. It has no phases.

    Thread: any. ``request`` blocks, up to about ``config.deadline_s``; the rest does not.
    """

    def __init__(
        self,
        *,
        venue: str,
        base_url: str,
        allowed: tuple[AllowedRequest, ...],
        budget: WeightBudget,
        config: TransportConfig,
        ca_file: Path | None,
    ) -> None:
        """``ca_file``: trust this authority instead of requests' own bundle. ``ValueError``: ``base_url`` is none."""
        self._venue = venue
        self._origin = Origin.parse(base_url)
        self._base = self._origin.url + self._origin.path
        self._policy = ReadOnlyPolicy((self._origin,), allowed)
        self._budget = budget
        self._config = config
        self._verify = None if ca_file is None else str(ca_file)
        # A None overrides what the environment names for that scheme.
        proxies: dict[str, str | None] = {"http": None, "https": None, "all": None, **(config.proxies or {})}
        self._proxies = proxies
        self._opened = 0
        silence_urls()

    @property
    def venue(self) -> str:
        """Name of the venue it talks to."""
        return self._venue

    @property
    def opened(self) -> int:
        """Connections opened by requests that got a reply."""
        return self._opened

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        """Send on a new session and read one reply; see :meth:`monitor.transport.interface.Transport.request`.

        Nothing is repeated. A body that is no JSON is a ``PayloadError``: a naive client fails on it too.
        """
        self._policy.check_endpoint(endpoint.method, endpoint.path)
        self._policy.check_extras(endpoint.method, headers, body)
        reserved_s = self._budget.reserve(endpoint.name, weight)
        started_at, started_s = datetime.now(UTC), perf_counter()
        record = Record(
            venue=self._venue,
            endpoint=endpoint.name,
            method=endpoint.method,
            host=self._origin.address,
            deadline_s=started_s + self._config.deadline_s,
            wire_limit=endpoint.max_reply_bytes,
            started_s=started_s,
        )
        session = requests.Session()
        error: MonitorError | None = None
        try:
            response, content = self._ask(session, record, endpoint, params=params, body=body, headers=headers)
            ended_s = perf_counter()
        except Exception as caught:  # noqa: BLE001 - whatever the libraries raise becomes one of ours
            ended_s = perf_counter()
            record.phase = _phase_of(caught, record.phase)
            error = to_monitor_error(caught, record, deadline_s=self._config.deadline_s, now_s=ended_s)
        finally:
            # After the clock was read: a script does not wait for it either.
            session.close()
        trace = RequestTrace(
            request_id=record.request_id,
            attempt=1,
            venue=self._venue,
            endpoint=endpoint.name,
            method=endpoint.method,
            host=self._origin.address,
            started_at=started_at,
            started_mono_s=started_s,
            ended_mono_s=ended_s,
            total_s=ended_s - started_s,
            is_cold=True if error is None else None,
            weight=weight,
            status=None if error is not None else response.status_code,
            error_kind=None if error is None else error.kind,
        )
        if error is not None:
            error.traces = (trace,)
            # Raised outside the handler: the original, URLs and all, must not travel along as its context.
            raise error
        self._opened += 1
        return self._reply(response, content, trace, reserved_s)

    def _ask(
        self,
        session: requests.Session,
        record: Record,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[requests.Response, bytes]:
        record.phase = "wait"
        response = session.request(
            endpoint.method,
            self._base + endpoint.path,
            params=params,
            data=body,
            headers=headers,
            auth=_without_credentials,
            timeout=(self._config.connect_timeout_s, self._config.read_timeout_s),
            allow_redirects=False,
            proxies=self._proxies,  # type: ignore[arg-type]  # None is how a scheme is taken out; the stubs want str
            verify=self._verify,
            stream=True,
        )
        record.phase = "read"
        pieces = []
        size = 0
        # What Response.content does, with limits: a trickling body trips no read timeout.
        for piece in response.iter_content(CONTENT_CHUNK_SIZE):
            pieces.append(piece)
            size += len(piece)
            if size > endpoint.max_reply_bytes:
                raise ReplyTooLarge(f"{self._venue} sent more than this reply may have.", detail=endpoint.name)
            if perf_counter() > record.deadline_s:
                text = f"{self._venue} did not finish within {self._config.deadline_s:g} s."
                raise TimedOut(text, phase="deadline", detail=endpoint.name)
        content = b"".join(pieces)
        if response.status_code == requests.codes.ok:
            try:
                json.loads(content)
            except ValueError:
                # Not chained: the decoder's error holds the whole body.
                raise PayloadError(endpoint=endpoint.name, path="$", expected="JSON") from None
        return response, content

    def _reply(self, response: requests.Response, content: bytes, trace: RequestTrace, reserved_s: float) -> Reply:
        received_at = datetime.now(UTC)
        date = parse_date(response.headers.get("date"))
        retry_after = response.headers.get("retry-after")
        retry_after_s = None
        if retry_after is not None:
            retry_after_s = parse_retry_after(retry_after, sent_at=date, received_at=received_at)
        status = response.status_code
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
            traces=(trace,),
            requested_mono_s=trace.started_mono_s,
            received_mono_s=trace.ended_mono_s,
            received_at=received_at,
        )

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
        """Nothing: there is no pool."""
        return ()

    def budget_state(self) -> BudgetState:
        """Where the venue's budget stands now."""
        return self._budget.state()

    def forget_network(self) -> None:
        """Nothing is remembered from one request to the next."""

    def close(self) -> None:
        """Nothing to close: every request closed its own session."""


def _without_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # Any auth at all keeps requests from reading a password out of .netrc.
    return request


def _phase_of(error: Exception, phase: str) -> str:
    """Where a request of stock requests died, as far as the kind of error tells."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "proxy"
    if isinstance(error, requests.exceptions.SSLError):
        return "tls"
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "connect"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    name = type(reason).__name__
    if name == "NameResolutionError":
        return "dns"
    return "connect" if name == "NewConnectionError" else phase
