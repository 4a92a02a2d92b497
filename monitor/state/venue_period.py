"""What one venue's requests and pools did in a chosen period."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from monitor.domain.pool_health import KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import PoolStats
from monitor.state.latency import LatencySummary, Tally
from monitor.state.period import Period
from monitor.state.pool_figures import PoolFigures, figures_of_period
from monitor.state.pool_history import GaugeSpan, PoolCounters, PoolGauges, span_of
from monitor.state.series import FloatArray
from monitor.state.venue_state import VenueState

LONGEST_ATTEMPT_S: Final = 30.0
"""An attempt that goes on for longer after the end of a period is not looked for; deadlines are shorter."""


class VenuePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of this run's requests that ended within ``period``."""

    period: Period
    tally: Tally
    warm: LatencySummary
    cold: LatencySummary
    pools: PoolFigures
    budget_fraction: float | None
    """Weight used / what the documented limit allows in that time, by the budget's own count, sampled every two
    seconds; ``None`` where nobody counted, no limit is known, or no time.
    """
    is_known: bool
    """Whether this run had begun to ask the venue by its end: the zeros of ``tally`` say nothing otherwise."""

    @property
    def calls(self) -> int | None:
        """Requests, whatever their attempts; ``None``: nobody counted then."""
        return self.tally.calls if self.is_known else None


def venue_period(venue: VenueState, period: Period) -> VenuePeriod:
    """Reckon the figures of ``period``; some milliseconds for a day, so once a second at most."""
    start_s, end_s = period.start_mono_s, period.end_mono_s
    tally = venue.latency.tally(start_s, end_s)
    is_known = was_asked_by(venue, period)
    return VenuePeriod(
        period=period,
        tally=tally,
        warm=venue.latency.summary(start_s, end_s, False),
        cold=venue.latency.summary(start_s, end_s, True),
        pools=figures_of_period(
            venue.pool_history.counters_between(start_s, end_s),
            attempts=tally.attempts if is_known else None,
            reused=tally.warm if is_known else None,
            healed=tally.healed if is_known else None,
        ),
        budget_fraction=_fraction(venue, period),
        is_known=is_known,
    )


def was_asked_by(venue: VenueState, period: Period) -> bool:
    """Whether this run had begun to ask ``venue`` by the end of ``period``."""
    return venue.first_mono_s is not None and venue.first_mono_s <= period.end_mono_s


class PoolPeriod(msgspec.Struct, frozen=True, kw_only=True):
    """How one venue's pools stood in ``period``. ``None``: not known of then."""

    period: Period
    gauges: PoolGauges | None
    """At its end."""
    open: GaugeSpan | None
    active: GaugeSpan | None
    counters: PoolCounters | None
    """What was counted within it."""
    advice: Sequence[SizingAdvice] | None
    """As it stood at its end; its own counts are since start, until then."""
    reuse: float | None
    """Of the minute before its end, as a fraction."""


def pool_period(venue: VenueState, period: Period) -> PoolPeriod:
    """How the pools stood; cheap enough for once a second."""
    history, start_s, end_s = venue.pool_history, period.start_mono_s, period.end_mono_s
    return PoolPeriod(
        period=period,
        gauges=history.gauges_at(end_s),
        open=span_of(history.open, start_s, end_s),
        active=span_of(history.active, start_s, end_s),
        counters=history.counters_between(start_s, end_s),
        advice=history.advice_at(end_s),
        reuse=history.reuse_at(end_s),
    )


def fit_of_period(venue: VenueState, pool: PoolStats, period: Period) -> KeepAliveFit | None:
    """The keep-alive fit from the sockets looked at in ``period`` alone; ``None``: not known."""
    return venue.pool_history.fit_between(pool, period.start_mono_s, period.end_mono_s)


class PeakFinder:
    """Most requests of one venue under way at once in a period, from when each attempt began and ended.

    Finding it sorts every attempt of the period, some 20 ms for a day; after that only what is new is looked at.
    """

    def __init__(self, venue: VenueState) -> None:
        self._venue = venue
        self._period: Period | None = None
        self._attempts = 0
        self._found: int | None = None

    def find(self, period: Period) -> int | None:
        """The peak; ``None`` where no attempt of this run was under way. ``period`` does not end in the future."""
        venue, until_s = self._venue, period.end_mono_s + LONGEST_ATTEMPT_S
        every = venue.latency.summary(period.start_mono_s, until_s, None)
        attempts = every.n + every.failed + every.healed
        if period != self._period:
            self._period, self._found = period, self._most(period)
        elif attempts != self._attempts:
            # What ended since the last look was under way at the end of the period, or shortly before.
            end_s = period.end_mono_s
            tail = self._most(Period(max(period.start_mono_s, end_s - 2 * LONGEST_ATTEMPT_S), end_s))
            self._found = max((one for one in (self._found, tail) if one is not None), default=None)
        self._attempts = attempts
        counted = max(venue.pool_history.peak.within(period.start_mono_s, until_s), default=None)
        # Requests of HTTP/2 share a connection: there can be no more in use than the pools ever counted.
        return self._found if self._found is None or counted is None else min(self._found, counted)

    def _most(self, period: Period) -> int | None:
        spans = self._venue.latency.spans(period.start_mono_s, period.end_mono_s + LONGEST_ATTEMPT_S)
        return most_at_once(*spans, period)


def most_at_once(begins: FloatArray, ends: FloatArray, period: Period) -> int | None:
    """How many of the spans overlap at most within ``period``; ``None`` when none reaches into it."""
    is_inside = (begins <= period.end_mono_s) & (ends >= period.start_mono_s)
    begins, ends = np.sort(begins[is_inside], kind="stable"), np.sort(ends[is_inside], kind="stable")
    if not len(begins):
        return None
    # At each begin: those that have begun, without those that had ended by then.
    had_ended = np.searchsorted(ends, begins, side="right")
    return int((np.arange(1, len(begins) + 1) - had_ended).max())


def _fraction(venue: VenueState, period: Period) -> float | None:
    budget, weight = venue.budget, venue.weight_between(period)
    if budget is None or weight is None or period.length_s <= 0.0 or not was_asked_by(venue, period):
        return None
    return weight / (budget.limit * period.length_s / budget.window_s)
