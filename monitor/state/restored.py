"""What an earlier run showed, as one frozen value for the board of this one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from monitor.domain.telemetry import RequestTrace
from monitor.state.catalog import InstrumentKey
from monitor.state.latency import MarkColumns, MarkKind
from monitor.state.series import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """Prices, marks and requests of before this run; times are on this run's monotonic clock, and may be negative.

    ``series``: times and prices by instrument, NaN where the line breaks, a NaN last. ``marks`` by venue.
    ``requests``: oldest first; their numbers are below zero, so that none is mistaken for one of this run, and
    they name no connection.
    """

    series: Mapping[InstrumentKey, tuple[FloatArray, FloatArray]] = field(default_factory=lambda: MappingProxyType({}))
    marks: Mapping[str, Mapping[MarkKind, MarkColumns]] = field(default_factory=lambda: MappingProxyType({}))
    requests: tuple[RequestTrace, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Nothing was found."""
        return not (self.series or self.marks or self.requests)
