"""What the demo exchange can be told: one frozen value, and the command line that makes it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from monitor.simulator.faults import FaultKind

DEFAULT_INSTRUMENTS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorConfig:
    """How to run.

    port: 0 takes free ports, otherwise Bitunix gets port, Hyperliquid port + 1 and the control door port + 2. rtt_s:
    simulated round trip of every reply; a new connection costs two more. idle_timeout_s: how long a kept connection
    may be idle. max_connections: open at once for each venue. instruments: contracts of Bitunix; Hyperliquid grows in
    proportion above the default. start_ms: simulated time at start in ms since 1970, None for the real time.
    bitunix_refusal: how Bitunix says no: "code" is HTTP 200 with code 10006, "edge" is HTTP 429. bitunix_shapes: its
    account replies as they come live, or as its documentation shows them.
    """

    port: int = 0
    rtt_s: float = 0.060
    seed: int = 1
    faults_file: Path | None = None
    ca_file: Path | None = None
    is_plain_http: bool = False
    idle_timeout_s: float = 60.0
    bitunix_idle_timeout_s: float | None = None
    hyperliquid_idle_timeout_s: float | None = None
    max_connections: int = 200
    instruments: int = DEFAULT_INSTRUMENTS
    has_limits: bool = True
    bitunix_refusal: Literal["code", "edge"] = "code"
    bitunix_shapes: Literal["live", "documented"] = "live"
    start_ms: int | None = None
    exit_with_stdin: bool = False
    is_json: bool = False

    def idle_timeout(self, venue: str) -> float:
        """Return the keep-alive timeout of one venue in seconds."""
        own = {"bitunix": self.bitunix_idle_timeout_s, "hyperliquid": self.hyperliquid_idle_timeout_s}.get(venue)
        return self.idle_timeout_s if own is None else own


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 5000:
        raise argparse.ArgumentTypeError("must be between 1 and 5000")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.0 <= value <= 86_400.0:
        raise argparse.ArgumentTypeError("must be between 0 and 86400")
    return value


def make_parser(prog: str) -> argparse.ArgumentParser:
    """Return the parser of the demo exchange's own command line."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="The demo exchange: both venues' market APIs on loopback, with made-up prices.",
        epilog=(
            'A fault is a JSON object such as {"kind": "latency", "venue": "bitunix", "endpoint": "tickers", '
            '"start_s": 10, "duration_s": 5, "probability": 0.5, "seconds": 2}. The file holds a list of them; '
            f"POST /faults at the control address takes one at any time. Kinds: {', '.join(FaultKind)}."
        ),
    )
    add = parser.add_argument
    add("--port", type=int, default=0, metavar="P", help="first of three ports; 0 takes free ones (default)")
    add("--rtt-ms", type=_seconds, default=60.0, metavar="N", help="simulated network round trip in ms (default 60)")
    add("--seed", type=int, default=1, metavar="N", help="the markets follow from this number (default 1)")
    add("--faults", type=Path, metavar="FILE", help="JSON file with faults to inject, see below")
    add("--write-ca", type=Path, metavar="FILE", help="write the certificate authority's certificate here (PEM)")
    add("--plain-http", action="store_true", help="serve http:// instead of https://")
    add(
        "--idle-timeout-s",
        type=_seconds,
        default=60.0,
        metavar="S",
        help="close kept connections idle for this long (default 60)",
    )
    add("--bitunix-idle-timeout-s", type=_seconds, metavar="S", help="the same for Bitunix only")
    add("--hyperliquid-idle-timeout-s", type=_seconds, metavar="S", help="the same for Hyperliquid only")
    add("--max-connections", type=_count, default=200, metavar="N", help="open connections of each venue (default 200)")
    add("--instruments", type=_count, default=DEFAULT_INSTRUMENTS, metavar="N", help="Bitunix contracts (default 300)")
    add("--no-limits", action="store_true", help="do not enforce the venues' rate limits")
    add("--bitunix-refusal", choices=("code", "edge"), default="code", help="over the limit: code 10006 or HTTP 429")
    add("--bitunix-shapes", choices=("live", "documented"), default="live", help="account replies of Bitunix")
    add("--exit-with-stdin", action="store_true", help="stop when standard input ends")
    add("--json", action="store_true", help="print one JSON line when ready and nothing else")
    return parser


def parse_options(argv: Sequence[str], prog: str = "trading-monitor simulate") -> SimulatorConfig:
    """Return the configuration for a command line; exits with status 2 on a wrong one, like any argparse program."""
    parser = make_parser(prog)
    args = parser.parse_args(argv)
    if args.port and not 1 <= args.port <= 65_533:
        parser.error("--port must leave room for three ports below 65536")
    return SimulatorConfig(
        port=args.port,
        rtt_s=args.rtt_ms / 1000,
        seed=args.seed,
        faults_file=args.faults,
        ca_file=args.write_ca,
        is_plain_http=args.plain_http,
        idle_timeout_s=args.idle_timeout_s,
        bitunix_idle_timeout_s=args.bitunix_idle_timeout_s,
        hyperliquid_idle_timeout_s=args.hyperliquid_idle_timeout_s,
        max_connections=args.max_connections,
        instruments=args.instruments,
        has_limits=not args.no_limits,
        bitunix_refusal=args.bitunix_refusal,
        bitunix_shapes=args.bitunix_shapes,
        exit_with_stdin=args.exit_with_stdin,
        is_json=args.json,
    )
