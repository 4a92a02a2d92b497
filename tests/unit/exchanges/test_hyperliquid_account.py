"""Every trap of Hyperliquid's account reads, by name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import OrderSide, PositionSide, distinct_fills
from monitor.domain.credentials import CheckOutcome, CredentialInputError
from monitor.domain.errors import BudgetExhausted, MonitorError, PayloadError, RateLimited, TransportError, VenueError
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from monitor.exchanges.hyperliquid.account_dexes import DexRotation
from monitor.exchanges.hyperliquid.client import HyperliquidClient
from tests.fakes.account_data import (
    ADDRESS,
    EMPTY_STATE,
    HYPERLIQUID_CREDENTIALS,
    hyperliquid_account,
    hyperliquid_account_by,
    hyperliquid_answers,
    hyperliquid_data,
    kinds_asked,
)
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

D = Decimal
PRIVATE_KEY = "4c0883a69102937d" * 4


def state(*positions: dict[str, Any], value: str = "100.0", **changes: object) -> dict[str, Any]:
    summary = {"accountValue": value, "totalNtlPos": "0.0", "totalRawUsd": value, "totalMarginUsed": "10.0"}
    rows = [{"type": "oneWay", "position": one} for one in positions]
    return {**EMPTY_STATE, "marginSummary": summary, "withdrawable": "90.0", "assetPositions": rows, **changes}


def held(number: int = 0, **changes: object) -> dict[str, Any]:
    return {**hyperliquid_data("clearinghouseState")["assetPositions"][number]["position"], **changes}


def by_dex(**states: object) -> Callable[[dict[str, Any]], object]:
    """States by dex; the first dex is ``first``."""
    return lambda body: states.get(body.get("dex") or "first", EMPTY_STATE)


def begin(client: HyperliquidAccount) -> None:
    """The first polls, after which an account is known as a whole."""
    for _ in range(3):
        client.poll_snapshot()


def snapshot(**changed: object) -> Any:
    return hyperliquid_account(**changed)[0].fetch_snapshot().value


# Positions


def test_positions_have_side_size_mark_and_margin_mode() -> None:
    btc, doge, eth = snapshot().positions.positions

    assert (btc.side, btc.size, btc.mark_price) == (PositionSide.LONG, D("0.1"), D("91255"))
    assert (doge.side, doge.size, doge.mark_price) == (PositionSide.SHORT, D(1000), D("0.12"))
    assert (eth.mark_price, eth.margin_mode, eth.leverage) == (D("3158"), "isolated", D(10))
    assert (btc.position_id, btc.margin, btc.unrealized_pnl) == ("BTC", D("912.55"), D("125.5"))


def test_an_absurd_liquidation_price_is_hidden() -> None:
    btc, doge, eth = snapshot().positions.positions

    assert (btc.liquidation_price, doge.liquidation_price, eth.liquidation_price) == (D("45111.1"), None, D("3900.5"))
    (none,) = snapshot(clearinghouseState=by_dex(first=state(held(liquidationPx=None)))).positions.positions
    assert none.liquidation_price is None


def test_the_sign_of_funding_is_turned_in_positions_and_kept_in_payments() -> None:
    """``cumFunding`` is positive when paid, ``userFunding`` when received."""
    client, _ = hyperliquid_account()

    btc, doge, _eth = client.fetch_snapshot().value.positions.positions
    doge_paid, btc_paid = client.fetch_funding().value.payments

    assert (btc.funding, doge.funding) == (D("-3.75"), D("0.5"))
    assert (btc_paid.amount, doge_paid.amount) == (D("-1.25"), D("0.25"))
    assert (doge_paid.position_size, doge_paid.rate) == (D(-1000), D("0.0000125"))


def test_a_position_of_a_delisted_or_unknown_coin_is_shown() -> None:
    delisted = held(coin="MATIC", markPx="0")
    builder = held(coin="xyz:GONE")

    found = snapshot(clearinghouseState=by_dex(first=state(delisted), xyz=state(builder)))

    assert [(one.venue_symbol, one.dex) for one in found.positions.positions] == [("MATIC", ""), ("xyz:GONE", "xyz")]


def test_a_reply_of_2023_with_missing_fields_is_read() -> None:
    position = {key: value for key, value in held().items() if key not in {"cumFunding", "maxLeverage", "leverage"}}
    old = state(position)
    for key in ("time", "crossMaintenanceMarginUsed"):
        del old[key]

    found = snapshot(clearinghouseState=by_dex(first=old))

    (one,) = found.positions.positions
    assert (one.funding, one.leverage, one.margin_mode) == (None, None, None)
    assert (found.summary.venue_time, found.summary.maintenance_margin) == (None, None)
    assert found.positions.problems == ()


@pytest.mark.parametrize("bad", [{"szi": "x"}, {"szi": None}, {"coin": ""}, {"coin": 5}])
def test_a_position_that_cannot_be_told_hides_no_other(bad: dict[str, Any]) -> None:
    found = snapshot(clearinghouseState=by_dex(first=state({**held(), **bad}, held(1)))).positions

    assert [one.venue_symbol for one in found.positions] == ["DOGE"]
    assert not found.is_complete
    assert [problem.path for problem in found.problems] == [f"assetPositions[0].position.{next(iter(bad))}"]


def test_a_bad_field_is_unknown_and_hides_nothing_else() -> None:
    broken = held(entryPx="abc", leverage=7, cumFunding=[1], liquidationPx="NaN")

    (one,) = snapshot(clearinghouseState=by_dex(first=state(broken))).positions.positions

    assert (one.entry_price, one.leverage, one.funding, one.liquidation_price) == (None, None, None, None)
    assert one.unrealized_pnl == D("125.5")


def test_a_flat_row_is_no_position() -> None:
    assert snapshot(clearinghouseState=by_dex(first=state(held(szi="0.0")))).positions.positions == ()


# What it is worth


def test_a_standard_account_is_perp_and_spot_together() -> None:
    summary = snapshot().summary

    # 5120.25 + 250.5 USDC + 100 PURR x 0.2105 + 0.01 UBTC x 91301; the empty USDT0 row counts nothing.
    assert summary.equity == D("5120.25") + D("250.5") + D("21.05") + D("913.01")
    assert summary.available == D("4116.75")
    assert summary.margin_ratio == D("128.0") / D("5120.25")
    assert [(one.location, one.asset) for one in summary.balances] == [
        ("perp", "USDC"),
        ("spot", "USDC"),
        ("spot", "PURR"),
        ("spot", "UBTC"),
    ]
    assert sum(one.value or 0 for one in summary.balances) == summary.equity


@pytest.mark.parametrize("mode", ["default", "disabled", "dexAbstraction"])
def test_separate_modes_add_perp_and_spot(mode: str) -> None:
    assert snapshot(userAbstraction=mode).summary.equity == D("6304.81")


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin"])
def test_a_unified_account_is_counted_once(mode: str) -> None:
    spot = {
        "balances": [{"coin": "USDC", "token": 0, "total": "6000.0", "hold": "1003.5", "entryNtl": "0.0"}],
        "tokenToAvailableAfterMaintenance": [[0, "4996.5"]],
    }

    found = snapshot(userAbstraction=mode, spotClearinghouseState=spot)

    assert found.summary.equity == D(6000)
    assert found.summary.available == D("4996.5")
    assert found.summary.margin_used == D("1003.5")
    assert len(found.positions.positions) == 3
    assert found.summary.maintenance_margin is None


def test_a_borrowed_token_counts_negative_in_portfolio_margin() -> None:
    spot = {
        "balances": [
            {"coin": "USDC", "token": 0, "total": "-100.0", "hold": "0.0"},
            {"coin": "UBTC", "token": 197, "total": "0.01", "hold": "0.0"},
        ]
    }

    summary = snapshot(userAbstraction="portfolioMargin", spotClearinghouseState=spot).summary

    assert summary.equity == D("-100") + D("913.01")


def test_free_money_of_a_unified_account_is_total_less_hold_where_the_venue_has_no_figure() -> None:
    spot = {"balances": [{"coin": "USDC", "token": 0, "total": "100.0", "hold": "40.0"}]}

    assert snapshot(userAbstraction="unifiedAccount", spotClearinghouseState=spot).summary.available == D(60)


def test_an_unknown_mode_leaves_the_equity_unknown_and_says_so() -> None:
    summary = snapshot(userAbstraction="quantumAccount").summary

    assert (summary.equity, summary.available, summary.mode) == (None, None, "quantumAccount")
    assert any(problem.path == "userAbstraction" for problem in summary.problems)


def test_a_token_without_a_price_is_named_and_left_out() -> None:
    spot = {
        "balances": [
            {"coin": "USDC", "token": 0, "total": "10.0", "hold": "0.0"},
            {"coin": "NEWCOIN", "token": 999, "total": "5.0", "hold": "0.0"},
            {"coin": "+30", "total": "100.0", "hold": "0.0"},
            {"coin": "o9", "total": "1.0", "hold": "0.0"},
        ]
    }

    summary = snapshot(spotClearinghouseState=spot).summary

    assert summary.unvalued_assets == ("NEWCOIN", "o9")
    assert summary.equity == D("5120.25") + 10 + 100 * D("0.415")


def test_the_list_of_tokens_is_asked_once_for_market_and_accounts() -> None:
    answer = hyperliquid_answers()
    metas = json.dumps([hyperliquid_data("meta")]).encode()

    def responder(asked: Asked) -> Answer:
        return metas if json.loads(asked.body or b"{}")["type"] == "allPerpMetas" else answer(asked)

    account, transport = hyperliquid_account_by(responder)
    alone = account.fetch_snapshot().value.summary
    assert kinds_asked(transport).count("spotMeta") == 1, "nobody had asked"
    shared = FakeTransport(venue="hyperliquid", responder=responder)
    HyperliquidClient(shared, wall_clock=shared.clock.utc_now).fetch_instruments()
    beside = HyperliquidAccount(shared, HYPERLIQUID_CREDENTIALS, wall_clock=shared.clock.utc_now)

    assert beside.fetch_snapshot().value.summary.equity == alone.equity
    assert kinds_asked(shared).count("spotMeta") == 1


def test_a_builder_dex_counts_in_its_own_collateral() -> None:
    xyz = state(held(coin="xyz:TSLA"), value="200.0")
    spot_meta = hyperliquid_data("spotMeta")
    spot_meta["universe"].append({"tokens": [360, 0], "name": "@230", "index": 230, "isCanonical": False})
    mids = {**hyperliquid_data("allMids"), "@230": "0.999"}

    summary = snapshot(clearinghouseState=by_dex(xyz=xyz), spotMeta=spot_meta, allMids=mids).summary

    assert next(one for one in summary.balances if one.location == "perp xyz").value == D("199.8")
    assert summary.equity == D("250.5") + D("21.05") + D("913.01") + D("199.8")
    assert (summary.margin_used, summary.unrealized_pnl) == (D("10.0") * D("0.999"), D("125.5") * D("0.999"))
    assert summary.unvalued_assets == ()


def test_a_builder_dex_whose_collateral_has_no_price_is_named() -> None:
    summary = snapshot(clearinghouseState=by_dex(xyz=state(value="200.0"))).summary

    assert summary.unvalued_assets == ("perp xyz",)
    assert summary.equity == D("250.5") + D("21.05") + D("913.01")


def test_an_empty_account_is_worth_zero_not_unknown() -> None:
    found = snapshot(clearinghouseState=EMPTY_STATE, spotClearinghouseState={"balances": []})

    assert found.summary.equity == 0
    assert found.positions.positions == ()
    assert found.positions.is_complete


# What is asked, and when


def test_the_mode_is_asked_first_and_prices_only_when_needed() -> None:
    usdc = {"balances": [{"coin": "USDC", "token": 0, "total": "1.0", "hold": "0.0"}]}
    client, transport = hyperliquid_account(spotClearinghouseState=usdc)

    client.fetch_snapshot()
    client.fetch_snapshot()

    assert kinds_asked(transport) == [
        "userAbstraction",
        "perpDexs",
        "clearinghouseState",
        "clearinghouseState:xyz",
        "spotClearinghouseState",
        "clearinghouseState",
        "clearinghouseState:xyz",
        "spotClearinghouseState",
    ]
    assert [asked.weight for asked in transport.asked] == [20, 20, 2, 2, 2, 2, 2, 2]
    assert {asked.document.get("user") for asked in transport.asked} == {ADDRESS.lower(), None}
    assert all((asked.headers or {}) == {"Content-Type": "application/json"} for asked in transport.asked)


def runner(client: HyperliquidAccount, transport: FakeTransport) -> Callable[[int], int]:
    """Polls by the default plan for so many seconds of the transport's clock and tells what that weighed."""
    jobs = client.poll_jobs()
    due = {job.key: 0.0 for job in jobs}

    def run(seconds: int) -> int:
        before = len(transport.asked), len(transport.charged)
        end_s = transport.clock() + seconds
        while transport.clock() < end_s:
            for job in jobs:
                if transport.clock() >= due[job.key]:
                    due[job.key] = transport.clock() + job.cadence_s
                    job.fetch()
            transport.clock.advance(1.0)
        return sum(one.weight for one in transport.asked[before[0] :]) + sum(
            weight for _, weight in transport.charged[before[1] :]
        )

    return run


