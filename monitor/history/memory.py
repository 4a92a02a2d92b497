"""What the writer remembers of the file, so that it writes only what changed and each name once."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

import msgspec
from msgspec.structs import replace

Row: TypeAlias = tuple[Any, ...]


class Known(NamedTuple):
    """What the file says of an instrument so far."""

    price: Decimal | None
    kind: str | None
    values: tuple[Any, ...]
    told_whole_mono_s: float


class Group(NamedTuple):
    """The instruments of one venue and dex: newest reply with prices, and who has a price."""

    received_mono_s: float
    live: frozenset[int]


class Span(NamedTuple):
    from_ms: int
    low: float
    high: float


class Memory(msgspec.Struct):
    """What was written; copied before each batch, so that a batch that fails leaves no trace in it."""

    session: int | None = None
    reply: int = 0
    labels: dict[str, int] = msgspec.field(default_factory=dict)
    instruments: dict[tuple[str, str], tuple[int, str | None]] = msgspec.field(default_factory=dict)
    sources: dict[tuple[str, str, str], int] = msgspec.field(default_factory=dict)
    known: dict[int, Known] = msgspec.field(default_factory=dict)
    groups: dict[tuple[str, str], Group] = msgspec.field(default_factory=dict)
    spans: dict[int, Span] = msgspec.field(default_factory=dict)
    candles: dict[tuple[int, str], int] = msgspec.field(default_factory=dict)
    pools: dict[tuple[str, str, str], tuple[Row, datetime]] = msgspec.field(default_factory=dict)
    connections: dict[int, None] = msgspec.field(default_factory=dict)

    def copy(self) -> "Memory":
        return replace(
            self,
            labels=dict(self.labels),
            instruments=dict(self.instruments),
            sources=dict(self.sources),
            known=dict(self.known),
            groups=dict(self.groups),
            spans=dict(self.spans),
            candles=dict(self.candles),
            pools=dict(self.pools),
            connections=dict(self.connections),
        )
