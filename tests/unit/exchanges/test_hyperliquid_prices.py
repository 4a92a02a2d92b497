"""Hyperliquid's prices: mids, contexts of perpetuals and of spot pairs, order books."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.errors import PayloadError
from tests.fakes.exchange_data import as_bytes, hyperliquid, hyperliquid_instruments, reply_bytes, reply_json
from tests.fakes.fake_transport import Canned

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


def served(name: str) -> bytes:
    return reply_bytes("hyperliquid", name)


# Mids


def test_mids_bring_the_mid_price_of_perpetuals_and_spot_pairs_and_nothing_else() -> None:
    client, _ = hyperliquid(served("allMids"))

    batch = client.fetch_quotes().value
    mids = {quote.venue_symbol: quote.mid for quote in batch.quotes}

    assert batch.fields == {"mid"}
    assert (batch.dex, batch.is_complete) == ("", True)
    assert mids["BTC"] == Decimal("91255.5")
    assert mids["@142"] == 91_301
    assert batch.quotes[0].last is None


def test_mids_of_a_builder_dex_belong_to_it() -> None:
    client, _ = hyperliquid(served("allMids_xyz"))

    batch = client.fetch_quotes("xyz").value

    assert batch.dex == "xyz"
    assert [quote.venue_symbol for quote in batch.quotes] == ["xyz:TSLA", "xyz:GOLD"]


def test_pairs_that_left_the_universe_stay_in_the_batch() -> None:
    client, _ = hyperliquid(served("allMids"))

    assert "@900" in {quote.venue_symbol for quote in client.fetch_quotes().value.quotes}
    assert "@900" not in hyperliquid_instruments()


@pytest.mark.parametrize("value", [True, [], {}, "-1", "NaN", "1e400"])
def test_a_bad_mid_is_named_by_its_coin(value: object) -> None:
    client, _ = hyperliquid(as_bytes({"BTC": "1", "kPEPE": value}))

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert (caught.value.endpoint, caught.value.path) == ("hyperliquid.allMids", "kPEPE")


def test_a_coin_named_twice_is_an_error() -> None:
    client, _ = hyperliquid(b'{"BTC":"1","ETH":"2","BTC":"3"}')

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert caught.value.path == "BTC"


def test_no_mids_at_all_are_an_error_on_the_first_dex_and_normal_on_an_empty_builder_dex() -> None:
    client, _ = hyperliquid(b"{}")

    assert client.fetch_quotes("new").value.quotes == ()
    with pytest.raises(PayloadError):
        client.fetch_quotes()


# Contexts of perpetuals


def test_contexts_are_joined_by_position_and_delisted_assets_keep_theirs() -> None:
    client, _ = hyperliquid(served("metaAndAssetCtxs"))

    quotes = {quote.venue_symbol: quote for quote in client.fetch_details().value.quotes}

    assert quotes["BTC"].mark == 91_250
    assert quotes["MATIC"].mark == Decimal("0.37")
    assert quotes["kPEPE"].mark == Decimal("0.012309")


def test_details_read_oracle_open_interest_and_day_figures() -> None:
    client, _ = hyperliquid(served("metaAndAssetCtxs"))

    btc = client.fetch_details().value.quotes[0]

    assert (btc.index, btc.open_24h) == (Decimal("91262.3"), Decimal("90010.0"))
    assert (btc.volume_24h_base, btc.volume_24h_quote) == (Decimal("13200.5"), Decimal("1200000000.2557999999"))
    assert btc.open_interest_base == Decimal("21000.5")


def test_impact_prices_are_not_bid_and_ask_and_the_mid_is_left_to_the_fast_feed() -> None:
    client, _ = hyperliquid(served("metaAndAssetCtxs"))

    batch = client.fetch_details().value

    assert not batch.fields & {"bid", "ask", "mid", "last"}
    assert batch.quotes[0].bid is None
    # Spot pairs belong to the first dex and are not in this reply.
    assert not batch.is_complete


def test_funding_is_a_fraction_per_hour_due_at_the_next_whole_hour_of_the_venue() -> None:
    client, _ = hyperliquid(Canned(body=served("metaAndAssetCtxs"), date=SIX + timedelta(minutes=59, seconds=59)))

    btc, matic, _ = client.fetch_details().value.quotes

    assert (btc.funding_rate, btc.funding_interval_h) == (Decimal("0.0000125"), 1)
    assert btc.next_funding_time == SIX + timedelta(hours=1)
    assert matic.next_funding_time is None


def test_nulls_of_a_thin_book_are_accepted() -> None:
    client, _ = hyperliquid(served("metaAndAssetCtxs_xyz"))

    batch = client.fetch_details("xyz").value

    assert [quote.venue_symbol for quote in batch.quotes] == ["xyz:TSLA", "xyz:GOLD"]
    assert batch.dex == "xyz"


@pytest.mark.parametrize("count", [0, 2, 4])
def test_contexts_that_do_not_match_the_universe_are_refused(count: int) -> None:
    body = reply_json("hyperliquid", "metaAndAssetCtxs")
    body[1] = (body[1] * 2)[:count]
    client, _ = hyperliquid(as_bytes(body))

    with pytest.raises(PayloadError) as caught:
        client.fetch_details()
    assert caught.value.path == "[1]"


def test_a_bad_context_is_named() -> None:
    body = reply_json("hyperliquid", "metaAndAssetCtxs")
    body[1][2]["markPx"] = "-5"
    client, _ = hyperliquid(as_bytes(body))

    with pytest.raises(PayloadError) as caught:
        client.fetch_details()
    assert caught.value.path == "[1][2].markPx"


# Contexts of spot pairs


def test_spot_contexts_are_joined_by_coin_and_not_by_position() -> None:
    client, _ = hyperliquid(served("spotMetaAndAssetCtxs"))

    batch = client.fetch_spot_details().value
    marks = {quote.venue_symbol: quote.mark for quote in batch.quotes}

    # By position, the universe's second pair (@3) would get the second context (@1, a removed pair).
    assert marks["@3"] == Decimal("41.5")
    assert marks["@142"] == 91_300
    assert batch.fields == {"mark", "open_24h", "volume_24h_base", "volume_24h_quote"}


def test_spot_contexts_without_a_coin_are_joined_by_the_pairs_own_index() -> None:
    body = reply_json("hyperliquid", "spotMetaAndAssetCtxs")
    for context in body[1]:
        del context["coin"]
    client, _ = hyperliquid(as_bytes(body))

    marks = {quote.venue_symbol: quote.mark for quote in client.fetch_spot_details().value.quotes}

    assert marks == {"PURR/USDC": Decimal("0.21"), "@3": Decimal("41.5")}


# Book


def test_the_book_counts_orders_and_has_the_venues_time() -> None:
    client, _ = hyperliquid(served("l2Book"))

    book = client.fetch_order_book("BTC", depth=2).value

    assert [level.price for level in book.bids] == [91_255, 91_254]
    assert [level.price for level in book.asks] == [91_256, 91_257]
    assert book.asks[0].orders == 2
    assert book.venue_time == datetime(2026, 11, 23, 7, 59, 59, 250_000, tzinfo=UTC)


def test_an_empty_book_is_two_empty_sides() -> None:
    client, _ = hyperliquid(served("l2Book_empty"))

    book = client.fetch_order_book("MATIC").value

    assert (book.bids, book.asks) == ((), ())


def test_a_book_of_another_coin_is_refused() -> None:
    client, _ = hyperliquid(served("l2Book"))

    with pytest.raises(PayloadError) as caught:
        client.fetch_order_book("ETH")
    assert caught.value.path == "coin"
