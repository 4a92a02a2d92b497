"""The demo's accounts at any simulated instant: signatures, arithmetic, and lives that follow the demo's markets."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from monitor.simulator.bitunix_private import expected_sign
from monitor.simulator.demo_accounts import BITUNIX_KEYS, BitunixKey
from monitor.simulator.episodes import End, OrderKind, week_start
from monitor.simulator.replies import Moment, Request
from tests.fakes.demo_world import NOON_MS, DemoWorld
from tests.fakes.exchange_data import DATA, RECORDED

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
VECTORS = RECORDED / "bitunix" / "sign_vectors.json"
OUR_VECTORS = DATA / "bitunix" / "sign_vectors.json"
KEY, SECRET = BITUNIX_KEYS[0].key, BITUNIX_KEYS[0].secret
ADDRESS = "0xde00000000000000000000000000000000000001"
PATH = "/api/v1/futures/"


@pytest.fixture(scope="module")
def world() -> DemoWorld:
    return DemoWorld()


def signed(path: str, now_ms: int = NOON_MS, *, key: str = KEY, **params: object) -> Request:
    """A request as a client would send it, its signature made here by hand."""
    query = {name: str(value) for name, value in params.items()}
    nonce = "0123456789abcdef" * 2
    text = nonce + str(now_ms) + key + "".join(name + query[name] for name in sorted(query))
    digest = hashlib.sha256(text.encode()).hexdigest()
    sign = hashlib.sha256((digest + SECRET).encode()).hexdigest()
    headers = {"api-key": key, "nonce": nonce, "timestamp": str(now_ms), "sign": sign}
    return Request("GET", PATH + path, query, headers, b"", "127.0.0.1")


def reply(world: DemoWorld, request: Request, moment: Moment | None = None) -> Any:
    answer = world.bitunix.answer(request, moment or Moment(NOON_MS, NOON_MS))
    assert answer.status == 200, "errors come with HTTP 200 as well"
    return json.loads(answer.body)


def data(world: DemoWorld, path: str, now_ms: int = NOON_MS, *, key: str = KEY, **params: object) -> Any:
    value = reply(world, signed(path, now_ms, key=key, **params), Moment(now_ms, now_ms))
    assert value["code"] == 0, value
    return value["data"]


def changed(request: Request, **headers: str) -> Request:
    kept = {name: text for name, text in {**request.headers, **headers}.items() if text}
    return Request(request.method, request.path, request.query, kept, request.body, request.peer_ip)


def test_the_venue_s_side_of_every_vector_of_ours() -> None:
    verify_vectors(json.loads(OUR_VECTORS.read_text(encoding="utf-8"))["vectors"])


@pytest.mark.skipif(not VECTORS.exists(), reason="the shared vectors are not part of the project")
def test_the_venue_s_side_of_every_shared_signing_vector() -> None:
    verify_vectors([row for row in json.loads(VECTORS.read_text())["vectors"] if row["kind"] == "rest"])


def verify_vectors(rows: list[dict[str, Any]]) -> None:
    assert len(rows) >= 4
    for row in rows:
        headers = {"nonce": row["nonce"], "timestamp": row["timestamp"]}
        request = Request("GET", "/", row["params"], headers, row["body"].encode(), "127.0.0.1")
        key = BitunixKey(row["api_key"], row["secret_key"], "bitunix", "", "")
        assert expected_sign(key, request) == row["sign"], row["name"]


def test_a_vector_of_our_own() -> None:
    headers = {"nonce": "n", "timestamp": "1"}
    request = Request("GET", "/", {"b": "2", "a": "x y", "B": ""}, headers, b'{"c":3}', "127.0.0.1")
    digest = hashlib.sha256(b'n1keyBax yb2{"c":3}').hexdigest()

    assert expected_sign(BitunixKey("key", "secret", "", "", ""), request) == (
        hashlib.sha256(f"{digest}secret".encode()).hexdigest()
    ), "names in byte order, values raw, the body after them"


@pytest.mark.parametrize(
    ("headers", "code", "text"),
    [
        ({"api-key": ""}, 10003, "api-key can't be empty"),
        ({"api-key": "nobody"}, 10003, "api-key can't be empty"),
        ({"sign": ""}, 10007, "Sign signature error"),
        ({"sign": "0" * 64}, 10007, "Sign signature error"),
        ({"nonce": ""}, 10007, "Sign signature error"),
        ({"nonce": "another"}, 10007, "Sign signature error"),
        ({"timestamp": str(NOON_MS + 1)}, 10007, "Sign signature error"),
        ({"timestamp": "yesterday"}, 10007, "Sign signature error"),
        ({"api-key": "demo-key-other-ip"}, 10004, "The current ip is not in the apikey ip whitelist"),
    ],
)
def test_whoever_signs_wrongly_is_refused(world: DemoWorld, headers: dict[str, str], code: int, text: str) -> None:
    value = reply(world, changed(signed("account", marginCoin="USDT"), **headers))

    assert (value["code"], value["data"], value["msg"]) == (code, None, text)


def test_upper_case_and_a_changed_parameter_break_a_signature(world: DemoWorld) -> None:
    good = signed("account", marginCoin="USDT")
    loud = changed(good, sign=good.headers["sign"].upper())
    other = Request(good.method, good.path, {"marginCoin": "USDC"}, good.headers, b"", good.peer_ip)
    with_body = Request(good.method, good.path, good.query, good.headers, b"{}", good.peer_ip)

    assert reply(world, good)["code"] == 0
    assert [reply(world, request)["code"] for request in (loud, other, with_body)] == [10007] * 3


@pytest.mark.parametrize(("off_ms", "code"), [(0, 0), (29_999, 0), (-29_999, 0), (30_001, 10007), (-30_001, 10007)])
def test_a_time_stamp_may_be_half_a_minute_off(world: DemoWorld, off_ms: int, code: int) -> None:
    request = signed("account", NOON_MS + off_ms, marginCoin="USDT")

    assert reply(world, request)["code"] == code
    assert reply(world, request, Moment(NOON_MS, NOON_MS, skew_ms=off_ms))["code"] == 0, "on the venue's clock"


@pytest.mark.parametrize(
    ("key", "code"), [("demo-key-no-permission", 403), ("demo-key-blocked", 20011), ("demo-key-this-ip", 0)]
)
def test_keys_that_may_not(world: DemoWorld, key: str, code: int) -> None:
    assert reply(world, signed("account", key=key, marginCoin="USDT"))["code"] == code


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("account", {}, 1),
        ("account", {"marginCoin": "DOGE"}, 10002),
        ("position/get_pending_positions", {"symbol": "NOPEUSDT"}, 20001),
        ("trade/get_order_detail", {"orderId": "1"}, 20007),
        ("trade/get_order_detail", {"orderId": "1", "symbol": "BTCUSDT"}, 10002),
        ("trade/get_history_orders", {"queryCanceled": "maybe"}, 10002),
        ("trade/place_order", {}, 404),
    ],
)
def test_wrong_questions(world: DemoWorld, path: str, params: dict[str, Any], code: int) -> None:
    assert reply(world, signed(path, NOON_MS, key=KEY, **params))["code"] == code


def test_an_account_is_a_pure_function_of_seed_and_time() -> None:
    first, second, other = DemoWorld(), DemoWorld(), DemoWorld(seed=2)
    later = data(second, "trade/get_history_trades", NOON_MS + HOUR_MS, limit=100)

    same = [data(one, "trade/get_history_trades", limit=100) for one in (first, second)]

    assert same[0] == same[1] != data(other, "trade/get_history_trades", limit=100)
    newest = {row["tradeId"] for row in later["tradeList"]}
    assert newest & {row["tradeId"] for row in same[0]["tradeList"]}, "the hour before is still the same"


def test_every_fill_is_a_price_of_its_minute(world: DemoWorld) -> None:
    fills = data(world, "trade/get_history_trades", limit=100, symbol="BTCUSDT")["tradeList"]

    assert len(fills) > 20
    for fill in fills[:20]:
        end = int(fill["ctime"])
        (candle,) = world.data(f"market/kline?symbol=BTCUSDT&interval=1m&limit=1&endTime={end}")
        assert float(candle["low"]) <= float(fill["price"]) <= float(candle["high"])


def test_ids_have_nineteen_digits_and_are_never_used_twice(world: DemoWorld) -> None:
    later = NOON_MS + 5 * DAY_MS
    for name in ("trade/get_history_trades", "trade/get_history_orders", "position/get_history_positions"):
        seen: list[str] = []
        for skip in range(0, 1000, 100):
            page = data(world, name, later, limit=100, skip=skip)
            rows = next(value for value in page.values() if isinstance(value, list))
            seen += [next(iter(row.values())) for row in rows]
        assert len(seen) == len(set(seen)) > 100
        assert {len(ident) for ident in seen} == {19}


def test_pages_under_one_end_time_are_all_there_is(world: DemoWorld) -> None:
    key = "demo-key-busy"
    pages = [
        data(world, "trade/get_pending_orders", key=key, limit=100, skip=skip, endTime=NOON_MS)
        for skip in (0, 100, 200, 300)
    ]

    ids = [row["orderId"] for page in pages for row in page["orderList"]]
    assert {page["total"] for page in pages} == {str(len(ids))}
    assert len(ids) == len(set(ids)) > 200
    assert {row["status"] for page in pages for row in page["orderList"]} >= {"NEW", "NEW_"}
    assert len(data(world, "trade/get_pending_orders", key=key)["orderList"]) == 10, "the default"


def test_profit_moves_with_the_mark_and_the_wallet_only_with_fills(world: DemoWorld) -> None:
    quiet = NOON_MS + 5000
    before, after = (data(world, "account", now, marginCoin="USDC") for now in (NOON_MS, quiet))

    def wallet(row: Any) -> float:
        return sum(float(row[name]) for name in ("available", "frozen", "margin"))

    assert wallet(before) == pytest.approx(wallet(after))
    assert before["crossUnrealizedPNL"] != after["crossUnrealizedPNL"]
    (position,) = data(world, "position/get_pending_positions", symbol="ETHUSDC")
    (ticker,) = world.data("market/tickers?symbols=ETHUSDC")
    expected = float(position["qty"]) * (float(ticker["markPrice"]) - float(position["avgOpenPrice"]))
    assert float(position["unrealizedPNL"]) == pytest.approx(expected, abs=1e-6)


def test_realised_profit_of_an_open_position_has_fee_and_funding_in_it(world: DemoWorld) -> None:
    for row in data(world, "position/get_pending_positions"):
        assert float(row["fee"]) < 0, "negative is paid"
        assert float(row["realizedPNL"]) == pytest.approx(float(row["fee"]) + float(row["funding"]), abs=1e-8)
        assert row["side"] in ("BUY", "SELL")


def test_an_absurd_liquidation_price_and_a_row_that_lacks_fields_are_there(world: DemoWorld) -> None:
    rows = {(row["symbol"], row["side"]): row for row in data(world, "position/get_pending_positions")}

    short = rows["ETHUSDT", "SELL"]
    assert float(short["liqPrice"]) > 10 * float(short["avgOpenPrice"])
    assert float(rows["BTCUSDT", "BUY"]["liqPrice"]) < 0
    assert {"marginCoin", "marginRate", "mtime"}.isdisjoint(rows["STRAXUSDT", "BUY"])


def test_a_liquidation_closes_at_the_price_that_was_announced(world: DemoWorld) -> None:
    rows = data(world, "position/get_history_positions", limit=100)["positionList"]
    liquidated = [row for row in rows if float(row["liqQty"] or 0) < 0]

    assert liquidated
    for row in liquidated:
        level, close = float(row["liqPrice"]), float(row["closePrice"])
        assert close >= level if row["side"] == "SELL" else close <= level
        assert close == pytest.approx(level, rel=2e-3)
        assert float(row["realizedPNL"]) < 0


def test_a_liquidation_at_hyperliquid_is_a_fill_at_the_announced_price_and_ends_the_position(world: DemoWorld) -> None:
    def held(now_ms: int) -> list[dict[str, Any]]:
        rows = world.info({"type": "clearinghouseState", "user": ADDRESS}, now_ms)["assetPositions"]
        return [row["position"] for row in rows if row["position"]["coin"] == fill["coin"]]

    fills = world.info({"type": "userFills", "user": ADDRESS}, NOON_MS)
    liquidations = [row for row in fills if "liquidation" in row]
    assert liquidations
    for fill in liquidations:
        side = "Short" if fill["side"] == "B" else "Long"
        (before,) = held(fill["time"] - 1)
        assert fill["dir"] == f"Liquidated Isolated {side}"
        assert fill["liquidation"]["liquidatedUser"] == ADDRESS
        assert float(fill["closedPnl"]) < 0
        assert float(fill["px"]) == pytest.approx(float(before["liquidationPx"]), rel=2e-3)
        assert float(fill["sz"]) == abs(float(before["szi"])), "all of it"
        used = float(before["positionValue"]) / (2 * before["maxLeverage"]) / float(before["marginUsed"])
        assert used == pytest.approx(1.0, abs=0.1), "maintenance margin and margin have met"
        assert held(fill["time"]) == []


def test_orders_fill_bit_by_bit_or_are_given_up(world: DemoWorld) -> None:
    holdings = world.hyperliquid_holdings(ADDRESS)
    orders = [order for _, order in holdings.past_orders(NOON_MS)]

    assert any(len(order.fills) > 1 for order in orders)
    assert {order.end for order in orders} >= {End.FILLED, End.CANCELLED, End.SIBLING}
    for order in orders:
        assert sum(fill.lots for fill in order.fills) <= order.lots
        assert all(order.placed_ms <= fill.time_ms <= order.end_ms for fill in order.fills)
        if order.price is not None:
            assert all(fill.price == order.price for fill in order.fills), "a resting order fills at its own price"


def test_an_order_is_open_until_the_instant_of_its_last_fill(world: DemoWorld) -> None:
    holdings = world.hyperliquid_holdings(ADDRESS)
    order = next(
        order
        for _, order in holdings.past_orders(NOON_MS)
        if order.kind is OrderKind.LIMIT and len(order.fills) > 1 and order.end is End.FILLED
    )

    def is_listed(now_ms: int) -> bool:
        return any(row["timestamp"] == order.placed_ms for row in world.info(
            {"type": "openOrders", "user": ADDRESS}, now_ms))  # fmt: skip

    assert not is_listed(order.placed_ms - 1)
    assert is_listed(order.placed_ms)
    assert is_listed(order.end_ms - 1)
    assert not is_listed(order.end_ms)


def test_no_position_is_held_over_monday_midnight(world: DemoWorld) -> None:
    monday = week_start(NOON_MS)

    assert world.hyperliquid_holdings(ADDRESS).held(monday) == []
    state = world.info({"type": "clearinghouseState", "user": ADDRESS}, monday)
    assert state["marginSummary"]["accountValue"] == "40000.0", "what was won or lost was made up for"
    assert world.hyperliquid_holdings(ADDRESS).held(monday + 3000)


def test_children_wait_with_their_parent_and_on_their_own(world: DemoWorld) -> None:
    body = {"type": "frontendOpenOrders", "user": ADDRESS}
    for minute in range(0, 600, 5):
        rows = world.info(body, NOON_MS + minute * 60_000)
        parents = [row for row in rows if row["children"]]
        if parents:
            break
    assert parents, "the maker's entries wait for their price every now and then"
    own = {row["oid"] for row in rows}
    assert all(child["isTrigger"] and child["oid"] in own for parent in parents for child in parent["children"])


def test_portfolio_margin_counts_the_perp_side_once(world: DemoWorld) -> None:
    user = ADDRESS[:-1] + "3"
    state = world.info({"type": "clearinghouseState", "user": user})
    dollars = world.info({"type": "spotClearinghouseState", "user": user})["balances"][0]

    perp = float(state["marginSummary"]["accountValue"])
    assert float(dollars["total"]) == pytest.approx(float(dollars["supplied"]) + perp, abs=1e-5)


@pytest.mark.parametrize("user", ["0x12", "0x" + "g" * 40, 7, None])
def test_what_is_no_address_is_refused(world: DemoWorld, user: object) -> None:
    assert world.post({"type": "clearinghouseState", "user": user}).status == 422


def test_weights_of_account_reads(world: DemoWorld) -> None:
    def weight(kind: str, **more: object) -> int:
        return world.post({"type": kind, "user": ADDRESS, **more}).weight

    assert weight("clearinghouseState") == weight("spotClearinghouseState") == 2
    assert weight("userRole") == 60
    rows = len(world.info({"type": "userFills", "user": ADDRESS}))
    assert weight("userFills") == 20 + rows // 20


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6])
def test_numbers_of_orders_and_trades_at_hyperliquid_are_never_used_twice(world: DemoWorld, number: int) -> None:
    later, user = NOON_MS + 5 * DAY_MS, f"{ADDRESS[:-1]}{number}"
    orders = [row["order"]["oid"] for row in world.info({"type": "historicalOrders", "user": user}, later)]
    fills = [row["tid"] for row in world.info({"type": "userFills", "user": user}, later)]

    assert len(orders) == len(set(orders)) > 0
    assert len(fills) == len(set(fills)) > 0
