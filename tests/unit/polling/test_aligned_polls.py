"""Polls that follow the closes of candles on the venue's clock."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import TimedOut
from monitor.domain.intervals import INTERVALS_S
from monitor.exchanges import candles as series
from monitor.exchanges.base import Fetched, Payload, Source
from monitor.polling.clock import VenueTime
from monitor.polling.line import BudgetLine
from monitor.polling.poller import Poller, PollerEnvironment
from monitor.polling.schedule import Cadence
from tests.fakes.fake_clock import FakeClock
from tests.fakes.silent_transport import SilentTransport, make_fetched, make_job

CLOSE_S = 300.0
OFFSET_S = 1.0


class VenueBench:
    """A poller on a fake clock against a venue whose clock is ``ahead_s`` ahead of ours."""

    def __init__(self, *, ahead_s: float, start_s: float, took_s: float = 0.06) -> None:
        self.clock = FakeClock()
        self.clock.advance(start_s)
        self.ahead_s = ahead_s
        self.took_s = took_s
        self.venue_starts_s: list[float] = []
        self.script: list[Exception | None] = []
        transport = SilentTransport()
        job = replace(make_job(self._fetch, cadence_s=CLOSE_S), align_offset_s=OFFSET_S)
        environment = PollerEnvironment(
            put=lambda _result: None,
            clock=self.clock,
            utc_now=self.clock.utc_now,
            random=lambda: 0.0,
            wait=self.clock.wait,
        )
        self.poller = Poller(
            job,
            epoch=1,
            transport=transport,
            line=BudgetLine(transport),
            environment=environment,
            first_due_s=self.clock.now_s,
        )

    def run(self, *script: Exception | None) -> list[float]:
        """Poll once per step (``None``: it succeeds); return how long after the last close each poll began."""
        self.script = list(script)
        self.poller.run()
        return [start_s % CLOSE_S for start_s in self.venue_starts_s]

    def _fetch(self) -> Fetched[Payload]:
        # The fake wall clock began at a whole day, so seconds since then show the same grid as those since 1970.
        self.venue_starts_s.append(self._venue_s())
        error = self.script.pop(0)
        if not self.script:
            self.poller.retire()
        self.clock.advance(self.took_s)
        if error is not None:
            raise error
        middle_s = self._venue_s() - self.took_s / 2
        # A stamp cut to whole seconds, read as its middle: what the Date header gives.
        guessed_ahead_s = self.ahead_s + (middle_s // 1.0 + 0.5) - middle_s
        fetched = make_fetched(now_s=self.clock.now_s, now=self.clock.utc_now())
        return replace(fetched, clock_offset_s=guessed_ahead_s)

    def _venue_s(self) -> float:
        return (self.clock.utc_now() - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds() + self.ahead_s


@pytest.mark.parametrize("ahead_s", [0.0, 0.3, -0.7, 45.0, -3600.0])
@pytest.mark.parametrize("start_s", [0.0, 123.4, 299.2, 300.9])
def test_an_aligned_job_polls_at_once_and_then_after_each_close_of_the_venue(ahead_s: float, start_s: float) -> None:
    bench = VenueBench(ahead_s=ahead_s, start_s=start_s)
    after_close_s = bench.run(*[None] * 20)

    # Stamps are good to half a second at first, so the poll may come that much early or late, never before the close.
    assert all(0.4 < after_s < 1.6 for after_s in after_close_s[1:]), after_close_s
    gaps_s = [
        later - earlier for earlier, later in zip(bench.venue_starts_s[1:], bench.venue_starts_s[2:], strict=False)
    ]
    assert all(gap_s == pytest.approx(CLOSE_S, abs=1.1) for gap_s in gaps_s), gaps_s


def test_a_close_that_comes_right_after_the_start_is_not_passed_over() -> None:
    # The venue's clock stands two seconds before a close when the job starts.
    bench = VenueBench(ahead_s=CLOSE_S - 2.0, start_s=0.0)
    after_close_s = bench.run(None, None)

    assert after_close_s[0] == pytest.approx(CLOSE_S - 2.0)
    assert bench.venue_starts_s[1] - bench.venue_starts_s[0] == pytest.approx(3.0, abs=0.6)


def test_a_failure_at_a_close_is_tried_again_soon_and_the_next_close_is_met() -> None:
    bench = VenueBench(ahead_s=12.0, start_s=0.0)
    after_close_s = bench.run(None, None, TimedOut("slow", phase="read"), None, None)

    assert after_close_s[3] - after_close_s[2] == pytest.approx(5.06)
    assert 0.4 < after_close_s[4] < 1.6
    assert bench.venue_starts_s[4] - bench.venue_starts_s[2] == pytest.approx(CLOSE_S, abs=1.1)


def test_a_poll_before_the_close_does_not_stand_for_it_and_one_well_after_it_does() -> None:
    for start_s, next_due_s in ((299.9, 301.0), (300.4, 301.0), (300.6, 601.0), (301.0, 601.0)):
        cadence = Cadence(CLOSE_S, first_due_s=start_s, random=lambda: 0.0)
        cadence.succeeded(start_s, start_s + 0.06)
        cadence.align(1.0, slack_s=0.5)

        assert cadence.next_due_s == pytest.approx(next_due_s), start_s


@given(
    phase_s=st.floats(min_value=-1e6, max_value=1e6),
    starts=st.lists(st.floats(min_value=0.0, max_value=5.0), min_size=1, max_size=30),
    shifts=st.lists(st.floats(min_value=-0.4, max_value=0.4), min_size=30, max_size=30),
)
def test_aligning_loses_no_slot_and_counts_none_twice(phase_s: float, starts: list[float], shifts: list[float]) -> None:
    cadence = Cadence(60.0, first_due_s=0.0, random=lambda: 0.0)
    now_s = 0.0
    for late_s, shift_s in zip(starts, shifts, strict=False):
        now_s = max(now_s, cadence.next_due_s) + late_s
        cadence.succeeded(now_s, now_s + 0.05)
        cadence.align(phase_s + shift_s, slack_s=0.5)

        assert now_s + 0.5 - 1e-3 < cadence.next_due_s <= now_s + 0.5 + 60.0 + 1e-3
        assert cadence.planned == cadence.made
    assert cadence.missed == 0


def test_the_venues_time_is_ours_until_a_stamp_came() -> None:
    clock = FakeClock()
    time = VenueTime(clock.utc_now)
    time.learn(None, 0.1)

    assert time.now_epoch_s() == clock.utc_now().timestamp()
    time.learn(7.25, 0.1)
    assert time.now_epoch_s() == pytest.approx(clock.utc_now().timestamp() + 7.25)


def test_what_comes_from_memory_does_not_set_the_venues_clock() -> None:
    bench = VenueBench(ahead_s=0.0, start_s=0.0)
    job_fetch = bench._fetch

    def from_memory() -> Fetched[Payload]:
        return replace(job_fetch(), source=Source.CACHE, clock_offset_s=100.0)

    job = replace(make_job(from_memory, cadence_s=CLOSE_S), align_offset_s=OFFSET_S)
    assert bench.poller.adopt(job, 2)

    assert bench.run(None, None)[1] == pytest.approx(OFFSET_S)


def test_every_longer_interval_closes_on_the_grid_of_its_polls() -> None:
    for interval, length_s in INTERVALS_S.items():
        every_s = series.poll_every_s(interval)

        assert 60.0 <= every_s <= series.LONGEST_POLL_S
        assert length_s % every_s == 0.0, interval
