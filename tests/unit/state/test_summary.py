"""The documents of the command line: every key there, decimals as strings, unknown as null."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ErrorKind
from monitor.domain.market import BookLevel, Candle, OrderBook, Quote, QuoteBatch
from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.state.board import Board
from monitor.state.pool_documents import pool_document
from monitor.state.quotes import QuoteState
from monitor.state.summary import (
    candle_document,
    decimal_text,
    quote_document,
    savings_document,
    trace_document,
    watch_document,
)
from monitor.state.times import time_text
from tests.fakes.poll_results import (
    FakeClock,
    make_budget,
    make_catalog,
    make_failure,
    make_instrument,
    make_success,
    make_trace,
)
from tests.fakes.promised_keys import POOL_KEYS, QUOTE_KEYS

BTC = ("bitunix", "BTCUSDT")
# Promised like those of the fakes, word for word.
VENUE_KEYS = ["venue", "planned", "made", "missed", "failed", "healed", "pools", "latency", "budget", "quotes"]
CANDLE_KEYS = ["open_time", "open", "high", "low", "close", "volume_base", "volume_quote", "closed"]


def make_pool(**changes: int) -> PoolStats:
    closed = MappingProxyType({CloseCause.DISCARDED: 2, CloseCause.STALE: 0})
    return PoolStats(venue="bitunix", host="venue.test:443", scheme="https", closed=closed, **changes)  # type: ignore[arg-type]  # counters


def filled_board(clock: FakeClock) -> Board:
    board = Board(venues=("bitunix", "hyperliquid"), clock=clock, utc_now=clock.utc_now)
    quote = Quote(venue_symbol="BTCUSDT", last=Decimal("63000.10"), open_24h=Decimal(60_000))
    batch = QuoteBatch(venue="bitunix", fields=frozenset({"last", "open_24h"}), quotes=(quote,), is_complete=True)
    traces = [
        make_trace(1, is_cold=True, dns_s=0.01, tcp_s=0.06, tls_s=0.07, total_s=0.2, ended_mono_s=clock()),
        make_trace(2, ended_mono_s=clock()),
        make_trace(3, is_healed=True, error_kind=ErrorKind.DROPPED, ended_mono_s=clock()),
    ]
    board.track([BTC])
    board.apply([make_success(make_catalog(["BTCUSDT"]), clock, endpoint="bitunix.trading_pairs", cadence_s=3_600.0)])
    board.apply(
        [
            make_success(batch, clock, traces=traces, pools=[make_pool(attempts=3, opened=1, reused=2)]),
            make_failure(clock, endpoint="bitunix.depth", budget=make_budget(used_60s=90), planned=5, made=4, missed=1),
        ]
    )
    return board


def test_a_quote_has_every_key_when_nothing_is_known() -> None:
    document = quote_document(None, None, now_mono_s=0.0, venue_symbol="NOSUCH")

    assert set(QUOTE_KEYS) <= document.keys()
    assert document["venue_symbol"] == "NOSUCH"
    assert all(document[key] is None for key in QUOTE_KEYS if key != "venue_symbol")


def test_a_quote_keeps_the_venues_digits_and_its_pessimistic_age() -> None:
    clock = FakeClock()
    board = filled_board(clock)
    clock.advance(1.0)
    document = quote_document(board.instruments[BTC], board.quote(BTC), now_mono_s=clock())

    assert document["instrument"] == "BTC-USDT-PERP"
    assert document["kind"] == "perp"
    assert document["last"] == "63000.10"
    assert document["change_24h"] == "0.050001666667"
    assert document["age_s"] == pytest.approx(1.06)
    assert document["received_at"] == "2026-09-26T12:00:00.000Z"
    assert "book" not in document
    assert "candles" not in document


def test_book_and_candles_appear_when_given() -> None:
    level = BookLevel(price=Decimal("1E+2"), size=Decimal("0.10"))
    book = OrderBook(venue="bitunix", venue_symbol="BTCUSDT", bids=(level,), asks=())
    candle = Candle(
        open_time=datetime(2026, 9, 26, tzinfo=UTC),
        open=Decimal(1),
        high=Decimal(2),
        low=Decimal("0.5"),
        close=Decimal(1),
        volume_base=None,
        volume_quote=Decimal(7),
        is_closed=False,
    )
    state = QuoteState(venue="bitunix", venue_symbol="BTCUSDT")
    document = quote_document(make_instrument("BTCUSDT"), state, now_mono_s=0.0, book=book, candles=[candle])

    assert document["book"] == {"bids": [["100", "0.10"]], "asks": []}
    assert list(candle_document(candle)) == CANDLE_KEYS
    assert document["candles"][0]["volume_base"] is None
    assert document["candles"][0]["closed"] is False


def test_a_reused_request_has_null_connect_phases_and_its_phases_add_up() -> None:
    """Trap 3, as far as documents go: absent, not 0."""
    document = trace_document(make_trace())
    cold = trace_document(make_trace(is_cold=True, is_dns_cached=True, is_resumed=False, addresses_tried=2))
    phases = [
        value
        for key in ("lease_wait_s", "dns_s", "tcp_s", "tls_s", "send_s", "wait_s", "read_s", "unaccounted_s")
        if (value := document[key]) is not None
    ]

    assert (document["dns_s"], document["tcp_s"], document["tls_s"]) == (None, None, None)
    assert document["cold"] is False
    facts = ("dns_cached", "resumed", "addresses_tried", "prewarmed")
    assert [document[key] for key in facts] == [None, None, None, False]
    assert [cold[key] for key in facts] == [True, False, 2, False]
    assert sum(phases) == pytest.approx(document["total_s"])


def test_a_pool_document_has_the_keys_of_its_schema() -> None:
    document = pool_document(make_pool(attempts=4, opened=1, reused=3, peak_active=2, max_connections=20))

    assert set(POOL_KEYS) <= document.keys()
    assert document["reuse_ratio"] == 0.75
    assert document["closed"] == {"discarded": 2}
    assert document["discarded"] == 2
    assert pool_document(make_pool())["reuse_ratio"] is None


def test_the_watch_document_is_whole_and_valid_json() -> None:
    clock = FakeClock()
    board = filled_board(clock)
    clock.advance(1.0)
    document = json.loads(json.dumps(watch_document(board, duration_s=20.00049, now_mono_s=clock()), allow_nan=False))
    bitunix, hyperliquid = document["venues"]

    assert document["schema"] == "trading-monitor.watch/1"
    assert document["duration_s"] == 20.0
    assert set(VENUE_KEYS) <= bitunix.keys()
    assert set(VENUE_KEYS) <= hyperliquid.keys()
    assert (bitunix["venue"], bitunix["planned"], bitunix["made"], bitunix["missed"]) == ("bitunix", 7, 6, 1)
    assert bitunix["failed"] == {"timeout": 1}
    assert bitunix["healed"] == 1
    assert [quote["venue_symbol"] for quote in bitunix["quotes"]] == ["BTCUSDT"]
    assert hyperliquid["quotes"] == []
    assert hyperliquid["budget"] is None


def test_cold_and_warm_stay_apart_in_the_document() -> None:
    """Trap 5."""
    clock = FakeClock()
    board = filled_board(clock)
    latency = watch_document(board, duration_s=1.0, now_mono_s=clock())["venues"][0]["latency"]

    assert latency["cold"] == {"n": 1, "p50_s": 0.2, "p95_s": 0.2, "p99_s": 0.2, "failed": 0}
    assert (latency["warm"]["n"], latency["warm"]["p50_s"]) == (1, 0.06)


def test_percentiles_without_a_sample_are_null() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    latency = watch_document(board, duration_s=0.0, now_mono_s=clock())["venues"][0]["latency"]

    assert latency["cold"] == {"n": 0, "p50_s": None, "p95_s": None, "p99_s": None, "failed": 0}


def test_the_budget_is_given_per_minute() -> None:
    clock = FakeClock()
    budget = watch_document(filled_board(clock), duration_s=1.0, now_mono_s=clock())["venues"][0]["budget"]

    assert (budget["used"], budget["limit"], budget["cap"]) == (90, 600, 180)
    assert budget["used_fraction"] == pytest.approx(0.15)


def test_savings_are_two_columns() -> None:
    clock = FakeClock()
    document = json.loads(json.dumps(savings_document(filled_board(clock), now_mono_s=clock())))

    assert document["pooling"]["venue.test:443"]["saved_s"] == pytest.approx(0.14 - 0.06)
    assert document["caching"]["bitunix"]["plain_calls"] == 4
    assert document["caching"]["bitunix"]["made_calls"] == 3


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=Decimal("-1e30"), max_value=Decimal("1e30")))
def test_decimals_keep_their_value_without_an_exponent(value: Decimal) -> None:
    text = decimal_text(value)

    assert text is not None
    assert "E" not in text.upper()
    assert Decimal(text) == value


def test_stamps_are_utc_whatever_their_zone() -> None:
    stamp = datetime(2026, 9, 26, 14, 0, 0, 123_456, tzinfo=timezone(timedelta(hours=2)))

    assert time_text(stamp) == "2026-09-26T12:00:00.123Z"
    assert time_text(None) is None
