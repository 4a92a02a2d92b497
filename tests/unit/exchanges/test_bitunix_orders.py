"""Every trap of Bitunix's orders, by name: open ones in pages, what closes positions, and past ones."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import OrderSide
from monitor.domain.errors import VenueError
from tests.fakes.account_data import (
    bitunix_account,
    bitunix_account_by,
    bitunix_answer,
    bitunix_data,
    bitunix_position,
    error,
)
from tests.fakes.exchange_data import ok
from tests.fakes.fake_transport import Answer, Asked

D = Decimal
ORDERS = "trade/get_pending_orders"


def orders(*rows: dict[str, Any], total: object = None) -> Any:
    data = {"orderList": list(rows), "total": len(rows) if total is None else total}
    return bitunix_account(ok(data), ok({"orderList": [], "total": total}))[0].fetch_open_orders().value


def order(**changes: object) -> dict[str, Any]:
    return {**bitunix_data(ORDERS)["orderList"][2], **changes}


# Open


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("NEW_", "new"),
        ("NEW", "new"),
        ("new", "new"),
        ("INIT", "new"),
        ("PART_FILLED", "partly_filled"),
        ("PART_FILLED_", "partly_filled"),
        ("CANCELED", "cancelled"),
        ("PART_FILLED_CANCELED", "cancelled"),
        ("SYSTEM_CANCELED", "cancelled"),
        ("EXPIRED", "expired"),
        ("SOMETHING_ELSE", "something_else"),
        (None, "unknown"),
    ],
)
def test_order_states_may_end_in_an_underscore_and_unknown_ones_are_kept(word: str | None, status: str) -> None:
    assert orders(order(status=word)).orders[0].status == status


@pytest.mark.parametrize("price", ["MARKET", "market", "", None])
def test_a_market_order_has_no_price_whatever_stands_there(price: str | None) -> None:
    (one,) = orders(order(price=price, orderType=None)).orders

    assert (one.price, one.order_type) == (None, "market")


def test_a_word_as_price_of_a_limit_order_is_no_problem() -> None:
    found = orders(order(price="MARKET", orderType="LIMIT"))

    assert found.orders[0].price is None
    assert found.problems == ()


def test_order_type_is_read_under_both_names() -> None:
    documented = order(type="LIMIT", source="api", tpStopType="MARK")
    del documented["orderType"]

    (one,) = orders(documented).orders

    assert (one.order_type, one.price, one.take_profit_price) == ("limit", D(88000), D(99000))


def test_an_order_without_a_side_has_an_unknown_one() -> None:
    documented = order()
    del documented["side"]
    found = orders(documented, order(orderId="2", side="LONG"), order(orderId="3", side="SELL"))

    assert {one.order_id: one.side for one in found.orders} == {
        order()["orderId"]: None,
        "2": None,
        "3": OrderSide.SELL,
    }
    assert [problem.path for problem in found.problems] == ["data.orderList[1].side"]


def test_orders_are_newest_first_with_exact_ids() -> None:
    found = bitunix_account()[0].fetch_open_orders().value

    assert [one.order_id for one in found.orders] == [f"740000000000000000{n}" for n in (3, 2, 1)]
    assert found.is_open
    assert found.is_complete
    assert (found.orders[0].size, found.orders[0].filled, found.orders[0].reduce_only) == (D("0.02"), D("0.005"), True)


class PagedOrders:
    """A venue with ``count`` open orders, newest first, that obeys skip, limit and endTime."""

    def __init__(self, count: int, *, total_as_text: bool = True) -> None:
        self.rows = [order(orderId=str(10**18 + n), ctime=str(1_767_225_000_000 - n)) for n in range(count)]
        self.total_as_text = total_as_text

    def __call__(self, asked: Asked) -> Answer:
        params = asked.params or {}
        rows = [one for one in self.rows if int(one["ctime"]) <= int(params["endTime"])]
        skip, limit = int(params["skip"]), int(params["limit"])
        total: object = str(len(rows)) if self.total_as_text else len(rows)
        return ok({"orderList": rows[skip : skip + limit], "total": total})


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (1, 1), (100, 1), (101, 2), (250, 3)])
@pytest.mark.parametrize("total_as_text", [True, False])
def test_all_open_orders_are_paged_by_100_under_one_end_time(count: int, requests: int, total_as_text: bool) -> None:
    venue = PagedOrders(count, total_as_text=total_as_text)
    client, transport = bitunix_account_by(venue)

    found = client.fetch_open_orders().value

    params = [asked.params or {} for asked in transport.asked]
    assert len(found.orders) == count
    assert found.is_complete
    assert [int(one["skip"]) for one in params] == [100 * n for n in range(requests)]
    assert {one["limit"] for one in params} == {"100"}
    assert len({one["endTime"] for one in params}) == 1


def test_an_order_placed_while_paging_moves_no_other() -> None:
    venue = PagedOrders(150)

    def answer(asked: Asked) -> Answer:
        reply = venue(asked)
        now_ms = int(transport.clock.utc_now().timestamp() * 1000)
        venue.rows.insert(0, order(orderId=str(2 * 10**18 + len(venue.rows)), ctime=str(now_ms + 1)))
        return reply

    client, transport = bitunix_account_by(answer)

    found = client.fetch_open_orders().value

    assert [one.order_id for one in found.orders] == [str(10**18 + n) for n in range(150)]
    assert found.is_complete


def test_a_list_that_shrinks_while_it_is_read_is_not_called_complete() -> None:
    venue = PagedOrders(150)

    def answer(asked: Asked) -> Answer:
        reply = venue(asked)
        if (asked.params or {})["skip"] == "0":
            return reply
        return ok({"orderList": [], "total": 150})

    found = bitunix_account_by(answer)[0].fetch_open_orders().value

    assert len(found.orders) == 100
    assert not found.is_complete


def test_a_server_that_repeats_a_page_ends_the_paging() -> None:
    page = {"orderList": [order(orderId=str(n)) for n in range(1, 101)], "total": "1000"}
    client, transport = bitunix_account(ok(page))

    found = client.fetch_open_orders().value

    assert len(found.orders) == 100
    assert len(transport.asked) == 2
    assert not found.is_complete


def test_later_pages_wait_for_the_budget_and_a_failure_has_the_costs_of_all() -> None:
    def answer(asked: Asked) -> Answer:
        return PagedOrders(150)(asked) if (asked.params or {})["skip"] == "0" else error(10001)

    with pytest.raises(VenueError) as caught:
        bitunix_account_by(answer)[0].fetch_open_orders()

    assert len(caught.value.traces) == 2


# What closes positions


def trigger(**changes: object) -> dict[str, Any]:
    """A stop loss of the usual first position, as the venue lists it."""
    usual = {
        "id": "7600000000000000001",
        "positionId": bitunix_position()["positionId"],
        "symbol": "BTCUSDT",
        "tpPrice": None,
        "tpQty": None,
        "slPrice": "88000",
        "slStopType": "MARK_PRICE",
        "slOrderType": "MARKET",
        "slOrderPrice": None,
        "slQty": "0.25",
    }
    return {**usual, **changes}


def triggers(*rows: dict[str, Any], holds: bool = True) -> Any:
    def answer(asked: Asked) -> Answer:
        return ok(list(rows)) if "tpsl" in asked.endpoint.path else bitunix_answer(asked)

    client, _ = bitunix_account_by(answer)
    if holds:
        client.fetch_positions()
    return client.fetch_attached_orders().value


def test_what_closes_positions_is_listed_apart_with_the_side_of_closing() -> None:
    (one,) = triggers(trigger()).orders

    assert (one.order_type, one.trigger_price, one.price, one.size) == ("stop loss market", D(88000), None, D("0.25"))
    assert (one.side, one.reduce_only, one.status) == (OrderSide.SELL, True, "waiting")
    assert one.trigger_condition == "by the mark price"


def test_one_row_may_be_take_profit_and_stop_loss() -> None:
    both = trigger(tpPrice="120000", tpQty="0.1", tpOrderType="LIMIT", tpOrderPrice="120010", tpStopType="LAST")
    profit, stop = triggers(both).orders

    assert (profit.order_type, profit.trigger_price, profit.price) == ("take profit limit", D(120000), D(120010))
    assert profit.trigger_condition == "by the last price"
    assert stop.order_id != profit.order_id


def test_the_size_of_a_whole_position_is_that_of_the_position() -> None:
    found = triggers(trigger(slQty=None))
    unknown = triggers(trigger(slQty=None), holds=False)

    assert found.orders[0].size == D(bitunix_position()["qty"])
    assert found.is_complete
    assert unknown.orders == ()
    assert not unknown.is_complete, "never a size of 0"


def test_a_trigger_of_an_unknown_position_has_no_side() -> None:
    (one,) = triggers(trigger(), holds=False).orders

    assert one.side is None


# Past


def test_past_orders_are_the_done_and_the_cancelled_ones() -> None:
    client, transport = bitunix_account()

    found = client.fetch_order_history().value

    assert not found.is_open
    assert [(one.status, one.price) for one in found.orders] == [("filled", None), ("cancelled", D(88000))]
    assert [(asked.params or {})["queryCanceled"] for asked in transport.asked] == ["false", "true"]
