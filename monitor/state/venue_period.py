"""What one venue's requests and pools did in a chosen period."""

import msgspec

from monitor.domain.telemetry import BudgetState
from monitor.state.latency import LatencySummary, Tally
from monitor.state.period import Period
from monitor.state.pool_figures import PoolFigures, figures_of_period
from monitor.state.venue_state import VenueState


class VenuePeriod(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of this run's requests that ended within ``period``."""

    period: Period
    tally: Tally
    warm: LatencySummary
    cold: LatencySummary
    pools: PoolFigures
    budget_fraction: float | None
    """Weight used / what the documented limit allows in that time; ``None`` where no limit is known, or no time."""


def venue_period(venue: VenueState, period: Period) -> VenuePeriod:
    """Reckon the figures of ``period``; some milliseconds for a day, so once a second at most."""
    start_s, end_s = period.start_mono_s, period.end_mono_s
    tally = venue.latency.tally(start_s, end_s)
    return VenuePeriod(
        period=period,
        tally=tally,
        warm=venue.latency.summary(start_s, end_s, False),
        cold=venue.latency.summary(start_s, end_s, True),
        pools=figures_of_period(
            venue.pool_history.counters_between(start_s, end_s),
            attempts=tally.attempts,
            reused=tally.warm,
            healed=tally.healed,
        ),
        budget_fraction=_fraction(tally.weight, venue.budget, period.length_s),
    )


def _fraction(weight: int, budget: BudgetState | None, length_s: float) -> float | None:
    if budget is None or length_s <= 0.0:
        return None
    return weight / (budget.limit * length_s / budget.window_s)
