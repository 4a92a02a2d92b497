"""Where the numbers of a plot stand: nice steps, ranges that move seldom, time ticks, and the words for values.

Pure: no Qt. Positions on a value axis are the value itself, or its ``log10`` on a logarithmic one.
"""

import math
from datetime import datetime, timedelta, tzinfo
from typing import Final

import msgspec

MINUS: Final = "\N{MINUS SIGN}"
TEXT_CHARACTERS: Final = 10
"""Longest value an axis or a tag has room for; a longer one is written with an exponent."""

_HEADROOM: Final = 0.08
"""Free part of a new range above and below the data, so that the next few values fit without a new one."""
_MIN_USE: Final = 0.35
"""A range of which the data use less than this is replaced: hysteresis, so that it does not follow each value."""
_MIN_RELATIVE_SPAN: Final = 2e-4
"""A flat price is shown in a range of this part of itself, not magnified until rounding shows."""
CLOCK_FROM_S: Final = 3_600.0
"""From this span on ticks are clock times: shorter, they would change too fast to read."""
_TIME_STEPS_S: Final = (
    1, 2, 5, 10, 15, 30,
    60, 120, 300, 600, 900, 1_800,
    3_600, 7_200, 10_800, 14_400, 21_600, 43_200,
    86_400, 172_800, 604_800, 1_209_600, 2_592_000,
)  # fmt: skip

Tick = tuple[float, str]


class ValueScale(msgspec.Struct, frozen=True):
    """One value axis: the positions of its lower and upper end, its labelled ticks, and the distance of those."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    step: float


def nice_step(raw: float) -> float:
    """Smallest of 1, 2, 5 times a power of ten that is not below ``raw`` (which is positive)."""
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1.0, 2.0, 5.0):
        if raw <= factor * power * (1.0 + 1e-9):
            return factor * power
    return 10.0 * power


def decimals_for(step: float) -> int:
    """Decimals that tell apart values one ``step`` apart."""
    return max(0, -math.floor(math.log10(step) + 1e-9))


def price_text(value: float, decimals: int) -> str:
    """``97,123.4``; in at most ``TEXT_CHARACTERS``, giving up separators, then decimals, then the plain form."""
    text = f"{value:,.{decimals}f}".replace("-", MINUS)
    if len(text) > TEXT_CHARACTERS:
        text = text.replace(",", "")
    if len(text) > TEXT_CHARACTERS:
        whole = len(f"{value:.0f}")
        room = TEXT_CHARACTERS - whole - 1
        if whole <= TEXT_CHARACTERS and abs(value) >= 1.0:
            return f"{value:.{max(0, room)}f}".replace("-", MINUS)
        return f"{value:.3e}".replace("-", MINUS)
    return text


def latency_text(seconds: float) -> str:
    """``0.8 ms``, ``61 ms``, ``1.2 s``: three figures at most."""
    milliseconds = seconds * 1000.0
    if milliseconds < 9.95:
        return f"{milliseconds:.1f} ms"
    if milliseconds < 999.5:
        return f"{milliseconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 99.95 else f"{seconds:.0f} s"


def _round_latency_text(seconds: float) -> str:
    return latency_text(seconds).replace(".0 ", " ")


def age_text(seconds: float) -> str:
    """``0.4 s``, ``34 s``, ``2 min 10 s``, ``3 h 5 min``, ``2 d 4 h``."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    for unit_s, unit, part_s, part in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= unit_s:
            rest = whole % unit_s // part_s
            return f"{whole // unit_s} {unit} {rest} {part}" if rest else f"{whole // unit_s} {unit}"
    return f"{whole} s"


def compact_text(value: float) -> str:
    """``950``, ``1.2 k``, ``34 M``: for volumes."""
    for unit, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= factor:
            return f"{value / factor:.1f} {unit}" if value < 100 * factor else f"{value / factor:.0f} {unit}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def count_text(count: int) -> str:
    """``9,999``, ``12.3 k``: no longer than five figures need."""
    return f"{count:,}" if count < 10_000 else compact_text(count)


class StepRange:
    """A linear price range that changes in steps: when data leave it, or have come to use little of it."""

    def __init__(self) -> None:
        self._scale: ValueScale | None = None
        self._max_ticks = 0

    def fit(self, low: float, high: float, max_ticks: int) -> ValueScale:
        """Range for data between ``low`` and ``high``; the same object as last time unless it had to change."""
        scale = self._scale
        if (
            scale is not None
            and max_ticks == self._max_ticks
            and scale.low <= low
            and high <= scale.high
            and max(high - low, _least_span(low, high)) >= _MIN_USE * (scale.high - scale.low)
        ):
            return scale
        self._max_ticks = max_ticks
        self._scale = linear_scale(low, high, max_ticks)
        return self._scale

    def reset(self) -> None:
        """Forget the range: something else is shown now."""
        self._scale = None


def _least_span(low: float, high: float) -> float:
    return max(abs(low), abs(high)) * _MIN_RELATIVE_SPAN or 1.0


