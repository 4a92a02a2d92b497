"""The slow part of a start, off the GUI thread: the demo exchange, and a transport and a client per venue."""

import logging
import threading
from collections.abc import Callable, Mapping

import msgspec

from monitor.assembly import AssemblyError, VenueRuntime, assemble
from monitor.desk.http import ConnectionCare
from monitor.desk.options import DeskOptions
from monitor.desktop.demo_process import DemoExchangeError, DemoProcess
from monitor.desktop.settings import Settings
from monitor.domain.errors import ErrorKind, Failure
from monitor.exchanges.registry import VENUES
from monitor.polling.results import TaskDone

log = logging.getLogger(__name__)

TOKEN_RUNTIMES = -1
"""Of the start work; tokens of ``PollEngine.run_once`` are positive."""


class Built(msgspec.Struct, frozen=True, kw_only=True):
    """What the start made; ``demo`` is ``None`` on live venues."""

    runtimes: Mapping[str, VenueRuntime]
    demo: DemoProcess | None


class Handover:
    """Hands what was built to ``put`` while somebody is there to use it, and ends it otherwise. Thread: any."""

    def __init__(self, put: Callable[[TaskDone], object]) -> None:
        self._put = put
        self._lock = threading.Lock()
        self._is_open = True

    def put(self, done: TaskDone) -> None:
        """Hand over ``done``; blocks for the end of its transports when it comes too late."""
        with self._lock:
            if self._is_open:
                self._put(done)
                return
        end_unused(done)

    def close(self) -> None:
        """From now on what comes is too late. A second call does nothing."""
        with self._lock:
            self._is_open = False


def end_unused(result: object) -> None:
    """End what a build made and nobody took; anything else is left alone."""
    if isinstance(result, TaskDone) and isinstance(result.value, Built):
        for runtime in result.value.runtimes.values():
            runtime.transport.close()
        if result.value.demo is not None:
            result.value.demo.stop()


def build(
    settings: Settings, options: DeskOptions, *, demo: DemoProcess | None, is_demo: bool, care: ConnectionCare
) -> TaskDone:
    """Start the demo exchange if there is to be one and none runs, build every venue and open connections ahead.

    Blocks; any thread.
    """
    try:
        base_urls, ca_file = dict(options.base_urls), options.ca_file
        if is_demo:
            if demo is None:
                demo = DemoProcess(rtt_ms=options.rtt_ms, seed=options.seed, faults=options.faults)
            addresses = demo.start()
            base_urls = {**addresses.base_urls, **base_urls}
            ca_file = ca_file or addresses.ca_file
        runtimes = assemble(tuple(VENUES), settings, base_urls=base_urls, ca_file=ca_file)
        care.begin(runtimes, settings)
    except (AssemblyError, DemoExchangeError, OSError) as exc:
        log.warning("could not start: %s", exc)
        failure = Failure(kind=ErrorKind.INTERNAL, user_text=str(exc))
        return TaskDone(token=TOKEN_RUNTIMES, value=None, failure=failure)
    return TaskDone(token=TOKEN_RUNTIMES, value=Built(runtimes=runtimes, demo=demo), failure=None)
