"""What the commands without a window share: settings, logging, venues, and how they report."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from monitor.desktop.demo_process import DemoExchangeError, DemoProcess
from monitor.desktop.logs import LogSetup, configure_logging
from monitor.desktop.settings import Settings, load_settings

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2


class CommandContext(msgspec.Struct, frozen=True, kw_only=True):
    """Settings and addresses of one command."""

    settings: Settings
    base_urls: Mapping[str, str]
    ca_file: Path | None
    demo: DemoProcess | None
    logging: LogSetup

    def close(self) -> None:
        """End the demo exchange, if any, and the logging."""
        if self.demo is not None:
            self.demo.stop()
        self.logging.close()


def open_context(options: argparse.Namespace) -> CommandContext:
    """Read what all commands read, and start the demo exchange when asked. Blocks until it listens.

    The user's settings file is read only when named: what a script measures must not depend on what somebody clicked.

    Raises:
        DemoExchangeError: the demo exchange did not start.
    """
    logging_setup = configure_logging(None, stream=sys.stderr, is_verbose=bool(options.verbose))
    settings = Settings()
    if options.settings is not None:
        settings, problems = load_settings(options.settings)
        for problem in problems:
            say(problem)
    base_urls = dict(options.base_url or ())
    ca_file: Path | None = options.ca_file
    demo: DemoProcess | None = None
    if getattr(options, "demo", False):
        demo = DemoProcess(rtt_ms=options.rtt_ms, seed=options.seed, faults=options.faults)
        try:
            addresses = demo.start()
        except DemoExchangeError:
            logging_setup.close()
            raise
        base_urls = {**addresses.base_urls, **base_urls}
        ca_file = ca_file or addresses.ca_file
    return CommandContext(settings=settings, base_urls=base_urls, ca_file=ca_file, demo=demo, logging=logging_setup)


def say(text: str) -> None:
    """Tell the user something on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_document(document: Mapping[str, Any]) -> None:
    """Write the one JSON document of a command to standard output."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
    print(flush=True)
