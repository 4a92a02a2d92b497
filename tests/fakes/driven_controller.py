"""A controller whose results are taken in by hand, as a window or the headless loop does."""

import time
from collections.abc import Callable

from monitor.controller import Controller
from monitor.polling.results import TaskDone


def take(controller: Controller) -> None:
    """Let the board have what came."""
    results, dropped = controller.outbox.drain()
    controller.board.apply([result for result in results if not isinstance(result, TaskDone)], dropped)


def run_until(controller: Controller, is_true: Callable[[], bool], timeout_s: float = 40.0) -> None:
    """Take in what comes until it is; fails when it never is."""
    give_up_s = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < give_up_s, "it never came"
        take(controller)
        time.sleep(0.02)
