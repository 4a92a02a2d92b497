"""The pump: everything reaches the board once and in order, in small bites, and delays are measured truthfully."""

import itertools
import threading
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from monitor.domain.market import VenueStatus
from monitor.exchanges.asking import Asking, VenueClock
from monitor.exchanges.base import Source
from monitor.exchanges.flights import handed_out
from monitor.polling.outbox import Outbox
from monitor.polling.reports import success_report
from monitor.polling.results import PollResult, TaskDone
from monitor.polling.schedule import Cadence
from monitor.qtmodels import frame_pump
from monitor.qtmodels.frame_pump import FramePump
from monitor.qtmodels.lag import LagWindow
from monitor.transport.interface import Endpoint
from tests.fakes.board_samples import SampleClock, SampleFeed, make_board
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_transport import FakeTransport
from tests.fakes.sample_markets import FIRST
from tests.fakes.silent_transport import make_fetched, make_job


class Sink:
    """Takes results as a board would; each one costs ``cost_s`` on the clock."""

    def __init__(self, clock: SampleClock, cost_s: float = 0.0) -> None:
        self.clock = clock
        self.cost_s = cost_s
        self.taken: list[PollResult] = []
        self.dropped = 0
        self.revision = 0
        self.ticks = 0

    def apply(self, results: Sequence[PollResult], dropped: int = 0) -> None:
        self.taken.extend(results)
        self.dropped += dropped
        self.revision += 1
        self.clock.now_s += self.cost_s

    def tick(self) -> None:
        self.ticks += 1


def task(token: int) -> TaskDone:
    return TaskDone(token=token, value=None, failure=None)


def tokens(sink: Sink) -> list[int]:
    return [result.token for result in sink.taken if isinstance(result, TaskDone)]


def test_results_reach_the_board_once_and_in_order(qtbot: QtBot) -> None:
    outbox, clock = Outbox(), SampleClock()
    sink = Sink(clock)
    pump = FramePump(outbox, sink, clock=clock)
    for token in range(20):
        outbox.put(task(token))

    pump.on_tick()

    assert tokens(sink) == list(range(20))
    assert pump.backlog == 0


def test_heavy_work_is_spread_over_several_turns(qtbot: QtBot) -> None:
    outbox, clock = Outbox(), SampleClock()
    sink = Sink(clock, cost_s=frame_pump.WORK_LIMIT_S)
    pump = FramePump(outbox, sink, clock=clock)
    for token in range(10):
        outbox.put(task(token))

    pump.on_tick()

    assert len(sink.taken) <= 2
    assert pump.backlog == 10 - len(sink.taken)

    qtbot.waitUntil(lambda: pump.backlog == 0)

    assert tokens(sink) == list(range(10))


def test_a_frame_is_said_only_when_something_changed(qtbot: QtBot) -> None:
    outbox, clock = Outbox(), SampleClock()
    pump = FramePump(outbox, Sink(clock), clock=clock)
    pump.on_tick()

    clock.now_s += 1.0
    with qtbot.assertNotEmitted(pump.frame):
        pump.on_tick()
    outbox.put(task(1))
    with qtbot.waitSignal(pump.frame):
        pump.on_tick()


def test_frames_keep_their_distance_and_the_last_change_is_shown(qtbot: QtBot) -> None:
    outbox, clock = Outbox(), SampleClock()
    pump = FramePump(outbox, Sink(clock), clock=clock)
    frames_at: list[float] = []

    class Counter(QObject):
        def on_frame(self) -> None:
            frames_at.append(clock.now_s)

    counter = Counter()
    pump.frame.connect(counter.on_frame)
    for token in range(60):
        outbox.put(task(token))
        pump.on_tick()
        clock.now_s += 0.010
    shown_before = len(frames_at)
    outbox.put(task(99))
    pump.on_tick()
    clock.now_s += frame_pump.FRAME_INTERVAL_S
    pump.on_tick()

    gaps = [later - earlier for earlier, later in itertools.pairwise(frames_at)]
    assert min(gaps) >= frame_pump.FRAME_INTERVAL_S - 1e-9
    assert len(frames_at) > shown_before >= 10


def test_loss_is_passed_on_even_when_nothing_else_is(qtbot: QtBot) -> None:
    outbox, clock = Outbox(capacity=1), SampleClock()
    sink = Sink(clock)
    pump = FramePump(outbox, sink, clock=clock)
    for token in range(4):
        outbox.put(task(token))

    pump.on_tick()

    assert tokens(sink) == [3]
    assert sink.dropped == 3


def test_one_off_work_comes_back_as_a_signal(qtbot: QtBot) -> None:
    outbox, clock = Outbox(), SampleClock()
    pump = FramePump(outbox, Sink(clock), clock=clock)
    outbox.put(task(7))

    with qtbot.waitSignal(pump.task_done) as done:
        pump.on_tick()

    assert done.args == [task(7)]


def test_delay_runs_from_the_last_byte_to_the_end_of_the_repaint(qtbot: QtBot) -> None:
    board, clock, _ = make_board(seconds=1)
    outbox = Outbox()
    feed = SampleFeed(board, clock, sink=outbox.put)
    pump = FramePump(outbox, board, clock=clock)
    pump.set_window_shown(True)
    feed.deliver_quotes(FIRST)
    clock.now_s += 0.020
    pump.on_tick()
    clock.now_s += 0.010
    pump.painted()

    assert [round(value, 6) for value in pump.reply_to_paint.values()] == [0.030]

    pump.painted()

    assert pump.reply_to_paint.total == 1


