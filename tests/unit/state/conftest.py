"""A board with prices and accounts on it, for the tests of accounts."""

import pytest

from monitor.state.board import Board
from tests.fakes.account_samples import SampleAccounts
from tests.fakes.board_samples import SampleClock, SampleFeed, make_board

Sample = tuple[Board, SampleClock, SampleFeed, SampleAccounts]


@pytest.fixture
def sample() -> Sample:
    board, clock, feed = make_board(seconds=5)
    accounts = SampleAccounts(board, clock)
    accounts.fill_in()
    return board, clock, feed, accounts


def name_of(venue: str, symbol: str) -> str:
    return f"{venue}:{symbol}"
