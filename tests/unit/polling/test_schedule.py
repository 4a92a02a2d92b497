import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.polling.schedule import BACKOFF_CEILING_S, JITTER, SLOW_CEILING_S, Cadence

START_S = 5_000.0


def _cadence(cadence_s: float = 1.0, random: float = 0.0) -> Cadence:
    return Cadence(cadence_s, first_due_s=START_S, random=lambda: random)


def test_polls_on_time_stay_on_the_grid_and_miss_nothing() -> None:
    cadence = _cadence(0.1)
    for slot in range(1_000):
        due_s = cadence.next_due_s

        assert due_s == START_S + slot * 0.1
        assert cadence.succeeded(due_s, due_s + 0.03) == 0

    assert (cadence.planned, cadence.made, cadence.missed) == (1_000, 1_000, 0)


def test_a_poll_that_takes_three_cadences_misses_two() -> None:
    cadence = _cadence()
    cadence.succeeded(START_S, START_S + 3.0)

    assert cadence.next_due_s == START_S + 3.0
    assert cadence.succeeded(START_S + 3.0, START_S + 3.1) == 2
    assert (cadence.planned, cadence.made, cadence.missed) == (4, 2, 2)


@pytest.mark.parametrize(
    ("took_s", "next_due"), [(0.2, 1), (1.2, 1), (1.49, 1), (1.51, 2), (1.99, 2), (2.3, 2), (2.6, 3)]
)
def test_a_late_poll_is_made_unless_the_next_slot_is_closer(took_s: float, next_due: int) -> None:
    cadence = _cadence()
    cadence.succeeded(START_S, START_S + took_s)

    assert cadence.next_due_s == START_S + next_due


def test_backoff_doubles_up_to_its_ceiling_and_success_ends_it_at_once() -> None:
    cadence = _cadence(1.0)
    now_s = START_S
    delays_s = []
    for _ in range(8):
        cadence.failed(now_s, now_s)
        delays_s.append(cadence.next_due_s - now_s)
        now_s = cadence.next_due_s

    assert delays_s == [1.0, 2.0, 4.0, 8.0, BACKOFF_CEILING_S, BACKOFF_CEILING_S, BACKOFF_CEILING_S, BACKOFF_CEILING_S]
    assert cadence.streak == 8
    cadence.succeeded(now_s, now_s + 0.1)
    assert cadence.streak == 0
    assert cadence.next_due_s - now_s <= 1.0
    assert cadence.planned == cadence.made + cadence.missed


def test_a_job_of_an_hour_is_tried_again_within_seconds() -> None:
    cadence = _cadence(3_600.0)
    cadence.failed(START_S, START_S)
    assert cadence.next_due_s == START_S + 5.0

    cadence.succeeded(START_S + 5.0, START_S + 5.1)
    assert cadence.next_due_s == START_S + 3_600.0


def test_stubborn_failures_are_asked_less_often() -> None:
    cadence = _cadence(1.0)
    for _ in range(40):
        cadence.failed(START_S, START_S, is_stubborn=True)

    assert cadence.next_due_s == START_S + SLOW_CEILING_S


def test_the_venue_s_own_delay_is_never_undercut() -> None:
    cadence = _cadence(1.0, random=0.5)
    cadence.failed(START_S, START_S + 0.1, retry_after_s=30.0)

    assert cadence.next_due_s == START_S + 30.1


def test_jitter_only_lengthens_the_backoff() -> None:
    cadence = _cadence(1.0, random=0.999)
    cadence.failed(START_S, START_S)

    assert cadence.next_due_s == pytest.approx(START_S + 1.0 + JITTER * 0.999)


def test_slots_that_pass_while_the_budget_holds_the_poll_back_are_missed() -> None:
    cadence = _cadence()
    assert cadence.held(START_S + 0.5) == 0
    assert cadence.held(START_S + 4.5) == 4
    assert cadence.next_due_s == START_S
    assert cadence.succeeded(START_S + 10.0, START_S + 10.1) == 6
    assert (cadence.planned, cadence.made, cadence.missed) == (11, 1, 10)


