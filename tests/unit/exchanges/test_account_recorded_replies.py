"""The account parsers over recorded replies, which are not part of the project; sums recomputed."""

import json
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import OrderSide, PositionSide
from monitor.domain.errors import VenueError
from monitor.exchanges.hyperliquid.account_parse import DexState, parse_clearinghouse, parse_spot
from monitor.exchanges.hyperliquid.account_values import ONLY_USDC, summarize
from tests.fakes.account_data import HYPERLIQUID_CREDENTIALS, bitunix_account, hyperliquid_account
from tests.fakes.exchange_data import RECORDED, ok

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded replies are not here")

D = Decimal
CENT = D("0.000002")
"""Notionals are rounded to six decimals."""


def b(name: str) -> bytes:
    return (RECORDED / "bitunix" / name).read_bytes()


def h(name: str) -> Any:
    return json.loads((RECORDED / "hyperliquid" / name).read_bytes())


# Bitunix


@pytest.mark.parametrize("name", ["account.json", "account_doc.json"])
def test_bitunix_account(name: str) -> None:
    summary = bitunix_account(b(name))[0].fetch_summary().value

    assert (summary.wallet_balance, summary.equity, summary.available) == (D(1010), D(1012), D(1002))


def test_bitunix_account_with_a_loss() -> None:
    summary = bitunix_account(ok(json.loads(b("account_negative_upnl_data.json"))))[0].fetch_summary().value

    assert (summary.wallet_balance, summary.equity, summary.available) == (D(110), D(110), D(90))


def test_bitunix_position_and_its_sums() -> None:
    (row,) = json.loads(b("pending_positions.json"))["data"]
    (one,) = bitunix_account(b("pending_positions.json"))[0].fetch_positions().value.positions

    assert (one.side, one.position_id, one.liquidation_price) == (PositionSide.SHORT, "6230511510852749846", None)
    assert one.entry_price is not None
    assert one.size * one.entry_price == D(row["entryValue"])
    # What was realised is what fees and funding cost.
    assert one.fee_paid is not None
    assert one.funding is not None
    assert one.realized_pnl == one.funding - one.fee_paid


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("pending_positions_doc.json", PositionSide.LONG),
        ("pending_positions_fees_key.json", PositionSide.LONG),
    ],
)
def test_bitunix_other_position_replies(name: str, side: PositionSide) -> None:
    found = bitunix_account(b(name))[0].fetch_positions().value

    assert [one.side for one in found.positions] == [side]
    assert found.problems == ()


@pytest.mark.parametrize("name", ["pending_positions_partial_row.json", "pending_positions_short_row.json"])
def test_bitunix_position_rows_with_missing_fields(name: str) -> None:
    found = bitunix_account(ok([json.loads(b(name))]))[0].fetch_positions().value

    assert [one.side for one in found.positions] == [PositionSide.SHORT]
    assert found.problems == ()


@pytest.mark.parametrize("name", ["pending_orders.json", "pending_orders_doc.json"])
def test_bitunix_open_orders(name: str) -> None:
    empty = ok({"orderList": [], "total": "10"})
    found = bitunix_account(b(name), empty)[0].fetch_open_orders().value

    (one,) = found.orders
    assert (one.status, one.order_type, one.price, one.filled) == ("new", "limit", D(60000), D("0.5"))
    assert one.side in {OrderSide.BUY, None}
    # They say that there are ten.
    assert not found.is_complete


@pytest.mark.parametrize(
    ("name", "count"),
    [("history_trades.json", 1), ("history_trades_doc.json", 1), ("history_trades_string_total.json", 1)],
)
def test_bitunix_fills(name: str, count: int) -> None:
    empty = ok({"tradeList": [], "total": 10})
    found = bitunix_account(b(name), empty)[0].fetch_fills().value

    assert len(found.fills) == count
    assert found.problems == ()


@pytest.mark.parametrize("name", ["history_orders.json", "history_orders_doc.json"])
def test_bitunix_past_orders(name: str) -> None:
    found = bitunix_account(b(name), ok({"orderList": [], "total": 0}))[0].fetch_order_history().value

    assert [one.status in {"filled", "cancelled"} for one in found.orders] == [True]
    assert found.problems == ()


@pytest.mark.parametrize("name", ["history_positions.json", "history_positions_doc.json"])
def test_bitunix_past_positions(name: str) -> None:
    empty = ok({"positionList": [], "total": 12})
    found = bitunix_account(b(name), empty)[0].fetch_position_history().value

    assert [one.side for one in found.positions] == [PositionSide.LONG]
    assert found.problems == ()


