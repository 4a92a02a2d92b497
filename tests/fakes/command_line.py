"""Runs the command line as a person would: a child process, its exit code, and what it printed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.demo_exchange import DemoServer

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """The JSON document it printed; nothing else may be on standard output."""
        return json.loads(self.out)


def run_monitor(
    arguments: Sequence[str], *, home: Path | None = None, environment: Mapping[str, str] | None = None
) -> Finished:
    """Run ``python -m monitor`` with ``arguments`` in a user profile of its own (``home``), without a display."""
    variables = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    variables.pop("QT_QPA_PLATFORM", None)
    if home is not None:
        variables.update(HOME=str(home), LOCALAPPDATA=str(home), APPDATA=str(home))
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
            variables.pop(name, None)
    variables.update(environment or {})
    variables["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=home or ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT_S,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def addresses_of(exchange: DemoServer) -> list[str]:
    """Options that point both venues at ``exchange``."""
    options = [f"--base-url={venue}={url}" for venue, url in exchange.venues.items()]
    if exchange.ca_file is not None:
        options.append(f"--ca-file={exchange.ca_file}")
    return options