def test_a_minute_of_polls_stays_within_its_share_of_the_budget() -> None:
    run = runner(*hyperliquid_account())

    first, second = run(60), run(60)

    assert first < 320
    assert 90 < second < 135


def test_the_first_polls_are_light_and_tell_no_sum_before_every_part_was_read() -> None:
    xyz = state(held(coin="xyz:TSLA"), value="200.0")
    client, transport = hyperliquid_account(clearinghouseState=by_dex(first=state(held()), xyz=xyz))
    (job,) = (one for one in client.poll_jobs() if one.endpoint == "hyperliquid.clearinghouseState")
    assert job.expected is not None
    told = []
    for expected in job.expected:
        transport.asked.clear()
        told.append(client.poll_snapshot().value)
        # The market reads the list of tokens first, and shares it.
        weights = [one.weight for one in transport.asked if one.document["type"] != "spotMeta"]
        assert sum(weights) <= expected
        transport.clock.advance(5.0)

    symbols = [[one.venue_symbol for one in found.positions.positions] for found in told]
    assert symbols == [["BTC"], ["BTC"], *[["BTC", "xyz:TSLA"]] * 2]
    assert [found.positions.is_complete for found in told] == [False, False, True, True]
    sums = [(found.summary.equity, found.summary.available, found.summary.unrealized_pnl) for found in told]
    assert sums[:2] == [(None, None, None)] * 2
    assert told[2].summary.equity is not None
    whole = hyperliquid_account(clearinghouseState=by_dex(first=state(held()), xyz=xyz))[0].fetch_snapshot().value
    assert told[2].summary.equity == whole.summary.equity
    assert told[2].summary.unvalued_assets == whole.summary.unvalued_assets
    assert told[2].positions.positions == whole.positions.positions


