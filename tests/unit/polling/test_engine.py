"""The engine with real threads. Waiting is for events with a generous bound; no assertion is about seconds."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from monitor.domain.errors import ErrorKind
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.polling.engine import PollEngine
from monitor.polling.outbox import Outbox
from monitor.polling.plan import PollPlan
from monitor.polling.results import PollFailure, PollResult, PollSuccess, TaskDone
from tests.fakes.silent_transport import SilentTransport, make_fetched, make_job

PATIENCE_S = 10.0


class Venue:
    """Counts what is fetched; ``hang`` makes every fetch wait until ``release``."""

    def __init__(self) -> None:
        self.fetches: dict[str, int] = {}
        self.fetched = threading.Condition()
        self.hang = threading.Event()
        self.release = threading.Event()

    def job(self, key: str = "bitunix.tickers", *, cadence_s: float = 0.01, venue: str = "bitunix") -> PollJob:
        def fetch() -> Fetched[Payload]:
            with self.fetched:
                self.fetches[key] = self.fetches.get(key, 0) + 1
                self.fetched.notify_all()
            if self.hang.is_set():
                assert self.release.wait(PATIENCE_S)
            return make_fetched(venue=venue, now_s=time.perf_counter(), now=datetime.now(UTC))

        return make_job(fetch, key=key, cadence_s=cadence_s, venue=venue)

    def wait_for(self, key: str, count: int) -> None:
        with self.fetched:
            assert self.fetched.wait_for(lambda: self.fetches.get(key, 0) >= count, PATIENCE_S), self.fetches


class Rig:
    def __init__(self) -> None:
        self.outbox = Outbox()
        self.venue = Venue()
        self.transports = {"bitunix": SilentTransport("bitunix"), "hyperliquid": SilentTransport("hyperliquid")}
        self.engine = PollEngine(outbox=self.outbox, transports=self.transports)
        self.seen: list[PollResult] = []

    def wait_for_result(self, is_wanted: Callable[[PollResult], bool]) -> PollResult:
        give_up_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up_s:
            items, _ = self.outbox.drain()
            self.seen += items
            for item in self.seen:
                if is_wanted(item):
                    return item
            time.sleep(0.002)
        raise AssertionError("the result never came")


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.venue.release.set()
    rig.engine.stop(PATIENCE_S)


def _poll_threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("poll-"))


def test_one_thread_per_job_named_after_it(rig: Rig) -> None:
    jobs = (rig.venue.job("bitunix.tickers"), rig.venue.job("hyperliquid.all_mids", venue="hyperliquid"))
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=jobs))
    rig.venue.wait_for("bitunix.tickers", 3)
    rig.venue.wait_for("hyperliquid.all_mids", 3)

    assert _poll_threads() == ["poll-bitunix.tickers", "poll-hyperliquid.all_mids"]
    assert rig.engine.stop(PATIENCE_S) is True
    assert _poll_threads() == []
    venues = {result.venue for result in rig.outbox.drain()[0] if isinstance(result, PollSuccess)}
    assert venues == {"bitunix", "hyperliquid"}


def test_a_new_plan_keeps_the_thread_and_totals_of_unchanged_jobs(rig: Rig) -> None:
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(), rig.venue.job("bitunix.depth:BTCUSDT"))))
    rig.venue.wait_for("bitunix.tickers", 2)
    threads = {thread.name: thread for thread in threading.enumerate()}
    rig.engine.apply_plan(PollPlan(epoch=2, jobs=(rig.venue.job(), rig.venue.job("bitunix.depth:ETHUSDT"))))
    rig.venue.wait_for("bitunix.depth:ETHUSDT", 1)
    result = rig.wait_for_result(
        lambda item: isinstance(item, PollSuccess) and item.key == "bitunix.tickers" and item.plan_epoch == 2
    )

    assert isinstance(result, PollSuccess)
    assert result.made >= 3
    assert threads["poll-bitunix.tickers"].is_alive()
    threads["poll-bitunix.depth:BTCUSDT"].join(PATIENCE_S)
    assert _poll_threads() == ["poll-bitunix.depth:ETHUSDT", "poll-bitunix.tickers"]


def test_a_removed_job_answers_late_with_its_old_epoch(rig: Rig) -> None:
    rig.venue.hang.set()
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(),)))
    rig.venue.wait_for("bitunix.tickers", 1)
    rig.engine.apply_plan(PollPlan(epoch=2))
    rig.venue.release.set()

    late = rig.wait_for_result(lambda item: isinstance(item, PollSuccess))
    assert isinstance(late, PollSuccess)
    assert late.plan_epoch == 1


def test_a_job_that_comes_back_while_its_request_hangs_gets_no_second_thread(rig: Rig) -> None:
    rig.venue.hang.set()
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(),)))
    rig.venue.wait_for("bitunix.tickers", 1)
    for epoch in range(2, 12):
        rig.engine.apply_plan(PollPlan(epoch=epoch, jobs=(rig.venue.job(),) if epoch % 2 else ()))

    assert _poll_threads() == ["poll-bitunix.tickers"]
    rig.venue.hang.clear()
    rig.venue.release.set()
    rig.venue.wait_for("bitunix.tickers", 3)


def test_a_job_taken_back_does_not_keep_a_pause_that_is_over(rig: Rig) -> None:
    rig.venue.hang.set()
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(),)))
    rig.venue.wait_for("bitunix.tickers", 1)
    rig.engine.pause()
    rig.engine.apply_plan(PollPlan(epoch=2))
    rig.engine.resume()
    rig.engine.apply_plan(PollPlan(epoch=3, jobs=(rig.venue.job(),)))
    rig.venue.hang.clear()
    rig.venue.release.set()

    rig.venue.wait_for("bitunix.tickers", 3)


def test_a_job_that_is_removed_while_first_in_line_lets_the_others_go_on(rig: Rig) -> None:
    rig.transports["bitunix"].hold = lambda weight: 3_600.0 if weight > 1 else 0.0
    light = rig.venue.job("bitunix.tickers")
    heavy = replace(rig.venue.job("bitunix.heavy"), weight=2)
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(heavy,)))
    rig.wait_for_result(lambda item: isinstance(item, PollFailure) and item.key == "bitunix.heavy")
    rig.engine.apply_plan(PollPlan(epoch=2, jobs=(heavy, light)))
    rig.wait_for_result(lambda item: isinstance(item, PollFailure) and item.key == "bitunix.tickers")
    assert rig.venue.fetches == {}
    rig.engine.apply_plan(PollPlan(epoch=3, jobs=(light,)))

    rig.venue.wait_for("bitunix.tickers", 3)


def test_stop_gives_up_on_hanging_requests_and_nothing_of_them_arrives_later(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    rig.venue.hang.set()
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(), rig.venue.job("bitunix.depth:BTCUSDT"))))
    rig.venue.wait_for("bitunix.tickers", 1)
    rig.venue.wait_for("bitunix.depth:BTCUSDT", 1)

    assert rig.engine.stop(0.05) is False
    assert sorted(rig.engine.unfinished) == ["poll-bitunix.depth:BTCUSDT", "poll-bitunix.tickers"]
    assert "poll-bitunix.tickers" in caplog.text
    assert not rig.venue.release.is_set(), "stop() returned although the requests still hang"

    rig.venue.release.set()
    assert rig.engine.stop(PATIENCE_S) is True
    assert _poll_threads() == []
    assert list(rig.outbox.drain()[0]) == []


def test_stop_is_quick_to_wake_pollers_that_wait_for_the_schedule_the_budget_or_a_pause(rig: Rig) -> None:
    """Each of them would wait for an hour; the test's timeout would say so."""
    rig.transports["hyperliquid"].hold = lambda _weight: 3_600.0
    rig.engine.apply_plan(
        PollPlan(
            epoch=1,
            jobs=(rig.venue.job(cadence_s=3_600.0), rig.venue.job("hyperliquid.meta", venue="hyperliquid")),
        )
    )
    rig.venue.wait_for("bitunix.tickers", 1)
    rig.wait_for_result(lambda item: isinstance(item, PollFailure) and item.failure.kind is ErrorKind.BUDGET)

    assert rig.engine.stop(PATIENCE_S) is True


