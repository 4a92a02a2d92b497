"""What a Hyperliquid account is worth: standard and unified, spot tokens, builder dexes."""

import json
from decimal import Decimal

import pytest

from monitor.exchanges.hyperliquid.account import HyperliquidAccount
from monitor.exchanges.hyperliquid.client import HyperliquidClient
from tests.fakes.account_data import (
    EMPTY_STATE,
    HYPERLIQUID_CREDENTIALS,
    hyperliquid_account_by,
    hyperliquid_answers,
    hyperliquid_data,
    kinds_asked,
)
from tests.fakes.fake_transport import Answer, Asked, FakeTransport
from tests.fakes.hyperliquid_states import by_dex, held, snapshot, state

D = Decimal


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
    assert [one.name for one in summary.wallets_apart] == ["perp xyz"]
    assert summary.equity == D("250.5") + D("21.05") + D("913.01")


def test_an_empty_account_is_worth_zero_not_unknown() -> None:
    found = snapshot(clearinghouseState=EMPTY_STATE, spotClearinghouseState={"balances": []})

    assert found.summary.equity == 0
    assert found.positions.positions == ()
    assert found.positions.is_complete
