"""What a pool's figures mean, in sentences: does the poll interval fit, how large should the pool be, what of HTTP/2.

Pure; the thresholds are those of :mod:`monitor.domain.pool_health`.
"""

from enum import StrEnum
from typing import Final

import msgspec

from monitor.domain.pool_health import IdleBucket, KeepAliveFit, SizingAdvice
from monitor.domain.telemetry import CloseCause, PoolStats
from monitor.state.ages import seconds_text

SAFE_PART: Final = 0.75
"""A poll interval up to this part of the host's limit is on the safe side of it: 45 s where sockets live 60 s."""
OPEN_SHARE: Final = 0.9
"""A poll interval that found fewer of its sockets open in a period did not fit, whatever the limit was."""
HTTP2: Final = "h2"


class FitKind(StrEnum):
    """Whether requests come often enough for the sockets of a host to be open still."""

    UNKNOWN = "unknown"
    FITS = "fits"
    TIGHT = "tight"
    OUTLIVES = "outlives"


class FitWords(msgspec.Struct, frozen=True, kw_only=True):
    """The judgement of a poll interval against a host, and the sentence for the user."""

    kind: FitKind
    text: str


def describe_fit(fit: KeepAliveFit | None, interval_s: float | None, *, is_kept_warm: bool = False) -> FitWords:
    """Say whether asking every ``interval_s`` keeps the host's sockets open, and what would.

    ``interval_s`` is the time between two requests to the host (the shortest cadence in force); ``None``: not polled.
    """
    if fit is None or not fit.samples:
        return FitWords(
            kind=FitKind.UNKNOWN,
            text="Not known yet how long this host lets a socket idle: none has been looked at after a pause.",
        )
    seen = _seen(fit)
    if interval_s is None:
        return FitWords(kind=FitKind.UNKNOWN, text=f"{seen} The host is not polled now.")
    every = f"a request every {seconds_text(interval_s)}"
    dropped_s, survived_s = fit.shortest_dropped_s, fit.longest_survived_s
    if dropped_s is not None and interval_s >= dropped_s:
        benefit = _survival(fit, interval_s)
        advice = f"ask every {seconds_text(_whole(SAFE_PART * dropped_s))} or keep one warm"
        if is_kept_warm:
            advice = "one connection is kept warm"
        return FitWords(
            kind=FitKind.OUTLIVES,
            text=(
                f"{every[0].upper()}{every[1:]} outlives this host's ~{seconds_text(dropped_s)} sockets: "
                f"{0.0 if benefit is None else benefit:.0%} benefit; {advice}."
            ),
        )
    if dropped_s is not None and interval_s > SAFE_PART * dropped_s:
        return FitWords(
            kind=FitKind.TIGHT,
            text=(
                f"Tight: {every}, and sockets are dropped from {seconds_text(dropped_s)} of idling on. "
                f"{seconds_text(_whole(SAFE_PART * dropped_s))} would be safe."
            ),
        )
    if dropped_s is not None or (survived_s is not None and interval_s <= survived_s):
        return FitWords(kind=FitKind.FITS, text=f"Fits: {every}. {seen}")
    return FitWords(
        kind=FitKind.UNKNOWN, text=f"{seen} With {every} it shows at the next ones whether the sockets last that long."
    )


def describe_fit_of_period(fit: KeepAliveFit | None, interval_s: float | None) -> FitWords:
    """The same of a period: what became of the sockets looked at in it, against the poll interval of then.

    ``fit`` is of that period alone, its limits the shorter ends of their buckets; ``None``: nobody watched.
    """
    if fit is None:
        return FitWords(kind=FitKind.UNKNOWN, text="Not known of this period: how sockets fared was not watched then.")
    if not fit.samples:
        return FitWords(kind=FitKind.UNKNOWN, text="No socket was looked at after a pause in this period.")
    dropped = [bucket for bucket in fit.buckets if bucket.dropped]
    if dropped:
        n = sum(bucket.dropped for bucket in dropped)
        told = (
            f"{n:,} of {fit.samples:,} sockets looked at had been dropped by the server, the soonest after "
            f"{_range(dropped[0])} idle."
        )
    else:
        told = (
            f"Every socket looked at was still open (n = {fit.samples:,}), the longest after "
            f"{_range(fit.buckets[-1])} idle."
        )
    if interval_s is None:
        return FitWords(kind=FitKind.UNKNOWN, text=told)
    every = f"A request every {seconds_text(interval_s)}"
    limit_s = fit.shortest_dropped_s
    if limit_s is not None and interval_s >= limit_s:
        return FitWords(kind=FitKind.OUTLIVES, text=f"{every} outlived this host's sockets. {told}")
    if limit_s is not None and interval_s > SAFE_PART * limit_s:
        return FitWords(kind=FitKind.TIGHT, text=f"Tight: {every[0].lower()}{every[1:]}. {told}")
    # A socket idles a little less than the interval: the time of the request itself.
    if any(one.idle_to_s >= interval_s for one in fit.buckets):
        up_to = [one for one in fit.buckets if one.idle_from_s <= interval_s]
        survived = sum(one.survived for one in up_to)
        share = survived / max(survived + sum(one.dropped for one in up_to), 1)
        if share < OPEN_SHARE:
            return FitWords(kind=FitKind.TIGHT, text=f"{every} found {share:.0%} of the sockets open. {told}")
        return FitWords(kind=FitKind.FITS, text=f"{every} fitted. {told}")
    return FitWords(
        kind=FitKind.UNKNOWN, text=f"{told} None had idled for the poll interval, {seconds_text(interval_s)}."
    )


