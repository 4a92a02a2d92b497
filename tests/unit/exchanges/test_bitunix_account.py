"""Every trap of Bitunix's private endpoints, by name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import ALL_KEPT, JUST_AFTER, FillList, OrderSide, PositionSide
from monitor.domain.credentials import CheckOutcome
from monitor.domain.errors import (
    BudgetExhausted,
    CredentialsRefused,
    EdgeBlocked,
    ErrorKind,
    MonitorError,
    PayloadError,
    RateLimited,
    TransportError,
    VenueError,
)
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.bitunix.signing import sign
from tests.fakes.account_data import (
    BITUNIX_CREDENTIALS,
    KEY,
    SECRET,
    bitunix_account,
    bitunix_account_by,
    bitunix_answer,
    bitunix_data,
    error,
    ok,
)
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

D = Decimal
POSITIONS = "position/get_pending_positions"
ORDERS = "trade/get_pending_orders"
TRADES = "trade/get_history_trades"
LEVERAGE = "account/get_leverage_margin_mode"


def positions(*rows: dict[str, Any]) -> Any:
    return bitunix_account(ok(list(rows)))[0].fetch_positions().value


def row(number: int = 0, **changes: object) -> dict[str, Any]:
    return {**bitunix_data(POSITIONS)[number], **changes}


def orders(*rows: dict[str, Any], total: object = None) -> Any:
    data = {"orderList": list(rows), "total": len(rows) if total is None else total}
    return bitunix_account(ok(data), ok({"orderList": [], "total": total}))[0].fetch_open_orders().value


def order(**changes: object) -> dict[str, Any]:
    return {**bitunix_data(ORDERS)["orderList"][2], **changes}


# Signing and sending


def test_every_request_is_signed_and_nothing_else_leaves() -> None:
    client, transport = bitunix_account()

    client.fetch_snapshot()
    client.fetch_open_orders()
    client.fetch_fills()

    assert len(transport.asked) == 7
    for asked in transport.asked:
        headers = asked.headers or {}
        params = asked.params or {}
        assert asked.endpoint.method == "GET"
        assert asked.body is None
        assert asked.endpoint.path.startswith("/api/v1/futures/")
        assert headers["sign"] == sign(
            api_key=KEY,
            secret=SECRET,
            nonce=headers["nonce"],
            timestamp=headers["timestamp"],
            params=params,
        )
        assert list(params) == sorted(params)
        assert SECRET not in str(headers)
    assert len({(asked.headers or {})["nonce"] for asked in transport.asked}) == 7


def test_the_time_stamp_follows_the_venues_clock_once_it_is_known() -> None:
    def answer(asked: Asked) -> Answer:
        body = bitunix_answer(asked)
        assert isinstance(body, bytes)
        return Canned(body=body, date=transport.clock.utc_now() + timedelta(seconds=600))

    client, transport = bitunix_account_by(answer)

    for _ in range(2):
        client.fetch_positions()

    stamps = [int((asked.headers or {})["timestamp"]) for asked in transport.asked]
    assert 599_000 < stamps[1] - stamps[0] < 602_000


# Account


def test_the_account_may_be_an_object_or_a_list_of_one() -> None:
    data = bitunix_data("account")

    for form in (data, [data]):
        summary = bitunix_account(ok(form))[0].fetch_summary().value
        assert summary.wallet_balance == D("1000.00")
        assert summary.equity == D("990.75")
        assert summary.available == D("799.75")
        assert summary.unrealized_pnl == D("-9.25")
        assert (summary.margin_used, summary.order_margin) == (D("147.75"), D("40"))
        assert summary.mode == "hedge"


@pytest.mark.parametrize("form", [[], [{}, {}], None, "x", 3])
def test_any_other_form_of_the_account_is_an_error(form: object) -> None:
    with pytest.raises(PayloadError, match="data is not an object"):
        bitunix_account(ok(form))[0].fetch_summary()


def test_a_missing_money_field_makes_the_sums_unknown_and_nothing_else() -> None:
    data = bitunix_data("account")
    del data["margin"]
    data["frozen"] = "oops"

    summary = bitunix_account(ok(data))[0].fetch_summary().value

    assert (summary.wallet_balance, summary.equity) == (None, None)
    assert summary.available == D("799.75")
    assert [problem.path for problem in summary.problems] == ["data.frozen"]


def wallets(**balances: str) -> Callable[[Asked], Answer]:
    """Wallets by coin, the first one as usual and others empty unless told; ``refused`` are none at all."""

    def answer(asked: Asked) -> Answer:
        params = asked.params or {}
        if not asked.endpoint.path.endswith("futures/account"):
            return bitunix_answer(asked)
        coin = params["marginCoin"]
        if balances.get(coin) == "refused":
            return error(2, "Parameter error")
        money = balances.get(coin, "0")
        empty = {"available": money, "frozen": "0", "margin": "0", "crossUnrealizedPNL": "0"}
        usual = bitunix_data("account")
        return ok(usual if coin == "USDT" else {**usual, **empty, "isolationUnrealizedPNL": "0", "marginCoin": coin})

    return answer


def coins_asked(transport: FakeTransport) -> list[str | None]:
    return [(asked.params or {}).get("marginCoin") for asked in transport.asked]


def test_another_margin_coin_is_listed_but_not_added() -> None:
    client, transport = bitunix_account_by(wallets(USDC="250"))

    summary = client.fetch_snapshot().value.summary

    assert [(balance.asset, balance.total) for balance in summary.balances] == [("USDT", D(1000)), ("USDC", D(250))]
    assert summary.equity == D("990.75")
    assert summary.unvalued_assets == ("USDC",)
    assert summary.unrealized_pnl == D("-9.25"), "of the same wallet as equity"
    assert coins_asked(transport) == [None, "USDT", "USDC", "BTC", "ETH"]


def test_other_wallets_are_looked_at_by_and_by_without_a_position() -> None:
    client, transport = bitunix_account_by(wallets(ETH="0.75"))
    summaries = []
    for _ in range(36):
        summaries.append(client.poll_summary().value)
        transport.clock.advance(5.0)

    others = [coin for coin in coins_asked(transport) if coin != "USDT"]
    assert others == ["USDC", "BTC", "ETH"], "one a minute"
    assert [balance.asset for balance in summaries[23].balances] == ["USDT"], "an empty wallet is no balance"
    last = summaries[-1]
    assert [(balance.asset, balance.total, balance.value) for balance in last.balances][1] == ("ETH", D("0.75"), None)
    assert last.unvalued_assets == ("ETH",)
    assert last.oldest_part_mono_s is not None
    assert 50.0 < transport.clock() - last.oldest_part_mono_s < 65.0, "how old that wallet is, is told"


def test_the_wallet_of_a_contract_held_is_read_at_every_poll() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.endpoint.path.endswith("get_pending_positions"):
            return ok([row(symbol="BTCUSDC")])
        return wallets(USDC="0")(asked)

    client, transport = bitunix_account_by(answer)
    client.fetch_positions()
    transport.asked.clear()
    summaries = [client.poll_summary().value for _ in range(4)]

    assert coins_asked(transport).count("USDC") == 4
    assert all([one.asset for one in summary.balances] == ["USDT", "USDC"] for summary in summaries)


def test_a_wallet_that_the_venue_does_not_know_is_not_asked_again_and_costs_nothing_else() -> None:
    client, transport = bitunix_account_by(wallets(USDC="refused", BTC="refused", ETH="refused"))

    found = [client.poll_summary().value for _ in range(60)]

    assert all(summary.equity == D("990.75") and summary.problems == () for summary in found)
    assert sorted(coin or "" for coin in coins_asked(transport) if coin != "USDT") == ["BTC", "ETH", "USDC"]


def test_a_position_in_a_delisted_contract_is_shown_like_any_other() -> None:
    usual = row(symbol="STRAXUSDT")
    old = {name: value for name, value in usual.items() if name not in {"marginCoin", "marginRate", "mtime"}}

    found = positions(old, row(symbol="BTCUSDT", positionId="2"))

    assert [one.venue_symbol for one in found.positions] == ["STRAXUSDT", "BTCUSDT"]
    assert (found.positions[0].margin_ratio, found.positions[0].updated_at) == (None, None)
    assert found.is_complete
    assert found.problems == ()


# Positions


def test_buy_and_long_are_long_sell_and_short_are_short() -> None:
    found = positions(
        *[row(side=side, positionId=str(number)) for number, side in enumerate(["BUY", "LONG", "SELL", "SHORT"])]
    )

    assert [one.side for one in found.positions] == [PositionSide.LONG] * 2 + [PositionSide.SHORT] * 2
    assert all(one.size > 0 for one in found.positions)


@pytest.mark.parametrize("side", ["", None, "BOTH", 1, ["BUY"], "NONE"])
def test_another_side_is_never_guessed_and_costs_only_its_row(side: object) -> None:
    found = positions(row(side=side), row(1))

    assert [one.position_id for one in found.positions] == [row(1)["positionId"]]
    assert not found.is_complete
    assert [(problem.path, problem.is_row_lost) for problem in found.problems] == [("data[0].side", True)]


def test_ids_of_19_digits_stay_exact_as_text_or_number() -> None:
    found = positions(row(positionId="7311842059914772031"), row(1, positionId=7311842059914772033))

    assert [one.position_id for one in found.positions] == ["7311842059914772031", "7311842059914772033"]


def test_an_absurd_liquidation_price_is_hidden() -> None:
    found = positions(row(liqPrice="0"), row(1, liqPrice="-5"), row(2), row(0, positionId="9", liqPrice="61000.5"))

    assert [one.liquidation_price for one in found.positions] == [None, None, None, D("61000.5")]


def test_funding_paid_is_negative_and_fees_paid_are_positive_under_either_name() -> None:
    without_fee = {key: value for key, value in row(1).items() if key != "fee"}
    found = positions(row(), {**without_fee, "fees": "1.5"})

    assert [one.funding for one in found.positions] == [D("-0.4"), D("0.02")]
    assert [one.fee_paid for one in found.positions] == [D("1.35114"), D("1.5")]


def test_a_position_without_optional_fields_is_shown() -> None:
    (one,) = positions({"symbol": "POLUSDT", "qty": "379", "side": "SELL"}).positions

    assert (one.venue_symbol, one.size, one.side) == ("POLUSDT", D(379), PositionSide.SHORT)
    assert one.position_id == "POLUSDT:short"
    assert (one.entry_price, one.mark_price, one.leverage, one.margin, one.opened_at) == (None, None, None, None, None)


def test_a_bad_field_is_unknown_and_hides_nothing_else() -> None:
    found = positions(row(leverage={"x": 1}, unrealizedPNL="NaN", ctime="soon"), row(1))

    first, second = found.positions
    assert (first.leverage, first.unrealized_pnl, first.opened_at) == (None, None, None)
    assert first.entry_price == D("90076.0")
    assert second.leverage == D(26)
    assert found.is_complete
    assert {problem.path for problem in found.problems} == {
        "data[0].leverage",
        "data[0].unrealizedPNL",
        "data[0].ctime",
    }


@pytest.mark.parametrize("bad", [None, 3, "x", [], {"symbol": "X"}, {"qty": "1", "side": "BUY"}])
def test_a_bad_row_hides_no_other(bad: Any) -> None:
    found = positions(row(), bad, row(1))

    assert len(found.positions) == 2
    assert not found.is_complete
    assert found.problems[0].path.startswith("data[1]")


def test_two_positions_of_one_symbol_are_told_apart() -> None:
    found = bitunix_account()[0].fetch_positions().value.positions

    assert [one.venue_symbol for one in found] == ["BTCUSDT", "BTCUSDT", "ETHUSDT"]
    assert len({one.position_id for one in found}) == 3
    assert {one.margin_mode for one in found} == {"cross", "isolated"}


def test_no_positions_and_unknown_positions_are_not_the_same() -> None:
    assert bitunix_account(ok([]))[0].fetch_positions().value.positions == ()
    with pytest.raises(PayloadError):
        bitunix_account(ok(None))[0].fetch_positions()
    with pytest.raises(PayloadError):
        bitunix_account(b'{"code":0,"msg":"Success"}')[0].fetch_positions()


# Orders


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


# History


def test_trades_with_nulls_and_text_totals_are_read() -> None:
    found = bitunix_account()[0].fetch_fills().value.fills

    assert [one.fill_id for one in found] == ["7500000000000000002", "7500000000000000001"]
    assert [one.is_taker for one in found] == [False, True]
    assert (found[1].fee_paid, found[1].fee_asset, found[0].fee_asset) == (D("0.27"), None, "USDT")
    assert found[1].side is OrderSide.BUY
    assert found[1].realized_pnl == D("-1.5")


def test_the_newest_fills_are_asked_in_pages_no_larger_than_needed() -> None:
    client, transport = bitunix_account_by(
        lambda asked: ok(
            {
                "tradeList": [
                    {
                        **bitunix_data(TRADES)["tradeList"][0],
                        "tradeId": str(10**18 + int((asked.params or {})["skip"]) + n),
                    }
                    for n in range(int((asked.params or {})["limit"]))
                ],
                "total": 10_000,
            }
        )
    )
    start = datetime(2026, 1, 1, tzinfo=UTC)

    found = client.fetch_fills(start=start, limit=130).value

    assert len(found.fills) == 130
    assert [(asked.params or {})["limit"] for asked in transport.asked] == ["100", "30"]
    assert {(asked.params or {})["startTime"] for asked in transport.asked} == {"1767225600000"}


class TradeList:
    """Answers for executions, one a minute back from the transport's clock, and anything else as usual."""

    def __init__(self, count: int) -> None:
        self.times_ms: list[int] = []
        self.count = count
        self.is_total_told = True

    def __call__(self, asked: Asked) -> Answer:
        params = asked.params or {}
        start, end = int(params.get("startTime", 0)), int(params["endTime"])
        if not self.times_ms:
            self.times_ms = [end - 60_000 * number for number in range(self.count)]
        inside = [at for at in self.times_ms if start <= at <= end]
        skip, limit = int(params["skip"]), int(params["limit"])
        usual = bitunix_data(TRADES)["tradeList"][0]
        rows = [{**usual, "tradeId": str(10**18 + at), "ctime": str(at)} for at in inside[skip : skip + limit]]
        return ok({"tradeList": rows, **({"total": str(len(inside))} if self.is_total_told else {})})


