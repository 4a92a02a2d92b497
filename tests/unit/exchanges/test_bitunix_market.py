from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from monitor.domain.errors import (
    BudgetExhausted,
    EdgeBlocked,
    ErrorKind,
    MonitorError,
    PayloadError,
    RateLimited,
    TransportError,
    UnknownInstrument,
    VenueError,
)
from monitor.domain.market import Instrument, InstrumentStatus
from monitor.exchanges.base import Focus
from monitor.exchanges.bitunix.client import PAGE_ROWS
from tests.fakes.exchange_data import as_bytes, bitunix, bitunix_by, reply_bytes, reply_json
from tests.fakes.fake_transport import Answer, Asked, Canned

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


def ok(data: object) -> bytes:
    return as_bytes({"code": 0, "data": data, "msg": "Success"})


def instruments() -> dict[str, Instrument]:
    client, _ = bitunix(reply_bytes("bitunix", "trading_pairs"))
    return {one.venue_symbol: one for one in client.fetch_instruments().value.instruments}


# Envelope (traps 1 and 9)


@pytest.mark.parametrize("code", [0, "0"])
@pytest.mark.parametrize("message", ["Success", "success", "result.success", "", None])
def test_success_is_told_by_code_zero_alone(code: object, message: object) -> None:
    body = reply_json("bitunix", "tickers") | {"code": code, "msg": message}
    client, _ = bitunix(as_bytes(body))

    assert client.fetch_quotes().value.quotes[0].last == Decimal("91251.1")


def test_an_error_inside_http_200_is_an_error() -> None:
    client, _ = bitunix(as_bytes({"code": 10002, "data": None, "msg": "Success"}))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.venue_code == "10002"
    assert not caught.value.is_retryable


@pytest.mark.parametrize("code", [20001, 20012, 20015, "20015"])
def test_a_delisted_or_unknown_symbol_is_an_unknown_instrument(code: object) -> None:
    client, _ = bitunix(as_bytes({"code": code, "data": None, "msg": "this Futures is not allowed to trade."}))

    with pytest.raises(UnknownInstrument):
        client.fetch_order_book("GONEUSDT")


def test_an_unknown_path_comes_as_code_404_inside_http_200() -> None:
    client, _ = bitunix(as_bytes({"code": 404, "data": None, "msg": "Not Found"}))

    with pytest.raises(VenueError, match="code 404"):
        client.fetch_quotes()


@pytest.mark.parametrize("code", [10005, 10006])
def test_a_refusal_inside_http_200_reaches_the_budget(code: int) -> None:
    client, transport = bitunix(as_bytes({"code": code, "data": None, "msg": "too fast"}))

    with pytest.raises(RateLimited) as caught:
        client.fetch_quotes()
    assert transport.refusals == [("bitunix.tickers", None)]
    assert caught.value.retry_after_s is None


def test_a_429_is_left_to_the_transport_and_keeps_its_hint() -> None:
    client, transport = bitunix(Canned(status=429, body=b"", content_type="", retry_after_s=7.0))

    with pytest.raises(RateLimited) as caught:
        client.fetch_quotes()
    assert caught.value.retry_after_s == 7.0
    assert transport.refusals == []


@pytest.mark.parametrize("code", [1, 10001])
def test_a_network_error_of_the_venue_may_pass(code: int) -> None:
    client, _ = bitunix(as_bytes({"code": code, "data": None, "msg": "Network Error"}))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.is_retryable


def test_an_unknown_code_is_a_failure_with_its_text() -> None:
    client, _ = bitunix(as_bytes({"code": 200014, "data": None, "msg": "Existing\u202e positions\n"}))

    with pytest.raises(VenueError, match=r"error 200014: Existing positions$"):
        client.fetch_quotes()


def test_an_error_text_may_come_as_message_and_without_data() -> None:
    client, _ = bitunix(as_bytes({"code": 777777, "message": "Order not found"}))

    with pytest.raises(VenueError, match="Order not found"):
        client.fetch_quotes()


def test_an_error_with_data_of_another_type_is_still_told_by_its_code() -> None:
    client, _ = bitunix(as_bytes({"code": 20015, "data": "gone", "msg": ""}))

    with pytest.raises(UnknownInstrument):
        client.fetch_quotes()


@pytest.mark.parametrize("body", [b'{"code":0}', b'{"code":0,"data":null}', b'{"code":0,"data":{}}'])
def test_success_without_its_data_names_the_field(body: bytes) -> None:
    client, _ = bitunix(body)

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert (caught.value.endpoint, caught.value.path) == ("bitunix.tickers", "data")


