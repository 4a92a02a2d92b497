"""What is asked of Hyperliquid for an account, and when: first polls, dexes in turn, failures of a part."""

from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.errors import BudgetExhausted, MonitorError, RateLimited, TransportError
from monitor.exchanges.hyperliquid.account_dexes import DexRotation
from tests.fakes.account_data import ADDRESS, hyperliquid_account, kinds_asked
from tests.fakes.fake_transport import Answer, Canned
from tests.fakes.hyperliquid_states import DEXES, begin, by_dex, held, runner, snapshot, state

D = Decimal


def test_the_mode_is_asked_first_and_prices_only_when_needed() -> None:
    usdc = {"balances": [{"coin": "USDC", "token": 0, "total": "1.0", "hold": "0.0"}]}
    client, transport = hyperliquid_account(spotClearinghouseState=usdc)

    client.fetch_snapshot()
    client.fetch_snapshot()

    assert kinds_asked(transport) == [
        "userAbstraction",
        "perpDexs",
        "clearinghouseState",
        "clearinghouseState:xyz",
        "spotClearinghouseState",
        "clearinghouseState",
        "clearinghouseState:xyz",
        "spotClearinghouseState",
    ]
    assert [asked.weight for asked in transport.asked] == [20, 20, 2, 2, 2, 2, 2, 2]
    assert {asked.document.get("user") for asked in transport.asked} == {ADDRESS.lower(), None}
    assert all((asked.headers or {}) == {"Content-Type": "application/json"} for asked in transport.asked)


def test_a_minute_of_polls_stays_within_its_share_of_the_budget() -> None:
    run = runner(*hyperliquid_account())

    first, second = run(60), run(60)

    assert first < 320
    assert 90 < second < 135


def test_the_first_polls_are_light_and_tell_no_sum_before_every_part_was_read() -> None:
    xyz = state(held(coin="xyz:TSLA"), value="200.0")
    client, transport = hyperliquid_account(clearinghouseState=by_dex(first=state(held()), xyz=xyz))
    (job,) = (one for one in client.poll_jobs() if one.endpoint == "hyperliquid.clearinghouseState")
    assert job.expected is not None
    told = []
    for expected in job.expected:
        transport.asked.clear()
        told.append(client.poll_snapshot().value)
        # The market reads the list of tokens first, and shares it.
        weights = [one.weight for one in transport.asked if one.document["type"] != "spotMeta"]
        assert sum(weights) <= expected
        transport.clock.advance(5.0)

    symbols = [[one.venue_symbol for one in found.positions.positions] for found in told]
    assert symbols == [["BTC"], ["BTC"], *[["BTC", "xyz:TSLA"]] * 2]
    assert [found.positions.is_complete for found in told] == [False, False, True, True]
    sums = [(found.summary.equity, found.summary.available, found.summary.unrealized_pnl) for found in told]
    assert sums[:2] == [(None, None, None)] * 2
    assert told[2].summary.equity is not None
    whole = hyperliquid_account(clearinghouseState=by_dex(first=state(held()), xyz=xyz))[0].fetch_snapshot().value
    assert told[2].summary.equity == whole.summary.equity
    assert told[2].summary.unvalued_assets == whole.summary.unvalued_assets
    assert told[2].positions.positions == whole.positions.positions


def test_a_dex_that_the_budget_left_out_is_read_before_sums_are_told() -> None:
    refused = [BudgetExhausted("no room", available_in_s=60.0)]

    def states(body: dict[str, Any]) -> object:
        if body.get("dex") == "ccc" and refused:
            return refused.pop()
        return by_dex(first=state(held()), ddd=state(held(coin="ddd:A")))(body)

    client, _ = hyperliquid_account(perpDexs=DEXES, clearinghouseState=states)
    told = [client.poll_snapshot().value for _ in range(4)]

    assert [found.positions.is_complete for found in told] == [False, False, False, True]
    assert [len(found.positions.positions) for found in told] == [1, 1, 1, 2]
    assert told[2].summary.equity is None
    assert told[3].summary.equity is not None


