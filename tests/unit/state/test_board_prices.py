"""Prices on the board: merged from several feeds, never moved back in time, judged by what was received."""

from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.market import BookLevel, OrderBook, Quote, QuoteBatch
from monitor.exchanges.base import Source
from monitor.state.board import Board
from monitor.state.quotes import QuoteState
from monitor.state.verdict import FROZEN_REPLIES, QUIET_CADENCES, Verdict
from tests.fakes.poll_results import FakeClock, make_catalog, make_instrument, make_quotes, make_success

BTC = ("bitunix", "BTCUSDT")
MANY = [f"C{number}USDT" for number in range(30)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return new_board(clock)


def new_board(clock: FakeClock) -> Board:
    return Board(venues=("bitunix", "hyperliquid"), clock=clock, utc_now=clock.utc_now, series_capacity=1_000)


def known(board: Board, key: tuple[str, str] = BTC) -> QuoteState:
    quote = board.quote(key)
    assert quote is not None
    return quote


def poll_many(board: Board, clock: FakeClock, number: int, *, moving: int) -> None:
    """One reply of thirty instruments of which the first ``moving`` have a new price."""
    prices = {symbol: str(100 + number if index < moving else 100) for index, symbol in enumerate(MANY)}
    board.apply([make_success(make_quotes(prices), clock)])


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

    quote = known(board)
    assert quote.last == Decimal(100)
    assert quote.mark is None
    assert quote.funding_rate == Decimal("0.0001")


def test_the_displayed_price_is_what_the_fastest_feed_brings(board: Board, clock: FakeClock) -> None:
    mids = make_quotes({"BTC": "100"}, venue="hyperliquid", field="mid")
    marks = make_quotes({"BTC": "99"}, venue="hyperliquid", field="mark", complete=False)
    board.apply([make_success(marks, clock, venue="hyperliquid", endpoint="h.contexts", cadence_s=30.0)])
    before = (known(board, ("hyperliquid", "BTC")).price, known(board, ("hyperliquid", "BTC")).price_kind)
    board.apply([make_success(mids, clock, venue="hyperliquid", endpoint="h.mids")])

    quote = known(board, ("hyperliquid", "BTC"))
    assert before == (Decimal(99), "mark")
    assert (quote.price, quote.price_kind) == (Decimal(100), "mid")


def test_a_faster_feed_of_a_lesser_kind_wins_over_a_slow_last_price(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, endpoint="bitunix.slow", cadence_s=60.0)])
    board.apply([make_success(make_quotes({"BTCUSDT": "101"}, field="mid"), clock, endpoint="bitunix.mids")])

    assert known(board).price_kind == "mid"
    assert known(board).price == Decimal(101)


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

    quote = known(board, key)
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

    quote = known(board)
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
    unmoved = known(board).changed_mono_s
    clock.advance(1.0)
    board.apply([make_success(batch("100.01", "2"), clock)])

    assert unmoved == first_mono_s
    assert known(board).changed_mono_s == clock.mono_s


def test_age_is_an_interval_from_reply_to_request_and_cache(board: Board, clock: FakeClock) -> None:
    board.apply(
        [make_success(make_quotes({"BTCUSDT": "100"}), clock, took_s=0.5, source=Source.CACHE, cache_age_s=2.0)]
    )
    clock.advance(1.0)
    age = known(board).age(clock())

    assert age is not None
    assert age == pytest.approx((1.0, 3.5))


