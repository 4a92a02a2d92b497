"""Prices on the board: merged from several feeds, never moved back in time."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.market import BookLevel, OrderBook, Quote, QuoteBatch
from monitor.state.board import Board
from monitor.state.verdict import Verdict
from tests.fakes.bare_board import BTC, known_quote, new_board
from tests.fakes.poll_results import FakeClock, make_quotes, make_success


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return new_board(clock)


FIELD_SETS = (("last", "mark"), ("mark", "mid"), ("bid",))


def make_book(bid: str, ask: str) -> OrderBook:
    def level(price: str) -> BookLevel:
        return BookLevel(price=Decimal(price), size=Decimal(1))

    return OrderBook(venue="bitunix", venue_symbol="BTCUSDT", bids=(level(bid),), asks=(level(ask),))


# Fields and the price shown


def test_an_instrument_nobody_spoke_of_is_unknown(board: Board) -> None:
    assert board.quote(BTC) is None
    assert board.series(BTC) is None
    assert board.book(BTC) is None
    assert board.venue("bitunix").verdict(0.0) is Verdict.UNKNOWN


def test_only_the_fields_a_reply_speaks_of_are_overwritten(board: Board, clock: FakeClock) -> None:
    first = QuoteBatch(
        venue="bitunix",
        fields=frozenset({"last", "mark"}),
        quotes=(Quote(venue_symbol="BTCUSDT", last=Decimal(100), mark=Decimal(101)),),
        is_complete=True,
    )
    second = QuoteBatch(
        venue="bitunix",
        fields=frozenset({"mark", "funding_rate"}),
        quotes=(Quote(venue_symbol="BTCUSDT", last=Decimal(7), funding_rate=Decimal("0.0001")),),
        is_complete=True,
    )
    board.apply([make_success(first, clock)])
    clock.advance(1.0)
    board.apply([make_success(second, clock, endpoint="bitunix.funding_batch", cadence_s=60.0)])

    quote = known_quote(board)
    assert quote.last == Decimal(100)
    assert quote.mark is None
    assert quote.funding_rate == Decimal("0.0001")


def test_the_displayed_price_is_what_the_fastest_feed_brings(board: Board, clock: FakeClock) -> None:
    mids = make_quotes({"BTC": "100"}, venue="hyperliquid", field="mid")
    marks = make_quotes({"BTC": "99"}, venue="hyperliquid", field="mark", complete=False)
    board.apply([make_success(marks, clock, venue="hyperliquid", endpoint="h.contexts", cadence_s=30.0)])
    before = (known_quote(board, ("hyperliquid", "BTC")).price, known_quote(board, ("hyperliquid", "BTC")).price_kind)
    board.apply([make_success(mids, clock, venue="hyperliquid", endpoint="h.mids")])

    quote = known_quote(board, ("hyperliquid", "BTC"))
    assert before == (Decimal(99), "mark")
    assert (quote.price, quote.price_kind) == (Decimal(100), "mid")


def test_a_faster_feed_of_a_lesser_kind_wins_over_a_slow_last_price(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, endpoint="bitunix.slow", cadence_s=60.0)])
    board.apply([make_success(make_quotes({"BTCUSDT": "101"}, field="mid"), clock, endpoint="bitunix.mids")])

    assert known_quote(board).price_kind == "mid"
    assert known_quote(board).price == Decimal(101)


def test_a_missing_mid_falls_back_to_mark_with_the_marks_own_clocks(board: Board, clock: FakeClock) -> None:
    key = ("hyperliquid", "BTC")
    marks = make_quotes({"BTC": "99"}, venue="hyperliquid", field="mark", complete=False)
    board.apply(
        [
            make_success(marks, clock, venue="hyperliquid", endpoint="h.contexts", cadence_s=30.0),
            make_success(
                make_quotes({"BTC": "100"}, venue="hyperliquid", field="mid"),
                clock,
                venue="hyperliquid",
                endpoint="h.mids",
            ),
        ]
    )
    marked_mono_s = clock.mono_s
    clock.advance(10.0)
    no_mid = make_quotes({"BTC": None}, venue="hyperliquid", field="mid")
    board.apply([make_success(no_mid, clock, venue="hyperliquid", endpoint="h.mids")])

    quote = known_quote(board, key)
    assert (quote.price, quote.price_kind) == (Decimal(99), "mark")
    assert quote.received_mono_s == marked_mono_s
    assert quote.verdict(clock()) is Verdict.LIVE  # 10 s is young for a price polled every 30 s


def test_a_price_that_becomes_null_stays_with_its_age(board: Board, clock: FakeClock) -> None:
    """Trap 15: the last good value stays, and grows old."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    received_mono_s = clock.mono_s
    for _ in range(5):
        clock.advance(1.0)
        board.apply([make_success(make_quotes({"BTCUSDT": None}), clock)])

    quote = known_quote(board)
    assert quote.last is None
    assert (quote.price, quote.received_mono_s) == (Decimal(100), received_mono_s)
    assert quote.verdict(clock()) is Verdict.LATE


