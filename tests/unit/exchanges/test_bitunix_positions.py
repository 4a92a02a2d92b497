"""Every trap of Bitunix's positions, by name: those that are open, those that were closed, and their settings."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import PositionSide
from monitor.domain.errors import PayloadError
from tests.fakes.account_data import bitunix_account, bitunix_account_by, bitunix_answer, bitunix_data, bitunix_position
from tests.fakes.exchange_data import ok
from tests.fakes.fake_transport import Answer, Asked

D = Decimal
LEVERAGE = "account/get_leverage_margin_mode"


def positions(*rows: dict[str, Any]) -> Any:
    return bitunix_account(ok(list(rows)))[0].fetch_positions().value


# Open


def test_buy_and_long_are_long_sell_and_short_are_short() -> None:
    found = positions(
        *[
            bitunix_position(side=side, positionId=str(number))
            for number, side in enumerate(["BUY", "LONG", "SELL", "SHORT"])
        ]
    )

    assert [one.side for one in found.positions] == [PositionSide.LONG] * 2 + [PositionSide.SHORT] * 2
    assert all(one.size > 0 for one in found.positions)


@pytest.mark.parametrize("side", ["", None, "BOTH", 1, ["BUY"], "NONE"])
def test_another_side_is_never_guessed_and_costs_only_its_row(side: object) -> None:
    found = positions(bitunix_position(side=side), bitunix_position(1))

    assert [one.position_id for one in found.positions] == [bitunix_position(1)["positionId"]]
    assert not found.is_complete
    assert [(problem.path, problem.is_row_lost) for problem in found.problems] == [("data[0].side", True)]


def test_ids_of_19_digits_stay_exact_as_text_or_number() -> None:
    found = positions(
        bitunix_position(positionId="7311842059914772031"), bitunix_position(1, positionId=7311842059914772033)
    )

    assert [one.position_id for one in found.positions] == ["7311842059914772031", "7311842059914772033"]


def test_an_absurd_liquidation_price_is_hidden() -> None:
    found = positions(
        bitunix_position(liqPrice="0"),
        bitunix_position(1, liqPrice="-5"),
        bitunix_position(2),
        bitunix_position(0, positionId="9", liqPrice="61000.5"),
    )

    assert [one.liquidation_price for one in found.positions] == [None, None, None, D("61000.5")]


def test_funding_paid_is_negative_and_fees_paid_are_positive_under_either_name() -> None:
    without_fee = {key: value for key, value in bitunix_position(1).items() if key != "fee"}
    found = positions(bitunix_position(), {**without_fee, "fees": "1.5"})

    assert [one.funding for one in found.positions] == [D("-0.4"), D("0.02")]
    assert [one.fee_paid for one in found.positions] == [D("1.35114"), D("1.5")]


def test_a_position_without_optional_fields_is_shown() -> None:
    (one,) = positions({"symbol": "POLUSDT", "qty": "379", "side": "SELL"}).positions

    assert (one.venue_symbol, one.size, one.side) == ("POLUSDT", D(379), PositionSide.SHORT)
    assert one.position_id == "POLUSDT:short"
    assert (one.entry_price, one.mark_price, one.leverage, one.margin, one.opened_at) == (None, None, None, None, None)


def test_a_bad_field_is_unknown_and_hides_nothing_else() -> None:
    found = positions(bitunix_position(leverage={"x": 1}, unrealizedPNL="NaN", ctime="soon"), bitunix_position(1))

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
    found = positions(bitunix_position(), bad, bitunix_position(1))

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


def test_a_position_in_a_delisted_contract_is_shown_like_any_other() -> None:
    usual = bitunix_position(symbol="STRAXUSDT")
    old = {name: value for name, value in usual.items() if name not in {"marginCoin", "marginRate", "mtime"}}

    found = positions(old, bitunix_position(symbol="BTCUSDT", positionId="2"))

    assert [one.venue_symbol for one in found.positions] == ["STRAXUSDT", "BTCUSDT"]
    assert (found.positions[0].margin_ratio, found.positions[0].updated_at) == (None, None)
    assert found.is_complete
    assert found.problems == ()


# Closed


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


def test_past_positions_and_their_funding_come_from_one_request() -> None:
    client, transport = bitunix_account()

    found = client.poll_past_positions().value

    assert len(transport.asked) == 1
    assert len(found.positions.positions) == 2
    assert [(one.venue_symbol, one.amount) for one in found.funding.payments] == [("SOLUSDT", D("-0.31"))]


# Settings


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
