"""The real main window over a board filled by hand."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QApplication

from monitor.desktop.settings import Settings
from monitor.polling.outbox import Outbox
from monitor.qtmodels.frame_pump import FramePump
from monitor.state.board import Board
from monitor.widgets.main_window import MainWindow
from monitor.widgets.theme import DARK, Theme, apply_theme
from tests.fakes.board_samples import SampleClock, SampleFeed, make_board
from tests.fakes.fake_commands import FakeCommands
from tests.fakes.sample_markets import TITLES


@dataclass
class SampleWindow:
    """A window and everything behind it. The pump's timers do not run: call ``show_now``."""

    window: MainWindow
    board: Board
    clock: SampleClock
    feed: SampleFeed
    outbox: Outbox
    pump: FramePump
    commands: FakeCommands

    def show_now(self) -> None:
        """One fast and one slow frame, as the pump would bring them."""
        self.window.on_frame()
        self.window.on_slow_frame()

    def run(self, seconds: int) -> None:
        """Let time pass with a frame each second."""
        for _ in range(seconds):
            self.feed.run(1)
            self.window.on_frame()
        self.window.on_slow_frame()


def make_window(
    app: QApplication,
    *,
    seconds: int = 60,
    theme: Theme = DARK,
    settings: Settings | None = None,
    is_demo: bool = False,
    watched: int = 6,
    counts: tuple[int, int] = (12, 11),
    keys: Sequence[tuple[str, str]] | None = None,
    is_shown_empty: bool = False,
) -> SampleWindow:
    """Make a window that is not shown yet; ``seconds`` below 0: nothing was received at all.

    ``is_shown_empty``: show it before it is filled, as a start of the program does.
    """
    apply_theme(app, theme)
    if seconds < 0:
        clock = SampleClock()
        board = Board(venues=tuple(TITLES), clock=clock, utc_now=clock.utc_now)
        feed = SampleFeed(board, clock, counts=counts)
    else:
        board, clock, feed = make_board(seconds=seconds, watched=watched, counts=counts)
    outbox = Outbox()
    pump = FramePump(outbox, board)
    commands = FakeCommands()
    settings = settings or Settings(theme=theme.name)
    window = MainWindow(app=app, theme=theme, settings=settings)
    if is_shown_empty:
        window.show()
        app.processEvents()
    window.fill(
        board=board,
        pump=pump,
        settings=settings,
        commands=commands,
        venue_titles=TITLES,
        is_demo=is_demo,
        clock=clock,
        wall_clock=clock.utc_now,
    )
    window.set_watchlist(feed.watchlist(watched) if keys is None else keys)
    return SampleWindow(window, board, clock, feed, outbox, pump, commands)
