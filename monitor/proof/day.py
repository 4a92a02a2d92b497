"""A day of polling in seconds: the real schedule, cache and budget on a simulated clock, with times that were measured.

One thread; requests of different jobs overlap in simulated time as they do on their threads in the app.
"""

import heapq
import random as random_module
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from monitor.domain.errors import BudgetExhausted
from monitor.exchanges.base import Fetched, Payload, PollJob, Source
from monitor.exchanges.candles import PLAIN_POLL_S
from monitor.polling.clock import VenueTime
from monitor.polling.line import NEXT_LOOK_S, BudgetLine
from monitor.polling.schedule import Cadence, align_to_venue, start_delay_s
from monitor.proof.pool_life import LifeRules
from monitor.proof.simulated import DAY_S, DayClock, DayFigures, DayTransport, MeasuredTimes
from monitor.transport.budget import BudgetRule, WeightBudget

REST_EVERY_POLLS: Final = 256
"""About a millisecond of work."""


def run_day(
    jobs: Sequence[PollJob],
    transport: DayTransport,
    clock: DayClock,
    *,
    random: Callable[[], float],
    ask: Callable[[PollJob], Fetched[Payload] | None] = lambda job: job.fetch(),
    on_result: Callable[[PollJob, Fetched[Payload]], object] = lambda _job, _fetched: None,
    rest: Callable[[], object] = lambda: None,
    duration_s: float = DAY_S,
) -> DayFigures:
    """Poll ``jobs`` as the engine would for ``duration_s``; ``on_result`` is called with the clock at each reply.

    ``random`` gives floats in [0, 1) and decides where in their first half second the jobs start. ``ask`` makes one
    poll; ``None`` from it is a reply that nobody looks at. ``rest`` is called every ``REST_EVERY_POLLS`` polls. Raises
    whatever ``ask`` and ``rest`` raise, except that a poll that does not fit the budget waits.
    """
    venue_time = VenueTime(clock.utc_now)
    line = BudgetLine(transport)
    cadences = [
        Cadence(job.cadence_s, first_due_s=start_delay_s(place, len(jobs), job.cadence_s, random()), random=lambda: 0.0)
        for place, job in enumerate(jobs)
    ]
    due = [(cadence.next_due_s, place) for place, cadence in enumerate(cadences)]
    heapq.heapify(due)
    polls = 0
    while due and due[0][0] < duration_s:
        start_s, place = heapq.heappop(due)
        job, cadence = jobs[place], cadences[place]
        # Another job's reply may be later than this start: each has a thread of its own.
        clock.now_s = start_s
        hold_s = line.hold_s(place, job.weight)
        if hold_s > 0.0:
            heapq.heappush(due, (start_s + max(hold_s, NEXT_LOOK_S), place))
            continue
        try:
            fetched = ask(job)
        except BudgetExhausted as error:
            heapq.heappush(due, (start_s + max(error.available_in_s, NEXT_LOOK_S), place))
            continue
        if fetched is not None:
            if fetched.source is Source.NETWORK:
                venue_time.learn(fetched.clock_offset_s, fetched.received_mono_s - fetched.requested_mono_s)
            on_result(job, fetched)
        cadence.succeeded(start_s, clock.now_s)
        if job.align_offset_s is not None:
            align_to_venue(
                cadence, offset_s=job.align_offset_s, venue_epoch_s=venue_time.now_epoch_s(), now_s=clock.now_s
            )
        heapq.heappush(due, (cadence.next_due_s, place))
        polls += 1
        if polls % REST_EVERY_POLLS == 0:
            rest()
    figures = transport.figures
    figures.planned = sum(cadence.planned for cadence in cadences)
    figures.made = sum(cadence.made for cadence in cadences)
    return figures


def plain_jobs(jobs: Sequence[PollJob]) -> tuple[PollJob, ...]:
    """The same plan without a memory for candles: all of them, once a minute.

    Only candle jobs follow the closes; all others ask what a plain client would ask as often.
    """
    return tuple(
        job if job.align_offset_s is None else replace(job, cadence_s=PLAIN_POLL_S, align_offset_s=None) for job in jobs
    )


def count_day(
    jobs: Sequence[PollJob],
    *,
    budget_rule: BudgetRule,
    times: MeasuredTimes,
    rules: LifeRules,
    start: datetime,
    seed: int = 1,
    rest: Callable[[], object] = lambda: None,
    duration_s: float = DAY_S,
) -> DayFigures:
    """What a day of this plan costs; the bodies of replies do not matter, and every poll is one request.

    Blocks for half a second of processor time or more; ``rest`` as in :func:`run_day`. The venue's clock is ours.
    """
    clock = DayClock(start)
    transport = DayTransport(
        venue=budget_rule.venue,
        clock=clock,
        budget=WeightBudget(budget_rule, clock),
        times=times,
        rules=rules,
        answer=lambda _endpoint, _params, _epoch_s: b"",
    )

    def ask(job: PollJob) -> None:
        transport.count(job.endpoint, job.weight)

    chance = random_module.Random(seed).random
    return run_day(jobs, transport, clock, random=chance, ask=ask, rest=rest, duration_s=duration_s)


class DayTable(msgspec.Struct, frozen=True, kw_only=True):
    """A day of the plan in use and of the same plan without a memory for candles, each with and without a pool."""

    neither: DayFigures
    cache: DayFigures
    pooling: DayFigures
    both: DayFigures


def day_table(
    jobs: Sequence[PollJob],
    *,
    budget_rule: BudgetRule,
    times: MeasuredTimes,
    rules: LifeRules,
    start: datetime,
    rest: Callable[[], object] = lambda: None,
    progress: Callable[[], object] = lambda: None,
    duration_s: float = DAY_S,
) -> DayTable:
    """Simulate the four days; ``progress`` is called after each. Blocks as four times :func:`count_day`."""

    def one(plan: Sequence[PollJob], *, is_pooled: bool) -> DayFigures:
        figures = count_day(
            plan,
            budget_rule=budget_rule,
            times=times,
            rules=replace(rules, is_pooled=is_pooled),
            start=start,
            rest=rest,
            duration_s=duration_s,
        )
        progress()
        return figures

    plain = plain_jobs(jobs)
    return DayTable(
        neither=one(plain, is_pooled=False),
        cache=one(jobs, is_pooled=False),
        pooling=one(plain, is_pooled=True),
        both=one(jobs, is_pooled=True),
    )
