"""What is learned from the fates of idle sockets."""

import itertools

import pytest

from monitor.transport.keep_alive import EDGES_S, IdleTimes


def dropped(times: IdleTimes, idle_s: float) -> None:
    times.survived(idle_s)
    times.dropped_after_all(idle_s)


def test_two_drops_of_a_kind_are_a_limit() -> None:
    times = IdleTimes()
    for _ in range(100):
        times.survived(5.0)
    dropped(times, 61.0)
    assert times.fit("h").shortest_dropped_s is None
    dropped(times, 60.0)
    fit = times.fit("h")

    assert (fit.shortest_dropped_s, fit.longest_survived_s, fit.samples) == (60.0, 5.0, 102)
    assert fit.retire_after_s == pytest.approx(48.0)


def test_restarts_among_many_survivors_are_no_limit() -> None:
    times = IdleTimes()
    for round_number in range(3):
        dropped(times, 1.05)
        for _ in range(40 + round_number):
            times.survived(1.05)

    assert times.fit("h").shortest_dropped_s is None
    assert times.fit("h").retire_after_s == 300.0


def test_host_that_became_patient_is_believed() -> None:
    times = IdleTimes()
    for _ in range(50):
        dropped(times, 60.0)
    for _ in range(16):
        times.survived(60.0)

    assert times.fit("h").shortest_dropped_s is None


@pytest.mark.parametrize(("limit_s", "retire_s"), [(2.0, 15.0), (100.0, 80.0), (1_500.0, 300.0)])
def test_retirement_stays_within_its_bounds(limit_s: float, retire_s: float) -> None:
    times = IdleTimes()
    dropped(times, limit_s)
    dropped(times, limit_s)

    assert times.fit("h").retire_after_s == pytest.approx(retire_s)


def test_what_was_learned_is_adopted_and_can_be_overruled() -> None:
    times = IdleTimes()
    dropped(times, 60.0)
    dropped(times, 60.5)
    times.survived(20.0)
    heir = IdleTimes()
    heir.adopt(times.fit("h"))

    assert heir.fit("h") == times.fit("h")
    for _ in range(3):
        heir.survived(60.0)
    assert heir.fit("h").shortest_dropped_s is None


def test_buckets_are_log_spaced_and_whole() -> None:
    assert list(EDGES_S) == sorted(set(EDGES_S))
    ratios = [after / before for before, after in itertools.pairwise(EDGES_S[1:-1])]
    assert 1.15 < min(ratios) <= max(ratios) < 1.28
