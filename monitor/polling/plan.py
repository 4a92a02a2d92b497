"""What to poll: an immutable plan, and what it costs of each venue's budget. Pure."""

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from monitor.domain.telemetry import BudgetState
from monitor.exchanges.base import PollJob

MIN_CADENCE_S = 0.2
"""No endpoint of either venue changes faster than it can be fetched this often within any sensible budget."""


class PollPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All jobs that should run. ``epoch`` grows with every plan, so that late results of an older one are recognised.

    Raises:
        ValueError: two jobs of one venue have the same key, or a cadence is not a positive number of seconds.
    """

    epoch: int
    jobs: tuple[PollJob, ...] = ()

    def __post_init__(self) -> None:
        keys = [(job.venue, job.key) for job in self.jobs]
        if len(set(keys)) != len(keys):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise ValueError(f"planned twice: {twice}")
        for job in self.jobs:
            if not job.cadence_s > 0.0:
                raise ValueError(f"{job.key}: cadence must be positive")

    @property
    def venues(self) -> tuple[str, ...]:
        """Venues that are polled, in the order of their first job."""
        return tuple(dict.fromkeys(job.venue for job in self.jobs))


def merge_jobs(
    groups: Iterable[Iterable[PollJob]], *, cadences_s: Mapping[str, float] | None = None
) -> tuple[PollJob, ...]:
    """Return the jobs of several venues as one tuple, with the user's cadences by endpoint name where there are any.

    A cadence below ``MIN_CADENCE_S`` is raised to it.
    """
    wanted = cadences_s or {}
    return tuple(
        replace(job, cadence_s=max(MIN_CADENCE_S, wanted[job.endpoint])) if job.endpoint in wanted else job
        for group in groups
        for job in group
    )


class VenueCost(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan costs on one venue, in weight per minute.

    ``limit_per_min`` is what the venue documents and ``cap_per_min`` what this app allows itself.
    """

    venue: str
    weight_per_min: float
    by_endpoint: Mapping[str, float]
    limit_per_min: float
    cap_per_min: float

    @property
    def is_within_cap(self) -> bool:
        """Whether the plan can run at its full cadences."""
        return self.weight_per_min <= self.cap_per_min

    @property
    def cap_fraction(self) -> float:
        """Cost / own cap; above 1 some polls will wait for the budget and be missed."""
        return self.weight_per_min / self.cap_per_min


def plan_costs(jobs: Iterable[PollJob], budgets: Mapping[str, BudgetState]) -> dict[str, VenueCost]:
    """Return the cost per venue in ``budgets``, for the preview of a plan; surcharges a reply reveals are not in it."""
    by_venue: dict[str, dict[str, float]] = {venue: {} for venue in budgets}
    for job in jobs:
        if job.venue in by_venue:
            endpoints = by_venue[job.venue]
            endpoints[job.endpoint] = endpoints.get(job.endpoint, 0.0) + job.weight * 60.0 / job.cadence_s
    return {
        venue: VenueCost(
            venue=venue,
            weight_per_min=sum(endpoints.values()),
            by_endpoint=endpoints,
            limit_per_min=budgets[venue].limit * 60.0 / budgets[venue].window_s,
            cap_per_min=budgets[venue].cap * 60.0 / budgets[venue].window_s,
        )
        for venue, endpoints in by_venue.items()
    }
