"""OpenMetrics endpoint with OpenTelemetry's HTTP-client metric names, so that existing dashboards can read it.

Names and units follow the OpenTelemetry semantic conventions for HTTP client metrics in their Prometheus spelling
(dots become underscores, the unit is a suffix): ``http.client.request.duration``, ``http.client.open_connections``,
``http.client.connection.duration``, with the attributes ``server.address``, ``server.port``, ``http.request.method``,
``http.response.status_code``, ``network.protocol.version``, ``error.type`` and ``http.connection.state``. Figures
OpenTelemetry has no name for with HTTP start with ``trading_monitor_``; the texts name its database conventions where
those have one. Not told: ``http.client.active_requests`` (pools are read when a request has just ended, and one HTTP/2
connection carries several) and the sizes of bodies (what is counted is all that goes over a connection).
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from monitor.domain.telemetry import CloseCause, PoolStats, RequestTrace

# The boundaries OpenTelemetry advises for http.client.request.duration, in seconds.
DURATION_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
LIFETIME_BUCKETS_S = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0)


class MetricsEndpoint:
    """Serves ``http://127.0.0.1:port/metrics``.

    Thread: ``observe_*`` from one thread; the library's server answers from threads of its own and locks each metric.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        address = ["server_address", "server_port", "venue"]
        self._duration = Histogram(
            "http_client_request_duration_seconds",
            "Request handed to the transport to body fully read, without queue",
            [
                *address,
                "http_request_method",
                "http_response_status_code",
                "network_protocol_version",
                "error_type",
                "connection",
            ],
            buckets=DURATION_BUCKETS_S,
            registry=self.registry,
        )
        self._sent = Counter(
            "trading_monitor_sent_bytes",
            "Requests on the wire inside TLS, headers included (the sum of http.request.size)",
            address,
            registry=self.registry,
        )
        self._received = Counter(
            "trading_monitor_received_bytes",
            "Replies on the wire inside TLS, headers included (the sum of http.response.size)",
            address,
            registry=self.registry,
        )
        self._open = Gauge(
            "http_client_open_connections",
            "Open sockets by state; suspect: idle longer than such sockets are known to survive",
            [*address, "http_connection_state"],
            registry=self.registry,
        )
        self._lifetime = Histogram(
            "http_client_connection_duration_seconds",
            "Lifetime of closed connections",
            [*address, "close_cause"],
            buckets=LIFETIME_BUCKETS_S,
            registry=self.registry,
        )
        self._opened = Counter("trading_monitor_connections_opened", "Sockets opened", address, registry=self.registry)
        self._reused = Counter(
            "trading_monitor_connections_reused", "Attempts on a socket that was open", address, registry=self.registry
        )
        self._healed = Counter(
            "trading_monitor_healed",
            "Attempts repeated because their connection was closed",
            address,
            registry=self.registry,
        )
        self._prewarmed = Counter(
            "trading_monitor_connections_prewarmed", "Sockets opened ahead", address, registry=self.registry
        )
        self._kept_warm = Counter(
            "trading_monitor_connections_kept_warm",
            "Times an idle socket was used so that the server would not close it",
            address,
            registry=self.registry,
        )
        self._closed = Counter(
            "trading_monitor_connections_closed",
            "Sockets that ended, by who ended them and why",
            [*address, "close_cause"],
            registry=self.registry,
        )
        self._evicted = Counter(
            "trading_monitor_pools_evicted",
            "Pools dropped because more hosts were asked than pools are kept",
            address,
            registry=self.registry,
        )
        self._waited = Counter(
            "trading_monitor_pool_wait_seconds",
            "Time requests waited for a place in the pool (db.client.connection.wait_time)",
            address,
            registry=self.registry,
        )
        self._timeouts = Counter(
            "trading_monitor_pool_timeouts",
            "Requests that gave up waiting for a place (db.client.connection.timeouts)",
            address,
            registry=self.registry,
        )
        self._pending = Gauge(
            "trading_monitor_pool_pending_requests",
            "Requests waiting for a place in the pool (db.client.connection.pending_requests)",
            address,
            registry=self.registry,
        )
        self._max = Gauge(
            "trading_monitor_pool_max",
            "Most sockets the pool keeps (db.client.connection.max)",
            address,
            registry=self.registry,
        )
        self._age = Gauge(
            "trading_monitor_price_age_seconds",
            "Now minus the newest reply of the venue's price feed",
            ["venue"],
            registry=self.registry,
        )
        self._missed = Gauge(
            "trading_monitor_polls_missed",
            "Polls of the schedule that did not happen",
            ["venue"],
            registry=self.registry,
        )
        self._budget = Gauge(
            "trading_monitor_budget_used_ratio",
            "Weight used in the last 60 s / documented limit",
            ["venue"],
            registry=self.registry,
        )
        self._counted: dict[tuple[str, str, str], float] = {}
        self._closed_seen: dict[int, None] = {}
        self._server: tuple[object, object] | None = None

    def start(self, port: int) -> int:
        """Listen on ``port`` of the loopback interface (0: any free one) and return the port.

        Raises:
            OSError: the port is taken.
        """
        server, thread = start_http_server(port, addr="127.0.0.1", registry=self.registry)
        self._server = (server, thread)
        return int(server.server_port)

    def stop(self) -> None:
        """Stop listening; safe to call when not started."""
        if self._server is None:
            return
        server, thread = self._server
        self._server = None
        server.shutdown()  # type: ignore[attr-defined] # the library types its server loosely
        server.server_close()  # type: ignore[attr-defined] # as above
        thread.join()  # type: ignore[attr-defined] # as above

    def observe_traces(self, traces: Iterable[RequestTrace]) -> None:
        """Count attempts; each trace must be given once."""
        for trace in traces:
            address = (*_address(trace.host), trace.venue)
            self._sent.labels(*address).inc(trace.request_bytes or 0)
            self._received.labels(*address).inc(trace.response_bytes or 0)
            connection = "none" if trace.is_cold is None else ("cold" if trace.is_cold else "warm")
            self._duration.labels(
                *address,
                trace.method,
                "" if trace.status is None else str(trace.status),
                trace.http_version or "",
                "" if trace.error_kind is None else trace.error_kind.value,
                connection,
            ).observe(trace.total_s)

    def observe_pool(self, pool: PoolStats) -> None:
        """Take over the newest counters of one pool."""
        address = (*_address(pool.host), pool.venue)
        # Each socket in one state, so that the states add up to what is open.
        states = (("active", pool.active), ("idle", max(pool.idle - pool.suspect, 0)), ("suspect", pool.suspect))
        for state, value in states:
            self._open.labels(*address, state).set(value)
        self._pending.labels(*address).set(pool.waiting)
        self._max.labels(*address).set(pool.max_connections)
        for name, counter, total in (
            ("opened", self._opened, pool.opened),
            ("reused", self._reused, pool.reused),
            ("healed", self._healed, pool.healed),
            ("prewarmed", self._prewarmed, pool.prewarmed),
            ("kept_warm", self._kept_warm, pool.kept_warm),
            ("evicted", self._evicted, pool.evicted_pools),
            ("waited", self._waited, pool.lease_wait_total_s),
            ("timeouts", self._timeouts, pool.lease_timeouts),
        ):
            self._count(name, counter.labels(*address), pool, total)
        for cause, count in pool.closed.items():
            self._count(f"closed {cause.value}", self._closed.labels(*address, cause.value), pool, count)
        for card in pool.connections:
            if card.closed_mono_s is None or card.connection_id in self._closed_seen:
                continue
            self._closed_seen[card.connection_id] = None
            cause = card.close_cause or CloseCause.ERROR
            self._lifetime.labels(*address, cause.value).observe(card.closed_mono_s - card.opened_mono_s)
        while len(self._closed_seen) > 10_000:
            self._closed_seen.pop(next(iter(self._closed_seen)))

    def _count(self, name: str, counter: Counter, pool: PoolStats, total: float) -> None:
        key = (name, pool.venue, pool.host)
        before = self._counted.get(key, 0.0)
        # A new session starts its counters again; a counter here may only grow.
        counter.inc(total - before if total >= before else total)
        self._counted[key] = total

    def observe_venue(
        self, venue: str, *, age_s: float | None, missed: int, budget_used_fraction: float | None
    ) -> None:
        """Set the gauges of one venue; an unknown figure becomes NaN, as OpenMetrics has it."""
        self._age.labels(venue).set(float("nan") if age_s is None else age_s)
        self._missed.labels(venue).set(missed)
        self._budget.labels(venue).set(float("nan") if budget_used_fraction is None else budget_used_fraction)


def _address(host: str) -> tuple[str, str]:
    """``server.address`` and ``server.port`` of a host as traces name it."""
    name, _, port = host.rpartition(":")
    return (name.strip("[]"), port) if name else (host, "")