def _range(bucket: IdleBucket) -> str:
    high = seconds_text(bucket.idle_to_s)
    return f"{seconds_text(bucket.idle_from_s)} to {high}" if bucket.idle_from_s else f"less than {high}"


def _seen(fit: KeepAliveFit) -> str:
    count = f"n = {fit.samples}"
    if fit.shortest_dropped_s is not None:
        return f"Sockets of this host are dropped from {seconds_text(fit.shortest_dropped_s)} of idling on ({count})."
    if fit.longest_survived_s is not None:
        dropped = sum(bucket.dropped for bucket in fit.buckets)
        up_to = f"after up to {seconds_text(fit.longest_survived_s)} idle"
        if not dropped:
            return f"Every socket seen was still open, {up_to} ({count})."
        return f"Sockets were still open {up_to}; {dropped:,} dropped, too few to tell a limit ({count})."
    return f"Too few sockets were dropped to tell from when on ({count})."


def _survival(fit: KeepAliveFit, idle_s: float) -> float | None:
    """Share of sockets that survived such an idle time; ``None`` where none was seen."""
    for bucket in fit.buckets:
        if bucket.idle_from_s <= idle_s < bucket.idle_to_s:
            seen = bucket.survived + bucket.dropped
            return bucket.survived / seen if seen else None
    return None


def _whole(seconds: float) -> float:
    """Whole seconds below, for an interval someone is to type; tenths for very short ones."""
    return float(int(seconds)) if seconds >= 2.0 else round(seconds, 1)


def closed_by(cause: CloseCause) -> str:
    """Who ended a connection: ``server``, ``us``, or ``error`` where a request on it failed."""
    if cause in (CloseCause.STALE, CloseCause.BY_SERVER):
        return "server"
    return "error" if cause is CloseCause.ERROR else "us"


def describe_sizing(advice: SizingAdvice | None, *, is_recorded: bool = False) -> str:
    """``peak 3 of 20; 2 would do; 0 thrown away``; the size's own source where it follows its use.

    ``is_recorded``: it is a recording that has none, where none will come.
    """
    if advice is None and is_recorded:
        return "advice on the size is not recorded"
    if advice is None:
        return "no advice yet: it takes some seconds of use"
    would_do = (
        "advice after some seconds of use"
        if advice.recommended is None
        else f"{advice.recommended} would do"
        if advice.recommended < advice.maximum
        else "that is right"
        if advice.recommended == advice.maximum
        else f"{advice.recommended} would be better"
    )
    source = " (automatic)" if advice.is_automatic else ""
    return f"peak {advice.peak} of {advice.maximum}{source}; {would_do}; {advice.discarded} thrown away"


def describe_eviction(evicted_pools: int, hosts_kept: int | None = None) -> str | None:
    """The alarm when whole pools were dropped because too many hosts were asked; ``None`` when none was."""
    if not evicted_pools:
        return None
    kept = "" if hosts_kept is None else f" above {hosts_kept}"
    pools = "1 pool was" if evicted_pools == 1 else f"{evicted_pools} pools were"
    return (
        f"{pools} thrown away with their open sockets, because more hosts were asked than pools are kept: "
        f"raise Settings > Connections > Pools (pool_connections){kept}."
    )


def describe_protocols(pool: PoolStats) -> str | None:
    """What the host offers besides HTTP/1.1 and what that would gain here; ``None`` where nobody asked it."""
    offered = pool.offered_protocols
    if any(card.alpn == HTTP2 for card in pool.connections):
        return "HTTP/2 in use: one socket for all requests"
    if offered is None:
        return None
    if HTTP2 not in offered:
        return "HTTP/2: not offered"
    spare = max(pool.peak_active, 1) - 1
    if not spare:
        return "HTTP/2 offered: would save nothing here"
    return f"HTTP/2 offered: saves {spare} socket{'s' if spare > 1 else ''}, no time"