@pytest.mark.parametrize("code", [None, True, "", "zero", [], 10**400, "9" * 500])
def test_a_code_that_is_none_is_a_payload_error(code: object) -> None:
    client, _ = bitunix(as_bytes({"code": code, "data": [], "msg": ""}))

    with pytest.raises(PayloadError):
        client.fetch_quotes()


def test_a_page_with_403_is_blocked_at_the_edge_and_never_quoted() -> None:
    page = b"<!DOCTYPE html><html><body>error 1010 <script>alert(1)</script></body></html>"
    client, _ = bitunix(Canned(status=403, body=page, content_type="text/html; charset=UTF-8"))

    with pytest.raises(EdgeBlocked) as caught:
        client.fetch_quotes()
    assert caught.value.kind is ErrorKind.BLOCKED
    assert "1010" not in str(caught.value) + caught.value.detail


def test_a_page_with_200_is_blocked_at_the_edge_too() -> None:
    client, _ = bitunix(Canned(status=200, body=b"\n <html>log in</html>", content_type="application/json"))

    with pytest.raises(EdgeBlocked):
        client.fetch_quotes()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_with_5xx_may_pass(status: int) -> None:
    client, _ = bitunix(Canned(status=status, body=b"<html>", content_type="text/html"))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.is_retryable
    assert not isinstance(caught.value, EdgeBlocked)


def test_an_http_error_with_an_envelope_is_told_by_its_code() -> None:
    client, _ = bitunix(Canned(status=400, body=as_bytes({"code": 10008, "data": None, "msg": "limit"})))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.venue_code == "10008"


def test_an_http_error_cannot_be_a_success() -> None:
    client, _ = bitunix(Canned(status=500, body=reply_bytes("bitunix", "tickers")))

    with pytest.raises(VenueError, match="HTTP 500"):
        client.fetch_quotes()


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
    assert "GHOSTUSDT" not in instruments()


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


# Klines (traps 3 and 5)


def test_kline_volumes_are_swapped_back() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "kline"))

    first = client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles[0]

    assert first.volume_base == 55
    assert first.volume_quote == 4_990_000


def test_kline_volumes_stay_where_the_venue_has_mended_its_names() -> None:
    body = reply_json("bitunix", "kline")
    for row in body["data"]:
        row["quoteVol"], row["baseVol"] = row["baseVol"], row["quoteVol"]
    client, _ = bitunix(as_bytes(body))

    first = client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles[0]

    assert first.volume_base == 55
    assert first.volume_quote == 4_990_000


def test_kline_volumes_of_a_price_near_one_are_told_by_the_closer_ratio() -> None:
    row = {"open": "1.2", "high": "1.2", "low": "1.2", "close": "1.2", "time": "1795413600000"}
    swapped, _ = bitunix(ok([row | {"quoteVol": "100", "baseVol": "120"}]))
    mended, _ = bitunix(ok([row | {"quoteVol": "120", "baseVol": "100"}]))

    for client in (swapped, mended):
        candle = client.fetch_candles("XRPUSDT", "1h", limit=1).value.candles[0]
        assert (candle.volume_base, candle.volume_quote) == (Decimal(100), Decimal(120))


def test_kline_volumes_that_fit_neither_reading_count_as_swapped() -> None:
    row = {"open": "10", "high": "10", "low": "10", "close": "10", "time": "1795413600000"}
    client, _ = bitunix(ok([row | {"quoteVol": "0", "baseVol": "0"}, row | {"quoteVol": "300", "baseVol": "1"}]))

    candle = client.fetch_candles("XUSDT", "1h", limit=2).value.candles[0]

    assert (candle.volume_base, candle.volume_quote) == (Decimal(300), Decimal(1))


def test_klines_come_newest_first_and_are_handed_out_oldest_first() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "kline"))

    times = [candle.open_time for candle in client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles]

    assert times == [SIX, SIX + timedelta(hours=1), SIX + timedelta(hours=2)]


def test_only_the_newest_kline_is_forming_until_the_venue_clock_passes_its_end() -> None:
    body = reply_bytes("bitunix", "kline")

    def closed_at(date: datetime) -> list[bool]:
        client, _ = bitunix(Canned(body=body, date=date))
        return [candle.is_closed for candle in client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles]

    assert closed_at(SIX + timedelta(hours=2, minutes=30)) == [True, True, False]
    # The stamp may be a moment younger than the data, so the second of the close itself is not enough.
    assert closed_at(SIX + timedelta(hours=3)) == [True, True, False]
    assert closed_at(SIX + timedelta(hours=3, seconds=1)) == [True, True, True]


