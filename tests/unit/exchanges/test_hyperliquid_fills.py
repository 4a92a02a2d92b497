"""Hyperliquid's executions and funding payments: read whole once, then from the newest on."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.account import OrderSide, distinct_fills
from tests.fakes.account_data import hyperliquid_account, hyperliquid_data, kinds_asked

D = Decimal


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
