"""Hyperliquid's instruments: every dex, spot pairs under the names people know, and what a broken dex costs."""

from decimal import Decimal

import pytest

from monitor.domain.errors import BudgetExhausted, RateLimited
from monitor.domain.market import InstrumentKind, InstrumentStatus
from monitor.exchanges.hyperliquid.names import split_coin, split_scale
from tests.fakes.exchange_data import (
    as_bytes,
    hyperliquid,
    hyperliquid_by,
    hyperliquid_instruments,
    reply_bytes,
    reply_json,
)
from tests.fakes.fake_transport import Answer, Canned

UNPROCESSABLE = Canned(
    status=422, content_type="text/plain", body=b"Failed to deserialize the JSON body into the target type"
)
NOTHING = Canned(status=500, body=b"null")


def served(name: str) -> bytes:
    return reply_bytes("hyperliquid", name)


# Spot pairs


def test_spot_pairs_are_shown_under_the_names_people_know() -> None:
    found = hyperliquid_instruments()

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
    found = hyperliquid_instruments()

    assert list(found) == ["BTC", "MATIC", "kPEPE", "xyz:TSLA", "xyz:GOLD", "PURR/USDC", "@3", "@142", "@207"]
    assert found["MATIC"].status is InstrumentStatus.DELISTED
    assert found["BTC"].status is InstrumentStatus.OPEN


def test_builder_dex_markets_name_their_dex_and_their_collateral() -> None:
    tesla = hyperliquid_instruments()["xyz:TSLA"]

    assert (tesla.dex, tesla.base, tesla.quote) == ("xyz", "TSLA", "USDH")
    assert tesla.name == "xyz:TSLA-USDH-PERP"


def test_a_k_before_a_coin_means_a_thousand() -> None:
    pepe = hyperliquid_instruments()["kPEPE"]

    assert (pepe.base, int(pepe.multiplier), pepe.name) == ("PEPE", 1_000, "kPEPE-USDC-PERP")
    assert split_scale("KAS") == ("KAS", Decimal(1))
    assert split_scale("kx") == ("kx", Decimal(1))


def test_the_same_market_is_recognised_on_both_venues() -> None:
    assert hyperliquid_instruments()["kPEPE"].market == ("perp", "PEPE")
    assert hyperliquid_instruments()["BTC"].market == ("perp", "BTC")


def test_decimals_follow_the_size_decimals() -> None:
    found = hyperliquid_instruments()

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