def test_a_dex_that_the_budget_left_out_is_read_before_sums_are_told() -> None:
    refused = [BudgetExhausted("no room", available_in_s=60.0)]

    def states(body: dict[str, Any]) -> object:
        if body.get("dex") == "ccc" and refused:
            return refused.pop()
        return by_dex(first=state(held()), ddd=state(held(coin="ddd:A")))(body)

    client, _ = hyperliquid_account(perpDexs=DEXES, clearinghouseState=states)
    told = [client.poll_snapshot().value for _ in range(4)]

    assert [found.positions.is_complete for found in told] == [False, False, False, True]
    assert [len(found.positions.positions) for found in told] == [1, 1, 1, 2]
    assert told[2].summary.equity is None
    assert told[3].summary.equity is not None


def test_dexes_in_use_take_turns_and_their_age_is_told() -> None:
    client, transport = hyperliquid_account(
        clearinghouseState=by_dex(first=state(held()), xyz=state(held(coin="xyz:A")))
    )

    begin(client)
    first_mono_s = transport.clock()
    transport.asked.clear()
    found = []
    for _ in range(4):
        transport.clock.advance(5.0)
        found.append(client.poll_snapshot())

    asked = [kind for kind in kinds_asked(transport) if kind.startswith("clearing")]
    assert asked == ["clearinghouseState", "clearinghouseState:xyz"] * 2
    assert all(len(one.value.positions.positions) == 2 for one in found)
    oldest = found[0].value.positions.oldest_part_mono_s
    assert oldest is not None
    assert oldest < first_mono_s
    newest = found[-1]
    assert (newest.value.positions.oldest_part_mono_s or 0.0) < newest.requested_mono_s


