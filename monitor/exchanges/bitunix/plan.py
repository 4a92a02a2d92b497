"""What to poll of Bitunix and how often, by default."""

from functools import partial

from monitor.exchanges import candles as series
from monitor.exchanges.base import ExchangeClient, Focus, PollJob

TICKERS_EVERY_S = 1.0
DEPTH_EVERY_S = 2.0
FUNDING_EVERY_S = 60.0
INSTRUMENTS_EVERY_S = 3_600.0

_SHOWN_CANDLES = 200
_SHOWN_LEVELS = 15


def plan_jobs(reads: ExchangeClient, focus: Focus) -> tuple[PollJob, ...]:
    """The default plan, reading through ``reads``: with a focus about 1.53 calls a second of the 10 that are allowed.

    Every call weighs 1: the limit counts calls.
    """
    jobs = [
        PollJob(
            venue="bitunix",
            endpoint="bitunix.tickers",
            key="bitunix.tickers",
            cadence_s=TICKERS_EVERY_S,
            weight=1,
            fetch=reads.fetch_quotes,
        ),
        PollJob(
            venue="bitunix",
            endpoint="bitunix.trading_pairs",
            key="bitunix.trading_pairs",
            cadence_s=INSTRUMENTS_EVERY_S,
            weight=1,
            fetch=reads.fetch_instruments,
        ),
        PollJob(
            venue="bitunix",
            endpoint="bitunix.funding_batch",
            key="bitunix.funding_batch",
            cadence_s=FUNDING_EVERY_S,
            weight=1,
            fetch=reads.fetch_details,
        ),
    ]
    symbol = focus.venue_symbol
    if symbol is not None:
        jobs.append(
            PollJob(
                venue="bitunix",
                endpoint="bitunix.depth",
                key=f"bitunix.depth:{symbol}",
                cadence_s=DEPTH_EVERY_S,
                weight=1,
                fetch=partial(reads.fetch_order_book, symbol, depth=_SHOWN_LEVELS),
            )
        )
        if focus.is_chart_shown and focus.interval in reads.intervals:
            jobs.append(
                PollJob(
                    venue="bitunix",
                    endpoint="bitunix.kline",
                    key=f"bitunix.candles:{symbol}:{focus.interval}",
                    cadence_s=series.poll_every_s(focus.interval),
                    align_offset_s=series.POLL_AFTER_CLOSE_S,
                    weight=1,
                    fetch=partial(reads.fetch_candles, symbol, focus.interval, limit=_SHOWN_CANDLES),
                )
            )
    return tuple(jobs)
