"""The official Hyperliquid Python SDK, unchanged, against the demo exchange: every market read it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.demo_exchange import DemoServer, demo_exchange

pytestmark = pytest.mark.clients
info_module = pytest.importorskip("hyperliquid.info")
error_module = pytest.importorskip("hyperliquid.utils.error")


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=0, arguments=["--no-limits"]) as running:
        yield running


@pytest.fixture
def info(exchange: DemoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    # The SDK has no option for a certificate authority; this is how its users trust a corporate one.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(exchange.ca_file))
    client = info_module.Info(exchange.venues["hyperliquid"], skip_ws=True)
    yield client
    client.session.close()


def test_construction_knows_every_perpetual_and_spot_pair(info: Any) -> None:
    assert info.name_to_coin["BTC"] == "BTC"
    assert info.name_to_coin["HYPE/USDC"] == "@107"
    assert info.coin_to_asset["BTC"] == 0
    assert info.coin_to_asset["@107"] == 10_107
    assert info.asset_to_sz_decimals[0] == 5


def test_construction_with_a_builder_dex_maps_its_assets(exchange: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(exchange.ca_file))
    client = info_module.Info(exchange.venues["hyperliquid"], skip_ws=True, perp_dexs=["", "xyz", "flx", "hyna"])
    try:
        assert client.coin_to_asset["xyz:XYZ100"] == 110_000
        assert client.coin_to_asset["xyz:TSLA"] == 110_001
        assert client.coin_to_asset["hyna:BTC"] == 130_000
        assert float(client.all_mids("xyz")["xyz:TSLA"]) > 0
    finally:
        client.session.close()


def test_mids_cover_perpetuals_spot_and_delisted(info: Any) -> None:
    mids = info.all_mids()

    assert 40_000 < float(mids["BTC"]) < 160_000
    assert {"PURR/USDC", "@107", "kPEPE", "MATIC"} <= mids.keys()
    assert all(isinstance(mid, str) and float(mid) > 0 for mid in mids.values())


def test_contexts_line_up_with_the_universe(info: Any) -> None:
    meta, contexts = info.meta_and_asset_ctxs()

    names = [asset["name"] for asset in meta["universe"]]
    assert len(names) == len(contexts) > 200
    mids = info.all_mids()
    bitcoin = contexts[names.index("BTC")]
    assert float(bitcoin["markPx"]) == pytest.approx(float(mids["BTC"]), rel=0.01)
    delisted = [context for asset, context in zip(meta["universe"], contexts, strict=True) if asset.get("isDelisted")]
    assert delisted
    assert all(context["midPx"] is None and context["impactPxs"] is None for context in delisted)


def test_spot_contexts_have_no_holes_where_the_universe_has(info: Any) -> None:
    meta, contexts = info.spot_meta_and_asset_ctxs()

    assert len(meta["universe"]) < len(contexts)
    assert all(contexts[pair["index"]]["coin"] == pair["name"] for pair in meta["universe"])
    assert all(token["index"] == number for number, token in enumerate(meta["tokens"]))


@pytest.mark.parametrize("name", ["BTC", "HYPE/USDC", "PURR/USDC", "kPEPE"])
def test_book_is_sorted_and_not_crossed(info: Any, name: str) -> None:
    bids, asks = info.l2_snapshot(name)["levels"]

    assert 1 <= len(bids) <= 20
    assert 1 <= len(asks) <= 20
    bid_prices, ask_prices = [float(level["px"]) for level in bids], [float(level["px"]) for level in asks]
    assert bid_prices == sorted(bid_prices, reverse=True)
    assert ask_prices == sorted(ask_prices)
    assert bid_prices[0] < ask_prices[0]


def test_candles_overlap_the_range_at_both_ends(info: Any) -> None:
    newest = info.candles_snapshot("BTC", "1h", 0, 2**52)[-1]["t"]
    start, end = newest - 5 * 3_600_000 + 1, newest - 2 * 3_600_000 + 1

    candles = info.candles_snapshot("BTC", "1h", start, end)

    assert [candle["t"] for candle in candles] == [newest - hours * 3_600_000 for hours in (5, 4, 3, 2)]
    assert all(candle["T"] - candle["t"] == 3_599_999 for candle in candles)


def test_funding_history_is_hourly_and_oldest_first(info: Any) -> None:
    last = info.funding_history("BTC", 0)[-1]["time"]
    assert len(info.funding_history("BTC", 0)) == 500

    rows = info.funding_history("BTC", last, last + 3_600_000 * 5)

    assert rows[0]["time"] == last
    assert [row["time"] // 3_600_000 for row in rows] == list(range(last // 3_600_000, last // 3_600_000 + len(rows)))


def test_dexes_start_with_the_nameless_first_one(info: Any) -> None:
    dexes = info.perp_dexs()

    assert dexes[0] is None
    assert [dex["name"] for dex in dexes[1:]] == ["xyz", "flx", "hyna"]


def test_errors_reach_the_sdk_as_its_own_exceptions(info: Any) -> None:
    with pytest.raises(error_module.ClientError) as wrong:
        info.post("/info", {"type": "nope"})
    assert wrong.value.status_code == 422
    with pytest.raises(error_module.ServerError):
        info.post("/info", {"type": "metaAndAssetCtxs", "dex": "nope"})
    assert info.post("/info", {"type": "l2Book", "coin": "NOPE"}) is None


def test_over_the_weight_limit_the_sdk_gets_429(monkeypatch: pytest.MonkeyPatch) -> None:
    with demo_exchange(rtt_ms=0) as limited:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(limited.ca_file))
        client = info_module.Info(limited.venues["hyperliquid"], skip_ws=True)
        try:
            for _ in range(58):  # after spotMeta and meta, this is what 1200 leaves room for
                client.meta_and_asset_ctxs()
            with pytest.raises(error_module.ClientError) as refused:
                client.meta_and_asset_ctxs()
        finally:
            client.session.close()

        assert refused.value.status_code == 429
        assert refused.value.error_message == "null"
        assert limited.truth("hyperliquid")["limited"] == 1
