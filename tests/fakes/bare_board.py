"""A board of two venues that nothing was put on yet, and what it knows of one instrument."""

from monitor.state.board import Board
from monitor.state.quotes import QuoteState
from tests.fakes.poll_results import FakeClock

BTC = ("bitunix", "BTCUSDT")


def new_board(clock: FakeClock) -> Board:
    """Empty, on ``clock``."""
    return Board(venues=("bitunix", "hyperliquid"), clock=clock, utc_now=clock.utc_now, series_capacity=1_000)


def known_quote(board: Board, key: tuple[str, str] = BTC) -> QuoteState:
    """What is known of an instrument; fails when nothing is."""
    quote = board.quote(key)
    assert quote is not None
    return quote
