"""The two headers of a reply that carry a time: ``Date`` and ``Retry-After``."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}

_MAX_RETRY_AFTER_S = 3600.0
"""Beyond an hour a hint is not one; we ask again after that."""


def parse_date(text: str | None) -> datetime | None:
    """An HTTP date as an aware UTC time; ``None`` when absent or unreadable."""
    if text is None:
        return None
    try:
        # "Sun, 06 Nov 1994 08:49:37 GMT", as everyone writes it; the general parser costs ten times as much.
        if len(text) == 29 and text.endswith(" GMT"):
            return datetime(
                int(text[12:16]),
                _MONTHS[text[8:11]],
                int(text[5:7]),
                int(text[17:19]),
                int(text[20:22]),
                int(text[23:25]),
                tzinfo=UTC,
            )
        stamp = parsedate_to_datetime(text)
    except (ValueError, KeyError, TypeError, OverflowError):
        return None
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


def parse_retry_after(text: str | None, *, sent_at: datetime | None, received_at: datetime) -> float | None:
    """Seconds to wait, within 0..3600; ``None`` when absent or unreadable.

    A date is compared with the reply's own ``Date`` (``sent_at``) where it has one, so a wrong local clock does not
    matter.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        # Longer numbers are beyond the bound anyway, and int() of a huge one is slow.
        return min(float(int(text)), _MAX_RETRY_AFTER_S) if len(text) < 10 else _MAX_RETRY_AFTER_S
    until = parse_date(text)
    if until is None:
        return None
    return min(max((until - (sent_at or received_at)).total_seconds(), 0.0), _MAX_RETRY_AFTER_S)