def test_stop_ends_paused_pollers(rig: Rig) -> None:
    rig.engine.pause()
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(),)))
    # Five cadences: a poller that ignored the pause would have polled by now.
    time.sleep(0.05)

    assert rig.engine.stop(PATIENCE_S) is True
    assert rig.venue.fetches == {}


def test_pause_stops_the_schedule_and_resume_goes_on(rig: Rig) -> None:
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(),)))
    rig.venue.wait_for("bitunix.tickers", 2)
    rig.engine.pause()
    # A refresh while paused is a poll of its own; after it the schedule must still stand.
    rig.engine.refresh("bitunix.tickers")
    time.sleep(0.05)
    before = rig.venue.fetches["bitunix.tickers"]
    time.sleep(0.1)
    assert rig.venue.fetches["bitunix.tickers"] == before

    rig.engine.refresh()
    rig.venue.wait_for("bitunix.tickers", before + 1)
    rig.engine.resume()
    rig.venue.wait_for("bitunix.tickers", before + 4)


def test_refresh_asks_only_what_was_named_and_says_how_many(rig: Rig) -> None:
    jobs = (
        rig.venue.job("bitunix.tickers", cadence_s=3_600.0),
        rig.venue.job("hyperliquid.meta", venue="hyperliquid", cadence_s=3_600.0),
    )
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=jobs))
    # Both first results are in, hence no request is in flight that the refresh could join.
    rig.wait_for_result(lambda item: isinstance(item, PollSuccess) and item.venue == "bitunix")
    rig.wait_for_result(lambda item: isinstance(item, PollSuccess) and item.venue == "hyperliquid")

    assert rig.engine.refresh("bitunix.tickers") == 1
    rig.venue.wait_for("bitunix.tickers", 2)
    assert rig.venue.fetches["hyperliquid.meta"] == 1
    assert rig.engine.refresh(venue="hyperliquid") == 1
    rig.venue.wait_for("hyperliquid.meta", 2)
    assert rig.engine.refresh("nobody.knows") == 0


