"""What the board tells people: once when something begins, once when it ends, and never a storm."""

from datetime import timedelta

import pytest

from monitor.domain.errors import ErrorKind, PauseCause
from monitor.domain.telemetry import PoolStats
from monitor.polling.results import TaskDone
from monitor.state.board import Board
from tests.fakes.poll_results import FakeClock, make_budget, make_failure, make_quotes, make_success, make_trace

PRICES = {f"C{number}USDT": "100" for number in range(12)}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return Board(venues=("bitunix", "hyperliquid"), clock=clock, utc_now=clock.utc_now)


def texts(board: Board) -> list[str]:
    return [entry.text for entry in board.events.items]


def test_silence_is_told_once_and_so_is_its_end(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes(PRICES), clock)])
    for _ in range(30):
        clock.advance(1.0)
        board.tick()
    board.apply([make_success(make_quotes(PRICES), clock)])

    assert texts(board) == ["prices arrive", "prices are late: nothing received for 4.0 s", "prices are live again"]
    assert [entry.count for entry in board.events.items] == [1, 1, 1]


def test_a_venue_that_flaps_fills_no_list(board: Board, clock: FakeClock) -> None:
    for _ in range(20):
        board.apply([make_success(make_quotes(PRICES), clock)])
        clock.advance(4.0)
        board.tick()

    assert [entry.count for entry in board.events.items] == [1, 20, 19]


def test_a_frozen_venue_is_told(board: Board, clock: FakeClock) -> None:
    for number in range(30):
        clock.advance(1.0)
        prices = {symbol: str(min(number, 10) + 100) for symbol in PRICES}
        board.apply([make_success(make_quotes(prices), clock)])

    assert texts(board)[-1] == "prices are frozen: replies arrive, but nothing in them changes"


def test_only_the_first_failure_of_a_streak_and_its_end_are_told(board: Board, clock: FakeClock) -> None:
    for streak in range(1, 8):
        board.apply([make_failure(clock, streak=streak)])
        clock.advance(1.0)
    failing = board.venue("bitunix").failure_streak
    board.apply([make_success(make_quotes(PRICES), clock)])

    assert failing == 7
    assert board.venue("bitunix").failure_streak == 0
    assert texts(board) == [
        "bitunix.tickers failed: no answer within 8 s",
        "bitunix.tickers answers again after 7 failures",
        "prices arrive",
    ]


def test_a_pause_is_told_with_its_length_and_its_end(board: Board, clock: FakeClock) -> None:
    """Trap 7 as far as the screen is concerned: a countdown that ends, one event each."""
    paused = make_budget(paused_for_s=5.0, refusals=1, is_shared_suspected=True)
    board.apply([make_failure(clock, kind=ErrorKind.RATE_LIMITED, text="too many requests", budget=paused)])
    venue = board.venue("bitunix")
    countdown = [venue.paused_for_s(clock.mono_s + passed_s) for passed_s in (0.0, 2.0, 4.0, 5.0)]
    clock.advance(5.1)
    board.tick()
    board.tick()

    assert countdown == [5.0, 3.0, 1.0, None]
    pauses = [text for text in texts(board) if "pause" in text]
    assert len(pauses) == 2
    assert pauses[0].startswith("too many requests: paused for 5 s; our own use was under the cap")
    assert pauses[1] == "the pause after the refusal is over, asking again"


def test_an_outage_blames_nobody_for_the_limit(board: Board, clock: FakeClock) -> None:
    """Even while an earlier refusal still makes somebody else suspect."""
    paused = make_budget(paused_for_s=5.0, pause_cause=PauseCause.UNAVAILABLE, is_shared_suspected=True)
    board.apply([make_failure(clock, kind=ErrorKind.VENUE, text="Bitunix is unavailable (HTTP 503)", budget=paused)])
    clock.advance(5.1)
    board.tick()

    assert texts(board) == [
        "unavailable (HTTP 503): paused for 5 s",
        "bitunix.tickers failed: Bitunix is unavailable (HTTP 503)",
        "the pause after HTTP 503 is over, asking again",
    ]