def test_bitunix_leverage() -> None:
    setting = bitunix_account(b("leverage_margin_mode_doc.json"))[0].fetch_leverage("BTCUSDT").value

    assert (setting.leverage, setting.margin_mode) == (D(10), "isolated")


@pytest.mark.parametrize("path", sorted((RECORDED / "bitunix").glob("error_*_*.json")), ids=lambda path: path.name)
def test_bitunix_errors(path: Any) -> None:
    with pytest.raises(VenueError):
        bitunix_account(path.read_bytes())[0].fetch_positions()


def test_every_bitunix_code_is_an_error_of_the_account() -> None:
    for entry in json.loads(b("error_codes.json"))["codes"]:
        body = json.dumps({"code": entry["code"], "data": None, "msg": "x"}).encode()
        if entry["code"] == 0:
            continue
        with pytest.raises(VenueError) as caught:
            bitunix_account(body)[0].fetch_positions()
        assert caught.value.venue_code == str(entry["code"])


# Hyperliquid

STATES = [
    "clearinghouseState__cross_BTC_2026-09-25.json",
    "clearinghouseState__isolated_HYPE_2025-08-06.json",
    "clearinghouseState__many_mainnet_2023-03.json",
    "clearinghouseState__empty_mainnet_2025-12-13.json",
]


def dex_state(name: str) -> DexState:
    return parse_clearinghouse(h(name), "test", "")


@pytest.mark.parametrize("name", STATES)
def test_hyperliquid_account_value_is_cash_and_positions_at_mark(name: str) -> None:
    raw, state = h(name), dex_state(name)
    cash = D(raw["marginSummary"]["totalRawUsd"])
    at_mark = sum(
        (one.size * one.mark_price * (1 if one.side is PositionSide.LONG else -1))
        for one in state.positions
        if one.mark_price is not None
    )

    assert state.problems == ()
    assert len(state.positions) == len(raw["assetPositions"])
    assert state.account_value is not None
    assert abs(cash + at_mark - state.account_value) <= CENT * (1 + len(state.positions))


@pytest.mark.parametrize("name", STATES)
def test_hyperliquid_margins_add_up(name: str) -> None:
    raw, state = h(name), dex_state(name)
    used = sum(one.margin for one in state.positions if one.margin is not None)

    assert abs(used - D(raw["marginSummary"]["totalMarginUsed"])) <= CENT * (1 + len(state.positions))


def test_hyperliquid_isolated_margin_is_the_difference_of_account_values() -> None:
    state = dex_state(STATES[1])
    (one,) = state.positions

    assert state.account_value is not None
    assert state.cross_value is not None
    assert state.account_value - state.cross_value == one.margin
    assert (one.margin_mode, one.liquidation_price) == ("isolated", D("35.8559189474"))


def test_hyperliquid_absurd_liquidation_prices_are_hidden() -> None:
    raw = [row["position"] for row in h(STATES[2])["assetPositions"]]
    state = dex_state(STATES[2])

    for row, one in zip(raw, state.positions, strict=True):
        sent = None if row["liquidationPx"] is None else D(row["liquidationPx"])
        assert one.mark_price is not None
        if one.liquidation_price is None:
            assert sent is None or sent <= 0 or sent > 11 * one.mark_price
        else:
            assert one.liquidation_price == sent


def test_hyperliquid_unified_account_is_its_spot_balances() -> None:
    spot = parse_spot(h("spotClearinghouseState__unifiedAccount_2026-09-13.json"), "test")
    summary = summarize(
        account=HYPERLIQUID_CREDENTIALS.account,
        mode="unifiedAccount",
        dexes=[],
        spot=spot,
        collateral={},
        prices=ONLY_USDC,
    )

    (usdc,) = spot.balances
    assert summary.equity == D("21401.03695889")
    assert summary.available == D("19787.61012389")
    assert usdc.hold is not None
    assert summary.available == usdc.total - usdc.hold


