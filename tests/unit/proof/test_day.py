"""The simulated day, over two hours of it and with times chosen for the tests."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.exchanges.base import Focus, PollJob
from monitor.exchanges.registry import VENUES
from monitor.proof.day import REST_EVERY_POLLS, count_day, day_table
from monitor.proof.pool_life import LifeRules, PoolLife
from monitor.proof.simulated import MeasuredTimes
from monitor.transport.budget import BudgetRule
from tests.fakes.day_venue import START, old_job_day
from tests.fakes.silent_transport import SilentTransport, make_fetched, make_job

TWO_HOURS_S = 7_200.0
TIMES = MeasuredTimes(warm_s={"": 0.06}, unpooled_s={"": 0.2}, setup_s=0.12)
RULES = LifeRules(server_idle_s=60.0, max_idle_s=300.0)


def _lives(rules: LifeRules, starts_s: list[float], warm_s: float = 0.06) -> list[bool]:
    pool = PoolLife(rules)
    return [pool.use(start_s, warm_s=warm_s, cold_s=warm_s + 0.12)[1] for start_s in starts_s]


@pytest.mark.parametrize(
    ("rules", "starts_s", "is_cold"),
    [
        (RULES, [0.0, 1.0, 2.0], [True, False, False]),
        (RULES, [0.0, 60.1, 120.2, 180.3], [True, False, True, False]),
        (RULES, [0.0, 75.0, 150.0], [True, True, True]),
        (LifeRules(server_idle_s=400.0, max_idle_s=30.0), [0.0, 31.0], [True, True]),
        (LifeRules(server_idle_s=400.0, max_age_s=100.0), [0.0, 50.0, 99.0, 101.0], [True, False, False, True]),
        (LifeRules(server_idle_s=None, max_requests=2.0), [0.0, 1.0, 2.0, 3.0], [True, False, True, False]),
        (LifeRules(server_idle_s=None), [0.0, 90_000.0], [True, False]),
        (LifeRules(server_idle_s=400.0, is_pooled=False), [0.0, 1.0], [True, True]),
        # The second is asked while the first is under way; then the later of both is used, and lives.
        (RULES, [0.0, 0.1, 30.0, 60.3, 60.31], [True, True, False, False, True]),
    ],
)
def test_connections_end_by_the_rules(rules: LifeRules, starts_s: list[float], is_cold: list[bool]) -> None:
    assert _lives(rules, starts_s) == is_cold


@given(st.lists(st.floats(min_value=0.0, max_value=200.0), min_size=1, max_size=60))
def test_a_pool_never_opens_more_than_one_connection_a_request_nor_fewer_than_overlap(gaps_s: list[float]) -> None:
    starts_s = [sum(gaps_s[: place + 1]) for place in range(len(gaps_s))]
    pool = PoolLife(RULES)
    ends_s: list[float] = []
    for number, start_s in enumerate(starts_s, 1):
        busy = sum(end_s > start_s for end_s in ends_s)
        end_s, is_cold = pool.use(start_s, warm_s=5.0, cold_s=8.0)
        ends_s.append(end_s)

        assert end_s == start_s + (8.0 if is_cold else 5.0)
        assert busy < pool.opened <= number


@pytest.mark.parametrize("ahead_s", [0.37, -20.0])
def test_our_plan_shows_each_close_within_two_seconds_with_one_call_each(ahead_s: float) -> None:
    day = old_job_day(TIMES, is_cached=True, is_pooled=True, duration_s=TWO_HOURS_S, venue_ahead_s=ahead_s)
    candles = day.figures.endpoints["bitunix.kline"]

    assert day.right == day.closes >= 23
    assert day.worst_close_s <= 2.0
    assert candles.calls <= day.closes + 2, "the first read, and one a close"
    assert candles.handshakes <= 1
    assert day.wrong_forming == 0, "the forming candle ends with the newest polled price"
    assert day.worst_price_age_s < 1.5
    assert day.figures.planned == day.figures.made


def test_the_plain_job_asks_every_minute_and_is_as_late_as_that() -> None:
    day = old_job_day(TIMES, is_cached=False, is_pooled=False, duration_s=TWO_HOURS_S)
    candles = day.figures.endpoints["bitunix.kline"]

    assert candles.calls == candles.handshakes == 120
    assert candles.api_s == pytest.approx(120 * 0.2)
    assert 2.0 < day.worst_close_s <= 61.0
    assert 59.0 < day.worst_price_age_s <= 62.0


def test_prices_are_counted_in_a_row_of_their_own() -> None:
    day = old_job_day(TIMES, is_cached=True, is_pooled=True, duration_s=600.0)

    assert day.figures.endpoints["bitunix.tickers"].calls == 600
    assert day.figures.calls == 600 + day.figures.endpoints["bitunix.kline"].calls


def _default_plan(venue: str) -> tuple[PollJob, ...]:
    entry = VENUES[venue]
    client = entry.make_client(SilentTransport(venue))
    return client.poll_jobs(Focus(venue_symbol=entry.default_watchlist[0], interval="5m"))


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_default_plan_opens_next_to_nothing_after_its_first_minute(venue: str, seed: int) -> None:
    day = count_day(
        _default_plan(venue),
        budget_rule=VENUES[venue].budget_rule,
        times=TIMES,
        rules=RULES,
        seed=seed,
        start=START,
        duration_s=TWO_HOURS_S,
    )

    assert day.calls > 10_000
    assert day.settled_per_1000 <= 1.0
    assert day.handshakes / day.calls < 0.01
    assert day.planned == day.made == day.calls


def test_counting_only_finds_what_reading_every_reply_finds() -> None:
    read = old_job_day(TIMES, is_cached=True, is_pooled=True, duration_s=TWO_HOURS_S, venue_ahead_s=0.0)
    jobs = [job for job in _default_plan("bitunix") if job.endpoint in {"bitunix.tickers", "bitunix.kline"}]
    counted = count_day(
        jobs,
        budget_rule=VENUES["bitunix"].budget_rule,
        times=TIMES,
        rules=RULES,
        start=START,
        duration_s=TWO_HOURS_S,
    )

    assert {name: one.calls for name, one in counted.endpoints.items()} == {
        name: one.calls for name, one in read.figures.endpoints.items()
    }
    assert counted.api_s == pytest.approx(read.figures.api_s, rel=1e-3)


def test_the_table_has_a_day_with_and_without_each() -> None:
    steps: list[int] = []
    table = day_table(
        _default_plan("bitunix"),
        budget_rule=VENUES["bitunix"].budget_rule,
        times=TIMES,
        rules=RULES,
        start=START,
        progress=lambda: steps.append(1),
        duration_s=TWO_HOURS_S,
    )
    candles = {
        name: getattr(table, name).endpoints["bitunix.kline"] for name in ("neither", "cache", "pooling", "both")
    }

    assert len(steps) == 4
    assert (candles["neither"].calls, candles["pooling"].calls) == (120, 120)
    assert (candles["cache"].calls, candles["both"].calls) == (25, 25)
    assert table.neither.handshakes == table.neither.calls
    assert table.neither.api_s == pytest.approx(0.2 * table.neither.calls)
    assert table.both.handshakes <= 3
    assert table.both.api_s < 0.35 * table.neither.api_s


def test_whoever_waits_for_a_day_can_give_it_up() -> None:
    class GivenUpError(Exception):
        pass

    rests: list[int] = []

    def rest() -> None:
        rests.append(1)
        if len(rests) == 3:
            raise GivenUpError

    with pytest.raises(GivenUpError):
        count_day(
            _default_plan("bitunix"),
            budget_rule=VENUES["bitunix"].budget_rule,
            times=TIMES,
            rules=RULES,
            start=START,
            rest=rest,
        )
    assert REST_EVERY_POLLS * len(rests) < 1_000


def test_a_poll_that_does_not_fit_the_budget_waits_for_it() -> None:
    job = make_job(lambda: make_fetched(now_s=0.0, now=datetime.now(UTC)), cadence_s=1.0)
    day = count_day(
        (job,),
        budget_rule=BudgetRule(venue="bitunix", limit=10, window_s=10.0),
        times=TIMES,
        rules=RULES,
        start=START + timedelta(hours=1),
        duration_s=600.0,
    )

    assert day.calls == 180, "three in ten seconds are our share"
    assert day.planned > day.made


def test_no_plan_costs_nothing() -> None:
    day = count_day((), budget_rule=VENUES["bitunix"].budget_rule, times=TIMES, rules=RULES, start=START)

    assert (day.calls, day.api_s, day.handshakes) == (0, 0.0, 0)
