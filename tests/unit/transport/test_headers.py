from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.transport.headers import parse_date, parse_retry_after

NOW = datetime(2026, 11, 23, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 23 Nov 2026 10:00:00 GMT", NOW),
        ("Monday, 23-Nov-26 10:00:00 GMT", NOW),
        ("Mon, 23 Nov 2026 11:00:00 +0100", NOW),
        ("Mon, 32 Nov 2026 10:00:00 GMT", None),
        ("Mon, 23 Nix 2026 10:00:00 GMT", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_utc_or_unknown(text: str | None, expected: datetime | None) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 17 ", 17.0),
        ("3601", 3600.0),
        ("9" * 5000, 3600.0),
        ("-1", None),
        ("1.5", None),
        ("١٢", None),
        ("Mon, 23 Nov 2026 10:01:00 GMT", 60.0),
        ("Mon, 23 Nov 2026 09:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2099 09:00:00 GMT", 3600.0),
        ("never", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_within_an_hour_or_unknown(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, sent_at=None, received_at=NOW) == seconds


def test_retry_after_date_is_compared_with_the_venues_own_clock() -> None:
    sent_at = datetime(2026, 11, 23, 10, 0, 50, tzinfo=UTC)
    assert parse_retry_after("Mon, 23 Nov 2026 10:01:00 GMT", sent_at=sent_at, received_at=NOW) == 10.0


@given(st.text(max_size=40))
def test_no_text_breaks_the_parsers(text: str) -> None:
    date = parse_date(text)
    seconds = parse_retry_after(text, sent_at=None, received_at=NOW)

    assert date is None or date.utcoffset() is not None
    assert seconds is None or 0.0 <= seconds <= 3600.0
