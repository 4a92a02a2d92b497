from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import PayloadError
from monitor.exchanges.decoding import FieldReader, clean_text, decode, is_symbol, parse_decimal
from tests.fakes.exchange_data import outcome


class Row(msgspec.Struct):
    name: str
    price: str | int | float | None = None


class Envelope(msgspec.Struct):
    rows: list[Row]


_rows = msgspec.json.Decoder(Envelope)
_any = msgspec.json.Decoder()


def read_price(body: bytes) -> Decimal:
    value = decode(_rows, body, endpoint="venue.rows")
    return FieldReader("venue.rows", "rows[{}].{}").number(value.rows[0].price, 0, "price")


def failure(body: bytes) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        decode(_rows, body, endpoint="venue.rows")
    return caught.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("78183.2", "78183.2"),
        ("-0.000012", "-0.000012"),
        (78183, "78183"),
        (0.1, "0.1"),
        (1e-07, "1E-7"),
        ("1.5e3", "1.5E+3"),
        ("5.", "5"),
        (Decimal("1.25"), "1.25"),
        ("605822.2557999999", "605822.2557999999"),
        ("0", "0"),
    ],
)
def test_a_number_is_read_exactly_from_every_form(value: object, expected: str) -> None:
    assert parse_decimal(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " 1",
        "1 ",
        "1_000",
        "+1",
        "NaN",
        "Infinity",
        "-inf",
        "sNaN",
        "1e400",
        "1e41",
        "0x10",
        "1,5",
        "\u0661",
        "1" * 61,
        "9" * 1_000_000,
        10**400,
        10**40,
        float("nan"),
        float("inf"),
        1e300,
        True,
        False,
        None,
        [],
        {},
        Decimal("NaN"),
        Decimal("1e99"),
    ],
)
def test_what_is_no_plausible_number_is_none(value: object) -> None:
    assert parse_decimal(value) is None


@given(st.decimals(min_value=-(10**20), max_value=10**20, allow_nan=False, allow_infinity=False, places=12))
def test_every_plausible_decimal_survives_its_text(number: Decimal) -> None:
    assert parse_decimal(format(number, "f")) == number


@given(st.text(max_size=80))
def test_any_text_gives_a_finite_decimal_or_none(text: str) -> None:
    number = parse_decimal(text)

    assert number is None or (number.is_finite() and abs(number) < Decimal(10) ** 41)


def test_a_missing_field_is_named_with_its_row() -> None:
    error = failure(b'{"rows":[{"name":"a"},{"price":1}]}')

    assert (error.endpoint, error.path, error.expected) == ("venue.rows", "rows[1].name", "present")


def test_a_field_of_a_wrong_type_is_named_with_its_row() -> None:
    error = failure(b'{"rows":[{"name":"a"},{"name":7}]}')

    assert (error.path, error.expected) == ("rows[1].name", "text")


def test_a_number_of_a_wrong_type_is_said_to_be_no_number() -> None:
    error = failure(b'{"rows":[{"name":"a","price":true}]}')

    assert (error.path, error.expected) == ("rows[0].price", "a number or null")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nul", b"<html>", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"rows":[]}x', b'{"rows":NaN}', b'{"rows":[01]}'],
)
def test_what_is_not_json_is_an_error_of_the_whole(body: bytes) -> None:
    assert failure(body).path == "$"


def test_bad_utf8_is_an_error_also_in_a_field_nobody_reads() -> None:
    assert failure(b'{"rows":[{"name":"\xff"}]}').path == "$"
    assert failure(b'{"rows":[],"more":"\xff"}').path == "$"


def test_a_repeated_key_is_an_error_that_names_it() -> None:
    error = failure(b'{"rows":[{"name":"a","price":"1","price":"2"}]}')

    assert (error.path, error.expected) == ("price", "given only once")


def test_a_repeated_key_is_found_in_escaped_spelling_too() -> None:
    assert failure(b'{"rows":[],"x":1,"\\u0078":2}').path == "x"


def test_the_same_key_in_different_objects_is_no_repetition() -> None:
    value = decode(_rows, b'{"rows":[{"name":"a"},{"name":"a"}]}', endpoint="venue.rows")

    assert [row.name for row in value.rows] == ["a", "a"]


def test_deep_nesting_is_refused_also_where_nobody_reads() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000

    assert failure(b'{"rows":[],"more":' + deep + b"}").path == "$"
    assert failure(deep).path == "$"


def test_a_reply_over_the_size_limit_is_refused_before_it_is_read() -> None:
    body = b'{"rows":[' + b" " * 50_000_000 + b"]}"

    error = failure(body)
    assert error.path == "$"
    assert "at most" in error.expected


def test_integers_of_thousands_of_digits_are_refused() -> None:
    for digits in (400, 5_000, 1_000_000):
        body = b'{"rows":[{"name":"a","price":' + b"9" * digits + b"}]}"
        with pytest.raises(PayloadError):
            read_price(body)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_value_or_a_payload_error(body: bytes) -> None:
    result = outcome(lambda: decode(_any, body, endpoint="venue.any"))

    assert (
        isinstance(result, PayloadError) or result is None or isinstance(result, bool | int | float | str | list | dict)
    )


def test_a_price_may_be_zero_but_not_negative() -> None:
    read = FieldReader("venue.rows", "data[{}].{}")

    assert read.price("0", 3, "lastPrice") == 0
    assert not read.price("-0.0", 3, "lastPrice").is_signed()
    with pytest.raises(PayloadError) as caught:
        read.price("-1", 3, "lastPrice")
    assert str(caught.value) == "venue.rows: data[3].lastPrice is not zero or positive"


def test_an_empty_text_is_absent_where_a_field_is_optional_and_an_error_where_it_is_not() -> None:
    read = FieldReader("venue.rows", "data[{}].{}")

    assert read.price_or_none("", 0, "open") is None
    assert read.number_or_none(None, 0, "open") is None
    with pytest.raises(PayloadError):
        read.price("", 0, "open")


@pytest.mark.parametrize("value", ["-1", "1.5", 10**15, "now", True, 4_102_444_800_001])
def test_a_time_outside_1970_to_2100_is_an_error(value: object) -> None:
    with pytest.raises(PayloadError):
        FieldReader("venue.rows", "data[{}].{}").time_ms(value, 0, "time")


def test_a_time_is_utc_to_the_millisecond() -> None:
    time = FieldReader("venue.rows", "data[{}].{}").time_ms("1795413600123", 0, "time")

    assert time.isoformat() == "2026-11-23T06:00:00.123000+00:00"


@given(st.text(max_size=2_000))
def test_venue_text_is_shown_short_and_without_control_characters(text: str) -> None:
    shown = clean_text(text, 50)

    assert len(shown) <= 50
    assert shown == " ".join(shown.split())
    assert all(char == " " or char.isprintable() for char in shown)


@pytest.mark.parametrize("name", ["", "A B", "A\nB", "A\u202eB", "x" * 65])
def test_a_name_with_spaces_or_hidden_characters_is_no_symbol(name: str) -> None:
    assert not is_symbol(name)


@pytest.mark.parametrize("name", ["BTCUSDT", "xyz:TSLA", "@107", "PURR/USDC", "#30", "币安人生USDT"])
def test_every_spelling_the_venues_use_is_a_symbol(name: str) -> None:
    assert is_symbol(name)