def test_a_wrong_local_clock_does_not_close_a_candle() -> None:
    client, transport = bitunix(Canned(body=reply_bytes("bitunix", "kline"), date=SIX + timedelta(hours=2, minutes=30)))
    transport.clock.advance(86_400 * 400)

    assert not client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles[-1].is_closed


class KlineServer:
    """Answers like the venue: newest first, at most 200, ending at endTime."""

    def __init__(self, count: int, *, overlap_ms: int = 0) -> None:
        self.newest_ms = 1_795_413_600_000
        self.times = [self.newest_ms - 60_000 * number for number in range(count)]
        self.overlap_ms = overlap_ms

    def __call__(self, asked: Asked) -> Answer:
        params = asked.params or {}
        end_ms = int(params.get("endTime", self.newest_ms)) + self.overlap_ms
        rows = [time for time in self.times if time <= end_ms][: min(200, int(params["limit"]))]
        row = {"open": "5", "high": "6", "low": "4", "close": "5", "quoteVol": "1", "baseVol": "5"}
        return ok([row | {"time": str(time)} for time in rows])


def test_klines_page_backwards_by_end_time() -> None:
    client, transport = bitunix_by(KlineServer(1_000))

    batch = client.fetch_candles("BTCUSDT", "1m", limit=450).value
    ends = [asked.params.get("endTime") for asked in transport.asked if asked.params]

    assert len(batch.candles) == 450
    assert ends == [None, str(1_795_413_600_000 - 199 * 60_000 - 1), str(1_795_413_600_000 - 399 * 60_000 - 1)]
    assert all("startTime" not in (asked.params or {}) for asked in transport.asked)
    assert [one.open_time for one in batch.candles] == sorted({one.open_time for one in batch.candles})


def test_klines_stop_on_an_empty_page() -> None:
    client, transport = bitunix_by(KlineServer(200))

    assert len(client.fetch_candles("BTCUSDT", "1m", limit=1_000).value.candles) == 200
    assert len(transport.asked) == 2


def test_klines_stop_when_nothing_older_arrives() -> None:
    # A server that ignores endTime sends the same page again and again.
    client, transport = bitunix_by(
        lambda asked: KlineServer(200)(Asked(asked.endpoint, {"limit": "200"}, None, None, 1))
    )

    assert len(client.fetch_candles("BTCUSDT", "1m", limit=1_000).value.candles) == 200
    assert len(transport.asked) == 2


def test_klines_repeated_by_the_next_page_are_dropped() -> None:
    client, _ = bitunix_by(KlineServer(600, overlap_ms=120_000))

    candles = client.fetch_candles("BTCUSDT", "1m", limit=500).value.candles

    assert len({candle.open_time for candle in candles}) == len(candles) == 500


def test_klines_of_a_range_are_clipped_to_it() -> None:
    client, _ = bitunix_by(KlineServer(1_000))
    newest = datetime(2026, 11, 23, 6, tzinfo=UTC)

    candles = client.fetch_candles(
        "BTCUSDT",
        "1m",
        start=newest - timedelta(minutes=300, seconds=30),
        end=newest - timedelta(minutes=10),
        limit=1_000,
    ).value.candles

    assert candles[0].open_time == newest - timedelta(minutes=301)
    assert candles[-1].open_time == newest - timedelta(minutes=10)


def test_an_interval_the_venue_lacks_is_refused_before_it_is_asked() -> None:
    # The server would answer it with success and an empty list.
    client, transport = bitunix(ok([]))

    with pytest.raises(MonitorError):
        client.fetch_candles("BTCUSDT", "3m")
    assert transport.asked == []
    assert "3m" not in client.intervals


def test_a_page_that_fails_brings_the_traces_of_the_pages_before_it() -> None:
    server = KlineServer(1_000)
    client, transport = bitunix_by(
        lambda asked: server(asked) if len(transport.asked) < 3 else TransportError("gone", traces=("last",))
    )

    with pytest.raises(TransportError) as caught:
        client.fetch_candles("BTCUSDT", "1m", limit=1_000)
    assert len(caught.value.traces) == 3
    assert caught.value.traces[-1] == "last"


