"""What an earlier run showed, made ready for the board of this one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from monitor.domain.telemetry import RequestTrace
from monitor.state.catalog import InstrumentKey
from monitor.state.latency import LatencyWindow, MarkColumns, MarkKind
from monitor.state.series import FloatArray, TimeSeries
from monitor.state.spike_log import PastSpikes
from monitor.state.venue_state import LATENCY_CAPACITY

_NOTHING: Final[Mapping[str, LatencyWindow]] = MappingProxyType({})


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """Prices, marks and requests of before this run; times are on this run's monotonic clock, and may be negative.

    ``series``: times and prices by instrument, NaN where the line breaks, a NaN last. ``marks`` by venue.
    ``requests``: oldest first; their numbers are below zero, so that none is mistaken for one of this run, and
    they name no connection. ``spikes``: outliers of the last week; ``None``: not asked for, or none.
    """

    series: Mapping[InstrumentKey, tuple[FloatArray, FloatArray]] = msgspec.field(
        default_factory=lambda: MappingProxyType({})
    )
    marks: Mapping[str, Mapping[MarkKind, MarkColumns]] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    requests: tuple[RequestTrace, ...] = ()
    spikes: PastSpikes | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing was found."""
        return not (self.series or self.marks or self.requests or self.spikes)


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The same as the board keeps it. Handed over whole: whoever made it does not touch it any more."""

    series: Mapping[InstrumentKey, TimeSeries] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    latency: Mapping[str, LatencyWindow] = msgspec.field(default_factory=lambda: _NOTHING)
    requests: tuple[RequestTrace, ...] = ()
    spikes: PastSpikes | None = None

    @property
    def is_empty(self) -> bool:
        """There is nothing to be seen."""
        return not (self.series or self.latency or self.requests or self.spikes)


def prepare(restored: Restored, *, series_capacity: int, latency_capacity: int = LATENCY_CAPACITY) -> Past:
    """Build what the board takes over, with its capacities; a day takes some 20 ms. Thread: any."""
    windows: dict[str, LatencyWindow] = {}
    for venue, kinds in restored.marks.items():
        window = windows[venue] = LatencyWindow(latency_capacity)
        for kind, columns in kinds.items():
            window.load(kind, columns)
    return Past(
        series={
            key: TimeSeries.of_points(series_capacity, times, values)
            for key, (times, values) in restored.series.items()
        },
        latency=windows,
        requests=restored.requests,
        spikes=restored.spikes,
    )