def test_a_position_on_a_quiet_dex_is_found_within_a_minute() -> None:
    states: dict[str, object] = {"first": state(held())}

    def current(body: dict[str, Any]) -> object:
        return by_dex(**states)(body)

    client, transport = hyperliquid_account(clearinghouseState=current)
    begin(client)

    states["xyz"] = state(held(coin="xyz:NEW"))
    polls = 0
    while len(client.poll_snapshot().value.positions.positions) == 1:
        polls += 1
        transport.clock.advance(5.0)

    assert polls <= 12


def test_the_rotation_starts_over_when_the_first_answer_was_of_no_use() -> None:
    rotation = DexRotation(3)

    assert rotation.take([""], ["a"], first=["", "a"]) == ("", "a")
    rotation.again()
    assert rotation.take([""], ["a"], first=["", "a"]) == ("", "a")
    assert rotation.take(["", "b"], ["a"], first=[]) == ("",)
    assert rotation.take(["", "b"], ["a"], first=[]) == ("b", "a")
    assert rotation.take(["", "b"], [], first=[]) == ("",)


def test_a_builder_dex_that_fails_hides_no_other() -> None:
    client, _ = hyperliquid_account(
        clearinghouseState=lambda body: Canned(status=500) if body.get("dex") else state(held())
    )

    found = client.fetch_snapshot().value

    assert [one.venue_symbol for one in found.positions.positions] == ["BTC"]
    assert not found.positions.is_complete
    assert [problem.path for problem in found.positions.problems] == ["dex xyz"]


