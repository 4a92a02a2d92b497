"""Last resort: log what nobody caught, tell the user once with a report to pass on, never a storm of dialogs."""

import logging
import os
import platform
import sys
import threading
import time
import traceback as tracebacks
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import msgspec

from monitor.desktop.build_info import version_line
from monitor.domain.redaction import redact

log = logging.getLogger(__name__)

QUIET_S = 30.0
"""A second report of the same place within this time is only logged."""


class CrashReport(msgspec.Struct, frozen=True):
    """``text``: one sentence for the user. ``details``: what to pass on; redacted, without the user's name in paths."""

    text: str
    details: str


class CrashHooks:
    """Installs hooks for the main thread and for worker threads.

    ``report`` gets a report at most once per place and ``QUIET_S``. Thread: ``report`` is called from the thread that
    failed; it must only hand over (the app queues it to the GUI thread).
    """

    def __init__(self, report: Callable[[CrashReport], None], *, clock: Callable[[], float] = time.monotonic) -> None:
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
        self._tell(error, traceback, threading.current_thread().name)

    def on_thread_exception(self, args: threading.ExceptHookArgs) -> None:
        """Hook for worker threads."""
        if args.exc_value is None or issubclass(args.exc_type, SystemExit):
            return
        name = args.thread.name if args.thread is not None else "?"
        log.error("unexpected error in thread %s", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))
        self._tell(args.exc_value, args.exc_traceback, name)

    def _tell(self, error: BaseException, traceback: TracebackType | None, thread: str) -> None:
        place = ("", 0)
        step = traceback
        while step is not None:
            place = (step.tb_frame.f_code.co_filename, step.tb_lineno)
            step = step.tb_next
        now = self._clock()
        with self._lock:
            last = self._last_by_place.get(place)
            self._last_by_place[place] = now
        if last is None or now - last >= QUIET_S:
            self._report(
                CrashReport(
                    f"Something went wrong inside the monitor ({type(error).__name__}). Monitoring goes on; "
                    "the details are in the log (Help, Open log folder).",
                    crash_details(error, thread=thread),
                )
            )


def crash_details(error: BaseException, *, thread: str, home: Path | None = None) -> str:
    """What somebody needs to find the mistake: versions and traceback, as text that may be published.

    Secrets are removed as from the log, and the home folder (``home``, default the user's) is written ``~``.
    """
    where = "\n".join(
        (version_line(), f"Python {platform.python_version()} on {platform.platform()}", f"Thread {thread}")
    )
    text = f"{where}\n\n{''.join(tracebacks.format_exception(error))}"
    try:
        folder = str(home or Path.home())
    except RuntimeError:
        folder = ""
    if len(folder) > 1:
        text = text.replace(folder + os.sep, "~" + os.sep).replace(folder, "~")
    return redact(text)
