"""Bitunix's trading pairs as instruments: names, scales, precisions, states."""

from decimal import Decimal

import pytest

from monitor.domain.errors import PayloadError
from monitor.domain.market import InstrumentStatus
from tests.fakes.exchange_data import as_bytes, bitunix, bitunix_instruments, ok, reply_json


def test_scaled_contracts_name_their_coin_and_how_many_one_unit_holds() -> None:
    found = {symbol: (one.base, one.multiplier) for symbol, one in bitunix_instruments().items()}

    assert found["1000PEPEUSDT"] == ("PEPE", Decimal(1_000))
    assert found["1MBABYDOGEUSDT"] == ("BABYDOGE", Decimal(1_000_000))
    assert found["1000000MOGUSDT"] == ("MOG", Decimal(1_000_000))
    assert found["BTCUSDT"] == ("BTC", Decimal(1))


@pytest.mark.parametrize(
    ("symbol", "base", "expected"),
    [
        ("1000PEPEUSDT", "1000PEPE", ("PEPE", 1_000)),
        ("1000PEPEUSDT", None, ("PEPE", 1_000)),
        ("1MBABYDOGEUSDT", "1MBABYDOGE", ("BABYDOGE", 1_000_000)),
        ("1000XUSDT", "1000X", ("1000X", 1)),
        ("1MXYUSDT", "1MXY", ("1MXY", 1)),
        ("1INCHUSDT", "1INCH", ("1INCH", 1)),
        ("1MUSDT", "1M", ("1M", 1)),
        ("WEIRDUSDT", "OTHER", ("OTHER", 1)),
    ],
)
def test_a_scale_is_recognised_only_where_it_is_one(symbol: str, base: str | None, expected: tuple[str, int]) -> None:
    row = {
        "symbol": symbol,
        "base": base,
        "quote": "USDT",
        "basePrecision": 0,
        "quotePrecision": 2,
        "symbolStatus": "OPEN",
    }
    client, _ = bitunix(ok([row]))

    one = client.fetch_instruments().value.instruments[0]

    assert (one.base, int(one.multiplier)) == expected


def test_names_keep_the_scale_and_are_unique() -> None:
    found = bitunix_instruments()

    assert found["1000PEPEUSDT"].name == "1000PEPE-USDT-PERP"
    assert found["BTCUSDT"].name == "BTC-USDT-PERP"
    assert len({one.name for one in found.values()}) == len(found)


def test_contract_families_are_told_by_their_quote() -> None:
    found = bitunix_instruments()

    assert [found[symbol].quote for symbol in ("BTCUSDT", "BTCUSDC", "BTCUSD")] == ["USDT", "USDC", "USD"]
    assert {found[symbol].market for symbol in ("BTCUSDT", "BTCUSDC", "BTCUSD")} == {("perp", "BTC")}


def test_precisions_are_decimals_of_price_and_size() -> None:
    btc = bitunix_instruments()["BTCUSDT"]

    assert (btc.price_decimals, btc.size_decimals, btc.max_leverage) == (1, 4, 200)


def test_every_state_is_mapped_and_an_unknown_one_is_kept_as_text() -> None:
    found = bitunix_instruments()

    assert found["BTCUSDT"].status is InstrumentStatus.OPEN
    assert found["1000000MOGUSDT"].status is InstrumentStatus.CANCEL_ONLY
    assert found["LATERUSDT"].status is InstrumentStatus.PREVIEW
    assert (found["ODDUSDT"].status, found["ODDUSDT"].status_text) == (InstrumentStatus.OTHER, "HALF_OPEN")


def test_a_pair_needs_only_symbol_precisions_and_state() -> None:
    client, _ = bitunix(ok([{"symbol": "NEWUSDC", "basePrecision": 1, "quotePrecision": 2, "symbolStatus": "STOP"}]))

    one = client.fetch_instruments().value.instruments[0]

    assert (one.name, one.base, one.quote, one.status) == ("NEW-USDC-PERP", "NEW", "USDC", InstrumentStatus.STOPPED)
    assert one.max_leverage is None


@pytest.mark.parametrize("field", ["symbol", "basePrecision", "quotePrecision", "symbolStatus"])
def test_a_pair_without_a_required_field_names_it(field: str) -> None:
    body = reply_json("bitunix", "trading_pairs")
    del body["data"][2][field]
    client, _ = bitunix(as_bytes(body))

    with pytest.raises(PayloadError) as caught:
        client.fetch_instruments()
    assert caught.value.path == f"data[2].{field}"