def is_known_since_midnight(found: FillList) -> bool:
    midnight = found.fills[0].time.replace(hour=0, minute=0, second=0, microsecond=0)
    return found.complete_since is not None and found.complete_since <= midnight


@pytest.mark.parametrize("is_total_told", [True, False])
def test_fills_are_paged_back_to_midnight_and_then_only_the_news_is_asked(is_total_told: bool) -> None:
    trades = TradeList(3_000)
    trades.is_total_told = is_total_told
    client, transport = bitunix_account_by(trades)
    transport.clock.advance(timedelta(hours=10).total_seconds())
    assert (transport.clock.utc_now().hour, transport.clock.utc_now().minute) == (10, 0)

    polls: list[FillList] = []
    while not polls or not is_known_since_midnight(polls[-1]):
        before = len(transport.asked)
        polls.append(client.poll_fills().value)
        assert len(transport.asked) - before <= 1 + 4
        transport.clock.advance(60.0)
    since = polls[-1].complete_since
    transport.asked.clear()
    trades.times_ms.insert(0, trades.times_ms[0] + 30_000)
    last = client.poll_fills().value

    assert [is_known_since_midnight(one) for one in polls] == [False, True], "600 and some in two polls"
    assert len(transport.asked) == 1
    assert last.fills[1:] == polls[-1].fills
    assert last.complete_since == since
    assert len({fill.key for fill in last.fills}) == len(last.fills)


