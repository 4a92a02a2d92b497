"""The heartbeat of the window: results out of the outbox into the board, and word to the widgets that time has passed.

Two timers. The fast one drains and, when something changed, says ``frame``; the slow one says ``slow_frame`` for text
that ages. Everything that moves on screen moves on one of the two, so the repaint rate does not depend on the load.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from monitor.polling.results import PollResult, PollSuccess, TaskDone
from monitor.qtmodels.lag import LagWindow

DRAIN_INTERVAL_MS = 16
"""How long a result waits at most to be noticed. Looking into an empty outbox costs some 20 µs."""

FRAME_INTERVAL_S = 0.033
"""30 frames a second at most: more than figures need, little enough to leave the machine alone."""

SLOW_INTERVAL_MS = 1000
"""Text must stand still long enough to be read."""

WORK_LIMIT_S = 0.006
"""Applying stops after this long in one tick and goes on at once after pending input and paint events."""

STALL_FLOOR_S = 0.002
"""Timer overruns below this are the scheduler's, not ours; counted as no stall."""

NAP_S = 5.0
"""A tick this late means the machine slept; that is no stall of ours."""

UNSHOWN_LIMIT = 4096
"""Results waiting for a repaint; more than this are never measured one by one."""


class ResultSource(Protocol):
    """The part of ``Outbox`` the pump uses."""

    def drain(self) -> tuple[Sequence[PollResult], int]:
        """Everything waiting, oldest first, and how many were dropped since the last call."""
        ...


class ResultSink(Protocol):
    """The part of ``Board`` the pump uses."""

    @property
    def revision(self) -> int:
        """Grows with every change worth a repaint."""
        ...

    def apply(self, results: Sequence[PollResult], dropped: int = 0) -> None:
        """Take results in."""
        ...

    def tick(self) -> None:
        """Notice what time alone brings."""
        ...


class FramePump(QObject):
    """Drains an outbox into a board at a bounded rate and measures what the app itself adds in delay.

    Signals:
        frame(): something changed, repaint what moves; at most every ``FRAME_INTERVAL_S``.
        slow_frame(): a second has passed, refresh ages, ratios and text.
        task_done(object): a ``TaskDone`` came through the outbox.

    Thread: lives in the GUI thread; ``start``, ``stop`` and ``painted`` are called there.
    """

    frame = Signal()
    slow_frame = Signal()
    task_done = Signal(object)

    def __init__(
        self,
        source: ResultSource,
        sink: ResultSink,
        *,
        clock: Callable[[], float] = time.perf_counter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._sink = sink
        self._clock = clock
        self._backlog: deque[PollResult] = deque()
        self._dropped = 0
        self._unshown: deque[float] = deque(maxlen=UNSHOWN_LIMIT)
        self._is_window_shown = False
        self._seen_revision = -1
        self._last_tick_s: float | None = None
        self._last_frame_s = float("-inf")
        self.stalls = LagWindow()
        """How late each tick came: the time the GUI thread was busy or kept waiting."""
        self.reply_to_paint = LagWindow()
        """From the last byte of the last reply that a result needed (or from when a cache handed it out) to the end of
        the repaint that shows it.
        """
        self._drain_timer = QTimer(self)
        self._drain_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._drain_timer.setInterval(DRAIN_INTERVAL_MS)
        self._drain_timer.timeout.connect(self.on_tick)
        self._slow_timer = QTimer(self)
        self._slow_timer.setInterval(SLOW_INTERVAL_MS)
        self._slow_timer.timeout.connect(self._on_slow)
        # Zero interval: runs when the event queue is empty, so input and paint go first.
        self._more_timer = QTimer(self)
        self._more_timer.setSingleShot(True)
        self._more_timer.setInterval(0)
        self._more_timer.timeout.connect(self._on_more)

    def start(self) -> None:
        """Start both timers; take in at once what waits, and say one slow frame, so that no window opens blank."""
        self._drain_timer.start()
        self._slow_timer.start()
        self.on_tick()
        # The first paint of a whole window follows, which is no stall.
        self._last_tick_s = None
        self.slow_frame.emit()

    def stop(self) -> None:
        """Stop both timers; what is still in the outbox stays there."""
        self._drain_timer.stop()
        self._slow_timer.stop()
        self._more_timer.stop()

    @property
    def is_running(self) -> bool:
        """Whether the timers run."""
        return self._drain_timer.isActive()

    @property
    def backlog(self) -> int:
        """Results taken from the outbox and not applied yet."""
        return len(self._backlog)

    def set_window_shown(self, is_shown: bool) -> None:
        """Say whether anyone can see the window; a hidden one is not painted, so nothing is measured."""
        self._is_window_shown = is_shown
        self._unshown.clear()

    def painted(self) -> None:
        """Take the end of a repaint: every result applied before it is on screen now."""
        if not self._unshown:
            return
        now = self._clock()
        for complete_mono_s in self._unshown:
            self.reply_to_paint.add(now - complete_mono_s)
        self._unshown.clear()

    def on_tick(self) -> None:
        """Drain and apply for at most ``WORK_LIMIT_S``, then say ``frame`` if the board changed."""
        now = self._clock()
        if self._last_tick_s is not None:
            late_s = now - self._last_tick_s - DRAIN_INTERVAL_MS / 1000
            if late_s < NAP_S:
                self.stalls.add(late_s if late_s > STALL_FLOOR_S else 0.0)
        self._last_tick_s = now
        items, dropped = self._source.drain()
        self._backlog.extend(items)
        self._dropped += dropped
        self._work(now)

    def _on_more(self) -> None:
        self._work(self._clock())

    def _work(self, started_s: float) -> None:
        # One result at a time: a reply of a whole venue is the largest unit the board can take, and time is looked at
        # between two of them.
        while self._backlog:
            result = self._backlog.popleft()
            dropped, self._dropped = self._dropped, 0
            self._sink.apply((result,), dropped)
            if isinstance(result, PollSuccess):
                complete_mono_s = result.complete_mono_s
                if self._is_window_shown and complete_mono_s is not None:
                    self._unshown.append(complete_mono_s)
            elif isinstance(result, TaskDone):
                self.task_done.emit(result)
            if self._clock() - started_s > WORK_LIMIT_S:
                break
        if self._dropped and not self._backlog:
            dropped, self._dropped = self._dropped, 0
            self._sink.apply((), dropped)
        if self._backlog:
            self._more_timer.start()
        if self._sink.revision == self._seen_revision:
            return
        # A change that comes too soon after the last frame is shown by a later tick: it still differs then.
        now = self._clock()
        if now - self._last_frame_s < FRAME_INTERVAL_S:
            return
        self._last_frame_s = now
        self._seen_revision = self._sink.revision
        self.frame.emit()

    def _on_slow(self) -> None:
        self._sink.tick()
        self.slow_frame.emit()
