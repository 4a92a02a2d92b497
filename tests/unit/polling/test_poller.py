from collections.abc import Callable

import pytest
from msgspec.structs import replace

from monitor.domain.credentials import AccountRef
from monitor.domain.errors import BudgetExhausted, ErrorKind, RateLimited, TimedOut
from monitor.exchanges.base import Fetched, Payload, PollJob, Source
from monitor.exchanges.flights import handed_out
from monitor.polling.line import BudgetLine
from monitor.polling.poller import LONGEST_HOLD_LOOK_S, PATIENCE_S, REPORTED_HOLD_S, Poller, PollerEnvironment, Wait
from monitor.polling.results import PollFailure, PollResult, PollSuccess
from tests.fakes.fake_clock import FakeClock
from tests.fakes.silent_transport import SilentTransport, make_fetched, make_job, make_trace


class Bench:
    """A poller on a fake clock, run in the test's own thread; the fetch decides when it is over."""

    def __init__(self, *, cadence_s: float = 1.0, weight: int = 1, hold: Callable[[int], float] | None = None) -> None:
        self.clock = FakeClock()
        self.transport = SilentTransport(hold=hold or (lambda _weight: 0.0))
        self.results: list[PollResult] = []
        self.started_s: list[float] = []
        self.script: list[Callable[[], Fetched[Payload]]] = []
        self.job: PollJob = make_job(self._fetch, cadence_s=cadence_s, weight=weight)
        self.line = BudgetLine(self.transport)
        self.poller = self._make_poller(self.clock.wait)

    def use_wait(self, wait: Wait) -> None:
        """Wait another way, in which the user can do something meanwhile."""
        self.poller = self._make_poller(wait)

    def _make_poller(self, wait: Wait) -> Poller:
        environment = PollerEnvironment(
            put=self.results.append, clock=self.clock, utc_now=self.clock.utc_now, random=lambda: 0.0, wait=wait
        )
        return Poller(
            self.job,
            epoch=1,
            transport=self.transport,
            line=self.line,
            environment=environment,
            first_due_s=self.clock.now_s,
        )

    def run(self, *script: Callable[[], Fetched[Payload]]) -> None:
        """Poll until every step of ``script`` was used."""
        self.script = list(script)
        self.poller.run()

    def _fetch(self) -> Fetched[Payload]:
        self.started_s.append(self.clock.now_s)
        step = self.script.pop(0)
        if not self.script:
            self.poller.retire()
        return step()

    def ok(self, took_s: float = 0.05) -> Callable[[], Fetched[Payload]]:
        def step() -> Fetched[Payload]:
            self.clock.advance(took_s)
            return make_fetched(now_s=self.clock.now_s, now=self.clock.utc_now())

        return step

    def error(self, error: Exception, took_s: float = 0.05) -> Callable[[], Fetched[Payload]]:
        def step() -> Fetched[Payload]:
            self.clock.advance(took_s)
            raise error

        return step

    @property
    def offsets_s(self) -> list[float]:
        """When the polls began, in seconds after the first."""
        return [started_s - self.started_s[0] for started_s in self.started_s]

    def success(self, place: int) -> PollSuccess:
        result = self.results[place]
        assert isinstance(result, PollSuccess)
        return result

    def failure(self, place: int) -> PollFailure:
        result = self.results[place]
        assert isinstance(result, PollFailure)
        return result


def test_poller_keeps_its_cadence_whatever_the_replies_take() -> None:
    bench = Bench()
    bench.run(bench.ok(0.05), bench.ok(0.9), bench.ok(0.3), bench.ok(2.2), bench.ok())

    assert bench.offsets_s == pytest.approx([0.0, 1.0, 2.0, 3.0, 5.2])
    assert [bench.success(place).missed for place in range(5)] == [0, 0, 0, 0, 1]
    assert (bench.success(4).planned, bench.success(4).made) == (6, 5)


def test_a_late_poll_says_in_its_first_trace_how_long_it_queued() -> None:
    bench = Bench()
    bench.run(bench.ok(1.2), bench.ok())

    assert [bench.success(place).traces[0].queue_s for place in (0, 1)] == pytest.approx([0.0, 0.2])


def test_a_result_carries_pools_and_budget_of_its_venue() -> None:
    bench = Bench()
    bench.run(bench.ok(), bench.error(TimedOut("slow", phase="read")))

    for result in (bench.success(0), bench.failure(1)):
        assert result.pools == bench.transport.pool_stats()
        assert result.budget.venue == "bitunix"


def test_poller_backs_off_after_failures_and_returns_to_its_cadence() -> None:
    bench = Bench()
    fail = bench.error(TimedOut("slow", phase="read"), took_s=0.0)
    bench.run(fail, fail, fail, bench.ok(), bench.ok())

    assert bench.offsets_s == pytest.approx([0.0, 1.0, 3.0, 7.0, 8.0])
    assert [bench.failure(place).streak for place in range(3)] == [1, 2, 3]
    assert [bench.failure(place).next_due_in_s for place in range(3)] == pytest.approx([1.0, 2.0, 4.0])
    assert bench.success(3).missed == 3
    assert (bench.success(4).planned, bench.success(4).made) == (9, 5)


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