def test_a_short_list_of_fills_is_known_to_be_all() -> None:
    found = bitunix_account_by(TradeList(3))[0].poll_fills().value

    assert len(found.fills) == 3
    assert found.complete_since == ALL_KEPT


def test_a_fill_that_cannot_be_read_is_not_forgotten_by_the_next_poll() -> None:
    data = bitunix_data(TRADES)
    bad = {**data["tradeList"][0], "price": "x", "tradeId": "1"}
    page = ok({"tradeList": [*data["tradeList"], bad], "total": 3})
    client, _ = bitunix_account(page, ok({"tradeList": []}), page)

    first, second = client.poll_fills().value, client.poll_fills().value

    assert any(problem.is_row_lost for problem in first.problems)
    assert second.fills == first.fills
    assert second.complete_since == second.fills[0].time + JUST_AFTER, "only what is newer is sure"


def test_a_budget_that_runs_out_keeps_the_fills_read_so_far() -> None:
    trades = TradeList(3_000)
    asked: list[Asked] = []

    def answer(one: Asked) -> Answer:
        asked.append(one)
        return trades(one) if len(asked) < 3 else BudgetExhausted("ours is used up", available_in_s=60.0)

    client, transport = bitunix_account_by(answer)
    transport.clock.advance(timedelta(hours=10).total_seconds())
    found = client.poll_fills().value

    assert len(found.fills) == 199, "the older page begins with the last of the newer one"
    assert found.complete_since == found.fills[-1].time + JUST_AFTER