def test_silent_feed_leaves_live_and_its_age_keeps_rising(board: Board, clock: FakeClock) -> None:
    """Trap 2."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    seen = []
    for _ in range(6):
        clock.advance(1.0)
        board.apply([])
        quote = known(board)
        age = quote.age(clock())
        assert age is not None
        seen.append((round(age.low_s, 3), quote.verdict(clock()), board.venue("bitunix").verdict(clock())))

    assert [low_s for low_s, _, _ in seen] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert [verdict for _, verdict, _ in seen] == [Verdict.LIVE] * 3 + [Verdict.LATE] * 3
    assert [verdict for _, _, verdict in seen] == [Verdict.LIVE] * 3 + [Verdict.LATE] * 3
    assert not Verdict.LATE.is_trustworthy


def test_quiet_instrument_is_not_a_frozen_feed(board: Board, clock: FakeClock) -> None:
    """Trap 9: compared with the other instruments of the same reply."""
    for number in range(int(QUIET_CADENCES) + 5):
        clock.advance(1.0)
        poll_many(board, clock, number, moving=1)

    assert known(board, ("bitunix", MANY[0])).verdict(clock()) is Verdict.LIVE
    assert known(board, ("bitunix", MANY[-1])).verdict(clock()) is Verdict.QUIET
    assert board.venue("bitunix").verdict(clock()) is Verdict.LIVE


def test_a_feed_that_repeats_itself_freezes_all_its_prices(board: Board, clock: FakeClock) -> None:
    """Trap 9, the other half: HTTP 200 with frozen data is not live."""
    for number in range(10):
        clock.advance(1.0)
        poll_many(board, clock, number, moving=10)
    for _ in range(FROZEN_REPLIES):
        clock.advance(1.0)
        poll_many(board, clock, 9, moving=10)

    assert {known(board, ("bitunix", symbol)).verdict(clock()) for symbol in MANY} == {Verdict.FROZEN}
    assert board.venue("bitunix").verdict(clock()) is Verdict.FROZEN


def test_a_venue_stamp_that_moves_alone_is_no_sign_of_life(board: Board, clock: FakeClock) -> None:
    for number in range(40):
        clock.advance(1.0)
        price = 100 + min(number, 10)
        batch = QuoteBatch(
            venue="bitunix",
            fields=frozenset({"last", "venue_time"}),
            quotes=tuple(
                Quote(venue_symbol=symbol, last=Decimal(price), venue_time=clock.utc_now()) for symbol in MANY
            ),
            is_complete=True,
        )
        board.apply([make_success(batch, clock)])

    quote = known(board, ("bitunix", MANY[0]))
    assert quote.venue_time == clock.utc_now()
    assert quote.verdict(clock()) is Verdict.FROZEN


def test_wrong_local_clock_does_not_touch_ages(board: Board, clock: FakeClock) -> None:
    """Trap 10: ages come from the monotonic clock; the offset is shown."""
    clock.wall_jump_s = -86_400.0
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, clock_offset_s=86_400.0)])
    clock.advance(1.0)
    clock.wall_jump_s = 3_600.0
    age = known(board).age(clock())

    assert age is not None
    assert age.low_s == pytest.approx(1.0)
    assert known(board).verdict(clock()) is Verdict.LIVE
    assert board.venue("bitunix").clock_offset_s == pytest.approx(86_400.0)


def test_sleep_marks_every_price_stale_until_received_anew(board: Board, clock: FakeClock) -> None:
    """Trap 8: the monotonic clock may have stood still while the machine slept."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}), clock)])
    board.mark_stale(slept_s=3_600.0)
    slept = known(board).age(clock())
    verdicts = {known(board).verdict(clock()), board.venue("bitunix").verdict(clock())}
    clock.advance(0.5)
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}), clock)])
    awake = known(board).age(clock())

    assert slept is not None
    assert slept.low_s == pytest.approx(3_600.0)
    assert verdicts == {Verdict.LATE}
    assert awake is not None
    assert awake.high_s < 1.0
    assert known(board).verdict(clock()) is Verdict.LIVE


def test_a_wall_clock_jump_enters_no_duration(board: Board, clock: FakeClock) -> None:
    """Trap 8: durations are monotonic."""
    board.track([BTC])
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    clock.wall_jump_s = 7_200.0
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "101"}), clock)])
    series = board.series(BTC)

    assert series is not None
    times, values = series.points(0, series.total)
    assert list(times) == [1_000.0, 1_001.0]
    assert list(values) == [100.0, 101.0]


def test_a_reply_that_was_overtaken_does_not_turn_the_price_back(board: Board, clock: FakeClock) -> None:
    clock.advance(10.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "105"}), clock, took_s=0.1)])
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, took_s=5.0, key="bitunix.refresh")])

    assert known(board).price == Decimal(105)
    assert known(board).requested_mono_s == pytest.approx(clock.mono_s - 0.1)


def test_results_of_an_old_plan_change_no_price_but_their_cost_counts(board: Board, clock: FakeClock) -> None:
    board.accept_epoch(2)
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, epoch=1, planned=3, made=3)])

    assert board.quote(BTC) is None
    assert board.venue("bitunix").planned == 3


def test_the_list_of_instruments_is_taken_from_an_old_plan_too(board: Board, clock: FakeClock) -> None:
    board.accept_epoch(2)
    pairs = make_success(make_catalog(["BTCUSDT"]), clock, endpoint="bitunix.trading_pairs", epoch=1)
    board.apply([pairs])

    assert BTC in board.instruments


def test_symbols_outside_the_catalog_are_dropped(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "SECRETUSDT": "1"}), clock)])
    assert board.quote(("bitunix", "SECRETUSDT")) is not None
    board.apply([make_success(make_catalog(["BTCUSDT"]), clock, endpoint="bitunix.trading_pairs")])
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "101", "SECRETUSDT": "2", "NEWUSDT": "3"}), clock)])

    assert board.quote(("bitunix", "SECRETUSDT")) is None
    assert board.quote(("bitunix", "NEWUSDT")) is None
    assert known(board).price == Decimal(101)


