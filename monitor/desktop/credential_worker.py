"""One thread for everything that asks the keyring, which may wait minutes for an unlock dialog."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from monitor.domain.credentials import CredentialError, CredentialProblem
from monitor.domain.errors import MonitorError

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyringWait:
    """What the keyring is being asked now: a label for people, since when (monotonic), how many wait behind it."""

    label: str
    since_mono_s: float
    queued: int


class CredentialTask(Generic[T]):
    """One piece of work and its outcome. Thread: any."""

    def __init__(
        self, label: str, work: Callable[[], T], on_done: "Callable[[CredentialTask[T]], None] | None"
    ) -> None:
        self.label = label
        self._work = work
        self._on_done = on_done
        self._ended = threading.Event()
        self._is_abandoned = False
        self._value: T | None = None
        self._error: MonitorError | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is an outcome."""
        return self._ended.is_set()

    @property
    def error(self) -> MonitorError | None:
        """Why it failed; ``None`` while it runs and when it did not."""
        return self._error

    def abandon(self) -> None:
        """Go on without it: if it has not begun it never will; if it has, nobody is told how it ends."""
        self._is_abandoned = True

    def result(self, timeout_s: float) -> T:
        """Wait for the value. Raises its ``MonitorError``, or ``TimeoutError``. Blocks: never from the GUI thread."""
        if not self._ended.wait(timeout_s):
            raise TimeoutError(self.label)
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set before the event unless there is an error

    def run(self) -> None:
        """Do the work and tell who asked. Called by the worker's thread only."""
        if not self._is_abandoned:
            try:
                self._value = self._work()
            except MonitorError as error:
                self._error = error
            except Exception as error:  # noqa: BLE001 - it belongs to whoever asked
                # Only the type: the text and the frames of such an error may hold what was typed.
                _log.error("%s failed with %s", self.label, type(error).__name__)
                self._error = CredentialError(
                    "Something went wrong inside this program.",
                    problem=CredentialProblem.FAILED,
                    detail=type(error).__name__,
                )
        # The work holds what was typed; it must not live as long as whoever keeps the task.
        del self._work
        self._ended.set()
        if self._on_done is not None and not self._is_abandoned:
            try:
                self._on_done(self)
            except Exception as error:  # noqa: BLE001 - a listener's mistake must not end the thread
                _log.error("the listener of %s failed with %s", self.label, type(error).__name__)


class CredentialWorker:
    """Runs keyring work one after the other in a daemon thread, so a dialog nobody answers holds up nobody else.

    A window asks :attr:`waiting` on its timer and shows it. ``on_done`` runs in the worker's thread: it may put a
    result into an outbox, never touch a widget.

    Thread: any; nothing blocks but :meth:`stop`.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._queue: deque[CredentialTask[object]] = deque()
        self._current: tuple[str, float] | None = None
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    @property
    def waiting(self) -> KeyringWait | None:
        """What is under way; ``None`` when nothing is."""
        with self._changed:
            if self._current is None:
                return None
            label, since_mono_s = self._current
            return KeyringWait(label=label, since_mono_s=since_mono_s, queued=len(self._queue))

    def submit(
        self, label: str, work: Callable[[], T], on_done: Callable[[CredentialTask[T]], None] | None = None
    ) -> CredentialTask[T]:
        """Queue ``work``, which may raise ``MonitorError``; ``label`` says what it is, without secrets.

        Raises:
            RuntimeError: the worker was stopped.
        """
        task = CredentialTask(label, work, on_done)
        with self._changed:
            if self._is_stopping:
                raise RuntimeError("the credential worker was stopped")
            self._queue.append(task)  # type: ignore[arg-type]  # only run() is called on it
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="keyring", daemon=True)
                self._thread.start()
            self._changed.notify()
        return task

    def stop(self, deadline_s: float) -> bool:
        """Forget what is queued and end the thread; False when it is still blocked in the keyring by then.

        A blocked thread is a daemon and does not keep the process alive.
        """
        with self._changed:
            self._is_stopping = True
            self._queue.clear()
            self._changed.notify()
        if self._thread is None:
            return True
        self._thread.join(deadline_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._queue and not self._is_stopping:
                    self._changed.wait()
                if self._is_stopping:
                    return
                task = self._queue.popleft()
                self._current = (task.label, self._clock())
            try:
                task.run()
            finally:
                with self._changed:
                    self._current = None