def trigger(**changes: object) -> dict[str, Any]:
    """A stop loss of the usual first position, as the venue lists it."""
    usual = {
        "id": "7600000000000000001",
        "positionId": row()["positionId"],
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

    assert found.orders[0].size == D(row()["qty"])
    assert found.is_complete
    assert unknown.orders == ()
    assert not unknown.is_complete, "never a size of 0"


def test_a_trigger_of_an_unknown_position_has_no_side() -> None:
    (one,) = triggers(trigger(), holds=False).orders

    assert one.side is None


def test_past_orders_are_the_done_and_the_cancelled_ones() -> None:
    client, transport = bitunix_account()

    found = client.fetch_order_history().value

    assert not found.is_open
    assert [(one.status, one.price) for one in found.orders] == [("filled", None), ("cancelled", D(88000))]
    assert [(asked.params or {})["queryCanceled"] for asked in transport.asked] == ["false", "true"]


def test_past_positions_have_text_leverage_and_odd_liquidation_sizes() -> None:
    newest, oldest = bitunix_account()[0].fetch_position_history().value.positions

    assert (newest.leverage, newest.liquidated_size, newest.side) == (D(10), None, PositionSide.LONG)
    assert (oldest.leverage, oldest.liquidated_size, oldest.side) == (D(100), D("0.01"), PositionSide.LONG)
    assert (newest.fee_paid, oldest.fee_paid) == (D("2.2"), D("1.1"))
    assert (newest.max_size, newest.close_price, newest.funding) == (D(12), D("155.25"), D("-0.31"))


def test_funding_is_the_sum_of_each_closed_position_with_its_sign() -> None:
    (payment,) = bitunix_account()[0].fetch_funding().value.payments

    assert (payment.venue_symbol, payment.amount) == ("SOLUSDT", D("-0.31"))
    assert payment.is_position_total


def test_leverage_and_margin_mode() -> None:
    client, transport = bitunix_account()

    setting = client.fetch_leverage("btcusdt").value

    assert (setting.leverage, setting.margin_mode) == (D(20), "isolated")
    assert transport.asked[0].params == {"marginCoin": "USDT", "symbol": "BTCUSDT"}


def test_settings_are_asked_in_turn_for_what_is_held_and_ordered() -> None:
    def answer(asked: Asked) -> Answer:
        symbol = (asked.params or {}).get("symbol")
        return ok({**bitunix_data(LEVERAGE), "symbol": symbol}) if symbol else bitunix_answer(asked)

    client, transport = bitunix_account_by(answer)
    first = client.poll_leverage().value
    held = {one.venue_symbol for one in client.fetch_positions().value.positions}
    ordered = {one.venue_symbol for one in client.fetch_open_orders().value.orders}
    transport.asked.clear()
    for _ in held | ordered:
        last = client.poll_leverage().value

    assert [one.venue_symbol for one in first.settings] == ["BTCUSDT"], "nothing is known to be held yet"
    assert {one.venue_symbol for one in last.settings} == held | ordered
    assert len(transport.asked) == len(held | ordered)
    coins = {(asked.params or {})["symbol"]: (asked.params or {})["marginCoin"] for asked in transport.asked}
    assert all(coin == ("USDC" if symbol.endswith("USDC") else "USDT") for symbol, coin in coins.items())


def test_past_positions_and_their_funding_come_from_one_request() -> None:
    client, transport = bitunix_account()

    found = client.poll_past_positions().value

    assert len(transport.asked) == 1
    assert len(found.positions.positions) == 2
    assert [(one.venue_symbol, one.amount) for one in found.funding.payments] == [("SOLUSDT", D("-0.31"))]


def test_one_order_is_asked_by_its_id_alone() -> None:
    client, transport = bitunix_account(ok(order(orderId="42")))

    assert client.fetch_order("42").value.order_id == "42"
    assert transport.asked[0].params == {"orderId": "42"}


# Envelope and errors


@pytest.mark.parametrize("code", [0, "0"])
def test_code_0_is_success_as_number_and_as_text(code: object) -> None:
    body = f'{{"code":{"0" if code == 0 else chr(34) + "0" + chr(34)},"data":[]}}'.encode()

    assert bitunix_account(body)[0].fetch_positions().value.positions == ()


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        (403, CheckOutcome.NO_PERMISSION, "permission"),
        (10003, CheckOutcome.WRONG_KEY, "does not know this API key"),
        (10004, CheckOutcome.IP_NOT_ALLOWED, "IP address"),
        ("10007", CheckOutcome.WRONG_SECRET, "secret does not belong"),
        (100004, CheckOutcome.WRONG_KEY, "does not know"),
        (100008, CheckOutcome.CLOCK_SKEW, "clock"),
        (20014, CheckOutcome.ACCOUNT_CLOSED, "deleted"),
    ],
)
def test_a_refused_key_is_told_precisely(code: int | str, outcome: CheckOutcome, words: str) -> None:
    client, _ = bitunix_account(error(code))

    with pytest.raises(CredentialsRefused, match=words) as caught:
        client.fetch_positions()
    check = client.check()

    assert caught.value.reason == outcome.value
    assert caught.value.kind is ErrorKind.CREDENTIALS
    assert (check.outcome, check.is_ok) == (outcome, False)
    assert words in check.text


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (error(10006), CheckOutcome.RATE_LIMITED),
        (error(10001), CheckOutcome.VENUE_DOWN),
        (Canned(status=503, body=b"<html>down</html>", content_type="text/html"), CheckOutcome.VENUE_DOWN),
        (Canned(status=403, body=b"<html>1010</html>", content_type="text/html"), CheckOutcome.BLOCKED),
        (TransportError("No connection."), CheckOutcome.VENUE_DOWN),
        (b"not json", CheckOutcome.OTHER),
        (ok("odd"), CheckOutcome.OTHER),
        (error(99), CheckOutcome.OTHER),
    ],
)
def test_a_test_tells_the_key_from_the_venue(answer: Answer, outcome: CheckOutcome) -> None:
    check = bitunix_account(answer)[0].check()

    assert (check.outcome, check.is_ok) == (outcome, False)
    assert check.text


