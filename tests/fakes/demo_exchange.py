"""Starts the demo exchange in a child process for tests, and talks to its control door.

with demo_exchange(rtt_ms=0) as exchange:
    base = exchange.venues["bitunix"]          # https://127.0.0.1:PORT, trusted through exchange.ca_file
    exchange.add_fault(kind="latency", venue="bitunix", seconds=2)
    assert exchange.truth("bitunix")["accepts"] == 1
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_ROOT = Path(__file__).resolve().parents[2]
_READY_TIMEOUT_S = 60.0


class DemoServer:
    """A running demo exchange. venues: name -> base URL; ca_file is None when it serves plain http.

    Blocking; one caller at a time. The child ends when its standard input is closed, so it cannot outlive the tests.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", "monitor.simulator", "--json", "--exit-with-stdin", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_ROOT
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            _, errors = self._process.communicate(timeout=_READY_TIMEOUT_S)
            raise RuntimeError(f"the demo exchange did not start: {errors.decode()}")
        ready = json.loads(line)
        self.ready: Mapping[str, Any] = ready
        self.venues: Mapping[str, str] = ready["venues"]
        self.control_url: str = ready["control"]
        self.ca_file = None if ready["ca_file"] is None else Path(ready["ca_file"])

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def ssl_context(self) -> ssl.SSLContext:
        """Return a client context that trusts this exchange and nothing else."""
        return ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))

    def address(self, venue: str) -> tuple[str, int]:
        """Return (host, port) of a venue."""
        parts = urlsplit(self.venues[venue])
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control door and return its JSON; raises AssertionError when it refuses."""
        parts = urlsplit(self.control_url)
        assert parts.hostname is not None
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=10, context=self.ssl_context()
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body))
            reply = connection.getresponse()
            value = json.loads(reply.read())
        finally:
            connection.close()
        assert reply.status == 200, value
        return value

    def stats(self) -> Any:
        """Return everything that the exchange counted."""
        return self.control("GET", "/stats")

    def truth(self, venue: str) -> Any:
        """Return the counts of one venue: accepts, open, requests, limited, closes, connections, ..."""
        return self.stats()["venues"][venue]

    def add_fault(self, **fault: object) -> int:
        """Inject a fault, with times from now on; return its id."""
        number: int = self.control("POST", "/faults", fault)["id"]
        return number

    def clear_faults(self) -> None:
        """Remove every fault."""
        self.control("DELETE", "/faults")

    def close_idle(self, venue: str | None = None) -> int:
        """Close the idle connections of a venue, or of all, now; return how many."""
        closed: int = self.control("POST", "/idle-close", {"venue": venue})["closed"]
        return closed

    def stop(self) -> tuple[int, str]:
        """End the child; return its exit code and what it wrote to standard error."""
        if self._process.returncode is None:
            try:
                _, errors = self._process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                _, errors = self._process.communicate()
            self._errors = errors.decode()
        return self._process.returncode, self._errors


def start_demo_exchange(
    *, rtt_ms: float = 0.0, seed: int = 1, plain_http: bool = False, arguments: Sequence[str] = ()
) -> DemoServer:
    """Start a demo exchange and wait until it listens; the caller stops it. arguments are more of its options."""
    flags = ["--plain-http"] if plain_http else []
    return DemoServer(["--rtt-ms", str(rtt_ms), "--seed", str(seed), *flags, *arguments])


@contextmanager
def demo_exchange(
    *, rtt_ms: float = 0.0, seed: int = 1, plain_http: bool = False, arguments: Sequence[str] = ()
) -> Iterator[DemoServer]:
    """Run a demo exchange for the length of a with block and insist that it ends cleanly."""
    server = start_demo_exchange(rtt_ms=rtt_ms, seed=seed, plain_http=plain_http, arguments=arguments)
    try:
        yield server
    finally:
        code, errors = server.stop()
    assert code == 0, errors
    assert "Traceback" not in errors, errors
