"""The embedded demo exchange as a child process.

A process of its own, so that the simulated venues never share the app's interpreter lock: what the app measures is then
the app, not the exchange it was shown on.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_TIMEOUT_S = 30.0
"""A cold start imports numpy and makes a certificate authority: about a second, several on a slow disk."""
STOP_TIMEOUT_S = 5.0


class DemoExchangeError(Exception):
    """The demo exchange did not start; the text is for the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAccount:
    """One account of the demo exchange. ``inputs``: what a person would type, by field; published, worth nothing."""

    venue: str
    name: str
    about: str
    inputs: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAddresses:
    """Where the demo exchange listens, the certificate authority to trust for it, and who has an account there."""

    base_urls: Mapping[str, str]
    control_url: str
    ca_file: Path
    rtt_ms: float
    accounts: tuple[DemoAccount, ...] = ()


class DemoProcess:
    """Starts the demo exchange and ends with it. Thread: start and stop from one thread; both block."""

    def __init__(self, *, rtt_ms: float = 60.0, seed: int | None = None, faults: Path | None = None) -> None:
        self._arguments = ["--port", "0", "--json", "--exit-with-stdin", "--rtt-ms", str(rtt_ms)]
        if seed is not None:
            self._arguments += ["--seed", str(seed)]
        if faults is not None:
            self._arguments += ["--faults", str(faults)]
        self._rtt_ms = rtt_ms
        self._process: subprocess.Popen[str] | None = None
        self._addresses: DemoAddresses | None = None
        self._lines: queue.Queue[str] = queue.Queue()
        self._errors: list[str] = []

    @property
    def addresses(self) -> DemoAddresses:
        """Where it listens.

        Raises:
            DemoExchangeError: it was not started.
        """
        if self._addresses is None:
            raise DemoExchangeError("The demo exchange is not running.")
        return self._addresses

    @property
    def pid(self) -> int | None:
        """Process id while it runs, else ``None``."""
        return self._process.pid if self._process is not None else None

    def launch(self) -> None:
        """Let it begin to start; blocks for some milliseconds. Does nothing when that was done before.

        Raises:
            OSError: the system cannot start another process.
        """
        if self._process is not None:
            return
        environment = dict(os.environ)
        if not getattr(sys, "frozen", False):
            root = str(Path(__file__).resolve().parents[2])
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed arguments
            [*simulator_command(), *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        self._process = process
        for name, target, into in (
            ("demo-stdout", self._read_first_line, self._lines),
            ("demo-stderr", self._read_errors, self._errors),
        ):
            threading.Thread(target=target, args=(process, into), daemon=True, name=name).start()

    def start(self) -> DemoAddresses:
        """Launch it if need be and wait until it listens; returns at once when it does.

        Raises:
            DemoExchangeError: it did not say where it listens within ``START_TIMEOUT_S``.
        """
        if self._addresses is not None and self._process is not None:
            return self._addresses
        self.launch()
        try:
            line = self._lines.get(timeout=START_TIMEOUT_S)
        except queue.Empty:
            line = ""
        try:
            ready = json.loads(line)
            self._addresses = DemoAddresses(
                base_urls=dict(ready["venues"]),
                control_url=ready["control"],
                ca_file=Path(ready["ca_file"]),
                rtt_ms=self._rtt_ms,
                accounts=tuple(
                    DemoAccount(
                        venue=account["venue"],
                        name=account["name"],
                        about=account["about"],
                        inputs=dict(account["inputs"]),
                    )
                    for account in ready.get("accounts", ())
                ),
            )
        except (ValueError, KeyError, TypeError) as exc:
            self.stop()
            reason = self._errors[-1] if self._errors else "it said nothing"
            raise DemoExchangeError(f"The demo exchange did not start: {reason}") from exc
        return self._addresses

    def stop(self) -> None:
        """End it; waits up to ``STOP_TIMEOUT_S``, then kills. Safe to call twice."""
        process, self._process = self._process, None
        self._addresses = None
        if process is None:
            return
        if process.stdin is not None:
            # The child ends when its stdin does; that also holds when this process is killed.
            process.stdin.close()
        try:
            process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=STOP_TIMEOUT_S)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    @staticmethod
    def _read_first_line(process: subprocess.Popen[str], lines: "queue.Queue[str]") -> None:
        if process.stdout is not None:
            lines.put(process.stdout.readline())

    @staticmethod
    def _read_errors(process: subprocess.Popen[str], errors: list[str]) -> None:
        if process.stderr is None:
            return
        try:
            for line in process.stderr:
                # Keep the newest lines only: the pipe must be drained, and the last line tells the reason.
                errors[:] = [*errors[-9:], line.strip()]
        except ValueError:
            return  # closed by stop()


def simulator_command() -> Sequence[str]:
    """The command that runs the demo exchange alone, from source or from a bundle."""
    if getattr(sys, "frozen", False):
        return [sys.executable, "simulate"]
    return [sys.executable, "-m", "monitor.simulator"]
