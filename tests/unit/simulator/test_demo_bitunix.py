"""The demo Bitunix speaks like the recorded one: envelopes, types, quirks and refusals."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from monitor.simulator.bitunix import BitunixVenue
from monitor.simulator.candles import DAY_MS, HOUR_MS
from monitor.simulator.replies import Moment, Request
from tests.fakes.demo_world import NOON_MS, DemoWorld

demo = DemoWorld()
_PLAIN_NUMBER = re.compile(r"-?\d+(\.\d*[1-9])?")


@pytest.mark.parametrize(
    ("path", "code", "text"),
    [
        ("market/nope", 404, "Not Found"),
        ("/api/v2/x", 404, "Not Found"),
        ("market/tickers?symbols=NOPEUSDT", 20015, "this Futures is not allowed to trade."),
        ("market/depth?symbol=NOPEUSDT&limit=5", 20015, "this Futures is not allowed to trade."),
        ("market/kline?symbol=NOPEUSDT&interval=1m", 20015, "this Futures is not allowed to trade."),
        ("market/depth?limit=5", 1, "Network Error"),
        ("market/kline?symbol=BTCUSDT", 1, "Network Error"),
        ("market/funding_rate", 1, "Network Error"),
        ("market/depth?symbol=BTCUSDT&limit=20", 10008, "limit must be one of [1, 5, 15, 50, max]"),
        ("market/kline?symbol=BTCUSDT&interval=1m&limit=x", 10002, "Parameter Error"),
        ("market/kline?symbol=BTCUSDT&interval=1m&endTime=-5", 10002, "Parameter Error"),
        ("market/kline?symbol=BTCUSDT&interval=1m&endTime=" + "9" * 400, 10002, "Parameter Error"),
    ],
)
def test_errors_come_with_http_200_and_null_data(path: str, code: int, text: str) -> None:
    reply = demo.get(path)

    assert reply.status == 200
    assert json.loads(reply.body) == {"code": code, "data": None, "msg": text}


def test_every_other_method_is_an_unknown_path() -> None:
    request = Request("POST", "/api/v1/futures/market/tickers", {}, {}, b"", "127.0.0.1")
    assert json.loads(demo.bitunix.answer(request, Moment(NOON_MS, NOON_MS)).body)["code"] == 404


def test_refusal_is_a_code_or_an_edge_429() -> None:
    request = Request("GET", "/api/v1/futures/market/tickers", {}, {}, b"", "127.0.0.1")
    coded, edge = demo.bitunix, BitunixVenue(demo.world, "edge")

    assert (coded.refusal(request, None).status, json.loads(coded.refusal(request, None).body)["code"]) == (200, 10006)
    assert edge.refusal(request, None).status == 429
    assert edge.refusal(request, None).headers == ()
    assert edge.refusal(request, 3).headers == (("Retry-After", "3"),)


def test_tickers_are_text_and_have_no_bid_ask_or_time() -> None:
    rows = demo.data("market/tickers")
    keys = {"symbol", "markPrice", "lastPrice", "open", "last", "quoteVol", "baseVol", "high", "low"}

    assert all(row.keys() == keys for row in rows)
    assert all(isinstance(value, str) for row in rows for value in row.values())
    assert all(_PLAIN_NUMBER.fullmatch(value) for row in rows for key, value in row.items() if key != "symbol")
    assert all(float(row["low"]) <= float(row["lastPrice"]) <= float(row["high"]) for row in rows)
    assert sum(row["markPrice"] == row["lastPrice"] for row in rows) > len(rows) / 4
    assert any(row["last"] != row["lastPrice"] for row in rows)


def test_more_tickers_than_pairs_and_none_for_announced_ones() -> None:
    tickers = {row["symbol"] for row in demo.data("market/tickers")}
    pairs = {row["symbol"]: row for row in demo.data("market/trading_pairs")}

    assert len(tickers) > len(pairs)
    announced = {symbol for symbol, row in pairs.items() if row["symbolStatus"] == "PREVIEW"}
    assert announced
    assert pairs.keys() - tickers == announced


def test_catalog_has_every_family_and_status() -> None:
    pairs = demo.data("market/trading_pairs")
    by_symbol = {row["symbol"]: row for row in pairs}

    assert len(pairs) == 300
    assert {row["symbolStatus"] for row in pairs} == {"OPEN", "PREVIEW", "CANCEL_ONLY", "STOP"}
    assert {row["quote"] for row in pairs} == {"USDT", "USDC", "USD"}
    assert by_symbol["1000PEPEUSDT"]["base"] == "PEPE"
    assert {"1MBABYDOGEUSDT", "1000000MOGUSDT", "BTCUSDC", "BTCUSD", "TSLAUSDT"} <= by_symbol.keys()
    assert by_symbol["TSLAUSDT"]["isApiSupported"] is False
    assert by_symbol["BTCUSDT"]["basePrecision"] == 4
    assert by_symbol["BTCUSDT"]["quotePrecision"] == 1
    assert by_symbol["BTCUSDT"]["defaultMarginMode"] == "2"
    preview = by_symbol["SAMSUNGUSDT"]
    assert preview["minBuyPriceOffset"] is None
    assert "isApiSupported" not in preview
    assert len(by_symbol) == len(pairs)


def test_prices_keep_to_the_precision_of_the_catalog() -> None:
    pairs = {row["symbol"]: row for row in demo.data("market/trading_pairs")}
    for row in demo.data("market/tickers"):
        if row["symbol"] in pairs:
            exponent = Decimal(row["lastPrice"]).as_tuple().exponent
            assert isinstance(exponent, int)
            assert -exponent <= pairs[row["symbol"]]["quotePrecision"], row


@pytest.mark.parametrize(("limit", "count"), [("1", 1), ("5", 5), ("15", 15), ("50", 50)])
def test_depth_is_lists_of_text_best_first(limit: str, count: int) -> None:
    book = demo.data(f"market/depth?symbol=btcusdt&limit={limit}")

    assert book.keys() == {"asks", "bids"}
    asks, bids = ([[Decimal(part) for part in level] for level in book[side]] for side in ("asks", "bids"))
    assert len(asks) == len(bids) == count
    assert asks == sorted(asks)
    assert bids == sorted(bids, reverse=True)
    assert bids[0][0] < asks[0][0]
    assert all(size > 0 for _, size in asks + bids)
    assert all(_PLAIN_NUMBER.fullmatch(part) for level in book["asks"] for part in level)


def test_depth_without_a_limit_is_the_whole_book_and_empty_for_announced_contracts() -> None:
    assert len(demo.get("market/depth?symbol=BTCUSDT").body) > 200_000
    assert demo.data("market/depth?symbol=SAMSUNGUSDT&limit=5") == {"asks": [], "bids": []}


def test_most_of_the_book_is_still_there_a_moment_later() -> None:
    first = demo.data("market/depth?symbol=ETHUSDT&limit=50")
    later = demo.data("market/depth?symbol=ETHUSDT&limit=50", NOON_MS + 500)
    sizes = dict(later["bids"])
    still = [sizes[price] == size for price, size in first["bids"] if price in sizes]

    assert len(still) > 20
    assert sum(still) > 0.8 * len(still)
    assert first != later


def test_klines_come_newest_first_with_swapped_volume_names() -> None:
    rows = demo.data("market/kline?symbol=BTCUSDT&interval=1h&limit=3")

    assert [int(row["time"]) for row in rows] == [NOON_MS // HOUR_MS * HOUR_MS - n * HOUR_MS for n in range(3)]
    assert all(isinstance(value, str) for row in rows for value in row.values())
    assert rows[0].keys() == {"open", "high", "low", "close", "quoteVol", "baseVol", "time"}
    for row in rows:
        assert float(row["baseVol"]) / float(row["quoteVol"]) == pytest.approx(float(row["close"]), rel=0.05)
    assert rows[0]["close"] == demo.data("market/tickers?symbols=BTCUSDT")[0]["lastPrice"]


def test_klines_ignore_start_time_as_an_anchor() -> None:
    start_ms = NOON_MS - 50 * DAY_MS
    plain = demo.data("market/kline?symbol=BTCUSDT&interval=1h&limit=10")
    anchored = demo.data(f"market/kline?symbol=BTCUSDT&interval=1h&limit=10&startTime={start_ms}")

    assert anchored == plain


def test_klines_page_backwards_without_gap_or_overlap() -> None:
    seen: list[int] = []
    end_ms = NOON_MS
    for _ in range(4):
        page = [
            int(row["time"]) for row in demo.data(f"market/kline?symbol=SOLUSDT&interval=5m&limit=200&endTime={end_ms}")
        ]
        assert len(page) == 200
        seen += page
        end_ms = page[-1] - 1

    assert seen == list(range(seen[0], seen[0] - 800 * 300_000, -300_000))


def test_klines_end_where_the_listing_began() -> None:
    rows = demo.world.futures.rows
    young = max(range(len(rows.listings)), key=lambda row: int(rows.first_day[row]))
    symbol = rows.listings[young].symbol
    page = demo.data(f"market/kline?symbol={symbol}&interval=1M&limit=200")
    oldest = int(page[-1]["time"])

    assert len(page) < 40
    assert demo.data(f"market/kline?symbol={symbol}&interval=1M&limit=200&endTime={oldest - 1}") == []


@pytest.mark.parametrize("query", ["interval=3m", "interval=7m", "interval=nope"])
def test_unknown_intervals_give_an_empty_list(query: str) -> None:
    assert demo.data(f"market/kline?symbol=BTCUSDT&{query}") == []


def test_kline_limit_defaults_to_100_and_stops_at_200() -> None:
    assert len(demo.data("market/kline?symbol=BTCUSDT&interval=1m")) == 100
    assert len(demo.data("market/kline?symbol=BTCUSDT&interval=1m&limit=1000")) == 200


def test_current_funding_is_in_percent_and_history_is_a_fraction() -> None:
    current: dict[str, Any] = demo.data("market/funding_rate?symbol=BTCUSDT")
    due_ms = int(current["nextFundingTime"])
    almost = demo.data("market/funding_rate?symbol=BTCUSDT", due_ms - 1000)
    settled = demo.data("market/get_funding_rate_history?symbol=BTCUSDT&limit=1", due_ms + 1000)[0]

    assert isinstance(current, dict)
    assert current["fundingInterval"] == 8
    assert due_ms % (8 * HOUR_MS) == 0
    assert 0 < due_ms - NOON_MS <= 8 * HOUR_MS
    assert int(settled["fundingTime"]) == due_ms
    assert float(settled["fundingRate"]) == pytest.approx(float(almost["fundingRate"]) / 100, rel=0.05, abs=2e-6)


def test_funding_batch_has_dead_rows_with_now_as_next_time() -> None:
    rows = demo.data("market/funding_rate/batch")
    dead = [row for row in rows if row["indexPrice"] is None]

    assert len(rows) > 300
    assert {row["fundingInterval"] for row in rows} >= {1, 4, 8}
    assert dead
    assert all(row["fundingRate"] == "0" and row["nextFundingTime"] == str(NOON_MS) for row in dead)


def test_funding_history_is_newest_first_and_pages_by_end_time() -> None:
    page = demo.data("market/get_funding_rate_history?symbol=ETHUSDT&limit=5")
    times = [int(row["fundingTime"]) for row in page]
    older = demo.data(f"market/get_funding_rate_history?symbol=ETHUSDT&limit=5&endTime={times[-1] - 1}")

    assert times == sorted(times, reverse=True)
    assert [int(row["fundingTime"]) for row in older] == [time - 40 * HOUR_MS for time in times]


def test_position_tiers() -> None:
    tiers = demo.data("position/get_position_tiers?symbol=BTCUSDT")

    assert [tier["level"] for tier in tiers] == [1, 2, 3, 4]
    assert all(isinstance(tier["leverage"], int) and isinstance(tier["maintenanceMarginRate"], str) for tier in tiers)