def test_a_good_key_is_called_good_with_its_equity() -> None:
    check = bitunix_account()[0].check()

    assert (check.outcome, check.is_ok, check.equity, check.currency) == (CheckOutcome.OK, True, D("990.75"), "USDT")
    assert check.can_trade is None


def test_a_test_waits_for_our_own_budget_but_not_for_ever() -> None:
    waits = [BudgetExhausted("later", available_in_s=wait_s) for wait_s in (0.2, 3.0, 0.0)]
    answers: list[Answer] = [*waits, ok(bitunix_data("account")), waits[0], ok([]), ok({"orderList": [], "total": 0})]
    client, transport = bitunix_account(*answers)
    started_s = transport.clock()

    assert client.check().is_ok
    assert 3.4 <= transport.clock() - started_s < 4.5

    stuck = bitunix_account(BudgetExhausted("later", available_in_s=20.0))[0].check()
    assert stuck.outcome is CheckOutcome.RATE_LIMITED


def test_a_permission_that_is_missing_for_one_read_is_named() -> None:
    def answer(asked: Asked) -> Answer:
        return error(403) if "order" in asked.endpoint.path else bitunix_answer(asked)

    check = bitunix_account_by(answer)[0].check()

    assert check.outcome is CheckOutcome.NO_PERMISSION
    assert "reading orders" in check.text