def test_vanished_instrument_keeps_its_value_and_comes_back(board: Board, clock: FakeClock) -> None:
    """Trap 16: a symbol vanishes while shown."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}), clock)])
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"ETHUSDT": "10"}), clock)])
    gone = known(board)
    flags = (gone.is_vanished, gone.price, gone.verdict(clock()).is_trustworthy)
    age = gone.age(clock())
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "103", "ETHUSDT": "10"}), clock)])

    assert flags == (True, Decimal(100), False)
    assert age is not None
    assert age.low_s == pytest.approx(1.0)
    assert not known(board).is_vanished
    assert known(board).verdict(clock()) is Verdict.LIVE
    texts = [entry.text for entry in board.events.items]
    assert "no longer listed: BTCUSDT" in texts
    assert "listed again: BTCUSDT" in texts


def test_vanished_values_do_not_take_the_clocks_of_replies_without_them(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}, field="mark"), clock)])
    clock.advance(30.0)
    board.apply([make_success(make_quotes({"ETHUSDT": "10"}, field="mark"), clock)])
    age = known(board).field_age("mark", clock())

    assert age is not None
    assert age.low_s == pytest.approx(30.0)


def test_an_instrument_that_leaves_the_catalog_is_flagged_and_stays_readable(board: Board, clock: FakeClock) -> None:
    """Trap 16: the list of instruments changes while one is shown."""
    pairs = [
        make_success(make_catalog(names), clock, endpoint="bitunix.trading_pairs")
        for names in (["BTCUSDT", "ETHUSDT"], ["ETHUSDT"], ["BTCUSDT", "ETHUSDT"])
    ]
    board.apply([pairs[0], make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "1"}), clock)])
    board.apply([pairs[1]])
    is_flagged, found = known(board).is_vanished, board.find("BTC")
    board.apply([pairs[2]])

    assert is_flagged
    assert found == []
    assert board.instruments[BTC].name == "BTC-USDT-PERP"
    assert not known(board).is_vanished


def test_a_new_builder_dex_appears(board: Board, clock: FakeClock) -> None:
    """Trap 16: its reply neither flags nor touches the instruments of the first dex."""
    tesla = ("hyperliquid", "xyz:TSLA")

    def mids(prices: dict[str, str | None], dex: str = "") -> object:
        return make_quotes(prices, venue="hyperliquid", field="mid", dex=dex)

    board.apply([make_success(mids({"BTC": "100"}), clock, venue="hyperliquid", endpoint="h.mids")])  # type: ignore[arg-type]  # a QuoteBatch
    clock.advance(1.0)
    xyz = mids({"xyz:TSLA": "300"}, dex="xyz")
    board.apply([make_success(xyz, clock, venue="hyperliquid", endpoint="h.mids", key="h.mids:xyz")])  # type: ignore[arg-type]  # a QuoteBatch

    assert known(board, tesla).price == Decimal(300)
    assert not known(board, ("hyperliquid", "BTC")).is_vanished
    assert board.venue("hyperliquid").fast_feed is known(board, ("hyperliquid", "BTC")).feed


def make_book(bid: str, ask: str) -> OrderBook:
    def level(price: str) -> BookLevel:
        return BookLevel(price=Decimal(price), size=Decimal(1))

    return OrderBook(venue="bitunix", venue_symbol="BTCUSDT", bids=(level(bid),), asks=(level(ask),))


def test_bid_and_ask_come_from_the_book_and_grow_old_with_it(board: Board, clock: FakeClock) -> None:
    depth = {"endpoint": "bitunix.depth", "key": "bitunix.depth:BTCUSDT"}
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    board.apply([make_success(make_book("99", "101"), clock, cadence_s=2.0, **depth)])  # type: ignore[arg-type]  # two texts
    quote = known(board)
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
    assert known(board).bid == Decimal(99)


def test_derived_figures_are_unknown_where_a_part_is(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    quote = known(board)
    quote.open_24h = Decimal(0)

    assert quote.change_24h is None
    assert quote.spread is None
    assert quote.spread_fraction is None
    assert quote.funding_rate_hourly is None
    quote.funding_rate, quote.funding_interval_h = Decimal("0.0008"), 8
    quote.open_24h = Decimal(80)
    assert quote.funding_rate_hourly == Decimal("0.0001")
    assert quote.change_24h == Decimal("0.25")


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


def test_counterpart_is_the_same_market_on_the_other_venue(board: Board, clock: FakeClock) -> None:
    hyperliquid = make_catalog(["BTC", "ETH"], venue="hyperliquid")
    board.apply(
        [
            make_success(make_catalog(["BTCUSDT"]), clock, endpoint="bitunix.trading_pairs"),
            make_success(hyperliquid, clock, venue="hyperliquid", endpoint="h.meta"),
        ]
    )

    assert board.counterpart(BTC) == ("hyperliquid", "BTC")
    assert board.counterpart(("hyperliquid", "BTC")) == BTC
    assert board.counterpart(("hyperliquid", "ETH")) is None
    assert make_instrument("ETHUSDT").market == ("perp", "ETH")


FIELD_SETS = (("last", "mark"), ("mark", "mid"), ("bid",))


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
        quote = known(board, ("bitunix", symbol))
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
