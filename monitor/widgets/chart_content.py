"""What the two plots are to show of the board: one line and one lane per venue, in the venue's colour and shape.

Imports the plots, so it is imported together with them and not before.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from monitor.domain.intervals import INTERVALS_S
from monitor.domain.market import Instrument
from monitor.exchanges.base import Source
from monitor.qtmodels.figures import age_text, safe_text
from monitor.state.board import Board
from monitor.state.quotes import QuoteState
from monitor.state.sources import source_of_origin
from monitor.state.verdict import Verdict
from monitor.widgets.latency_plot import LatencyLane
from monitor.widgets.plot_primitives import MarkShape
from monitor.widgets.price_plot import PriceLine
from monitor.widgets.theme import Theme

InstrumentKey: TypeAlias = tuple[str, str]

_SHAPES = tuple(MarkShape)


class ChartContent(msgspec.Struct):
    """Turns board state into the plots' own values."""

    board: Board
    venue_title: Callable[[str], str]
    theme: Theme

    def shape_of(self, venue: str) -> MarkShape:
        """Shape that stands for a venue, by its place among all venues."""
        return _SHAPES[self.board.venue_names.index(venue) % len(_SHAPES)]

    def price_lines(
        self, keys: Sequence[InstrumentKey], now_mono_s: float, *, candle_interval: str | None, polled_interval: str
    ) -> list[PriceLine]:
        """Lines of ``keys``; the first one as candles when ``candle_interval`` is given and they are known.

        Closes of ``polled_interval`` continue a line to before the first price we received.
        """
        lines: list[PriceLine] = []
        for place, key in enumerate(keys):
            series = self.board.series(key)
            if series is None:
                continue
            quote = self.board.quote(key)
            instrument = self.board.instruments.get(key)
            known = self.board.candles(key, candle_interval or polled_interval)
            candles = known if candle_interval is not None and place == 0 else None
            backfill = known if candles is None else None
            age = None if quote is None else quote.age(now_mono_s)
            trusted_s = last_trusted_mono_s(quote, now_mono_s)
            note = "" if age is None or trusted_s is None else f"{age_text(age.high_s)} old"
            if age is None and series.last_time_s is not None:
                # Nothing but the line of an earlier run so far.
                trusted_s, note = series.last_time_s, "earlier run"
            if candles is not None and candle_interval is not None:
                story = candle_source(self.board, key, candle_interval, now_mono_s)
                note = f"{note}, {story}" if note else story
            lines.append(
                PriceLine(
                    venue=key[0],
                    title=self.venue_title(key[0]),
                    color=self.theme.venue_color(key[0]),
                    shape=self.shape_of(key[0]),
                    series=series,
                    scale=1.0 if instrument is None else float(1 / instrument.multiplier),
                    last_trusted_mono_s=trusted_s,
                    candles=None if candles is None else candles.arrays(),
                    backfill=None if backfill is None else backfill.arrays(),
                    interval_s=float(INTERVALS_S[candle_interval or polled_interval]),
                    decimals=shown_decimals(instrument, quote),
                    # A running age would redraw the plot ten times a second; it is told where it matters.
                    note=note,
                )
            )
        return lines

    def latency_lanes(self, now_mono_s: float) -> list[LatencyLane]:
        """One lane per venue."""
        return [
            LatencyLane(
                venue=name,
                title=self.venue_title(name),
                color=self.theme.venue_color(name),
                shape=self.shape_of(name),
                window=self.board.venue(name).latency,
                is_old=lacks_replies(self.board.venue(name).verdict(now_mono_s)),
            )
            for name in self.board.venue_names
        ]


def shown_decimals(instrument: Instrument | None, quote: QuoteState | None) -> int | None:
    """Decimals of prices on the plot; ``None``: as its scale needs them, which is in coins and not in contracts."""
    if instrument is None or instrument.multiplier != 1:
        return None
    return instrument.decimals_at(None if quote is None else quote.price)


def lacks_replies(verdict: Verdict) -> bool:
    """Whether nothing new comes of a venue. What is frozen still answers: its prices are old, its latencies are not."""
    return not verdict.is_trustworthy and verdict is not Verdict.FROZEN


def candle_source(board: Board, key: InstrumentKey, interval: str, now_mono_s: float) -> str:
    """Where the newest candles came from; the time they have been held runs only while asking anew fails."""
    source = source_of_origin(board.candle_origin(key, interval), now_mono_s)
    if source is None:
        return "candles of an earlier run"
    if source.source is Source.STALE_CACHE:
        return f"candles: {safe_text(source.text, 80)}"
    return "candles from the network" if source.source is Source.NETWORK else "candles from the cache"


def last_trusted_mono_s(quote: QuoteState | None, now_mono_s: float) -> float | None:
    """Until when the price on screen may be believed; ``None``: it is believed now, or there is none."""
    if quote is None or quote.received_mono_s is None:
        return None
    verdict = quote.verdict(now_mono_s)
    if verdict.is_trustworthy:
        return None
    # Frozen data kept arriving: it is the last change that can be believed, not the last reply.
    frozen_since = quote.changed_mono_s if verdict is Verdict.FROZEN else None
    return quote.received_mono_s if frozen_since is None else frozen_since
