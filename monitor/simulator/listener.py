"""The port of one venue: accepts, counts, limits, and hands each connection to a task."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
from collections.abc import Mapping

from monitor.simulator.certificates import Certificates
from monitor.simulator.connection import Connection, ConnectionFacts
from monitor.simulator.faults import Fault, FaultBook, FaultKind
from monitor.simulator.limits import WeightWindow
from monitor.simulator.replies import Request, Truth, Venue
from monitor.simulator.streams import PlainStream, StreamClosed, TlsStream
from monitor.simulator.surroundings import ServerClock

_CONNECTING = frozenset({FaultKind.BLACK_HOLE_CONNECT, FaultKind.REFUSE, FaultKind.EXPIRED_CERTIFICATE})
_KEPT_FINISHED = 2000  # finished connections whose number of requests is remembered


class VenuePort:
    """A listening socket and everything that hangs on it. Thread: the event loop.

    limit: the venue's weight window and whether each endpoint has its own; None for no limit.
    """

    def __init__(
        self,
        *,
        server: ServerClock,
        venue: Venue,
        faults: FaultBook,
        certificates: Certificates | None,
        idle_timeout_s: float,
        max_connections: int,
        limit: WeightWindow | None = None,
        is_limit_per_endpoint: bool = False,
    ) -> None:
        self.server = server
        self.venue = venue
        self.truth = Truth()
        self._faults = faults
        self._certificates = certificates
        self._idle_timeout_s = idle_timeout_s
        self._max_connections = max_connections
        self._limit = limit
        self._is_limit_per_endpoint = is_limit_per_endpoint
        self._numbers = itertools.count(1)
        self._connections: dict[int, Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._socket: socket.socket | None = None

    @property
    def idle_timeout_s(self) -> float:
        """Seconds a kept connection may be idle now; shorter while an idle-close fault is in force."""
        fault = self._faults.match(frozenset({FaultKind.IDLE_CLOSE}), self.venue.name, None, self.server.now_s()).get(
            FaultKind.IDLE_CLOSE
        )
        return self._idle_timeout_s if fault is None else min(self._idle_timeout_s, max(0.0, fault.seconds))

    def open(self, port: int) -> int:
        """Listen on loopback and return the port. Raises OSError when it is taken."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere the option would let two servers share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(256)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self._socket = listener
        bound: int = listener.getsockname()[1]
        return bound

    async def accept_forever(self) -> None:
        """Accept until cancelled; every accepted socket is counted before anything else happens to it."""
        loop = asyncio.get_running_loop()
        assert self._socket is not None, "open() comes first"  # noqa: S101  # a programming error, not an input
        while True:
            try:
                sock, address = await loop.sock_accept(self._socket)
            except OSError:
                await asyncio.sleep(0.05)  # out of descriptors: let connections end rather than spin
                continue
            self.truth.accepts += 1
            facts = ConnectionFacts(next(self._numbers), f"{address[0]}:{address[1]}", self.server.now_s())
            task = asyncio.create_task(self._handle(sock, facts))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop listening and end every connection."""
        if self._socket is not None:
            self._socket.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def close_idle(self, cause: str = "idle_close") -> int:
        """Close every connection that waits for a request; return how many."""
        return sum(connection.close_idle(cause) for connection in tuple(self._connections.values()))

    def connections(self) -> list[ConnectionFacts]:
        """Return the facts of the open connections, oldest first."""
        return [connection.facts for connection in self._connections.values()]

    def strike(self, kinds: frozenset[FaultKind], endpoint: str | None) -> dict[FaultKind, Fault]:
        """Return the faults of these kinds that strike now, and count them."""
        side = None if endpoint is None else ("accounts" if self.venue.is_account(endpoint) else "markets")
        struck = self._faults.match(kinds, self.venue.name, endpoint, self.server.now_s(), side=side)
        for kind in struck:
            self.truth.count(self.truth.faults, str(kind))
        return struck

    def over_limit(self, request: Request, endpoint: str, now_s: float) -> float | None:
        """Return the seconds until the address may ask again, None when it may now."""
        if self._limit is None:
            return None
        key = self._limit_key(request, endpoint)
        return None if self._limit.admits(key, 1, now_s) else self._limit.wait_s(key, now_s)

    def charge(self, request: Request, endpoint: str, weight: int, now_s: float) -> None:
        """Count what a reply cost."""
        if self._limit is not None:
            self._limit.charge(self._limit_key(request, endpoint), weight, now_s)

    def used_weight(self, now_s: float) -> dict[str, float]:
        """Return the weight in the window for each key that has any."""
        return {} if self._limit is None else self._limit.snapshot(now_s)

    def without_vanished(self, request: Request, faults: Mapping[FaultKind, Fault]) -> Request:
        """Return the request, asking for an unknown name instead of a vanished instrument."""
        fault = faults.get(FaultKind.VANISHED_INSTRUMENT)
        if fault is None or fault.instrument is None:
            return request
        name = fault.instrument.encode()
        query = {key: "GONE" if value == fault.instrument else value for key, value in request.query.items()}
        return Request(
            request.method,
            request.path,
            query,
            request.headers,
            request.body.replace(b'"' + name + b'"', b'"GONE"'),
            request.peer_ip,
        )

    def _limit_key(self, request: Request, endpoint: str) -> str:
        who = request.peer_ip
        if self.venue.is_account(endpoint):
            who = request.headers.get("api-key", who)  # signed reads are limited by account
        return f"{who} {endpoint}" if self._is_limit_per_endpoint else who

    async def _handle(self, sock: socket.socket, facts: ConnectionFacts) -> None:
        truth = self.truth
        truth.open += 1
        truth.peak_open = max(truth.peak_open, truth.open)
        cause = "stopped"
        try:
            cause = await self._connect_and_serve(sock, facts)
        finally:
            sock.close()
            truth.open -= 1
            self._connections.pop(facts.number, None)
            truth.count(truth.closes, cause)
            if len(truth.requests_per_connection) < _KEPT_FINISHED:
                truth.requests_per_connection.append(facts.requests)

    async def _connect_and_serve(self, sock: socket.socket, facts: ConnectionFacts) -> str:
        struck = self.strike(_CONNECTING, None)
        if FaultKind.REFUSE in struck or self.truth.open > self._max_connections:
            self.truth.refused += 1
            PlainStream(sock).reset()
            return "refused"
        if FaultKind.BLACK_HOLE_CONNECT in struck:
            await self._hold(sock)
            return "black_hole_connect"
        stream = self._stream(sock, is_expired=FaultKind.EXPIRED_CERTIFICATE in struck)
        try:
            await stream.start(self.server.round_trip_s())
        except StreamClosed:
            self.truth.failed_handshakes += 1
            stream.close()
            return "handshake"
        self.truth.handshakes += self._certificates is not None
        connection = Connection(self, stream, facts)
        self._connections[facts.number] = connection
        return await connection.run()

    def _stream(self, sock: socket.socket, *, is_expired: bool) -> PlainStream:
        if self._certificates is None:
            return PlainStream(sock)
        return TlsStream(sock, self._certificates.expired if is_expired else self._certificates.valid)

    @staticmethod
    async def _hold(sock: socket.socket) -> None:
        stream = PlainStream(sock)
        with contextlib.suppress(StreamClosed):
            while await stream.receive():
                pass