def test_what_passes_while_paused_is_not_planned() -> None:
    cadence = _cadence()
    cadence.succeeded(START_S, START_S + 0.1)
    cadence.resume(START_S + 500.3)

    assert cadence.next_due_s == START_S + 500.3
    assert cadence.succeeded(START_S + 500.3, START_S + 500.4) == 0
    assert (cadence.planned, cadence.made) == (2, 2)
    assert cadence.next_due_s == START_S + 501.0


def test_a_refresh_is_planned_when_it_is_made_and_leaves_the_grid_alone() -> None:
    cadence = _cadence()
    cadence.succeeded(START_S, START_S + 0.1)
    cadence.poll_at(START_S + 0.4)

    assert cadence.succeeded(START_S + 0.4, START_S + 0.5) == 0
    assert (cadence.planned, cadence.made) == (2, 2)
    assert cadence.next_due_s == START_S + 1.0


@pytest.mark.parametrize(
    ("old_s", "new_s", "now_s", "due_s"),
    [(60.0, 1.0, 10.0, 11.0), (1.0, 60.0, 0.4, 1.0), (1.0, 60.0, 1.2, 1.2), (60.0, 30.0, 50.0, 60.0)],
)
def test_another_cadence_begins_from_the_poll_that_was_due(
    old_s: float, new_s: float, now_s: float, due_s: float
) -> None:
    cadence = _cadence(old_s)
    cadence.succeeded(START_S, START_S + 0.1)
    cadence.change(new_s, START_S + now_s)

    assert cadence.next_due_s == START_S + due_s
    assert cadence.succeeded(START_S + due_s, START_S + due_s + 0.1) == 0
    assert cadence.next_due_s == pytest.approx(START_S + due_s + new_s)
    assert cadence.planned == cadence.made == 2


@pytest.mark.parametrize("cadence_s", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_cadence_is_refused(cadence_s: float) -> None:
    with pytest.raises(ValueError, match="cadence_s"):
        _cadence(cadence_s)


_durations_s = st.floats(min_value=0.0, max_value=40.0, allow_nan=False)


@given(
    cadence_s=st.sampled_from([0.1, 0.25, 1.0, 1.7, 60.0]),
    first_due_s=st.floats(min_value=0.0, max_value=1e7),
    steps=st.lists(st.tuples(st.sampled_from(["ok", "fail", "refresh", "held"]), _durations_s), max_size=80),
)
def test_every_slot_that_came_due_is_made_or_missed(
    cadence_s: float, first_due_s: float, steps: list[tuple[str, float]]
) -> None:
    """planned = made + missed, and planned is the number of slots of the grid plus the polls beside it."""
    cadence = Cadence(cadence_s, first_due_s=first_due_s, random=lambda: 0.5)
    now_s = first_due_s
    reported_missed = beside_grid = 0
    for what, duration_s in steps:
        if what == "refresh":
            cadence.poll_at(now_s)
        now_s = max(now_s, cadence.next_due_s)
        if what == "held":
            now_s += duration_s
            reported_missed += cadence.held(now_s)
            continue
        planned_before, missed_before = cadence.planned, cadence.missed
        started_s, now_s = now_s, now_s + duration_s
        if what == "fail":
            reported_missed += cadence.failed(started_s, now_s)
            assert cadence.next_due_s > now_s
        else:
            reported_missed += cadence.succeeded(started_s, now_s)
            slots = (cadence.next_due_s - first_due_s) / cadence_s
            assert slots == pytest.approx(round(slots), abs=1e-4), "left the grid"
            assert cadence.next_due_s > now_s - cadence_s / 2 - 1e-6
            assert cadence.next_due_s <= now_s + cadence_s + 1e-6
        slot_of_poll = math.floor((started_s - first_due_s) / cadence_s + 1e-6)
        on_grid_planned = slot_of_poll + 1
        beside_grid = cadence.planned - on_grid_planned
        assert cadence.planned > planned_before
        assert cadence.missed >= missed_before

    assert cadence.planned == cadence.made + cadence.missed
    assert cadence.missed == reported_missed
    assert beside_grid >= 0
