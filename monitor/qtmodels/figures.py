"""How figures are written in the window: units, signs, dashes, and no more digits than are known.

Pure functions, no Qt. Unknown is always ``DASH``; a minus is the typographic one, as wide as the plus.
"""

import math
from datetime import datetime
from decimal import Decimal

from monitor.domain.market import Instrument

DASH = "–"
MINUS = "\N{MINUS SIGN}"
UP = "▲"
DOWN = "▼"

MAX_VENUE_TEXT = 200
"""Characters kept of a text that came from a venue; longer ones are cut with an ellipsis."""


def safe_text(text: str, limit: int = MAX_VENUE_TEXT) -> str:
    """Make a text that came from outside fit for a label: one line, no control characters, at most ``limit`` long."""
    # Cut first: a hostile text may be megabytes long.
    cut = text[: limit * 2]
    if not cut.isprintable():
        cut = "".join(char if char.isprintable() else " " for char in cut)
    one_line = " ".join(cut.split())
    if len(one_line) > limit or len(text) > limit * 2:
        return one_line[: limit - 1].rstrip() + "…"
    return one_line


def price_text(price: Decimal | None, decimals: int | None = None) -> str:
    """Write a price with thousands separators and the venue's own digits, or ``decimals`` of them."""
    if price is None:
        return DASH
    if not price.is_finite():
        return DASH
    # 10^400 would be a megabyte-wide cell; nothing that trades costs more than fits here.
    if price != 0 and not -13 <= price.adjusted() <= 15:
        return f"{price:.4e}".replace("-", MINUS, 1 if price < 0 else 0)
    text = f"{price:,f}" if decimals is None else f"{price:,.{decimals}f}"
    return text.replace("-", MINUS)


def quoted_text(price: Decimal | None, instrument: Instrument | None) -> str:
    """Write a price of ``instrument`` with as many decimals as its prices have, so that no figure changes its width.

    A digit that was received is never cut; all that was received where the instrument is not known.
    """
    decimals = None if instrument is None else instrument.decimals_at(price)
    if decimals is None or price is None or not price.is_finite():
        return price_text(price)
    exponent = price.normalize().as_tuple().exponent
    return price_text(price, max(decimals, -exponent if isinstance(exponent, int) else 0))


def average_decimals(price: Decimal) -> int:
    """Decimals of a price that is a quotient, which has more digits than mean anything: as prices of its size have."""
    return min(8, max(2, 4 - price.adjusted())) if price else 2


def signed(value: float | Decimal | None, decimals: int, unit: str = "") -> str:
    """Write ``value`` with its sign always shown; zero has none."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{decimals}f}"
    sign = "" if not text.strip("0.,") else (MINUS if value < 0 else "+")
    return f"{sign}{text}{unit}"


def bounded_text(offset_s: float | None, error_s: float | None) -> str:
    """Write an offset and the bound of its error in one unit, to the digits that the bound leaves: −0.3 s ± 0.4 s.

    The bound is rounded up: a smaller one would be none.
    """
    if offset_s is None or not math.isfinite(offset_s):
        return DASH
    if error_s is None or not math.isfinite(error_s):
        return signed(offset_s, 1, " s")
    decimals = 1 if error_s >= 0.1 else 2 if error_s >= 0.01 else 3
    scale = 10**decimals
    # The product of 0.3 and 10 is a little above 3.
    bound = math.ceil(round(error_s * scale, 6)) / scale
    return f"{signed(offset_s, decimals, ' s')} ± {bound:.{decimals}f} s"


def change_text(fraction: float | Decimal | None) -> str:
    """Write a change with arrow, sign and per cent, so that it can be read without its colour."""
    if fraction is None or not math.isfinite(fraction):
        return DASH
    text = signed(Decimal(fraction) * 100 if isinstance(fraction, Decimal) else fraction * 100, 2, " %")
    if text[0] == "+":
        return f"{UP} {text}"
    return f"{DOWN} {text}" if text[0] == MINUS else text


def percent(fraction: float | None, decimals: int = 0) -> str:
    """Write a share of a whole. 99.96 % is not rounded up to 100: a monitor must not hide the one that failed."""
    if fraction is None or not math.isfinite(fraction):
        return DASH
    value = fraction * 100
    step = 10.0**-decimals
    if value < 100 <= float(f"{value:.{decimals}f}"):
        value = 100 - step
    elif value > 0 >= float(f"{value:.{decimals}f}"):
        return f"<{step:g} %"
    return f"{value:.{decimals}f} %".replace("-", MINUS)


def duration_text(seconds: float | None) -> str:
    """Write a duration of a request: milliseconds below one second, seconds above."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    sign, value = (MINUS, -seconds) if seconds < 0 else ("", seconds)
    if value < 0.00995:
        return f"{sign}{value * 1000:.1f} ms"
    if value < 0.9995:
        return f"{sign}{value * 1000:.0f} ms"
    return f"{sign}{value:.2f} s" if value < 9.995 else f"{sign}{value:.1f} s"


def age_text(seconds: float | None) -> str:
    """Write an age in two significant steps at most: 0.9 s, 12 s, 3 min, 2.5 h, 4 d."""
    if seconds is None or not math.isfinite(seconds):
        return DASH
    value = max(seconds, 0.0)
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 99.5:
        return f"{value:.0f} s"
    if value < 5940:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h" if value < 86_400 else f"{value / 86_400:.1f} d"


def age_range_text(low_s: float | None, high_s: float | None) -> str:
    """Write an age as the interval it is; one figure when both ends read the same."""
    low, high = age_text(low_s), age_text(high_s)
    if low in (high, DASH):
        return high
    low_number, _, low_unit = low.partition(" ")
    return f"{low_number}–{high}" if high.endswith(f" {low_unit}") else f"{low} – {high}"


def compact(value: Decimal | float | None) -> str:
    """Write a large amount shortly: 1.23 M, 4.5 B."""
    if value is None or not math.isfinite(value):
        return DASH
    number = float(value)
    for scale, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= scale:
            return f"{number / scale:.3g} {unit}".replace("-", MINUS)
    return f"{number:.4g}".replace("-", MINUS)


def count_text(count: int | None) -> str:
    """Write a count with thousands separators."""
    return DASH if count is None else f"{count:,}"


def bytes_text(size: int | None) -> str:
    """Write a size in bytes, in powers of 1000."""
    if size is None:
        return DASH
    if size < 1000:
        return f"{size} B"
    return f"{size / 1e3:.1f} kB" if size < 1e6 else f"{size / 1e6:.1f} MB"


def local_time(stamp: datetime | None, *, with_ms: bool = False) -> str:
    """Write the time of day of an aware ``stamp`` in the user's zone."""
    if stamp is None:
        return DASH
    local = stamp.astimezone()
    return local.strftime("%H:%M:%S") + (f".{local.microsecond // 1000:03d}" if with_ms else "")


def plain_tooltip(text: str) -> str:
    """Make ``text`` safe for a tooltip, which Qt would otherwise render as markup when it looks like it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p style='white-space:pre-wrap'>{escaped}</p>" if escaped else ""
