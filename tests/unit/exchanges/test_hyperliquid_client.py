"""Hyperliquid's client as a whole: what it sends, what that weighs, how it fails, and the plan it proposes."""

from decimal import Decimal

import pytest

from monitor.domain.errors import EdgeBlocked, RateLimited, UnknownInstrument, VenueError
from monitor.exchanges.base import Focus
from monitor.exchanges.hyperliquid.endpoints import INFO
from tests.fakes.exchange_data import hyperliquid, reply_bytes
from tests.fakes.fake_transport import Canned

UNPROCESSABLE = Canned(
    status=422, content_type="text/plain", body=b"Failed to deserialize the JSON body into the target type"
)
NOTHING = Canned(status=500, body=b"null")


def served(name: str) -> bytes:
    return reply_bytes("hyperliquid", name)


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
