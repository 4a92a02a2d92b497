"""How figures are written: no more digits than are known, a dash for the unknown, and nothing hostile on screen."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.market import Instrument, InstrumentKind
from monitor.qtmodels.figures import (
    DASH,
    age_range_text,
    age_text,
    bounded_text,
    bytes_text,
    change_text,
    compact,
    count_text,
    duration_text,
    local_time,
    percent,
    plain_tooltip,
    price_text,
    quoted_text,
    safe_text,
    signed,
)


def test_unknown_is_a_dash_and_zero_is_not() -> None:
    unknown = (
        price_text(None),
        signed(None, 2),
        change_text(None),
        percent(None),
        duration_text(None),
        age_text(None),
        compact(None),
        count_text(None),
        bytes_text(None),
        local_time(None),
        age_range_text(None, None),
    )
    zero = (price_text(Decimal(0)), signed(0.0, 2), percent(0.0), duration_text(0.0), age_text(0.0), count_text(0))

    assert set(unknown) == {DASH}
    assert DASH not in "".join(zero)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_dash(value: float) -> None:
    texts = {
        signed(value, 1),
        change_text(value),
        percent(value),
        duration_text(value),
        age_text(value),
        compact(value),
    }

    assert texts == {DASH}
    assert price_text(Decimal(str(value))) == DASH


def test_prices_keep_the_digits_of_the_venue() -> None:
    assert price_text(Decimal("97412.50")) == "97,412.50"
    assert price_text(Decimal("0.00001234")) == "0.00001234"
    assert price_text(Decimal("-1.5")) == "−1.5"
    assert price_text(Decimal("1234.5"), 3) == "1,234.500"


def test_an_absurd_price_stays_short() -> None:
    assert len(price_text(Decimal("1e400"))) < 15
    assert len(price_text(Decimal("-1e-400"))) < 15


def test_changes_carry_arrow_and_sign() -> None:
    assert change_text(0.0123) == "▲ +1.23 %"
    assert change_text(Decimal("-0.0123")) == "▼ −1.23 %"
    assert change_text(0.0) == "0.00 %"
    assert change_text(-0.000001) == "0.00 %"


def test_almost_all_is_not_rounded_up_to_all() -> None:
    """99.96 % reuse is one reconnect in 2,500; 100 % would hide it."""
    assert percent(0.9996) == "99 %"
    assert percent(0.9996, 1) == "99.9 %"
    assert percent(1.0) == "100 %"
    assert percent(0.0004) == "<1 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0.4 ms"),
        (0.0613, "61 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (9.99, "9.99 s"),
        (12.34, "12.3 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.94, "0.9 s"), (9.96, "10 s"), (99.4, "99 s"), (120.0, "2 min"), (7200.0, "2.0 h"), (200_000.0, "2.3 d")],
)
def test_ages(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


@pytest.mark.parametrize(
    ("offset_s", "error_s", "text"),
    [
        (-0.3, 0.38, "−0.3 s ± 0.4 s"),
        (-0.3, 0.3, "−0.3 s ± 0.3 s"),
        (0.004, 0.073, "0.00 s ± 0.08 s"),
        (12.3456, 0.073, "+12.35 s ± 0.08 s"),
        (0.0021, 0.004, "+0.002 s ± 0.004 s"),
        (-3.0, 1.52, "−3.0 s ± 1.6 s"),
        (-0.3, None, "−0.3 s"),
        (None, 0.4, DASH),
        (float("nan"), 0.4, DASH),
    ],
)
def test_an_offset_and_its_bound_have_one_unit_and_the_same_digits(
    offset_s: float | None, error_s: float | None, text: str
) -> None:
    assert bounded_text(offset_s, error_s) == text


@given(st.floats(0.0, 1_000.0))
def test_a_written_bound_is_no_smaller_than_the_bound(error_s: float) -> None:
    assert float(bounded_text(0.0, error_s).split()[3]) >= error_s - 1e-6


def test_age_is_shown_as_the_interval_it_is() -> None:
    assert age_range_text(0.41, 0.52) == "0.4–0.5 s"
    assert age_range_text(0.41, 0.42) == "0.4 s"
    assert age_range_text(90.0, 130.0) == "90 s – 2 min"


@given(st.floats(min_value=0, max_value=1e9))
def test_ages_never_read_backwards(seconds: float) -> None:
    """A later moment never reads as a smaller number of the same unit."""
    number, unit = age_text(seconds).split(" ")
    later, later_unit = age_text(seconds * 1.5 + 0.2).split(" ")

    assert unit != later_unit or float(later) >= float(number)


@given(st.text(max_size=2_000))
def test_venue_text_becomes_one_short_printable_line(text: str) -> None:
    clean = safe_text(text, 50)

    assert len(clean) <= 50
    assert clean.isprintable()


def test_markup_in_a_tooltip_is_text() -> None:
    assert "<b>" not in plain_tooltip("<b>bold</b> & more")
    assert "&lt;b&gt;" in plain_tooltip("<b>bold</b> & more")
    assert plain_tooltip("") == ""


def test_large_amounts_are_written_shortly() -> None:
    assert compact(Decimal("1234567890")) == "1.23 B"
    assert compact(12_345) == "12.3 k"
    assert compact(-5_000_000) == "−5 M"


def test_times_are_of_the_users_zone() -> None:
    stamp = datetime(2026, 11, 23, 9, 0, 1, 250_000, tzinfo=UTC)

    assert local_time(stamp, with_ms=True) == stamp.astimezone().strftime("%H:%M:%S") + ".250"


def made(*, decimals: int | None, digits: int | None = None) -> Instrument:
    return Instrument(
        venue="v",
        venue_symbol="SOL",
        name="SOL-USDC-PERP",
        kind=InstrumentKind.PERPETUAL,
        base="SOL",
        quote="USDC",
        price_decimals=decimals,
        price_digits=digits,
    )


def test_prices_of_an_instrument_all_have_its_decimals() -> None:
    by_tick, by_digits = made(decimals=2), made(decimals=4, digits=5)

    assert [quoted_text(Decimal(one), by_tick) for one in ("153.6", "153.57", "154")] == ["153.60", "153.57", "154.00"]
    # The middle of 153.59 and 153.60 has a digit more than either.
    assert [quoted_text(Decimal(one), by_digits) for one in ("153.595", "153.60")] == ["153.595", "153.600"]
    assert quoted_text(Decimal(93_424), made(decimals=1, digits=5)) == "93,424.0"
    assert quoted_text(Decimal("0.0052335"), made(decimals=6, digits=5)) == "0.0052335"


def test_a_digit_that_came_is_never_cut() -> None:
    assert quoted_text(Decimal("153.5712"), made(decimals=2)) == "153.5712"
    assert quoted_text(Decimal("153.6"), made(decimals=None)) == "153.6"
    assert quoted_text(Decimal("153.60"), None) == "153.60"
    assert quoted_text(None, made(decimals=2)) == DASH
    assert quoted_text(Decimal("NaN"), made(decimals=2, digits=5)) == DASH
    assert quoted_text(Decimal(0), made(decimals=2, digits=5)) == "0.00"