@pytest.mark.parametrize("failure", [Canned(status=500), Canned(status=429), b"{}", b"null", TransportError("cut")])
def test_the_first_dex_failing_is_a_failure(failure: Answer) -> None:
    client, _ = hyperliquid_account(clearinghouseState=lambda body: failure)

    with pytest.raises(MonitorError):
        client.fetch_snapshot()
    with pytest.raises(MonitorError):
        client.poll_snapshot()


def test_a_rate_limit_in_the_middle_stops_the_read() -> None:
    client, transport = hyperliquid_account(
        clearinghouseState=lambda body: Canned(status=429) if body.get("dex") else state()
    )

    with pytest.raises(RateLimited):
        client.fetch_snapshot()

    assert kinds_asked(transport)[-1] == "clearinghouseState:xyz"


def test_a_budget_that_runs_out_leaves_the_rest_for_later() -> None:
    client, _ = hyperliquid_account(
        clearinghouseState=lambda body: BudgetExhausted("later", available_in_s=60.0) if body.get("dex") else state()
    )

    found = client.fetch_snapshot().value

    assert not found.positions.is_complete
    assert found.positions.problems[0].path == "dex xyz"


def test_prices_that_fail_cost_only_the_values() -> None:
    summary = snapshot(allMids=Canned(status=500)).summary

    assert summary.unvalued_assets == ("PURR", "UBTC")
    assert summary.equity == D("5370.75")
    assert any("prices" in problem.path for problem in summary.problems)


# Orders


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


DEXES = [None, *({"name": name} for name in ("aaa", "bbb", "ccc", "ddd", "xyz"))]


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


# Fills and funding


def test_fills_are_newest_first_with_fees_as_paid() -> None:
    dust, spot, liquidated, maker, taker = hyperliquid_account()[0].fetch_fills().value.fills

    assert (dust.fill_id, dust.direction) == ("order 512345670005", "Spot Dust Conversion")
    assert (spot.fee_asset, spot.fee_paid) == ("UBTC", D("0.0000035"))
    assert (liquidated.is_liquidation, liquidated.realized_pnl, liquidated.side) == (True, D("12.5"), OrderSide.SELL)
    assert (maker.fee_paid, maker.is_taker) == (D("-0.135"), False)
    assert (taker.is_taker, taker.is_liquidation, taker.fill_id) == (True, False, "900000000000001")


