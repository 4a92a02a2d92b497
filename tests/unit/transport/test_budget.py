import threading
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import BudgetExhausted, Failure, PauseCause
from monitor.transport.budget import BudgetRule, WeightBudget
from tests.fakes.fake_clock import FakeClock

RULE = BudgetRule(venue="venue", limit=100, window_s=60.0)


def made(rule: BudgetRule = RULE) -> tuple[WeightBudget, FakeClock]:
    clock = FakeClock()
    return WeightBudget(rule, clock), clock


def test_cap_is_thirty_percent_unless_told_otherwise() -> None:
    assert RULE.cap == 30
    assert BudgetRule(venue="v", limit=10, window_s=1.0, cap_fraction=0.5).cap == 5
    assert BudgetRule(venue="v", limit=2, window_s=1.0).cap == 1


@pytest.mark.parametrize(
    "wrong",
    [{"limit": 0}, {"window_s": 0.0}, {"cap_fraction": 0.0}, {"cap_fraction": 1.1}, {"min_spacing_s": -1.0}],
)
def test_senseless_rules_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="budget"):
        BudgetRule(**{"venue": "v", "limit": 10, "window_s": 1.0, **wrong})  # type: ignore[arg-type]  # on purpose


def test_what_does_not_fit_is_not_spent() -> None:
    budget, _ = made()
    budget.reserve("a", 29)
    with pytest.raises(BudgetExhausted) as caught:
        budget.reserve("a", 2)
    budget.reserve("a", 1)

    assert caught.value.available_in_s == pytest.approx(60.0)
    assert budget.state().used == 30


def test_weight_returns_as_the_window_slides() -> None:
    budget, clock = made()
    budget.reserve("a", 20)
    clock.advance(10.0)
    budget.reserve("b", 10)

    assert budget.available_in_s(5) == pytest.approx(50.0)
    assert budget.available_in_s(25) == pytest.approx(60.0)
    clock.advance(budget.available_in_s(5))
    budget.reserve("c", 5)
    assert budget.state().used == 15


def test_weight_above_the_cap_never_fits() -> None:
    budget, clock = made()
    for _ in range(3):
        assert budget.available_in_s(31) >= 60.0
        with pytest.raises(BudgetExhausted):
            budget.reserve("a", 31)
        clock.advance(1000.0)


def test_surcharge_counts_beyond_the_cap() -> None:
    budget, _ = made()
    budget.reserve("a", 20)
    budget.charge("a", 40)

    assert budget.state().used == 60
    assert budget.available_in_s(1) == pytest.approx(60.0)


def test_the_total_goes_on_as_the_window_slides() -> None:
    budget, clock = made()
    for _ in range(3):
        budget.reserve("x", 1)
        budget.charge("x", 2)
        clock.advance(70.0)

    state = budget.state()
    assert (state.used, state.used_60s, state.total_weight) == (0, 0, 9)


def test_spacing_keeps_requests_apart() -> None:
    budget, clock = made(BudgetRule(venue="v", limit=100, window_s=1.0, min_spacing_s=0.5))
    budget.reserve("a", 1)
    assert budget.available_in_s(1) == pytest.approx(0.5)
    clock.advance(0.5)
    budget.reserve("a", 1)


def test_last_minute_is_told_by_endpoint_whatever_the_window() -> None:
    budget, clock = made(BudgetRule(venue="v", limit=10, window_s=1.0))
    for _ in range(20):
        budget.reserve("tickers", 1)
        budget.reserve("depth", 2)
        clock.advance(1.0)
    state = budget.state()

    assert state.used == 0
    assert state.used_60s == 60
    assert dict(state.by_endpoint_60s) == {"tickers": 20, "depth": 40}
    assert state.used_fraction == pytest.approx(0.1)
    clock.advance(45.0)
    assert dict(budget.state().by_endpoint_60s) == {"tickers": 14, "depth": 28}
    clock.advance(60.0)
    assert dict(budget.state().by_endpoint_60s) == {}


def test_back_off_doubles_without_a_hint_and_starts_over_after_an_answer() -> None:
    budget, clock = made()
    pauses = []
    for _ in range(7):
        budget.refused(None)
        pause_s = budget.state().paused_for_s
        assert pause_s is not None
        pauses.append(pause_s)
        clock.advance(pause_s)
    assert pauses == [10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]

    budget.answered(budget.reserve("a", 1))
    budget.refused(None)
    assert budget.state().paused_for_s == 10.0


