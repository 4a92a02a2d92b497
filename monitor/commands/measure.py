"""``measure``: pooled against unpooled requests to one venue, once, and what that means per day."""

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from monitor.assembly import AssemblyError, assemble, check_venues
from monitor.commands.common import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, open_context, print_document, say
from monitor.desktop.demo_process import DemoExchangeError
from monitor.domain.errors import MonitorError
from monitor.proof.measurement import (
    MAX_REQUESTS,
    MIN_REQUESTS,
    Measurement,
    MeasureOptions,
    MeasureProgress,
    MeasureResult,
)
from monitor.proof.report import document_bytes, measure_document
from monitor.proof.runs import HTTP2_NOTE, default_jobs
from monitor.proof.tables import measure_lines


def run_measure(options: argparse.Namespace) -> int:
    """Run the command and return its exit code: 0, 1 (the venue did not answer) or 2 (wrong arguments).

    Ctrl+C ends it after the request in flight, with the figures as far as they came and exit code 1.
    """
    try:
        (venue,) = check_venues([options.venue])
        wishes = MeasureOptions(requests=options.requests)
    except AssemblyError as exc:
        say(str(exc))
        return EXIT_USAGE
    except ValueError:
        say(f"--requests must be between {MIN_REQUESTS} and {MAX_REQUESTS}.")
        return EXIT_USAGE
    try:
        context = open_context(options)
    except DemoExchangeError as exc:
        say(str(exc))
        return EXIT_FAILED
    try:
        runtime = assemble([venue], context.settings, base_urls=context.base_urls, ca_file=context.ca_file)[venue]
        try:
            with _interrupt_cancels() as cancel:
                result = Measurement(
                    runtime,
                    default_jobs(runtime, context.settings),
                    replace(wishes, max_age_s=context.settings.max_age_s),
                    cancel=cancel,
                    progress=_show_progress if sys.stderr.isatty() else lambda _: None,
                ).run()
        finally:
            runtime.transport.close()
    except AssemblyError as exc:
        say(str(exc))
        return EXIT_USAGE
    except MonitorError as exc:
        say(exc.user_text)
        return EXIT_FAILED
    finally:
        context.close()
    if venue in context.settings.http2_venues:
        say(HTTP2_NOTE)
    if options.json:
        print_document(measure_document(result))
    else:
        for line in measure_lines(result):
            print(line)
    if result.stopped_because:
        say(result.stopped_because)
    is_written = options.output is None or _write(result, options.output)
    is_whole = result.is_usable and not result.stopped_because and not result.is_cancelled
    return EXIT_DONE if is_whole and is_written else EXIT_FAILED


def _write(result: MeasureResult, file: Path) -> bool:
    try:
        file.write_bytes(document_bytes(result))
    except OSError as exc:
        say(f"The result could not be written to {file}: {exc.strerror}.")
        return False
    return True


@contextlib.contextmanager
def _interrupt_cancels() -> Iterator[threading.Event]:
    """An event that the first Ctrl+C sets; a second one ends the process as ever."""
    cancel = threading.Event()

    def on_interrupt(_number: int, _frame: object) -> None:
        cancel.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, before)


def _show_progress(progress: MeasureProgress) -> None:
    end = "\n" if progress.done == progress.total else ""
    text = f"{progress.done} of {progress.total} · {progress.stage.value}"
    print(f"\r{text:40}", end=end, file=sys.stderr, flush=True)
