"""A stretch of time that the user chose to look at: every figure on screen is then of it."""

import msgspec


class Period(msgspec.Struct, frozen=True):
    """Both ends are ``perf_counter`` seconds; the end is not before the start."""

    start_mono_s: float
    end_mono_s: float

    def __post_init__(self) -> None:
        if not self.start_mono_s <= self.end_mono_s:
            raise ValueError(f"a period must not end before it begins: {self.start_mono_s} to {self.end_mono_s}")

    @property
    def length_s(self) -> float:
        """How long it is, in seconds."""
        return self.end_mono_s - self.start_mono_s

    def contains(self, time_mono_s: float) -> bool:
        """Whether a moment lies in it, ends included."""
        return self.start_mono_s <= time_mono_s <= self.end_mono_s
