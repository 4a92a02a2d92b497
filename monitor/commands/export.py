"""``export``: a period of the history as CSV, JSON or Parquet, without a window and beside a running one."""

import argparse
import platform
import re
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from monitor import __version__
from monitor.commands.common import EXIT_DONE, EXIT_FAILED, EXIT_USAGE, say
from monitor.desktop.logs import LOG_FILE_NAME, configure_logging
from monitor.desktop.paths import find_paths
from monitor.history.export import (
    FORMATS,
    Exported,
    ExportError,
    ExportWish,
    export_to_files,
    export_to_stream,
    total_rows,
)
from monitor.history.files import history_name
from monitor.history.incident import IncidentWish, write_incident
from monitor.history.tables import TABLES

SHOW_EVERY_S: Final = 1.0
INCIDENT_MINUTES: Final = 15
_AGO: Final = re.compile(r"(\d{1,9})\s*(s|m|min|h|d)")
_UNITS_S: Final = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400}


def add_export_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``export`` to the command line."""
    tables = "; ".join(f"{name}: {table.what}" for name, table in TABLES.items())
    parser = subparsers.add_parser(
        "export",
        help="write a period of the history as CSV, JSON or Parquet",
        description=f"Times are ISO 8601 UTC, decimals text, durations seconds, unknown empty or null. {tables}.",
    )
    when = "2026-11-23, 2026-11-23T14:00 (UTC), 2026-11-23T15:00+01:00, now, or so long ago: 15m, 6h, 2d"
    parser.add_argument("--from", dest="start", type=_moment, metavar="T", help=when)
    parser.add_argument("--to", dest="end", type=_moment, default=None, metavar="T", help="as --from; default: now")
    parser.add_argument("--format", choices=FORMATS, default="csv", help="csv (default), json or parquet")
    parser.add_argument("--what", choices=(*TABLES, "all"), default="quotes", help="which table (quotes)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="a file, or a folder for a file per table; default: standard output (one CSV table, or JSON)",
    )
    parser.add_argument(
        "--incident",
        type=Path,
        metavar="FILE",
        help="instead: one zip file of all tables, the end of the log and versions; --from defaults to 15m",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--db", type=Path, metavar="FILE", help="another history file than the user's own")
    source.add_argument(
        "--demo", action="store_true", default=argparse.SUPPRESS, help="the history of the demo exchange"
    )
    parser.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help="log to stderr")


def run_export(options: argparse.Namespace) -> int:
    """Run the command and return its exit code: 0, 1 (it cannot be read or written) or 2 (wrong arguments). Blocks."""
    end = datetime.now(UTC) if options.end is None else options.end
    if options.incident is not None and options.start is None:
        options.start = end - timedelta(minutes=INCIDENT_MINUTES)
    if options.start is None:
        say("--from is needed: 1h, or 2026-11-23T14:00.")
        return EXIT_USAGE
    if options.start >= end:
        say("--from must be before --to.")
        return EXIT_USAGE
    wish = ExportWish(
        start=options.start,
        end=end,
        tables=tuple(TABLES) if options.what == "all" else (options.what,),
        format=options.format,
        is_demo=None if options.db is not None else options.demo,
    )
    needs_path = wish.format == "parquet" or (wish.format == "csv" and len(wish.tables) > 1)
    if needs_path and options.output is None and options.incident is None:
        say(f"--output PATH is needed: {wish.format} of {options.what} does not fit on standard output.")
        return EXIT_USAGE
    if options.db is not None and not options.db.is_file():
        say(f"There is no file {str(options.db)!r}.")
        return EXIT_USAGE
    logging_setup = configure_logging(None, stream=sys.stderr, is_verbose=bool(options.verbose))
    try:
        if options.incident is not None:
            return _save_incident(options, wish)
        done = _export(options, wish)
    except ExportError as exc:
        say(str(exc))
        return EXIT_FAILED
    except BrokenPipeError:
        # Whoever read our output has had enough; the command line ends quietly.
        raise
    except OSError as exc:
        target = options.incident or options.output
        where = "standard output" if target is None else str(target)
        say(f"{where} cannot be written: {exc.strerror or 'unknown reason'}.")
        return EXIT_FAILED
    finally:
        logging_setup.close()
    if not any(done.rows.values()):
        say("Nothing was recorded in this period.")
    else:
        say(f"Exported {total_rows(done)}.")
    return EXIT_DONE


def _save_incident(options: argparse.Namespace, wish: ExportWish) -> int:
    incident = IncidentWish(
        start=wish.start,
        end=wish.end,
        versions={"app": __version__, "python": platform.python_version(), "system": platform.platform()},
        is_demo=wish.is_demo,
        log_file=None if options.db is not None else find_paths().log_dir / LOG_FILE_NAME,
    )
    problems = write_incident(_history(options), options.incident, incident)
    for problem in problems:
        say(problem)
    say(f"Written: {options.incident}")
    return EXIT_FAILED if problems else EXIT_DONE


def _history(options: argparse.Namespace) -> Path:
    return options.db or find_paths().data_dir / history_name(is_demo=options.demo)


def _export(options: argparse.Namespace, wish: ExportWish) -> Exported:
    file = _history(options)
    show = _Progress()
    if options.output is None:
        # Not the platform's line ends twice over, nor its idea of an encoding.
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]  # a text file, always
        done = export_to_stream(file, wish, sys.stdout, progress=show)
        sys.stdout.flush()
        return done
    return export_to_files(file, wish, options.output, progress=show)


class _Progress:
    """A line on standard error now and then, when it takes long."""

    def __init__(self) -> None:
        self._next_s = time.monotonic() + SHOW_EVERY_S

    def __call__(self, table: str, part: float) -> None:
        now_s = time.monotonic()
        if now_s >= self._next_s:
            self._next_s = now_s + SHOW_EVERY_S
            say(f"{table}: {part:.0%}")


def _moment(text: str) -> datetime:
    """A moment from what the user wrote; without a zone it is UTC."""
    word = text.strip().lower()
    now = datetime.now(UTC)
    if word == "now":
        return now
    ago = _AGO.fullmatch(word)
    try:
        if ago is not None:
            return now - timedelta(seconds=int(ago[1]) * _UNITS_S[ago[2]])
        moment = datetime.fromisoformat(text.strip())
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time such as 2026-11-23T14:00, 'now' or '15m' (ago)"
        ) from None
