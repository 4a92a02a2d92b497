"""Engine, real clients, real pools and real sockets against the demo exchange in its own process."""

import threading
import time
from collections.abc import Iterator

import pytest

from monitor.domain.errors import ErrorKind
from monitor.domain.market import CandleBatch, InstrumentCatalog, OrderBook, QuoteBatch
from monitor.exchanges.registry import VENUES
from monitor.polling.results import PollFailure, PollSuccess
from monitor.transport.config import TransportConfig
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.polling_rig import PATIENCE_S, Rig

pytestmark = pytest.mark.xdist_group("waiting")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=20) as server:
        yield server


@pytest.fixture
def rig(exchange: DemoServer) -> Iterator[Rig]:
    rig = Rig(exchange, TransportConfig(connect_timeout_s=2.0, read_timeout_s=2.0, deadline_s=3.0))
    yield rig
    rig.close()


def test_both_venues_are_polled_through_few_warm_connections(rig: Rig) -> None:
    before = {venue: rig.exchange.truth(venue) for venue in VENUES}
    plan = rig.plan()
    rig.engine.apply_plan(plan)
    wanted = {job.key for job in plan.jobs}
    rig.wait_until(lambda: {result.key for result in rig.seen if isinstance(result, PollSuccess)} >= wanted)
    opened_at_start = {venue: rig.exchange.truth(venue)["accepts"] for venue in VENUES}
    rig.wait_until(lambda: all(len(rig.successes(venue)) >= 14 for venue in VENUES))
    assert rig.engine.stop(PATIENCE_S) is True
    rig.collect()

    assert [result for result in rig.seen if not isinstance(result, PollSuccess)] == []
    for venue in VENUES:
        truth = rig.exchange.truth(venue)
        results = rig.successes(venue)
        traces = [trace for result in results for trace in result.traces]
        opened = truth["accepts"] - before[venue]["accepts"]
        assert {type(result.payload) for result in results} == {InstrumentCatalog, QuoteBatch, OrderBook, CandleBatch}
        assert truth["requests"] - before[venue]["requests"] == len(traces)
        assert sum(trace.is_cold is True for trace in traces) == opened
        assert truth["accepts"] == opened_at_start[venue], "a warm plan opens nothing more"
        pools = rig.transports[venue].pool_stats()
        assert [(pool.attempts, pool.opened, pool.reused, pool.active) for pool in pools] == [
            (len(traces), opened, len(traces) - opened, 0)
        ]
        for trace in traces:
            if not trace.is_cold:
                assert trace.dns_s is trace.tcp_s is trace.tls_s is None
        assert all(result.traces[0].queue_s is not None for result in results if result.traces)
        assert all(result.budget.used <= result.budget.cap for result in results)
        fast = [result for result in results if result.cadence_s == 1.0]
        assert fast[-1].made == len(fast)
        assert all(result.planned >= result.made for result in fast)


def test_holding_the_refresh_key_down_stays_under_the_own_cap(rig: Rig) -> None:
    rig.engine.apply_plan(rig.plan())
    rig.wait_until(lambda: all(rig.successes(venue) for venue in VENUES))
    for _ in range(100):
        rig.engine.refresh()
        time.sleep(0.02)
        rig.collect()

    budgets = [result.budget for result in rig.seen if isinstance(result, PollSuccess | PollFailure)]
    assert all(budget.used <= budget.cap for budget in budgets)
    assert [rig.exchange.truth(venue)["limited"] for venue in VENUES] == [0, 0]
    assert max(len(rig.successes(venue)) for venue in VENUES) > 10, "the refreshes were not followed at all"


def test_a_refused_venue_is_left_alone_for_its_pause_while_the_other_goes_on(rig: Rig) -> None:
    rig.engine.apply_plan(rig.plan())
    rig.wait_until(lambda: all(len(rig.successes(venue)) >= 6 for venue in VENUES))
    rig.exchange.add_fault(kind="rate_limit", venue="hyperliquid", retry_after_s=60.0, count=1)
    rig.wait_until(lambda: bool(rig.failures("hyperliquid")))
    # What was in flight beside the refused request has ended when every connection of the venue is idle.
    rig.wait_until(lambda: all(pool.active == 0 for pool in rig.transports["hyperliquid"].pool_stats()))
    asked = rig.exchange.truth("hyperliquid")["requests"]
    others = len(rig.successes("bitunix"))
    for _ in range(20):
        rig.engine.refresh()
    rig.wait_until(lambda: len(rig.successes("bitunix")) >= others + 4)

    refused = [item for item in rig.failures("hyperliquid") if item.failure.kind is ErrorKind.RATE_LIMITED]
    held = [item for item in rig.failures("hyperliquid") if item.failure.kind is ErrorKind.BUDGET]
    assert len(refused) == 1
    assert refused[0].failure.retry_after_s == 60.0
    assert refused[0].budget.paused_for_s is not None
    assert refused[0].next_due_in_s > 30.0
    assert held
    assert rig.exchange.truth("hyperliquid")["requests"] == asked


def test_polling_heals_after_a_short_pause(rig: Rig) -> None:
    rig.exchange.add_fault(kind="rate_limit", venue="bitunix", retry_after_s=1.0, count=1)
    rig.engine.apply_plan(rig.plan())
    rig.wait_until(lambda: bool(rig.failures("bitunix")))
    wanted = {job.key for job in rig.plan().jobs if job.venue == "bitunix"}
    rig.wait_until(lambda: {result.key for result in rig.successes("bitunix")} >= wanted)

    refusals = [item for item in rig.failures("bitunix") if item.failure.kind is ErrorKind.RATE_LIMITED]
    assert len(refusals) == 1


def test_a_hanging_venue_neither_delays_the_other_nor_the_stop(
    exchange: DemoServer, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig(exchange, TransportConfig(read_timeout_s=6.0, deadline_s=8.0))
    rig.engine.apply_plan(rig.plan())
    rig.wait_until(lambda: all(len(rig.successes(venue)) >= 6 for venue in VENUES))
    exchange.add_fault(kind="black_hole", venue="hyperliquid")
    rig.wait_until(lambda: any(pool.active for pool in rig.transports["hyperliquid"].pool_stats()))
    answered = len(rig.successes("bitunix"))
    rig.wait_until(lambda: len(rig.successes("bitunix")) >= answered + 2)

    assert rig.engine.stop(0.3) is False
    assert rig.engine.unfinished
    assert all(name.startswith("poll-hyperliquid.") for name in rig.engine.unfinished)
    assert "poll-hyperliquid." in caplog.text
    rig.collect()
    assert rig.failures("bitunix") == []
    rig.seen.clear()
    rig.close()
    rig.collect()
    assert rig.seen == [], "a request that ended after the stop brought a result"
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("poll-")]
