"""A measurement in words and tables, for a terminal and for a dialog alike: the same rows, the same text. Pure.

Each row brings the definition of its figure, for whoever asks what it is.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from monitor.proof.first import FirstFigures
from monitor.proof.interleave import LIVE_PACE
from monitor.proof.measurement import FIRST_ROUNDS_LIVE, MeasureResult
from monitor.proof.per_day import DayCost, PerDay
from monitor.proof.statistics import faster_by

DASH: Final = "–"
MINUS: Final = "−"

COMPARISON_HEADS: Final = ("unpooled", "pooled", "faster by", "95 % interval")
DAY_HEADS: Final = ("neither", "cache", "pooling", "both")
SAVING_HEADS: Final = ("plan in use",)

HEAD_DEFINITIONS: Final[Mapping[str, str]] = {
    "unpooled": "A new requests.Session for every request, with stock settings, as a naive client does.",
    "pooled": "This app's session: connections are kept and reused.",
    "faster by": "1 − pooled / unpooled of the same figure; negative when pooling was slower.",
    "95 % interval": "BCa bootstrap over the pairs after the first; both requests of a pair met the same network. "
    "None below 6 pairs.",
    "neither": "A new connection for every request, and all candles once a minute.",
    "cache": "A new connection for every request; of candles only what closed, when it closed.",
    "pooling": "Kept connections, and all candles once a minute.",
    "both": "What this app does: kept connections, and of candles only what closed.",
    "plan in use": "What the app polls now, with the cadences that are set.",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure: its name, a text per column, and what it means."""

    name: str
    cells: tuple[str, ...]
    definition: str


def comparison_rows(result: MeasureResult) -> tuple[Row, ...]:
    """The figures of both ways; columns as in ``COMPARISON_HEADS``."""
    gain, pooled, unpooled = result.improvement, result.pooled, result.unpooled

    def row(
        name: str,
        theirs_s: float | None,
        ours_s: float | None,
        definition: str,
        *,
        interval: tuple[float, float] | None = None,
    ) -> Row:
        faster = percent(faster_by(ours_s, theirs_s))
        cells = (milliseconds(theirs_s), milliseconds(ours_s), faster, interval_text(interval))
        return Row(name=name, cells=cells, definition=definition)

    failed = (sum(unpooled.failed.values()), sum(pooled.failed.values()))
    return (
        Row(
            name="first",
            cells=(milliseconds(unpooled.first_s), milliseconds(pooled.first_s), DASH, ""),
            definition="The very first request of each way, connection set-up included. One pair, which chance "
            "decides, so nothing is said of which is faster: “start, cold” asks that of several.",
        ),
        row(
            "later mean",
            unpooled.later_mean_s,
            pooled.later_mean_s,
            "Mean of all requests after the first: pooled on a kept connection, unpooled each on a new one.",
            interval=gain.later_ci95,
        ),
        row(
            "overall mean",
            unpooled.overall_mean_s,
            pooled.overall_mean_s,
            "Mean of all requests, the first included.",
            interval=gain.overall_ci95,
        ),
        row("p95", unpooled.p95_s, pooled.p95_s, "95 of 100 requests after the first were at most this slow."),
        row(
            "total",
            unpooled.total_s,
            pooled.total_s,
            "Sum of all successful requests: time spent waiting for the venue.",
        ),
        Row(
            name="opened",
            cells=(count(unpooled.opened), count(pooled.opened), "", ""),
            definition="Connections opened, counted where sockets open.",
        ),
        Row(
            name="n",
            cells=(count(unpooled.n), count(pooled.n), "", ""),
            definition="Requests with a usable reply: every figure above is over these, later ones and p95 without the "
            "first.",
        ),
        Row(
            name="failed",
            cells=(count(failed[0]), count(failed[1]), "", ""),
            definition="Requests without a usable reply. They are in no other figure, and never counted as 0.",
        ),
        *first_rows(result.first),
    )


def first_rows(first: FirstFigures) -> tuple[Row, ...]:
    """First requests after a start, medians; nothing when none were made."""
    if first.rounds == 0:
        return ()
    median_of = f"Median of {first.rounds} first requests, each on a session of its own"
    if first.rounds == 1:
        median_of = "One first request on a session of its own, from which nothing follows"
    return (
        Row(
            name="start, cold",
            cells=(
                milliseconds(first.unpooled_s),
                milliseconds(first.pooled_s),
                percent(first.pooled_gain),
                "",
            ),
            definition=f"{median_of}: its connection is opened for it.",
        ),
        Row(
            name="start, pre-warmed",
            cells=(
                milliseconds(first.unpooled_s),
                milliseconds(first.prewarmed_s),
                percent(first.prewarmed_gain),
                "",
            ),
            definition=f"{median_of}: the pool's connection had been opened before. That handshake was paid earlier, "
            "not saved.",
        ),
    )


def first_note(first: FirstFigures) -> str:
    """What pre-warming cost, in a sentence; empty when nothing was pre-warmed."""
    if first.prewarm_s is None:
        return ""
    return f"Pre-warming took {milliseconds(first.prewarm_s)} before that: the handshake was paid earlier, not saved."


