"""How late a thread of this process wakes: what the interpreter lock and the machine add to every latency."""

import threading
import time
from collections import deque

from monitor.qtmodels.lag import LagWindow

PROBE_INTERVAL_S = 0.01
UNREAD_LIMIT = 1_000
NAP_S = 5.0
"""A wake-up this late means the machine slept; that is no delay of ours."""


class LagProbe:
    """Asks to be woken every 10 ms and writes down how much later it was.

    Thread: ``start``, ``stop`` and ``read`` are called from one thread; the probe has one of its own.
    """

    def __init__(self, interval_s: float = PROBE_INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._unread: deque[float] = deque(maxlen=UNREAD_LIMIT)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.delays = LagWindow(6_000)
        """Delays of the last minute in seconds, as far as :meth:`read` took them over."""

    def start(self) -> None:
        """Begin, also after a stop; nothing happens while it runs."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="lag-probe", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread; waits for it, at most one interval."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def read(self) -> LagWindow:
        """Take over what was written down since the last call. Does not block."""
        while self._unread:
            self.delays.add(self._unread.popleft())
        return self.delays

    def _run(self) -> None:
        asked_s = time.perf_counter()
        while not self._stop.wait(self._interval_s):
            woken_s = time.perf_counter()
            late_s = woken_s - asked_s - self._interval_s
            if late_s < NAP_S:
                self._unread.append(late_s)
            asked_s = time.perf_counter()
