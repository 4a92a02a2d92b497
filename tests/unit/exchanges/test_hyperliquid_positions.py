"""Every trap of Hyperliquid's positions, by name."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import PositionSide
from tests.fakes.account_data import hyperliquid_account
from tests.fakes.hyperliquid_states import by_dex, held, snapshot, state

D = Decimal


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