def test_fills_that_share_a_trade_id_are_read_each_and_an_exact_duplicate_once() -> None:
    usual = hyperliquid_data("userFills")[0]
    rows = [
        {**usual, "tid": 5, "oid": 5},
        {**usual, "tid": 5, "oid": 5, "coin": "@107"},
        {**usual, "tid": 5, "oid": 5, "time": usual["time"] - 1},
        {**usual, "tid": 0, "oid": 0, "sz": "0.01"},
        {**usual, "tid": 0, "oid": 0, "sz": "0.02"},
        {**usual, "tid": 0, "oid": 0, "sz": "0.02"},
    ]
    client, _ = hyperliquid_account(userFills=rows)

    found = client.poll_fills().value.fills

    assert len({fill.key for fill in found}) == 5
    assert len(distinct_fills(found)) == 5
    assert all(fill.position_before == 0 for fill in found)


def test_fills_are_polled_whole_once_and_then_from_the_newest_on() -> None:
    later = {**hyperliquid_data("userFills")[0], "time": 1795430009000, "tid": 7}
    newest_held = hyperliquid_data("userFills")[0]
    client, transport = hyperliquid_account(userFillsByTime=[newest_held, later])

    first = client.poll_fills().value.fills
    second = client.poll_fills().value.fills

    assert kinds_asked(transport) == ["userFills", "userFillsByTime"]
    assert transport.asked[1].document["startTime"] == newest_held["time"]
    assert len(first) == 5
    assert second == (second[0], *first)
    assert second[0].fill_id == "7"
    assert transport.charged == [("hyperliquid.userFills", 1), ("hyperliquid.userFillsByTime", 1)]


@pytest.mark.parametrize(("count", "is_all"), [(1_999, True), (2_000, False)])
def test_a_list_of_fills_as_long_as_the_venue_keeps_is_not_known_to_be_all(count: int, is_all: bool) -> None:
    template = hyperliquid_data("userFills")[4]
    rows = [{**template, "time": 1_767_225_600_000 - n, "tid": n + 1} for n in range(count)]
    client, _ = hyperliquid_account(userFills=rows)
    oldest = datetime.fromtimestamp((1_767_225_600_000 - count + 1) / 1000, UTC)

    for listed in (client.poll_fills().value, client.fetch_fills(limit=5_000).value):
        assert len(listed.fills) == count
        assert listed.complete_since is not None
        assert (listed.complete_since < oldest) is is_all


def test_a_range_is_paged_from_the_last_time_and_each_row_kept_once() -> None:
    template = hyperliquid_data("userFills")[4]
    rows = [{**template, "time": 1_767_225_600_000 + n, "tid": n + 1} for n in range(1_234)]

    def page(body: dict[str, Any]) -> object:
        return [one for one in rows if one["time"] >= body["startTime"]][:500]

    client, transport = hyperliquid_account(userFillsByTime=page)
    found = client.fetch_fills(start=datetime(2026, 1, 1, tzinfo=UTC), limit=5_000).value.fills

    assert [one.fill_id for one in found] == [str(n) for n in range(1_234, 0, -1)]
    assert len(transport.asked) == 3


def test_rows_of_one_millisecond_that_fill_a_page_end_the_paging() -> None:
    template = hyperliquid_data("userFills")[4]
    rows = [{**template, "tid": n + 1} for n in range(500)]
    client, transport = hyperliquid_account(userFillsByTime=rows)

    found = client.fetch_fills(start=datetime(2026, 1, 1, tzinfo=UTC), limit=5_000).value.fills

    assert len(found) == 500
    assert len(transport.asked) == 2


def test_funding_is_polled_from_the_newest_on() -> None:
    client, transport = hyperliquid_account()

    first = client.poll_funding().value.payments
    second = client.poll_funding().value.payments

    assert first == second
    assert transport.asked[1].document["startTime"] == 1795431600034


@pytest.mark.parametrize("bad", [{"px": "x"}, {"coin": None}, {"time": "soon"}, {"sz": "-1"}])
def test_a_bad_fill_hides_no_other(bad: dict[str, object]) -> None:
    rows = hyperliquid_data("userFills")
    rows[1].update(bad)

    found = hyperliquid_account(userFills=rows)[0].fetch_fills().value

    assert len(found.fills) == 4
    assert found.problems[0].path == f"[1].{next(iter(bad))}"


# The rest


