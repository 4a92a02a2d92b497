"""How a price looks: lines with gaps and stale parts, candles, volume. Each drawn with a handful of calls.

Functions take a painter, the view and arrays, and know nothing of where the data come from.
"""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPen

from monitor.state.candles import CandleArrays
from monitor.state.series import FloatArray, TimeSeries
from monitor.widgets.plot_primitives import LineArray, PointArray, RectArray, draw_polyline, hairline, mix
from monitor.widgets.plot_scale import compact_text, price_text
from monitor.widgets.plot_view import PlotView
from monitor.widgets.theme import Theme

HEADER_WHAT: Final = (
    "Price by the time its reply was received; of each venue the newest one, or the one that held at the cursor.\n"
    "Grey and struck through: not to be believed any more. Paler: closes the venue told afterwards.\n"
    "Of a chosen period: first and last price with the change, lowest and highest.\n"
    "At the left: your own entries, liquidations and orders; +2: two more there, ▲ ▼: the nearest beyond the plot. "
    "Positions and Orders have all of them."
)
VOLUME_PART: Final = 0.18
"""Part of the plot's height that the highest volume bar takes."""
_MIN_CANDLE_PX: Final = 3.0
"""Candles narrower than this are drawn as bars from low to high, one per pixel column."""
_THICK_FROM_RATIO: Final = 1.75
"""From so many device pixels a pixel on, a line one device pixel wide is too thin to see its colour."""
_PERIOD_COLUMNS: Final = 64
_MAX_RUNS: Final = 8
"""A line of more pieces than this is drawn as single segments in one call instead of piece by piece."""


class LinePainter:
    """Draws lines whose NaN are gaps."""

    def __init__(self) -> None:
        self._lines = LineArray()
        self._points = PointArray()

    def draw(self, painter: QPainter, view: PlotView, pen: QPen, x: FloatArray, y: FloatArray) -> None:
        """Draw ``y`` over ``x`` in pixels; a value alone between two gaps becomes a dot.

        On a screen of two or three device pixels a pixel the hairline is drawn three times, a device pixel apart: still
        many times cheaper than a pen of that width.
        """
        self._draw_once(painter, pen, x, y)
        if view.pixel_ratio >= _THICK_FROM_RATIO:
            device_px = 1.0 / view.pixel_ratio
            self._draw_once(painter, pen, x + device_px, y)
            self._draw_once(painter, pen, x, y + device_px)

    def _draw_once(self, painter: QPainter, pen: QPen, x: FloatArray, y: FloatArray) -> None:
        painter.setPen(pen)
        is_gap = np.isnan(y)
        if not is_gap.any():
            draw_polyline(painter, x, y)
            return
        has_value = ~is_gap
        joins = has_value[1:] & has_value[:-1]
        edges = np.flatnonzero(np.diff(has_value.astype(np.int8), prepend=0, append=0))
        starts, ends = edges[::2], edges[1::2]
        if len(starts) <= _MAX_RUNS:
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                draw_polyline(painter, x[start:end], y[start:end])
        else:
            at = np.flatnonzero(joins)
            self._lines.draw(painter, x[at], y[at], x[at + 1], y[at + 1])
        alone = starts[ends - starts == 1]
        if len(alone):
            dot = QPen(pen.color(), 2.0)
            dot.setCosmetic(True)
            dot.setCapStyle(Qt.PenCapStyle.SquareCap)
            painter.setPen(dot)
            self._points.draw(painter, x[alone], y[alone])


class CandleSlice(msgspec.Struct, frozen=True):
    """The candles of a window, placed on the monotonic clock. Prices are scaled; ``volume`` holds 0 where unknown."""

    opened_mono_s: FloatArray
    interval_s: float
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    has_volume: bool
    is_confirmed: npt.NDArray[np.bool_]

    @property
    def is_rising(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.close >= self.open)


def slice_candles(
    candles: CandleArrays, *, interval_s: float, scale: float, start_epoch_s: float, end_epoch_s: float, offset_s: float
) -> CandleSlice:
    """Candles any part of which lies in the window; ``offset_s`` is added to epoch times to give monotonic ones.

    A candle with an unknown price is left out.
    """
    first = int(candles.open_time_epoch_s.searchsorted(start_epoch_s - interval_s, "right"))
    end = int(candles.open_time_epoch_s.searchsorted(end_epoch_s, "right"))
    part = slice(first, end)
    prices = np.stack((candles.open[part], candles.high[part], candles.low[part], candles.close[part]))
    known = np.isfinite(prices).all(axis=0)
    prices = prices[:, known] * scale
    volume = candles.volume[part][known]
    has_volume = np.isfinite(volume)
    return CandleSlice(
        opened_mono_s=candles.open_time_epoch_s[part][known] + offset_s,
        interval_s=interval_s,
        open=prices[0],
        high=prices[1],
        low=prices[2],
        close=prices[3],
        volume=np.where(has_volume, volume, 0.0),
        has_volume=bool(has_volume.any()),
        is_confirmed=candles.is_reconciled[part][known],
    )


