"""The board's figures as lines of text, for the terminal."""

from collections.abc import Iterable, Mapping

from monitor.state.ages import seconds_text
from monitor.state.board import Board
from monitor.state.catalog import InstrumentKey
from monitor.state.latency import LatencySummary, LatencyWindow
from monitor.state.pool_words import describe_eviction, describe_fit, describe_protocols, describe_sizing
from monitor.state.sources import source_of_quote, source_text
from monitor.state.verdict import Verdict

DASH = "–"


def venue_lines(board: Board, titles: Mapping[str, str], *, now_mono_s: float) -> Iterable[str]:
    """One line per venue: verdict, age, warm latency, reuse, missed and failed polls."""
    for name in board.venue_names:
        venue = board.venue(name)
        age = venue.age(now_mono_s)
        warm = venue.latency.summary(board.started_mono_s, now_mono_s, False)
        attempts = sum(pool.attempts for pool in venue.pools)
        ratio = venue.reuse_ratio
        yield (
            f"{titles[name]:12} {venue.verdict(now_mono_s).word:8}"
            f" age {_or_dash(None if age is None else seconds_text(age.high_s)):>8}"
            f"  warm p50 {_milliseconds(warm.p50_s):>8} (n={warm.n})"
            f"  reuse {DASH if ratio is None else f'{ratio:.1%}':>6} of {attempts}"
            f"  missed {venue.missed}  failed {sum(venue.failed_by_kind.values())}  healed {venue.healed}"
        )


def summary_lines(
    board: Board, titles: Mapping[str, str], keys: Iterable[InstrumentKey], *, now_mono_s: float
) -> Iterable[str]:
    """Prices, latencies and reuse: what a run without a screen has to show for itself."""
    yield "Prices"
    for key in keys:
        quote = board.quote(key)
        instrument = board.instruments.get(key)
        age = None if quote is None else quote.age(now_mono_s)
        yield (
            f"  {titles[key[0]]:12} {key[1] if instrument is None else instrument.name:22}"
            f" {_or_dash(None if quote is None or quote.price is None else format(quote.price, 'f')):>14}"
            f"  age {_or_dash(None if age is None else seconds_text(age.high_s)):>8}"
            f"  {(Verdict.UNKNOWN if quote is None else quote.verdict(now_mono_s)).word}"
            f"  {source_text(source_of_quote(quote, now_mono_s))}"
        )
    yield "Latency, request handed over to body read"
    for name in board.venue_names:
        latency = board.venue(name).latency
        for title, is_cold in (("cold (new connection)", True), ("warm (reused connection)", False)):
            summary = latency.summary(board.started_mono_s, now_mono_s, is_cold)
            yield f"  {titles[name]:12} {title:25} {_figures(summary)}"
        unconnected = _unconnected(latency, board.started_mono_s, now_mono_s)
        if unconnected:
            yield f"  {titles[name]:12} {'no connection':25} failed {unconnected}"
    yield "Connection reuse"
    for name in board.venue_names:
        for pool in board.venue(name).pools:
            ratio = DASH if pool.reuse_ratio is None else f"{pool.reuse_ratio:.1%}"
            yield (
                f"  {titles[name]:12} {pool.attempts} requests on {pool.opened} connections, {pool.reused} reused"
                f" ({ratio}); peak {pool.peak_active} of {pool.max_connections} at once"
            )
    yield from pool_lines(board, titles)
    yield from savings_lines(board, titles, now_mono_s=now_mono_s)


def pool_lines(board: Board, titles: Mapping[str, str]) -> Iterable[str]:
    """Per pool: whether its size is right, whether the poll interval fits the host, what of HTTP/2, alarms."""
    yield "Pool size and keep-alive fit"
    for name in board.venue_names:
        venue = board.venue(name)
        for pool in venue.pools:
            yield f"  {titles[name]:12} size: {describe_sizing(pool.sizing)}"
            fit = describe_fit(pool.fit, venue.shortest_cadence_s, is_kept_warm=pool.kept_warm > 0)
            yield f"  {titles[name]:12} fit: {fit.text}"
            for text in (describe_protocols(pool), describe_eviction(pool.evicted_pools)):
                if text is not None:
                    yield f"  {titles[name]:12} {text}"


def savings_lines(board: Board, titles: Mapping[str, str], *, now_mono_s: float) -> Iterable[str]:
    """Both ledgers, never added up, and how reads were answered."""
    yield "Saved, in two ledgers that never share a column"
    for host, pooling in board.ledger.pooling(now_mono_s).items():
        saved = "unknown, no cold request in the last hour"
        if pooling.saved_s is not None and pooling.saved_low_s is not None and pooling.saved_high_s is not None:
            saved = f"{pooling.saved_s:+.1f} s ({pooling.saved_low_s:+.1f} to {pooling.saved_high_s:+.1f} s)"
        yield f"  by pooling   {host:24} {saved}; {pooling.warm_requests} warm, {pooling.cold_requests} cold"
    caching = board.ledger.caching()
    for name in board.venue_names:
        ledger, stats = caching.get(name), board.venue(name).cache
        if ledger is not None:
            seconds = DASH if ledger.saved_s is None else f"{ledger.saved_s:+.1f} s"
            yield (
                f"  by caching   {titles[name]:24} {seconds}; {ledger.saved_calls} calls avoided,"
                f" {ledger.made_calls} of {ledger.plain_calls} made"
            )
        if stats is not None:
            yield (
                f"  cache        {titles[name]:24} {stats.cached} hits, {stats.network} misses,"
                f" {stats.partial} partly, {stats.shared} shared, {stats.stale} stale served"
            )


def _unconnected(latency: LatencyWindow, start_s: float, end_s: float) -> int:
    failed, cold, warm = (latency.summary(start_s, end_s, is_cold).failed for is_cold in (None, True, False))
    return failed - cold - warm


def _figures(summary: LatencySummary) -> str:
    return (
        f"n={summary.n:<5} p50 {_milliseconds(summary.p50_s):>8}  p95 {_milliseconds(summary.p95_s):>8}"
        f"  p99 {_milliseconds(summary.p99_s):>8}  failed {summary.failed}"
    )


def _milliseconds(seconds: float | None) -> str:
    return DASH if seconds is None else f"{seconds * 1000:.0f} ms"


def _or_dash(text: str | None) -> str:
    return DASH if text is None else text