def test_changed_moves_only_with_the_displayed_price(board: Board, clock: FakeClock) -> None:
    def batch(last: str, volume: str) -> QuoteBatch:
        quote = Quote(venue_symbol="BTCUSDT", last=Decimal(last), volume_24h_base=Decimal(volume))
        return QuoteBatch(
            venue="bitunix", fields=frozenset({"last", "volume_24h_base"}), quotes=(quote,), is_complete=True
        )

    board.apply([make_success(batch("100", "1"), clock)])
    first_mono_s = clock.mono_s
    clock.advance(1.0)
    board.apply([make_success(batch("100.00", "2"), clock)])
    unmoved = known_quote(board).changed_mono_s
    clock.advance(1.0)
    board.apply([make_success(batch("100.01", "2"), clock)])

    assert unmoved == first_mono_s
    assert known_quote(board).changed_mono_s == clock.mono_s


def test_derived_figures_are_unknown_where_a_part_is(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    quote = known_quote(board)
    quote.open_24h = Decimal(0)

    assert quote.change_24h is None
    assert quote.spread is None
    assert quote.spread_fraction is None
    assert quote.funding_rate_hourly is None
    quote.funding_rate, quote.funding_interval_h = Decimal("0.0008"), 8
    quote.open_24h = Decimal(80)
    assert quote.funding_rate_hourly == Decimal("0.0001")
    assert quote.change_24h == Decimal("0.25")


# Book


def test_bid_and_ask_come_from_the_book_and_grow_old_with_it(board: Board, clock: FakeClock) -> None:
    depth = {"endpoint": "bitunix.depth", "key": "bitunix.depth:BTCUSDT"}
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    board.apply([make_success(make_book("99", "101"), clock, cadence_s=2.0, **depth)])  # type: ignore[arg-type]  # two texts
    quote = known_quote(board)
    fresh = (quote.spread, quote.spread_fraction, quote.is_current("bid", clock()))
    clock.advance(7.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])

    assert fresh == (Decimal(2), Decimal("0.02"), True)
    assert quote.spread == Decimal(2)
    assert not quote.is_current("bid", clock())
    assert quote.is_current("last", clock())
    book = board.book(BTC)
    assert book is not None
    assert book.verdict(clock()) is Verdict.LATE


def test_an_older_book_does_not_replace_a_newer_one(board: Board, clock: FakeClock) -> None:
    clock.advance(10.0)
    board.apply([make_success(make_book("99", "101"), clock, endpoint="bitunix.depth", took_s=0.1)])
    board.apply([make_success(make_book("89", "91"), clock, endpoint="bitunix.depth", took_s=5.0, key="bitunix.d2")])
    book = board.book(BTC)

    assert book is not None
    assert book.best_bid is not None
    assert book.best_bid.price == Decimal(99)
    assert known_quote(board).bid == Decimal(99)


# Order of arrival


