"""A venue's clock, pools and latency windows, as results bring them."""

import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.exchanges.base import Source
from monitor.polling.clock import ClockOffset
from monitor.state.board import Board
from monitor.state.pool_figures import figures_since_start
from monitor.state.pool_history import POOL_HISTORY_SPACING_S, PoolHistory
from tests.fakes.poll_results import FakeClock, make_budget, make_failure, make_quotes, make_success, make_trace

PRICES = {"BTCUSDT": "100"}


def make_pool(host: str = "venue.test:443", **changes: int) -> PoolStats:
    closed = MappingProxyType({CloseCause.STALE: 1})
    return PoolStats(venue="bitunix", host=host, scheme="https", closed=closed, **changes)  # type: ignore[arg-type]  # counters


@given(
    st.floats(-5.0, 5.0),
    st.lists(st.tuples(st.floats(0.0, 0.4), st.floats(0.0, 1.0), st.floats(0.0, 1.0)), min_size=1, max_size=80),
)
def test_the_true_clock_offset_is_within_the_bound(true_s: float, polls: list[tuple[float, float, float]]) -> None:
    """A venue stamps somewhere within the round trip and cuts the stamp to a whole second."""
    clock = ClockOffset()
    local_s = 1_000_000.0
    for round_trip_s, stamped_at, pause_s in polls:
        local_s += 1.0 + pause_s
        venue_s = local_s + round_trip_s * stamped_at + true_s
        clock.add(math.floor(venue_s) + 0.5 - (local_s + round_trip_s / 2), round_trip_s)

    assert clock.offset_s is not None
    assert clock.error_s is not None
    assert abs(clock.offset_s - true_s) <= clock.error_s + 1e-6
    assert clock.error_s <= 0.5 + 0.2 + 1e-6


def test_many_stamps_narrow_the_offset_below_the_second_they_are_cut_to() -> None:
    clock = ClockOffset()
    for number in range(60):
        local_s = 1_000.0 + number * 1.017
        clock.add(math.floor(local_s + 0.03 + 0.2) + 0.5 - (local_s + 0.03), 0.06)

    assert clock.offset_s == pytest.approx(0.2, abs=0.05)
    assert clock.error_s is not None
    assert clock.error_s < 0.1


def test_a_clock_that_was_set_is_followed() -> None:
    clock = ClockOffset()
    for _ in range(10):
        clock.add(0.1, 0.05)
    for _ in range(5):
        clock.add(3_600.0, 0.05)

    assert clock.offset_s == 3_600.0
    assert clock.error_s == pytest.approx(0.525)


def test_a_clock_without_a_sample_is_unknown() -> None:
    clock = ClockOffset()
    before = (clock.offset_s, clock.error_s)
    clock.add(0.3, 0.1)
    clock.forget()

    assert before == (None, None)
    assert (clock.offset_s, clock.error_s) == (None, None)


def test_offsets_of_cached_replies_are_not_taken() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    board.apply([make_success(make_quotes(PRICES), clock, source=Source.CACHE, clock_offset_s=9.0)])

    assert board.venue("bitunix").clock_offset_s is None


def test_the_newest_snapshot_of_the_pools_counts() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    first, other = make_pool(attempts=1, opened=1), make_pool("other.test:443", attempts=9, reused=8)
    board.apply([make_success(make_quotes(PRICES), clock, pools=[other, first])])
    both = board.venue("bitunix").pools
    newer_mono_s = clock.advance(1.0)
    board.apply([make_success(make_quotes(PRICES), clock, pools=[make_pool(attempts=4, opened=1, reused=3)])])
    late = make_success(make_quotes(PRICES), clock, pools=[first], received_mono_s=newer_mono_s - 0.5, key="late")
    board.apply([late, make_failure(clock)])
    venue = board.venue("bitunix")

    assert both == (other, first)
    assert [(pool.host, pool.attempts) for pool in venue.pools] == [("venue.test:443", 4)]
    assert venue.reuse_ratio == pytest.approx(3 / 4)


def test_figures_told_without_a_poll_count_by_when_they_were_taken() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    venue = board.venue("bitunix")
    taken_mono_s = clock.advance(1.0)
    board.apply([make_success(make_quotes(PRICES), clock, pools=[make_pool(attempts=4, active=1)])])
    board.note_pools("bitunix", [make_pool(attempts=3, idle=1)], make_budget(used=3), taken_mono_s - 0.1)
    before = [pool.attempts for pool in venue.pools]
    board.note_pools("bitunix", [make_pool(attempts=5)], make_budget(used=1), clock.advance(1.0))
    late = make_success(make_quotes(PRICES), clock, pools=[make_pool(attempts=4)], received_mono_s=taken_mono_s)
    board.apply([late])

    assert before == [4]
    assert [pool.attempts for pool in venue.pools] == [5]
    assert venue.budget == make_budget(used=1)
    board.note_pools("bitunix", [], make_budget(), clock.advance(1.0))
    assert venue.pools == (), "its transport was replaced, and no pool exists yet"


