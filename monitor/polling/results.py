"""What a poll brings across the thread boundary: a success or a failure, frozen."""

from datetime import datetime
from typing import TypeAlias

import msgspec

from monitor.domain.credentials import AccountRef
from monitor.domain.errors import Failure
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.exchanges.base import Payload, Source


class PollSuccess(msgspec.Struct, frozen=True, kw_only=True):
    """A reply arrived and parsed.

    ``missed`` counts the polls of the schedule that did not happen since the last result of the same job (the one
    before took too long, or the budget held it back); ``planned`` and ``made`` are totals of the job since it started.
    """

    venue: str
    endpoint: str
    key: str
    plan_epoch: int
    cadence_s: float
    payload: Payload
    requested_mono_s: float
    received_mono_s: float
    received_at: datetime
    source: Source
    cache_age_s: float
    clock_offset_s: float | None
    traces: tuple[RequestTrace, ...]
    pools: tuple[PoolStats, ...]
    budget: BudgetState
    missed: int
    planned: int
    made: int
    account: AccountRef | None = None
    """Whose account was read; ``None``: a market read."""
    handed_out_mono_s: float | None = None
    """When the payload was given to the poll, by a cache perhaps long after ``received_mono_s``; ``None``: at once."""

    @property
    def complete_mono_s(self) -> float | None:
        """When all of it was here: the end of the last reply it needed, or when a cache handed it out.

        ``received_mono_s`` is the end of the first reply, which may have come long before. ``None``: not known.
        """
        if self.traces:
            return max(trace.ended_mono_s for trace in self.traces)
        return None if self.source is Source.NETWORK else self.handed_out_mono_s


class PollFailure(msgspec.Struct, frozen=True, kw_only=True):
    """A poll that brought nothing.

    ``streak`` counts failures in a row of this job, this one included unless its kind is one of ``NO_FAILURES``; a wait
    of our own leaves it as it was.
    """

    venue: str
    endpoint: str
    key: str
    plan_epoch: int
    cadence_s: float
    failure: Failure
    failed_mono_s: float
    failed_at: datetime
    traces: tuple[RequestTrace, ...]
    pools: tuple[PoolStats, ...]
    budget: BudgetState
    missed: int
    planned: int
    made: int
    streak: int
    next_due_in_s: float
    account: AccountRef | None = None
    """Whose account was to be read; ``None``: a market read."""


class TaskDone(msgspec.Struct, frozen=True, kw_only=True):
    """Result of one-off work given to ``PollEngine.run_once``: a value, or a failure, with the caller's token."""

    token: int
    value: object | None
    failure: Failure | None


PollResult: TypeAlias = PollSuccess | PollFailure | TaskDone
