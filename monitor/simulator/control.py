"""The control door: JSON over the third port, to look at what really happened and to break things on purpose.

GET /stats, GET /faults, POST /faults (one fault, times from now), DELETE /faults or /faults/ID, POST /idle-close
{"venue": null}.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from monitor.simulator.faults import FaultBook, FaultError, FaultKind, parse_fault
from monitor.simulator.replies import Headers, Moment, Reply, Request

CloseIdle = Callable[[str | None], int]


class ControlVenue:
    """The control API in the shape of a venue, so that the same port code serves it. It has no faults and no limits.

    stats returns a JSON object; close_idle closes idle connections of one venue or of all and returns how many.
    """

    name = "control"

    def __init__(
        self,
        *,
        faults: FaultBook,
        now_s: Callable[[], float],
        stats: Callable[[], Mapping[str, object]],
        close_idle: CloseIdle,
        venues: tuple[str, ...],
    ) -> None:
        self._faults = faults
        self._now_s = now_s
        self._stats = stats
        self._close_idle = close_idle
        self._venues = venues

    def endpoint(self, request: Request) -> str:
        return request.path

    @staticmethod
    def warm_up(now_ms: int) -> Iterator[None]:
        del now_ms
        return iter(())

    @staticmethod
    def is_account(endpoint: str) -> bool:
        del endpoint
        return False

    def headers(self, stamp_ms: int) -> Headers:
        del stamp_ms
        return (("X-Demo-Exchange", "1"), ("Cache-Control", "no-store"))

    def refusal(self, request: Request, wait_s: float | None, *, is_edge: bool = False) -> Reply:
        del request, wait_s, is_edge
        return _json(429, {"error": "too many requests"})

    def error(self, code: int, text: str) -> Reply:
        return _json(500, {"error": f"{code} {text}"})

    def answer(self, request: Request, moment: Moment) -> Reply:
        del moment
        try:
            return self._route(request)
        except FaultError as exc:
            return _json(400, {"error": str(exc)})

    def _route(self, request: Request) -> Reply:
        path, method = request.path.rstrip("/"), request.method
        if path == "/stats" and method == "GET":
            return _json(200, self._stats())
        if path == "/faults" and method == "GET":
            return _json(200, {"now_s": self._now_s(), "faults": [self._told(*item) for item in self._faults.items()]})
        if path == "/faults" and method == "POST":
            fault = parse_fault(_body(request), self._now_s())
            if fault.venue is not None and fault.venue not in self._venues:
                raise FaultError(f"venue must be one of {', '.join(self._venues)}")
            number = self._faults.add(fault)
            if fault.kind is FaultKind.IDLE_CLOSE and fault.start_s <= self._now_s():
                self._close_idle(fault.venue)  # what is idle already; the fault itself shortens the waits to come
            return _json(200, {"id": number})
        if path == "/faults" and method == "DELETE":
            return _json(200, {"removed": self._faults.remove(None)})
        if path.startswith("/faults/") and method == "DELETE" and path[8:].isdigit():
            return _json(200, {"removed": self._faults.remove(int(path[8:]))})
        if path == "/idle-close" and method == "POST":
            raw = _body(request) if request.body else {}
            venue = raw.get("venue") if isinstance(raw, dict) else None
            if venue is not None and venue not in self._venues:
                raise FaultError(f"venue must be one of {', '.join(self._venues)}")
            return _json(200, {"closed": self._close_idle(venue)})
        return _json(404, {"error": "GET /stats, GET|POST|DELETE /faults, DELETE /faults/ID, POST /idle-close"})

    @staticmethod
    def _told(number: int, fault: object, fired: int) -> dict[str, object]:
        values = asdict(fault)  # type: ignore[call-overload]  # a Fault, from the book
        return {"id": number, "fired": fired, **values}


def _body(request: Request) -> object:
    try:
        return json.loads(request.body)
    except ValueError:
        raise FaultError("the body is not JSON") from None


def _json(status: int, value: Mapping[str, object]) -> Reply:
    return Reply(status, json.dumps(value).encode())
