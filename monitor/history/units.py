"""How moments, durations and decimals are written in the history file, and read back. Pure."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware ``moment``; what is finer is cut off, as in every document of the app."""
    return (moment - _EPOCH) // _MILLISECOND


def from_ms(value_ms: int) -> datetime:
    """The UTC moment of :func:`to_ms`.

    Raises:
        OverflowError: beyond the year 9999.
    """
    return _EPOCH + value_ms * _MILLISECOND


def to_us(seconds: float | None) -> int | None:
    """Whole microseconds; ``None`` stays ``None``."""
    return None if seconds is None else round(seconds * 1e6)


def to_text(value: Decimal | None) -> str | None:
    """``value`` in plain notation with every digit; ``None`` stays ``None``."""
    return None if value is None else format(value, "f")
