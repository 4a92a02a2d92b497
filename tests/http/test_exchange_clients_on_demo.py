"""The real clients over the real transport against the demo exchange, which shares no code with them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from monitor.domain.errors import (
    ConnectionDropped,
    EdgeBlocked,
    MonitorError,
    PayloadError,
    RateLimited,
    ReplyTooLarge,
    UnknownInstrument,
    VenueError,
)
from monitor.domain.market import Candle, Instrument, InstrumentKind, InstrumentStatus
from monitor.exchanges.base import ExchangeClient, Focus, Source
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.candles import close_time
from monitor.exchanges.hyperliquid.client import HyperliquidClient
from monitor.exchanges.registry import VENUES
from monitor.transport.budget import BudgetRule, WeightBudget
from monitor.transport.session import PooledSession
from tests.fakes.demo_exchange import DemoServer, demo_exchange

every_venue = pytest.mark.parametrize("venue", VENUES)
FOCUS = {name: entry.default_watchlist[0] for name, entry in VENUES.items()}


@pytest.fixture(scope="module")
def demo() -> Iterator[DemoServer]:
    with demo_exchange(arguments=["--no-limits"]) as server:
        yield server


@pytest.fixture(autouse=True)
def without_faults(demo: DemoServer) -> Iterator[None]:
    yield
    demo.clear_faults()


def session_of(demo: DemoServer, venue: str, *, rule: BudgetRule | None = None) -> PooledSession:
    """A session whose budget is no obstacle, unless one is given."""
    budget = WeightBudget(
        rule or BudgetRule(venue=venue, limit=10**6, window_s=1.0, cap_fraction=1.0), time.perf_counter
    )
    return PooledSession(
        venue=venue,
        base_url=demo.venues[venue],
        allowed=VENUES[venue].allowed,
        budget=budget,
        ssl_context=demo.ssl_context(),
    )


@pytest.fixture
def sessions(demo: DemoServer) -> Iterator[dict[str, PooledSession]]:
    opened = {name: session_of(demo, name) for name in VENUES}
    yield opened
    for session in opened.values():
        session.close()


@pytest.fixture
def clients(sessions: dict[str, PooledSession]) -> dict[str, ExchangeClient]:
    return {name: VENUES[name].make_client(session) for name, session in sessions.items()}


@pytest.fixture
def bitunix(sessions: dict[str, PooledSession]) -> BitunixClient:
    return BitunixClient(sessions["bitunix"])


@pytest.fixture
def hyperliquid(sessions: dict[str, PooledSession]) -> HyperliquidClient:
    return HyperliquidClient(sessions["hyperliquid"])


def catalog_of(client: ExchangeClient) -> dict[str, Instrument]:
    return {one.venue_symbol: one for one in client.fetch_instruments().value.instruments}


@every_venue
def test_the_catalog_names_hundreds_of_markets_and_every_one_of_the_watchlist(
    clients: dict[str, ExchangeClient], venue: str
) -> None:
    catalog = catalog_of(clients[venue])

    assert len(catalog) >= 200
    assert set(VENUES[venue].default_watchlist) <= catalog.keys()
    assert len({one.name for one in catalog.values()}) == len(catalog)


def test_the_same_markets_cost_about_the_same_on_both_venues(clients: dict[str, ExchangeClient]) -> None:
    prices: dict[str, dict[tuple[str, str], Decimal]] = {}
    for name, client in clients.items():
        catalog = catalog_of(client)
        prices[name] = {}
        for quote in client.fetch_quotes().value.quotes:
            price = quote.last if name == "bitunix" else quote.mid
            one = catalog.get(quote.venue_symbol)
            is_first = one is not None and one.dex == "" and one.quote in {"USDT", "USDC"}
            if one is not None and is_first and price and one.status is InstrumentStatus.OPEN:
                prices[name].setdefault(one.market, price / one.multiplier)
    shared = prices["bitunix"].keys() & prices["hyperliquid"].keys()

    assert {("perp", "BTC"), ("perp", "ETH"), ("perp", "PEPE")} <= shared
    for market in (("perp", "BTC"), ("perp", "ETH"), ("perp", "PEPE")):
        ratio = prices["bitunix"][market] / prices["hyperliquid"][market]
        assert Decimal("0.9") < ratio < Decimal("1.1"), market


@every_venue
def test_every_job_of_the_default_plan_brings_a_value_over_one_connection(
    demo: DemoServer, sessions: dict[str, PooledSession], clients: dict[str, ExchangeClient], venue: str
) -> None:
    accepted_before = demo.truth(venue)["accepts"]

    for job in clients[venue].poll_jobs(Focus(venue_symbol=FOCUS[venue], interval="5m")):
        fetched = job.fetch()
        assert fetched.source is Source.NETWORK
        assert fetched.traces
        assert {trace.endpoint.partition(".")[0] for trace in fetched.traces} == {venue}
        assert fetched.clock_offset_s is not None
        assert abs(fetched.clock_offset_s) < 5.0

    assert demo.truth(venue)["accepts"] - accepted_before == 1
    (pool,) = sessions[venue].pool_stats()
    assert pool.opened == 1


@every_venue
def test_the_book_is_sorted_and_not_crossed(clients: dict[str, ExchangeClient], venue: str) -> None:
    book = clients[venue].fetch_order_book(FOCUS[venue], depth=15).value

    assert 1 <= len(book.bids) <= 15
    assert 1 <= len(book.asks) <= 15
    assert [level.price for level in book.bids] == sorted((level.price for level in book.bids), reverse=True)
    assert [level.price for level in book.asks] == sorted(level.price for level in book.asks)
    assert book.bids[0].price < book.asks[0].price


def check_series(candles: tuple[Candle, ...], interval: str) -> None:
    times = [candle.open_time for candle in candles]
    assert times == sorted(set(times))
    for one, two in pairwise(times):
        assert close_time(one, interval) == two
    for candle in candles:
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high


@every_venue
def test_candles_of_every_interval_are_one_series_without_holes(clients: dict[str, ExchangeClient], venue: str) -> None:
    for interval in clients[venue].intervals:
        candles = clients[venue].fetch_candles(FOCUS[venue], interval, limit=30).value.candles
        assert len(candles) > 1, interval
        check_series(candles, interval)
        assert [candle.is_closed for candle in candles[:-1]] == [True] * (len(candles) - 1)


@every_venue
def test_a_thousand_candles_are_paged_into_one_series(clients: dict[str, ExchangeClient], venue: str) -> None:
    fetched = clients[venue].fetch_candles(FOCUS[venue], "1m", limit=1_000)

    assert len(fetched.value.candles) == 1_000
    # At Hyperliquid one page has room for all, and another is asked for when a minute ends meanwhile.
    assert len(fetched.traces) in ((5,) if venue == "bitunix" else (1, 2))
    check_series(fetched.value.candles, "1m")


@every_venue
def test_a_range_of_candles_is_the_one_that_was_asked_for(clients: dict[str, ExchangeClient], venue: str) -> None:
    end = datetime.now(UTC) - timedelta(hours=3)
    start = end - timedelta(hours=2)

    candles = clients[venue].fetch_candles(FOCUS[venue], "5m", start=start, end=end, limit=500).value.candles

    assert 24 <= len(candles) <= 25
    assert candles[0].open_time <= start < close_time(candles[0].open_time, "5m")
    assert candles[-1].open_time <= end


@every_venue
def test_kline_volumes_agree_with_the_price(clients: dict[str, ExchangeClient], venue: str) -> None:
    candles = clients[venue].fetch_candles(FOCUS[venue], "1h", limit=50).value.candles

    assert all(candle.volume_base is not None and candle.volume_base >= 0 for candle in candles)
    if venue == "bitunix":
        for candle in candles:
            if candle.volume_base and candle.volume_quote:
                assert Decimal("0.5") < candle.volume_quote / candle.volume_base / candle.close < 2


@every_venue
def test_funding_is_a_small_fraction_in_details_and_history(clients: dict[str, ExchangeClient], venue: str) -> None:
    catalog = catalog_of(clients[venue])
    batch = clients[venue].fetch_details().value
    known = [quote for quote in batch.quotes if quote.venue_symbol in catalog and quote.funding_rate]
    history = clients[venue].fetch_funding_history(FOCUS[venue], limit=50).value

    assert known
    assert all(quote.funding_rate and abs(quote.funding_rate) < Decimal("0.05") for quote in known)
    assert {quote.funding_interval_h for quote in known} <= {1, 2, 4, 8}
    assert len(history) >= 10
    assert [payment.time for payment in history] == sorted(payment.time for payment in history)
    assert max(abs(payment.rate) for payment in history) < Decimal("0.05")


@every_venue
def test_an_unknown_instrument_is_said_to_be_unknown(clients: dict[str, ExchangeClient], venue: str) -> None:
    with pytest.raises(UnknownInstrument):
        clients[venue].fetch_order_book("NOSUCHCOIN")


def test_every_further_hyperliquid_read_brings_a_value(hyperliquid: HyperliquidClient) -> None:
    dexes = hyperliquid.fetch_dexes().value
    assert dexes[0] == ""
    assert len(dexes) > 1
    for dex in dexes:
        mids = hyperliquid.fetch_quotes(dex).value
        contexts = hyperliquid.fetch_details(dex).value
        assert (mids.dex, contexts.dex) == (dex, dex)
        assert {quote.venue_symbol for quote in contexts.quotes} <= {quote.venue_symbol for quote in mids.quotes}
    assert hyperliquid.fetch_spot_details().value.quotes
    assert hyperliquid.fetch_predicted_fundings().value
    assert 1 <= len(hyperliquid.fetch_recent_trades("BTC").value) <= 10
    status = hyperliquid.fetch_status()
    assert status.value.special_status is None
    assert status.clock_offset_s is not None
    assert abs(status.clock_offset_s) < 5.0
    grouped = hyperliquid.fetch_grouped_book("BTC", significant_figures=3).value
    assert all(len(level.price.normalize().as_tuple().digits) <= 3 for level in (*grouped.bids, *grouped.asks))


def test_a_builder_market_can_be_read_like_any_other(hyperliquid: HyperliquidClient) -> None:
    builder = next(
        one
        for one in hyperliquid.fetch_instruments().value.instruments
        if one.dex and one.status is InstrumentStatus.OPEN
    )

    assert hyperliquid.fetch_order_book(builder.venue_symbol).value.bids
    assert hyperliquid.fetch_candles(builder.venue_symbol, "1h", limit=5).value.candles


def test_a_spot_pair_can_be_read_like_any_other(hyperliquid: HyperliquidClient) -> None:
    pairs = [one for one in hyperliquid.fetch_instruments().value.instruments if one.kind is InstrumentKind.SPOT]
    marks = {quote.venue_symbol: quote.mark for quote in hyperliquid.fetch_spot_details().value.quotes}
    mids = {quote.venue_symbol: quote.mid for quote in hyperliquid.fetch_quotes().value.quotes}

    assert pairs
    for pair in pairs:
        mark, mid = marks[pair.venue_symbol], mids[pair.venue_symbol]
        assert mark is not None
        assert mid is not None
        # A context joined to the wrong pair would be far off.
        assert abs(mark / mid - 1) < Decimal("0.1"), pair.name


def test_a_single_bitunix_rate_equals_the_one_of_the_batch(bitunix: BitunixClient) -> None:
    batch = {quote.venue_symbol: quote for quote in bitunix.fetch_details().value.quotes}
    single = bitunix.fetch_funding("BTCUSDT").value.quotes[0]

    assert single.funding_interval_h == batch["BTCUSDT"].funding_interval_h
    assert single.next_funding_time == batch["BTCUSDT"].next_funding_time


@pytest.mark.parametrize(("asked", "most"), [(1, 1), (4, 4), (50, 50), (120, 120)])
def test_every_depth_is_accepted_by_bitunix(bitunix: BitunixClient, asked: int, most: int) -> None:
    book = bitunix.fetch_order_book("BTCUSDT", depth=asked).value

    assert 1 <= len(book.bids) <= most


def test_candle_polls_after_the_first_ask_for_a_few_rows_only(
    clients: dict[str, ExchangeClient],
) -> None:
    for venue, client in clients.items():
        first = client.fetch_candles(FOCUS[venue], "1m", limit=200)
        time.sleep(1.1)
        second = client.fetch_candles(FOCUS[venue], "1m", limit=200)

        assert second.source is Source.NETWORK
        sizes = [fetched.traces[0].response_bytes for fetched in (first, second)]
        assert sizes[0] is not None
        assert sizes[1] is not None
        assert sizes[1] < sizes[0] / 5
        assert len(second.value.candles) == 200
        check_series(second.value.candles, "1m")


def test_pages_of_bitunix_keep_the_venues_distance_between_requests(demo: DemoServer) -> None:
    session = session_of(demo, "bitunix", rule=VENUES["bitunix"].budget_rule)
    try:
        fetched = VENUES["bitunix"].make_client(session).fetch_candles("BTCUSDT", "1m", limit=500)
    finally:
        session.close()

    assert len(fetched.value.candles) == 500
    starts = [trace.started_mono_s for trace in fetched.traces]
    assert len(starts) == 3
    assert min(two - one for one, two in pairwise(starts)) > 0.1


Fault = dict[str, object]

FAULTS: list[tuple[Fault, type[MonitorError]]] = [
    ({"kind": "malformed_json"}, PayloadError),
    ({"kind": "truncated_json"}, PayloadError),
    ({"kind": "wrong_types"}, PayloadError),
    ({"kind": "huge_body", "bytes": 50_000_000}, ReplyTooLarge),
    ({"kind": "forbidden_html"}, EdgeBlocked),
    ({"kind": "server_error", "status": 500}, VenueError),
    ({"kind": "server_error", "status": 503}, VenueError),
    ({"kind": "rate_limit"}, RateLimited),
    ({"kind": "rate_limit", "retry_after_s": 1}, RateLimited),
    ({"kind": "reset"}, ConnectionDropped),
    ({"kind": "cut"}, ConnectionDropped),
]


@every_venue
@pytest.mark.parametrize(("fault", "error"), FAULTS, ids=[str(fault["kind"]) for fault, _ in FAULTS])
def test_a_fault_is_one_error_of_ours_with_its_traces(
    demo: DemoServer, clients: dict[str, ExchangeClient], venue: str, fault: Fault, error: type[MonitorError]
) -> None:
    demo.add_fault(venue=venue, **fault)

    with pytest.raises(error) as caught:
        clients[venue].fetch_quotes()
    assert caught.value.traces


@every_venue
def test_a_null_reply_is_an_error_for_the_venue_and_the_next_read_is_fine(
    demo: DemoServer, clients: dict[str, ExchangeClient], venue: str
) -> None:
    demo.add_fault(venue=venue, kind="null_body", count=1)

    with pytest.raises((VenueError, PayloadError)):
        clients[venue].fetch_quotes()
    assert clients[venue].fetch_quotes().value.quotes


def test_a_renamed_field_is_named_and_an_unknown_state_is_shown(demo: DemoServer, bitunix: BitunixClient) -> None:
    demo.add_fault(venue="bitunix", kind="renamed_field", field="lastPrice", to="lastPx")
    demo.add_fault(venue="bitunix", kind="unknown_enum", field="symbolStatus", to="ON_HOLIDAY")

    with pytest.raises(PayloadError, match="lastPrice"):
        bitunix.fetch_quotes()
    states = {one.status_text for one in bitunix.fetch_instruments().value.instruments}
    assert "ON_HOLIDAY" in states


@every_venue
def test_a_vanished_instrument_is_missing_from_the_complete_batch_and_unknown_alone(
    demo: DemoServer, clients: dict[str, ExchangeClient], venue: str
) -> None:
    demo.add_fault(venue=venue, kind="vanished_instrument", instrument=FOCUS[venue])

    batch = clients[venue].fetch_quotes().value
    assert batch.is_complete
    assert FOCUS[venue] not in {quote.venue_symbol for quote in batch.quotes}
    with pytest.raises(UnknownInstrument):
        clients[venue].fetch_order_book(FOCUS[venue])


@every_venue
def test_a_skewed_venue_clock_is_measured(demo: DemoServer, clients: dict[str, ExchangeClient], venue: str) -> None:
    demo.add_fault(venue=venue, kind="clock_skew", seconds=-600)

    offset_s = clients[venue].fetch_quotes().clock_offset_s

    assert offset_s is not None
    assert -602 < offset_s < -598