def linear_scale(low: float, high: float, max_ticks: int) -> ValueScale:
    """Scale around ``[low, high]``, with ends on fifths of the distance between two ticks."""
    span = max(high - low, _least_span(low, high)) * (1.0 + 2.0 * _HEADROOM)
    middle = (low + high) / 2.0
    step = nice_step(span / max_ticks)
    ends = step / 5.0
    bottom = math.floor((middle - span / 2.0) / ends) * ends
    top = math.ceil((middle + span / 2.0) / ends) * ends
    decimals = decimals_for(step)
    numbers = range(math.ceil(bottom / step - 1e-6), math.floor(top / step + 1e-6) + 1)
    return ValueScale(bottom, top, tuple((n * step, price_text(n * step, decimals)) for n in numbers), step)


class LatencyRange:
    """The same for latencies, logarithmic (1, 2, 5 times powers of ten) or linear from zero."""

    def __init__(self, *, is_log: bool) -> None:
        self._is_log = is_log
        self._scale: ValueScale | None = None
        self._max_ticks = 0

    @property
    def is_log(self) -> bool:
        return self._is_log

    def fit(self, low_s: float, high_s: float, max_ticks: int) -> ValueScale:
        """Range for latencies from ``low_s`` to ``high_s``, both above 0; the same object unless it had to change."""
        scale = self._scale
        if scale is not None and max_ticks == self._max_ticks:
            low, high = (math.log10(low_s), math.log10(high_s)) if self._is_log else (0.0, high_s)
            least = math.log10(4.0) if self._is_log else 0.0
            if (
                scale.low <= low
                and high <= scale.high
                and max(high - low, least) >= _MIN_USE * (scale.high - scale.low)
            ):
                return scale
        self._max_ticks = max_ticks
        self._scale = log_scale(low_s, high_s, max_ticks) if self._is_log else _from_zero(high_s, max_ticks)
        return self._scale


def _from_zero(high_s: float, max_ticks: int) -> ValueScale:
    step = nice_step(high_s * (1.0 + _HEADROOM) / max(max_ticks - 1, 1))
    last = math.ceil(high_s * (1.0 + _HEADROOM) / step)
    ticks = tuple((number * step, _round_latency_text(number * step) if number else "0") for number in range(last + 1))
    return ValueScale(0.0, last * step, ticks, step)


def log_scale(low_s: float, high_s: float, max_ticks: int) -> ValueScale:
    """Scale from the 1-2-5 value below ``low_s`` to the one above ``high_s``, at least three such steps long."""
    first, last = _rank_below(low_s * 0.95), -_rank_below(1.0 / (high_s * 1.05))
    while last - first < 3:
        first, last = first - 1, last + (last - first < 2)
    # Labels: every value; where that is too many every second (20, 100, 500: nearly even), then powers of ten.
    ranks = range(first, last + 1)
    for keep in (1, 2, 3, 6, 9, 12):
        shown = [rank for rank in ranks if rank % keep == 0]
        if len(shown) <= max_ticks:
            break
    ticks = tuple((math.log10(_ranked(rank)), _round_latency_text(_ranked(rank))) for rank in shown)
    return ValueScale(math.log10(_ranked(first)), math.log10(_ranked(last)), ticks, 0.0)


def _ranked(rank: int) -> float:
    """The series ... 0.5, 1, 2, 5, 10 ...; rank 0 is 1."""
    return float((1.0, 2.0, 5.0)[rank % 3]) * 10.0 ** (rank // 3)


def _rank_below(value: float) -> int:
    rank = 3 * math.floor(math.log10(value)) + 3
    while _ranked(rank) > value * (1.0 + 1e-9):
        rank -= 1
    return rank


def time_ticks(now_utc: datetime, span_s: float, max_ticks: int, zone: tzinfo | None) -> tuple[Tick, ...]:
    """Ticks of a time axis that ends now, as (seconds before now, negative, label).

    Below an hour the labels say how long ago and never move. From an hour on they are clock times of ``zone``
    (``None``: the system's) at round minutes, which move by a pixel every few seconds; midnight shows its date.
    """
    step_s = next((step for step in _TIME_STEPS_S if span_s / step <= max_ticks), _TIME_STEPS_S[-1])
    if span_s < CLOCK_FROM_S:
        return tuple((-float(ago), _ago_text(ago)) for ago in range(0, int(span_s + 1e-9) + 1, step_s))
    local = now_utc.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    days = max(1, step_s // 86_400)
    ticks: list[Tick] = []
    at = (
        midnight + timedelta(seconds=(local - midnight).total_seconds() // step_s * step_s)
        if step_s < 86_400
        else midnight
    )
    while (ago_s := (now_utc - at).total_seconds()) <= span_s:
        is_date = at.hour == 0 and at.minute == 0
        ticks.append((-ago_s, f"{at.day} {at:%b}" if is_date else f"{at:%H:%M}"))
        at -= timedelta(days=days) if step_s >= 86_400 else timedelta(seconds=step_s)
    return tuple(ticks)


def _ago_text(ago_s: int) -> str:
    if ago_s == 0:
        return "now"
    if ago_s < 60:
        return f"{MINUS}{ago_s} s"
    minutes, seconds = divmod(ago_s, 60)
    return f"{MINUS}{minutes} min" if seconds == 0 else f"{MINUS}{minutes}:{seconds:02d}"
