"""Every value says where it came from, and never less than how old it is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ErrorKind
from monitor.domain.market import BookLevel, Candle, CandleBatch, OrderBook
from monitor.exchanges.base import Fetched, Source
from monitor.exchanges.flights import handed_out
from monitor.state.ages import age_causes, explain_age
from monitor.state.board import Board
from monitor.state.quotes import Stamp
from monitor.state.sources import source_of, source_of_origin, source_of_quote, source_text
from tests.fakes.poll_results import EPOCH, FakeClock, make_catalog, make_failure, make_quotes, make_success

BTC = ("bitunix", "BTCUSDT")


def make_board(clock: FakeClock) -> Board:
    return Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)


def make_candles() -> CandleBatch:
    candle = Candle(
        open_time=datetime(2026, 9, 26, 12, tzinfo=UTC),
        open=Decimal(1),
        high=Decimal(2),
        low=Decimal(1),
        close=Decimal(2),
        volume_base=None,
        volume_quote=None,
        is_closed=False,
    )
    return CandleBatch(venue="bitunix", venue_symbol="BTCUSDT", interval="1m", candles=(candle,))


def test_a_polled_price_is_from_the_network_whatever_its_age() -> None:
    clock = FakeClock()
    board = make_board(clock)
    assert source_text(source_of_quote(board.quote(BTC), clock())) == "–"

    board.apply([make_success(make_quotes({"BTCUSDT": "1"}), clock)])
    clock.advance(30.0)
    source = source_of_quote(board.quote(BTC), clock())

    assert source is not None
    assert (source.source, source.held_s, source.text) == (Source.NETWORK, 0.0, "from the network")


def test_a_price_kept_after_a_failed_poll_is_stale_and_says_why_until_one_comes() -> None:
    clock = FakeClock()
    board = make_board(clock)
    board.apply([make_success(make_quotes({"BTCUSDT": "1"}), clock)])
    clock.advance(12.0)
    board.apply([make_failure(clock, text="Bitunix did not answer within 8 s.")])
    clock.advance(1.0)

    kept = source_of_quote(board.quote(BTC), clock())
    assert kept is not None
    assert (kept.source, kept.held_s) == (Source.STALE_CACHE, 13.0)
    assert kept.text == "stale cache, 13 s, because: Bitunix did not answer within 8 s"

    board.apply([make_success(make_quotes({"BTCUSDT": "2"}), clock)])
    assert source_text(source_of_quote(board.quote(BTC), clock())) == "from the network"


def test_a_reply_that_was_overtaken_by_a_failure_of_something_else_stays_from_the_network() -> None:
    clock = FakeClock()
    board = make_board(clock)
    board.apply([make_success(make_quotes({"BTCUSDT": "1"}), clock)])
    board.apply([make_failure(clock, endpoint="bitunix.depth", kind=ErrorKind.CONNECT)])

    assert source_text(source_of_quote(board.quote(BTC), clock())) == "from the network"


def test_book_candles_and_catalog_carry_their_source() -> None:
    clock = FakeClock()
    board = make_board(clock)
    level = BookLevel(price=Decimal(1), size=Decimal(1))
    book = OrderBook(venue="bitunix", venue_symbol="BTCUSDT", bids=(level,), asks=())
    board.apply(
        [
            make_success(make_catalog(["BTCUSDT"]), clock, endpoint="bitunix.trading_pairs", cadence_s=3_600.0),
            make_success(book, clock, endpoint="bitunix.depth"),
            make_success(make_candles(), clock, endpoint="bitunix.kline", source=Source.CACHE, cache_age_s=0.5),
        ]
    )
    clock.advance(2.0)
    state = board.book(BTC)
    candles = source_of_origin(board.candle_origin(BTC, "1m"), clock())

    assert state is not None
    assert source_text(source_of(state.stamp, state.feed, clock())) == "from the network"
    assert source_text(source_of_origin(board.catalog_origin("bitunix"), clock())) == "from the network"
    assert candles is not None
    assert candles.text == "cache, 2.5 s"
    board.apply([make_failure(clock, endpoint="bitunix.trading_pairs", text="no answer")])
    kept = source_of_origin(board.catalog_origin("bitunix"), clock())
    assert source_text(kept) == "stale cache, 2 s, because: no answer"
    assert board.candle_origin(BTC, "5m") is None


def test_sleep_ages_what_a_cache_gave_too() -> None:
    clock = FakeClock()
    board = make_board(clock)
    board.apply([make_success(make_candles(), clock, endpoint="bitunix.kline", source=Source.CACHE, cache_age_s=0.5)])
    board.mark_stale(slept_s=600.0)
    source = source_of_origin(board.candle_origin(BTC, "1m"), clock())

    assert source is not None
    assert source.held_s == pytest.approx(600.5)


def stamp_of(fetched: Fetched[int], handed_out_mono_s: float) -> Stamp:
    """As the board makes it of a poll."""
    return Stamp(
        requested_mono_s=fetched.requested_mono_s,
        received_mono_s=fetched.received_mono_s,
        received_at=fetched.received_at,
        cache_age_s=fetched.cache_age_s,
        source=fetched.source,
        handed_out_mono_s=handed_out_mono_s,
    )


SECONDS = st.floats(0.0, 10_000.0, allow_nan=False)


@given(took_s=st.floats(0.0, 10.0), held_s=SECONDS, asleep_s=SECONDS, shown_s=SECONDS)
def test_nothing_is_older_than_it_says(took_s: float, held_s: float, asleep_s: float, shown_s: float) -> None:
    """Held awake and asleep (the monotonic clock stands still then), handed out, shown for a while."""
    asked_mono_s = 1_000.0
    received_mono_s = asked_mono_s + took_s
    reply = Fetched(
        value=1, traces=(), requested_mono_s=asked_mono_s, received_mono_s=received_mono_s, received_at=EPOCH
    )
    handed_out_mono_s = received_mono_s + held_s
    given_out = handed_out(reply, held_s + asleep_s, Source.CACHE)
    stamp = stamp_of(given_out, handed_out_mono_s)
    now_s = handed_out_mono_s + shown_s
    true_age_s = held_s + asleep_s + shown_s  # since the reply; since asking it is took_s more
    age, causes, source = stamp.age(now_s), age_causes(stamp, now_s), source_of(stamp, None, now_s)

    assert age.high_s == pytest.approx(true_age_s + took_s, abs=1e-6)
    assert causes.poll_gap_s + causes.network_s + causes.cache_s == pytest.approx(age.high_s, abs=1e-6)
    assert causes.poll_gap_s == pytest.approx(shown_s, abs=1e-6)
    assert source is not None
    assert source.held_s == pytest.approx(true_age_s, abs=1e-6)


def test_the_time_in_our_cache_is_told_once() -> None:
    stamp = Stamp(
        requested_mono_s=100.0,
        received_mono_s=100.2,
        received_at=EPOCH + timedelta(seconds=1),
        cache_age_s=60.0,
        source=Source.CACHE,
        handed_out_mono_s=160.2,
    )

    assert explain_age(stamp, 170.2) == (
        "70 s old: 60 s in the cache, 10 s since it was handed out, up to 0.2 s between asking and the whole reply."
    )