def day_rows(day: PerDay) -> tuple[Row, ...]:
    """The four days; columns as in ``DAY_HEADS``."""
    costs = (day.neither, day.cache, day.pooling, day.both)

    def row(name: str, definition: str, texts: Iterator[str]) -> Row:
        return Row(name=name, cells=tuple(texts), definition=definition)

    return (
        row(
            "calls",
            "Requests in 24 hours of the poll plan in use, simulated with the app's own schedule and budget.",
            (f"{cost.calls:,}" for cost in costs),
        ),
        row(
            "API time",
            "Waiting for the venue, summed over all requests: the measured warm mean, and for each handshake the "
            "measured set-up; without a pool the measured mean of unpooled requests.",
            (seconds(cost.api_s) for cost in costs),
        ),
        row(
            "handshakes",
            "Connections opened. A connection of the pool lives as long as was learned of this host, and at most to "
            "the maximum age in Settings.",
            (f"{cost.handshakes:,}" for cost in costs),
        ),
        row(
            "handshake time",
            "Handshakes × median set-up (DNS + TCP + TLS), measured on this pool's cold requests.",
            (seconds(cost.handshake_s) for cost in costs),
        ),
    )


def saving_rows(day: PerDay) -> tuple[Row, ...]:
    """What follows from the four days, one text each."""
    saved_calls = f"{day.saved_by_cache_calls:,}".replace("-", MINUS)
    calls = f"{saved_calls} calls, {seconds(day.saved_by_cache_s)}"
    rates = f"{rate(day.rps_unpooled)} unpooled, {rate(day.rps)} pooled"
    return (
        Row(
            name="saved by pooling",
            cells=(f"{seconds(day.saved_by_pool_s)}{_share(day.saved_by_pool_s, day.cache)}",),
            definition="API time of the plan in use without a pool − with it: for the same calls.",
        ),
        Row(
            name="saved by caching",
            cells=(calls,),
            definition="Calls of the plain plan − calls of the plan in use, × warm mean. It is not part of the saving "
            "by pooling.",
        ),
        Row(
            name="requests per second",
            cells=(rates,),
            definition="What one thread gets done back to back: 1 / overall mean.",
        ),
    )


def title_of(result: MeasureResult) -> str:
    """What was measured, in a line."""
    done = max(result.pooled.n + sum(result.pooled.failed.values()), 0)
    of = f"{done} of {result.requests}" if done < result.requests else f"{result.requests}"
    return f"{result.endpoint or result.venue} at {result.host}, {of} requests each way, interleaved"


def end_notes(result: MeasureResult) -> tuple[str, ...]:
    """Why a run ended before its time, in sentences; nothing of a whole one."""
    notes = ("Cancelled: these are the requests made until then.",) if result.is_cancelled else ()
    return (*notes, result.stopped_because) if result.stopped_because else notes


def politeness(requests: int, *, is_local: bool, is_polled: bool) -> str:
    """How a run of ``requests`` each way treats the venue, and about how long that takes, for whoever may start it.

    ``is_polled``: polls take from its budget at the same time.
    """
    if is_local and is_polled:
        return (
            "An exchange on this machine: no pauses, but every request waits for the budget that the polls use as "
            "well, and polls may come late meanwhile."
        )
    if is_local:
        return "An exchange on this machine, which nobody shares: asked without long pauses."
    about_s = (requests + 2 + 3 * FIRST_ROUNDS_LIVE) * (LIVE_PACE.handshake_spacing_s + LIVE_PACE.pause_s) * 1.2
    takes = f"{about_s:,.0f} s" if about_s < 100 else f"{about_s / 60:,.0f} min"
    return (
        "Polite to a live venue: every request comes out of the same budget as the polls and waits for it, "
        f"{LIVE_PACE.pause_s:g} s of pause after each, at most one new connection in "
        f"{LIVE_PACE.handshake_spacing_s:g} s. "
        f"About {takes}."
    )


def measure_lines(result: MeasureResult) -> Iterator[str]:
    """Everything as text for a terminal."""
    yield title_of(result)
    yield ""
    yield f"{'':19}" + "".join(f"{head:>12}" for head in COMPARISON_HEADS[:3]) + f"   {COMPARISON_HEADS[3]}"
    for row in comparison_rows(result):
        cells = "".join(f"{cell:>12}" for cell in row.cells[:3])
        yield f"{row.name:19}{cells}   {row.cells[3]}".rstrip()
    if note := first_note(result.first):
        yield note
    if result.per_day is not None:
        yield ""
        yield "Per day, for the plan in use, simulated with these times:"
        yield f"  {'':19}" + "".join(f"{head:>12}" for head in DAY_HEADS)
        for row in day_rows(result.per_day):
            yield f"  {row.name:19}" + "".join(f"{cell:>12}" for cell in row.cells)
        for row in saving_rows(result.per_day):
            yield f"  {row.name:19}  {row.cells[0]}"
    yield from end_notes(result)


def milliseconds(value_s: float | None) -> str:
    """A duration in milliseconds, or a dash."""
    return DASH if value_s is None else f"{value_s * 1000:,.1f} ms"


def seconds(value_s: float | None) -> str:
    """A long duration in seconds, or a dash."""
    if value_s is None:
        return DASH
    return (f"{value_s:,.0f} s" if abs(value_s) >= 100 else f"{value_s:,.2f} s").replace("-", MINUS)


def percent(fraction: float | None) -> str:
    """An improvement in per cent, or a dash."""
    return DASH if fraction is None else f"{fraction * 100:.1f} %".replace("-", MINUS)


def interval_text(interval: tuple[float, float] | None) -> str:
    """Both ends in per cent; empty without an interval."""
    return "" if interval is None else f"{interval[0] * 100:.1f} … {interval[1] * 100:.1f} %".replace("-", MINUS)


def count(value: int | None) -> str:
    """A number of things, or a dash."""
    return DASH if value is None else str(value)


def rate(value: float | None) -> str:
    """Things per second, or a dash."""
    return DASH if value is None else f"{value:,.1f}"


def _share(saved_s: float | None, of: DayCost) -> str:
    if saved_s is None or not of.api_s:
        return ""
    return f" ({percent(saved_s / of.api_s)})"
