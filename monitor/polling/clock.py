"""How far a venue's clock is from ours, learned from coarse stamps."""

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from statistics import median

DATE_QUANTISATION_S = 0.5
"""An HTTP ``Date`` names a whole second: read as its middle it is off by half a second at most."""
CLOCK_SAMPLES = 60


class ClockOffset:
    """Venue clock minus ours, with a bound on its error.

    Each sample is only known to within half a second plus half its round trip. As the seconds roll at different
    moments of different polls, what all samples allow together soon is much narrower: that is the answer while they
    agree. When they do not (a clock was set), the median of the newest ones is, with the error of a single sample.
    """

    def __init__(self, samples: int = CLOCK_SAMPLES) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=samples)
        self._answer: tuple[float, float] | None = None

    @property
    def offset_s(self) -> float | None:
        """Venue clock minus our wall clock in seconds; ``None`` before the first sample."""
        return None if self._answer is None else self._answer[0]

    @property
    def error_s(self) -> float | None:
        """The true offset is within this many seconds of :attr:`offset_s`; ``None`` before the first sample."""
        return None if self._answer is None else self._answer[1]

    def add(self, offset_s: float, round_trip_s: float) -> None:
        """Take in one reply: its stamp minus our clock at the middle of its round trip."""
        self._samples.append((offset_s, DATE_QUANTISATION_S + max(0.0, round_trip_s) / 2.0))
        low_s = max(offset - error for offset, error in self._samples)
        high_s = min(offset + error for offset, error in self._samples)
        if low_s <= high_s:
            self._answer = ((low_s + high_s) / 2.0, (high_s - low_s) / 2.0)
        else:
            newest = list(self._samples)[-5:]
            self._answer = (median(offset for offset, _ in newest), max(error for _, error in newest))

    def forget(self) -> None:
        """Start over: the machine slept or its clock was set."""
        self._samples.clear()
        self._answer = None


class VenueTime:
    """The venue's time as all pollers of one venue know it together.

    Learned from the stamps of their replies, so that a job that asks once in five minutes profits from one that asks
    every second. Before the first stamp it is our own time. Thread: any; nothing blocks.
    """

    def __init__(self, utc_now: Callable[[], datetime]) -> None:
        self._utc_now = utc_now
        self._lock = threading.Lock()
        self._offset = ClockOffset()

    def learn(self, offset_s: float | None, round_trip_s: float) -> None:
        """Take in one reply's ``clock_offset_s``; ``None`` (it had no stamp) changes nothing."""
        if offset_s is not None:
            with self._lock:
                self._offset.add(offset_s, round_trip_s)

    def now_epoch_s(self) -> float:
        """The venue's clock now, in UTC seconds since 1970."""
        with self._lock:
            return self._utc_now().timestamp() + (self._offset.offset_s or 0.0)
