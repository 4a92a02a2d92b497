"""Every trap of Hyperliquid's orders, by name, and which dexes are asked for them."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import OrderSide
from tests.fakes.account_data import hyperliquid_account, hyperliquid_data, kinds_asked
from tests.fakes.hyperliquid_states import DEXES, begin, by_dex, held, runner, state

D = Decimal


def test_open_orders_with_triggers_and_children_once_each() -> None:
    spot, limit, trigger = sorted(
        hyperliquid_account()[0].fetch_open_orders().value.orders, key=lambda order: order.order_id
    )

    assert (limit.order_type, limit.price, limit.size, limit.filled) == ("limit", D(88000), D("0.08"), D("0.03"))
    assert (limit.status, limit.side, limit.trigger_price) == ("partly_filled", OrderSide.BUY, None)
    assert (trigger.status, trigger.price, trigger.trigger_price) == ("waiting", None, D(99000))
    assert (trigger.trigger_condition, trigger.parent_id) == ("Price above 99000", limit.order_id)
    assert (spot.venue_symbol, spot.side, spot.client_id) == ("@142", OrderSide.SELL, "0x" + "0" * 30 + "aa")
    assert trigger.order_id == "512345678903"


def test_a_child_that_is_not_listed_itself_is_shown_and_a_bad_one_hides_nobody() -> None:
    parent = hyperliquid_data("frontendOpenOrders")[1]
    parent["children"].append({"oid": "x y"})
    found = hyperliquid_account(frontendOpenOrders=[parent])[0].fetch_open_orders().value

    assert [one.parent_id for one in found.orders] == [parent["children"][0]["oid"] and "512345678902", None]
    assert found.problems[0].path == "[0].children[1].oid"
    assert not found.is_complete


def test_an_order_of_2023_without_original_size_has_an_unknown_filled_part() -> None:
    old = {
        "coin": "MATIC",
        "limitPx": "1.0357",
        "oid": 62269971,
        "side": "B",
        "sz": "208.7",
        "timestamp": 1679940217356,
    }

    (one,) = (
        hyperliquid_account(frontendOpenOrders=lambda body: [old] if not body.get("dex") else b"[]")[0]
        .fetch_open_orders()
        .value.orders
    )

    assert (one.size, one.filled, one.status, one.reduce_only) == (D("208.7"), None, "new", None)


def test_no_orders_may_be_said_with_null() -> None:
    found = hyperliquid_account(frontendOpenOrders=b"null")[0].fetch_open_orders().value

    assert found.orders == ()
    assert found.is_complete


def test_orders_of_dexes_in_use_are_read_and_others_by_and_by() -> None:
    client, transport = hyperliquid_account(clearinghouseState=by_dex(first=state(held())))
    begin(client)
    transport.asked.clear()

    for _ in range(9):
        found = client.poll_open_orders().value

    assert kinds_asked(transport) == ["frontendOpenOrders"] * 9 + ["frontendOpenOrders:xyz"]
    assert found.is_complete
    assert found.oldest_part_mono_s is not None


def order_on(dex: str) -> Callable[[dict[str, Any]], object]:
    """One open order, on ``dex`` only."""
    row = {**hyperliquid_data("frontendOpenOrders")[0], "coin": f"{dex}:A", "oid": 77, "children": []}
    return lambda body: [row] if body.get("dex") == dex else []


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin", "a mode of next year"])
def test_an_order_on_a_dex_without_a_position_is_found_where_one_money_backs_all(mode: str) -> None:
    client, transport = hyperliquid_account(
        userAbstraction=mode,
        perpDexs=DEXES,
        clearinghouseState=by_dex(first=state(held())),
        frontendOpenOrders=order_on("ddd"),
    )
    begin(client)
    transport.asked.clear()

    polls = [client.poll_open_orders().value for _ in range(3)]

    asked = kinds_asked(transport)
    names = ("aaa", "bbb", "ccc", "ddd", "xyz")
    assert asked == ["frontendOpenOrders", *(f"frontendOpenOrders:{dex}" for dex in names)]
    assert [one.is_complete for one in polls] == [False, False, True]
    assert [order.venue_symbol for order in polls[-1].orders] == ["ddd:A"]
    assert sum(one.weight for one in transport.asked) == 120


def test_dexes_with_orders_and_the_others_alternate_after_the_first_round() -> None:
    client, transport = hyperliquid_account(
        userAbstraction="unifiedAccount",
        perpDexs=DEXES,
        clearinghouseState=by_dex(first=state(held())),
        frontendOpenOrders=order_on("ddd"),
    )
    begin(client)
    for _ in range(3):
        client.poll_open_orders()
    transport.asked.clear()

    for _ in range(8):
        found = client.poll_open_orders().value

    asked = [kind.removeprefix("frontendOpenOrders").removeprefix(":") for kind in kinds_asked(transport)]
    assert asked == ["", "aaa", "ddd", "bbb", "", "ccc", "ddd", "xyz"]
    assert found.is_complete


def test_a_snapshot_of_a_unified_account_asks_every_dex_for_orders_and_waits_for_the_budget() -> None:
    client, transport = hyperliquid_account(
        userAbstraction="unifiedAccount",
        perpDexs=DEXES,
        clearinghouseState=by_dex(first=state(held())),
        frontendOpenOrders=order_on("xyz"),
    )

    found = client.fetch_open_orders().value

    assert [order.order_id for order in found.orders] == ["77"]
    assert found.is_complete
    assert kinds_asked(transport).count("frontendOpenOrders:aaa") == 1


def test_orders_before_anything_else_is_known_are_not_called_complete() -> None:
    found = hyperliquid_account(userAbstraction="unifiedAccount")[0].poll_open_orders().value

    assert not found.is_complete


def test_a_minute_of_polls_of_a_unified_account_costs_no_more_than_of_another() -> None:
    run = runner(*hyperliquid_account(userAbstraction="unifiedAccount", perpDexs=DEXES))

    first, second, third = run(60), run(60), run(60)

    assert first < 360
    assert 90 < second < 160
    assert 90 < third < 135


def test_past_orders_keep_unknown_states() -> None:
    found = hyperliquid_account()[0].fetch_order_history().value

    assert [one.status for one in found.orders] == ["filled", "cancelled", "rejected", "somethingNew"]
    assert not found.is_open
