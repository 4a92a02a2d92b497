"""Plain figures for the command line and the demo summary: JSON-ready documents of what the board knows.

Decimals are strings in plain notation, stamps ISO 8601 in UTC, durations seconds, rates and changes fractions, unknown
is ``None``. Keys are only ever added within a schema version.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from monitor.domain.market import Candle, Instrument, OrderBook
from monitor.domain.telemetry import BudgetState, RequestTrace
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey
from monitor.state.latency import LatencySummary
from monitor.state.pool_documents import cache_document, pool_document
from monitor.state.quotes import Origin, QuoteState
from monitor.state.sources import SourceFigures, source_of_origin, source_of_quote
from monitor.state.times import time_text
from monitor.state.venue_state import VenueState

WATCH_SCHEMA: Final = "trading-monitor.watch/1"
SNAPSHOT_SCHEMA: Final = "trading-monitor.snapshot/1"
QUOTIENT_DECIMALS: Final = 12

Document = dict[str, Any]


def decimal_text(value: Decimal | None) -> str | None:
    """``value`` in plain notation, every digit the venue sent; ``None`` stays ``None``."""
    return None if value is None else format(value, "f")


def quotient_text(value: Decimal | None) -> str | None:
    """A quotient of ours, which has more digits than it has meaning; ``None`` stays ``None``."""
    return None if value is None else decimal_text(round(value, QUOTIENT_DECIMALS).normalize())


def quote_document(
    instrument: Instrument | None,
    quote: QuoteState | None,
    *,
    now_mono_s: float,
    venue_symbol: str = "",
    book: OrderBook | None = None,
    book_origin: Origin | None = None,
    candles: Iterable[Candle] | None = None,
    candle_origin: Origin | None = None,
) -> Document:
    """One quote as ``snapshot`` and ``watch`` show it.

    ``age_s`` is the upper end of the age interval of the displayed price, ``bid_ask_age_s`` that of bid and ask, which
    may be of another reply: the price can then be outside them. ``venue_symbol`` is used when neither an
    instrument nor a quote is known. ``book`` and ``candles`` appear only when given, their age and source as far as
    the origins tell.
    """
    state = quote if quote is not None else QuoteState(venue="", venue_symbol=venue_symbol)
    age, bid_ask_age = state.age(now_mono_s), state.field_age("bid", now_mono_s)
    document: Document = {
        "instrument": None if instrument is None else instrument.name,
        "venue_symbol": venue_symbol or (instrument.venue_symbol if instrument is not None else state.venue_symbol),
        "kind": None if instrument is None else instrument.kind.value,
        "price": decimal_text(state.price),
        "price_kind": state.price_kind,
        "last": decimal_text(state.last),
        "mark": decimal_text(state.mark),
        "index": decimal_text(state.index),
        "mid": decimal_text(state.mid),
        "bid": decimal_text(state.bid),
        "ask": decimal_text(state.ask),
        "change_24h": quotient_text(state.change_24h),
        "volume_24h_base": decimal_text(state.volume_24h_base),
        "volume_24h_quote": decimal_text(state.volume_24h_quote),
        "open_interest_base": decimal_text(state.open_interest_base),
        "funding_rate": decimal_text(state.funding_rate),
        "funding_interval_h": state.funding_interval_h,
        "funding_rate_hourly": quotient_text(state.funding_rate_hourly),
        "next_funding_time": time_text(state.next_funding_time),
        "venue_time": time_text(state.venue_time),
        "received_at": time_text(state.received_at),
        "age_s": None if age is None else round(age.high_s, 6),
        "bid_ask_age_s": None if bid_ask_age is None else round(bid_ask_age.high_s, 6),
        "verdict": state.verdict(now_mono_s).value,
        **source_document(source_of_quote(state, now_mono_s)),
    }
    if book is not None:
        document["book"] = book_document(book)
        if book_origin is not None:
            document["book"] |= origin_document(book_origin, now_mono_s=now_mono_s)
    if candles is not None:
        document["candles"] = [candle_document(candle) for candle in candles]
        if candle_origin is not None:
            told = origin_document(candle_origin, now_mono_s=now_mono_s)
            document |= {f"candles_{name}": value for name, value in told.items()}
    return document


def source_document(source: SourceFigures | None) -> Document:
    """Where a value came from: ``network``, ``cache`` or ``stale_cache``, and how long it has been held."""
    return {
        "source": None if source is None else source.source.value,
        "cache_age_s": None if source is None else round(source.held_s, 6),
        "stale_reason": None if source is None else source.reason,
    }


def origin_document(origin: Origin, *, now_mono_s: float) -> Document:
    """Age (the upper end of the interval) and source of what a reply brought."""
    return {
        "age_s": round(origin.stamp.age(now_mono_s).high_s, 6),
        **source_document(source_of_origin(origin, now_mono_s)),
    }


def book_document(book: OrderBook) -> Document:
    """Levels as [price, size], best first."""
    return {
        "bids": [[decimal_text(level.price), decimal_text(level.size)] for level in book.bids],
        "asks": [[decimal_text(level.price), decimal_text(level.size)] for level in book.asks],
    }


def candle_document(candle: Candle) -> Document:
    """One candle."""
    return {
        "open_time": time_text(candle.open_time),
        "open": decimal_text(candle.open),
        "high": decimal_text(candle.high),
        "low": decimal_text(candle.low),
        "close": decimal_text(candle.close),
        "volume_base": decimal_text(candle.volume_base),
        "volume_quote": decimal_text(candle.volume_quote),
        "closed": candle.is_closed,
    }


def trace_document(trace: RequestTrace) -> Document:
    """One attempt; the phases a reused connection does not have are ``None``."""
    return {
        "request_id": trace.request_id,
        "attempt": trace.attempt,
        "venue": trace.venue,
        "endpoint": trace.endpoint,
        "method": trace.method,
        "host": trace.host,
        "started_at": time_text(trace.started_at),
        "queue_s": trace.queue_s,
        "lease_wait_s": trace.lease_wait_s,
        "dns_s": trace.dns_s,
        "tcp_s": trace.tcp_s,
        "tls_s": trace.tls_s,
        "send_s": trace.send_s,
        "wait_s": trace.wait_s,
        "read_s": trace.read_s,
        "unaccounted_s": trace.unaccounted_s,
        "total_s": trace.total_s,
        "cold": trace.is_cold,
        "prewarmed": trace.is_prewarmed,
        "dns_cached": trace.is_dns_cached,
        "resumed": trace.is_resumed,
        "addresses_tried": trace.addresses_tried,
        "connection_id": trace.connection_id,
        "request_bytes": trace.request_bytes,
        "response_bytes": trace.response_bytes,
        "status": trace.status,
        "http_version": trace.http_version,
        "weight": trace.weight,
        "error": None if trace.error_kind is None else trace.error_kind.value,
        "healed": trace.is_healed,
    }


def latency_document(summary: LatencySummary) -> Document:
    """Percentiles of one class, cold or warm, with their n; failed attempts are counted apart."""
    return {
        "n": summary.n,
        "p50_s": summary.p50_s,
        "p95_s": summary.p95_s,
        "p99_s": summary.p99_s,
        "failed": summary.failed,
    }


def budget_document(budget: BudgetState, *, paused_for_s: float | None = None) -> Document:
    """Weight per 60 s: used, the documented limit, and the part of it this app allows itself.

    ``paused_for_s``: until the venue may be asked again after it refused; ``None`` when it may now. ``pause_cause``:
    ``rate_limit`` or ``unavailable`` (HTTP 503).
    """
    per_minute = 60.0 / budget.window_s
    return {
        "used": budget.used_60s,
        "limit": round(budget.limit * per_minute),
        "cap": round(budget.cap * per_minute),
        "window_s": 60.0,
        "used_fraction": budget.used_fraction,
        "refusals": budget.refusals,
        "shared_suspected": budget.is_shared_suspected,
        "paused_for_s": paused_for_s,
        "pause_cause": None if paused_for_s is None or budget.pause_cause is None else budget.pause_cause.value,
        "by_endpoint": dict(budget.by_endpoint_60s),
    }


def venue_document(
    board: Board, venue: VenueState, keys: Iterable[InstrumentKey], *, now_mono_s: float, start_mono_s: float
) -> Document:
    """One venue of :func:`watch_document`; latencies since ``start_mono_s``."""
    age = venue.age(now_mono_s)
    catalog = board.catalog_origin(venue.name)
    return {
        "venue": venue.name,
        "verdict": venue.verdict(now_mono_s).value,
        "age_s": None if age is None else round(age.high_s, 6),
        "planned": venue.planned,
        "made": venue.made,
        "missed": venue.missed,
        "failed": {kind.value: count for kind, count in sorted(venue.failed_by_kind.items())},
        "healed": venue.healed,
        "clock_offset_s": venue.clock_offset_s,
        "clock_offset_error_s": venue.clock_offset_error_s,
        "pools": [
            pool_document(pool, now_mono_s=now_mono_s, request_interval_s=venue.shortest_cadence_s)
            for pool in venue.pools
        ],
        "latency": {
            name: latency_document(venue.latency.summary(start_mono_s, now_mono_s, is_cold))
            for name, is_cold in (("cold", True), ("warm", False))
        },
        "budget": None
        if venue.budget is None
        else budget_document(venue.budget, paused_for_s=venue.paused_for_s(now_mono_s)),
        "cache": None if venue.cache is None else cache_document(venue.cache),
        "catalog": None if catalog is None else origin_document(catalog, now_mono_s=now_mono_s),
        "quotes": [
            quote_document(board.instruments.get(key), board.quote(key), now_mono_s=now_mono_s, venue_symbol=key[1])
            for key in keys
            if key[0] == venue.name
        ],
    }


def watch_document(
    board: Board, *, duration_s: float, now_mono_s: float, keys: Iterable[InstrumentKey] | None = None
) -> Document:
    """What ``watch`` prints at its end; ``keys`` are the quotes to show, the tracked ones when ``None``."""
    shown = tuple(board.tracked if keys is None else keys)
    return {
        "schema": WATCH_SCHEMA,
        "duration_s": round(duration_s, 3),
        "dropped_results": board.dropped_results,
        "venues": [
            venue_document(board, board.venue(name), shown, now_mono_s=now_mono_s, start_mono_s=board.started_mono_s)
            for name in board.venue_names
        ],
        "savings": savings_document(board, now_mono_s=now_mono_s),
    }


def savings_document(board: Board, *, now_mono_s: float) -> Mapping[str, Any]:
    """Both ledgers: seconds saved by reuse per host and by caching per venue; ``None`` where unknown."""
    return {
        "pooling": {
            host: {
                "warm_requests": saving.warm_requests,
                "cold_requests": saving.cold_requests,
                "cold_samples": saving.cold_samples,
                "wasted_s": saving.wasted_s,
                "saved_s": saving.saved_s,
                "saved_low_s": saving.saved_low_s,
                "saved_high_s": saving.saved_high_s,
            }
            for host, saving in board.ledger.pooling(now_mono_s).items()
        },
        "caching": {
            venue: {
                "plain_calls": saving.plain_calls,
                "made_calls": saving.made_calls,
                "saved_calls": saving.saved_calls,
                "saved_s": saving.saved_s,
            }
            for venue, saving in board.ledger.caching().items()
        },
    }
