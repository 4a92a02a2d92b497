"""The end by a signal: what a session that ends and Ctrl+C in a terminal send to a window."""

import signal
import socket
from collections.abc import Callable
from contextlib import suppress

from PySide6.QtCore import QObject, QSocketNotifier, Slot


class SignalWatch(QObject):
    """Calls ``leave`` for SIGTERM and SIGINT, so that settings and history are kept, until :meth:`close`.

    Python runs its handlers between two of its own lines, and there may be none for hours while Qt waits in a loop: in
    a question that nobody answers, in a window that is hidden. So the arrival of a signal is also written to a socket
    that Qt's loop waits for. Thread: the main one.
    """

    def __init__(self, leave: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_signal)
        self._before = {number: signal.signal(number, lambda *_: leave()) for number in (signal.SIGTERM, signal.SIGINT)}
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
        # That this runs at all is what it is for: the handlers have been called by now.
        with suppress(BlockingIOError):
            self._reader.recv(4096)
