"""*Measure*: one venue, the same endpoint, pooled against a new session per request, in one interleaved run."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from time import perf_counter
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from monitor.assembly import VenueRuntime
from monitor.domain.telemetry import PoolStats
from monitor.exchanges.base import ExchangeClient, Fetched, Payload, PollJob
from monitor.proof.first import FirstFigures, FirstRequests, Prewarm
from monitor.proof.interleave import (
    LIVE_PACE,
    LOCAL_PACE,
    Contender,
    Interleaving,
    Reading,
    Wait,
    Waiting,
    nobody_told,
    wait_for_event,
)
from monitor.proof.per_day import PerDay, per_day
from monitor.proof.pool_life import LifeRules, soonest_age_s
from monitor.proof.statistics import Improvement, Sample, VariantFigures, figures, improvement
from monitor.proof.stopwatch import Behind, Courtesy, HoldS, Stopwatch, reading_of
from monitor.transport.config import TransportConfig
from monitor.transport.interface import Transport
from monitor.transport.session import PooledSession

DEFAULT_REQUESTS = 20
MIN_REQUESTS = 2
MAX_REQUESTS = 1_000
"""Half an hour at a live venue's one handshake a second."""
DEFAULT_SEED = 1

FIRST_ROUNDS_LIVE = 3
"""Nine handshakes at one a second."""
FIRST_ROUNDS_LOCAL = 5
MAX_FIRST_ROUNDS = 100
REST_S = 0.0003

Read = Callable[[ExchangeClient], Fetched[Payload]]


def read_quotes(client: ExchangeClient) -> Fetched[Payload]:
    """Ask for prices: the endpoint that makes up most of the plan, and is never answered from memory."""
    return client.fetch_quotes()


def nobody_first(_weight: int, _waited_s: float) -> float:
    """Nobody else asks the venue: send at once."""
    return 0.0


def open_one_ahead(session: PooledSession) -> None:
    """Pre-warm as the app does at its start; blocks until the connection is there or has failed."""
    session.prewarm(1)


class MeasureOptions(msgspec.Struct, frozen=True, kw_only=True):
    """``requests`` of each way, ``MIN_REQUESTS`` to ``MAX_REQUESTS``. ``seed``: of the order and of the interval.

    ``first_rounds``: how often a first request is made each way, 0 to ``MAX_FIRST_ROUNDS``; ``None``:
    ``FIRST_ROUNDS_LOCAL`` at an exchange on this machine, ``FIRST_ROUNDS_LIVE`` elsewhere. ``prewarm`` opens the
    connection for the pre-warmed ones. ``max_age_s``: after which the app gives up a connection, for the days.
    """

    requests: int = DEFAULT_REQUESTS
    seed: int = DEFAULT_SEED
    read: Read = msgspec.field(default=read_quotes)
    first_rounds: int | None = None
    prewarm: Prewarm = msgspec.field(default=open_one_ahead)
    max_age_s: float = TransportConfig().max_age_s

    def __post_init__(self) -> None:
        if not MIN_REQUESTS <= self.requests <= MAX_REQUESTS:
            raise ValueError(f"measure between {MIN_REQUESTS} and {MAX_REQUESTS} requests")
        if self.first_rounds is not None and not 0 <= self.first_rounds <= MAX_FIRST_ROUNDS:
            raise ValueError(f"make between 0 and {MAX_FIRST_ROUNDS} rounds of first requests")


class MeasureStage(StrEnum):
    """What a measurement is at."""

    REQUESTS = "requests"
    FIRST = "first requests"
    DAYS = "simulated days"


class MeasureProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One more step is done: ``done`` of ``total`` over all stages. ``sample``: the request of that step; ``None`` in a
    stage without requests. Frozen, so it may cross threads.
    """

    stage: MeasureStage
    done: int
    total: int
    sample: Sample | None = None


class MeasureResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a measurement found; of a cancelled or stopped one, as far as it came.

    ``requests`` were asked for, of each way. ``per_day`` is ``None`` of a cancelled one. ``stopped_because``: why it
    ended early by itself, empty if it did not.
    """

    venue: str
    host: str
    endpoint: str
    requests: int
    started_at: datetime
    duration_s: float
    samples: tuple[Sample, ...]
    first_samples: tuple[Sample, ...]
    pooled: VariantFigures
    unpooled: VariantFigures
    improvement: Improvement
    first: FirstFigures
    per_day: PerDay | None
    is_cancelled: bool
    stopped_because: str
    seed: int

    @property
    def is_usable(self) -> bool:
        """Whether both ways got replies, so that they can be compared at all."""
        return self.pooled.n > 0 and self.unpooled.n > 0


