"""What goes in and out of a venue: one request, one reply. No sockets here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, read completely. Header names are lower case; query holds the last value of each key."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    peer_ip: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply before any fault touches it.

    content_type None sends no such header. weight: what the request costs of the venue's limit, surcharges included.
    """

    status: int
    body: bytes
    content_type: str | None = "application/json"
    headers: Headers = ()
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Moment:
    """When a request is answered, in ms since 1970.

    data_ms picks the market state and stays behind now_ms while data is frozen; skew_ms is how far the venue's clock
    is off. What a signed request meets: how far its time stamp may be off, and the two refusals that a fault asks for.
    """

    data_ms: int
    now_ms: int
    skew_ms: int = 0
    tolerance_ms: int = 30_000
    is_permission_refused: bool = False
    is_address_refused: bool = False

    @property
    def stamp_ms(self) -> int:
        """What the venue's clock says."""
        return self.now_ms + self.skew_ms

    @property
    def told_ms(self) -> int:
        """What the venue's clock said when the data was made."""
        return self.data_ms + self.skew_ms


class Venue(Protocol):
    """One API. Thread: the server's event loop."""

    name: str

    def warm_up(self, now_ms: int) -> Iterator[None]:
        """Prepare, a millisecond of work at a step, what the first question about an account would have to wait for."""
        ...

    def is_account(self, endpoint: str) -> bool:
        """Say whether an endpoint is about somebody's account, and not about markets."""
        ...

    def endpoint(self, request: Request) -> str:
        """Return a low-cardinality name of what is asked, such as "tickers"; "other" when unknown."""
        ...

    def answer(self, request: Request, moment: Moment) -> Reply:
        """Return the reply of a healthy venue; never raises on anything a client can send."""
        ...

    def refusal(self, request: Request, wait_s: float | None, *, is_edge: bool = False) -> Reply:
        """Return the reply to a request over the limit; wait_s becomes Retry-After where it is given.

        is_edge: HTTP 429 even where the venue usually refuses in another way.
        """
        ...

    def error(self, code: int, text: str) -> Reply:
        """Return the venue's own way of saying that something went wrong inside."""
        ...

    def headers(self, stamp_ms: int) -> Headers:
        """Return the headers that the venue's edge adds to every reply."""
        ...


@dataclass(slots=True)
class Truth:
    """What really happened at one venue's port, for tests to compare a client's claims with. Counts only grow."""

    accepts: int = 0
    handshakes: int = 0
    failed_handshakes: int = 0
    refused: int = 0
    open: int = 0
    peak_open: int = 0
    requests: int = 0
    replies: int = 0
    limited: int = 0
    bytes_sent: int = 0
    by_endpoint: dict[str, int] = field(default_factory=dict)
    by_status: dict[str, int] = field(default_factory=dict)
    closes: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    requests_per_connection: list[int] = field(default_factory=list)

    def count(self, table: dict[str, int], name: str) -> None:
        table[name] = table.get(name, 0) + 1
