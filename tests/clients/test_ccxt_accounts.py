"""ccxt's Hyperliquid client, unchanged, against the demo exchange: the account reads. It has no client for Bitunix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.clients
ccxt = pytest.importorskip("ccxt")

DEMO = "0xde00000000000000000000000000000000000001"
UNIFIED = "0xde00000000000000000000000000000000000002"


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=0, arguments=["--no-limits"]) as running:
        yield running


def _client(exchange: DemoServer, address: str) -> Any:
    base = exchange.venues["hyperliquid"]
    client = ccxt.hyperliquid(
        {"walletAddress": address, "enableRateLimit": False, "urls": {"api": {"public": base, "private": base}}}
    )
    # requests gets `verify and validateServerSsl`, so this is where a certificate file goes.
    client.validateServerSsl = str(exchange.ca_file)
    client.load_markets()
    return client


@pytest.fixture(scope="module")
def client(exchange: DemoServer) -> Iterator[Any]:
    made = _client(exchange, DEMO)
    yield made
    made.session.close()


def test_ccxt_still_has_no_bitunix() -> None:
    assert "bitunix" not in ccxt.exchanges


def test_balance_of_a_standard_account(client: Any) -> None:
    perp = client.fetch_balance()
    spot = client.fetch_balance({"type": "spot"})

    assert perp["USDC"]["total"] > perp["USDC"]["used"] > 0
    assert spot["PURR"]["total"] == 5000
    assert spot["HYPE"]["free"] + spot["HYPE"]["used"] == pytest.approx(spot["HYPE"]["total"])


def test_balance_of_a_unified_account_is_its_spot_balance(exchange: DemoServer) -> None:
    client = _client(exchange, UNIFIED)
    try:
        balance = client.fetch_balance()
    finally:
        client.session.close()

    assert balance["info"]["balances"][0]["coin"] == "USDC"
    assert balance["USDC"]["total"] == pytest.approx(balance["USDC"]["free"] + balance["USDC"]["used"])


def test_positions_of_the_first_dex_and_of_a_builder_s(client: Any) -> None:
    positions = client.fetch_positions()
    stocks = client.fetch_positions(["XYZ-TSLA/USDC:USDC"])

    assert {position["marginMode"] for position in positions} == {"cross", "isolated"}
    hedge = next(position for position in positions if position["symbol"] == "ETH/USDC:USDC")
    assert hedge["side"] == "short"
    assert hedge["notional"] == pytest.approx(hedge["contracts"] * hedge["markPrice"], rel=1e-6)
    assert [position["symbol"] for position in stocks] in ([], ["XYZ-TSLA/USDC:USDC"])


def test_open_orders_and_their_triggers(client: Any) -> None:
    orders = client.fetch_open_orders()

    assert orders
    assert all(order["status"] == "open" and order["remaining"] > 0 for order in orders)
    order = client.fetch_order(orders[0]["id"], orders[0]["symbol"])
    assert order["id"] == orders[0]["id"]
    assert {order["status"] for order in client.fetch_orders()} >= {"closed", "canceled", "open"}


def test_my_trades_and_since(client: Any) -> None:
    trades = client.fetch_my_trades()
    later = client.fetch_my_trades(None, trades[-1]["timestamp"] - 3_600_000)

    assert len(trades) > 100
    assert {trade["takerOrMaker"] for trade in trades} == {"taker", "maker"}
    assert {trade["id"] for trade in later} <= {trade["id"] for trade in trades}


def test_funding_fees_and_ledger(client: Any) -> None:
    funding = client.fetch_funding_history()
    fee = client.fetch_trading_fee("BTC/USDC:USDC")

    assert funding
    assert all(row["amount"] is not None for row in funding)
    assert fee["taker"] == pytest.approx(0.00045)
    assert isinstance(client.fetch_ledger(), list)
