"""What is handed to the recorder: frozen values without the large payloads they were read from."""

from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from monitor.domain.market import CandleBatch
from monitor.domain.telemetry import PoolStats, RequestTrace
from monitor.state.event_log import EventEntry
from monitor.state.spikes import Spike


class Reading(NamedTuple):
    """What the board showed of one instrument after a reply. ``values`` are those of ``schema.FIELDS``, in order.

    ``price`` is ``None`` when none is known or the instrument is no longer listed. ``is_confirmed``: this very reply
    brought ``price``, changed or not.
    """

    symbol: str
    name: str | None
    is_confirmed: bool
    price: Decimal | None
    price_kind: str | None
    values: tuple[Any, ...]


class ReplyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One reply with prices or a book. ``gap_s``: a longer silence before it broke the line.

    ``is_whole``: instruments of the same venue and dex that are missing in ``readings`` are no longer shown.
    """

    venue: str
    dex: str
    endpoint: str
    requested_mono_s: float
    received_mono_s: float
    received_at: datetime
    cache_age_s: float
    gap_s: float
    is_whole: bool
    readings: tuple[Reading, ...]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one poll result, or the passing of time, added to what is shown. ``at`` is when, UTC."""

    at: datetime
    reply: ReplyRecord | None = None
    traces: tuple[RequestTrace, ...] = ()
    spikes: tuple[tuple[RequestTrace, Spike], ...] = ()
    """Those of ``traces`` that were outliers, and why."""
    pools: tuple[PoolStats, ...] = ()
    candles: CandleBatch | None = None
    events: tuple[EventEntry, ...] = ()
