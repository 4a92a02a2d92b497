"""Building the frozen results that pollers put out. Pure, apart from asking the transport for its figures."""

from datetime import datetime

from msgspec.structs import replace

from monitor.domain.errors import Failure
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.base import Fetched, Payload, PollJob
from monitor.polling.results import PollFailure, PollSuccess
from monitor.polling.schedule import Cadence
from monitor.transport.interface import Transport


def success_report(
    job: PollJob,
    fetched: Fetched[Payload],
    *,
    epoch: int,
    transport: Transport,
    cadence: Cadence,
    missed: int,
    queue_s: float,
    handed_out_mono_s: float | None = None,
) -> PollSuccess:
    """What a poll brought. ``cadence`` has accounted for it already and said how many slots were ``missed`` before."""
    return PollSuccess(
        venue=job.venue,
        endpoint=job.endpoint,
        key=job.key,
        plan_epoch=epoch,
        cadence_s=cadence.cadence_s,
        payload=fetched.value,
        requested_mono_s=fetched.requested_mono_s,
        received_mono_s=fetched.received_mono_s,
        received_at=fetched.received_at,
        source=fetched.source,
        cache_age_s=fetched.cache_age_s,
        clock_offset_s=fetched.clock_offset_s,
        traces=with_queue(fetched.traces, queue_s),
        pools=transport.pool_stats(),
        budget=transport.budget_state(),
        missed=missed,
        planned=cadence.planned,
        made=cadence.made,
        account=job.account,
        handed_out_mono_s=handed_out_mono_s,
    )


def failure_report(
    job: PollJob,
    failure: Failure,
    *,
    epoch: int,
    transport: Transport,
    cadence: Cadence,
    missed: int,
    traces: tuple[RequestTrace, ...],
    now_s: float,
    now: datetime,
) -> PollFailure:
    """A poll that brought nothing, at ``now``, or one that the budget holds back, which ``cadence`` has not seen."""
    return PollFailure(
        venue=job.venue,
        endpoint=job.endpoint,
        key=job.key,
        plan_epoch=epoch,
        cadence_s=cadence.cadence_s,
        failure=failure,
        failed_mono_s=now_s,
        failed_at=now,
        traces=traces,
        pools=transport.pool_stats(),
        budget=transport.budget_state(),
        missed=missed,
        planned=cadence.planned,
        made=cadence.made,
        streak=cadence.streak,
        next_due_in_s=max(0.0, cadence.next_due_s - now_s, transport.available_in_s(job.weight)),
        account=job.account,
    )


def with_queue(traces: tuple[RequestTrace, ...], queue_s: float) -> tuple[RequestTrace, ...]:
    """Put the wait before the transport into the first trace."""
    if not traces:
        return traces
    return (replace(traces[0], queue_s=queue_s), *traces[1:])
