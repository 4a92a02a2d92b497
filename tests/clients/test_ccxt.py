"""ccxt's Hyperliquid client, unchanged, against the demo exchange: every market read it has."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.clients
ccxt = pytest.importorskip("ccxt")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=0, arguments=["--no-limits"]) as running:
        yield running


def _client(exchange: DemoServer) -> Any:
    base = exchange.venues["hyperliquid"]
    client = ccxt.hyperliquid(
        {
            "walletAddress": "0x" + "0" * 39 + "1",
            "enableRateLimit": False,
            "urls": {"api": {"public": base, "private": base}},
        }
    )
    # requests gets `verify and validateServerSsl`, so this is where a certificate file goes.
    client.validateServerSsl = str(exchange.ca_file)
    return client


@pytest.fixture(scope="module")
def client(exchange: DemoServer) -> Iterator[Any]:
    made = _client(exchange)
    made.load_markets()
    yield made
    made.session.close()


def test_markets_of_all_three_kinds_are_loaded(client: Any) -> None:
    assert client.market("BTC/USDC:USDC")["swap"]
    assert client.market("HYPE/USDC")["id"] == "@107"
    assert client.market("XYZ-TSLA/USDC:USDC")["info"]["name"] == "xyz:TSLA"
    assert len(client.markets) > 300


def test_time_and_status(client: Any) -> None:
    assert abs(client.fetch_time() - time.time() * 1000) < 60_000
    assert client.fetch_status()["status"] == "ok"


def test_ticker_and_tickers(client: Any) -> None:
    ticker = client.fetch_ticker("BTC/USDC:USDC")
    tickers = client.fetch_tickers(None, {"type": "swap"})

    assert ticker["bid"] < ticker["ask"]
    assert ticker["last"] == pytest.approx(tickers["BTC/USDC:USDC"]["last"], rel=0.01)
    assert ticker["quoteVolume"] > 0


@pytest.mark.parametrize("symbol", ["BTC/USDC:USDC", "HYPE/USDC", "XYZ-TSLA/USDC:USDC"])
def test_order_book(client: Any, symbol: str) -> None:
    book = client.fetch_order_book(symbol)

    assert book["bids"][0][0] < book["asks"][0][0]
    assert all(size > 0 for _, size in book["bids"] + book["asks"])


def test_candles_with_a_limit_and_without(client: Any) -> None:
    few = client.fetch_ohlcv("BTC/USDC:USDC", "1h", None, 3)
    many = client.fetch_ohlcv("BTC/USDC:USDC", "1h")

    assert [row[0] for row in few] == [row[0] for row in many[-len(few) :]]
    assert len(many) == 5000
    assert all(low <= min(opened, close) and max(opened, close) <= high for _, opened, high, low, close, _ in many)


def test_funding_rates_and_open_interest(client: Any) -> None:
    rates = client.fetch_funding_rates()
    interest = client.fetch_open_interest("ETH/USDC:USDC")

    assert abs(rates["BTC/USDC:USDC"]["fundingRate"]) < 0.001
    assert interest["openInterestAmount"] > 0


def test_funding_history(client: Any) -> None:
    rows = client.fetch_funding_rate_history("BTC/USDC:USDC")

    assert 490 <= len(rows) <= 500
    assert all(later["timestamp"] > earlier["timestamp"] for earlier, later in pairwise(rows))


def test_trouble_reaches_ccxt_as_its_own_exceptions(exchange: DemoServer) -> None:
    client = _client(exchange)
    fault = {"venue": "hyperliquid", "count": 1}
    try:
        exchange.add_fault(kind="rate_limit", **fault)
        with pytest.raises(ccxt.RateLimitExceeded):
            client.fetch_time()
        exchange.add_fault(kind="server_error", status=500, **fault)
        with pytest.raises(ccxt.ExchangeNotAvailable):
            client.fetch_time()
        exchange.add_fault(kind="server_error", status=502, **fault)
        with pytest.raises(ccxt.ExchangeNotAvailable):
            client.fetch_time()
        with pytest.raises(ccxt.ExchangeError):
            client.publicPostInfo({"type": "nope"})
        assert client.fetch_time() > 0
    finally:
        exchange.clear_faults()
        client.session.close()
