"""Fit, clock, gauges, peak and basis of a period: what was seen within it, and nothing from outside."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import ErrorKind
from monitor.domain.market import Instrument
from monitor.domain.pool_health import IdleBucket, KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import PoolStats
from monitor.exchanges.caching import CacheStats
from monitor.polling.clock import ClockOffset
from monitor.state.basis import basis_between
from monitor.state.clock_history import CLOCK_SPACING_S, HOLDS_S, ClockHistory
from monitor.state.fit_history import FitHistory
from monitor.state.period import Period
from monitor.state.pool_history import PoolHistory, span_of
from monitor.state.pool_words import FitKind, describe_fit_of_period
from monitor.state.series import TimeSeries
from monitor.state.venue_period import PeakFinder, most_at_once, pool_period, venue_period
from monitor.state.venue_state import VenueState
from monitor.transport.keep_alive import IdleTimes
from tests.fakes.board_samples import make_board
from tests.fakes.poll_results import make_trace


def watched(fates: Sequence[tuple[float, float, bool]], *, adopted: IdleTimes | None = None) -> FitHistory:
    """A history that saw sockets at (time, idle time, whether it survived) through the transport's own book."""
    times, history = adopted or IdleTimes(), FitHistory()
    history.note(times.fit("h"), 0.0)
    for at_s, idle_s, is_alive in fates:
        times.survived(idle_s)
        if not is_alive:
            times.dropped_after_all(idle_s)
        history.note(times.fit("h"), at_s)
    return history


def test_the_fit_of_a_period_is_of_its_sockets_alone() -> None:
    known = IdleTimes()
    for _ in range(40):
        known.survived(70.0)
    history = watched(
        [(10.0, 0.9, True), (20.0, 0.9, True), (110.0, 62.0, True), (120.0, 62.0, False), (130.0, 63.0, False)],
        adopted=known,
    )
    early, late = history.between(5.0, 100.0, "h"), history.between(100.0, 200.0, "h")

    assert early is not None
    assert [(one.idle_to_s, one.survived, one.dropped) for one in early.buckets] == [(1.0, 2, 0)]
    assert (early.samples, early.shortest_dropped_s) == (2, None)
    assert late is not None
    assert [(one.survived, one.dropped) for one in late.buckets] == [(1, 2)]
    assert late.shortest_dropped_s == late.buckets[0].idle_from_s <= 62.0
    assert history.between(-20.0, -10.0, "h") is None
    nothing = history.between(140.0, 150.0, "h")
    assert nothing is not None
    assert nothing.samples == 0


@given(
    st.lists(st.tuples(st.floats(0.1, 500.0), st.booleans()), max_size=40),
    st.integers(0, 40),
)
def test_the_fits_of_two_halves_are_the_whole(fates: list[tuple[float, bool]], half: int) -> None:
    seen = [(10.0 * number, idle_s, is_alive) for number, (idle_s, is_alive) in enumerate(fates, start=1)]
    history = watched(seen)
    border_s, times = 10.0 * half + 5.0, IdleTimes()
    for _, idle_s, is_alive in seen:
        times.survived(idle_s)
        if not is_alive:
            times.dropped_after_all(idle_s)
    parts = [history.between(*ends, "h") for ends in ((0.0, border_s), (border_s, 1e6))]
    whole = history.between(0.0, 1e6, "h")

    assert whole is not None
    assert whole.buckets == times.fit("h").buckets
    assert sum(0 if part is None else part.samples for part in parts) == whole.samples == len(fates)


def test_a_pool_that_was_replaced_does_not_count_backwards() -> None:
    times, history = IdleTimes(), FitHistory()
    for number in range(5):
        times.survived(2.0)
        history.note(times.fit("h"), 10.0 * number)
    fresh = IdleTimes()
    fresh.survived(2.0)
    history.note(fresh.fit("h"), 60.0)
    fresh.survived(2.0)
    history.note(fresh.fit("h"), 70.0)
    found = history.between(0.0, 100.0, "h")

    assert found is not None
    assert found.samples == 5, "four after the first look, and one after the new pool's first"


