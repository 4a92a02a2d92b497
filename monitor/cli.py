"""The command line: arguments to one of the window, snapshot, watch, measure, simulate and self-test.

No Qt is imported here or by any command without a window. Exit codes: 0 done, 1 the venue failed, 2 wrong arguments,
130 interrupted, 141 whoever read the output went away.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from monitor.desktop.build_info import version_line

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_READER_GONE = 141
"""What a shell reports of a command that SIGPIPE ended."""

DEFAULT_OFFSCREEN_S = 20.0
"""How long ``--demo`` runs where there is no display."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run what ``argv`` (without the program's name; default: the process's) asks for and return the exit code."""
    try:
        try:
            return _run(list(sys.argv[1:] if argv is None else argv))
        finally:
            # Here and not at the interpreter's end, which would complain of a pipe that nobody reads any more.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_pipes()
        return EXIT_READER_GONE


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["simulate"]:
        # The demo exchange has its own options and shares no code with the rest.
        from monitor.simulator.runner import main as simulate

        return simulate(arguments[1:])
    options = build_parser(has_credentials="credentials" in arguments, has_export="export" in arguments).parse_args(
        arguments
    )
    try:
        return _dispatch(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except Exception as exc:
        # The last line of defence: a sentence for people, the traceback for the log.
        logging.getLogger(__name__).exception("unexpected error")
        print(f"trading-monitor: internal error ({type(exc).__name__}). This is a mistake in the app.", file=sys.stderr)
        return EXIT_FAILED


def _let_go_of_pipes() -> None:
    """Send what is still to be written to nobody."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _dispatch(options: argparse.Namespace) -> int:
    # Each branch imports what it runs: a snapshot must not pay for, or need, the window's libraries.
    if options.command == "snapshot":
        from monitor.commands.snapshot import run_snapshot

        return run_snapshot(options)
    if options.command == "watch":
        from monitor.commands.watch import run_watch

        return run_watch(options)
    if options.command == "measure":
        from monitor.commands.measure import run_measure

        return run_measure(options)
    if options.command == "credentials":
        from monitor.commands.credentials import run_credentials

        return run_credentials(options)
    if options.command == "export":
        from monitor.commands.export import run_export

        return run_export(options)
    if options.command == "simulate":
        print("trading-monitor: simulate comes first and has options of its own: simulate --help", file=sys.stderr)
        return EXIT_USAGE
    from monitor.app import run_window

    return run_window(options)


def build_parser(*, has_credentials: bool = True, has_export: bool = True) -> argparse.ArgumentParser:
    """Build the parser of everything but ``simulate``, which is listed for its help only.

    ``has_credentials`` and ``has_export`` False only list those commands too: their parsers need what a window loads
    later.
    """
    parser = argparse.ArgumentParser(
        prog="trading-monitor",
        description="Shows how old each price is, why, and whether connection reuse is really working. Read-only.",
    )
    parser.add_argument("--version", action="version", version=version_line())
    _add_venue_options(parser, default=None)
    window = parser.add_argument_group("window")
    window.add_argument("--demo", action="store_true", help="run on the embedded demo exchange, no network needed")
    window.add_argument("--rtt-ms", type=_positive_number, default=60.0, help="demo: simulated round trip (60)")
    window.add_argument("--seed", type=int, default=None, help="demo: seed of the simulated markets")
    window.add_argument("--faults", type=_existing_file, default=None, help="demo: file of faults to inject")
    window.add_argument("--duration", type=_positive_number, help="close the window after this many seconds")
    window.add_argument("--screenshot", type=Path, metavar="FILE", help="write a picture of the window before closing")
    window.add_argument("--size", type=_size, metavar="WxH", help="window size in pixels, such as 1280x720")
    window.add_argument("--theme", choices=["dark", "light", "system"], help="colours for this run")
    window.add_argument("--settings", type=Path, metavar="FILE", help="settings file instead of the user's own")
    window.add_argument(
        "--replay", type=_existing_file, metavar="FILE", help="show a saved incident, or a JSON export, as of its end"
    )
    window.add_argument(
        "--self-test",
        action="store_true",
        help="start the window, check resources, TLS, keyring and one frame of each plot; say what failed",
    )
    # For packaging/start_times.py: says when the first frame and the first price are painted, then closes.
    window.add_argument("--start-marks", action="store_true", help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    _add_snapshot(commands)

    _add_watch(commands)

    measure = commands.add_parser("measure", help="pooled against unpooled requests to one venue, and what that means")
    _add_venue_options(measure, default=argparse.SUPPRESS)
    measure.add_argument("--venue", required=True, help="bitunix or hyperliquid")
    measure.add_argument("--demo", action="store_true", default=argparse.SUPPRESS, help="measure the demo exchange")
    measure.add_argument("--requests", type=int, default=20, metavar="N", help="requests of each way (20)")
    measure.add_argument("--json", action="store_true", help="one JSON document on standard output")
    measure.add_argument("--output", type=Path, metavar="FILE", help="write the same document to FILE as well")

    if has_credentials:
        from monitor.commands.credentials import add_credentials_parser

        add_credentials_parser(commands, lambda one: _add_venue_options(one, default=argparse.SUPPRESS))
    else:
        commands.add_parser("credentials", help="keys and addresses in the system's keyring: list, add, remove, test")
    if has_export:
        from monitor.commands.export import add_export_parser

        add_export_parser(commands)
    else:
        commands.add_parser("export", help="write a period of the history as CSV, JSON or Parquet")
    commands.add_parser("simulate", help="run the demo exchange alone, for other clients", add_help=False)
    return parser


def _add_snapshot(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    snapshot = commands.add_parser("snapshot", help="one reading of some instruments, then exit")
    _add_venue_options(snapshot, default=argparse.SUPPRESS)
    snapshot.add_argument("--venue", required=True, help="bitunix or hyperliquid")
    snapshot.add_argument("--demo", action="store_true", default=argparse.SUPPRESS, help="read the demo exchange")
    snapshot.add_argument(
        "--instrument", action="append", metavar="I", help="our name or the venue's symbol; repeatable"
    )
    snapshot.add_argument("--account", metavar="NAME", help="include this account: balances, positions, orders, fills")
    snapshot.add_argument("--book", action="store_true", help="include the order book")
    snapshot.add_argument("--candles", metavar="INTERVAL", help="include candles of this interval, such as 1h")
    snapshot.add_argument("--json", action="store_true", help="one JSON document on standard output")


def _add_watch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    watch = commands.add_parser("watch", help="poll without a window and report")
    _add_venue_options(watch, default=argparse.SUPPRESS)
    watch.add_argument("--headless", action="store_true", help="accepted for clarity: watch never opens a window")
    watch.add_argument("--demo", action="store_true", default=argparse.SUPPRESS, help="watch the demo exchange")
    watch.add_argument("--venue", action="append", metavar="V", help="only this venue; repeatable")
    watch.add_argument("--instrument", action="append", metavar="I", help="report these; default: the watchlist")
    watch.add_argument("--duration", type=_positive_number, default=argparse.SUPPRESS, help="stop after S seconds")
    watch.add_argument("--metrics-port", type=_port, metavar="P", help="serve OpenMetrics on 127.0.0.1:P/metrics")
    watch.add_argument("--json", action="store_true", help="one JSON document at the end on standard output")
    watch.add_argument(
        "--history",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE",
        help="record what is received, to FILE or to the file of the window; default: nothing is kept",
    )


def _add_venue_options(parser: argparse.ArgumentParser, *, default: object) -> None:
    group = parser.add_argument_group("venues")
    group.add_argument(
        "--base-url",
        action="append",
        type=_base_url,
        default=default,
        metavar="V=URL",
        help="point venue V elsewhere (http:// or https://); repeatable",
    )
    group.add_argument(
        "--ca-file", type=_existing_file, default=default, metavar="FILE", help="also trust this certificate authority"
    )
    group.add_argument("--verbose", action="store_true", default=default or False, help="log every request to stderr")


def _base_url(text: str) -> tuple[str, str]:
    venue, separator, url = text.partition("=")
    parts = urlsplit(url)
    if not separator or not venue or parts.scheme not in {"http", "https"} or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not VENUE=http(s)://HOST[:PORT]")
    if parts.query or parts.fragment or parts.username:
        raise argparse.ArgumentTypeError(f"the URL for {venue!r} may not hold a query, a fragment or a user name")
    return venue, url.rstrip("/")


def _existing_file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text!r}")
    return path


def _positive_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number")
    return int(text)


def _size(text: str) -> tuple[int, int]:
    width, separator, height = text.lower().partition("x")
    if not separator or not width.isdecimal() or not height.isdecimal() or not int(width) or not int(height):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT")
    return int(width), int(height)
