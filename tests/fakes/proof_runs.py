"""Measurements against a demo exchange in a child process, as the proof benchmarks need them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean, median
from threading import Event

from msgspec.structs import replace

from monitor.assembly import VenueRuntime, assemble
from monitor.desktop.settings import Settings
from monitor.exchanges.asking import utc_now
from monitor.exchanges.base import ExchangeClient, Fetched, Payload
from monitor.exchanges.registry import VENUES
from monitor.proof.measurement import Measurement, MeasureOptions, MeasureResult, Read
from monitor.proof.simulated import MeasuredTimes
from tests.fakes.day_venue import CANDLES, INTERVAL, INTERVAL_S
from tests.fakes.demo_exchange import DemoServer

NEW_CANDLES = 4
"""What the cache asks for at the close of a candle: the one that closed, the forming one, and two to be sure."""


@dataclass(frozen=True)
class MeasuredVenue:
    """What one venue of the demo exchange was measured to take.

    ``times``: of prices and of 200 candles. ``news``: the same with ``NEW_CANDLES`` candles. ``quotes``: the run with
    prices, with its first requests.
    """

    times: MeasuredTimes
    news: MeasuredTimes
    quotes: MeasureResult


def runtime_of(exchange: DemoServer, venue: str) -> VenueRuntime:
    """The program's own assembly, pointed at ``exchange``. Nobody shares it, so all of its rate limit may be used."""
    settings = Settings(cap_fraction=1.0)
    return assemble([venue], settings, base_urls=exchange.venues, ca_file=exchange.ca_file)[venue]


def read_candles(venue: str, count: int) -> Read:
    """The old bots' request for 200 candles of 5 m, or another ``count``. A range is never answered from memory."""
    symbol = VENUES[venue].default_watchlist[0]

    def read(client: ExchangeClient) -> Fetched[Payload]:
        return client.fetch_candles(
            symbol, INTERVAL, start=utc_now() - timedelta(seconds=count * INTERVAL_S), limit=count
        )

    return read


def measured_venue(
    exchange: DemoServer, venue: str, *, requests: int, first_rounds: int, seed: int = 1
) -> MeasuredVenue:
    """Warm, unpooled and set-up times of prices and of candles, from interleaved runs at the demo exchange."""
    runtime = runtime_of(exchange, venue)
    wishes = MeasureOptions(requests=requests, seed=seed, first_rounds=0)
    try:
        quotes, whole, news = (
            Measurement(runtime, (), one, cancel=Event()).run()
            for one in (
                replace(wishes, first_rounds=first_rounds),
                replace(wishes, read=read_candles(venue, CANDLES)),
                replace(wishes, read=read_candles(venue, NEW_CANDLES)),
            )
        )
    finally:
        runtime.transport.close()
    setups = [
        sample.setup_s
        for one in (quotes, whole, news)
        for sample in (*one.samples, *one.first_samples)
        if sample.is_pooled and sample.setup_s is not None
    ]

    def times(candles: MeasureResult) -> MeasuredTimes:
        return MeasuredTimes(
            warm_s=_by_endpoint(quotes, candles, {one.endpoint: _mean_of_warm(one) for one in (quotes, candles)}),
            unpooled_s=_by_endpoint(quotes, candles, {one.endpoint: _unpooled(one) for one in (quotes, candles)}),
            setup_s=median(setups),
        )

    return MeasuredVenue(times(whole), times(news), quotes)


def _by_endpoint(quotes: MeasureResult, candles: MeasureResult, seconds: Mapping[str, float]) -> dict[str, float]:
    assert quotes.endpoint != candles.endpoint
    return {**seconds, "": seconds[quotes.endpoint]}


def _unpooled(result: MeasureResult) -> float:
    mean_s = result.unpooled.overall_mean_s
    assert mean_s is not None, "an unpooled request never succeeded"
    return mean_s


def _mean_of_warm(result: MeasureResult) -> float:
    return fmean(
        sample.duration_s
        for sample in result.samples
        if sample.is_pooled and sample.is_cold is False and sample.duration_s is not None
    )