def test_a_later_page_waits_for_the_budget_and_the_first_one_does_not() -> None:
    server = KlineServer(1_000)
    exhausted = BudgetExhausted("wait", available_in_s=0.16)
    client, transport = bitunix_by(lambda asked: exhausted if len(transport.asked) == 2 else server(asked))

    assert len(client.fetch_candles("BTCUSDT", "1m", limit=400).value.candles) == 400

    client, transport = bitunix_by(lambda asked: exhausted)
    with pytest.raises(BudgetExhausted):
        client.fetch_candles("BTCUSDT", "1m", limit=400)
    assert len(transport.asked) == 1


def test_a_read_of_several_pages_has_the_clocks_of_the_oldest() -> None:
    client, _ = bitunix_by(KlineServer(1_000))

    fetched = client.fetch_candles("BTCUSDT", "1m", limit=600)

    assert len(fetched.traces) == 3
    assert fetched.requested_mono_s == fetched.traces[0].started_mono_s
    assert fetched.received_mono_s == fetched.traces[0].ended_mono_s


# Trading pairs


def test_scaled_contracts_name_their_coin_and_how_many_one_unit_holds() -> None:
    found = {symbol: (one.base, one.multiplier) for symbol, one in instruments().items()}

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
    found = instruments()

    assert found["1000PEPEUSDT"].name == "1000PEPE-USDT-PERP"
    assert found["BTCUSDT"].name == "BTC-USDT-PERP"
    assert len({one.name for one in found.values()}) == len(found)


def test_contract_families_are_told_by_their_quote() -> None:
    found = instruments()

    assert [found[symbol].quote for symbol in ("BTCUSDT", "BTCUSDC", "BTCUSD")] == ["USDT", "USDC", "USD"]
    assert {found[symbol].market for symbol in ("BTCUSDT", "BTCUSDC", "BTCUSD")} == {("perp", "BTC")}


def test_precisions_are_decimals_of_price_and_size() -> None:
    btc = instruments()["BTCUSDT"]

    assert (btc.price_decimals, btc.size_decimals, btc.max_leverage) == (1, 4, 200)


def test_every_state_is_mapped_and_an_unknown_one_is_kept_as_text() -> None:
    found = instruments()

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


# Funding (traps 4 and 6)


def test_the_current_rate_is_in_percent_and_the_history_is_a_fraction() -> None:
    current, _ = bitunix(reply_bytes("bitunix", "funding_batch"))
    history, _ = bitunix(reply_bytes("bitunix", "funding_history"))

    assert current.fetch_details().value.quotes[0].funding_rate == Decimal("0.0001")
    assert history.fetch_funding_history("BTCUSDT").value[-1].rate == Decimal("0.0001")


@pytest.mark.parametrize("is_list", [False, True])
def test_a_single_funding_rate_is_an_object_or_a_list_of_one(is_list: bool) -> None:
    body = reply_json("bitunix", "funding_rate")
    if is_list:
        body["data"] = [body["data"]]
    client, transport = bitunix(as_bytes(body))

    quote = client.fetch_funding("btcusdt").value.quotes[0]

    assert quote.funding_rate == Decimal("0.0000072")
    assert (quote.index, quote.funding_interval_h) == (None, 8)
    assert quote.next_funding_time == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert transport.asked[0].params == {"symbol": "BTCUSDT"}


@pytest.mark.parametrize("data", [[], "x", 5, None, [[]]])
def test_a_single_funding_rate_is_nothing_else(data: object) -> None:
    client, _ = bitunix(ok(data))

    with pytest.raises(PayloadError):
        client.fetch_funding("BTCUSDT")


def test_dead_contracts_of_the_batch_are_accepted_and_not_in_the_catalog() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "funding_batch"))

    ghost = client.fetch_details().value.quotes[2]

    assert (ghost.venue_symbol, ghost.index, ghost.funding_rate) == ("GHOSTUSDT", None, Decimal(0))
    assert ghost.venue_symbol not in instruments()


def test_details_speak_of_funding_and_index_only() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "funding_batch"))

    batch = client.fetch_details().value

    assert batch.fields == {"index", "funding_rate", "funding_interval_h", "next_funding_time"}
    assert batch.quotes[1].funding_interval_h == 4


