"""Bitunix's executions: read in pages, back to midnight once, and then only what is new."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.account import ALL_KEPT, JUST_AFTER, FillList, OrderSide
from monitor.domain.errors import BudgetExhausted
from tests.fakes.account_data import bitunix_account, bitunix_account_by, bitunix_data
from tests.fakes.exchange_data import ok
from tests.fakes.fake_transport import Answer, Asked

D = Decimal
TRADES = "trade/get_history_trades"


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