def test_a_reply_that_was_overtaken_does_not_turn_the_price_back(board: Board, clock: FakeClock) -> None:
    clock.advance(10.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "105"}), clock, took_s=0.1)])
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, took_s=5.0, key="bitunix.refresh")])

    assert known_quote(board).price == Decimal(105)
    assert known_quote(board).requested_mono_s == pytest.approx(clock.mono_s - 0.1)


def test_results_of_an_old_plan_change_no_price_but_their_cost_counts(board: Board, clock: FakeClock) -> None:
    board.accept_epoch(2)
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, epoch=1, planned=3, made=3)])

    assert board.quote(BTC) is None
    assert board.venue("bitunix").planned == 3


@given(
    st.lists(
        st.tuples(
            st.sampled_from(range(len(FIELD_SETS))),
            st.integers(0, 50),
            st.integers(1, 5),
            st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(1, 9), min_size=1),
        ),
        max_size=12,
        unique_by=lambda reply: reply[1],
    ),
    st.sets(st.sampled_from(range(len(FIELD_SETS)))),
    st.randoms(use_true_random=False),
)
def test_late_results_end_in_the_same_state_in_any_order(
    replies: list[tuple[int, int, int, dict[str, int]]], complete_feeds: set[int], random: Random
) -> None:
    """Each field shows what the reply asked for last told of it; vanished is what a feed's newest reply left out."""
    clock = FakeClock(2_000.0)
    results = []
    told: dict[tuple[str, str], tuple[int, Decimal]] = {}
    newest: dict[int, tuple[int, set[str]]] = {}
    listed: dict[int, set[str]] = {}
    for number, asked_s, took_s, prices in replies:
        fields = FIELD_SETS[number]
        batch = QuoteBatch(
            venue="bitunix",
            fields=frozenset(fields),
            quotes=tuple(
                Quote(venue_symbol=symbol, **dict.fromkeys(fields, Decimal(price)))  # type: ignore[arg-type]  # all are prices
                for symbol, price in prices.items()
            ),
            is_complete=number in complete_feeds,
        )
        received_mono_s = 1_000.0 + asked_s + took_s
        results.append(
            make_success(batch, clock, endpoint=f"feed{number}", took_s=took_s, received_mono_s=received_mono_s)
        )
        for symbol, price in prices.items():
            for name in fields:
                if asked_s >= told.get((symbol, name), (-1, Decimal(0)))[0]:
                    told[(symbol, name)] = (asked_s, Decimal(price))
        if number in complete_feeds:
            listed.setdefault(number, set()).update(prices)
            if asked_s >= newest.get(number, (-1, set()))[0]:
                newest[number] = (asked_s, set(prices))
    random.shuffle(results)
    board = new_board(clock)
    for result in results:
        board.apply([result])

    for (symbol, name), (asked, value) in told.items():
        quote = known_quote(board, ("bitunix", symbol))
        origin = quote.field_origin(name)
        assert getattr(quote, name) == value
        assert origin is not None
        assert origin.stamp.requested_mono_s == pytest.approx(1_000.0 + asked)
        missing = {f"feed{number}" for number, symbols in listed.items() if symbol in symbols - newest[number][1]}
        assert quote.missing_from == missing
        if quote.price_kind is not None:
            shown = quote.field_origin(quote.price_kind)
            assert shown is not None
            assert quote.stamp is shown.stamp
            assert quote.price == getattr(quote, quote.price_kind)


# Series


def test_the_series_has_a_gap_where_replies_were_missing(board: Board, clock: FakeClock) -> None:
    board.track([BTC])
    for pause_s in (1.0, 1.0, 20.0, 1.0):
        board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
        clock.advance(pause_s)
    series = board.series(BTC)

    assert series is not None
    _, values = series.points(0, series.total)
    assert [value == value for value in values] == [True, True, True, False, True]


def test_untracked_instruments_keep_no_series(board: Board, clock: FakeClock) -> None:
    board.track([BTC])
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "1"}), clock)])
    board.track([("bitunix", "ETHUSDT")])
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "1"}), clock)])
    ethereum = board.series(("bitunix", "ETHUSDT"))

    assert board.series(BTC) is None
    assert ethereum is not None
    assert len(ethereum) == 1