def strict_clock(skew_s: float, *, is_secret_right: bool = True) -> tuple[Any, FakeTransport]:
    """A venue whose clock is ``skew_s`` ahead of ours and that refuses stamps more than 60 s off."""

    def answer(asked: Asked) -> Answer:
        venue_now = transport.clock.utc_now() + timedelta(seconds=skew_s)
        stamp_ms = int((asked.headers or {})["timestamp"])
        is_fresh = abs(stamp_ms / 1000 - venue_now.timestamp()) < 60
        body = bitunix_answer(asked) if is_fresh and is_secret_right else error(10007, "sign error")
        assert isinstance(body, bytes)
        return Canned(body=body, date=venue_now.replace(microsecond=0))

    client, transport = bitunix_account_by(answer)
    return client, transport


@pytest.mark.parametrize(("skew_s", "word"), [(90.0, "behind"), (-3_600.0, "ahead of")])
def test_a_wrong_clock_is_corrected_for_and_told_with_its_offset(skew_s: float, word: str) -> None:
    client, transport = strict_clock(skew_s)

    check = client.check()

    assert (check.outcome, check.is_ok) == (CheckOutcome.CLOCK_SKEW, True)
    assert check.clock_offset_s == pytest.approx(skew_s, abs=1.2)
    assert check.clock_offset_error_s is not None
    assert check.clock_offset_error_s < 1.0
    assert word in check.text
    assert f"{abs(check.clock_offset_s or 0.0):.1f} s {word}" in check.text
    assert len(transport.asked) == 4