def test_a_healed_connection_is_told_and_counted(board: Board, clock: FakeClock) -> None:
    healed = make_trace(1, is_healed=True, error_kind=ErrorKind.DROPPED)
    board.apply([make_success(make_quotes(PRICES), clock, traces=[healed, make_trace(1, attempt=2)])])

    assert board.venue("bitunix").healed == 1
    assert next(entry for entry in board.events.items if "healed" in entry.text).level == "info"


def test_an_evicted_pool_names_the_setting_to_raise(board: Board, clock: FakeClock) -> None:
    for evicted in (0, 1, 1):
        pool = PoolStats(venue="bitunix", host="venue.test:443", scheme="https", evicted_pools=evicted)
        board.apply([make_success(make_quotes(PRICES), clock, pools=[pool])])
        clock.advance(1.0)

    (entry,) = [entry for entry in board.events.items if "pool_connections" in entry.text]
    assert (entry.level, entry.count) == ("error", 1)


def test_missed_polls_are_counted_against_the_schedule(board: Board, clock: FakeClock) -> None:
    """Trap 6: a poll that took too long hides the ones it kept from happening, unless they are counted."""
    board.apply([make_success(make_quotes(PRICES), clock, planned=1, made=1)])
    clock.advance(8.0)
    board.apply([make_success(make_quotes(PRICES), clock, planned=9, made=2, missed=7)])
    venue = board.venue("bitunix")

    assert (venue.planned, venue.made, venue.missed) == (9, 2, 7)
    assert "prices: 7 polls were due while an earlier one was still waiting (bitunix.tickers)" in texts(board)
    assert board.events.items[-1].level == "warning"


def test_polls_missed_while_a_venue_fails_are_no_news_of_their_own(board: Board, clock: FakeClock) -> None:
    board.apply([make_failure(clock, kind=ErrorKind.DNS, text="no network")])
    clock.advance(16.0)
    board.apply([make_failure(clock, kind=ErrorKind.DNS, text="no network", streak=2, missed=16)])

    (missed,) = [entry for entry in board.events.items if "due" in entry.text]
    assert missed.text.startswith("prices: 16 polls were due while an earlier one had failed")
    assert missed.level == "info", "the failure was told as an error"


def test_a_wait_for_our_own_budget_is_no_failure_that_ends(board: Board, clock: FakeClock) -> None:
    board.apply([make_failure(clock, kind=ErrorKind.BUDGET, text="waiting for the request budget", missed=3)])
    board.apply([make_success(make_quotes(PRICES), clock)])
    told = list(texts(board))
    board.apply([make_failure(clock), make_failure(clock, kind=ErrorKind.BUDGET, text="waiting")])
    board.apply([make_success(make_quotes(PRICES), clock)])

    assert told == [
        "prices: 3 polls were due while our share of the request limit was used up (bitunix.tickers)",
        "prices arrive",
    ]
    assert "bitunix.tickers answers again after 1 failure" in texts(board), "a failure before the wait was one"


def test_a_wait_for_our_own_budget_makes_no_venue_fail(board: Board, clock: FakeClock) -> None:
    venue = board.venue("bitunix")
    board.apply([make_failure(clock, kind=ErrorKind.BUDGET, text="waiting", endpoint="bitunix.depth")])

    assert (venue.failure_streak, venue.failing_endpoints, venue.failing_because) == (0, (), None)
    assert (dict(venue.failed_by_kind), venue.last_failure) == ({}, None)
    assert venue.waiting_endpoints == ("bitunix.depth",)

    board.apply([make_failure(clock, streak=2)])
    board.apply([make_failure(clock, kind=ErrorKind.BUDGET, text="waiting", streak=2)])

    assert (venue.failure_streak, venue.failing_endpoints) == (2, ("bitunix.tickers",)), "what failed still does"
    assert venue.failing_because == "no answer within 8 s"
    assert dict(venue.failed_by_kind) == {ErrorKind.TIMEOUT: 1}

    board.apply([make_success(make_quotes(PRICES), clock)])

    assert (venue.failure_streak, venue.failing_endpoints) == (0, ())
    assert venue.waiting_endpoints == ("bitunix.depth",)


