"""``snapshot`` against the demo exchange: the JSON shape, the figures behind it, and its exit codes."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.fakes.command_line import addresses_of, run_monitor
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.promised_keys import POOL_KEYS, QUOTE_KEYS

MORE_POOL_KEYS = {
    "healed",
    "suspect",
    "waiting",
    "evicted_pools",
    "prewarmed",
    "kept_warm",
    "sizing",
    "keep_alive",
    "protocols",
    "connections",
}


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange() as server:
        yield server


def _snapshot(exchange: DemoServer, *arguments: str) -> Any:
    done = run_monitor(["snapshot", *addresses_of(exchange), "--json", *arguments])
    assert done.code == 0, done.err
    return done.document()


def test_a_bitunix_snapshot_has_the_documented_shape(exchange: DemoServer) -> None:
    document = _snapshot(exchange, "--venue", "bitunix", "--instrument", "BTCUSDT", "--book", "--candles", "1h")

    assert document["schema"] == "trading-monitor.snapshot/1"
    assert document["venue"] == "bitunix"
    (quote,) = document["quotes"]
    assert quote.keys() >= {*QUOTE_KEYS, "book", "candles"}
    assert quote["instrument"] == "BTC-USDT-PERP"
    assert quote["venue_symbol"] == "BTCUSDT"
    assert quote["kind"] == "perp"
    assert Decimal(quote["last"]) > 0
    assert quote["open_interest_base"] is None, "Bitunix has no open interest: unknown, not 0"
    assert datetime.fromisoformat(quote["received_at"]).utcoffset() == timedelta(0)
    assert 0 <= quote["age_s"] < 30
    (pool,) = document["pools"]
    assert pool.keys() >= {*POOL_KEYS, *MORE_POOL_KEYS}
    (socket,) = pool["connections"]
    assert (socket["state"], socket["family"], socket["closed_by"]) == ("idle", "IPv4", None)
    assert socket["tls_version"] == "TLSv1.3"
    assert socket["alpn"] == "http/1.1"
    assert socket["requests"] == pool["attempts"]
    assert 0 <= socket["idle_s"] <= socket["age_s"]


def test_every_value_says_where_it_came_from(exchange: DemoServer) -> None:
    document = _snapshot(exchange, "--venue", "hyperliquid", "--instrument", "BTC", "--book", "--candles", "5m")
    (quote,) = document["quotes"]

    assert (quote["source"], quote["cache_age_s"], quote["stale_reason"]) == ("network", 0.0, None)
    assert (quote["book"]["source"], quote["book"]["cache_age_s"]) == ("network", 0.0)
    assert (quote["candles_source"], quote["candles_cache_age_s"]) == ("network", 0.0)
    assert 0 < quote["book"]["age_s"] < 30
    assert 0 < quote["candles_age_s"] < 30
    # Asked for once to find the instrument; the plan's own read of it is answered from memory and says so.
    assert document["catalog"]["source"] == "cache"
    assert 0 < document["catalog"]["cache_age_s"] <= document["catalog"]["age_s"]


def test_the_text_says_where_values_came_from(exchange: DemoServer) -> None:
    done = run_monitor(
        ["snapshot", *addresses_of(exchange), "--venue=bitunix", "--instrument=BTCUSDT", "--book", "--candles=1h"]
    )

    assert done.code == 0, done.err
    assert done.out.count("from the network") == 3


def test_the_text_gives_bid_and_ask_an_age_of_their_own_and_candles_a_head(exchange: DemoServer) -> None:
    """The price and the pair come with two replies, so the price may be outside the pair."""
    done = run_monitor(["snapshot", *addresses_of(exchange), "--venue=hyperliquid", "--instrument=BTC", "--candles=1h"])
    lines = done.out.splitlines()
    price = re.fullmatch(r"BTC-USDC-PERP +[\d.]+ mid +24 h .* age ([\d.]+) s from the network", lines[0])
    pair = re.fullmatch(r" +bid [\d.]+ ask [\d.]+ +age ([\d.]+) s", lines[1])

    assert done.code == 0, done.err
    assert price is not None, lines[0]
    assert pair is not None, lines[1]
    assert float(pair[1]) >= float(price[1]), "the fastest feed is read last"
    head, *candles = lines[3:9]
    assert head.split() == ["open", "time", "open", "high", "low", "close"]
    # By place, not by text: two prices of a candle may be the same.
    assert {list(re.finditer(r"\S+", line))[4].end() for line in candles} == {len(head)}
    assert [line.split()[-1] for line in candles] == ["closed"] * 4 + ["forming"]


def test_the_age_of_bid_and_ask_is_in_the_document(exchange: DemoServer) -> None:
    (quote,) = _snapshot(exchange, "--venue", "hyperliquid", "--instrument", "BTC", "--book")["quotes"]

    assert quote["bid_ask_age_s"] == quote["book"]["age_s"]


def test_books_are_sorted_and_the_quote_shows_their_best(exchange: DemoServer) -> None:
    for venue, symbol in (("bitunix", "ETHUSDT"), ("hyperliquid", "ETH")):
        (quote,) = _snapshot(exchange, "--venue", venue, "--instrument", symbol, "--book")["quotes"]
        bids = [Decimal(price) for price, _ in quote["book"]["bids"]]
        asks = [Decimal(price) for price, _ in quote["book"]["asks"]]

        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
        assert Decimal(quote["bid"]) == bids[0]
        assert Decimal(quote["ask"]) == asks[0]


def test_candles_are_oldest_first_and_only_the_last_is_forming(exchange: DemoServer) -> None:
    for venue, symbol in (("bitunix", "BTCUSDT"), ("hyperliquid", "BTC")):
        (quote,) = _snapshot(exchange, "--venue", venue, "--instrument", symbol, "--candles", "5m")["quotes"]
        candles = quote["candles"]
        times = [datetime.fromisoformat(candle["open_time"]) for candle in candles]

        assert len(candles) > 100
        assert times == sorted(set(times))
        assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=5)}
        assert [candle["closed"] for candle in candles] == [True] * (len(candles) - 1) + [False]
        for candle in candles:
            low, high = Decimal(candle["low"]), Decimal(candle["high"])
            assert low <= min(Decimal(candle["open"]), Decimal(candle["close"]))
            assert high >= max(Decimal(candle["open"]), Decimal(candle["close"]))
        # A volume in coins times the price is the turnover: the venue's swapped names are put right.
        traded = [candle for candle in candles if candle["volume_quote"] and Decimal(candle["volume_base"])]
        for candle in traded:
            assert (
                Decimal(candle["low"]) * Decimal("0.9")
                <= Decimal(candle["volume_quote"]) / Decimal(candle["volume_base"])
                <= Decimal(candle["high"]) * Decimal("1.1")
            )


def test_names_of_ours_and_of_the_venue_both_work_and_spot_and_builder_dexes_are_found(exchange: DemoServer) -> None:
    document = _snapshot(
        exchange,
        "--venue=hyperliquid",
        "--instrument=BTC-USDC-PERP",
        "--instrument=HYPE-USDC",
        "--instrument=xyz:TSLA",
        "--instrument=kPEPE",
    )
    by_symbol = {quote["venue_symbol"]: quote for quote in document["quotes"]}

    assert list(by_symbol) == ["BTC", "@107", "xyz:TSLA", "kPEPE"]
    assert by_symbol["@107"]["kind"] == "spot"
    assert all(Decimal(quote["mid"]) > 0 for quote in by_symbol.values())
    assert Decimal(by_symbol["BTC"]["funding_rate"]) == Decimal(by_symbol["BTC"]["funding_rate_hourly"])


def test_requests_and_pool_agree_with_what_the_exchange_counted(exchange: DemoServer) -> None:
    before = exchange.truth("bitunix")
    document = _snapshot(exchange, "--venue", "bitunix", "--instrument", "BTCUSDT", "--book")
    after = exchange.truth("bitunix")

    (pool,) = document["pools"]
    assert pool["opened"] == after["accepts"] - before["accepts"] == 1
    assert pool["attempts"] == after["requests"] - before["requests"] == len(document["requests"])
    assert pool["reuse_ratio"] == pool["reused"] / pool["attempts"]
    assert [request["cold"] for request in document["requests"]] == [True] + [False] * (pool["attempts"] - 1)
    for request in document["requests"]:
        connect = (request["tcp_s"], request["tls_s"])
        assert (connect == (None, None)) is not request["cold"], "a reused request has no connect phases"
        phases = [request[f"{name}_s"] or 0.0 for name in ("lease_wait", "dns", "tcp", "tls", "send", "wait", "read")]
        assert sum(phases) + request["unaccounted_s"] == pytest.approx(request["total_s"], abs=1e-6)


def test_an_unknown_instrument_is_a_wrong_argument_and_similar_names_are_told(exchange: DemoServer) -> None:
    done = run_monitor(["snapshot", *addresses_of(exchange), "--venue=bitunix", "--instrument=PEPEUSDT"])

    assert done.code == 2
    assert "no instrument 'PEPEUSDT'" in done.err
    assert "Traceback" not in done.err


def test_an_interval_the_venue_does_not_have_is_a_wrong_argument(exchange: DemoServer) -> None:
    done = run_monitor(["snapshot", *addresses_of(exchange), "--venue=hyperliquid", "--instrument=BTC", "--candles=6h"])

    assert done.code == 2
    assert "6h" in done.err


def test_a_venue_that_is_down_fails_with_a_sentence_and_one_document() -> None:
    # Port 9 (discard) is not listened on.
    done = run_monitor(
        ["snapshot", "--base-url=bitunix=https://127.0.0.1:9", "--venue=bitunix", "--instrument=BTCUSDT", "--json"]
    )

    assert done.code == 1
    assert "Bitunix" in done.err
    assert "Traceback" not in done.err
    document = done.document()
    assert document["quotes"] == []
    assert document["requests"][0]["error"] == "connect"


def test_a_certificate_nobody_vouches_for_is_refused(exchange: DemoServer) -> None:
    addresses = [option for option in addresses_of(exchange) if not option.startswith("--ca-file")]
    done = run_monitor(["snapshot", *addresses, "--venue=bitunix", "--instrument=BTCUSDT", "--json"])

    assert done.code == 1
    assert done.document()["requests"][0]["error"] == "tls"


def test_plain_http_works_as_https_does() -> None:
    with demo_exchange(plain_http=True) as exchange:
        document = _snapshot(exchange, "--venue", "hyperliquid", "--instrument", "BTC")

    assert all(url.startswith("http://") for url in exchange.venues.values())
    assert document["quotes"][0]["mid"] is not None
    assert document["requests"][0]["cold"] is True
    assert document["requests"][0]["tls_s"] is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["--venue=nasdaq", "--instrument=BTC"],
        ["--venue=bitunix"],
        ["--venue=bitunix", "--instrument=BTCUSDT", "--base-url=bitunix=ftp://x"],
        ["--venue=bitunix", "--instrument=BTCUSDT", "--base-url=bitunix=https://user:secret@127.0.0.1"],
        ["--venue=bitunix", "--instrument=BTCUSDT", "--ca-file=/nonexistent.pem"],
    ],
)
def test_wrong_arguments_exit_with_2_and_say_why(arguments: list[str]) -> None:
    done = run_monitor(["snapshot", *arguments])

    assert done.code == 2
    assert done.err.strip()
    assert done.out == ""
    assert "Traceback" not in done.err
    assert "secret@" not in done.err
