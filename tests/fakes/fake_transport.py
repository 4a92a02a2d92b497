"""A transport that serves canned bytes and records what it was asked."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.domain.errors import MonitorError
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.transport.interface import Endpoint, Reply
from tests.fakes.fake_clock import FakeClock


@dataclass(frozen=True)
class Asked:
    """One request as the transport saw it."""

    endpoint: Endpoint
    params: dict[str, str] | None
    body: bytes | None
    headers: dict[str, str] | None
    weight: int

    @property
    def document(self) -> Any:
        """The JSON body."""
        assert self.body is not None
        return json.loads(self.body)


@dataclass
class Canned:
    """What to answer; ``date`` is ``None`` for a reply without that header."""

    body: bytes = b"null"
    status: int = 200
    content_type: str = "application/json"
    date: datetime | None = None
    retry_after_s: float | None = None
    round_trip_s: float = 0.1


Answer = Canned | bytes | MonitorError
Responder = Callable[[Asked], Answer]


@dataclass(eq=False)
class FakeTransport:
    """Implements ``Transport`` without a socket.

    Either ``responder`` decides, or ``answers`` are served in order, the last one again and again. Every request takes
    ``round_trip_s`` of the fake clock and leaves one trace. Thread: any.
    """

    venue: str = "bitunix"
    answers: list[Answer] = field(default_factory=list)
    responder: Responder | None = None
    clock: FakeClock = field(default_factory=FakeClock)
    asked: list[Asked] = field(default_factory=list)
    charged: list[tuple[str, int]] = field(default_factory=list)
    refusals: list[tuple[str, float | None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        """Serve the next canned reply, or raise the next canned error."""
        asked = Asked(endpoint, dict(params) if params else None, body, dict(headers) if headers else None, weight)
        with self._lock:
            self.asked.append(asked)
            number = len(self.asked)
            if self.responder is None:
                answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if self.responder is not None:
            answer = self.responder(asked)
        if isinstance(answer, MonitorError):
            raise answer
        canned = Canned(body=answer) if isinstance(answer, bytes) else answer
        requested_mono_s = self.clock()
        self.clock.advance(canned.round_trip_s)
        trace = RequestTrace(
            request_id=number,
            attempt=1,
            venue=self.venue,
            endpoint=endpoint.name,
            method=endpoint.method,
            host="127.0.0.1:1",
            started_at=self.clock.utc_now(),
            started_mono_s=requested_mono_s,
            ended_mono_s=self.clock(),
            total_s=canned.round_trip_s,
            status=canned.status,
        )
        return Reply(
            status=canned.status,
            body=canned.body,
            content_type=canned.content_type,
            date=canned.date,
            retry_after_s=canned.retry_after_s,
            traces=(trace,),
            requested_mono_s=requested_mono_s,
            received_mono_s=self.clock(),
            received_at=self.clock.utc_now(),
        )

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        """Record a surcharge."""
        self.charged.append((endpoint.name, weight))

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:
        """Record a refusal."""
        self.refusals.append((endpoint.name, retry_after_s))

    def available_in_s(self, weight: int) -> float:
        """Always now."""
        return 0.0

    def pool_stats(self) -> tuple[PoolStats, ...]:
        """None."""
        return ()

    def budget_state(self) -> BudgetState:
        """An unused budget."""
        return BudgetState(venue=self.venue, window_s=60.0, limit=1_200, cap=360, used=0)

    def forget_network(self) -> None:
        """Nothing to forget."""

    def close(self) -> None:
        """Nothing to close."""
