from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.errors import (
    BudgetExhausted,
    EdgeBlocked,
    MonitorError,
    PayloadError,
    RateLimited,
    UnknownInstrument,
    VenueError,
)
from monitor.domain.market import Instrument, InstrumentKind, InstrumentStatus
from monitor.exchanges.base import Focus
from monitor.exchanges.hyperliquid.endpoints import INFO
from monitor.exchanges.hyperliquid.names import split_coin, split_scale
from tests.fakes.exchange_data import as_bytes, hyperliquid, hyperliquid_by, reply_bytes, reply_json
from tests.fakes.fake_transport import Answer, Asked, Canned

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)
UNPROCESSABLE = Canned(
    status=422, content_type="text/plain", body=b"Failed to deserialize the JSON body into the target type"
)
NOTHING = Canned(status=500, body=b"null")


def served(name: str) -> bytes:
    return reply_bytes("hyperliquid", name)


def instruments() -> dict[str, Instrument]:
    client, _ = hyperliquid(served("spotMeta"), served("allPerpMetas"))
    return {one.venue_symbol: one for one in client.fetch_instruments().value.instruments}


# Requests


def test_every_read_is_a_compact_json_post_to_info() -> None:
    client, transport = hyperliquid(served("l2Book"))

    client.fetch_order_book("BTC")
    asked = transport.asked[0]

    assert (asked.endpoint.method, asked.endpoint.path) == ("POST", "/info")
    assert asked.body == b'{"type":"l2Book","coin":"BTC"}'
    assert asked.headers == {"Content-Type": "application/json"}
    assert asked.params is None


def test_the_dex_is_sent_only_for_a_builder_dex() -> None:
    client, transport = hyperliquid(served("allMids"), served("allMids_xyz"))

    client.fetch_quotes()
    client.fetch_quotes("xyz")

    assert [asked.document for asked in transport.asked] == [
        {"type": "allMids"},
        {"type": "allMids", "dex": "xyz"},
    ]


