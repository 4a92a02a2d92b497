import pytest

from monitor.domain.errors import ErrorKind, TimedOut
from monitor.exchanges.base import Fetched, Payload, Source
from monitor.exchanges.flights import handed_out
from monitor.polling.results import PollSuccess
from tests.fakes.poller_bench import Bench
from tests.fakes.silent_transport import make_fetched, make_trace


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
