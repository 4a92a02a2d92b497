"""Stamps as text for documents."""

from datetime import UTC, datetime


def time_text(value: datetime | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and ``Z``; ``None`` stays ``None``."""
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
