"""The list of tokens and spot pairs, asked once for market and accounts of a venue: 20 of weight each time."""

import threading
from weakref import WeakKeyDictionary

from monitor.exchanges.hyperliquid.wire import SpotMeta
from monitor.transport.interface import Transport

_lock = threading.Lock()
_kept: WeakKeyDictionary[Transport, tuple[SpotMeta, float]] = WeakKeyDictionary()


def keep_spot_meta(transport: Transport, meta: SpotMeta, asked_mono_s: float) -> None:
    """Remember what came through ``transport``, for as long as that is there. Thread: any."""
    with _lock:
        _kept[transport] = (meta, asked_mono_s)


def kept_spot_meta(transport: Transport) -> tuple[SpotMeta, float] | None:
    """What came last and when it was asked for (monotonic); ``None``: nothing yet. Thread: any."""
    with _lock:
        return _kept.get(transport)
