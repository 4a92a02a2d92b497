"""Search finds what is meant first, among all instruments of all venues."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from monitor.domain.market import Instrument, InstrumentCatalog, InstrumentKind, InstrumentStatus
from monitor.state.catalog import Catalog
from tests.fakes.poll_results import make_catalog, make_instrument

BITUNIX = ("BTCDOMUSDT", "ETHUSDT", "BTCUSDT", "1000PEPEUSDT", "WBTCUSDT", "DELISTUSDT")


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog(("bitunix", "hyperliquid"))
    instruments = [make_instrument(symbol) for symbol in BITUNIX]
    instruments[3] = replace(instruments[3], base="PEPE", multiplier=Decimal(1_000))
    instruments[5] = replace(instruments[5], status=InstrumentStatus.DELISTED)
    catalog.replace(InstrumentCatalog(venue="bitunix", instruments=tuple(instruments)))
    hyperliquid = (
        make_instrument("BTC", venue="hyperliquid"),
        make_instrument("kPEPE", venue="hyperliquid", base="PEPE", multiplier=Decimal(1_000), name="kPEPE-USDC-PERP"),
        make_instrument("@107", venue="hyperliquid", base="HYPE", name="HYPE-USDC", kind=InstrumentKind.SPOT),
        make_instrument("HYPE", venue="hyperliquid"),
        make_instrument("xyz:TSLA", venue="hyperliquid", base="TSLA", name="xyz:TSLA-USDC-PERP", dex="xyz"),
        make_instrument("abc:BTC", venue="hyperliquid", base="BTC", name="abc:BTC-USDC-PERP", dex="abc"),
    )
    catalog.replace(InstrumentCatalog(venue="hyperliquid", instruments=hyperliquid))
    return catalog


def symbols(found: list[Instrument]) -> list[str]:
    return [instrument.venue_symbol for instrument in found]


def test_exact_symbol_comes_first_then_prefix_then_base_then_anywhere(catalog: Catalog) -> None:
    assert symbols(catalog.find("btc")) == ["BTC", "BTCUSDT", "BTCDOMUSDT", "abc:BTC", "WBTCUSDT"]


@pytest.mark.parametrize("text", ["BTC-USDT", "btc_usdt", "BTC/USDT", " btcusdt ", "btc usdt"])
def test_separators_and_case_do_not_count(catalog: Catalog, text: str) -> None:
    assert symbols(catalog.find(text))[0] == "BTCUSDT"


def test_a_base_finds_the_contracts_of_many_coins(catalog: Catalog) -> None:
    assert set(symbols(catalog.find("pepe"))) == {"1000PEPEUSDT", "kPEPE"}


def test_words_must_all_occur(catalog: Catalog) -> None:
    assert symbols(catalog.find("tsla perp")) == ["xyz:TSLA"]
    assert catalog.find("tsla usdt") == []


def test_perpetuals_come_before_spot_and_delisted_ones_last(catalog: Catalog) -> None:
    assert symbols(catalog.find("hype")) == ["HYPE", "@107"]
    assert symbols(catalog.find("", venue="bitunix"))[-1] == "DELISTUSDT"


def test_empty_text_finds_everything_up_to_the_limit(catalog: Catalog) -> None:
    assert len(catalog.find("", limit=100)) == len(BITUNIX) + 6
    assert len(catalog.find("", limit=3)) == 3
    assert {instrument.venue for instrument in catalog.find("", venue="hyperliquid")} == {"hyperliquid"}


def test_nothing_matches_nonsense(catalog: Catalog) -> None:
    assert catalog.find("zzzz") == []


def test_resolve_takes_our_name_or_the_venues_symbol(catalog: Catalog) -> None:
    for text in ("BTCUSDT", "btcusdt", "BTC-USDT-PERP", "btc-usdt-perp"):
        instrument = catalog.resolve("bitunix", text)
        assert instrument is not None
        assert instrument.venue_symbol == "BTCUSDT"
    assert catalog.resolve("bitunix", "BTC") is None
    assert catalog.resolve("nowhere", "BTC") is None


def test_counterpart_prefers_the_main_dex_and_ignores_the_multiplier(catalog: Catalog) -> None:
    assert catalog.counterpart(("bitunix", "BTCUSDT")) == ("hyperliquid", "BTC")
    assert catalog.counterpart(("bitunix", "1000PEPEUSDT")) == ("hyperliquid", "kPEPE")
    assert catalog.counterpart(("hyperliquid", "@107")) is None
    assert catalog.counterpart(("hyperliquid", "no such")) is None


def test_replace_tells_what_left_and_what_is_new(catalog: Catalog) -> None:
    gone, new = catalog.replace(make_catalog(["BTCUSDT", "FRESHUSDT"]))

    assert gone == frozenset(BITUNIX) - {"BTCUSDT"}
    assert new == {"FRESHUSDT"}
    assert ("bitunix", "ETHUSDT") in catalog.instruments
    assert not catalog.is_listed("bitunix", "ETHUSDT")
    assert catalog.counterpart(("hyperliquid", "kPEPE")) is None
