import itertools
import threading
from collections.abc import Callable

import pytest

from monitor.domain.errors import BudgetExhausted, ErrorKind, MonitorError, RateLimited, TimedOut
from monitor.proof.interleave import BUDGET_PATIENCE_S, MAX_FAILURES_IN_A_ROW, Contender, Interleaving, Pace, Reading
from monitor.proof.statistics import Sample
from tests.fakes.fake_clock import FakeClock

POLITE = Pace(pause_s=0.1, handshake_spacing_s=1.0)
HASTY = Pace(pause_s=0.0, handshake_spacing_s=0.0)


class Bench:
    """Both ways on a fake clock: pooled takes 60 ms, unpooled 180 ms; an error of the script is raised instead."""

    def __init__(self, *, requests: int = 20, pace: Pace = HASTY, seed: int = 1) -> None:
        self.clock = FakeClock()
        self.cancel = threading.Event()
        self.asked: list[tuple[bool, float]] = []
        self.errors: dict[bool, list[MonitorError | None]] = {True: [], False: []}
        self.told: list[str] = []
        self.after_ask: Callable[[], None] = lambda: None
        self.run = Interleaving(
            (
                Contender(ask=lambda: self._ask(is_pooled=True), is_pooled=True, opens_each=False),
                Contender(ask=lambda: self._ask(is_pooled=False), is_pooled=False, opens_each=True),
            ),
            requests=requests,
            pace=pace,
            seed=seed,
            cancel=self.cancel,
            clock=self.clock,
            wait=self.clock.wait,
            waiting=self.told.append,
        )

    def _ask(self, *, is_pooled: bool) -> Reading:
        is_first = not any(way == is_pooled for way, _ in self.asked)
        self.asked.append((is_pooled, self.clock.now_s))
        self.after_ask()
        error = self.errors[is_pooled].pop(0) if self.errors[is_pooled] else None
        duration_s = 0.06 if is_pooled else 0.18
        self.clock.advance(duration_s)
        if error is not None:
            raise error
        return Reading(duration_s=duration_s, is_cold=not is_pooled or is_first)

    def samples(self) -> list[Sample]:
        return list(self.run.samples())


def test_each_pair_has_both_ways_and_their_order_is_random_but_repeatable() -> None:
    orders = []
    for seed in (1, 1, 2):
        bench = Bench(requests=40, seed=seed)
        samples = bench.samples()
        for pair in range(40):
            assert {sample.is_pooled for sample in samples[2 * pair : 2 * pair + 2]} == {True, False}
            assert {sample.pair for sample in samples[2 * pair : 2 * pair + 2]} == {pair}
        orders.append([sample.is_pooled for sample in samples[::2]])

    assert orders[0] == orders[1]
    assert orders[0] != orders[2]
    assert 8 < sum(orders[0]) < 32


def test_a_live_venue_gets_a_pause_and_at_most_one_handshake_a_second() -> None:
    bench = Bench(pace=POLITE)
    bench.samples()
    starts_s = [at_s for _, at_s in bench.asked]
    handshakes_s = [
        at_s
        for place, (is_pooled, at_s) in enumerate(bench.asked)
        if not is_pooled or not any(way for way, _ in bench.asked[:place])
    ]

    assert all(later - earlier >= 0.06 + 0.1 - 1e-9 for earlier, later in itertools.pairwise(starts_s))
    assert len(handshakes_s) == 21
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(handshakes_s)]
    assert min(gaps_s) >= 1.0 - 1e-9
    assert max(gaps_s) < 1.5


def test_a_failure_is_a_sample_without_a_duration_and_the_run_goes_on() -> None:
    bench = Bench(requests=4)
    bench.errors[True] = [None, TimedOut("slow", phase="read")]
    samples = bench.samples()
    failed = [sample for sample in samples if sample.error_kind is not None]

    assert len(samples) == 8
    assert [(sample.pair, sample.is_pooled, sample.duration_s) for sample in failed] == [(1, True, None)]
    assert failed[0].error_kind is ErrorKind.TIMEOUT
    assert bench.run.stopped_because == ""


def test_our_own_budget_is_waited_for_and_is_no_failure() -> None:
    bench = Bench(requests=3)
    bench.errors[False] = [
        None,
        BudgetExhausted("full", available_in_s=7.0),
        BudgetExhausted("full", available_in_s=2.0),
    ]
    samples = bench.samples()

    assert len(samples) == 6
    assert all(sample.error_kind is None for sample in samples)
    assert 7.0 in bench.clock.waits_s
    assert 2.0 in bench.clock.waits_s


def test_what_is_waited_for_is_told_once_from_a_second_on_and_its_end_too() -> None:
    bench = Bench(requests=3)
    short, long = (BudgetExhausted("full", available_in_s=wait_s) for wait_s in (0.4, 0.7))
    bench.errors[False] = [short, None, short, long, long, None]
    bench.samples()

    assert bench.told == ["full", ""]


def test_a_budget_that_stays_closed_ends_the_run_and_is_no_failed_request() -> None:
    bench = Bench(requests=2)
    bench.errors[False] = [None, BudgetExhausted("Our share is used up.", available_in_s=BUDGET_PATIENCE_S + 1)]
    samples = bench.samples()

    assert all(sample.error_kind is None for sample in samples)
    assert sum(not sample.is_pooled for sample in samples) == 1
    assert bench.run.stopped_because == "Our share is used up. The measurement stopped early."
    assert isinstance(bench.run.last_error, BudgetExhausted)


def test_a_venue_in_trouble_is_left_alone() -> None:
    bench = Bench(requests=50)
    bench.errors[True] = [TimedOut("slow", phase="read")] * 50
    samples = bench.samples()

    assert sum(sample.is_pooled for sample in samples) == MAX_FAILURES_IN_A_ROW
    assert "timeout" in bench.run.stopped_because


def test_two_refusals_end_the_run() -> None:
    bench = Bench(requests=50)
    refusal = RateLimited("too many", http_status=429, retry_after_s=None)
    bench.errors[False] = [None, refusal, None, refusal]
    samples = bench.samples()

    assert sum(not sample.is_pooled for sample in samples) == 4
    assert "rate limit" in bench.run.stopped_because


@pytest.mark.parametrize("cancelled_after", [1, 5, 8])
def test_cancelling_ends_the_run_after_the_request_in_flight(cancelled_after: int) -> None:
    bench = Bench(pace=POLITE)

    def cancel_now() -> None:
        if len(bench.asked) == cancelled_after:
            bench.cancel.set()

    bench.after_ask = cancel_now
    samples = bench.samples()

    assert len(samples) == len(bench.asked) == cancelled_after
    assert bench.run.stopped_because == ""
