"""Values that change seldom, each with the time from which it held."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

STEPS_KEPT: Final = 20_000

_Value = TypeVar("_Value")


class Steps(Generic[_Value]):
    """The newest ``kept`` changes of a value, twice as many at most. Times are ``perf_counter`` seconds.

    Thread: one only.
    """

    def __init__(self, kept: int = STEPS_KEPT) -> None:
        self._kept = kept
        self._times: list[float] = []
        self._values: list[_Value] = []
        self.first_time_s: float | None = None
        """When the first value of all was noted; ``None`` before."""

    @property
    def newest(self) -> _Value | None:
        """The value that holds now; ``None`` before the first."""
        return self._values[-1] if self._values else None

    @property
    def has_forgotten(self) -> bool:
        """Whether the first changes are not kept any more."""
        return bool(self._times) and self._times[0] != self.first_time_s

    def note(self, value: _Value, now_mono_s: float) -> None:
        """Say what holds from now on; the same as before costs a comparison."""
        if self.first_time_s is None:
            self.first_time_s = now_mono_s
        if self._values and self._values[-1] == value:
            return
        self._times.append(now_mono_s)
        self._values.append(value)
        if len(self._times) > 2 * self._kept:
            del self._times[: self._kept], self._values[: self._kept]

    def at(self, time_s: float) -> _Value | None:
        """What held then; ``None`` before the first value, and where it is not kept any more."""
        place = bisect_right(self._times, time_s) - 1
        return None if place < 0 else self._values[place]

    def within(self, start_s: float, end_s: float) -> Sequence[_Value]:
        """Every value that held at some moment of ``[start_s, end_s]``, oldest first, as far as they are kept."""
        return self._values[max(bisect_right(self._times, start_s) - 1, 0) : bisect_right(self._times, end_s)]
