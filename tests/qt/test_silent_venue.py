"""Without a network: an empty chart and a watchlist without prices say why, and stop when prices come."""

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from monitor.domain.errors import ErrorKind
from monitor.state.board import Board
from monitor.widgets.chart_area import ChartArea
from monitor.widgets.theme import DARK
from monitor.widgets.watchlist import Watchlist
from tests.fakes.poll_results import FakeClock, make_failure, make_quotes, make_success

KEY = ("bitunix", "BTCUSDT")
OTHER_KEY = ("hyperliquid", "BTC")
WHY = "No address was found for venue.test:443 (bitunix). Is the network up, and the host name right?"


def _board() -> tuple[Board, FakeClock]:
    clock = FakeClock()
    board = Board(venues=("bitunix", "hyperliquid"), clock=clock, utc_now=clock.utc_now)
    board.track((KEY,))
    return board, clock


def _helps(watchlist: Watchlist) -> list[str]:
    labels = [label for label in watchlist.findChildren(QLabel) if label.text().endswith("Polling goes on.")]
    return [label.text() for label in labels if label.isVisibleTo(watchlist)]


def _told(watchlist: Watchlist) -> list[str]:
    labels = watchlist.findChildren(QLabel, "problem")
    return [label.text() for label in labels if label.isVisibleTo(watchlist)]


def test_the_watchlist_says_why_there_is_no_price(qtbot: QtBot) -> None:
    board, clock = _board()
    watchlist = Watchlist(board, clock=clock, venue_title=str.title, theme=DARK)
    qtbot.addWidget(watchlist)
    watchlist.set_keys((KEY,))
    watchlist.on_slow_frame()
    before = _told(watchlist)
    board.apply([make_failure(clock, kind=ErrorKind.BUDGET, text="waiting for the request budget")])
    watchlist.on_slow_frame()
    waiting = _told(watchlist)
    board.apply([make_failure(clock, kind=ErrorKind.DNS, text=WHY)])
    watchlist.on_slow_frame()
    failing = _told(watchlist)
    row = watchlist.model.figures_at(0).source
    board.apply([make_failure(clock, kind=ErrorKind.CONNECT, text="bitunix could not be reached.")])
    watchlist.on_slow_frame()
    unreached = _told(watchlist)
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    watchlist.on_slow_frame()

    assert before == waiting == []
    assert failing == [f"Bitunix: {WHY}"]
    assert unreached == ["Bitunix could not be reached."], "named once"
    assert row == f"none, because: {WHY}"
    assert _told(watchlist) == []


def test_who_cannot_reach_a_venue_is_told_where_to_look(qtbot: QtBot) -> None:
    board, clock = _board()
    watchlist = Watchlist(board, clock=clock, venue_title=str.title, theme=DARK)
    qtbot.addWidget(watchlist)
    watchlist.set_keys((KEY, OTHER_KEY))
    for venue in ("bitunix", "hyperliquid"):
        text = f"{venue} could not be reached."
        board.apply([make_failure(clock, venue=venue, endpoint=f"{venue}.x", kind=ErrorKind.CONNECT, text=text)])
    watchlist.on_slow_frame()
    without_network = _helps(watchlist)
    prices = make_quotes({"BTC": "100"}, venue="hyperliquid", field="mid")
    board.apply([make_success(prices, clock, venue="hyperliquid", endpoint="hyperliquid.x")])
    watchlist.on_slow_frame()
    with_one = _helps(watchlist)
    board.apply([make_failure(clock, endpoint="bitunix.x", kind=ErrorKind.VENUE, text="Bitunix is unavailable")])
    watchlist.on_slow_frame()

    assert len(without_network) == 1, "once, whatever the number of venues"
    assert without_network[0].startswith("Check the network of this computer. Proxy")
    assert "Settings, Network (Ctrl+,)" in without_network[0]
    assert len(with_one) == 1
    assert with_one[0].startswith("Another venue answers")
    assert _helps(watchlist) == [], "it was reached"


def test_the_empty_chart_says_why_there_is_no_price(qtbot: QtBot) -> None:
    board, clock = _board()
    charts = ChartArea(board, clock=clock, utc_now=clock.utc_now, venue_title=str.title, theme=DARK)
    qtbot.addWidget(charts)
    charts.resize(800, 600)
    charts.show()
    charts.load_plots()
    charts.set_focus(KEY)
    told = [charts.empty_text]
    board.apply([make_failure(clock, kind=ErrorKind.DNS, text=WHY)])
    charts.refresh_plots()
    told.append(charts.empty_text)
    board.apply([make_success(make_quotes({"BTCUSDT": "100"}), clock)])
    charts.refresh_plots()
    told.append(charts.empty_text)
    charts.set_focus(None)
    told.append(charts.empty_text)

    assert told[0] == told[2] == "Waiting for the first price…"
    assert told[1].splitlines()[0] == f"No price. Bitunix: {WHY}"
    assert told[1].splitlines()[1].startswith("Check the network of this computer.")
    assert told[3].startswith("Choose an instrument")