def test_a_wrong_secret_with_a_wrong_clock_is_a_wrong_secret_and_both_are_told() -> None:
    check = strict_clock(300.0, is_secret_right=False)[0].check()

    assert check.outcome is CheckOutcome.WRONG_SECRET
    assert "behind" in check.text


def test_a_wrong_secret_with_a_right_clock_is_tried_once() -> None:
    client, transport = strict_clock(0.0, is_secret_right=False)

    check = client.check()

    assert check.outcome is CheckOutcome.WRONG_SECRET
    assert "clock" not in check.text
    assert len(transport.asked) == 1


def test_a_refusal_inside_http_200_reaches_the_budget() -> None:
    client, transport = bitunix_account(error(10005))

    with pytest.raises(RateLimited):
        client.fetch_positions()

    assert transport.refusals == [("bitunix.positions", None)]


@pytest.mark.parametrize(
    "answer",
    [
        error(10007, f"sign mismatch for {KEY}"),
        error(12345, f"bad key {KEY} secret {SECRET}"),
        Canned(status=403, body=f"<html>{KEY}</html>".encode(), content_type="text/html"),
        TransportError(f"failed with {SECRET}", detail=f"header {KEY}"),
        f'{{"code":0,"data":"{SECRET}","{KEY}":1,"{KEY}":2}}'.encode(),
    ],
)
def test_an_error_never_carries_what_signed_the_request(answer: Answer) -> None:
    with pytest.raises(MonitorError) as caught:
        bitunix_account(answer)[0].fetch_positions()

    said = f"{caught.value!r} {caught.value} {caught.value.user_text} {caught.value.detail} {caught.value.args}"
    assert KEY not in said
    assert SECRET not in said
    assert caught.value.__cause__ is None


def test_a_signature_echoed_by_the_venue_is_taken_out() -> None:
    client, _ = bitunix_account_by(lambda asked: error(77777, str((asked.headers or {})["sign"])))

    with pytest.raises(VenueError, match=r"\*\*\*"):
        client.fetch_positions()


def test_a_page_for_people_is_a_block_at_the_edge() -> None:
    with pytest.raises(EdgeBlocked):
        bitunix_account(Canned(status=403, body=b"<html></html>", content_type="text/html"))[0].fetch_fills()


# Plan and registry


def test_the_plan_asks_as_often_as_promised_and_shares_between_accounts() -> None:
    client, _ = bitunix_account()

    alone = {job.endpoint: job.cadence_s for job in client.poll_jobs()}
    shared = {job.endpoint: job.cadence_s for job in client.poll_jobs(sharers=3)}

    assert alone["bitunix.account"] == alone["bitunix.positions"] == 5.0
    assert alone["bitunix.orders"] == 10.0
    assert shared == {name: 3 * cadence_s for name, cadence_s in alone.items()}
    assert sum(1 / cadence_s for cadence_s in alone.values()) < 0.61
    assert all(job.fetch().value is not None for job in client.poll_jobs())
    assert len({job.key for job in client.poll_jobs()}) == 8
    assert sum(job.weight / job.cadence_s for job in client.poll_jobs()) < 0.61


def test_two_accounts_have_jobs_of_their_own() -> None:
    keys = {job.key for job in bitunix_account()[0].poll_jobs()}

    assert all(key.endswith("@main") for key in keys)


def test_the_registry_builds_this_client() -> None:
    venue = ACCOUNT_VENUES["bitunix"]
    transport = FakeTransport(responder=bitunix_answer)

    made = venue.make_credentials(" main ", {"api_key": f" {KEY}\n", "secret": SECRET})
    client = venue.make_client(transport, made)

    assert made == BITUNIX_CREDENTIALS
    assert client.account.name == "main"
    assert client.fetch_snapshot().value.summary.equity == D("990.75")
    assert "read-only" in venue.advice
