"""What a connection needs from its port, and a port from its server, so that neither has to know the other's class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from monitor.simulator.faults import Fault, FaultKind
from monitor.simulator.replies import Request, Truth, Venue


class ServerClock(Protocol):
    """What a port needs from the server around it."""

    def now_s(self) -> float:
        """Return seconds since the start; monotonic."""
        ...

    def now_ms(self) -> int:
        """Return the simulated time in ms since 1970."""
        ...

    def ms_at(self, since_start_s: float) -> int:
        """Return the simulated time at a number of seconds since the start."""
        ...

    def round_trip_s(self) -> float:
        """Return the simulated round trip of the next exchange, jitter included."""
        ...


class Port(Protocol):
    """The port that accepted a connection. Thread: the event loop."""

    @property
    def server(self) -> ServerClock:
        """The clock and the distance of this server."""
        ...

    @property
    def venue(self) -> Venue:
        """Who answers here."""
        ...

    @property
    def truth(self) -> Truth:
        """What happened so far."""
        ...

    @property
    def idle_timeout_s(self) -> float:
        """Seconds a kept connection may be idle now."""
        ...

    def strike(self, kinds: frozenset[FaultKind], endpoint: str | None) -> dict[FaultKind, Fault]:
        """Return the faults of these kinds that strike now, and count them."""
        ...

    def over_limit(self, request: Request, endpoint: str, now_s: float) -> float | None:
        """Return the seconds until the address may ask again, None when it may now."""
        ...

    def charge(self, request: Request, endpoint: str, weight: int, now_s: float) -> None:
        """Count what a reply cost."""
        ...

    def without_vanished(self, request: Request, faults: Mapping[FaultKind, Fault]) -> Request:
        """Return the request, asking for an unknown name instead of a vanished instrument."""
        ...