def test_refusals_of_requests_already_under_way_do_not_lengthen_the_back_off() -> None:
    budget, clock = made()
    for _ in range(16):
        budget.refused(None)
    assert budget.state().paused_for_s == 10.0
    assert budget.state().refusals == 16

    clock.advance(10.0)
    budget.refused(None)
    assert budget.state().paused_for_s == 20.0


def test_late_answer_from_before_the_pause_does_not_end_it() -> None:
    budget, clock = made()
    reserved_s = budget.reserve("a", 1)
    clock.advance(1.0)
    budget.refused(30.0)
    budget.answered(reserved_s)

    assert budget.state().paused_for_s == 30.0


def test_hint_is_bounded() -> None:
    budget, clock = made()
    for hint, pause_s in ((0.0, 1.0), (25.0, 25.0), (1e9, 3600.0)):
        budget.refused(hint)
        assert budget.state().paused_for_s == pytest.approx(pause_s)
        clock.advance(pause_s)


def test_pause_holds_whatever_the_weight() -> None:
    budget, clock = made()
    budget.refused(5.0)
    with pytest.raises(BudgetExhausted, match="pause"):
        budget.reserve("a", 0)
    clock.advance(5.0)
    budget.reserve("a", 0)


def test_somebody_else_is_suspected_only_while_we_are_under_the_cap() -> None:
    budget, clock = made()
    budget.charge("a", 31)
    budget.refused(None)
    assert not budget.state().is_shared_suspected
    clock.advance(60.0)
    budget.refused(None)
    assert budget.state().is_shared_suspected
    clock.advance(600.0)
    assert not budget.state().is_shared_suspected


def test_the_cause_of_a_pause_is_that_of_its_end() -> None:
    budget, clock = made()
    budget.refused(5.0, is_rate_limit=False)
    unavailable = budget.state()
    budget.refused(3.0)
    still = budget.state()
    budget.refused(9.0)
    refused = budget.state()
    clock.advance(9.0)

    assert (unavailable.pause_cause, unavailable.refusals) == (PauseCause.UNAVAILABLE, 0)
    assert not unavailable.is_shared_suspected
    assert (still.pause_cause, still.paused_for_s) == (PauseCause.UNAVAILABLE, 5.0)
    assert (refused.pause_cause, refused.paused_for_s, refused.refusals) == (PauseCause.RATE_LIMIT, 9.0, 2)
    assert (budget.state().pause_cause, budget.state().paused_for_s) == (None, None)


def test_an_unavailable_venue_is_named_and_our_own_cap_is_not_its_doing() -> None:
    budget, clock = made()
    budget.refused(12.0, is_rate_limit=False)
    with pytest.raises(BudgetExhausted) as outage:
        budget.reserve("a", 1)
    clock.advance(12.0)
    budget.charge("a", 30)
    with pytest.raises(BudgetExhausted) as own:
        budget.reserve("a", 1)

    assert outage.value.user_text == "Venue is unavailable (HTTP 503); next try in 12 s."
    held = Failure.from_error(outage.value)
    assert (held.user_text, held.pause) == ("Venue is unavailable (HTTP 503)", PauseCause.UNAVAILABLE)
    assert held.retry_after_s == pytest.approx(12.0)
    assert own.value.pause is None
    assert "Our own share" in own.value.user_text


def test_sixteen_threads_spend_exactly_the_cap() -> None:
    budget, _ = made(BudgetRule(venue="v", limit=10_000, window_s=60.0))
    granted = deque[float]()

    def work() -> None:
        for _ in range(400):
            try:
                granted.append(budget.reserve("a", 1))
            except BudgetExhausted:
                return

    workers = [threading.Thread(target=work) for _ in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert len(granted) == 3000
    assert budget.state().used == 3000


@given(st.lists(st.tuples(st.floats(0.0, 30.0), st.integers(0, 12)), max_size=60))
def test_no_window_ever_holds_more_than_the_cap(steps: list[tuple[float, int]]) -> None:
    """Waiting for exactly as long as we are told always suffices, and never too little."""
    budget, clock = made()
    spent: list[tuple[float, int]] = []
    for pause_s, weight in steps:
        clock.advance(pause_s)
        clock.advance(budget.available_in_s(weight))
        try:
            budget.reserve("a", weight)
        except BudgetExhausted as error:
            assert error.available_in_s < 1e-5  # rounding of the clock  # noqa: PT017 - it need not be raised
            clock.advance(error.available_in_s)
            budget.reserve("a", weight)
        spent.append((clock(), weight))
        assert sum(w for at, w in spent if clock() - at < 60.0) <= 30