def test_funding_history_uses_the_venues_own_spelling_of_the_start() -> None:
    client, transport = bitunix(reply_bytes("bitunix", "funding_history"))

    client.fetch_funding_history("BTCUSDT", start=SIX - timedelta(days=2), end=SIX)
    params = transport.asked[0].params or {}

    assert set(params) == {"symbol", "limit", "starTime", "endTime"}
    assert params["starTime"] == str(1_795_413_600_000 - 2 * 86_400_000)


def test_funding_history_is_handed_out_oldest_first() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "funding_history"))

    payments = client.fetch_funding_history("BTCUSDT").value

    assert [payment.rate for payment in payments] == [Decimal("-0.00005"), Decimal("0.0001")]
    assert payments[1].mark == Decimal("90400.5")


def test_funding_history_pages_backwards_without_repeats() -> None:
    newest_ms = 1_795_392_000_000
    times = [newest_ms - 28_800_000 * number for number in range(500)]

    def serve(asked: Asked) -> Answer:
        params = asked.params or {}
        end_ms = int(params.get("endTime", newest_ms))
        page = [time for time in times if time <= end_ms][: int(params["limit"])]
        return ok([{"fundingRate": "0.0001", "fundingTime": str(time), "markPrice": "1"} for time in page])

    client, transport = bitunix_by(serve)
    payments = client.fetch_funding_history("BTCUSDT", limit=450).value

    assert len({payment.time for payment in payments}) == len(payments) == 450
    assert [int((asked.params or {})["limit"]) for asked in transport.asked] == [PAGE_ROWS] * 3


# Client and plan


def test_every_request_is_a_get_below_the_futures_path() -> None:
    client, transport = bitunix(ok([]))
    client.fetch_details()
    client.fetch_candles("BTCUSDT", "1m")
    client.fetch_funding_history("BTCUSDT")
    for read in (client.fetch_instruments, client.fetch_quotes, partial(client.fetch_order_book, "BTCUSDT")):
        with pytest.raises(PayloadError):
            read()

    assert {asked.endpoint.method for asked in transport.asked} == {"GET"}
    assert all(asked.endpoint.path.startswith("/api/v1/futures/market/") for asked in transport.asked)
    assert all(asked.body is None for asked in transport.asked)


def test_a_parse_error_brings_the_trace_of_its_request() -> None:
    client, _ = bitunix(b"{")

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert len(caught.value.traces) == 1


def test_a_builder_dex_is_refused() -> None:
    client, transport = bitunix(b"")

    with pytest.raises(MonitorError):
        client.fetch_quotes("xyz")
    assert transport.asked == []


@pytest.mark.parametrize("phase_s", [0.0, 0.3, 0.6, 0.9])
def test_the_clock_offset_is_centred_in_the_stamps_second(phase_s: float) -> None:
    client, transport = bitunix(Canned(body=reply_bytes("bitunix", "tickers"), round_trip_s=0.2))
    ahead = transport.clock.utc_now() + timedelta(seconds=30)
    transport.clock.advance(phase_s)
    ahead += timedelta(seconds=phase_s)
    stamp = (ahead + timedelta(seconds=0.1)).replace(microsecond=0)
    transport.answers = [Canned(body=reply_bytes("bitunix", "tickers"), date=stamp, round_trip_s=0.2)]

    offset_s = client.fetch_quotes().clock_offset_s

    assert offset_s is not None
    assert abs(offset_s - 30.0) <= 0.5 + 0.1


def test_without_a_date_header_the_clock_offset_is_unknown() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers"))

    assert client.fetch_quotes().clock_offset_s is None


def test_the_default_plan_stays_under_the_own_cap() -> None:
    client, _ = bitunix(b"")

    jobs = client.poll_jobs(Focus(venue_symbol="BTCUSDT", interval="5m"))
    calls_per_s = sum(job.weight / job.cadence_s for job in jobs)

    assert calls_per_s < 0.30 * 10
    assert [job.key for job in jobs] == [
        "bitunix.tickers",
        "bitunix.trading_pairs",
        "bitunix.funding_batch",
        "bitunix.depth:BTCUSDT",
        "bitunix.candles:BTCUSDT:5m",
    ]


def test_without_a_focus_or_chart_no_instrument_is_polled() -> None:
    client, _ = bitunix(b"")

    assert all(":" not in job.key for job in client.poll_jobs(Focus()))
    hidden = client.poll_jobs(Focus(venue_symbol="BTCUSDT", is_chart_shown=False))
    assert not any("candles" in job.key for job in hidden)
    assert not any("candles" in job.key for job in client.poll_jobs(Focus(venue_symbol="BTCUSDT", interval="3m")))
