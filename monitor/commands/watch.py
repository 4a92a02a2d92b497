"""``watch``: the same engine and board as the window, without one; reports on a line, as JSON, or as OpenMetrics."""

import argparse
import signal
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType

from monitor import __version__
from monitor.assembly import AssemblyError, VenueRuntime, assemble, check_venues
from monitor.commands.common import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, open_context, print_document, say
from monitor.commands.metrics import MetricsEndpoint
from monitor.controller import Controller
from monitor.desk.http import ConnectionCare
from monitor.desktop.demo_process import DemoExchangeError
from monitor.desktop.paths import find_paths
from monitor.desktop.settings import Settings
from monitor.history.files import history_name
from monitor.history.recorder import HistoryRecorder
from monitor.history.sink import RecordingSink
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey
from monitor.state.report import summary_lines, venue_lines
from monitor.state.summary import watch_document

DRAIN_EVERY_S = 0.1
REPORT_EVERY_S = 5.0
LOOK_EVERY_S = 1.0


def run_watch(options: argparse.Namespace) -> int:
    """Run the command and return its exit code: 0, 1 (a venue gave nothing at all) or 2 (wrong arguments)."""
    try:
        names = check_venues(options.venue or [])
        context = open_context(options)
    except AssemblyError as exc:
        say(str(exc))
        return EXIT_USAGE
    except DemoExchangeError as exc:
        say(str(exc))
        return EXIT_FAILED
    try:
        runtimes = assemble(names, context.settings, base_urls=context.base_urls, ca_file=context.ca_file)
        watch = Watch(
            runtimes,
            context.settings,
            instruments=options.instrument or (),
            history=_history_file(options.history, is_demo=context.demo is not None),
        )
        metrics = _start_metrics(options.metrics_port)
        stop = _stop_on_signals()
        try:
            watch.run(stop, duration_s=options.duration, metrics=metrics, is_quiet=options.json)
        finally:
            if metrics is not None:
                metrics.stop()
        if options.json:
            print_document(watch.document())
        else:
            for line in watch.summary():
                print(line)
        if watch.unknown_names:
            say(f"Not known at any venue watched: {', '.join(watch.unknown_names)}.")
            return EXIT_USAGE
        silent = watch.silent_venues()
        if silent:
            say(f"No reply at all from {', '.join(silent)}.")
        return EXIT_FAILED if silent else EXIT_DONE
    except BrokenPipeError:
        raise  # whoever read our output went away
    except (AssemblyError, OSError) as exc:
        say(str(exc))
        return EXIT_USAGE
    finally:
        context.close()