class CandlePainter:
    """Draws all candles of a window: rising ones hollow, falling ones filled, so that colour is not needed."""

    def __init__(self) -> None:
        self._lines = LineArray()
        self._rects = RectArray()

    def draw(
        self, painter: QPainter, view: PlotView, theme: Theme, candles: CandleSlice, trusted_mono_s: float | None
    ) -> None:
        """Candles that ended after ``trusted_mono_s`` are grey, ones that polled prices have a part in are paler."""
        if len(candles.open) == 0:
            return
        width = candles.interval_s * view.width / view.span_s
        if width < _MIN_CANDLE_PX:
            self._draw_columns(painter, view, theme, candles)
            return
        is_stale = (
            np.zeros(len(candles.open), dtype=np.bool_)
            if trusted_mono_s is None
            else candles.opened_mono_s + candles.interval_s > trusted_mono_s
        )
        for is_rising in (True, False):
            color = theme.up if is_rising else theme.down
            matching = candles.is_rising if is_rising else ~candles.is_rising
            for ink, chosen in (
                (QColor(color), candles.is_confirmed & ~is_stale),
                (mix(color, theme.panel, 0.6), ~candles.is_confirmed & ~is_stale),
                (QColor(theme.text_muted), is_stale),
            ):
                at = np.flatnonzero(matching & chosen)
                if len(at):
                    fill = QColor(theme.panel) if is_rising else ink
                    self._draw_some(painter, view, candles, at, width, ink, fill)

    def _draw_some(  # noqa: PLR0917 - private; what to draw, where and how belong together
        self,
        painter: QPainter,
        view: PlotView,
        candles: CandleSlice,
        at: npt.NDArray[np.intp],
        width: float,
        ink: QColor,
        fill: QColor,
    ) -> None:
        left = view.x(candles.opened_mono_s[at])
        middle = np.rint(left + width / 2.0)
        painter.setPen(hairline(ink))
        self._lines.draw(painter, middle, view.y(candles.high[at]), middle, view.y(candles.low[at]))
        # An odd width in whole pixels puts the wick in the middle of every body.
        half = max(1.0, float(round(width * 0.34)))
        top = np.rint(view.y(np.maximum(candles.open[at], candles.close[at])))
        bottom = np.rint(view.y(np.minimum(candles.open[at], candles.close[at])))
        painter.setBrush(QBrush(fill))
        self._rects.draw(painter, middle - half, top, np.full(len(at), 2.0 * half), bottom - top)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _draw_columns(self, painter: QPainter, view: PlotView, theme: Theme, candles: CandleSlice) -> None:
        x = np.floor(view.x(candles.opened_mono_s + candles.interval_s / 2.0) * view.pixel_ratio)
        starts = np.concatenate(((0,), np.flatnonzero(np.diff(x)) + 1))
        ends = np.concatenate((starts[1:], (len(x),))) - 1
        is_rising = candles.close[ends] >= candles.open[starts]
        high = view.y(np.maximum.reduceat(candles.high, starts))
        low = np.maximum(view.y(np.minimum.reduceat(candles.low, starts)), high + 1.0)
        column = x[starts] / view.pixel_ratio
        for chosen, color in ((is_rising, theme.up), (~is_rising, theme.down)):
            painter.setPen(hairline(QColor(color)))
            self._lines.draw(painter, column[chosen], high[chosen], column[chosen], low[chosen])

    def draw_volume(self, painter: QPainter, view: PlotView, theme: Theme, candles: CandleSlice) -> None:
        """Bars from the lower edge, the highest of the window ``VOLUME_PART`` of the height."""
        most = float(candles.volume.max(initial=0.0))
        if most <= 0.0:
            return
        width = candles.interval_s * view.width / view.span_s
        left = view.x(candles.opened_mono_s)
        bar = max(1.0, float(round(width * 0.34)) * 2.0 + 1.0) if width >= _MIN_CANDLE_PX else max(1.0, width)
        x = np.rint(left + width / 2.0) - bar // 2
        height = np.rint(candles.volume * (VOLUME_PART * view.height / most))
        painter.setPen(Qt.PenStyle.NoPen)
        for chosen, color in ((candles.is_rising, theme.up), (~candles.is_rising, theme.down)):
            painter.setBrush(mix(color, theme.panel, 0.3))
            some = height[chosen]
            self._rects.draw(painter, x[chosen], view.height - some, np.full(len(some), bar), some)
        painter.setBrush(Qt.BrushStyle.NoBrush)


def prices_between(series: TimeSeries, start_s: float, end_s: float) -> tuple[float, float, float, float] | None:
    """First, last, lowest and highest value received within a stretch of time; ``None`` when none was."""
    _, values = series.window(start_s, end_s, _PERIOD_COLUMNS)
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    return float(known[0]), float(known[-1]), float(known.min()), float(known.max())


def candle_texts(candles: CandleSlice, number: int, decimals: int) -> tuple[str, str, str]:
    """A candle in words: with its volume, without it, and its close alone."""
    four = (candles.open, candles.high, candles.low, candles.close)
    texts = [price_text(float(prices[number]), decimals) for prices in four]
    short = "  ".join(f"{name} {value}" for name, value in zip("OHLC", texts, strict=True))
    volume = f"  Vol {compact_text(float(candles.volume[number]))}" if candles.has_volume else ""
    return f"{short}{volume}", short, f"C {texts[-1]}"
