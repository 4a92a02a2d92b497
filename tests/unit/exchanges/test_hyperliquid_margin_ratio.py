"""How much of its margin a Hyperliquid position has used up, where the venue's state tells."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import Position
from tests.fakes.account_data import hyperliquid_account, hyperliquid_data

D = Decimal


def positions(**changed: object) -> tuple[Position, ...]:
    found: tuple[Position, ...] = hyperliquid_account(**changed)[0].fetch_snapshot().value.positions.positions
    return found


def state_with(number: int, **changes: object) -> dict[str, Any]:
    """The usual state with one position changed."""
    state: dict[str, Any] = hyperliquid_data("clearinghouseState")
    state["assetPositions"][number]["position"].update(changes)
    return state


@pytest.mark.parametrize("mode", ["default", "disabled", "dexAbstraction"])
def test_cross_positions_share_the_ratio_of_their_dex(mode: str) -> None:
    btc, doge, _ = positions(userAbstraction=mode)

    assert btc.margin_mode == doge.margin_mode == "cross"
    assert btc.margin_ratio == doge.margin_ratio == D("128.0") / D("5120.25")


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin", "something new"])
def test_where_one_money_backs_everything_a_cross_position_has_no_ratio_of_its_own(mode: str) -> None:
    btc, doge, eth = positions(userAbstraction=mode)

    assert btc.margin_ratio is None
    assert doge.margin_ratio is None
    assert eth.margin_ratio is not None, "isolated margin is the position's own in every mode"


def test_an_isolated_ratio_is_one_where_the_venue_liquidates() -> None:
    """A long of 2 with 10 times leverage, from 38.3; its liquidation price is computed here, not there."""
    size, rate, raw = D(2), 1 / (2 * D(10)), D("-68.4")
    liquidation = -raw / (size * (1 - rate))
    for price, ratio in ((liquidation, D(1)), (D("37.9"), size * D("37.9") * rate / (raw + size * D("37.9")))):
        state = state_with(
            2,
            szi=str(size),
            positionValue=str(size * price),
            marginUsed=str(raw + size * price),
            maxLeverage=10,
            liquidationPx=str(liquidation),
        )
        found = positions(clearinghouseState=state)[2].margin_ratio

        assert found is not None
        assert abs(found - ratio) < D("0.000001")


@pytest.mark.parametrize(
    "changes",
    [
        {"marginUsed": "0.0"},
        {"marginUsed": "-3.5"},
        {"marginUsed": None},
        {"maxLeverage": None},
        {"maxLeverage": 0},
        {"positionValue": None},
        {"leverage": {"type": "somehow", "value": 3}},
    ],
)
def test_what_cannot_be_told_is_unknown_and_hides_nothing(changes: dict[str, object]) -> None:
    found = positions(clearinghouseState=state_with(2, **changes))

    assert found[2].margin_ratio is None
    assert found[2].size == D("0.25")
    assert found[0].margin_ratio is not None


@pytest.mark.parametrize("value", ["0.0", "-12.5"])
def test_an_account_without_equity_has_no_ratio(value: str) -> None:
    state = hyperliquid_data("clearinghouseState")
    state["crossMarginSummary"]["accountValue"] = value

    assert positions(clearinghouseState=state)[0].margin_ratio is None
