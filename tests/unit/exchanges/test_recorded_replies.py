"""Every parser over the recorded replies of the live services, which are not part of the project."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from monitor.domain.errors import EdgeBlocked, PayloadError, RateLimited, UnknownInstrument, VenueError
from monitor.domain.market import InstrumentKind, InstrumentStatus
from monitor.exchanges.base import Fetched
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.bitunix.errors import CODES, CodeClass
from monitor.exchanges.hyperliquid.client import HyperliquidClient
from tests.fakes.exchange_data import RECORDED, as_bytes, bitunix, hyperliquid, outcome
from tests.fakes.fake_transport import Answer, Canned

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded replies are not here")


def b(name: str) -> BitunixClient:
    return bitunix((RECORDED / "bitunix" / name).read_bytes())[0]


def h_bytes(name: str) -> bytes:
    return (RECORDED / "hyperliquid" / name).read_bytes()


def h(*names: str) -> HyperliquidClient:
    return hyperliquid(*(h_bytes(name) for name in names))[0]


# Bitunix


def test_bitunix_tickers() -> None:
    btc, eth = b("tickers.json").fetch_quotes().value.quotes

    assert (btc.last, btc.open_24h) == (Decimal("78183.2"), Decimal("78118.7"))
    assert (eth.volume_24h_base, eth.volume_24h_quote) == (Decimal("758366.914"), Decimal("1862802368.9325"))


def test_bitunix_documented_tickers() -> None:
    assert b("tickers_doc.json").fetch_quotes().value.quotes[1].last == Decimal("2020.1")


@pytest.mark.parametrize(
    ("name", "bid", "ask"), [("depth.json", "78183.1", "78183.2"), ("depth_doc.json", "0.1", "0.1001")]
)
def test_bitunix_depth(name: str, bid: str, ask: str) -> None:
    book = b(name).fetch_order_book("BTCUSDT").value

    assert (book.bids[0].price, book.asks[0].price) == (Decimal(bid), Decimal(ask))


def test_bitunix_klines() -> None:
    candles = b("kline.json").fetch_candles("BTCUSDT", "1h", limit=3).value.candles

    assert [candle.open_time.hour for candle in candles] == [4, 5, 6]
    assert (candles[-1].volume_base, candles[-1].volume_quote) == (Decimal("673.4777"), Decimal("52536234.75492"))
    for candle in candles:
        assert candle.volume_base is not None
        assert candle.volume_quote is not None
        assert candle.low <= candle.volume_quote / candle.volume_base <= candle.high


def test_bitunix_documented_klines() -> None:
    (candle,) = b("kline_doc.json").fetch_candles("BTCUSDT", "1h", limit=1).value.candles

    assert (candle.volume_base, candle.volume_quote) == (Decimal(1), Decimal(60_000))


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("trading_pairs.json", {"open"}),
        ("trading_pairs_doc.json", {"open"}),
        ("trading_pairs_edge_statuses_synthetic.json", {"stopped", "cancel_only", "open", "other"}),
    ],
)
def test_bitunix_pairs(name: str, states: set[str]) -> None:
    found = b(name).fetch_instruments().value.instruments

    assert {one.status.value for one in found} == states
    assert all(one.name == f"{one.base}-{one.quote}-PERP" and one.multiplier == 1 for one in found)


def test_bitunix_preview_pair() -> None:
    row = json.loads((RECORDED / "bitunix" / "trading_pairs_preview_row.json").read_bytes())
    client, _ = bitunix(as_bytes({"code": 0, "data": [row], "msg": "Success"}))

    assert client.fetch_instruments().value.instruments[0].status is InstrumentStatus.PREVIEW


@pytest.mark.parametrize(("name", "rate"), [("funding_rate.json", "0.0000072"), ("funding_rate_doc.json", "0.000005")])
def test_bitunix_funding_rate(name: str, rate: str) -> None:
    assert b(name).fetch_funding("BTCUSDT").value.quotes[0].funding_rate == Decimal(rate)


def test_bitunix_funding_batch_and_history() -> None:
    assert b("funding_rate_batch_doc.json").fetch_details().value.quotes[0].index == 60_001
    (payment,) = b("funding_rate_history_doc.json").fetch_funding_history("BTCUSDT").value
    assert payment.rate == Decimal("-0.00001191")


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("error_1_missing_symbol.json", VenueError, "1"),
        ("error_10002_no_data.json", VenueError, "10002"),
        ("error_20007_message_key.json", VenueError, "20007"),
        ("error_20015_symbol_not_tradable.json", UnknownInstrument, "20015"),
        ("error_200014_doc.json", VenueError, "200014"),
        ("error_404_unknown_path.json", VenueError, "404"),
    ],
)
def test_bitunix_errors(name: str, error: type[VenueError], code: str) -> None:
    with pytest.raises(error) as caught:
        b(name).fetch_quotes()
    assert caught.value.venue_code == code


def test_our_code_table_agrees_with_the_collected_one() -> None:
    table = json.loads((RECORDED / "bitunix" / "error_codes.json").read_bytes())
    theirs = {row["code"]: row["class"] for row in table["codes"]}
    classes = {
        CodeClass.PASSING: {"retryable"},
        CodeClass.REQUEST: {"bad_request"},
        CodeClass.RATE_LIMIT: {"rate_limit"},
        CodeClass.INSTRUMENT: {"bad_symbol"},
        CodeClass.KEY: {"auth"},
        CodeClass.ACCOUNT: {"account"},
        CodeClass.MISSING: {"not_found"},
    }

    for code, meaning in CODES.items():
        assert theirs[code] in classes[meaning.code_class], code
    for wanted in ("retryable", "rate_limit", "bad_symbol", "auth"):
        assert {code for code, name in theirs.items() if name == wanted} <= CODES.keys()


# Hyperliquid


@pytest.mark.parametrize(
    ("name", "count", "btc"),
    [("allMids__mainnet_2023-07-17.json", 28, "30135.0"), ("allMids__mainnet_2025-12-13.json", 482, None)],
)
def test_hyperliquid_mids(name: str, count: int, btc: str | None) -> None:
    quotes = {quote.venue_symbol: quote.mid for quote in h(name).fetch_quotes().value.quotes}

    assert len(quotes) == count
    assert quotes["BTC"] == Decimal(btc or json.loads(h_bytes(name))["BTC"])


@pytest.mark.parametrize(
    "name", ["meta__mainnet_2023-07-17.json", "meta__mainnet_2025-12-13.json", "meta__mainnet_2026-09-25_first6.json"]
)
def test_hyperliquid_catalog_dex_by_dex(name: str) -> None:
    client, _ = hyperliquid(h_bytes("spotMeta__mainnet_2025-08-22.json"), Canned(status=422), h_bytes(name), b"[null]")
    found = client.fetch_instruments().value.instruments
    universe = json.loads(h_bytes(name))["universe"]

    perps = [one for one in found if one.kind is InstrumentKind.PERPETUAL]
    assert [one.venue_symbol for one in perps] == [row["name"] for row in universe]
    delisted = {row["name"] for row in universe if row.get("isDelisted")}
    assert {one.venue_symbol for one in perps if one.status is InstrumentStatus.DELISTED} == delisted
    assert {one.base for one in perps if one.multiplier == 1_000} == {
        row["name"][1:] for row in universe if row["name"][0] == "k"
    }


def test_hyperliquid_catalog_with_builder_dexes() -> None:
    found = {
        one.venue_symbol: one
        for one in h("spotMeta__mainnet_2025-08-22.json", "allPerpMetas__cut.json")
        .fetch_instruments()
        .value.instruments
    }

    assert (found["hyna:BTC"].base, found["hyna:BTC"].quote, found["hyna:BTC"].dex) == ("BTC", "USDE", "hyna")
    assert found["@107"].name == "HYPE-USDC"
    assert found["@207"].name == "HYPE-USDT"
    assert found["@142"].name == "BTC-USDC"
    assert len({one.name for one in found.values()}) == len(found)


@pytest.mark.parametrize(
    ("name", "count", "mark"),
    [
        ("metaAndAssetCtxs__mainnet_2026-02-06.json", 228, "66344.0"),
        ("metaAndAssetCtxs__mainnet_2026-09-03_first4.json", 4, "80639.0"),
        ("metaAndAssetCtxs__mainnet_dex_xyz_2026-02-06.json", 43, "24657.0"),
    ],
)
def test_hyperliquid_contexts(name: str, count: int, mark: str) -> None:
    quotes = h(name).fetch_details().value.quotes

    assert len(quotes) == count
    assert quotes[0].mark == Decimal(mark)
    assert all(quote.funding_interval_h == 1 and quote.funding_rate is not None for quote in quotes)


def test_hyperliquid_spot_contexts_belong_to_their_pairs() -> None:
    name = "spotMetaAndAssetCtxs__mainnet_2025-08-22_first150.json"
    mids = {row["coin"]: row["markPx"] for row in json.loads(h_bytes(name))[1]}

    batch = h(name).fetch_spot_details().value

    assert {quote.venue_symbol: quote.mark for quote in batch.quotes} == {
        coin: Decimal(mark) for coin, mark in mids.items()
    }


@pytest.mark.parametrize(
    ("coin", "name", "bid", "orders"),
    [
        ("BTC", "l2Book__BTC_mainnet_2026-07-19.json", "64641.0", 18),
        ("DYDX", "l2Book__DYDX_mainnet_2023-07-17.json", "2.111", 1),
        ("@107", "l2Book__spot_@107_mainnet_2025-01-21.json", "21.828", 1),
    ],
)
def test_hyperliquid_books(coin: str, name: str, bid: str, orders: int) -> None:
    book = h(name).fetch_order_book(coin, depth=20).value

    assert (book.bids[0].price, book.bids[0].orders) == (Decimal(bid), orders)
    assert len(book.bids) == len(book.asks) == 20
    assert book.bids[0].price < book.asks[0].price


def test_hyperliquid_unknown_coin() -> None:
    with pytest.raises(UnknownInstrument):
        h("l2Book__unknown_coin.json").fetch_order_book("NOPE")


@pytest.mark.parametrize(
    ("coin", "name", "count", "close"),
    [
        ("BTC", "candleSnapshot__BTC_1h_mainnet_2026-09-25.json", 5, "83931.0"),
        ("kPEPE", "candleSnapshot__kPEPE_1h_mainnet_2023-05.json", 24, "0.00154"),
    ],
)
def test_hyperliquid_candles(coin: str, name: str, count: int, close: str) -> None:
    candles = h(name).fetch_candles(coin, "1h").value.candles

    assert len(candles) == count
    assert candles[-1].close == Decimal(close)
    assert all(one.open_time + timedelta(hours=1) == two.open_time for one, two in pairwise(candles))


def test_hyperliquid_funding() -> None:
    assert (
        len(
            h("fundingHistory__BTC_mainnet_2023-05.json")
            .fetch_funding_history("BTC", start=datetime(2023, 1, 1, tzinfo=UTC))
            .value
        )
        == 34
    )
    newest = h("fundingHistory__BTC_mainnet_2026-09-25.json").fetch_funding_history("BTC").value[-1]
    assert (newest.rate, newest.premium) == (Decimal("0.0000125"), Decimal("-0.0002083901"))
    predicted = h("predictedFundings__testnet_2026-09-03_3coins.json").fetch_predicted_fundings().value
    assert len(predicted) == 9
    assert all(one.next_funding_time is None for one in predicted if one.source == "HlPerp")


def test_hyperliquid_dexes_trades_and_status() -> None:
    assert h("perpDexs__mainnet_2025-12-13.json").fetch_dexes().value == ("", "xyz", "flx", "vntl", "hyna")
    assert h("perpDexs__mainnet_2026-09-13_cut.json").fetch_dexes().value == ("", "xyz", "abcd")
    trades = h("recentTrades__BTC_testnet_2024-12.json").fetch_recent_trades("BTC").value
    assert trades[-1].trade_id == "546741900151431"
    status = h("exchangeStatus__mainnet_2026-09-24.json").fetch_status().value
    assert status.venue_time == datetime(2026, 9, 24, 6, 33, 6, 439_000, tzinfo=UTC)


def test_hyperliquid_errors() -> None:
    expected = {400: VenueError, 405: VenueError, 415: VenueError, 422: VenueError, 429: RateLimited, 500: VenueError}
    cases = json.loads(h_bytes("errors__recorded.json"))["cases"]
    seen = set()
    for case in cases:
        if case["status"] == 200 or case.get("body") is None:
            continue
        answer = Canned(status=case["status"], body=case["body"].encode(), content_type=case.get("contentType") or "")
        with pytest.raises(expected.get(case["status"], VenueError)) as caught:
            hyperliquid(answer)[0].fetch_quotes()
        assert not isinstance(caught.value, EdgeBlocked)
        seen.add(case["status"])

    assert {422, 429, 500} <= seen


# All of them through all parsers: a reply of another endpoint is a value or an error of ours.

EVERYTHING: list[Callable[[Answer], object]] = [
    lambda body: bitunix(body)[0].fetch_quotes(),
    lambda body: bitunix(body)[0].fetch_details(),
    lambda body: bitunix(body)[0].fetch_instruments(),
    lambda body: bitunix(body)[0].fetch_order_book("BTCUSDT"),
    lambda body: bitunix(body)[0].fetch_candles("BTCUSDT", "1h", limit=3),
    lambda body: bitunix(body)[0].fetch_funding_history("BTCUSDT"),
    lambda body: hyperliquid(body)[0].fetch_quotes(),
    lambda body: hyperliquid(body)[0].fetch_details(),
    lambda body: hyperliquid(body)[0].fetch_spot_details(),
    lambda body: hyperliquid(body)[0].fetch_instruments(),
    lambda body: hyperliquid(body)[0].fetch_dexes(),
    lambda body: hyperliquid(body)[0].fetch_order_book("BTC"),
    lambda body: hyperliquid(body)[0].fetch_candles("BTC", "1h"),
    lambda body: hyperliquid(body)[0].fetch_funding_history("BTC"),
    lambda body: hyperliquid(body)[0].fetch_predicted_fundings(),
    lambda body: hyperliquid(body)[0].fetch_recent_trades("BTC"),
    lambda body: hyperliquid(body)[0].fetch_status(),
]


def recorded_files() -> list[Path]:
    return sorted(RECORDED.glob("*/*.json")) if RECORDED.is_dir() else []


@pytest.mark.parametrize("path", recorded_files(), ids=lambda path: path.stem)
def test_a_recorded_reply_of_any_endpoint_breaks_no_parser(path: Path) -> None:
    body = path.read_bytes()
    results = [outcome(partial(read, body)) for read in EVERYTHING]

    assert all(isinstance(result, Fetched | PayloadError | VenueError) for result in results)
    # Empty lists suit many endpoints, real replies few.
    assert sum(isinstance(result, Fetched) for result in results) <= 8
