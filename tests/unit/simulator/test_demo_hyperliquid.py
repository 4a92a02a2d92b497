"""The demo Hyperliquid speaks like the recorded one: shapes, gaps, holes, weights and error replies."""

from __future__ import annotations

import json
from itertools import chain, pairwise
from typing import Any

import pytest

from monitor.simulator.candles import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.simulator.replies import Moment, Request
from tests.fakes.demo_world import NOON_MS, DemoWorld

demo = DemoWorld()
_NOT_THE_TYPE = b"Failed to deserialize the JSON body into the target type"


def candle_body(coin: object, interval: object, start: object = 0, end: object = NOON_MS) -> dict[str, Any]:
    return {"type": "candleSnapshot", "req": {"coin": coin, "interval": interval, "startTime": start, "endTime": end}}


@pytest.mark.parametrize(
    "body",
    [
        {"type": "nope"},
        {},
        [],
        "meta",
        {"type": 5},
        {"type": "fundingHistory", "coin": "BTC"},
        {"type": "fundingHistory", "coin": "BTC", "startTime": "1"},
        {"type": "fundingHistory", "coin": "BTC", "startTime": -1},
        {"type": "l2Book"},
        {"type": "l2Book", "coin": 7},
        {"type": "l2Book", "coin": "BTC", "nSigFigs": 6},
        {"type": "allMids", "dex": 5},
        {"type": "candleSnapshot", "coin": "BTC"},
        candle_body("BTC", "1w", -1),
        candle_body("BTC", "7m"),
        candle_body("BTC", None),
        candle_body("BTC", "1m", 1.5),
        candle_body("BTC", "1m", True),
    ],
)
def test_what_does_not_fit_the_type_gets_422_as_plain_text(body: object) -> None:
    reply = demo.post(body)

    assert (reply.status, reply.content_type, reply.body) == (422, "text/plain", _NOT_THE_TYPE)


@pytest.mark.parametrize("body", [b'{"type":', b"", b"\xff\xfe", b"nope"])
def test_what_is_not_json_gets_400(body: bytes) -> None:
    reply = demo.post(body)
    assert (reply.status, reply.content_type) == (400, "text/plain")
    assert reply.body == b"Failed to parse the request body as JSON"


def test_wrong_content_type_gets_415_and_a_charset_is_fine() -> None:
    refused = demo.post({"type": "meta"}, content_type="text/plain")
    assert (refused.status, refused.content_type) == (415, "text/plain")
    assert refused.body == b"Expected request with `Content-Type: application/json`"
    assert demo.post({"type": "meta"}, content_type="Application/JSON; charset=utf-8").status == 200


def test_get_gets_405_without_a_body_or_content_type() -> None:
    request = Request("GET", "/info", {}, {}, b"", "127.0.0.1")
    reply = demo.hyperliquid.answer(request, Moment(NOON_MS, NOON_MS))
    assert (reply.status, reply.content_type, reply.body) == (405, None, b"")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "metaAndAssetCtxs", "dex": "nope"},
        {"type": "meta", "dex": "nope"},
        {"type": "allMids", "dex": "nope"},
        {"type": "fundingHistory", "coin": "NOPE", "startTime": 1},
    ],
)
def test_unknown_dex_and_unknown_coin_of_funding_get_500_null(body: object) -> None:
    reply = demo.post(body)
    assert (reply.status, reply.content_type, reply.body) == (500, "application/json", b"null")


@pytest.mark.parametrize(
    "body",
    [
        {"type": "l2Book", "coin": "NOPE"},
        {"type": "l2Book", "coin": "btc"},
        {"type": "perpDexLimits", "dex": "nope"},
        {"type": "settledOutcome", "outcome": 1},
    ],
)
def test_some_unknown_things_get_200_null(body: object) -> None:
    reply = demo.post(body)
    assert (reply.status, reply.body) == (200, b"null")


def test_refusal_is_429_null_without_a_hint() -> None:
    request = Request("POST", "/info", {}, {}, b"", "127.0.0.1")
    assert demo.hyperliquid.refusal(request, None).headers == ()
    assert demo.hyperliquid.refusal(request, None).body == b"null"
    assert demo.hyperliquid.refusal(request, None).status == 429