def test_grouping_of_the_book_is_sent_in_the_venues_words() -> None:
    client, transport = hyperliquid(served("l2Book_grouped"))

    book = client.fetch_grouped_book("BTC", significant_figures=5, mantissa=5).value

    assert transport.asked[0].document == {"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 5}
    assert book.bids[0].size == Decimal("1.75")


def test_weights_follow_the_table() -> None:
    assert {kind: info.weight for kind, info in INFO.items() if info.weight != 20} == {
        "allMids": 2,
        "l2Book": 2,
        "exchangeStatus": 2,
    }


@pytest.mark.parametrize(
    ("kind", "rows", "extra"),
    [
        ("candleSnapshot", 5_000, 84),
        ("candleSnapshot", 60, 1),
        ("candleSnapshot", 0, 0),
        ("fundingHistory", 500, 25),
        ("recentTrades", 10, 1),
        ("meta", 500, 0),
    ],
)
def test_rows_cost_extra_and_a_part_counts_as_a_whole(kind: str, rows: int, extra: int) -> None:
    assert INFO[kind].surcharge(rows) == extra


def test_rows_are_charged_after_the_reply() -> None:
    client, transport = hyperliquid(served("candleSnapshot"))

    client.fetch_candles("BTC", "1h", limit=3)

    assert transport.asked[0].weight == 20
    assert transport.charged == [("hyperliquid.candleSnapshot", 1)]


# Errors


def test_a_429_with_null_is_a_rate_limit() -> None:
    client, _ = hyperliquid(Canned(status=429, body=b"null"))

    with pytest.raises(RateLimited) as caught:
        client.fetch_quotes()
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize(
    "answer",
    [UNPROCESSABLE, Canned(status=400, body=b"x"), Canned(status=415, body=b"x"), Canned(status=405, body=b"")],
)
def test_a_plain_text_error_is_a_request_that_is_wrong(answer: Canned) -> None:
    client, _ = hyperliquid(answer)

    with pytest.raises(VenueError, match=f"HTTP {answer.status}") as caught:
        client.fetch_quotes()
    assert not caught.value.is_retryable


def test_a_500_with_null_may_pass_and_says_that_the_name_may_be_wrong() -> None:
    client, _ = hyperliquid(NOTHING)

    with pytest.raises(VenueError, match="NOPE") as caught:
        client.fetch_funding_history("NOPE")
    assert caught.value.is_retryable
    assert not isinstance(caught.value, UnknownInstrument)


@pytest.mark.parametrize("body", [b"null", b" null\n"])
def test_null_for_a_coin_is_an_unknown_instrument(body: bytes) -> None:
    client, _ = hyperliquid(body)

    for read in (client.fetch_order_book, client.fetch_recent_trades, client.fetch_funding_history):
        with pytest.raises(UnknownInstrument, match="NOPE"):
            read("NOPE")
    with pytest.raises(UnknownInstrument):
        client.fetch_candles("NOPE", "1h")


def test_null_for_the_whole_venue_may_pass() -> None:
    client, _ = hyperliquid(b"null")

    for read in (client.fetch_quotes, client.fetch_details, client.fetch_dexes, client.fetch_status):
        with pytest.raises(VenueError) as caught:
            read()
        assert caught.value.is_retryable


@pytest.mark.parametrize("status", [502, 503])
def test_a_page_with_502_or_503_may_pass(status: int) -> None:
    client, _ = hyperliquid(Canned(status=status, body=b"<html>bad gateway</html>", content_type="text/html"))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.is_retryable


def test_a_page_with_200_or_403_is_blocked_at_the_edge() -> None:
    for status in (200, 403):
        client, _ = hyperliquid(Canned(status=status, body=b"<html>", content_type="text/html"))
        with pytest.raises(EdgeBlocked):
            client.fetch_quotes()


# allMids


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
    assert "@900" not in instruments()


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


# metaAndAssetCtxs


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


# Spot


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


def test_spot_pairs_are_shown_under_the_names_people_know() -> None:
    found = instruments()

    assert {symbol: found[symbol].name for symbol in ("PURR/USDC", "@3", "@142", "@207")} == {
        "PURR/USDC": "PURR-USDC",
        "@3": "HYPE-USDC",
        "@142": "BTC-USDC",
        "@207": "HYPE-USDT",
    }
    assert found["@142"].base == "BTC"
    assert found["@142"].kind is InstrumentKind.SPOT
    assert found["@142"].price_decimals == 8 - 5


def test_tokens_are_found_by_index_and_not_by_position() -> None:
    body = reply_json("hyperliquid", "spotMeta")
    body["tokens"].reverse()
    client, _ = hyperliquid(as_bytes(body), served("allPerpMetas"))

    names = [one.name for one in client.fetch_instruments().value.instruments]

    assert "HYPE-USDT" in names
    assert "xyz:TSLA-USDH-PERP" in names


def test_two_pairs_shown_alike_get_different_names() -> None:
    body = reply_json("hyperliquid", "spotMeta")
    body["tokens"].append({"name": "BTC", "szDecimals": 2, "weiDecimals": 8, "index": 400})
    body["universe"].append({"tokens": [400, 0], "name": "@500", "index": 500})
    client, _ = hyperliquid(as_bytes(body), served("allPerpMetas"))

    found = {one.venue_symbol: one.name for one in client.fetch_instruments().value.instruments}

    assert found["@142"] == "BTC-USDC"
    assert found["@500"] == "BTC-USDC@500"


def test_a_token_named_to_deceive_is_shown_without_hidden_characters() -> None:
    body = reply_json("hyperliquid", "spotMeta")
    body["tokens"][2]["name"] = "US\u202eDC \n" + "x" * 500
    body["tokens"][3]["name"] = "\u200b"
    client, _ = hyperliquid(as_bytes(body), served("allPerpMetas"))

    names = {one.venue_symbol: one.name for one in client.fetch_instruments().value.instruments}

    assert names["@3"] == "USDC" + "x" * 17 + "…-USDC"
    assert names["@142"] == "#197-USDC"


# Catalog


def test_the_catalog_has_every_dex_and_keeps_delisted_assets() -> None:
    found = instruments()

    assert list(found) == ["BTC", "MATIC", "kPEPE", "xyz:TSLA", "xyz:GOLD", "PURR/USDC", "@3", "@142", "@207"]
    assert found["MATIC"].status is InstrumentStatus.DELISTED
    assert found["BTC"].status is InstrumentStatus.OPEN


def test_builder_dex_markets_name_their_dex_and_their_collateral() -> None:
    tesla = instruments()["xyz:TSLA"]

    assert (tesla.dex, tesla.base, tesla.quote) == ("xyz", "TSLA", "USDH")
    assert tesla.name == "xyz:TSLA-USDH-PERP"


def test_a_k_before_a_coin_means_a_thousand() -> None:
    pepe = instruments()["kPEPE"]

    assert (pepe.base, int(pepe.multiplier), pepe.name) == ("PEPE", 1_000, "kPEPE-USDC-PERP")
    assert split_scale("KAS") == ("KAS", Decimal(1))
    assert split_scale("kx") == ("kx", Decimal(1))


def test_the_same_market_is_recognised_on_both_venues() -> None:
    assert instruments()["kPEPE"].market == ("perp", "PEPE")
    assert instruments()["BTC"].market == ("perp", "BTC")


def test_decimals_follow_the_size_decimals() -> None:
    found = instruments()

    assert (found["BTC"].price_decimals, found["BTC"].size_decimals) == (1, 5)
    assert (found["kPEPE"].price_decimals, found["kPEPE"].size_decimals) == (6, 0)


def test_a_meta_without_collateral_is_in_usdc() -> None:
    body = reply_json("hyperliquid", "meta")
    del body["collateralToken"]
    client, _ = hyperliquid(served("spotMeta"), as_bytes([body]))

    assert client.fetch_instruments().value.instruments[0].quote == "USDC"


def test_all_metas_in_the_documented_shape_are_read_too() -> None:
    meta, xyz = reply_json("hyperliquid", "allPerpMetas")
    client, _ = hyperliquid(served("spotMeta"), as_bytes([[meta, []], [xyz, []]]))

    assert client.fetch_instruments().value.instruments[3].venue_symbol == "xyz:TSLA"


def by_kind(replies: dict[str, Answer]) -> list[str]:
    """The kinds and dexes asked for while the catalog is read."""
    client, transport = hyperliquid_by(
        lambda asked: replies[asked.document["type"] + (":" + asked.document["dex"] if "dex" in asked.document else "")]
    )
    found = client.fetch_instruments().value.instruments
    return [one.venue_symbol for one in found if one.kind is InstrumentKind.PERPETUAL] + [
        asked.document["type"] for asked in transport.asked
    ]


@pytest.mark.parametrize("refusal", [UNPROCESSABLE, NOTHING, b"[]", b'{"odd":1}', b"null"])
def test_a_server_without_all_metas_is_asked_dex_by_dex(refusal: Answer) -> None:
    found = by_kind(
        {
            "spotMeta": served("spotMeta"),
            "allPerpMetas": refusal,
            "meta": served("meta"),
            "perpDexs": served("perpDexs"),
            "meta:xyz": served("meta_xyz"),
        }
    )

    assert found == [
        "BTC",
        "MATIC",
        "kPEPE",
        "xyz:TSLA",
        "xyz:GOLD",
        "spotMeta",
        "allPerpMetas",
        "meta",
        "perpDexs",
        "meta",
    ]


@pytest.mark.parametrize("trouble", [NOTHING, b"{", BudgetExhausted("cap", available_in_s=60.0)])
def test_a_builder_dex_in_trouble_takes_nobody_elses_instruments_away(trouble: Answer) -> None:
    found = by_kind(
        {
            "spotMeta": served("spotMeta"),
            "allPerpMetas": UNPROCESSABLE,
            "meta": served("meta"),
            "perpDexs": served("perpDexs"),
            "meta:xyz": trouble,
        }
    )

    assert found[:3] == ["BTC", "MATIC", "kPEPE"]
    assert "xyz:TSLA" not in found


def test_a_rate_limit_during_the_catalog_is_not_answered_with_more_requests() -> None:
    client, transport = hyperliquid(served("spotMeta"), Canned(status=429, body=b"null"))

    with pytest.raises(RateLimited):
        client.fetch_instruments()
    assert len(transport.asked) == 2


def test_the_first_dex_is_null_in_the_list_of_dexes() -> None:
    client, _ = hyperliquid(served("perpDexs"))

    assert client.fetch_dexes().value == ("", "xyz")


@pytest.mark.parametrize(
    ("coin", "parts"),
    [
        ("BTC", ("", "BTC")),
        ("xyz:TSLA", ("xyz", "TSLA")),
        ("@107", ("", "@107")),
        (":X", ("", ":X")),
        ("x:", ("", "x:")),
    ],
)
def test_the_dex_is_the_prefix_of_the_coin(coin: str, parts: tuple[str, str]) -> None:
    assert split_coin(coin) == parts


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


# Candles


def test_candles_are_asked_for_in_a_nested_object_up_to_a_little_beyond_now() -> None:
    client, transport = hyperliquid(served("candleSnapshot"))
    now_ms = int(transport.clock.utc_now().timestamp() * 1_000)

    client.fetch_candles("BTC", "1h", limit=10)
    body = transport.asked[0].document

    assert set(body) == {"type", "req"}
    assert (body["req"]["coin"], body["req"]["interval"]) == ("BTC", "1h")
    assert body["req"]["endTime"] == now_ms + 5_000
    assert body["req"]["startTime"] == now_ms + 5_000 - 10 * 3_600_000


def test_only_the_newest_candle_is_forming_and_the_turnover_is_unknown() -> None:
    client, transport = hyperliquid(Canned(body=served("candleSnapshot"), date=SIX + timedelta(hours=2, minutes=10)))
    transport.clock.advance((SIX - transport.clock.utc_now()).total_seconds() + 7_800)

    candles = client.fetch_candles("BTC", "1h", limit=3).value.candles

    assert [candle.open_time for candle in candles] == [SIX, SIX + timedelta(hours=1), SIX + timedelta(hours=2)]
    assert [candle.is_closed for candle in candles] == [True, True, False]
    assert (candles[0].trades, candles[0].volume_quote) == (1_500, None)
    assert candles[0].volume_base == Decimal("210.5")


def test_a_venue_clock_far_from_ours_moves_the_candle_range() -> None:
    client, transport = hyperliquid(Canned(body=served("allMids"), date=SIX))
    client.fetch_quotes()
    transport.answers = [served("candleSnapshot")]

    client.fetch_candles("BTC", "1h", limit=1)
    end_ms = transport.asked[-1].document["req"]["endTime"]

    assert abs(end_ms / 1_000 - SIX.timestamp()) < 10


def test_a_start_before_1970_is_sent_as_zero() -> None:
    # The server refuses negative times with 422.
    client, transport = hyperliquid(b"[]")

    client.fetch_candles("BTC", "1M", limit=5_000)

    assert transport.asked[0].document["req"]["startTime"] == 0


class CandleServer:
    """Answers with at most ``page`` candles: the first of the range, as documented for ranges, or the newest."""

    def __init__(self, count: int, page: int, now: datetime, *, sends_newest: bool = False) -> None:
        newest_ms = int(now.timestamp() * 1_000) // 60_000 * 60_000
        self.times = [newest_ms - 60_000 * number for number in reversed(range(count))]
        self.page = page
        self.sends_newest = sends_newest

    def __call__(self, asked: Asked) -> Answer:
        request = asked.document["req"]
        inside = [time for time in self.times if time + 60_000 > request["startTime"] and time <= request["endTime"]]
        cut = inside[-self.page :] if self.sends_newest else inside[: self.page]
        row = {"s": "BTC", "i": "1m", "o": "5", "c": "5", "h": "6", "l": "4", "v": "1", "n": 3}
        return as_bytes([row | {"t": time, "T": time + 59_999} for time in cut])


def test_candles_are_paged_forward_while_pages_are_full() -> None:
    client, transport = hyperliquid(b"[]")
    server = CandleServer(3_000, 500, transport.clock.utc_now())
    transport.responder = server

    candles = client.fetch_candles("BTC", "1m", limit=1_200).value.candles

    assert len(candles) == 1_200
    assert len({candle.open_time for candle in candles}) == 1_200
    assert candles[-1].open_time.timestamp() * 1_000 == server.times[-1]
    assert len(transport.asked) == 3


def test_5000_candles_come_in_one_page_where_the_server_sends_them() -> None:
    client, transport = hyperliquid(b"[]")
    transport.responder = CandleServer(6_000, 5_000, transport.clock.utc_now(), sends_newest=True)

    candles = client.fetch_candles("BTC", "1m", limit=9_999).value.candles

    assert len(candles) == 5_000
    assert len(transport.asked) == 1
    assert transport.charged == [("hyperliquid.candleSnapshot", 84)]


def test_a_server_that_repeats_a_full_page_does_not_loop() -> None:
    client, transport = hyperliquid(b"[]")
    server = CandleServer(3_000, 500, transport.clock.utc_now())
    transport.responder = lambda _: server(transport.asked[0])

    client.fetch_candles("BTC", "1m", limit=3_000)

    assert len(transport.asked) == 2


def test_no_candles_are_an_empty_batch() -> None:
    client, _ = hyperliquid(b"[]")

    assert client.fetch_candles("BTC", "1h").value.candles == ()


def test_an_interval_the_venue_lacks_is_refused_before_it_is_asked() -> None:
    client, transport = hyperliquid(b"[]")

    with pytest.raises(MonitorError):
        client.fetch_candles("BTC", "6h")
    assert transport.asked == []
    assert "6h" not in client.intervals
    assert "3m" in client.intervals


# Funding, trades, status


def test_funding_history_is_oldest_first_with_its_premium() -> None:
    client, transport = hyperliquid(served("fundingHistory"))

    payments = client.fetch_funding_history("BTC", start=SIX - timedelta(hours=3), end=SIX + timedelta(hours=1)).value

    assert [payment.rate for payment in payments] == [Decimal("0.0000125"), Decimal("-0.0000031")]
    assert payments[0].premium == Decimal("0.0002")
    assert transport.asked[0].document == {
        "type": "fundingHistory",
        "coin": "BTC",
        "startTime": 1_795_413_600_000 - 3 * 3_600_000,
        "endTime": 1_795_413_600_000 + 3_600_000,
    }


def test_funding_history_pages_forward_from_the_last_row_and_drops_the_repeat() -> None:
    client, transport = hyperliquid(b"[]")
    now_ms = int(transport.clock.utc_now().timestamp() * 1_000)
    times = [now_ms - 3_600_000 * number + 17 for number in range(1, 1_500)]
    times.sort()

    def serve(asked: Asked) -> Answer:
        page = [time for time in times if time >= asked.document["startTime"]][:500]
        return as_bytes([{"coin": "BTC", "fundingRate": "0.0000125", "premium": "0.0", "time": time} for time in page])

    transport.responder = serve
    payments = client.fetch_funding_history("BTC", limit=1_200).value

    assert len({payment.time for payment in payments}) == len(payments) == 1_200
    assert len(transport.asked) == 3
    assert transport.charged[0] == ("hyperliquid.fundingHistory", 25)


def test_the_venues_own_predicted_time_is_past_and_left_out() -> None:
    client, _ = hyperliquid(served("predictedFundings"))

    found = {(one.base, one.source): one for one in client.fetch_predicted_fundings().value}

    assert found["BTC", "HlPerp"].next_funding_time is None
    assert found["BTC", "BinPerp"].next_funding_time == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert found["BTC", "BinPerp"].interval_h == 8
    assert found["ODD", "BinPerp"].interval_h is None
    assert ("BTC", "BybitPerp") not in found


def test_trades_are_oldest_first_with_the_aggressors_side() -> None:
    client, transport = hyperliquid(served("recentTrades"))

    trades = client.fetch_recent_trades("BTC").value

    assert [(trade.side, trade.trade_id) for trade in trades] == [("buy", "22"), ("sell", "1016917742328422")]
    assert trades[0].time < trades[1].time
    assert transport.charged == [("hyperliquid.recentTrades", 1)]


def test_a_trade_of_an_unknown_side_is_an_error_and_never_a_default() -> None:
    client, _ = hyperliquid(served("recentTrades").replace(b'"A"', b'"C"'))

    with pytest.raises(PayloadError) as caught:
        client.fetch_recent_trades("BTC")
    assert caught.value.path == "[0].side"


@pytest.mark.parametrize(
    ("special", "text"), [(None, None), ("", None), ("upgrade at 12", "upgrade at 12"), (["a"], '["a"]')]
)
def test_the_status_has_the_venues_clock_and_what_is_special(special: object, text: str | None) -> None:
    client, _ = hyperliquid(as_bytes({"specialStatuses": special, "time": 1_795_413_600_250}))

    fetched = client.fetch_status()

    assert fetched.value.special_status == text
    assert fetched.value.venue_time == SIX + timedelta(milliseconds=250)
    assert fetched.clock_offset_s is not None


# Plan


def test_the_default_plan_leaves_room_for_an_account_under_the_cap() -> None:
    client, _ = hyperliquid(b"")

    jobs = client.poll_jobs(Focus(venue_symbol="BTC", interval="1m"))
    weight_per_minute = sum(job.weight * 60 / job.cadence_s for job in jobs)
    account = 24 + 60 + 20

    assert weight_per_minute + account <= 0.30 * 1_200
    assert [job.key for job in jobs] == [
        "hyperliquid.allMids",
        "hyperliquid.meta",
        "hyperliquid.metaAndAssetCtxs",
        "hyperliquid.l2Book:BTC",
        "hyperliquid.candles:BTC:1m",
    ]


def test_a_focused_builder_market_brings_its_dex_along() -> None:
    client, _ = hyperliquid(b"")

    keys = [job.key for job in client.poll_jobs(Focus(venue_symbol="xyz:TSLA", dexes=("xyz", "flx")))]

    assert keys[:3] == ["hyperliquid.allMids", "hyperliquid.allMids:xyz", "hyperliquid.allMids:flx"]
    assert keys.count("hyperliquid.metaAndAssetCtxs:xyz") == 1


def test_a_focused_spot_pair_brings_the_spot_contexts_along() -> None:
    client, _ = hyperliquid(served("spotMetaAndAssetCtxs"))

    jobs = {job.key: job for job in client.poll_jobs(Focus(venue_symbol="@142"))}
    value = jobs["hyperliquid.spotMetaAndAssetCtxs"].fetch().value

    assert "mark" in getattr(value, "fields", ())
    assert "hyperliquid.spotMetaAndAssetCtxs" not in {job.key for job in client.poll_jobs(Focus(venue_symbol="BTC"))}