def test_portfolio_limits_and_sub_accounts() -> None:
    client, _ = hyperliquid_account()

    day, empty = client.fetch_portfolio().value.periods
    limits = client.fetch_limits().value
    (sub,) = client.fetch_sub_accounts().value

    assert (day.period, day.pnl[-1][1], day.values[0][1]) == ("day", D("-20.5"), D(5000))
    assert empty.values == ()
    assert (limits.used, limits.cap, limits.surplus) == (12, 19_000, None)
    assert (sub.name, sub.address.reveal()) == ("second", "0x" + "c3" * 20)


def test_no_sub_accounts_is_said_with_null() -> None:
    assert hyperliquid_account(subAccounts=b"null")[0].fetch_sub_accounts().value == ()


@pytest.mark.parametrize(
    ("role", "outcome", "is_ok", "words"),
    [
        ({"role": "user"}, CheckOutcome.OK, True, "can be read"),
        ({"role": "vault"}, CheckOutcome.OK, True, "vault"),
        ({"role": "subAccount", "data": {"master": "0x" + "ab" * 20}}, CheckOutcome.OK, True, "sub-account"),
        ({"role": "missing"}, CheckOutcome.UNUSED_ADDRESS, True, "never been used"),
        ({"role": "agent", "data": {"user": "0x" + "ab" * 20}}, CheckOutcome.WRONG_ADDRESS, False, "0xabab…abab"),
        (Canned(status=429), CheckOutcome.RATE_LIMITED, False, "too many"),
        (Canned(status=502, body=b"<html>", content_type="text/html"), CheckOutcome.VENUE_DOWN, False, "unavailable"),
        (TransportError("No connection."), CheckOutcome.VENUE_DOWN, False, "No connection"),
        (b"[]", CheckOutcome.OTHER, False, "object"),
    ],
)
def test_a_test_says_what_the_address_is(role: object, outcome: CheckOutcome, is_ok: bool, words: str) -> None:
    check = hyperliquid_account(userRole=role)[0].check()

    assert (check.outcome, check.is_ok) == (outcome, is_ok)
    assert words in check.text
    assert check.can_trade is False
    assert ADDRESS.lower()[2:] not in check.text


def test_a_test_names_no_equity_that_lacks_a_token() -> None:
    whole = hyperliquid_account()[0].check()
    partial = hyperliquid_account(allMids=BudgetExhausted("later", available_in_s=60.0))[0].check()

    assert whole.equity is not None
    assert partial.is_ok
    assert partial.equity is None


def test_an_address_echoed_by_the_venue_is_taken_out() -> None:
    def answer(asked: Asked) -> Answer:
        return Canned(status=422, body=b"bad user " + ADDRESS.encode(), content_type="text/plain")

    with pytest.raises(VenueError) as caught:
        hyperliquid_account_by(answer)[0].fetch_snapshot()

    assert ADDRESS.lower()[2:] not in f"{caught.value} {caught.value.detail} {caught.value.args}".lower()
    assert "***" in caught.value.detail


@pytest.mark.parametrize("name", ["main", PRIVATE_KEY, f"0x{PRIVATE_KEY}"])
@pytest.mark.parametrize("address", [PRIVATE_KEY, f"0x{PRIVATE_KEY}", f" 0x{PRIVATE_KEY[:32]} {PRIVATE_KEY[32:]}"])
def test_a_private_key_in_any_field_or_the_name_is_refused_with_the_reason(name: str, address: str) -> None:
    venue = ACCOUNT_VENUES["hyperliquid"]

    with pytest.raises(CredentialInputError, match="private key"):
        venue.make_credentials(name, {"address": address})
    with pytest.raises(CredentialInputError, match="private key"):
        venue.make_credentials("main", {"address": ADDRESS, "note": PRIVATE_KEY})


def test_the_registry_builds_this_client() -> None:
    venue = ACCOUNT_VENUES["hyperliquid"]
    made = venue.make_credentials("main", {"address": f" {ADDRESS} "})
    transport = FakeTransport(venue="hyperliquid", responder=hyperliquid_answers())

    client = venue.make_client(transport, made)

    assert client.fetch_snapshot().value.summary.equity == D("6304.81")
    assert [field.title for field in venue.fields] == ["Public address"]
    with pytest.raises(CredentialInputError, match="missing"):
        venue.make_credentials("main", {})


def test_a_reply_that_is_no_list_is_an_error() -> None:
    with pytest.raises(PayloadError):
        hyperliquid_account(userFills={"a": 1})[0].fetch_fills()
