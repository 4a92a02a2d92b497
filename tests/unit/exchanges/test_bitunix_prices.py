"""Every trap of Bitunix's tickers and order books, by name."""

from decimal import Decimal

import pytest

from monitor.domain.errors import PayloadError
from tests.fakes.exchange_data import as_bytes, bitunix, bitunix_instruments, ok, reply_bytes, reply_json

# Tickers (trap 2)


def test_tickers_take_the_last_price_from_last_price_and_not_from_last() -> None:
    client, transport = bitunix(reply_bytes("bitunix", "tickers"))

    batch = client.fetch_quotes().value
    first = batch.quotes[0]

    assert (first.venue_symbol, first.last, first.mark) == ("BTCUSDT", Decimal("91251.1"), Decimal("91250.4"))
    assert first.open_24h == 90_000
    assert transport.asked[0].params is None


def test_ticker_volumes_are_not_swapped() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers"))

    first = client.fetch_quotes().value.quotes[0]

    assert first.volume_24h_base == Decimal("13000.125")
    assert first.volume_24h_quote == Decimal("1180000000.25")


def test_tickers_say_what_they_speak_of_and_nothing_else() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers"))

    batch = client.fetch_quotes().value

    assert batch.fields == {"last", "mark", "open_24h", "volume_24h_base", "volume_24h_quote"}
    assert batch.is_complete
    assert batch.quotes[0].bid is None
    assert batch.quotes[0].funding_rate is None


def test_numbers_come_as_text_or_as_json_numbers() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers"))

    quote = client.fetch_quotes().value.quotes[3]

    assert (quote.last, quote.mark, quote.open_24h) == (Decimal("3.5"), Decimal(3), Decimal(4))
    assert quote.volume_24h_base is None


def test_contracts_outside_the_catalog_stay_in_the_batch() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers"))

    symbols = [quote.venue_symbol for quote in client.fetch_quotes().value.quotes]

    assert "GHOSTUSDT" in symbols
    assert "GHOSTUSDT" not in bitunix_instruments()


@pytest.mark.parametrize("price", ["", None, "NaN", "-1", "1e400", True, [], "12,5"])
def test_a_bad_price_is_named_with_its_row(price: object) -> None:
    body = reply_json("bitunix", "tickers")
    body["data"][1]["lastPrice"] = price
    client, _ = bitunix(as_bytes(body))

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert caught.value.path == "data[1].lastPrice"
    assert caught.value.endpoint == "bitunix.tickers"


def test_a_renamed_field_is_named() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers").replace(b"lastPrice", b"lastPx"))

    with pytest.raises(PayloadError, match=r"bitunix.tickers: data\[0\].lastPrice is not present"):
        client.fetch_quotes()


def test_an_empty_ticker_list_is_an_error_and_not_the_end_of_every_market() -> None:
    client, _ = bitunix(ok([]))

    with pytest.raises(PayloadError):
        client.fetch_quotes()


# Depth (trap 10)


@pytest.mark.parametrize(
    ("depth", "limit"), [(1, "1"), (2, "5"), (5, "5"), (15, "15"), (16, "50"), (50, "50"), (51, "max")]
)
def test_depth_sends_only_limits_from_the_allowed_set(depth: int, limit: str) -> None:
    client, transport = bitunix(reply_bytes("bitunix", "depth"))

    client.fetch_order_book("btcusdt", depth=depth)

    assert transport.asked[0].params == {"symbol": "BTCUSDT", "limit": limit}


def test_depth_is_cut_to_what_was_asked_for() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "depth"))

    book = client.fetch_order_book("BTCUSDT", depth=2).value

    assert [level.price for level in book.bids] == [Decimal("91251.1"), Decimal(91250)]
    assert [level.price for level in book.asks] == [Decimal("91251.2"), Decimal("91251.3")]
    assert book.venue_time is None
    assert book.bids[0].orders is None


def test_depth_of_a_preview_contract_is_two_empty_sides() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "depth_empty"))

    book = client.fetch_order_book("LATERUSDT").value

    assert (book.bids, book.asks) == ((), ())


def test_depth_takes_numbers_as_the_documentation_shows_them() -> None:
    client, _ = bitunix(ok({"asks": [[0.1001, 0.1], [0.1002, 10]], "bids": [[0.1, 1]]}))

    book = client.fetch_order_book("XUSDT").value

    assert book.asks[0].price == Decimal("0.1001")
    assert book.asks[1].size == 10


def test_depth_out_of_order_is_put_in_order() -> None:
    client, _ = bitunix(ok({"asks": [["3", "1"], ["2", "1"]], "bids": [["0.5", "1"], ["1", "1"]]}))

    book = client.fetch_order_book("XUSDT").value

    assert [level.price for level in book.asks] == [2, 3]
    assert [level.price for level in book.bids] == [1, Decimal("0.5")]


@pytest.mark.parametrize(
    ("level", "path"),
    [(["", ""], "data.asks[0][0]"), (["1", "-2"], "data.asks[0][1]"), (["1"], "data.asks[0]"), ([], "data.asks[0]")],
)
def test_a_bad_level_is_named(level: list[str], path: str) -> None:
    client, _ = bitunix(ok({"asks": [level], "bids": []}))

    with pytest.raises(PayloadError) as caught:
        client.fetch_order_book("XUSDT")
    assert caught.value.path == path
