import pytest

from monitor.domain.telemetry import BudgetState
from monitor.exchanges.base import Fetched, Payload
from monitor.polling.plan import MIN_CADENCE_S, PollPlan, merge_jobs, plan_costs
from tests.fakes.silent_transport import make_job


def _never() -> Fetched[Payload]:
    raise AssertionError("not fetched here")


TICKERS = make_job(_never, key="bitunix.tickers", cadence_s=1.0, weight=1)
DEPTH = make_job(_never, key="bitunix.depth:BTCUSDT", cadence_s=2.0, weight=1)
META = make_job(_never, key="hyperliquid.meta_and_ctxs", venue="hyperliquid", cadence_s=30.0, weight=20)


def test_cost_is_weight_per_minute_against_the_own_cap() -> None:
    budgets = {
        "bitunix": BudgetState(venue="bitunix", window_s=1.0, limit=10, cap=3, used=0),
        "hyperliquid": BudgetState(venue="hyperliquid", window_s=60.0, limit=1_200, cap=30, used=0),
    }
    costs = plan_costs((TICKERS, DEPTH, META), budgets)

    assert costs["bitunix"].weight_per_min == 90.0
    assert costs["bitunix"].by_endpoint == {"bitunix.tickers": 60.0, "bitunix.depth": 30.0}
    assert (costs["bitunix"].limit_per_min, costs["bitunix"].cap_per_min) == (600.0, 180.0)
    assert costs["bitunix"].is_within_cap
    assert costs["hyperliquid"].weight_per_min == 40.0
    assert not costs["hyperliquid"].is_within_cap
    assert costs["hyperliquid"].cap_fraction == pytest.approx(40.0 / 30.0)


def test_the_user_s_cadences_go_by_endpoint_and_have_a_floor() -> None:
    jobs = merge_jobs([(TICKERS, DEPTH), (META,)], cadences_s={"bitunix.depth": 5.0, "bitunix.tickers": 0.001})

    assert [job.cadence_s for job in jobs] == [MIN_CADENCE_S, 5.0, 30.0]
    assert jobs[2] is META


def test_the_same_job_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="planned twice"):
        PollPlan(epoch=1, jobs=(TICKERS, TICKERS))


def test_venues_come_in_the_order_of_their_first_job() -> None:
    assert PollPlan(epoch=1, jobs=(META, TICKERS, DEPTH)).venues == ("hyperliquid", "bitunix")