def test_figures_of_a_poll_that_a_cache_answered_are_of_its_end() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    board.apply([make_success(make_quotes(PRICES), clock, pools=[make_pool(attempts=4)])])
    replied_mono_s = clock() - 60.0
    hit = make_success(
        make_quotes(PRICES), clock, pools=[make_pool(attempts=9)], received_mono_s=replied_mono_s, source=Source.CACHE
    )
    board.apply([structs.replace(hit, handed_out_mono_s=clock.advance(0.5))])

    assert [pool.attempts for pool in board.venue("bitunix").pools] == [9]


def test_reuse_is_unknown_before_the_first_attempt() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    venue = board.venue("bitunix")

    assert venue.reuse_ratio is None
    assert venue.budget is None
    assert venue.age(clock()) is None
    assert venue.pools == ()


def test_reuse_is_unknown_while_no_connection_was_ever_opened() -> None:
    """Nothing was there to be reused: "0 %" would blame the pool for a network that is down."""
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    dead = make_pool(attempts=17, connect_failed=17)
    venue = board.venue("bitunix")
    board.apply([make_failure(clock)])
    board.apply([make_success(make_quotes(PRICES), clock, pools=[dead])])
    figures = figures_since_start([dead])
    assert figures is not None
    unknown = (dead.reuse_ratio, venue.reuse_ratio, figures.reuse_ratio)
    trend = venue.pool_history.reuse.last_value
    alive = make_pool(attempts=18, connect_failed=17, opened=1)
    clock.advance(3.0)
    board.apply([make_success(make_quotes(PRICES), clock, pools=[alive])])

    assert unknown == (None, None, None)
    assert trend is None or math.isnan(trend)
    assert (alive.reuse_ratio, venue.reuse_ratio) == (0.0, 0.0)


def test_pool_history_shows_the_reuse_of_the_last_minute() -> None:
    """A whole-life ratio would hide for hours that reuse has ended."""
    history = PoolHistory()
    attempts = reused = 0
    for second in range(0, 240, 2):
        attempts += 2
        reused += 2 if second < 120 else 0
        history.add([make_pool(attempts=attempts, reused=reused, idle=1, active=2)], float(second))

    _, shares = history.reuse.points(0, history.reuse.total)
    assert shares[50] == 1.0
    assert shares[-1] == 0.0
    assert history.open.last_value == 3.0
    assert history.idle.last_value == 1.0
    assert history.active.last_value == 2.0


def test_pool_history_is_sampled_no_faster_than_its_spacing() -> None:
    history = PoolHistory()
    for number in range(100):
        history.add([make_pool(attempts=number)], number * POOL_HISTORY_SPACING_S / 10)

    assert len(history.open) == 10


def test_pool_history_has_a_gap_where_nothing_was_asked() -> None:
    history = PoolHistory()
    for at_s in range(0, 101, 2):
        history.add([make_pool(attempts=5, reused=4)], float(at_s))
    history.add([make_pool(attempts=1, opened=1)], 102.0)  # the pool was replaced: its counters began anew

    assert history.reuse_at(0.0) == pytest.approx(0.8)
    assert history.reuse_at(100.0) is None
    assert history.reuse_at(102.0) == 0.0


def test_cold_and_warm_never_share_a_figure() -> None:
    """Trap 5."""
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    traces = [
        make_trace(number, is_cold=number == 0, total_s=1.0 if number == 0 else 0.05, ended_mono_s=clock() + number)
        for number in range(10)
    ]
    board.apply([make_success(make_quotes(PRICES), clock, traces=traces)])
    window = board.venue("bitunix").latency
    cold, warm = (window.summary(0.0, 1e9, is_cold) for is_cold in (True, False))

    assert (cold.n, cold.p50_s) == (1, 1.0)
    assert (warm.n, warm.p50_s) == (9, 0.05)


def test_an_attempt_shared_by_two_results_counts_once() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    for key in ("one", "two"):
        board.apply([make_success(make_quotes(PRICES), clock, key=key, traces=[make_trace(7)])])

    assert len(board.requests) == 1
    assert board.venue("bitunix").latency.summary(0.0, 1e9, False).n == 1


def test_the_budget_shown_is_the_newest() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    board.apply([make_success(make_quotes(PRICES), clock, budget=make_budget(used_60s=60))])
    budget = board.venue("bitunix").budget

    assert budget is not None
    assert budget.used_fraction == pytest.approx(0.1)
