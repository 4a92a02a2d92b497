"""Believable results of two venues, to fill a board by hand: markets that move, sockets that are reused.

Nothing here touches the network or a wall clock: time is the ``SampleFeed``'s clock, advanced by ``run``.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from monitor.domain.errors import ErrorKind, Failure
from monitor.domain.telemetry import CloseCause, RequestTrace
from monitor.exchanges.base import Payload, Source
from monitor.polling.results import PollFailure, PollResult, PollSuccess
from monitor.state.board import Board
from tests.fakes.sample_markets import FIRST, SECOND, SampleSocket, SampleVenue, sample_symbols


@dataclass(slots=True)
class SampleClock:
    """A monotonic and a wall clock that run together and only when told."""

    now_s: float = 50_000.0
    epoch: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> float:
        return self.now_s

    def utc_now(self) -> datetime:
        """The same moment as a UTC stamp."""
        return self.at(self.now_s)

    def at(self, mono_s: float) -> datetime:
        """UTC stamp of a monotonic reading."""
        return self.epoch + timedelta(seconds=mono_s - 50_000.0)


class SampleFeed:
    """Fills ``board`` as two venues polled with the default plan would, from time to time on ``clock``.

    ``counts`` are instruments per venue. ``sink`` takes the results instead of the board (a real outbox, say).
    """

    def __init__(
        self,
        board: Board,
        clock: SampleClock,
        *,
        counts: tuple[int, int] = (12, 11),
        seed: int = 7,
        sink: Callable[[PollResult], None] | None = None,
    ) -> None:
        self.board = board
        self.clock = clock
        self._rng = random.Random(seed)
        self._sink = sink or self._into_board
        self._request_id = 0
        self._socket_number = 0
        self.venues = {
            name: SampleVenue(name, sample_symbols(name, count), random.Random(seed + i), 0.061 if i == 0 else 0.148)
            for i, (name, count) in enumerate(zip((FIRST, SECOND), counts, strict=True))
        }
        self.down: set[str] = set()
        self.second = 0

    def _into_board(self, result: PollResult) -> None:
        self.board.apply((result,))

    def key(self, venue: str, i: int) -> tuple[str, str]:
        """Key of market ``i``."""
        return (venue, self.venues[venue].symbols[i][1])

    def watchlist(self, count: int = 6) -> tuple[tuple[str, str], ...]:
        """The first markets of both venues, alternating."""
        return tuple(self.key(name, i) for i in range(count) for name in (FIRST, SECOND))

    def start(self, focus: int = 0) -> None:
        """What arrives first: instruments, details, candles, a book."""
        for venue in self.venues.values():
            self._deliver(venue, "instruments", venue.catalog(), 3600.0, slow_s=0.04)
            self._deliver(venue, "quotes", venue.quotes(), 1.0)
            self._deliver(venue, "details", venue.details(), 30.0, slow_s=0.03)
            self._deliver(venue, "book", venue.book(focus), 2.0)
            for interval in ("1m", "5m", "15m", "1h"):
                candles = venue.candles(focus, interval, 200, self.clock.utc_now())
                self._deliver(venue, "candles", candles, 60.0, key_suffix=f":{interval}")

    def run(self, seconds: int, focus: int = 0) -> None:
        """Let ``seconds`` pass, one poll of prices a second and the slower ones when they are due."""
        for _ in range(seconds):
            self.clock.now_s += 1.0
            self.second += 1
            count = max(len(venue.symbols) for venue in self.venues.values())
            market = self._rng.gauss(0, 0.00012)
            shocks = [market + self._rng.gauss(0, 0.00008) for _ in range(count)]
            for venue in self.venues.values():
                venue.move(shocks[: len(venue.symbols)])
                if venue.name in self.down:
                    if self.second % 4 == 0:
                        self._fail(venue, "quotes")
                    continue
                self._deliver(venue, "quotes", venue.quotes(), 1.0)
                if self.second % 2 == 0:
                    self._deliver(venue, "book", venue.book(focus), 2.0)
                if self.second % 30 == 0:
                    self._deliver(venue, "details", venue.details(), 30.0, slow_s=0.03)
                if self.second % 60 == 0:
                    for interval in ("1m", "5m", "15m", "1h"):
                        candles = venue.candles(focus, interval, 3, self.clock.utc_now())
                        self._deliver(venue, "candles", candles, 60.0, key_suffix=f":{interval}")

    def deliver_quotes(self, venue: str, *traces: RequestTrace) -> None:
        """One price reply of ``venue`` now; ``traces``: the attempts that brought it, else an ordinary one."""
        self._deliver(self.venues[venue], "quotes", self.venues[venue].quotes(), 1.0, traces=traces)

    def _socket(self, venue: SampleVenue) -> tuple[SampleSocket, bool]:
        now = self.clock.now_s
        alive = [socket for socket in venue.sockets if socket.closed_mono_s is None]
        if len(alive) >= 2 and venue.rng.random() < 0.004:
            dead = alive[0]
            dead.closed_mono_s = now
            dead.cause = venue.rng.choice([CloseCause.BY_SERVER, CloseCause.EXPIRED, CloseCause.STALE])
            venue.closed[dead.cause] = venue.closed.get(dead.cause, 0) + 1
            alive = alive[1:]
        is_cold = len(alive) < 2
        if is_cold:
            self._socket_number += 1
            socket = SampleSocket(self._socket_number, now, venue.rtt_s * 2.1)
            venue.sockets.append(socket)
            del venue.sockets[:-9]
            venue.opened += 1
        else:
            socket = alive[venue.attempts % len(alive)]
            venue.reused += 1
        venue.attempts += 1
        socket.requests += 1
        socket.used_mono_s = now
        return socket, is_cold

    def _deliver(
        self,
        venue: SampleVenue,
        operation: str,
        payload: Payload,
        cadence_s: float,
        *,
        slow_s: float = 0.0,
        key_suffix: str = "",
        traces: Sequence[RequestTrace] = (),
    ) -> None:
        socket, is_cold = self._socket(venue)
        rtt_s = venue.rtt_s * venue.rng.lognormvariate(0, 0.07) * (3.5 if venue.rng.random() < 0.008 else 1.0)
        tcp_s, tls_s = (rtt_s * 0.9, rtt_s * 1.15) if is_cold else (None, None)
        dns_s = 0.004 if is_cold else None
        read_s = 0.002 + slow_s
        total_s = (dns_s or 0) + (tcp_s or 0) + (tls_s or 0) + 0.0004 + rtt_s + read_s + 0.0006
        trace = self._trace(venue, operation, socket.number, total_s)
        trace = replace(
            trace,
            dns_s=dns_s,
            tcp_s=tcp_s,
            tls_s=tls_s,
            send_s=0.0002,
            wait_s=rtt_s,
            read_s=read_s,
            unaccounted_s=0.0006,
            lease_wait_s=0.0002,
            queue_s=0.0004,
            is_cold=is_cold,
            is_dns_cached=True if is_cold else None,
            is_resumed=venue.opened > 2 if is_cold else None,
            addresses_tried=1 if is_cold else None,
            status=200,
            http_version="HTTP/1.1",
            request_bytes=412,
            response_bytes=2_300 + 61 * len(venue.symbols),
        )
        now = self.clock.now_s
        made = venue.made[operation] = venue.made.get(operation, 0) + 1
        venue.streaks[operation] = 0
        self._sink(
            PollSuccess(
                venue=venue.name,
                endpoint=f"{venue.name}.{operation}",
                key=f"{venue.name}.{operation}{key_suffix}",
                plan_epoch=0,
                cadence_s=cadence_s,
                payload=payload,
                requested_mono_s=now - total_s,
                received_mono_s=now,
                received_at=self.clock.at(now),
                source=Source.NETWORK,
                cache_age_s=0.0,
                clock_offset_s=0.1,
                traces=tuple(traces) or (trace,),
                pools=(venue.pool(now),),
                budget=venue.budget(),
                missed=0,
                planned=made,
                made=made,
            )
        )

    def _fail(self, venue: SampleVenue, operation: str) -> None:
        now = self.clock.now_s
        streak = venue.streaks[operation] = venue.streaks.get(operation, 0) + 1
        venue.attempts += 1
        venue.failed_connects += 1
        for socket in venue.sockets:
            if socket.closed_mono_s is None:
                socket.closed_mono_s, socket.cause = now, CloseCause.ERROR
                venue.closed[CloseCause.ERROR] = venue.closed.get(CloseCause.ERROR, 0) + 1
        trace = replace(
            self._trace(venue, operation, None, 3.1), error_kind=ErrorKind.CONNECT, dns_s=0.003, unaccounted_s=0.0
        )
        made = venue.made[operation] = venue.made.get(operation, 0) + 1
        self._sink(
            PollFailure(
                venue=venue.name,
                endpoint=f"{venue.name}.{operation}",
                key=f"{venue.name}.{operation}",
                plan_epoch=0,
                cadence_s=1.0,
                failure=Failure(
                    kind=ErrorKind.CONNECT, user_text="No connection within 3.1 s; check the network or the proxy"
                ),
                failed_mono_s=now,
                failed_at=self.clock.at(now),
                traces=(trace,),
                pools=(venue.pool(now),),
                budget=venue.budget(),
                missed=3,
                planned=made + 3 * streak,
                made=made,
                streak=streak,
                next_due_in_s=4.0,
            )
        )

    def _trace(self, venue: SampleVenue, operation: str, connection_id: int | None, total_s: float) -> RequestTrace:
        self._request_id += 1
        now = self.clock.now_s
        return RequestTrace(
            request_id=self._request_id,
            attempt=1,
            venue=venue.name,
            endpoint=f"{venue.name}.{operation}",
            method="GET" if venue.name == FIRST else "POST",
            host=venue.host,
            started_at=self.clock.at(now - total_s),
            started_mono_s=now - total_s,
            ended_mono_s=now,
            total_s=total_s,
            connection_id=connection_id,
            weight=1 if venue.name == FIRST else 2,
        )


def make_board(
    *, seconds: int = 60, counts: tuple[int, int] = (12, 11), seed: int = 7, watched: int = 6
) -> tuple[Board, SampleClock, SampleFeed]:
    """A board after ``seconds`` of polling with the first markets watched; 0 seconds: only what arrives first."""
    clock = SampleClock()
    board = Board(venues=(FIRST, SECOND), clock=clock, utc_now=clock.utc_now, series_capacity=90_000)
    feed = SampleFeed(board, clock, counts=counts, seed=seed)
    board.track(feed.watchlist(watched))
    feed.start()
    feed.run(seconds)
    return board, clock, feed