def test_a_flood_of_refreshes_cannot_pass_a_budget_that_is_closed(rig: Rig) -> None:
    is_closed = threading.Event()
    rig.transports["bitunix"].hold = lambda _weight: 3_600.0 if is_closed.is_set() else 0.0
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(cadence_s=3_600.0),)))
    rig.wait_for_result(lambda item: isinstance(item, PollSuccess))
    is_closed.set()
    for _ in range(200):
        rig.engine.refresh()
    rig.wait_for_result(lambda item: isinstance(item, PollFailure) and item.failure.kind is ErrorKind.BUDGET)

    assert rig.venue.fetches["bitunix.tickers"] == 1


def test_poll_now_ends_every_wait_for_the_schedule(rig: Rig) -> None:
    rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(cadence_s=3_600.0),)))
    rig.venue.wait_for("bitunix.tickers", 1)
    rig.engine.poll_now()

    rig.venue.wait_for("bitunix.tickers", 2)


def test_one_off_work_comes_back_with_its_token_and_its_failure_as_a_value(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    def explode() -> object:
        raise OSError("disk full")

    good = rig.engine.run_once(lambda: 42)
    bad = rig.engine.run_once(explode)
    assert good != bad
    done = rig.wait_for_result(lambda item: isinstance(item, TaskDone) and item.token == good)
    failed = rig.wait_for_result(lambda item: isinstance(item, TaskDone) and item.token == bad)

    assert isinstance(done, TaskDone)
    assert isinstance(failed, TaskDone)
    assert (done.value, done.failure) == (42, None)
    assert failed.failure is not None
    assert failed.failure.kind is ErrorKind.INTERNAL
    assert "disk full" in caplog.text


def test_one_off_work_that_never_began_is_answered_as_cancelled(rig: Rig) -> None:
    began = threading.Barrier(4)

    def hang() -> object:
        began.wait(PATIENCE_S)
        assert rig.venue.release.wait(PATIENCE_S)
        return None

    for _ in range(3):
        rig.engine.run_once(hang)
    began.wait(PATIENCE_S)
    waiting = rig.engine.run_once(lambda: 1)
    stopper = threading.Thread(target=rig.engine.stop, args=(PATIENCE_S,))
    stopper.start()
    answer = rig.wait_for_result(lambda item: isinstance(item, TaskDone) and item.token == waiting)
    rig.venue.release.set()
    stopper.join(PATIENCE_S)

    assert isinstance(answer, TaskDone)
    assert answer.failure is not None
    assert answer.failure.kind is ErrorKind.CANCELLED


def test_an_engine_that_stopped_takes_no_more_orders(rig: Rig) -> None:
    assert rig.engine.stop(PATIENCE_S) is True

    with pytest.raises(RuntimeError):
        rig.engine.apply_plan(PollPlan(epoch=1, jobs=(rig.venue.job(),)))
    with pytest.raises(RuntimeError):
        rig.engine.run_once(lambda: 1)
    assert rig.engine.refresh() == 0


def test_a_plan_for_a_venue_without_transport_or_with_an_old_epoch_is_refused(rig: Rig) -> None:
    rig.engine.apply_plan(PollPlan(epoch=5))

    with pytest.raises(ValueError, match="nowhere"):
        rig.engine.apply_plan(PollPlan(epoch=6, jobs=(rig.venue.job(venue="nowhere"),)))
    with pytest.raises(ValueError, match="epoch"):
        rig.engine.apply_plan(PollPlan(epoch=5))