def fit(*buckets: tuple[float, float, int, int], dropped_s: float | None = None) -> KeepAliveFit:
    return KeepAliveFit(
        host="h",
        buckets=tuple(
            IdleBucket(idle_from_s=low, idle_to_s=high, survived=alive, dropped=dead)
            for low, high, alive, dead in buckets
        ),
        shortest_dropped_s=dropped_s,
    )


@pytest.mark.parametrize(
    ("seen", "interval_s", "kind", "words"),
    [
        (None, 1.0, FitKind.UNKNOWN, "Not known of this period"),
        (fit(), 1.0, FitKind.UNKNOWN, "No socket was looked at"),
        (
            fit((0.0, 1.0, 40, 0)),
            1.0,
            FitKind.FITS,
            "A request every 1 s fitted. Every socket looked at was still open",
        ),
        (fit((0.0, 1.0, 40, 0)), 60.0, FitKind.UNKNOWN, "None had idled for the poll interval, 60 s."),
        (fit((0.0, 1.0, 40, 0)), None, FitKind.UNKNOWN, "the longest after less than 1 s idle"),
        (fit((56.0, 68.0, 1, 3), dropped_s=56.0), 75.0, FitKind.OUTLIVES, "3 of 4 sockets looked at had been dropped"),
        (fit((56.0, 68.0, 1, 3), dropped_s=56.0), 50.0, FitKind.TIGHT, "the soonest after 56 s to 68 s idle"),
        (fit((0.0, 1.0, 17, 13)), 1.0, FitKind.TIGHT, "A request every 1 s found 57% of the sockets open. 13 of 30"),
        (fit((10.0, 12.0, 9, 0), (56.0, 68.0, 1, 3), dropped_s=56.0), 11.0, FitKind.FITS, "3 of 13 sockets"),
    ],
)
def test_the_sentence_of_a_period_follows_from_its_sockets(
    seen: KeepAliveFit | None, interval_s: float | None, kind: FitKind, words: str
) -> None:
    said = describe_fit_of_period(seen, interval_s)

    assert said.kind is kind
    assert words in said.text


@given(
    st.floats(-100.0, 100.0),
    st.lists(st.tuples(st.floats(0.0, 1.0), st.floats(0.001, 0.4)), min_size=1, max_size=80),
)
def test_the_true_offset_is_within_the_bound_of_every_period(true_s: float, polls: list[tuple[float, float]]) -> None:
    known, history, now_s = ClockOffset(), ClockHistory(), 0.0
    for phase, round_trip_s in polls:
        now_s += 1.0 + phase
        # The stamp is a whole second read as its middle, taken somewhere in the round trip.
        stamp_s = np.floor(now_s + true_s) + 0.5
        known.add(stamp_s - now_s, round_trip_s)
        history.note(known.offset_s, known.error_s, now_s)
    for period in (Period(0.0, now_s), Period(now_s / 2, now_s)):
        found = history.between(period)
        if found is not None:
            assert not found.is_changed
            assert abs(found.offset_s - true_s) <= found.error_s + 1e-6


def test_of_several_estimates_the_narrowest_speaks() -> None:
    history = ClockHistory()
    for at_s, offset_s, error_s in ((0.0, 0.3, 0.5), (20.0, 0.2, 0.1), (40.0, 0.25, 0.3)):
        history.note(offset_s, error_s, at_s)
    history.note(9.0, 9.0, 40.0 + CLOCK_SPACING_S / 2)  # too soon after the last to be kept
    best = history.between(Period(0.0, 100.0))
    in_force = history.between(Period(22.0, 25.0))

    assert best is not None
    assert (best.offset_s, best.error_s, best.is_changed) == (0.2, 0.1, False)
    assert in_force is not None
    assert in_force.offset_s == 0.2
    assert history.between(Period(-10.0, -5.0)) is None
    assert history.between(Period(41.0 + HOLDS_S, 200.0)) is None, "an estimate does not hold for ever"


