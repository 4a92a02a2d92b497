"""What to poll of Hyperliquid and how often, by default."""

from collections.abc import Callable
from functools import partial

from monitor.domain.market import QuoteBatch
from monitor.exchanges import candles as series
from monitor.exchanges.base import ExchangeClient, Fetched, Focus, Payload, PollJob
from monitor.exchanges.hyperliquid.endpoints import INFO
from monitor.exchanges.hyperliquid.names import is_spot, split_coin

MIDS_EVERY_S = 1.0
BOOK_EVERY_S = 2.0
CONTEXTS_EVERY_S = 30.0
SPOT_CONTEXTS_EVERY_S = 120.0
INSTRUMENTS_EVERY_S = 3_600.0

_SHOWN_CANDLES = 200
_SHOWN_LEVELS = 15


def plan_jobs(
    reads: ExchangeClient, focus: Focus, fetch_spot_details: Callable[[], Fetched[QuoteBatch]]
) -> tuple[PollJob, ...]:
    """The default plan, reading through ``reads``: about 240 of weight a minute with a focus, of 360 under our cap.

    Each builder dex in use costs 160 more, so more than one leaves no room for an account.
    """
    symbol = focus.venue_symbol
    focus_dex = "" if symbol is None else split_coin(symbol)[0]
    dexes = dict.fromkeys(["", *focus.dexes, focus_dex])
    jobs = [_job("allMids", dex, MIDS_EVERY_S, partial(reads.fetch_quotes, dex)) for dex in dexes]
    # Names first: until the catalog is there, nothing can be shown under its own name.
    metadata_weight = INFO["spotMeta"].weight + INFO["allPerpMetas"].weight
    jobs.append(_job("meta", "", INSTRUMENTS_EVERY_S, reads.fetch_instruments, weight=metadata_weight))
    jobs.extend(_job("metaAndAssetCtxs", dex, CONTEXTS_EVERY_S, partial(reads.fetch_details, dex)) for dex in dexes)
    if symbol is None:
        return tuple(jobs)
    if is_spot(symbol):
        jobs.append(_job("spotMetaAndAssetCtxs", "", SPOT_CONTEXTS_EVERY_S, fetch_spot_details))
    book = partial(reads.fetch_order_book, symbol, depth=_SHOWN_LEVELS)
    jobs.append(_job("l2Book", symbol, BOOK_EVERY_S, book))
    if focus.is_chart_shown and focus.interval in reads.intervals:
        candles = partial(reads.fetch_candles, symbol, focus.interval, limit=_SHOWN_CANDLES)
        jobs.append(
            PollJob(
                venue="hyperliquid",
                endpoint="hyperliquid.candleSnapshot",
                key=f"hyperliquid.candles:{symbol}:{focus.interval}",
                cadence_s=series.poll_every_s(focus.interval),
                align_offset_s=series.POLL_AFTER_CLOSE_S,
                weight=INFO["candleSnapshot"].weight,
                fetch=candles,
            )
        )
    return tuple(jobs)


def _job(
    kind: str, subject: str, cadence_s: float, fetch: Callable[[], Fetched[Payload]], *, weight: int | None = None
) -> PollJob:
    endpoint = INFO[kind].endpoint.name
    return PollJob(
        venue="hyperliquid",
        endpoint=endpoint,
        key=f"{endpoint}:{subject}" if subject else endpoint,
        cadence_s=cadence_s,
        weight=INFO[kind].weight if weight is None else weight,
        fetch=fetch,
    )
