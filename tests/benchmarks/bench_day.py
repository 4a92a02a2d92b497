"""A day of the old bots' job and of the default plan, simulated with measured times, beside what was once claimed.

Cold and warm times are measured first, at the demo exchange in a process of its own with 60 ms of simulated round trip;
the day itself is the real schedule, cache and budget on a simulated clock.

``python tests/benchmarks/bench_day.py`` prints the tables; as a test (marker ``benchmark``) it holds the bars.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from monitor.exchanges.base import Focus
from monitor.exchanges.registry import VENUES
from monitor.proof.day import DayTable, count_day, day_table
from monitor.proof.pool_life import LifeRules
from monitor.proof.simulated import DayFigures, EndpointDay, MeasuredTimes
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
    tables: dict[str, DayTable]
    plans: dict[str, tuple[DayFigures, ...]]
    """A day of the default plan by venue, with other chance phases of its jobs each."""

    @property
    def api_saved(self) -> float:
        """1 - API time of the candle calls with both / with neither."""
        return 1.0 - candles(self.old_job["both"]).api_s / candles(self.old_job["neither"]).api_s


def overhead(day: DayFigures) -> float:
    """Seconds of connection set-up / what a new connection for every poll would have cost."""
    return day.handshakes / day.calls


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
    rules = LifeRules(server_idle_s=SERVER_IDLE_S, max_idle_s=max_idle_s)
    tables, plans = {}, {}
    for name, entry in VENUES.items():
        jobs = entry.make_client(SilentTransport(name)).poll_jobs(
            Focus(venue_symbol=entry.default_watchlist[0], interval="5m")
        )
        rule = entry.budget_rule
        tables[name] = day_table(jobs, budget_rule=rule, times=times, rules=rules, start=START)
        plans[name] = tuple(
            count_day(jobs, budget_rule=rule, times=times, rules=rules, start=START, seed=seed) for seed in SEEDS
        )
    return Days(times, old_job, tables, plans)


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
    yield "One day of the default plan, candles of 5 m in focus"
    yield f"{'':34}" + "".join(f"{name:>12}" for name, _, _ in COLUMNS)
    for name, plan in days.tables.items():
        figures = [getattr(plan, column) for column, _, _ in COLUMNS]
        yield f"{name + ' calls':34}" + "".join(f"{day.calls:>12,}" for day in figures)
        yield f"{name + ' API time, s':34}" + "".join(f"{day.api_s:>12,.0f}" for day in figures)
        yield f"{name + ' handshakes':34}" + "".join(f"{day.handshakes:>12,}" for day in figures)
    yield ""
    yield f"The same with three random starts{'handshakes per 1,000 polls after 1 min':>45}{'overhead':>12}{'old':>8}"
    for name, starts in days.plans.items():
        per_1000 = ", ".join(f"{day.settled_per_1000:.2f}" for day in starts)
        worst = f"{100 * (max(map(overhead, starts)) - 1):.3f} %"
        yield f"{name:33}{per_1000:>45}{worst:>12}{'-90 %':>8}"


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
    for starts in days.plans.values():
        assert max(day.settled_per_1000 for day in starts) <= HANDSHAKES_BAR
        assert 1.0 - max(map(overhead, starts)) >= OVERHEAD_BAR
    for plan in days.tables.values():
        assert plan.both.calls < plan.pooling.calls
        assert plan.both.api_s < plan.cache.api_s < plan.neither.api_s


if __name__ == "__main__":
    print("\n".join(table(simulate())))
