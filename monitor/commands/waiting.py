"""A line on standard error when a command takes its time, so that nobody thinks it hangs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from monitor.commands.common import say
from monitor.transport.interface import Transport

SILENT_S = 2.0
"""What takes no longer needs no word."""
_HEAVY = 20
"""Most requests of an account weigh that much at the venue whose requests weigh most."""


@contextmanager
def telling(title: str, what: str, transport: Transport, *, silent_s: float = SILENT_S) -> Iterator[None]:
    """While the block runs longer than ``silent_s``, say once what is read of ``title`` and what that waits for."""

    def tell() -> None:
        budget = transport.budget_state()
        if transport.available_in_s(min(_HEAVY, budget.cap)) > 0.0:
            up_to = "" if budget.window_s < silent_s else f", up to {budget.window_s:.0f} s a time"
            say(f"{title}: waiting for room in our own share of its rate limit to read {what}{up_to}…")
        else:
            say(f"{title}: reading {what} takes longer than usual…")

    timer = threading.Timer(silent_s, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
