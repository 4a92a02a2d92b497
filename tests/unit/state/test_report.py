"""The text that a run without a screen leaves: nothing that failed is missing from it."""

from monitor.domain.errors import ErrorKind
from monitor.state.board import Board
from monitor.state.report import summary_lines
from tests.fakes.poll_results import FakeClock, make_failure, make_quotes, make_success, make_trace

TITLES = {"bitunix": "Bitunix"}


def lines_of(board: Board, clock: FakeClock) -> list[str]:
    clock.advance(1.0)
    return list(summary_lines(board, TITLES, (), now_mono_s=clock()))


def test_attempts_that_never_connected_have_a_line_of_their_own() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    for number in range(3):
        trace = make_trace(number + 1, is_cold=None, error_kind=ErrorKind.DNS, status=None)
        board.apply([make_failure(clock, traces=(trace,))])

    lines = lines_of(board, clock)

    assert [line for line in lines if "no connection" in line and line.endswith("failed 3")]
    assert [line for line in lines if "cold (new" in line and line.endswith("failed 0")]


def test_a_run_that_always_connected_has_no_such_line() -> None:
    clock = FakeClock()
    board = Board(venues=("bitunix",), clock=clock, utc_now=clock.utc_now)
    board.apply([make_success(make_quotes({}), clock, traces=(make_trace(1, is_cold=False),))])

    assert not [line for line in lines_of(board, clock) if "no connection" in line]
