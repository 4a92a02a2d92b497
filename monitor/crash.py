"""Last resort: log what nobody caught, tell the user once, never a storm of dialogs."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

log = logging.getLogger(__name__)

QUIET_S = 30.0
"""A second report of the same place within this time is only logged."""


class CrashHooks:
    """Installs hooks for the main thread and for worker threads.

    ``report`` gets one plain sentence, at most once per place and ``QUIET_S``. Thread: ``report`` is called from the
    thread that failed; it must only hand over (the app queues it to the GUI thread).
    """

    def __init__(self, report: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._report = report
        self._clock = clock
        self._last_by_place: dict[tuple[str, int], float] = {}
        self._lock = threading.Lock()

    def install(self) -> None:
        """Replace ``sys.excepthook`` and ``threading.excepthook``."""
        sys.excepthook = self.on_exception
        threading.excepthook = self.on_thread_exception

    def on_exception(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        """Hook for the main thread."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, traceback)
            return
        log.error("unexpected error", exc_info=(kind, error, traceback))
        self._tell(kind, traceback)

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        """Hook for worker threads."""
        if args.exc_value is None or issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread is not None else "?"
        log.error("unexpected error in thread %s", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
        self._tell(args.exc_type, args.exc_traceback)

    def _tell(self, kind: type[BaseException], traceback: TracebackType | None) -> None:
        place = ("", 0)
        while traceback is not None:
            place = (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
            traceback = traceback.tb_next
        now = self._clock()
        with self._lock:
            last = self._last_by_place.get(place)
            self._last_by_place[place] = now
        if last is None or now - last >= QUIET_S:
            self._report(
                f"Something went wrong inside the monitor ({kind.__name__}). Monitoring goes on; "
                "the details are in the log (Help, Open log folder)."
            )
