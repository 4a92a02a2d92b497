"""Accounts polled beside the markets against the demo exchange: what arrives, and what a refused one cannot disturb."""

import time
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from monitor.assembly import assemble
from monitor.controller import Controller
from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef, Credentials
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.polling.plan import plan_costs
from monitor.state.account_figures import position_figures
from monitor.state.account_rounds import closed_positions
from monitor.state.verdict import Verdict
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.driven_controller import run_until

pytestmark = pytest.mark.xdist_group("waiting")

SECRET = "demo-secret-worth-nothing"


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


@pytest.fixture
def controller(exchange: DemoServer) -> Iterator[Controller]:
    made = Controller(venues=("bitunix",), settings=Settings())
    made.attach(assemble(("bitunix",), Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file))
    yield made
    made.stop(15.0)


def credentials(name: str, key: str, secret: str = SECRET) -> Credentials:
    return ACCOUNT_VENUES["bitunix"].make_credentials(name, {"api_key": key, "secret": secret})


@pytest.mark.allow_warnings  # refusals are logged
def test_a_good_account_arrives_and_a_refused_one_leaves_prices_alone(controller: Controller) -> None:
    good, bad = AccountRef("bitunix", "good"), AccountRef("bitunix", "bad")
    controller.set_account_refs((good, bad))
    controller.open_account(credentials("good", "demo-key-worth-nothing"))
    controller.open_account(credentials("bad", "no-such-key-12345"))
    states, venue = controller.board.accounts.states, controller.board.venue("bitunix")
    assert controller.engine is not None
    jobs = [job for job in controller.engine.plan.jobs if job.account is not None]
    assert {job.cadence_s for job in jobs if job.endpoint == "bitunix.positions"} == {10.0}, "two share what one costs"

    run_until(controller, lambda: states[good].positions.value is not None and states[bad].is_refused)
    run_until(controller, lambda: states[good].summary.value is not None)
    late = 0
    ends_s = time.monotonic() + 6.0

    def watched() -> bool:
        nonlocal late
        late += venue.verdict(time.perf_counter()) is not Verdict.LIVE
        return time.monotonic() > ends_s

    run_until(controller, watched)

    assert late == 0
    assert venue.failing_endpoints == ()
    held = states[good].positions.value
    assert held is not None
    assert held.positions
    now_s = time.perf_counter()
    for position in held.positions:
        quote = controller.board.quote(("bitunix", position.venue_symbol))
        figures = position_figures(position, quote, now_s)
        assert figures.mark is not None, "Bitunix sends no mark with a position; the tickers have it"
        assert figures.is_mark_current


@pytest.mark.allow_warnings
def test_a_replaced_key_is_tried_at_once_and_a_removed_account_is_polled_no_more(controller: Controller) -> None:
    ref = AccountRef("bitunix", "main")
    controller.set_account_refs((ref,))
    controller.open_account(credentials("main", "no-such-key-12345"))
    states = controller.board.accounts.states
    run_until(controller, lambda: states[ref].is_refused)
    controller.open_account(credentials("main", "demo-key-flat"))
    run_until(controller, lambda: ref in states and states[ref].summary.value is not None)

    assert not states[ref].is_refused
    controller.set_account_refs(())
    assert controller.engine is not None
    assert [job for job in controller.engine.plan.jobs if job.account is not None] == []
    assert controller.credentials_of(ref) is None


def test_the_past_of_both_venues_arrives_by_polls_that_the_preview_counts(exchange: DemoServer) -> None:
    venues = ("bitunix", "hyperliquid")
    # With the whole limit to itself nothing has to wait; the preview is looked at with the share of the default.
    wide = Settings(cap_fraction=1.0)
    made = Controller(venues=venues, settings=wide)
    made.attach(assemble(venues, wide, base_urls=exchange.venues, ca_file=exchange.ca_file))
    bitunix, hyperliquid = AccountRef("bitunix", "good"), AccountRef("hyperliquid", "demo")
    address = next(one["inputs"] for one in exchange.ready["accounts"] if one["name"] == "demo sub")
    try:
        made.set_account_refs((bitunix, hyperliquid))
        made.open_account(credentials("good", "demo-key-worth-nothing"))
        made.open_account(ACCOUNT_VENUES["hyperliquid"].make_credentials("demo", address))
        ours, theirs = made.board.accounts.states[bitunix], made.board.accounts.states[hyperliquid]
        slow = (ours.past_orders, ours.past_positions, ours.leverage, theirs.past_orders, theirs.limits, theirs.history)
        run_until(made, lambda: all(block.value is not None for block in slow))

        stamp = ours.past_orders.stamp
        assert ours.past_orders.feed is not None
        made.refresh_account("bitunix", ours.past_orders.feed.key)
        made.refresh_account("bitunix", "bitunix.nothing@good")
        run_until(made, lambda: ours.past_orders.stamp is not stamp)

        assert made.engine is not None
        budgets = {name: runtime.transport.budget_state() for name, runtime in made.runtimes.items()}
        default = {name: replace(one, cap=int(one.limit * 0.3)) for name, one in budgets.items()}
        costs = plan_costs(made.engine.plan.jobs, default)
        assert {"hyperliquid.historicalOrders", "hyperliquid.userRateLimit"} <= costs["hyperliquid"].by_endpoint.keys()
        assert {"bitunix.past_orders", "bitunix.leverage"} <= costs["bitunix"].by_endpoint.keys()
        assert all(cost.is_within_cap for cost in costs.values())
        assert closed_positions(ours)
        assert theirs.limits.value is not None
        assert theirs.limits.value.cap
        assert [problem for block in slow for problem in block.problems] == []
    finally:
        made.stop(15.0)
