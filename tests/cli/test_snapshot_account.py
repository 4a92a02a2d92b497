"""``snapshot --account``: the documented shape, figures that agree with each other, and its exit codes."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.command_line import addresses_of, run_monitor
from tests.fakes.demo_exchange import DemoServer, demo_exchange

ACCOUNT_KEYS = {"venue", "name", "equity", "available", "balances", "positions", "open_orders", "fills"}
POSITION_KEYS = {
    "instrument",
    "venue_symbol",
    "side",
    "size",
    "entry_price",
    "mark_price",
    "unrealized_pnl",
    "leverage",
    "margin_mode",
    "liquidation_price",
    "position_id",
}
ORDER_KEYS = {"order_id", "venue_symbol", "side", "type", "price", "size", "filled", "reduce_only", "status"}


@pytest.fixture(scope="module")
def document() -> Any:
    done = run_monitor(["snapshot", "--demo", "--venue", "bitunix", "--account", "demo", "--json"])
    assert done.code == 0, done.err
    return done.document()


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


def test_the_account_has_the_documented_shape(document: Any) -> None:
    account = document["account"]

    assert document["quotes"] == []
    assert account.keys() >= ACCOUNT_KEYS
    assert (account["venue"], account["name"]) == ("bitunix", "demo")
    assert account["positions"]
    assert account["open_orders"]
    assert account["fills"]
    for position in account["positions"]:
        assert position.keys() >= POSITION_KEYS
        assert position["side"] in {"long", "short"}
        assert Decimal(position["size"]) > 0
        assert position["mark_price"] is not None, "joined from the quotes"
        assert position["instrument"].endswith("-PERP")
    for order in account["open_orders"]:
        assert order.keys() >= ORDER_KEYS
        assert order["side"] in {"buy", "sell"}
    for balance in account["balances"]:
        assert balance.keys() >= {"asset", "total", "available"}
    assert account["problems"] == []


def test_its_figures_agree_with_each_other(document: Any) -> None:
    account = document["account"]
    wallet = sum(Decimal(one["value"]) for one in account["balances"] if one["value"] is not None)

    assert Decimal(account["equity"]) == wallet + Decimal(account["unrealized_pnl"])
    for position in account["positions"]:
        distance, liquidation = position["liquidation_distance"], position["liquidation_price"]
        assert (distance is None) is (liquidation is None)
        if distance is not None:
            mark = Decimal(position["mark_price"])
            assert abs(abs(mark - Decimal(liquidation)) / mark - abs(Decimal(distance))) < Decimal("1e-9")
    assert all(request["endpoint"].startswith("bitunix.") for request in document["requests"])
    assert not {"demo-key-worth-nothing", "demo-secret-worth-nothing"} & set(json.dumps(document).split('"'))


def test_an_account_nobody_has_is_a_wrong_argument(tmp_path: Path, exchange: DemoServer) -> None:
    done = run_monitor(["snapshot", "--demo", "--venue", "bitunix", "--account", "nobody"])
    assert done.code == 2
    assert "demo busy" in done.err
    # With addresses of its own it is the keyring's list that counts, and that one is empty here.
    stored = [*addresses_of(exchange), "--venue", "bitunix", "--account", "main"]
    done = run_monitor(["--settings", str(tmp_path / "settings.json"), "snapshot", *stored])
    assert done.code == 2
    assert "no account of this name" in done.err


def test_nothing_to_read_is_a_wrong_argument() -> None:
    done = run_monitor(["snapshot", "--venue", "bitunix"])

    assert done.code == 2
    assert "--account NAME" in done.err
