"""A day of the old bots' job and of the default plan, simulated with measured times, beside what was once claimed.

Cold and warm times are measured first, at the demo exchange in a process of its own with 60 ms of simulated round trip;
the day itself is the real schedule, cache and budget on a simulated clock.

``python tests/benchmarks/bench_day.py`` prints the tables; as a test (marker ``benchmark``) it holds the bars.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from monitor.exchanges.base import Focus
from monitor.exchanges.registry import VENUES
from monitor.proof.day import EndpointDay, MeasuredTimes, PlanDay, plan_day
from monitor.proof.pool_life import LifeRules
from monitor.transport.budget import WeightBudget
from monitor.transport.config import TransportConfig
from tests.fakes.day_venue import START, OldJobDay, old_job_day
from tests.fakes.demo_exchange import demo_exchange
from tests.fakes.proof_runs import measured_times
from tests.fakes.silent_transport import SilentTransport

RTT_MS = 60.0
REQUESTS = 15
SERVER_IDLE_S = 60.0
"""What the demo exchange allows by default; the day's pools follow the same rule."""
SEEDS = (1, 2, 3)

CALLS_BAR = 300
CLOSE_BAR_S = 2.0
API_BAR = 0.92
HANDSHAKES_BAR = 1.0
OVERHEAD_BAR = 0.99

COLUMNS = (("neither", False, False), ("cache", True, False), ("pooling", False, True), ("both", True, True))


@dataclass(frozen=True)
class Days:
    """Everything this benchmark found."""

    times: MeasuredTimes
    old_job: dict[str, OldJobDay]
    plans: dict[str, PlanDay]

    @property
    def api_saved(self) -> float:
        """1 - API time of the candle calls with both / with neither."""
        return 1.0 - candles(self.old_job["both"]).api_s / candles(self.old_job["neither"]).api_s


def candles(day: OldJobDay) -> EndpointDay:
    """The candle calls of a day."""
    return day.figures.endpoints["bitunix.kline"]


def simulate() -> Days:
    """Measure, then simulate. About half a minute."""
    with demo_exchange(rtt_ms=RTT_MS) as exchange:
        times, _ = measured_times(exchange, requests=REQUESTS)
    max_idle_s = TransportConfig().max_idle_s
    old_job = {
        name: old_job_day(
            times, is_cached=is_cached, is_pooled=is_pooled, server_idle_s=SERVER_IDLE_S, max_idle_s=max_idle_s
        )
        for name, is_cached, is_pooled in COLUMNS
    }
    plans = {}
    for name, entry in VENUES.items():
        client = entry.make_client(SilentTransport(name))
        plans[name] = plan_day(
            client.poll_jobs(Focus(venue_symbol=entry.default_watchlist[0], interval="5m")),
            budget=partial(WeightBudget, entry.budget_rule),
            times=times,
            rules=LifeRules(server_idle_s=SERVER_IDLE_S, max_idle_s=max_idle_s),
            seeds=SEEDS,
            start=START,
        )
    return Days(times, old_job, plans)


def table(days: Days) -> Iterator[str]:
    """The tables as text."""
    warm_s, _ = days.times.of("bitunix.kline", is_pooled=True)
    unpooled_s, _ = days.times.of("bitunix.kline", is_pooled=False)
    yield (
        f"Measured at {RTT_MS:g} ms round trip: candles warm {warm_s * 1000:.1f} ms, unpooled "
        f"{unpooled_s * 1000:.1f} ms, set-up {days.times.setup_s * 1000:.1f} ms"
    )
    yield ""
    yield "One day of the old job: 200 candles of 5 m of one instrument"
    yield f"{'':34}" + "".join(f"{name:>12}" for name, _, _ in COLUMNS) + f"{'old claim':>24}"
    rows = (
        ("candle calls", [f"{candles(day).calls:,}" for day in days.old_job.values()], "1440 -> 300"),
        ("API time of candles, s", [f"{candles(day).api_s:,.1f}" for day in days.old_job.values()], "360 -> 34.5"),
        ("handshakes for candles", [f"{candles(day).handshakes:,}" for day in days.old_job.values()], "-90 %"),
        (
            "closed candle right within, s",
            [f"{day.worst_close_s:.2f}" for day in days.old_job.values()],
            "(plain: chance, <= 60)",
        ),
        ("closed candles right", [f"{day.right}/{day.closes}" for day in days.old_job.values()], ""),
        ("forming one's price at most, s old", [f"{day.worst_price_age_s:.1f}" for day in days.old_job.values()], ""),
        (
            "(price poll, runs anyway) calls",
            [f"{day.figures.endpoints['bitunix.tickers'].calls:,}" for day in days.old_job.values()],
            "",
        ),
        (
            "(price poll, runs anyway) API s",
            [f"{day.figures.endpoints['bitunix.tickers'].api_s:,.0f}" for day in days.old_job.values()],
            "",
        ),
    )
    for name, values, claim in rows:
        yield f"{name:34}" + "".join(f"{value:>12}" for value in values) + f"{claim:>24}"
    yield f"API time of candles, both against neither: {-100 * days.api_saved:.1f} %   (old claim: -90 %)"
    yield ""
    yield "One day of the default plan, three random starts"
    yield f"{'':14}{'polls':>10}{'API s':>10}{'handshakes per 1,000 polls, after 1 min':>42}{'overhead':>12}{'old':>8}"
    for name, plan in days.plans.items():
        per_1000 = ", ".join(f"{value:.2f}" for value in plan.per_1000)
        overhead = f"{100 * (plan.overhead - 1):.3f} %"
        yield f"{name:14}{plan.calls:>10,}{plan.api_s:>10,.0f}{per_1000:>42}{overhead:>12}{'-90 %':>8}"


@pytest.mark.benchmark
def test_a_day_costs_what_is_promised() -> None:
    days = simulate()
    print("\n" + "\n".join(table(days)))
    both, neither = days.old_job["both"], days.old_job["neither"]

    assert candles(neither).calls == 1_440
    assert candles(both).calls <= CALLS_BAR
    assert both.right == both.closes == 288
    assert both.worst_close_s <= CLOSE_BAR_S
    assert both.wrong_forming == 0
    assert both.worst_price_age_s < 2.0, "the price poll's second, and its round trip"
    assert days.api_saved >= API_BAR
    for plan in days.plans.values():
        assert max(plan.per_1000) <= HANDSHAKES_BAR
        assert 1.0 - plan.overhead >= OVERHEAD_BAR


if __name__ == "__main__":
    print("\n".join(table(simulate())))