def test_a_clock_that_was_set_is_told_and_sleep_ends_an_estimate() -> None:
    history = ClockHistory()
    history.note(0.0, 0.1, 0.0)
    history.note(30.0, 0.1, 20.0)
    changed = history.between(Period(0.0, 30.0))
    history.note(None, None, 40.0)

    assert changed is not None
    assert (changed.is_changed, changed.offset_s) == (True, 30.0)
    assert history.between(Period(41.0, 45.0)) is None
    assert history.between(Period(25.0, 45.0)) is not None


def pool(**counts: object) -> PoolStats:
    return PoolStats(venue="bitunix", host="h", scheme="https", **counts)  # type: ignore[arg-type]  # counters


def test_gauges_are_those_of_the_end_of_the_period() -> None:
    venue = VenueState("bitunix")
    advice = SizingAdvice(maximum=20, peak=3, discarded=0, recommended=4)
    for at_s, active, idle, suspect, waiting in ((10.0, 0, 2, 0, 0), (20.0, 3, 1, 1, 5), (30.0, 1, 1, 0, 0)):
        counted = pool(active=active, idle=idle, suspect=suspect, waiting=waiting, max_connections=20, sizing=advice)
        venue.pool_history.add([counted], at_s)
    middle = pool_period(venue, Period(5.0, 25.0))

    assert middle.gauges is not None
    assert (middle.gauges.open, middle.gauges.active, middle.gauges.suspect, middle.gauges.waiting) == (4, 3, 1, 5)
    assert middle.gauges.maximum == 20
    assert middle.open is not None
    assert (middle.open.least, middle.open.mean, middle.open.most, middle.open.n) == (2.0, 3.0, 4.0, 2)
    assert middle.advice == (advice,)
    before = pool_period(venue, Period(0.0, 9.0))
    assert (before.gauges, before.open, before.active, before.advice, before.reuse) == (None,) * 5


