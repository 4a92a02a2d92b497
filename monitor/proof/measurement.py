"""*Measure*: one venue, the same endpoint, pooled against a new session per request, in one interleaved run."""

import contextlib
import ipaddress
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from urllib.parse import urlsplit

import msgspec

from monitor.assembly import VenueRuntime
from monitor.domain.telemetry import BudgetState, PoolStats, RequestTrace
from monitor.exchanges.base import ExchangeClient, Fetched, Payload, PollJob
from monitor.proof.interleave import LIVE_PACE, LOCAL_PACE, Interleaving, Pace, Reading, Wait, wait_for_event
from monitor.proof.per_day import PerDay, per_day, plan_calls
from monitor.proof.statistics import Improvement, Sample, VariantFigures, figures, improvement
from monitor.transport.interface import Endpoint, Reply, Transport

DEFAULT_REQUESTS = 20
MIN_REQUESTS = 2
MAX_REQUESTS = 1_000
"""Half an hour at a live venue's one handshake a second."""
DEFAULT_SEED = 1

Read = Callable[[ExchangeClient], Fetched[Payload]]


def read_quotes(client: ExchangeClient) -> Fetched[Payload]:
    """Ask for prices: the endpoint that makes up most of the plan, and is never answered from memory."""
    return client.fetch_quotes()


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """``requests`` of each way, ``MIN_REQUESTS`` to ``MAX_REQUESTS``. ``seed``: of the order and of the interval."""

    requests: int = DEFAULT_REQUESTS
    seed: int = DEFAULT_SEED
    read: Read = field(default=read_quotes)
    prewarm: Callable[[Transport], None] | None = None
    """Opens connections before the first pooled request: their handshakes are then paid earlier, not saved."""

    def __post_init__(self) -> None:
        if not MIN_REQUESTS <= self.requests <= MAX_REQUESTS:
            raise ValueError(f"measure between {MIN_REQUESTS} and {MAX_REQUESTS} requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureProgress:
    """One more request is done: ``done`` of ``total``, counting both ways. Frozen, so it may cross threads."""

    done: int
    total: int
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureResult:
    """What a measurement found; of a cancelled or stopped one, as far as it came.

    ``requests`` were asked for, of each way. ``stopped_because``: why it ended early by itself, empty if it did not.
    """

    venue: str
    host: str
    endpoint: str
    requests: int
    started_at: datetime
    duration_s: float
    samples: tuple[Sample, ...]
    pooled: VariantFigures
    unpooled: VariantFigures
    improvement: Improvement
    per_day: PerDay
    is_prewarmed: bool
    is_cancelled: bool
    stopped_because: str
    seed: int

    @property
    def is_usable(self) -> bool:
        """Whether both ways got replies, so that they can be compared at all."""
        return self.pooled.n > 0 and self.unpooled.n > 0


def measure(
    runtime: VenueRuntime,
    jobs: Sequence[PollJob],
    options: MeasureOptions,
    *,
    cancel: threading.Event,
    progress: Callable[[MeasureProgress], object] = lambda _: None,
    wait: Wait = wait_for_event,
) -> MeasureResult:
    """Measure one venue; ``jobs`` is the plan that the figures per day are for.

    Blocks: at a live venue a little over a second per pair. Both ways share the budget of ``runtime``. Raises
    ``MonitorError`` when neither way got a reply to its warm-up. Thread: any but the GUI's.
    """
    entry = runtime.entry
    started_at, started_s = datetime.now(UTC), perf_counter()
    naive = runtime.make_naive()
    naive_client = entry.make_client(naive)
    pace = LOCAL_PACE if is_local(runtime.base_url) else LIVE_PACE
    _warm_up(runtime, naive_client, options.read, pace=pace, cancel=cancel, wait=wait)
    pooled = _Stopwatch(runtime.make_pooled())
    pooled_client = entry.make_client(pooled)
    if options.prewarm is not None:
        options.prewarm(pooled.inner)
    endpoints: list[str] = []

    def ask_naive() -> Reading:
        (trace,) = options.read(naive_client).traces
        return Reading(duration_s=trace.total_s, is_cold=True)

    def ask_pooled() -> Reading:
        traces = options.read(pooled_client).traces
        endpoints[:] = [traces[-1].endpoint, traces[-1].host]
        return _reading(traces, pooled.decode_s)

    run = Interleaving(
        pooled=ask_pooled,
        unpooled=ask_naive,
        requests=options.requests,
        pace=pace,
        seed=options.seed,
        cancel=cancel,
        wait=wait,
    )
    opened_before = naive.opened
    samples: list[Sample] = []
    try:
        for sample in run.samples():
            samples.append(sample)
            progress(MeasureProgress(done=len(samples), total=2 * options.requests, sample=sample))
        opened = sum(pool.opened for pool in pooled.pool_stats())
    finally:
        pooled.close()
        naive.close()
    of_pooled = figures(samples, is_pooled=True, opened=opened)
    of_naive = figures(samples, is_pooled=False, opened=naive.opened - opened_before)
    endpoint, host = endpoints or ("", urlsplit(runtime.base_url).netloc)
    return MeasureResult(
        venue=entry.name,
        host=host,
        endpoint=endpoint,
        requests=options.requests,
        started_at=started_at,
        duration_s=perf_counter() - started_s,
        samples=tuple(samples),
        pooled=of_pooled,
        unpooled=of_naive,
        improvement=improvement(samples, of_pooled, of_naive, seed=options.seed),
        per_day=per_day(plan_calls(jobs), samples, of_pooled, of_naive),
        is_prewarmed=options.prewarm is not None,
        is_cancelled=cancel.is_set(),
        stopped_because=run.stopped_because,
        seed=options.seed,
    )


def is_local(base_url: str) -> bool:
    """Whether a base URL names this machine, whose exchange nobody shares."""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _warm_up(
    runtime: VenueRuntime, naive: ExchangeClient, read: Read, *, pace: Pace, cancel: threading.Event, wait: Wait
) -> None:
    thrown_away = runtime.make_pooled()
    pooled = runtime.entry.make_client(thrown_away)
    warm_up = Interleaving(
        pooled=lambda: _reading(read(pooled).traces, 0.0),
        unpooled=lambda: _reading(read(naive).traces, 0.0),
        requests=1,
        pace=pace,
        seed=0,
        cancel=cancel,
        wait=wait,
    )
    try:
        samples = list(warm_up.samples())
    finally:
        thrown_away.close()
    # The measurement's first handshake keeps its distance to those of the warm-up, too.
    wait(cancel, pace.handshake_spacing_s)
    if warm_up.last_error is not None and all(sample.duration_s is None for sample in samples):
        raise warm_up.last_error


def _reading(traces: Sequence[RequestTrace], decode_s: float) -> Reading:
    """One logical request; a healed one took as long as all its attempts."""
    last = traces[-1]
    setup_s = None
    if last.connect_s is not None:
        setup_s = last.connect_s + (last.dns_s or 0.0)
    return Reading(duration_s=sum(trace.total_s for trace in traces) + decode_s, is_cold=last.is_cold, setup_s=setup_s)


class _Stopwatch(Transport):
    """The pooled session, timing the decoding as well: the naive figure has its own in it."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.decode_s = 0.0
        self._decode = msgspec.json.Decoder().decode

    @property
    def venue(self) -> str:
        return self.inner.venue

    def request(
        self,
        endpoint: Endpoint,
        *,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        weight: int = 1,
    ) -> Reply:
        reply = self.inner.request(endpoint, params=params, body=body, headers=headers, weight=weight)
        started_s = time.perf_counter()
        # What is wrong with a broken body is for the client to say.
        with contextlib.suppress(msgspec.DecodeError):
            self._decode(reply.body)
        self.decode_s = time.perf_counter() - started_s
        return reply

    def charge(self, endpoint: Endpoint, weight: int) -> None:
        self.inner.charge(endpoint, weight)

    def refused(self, endpoint: Endpoint, retry_after_s: float | None) -> None:
        self.inner.refused(endpoint, retry_after_s)

    def available_in_s(self, weight: int) -> float:
        return self.inner.available_in_s(weight)

    def pool_stats(self) -> tuple[PoolStats, ...]:
        return self.inner.pool_stats()

    def budget_state(self) -> BudgetState:
        return self.inner.budget_state()

    def close(self) -> None:
        self.inner.close()
