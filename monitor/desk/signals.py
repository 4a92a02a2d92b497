"""The end by a signal: what a session that ends and Ctrl+C in a terminal send to a window."""

import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Slot


class SignalWatch(QObject):
    """Has Qt's loop call ``leave`` for SIGTERM and SIGINT, so that settings and history are kept, until :meth:`close`.

    Python runs its handlers between any two of its own lines, in the middle of a window that is being made as well; and
    there may be no such line for hours while Qt waits in a loop: in a question that nobody answers, in a window that is
    hidden. So the handlers do nothing, and the arrival of a signal is written to a socket that every loop of Qt's waits
    for. A signal that comes while none runs is found by the next. Thread: the main one.
    """

    def __init__(self, leave: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._leave = leave
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        # With a handler of the system's there would be nothing on the socket.
        self._before = {number: signal.signal(number, _do_nothing) for number in (signal.SIGTERM, signal.SIGINT)}
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)

    def close(self) -> None:
        """Leave signals to whoever had them before. A second call does nothing."""
        before, self._before = self._before, {}
        if not before:
            return
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    @Slot()
    def _on_signal(self) -> None:
        with suppress(BlockingIOError):
            self._reader.recv(4096)
        self._leave()


def _do_nothing(number: int, frame: FrameType | None) -> None: ...
