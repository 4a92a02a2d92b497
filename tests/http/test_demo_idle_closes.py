"""Ten thousand polls by real engine, clients and pools of a demo exchange that ends kept connections at any moment."""

import os
import random
import threading
import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from monitor.exchanges.base import ExchangeClient, Focus, PollJob, Source
from monitor.exchanges.registry import VENUES
from monitor.polling.engine import PollEngine
from monitor.polling.outbox import Outbox
from monitor.polling.plan import PollPlan
from monitor.polling.results import PollResult, PollSuccess
from monitor.state.board import Board
from monitor.state.report import venue_lines
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.session import PooledSession
from monitor.transport.tls import make_ssl_context
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.pooled import PATIENT, assert_at_rest

POLLS = int(os.environ.get("TRADING_MONITOR_IDLE_CLOSE_POLLS", "10000"))
CADENCE_S = 0.001
"""As fast as they go; the schedule counts what it misses."""
PATIENCE_S = 150.0


@pytest.fixture
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(arguments=["--no-limits", "--instruments", "12"]) as server:
        yield server


class Rig:
    """The real parts with the budget lifted, polling the quotes of both venues and six books as fast as they can."""

    def __init__(self, exchange: DemoServer) -> None:
        context = make_ssl_context(exchange.ca_file)
        self.outbox = Outbox()
        self.board = Board(venues=tuple(VENUES))
        self.seen: list[PollResult] = []
        self.sessions: dict[str, PooledSession] = {}
        jobs: list[PollJob] = []
        for name, entry in VENUES.items():
            self.sessions[name] = PooledSession(
                venue=name,
                base_url=exchange.venues[name],
                allowed=entry.allowed,
                budget=WeightBudget(BudgetRule(venue=name, limit=10**9, window_s=1.0), time.perf_counter),
                config=PATIENT,
                ssl_context=context,
            )
            jobs += busy_jobs(entry.make_client(self.sessions[name]), entry.default_watchlist[:3])
        self.plan = PollPlan(epoch=1, jobs=tuple(jobs))
        self.engine = PollEngine(outbox=self.outbox, transports=self.sessions)

    def take_in(self) -> int:
        """What the pollers brought goes to the board, and the housekeepers look; how many polls there were so far."""
        for session in self.sessions.values():
            session.housekeeper.tick(time.perf_counter())
        results, dropped = self.outbox.drain()
        assert dropped == 0
        self.seen += results
        self.board.apply(results)
        return sum(self.board.venue(name).made for name in VENUES)


def busy_jobs(client: ExchangeClient, symbols: tuple[str, ...]) -> list[PollJob]:
    """The fast jobs of the venue's own plan: none of them is ever answered from memory."""
    planned = {job.key: job for symbol in symbols for job in client.poll_jobs(Focus(venue_symbol=symbol))}
    return [replace(job, cadence_s=CADENCE_S) for job in planned.values() if job.cadence_s <= 2.0]


def test_closing_idle_connections_fails_no_poll_in_ten_thousand(exchange: DemoServer) -> None:
    rig = Rig(exchange)
    # Exactly as a request arrives on a kept connection, and unannounced behind a reply.
    for kind in ("stale_race", "close_after_reply"):
        exchange.add_fault(kind=kind, probability=0.01)
    is_over = threading.Event()

    def close_at_any_moment() -> None:
        dice = random.Random(5)
        while not is_over.wait(dice.uniform(0.0, 0.05)):
            exchange.close_idle()

    closer = threading.Thread(target=close_at_any_moment)
    rig.engine.apply_plan(rig.plan)
    closer.start()
    give_up_s = time.monotonic() + PATIENCE_S
    try:
        while rig.take_in() < POLLS and time.monotonic() < give_up_s:
            time.sleep(0.02)
    finally:
        is_over.set()
        closer.join(30.0)
        assert rig.engine.stop(30.0)
    polls = rig.take_in()
    pools = {name: session.pool_stats() for name, session in rig.sessions.items()}
    for session in rig.sessions.values():
        session.close()

    assert polls >= POLLS
    assert [result for result in rig.seen if not isinstance(result, PollSuccess)] == []
    successes = [result for result in rig.seen if isinstance(result, PollSuccess)]
    assert len(successes) == polls
    assert all(result.source is Source.NETWORK for result in successes)
    lines = dict(
        zip(VENUES, venue_lines(rig.board, dict.fromkeys(VENUES, ""), now_mono_s=time.perf_counter()), strict=True)
    )
    for name in VENUES:
        truth, venue, (pool,) = exchange.truth(name), rig.board.venue(name), pools[name]
        traces = [trace for result in successes if result.venue == name for trace in result.traces]
        healed = sum(trace.is_healed for trace in traces)
        assert truth["closes"]["idle_close"] > POLLS // 100
        assert truth["closes"]["stale_race"] > POLLS // 1_000
        assert healed >= truth["closes"]["stale_race"]
        # Counted alike by the traces, the pool and the board, and told.
        assert healed == pool.healed == venue.healed
        assert f"failed 0  healed {healed}" in lines[name]
        assert len(traces) == pool.attempts
        assert_at_rest(pool, accepts=truth["accepts"])
