"""The log of outliers: what it takes for usual, what a retry adds, and what it counts for how long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.state.period import Period
from monitor.state.spike_log import Count, PastSpikes, SpikeEntry, SpikeLog, hour_of
from monitor.state.spikes import MIN_SAMPLES, USUAL_WINDOW, Spike, SpikeCause
from tests.fakes.poll_results import EPOCH, make_trace


def trace(number: int, total_s: float = 0.06, *, at_s: float | None = None, **changes: object) -> RequestTrace:
    """An attempt that began ``at_s`` (its number) seconds after the epoch of the tests."""
    start_s = float(number if at_s is None else at_s)
    given_: dict[str, object] = {
        "wait_s": total_s - 0.01,
        "started_at": EPOCH + timedelta(seconds=start_s),
        "started_mono_s": start_s,
        "ended_mono_s": start_s + total_s,
        "total_s": total_s,
    }
    return make_trace(number, **{**given_, **changes})


def warmed(count: int = 20, **changes: Any) -> SpikeLog:
    log = SpikeLog()
    assert [log.add(trace(number, **changes)) for number in range(1, count + 1)] == [None] * count
    return log


def past_entry(number: int, at: datetime, ended_mono_s: float, cause: SpikeCause = SpikeCause.DNS) -> SpikeEntry:
    spike = Spike(
        request_id=-number, attempt=1, cause=cause, phase="dns_s", phase_excess_s=0.5, total_excess_s=0.5, share=1.0,
        text="DNS took 500 ms longer than usual",
    )  # fmt: skip
    return SpikeEntry(venue="bitunix", started_at=at, ended_mono_s=ended_mono_s, spike=spike)


def test_an_outlier_is_kept_with_its_cause_and_found_by_its_attempt() -> None:
    log = warmed()
    slow = trace(21, 0.9)
    entry = log.add(slow)

    assert entry is not None
    assert entry.spike.cause is SpikeCause.VENUE
    assert log.of(slow) is entry.spike
    assert log.entry_of(21, 1) is entry
    assert log.entry_of(21, 2) is None
    assert list(log.items) == [entry]
    assert log.revision == 1


def test_what_is_usual_is_known_per_endpoint_and_only_from_what_came_before() -> None:
    log = SpikeLog()
    slow_first = trace(1, 0.9)

    assert log.add(slow_first) is None
    for number in range(2, 2 + MIN_SAMPLES):
        log.add(trace(number))
    # What came later is not held against it.
    assert log.of(slow_first) is None
    assert log.add(trace(50, 0.9, endpoint="bitunix.kline")) is None
    assert log.add(trace(51, 0.9, venue="hyperliquid")) is None
    assert log.add(trace(52, 0.9)) is not None


def test_a_lasting_change_is_no_outlier_for_ever() -> None:
    log = warmed()
    found = [log.add(trace(100 + number, 0.9)) is not None for number in range(2 * USUAL_WINDOW)]

    assert found[0]
    assert not any(found[-USUAL_WINDOW:])


def test_the_attempts_before_count_for_the_one_that_took_over() -> None:
    log = warmed()
    died = trace(30, 0.4, error_kind=ErrorKind.DROPPED, status=None, is_healed=True)
    again = trace(30, 0.2, attempt=2, is_cold=True, tcp_s=0.06, tls_s=0.07, wait_s=0.05)

    assert log.add(died) is None
    entry = log.add(again)
    assert entry is not None
    assert entry.spike.cause is SpikeCause.RETRY
    assert (entry.spike.request_id, entry.spike.attempt) == (30, 2)
    assert entry.spike.total_excess_s == pytest.approx(0.6 - 0.06)
    # Once only, and for nobody else.
    assert log.add(trace(31)) is None
    assert log.add(trace(30, 0.065, attempt=2)) is None


def test_a_retry_that_fails_too_leaves_nothing_behind() -> None:
    log = warmed()
    log.add(trace(30, 0.4, error_kind=ErrorKind.DROPPED, status=None, is_healed=True))
    log.add(trace(30, 8.0, attempt=2, error_kind=ErrorKind.TIMEOUT, status=None))

    assert log.add(trace(30, 0.065, attempt=2)) is None
    assert log.revision == 0


def test_retries_that_never_come_are_forgotten_and_the_newest_kept() -> None:
    log = warmed()
    for number in range(1_000, 1_200):
        log.add(trace(number, 0.4, error_kind=ErrorKind.DROPPED, status=None, is_healed=True))

    assert log.add(trace(1_000, 0.065, attempt=2)) is None
    assert log.add(trace(1_199, 0.065, attempt=2)) is not None


@pytest.mark.parametrize(
    "changes",
    [{"error_kind": ErrorKind.TIMEOUT, "status": None}, {"status": 429}, {"status": 503}, {"is_cold": None}],
)
def test_failures_and_refusals_are_neither_usual_nor_outliers(changes: dict[str, Any]) -> None:
    log = SpikeLog()
    for number in range(1, 30):
        log.add(trace(number, 0.001, **changes))

    assert log.usual_of(trace(1)) == ()
    assert log.add(trace(30, 0.9)) is None
    assert warmed().add(trace(30, 9.0, **changes)) is None


def test_the_tally_is_of_seven_days_by_venue_and_cause() -> None:
    log = warmed()
    log.add(trace(100, 1.06))
    log.add(trace(200, 0.56))
    log.add(trace(300, 0.36, is_cold=True, dns_s=0.0, tcp_s=0.2, tls_s=0.1, wait_s=0.05))
    tally = log.tally(EPOCH + timedelta(hours=1))

    assert set(tally.counts) == {("bitunix", SpikeCause.VENUE), ("bitunix", SpikeCause.HANDSHAKE)}
    venue = tally.counts["bitunix", SpikeCause.VENUE]
    assert (venue.n, venue.last_at) == (2, EPOCH + timedelta(seconds=200))
    assert venue.lost_s == pytest.approx(1.5)
    assert venue.worst_s == pytest.approx(1.0)
    assert tally.n == 3
    assert tally.lost_s == pytest.approx(1.8)
    # Seconds 1 to 20, 100, 200 and 300 lie in four minutes.
    assert tally.watched_s == 240.0
    assert log.tally(EPOCH + timedelta(days=7, minutes=1)).n == 3
    later = log.tally(EPOCH + timedelta(days=7, hours=2))
    assert (later.n, later.watched_s) == (0, 0.0)


def test_outliers_of_earlier_runs_are_counted_and_leave_as_they_grow_old() -> None:
    log = warmed()
    log.add(trace(100, 1.06))
    hours = [hour_of(EPOCH - timedelta(days=days)) for days in (6, 2)]
    old = Count(3, 1.5, 0.9, EPOCH - timedelta(days=6))
    recent = past_entry(7, EPOCH - timedelta(hours=2), -7_200.0)
    past = PastSpikes(
        hours={hours[0]: {("bitunix", SpikeCause.DNS): old}, hours[1]: {("bitunix", SpikeCause.VENUE): old}},
        minutes={hours[0]: 60, hours[1]: 30},
        entries=(recent,),
    )
    log.take_past(past)
    tally = log.tally(EPOCH)

    assert {key: count.n for key, count in tally.counts.items()} == {
        ("bitunix", SpikeCause.DNS): 3,
        ("bitunix", SpikeCause.VENUE): 4,
    }
    assert tally.watched_s == 60.0 * (2 + 90)
    assert log.entry_of(-7, 1) is recent
    later = log.tally(EPOCH + timedelta(days=2))
    assert {key: count.n for key, count in later.counts.items()} == {("bitunix", SpikeCause.VENUE): 4}
    assert later.watched_s == 60.0 * (2 + 30)
    log.take_past(PastSpikes())
    assert log.entry_of(-7, 1) is None


def test_a_period_has_a_tally_of_its_own_of_this_and_of_earlier_runs() -> None:
    log = warmed()
    log.add(trace(100, 1.06))
    log.add(trace(200, 0.56))
    log.take_past(PastSpikes(entries=(past_entry(7, EPOCH, -60.0), past_entry(8, EPOCH, -10.0))))

    inside = log.tally_between(Period(90.0, 150.0))
    assert {key: count.n for key, count in inside.counts.items()} == {("bitunix", SpikeCause.VENUE): 1}
    assert inside.lost_s == pytest.approx(1.0)
    assert inside.watched_s == 60.0
    before = log.tally_between(Period(-20.0, 150.0))
    assert {cause: count.n for (_, cause), count in before.counts.items()} == {SpikeCause.VENUE: 1, SpikeCause.DNS: 1}
    assert before.watched_s is None
    assert SpikeLog().tally_between(Period(0.0, 1.0)).watched_s is None


def test_only_so_many_are_kept_but_all_are_counted() -> None:
    log = SpikeLog(capacity=3)
    for number in range(1, 21):
        log.add(trace(number))
    slow = [trace(100 + 20 * number, 0.9) for number in range(5)]
    for one in slow:
        assert log.add(one) is not None

    assert [entry.spike.request_id for entry in log.items] == [140, 160, 180]
    assert log.of(slow[0]) is None
    assert log.of(slow[-1]) is not None
    assert log.tally(EPOCH).n == 5


@given(st.lists(st.tuples(st.sampled_from(["bitunix", "hyperliquid"]), st.booleans()), max_size=60))
def test_the_tally_is_the_sum_of_what_was_found(requests: Sequence[tuple[str, bool]]) -> None:
    log = SpikeLog()
    found = []
    for number in range(1, 41):
        log.add(trace(number, venue=("bitunix", "hyperliquid")[number % 2]))
    for number, (venue, is_slow) in enumerate(requests, start=41):
        entry = log.add(trace(number, 1.0 if is_slow else 0.06, venue=venue))
        found += [] if entry is None else [entry]
    tally = log.tally(EPOCH + timedelta(hours=1))
    of_all = log.tally_between(Period(0.0, 1e9))

    assert tally.n == of_all.n == len(found) == log.revision
    assert tally.counts == of_all.counts
    assert tally.lost_s == pytest.approx(sum(entry.spike.total_excess_s for entry in found))