def test_an_unexpected_error_becomes_a_redacted_failure_and_polling_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench()
    secret = "0123456789abcdef" * 4
    bench.run(bench.error(ValueError(f"https://venue/x?api-key=abc sign={secret}")), bench.ok())

    failure = bench.failure(0).failure
    assert failure.kind is ErrorKind.INTERNAL
    assert "ValueError" in failure.detail
    for text in (failure.detail, failure.user_text, caplog.text):
        assert secret not in text
        assert "abc" not in text
    assert isinstance(bench.results[1], PollSuccess)


def test_a_failure_brings_the_traces_of_its_attempts() -> None:
    bench = Bench()
    trace = make_trace(now_s=bench.clock.now_s, now=bench.clock.utc_now())
    bench.run(bench.error(TimedOut("slow", phase="read", traces=(trace, trace))))

    traces = bench.failure(0).traces
    assert [one.queue_s for one in traces] == [0.0, None]


def test_refresh_polls_before_the_next_slot_but_not_around_the_budget() -> None:
    bench = Bench(cadence_s=60.0)
    opens_at_s = bench.clock.now_s

    def wish() -> Fetched[Payload]:
        return bench.ok()()

    def wait_then_refresh(event: object, timeout_s: float | None) -> bool:
        # The first wait is the one for the next slot; the user presses refresh five seconds into it.
        nonlocal opens_at_s
        if timeout_s is not None and timeout_s > 50.0:
            bench.clock.advance(5.0)
            opens_at_s = bench.clock.now_s + 1.5
            bench.poller.refresh()
            return True
        bench.clock.advance(timeout_s or 0.0)
        return False

    bench.transport.hold = lambda _weight: max(0.0, opens_at_s - bench.clock.now_s)
    bench.use_wait(wait_then_refresh)
    bench.run(wish, wish)

    assert bench.offsets_s == pytest.approx([0.0, 6.55], abs=0.01)
    assert (bench.success(1).planned, bench.success(1).made) == (2, 2)


def test_a_result_carries_the_epoch_in_force_when_it_arrives() -> None:
    """A job that the new plan keeps while its request is in flight must not be ignored as late."""
    bench = Bench()

    def replaced_meanwhile() -> Fetched[Payload]:
        assert bench.poller.adopt(bench.job, 2)
        return bench.ok()()

    def last() -> Fetched[Payload]:
        return bench.ok()()

    bench.run(bench.ok(), replaced_meanwhile, last)

    assert [bench.success(place).plan_epoch for place in range(3)] == [1, 2, 2]


def test_a_poller_whose_thread_ended_cannot_be_taken_back() -> None:
    bench = Bench()
    bench.run(bench.ok())

    assert bench.poller.adopt(bench.job, 2) is False


def test_waking_up_after_a_standstill_does_not_count_what_was_slept_through() -> None:
    """On Windows the monotonic clock goes on while the machine sleeps, so a wait overruns by hours."""
    bench = Bench()
    overran = False

    def sleepy_wait(event: object, timeout_s: float | None) -> bool:
        nonlocal overran
        bench.clock.advance((timeout_s or 0.0) + (0.0 if overran else 8 * 3_600.0))
        overran = True
        return False

    bench.use_wait(sleepy_wait)
    bench.run(bench.ok(), bench.ok())

    assert bench.success(1).missed == 0
    assert (bench.success(1).planned, bench.success(1).made) == (2, 2)


def test_a_refresh_joins_the_request_that_is_in_flight() -> None:
    bench = Bench()

    def refreshed_meanwhile() -> Fetched[Payload]:
        bench.poller.refresh()
        return bench.ok()()

    bench.run(refreshed_meanwhile, bench.ok())

    assert bench.offsets_s == pytest.approx([0.0, 1.0])


def test_a_refresh_while_paused_is_one_poll_and_the_pause_costs_no_missed_ones() -> None:
    bench = Bench()

    def wait(event: object, timeout_s: float | None) -> bool:
        if timeout_s is None:
            bench.clock.advance(600.3)
            bench.poller.refresh()
        bench.clock.advance(timeout_s or 0.0)
        return False

    def then_paused() -> Fetched[Payload]:
        bench.poller.pause()
        return bench.ok()()

    bench.use_wait(wait)
    bench.run(then_paused, bench.ok(), bench.ok())

    assert bench.offsets_s == pytest.approx([0.0, 600.35, 1_200.7])
    assert [bench.success(place).missed for place in range(3)] == [0, 0, 0]
    assert bench.success(2).planned == 3


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


def test_a_success_says_when_its_payload_was_handed_out() -> None:
    """What a cache gives was received long before; the time between is told once, as time in the cache."""
    bench = Bench()

    def from_cache() -> Fetched[Payload]:
        held = make_fetched(now_s=bench.clock.now_s - 60.0, now=bench.clock.utc_now())
        return handed_out(held, 60.0, Source.CACHE)

    bench.run(from_cache)
    result = bench.success(0)

    assert result.cache_age_s == 60.0
    assert result.handed_out_mono_s == pytest.approx(result.received_mono_s + 60.0)


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
