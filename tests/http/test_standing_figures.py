"""What the board says of pools and budgets: how they stand, also while nothing polls, and what the budget counted."""

import time
from collections.abc import Iterator

import pytest

from monitor.assembly import assemble
from monitor.controller import Controller
from monitor.desktop.settings import Settings
from monitor.state.period import Period
from monitor.state.pool_history import POOL_HISTORY_SPACING_S
from monitor.state.venue_period import pool_period, venue_period
from monitor.transport.session import PooledSession
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.driven_controller import run_until, take

pytestmark = pytest.mark.xdist_group("waiting")

VENUES = ("bitunix", "hyperliquid")


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


def look(controller: Controller) -> None:
    controller.look_around(time.time(), time.perf_counter())


def settle(controller: Controller) -> None:
    """Take in what was under way, and a sample after it."""
    transports = [runtime.transport for runtime in controller.runtimes.values()]
    run_until(controller, lambda: all(pool.active == 0 for one in transports for pool in one.pool_stats()))
    ends_s = time.monotonic() + POOL_HISTORY_SPACING_S + 0.1
    run_until(controller, lambda: time.monotonic() > ends_s)
    look(controller)


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
        assert controller.board.venue(venue).shortest_cadence_s is None, "nothing is asked of it"
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
    polled, off = (controller.board.venue(name) for name in VENUES)
    run_until(controller, lambda: (polled.cadence.newest, off.cadence.newest) == (1.0, 1.0))
    began_s = time.perf_counter()
    controller.set_venue_enabled("hyperliquid", is_enabled=False)
    drop_all(controller, exchange, "hyperliquid")
    take(controller)
    look(controller)

    assert shown(controller, "hyperliquid")[0] == 0
    assert shown(controller, "bitunix")[0]
    assert (polled.shortest_cadence_s, off.shortest_cadence_s) == (1.0, None)
    assert off.cadence.newest is None
    assert off.cadence.at(began_s) == 1.0, "while it was polled it was"
    controller.set_venue_enabled("hyperliquid", is_enabled=True)
    look(controller)
    assert off.shortest_cadence_s == 1.0


def test_the_budget_of_a_paused_venue_frees_itself(controller: Controller) -> None:
    run_until(controller, lambda: all(shown(controller, venue)[0] for venue in VENUES))
    controller.set_paused(is_paused=True)
    transport = controller.runtimes["bitunix"].transport
    run_until(controller, lambda: transport.budget_state().used == 0)
    look(controller)

    budget = controller.board.venue("bitunix").budget
    assert budget is not None
    assert budget.used == 0


def test_the_budget_of_a_period_is_what_the_budget_counted(controller: Controller) -> None:
    """Also what only a reply revealed: 200 candles of Hyperliquid cost more than was known when they were asked for."""
    began_s = time.perf_counter()
    controller.set_focus(("hyperliquid", "BTC"), "1m")
    budgets = controller.runtimes["hyperliquid"].transport.budget_state

    def surcharged() -> bool:
        return budgets().by_endpoint_60s.get("hyperliquid.candleSnapshot", 0) > 20

    run_until(controller, surcharged)
    controller.set_paused(is_paused=True)
    settle(controller)
    period = Period(began_s - 60.0, time.perf_counter())
    state = controller.board.venue("hyperliquid")
    counted = budgets()

    assert state.weight_between(period) == counted.total_weight == counted.used_60s
    by_endpoint = state.latency.tally(period.start_mono_s, period.end_mono_s).by_endpoint
    assert counted.total_weight > sum(one.weight for one in by_endpoint.values()), "no reply had a surcharge"
    fraction = venue_period(state, period).budget_fraction
    assert fraction == pytest.approx(counted.total_weight / (counted.limit * period.length_s / counted.window_s))


def test_new_transports_go_on_where_the_old_ones_ended(controller: Controller, exchange: DemoServer) -> None:
    began_s = time.perf_counter() - 60.0
    run_until(controller, lambda: all(shown(controller, venue)[0] for venue in VENUES))
    controller.set_paused(is_paused=True)
    settle(controller)
    old = [controller.runtimes[venue].transport for venue in VENUES]
    spent = [one.budget_state().total_weight for one in old]
    opened = [sum(pool.opened for pool in one.pool_stats()) for one in old]
    controller.attach(assemble(VENUES, Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file))
    look(controller)
    gone = [shown(controller, venue) for venue in VENUES]
    controller.set_paused(is_paused=False)
    run_until(controller, lambda: all(shown(controller, venue)[0] for venue in VENUES))
    controller.set_paused(is_paused=True)
    settle(controller)
    new = [controller.runtimes[venue].transport for venue in VENUES]
    end_s = time.perf_counter()

    assert gone == [(0, 0), (0, 0)], "their sockets were closed with them"
    for place, venue in enumerate(VENUES):
        state = controller.board.venue(venue)
        in_all = spent[place] + new[place].budget_state().total_weight
        assert state.weight_between(Period(began_s, end_s)) == in_all > spent[place] > 0
        counters = state.pool_history.counters_between(began_s, end_s)
        assert counters is not None
        assert counters.opened == opened[place] + sum(pool.opened for pool in new[place].pool_stats())
