"""What a Bitunix account is worth: the venue's sums, and the wallets of every margin coin."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from monitor.domain.errors import PayloadError
from tests.fakes.account_data import (
    bitunix_account,
    bitunix_account_by,
    bitunix_answer,
    bitunix_data,
    bitunix_position,
    error,
)
from tests.fakes.exchange_data import ok
from tests.fakes.fake_transport import Answer, Asked, FakeTransport

D = Decimal


def test_the_account_may_be_an_object_or_a_list_of_one() -> None:
    data = bitunix_data("account")

    for form in (data, [data]):
        summary = bitunix_account(ok(form))[0].fetch_summary().value
        assert summary.wallet_balance == D("1000.00")
        assert summary.equity == D("990.75")
        assert summary.available == D("799.75")
        assert summary.unrealized_pnl == D("-9.25")
        assert (summary.margin_used, summary.order_margin) == (D("147.75"), D("40"))
        assert summary.mode == "hedge"


@pytest.mark.parametrize("form", [[], [{}, {}], None, "x", 3])
def test_any_other_form_of_the_account_is_an_error(form: object) -> None:
    with pytest.raises(PayloadError, match="data is not an object"):
        bitunix_account(ok(form))[0].fetch_summary()


def test_a_missing_money_field_makes_the_sums_unknown_and_nothing_else() -> None:
    data = bitunix_data("account")
    del data["margin"]
    data["frozen"] = "oops"

    summary = bitunix_account(ok(data))[0].fetch_summary().value

    assert (summary.wallet_balance, summary.equity) == (None, None)
    assert summary.available == D("799.75")
    assert [problem.path for problem in summary.problems] == ["data.frozen"]


def wallets(**balances: str) -> Callable[[Asked], Answer]:
    """Wallets by coin, the first one as usual and others empty unless told; ``refused`` are none at all."""

    def answer(asked: Asked) -> Answer:
        params = asked.params or {}
        if not asked.endpoint.path.endswith("futures/account"):
            return bitunix_answer(asked)
        coin = params["marginCoin"]
        if balances.get(coin) == "refused":
            return error(2, "Parameter error")
        money = balances.get(coin, "0")
        empty = {"available": money, "frozen": "0", "margin": "0", "crossUnrealizedPNL": "0"}
        usual = bitunix_data("account")
        return ok(usual if coin == "USDT" else {**usual, **empty, "isolationUnrealizedPNL": "0", "marginCoin": coin})

    return answer


def coins_asked(transport: FakeTransport) -> list[str | None]:
    return [(asked.params or {}).get("marginCoin") for asked in transport.asked]


def test_another_margin_coin_is_listed_but_not_added() -> None:
    client, transport = bitunix_account_by(wallets(USDC="250"))

    summary = client.fetch_snapshot().value.summary

    assert [(balance.asset, balance.total) for balance in summary.balances] == [("USDT", D(1000)), ("USDC", D(250))]
    assert summary.equity == D("990.75")
    assert summary.unvalued_assets == ("USDC",)
    assert summary.unrealized_pnl == D("-9.25"), "of the same wallet as equity"
    assert [(one.name, one.available, one.unrealized_pnl) for one in summary.wallets_apart] == [
        ("USDC wallet", D(250), D(0))
    ]
    assert coins_asked(transport) == [None, "USDT", "USDC", "BTC", "ETH"]


def test_other_wallets_are_looked_at_by_and_by_without_a_position() -> None:
    client, transport = bitunix_account_by(wallets(ETH="0.75"))
    summaries = []
    for _ in range(36):
        summaries.append(client.poll_summary().value)
        transport.clock.advance(5.0)

    others = [coin for coin in coins_asked(transport) if coin != "USDT"]
    assert others == ["USDC", "BTC", "ETH"], "one a minute"
    assert [balance.asset for balance in summaries[23].balances] == ["USDT"], "an empty wallet is no balance"
    last = summaries[-1]
    assert [(balance.asset, balance.total, balance.value) for balance in last.balances][1] == ("ETH", D("0.75"), None)
    assert last.unvalued_assets == ("ETH",)
    assert last.oldest_part_mono_s is not None
    assert 50.0 < transport.clock() - last.oldest_part_mono_s < 65.0, "how old that wallet is, is told"


def test_the_wallet_of_a_contract_held_is_read_at_every_poll() -> None:
    def answer(asked: Asked) -> Answer:
        if asked.endpoint.path.endswith("get_pending_positions"):
            return ok([bitunix_position(symbol="BTCUSDC")])
        return wallets(USDC="0")(asked)

    client, transport = bitunix_account_by(answer)
    client.fetch_positions()
    transport.asked.clear()
    summaries = [client.poll_summary().value for _ in range(4)]

    assert coins_asked(transport).count("USDC") == 4
    assert all([one.asset for one in summary.balances] == ["USDT", "USDC"] for summary in summaries)


def test_a_wallet_that_the_venue_does_not_know_is_not_asked_again_and_costs_nothing_else() -> None:
    client, transport = bitunix_account_by(wallets(USDC="refused", BTC="refused", ETH="refused"))

    found = [client.poll_summary().value for _ in range(60)]

    assert all(summary.equity == D("990.75") and summary.problems == () for summary in found)
    assert sorted(coin or "" for coin in coins_asked(transport) if coin != "USDT") == ["BTC", "ETH", "USDC"]
