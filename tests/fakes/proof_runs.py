"""Measurements against a demo exchange in a child process, as the proof benchmarks need them."""

from datetime import timedelta
from statistics import fmean, median
from threading import Event

from monitor.assembly import VenueRuntime, assemble
from monitor.desktop.settings import Settings
from monitor.exchanges.asking import utc_now
from monitor.exchanges.base import ExchangeClient, Fetched, Payload
from monitor.proof.measurement import MeasureOptions, MeasureResult, measure
from monitor.proof.simulated import MeasuredTimes
from tests.fakes.day_venue import CANDLES, INTERVAL, INTERVAL_S, SYMBOL
from tests.fakes.demo_exchange import DemoServer


def runtime_of(exchange: DemoServer, venue: str) -> VenueRuntime:
    """The program's own assembly, pointed at ``exchange``."""
    return assemble([venue], Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file)[venue]


def read_old_job(client: ExchangeClient) -> Fetched[Payload]:
    """The old bots' request: 200 candles of 5 m. A range is never answered from memory."""
    start = utc_now() - timedelta(seconds=CANDLES * INTERVAL_S)
    return client.fetch_candles(SYMBOL, INTERVAL, start=start, limit=CANDLES)


def measured_times(exchange: DemoServer, *, requests: int, seed: int = 1) -> tuple[MeasuredTimes, list[MeasureResult]]:
    """Warm, unpooled and set-up times of tickers and of candles, from interleaved runs at the demo exchange."""
    runtime = runtime_of(exchange, "bitunix")
    try:
        tickers = measure(runtime, (), MeasureOptions(requests=requests, seed=seed), cancel=Event())
        candles = measure(
            runtime, (), MeasureOptions(requests=requests, seed=seed + 1, read=read_old_job), cancel=Event()
        )
    finally:
        runtime.transport.close()
    results = [tickers, candles]
    setups = [sample.setup_s for one in results for sample in one.samples if sample.setup_s is not None]
    warm = {one.endpoint: _mean_of_warm(one) for one in results}
    unpooled = {one.endpoint: one.unpooled.overall_mean_s for one in results}
    known = {name: value for name, value in unpooled.items() if value is not None}
    assert len(known) == len(results), "an unpooled request never succeeded"
    times = MeasuredTimes(
        warm_s={**warm, "": warm[tickers.endpoint]},
        unpooled_s={**known, "": known[tickers.endpoint]},
        setup_s=median(setups),
    )
    return times, results


def _mean_of_warm(result: MeasureResult) -> float:
    return fmean(
        sample.duration_s
        for sample in result.samples
        if sample.is_pooled and sample.is_cold is False and sample.duration_s is not None
    )
