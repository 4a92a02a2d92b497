"""``snapshot --account``: the documented shape, figures that agree with each other, and its exit codes."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from monitor.assembly import assemble
from monitor.commands.account_reading import read_state, success_of
from monitor.desktop.settings import Settings
from monitor.exchanges.account_check import patiently
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.base import Fetched, PollJob
from monitor.qtmodels.account_columns import Column, Look, file_text
from monitor.qtmodels.account_layouts import BALANCES, POSITIONS
from monitor.qtmodels.account_lists import FILLS, ORDERS
from monitor.qtmodels.account_past_layouts import FUNDING
from monitor.state.account_past_tables import funding_rows
from monitor.state.account_summary import account_document
from monitor.state.account_tables import balance_rows, fill_rows, order_rows, position_rows
from monitor.state.accounts import AccountState
from monitor.state.board import Board
from tests.fakes.command_line import addresses_of, run_monitor
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.poll_results import success_of as fake_success

NOW, NOW_S = datetime.now(UTC), time.perf_counter()

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


ACCOUNTS = [("bitunix", "demo"), ("hyperliquid", "demo"), ("hyperliquid", "demo unified")]

OTHER_NAMES = {"equity_or_total": "equity"}


@pytest.fixture(scope="module")
def unlimited() -> Iterator[DemoServer]:
    with demo_exchange(arguments=["--no-limits"]) as server:
        yield server


@pytest.fixture(params=ACCOUNTS, ids=" ".join)
def read(request: pytest.FixtureRequest, unlimited: DemoServer) -> Iterator[tuple[AccountState, Board, Any]]:
    """An account read as the command reads it, a board with the quotes, and the command's document of both."""
    venue, name = request.param
    settings = Settings(cap_fraction=1.0)
    runtime = assemble([venue], settings, base_urls=unlimited.venues, ca_file=unlimited.ca_file)[venue]
    inputs = next(one["inputs"] for one in unlimited.ready["accounts"] if (one["venue"], one["name"]) == (venue, name))
    board = Board(venues=[venue])
    for fetch in (runtime.client.fetch_instruments, runtime.client.fetch_quotes):
        job = PollJob(venue=venue, endpoint=f"{venue}.x", key=f"{venue}.x", cadence_s=1.0, weight=1, fetch=fetch)
        board.apply([success_of(job, patiently(fetch, time.sleep), runtime)])
    state, traces = read_state(runtime, ACCOUNT_VENUES[venue].make_credentials(name, inputs))
    document = account_document(
        state, board=board, name_of=lambda symbol: symbol, now_mono_s=NOW_S, now=NOW, received_at=NOW
    )
    assert traces
    yield state, board, json.loads(json.dumps(document))
    runtime.transport.close()


def said_alike(columns: Sequence[Column[Any]], rows: Sequence[Any], documents: Sequence[dict[str, Any]]) -> set[str]:
    """Compare what the table would write into a file with the document, row by row; returns the columns compared."""
    compared: set[str] = set()
    assert len(rows) == len(documents)
    for row, document in zip(rows, documents, strict=True):
        for column in columns:
            key = OTHER_NAMES.get(column.name, column.name)
            if key not in document or column.name in {"account", "instrument", "leverage", "status"}:
                continue
            shown, said = file_text(column.value_of(row)), document[key]
            compared.add(column.name)
            if said is None:
                assert shown == "", column.name
            elif isinstance(said, bool):
                assert shown == ("true" if said else "false"), column.name
            elif column.look in {Look.TEXT, Look.SIDE, Look.TIME}:
                assert shown == said, column.name
            else:
                assert abs(Decimal(shown) - Decimal(said)) < Decimal("1e-11"), column.name
    return compared