def test_a_sample_says_nothing_of_a_time_in_which_nobody_looked() -> None:
    venue = VenueState("bitunix")
    advice = SizingAdvice(maximum=20, peak=3, discarded=0, recommended=4)
    for at_s in (100.0, 102.0, 104.0, 900.0):
        counted = pool(idle=5, attempts=int(at_s), reused=int(at_s) // 2, max_connections=20, sizing=advice)
        venue.pool_history.add([counted], at_s)
    shortly_after, amid, late = (pool_period(venue, Period(100.0, at_s)) for at_s in (105.0, 500.0, 2_000.0))

    assert shortly_after.gauges is not None
    assert (shortly_after.advice, shortly_after.reuse) == ((advice,), 0.5)
    for unknown in (amid, late):
        assert (unknown.gauges, unknown.advice, unknown.reuse) == (None, None, None)
    assert pool_period(venue, Period(600.0, 901.0)).reuse is None, (
        "asked at any time of the gap, not in its last minute"
    )
    for series in (venue.pool_history.open, venue.pool_history.active, venue.pool_history.reuse):
        _, values = series.window(0.0, 950.0, 100)
        assert np.isnan(values).any(), "the line is broken where nobody looked"
    assert amid.open is not None
    assert amid.open.n == 3


def test_the_span_of_a_gauge_without_a_sample_is_not_known() -> None:
    history = PoolHistory()
    assert span_of(history.open, 0.0, 10.0) is None


@given(
    st.lists(st.tuples(st.floats(0.0, 50.0), st.floats(0.001, 20.0)), max_size=30),
    st.floats(0.0, 50.0),
    st.floats(0, 30),
)
def test_the_peak_is_the_most_that_overlap(spans: list[tuple[float, float]], start_s: float, length_s: float) -> None:
    period = Period(start_s, start_s + length_s)
    inside = [(at, at + took) for at, took in spans if at <= period.end_mono_s and at + took >= start_s]
    expected = max((sum(begin <= at < end for begin, end in inside) for at, _ in inside), default=None)
    begins, ends = np.array([at for at, _ in spans]), np.array([at + took for at, took in spans])

    assert most_at_once(begins, ends, period) == expected


def test_the_peak_counts_attempts_of_every_kind_and_is_remembered() -> None:
    venue = VenueState("bitunix")
    for number, (ended_s, total_s, error) in enumerate(
        ((10.0, 1.0, None), (10.2, 1.0, ErrorKind.TIMEOUT), (10.4, 1.0, None), (40.0, 0.1, None))
    ):
        venue.note_trace(make_trace(number, ended_mono_s=ended_s, total_s=total_s, error_kind=error))
    finder = PeakFinder(venue)

    assert finder.find(Period(0.0, 20.0)) == 3
    assert finder.find(Period(30.0, 50.0)) == 1
    assert finder.find(Period(60.0, 70.0)) is None
    # Two that were under way at the end of the period end after it was chosen.
    assert finder.find(Period(0.0, 40.0)) == 3
    for number in range(4, 8):
        venue.note_trace(make_trace(number, ended_mono_s=40.5, total_s=0.6))
    assert finder.find(Period(0.0, 40.0)) == 5
    # With HTTP/2 requests share a connection: more cannot have been in use than the pool counted.
    venue.pool_history.add([pool(peak_active=1)], 5.0)
    assert finder.find(Period(0.0, 20.0)) == 1


def test_reads_of_a_period_are_those_answered_in_it() -> None:
    venue = VenueState("bitunix")
    for second in range(10):
        venue.note_cache(CacheStats(network=10 * second, cached=second), 100.0 + 5.0 * second)
    venue.note_cache(CacheStats(network=1), 160.0)  # another client counts from zero

    assert venue.cache_between(Period(112.0, 128.0)) == CacheStats(network=30, cached=3)
    assert venue.cache_between(Period(150.0, 170.0)) == CacheStats(network=1)
    assert venue.cache_between(Period(0.0, 99.0)) is None


def test_before_the_run_nothing_is_known_not_even_zero() -> None:
    board, clock, feed = make_board(seconds=30)
    venue = board.venue(feed.watchlist(1)[0][0])
    early, now = venue_period(venue, Period(-100.0, -50.0)), venue_period(venue, Period(clock() - 10.0, clock()))

    assert (early.calls, early.budget_fraction, early.pools.reused, early.pools.healed) == (None,) * 4
    assert now.calls


def instrument(multiplier: int, name: str = "PEPE") -> Instrument:
    board, _, feed = make_board(seconds=1)
    sample = board.instruments[feed.watchlist(1)[0]]
    return replace(sample, multiplier=multiplier, base=name)


def test_the_basis_of_a_period_pairs_prices_by_time() -> None:
    here, there = TimeSeries(100), TimeSeries(100)
    for at_s, price in ((1.0, 50.0), (10.0, 101.0), (12.0, 102.0), (20.0, 99.0)):
        here.append(at_s, price)
    for at_s, price in ((11.0, 100_000.0), (19.0, 100_000.0), (30.0, 1.0)):
        there.append(at_s, price)
    found = basis_between((instrument(1), here), (instrument(1_000), there), Period(5.0, 25.0))

    assert found is not None
    # 101 came before any price there: no pair.
    assert (found.n, found.max_skew_s) == (2, 1.0)
    assert (found.least, found.most) == pytest.approx((-0.01, 0.02))
    assert found.mean == pytest.approx(0.005)
    assert basis_between((instrument(1), here), (instrument(1_000), there), Period(40.0, 50.0)) is None
    assert basis_between((instrument(1), here), (instrument(1, "DOGE"), there), Period(5.0, 25.0)) is None
