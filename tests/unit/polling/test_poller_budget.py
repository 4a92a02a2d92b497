"""A poller that has to wait: for its share of the limit, for the venue, for prices that go first."""

import pytest
from msgspec.structs import replace

from monitor.domain.credentials import AccountRef
from monitor.domain.errors import BudgetExhausted, ErrorKind, RateLimited, TimedOut
from monitor.exchanges.base import Fetched, Payload
from monitor.polling.poller import LONGEST_HOLD_LOOK_S, PATIENCE_S, REPORTED_HOLD_S
from monitor.polling.results import PollFailure, PollSuccess
from tests.fakes.poller_bench import Bench


def test_poller_backs_off_after_rate_limit_for_as_long_as_the_venue_says() -> None:
    bench = Bench()
    bench.run(bench.error(RateLimited("too many requests", http_status=429, retry_after_s=30.0)), bench.ok())

    assert bench.offsets_s == pytest.approx([0.0, 30.05])
    assert bench.failure(0).failure.kind is ErrorKind.RATE_LIMITED
    assert bench.failure(0).next_due_in_s == pytest.approx(30.0)


def test_poller_waits_for_the_budget_before_it_asks() -> None:
    bench = Bench(weight=7)
    opens_at_s = bench.clock.now_s + 0.7
    asked: list[int] = []

    def hold(weight: int) -> float:
        asked.append(weight)
        return max(0.0, opens_at_s - bench.clock.now_s)

    bench.transport.hold = hold
    bench.run(bench.ok())

    assert set(asked) == {7}
    assert bench.started_s[0] >= opens_at_s
    assert bench.success(0).traces[0].queue_s == pytest.approx(0.7, abs=0.01)
    assert bench.success(0).missed == 0


def test_a_long_hold_is_reported_with_its_countdown_and_counted_as_missed() -> None:
    bench = Bench()
    opens_at_s = bench.clock.now_s + 35.0
    bench.transport.hold = lambda _weight: max(0.0, opens_at_s - bench.clock.now_s)
    bench.run(bench.ok(), bench.ok())

    holds = [bench.failure(place) for place in range(4)]
    assert {hold.failure.kind for hold in holds} == {ErrorKind.BUDGET}
    assert [hold.failure.retry_after_s for hold in holds] == pytest.approx([35.0, 25.0, 15.0, 5.0])
    assert [hold.next_due_in_s for hold in holds] == pytest.approx([35.0, 25.0, 15.0, 5.0])
    assert [hold.missed for hold in holds] == [0, 10, 10, 10]
    assert {hold.traces for hold in holds} == {()}
    assert {hold.streak for hold in holds} == {0}
    assert bench.started_s[0] == pytest.approx(opens_at_s)
    assert len(bench.results) == 6
    assert bench.success(4).missed == 5
    assert (bench.success(5).planned, bench.success(5).made) == (37, 2)
    assert max(wait_s for wait_s in bench.clock.waits_s if wait_s is not None) <= LONGEST_HOLD_LOOK_S


def test_losing_the_race_for_the_budget_is_not_a_poll() -> None:
    bench = Bench()
    lost = bench.error(BudgetExhausted("own cap", available_in_s=0.25), took_s=0.0)
    bench.run(lost, lost, bench.ok())

    assert len(bench.results) == 1
    assert bench.offsets_s == pytest.approx([0.0, 0.25, 0.5])
    assert (bench.success(0).planned, bench.success(0).made) == (1, 1)
    assert bench.success(0).traces[0].queue_s == pytest.approx(0.5)


def test_a_job_that_weighs_more_than_it_says_fails_instead_of_spinning() -> None:
    bench = Bench()
    lost = bench.error(BudgetExhausted("own cap", available_in_s=0.0), took_s=0.0)
    bench.run(lost, lost, lost, lost, bench.ok())

    assert bench.failure(0).failure.kind is ErrorKind.BUDGET
    assert bench.failure(0).streak == 0, "nothing was asked of the venue"
    assert bench.offsets_s[4] >= 1.0


def test_a_wait_of_our_own_neither_lengthens_nor_ends_a_streak() -> None:
    bench = Bench()
    fail = bench.error(TimedOut("slow", phase="read"), took_s=0.0)
    lost = bench.error(BudgetExhausted("own cap", available_in_s=0.0), took_s=0.0)
    bench.run(fail, lost, lost, lost, lost, fail, bench.ok())

    assert [bench.failure(place).failure.kind for place in range(3)] == [
        ErrorKind.TIMEOUT,
        ErrorKind.BUDGET,
        ErrorKind.TIMEOUT,
    ]
    assert [bench.failure(place).streak for place in range(3)] == [1, 1, 2]