class _Cancelled(Exception):
    """Nobody waits for the simulated days any more."""


class Measurement:
    """One run at one venue; ``jobs`` is the plan that the figures per day are for.

    Both ways share the budget of ``runtime``. Thread: :meth:`run` in any but the GUI's, where ``progress`` and
    ``waiting`` are called; ``cancel`` is set from any.
    """

    def __init__(
        self,
        runtime: VenueRuntime,
        jobs: Sequence[PollJob],
        options: MeasureOptions,
        *,
        cancel: threading.Event,
        progress: Callable[[MeasureProgress], object] = lambda _: None,
        wait: Wait = wait_for_event,
        hold_s: HoldS = nobody_first,
        waiting: Waiting = nobody_told,
    ) -> None:
        self._runtime = runtime
        self._jobs = tuple(jobs)
        self._options = options
        self._cancel = cancel
        self._progress = progress
        self._wait = wait
        self._waiting = waiting
        is_near = runtime.is_local
        self._pace = LOCAL_PACE if is_near else LIVE_PACE
        usual_rounds = FIRST_ROUNDS_LOCAL if is_near else FIRST_ROUNDS_LIVE
        rounds = usual_rounds if options.first_rounds is None else options.first_rounds
        self._first_rounds = rounds
        self._total = 2 * options.requests + 3 * rounds + 4
        self._done = 0
        self._endpoint = ""
        self._host = urlsplit(runtime.base_url).netloc
        self._naive = runtime.make_naive()
        self._courtesy = Courtesy(hold_s)
        self._naive_client = runtime.entry.make_client(Behind(self._naive, self._courtesy))

    def run(self) -> MeasureResult:
        """Ask, and work out what it means. Blocks: at a live venue a little over a second per pair.

        Raises ``MonitorError`` when neither way got a reply to its warm-up.
        """
        started_at, started_s = datetime.now(UTC), perf_counter()
        options, cancel = self._options, self._cancel
        try:
            self._warm_up()
            samples, stopped_because, opened = self._compare()
            first_samples: list[Sample] = []
            first = FirstFigures(rounds=0)
            if self._first_rounds and not stopped_because and not cancel.is_set():
                first, first_samples, stopped_because = self._ask_first()
        finally:
            self._naive.close()
        pooled = figures(samples, is_pooled=True, opened=opened[0])
        unpooled = figures(samples, is_pooled=False, opened=opened[1])
        per_day = self._per_day(samples, first_samples, pooled, unpooled, started_at)
        return MeasureResult(
            venue=self._runtime.entry.name,
            host=self._host,
            endpoint=self._endpoint,
            requests=options.requests,
            started_at=started_at,
            duration_s=perf_counter() - started_s,
            samples=tuple(samples),
            first_samples=tuple(first_samples),
            pooled=pooled,
            unpooled=unpooled,
            improvement=improvement(samples, pooled, unpooled, seed=options.seed),
            first=first,
            per_day=per_day,
            is_cancelled=cancel.is_set(),
            stopped_because=stopped_because,
            seed=options.seed,
        )

    def _compare(self) -> tuple[list[Sample], str, tuple[int, int]]:
        """The pairs, why they ended early, and how many connections both ways opened."""
        session = self._runtime.make_pooled()
        opened_before = self._naive.opened
        run = self._interleaving(
            (
                Contender(ask=lambda: self._ask_pooled(session), is_pooled=True, opens_each=False),
                Contender(ask=self._ask_naive, is_pooled=False, opens_each=True),
            ),
            requests=self._options.requests,
            seed=self._options.seed,
        )
        try:
            samples = self._take(run, MeasureStage.REQUESTS)
            opened = sum(pool.opened for pool in session.pool_stats())
        finally:
            session.close()
        return samples, run.stopped_because, (opened, self._naive.opened - opened_before)

    def _ask_first(self) -> tuple[FirstFigures, list[Sample], str]:
        first = FirstRequests(
            unpooled=self._ask_naive,
            make_pool=self._runtime.make_pooled,
            ask_pool=self._ask_pooled,
            prewarm=self._options.prewarm,
        )
        self._wait(self._cancel, self._pace.handshake_spacing_s)
        run = self._interleaving(first.contenders, requests=self._first_rounds, seed=self._options.seed + 1)
        try:
            samples = self._take(run, MeasureStage.FIRST)
        finally:
            first.close()
        return first.figures(samples), samples, run.stopped_because

    def _per_day(
        self,
        samples: Sequence[Sample],
        first_samples: Sequence[Sample],
        pooled: VariantFigures,
        unpooled: VariantFigures,
        started_at: datetime,
    ) -> PerDay | None:
        runtime = self._runtime
        budget = runtime.transport.budget_state()
        # The half keeps the product above the whole number that it stands for.
        cap_fraction = min(1.0, (budget.cap + 0.5) / budget.limit)

        def rest() -> None:
            if self._cancel.is_set():
                raise _Cancelled
            # Simulating is pure Python: whoever draws a window in this process must get a turn.
            self._wait(self._cancel, REST_S)

        try:
            return per_day(
                self._jobs,
                samples,
                pooled,
                unpooled,
                first_samples=first_samples,
                budget_rule=replace(runtime.entry.budget_rule, cap_fraction=cap_fraction),
                rules=known_life(runtime.transport.pool_stats(), self._options.max_age_s),
                start=started_at,
                rest=rest,
                progress=lambda: self._tell(MeasureStage.DAYS),
            )
        except _Cancelled:
            return None

    def _warm_up(self) -> None:
        thrown_away = self._runtime.make_pooled()
        run = self._interleaving(
            (
                Contender(ask=lambda: self._ask_pooled(thrown_away), is_pooled=True, opens_each=True),
                Contender(ask=self._ask_naive, is_pooled=False, opens_each=True),
            ),
            requests=1,
            seed=0,
        )
        try:
            samples = list(run.samples())
        finally:
            thrown_away.close()
        # The measurement's first handshake keeps its distance to those of the warm-up, too.
        self._wait(self._cancel, self._pace.handshake_spacing_s)
        if run.last_error is not None and all(sample.duration_s is None for sample in samples):
            raise run.last_error

    def _interleaving(self, contenders: Sequence[Contender], *, requests: int, seed: int) -> Interleaving:
        return Interleaving(
            contenders,
            requests=requests,
            pace=self._pace,
            seed=seed,
            cancel=self._cancel,
            wait=self._wait,
            waiting=self._waiting,
        )

    def _take(self, run: Interleaving, stage: MeasureStage) -> list[Sample]:
        samples = []
        for sample in run.samples():
            samples.append(sample)
            self._tell(stage, sample)
        return samples

    def _tell(self, stage: MeasureStage, sample: Sample | None = None) -> None:
        self._done += 1
        self._progress(MeasureProgress(stage=stage, done=self._done, total=self._total, sample=sample))

    def _ask_naive(self) -> Reading:
        (trace,) = self._options.read(self._naive_client).traces
        return Reading(duration_s=trace.total_s, is_cold=True)

    def _ask_pooled(self, session: Transport) -> Reading:
        stopwatch = Stopwatch(Behind(session, self._courtesy))
        traces = self._options.read(self._runtime.entry.make_client(stopwatch)).traces
        self._endpoint, self._host = traces[-1].endpoint, traces[-1].host
        return reading_of(traces, stopwatch.decode_s)


def known_life(pools: Sequence[PoolStats], max_age_s: float) -> LifeRules:
    """How long connections live, as far as it was learned of this venue's host; else only what we do ourselves."""
    fit = next((pool.fit for pool in pools if pool.fit is not None), None)
    age_s = soonest_age_s(max_age_s)
    if fit is None:
        return LifeRules(server_idle_s=None, max_idle_s=TransportConfig().max_idle_s, max_age_s=age_s)
    return LifeRules(server_idle_s=fit.shortest_dropped_s, max_idle_s=fit.retire_after_s, max_age_s=age_s)