def test_hyperliquid_portfolio_margin_total_already_holds_the_perp_value() -> None:
    (sub,) = h("subAccounts2__portfolio_margin_trimmed_2026.json")
    spot = parse_spot(sub["spotState"], "test")
    raw = sub["spotState"]["balances"][0]
    perp = D(sub["dexToClearinghouseState"][0][1]["marginSummary"]["accountValue"])
    summary = summarize(
        account=HYPERLIQUID_CREDENTIALS.account,
        mode=sub["abstraction"],
        dexes=[parse_clearinghouse(sub["dexToClearinghouseState"][0][1], "test", "")],
        spot=spot,
        collateral={"": 0},
        prices=ONLY_USDC,
    )

    assert abs(D(raw["supplied"]) + perp - D(raw["total"])) < D("0.00000002")
    assert summary.equity == D(raw["total"])
    assert summary.available == D("870.98516812")


@pytest.mark.parametrize("name", ["spotClearinghouseState__empty.json", "spotClearinghouseState__two_tokens_2025.json"])
def test_hyperliquid_spot_states(name: str) -> None:
    spot = parse_spot(h(name), "test")

    assert spot.problems == ()
    assert len(spot.balances) == len(h(name)["balances"])


def test_hyperliquid_orders_with_children() -> None:
    rows = h("frontendOpenOrders__tpsl_children_2023-11-16.json")
    found = hyperliquid_account(frontendOpenOrders=rows)[0].fetch_open_orders().value

    assert len(found.orders) == 3
    assert [one.parent_id for one in found.orders if one.trigger_price] == ["3184595905"] * 2
    assert found.problems == ()


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("openOrders__mainnet_2023-03.json", 60),
        ("openOrders__mainnet_2026-07-19_selection.json", 4),
        ("openOrders__none.json", 0),
    ],
)
def test_hyperliquid_orders(name: str, count: int) -> None:
    found = hyperliquid_account(frontendOpenOrders=h(name))[0].fetch_open_orders().value

    assert len(found.orders) == count
    assert found.problems == ()


@pytest.mark.parametrize(
    "name",
    [
        "userFills__mainnet_2023-05_first60.json",
        "userFills__mixed_2026-06.json",
        "userFills__none.json",
        "userFillsByTime__mainnet_2026-07-19_selection.json",
        "userFillsByTime__testnet_2025-08-22.json",
    ],
)
def test_hyperliquid_fills(name: str) -> None:
    found = hyperliquid_account(userFills=h(name))[0].fetch_fills(limit=5_000).value

    assert len(found.fills) == len(h(name))
    assert found.problems == ()
    assert len(set(found.fills)) == len(found.fills)
    assert sum(one.realized_pnl or 0 for one in found.fills) == sum(D(row["closedPnl"]) for row in h(name))


@pytest.mark.parametrize("name", ["userFunding__HYPE_2025-06-17.json", "userFunding__mainnet_2023-04.json"])
def test_hyperliquid_funding_has_the_sign_of_what_was_received(name: str) -> None:
    found = hyperliquid_account(userFunding=h(name))[0].fetch_funding(limit=1_000).value

    assert len(found.payments) == len(h(name))
    assert found.problems == ()
    for one in found.payments:
        assert one.rate is not None
        assert one.position_size is not None
        # A long pays a positive rate, a short receives it.
        expected = -one.rate * one.position_size
        assert one.amount == 0 or (one.amount > 0) == (expected > 0)


def test_hyperliquid_the_rest() -> None:
    client, _ = hyperliquid_account(
        portfolio=h("portfolio__mainnet_2025-08-22.json"),
        userRateLimit=h("userRateLimit__mainnet_2025-08-22.json"),
        subAccounts=h("subAccounts__docs.json"),
        historicalOrders=h("historicalOrders__mainnet_2025-08-22_first5.json"),
        userRole=h("userRole__vault.json"),
    )

    periods = client.fetch_portfolio().value
    assert [one.period for one in periods.periods][:3] == ["day", "week", "month"]
    assert periods.problems == ()
    assert client.fetch_limits().value.used == 36589831368
    assert client.fetch_sub_accounts().value[0].name == "Test"
    assert len(client.fetch_order_history().value.orders) == 5
    assert client.fetch_role().value.role == "vault"


@pytest.mark.parametrize("name", ["perpDexs__mainnet_2025-12-13.json", "perpDexs__mainnet_2026-09-13_cut.json"])
def test_hyperliquid_whole_account_over_recorded_dexes(name: str) -> None:
    client, transport = hyperliquid_account(
        perpDexs=h(name), clearinghouseState=lambda body: h(STATES[3] if body.get("dex") else STATES[0])
    )
    found = client.fetch_snapshot().value

    assert found.positions.is_complete
    assert sum(asked.document["type"] == "clearinghouseState" for asked in transport.asked) == len(h(name))