def test_delay_of_a_cache_hit_runs_from_when_it_was_handed_out(qtbot: QtBot) -> None:
    """Not from the reply that filled the cache, minutes before."""
    demo, clock, outbox = FakeTransport(answers=[b"null"]), SampleClock(), Outbox()
    pump = FramePump(outbox, Sink(clock), clock=clock)
    pump.set_window_shown(True)
    fetched = make_fetched(now_s=clock.now_s, now=clock.utc_now())
    clock.now_s += 180.0
    held = handed_out(fetched, 180.0, Source.CACHE)
    cadence = Cadence(60.0, first_due_s=clock.now_s, random=lambda: 0.5)
    job = make_job(lambda: held)
    report = partial(success_report, job, epoch=1, transport=demo, cadence=cadence, missed=0, queue_s=0.0)
    outbox.put(report(held, handed_out_mono_s=clock.now_s))
    clock.now_s += 0.020
    pump.on_tick()
    pump.painted()
    outbox.put(report(held, handed_out_mono_s=None))
    pump.on_tick()
    pump.painted()

    assert [round(value, 6) for value in pump.reply_to_paint.values()] == [0.020], "without a start there is no delay"


def test_delay_of_a_read_of_several_requests_runs_from_the_last_reply(qtbot: QtBot) -> None:
    """The pages after the first may have waited long for the budget."""
    clock, outbox = FakeClock(), Outbox()
    pump = FramePump(outbox, Sink(SampleClock()), clock=clock)
    pump.set_window_shown(True)
    demo = FakeTransport(clock=clock, answers=[b"null"])
    endpoint = Endpoint(name="bitunix.kline", method="GET", path="/kline")
    with Asking(demo, VenueClock(clock.utc_now)) as ask:
        ask.send(endpoint)
        clock.advance(9.0)
        ask.send(endpoint)
        fetched = ask.fetched(VenueStatus(venue="bitunix", venue_time=None, special_status=None))
    cadence = Cadence(60.0, first_due_s=clock(), random=lambda: 0.5)
    job = make_job(lambda: fetched)
    outbox.put(
        success_report(
            job, fetched, epoch=1, transport=demo, cadence=cadence, missed=0, queue_s=0.0, handed_out_mono_s=clock()
        )
    )
    clock.advance(0.020)
    pump.on_tick()
    pump.painted()

    assert [round(value, 6) for value in pump.reply_to_paint.values()] == [0.020]


def test_a_hidden_window_is_not_measured(qtbot: QtBot) -> None:
    board, clock, _ = make_board(seconds=1)
    outbox = Outbox()
    feed = SampleFeed(board, clock, sink=outbox.put)
    pump = FramePump(outbox, board, clock=clock)
    feed.deliver_quotes(FIRST)
    pump.on_tick()
    pump.set_window_shown(True)
    clock.now_s += 60.0
    pump.painted()

    assert pump.reply_to_paint.total == 0


def test_a_late_tick_is_a_stall_and_a_nap_is_not(qtbot: QtBot) -> None:
    clock = SampleClock()
    pump = FramePump(Outbox(), Sink(clock), clock=clock)
    pump.on_tick()
    clock.now_s += frame_pump.DRAIN_INTERVAL_MS / 1000 + 0.080
    pump.on_tick()
    clock.now_s += 3600.0
    pump.on_tick()

    assert pump.stalls.worst_ever_s is not None
    assert abs(pump.stalls.worst_ever_s - 0.080) < 1e-9
    assert pump.stalls.total == 1


def test_timers_drain_what_other_threads_put(qtbot: QtBot) -> None:
    """The real timers, the real outbox, a real thread."""
    outbox, clock = Outbox(), SampleClock()
    sink = Sink(clock)
    pump = FramePump(outbox, sink)

    def work() -> None:
        for token in range(500):
            outbox.put(task(token))

    pump.start()
    worker = threading.Thread(target=work)
    worker.start()
    qtbot.waitUntil(lambda: len(sink.taken) == 500)
    worker.join()
    pump.stop()

    assert tokens(sink) == list(range(500))
    assert not pump.is_running


def test_what_waits_at_the_start_is_in_the_first_frame(qtbot: QtBot) -> None:
    outbox, clock = Outbox(), SampleClock()
    sink = Sink(clock)
    pump = FramePump(outbox, sink, clock=clock)
    outbox.put(task(1))
    with qtbot.waitSignals([pump.frame, pump.slow_frame], order="strict"):
        pump.start()
    assert tokens(sink) == [1], "before the event loop had a turn"
    clock.now_s += 0.4
    pump.on_tick()
    pump.stop()

    assert pump.stalls.total == 0, "the first paint of a window is no stall"


def test_the_slow_frame_lets_the_board_notice_silence(qtbot: QtBot) -> None:
    sink = Sink(SampleClock())
    pump = FramePump(Outbox(), sink)
    pump.start()
    qtbot.waitUntil(lambda: sink.ticks > 0, timeout=10_000)
    pump.stop()

    assert sink.ticks > 0


def test_lag_percentiles_are_by_nearest_rank() -> None:
    lag = LagWindow(capacity=100)
    for value in range(200):
        lag.add(value / 1000)
    figures = lag.figures()

    assert (figures.n, figures.p50_s, figures.p99_s, figures.worst_s) == (100, 0.149, 0.198, 0.199)
    assert lag.worst_ever_s == 0.199
    assert LagWindow().figures().p50_s is None