@pytest.mark.parametrize(
    ("body", "weight"),
    [
        ({"type": "allMids"}, 2),
        ({"type": "l2Book", "coin": "BTC"}, 2),
        ({"type": "l2Book", "coin": "NOPE"}, 2),
        ({"type": "exchangeStatus"}, 2),
        ({"type": "meta"}, 20),
        ({"type": "metaAndAssetCtxs"}, 20),
        ({"type": "predictedFundings"}, 20),
        ({"type": "recentTrades", "coin": "BTC"}, 20),
        ({"type": "fundingHistory", "coin": "BTC", "startTime": 0}, 20 + 500 // 20),
        (candle_body("BTC", "1m"), 20 + 5000 // 60),
        (candle_body("BTC", "1h", NOON_MS - 59 * HOUR_MS), 20 + 1),
    ],
)
def test_weights(body: object, weight: int) -> None:
    assert demo.post(body).weight == weight


def test_unknown_fields_empty_dex_and_null_end_time_are_accepted() -> None:
    assert demo.info({"type": "meta", "dex": "", "more": 1}) == demo.info({"type": "meta"})
    body = {"type": "fundingHistory", "coin": "BTC", "startTime": NOON_MS - 3 * HOUR_MS, "endTime": None}
    assert len(demo.info(body)) == 3


def test_mids_are_text_for_perpetuals_and_spot_pairs_and_delisted_ones() -> None:
    mids = demo.info({"type": "allMids"})
    meta = demo.info({"type": "meta"})

    assert {asset["name"] for asset in meta["universe"]} <= mids.keys()
    assert {"PURR/USDC", "@107", "@142"} <= mids.keys()
    assert not any(name.startswith("xyz:") for name in mids)
    assert all(isinstance(mid, str) and "e" not in mid and "." in mid for mid in mids.values())
    assert demo.info({"type": "allMids", "dex": "xyz"}).keys() == {
        asset["name"] for asset in demo.info({"type": "meta", "dex": "xyz"})["universe"]
    }


def test_universe_marks_delisted_and_isolated_assets_only_where_true() -> None:
    meta = demo.info({"type": "meta"})
    by_name = {asset["name"]: asset for asset in meta["universe"]}
    tables = {number for number, _ in meta["marginTables"]}

    assert list(by_name["BTC"]) == ["szDecimals", "name", "maxLeverage", "marginTableId"]
    assert by_name["MATIC"]["isDelisted"] is True
    assert by_name["MEGA"]["marginMode"] == "strictIsolated"
    assert meta["collateralToken"] == 0
    for asset in meta["universe"]:
        assert asset["marginTableId"] in tables or asset["marginTableId"] == asset["maxLeverage"] < 50


def test_delisted_contexts_are_frozen_and_empty() -> None:
    universe, contexts = demo.info({"type": "metaAndAssetCtxs"})
    later = demo.info({"type": "metaAndAssetCtxs"}, NOON_MS + DAY_MS)[1]
    number = [asset["name"] for asset in universe["universe"]].index("MATIC")

    assert contexts[number] == later[number]
    assert contexts[number]["funding"] == contexts[number]["openInterest"] == "0.0"
    assert contexts[number]["midPx"] is contexts[number]["premium"] is contexts[number]["impactPxs"] is None
    assert demo.info({"type": "l2Book", "coin": "MATIC"})["levels"] == [[], []]


def test_context_fields_and_the_order_of_prices() -> None:
    universe, contexts = demo.info({"type": "metaAndAssetCtxs"})
    keys = [
        "funding",
        "openInterest",
        "prevDayPx",
        "dayNtlVlm",
        "premium",
        "oraclePx",
        "markPx",
        "midPx",
        "impactPxs",
        "dayBaseVlm",
    ]
    for asset, context in zip(universe["universe"], contexts, strict=True):
        assert list(context) == keys
        if not asset.get("isDelisted"):
            low, high = (float(price) for price in context["impactPxs"])
            assert low <= float(context["midPx"]) <= high, asset
            assert abs(float(context["funding"])) < 0.04


def test_builder_dexes_have_prefixes_gaps_and_other_collateral() -> None:
    dexes = demo.info({"type": "perpDexs"})
    metas = demo.info({"type": "allPerpMetas"})
    universe, contexts = demo.info({"type": "metaAndAssetCtxs", "dex": "xyz"})

    assert dexes[0] is None
    assert [dex["name"] for dex in dexes[1:]] == ["xyz", "flx", "hyna"]
    assert [meta["collateralToken"] for meta in metas] == [0, 0, 360, 235]
    assert all(asset["name"].startswith("xyz:") for asset in universe["universe"])
    given_up = demo.info({"type": "metaAndAssetCtxs", "dex": "flx"})
    assert all(asset["isDelisted"] for asset in given_up[0]["universe"])
    assert all(context["midPx"] is None for context in given_up[1])
    thin = [context for context in contexts if context["impactPxs"] is None and context["midPx"] is not None]
    assert all(context["premium"] is None for context in thin)
    assert any(
        context["impactPxs"] is None and context["midPx"] is not None
        for hour in range(8)
        for context in demo.info({"type": "metaAndAssetCtxs", "dex": "xyz"}, NOON_MS + hour * HOUR_MS)[1]
    )


def test_spot_universe_has_holes_that_the_contexts_do_not_have() -> None:
    meta, contexts = demo.info({"type": "spotMetaAndAssetCtxs"})
    indices = [pair["index"] for pair in meta["universe"]]

    assert indices != list(range(len(indices)))
    assert len(contexts) == max(indices) + 1
    assert all(contexts[pair["index"]]["coin"] == pair["name"] for pair in meta["universe"])
    assert contexts[71]["midPx"] is None
    tokens = {token["index"]: token for token in meta["tokens"]}
    hype = next(pair for pair in meta["universe"] if pair["index"] == 107)
    assert [tokens[number]["name"] for number in hype["tokens"]] == ["HYPE", "USDC"]
    assert hype["tokens"] == [150, 0]
    assert tokens[150]["tokenId"] == "0x0d01dc56dcaaca66ad901c959b4011ec"
    assert demo.info({"type": "tokenDetails", "tokenId": tokens[0]["tokenId"]})["name"] == "USDC"
    assert {pair["tokens"][1] for pair in meta["universe"]} == {0, 268}


def test_prices_have_five_significant_figures_and_sizes_their_decimals() -> None:
    universe = {asset["name"]: asset for asset in demo.info({"type": "meta"})["universe"]}
    for coin in ("BTC", "ETH", "DOGE", "kPEPE", "HYPE"):
        for level in chain(*demo.info({"type": "l2Book", "coin": coin})["levels"]):
            price = level["px"]
            digits = price.replace(".", "").strip("0") if "." in price else price
            decimals = len(price.split(".")[1]) if price.split(".")[1] != "0" else 0
            assert len(digits) <= 5 or decimals == 0, level
            assert decimals <= 6 - universe[coin]["szDecimals"]
            assert len(level["sz"].split(".")[1]) <= max(1, universe[coin]["szDecimals"])
            assert level["n"] >= 1


def test_book_has_twenty_levels_and_a_spread_only_when_aggregated() -> None:
    plain = demo.info({"type": "l2Book", "coin": "BTC"})
    coarse = demo.info({"type": "l2Book", "coin": "BTC", "nSigFigs": 5, "mantissa": 5})

    assert list(plain) == ["coin", "time", "levels"]
    assert [len(side) for side in plain["levels"]] == [20, 20]
    assert float(coarse["spread"]) > 0
    assert all(float(level["px"]) % 5 == 0 for side in coarse["levels"] for level in side)


@pytest.mark.parametrize(
    "interval", ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M"]
)
def test_candles_of_every_interval_oldest_first(interval: str) -> None:
    rows = demo.info(candle_body("BTC", interval, NOON_MS - 100 * DAY_MS))

    assert len(rows) >= 4
    assert all(list(row) == ["t", "T", "s", "i", "o", "c", "h", "l", "v", "n"] for row in rows)
    assert all(later["t"] == earlier["T"] + 1 for earlier, later in pairwise(rows))
    assert rows[-1]["t"] <= NOON_MS <= rows[-1]["T"]
    assert all(float(row["l"]) <= float(row["o"]) <= float(row["h"]) for row in rows)
    assert {row["s"] for row in rows} == {"BTC"}


def test_candles_at_both_ends_of_the_range_are_included() -> None:
    start_ms = NOON_MS // HOUR_MS * HOUR_MS - 5 * HOUR_MS
    rows = demo.info(candle_body("BTC", "1h", start_ms + 1, start_ms + 2 * HOUR_MS))
    assert [row["t"] for row in rows] == [start_ms, start_ms + HOUR_MS, start_ms + 2 * HOUR_MS]


def test_only_the_newest_five_thousand_candles_exist() -> None:
    rows = demo.info(candle_body("ETH", "1m", 0))
    older = demo.info(candle_body("ETH", "1m", 0, rows[0]["t"] - MINUTE_MS))

    assert len(rows) == 5000
    assert rows[-1]["t"] == NOON_MS // MINUTE_MS * MINUTE_MS
    assert older == []


def test_trades_are_ten_newest_first_inside_the_forming_candle() -> None:
    for coin in ("BTC", "@107", "@10", "xyz:TSLA"):
        trades = demo.info({"type": "recentTrades", "coin": coin})
        assert len(trades) == 10
        assert [trade["time"] for trade in trades] == sorted((trade["time"] for trade in trades), reverse=True)
        assert all(trade["time"] <= NOON_MS for trade in trades)
        assert len({trade["tid"] for trade in trades}) == 10
        assert {trade["side"] for trade in trades} <= {"A", "B"}
        assert len(trades[0]["hash"]) == 66
    newest = demo.info({"type": "recentTrades", "coin": "BTC"})[0]["px"]
    assert demo.info(candle_body("BTC", "1m", NOON_MS))[0]["c"] == newest


def test_funding_history_is_hourly_stamped_late_and_matches_the_running_rate() -> None:
    hour_ms = NOON_MS // HOUR_MS * HOUR_MS + HOUR_MS
    universe, contexts = demo.info({"type": "metaAndAssetCtxs"}, hour_ms - 2000)
    number = [asset["name"] for asset in universe["universe"]].index("ETH")
    body = {"type": "fundingHistory", "coin": "ETH", "startTime": hour_ms}
    settled = demo.info(body, hour_ms + 1000)

    assert len(settled) == 1
    assert 1 <= settled[0]["time"] - hour_ms <= 118
    assert float(settled[0]["fundingRate"]) == pytest.approx(float(contexts[number]["funding"]), abs=2e-7)
    assert demo.info(body | {"startTime": settled[0]["time"]}, hour_ms + 1000) == settled
    assert demo.info(body | {"startTime": settled[0]["time"] + 1}, hour_ms + 1000) == []


def test_predicted_fundings_name_the_hour_already_settled_for_the_own_venue() -> None:
    rows = demo.info({"type": "predictedFundings"})
    names = [row[0] for row in rows]

    assert names == sorted(names)
    assert "MATIC" not in names
    for _, venues in rows:
        told = dict(venues)
        assert list(told) == ["BinPerp", "HlPerp", "BybitPerp"]
        assert told["HlPerp"]["nextFundingTime"] <= NOON_MS
        assert told["BinPerp"]["nextFundingTime"] > NOON_MS
    assert any(dict(venues)["BybitPerp"] is None for _, venues in rows)


def test_exchange_status_trails_the_clock() -> None:
    for second in range(20):
        now_ms = NOON_MS + second * 1000
        status = demo.info({"type": "exchangeStatus"}, now_ms)
        assert list(status) == ["specialStatuses", "time"]
        assert 130 <= now_ms - status["time"] <= 270


def test_endpoint_names_follow_the_type_and_never_fail() -> None:
    def name(body: bytes) -> str:
        return demo.hyperliquid.endpoint(Request("POST", "/info", {}, {}, body, "127.0.0.1"))

    assert name(b'{"type": "l2Book", "coin": "BTC"}') == "l2Book"
    assert {
        name(body) for body in (b"", b"[]", b'{"type":7}', b"\xff", b'{"type":"x"}', json.dumps("meta").encode())
    } == {"other"}
