"""The demo exchange: two venue ports and a control port in one event loop."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import asdict

from monitor.simulator.bitunix import BitunixVenue
from monitor.simulator.certificates import Certificates
from monitor.simulator.control import ControlVenue
from monitor.simulator.demo_accounts import published
from monitor.simulator.faults import FaultBook, parse_faults
from monitor.simulator.hyperliquid import HyperliquidVenue
from monitor.simulator.limits import WeightWindow
from monitor.simulator.listener import VenuePort
from monitor.simulator.options import SimulatorConfig
from monitor.simulator.replies import Venue
from monitor.simulator.world import World

SCHEMA = "trading-monitor.simulate/1"
_WARM_UP_AFTER_S, _WARM_UP_PAUSE_S = 1.0, 0.001
_JITTER = 0.12  # most round trips lie within this share of the nominal one
_HYPERLIQUID_WEIGHT_PER_MINUTE = 1200
_BITUNIX_CALLS_PER_SECOND = 10


class DemoExchange:
    """Both venues on loopback. Build it inside a running event loop; `start`, then `stop` from the same loop.

    Raises FaultError for a fault file that cannot be used, OSError for a port that is taken.
    """

    def __init__(self, config: SimulatorConfig) -> None:
        self._config = config
        self._start_mono_s = time.perf_counter()
        self._start_ms = config.start_ms if config.start_ms is not None else time.time_ns() // 1_000_000
        self._dice = random.Random(f"network {config.seed}")
        self._faults = FaultBook(config.seed)
        if config.faults_file is not None:
            for fault in parse_faults(config.faults_file.read_bytes()):
                self._faults.add(fault)
        self._certificates = None if config.is_plain_http else Certificates(config.ca_file)
        world = World(config.seed, config.instruments, self._start_ms)
        world.warm_up()
        venues: tuple[Venue, ...] = (
            BitunixVenue(world, config.bitunix_refusal, config.bitunix_shapes),
            HyperliquidVenue(world),
        )
        limits = {
            "bitunix": WeightWindow(_BITUNIX_CALLS_PER_SECOND, 1.0),
            "hyperliquid": WeightWindow(_HYPERLIQUID_WEIGHT_PER_MINUTE, 60.0),
        }
        self.ports: dict[str, VenuePort] = {
            venue.name: VenuePort(
                server=self,
                venue=venue,
                faults=self._faults,
                certificates=self._certificates,
                idle_timeout_s=config.idle_timeout(venue.name),
                max_connections=config.max_connections,
                limit=limits[venue.name] if config.has_limits else None,
                is_limit_per_endpoint=venue.name == "bitunix",
            )
            for venue in venues
        }
        control = ControlVenue(
            faults=self._faults,
            now_s=self.now_s,
            stats=self.stats,
            close_idle=self.close_idle,
            venues=tuple(self.ports),
        )
        self._control = VenuePort(
            server=_Near(self),
            venue=control,
            faults=FaultBook(),
            certificates=self._certificates,
            idle_timeout_s=300.0,
            max_connections=50,
        )
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> dict[str, object]:
        """Listen and return the line that tells others where; venues and control have a URL each, ca_file is None for
        http, accounts are those of the demo with their worthless credentials."""
        urls: dict[str, str] = {}
        scheme = "http" if self._certificates is None else "https"
        for offset, (name, port) in enumerate((*self.ports.items(), ("control", self._control))):
            bound = port.open(self._config.port + offset if self._config.port else 0)
            urls[name] = f"{scheme}://127.0.0.1:{bound}"
            self._tasks.append(asyncio.create_task(port.accept_forever()))
        self._tasks.append(asyncio.create_task(self._warm_up_accounts()))
        control = urls.pop("control")
        ca_file = None if self._certificates is None else str(self._certificates.ca_file)
        return {
            "schema": SCHEMA,
            "venues": urls,
            "control": control,
            "ca_file": ca_file,
            "rtt_s": self._config.rtt_s,
            "seed": self._config.seed,
            "accounts": published(),
        }

    async def _warm_up_accounts(self) -> None:
        # In small steps, so that no price waits for it; not at once, so that a short life costs nothing.
        await asyncio.sleep(_WARM_UP_AFTER_S)
        for port in self.ports.values():
            for _ in port.venue.warm_up(self.now_ms()):
                await asyncio.sleep(_WARM_UP_PAUSE_S)

    async def stop(self) -> None:
        """End every connection and remove the temporary certificate file."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for port in (*self.ports.values(), self._control):
            await port.close()
        if self._certificates is not None:
            self._certificates.discard()

    def now_s(self) -> float:
        return time.perf_counter() - self._start_mono_s

    def now_ms(self) -> int:
        return self.ms_at(self.now_s())

    def ms_at(self, since_start_s: float) -> int:
        return self._start_ms + int(since_start_s * 1000)

    def round_trip_s(self) -> float:
        # A little longer far more often than a little shorter, as on a real line.
        return self._config.rtt_s * (1.0 + _JITTER * (self._dice.expovariate(1.0) - 0.6))

    def close_idle(self, venue: str | None) -> int:
        """Close the idle connections of one venue, or of all for None; return how many."""
        return sum(port.close_idle() for name, port in self.ports.items() if venue in (None, name))

    def stats(self) -> Mapping[str, object]:
        """Return the true counts, as JSON values."""
        now_s = self.now_s()
        venues: dict[str, object] = {}
        for name, port in self.ports.items():
            facts = port.connections()
            venues[name] = {
                **asdict(port.truth),
                "connections": [{**asdict(fact), "age_s": now_s - fact.opened_s} for fact in facts],
                "used_weight": port.used_weight(now_s),
            }
        return {
            "uptime_s": now_s,
            "now_ms": self.now_ms(),
            "rtt_s": self._config.rtt_s,
            "seed": self._config.seed,
            "venues": venues,
        }


class _Near:
    # The control door is next door: the same clock, no distance.
    def __init__(self, server: DemoExchange) -> None:
        self.now_s = server.now_s
        self.now_ms = server.now_ms
        self.ms_at = server.ms_at

    @staticmethod
    def round_trip_s() -> float:
        return 0.0
