"""The official Hyperliquid Python SDK, unchanged, against the demo exchange: every account read it has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.clients
info_module = pytest.importorskip("hyperliquid.info")
error_module = pytest.importorskip("hyperliquid.utils.error")
types_module = pytest.importorskip("hyperliquid.utils.types")

DEMO = "0xde00000000000000000000000000000000000001"
UNIFIED = "0xde00000000000000000000000000000000000002"
PORTFOLIO = "0xde00000000000000000000000000000000000003"
NOBODY = "0x" + "cd" * 20


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=0, arguments=["--no-limits"]) as running:
        yield running


@pytest.fixture
def info(exchange: DemoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # The SDK has no option for a certificate authority; this is how its users trust a corporate one.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(exchange.ca_file))
    client = info_module.Info(exchange.venues["hyperliquid"], skip_ws=True)
    yield client
    client.session.close()


@pytest.mark.parametrize("dex", ["", "xyz", "hyna", "flx"])
def test_user_state_adds_up(info: Any, dex: str) -> None:
    state = info.user_state(DEMO, dex)

    for which in ("marginSummary", "crossMarginSummary"):
        rows = [row["position"] for row in state["assetPositions"]]
        if which == "crossMarginSummary":
            rows = [row for row in rows if row["leverage"]["type"] == "cross"]
        at_mark = sum((1 if float(row["szi"]) > 0 else -1) * float(row["positionValue"]) for row in rows)
        summary = {name: float(value) for name, value in state[which].items()}
        assert summary["accountValue"] == pytest.approx(summary["totalRawUsd"] + at_mark, abs=1e-4)
        assert summary["totalNtlPos"] == pytest.approx(sum(float(row["positionValue"]) for row in rows), abs=1e-4)
        assert summary["totalMarginUsed"] == pytest.approx(sum(float(row["marginUsed"]) for row in rows), abs=1e-4)
    maintenance = sum(
        float(row["position"]["positionValue"]) / (2 * row["position"]["maxLeverage"])
        for row in state["assetPositions"]
        if row["position"]["leverage"]["type"] == "cross"
    )
    assert float(state["crossMaintenanceMarginUsed"]) == pytest.approx(maintenance, abs=1e-4)


def test_an_isolated_position_is_liquidated_where_its_margin_is_the_maintenance(info: Any) -> None:
    rows = [row["position"] for row in info.user_state(DEMO, "hyna")["assetPositions"]]

    assert rows
    for row in rows:
        size, price = float(row["szi"]), float(row["liquidationPx"])
        left = float(row["leverage"]["rawUsd"]) + size * price
        assert left == pytest.approx(abs(size) * price / (2 * row["maxLeverage"]), rel=1e-4)


def test_the_mark_of_a_position_is_the_market_s(info: Any) -> None:
    meta, contexts = info.meta_and_asset_ctxs()
    marks = {row["name"]: float(context["markPx"]) for row, context in zip(meta["universe"], contexts, strict=True)}

    for row in info.user_state(DEMO)["assetPositions"]:
        position = row["position"]
        mark = float(position["positionValue"]) / abs(float(position["szi"]))
        assert mark == pytest.approx(marks[position["coin"]], rel=0.01)


def test_spot_state_of_every_kind_of_account(info: Any) -> None:
    assert {row["coin"] for row in info.spot_user_state(DEMO)["balances"]} == {"USDC", "PURR", "HYPE", "USDT0"}
    unified = info.spot_user_state(UNIFIED)
    dollars = unified["balances"][0]
    free = float(dict(unified["tokenToAvailableAfterMaintenance"])[0])
    assert free == pytest.approx(float(dollars["total"]) - float(dollars["hold"]), abs=1e-6)
    portfolio = info.spot_user_state(PORTFOLIO)
    assert portfolio["portfolioMarginEnabled"] is True
    assert [row["coin"] for row in portfolio["balances"] if float(row["total"]) < 0] == ["HYPE"]
    assert info.spot_user_state(NOBODY) == {"balances": []}


def test_modes_roles_and_sub_accounts(info: Any) -> None:
    assert info.query_user_abstraction_state(DEMO) == "default"
    assert info.query_user_abstraction_state(UNIFIED) == "unifiedAccount"
    assert info.query_user_abstraction_state(PORTFOLIO) == "portfolioMargin"
    assert info.query_user_dex_abstraction_state(DEMO) is False
    assert info.user_role(NOBODY) == {"role": "missing"}
    assert info.user_role(DEMO[:-1] + "4") == {"role": "subAccount", "data": {"master": DEMO}}
    assert info.user_role(DEMO[:-1] + "5") == {"role": "agent", "data": {"user": DEMO}}
    assert info.query_sub_accounts(NOBODY) is None
    (sub,) = info.query_sub_accounts(DEMO)
    assert sub["subAccountUser"] == DEMO[:-1] + "4"
    assert float(sub["clearinghouseState"]["marginSummary"]["accountValue"]) > 0


def test_orders_agree_with_each_other(info: Any) -> None:
    short, full = info.open_orders(DEMO), info.frontend_open_orders(DEMO)

    assert {row["oid"] for row in short} == {row["oid"] for row in full}
    order = full[0]
    status = info.query_order_by_oid(DEMO, order["oid"])
    assert (status["status"], status["order"]["status"]) == ("order", "open")
    assert status["order"]["order"]["limitPx"] == order["limitPx"]
    assert info.query_order_by_oid(DEMO, 1) == {"status": "unknownOid"}
    named = next(row for row in info.historical_orders(DEMO) if row["order"]["cloid"])["order"]
    cloid = types_module.Cloid.from_str(named["cloid"])
    assert info.query_order_by_cloid(DEMO, cloid)["order"]["order"]["oid"] == named["oid"]


def test_fills_by_time_page_through_all_of_them(info: Any) -> None:
    newest_first = info.user_fills(DEMO)
    start, end = newest_first[-1]["time"], newest_first[0]["time"]

    oldest_first = info.user_fills_by_time(DEMO, start, end)

    assert [row["tid"] for row in oldest_first] == [row["tid"] for row in reversed(newest_first)]
    assert len({(row["tid"], row["coin"], row["time"]) for row in oldest_first}) == len(oldest_first) > 100
    assert any(row["feeToken"] == "HYPE" for row in oldest_first), "a spot buy pays in what it buys"
    assert info.user_fills(NOBODY) == []


def test_a_position_is_what_its_fills_made_it(info: Any) -> None:
    fills = info.user_fills(DEMO)
    held = {row["position"]["coin"]: float(row["position"]["szi"]) for row in info.user_state(DEMO)["assetPositions"]}

    assert held
    for coin, size in held.items():
        last = next(fill for fill in fills if fill["coin"] == coin)
        change = float(last["sz"]) * (1 if last["side"] == "B" else -1)
        assert float(last["startPosition"]) + change == pytest.approx(size)


def test_funding_is_the_market_s_rate_on_the_size(info: Any) -> None:
    rows = [row for row in info.user_funding_history(DEMO, 0) if row["delta"]["coin"] == "ETH"]
    rates = {row["time"]: row["fundingRate"] for row in info.funding_history("ETH", rows[0]["time"] - 3_600_000)}

    assert len(rows) > 5
    assert all(later["time"] > earlier["time"] for earlier, later in pairwise(rows))
    for row in rows:
        delta = row["delta"]
        assert float(delta["fundingRate"]) == float(rates[row["time"]])
        assert (float(delta["usdc"]) > 0) is (float(delta["szi"]) * float(delta["fundingRate"]) < 0)


def test_the_rest_answers_for_the_known_and_the_unknown(info: Any) -> None:
    for user in (DEMO, NOBODY):
        assert [name for name, _ in info.portfolio(user)][:4] == ["day", "week", "month", "allTime"]
        assert set(info.user_rate_limit(user)) == {"cumVlm", "nRequestsUsed", "nRequestsCap", "nRequestsSurplus"}
        assert float(info.user_fees(user)["userCrossRate"]) > float(info.user_fees(user)["userAddRate"]) > 0
        assert info.user_staking_delegations(user) == info.user_vault_equities(user) == info.extra_agents(user) == []
        assert info.user_staking_summary(user)["delegated"] == "0.0"
        assert info.query_user_to_multi_sig_signers(user) is None
        assert isinstance(info.user_non_funding_ledger_updates(user, 0), list)
        assert info.query_referral_state(user)["referredBy"] is None


def test_an_address_that_is_none_is_refused(info: Any) -> None:
    with pytest.raises(error_module.ClientError) as wrong:
        info.user_state("0x12")
    assert wrong.value.status_code == 422
    with pytest.raises(error_module.ServerError):
        info.user_state(DEMO, "nope")