def test_a_job_that_comes_back_to_the_plan_keeps_the_venues_totals(board: Board, clock: FakeClock) -> None:
    for planned, made in ((1, 1), (5, 4), (1, 1), (2, 2)):
        board.apply([make_success(make_quotes(PRICES), clock, planned=planned, made=made)])

    assert (board.venue("bitunix").planned, board.venue("bitunix").made) == (7, 6)


def test_a_job_that_restarts_at_once_is_not_taken_for_the_same_count(board: Board, clock: FakeClock) -> None:
    for _ in range(3):
        board.apply([make_success(make_quotes(PRICES), clock, planned=1, made=1)])

    assert (board.venue("bitunix").planned, board.venue("bitunix").made) == (3, 3)


def test_a_poll_the_budget_held_back_is_not_a_restart(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes(PRICES), clock, planned=10, made=10)])
    board.apply([make_failure(clock, kind=ErrorKind.BUDGET, planned=10, made=10)])
    board.apply([make_success(make_quotes(PRICES), clock, planned=12, made=11, missed=1)])
    venue = board.venue("bitunix")

    assert (venue.planned, venue.made, venue.missed) == (12, 11, 1)


def test_the_last_result_of_a_wound_down_plan_counts_once(board: Board, clock: FakeClock) -> None:
    for epoch, planned in ((1, 100), (2, 1), (1, 101), (2, 2)):
        board.apply([make_success(make_quotes(PRICES), clock, epoch=epoch, planned=planned, made=planned)])

    assert (board.venue("bitunix").planned, board.venue("bitunix").made) == (103, 103)


def test_lost_results_are_told(board: Board) -> None:
    board.apply([], dropped=3)
    board.apply([], dropped=1)

    assert board.dropped_results == 4
    (entry,) = board.events.items
    assert (entry.level, entry.count) == ("error", 2)


def test_many_vanished_instruments_are_one_event(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes(PRICES), clock)])
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"C0USDT": "100"}), clock)])

    (text,) = [text for text in texts(board) if text.startswith("no longer listed")]
    assert text.endswith("and 8 more")


def test_events_carry_the_venue_and_a_utc_stamp(board: Board, clock: FakeClock) -> None:
    board.apply([make_failure(clock, venue="hyperliquid", endpoint="hyperliquid.allMids")])

    (entry,) = board.events.items
    assert entry.venue == "hyperliquid"
    assert entry.at == clock.utc_now()
    assert entry.at.utcoffset() == timedelta(0)


def test_one_off_work_is_not_the_boards(board: Board) -> None:
    revision = board.events.revision
    board.apply([TaskDone(token=1, value="anything", failure=None)])

    assert board.events.revision == revision
    assert len(board.requests) == 0


def test_failures_are_counted_by_kind(board: Board, clock: FakeClock) -> None:
    for kind in (ErrorKind.TIMEOUT, ErrorKind.PAYLOAD, ErrorKind.TIMEOUT):
        board.apply([make_failure(clock, kind=kind)])

    venue = board.venue("bitunix")
    assert dict(venue.failed_by_kind) == {ErrorKind.TIMEOUT: 2, ErrorKind.PAYLOAD: 1}
    assert venue.last_failure is not None
    assert venue.last_failure.failure.kind is ErrorKind.TIMEOUT


def test_failures_of_a_job_the_new_plan_may_not_have_do_not_linger(board: Board, clock: FakeClock) -> None:
    board.apply([make_failure(clock, endpoint="bitunix.depth", streak=4, epoch=1)])
    board.accept_epoch(2)

    assert board.venue("bitunix").failure_streak == 0
    assert board.venue("bitunix").failing_endpoints == ()


def test_a_result_of_an_unexpected_venue_is_shown_too(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"X": "1"}, venue="third"), clock, venue="third", endpoint="third.all")])

    assert board.venue_names == ("bitunix", "hyperliquid", "third")


def test_the_revision_grows_with_results_and_with_what_time_brings(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes(PRICES), clock)])
    applied = board.revision
    board.tick()
    unchanged = board.revision
    clock.advance(10.0)
    board.tick()

    assert unchanged == applied
    assert board.revision > applied
