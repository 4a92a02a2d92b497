"""Sessions against a loopback server, and what must hold of their counters."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from monitor.domain.errors import MonitorError
from monitor.domain.telemetry import PoolStats, RequestTrace
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Endpoint
from monitor.transport.policy import AllowedRequest
from monitor.transport.resolver import Resolver
from monitor.transport.session import PooledSession
from tests.fakes.tls_server import LoopbackServer

GET = Endpoint(name="venue.get", method="GET", path="/api/v1/tickers")
POST = Endpoint(name="venue.info", method="POST", path="/info")
BODY = b'{"type":"allMids"}'

ALLOWED = (AllowedRequest(method="GET", path_prefix="/api/"), AllowedRequest(method="POST", path="/info"))

PATIENT = TransportConfig(connect_timeout_s=20.0, read_timeout_s=20.0, deadline_s=40.0)
"""For tests in which nothing is to time out, however busy the machine."""


def roomy_budget(clock: Callable[[], float] = time.monotonic) -> WeightBudget:
    """A budget that tests of other things do not run into."""
    return WeightBudget(BudgetRule(venue="venue", limit=10**9, window_s=1.0), clock)


def session_to(
    server: LoopbackServer,
    *,
    base_url: str | None = None,
    budget: WeightBudget | None = None,
    resolver: Resolver | None = None,
    config: TransportConfig = PATIENT,
    **changes: Any,
) -> PooledSession:
    """A session that trusts ``server`` only; ``changes`` are fields of the configuration."""
    return PooledSession(
        venue="venue",
        base_url=base_url or server.url,
        allowed=ALLOWED,
        budget=budget or roomy_budget(),
        config=replace(config, **changes),
        ssl_context=server.client_context(),
        resolver=resolver,
    )


def the_pool(session: PooledSession) -> PoolStats:
    """The counters of a session that talked to one origin."""
    (stats,) = session.pool_stats()
    return stats


def traces_of(error: MonitorError) -> tuple[RequestTrace, ...]:
    """The attempts behind a failure; the error cannot name their type."""
    traces = tuple(trace for trace in error.traces if isinstance(trace, RequestTrace))
    assert len(traces) == len(error.traces)
    return traces


def side_by_side(count: int, work: Callable[[], None], timeout_s: float = 120.0) -> None:
    """Run ``work`` in ``count`` threads and wait for all of them."""
    workers = [threading.Thread(target=work) for _ in range(count)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout_s)
    assert not any(worker.is_alive() for worker in workers)


def eventually(is_so: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    """Whether ``is_so`` becomes true; for what another thread is about to do."""
    end_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.005)
    return True


def close_idle(server: LoopbackServer, count: int) -> None:
    """Have the server close this many connections that wait for a request, and see them gone."""
    left = server.open_connections - count
    closed = 0

    def are_closed() -> bool:
        nonlocal closed
        closed += server.close_idle(count - closed)
        return closed == count

    # The server is done with a request a moment after we have the reply.
    assert eventually(are_closed)
    assert eventually(lambda: server.open_connections == left)


def next_cold(session: PooledSession, server: LoopbackServer) -> RequestTrace:
    """The server closes its idle connections, and the session opens a new one: the trace of that."""
    traces: list[RequestTrace] = []

    def is_cold() -> bool:
        server.close_idle()
        traces.append(session.request(GET).traces[-1])
        return traces[-1].is_cold is True

    assert eventually(is_cold)
    return traces[-1]


def assert_adds_up(stats: PoolStats) -> None:
    """What holds at any moment."""
    assert stats.opened == stats.idle + stats.active + sum(stats.closed.values())
    assert stats.attempts >= stats.reused + stats.opened - stats.prewarmed + stats.connect_failed - stats.active
    assert min(stats.idle, stats.active, stats.waiting, stats.reused, stats.opened, stats.connect_failed) >= 0
    open_cards = [card for card in stats.connections if card.close_cause is None]
    assert len(open_cards) == stats.idle + stats.active
    assert sum(card.state in {"idle", "suspect"} for card in open_cards) == stats.idle


def assert_at_rest(stats: PoolStats, *, accepts: int | None = None) -> None:
    """What holds when no request is under way; ``accepts`` is what the server counted."""
    assert_adds_up(stats)
    assert stats.active == 0
    assert stats.waiting == 0
    assert stats.attempts == stats.reused + stats.opened - stats.prewarmed + stats.connect_failed
    if accepts is not None:
        assert stats.opened == accepts


def assert_phases_add_up(trace: RequestTrace) -> None:
    """Phases and the unaccounted rest make the total; nothing is negative; a warm attempt has no connect phase."""
    phases: Mapping[str, float | None] = {
        name: getattr(trace, f"{name}_s") for name in ("lease_wait", "dns", "tcp", "tls", "send", "wait", "read")
    }
    present = [seconds for seconds in phases.values() if seconds is not None]
    assert trace.unaccounted_s is not None
    assert abs(sum(present) + trace.unaccounted_s - trace.total_s) < 1e-9
    assert abs(trace.ended_mono_s - trace.started_mono_s - trace.total_s) < 1e-9
    assert all(seconds >= 0.0 for seconds in present)
    assert trace.unaccounted_s > -1e-9
    if not trace.is_cold:
        assert phases["dns"] is None or trace.is_cold is None
        assert (phases["tcp"], phases["tls"]) == (None, None) or trace.is_cold is None
