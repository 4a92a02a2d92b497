"""Python's cyclic garbage collector, kept to the GUI thread and out of paints.

By itself the collector runs wherever an allocation exceeds its threshold: in a poller's thread, or in the middle of a
paint. If the garbage holds Qt objects, they are destroyed there and then: widgets in a thread that must not touch them,
or an item of the very scene that is being painted. Either ends the process ("pure virtual method called").
"""

import gc
import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

INTERVAL_MS: Final = 250
FULL_REST: Final = 1_000.0
"""After a full collection there is none for so many times as long as it took: it costs a thousandth of the time."""
LEAST_REST_S: Final = 10.0
_OLDEST: Final = 2


class GuiGarbage(QObject):
    """Collects by generation from a timer, whenever the thresholds of the collector are exceeded.

    Between two looks garbage waits; what is freed by its reference count, which is nearly everything, is freed at once
    as ever. ``clock`` is monotonic. Thread: GUI, in which it must have been made.
    """

    def __init__(
        self,
        *,
        interval_ms: int = INTERVAL_MS,
        clock: Callable[[], float] = time.perf_counter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._clock = clock
        self._was_enabled: bool | None = None
        self._is_frozen = False
        self._full_from_s = float("-inf")
        self.longest_s = 0.0
        """How long the longest collection since :meth:`settle` took."""
        self._timer = QTimer(self)
        self._timer.setInterval(interval_ms)
        self._timer.timeout.connect(self.look)

    @property
    def is_running(self) -> bool:
        """Whether collections happen here and nowhere else."""
        return self._was_enabled is not None

    def hold(self) -> None:
        """Take the collector over without looking: nearly all that a start makes stays, and it has no time to lose."""
        if self._was_enabled is None:
            self._was_enabled = gc.isenabled()
            gc.disable()

    def start(self) -> None:
        """Take the collector over; nothing happens while it is."""
        self.hold()
        if not self._timer.isActive():
            self._timer.start()

    def stop(self) -> None:
        """Leave the collector as it was found."""
        if self._was_enabled is None:
            return
        self._timer.stop()
        if self._is_frozen:
            gc.unfreeze()
            self._is_frozen = False
        if self._was_enabled:
            gc.enable()
        self._was_enabled = None

    def settle(self) -> None:
        """Never look again at what there is now: it lives as long as the window. Takes no time.

        Modules, classes and panels are most of all objects; without them a full collection is short. Not collected
        before: the start leaves some dozens of objects of garbage, and to find them takes longer than a frame.
        """
        if self._was_enabled is None:
            return
        gc.freeze()
        self._is_frozen = True
        self.longest_s = 0.0
        self._full_from_s = self._clock() + LEAST_REST_S

    def look(self) -> None:
        """Collect the oldest generation that is due, and the younger ones with it; else nothing."""
        generation = self._due()
        if generation is None:
            return
        started_s = self._clock()
        gc.collect(generation)
        took_s = self._clock() - started_s
        self.longest_s = max(self.longest_s, took_s)
        if generation == _OLDEST:
            self._full_from_s = started_s + took_s + max(LEAST_REST_S, FULL_REST * took_s)

    def _due(self) -> int | None:
        # A threshold of 0 says "never", as it does to the collector itself.
        due = [
            generation
            for generation, (count, threshold) in enumerate(zip(gc.get_count(), gc.get_threshold(), strict=True))
            if 0 < threshold < count
        ]
        if due and due[-1] == _OLDEST and self._clock() < self._full_from_s:
            due.pop()
        return due[-1] if due else None
