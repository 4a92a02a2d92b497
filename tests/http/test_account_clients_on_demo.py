"""The real account clients, over TLS and with real signatures, against the demo exchange, which shares no code with
them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import OrderSide, PositionSide
from monitor.domain.credentials import CheckOutcome, Credentials
from monitor.domain.errors import CredentialsRefused, MonitorError
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.bitunix.account import BitunixAccount
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from monitor.exchanges.registry import VENUES
from monitor.state.account_realized import fills_by_symbol, realized_since_open, realized_today
from monitor.state.account_rounds import closed_positions
from monitor.state.accounts import AccountState
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.session import PooledSession
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.poll_results import success_of

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with demo_exchange(arguments=["--no-limits"]) as server:
        yield server


@pytest.fixture(autouse=True)
def without_faults(demo: DemoServer) -> Iterator[None]:
    yield
    demo.clear_faults()


def session_of(demo: DemoServer, venue: str) -> PooledSession:
    """A session whose budget is no obstacle."""
    rule = BudgetRule(venue=venue, limit=10**6, window_s=1.0, cap_fraction=1.0)
    return PooledSession(
        venue=venue,
        base_url=demo.venues[venue],
        allowed=VENUES[venue].allowed,
        budget=WeightBudget(rule, time.perf_counter),
        ssl_context=demo.ssl_context(),
    )


def credentials(demo: DemoServer, venue: str, name: str = "demo", **changed: str) -> Credentials:
    """What the ready line publishes, with other inputs where given."""
    row = next(row for row in demo.ready["accounts"] if (row["venue"], row["name"]) == (venue, name))
    return ACCOUNT_VENUES[venue].make_credentials(name, {**row["inputs"], **changed})


@pytest.fixture
def sessions(demo: DemoServer) -> Iterator[dict[str, PooledSession]]:
    made = {venue: session_of(demo, venue) for venue in VENUES}
    yield made
    for session in made.values():
        session.close()


def bitunix(demo: DemoServer, sessions: dict[str, PooledSession], name: str = "demo", **changed: Any) -> BitunixAccount:
    clock = changed.pop("wall_clock", None)
    extra = {} if clock is None else {"wall_clock": clock}
    return BitunixAccount(sessions["bitunix"], credentials(demo, "bitunix", name, **changed), **extra)


def hyperliquid(
    demo: DemoServer, sessions: dict[str, PooledSession], name: str = "demo", **changed: str
) -> HyperliquidAccount:
    return HyperliquidAccount(sessions["hyperliquid"], credentials(demo, "hyperliquid", name, **changed))


def test_bitunix_snapshot_adds_up(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    snapshot = bitunix(demo, sessions).fetch_snapshot().value

    summary, positions = snapshot.summary, snapshot.positions.positions
    assert summary.problems == snapshot.positions.problems == ()
    assert snapshot.positions.is_complete
    of_usdt = [one for one in positions if not one.venue_symbol.endswith("USDC")]
    pnl = sum((one.unrealized_pnl or Decimal(0) for one in of_usdt), Decimal(0))
    assert summary.unrealized_pnl is not None
    assert summary.wallet_balance is not None
    # Two requests at two instants: the prices between them may have moved a little.
    assert abs(summary.unrealized_pnl - pnl) < Decimal(50)
    assert summary.equity == summary.wallet_balance + summary.unrealized_pnl
    assert all(one.entry_price and one.size > 0 and one.opened_at for one in positions)


def test_absurd_liquidation_prices_of_bitunix_are_hidden(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    positions = bitunix(demo, sessions).fetch_positions().value.positions

    hedge = [one for one in positions if one.venue_symbol == "ETHUSDT" and one.side is PositionSide.SHORT]
    swings = [one for one in positions if one.venue_symbol == "BTCUSDT" and one.side is PositionSide.LONG]
    assert all(one.liquidation_price is None for one in (*hedge, *swings)), "too far above, or below zero"
    isolated = [one for one in positions if one.margin_mode == "isolated"]
    assert all(one.liquidation_price for one in isolated)


def test_every_page_of_open_orders_is_read_under_one_end_time(
    demo: DemoServer, sessions: dict[str, PooledSession]
) -> None:
    before = demo.truth("bitunix")["by_endpoint"].get("trade/get_pending_orders", 0)

    orders = bitunix(demo, sessions, "demo busy").fetch_open_orders().value

    assert demo.truth("bitunix")["by_endpoint"]["trade/get_pending_orders"] - before == len(orders.orders) // 100 + 1
    assert len(orders.orders) > 200
    assert len({order.order_id for order in orders.orders}) == len(orders.orders)
    assert orders.is_complete
    assert {order.status for order in orders.orders} <= {"new", "partly_filled"}, "NEW_ is new"
    assert all(len(order.order_id) == 19 for order in orders.orders)


def test_bitunix_history_of_orders_positions_and_trades(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    client = bitunix(demo, sessions)

    fills = client.fetch_fills(limit=250).value
    past = client.fetch_position_history(limit=300).value
    orders = client.fetch_order_history(limit=100).value

    assert fills.problems == past.problems == orders.problems == ()
    assert len(fills.fills) == 250
    assert len({fill.fill_id for fill in fills.fills}) == 250
    assert {fill.is_taker for fill in fills.fills} == {True, False}
    assert [fill.time for fill in fills.fills] == sorted((fill.time for fill in fills.fills), reverse=True)
    liquidated = [one for one in past.positions if one.liquidated_size]
    assert liquidated, "the scalper is liquidated every few hours"
    assert all(one.realized_pnl is not None and one.realized_pnl < 0 for one in liquidated)
    assert {"filled", "cancelled"} <= {order.status for order in orders.orders}
    assert client.fetch_leverage("BTCUSDT").value.leverage == 20


def test_a_flat_account_of_bitunix_is_worth_its_wallet(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    snapshot = bitunix(demo, sessions, "demo flat").fetch_snapshot().value

    assert snapshot.positions.positions == ()
    assert snapshot.summary.equity == Decimal(1000)


@pytest.mark.parametrize(
    ("changed", "outcome"),
    [
        ({}, CheckOutcome.OK),
        ({"api_key": "no-such-key"}, CheckOutcome.WRONG_KEY),
        ({"secret": "not-the-secret"}, CheckOutcome.WRONG_SECRET),
        ({"api_key": "demo-key-other-ip"}, CheckOutcome.IP_NOT_ALLOWED),
        ({"api_key": "demo-key-this-ip"}, CheckOutcome.OK),
        ({"api_key": "demo-key-no-permission"}, CheckOutcome.NO_PERMISSION),
        ({"api_key": "demo-key-blocked"}, CheckOutcome.ACCOUNT_CLOSED),
    ],
)
def test_the_test_of_bitunix_credentials_tells_what_is_wrong(
    demo: DemoServer, sessions: dict[str, PooledSession], changed: dict[str, str], outcome: CheckOutcome
) -> None:
    check = bitunix(demo, sessions, **changed).check()

    assert check.outcome is outcome
    assert check.is_ok is (outcome is CheckOutcome.OK)
    assert (check.equity is not None) is check.is_ok


@pytest.mark.parametrize("off_s", [-600.0, 600.0])
def test_a_wrong_clock_is_measured_and_corrected(
    demo: DemoServer, sessions: dict[str, PooledSession], off_s: float
) -> None:
    demo.add_fault(kind="clock_skew", venue="bitunix", seconds=off_s)

    check = bitunix(demo, sessions).check()

    assert check.outcome is CheckOutcome.CLOCK_SKEW
    assert check.is_ok
    assert check.clock_offset_s is not None
    assert check.clock_offset_error_s is not None
    assert abs(check.clock_offset_s - off_s) <= check.clock_offset_error_s + 0.1
    assert "clock" in check.text


def test_a_narrow_window_of_time_stamps_is_enforced(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    demo.add_fault(kind="clock_window", venue="bitunix", seconds=0)
    late = datetime.now(UTC) - timedelta(seconds=1)

    with pytest.raises(CredentialsRefused) as refused:
        bitunix(demo, sessions, wall_clock=lambda: late).fetch_positions()

    assert refused.value.venue_code == "10007"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [("no_permission", CheckOutcome.NO_PERMISSION), ("address_refused", CheckOutcome.IP_NOT_ALLOWED)],
)
def test_refusals_on_demand(
    demo: DemoServer, sessions: dict[str, PooledSession], kind: str, outcome: CheckOutcome
) -> None:
    demo.add_fault(kind=kind, venue="bitunix")

    assert bitunix(demo, sessions).check().outcome is outcome


def test_accounts_may_be_down_while_markets_go_on(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    demo.add_fault(kind="server_error", endpoint="accounts", status=500)

    for account in (bitunix(demo, sessions), hyperliquid(demo, sessions)):
        assert account.check().outcome is CheckOutcome.VENUE_DOWN
        with pytest.raises(MonitorError):
            account.fetch_snapshot()
    assert BitunixClient(sessions["bitunix"]).fetch_instruments().value.instruments


def test_one_bad_field_costs_no_other_row(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    client = bitunix(demo, sessions)
    healthy = client.fetch_positions().value.positions
    demo.add_fault(kind="raw_value", venue="bitunix", field="qty", to='"a lot"', row=0)

    broken = client.fetch_positions().value

    assert len(broken.problems) == 1
    assert not broken.is_complete
    assert {one.position_id for one in broken.positions} >= {one.position_id for one in healthy[2:]}


@pytest.mark.parametrize("name", ["demo", "demo unified", "demo portfolio", "demo sub"])
def test_hyperliquid_snapshot_adds_up(demo: DemoServer, sessions: dict[str, PooledSession], name: str) -> None:
    snapshot = hyperliquid(demo, sessions, name).fetch_snapshot().value

    assert snapshot.summary.problems == snapshot.positions.problems == ()
    assert snapshot.positions.is_complete
    assert snapshot.summary.equity is not None
    assert snapshot.summary.equity > 0
    assert snapshot.summary.unvalued_assets == ()
    assert all(one.mark_price and one.entry_price for one in snapshot.positions.positions)
    assert snapshot.positions.positions


def test_a_unified_account_is_counted_once(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    summary = hyperliquid(demo, sessions, "demo unified").fetch_snapshot().value.summary

    assert summary.equity is not None
    assert Decimal(18_000) < summary.equity < Decimal(26_000), "its wallet is 21400 at the start of every week"
    assert {balance.location for balance in summary.balances} == {"spot"}


def test_positions_on_builder_dexes_are_found(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    client = hyperliquid(demo, sessions)
    snapshot = client.fetch_snapshot().value

    locations = {balance.location for balance in snapshot.summary.balances}
    assert {"perp", "perp xyz", "perp hyna", "spot"} <= locations
    orders = client.fetch_open_orders().value
    assert orders.problems == ()
    assert any(order.trigger_price for order in orders.orders)


def test_hyperliquid_fills_funding_orders_and_portfolio(demo: DemoServer, sessions: dict[str, PooledSession]) -> None:
    client = hyperliquid(demo, sessions)

    fills = client.fetch_fills(limit=200).value
    funding = client.fetch_funding(limit=100).value
    orders = client.fetch_order_history(limit=100).value
    portfolio = client.fetch_portfolio().value

    assert fills.problems == funding.problems == orders.problems == portfolio.problems == ()
    assert len(fills.fills) == 200
    assert {"Open Long", "Close Long", "Buy", "Sell"} <= {fill.direction for fill in fills.fills}
    assert all(
        (payment.amount > 0) is ((payment.position_size or 0) * (payment.rate or 0) < 0)
        for payment in funding.payments
        if payment.amount
    ), "a long pays a positive rate"
    assert {"filled", "cancelled"} <= {order.status for order in orders.orders}
    assert [period.period for period in portfolio.periods][:4] == ["day", "week", "month", "allTime"]
    assert client.fetch_limits().value.cap
    assert [sub.name for sub in client.fetch_sub_accounts().value] == ["demo sub"]


def test_todays_realised_pnl_of_bitunix_is_known_after_more_than_a_page_of_fills(
    demo: DemoServer, sessions: dict[str, PooledSession]
) -> None:
    client = bitunix(demo, sessions)
    state = AccountState(client.account)

    for _ in range(6):
        fetched = client.poll_fills()
        state.take(success_of(fetched, client.account, "trades"))
        if realized_today(state, fetched.received_at) is not None:
            break

    assert state.fills.value is not None
    midnight = fetched.received_at.replace(hour=0, minute=0, second=0, microsecond=0)
    everything = client.fetch_fills(start=midnight, limit=3_000).value
    known_by = fetched.received_at
    todays = [fill for fill in everything.fills if fill.time <= known_by]
    expected = sum((fill.realized_pnl or Decimal(0)) - (fill.fee_paid or Decimal(0)) for fill in todays)
    assert realized_today(state, known_by) == expected
    assert len(state.fills.value.fills) >= 100


def test_bitunix_lists_what_closes_its_positions_and_every_wallet(
    demo: DemoServer, sessions: dict[str, PooledSession]
) -> None:
    client = bitunix(demo, sessions)
    snapshot = client.fetch_snapshot().value
    attached = client.fetch_attached_orders().value

    assert attached.problems == ()
    assert attached.is_attached
    held = {(one.venue_symbol, one.side) for one in snapshot.positions.positions}
    for order in attached.orders:
        assert order.trigger_price is not None
        assert order.size > 0
        assert order.order_type.startswith(("take profit", "stop loss"))
        # A trigger of an order that has not filled has no position yet.
        closes = PositionSide.LONG if order.side is OrderSide.SELL else PositionSide.SHORT
        assert order.side is None or (order.venue_symbol, closes) in held
    assert any(one.venue_symbol == "BTCUSDT" for one in attached.orders)
    assert {balance.asset for balance in snapshot.summary.balances} == {"USDT", "USDC"}


@pytest.mark.parametrize("name", ["demo", "demo unified"])
def test_hyperliquid_pnl_since_open_counts_fees_and_funding(
    demo: DemoServer, sessions: dict[str, PooledSession], name: str
) -> None:
    client = hyperliquid(demo, sessions, name)
    # Executions first: what opens between the two reads is then of the position only, and unknown.
    fills = client.poll_fills().value
    positions = client.fetch_snapshot().value.positions.positions

    by_symbol = fills_by_symbol(fills.fills)
    known = 0
    for position in positions:
        own = by_symbol.get(position.venue_symbol, [])
        realized = realized_since_open(position, own)
        if realized is None:
            continue
        known += 1
        left, fees = position.size, Decimal(0)
        for fill in own:
            if left <= 0:
                break
            # The demo's traders close in one go, so what is held was only ever added to.
            fees += fill.fee_paid or Decimal(0)
            left -= fill.size
        assert left == 0
        assert realized == (position.funding or Decimal(0)) - fees
    assert known >= len(positions) - 1
    assert fills.complete_since is not None


def test_closed_positions_are_read_off_the_fills_of_hyperliquid(
    demo: DemoServer, sessions: dict[str, PooledSession]
) -> None:
    client = hyperliquid(demo, sessions)
    state = AccountState(client.account)
    state.take(success_of(client.poll_fills(), client.account, "userFills"))
    state.take(success_of(client.poll_funding(), client.account, "userFunding"))

    closed = closed_positions(state)

    listed = state.fills.value
    assert listed is not None
    assert listed.tells_sizes
    ends = [fill for fill in listed.fills if fill.direction and fill.direction.startswith(("Close", "Liquidated"))]
    # The demo's traders close in one go; the oldest close may be of a position that began before the list.
    by_end = {(one.venue_symbol, one.closed_at) for one in closed}
    assert {(fill.venue_symbol, fill.time) for fill in ends[:20]} <= by_end
    assert len(closed) <= len(ends)
    for one in closed[:20]:
        assert one.opened_at is not None
        assert one.closed_at is not None
        during = [
            fill
            for fill in listed.fills
            if fill.venue_symbol == one.venue_symbol and one.opened_at <= fill.time <= one.closed_at
        ]
        fees = sum((fill.fee_paid or Decimal(0) for fill in during), Decimal(0))
        gains = sum((fill.realized_pnl or Decimal(0) for fill in during), Decimal(0))
        assert one.fee_paid == fees
        assert one.funding is not None
        assert one.realized_pnl == gains - fees + one.funding
    assert all("@" not in one.venue_symbol for one in closed)


@pytest.mark.parametrize(
    ("address", "outcome"),
    [
        ("0xde00000000000000000000000000000000000001", CheckOutcome.OK),
        ("0xde00000000000000000000000000000000000004", CheckOutcome.OK),
        ("0xde00000000000000000000000000000000000005", CheckOutcome.WRONG_ADDRESS),
        ("0xde00000000000000000000000000000000000006", CheckOutcome.OK),
        ("0x" + "ab" * 20, CheckOutcome.UNUSED_ADDRESS),
    ],
)
def test_the_test_of_an_address_tells_what_it_is(
    demo: DemoServer, sessions: dict[str, PooledSession], address: str, outcome: CheckOutcome
) -> None:
    assert hyperliquid(demo, sessions, address=address).check().outcome is outcome


@pytest.mark.parametrize("shapes", ["live", "documented"])
def test_documented_and_live_shapes_read_the_same(shapes: str) -> None:
    with demo_exchange(arguments=["--no-limits", "--bitunix-shapes", shapes]) as server:
        session = session_of(server, "bitunix")
        try:
            client = BitunixAccount(session, credentials(server, "bitunix"))
            snapshot = client.fetch_snapshot().value
            orders, fills = client.fetch_open_orders().value, client.fetch_fills(limit=20).value
        finally:
            session.close()

    assert snapshot.summary.problems == snapshot.positions.problems == orders.problems == fills.problems == ()
    assert snapshot.summary.equity is not None
    assert {one.side for one in snapshot.positions.positions} == {PositionSide.LONG, PositionSide.SHORT}
    assert all(order.order_type == "limit" for order in orders.orders)
    assert len(fills.fills) == 20
