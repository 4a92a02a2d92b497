"""The price plot: one line or set of candles per venue over the last minutes or hours, and how far to believe them."""

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

import msgspec
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.figures import change_text
from monitor.state.candles import CandleArrays
from monitor.state.request_log import SAME_REPLY_S
from monitor.state.series import FloatArray, TimeSeries
from monitor.widgets.account_lines import AccountLine, draw_account_lines
from monitor.widgets.plot_chosen import Chosen
from monitor.widgets.plot_frame import TimePlot
from monitor.widgets.plot_gutter import Tag
from monitor.widgets.plot_header import Run
from monitor.widgets.plot_primitives import MarkFill, MarkShape, SpriteArray, hairline, mix
from monitor.widgets.plot_scale import StepRange, decimals_for, price_text
from monitor.widgets.plot_view import PlotView, draw_level
from monitor.widgets.price_plot_items import (
    HEADER_WHAT,
    VOLUME_PART,
    CandlePainter,
    CandleSlice,
    LinePainter,
    candle_texts,
    prices_between,
    slice_candles,
)
from monitor.widgets.theme import Theme

_CLICK_REACH_PX: Final = 12.0


class PriceLine(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One venue's price of what is looked at, with everything decided that is to be seen of it.

    ``scale`` multiplies prices before they are drawn: 1 / the instrument's multiplier, so that venues compare.
    ``last_trusted_mono_s`` is ``None`` while the price is believed; else what came after it is grey, and so is its tag.
    ``candles`` are drawn instead of the line where given, with ``interval_s`` seconds each. ``note`` stands beside the
    price in the header, such as its age; ``decimals`` is how many the venue quotes, ``None`` for what the axis needs.
    ``backfill`` (also of ``interval_s``) continues the line to before the first price we received: paler, because those
    are closes the venue told afterwards.
    """

    venue: str
    title: str
    color: str
    shape: MarkShape
    series: TimeSeries
    scale: float = 1.0
    last_trusted_mono_s: float | None = None
    candles: CandleArrays | None = None
    backfill: CandleArrays | None = None
    interval_s: float = 60.0
    decimals: int | None = None
    note: str = ""


def _picture_of(line: PriceLine) -> tuple[object, ...]:
    """Everything of ``line`` that changes what is drawn, cheap to compare. The last one's candles still live then."""
    fixed = (line.title, line.color, line.shape, line.scale, line.decimals, line.interval_s)
    return (
        *fixed,
        id(line.series),
        line.series.total,
        id(line.candles),
        id(line.backfill),
        line.last_trusted_mono_s,
        line.note,
    )


class _Drawn(msgspec.Struct, frozen=True):
    """What is drawn of a line in this frame. ``last`` is its newest known price and time in the window, if any."""

    line: PriceLine
    times_s: FloatArray
    prices: FloatArray
    candles: CandleSlice | None
    last: tuple[float, float] | None
    earlier: tuple[FloatArray, FloatArray] | None = None

    @property
    def is_old(self) -> bool:
        """The newest price must not be shown as the current one."""
        return self.line.last_trusted_mono_s is not None


class PricePlot(TimePlot):
    """Prices of one market on one or more venues. See :class:`TimePlot` for span, pause, cursor and theme.

    Signals:
        point_clicked(str, float): venue, and the monotonic time at which the clicked price was received.
    """

    point_clicked = Signal(str, float)

    def __init__(self, theme: Theme, *, zone: tzinfo | None = None, parent: QWidget | None = None) -> None:
        super().__init__(theme, zone=zone, parent=parent)
        self.setAccessibleName("Price plot")
        self.header.setToolTip(HEADER_WHAT)
        self._chosen = Chosen()
        self._lines: tuple[PriceLine, ...] = ()
        self._drawn: tuple[_Drawn, ...] = ()
        self._range = StepRange()
        self._account_lines: tuple[AccountLine, ...] = ()
        self._empty_text = "Waiting for the first price…"
        self._line_painter = LinePainter()
        self._candle_painter = CandlePainter()
        self._sprite_array = SpriteArray()
        self._last_picture: tuple[object, ...] = ()

    def refresh(self, now_mono_s: float, now_utc: datetime, lines: Sequence[PriceLine]) -> None:
        """Show ``lines`` as they stand at ``now``; cheap when nothing has moved by a pixel and no point is new.

        ``now_mono_s`` and ``now_utc`` are the same moment on the two clocks. The first line is drawn on top.
        """
        if not self._begin(now_mono_s, now_utc):
            return
        if tuple(line.title for line in lines) != tuple(line.title for line in self._lines):
            self._range.reset()
        picture = (self._now_mono_s, *(_picture_of(line) for line in lines))
        is_new = picture != self._last_picture
        self._lines, self._last_picture = tuple(lines), picture
        if is_new:
            self._redraw()

    def set_account_lines(self, lines: Sequence[AccountLine]) -> None:
        """Draw the user's own prices over the data; nothing happens when they are drawn already."""
        if self._account_lines != tuple(lines):
            self._account_lines = tuple(lines)
            self._canvas.update()

    def set_chosen(self, one: RequestTrace | None, others: Sequence[RequestTrace] = ()) -> None:
        """Ring the prices that these requests brought; ``one`` is the one gone to."""
        if self._chosen.take(one, others):
            self._canvas.update()

    def set_empty_text(self, text: str) -> None:
        """What to say while there is no price in the window; it should name what is waited for, or what to do."""
        self._empty_text = text
        self._canvas.update()

    # Reading the data

    def _compose(self) -> None:
        view = self._view
        if view is None:
            return
        self._drawn = tuple(self._read(line, view) for line in self._lines)
        low, high = math.inf, -math.inf
        for drawn in self._drawn:
            candles = drawn.candles
            if candles is not None and len(candles.low):
                low, high = min(low, float(candles.low.min())), max(high, float(candles.high.max()))
                if drawn.last is not None:
                    low, high = min(low, drawn.last[1]), max(high, drawn.last[1])
                continue
            for prices in (drawn.prices, None if drawn.earlier is None else drawn.earlier[1]):
                if prices is not None and len(prices):
                    low = min(low, float(np.fmin.reduce(prices)))
                    high = max(high, float(np.fmax.reduce(prices)))
        if low <= high:
            if any(drawn.candles is not None and drawn.candles.has_volume for drawn in self._drawn):
                low -= (high - low) * VOLUME_PART * 1.2  # the bars get ground of their own
            self._set_scale(self._range.fit(low, high, self._max_y_ticks(2.6)))
        else:
            self._set_scale(None)
        view = self._view or view
        self._gutter.set_tags(self._tags(view))
        self._set_header(self._runs(view))

    def _read(self, line: PriceLine, view: PlotView) -> _Drawn:
        times_s, values = line.series.window(view.start_mono_s, view.now_mono_s, view.columns, is_padded=True)
        prices = values if line.scale == 1.0 else values * line.scale
        known = np.flatnonzero(~np.isnan(prices[-8:]))
        if len(known) == 0:
            known = np.flatnonzero(~np.isnan(prices))
            at = int(known[-1]) if len(known) else -1
        else:
            at = max(0, len(prices) - 8) + int(known[-1])
        last = (float(times_s[at]), float(prices[at])) if at >= 0 else None
        candles = None if line.candles is None else self._slice(line, line.candles, view)
        if candles is not None and len(candles.close) and last is None:
            last = (min(float(candles.opened_mono_s[-1]) + line.interval_s, view.now_mono_s), float(candles.close[-1]))
        earlier = None
        if candles is None and line.backfill is not None:
            first_s = line.series.first_time_s
            closes = self._slice(line, line.backfill, view)
            closed_s = closes.opened_mono_s + line.interval_s
            is_before = closed_s < (view.now_mono_s if first_s is None else first_s)
            if is_before.any():
                # Up to the first price of our own, so that the two parts meet.
                joint = slice(0, 1 if first_s is not None and len(times_s) and times_s[0] <= first_s else 0)
                earlier = (
                    np.concatenate((closed_s[is_before], times_s[joint])),
                    np.concatenate((closes.close[is_before], prices[joint])),
                )
        return _Drawn(line, times_s, prices, candles, last, earlier)

    def _slice(self, line: PriceLine, candles: CandleArrays, view: PlotView) -> CandleSlice:
        assert self._now_utc is not None  # noqa: S101  # a view exists only after a refresh with both clocks
        now_epoch_s = self._now_utc.timestamp()
        return slice_candles(
            candles,
            interval_s=line.interval_s,
            scale=line.scale,
            start_epoch_s=now_epoch_s - view.span_s,
            end_epoch_s=now_epoch_s,
            offset_s=view.now_mono_s - now_epoch_s,
        )

    def _decimals(self, line: PriceLine) -> int:
        if line.decimals is not None:
            return line.decimals
        return 2 if self._scale is None else decimals_for(self._scale.step) + 1

    def _tags(self, view: PlotView) -> list[Tag]:
        tags = []
        for drawn in self._drawn:
            if drawn.last is None or self._scale is None:
                continue
            line, price = drawn.line, drawn.last[1]
            text = price_text(price, self._decimals(line))
            tags.append(Tag(view.y_of(price), text, line.color, line.shape, is_old=drawn.is_old))
        if self._pointer is not None and self._scale is not None:
            price = view.position_at(self._pointer.y())
            decimals = decimals_for(self._scale.step) + 1
            tags.append(Tag(self._pointer.y(), price_text(price, decimals), self._theme.text, is_cursor=True))
        return tags

    def _runs(self, view: PlotView) -> list[Run]:
        theme = self._theme
        x = self._cursor_x
        if x is not None:
            return self._cursor_runs(view, view.time_at(x))
        if self._focus_period is not None:
            return self._period_runs(self._focus_period)
        runs: list[Run] = []
        for drawn in self._drawn:
            line, last = drawn.line, drawn.last
            fill = MarkFill.OUTLINED if drawn.is_old else MarkFill.FILLED
            runs.append(
                Run(line.title, theme.text_muted, line.shape, fill, mark_color=line.color, starts_group=bool(runs))
            )
            ink = theme.text_muted if drawn.is_old else theme.text
            text = "—" if last is None else price_text(last[1], self._decimals(line))
            runs.append(Run(text, ink, is_struck=drawn.is_old and last is not None, is_bold=not drawn.is_old))
            if line.note:
                runs.append(Run(line.note, theme.warn if drawn.is_old else theme.text_muted))
        return runs

    def _period_runs(self, period: tuple[float, float]) -> list[Run]:
        """What the header says of a chosen period: first and last price with the change, lowest and highest."""
        theme = self._theme
        runs: list[Run] = []
        for line in self._lines:
            runs.append(Run(line.title, theme.text_muted, line.shape, mark_color=line.color, starts_group=bool(runs)))
            prices = prices_between(line.series, *period)
            if prices is None:
                runs.append(Run("no price", theme.text_muted))
                continue
            first, last, low, high = (price_text(one * line.scale, self._decimals(line)) for one in prices)
            change = prices[1] / prices[0] - 1.0 if prices[0] else None
            runs.append(Run(f"{first} → {last}", theme.text, short=last))
            runs.append(Run(change_text(change), theme.change_color(change)))
            runs.append(Run(f"low {low}  high {high}", theme.text_muted, is_optional=True))
        return runs

    def _cursor_runs(self, view: PlotView, time_s: float) -> list[Run]:
        theme = self._theme
        when = self._when_text(view, time_s)
        runs = [Run(when, theme.text, shortest=when.partition(" · ")[0])]
        for drawn in self._drawn:
            line = drawn.line
            candles = drawn.candles
            number = -1 if candles is None else int(candles.opened_mono_s.searchsorted(time_s, "right")) - 1
            if candles is not None and number >= 0 and time_s < candles.opened_mono_s[number] + candles.interval_s:
                text, short, shortest = candle_texts(candles, number, self._decimals(line))
            else:
                point, short, shortest = line.series.at(time_s), "", ""
                text = "—" if point is None else price_text(point[1] * line.scale, self._decimals(line))
                if point is None and drawn.earlier is not None:
                    place = int(drawn.earlier[0].searchsorted(time_s, "right")) - 1
                    if place >= 0:
                        text = f"{price_text(float(drawn.earlier[1][place]), self._decimals(line))} (candle close)"
                        short = text.replace("candle close", "close")
            trusted_s = line.last_trusted_mono_s
            is_old = trusted_s is not None and time_s > trusted_s
            runs.append(Run(line.title, theme.text_muted, is_optional=True, starts_group=True))
            runs.append(
                Run(
                    text,
                    theme.text_muted if is_old else theme.text,
                    line.shape,
                    mark_color=line.color,
                    is_struck=is_old,
                    short=short,
                    shortest=shortest,
                )
            )
        return runs

    # Painting

    def _paint_data(self, painter: QPainter, view: PlotView) -> None:
        if self._scale is None:
            self._paint_message(painter, QRectF(0.0, 0.0, view.width, view.height), self._empty_text)
            return
        for drawn in self._drawn:
            if drawn.candles is not None and drawn.candles.has_volume:
                self._candle_painter.draw_volume(painter, view, self._theme, drawn.candles)
                break  # one venue's volume; two over each other would read as one
        for drawn in reversed(self._drawn):
            line = drawn.line
            if drawn.candles is not None and len(drawn.candles.open):
                self._candle_painter.draw(painter, view, self._theme, drawn.candles, line.last_trusted_mono_s)
            else:
                self._paint_line(painter, view, drawn)
            self._paint_last(painter, view, drawn)
        draw_account_lines(painter, view, self._theme, self._account_lines)
        self._chosen.paint(painter, view, self._theme, self.font(), self._place_of)
        self._paint_cursor_points(painter, view)

    def _paint_line(self, painter: QPainter, view: PlotView, drawn: _Drawn) -> None:
        if drawn.earlier is not None:
            times_s, closes = drawn.earlier
            pale = hairline(QColor(mix(drawn.line.color, self._theme.panel, 0.5)))
            self._line_painter.draw(painter, view, pale, view.x(times_s), view.y(closes))
        if len(drawn.times_s) == 0:
            return
        x, y = view.x(drawn.times_s), view.y(drawn.prices)
        pen = hairline(QColor(drawn.line.color))
        trusted_s = drawn.line.last_trusted_mono_s
        if trusted_s is None:
            self._line_painter.draw(painter, view, pen, x, y)
            return
        known = int(drawn.times_s.searchsorted(trusted_s, "right"))
        old = slice(max(0, known - 1), None)
        self._line_painter.draw(painter, view, hairline(QColor(self._theme.text_muted)), x[old], y[old])
        self._line_painter.draw(painter, view, pen, x[:known], y[:known])

    def _paint_last(self, painter: QPainter, view: PlotView, drawn: _Drawn) -> None:
        """The newest price held to the right edge, its level across the plot, and the venue's mark on it."""
        if drawn.last is None:
            return
        time_s, price = drawn.last
        x, y = view.x_of(time_s), round(view.y_of(price))
        color = self._theme.text_muted if drawn.is_old else drawn.line.color
        draw_level(painter, view, y, mix(color, self._theme.panel, 0.55))
        if not drawn.is_old and drawn.candles is None and not math.isnan(float(drawn.prices[-1])):
            painter.setPen(hairline(QColor(color)))
            painter.drawLine(QPointF(x, y), QPointF(view.width, y))
        fill = MarkFill.OUTLINED if drawn.is_old else MarkFill.FILLED
        sprite = self._sprites.mark(drawn.line.shape, fill, color, view.pixel_ratio)
        self._sprite_array.draw(painter, sprite, np.array([min(x, view.width - 5.0)]), np.array([float(y)]))

    def _place_of(self, view: PlotView, trace: RequestTrace) -> QPointF | None:
        """The price that came with a reply; ``None``: the reply brought none of these, or they are not drawn."""
        for drawn in self._drawn:
            if drawn.line.venue == trace.venue and drawn.candles is None:
                point = drawn.line.series.at(trace.ended_mono_s + SAME_REPLY_S)
                if point is not None and point[0] >= trace.ended_mono_s - SAME_REPLY_S:
                    return QPointF(view.x_of(point[0]), view.y_of(point[1] * drawn.line.scale))
        return None

    def _paint_cursor_points(self, painter: QPainter, view: PlotView) -> None:
        x = self._cursor_x
        if x is None:
            return
        for drawn in self._drawn:
            point = drawn.line.series.at(view.time_at(x))
            if drawn.candles is None and point is not None:
                sprite = self._sprites.mark(drawn.line.shape, MarkFill.FILLED, drawn.line.color, view.pixel_ratio)
                at = view.x_of(point[0]), view.y_of(point[1] * drawn.line.scale)
                self._sprite_array.draw(painter, sprite, np.array([at[0]]), np.array([at[1]]))

    def _click(self, view: PlotView, at: QPointF) -> None:
        """Tell which venue's price was meant: the nearest in height at that time."""
        nearest: tuple[float, str, float] | None = None
        for drawn in self._drawn:
            point = drawn.line.series.at(view.time_at(at.x()))
            if point is None:
                continue
            distance = abs(view.y_of(point[1] * drawn.line.scale) - at.y())
            distance = 0.0 if math.isnan(distance) else distance  # from the keyboard: no height, the first line
            if distance <= _CLICK_REACH_PX and (nearest is None or distance < nearest[0]):
                nearest = (distance, drawn.line.venue, point[0])
        if nearest is not None:
            self.point_clicked.emit(nearest[1], nearest[2])