class Watch:
    """The headless loop. Thread: everything from the thread that calls :meth:`run`, which blocks."""

    def __init__(
        self,
        runtimes: Mapping[str, VenueRuntime],
        settings: Settings,
        *,
        instruments: Sequence[str] = (),
        history: Path | None = None,
    ) -> None:
        """``history``: the file everything is recorded to, as the window does; ``None``: nothing is kept."""
        self._runtimes = runtimes
        self._controller = Controller(venues=tuple(runtimes), settings=settings)
        self.board = self._controller.board
        self._recorder: HistoryRecorder | None = None
        self._sink: Board | RecordingSink = self.board
        if history is not None:
            self._recorder = HistoryRecorder(history, version=__version__, tell=lambda notice: say(notice.text))
            self._sink = RecordingSink(self.board, self._recorder)
        self._pending = list(instruments)
        self._found: list[InstrumentKey] = []
        self._started_s = time.perf_counter()
        self._ended_s: float | None = None
        self._requests_seen = 0

    @property
    def unknown_names(self) -> tuple[str, ...]:
        """Instruments asked for that no venue watched has, as far as the venues told."""
        return tuple(self._pending)

    def run(
        self,
        stop: threading.Event,
        *,
        duration_s: float | None,
        metrics: MetricsEndpoint | None = None,
        is_quiet: bool = False,
    ) -> None:
        """Poll until ``stop`` is set or ``duration_s`` is over, then stop the pollers and take in what they left."""
        self._started_s = time.perf_counter()
        if self._recorder is not None:
            self._recorder.start()
        # Nothing is opened ahead: what a script measures begins with its first poll.
        care = ConnectionCare(None, asks_protocols=False)
        care.begin(self._runtimes, replace(self._controller.settings, prewarm_connections=0))
        self._controller.attach(self._runtimes)
        next_report_s = self._started_s + REPORT_EVERY_S
        next_look_s = self._started_s
        try:
            while not stop.wait(DRAIN_EVERY_S):
                now_s = time.perf_counter()
                self._drain(metrics)
                if now_s >= next_look_s:
                    next_look_s = now_s + LOOK_EVERY_S
                    self._controller.look_around(time.time(), now_s)
                if duration_s is not None and now_s - self._started_s >= duration_s:
                    break
                if not is_quiet and now_s >= next_report_s:
                    next_report_s += REPORT_EVERY_S
                    for line in self.lines():
                        print(line, flush=True)
        finally:
            self._controller.stop()
            self._drain(metrics)
            self._ended_s = time.perf_counter()
            if self._recorder is not None and not self._recorder.close():
                say("The history is still being written; the last results may be missing in it.")

    def document(self) -> Mapping[str, object]:
        """What ``--json`` prints, ages as of the end of the run."""
        now_s = time.perf_counter() if self._ended_s is None else self._ended_s
        return watch_document(
            self.board, duration_s=now_s - self._started_s, now_mono_s=now_s, keys=self._controller.watchlist
        )

    def lines(self) -> Iterable[str]:
        """One line per venue for people."""
        return venue_lines(self.board, self._titles(), now_mono_s=time.perf_counter())

    def _titles(self) -> Mapping[str, str]:
        return {name: runtime.entry.title for name, runtime in self._runtimes.items()}

    def summary(self) -> Iterable[str]:
        """What the run has to show for itself, for people, ages as of its end."""
        now_s = time.perf_counter() if self._ended_s is None else self._ended_s
        return summary_lines(self.board, self._titles(), self._controller.watchlist, now_mono_s=now_s)

    def silent_venues(self) -> tuple[str, ...]:
        """Venues that never gave a price."""
        return tuple(
            self._runtimes[name].entry.title
            for name in self.board.venue_names
            if self.board.venue(name).age(time.perf_counter()) is None
        )

    def _drain(self, metrics: MetricsEndpoint | None) -> None:
        results, dropped = self._controller.outbox.drain()
        self._sink.apply(results, dropped)
        if not results:
            self._sink.tick()
        if self._pending and results:
            self._resolve()
        if metrics is not None:
            self._observe(metrics)

    def _resolve(self) -> None:
        """Names can only be looked up once a venue has told its instruments."""
        found = len(self._found)
        for text in list(self._pending):
            keys = [
                (name, one.venue_symbol)
                for name in self.board.venue_names
                if (one := self.board.resolve(name, text)) is not None
            ]
            if keys:
                self._pending.remove(text)
                self._found.extend(keys)
        if len(self._found) > found:
            self._controller.set_watchlist(self._found)
            self._controller.set_focus(self._found[0], self._controller.interval)

    def _observe(self, metrics: MetricsEndpoint) -> None:
        now_s = time.perf_counter()
        metrics.observe_traces(self.board.requests.since(self._requests_seen))
        self._requests_seen = self.board.requests.revision
        for name in self.board.venue_names:
            venue = self.board.venue(name)
            age = venue.age(now_s)
            for pool in venue.pools:
                metrics.observe_pool(pool)
            metrics.observe_venue(
                name,
                age_s=None if age is None else age.high_s,
                missed=venue.missed,
                budget_used_fraction=None if venue.budget is None else venue.budget.used_fraction,
            )


def _history_file(wanted: Path | None, *, is_demo: bool) -> Path | None:
    """An empty path stands for the window's own file."""
    if wanted is None or wanted.name:
        return wanted
    return find_paths().data_dir / history_name(is_demo=is_demo)


def _start_metrics(port: int | None) -> MetricsEndpoint | None:
    if port is None:
        return None
    metrics = MetricsEndpoint()
    try:
        bound = metrics.start(port)
    except OSError as exc:
        raise AssemblyError(f"Port {port} cannot be used for metrics: {exc.strerror}.") from exc
    say(f"Metrics at http://127.0.0.1:{bound}/metrics")
    return metrics


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    return stop
