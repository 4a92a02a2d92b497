"""A board that is recorded: what it takes in is handed to the recorder right after."""

from collections.abc import Sequence

from monitor.history.observer import BoardObserver
from monitor.history.recorder import HistoryRecorder
from monitor.polling.results import PollResult, TaskDone
from monitor.state.board import Board


class RecordingSink:
    """Stands before ``board`` where results come in. Never blocks. Thread: the board's."""

    def __init__(self, board: Board, recorder: HistoryRecorder) -> None:
        self._board = board
        self._recorder = recorder
        self._observer = BoardObserver(board)

    @property
    def revision(self) -> int:
        """The board's."""
        return self._board.revision

    def apply(self, results: Sequence[PollResult], dropped: int = 0) -> None:
        """Let the board take ``results`` in, one by one, and record what each changed."""
        if not results:
            self._board.apply((), dropped)
        for result in results:
            self._board.apply((result,), dropped)
            dropped = 0
            if not isinstance(result, TaskDone):
                self._recorder.record(self._observer.after(result))

    def tick(self) -> None:
        """Let the board notice what time alone brings, and record the events that made."""
        self._board.tick()
        entry = self._observer.after_tick()
        if entry is not None:
            self._recorder.record(entry)
