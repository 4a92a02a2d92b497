"""One-off work beside the schedule, on a few daemon threads."""

import itertools
import queue
import threading
from collections.abc import Callable

from monitor.domain.errors import ErrorKind, Failure
from monitor.polling.outcome import attempt
from monitor.polling.results import TaskDone


class TaskRunner:
    """Runs callables in the order they came and hands each result on with its token.

    Threads are started when first needed and end with :meth:`retire`.
    Thread: any. ``put`` is called on the worker threads, and by :meth:`retire` for work that never began.
    """

    def __init__(self, put: Callable[[TaskDone], object], *, max_threads: int) -> None:
        self._put = put
        self._max_threads = max_threads
        self._tokens = itertools.count(1)
        self._queue: queue.SimpleQueue[tuple[int, Callable[[], object]] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._unanswered = 0
        self._is_retired = False

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The worker threads started so far."""
        with self._lock:
            return tuple(self._threads)

    def submit(self, work: Callable[[], object]) -> int:
        """Queue ``work`` and return its token; does not block.

        Raises:
            RuntimeError: already retired.
        """
        with self._lock:
            if self._is_retired:
                raise RuntimeError("no more work after stop")
            token = next(self._tokens)
            self._queue.put((token, work))
            self._unanswered += 1
            if self._unanswered > len(self._threads) < self._max_threads:
                name = f"task-{len(self._threads) + 1}"
                thread = threading.Thread(target=self._run, name=name, daemon=True)
                self._threads.append(thread)
                thread.start()
        return token

    def retire(self) -> None:
        """Let the threads end after the work they are at; what waits is answered as cancelled."""
        with self._lock:
            self._is_retired = True
            thread_count = len(self._threads)
        while True:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is not None:
                failure = Failure(kind=ErrorKind.CANCELLED, user_text="Cancelled: the app is closing.")
                self._put(TaskDone(token=item[0], value=None, failure=failure))
        for _ in range(thread_count):
            self._queue.put(None)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            token, work = item
            outcome = attempt(work, name=f"task {token}")
            with self._lock:
                self._unanswered -= 1
            self._put(TaskDone(token=token, value=outcome.value, failure=outcome.failure))
