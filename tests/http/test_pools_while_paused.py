"""What the board says of pools while nothing polls: how they stand, not how the last reply had found them."""

import time
from collections.abc import Callable, Iterator

import pytest

from monitor.assembly import assemble
from monitor.controller import Controller
from monitor.desktop.settings import Settings
from monitor.polling.results import TaskDone
from monitor.state.period import Period
from monitor.state.pool_history import POOL_HISTORY_SPACING_S
from monitor.state.venue_period import pool_period
from monitor.transport.session import PooledSession
from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.xdist_group("waiting")

VENUES = ("bitunix", "hyperliquid")
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


@pytest.fixture
def controller(exchange: DemoServer) -> Iterator[Controller]:
    made = Controller(venues=VENUES, settings=Settings())
    made.attach(assemble(VENUES, Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file))
    yield made
    made.stop(15.0)


def take(controller: Controller) -> None:
    results, dropped = controller.outbox.drain()
    controller.board.apply([one for one in results if not isinstance(one, TaskDone)], dropped)


def run_until(controller: Controller, is_true: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not is_true():
        assert time.monotonic() < give_up_s, "it never came"
        take(controller)
        time.sleep(0.02)


def look(controller: Controller) -> None:
    controller.look_around(time.time(), time.perf_counter())


def shown(controller: Controller, venue: str) -> tuple[int, int]:
    """Connections open and closed, as the board knows them."""
    pools = controller.board.venue(venue).pools
    return sum(pool.idle + pool.active for pool in pools), sum(sum(pool.closed.values()) for pool in pools)


def drop_all(controller: Controller, exchange: DemoServer, venue: str) -> None:
    """Let the venue close every idle connection, and the housekeeper find them."""
    transport = controller.runtimes[venue].transport
    assert isinstance(transport, PooledSession)
    run_until(controller, lambda: all(pool.active == 0 for pool in transport.pool_stats()))
    exchange.close_idle(venue)
    run_until(controller, lambda: exchange.truth(venue)["open"] == 0)

    def is_noticed() -> bool:
        transport.housekeeper.tick(time.perf_counter())
        return all(pool.idle == 0 for pool in transport.pool_stats())

    run_until(controller, is_noticed)


def test_a_pause_shows_the_sockets_that_close_in_it(controller: Controller, exchange: DemoServer) -> None:
    run_until(controller, lambda: all(shown(controller, venue)[0] for venue in VENUES))
    controller.set_paused(is_paused=True)
    for venue in VENUES:
        drop_all(controller, exchange, venue)
    take(controller)
    look(controller)
    paused_s = time.perf_counter()

    for venue in VENUES:
        opened, closed = shown(controller, venue)
        assert opened == 0
        assert closed
    time.sleep(POOL_HISTORY_SPACING_S + 0.1)
    look(controller)
    for venue in VENUES:
        state = controller.board.venue(venue)
        assert state.pool_history.open.last_value == 0.0
        gauges = pool_period(state, Period(paused_s, time.perf_counter())).gauges
        assert gauges is not None
        assert gauges.open == 0


def test_a_venue_switched_off_is_looked_at_beside_one_that_polls(controller: Controller, exchange: DemoServer) -> None:
    run_until(controller, lambda: all(shown(controller, venue)[0] for venue in VENUES))
    controller.set_venue_enabled("hyperliquid", is_enabled=False)
    drop_all(controller, exchange, "hyperliquid")
    take(controller)
    look(controller)

    assert shown(controller, "hyperliquid")[0] == 0
    assert shown(controller, "bitunix")[0]


def test_the_budget_of_a_paused_venue_frees_itself(controller: Controller) -> None:
    run_until(controller, lambda: all(shown(controller, venue)[0] for venue in VENUES))
    controller.set_paused(is_paused=True)
    transport = controller.runtimes["bitunix"].transport
    run_until(controller, lambda: transport.budget_state().used == 0)
    look(controller)

    budget = controller.board.venue("bitunix").budget
    assert budget is not None
    assert budget.used == 0
