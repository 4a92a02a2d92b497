"""Instruments of the board that come, go and come back while their prices are shown."""

from decimal import Decimal

import pytest

from monitor.state.board import Board
from monitor.state.verdict import Verdict
from tests.fakes.bare_board import BTC, known_quote, new_board
from tests.fakes.poll_results import FakeClock, make_catalog, make_instrument, make_quotes, make_success


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return new_board(clock)


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
    assert known_quote(board).price == Decimal(101)


def test_vanished_instrument_keeps_its_value_and_comes_back(board: Board, clock: FakeClock) -> None:
    """Trap 16: a symbol vanishes while shown."""
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}), clock)])
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"ETHUSDT": "10"}), clock)])
    gone = known_quote(board)
    flags = (gone.is_vanished, gone.price, gone.verdict(clock()).is_trustworthy)
    age = gone.age(clock())
    clock.advance(1.0)
    board.apply([make_success(make_quotes({"BTCUSDT": "103", "ETHUSDT": "10"}), clock)])

    assert flags == (True, Decimal(100), False)
    assert age is not None
    assert age.low_s == pytest.approx(1.0)
    assert not known_quote(board).is_vanished
    assert known_quote(board).verdict(clock()) is Verdict.LIVE
    texts = [entry.text for entry in board.events.items]
    assert "no longer listed: BTCUSDT" in texts
    assert "listed again: BTCUSDT" in texts


def test_vanished_values_do_not_take_the_clocks_of_replies_without_them(board: Board, clock: FakeClock) -> None:
    board.apply([make_success(make_quotes({"BTCUSDT": "100", "ETHUSDT": "10"}, field="mark"), clock)])
    clock.advance(30.0)
    board.apply([make_success(make_quotes({"ETHUSDT": "10"}, field="mark"), clock)])
    age = known_quote(board).field_age("mark", clock())

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
    is_flagged, found = known_quote(board).is_vanished, board.find("BTC")
    board.apply([pairs[2]])

    assert is_flagged
    assert found == []
    assert board.instruments[BTC].name == "BTC-USDT-PERP"
    assert not known_quote(board).is_vanished


def test_a_new_builder_dex_appears(board: Board, clock: FakeClock) -> None:
    """Trap 16: its reply neither flags nor touches the instruments of the first dex."""
    tesla = ("hyperliquid", "xyz:TSLA")

    def mids(prices: dict[str, str | None], dex: str = "") -> object:
        return make_quotes(prices, venue="hyperliquid", field="mid", dex=dex)

    board.apply([make_success(mids({"BTC": "100"}), clock, venue="hyperliquid", endpoint="h.mids")])  # type: ignore[arg-type]  # a QuoteBatch
    clock.advance(1.0)
    xyz = mids({"xyz:TSLA": "300"}, dex="xyz")
    board.apply([make_success(xyz, clock, venue="hyperliquid", endpoint="h.mids", key="h.mids:xyz")])  # type: ignore[arg-type]  # a QuoteBatch

    assert known_quote(board, tesla).price == Decimal(300)
    assert not known_quote(board, ("hyperliquid", "BTC")).is_vanished
    assert board.venue("hyperliquid").fast_feed is known_quote(board, ("hyperliquid", "BTC")).feed


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