def test_dexes_in_use_take_turns_and_their_age_is_told() -> None:
    client, transport = hyperliquid_account(
        clearinghouseState=by_dex(first=state(held()), xyz=state(held(coin="xyz:A")))
    )

    begin(client)
    first_mono_s = transport.clock()
    transport.asked.clear()
    found = []
    for _ in range(4):
        transport.clock.advance(5.0)
        found.append(client.poll_snapshot())

    asked = [kind for kind in kinds_asked(transport) if kind.startswith("clearing")]
    assert asked == ["clearinghouseState", "clearinghouseState:xyz"] * 2
    assert all(len(one.value.positions.positions) == 2 for one in found)
    oldest = found[0].value.positions.oldest_part_mono_s
    assert oldest is not None
    assert oldest < first_mono_s
    newest = found[-1]
    assert (newest.value.positions.oldest_part_mono_s or 0.0) < newest.requested_mono_s


def test_a_position_on_a_quiet_dex_is_found_within_a_minute() -> None:
    states: dict[str, object] = {"first": state(held())}

    def current(body: dict[str, Any]) -> object:
        return by_dex(**states)(body)

    client, transport = hyperliquid_account(clearinghouseState=current)
    begin(client)

    states["xyz"] = state(held(coin="xyz:NEW"))
    polls = 0
    while len(client.poll_snapshot().value.positions.positions) == 1:
        polls += 1
        transport.clock.advance(5.0)

    assert polls <= 12


def test_the_rotation_starts_over_when_the_first_answer_was_of_no_use() -> None:
    rotation = DexRotation(3)

    assert rotation.take([""], ["a"], first=["", "a"]) == ("", "a")
    rotation.again()
    assert rotation.take([""], ["a"], first=["", "a"]) == ("", "a")
    assert rotation.take(["", "b"], ["a"], first=[]) == ("",)
    assert rotation.take(["", "b"], ["a"], first=[]) == ("b", "a")
    assert rotation.take(["", "b"], [], first=[]) == ("",)


def test_a_builder_dex_that_fails_hides_no_other() -> None:
    client, _ = hyperliquid_account(
        clearinghouseState=lambda body: Canned(status=500) if body.get("dex") else state(held())
    )

    found = client.fetch_snapshot().value

    assert [one.venue_symbol for one in found.positions.positions] == ["BTC"]
    assert not found.positions.is_complete
    assert [problem.path for problem in found.positions.problems] == ["dex xyz"]


@pytest.mark.parametrize("failure", [Canned(status=500), Canned(status=429), b"{}", b"null", TransportError("cut")])
def test_the_first_dex_failing_is_a_failure(failure: Answer) -> None:
    client, _ = hyperliquid_account(clearinghouseState=lambda body: failure)

    with pytest.raises(MonitorError):
        client.fetch_snapshot()
    with pytest.raises(MonitorError):
        client.poll_snapshot()


def test_a_rate_limit_in_the_middle_stops_the_read() -> None:
    client, transport = hyperliquid_account(
        clearinghouseState=lambda body: Canned(status=429) if body.get("dex") else state()
    )

    with pytest.raises(RateLimited):
        client.fetch_snapshot()

    assert kinds_asked(transport)[-1] == "clearinghouseState:xyz"


def test_a_budget_that_runs_out_leaves_the_rest_for_later() -> None:
    client, _ = hyperliquid_account(
        clearinghouseState=lambda body: BudgetExhausted("later", available_in_s=60.0) if body.get("dex") else state()
    )

    found = client.fetch_snapshot().value

    assert not found.positions.is_complete
    assert found.positions.problems[0].path == "dex xyz"


def test_prices_that_fail_cost_only_the_values() -> None:
    summary = snapshot(allMids=Canned(status=500)).summary

    assert summary.unvalued_assets == ("PURR", "UBTC")
    assert summary.equity == D("5370.75")
    assert any("prices" in problem.path for problem in summary.problems)