def test_the_document_has_the_figures_of_the_tables(read: tuple[AccountState, Board, Any]) -> None:
    state, board, document = read
    states = (state,)

    def name_of(venue: str, symbol: str) -> str:
        return symbol

    positions = position_rows(states, board, name_of, NOW_S, NOW)
    orders = order_rows(states, name_of, NOW_S)
    whole, *assets = balance_rows(states, NOW_S, NOW)
    trades = fill_rows(states, name_of, NOW_S)

    assert document["problems"] == []
    told = said_alike(POSITIONS, positions, document["positions"])
    assert told >= {"value", "pnl_since_open", "realized_today", "liquidation_distance", "margin_ratio", "mark_price"}
    told = said_alike(ORDERS, orders, document["open_orders"])
    assert told >= {"price", "size", "filled", "value_left", "take_profit", "stop_loss", "reduce_only", "created_at"}
    told = said_alike(BALANCES, [whole], [document])
    assert told >= {"equity_or_total", "available", "realized_today", "pnl_since_open", "venue_pnl_24h", "margin_used"}
    assert [row.name for row in assets] == [one["asset"] for one in document["balances"]]
    told = said_alike(FILLS, trades, document["fills"])
    assert told >= {"value", "fee_paid", "realized_pnl", "taker", "liquidation"}
    said_alike(FUNDING, funding_rows(states, name_of, NOW_S), document["funding"])


def test_what_the_document_says_is_known_and_whole(read: tuple[AccountState, Board, Any]) -> None:
    state, _, document = read

    assert document["positions_complete"]
    assert document["open_orders_complete"], "every dex of an account with one money was asked"
    assert document["fills_complete_since"] is not None
    assert document["realized_today"] is not None
    assert (document["venue_pnl_24h"] is None) is (state.ref.venue == "bitunix")
    if state.ref.name == "demo":
        assert any(one["liquidation"] for one in document["fills"]) or state.ref.venue == "bitunix"
    if state.ref.venue == "hyperliquid":
        dexes = {one["venue_symbol"].partition(":")[0] for one in document["positions"] if ":" in one["venue_symbol"]}
        assert "xyz" in dexes or "hyna" in dexes, "positions on builder dexes are read"


def test_the_prices_of_tokens_are_asked_before_lists_use_the_budget_up(unlimited: DemoServer) -> None:
    runtime = assemble(
        ["hyperliquid"], Settings(cap_fraction=1.0), base_urls=unlimited.venues, ca_file=unlimited.ca_file
    )["hyperliquid"]
    inputs = next(
        one["inputs"] for one in unlimited.ready["accounts"] if (one["venue"], one["name"]) == ("hyperliquid", "demo")
    )
    state, traces = read_state(runtime, ACCOUNT_VENUES["hyperliquid"].make_credentials("demo", inputs))
    runtime.transport.close()
    asked = [trace.endpoint.partition(".")[2] for trace in traces]
    summary = state.summary.value

    assert asked.index("allMids") < asked.index("frontendOpenOrders") < asked.index("userFills")
    assert asked[-1] == "spotClearinghouseState", "the figures are the youngest of the document all the same"
    assert summary is not None
    assert summary.unvalued_assets == ()


def test_fills_that_share_an_id_are_all_in_the_document(read: tuple[AccountState, Board, Any]) -> None:
    state, board, _ = read
    listed = state.fills.value
    assert listed is not None
    first = listed.fills[0]
    earlier = replace(first, time=first.time - timedelta(seconds=1))
    value = replace(listed, fills=(first, earlier, replace(first, venue_symbol="OTHER"), first))
    again = AccountState(state.ref)
    fetched = Fetched(value=value, traces=(), requested_mono_s=1.0, received_mono_s=2.0, received_at=NOW)
    again.take(fake_success(fetched, state.ref, "fills"))
    document = account_document(
        again, board=board, name_of=lambda symbol: symbol, now_mono_s=NOW_S, now=NOW, received_at=NOW
    )

    assert len(document["fills"]) == 3
    assert document["equity"] is None, "what was not read is unknown"
    assert not document["positions_complete"]


def test_the_text_gives_dollars_to_the_cent() -> None:
    done = run_monitor(["snapshot", "--demo", "--venue", "bitunix", "--account", "demo"])
    amount = r"-?\d+\.\d\d"
    names = ", ".join(f"{name} {amount}" for name in ("equity", "available", "unrealised", "realised today"))

    assert done.code == 0, done.err
    assert re.match(rf"demo: {names} USDT\n", done.out), done.out


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
