"""Ages and verdicts of prices on the board: judged by what was received, on the monotonic clock."""

from decimal import Decimal

import pytest

from monitor.domain.market import Quote, QuoteBatch
from monitor.exchanges.base import Source
from monitor.state.board import Board
from monitor.state.verdict import FROZEN_REPLIES, QUIET_CADENCES, Verdict
from tests.fakes.bare_board import BTC, known_quote, new_board
from tests.fakes.poll_results import FakeClock, make_quotes, make_success

MANY = [f"C{number}USDT" for number in range(30)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return new_board(clock)


def poll_many(board: Board, clock: FakeClock, number: int, *, moving: int) -> None:
    """One reply of thirty instruments of which the first ``moving`` have a new price."""
    prices = {symbol: str(100 + number if index < moving else 100) for index, symbol in enumerate(MANY)}
    board.apply([make_success(make_quotes(prices), clock)])


def test_age_is_an_interval_from_reply_to_request_and_cache(board: Board, clock: FakeClock) -> None:
    board.apply(
        [make_success(make_quotes({"BTCUSDT": "100"}), clock, took_s=0.5, source=Source.CACHE, cache_age_s=2.0)]
    )
    clock.advance(1.0)
    age = known_quote(board).age(clock())

    assert age is not None
    assert age == pytest.approx((1.0, 3.5))


def test_silent_feed_leaves_live_and_its_age_keeps_rising(board: Board, clock: FakeClock) -> None:
    """Trap 2."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    seen = []
    for _ in range(6):
        clock.advance(1.0)
        board.apply([])
        quote = known_quote(board)
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

    assert known_quote(board, ("bitunix", MANY[0])).verdict(clock()) is Verdict.LIVE
    assert known_quote(board, ("bitunix", MANY[-1])).verdict(clock()) is Verdict.QUIET
    assert board.venue("bitunix").verdict(clock()) is Verdict.LIVE


def test_a_feed_that_repeats_itself_freezes_all_its_prices(board: Board, clock: FakeClock) -> None:
    """Trap 9, the other half: HTTP 200 with frozen data is not live."""
    for number in range(10):
        clock.advance(1.0)
        poll_many(board, clock, number, moving=10)
    for _ in range(FROZEN_REPLIES):
        clock.advance(1.0)
        poll_many(board, clock, 9, moving=10)

    assert {known_quote(board, ("bitunix", symbol)).verdict(clock()) for symbol in MANY} == {Verdict.FROZEN}
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

    quote = known_quote(board, ("bitunix", MANY[0]))
    assert quote.venue_time == clock.utc_now()
    assert quote.verdict(clock()) is Verdict.FROZEN


def test_wrong_local_clock_does_not_touch_ages(board: Board, clock: FakeClock) -> None:
    """Trap 10: ages come from the monotonic clock; the offset is shown."""
    clock.wall_jump_s = -86_400.0
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock, clock_offset_s=86_400.0)])
    clock.advance(1.0)
    clock.wall_jump_s = 3_600.0
    age = known_quote(board).age(clock())

    assert age is not None
    assert age.low_s == pytest.approx(1.0)
    assert known_quote(board).verdict(clock()) is Verdict.LIVE
    assert board.venue("bitunix").clock_offset_s == pytest.approx(86_400.0)


def test_sleep_marks_every_price_stale_until_received_anew(board: Board, clock: FakeClock) -> None:
    """Trap 8: the monotonic clock may have stood still while the machine slept."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}), clock)])
    board.mark_stale(slept_s=3_600.0)
    slept = known_quote(board).age(clock())
    verdicts = {known_quote(board).verdict(clock()), board.venue("bitunix").verdict(clock())}
    clock.advance(0.5)
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}), clock)])
    awake = known_quote(board).age(clock())

    assert slept is not None
    assert slept.low_s == pytest.approx(3_600.0)
    assert verdicts == {Verdict.LATE}
    assert awake is not None
    assert awake.high_s < 1.0
    assert known_quote(board).verdict(clock()) is Verdict.LIVE


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