def test_a_poller_whose_poll_is_put_off_gives_up_its_place_in_the_line() -> None:
    bench = Bench()
    bench.transport.hold = lambda _weight: 5.0
    waits_s: list[float | None] = []

    def wait(event: object, timeout_s: float | None) -> bool:
        waits_s.append(timeout_s)
        if len(waits_s) == 1:
            assert bench.line.hold_s("other", 1) > 0.0
            bench.poller.restart(30.0)
            return True
        bench.transport.hold = lambda _weight: 0.0
        if len(waits_s) == 2:
            assert bench.line.hold_s("other", 1) == 0.0
        bench.clock.advance(timeout_s or 0.0)
        return False

    bench.use_wait(wait)
    bench.run(bench.ok())

    assert waits_s == [LONGEST_HOLD_LOOK_S, 30.0]


def test_an_account_lets_prices_go_first_but_not_for_ever() -> None:
    bench = Bench(cadence_s=5.0)
    bench.job = replace(bench.job, account=AccountRef("bitunix", "main"))
    bench.transport.hold = lambda _weight: 5.0
    due_s = bench.clock.now_s
    came_early_s: list[float] = []

    def wait(event: object, timeout_s: float | None) -> bool:
        bench.clock.advance(timeout_s or 0.0)
        waited_s = bench.clock.now_s - due_s
        if waited_s > PATIENCE_S + 10.0:
            # It has a place by now, so who comes later is behind it.
            bench.transport.hold = lambda _weight: 0.0
            assert bench.line.hold_s("prices", 1) > 0.0
        elif waited_s > 100.0 and not came_early_s:
            came_early_s.append(waited_s)
            assert bench.line.hold_s("prices", 1) > 0.0
            bench.transport.hold = lambda _weight: 0.0
            assert bench.line.hold_s("prices", 1) == 0.0, "it came later and goes first all the same"
            bench.transport.hold = lambda _weight: 5.0
        return False

    bench.use_wait(wait)
    bench.run(bench.ok())

    assert came_early_s
    assert bench.failure(0).failure.user_text.endswith("prices go first"), "no countdown: nobody knows how long"
    assert bench.started_s[0] - due_s > PATIENCE_S
    assert bench.line.hold_s("prices", 1) == 0.0


def test_an_account_that_looks_again_and_again_says_that_it_waits() -> None:
    """Each of its looks is short; what it waits in all is not, and its age must not pass for a missing reply."""
    bench = Bench(cadence_s=5.0)
    bench.job = replace(bench.job, account=AccountRef("bitunix", "main"))
    bench.use_wait(bench.clock.wait)
    opens_at_s = bench.clock.now_s + 9.0
    bench.transport.hold = lambda _weight: 0.5 if bench.clock.now_s < opens_at_s else 0.0
    bench.run(bench.ok())

    assert bench.failure(0).failure.kind is ErrorKind.BUDGET
    waited_s = bench.failure(0).failed_mono_s - (opens_at_s - 9.0)
    assert REPORTED_HOLD_S < waited_s < REPORTED_HOLD_S + 1.0
    assert isinstance(bench.results[-1], PollSuccess)


def test_every_hold_is_reported_at_its_beginning() -> None:
    bench = Bench()
    opens_at_s = bench.clock.now_s + 3.0
    bench.transport.hold = lambda _weight: max(0.0, opens_at_s - bench.clock.now_s)

    def closed_again() -> Fetched[Payload]:
        nonlocal opens_at_s
        opens_at_s = bench.clock.now_s + 4.0
        return bench.ok()()

    bench.run(closed_again, bench.ok())

    assert [type(result) for result in bench.results] == [PollFailure, PollSuccess, PollFailure, PollSuccess]


def test_each_of_an_accounts_first_polls_waits_for_what_it_weighs_in_all() -> None:
    bench = Bench(weight=2)
    bench.job = replace(bench.job, account=AccountRef("bitunix", "main"), expected=(24, 22, 6))
    asked: list[int] = []
    at_each_poll: list[int] = []

    def hold(weight: int) -> float:
        asked.append(weight)
        return 0.0

    def ok() -> Fetched[Payload]:
        at_each_poll.append(max(asked))
        asked.clear()
        return bench.ok()()

    bench.transport.hold = hold
    bench.use_wait(bench.clock.wait)
    bench.run(ok, ok, ok, ok)

    assert at_each_poll == [24, 22, 6, 6]
