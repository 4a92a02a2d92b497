"""The OpenMetrics names and labels: OpenTelemetry's where it has some, each socket in one state, counters only grow."""

from types import MappingProxyType

import pytest
from msgspec.structs import replace
from prometheus_client.openmetrics.exposition import generate_latest

from monitor.commands.metrics import MetricsEndpoint
from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import CloseCause, ConnectionCard, PoolStats
from tests.fakes.poll_results import EPOCH, make_trace

WHERE = {"server_address": "venue.test", "server_port": "443", "venue": "bitunix"}


def value(metrics: MetricsEndpoint, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, {**WHERE, **labels})


def make_pool(**changes: object) -> PoolStats:
    closed = ConnectionCard(
        connection_id=1,
        host="venue.test:443",
        opened_at=EPOCH,
        opened_mono_s=100.0,
        state="closed",
        requests=4,
        closed_mono_s=160.0,
        close_cause=CloseCause.BY_SERVER,
    )
    pool = PoolStats(
        venue="bitunix",
        host="venue.test:443",
        scheme="https",
        attempts=10,
        opened=4,
        reused=6,
        healed=1,
        closed=MappingProxyType({CloseCause.BY_SERVER: 1}),
        idle=2,
        suspect=1,
        active=1,
        waiting=3,
        max_connections=20,
        prewarmed=1,
        kept_warm=2,
        evicted_pools=1,
        lease_wait_total_s=1.5,
        lease_timeouts=1,
        connections=(closed,),
    )
    return replace(pool, **changes)


def test_requests_carry_opentelemetrys_name_and_attributes() -> None:
    metrics = MetricsEndpoint()
    failed = make_trace(2, error_kind=ErrorKind.TIMEOUT, status=None, http_version=None)
    metrics.observe_traces([make_trace(1, http_version="1.1"), failed])

    labels = {"http_request_method": "GET", "connection": "warm"}
    good = {**labels, "http_response_status_code": "200", "network_protocol_version": "1.1", "error_type": ""}
    bad = {**labels, "http_response_status_code": "", "network_protocol_version": "", "error_type": "timeout"}
    assert value(metrics, "http_client_request_duration_seconds_count", **good) == 1.0
    assert value(metrics, "http_client_request_duration_seconds_sum", **good) == pytest.approx(0.06)
    assert value(metrics, "http_client_request_duration_seconds_count", **bad) == 1.0


def test_bytes_on_the_wire_add_up_and_unknown_ones_are_left_out() -> None:
    metrics = MetricsEndpoint()
    known = make_trace(1, request_bytes=400, response_bytes=5_000)
    unanswered = make_trace(2, request_bytes=410, response_bytes=None, error_kind=ErrorKind.TIMEOUT, status=None)
    unsent = make_trace(3, request_bytes=None, response_bytes=None, error_kind=ErrorKind.DNS, status=None)
    metrics.observe_traces([known, unanswered, unsent])

    assert value(metrics, "trading_monitor_sent_bytes_total") == 810.0
    assert value(metrics, "trading_monitor_received_bytes_total") == 5_000.0


def test_each_open_socket_is_in_one_state() -> None:
    metrics = MetricsEndpoint()
    metrics.observe_pool(make_pool())
    states = {
        state: value(metrics, "http_client_open_connections", http_connection_state=state)
        for state in ("active", "idle", "suspect")
    }

    assert states == {"active": 1.0, "idle": 1.0, "suspect": 1.0}


def test_a_closed_socket_is_measured_once_and_counted_by_cause() -> None:
    metrics = MetricsEndpoint()
    for _ in range(3):
        metrics.observe_pool(make_pool())
    by = {"close_cause": "by_server"}

    assert value(metrics, "http_client_connection_duration_seconds_count", **by) == 1.0
    assert value(metrics, "http_client_connection_duration_seconds_sum", **by) == 60.0
    assert value(metrics, "trading_monitor_connections_closed_total", **by) == 1.0


def test_counters_grow_on_over_a_new_session_and_gauges_follow() -> None:
    metrics = MetricsEndpoint()
    metrics.observe_pool(make_pool())
    metrics.observe_pool(make_pool(opened=5, kept_warm=3, waiting=0))
    metrics.observe_pool(make_pool(opened=1, kept_warm=0, waiting=0))

    assert value(metrics, "trading_monitor_connections_opened_total") == 6.0
    assert value(metrics, "trading_monitor_connections_kept_warm_total") == 3.0
    assert value(metrics, "trading_monitor_connections_prewarmed_total") == 1.0
    assert value(metrics, "trading_monitor_pools_evicted_total") == 1.0
    assert value(metrics, "trading_monitor_pool_wait_seconds_total") == 1.5
    assert value(metrics, "trading_monitor_pool_timeouts_total") == 1.0
    assert value(metrics, "trading_monitor_pool_pending_requests") == 0.0
    assert value(metrics, "trading_monitor_pool_max") == 20.0


def test_an_ipv6_host_keeps_its_colons() -> None:
    metrics = MetricsEndpoint()
    metrics.observe_pool(make_pool(host="[2001:db8::1]:8443"))

    labels = {"server_address": "2001:db8::1", "server_port": "8443", "venue": "bitunix"}
    assert metrics.registry.get_sample_value("trading_monitor_pool_max", labels) == 20.0


def test_the_whole_is_valid_openmetrics() -> None:
    metrics = MetricsEndpoint()
    metrics.observe_traces([make_trace(1)])
    metrics.observe_pool(make_pool())
    metrics.observe_venue("bitunix", age_s=None, missed=0, budget_used_fraction=0.1)
    text = str(generate_latest(metrics.registry), "utf-8")  # type: ignore[no-untyped-call]  # the library has no types here

    assert text.endswith("# EOF\n")
    assert 'trading_monitor_price_age_seconds{venue="bitunix"} NaN' in text
