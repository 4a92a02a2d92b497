"""A clock that moves when it is told to, and a way of waiting that moves it."""

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands in for ``time.perf_counter``; ``wait`` stands in for ``Event.wait`` and returns at once.

    Thread: one.
    """

    def __init__(self, start_s: float = 1_000.0) -> None:
        self.now_s = start_s
        self.waits_s: list[float | None] = []
        """What was waited for, in order; ``None`` for a wait without an end."""
        self._epoch = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=start_s)

    def __call__(self) -> float:
        return self.now_s

    def utc_now(self) -> datetime:
        """Wall clock that runs along."""
        return self._epoch + timedelta(seconds=self.now_s)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0.0:
            raise ValueError("time does not run backwards")
        self.now_s += seconds

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Let ``timeout_s`` pass unless ``event`` is set. A wait without an end that nobody can end is an error."""
        self.waits_s.append(timeout_s)
        if event.is_set():
            return True
        if timeout_s is None:
            raise AssertionError("would wait for ever")
        self.advance(timeout_s)
        return False
