"""One accepted connection of a venue's port: HTTP/1.1 with keep-alive, simulated distance and faults."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

import h11

from monitor.simulator.damage import damage
from monitor.simulator.faults import Fault, FaultKind
from monitor.simulator.replies import Moment, Reply, Request
from monitor.simulator.streams import PlainStream, StreamClosed
from monitor.simulator.surroundings import Port

_MAX_REQUEST_BYTES = 1_000_000
BEFORE = frozenset(
    {
        FaultKind.LATENCY,
        FaultKind.BLACK_HOLE,
        FaultKind.STALE_RACE,
        FaultKind.FROZEN,
        FaultKind.CLOCK_SKEW,
        FaultKind.NO_PERMISSION,
        FaultKind.ADDRESS_REFUSED,
        FaultKind.CLOCK_WINDOW,
    }
)
INSTEAD = frozenset(
    {
        FaultKind.RATE_LIMIT,
        FaultKind.SERVER_ERROR,
        FaultKind.FORBIDDEN_HTML,
        FaultKind.NULL_BODY,
        FaultKind.MALFORMED_JSON,
        FaultKind.TRUNCATED_JSON,
        FaultKind.WRONG_TYPES,
        FaultKind.HUGE_BODY,
        FaultKind.RENAMED_FIELD,
        FaultKind.RAW_VALUE,
        FaultKind.VENUE_ERROR,
        FaultKind.UNKNOWN_ENUM,
        FaultKind.VANISHED_INSTRUMENT,
    }
)
SENDING = frozenset({FaultKind.TRICKLE, FaultKind.RESET, FaultKind.CUT, FaultKind.CLOSE_AFTER_REPLY})


@dataclass(slots=True)
class ConnectionFacts:
    """What the control door tells about a connection."""

    number: int
    peer: str
    opened_s: float
    requests: int = 0
    state: str = "connecting"
    idle_since_s: float = 0.0


class Connection:
    """Serves one stream until either side ends it. Thread: the event loop; `run` is a task of its own."""

    def __init__(self, port: Port, stream: PlainStream, facts: ConnectionFacts) -> None:
        self._port = port
        self._stream = stream
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=65_536)
        self._task: asyncio.Task[None] | None = None
        self._idle_cause: str | None = None
        self.facts = facts

    async def run(self) -> str:
        """Serve; return why the connection ended, one of the words counted under `closes`."""
        self._task = asyncio.current_task()
        try:
            return await self._serve()
        except StreamClosed:
            return "client"
        except asyncio.CancelledError:
            if self._idle_cause is None:
                self._stream.reset()
                raise
            self._stream.close()
            return self._idle_cause

    def close_idle(self, cause: str) -> bool:
        """Close the connection if no request is in progress on it; return whether it was.

        A new one is as idle as a kept one until its first request arrives.
        """
        if self.facts.state != "idle" or self._task is None:
            return False
        self._idle_cause = cause
        self.facts.state = "closing"
        self._task.cancel()
        return True

    async def _serve(self) -> str:
        while True:
            try:
                request = await self._next_request()
            except h11.RemoteProtocolError as exc:
                await self._send_bare(exc.error_status_hint)
                self._stream.close()
                return "bad_request"
            if request is None:
                self._stream.close()
                return "client" if self._idle_cause is None else self._idle_cause
            ended = await self._answer(request)
            if ended is not None:
                return ended
            self._http.start_next_cycle()

    async def _next_request(self) -> Request | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    await self._stream.send(self._bytes_of(h11.InformationalResponse(status_code=100, headers=[])))
                data = (
                    await self._idle_receive()
                    if head is None and not self._http.trailing_data[0]
                    else await self._stream.receive()
                )
                if data is None:
                    return None
                self._http.receive_data(data)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _MAX_REQUEST_BYTES:
                    raise h11.RemoteProtocolError("request too large", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return self._request(head, bytes(body))
            else:
                return None

    async def _idle_receive(self) -> bytes | None:
        self.facts.state = "idle"
        self.facts.idle_since_s = self._port.server.now_s()
        try:
            async with asyncio.timeout(self._port.idle_timeout_s):
                data = await self._stream.receive()
        except TimeoutError:
            self._idle_cause = "idle_timeout"
            return None
        self.facts.state = "receiving"
        return data

    def _request(self, head: h11.Request, body: bytes) -> Request:
        target = urlsplit(head.target.decode("ascii", "replace"))
        return Request(
            method=head.method.decode("ascii", "replace"),
            path=target.path,
            query=dict(parse_qsl(target.query, keep_blank_values=True)),
            headers={name.decode("ascii", "replace"): value.decode("latin-1") for name, value in head.headers},
            body=body,
            peer_ip=self.facts.peer.rsplit(":", 1)[0],
        )

    async def _answer(self, request: Request) -> str | None:
        port, server = self._port, self._port.server
        endpoint = port.venue.endpoint(request)
        now_s = server.now_s()
        self.facts.state = "busy"
        self.facts.requests += 1
        port.truth.requests += 1
        port.truth.count(port.truth.by_endpoint, endpoint)
        before = port.strike(BEFORE, endpoint)
        if FaultKind.STALE_RACE in before and self.facts.requests > 1:
            self._stream.close()
            return "stale_race"
        round_trip_s = server.round_trip_s() + (
            before[FaultKind.LATENCY].seconds if FaultKind.LATENCY in before else 0.0
        )
        await asyncio.sleep(round_trip_s / 2)
        if FaultKind.BLACK_HOLE in before:
            await self._swallow()
        reply, stamp_ms = self._reply(request, endpoint, before, now_s)
        await asyncio.sleep(round_trip_s / 2)
        return await self._deliver(request, reply, stamp_ms, port.strike(SENDING, endpoint))

    def _reply(
        self, request: Request, endpoint: str, before: Mapping[FaultKind, Fault], now_s: float
    ) -> tuple[Reply, int]:
        port = self._port
        data_ms = now_ms = port.server.now_ms()
        skew_ms = 0
        if FaultKind.CLOCK_SKEW in before:
            skew_ms = round(before[FaultKind.CLOCK_SKEW].seconds * 1000)
        if FaultKind.FROZEN in before:
            data_ms = port.server.ms_at(before[FaultKind.FROZEN].start_s)
        moment = Moment(
            data_ms,
            now_ms,
            skew_ms,
            is_permission_refused=FaultKind.NO_PERMISSION in before,
            is_address_refused=FaultKind.ADDRESS_REFUSED in before,
        )
        if FaultKind.CLOCK_WINDOW in before:
            moment = replace(moment, tolerance_ms=round(before[FaultKind.CLOCK_WINDOW].seconds * 1000))
        stamp_ms = moment.stamp_ms
        instead = port.strike(INSTEAD, endpoint)
        wait_s = port.over_limit(request, endpoint, now_s)
        if FaultKind.RATE_LIMIT in instead:
            port.truth.limited += 1
            fault = instead[FaultKind.RATE_LIMIT]
            return port.venue.refusal(request, fault.retry_after_s, is_edge=fault.edge), stamp_ms
        if FaultKind.VENUE_ERROR in instead:
            return port.venue.error(
                instead[FaultKind.VENUE_ERROR].code, instead[FaultKind.VENUE_ERROR].to or ""
            ), stamp_ms
        if wait_s is not None:
            port.truth.limited += 1
            return port.venue.refusal(request, None), stamp_ms
        reply = port.venue.answer(port.without_vanished(request, instead), moment)
        port.charge(request, endpoint, reply.weight, now_s)
        return damage(reply, instead), stamp_ms

    async def _swallow(self) -> None:
        # Bytes still arrive and are thrown away; only the client, or the end of the process, ends this.
        while await self._stream.receive():
            pass
        raise StreamClosed

    async def _deliver(
        self, request: Request, reply: Reply, stamp_ms: int, faults: Mapping[FaultKind, Fault]
    ) -> str | None:
        closing = faults.get(FaultKind.CLOSE_AFTER_REPLY)
        data = self._encode(request, reply, stamp_ms, announce_close=closing is not None and closing.announced)
        truth = self._port.truth
        truth.count(truth.by_status, str(reply.status))
        for kind in (FaultKind.RESET, FaultKind.CUT):
            if kind in faults:
                part = data[: max(1, int(len(data) * faults[kind].fraction))]
                await self._stream.send(part)
                truth.bytes_sent += len(part)
                await asyncio.sleep(0.01)  # so that the part is read before the end of the connection is noticed
                self._stream.reset() if kind is FaultKind.RESET else self._stream.close()
                return str(kind)
        if FaultKind.TRICKLE in faults:
            await self._trickle(data, faults[FaultKind.TRICKLE].bytes_per_s)
        else:
            await self._stream.send(data)
        truth.bytes_sent += len(data)
        truth.replies += 1
        if closing is not None or self._http.our_state is h11.MUST_CLOSE:
            self._stream.close()
            return "close_after_reply" if closing is not None else "asked_to_close"
        return None

    async def _trickle(self, data: bytes, bytes_per_s: float) -> None:
        step_s = 0.05
        size = max(1, int(max(bytes_per_s, 1.0) * step_s))
        for start in range(0, len(data), size):
            await self._stream.send(data[start : start + size])
            await asyncio.sleep(step_s)

    def _encode(self, request: Request, reply: Reply, stamp_ms: int, *, announce_close: bool) -> bytes:
        headers: list[tuple[str, str]] = [("Date", formatdate(stamp_ms / 1000, usegmt=True))]
        if reply.content_type is not None:
            headers.append(("Content-Type", reply.content_type))
        headers.append(("Content-Length", str(len(reply.body))))
        # h11 answers an HTTP/1.0 client or "Connection: close" by itself; saying keep-alive then would contradict it.
        stays = self._http.their_http_version == b"1.1" and "close" not in request.headers.get("connection", "").lower()
        headers.append(("Connection", "close" if announce_close or not stays else "keep-alive"))
        headers.extend(self._port.venue.headers(stamp_ms))
        headers.extend(reply.headers)
        parts = [
            self._bytes_of(
                h11.Response(status_code=reply.status, headers=headers, reason=_REASONS.get(reply.status, b""))
            )
        ]
        if reply.body and request.method != "HEAD":
            parts.append(self._bytes_of(h11.Data(data=reply.body)))
        parts.append(self._bytes_of(h11.EndOfMessage()))
        return b"".join(parts)

    def _bytes_of(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""

    async def _send_bare(self, status: int) -> None:
        reason = _REASONS.get(status, b"Error").decode()
        await self._stream.send(
            f"HTTP/1.1 {status} {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )


_REASONS = {
    200: b"OK",
    400: b"Bad Request",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    413: b"Content Too Large",
    415: b"Unsupported Media Type",
    422: b"Unprocessable Entity",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
    504: b"Gateway Timeout",
}
