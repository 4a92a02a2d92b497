"""The latency plot: one mark per request on the time axis of the price plot, cold and warm and failed told apart."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Final

import msgspec
import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QWidget

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.spike_words import SPIKE_DEFINITION
from monitor.state.latency import LatencyMark, LatencySummary, LatencyWindow, MarkArrays, MarkKind, kind_of
from monitor.state.latency_bins import MIN_BAND_MARKS, LatencyBand
from monitor.state.series import FloatArray
from monitor.widgets.latency_plot_items import BandPainter, nearest_mark, warm_run
from monitor.widgets.plot_chosen import Chosen
from monitor.widgets.plot_frame import TimePlot
from monitor.widgets.plot_gutter import Tag
from monitor.widgets.plot_header import Run
from monitor.widgets.plot_primitives import MARK_PX, MarkFill, MarkShape, SpriteArray, hairline, mix
from monitor.widgets.plot_scale import LatencyRange, count_text, latency_text
from monitor.widgets.plot_view import PlotView, draw_level
from monitor.widgets.theme import Theme

_ROW_PX: Final = 12.0
"""Height of a venue's row of failures at the upper edge."""
_REACH_PX: Final = 9.0
"""A mark this near to the pointer is meant."""
_SMALL_MARK_PX: Final = 5.0
_BIN_WIDTHS_S: Final = (15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400)
_MAX_BINS: Final = 24
_PERIOD_EVERY_S: Final = 1.0
_FILLS: Final = {
    MarkKind.WARM: MarkFill.FILLED,
    MarkKind.COLD: MarkFill.OUTLINED,
    MarkKind.FAILED: MarkFill.CROSS,
    MarkKind.HEALED: MarkFill.PLUS,
}
_ROW_KINDS: Final = (MarkKind.HEALED, MarkKind.FAILED)
"""Kinds that have no latency to show and stand in their venue's row."""


class LatencyLane(msgspec.Struct, frozen=True, kw_only=True):
    """One venue's requests, with the colour and shape that stand for it.

    ``is_old``: replies are missing, so that its newest percentile must not be shown as that of now.
    """

    venue: str
    title: str
    color: str
    shape: MarkShape
    window: LatencyWindow
    is_old: bool = False


class _Drawn(msgspec.Struct, frozen=True):
    lane: LatencyLane
    marks: dict[MarkKind, MarkArrays]
    band: LatencyBand


class LatencyPlot(TimePlot):
    """Requests of one or more venues. See :class:`TimePlot` for span, pause, cursor, selection and theme.

    A warm mark is filled, a cold one outlined; a failed one is a cross in its venue's row at the upper edge, a healed
    one a plus there: neither has a latency. The band lies between the warm p50 and p95 of each bin of time.

    Signals:
        request_hovered(object, int): request id (an int) and attempt under the pointer; 0, 0 when there is no mark.
        request_clicked(object, int): the same for a click; only emitted on a mark.
    """

    request_hovered = Signal(object, int)
    request_clicked = Signal(object, int)

    def __init__(
        self, theme: Theme, *, is_log: bool = True, zone: tzinfo | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, zone=zone, parent=parent)
        self.setAccessibleName("Latency plot")
        self.header.setToolTip(
            "Latency: request handed to the transport until its body was read, without queueing.\n"
            "Filled: warm, no connection was opened for it. Outlined: cold, one was.\n"
            "Cross: failed. Plus: died with a stale connection, and its retry took over. Neither has a latency.\n"
            f"Band: p50 to p95 of the warm ones of each bin of at least {MIN_BAND_MARKS}; point at it for its n. "
            "At the right: p50 of the newest such bin; hollow and struck through while replies are missing.\n"
            "Line with its level at the right: where your alert on a venue's warm latency p95 begins.\n"
            "Ring: the request gone to in the table. Small rings or ticks: those of the connection filtered for.\n"
            f"Slow by: {SPIKE_DEFINITION}."
        )
        self.cause_of: Callable[[int, int], str] = lambda _request_id, _attempt: ""
        """What made an attempt an outlier, in a word; empty where it was none."""
        self._chosen = Chosen()
        self._lanes: tuple[LatencyLane, ...] = ()
        self._drawn: tuple[_Drawn, ...] = ()
        self._range = LatencyRange(is_log=is_log)
        self._thresholds_s: dict[str, float] = {}
        self._empty_text = "Waiting for the first request…"
        self._hovered: LatencyMark | None = None
        self._hovered_at: QPointF | None = None
        self._sprite_array = SpriteArray()
        self._band_painter = BandPainter()
        self._last_picture: tuple[object, ...] = ()
        self._period_key: object = None
        self._period_read_s = -math.inf
        self._period_summaries: tuple[tuple[LatencySummary, LatencySummary, LatencySummary], ...] = ()

    def refresh(self, now_mono_s: float, now_utc: datetime, lanes: Sequence[LatencyLane]) -> None:
        """Show ``lanes`` as they stand at ``now``; cheap when nothing has moved by a pixel and no request is new."""
        if not self._begin(now_mono_s, now_utc):
            return
        picture = (self._now_mono_s, *((lane, lane.window.revision) for lane in lanes))
        is_new = picture != self._last_picture
        self._lanes, self._last_picture = tuple(lanes), picture
        if is_new:
            self._redraw()

    def set_chosen(self, one: RequestTrace | None, others: Sequence[RequestTrace] = ()) -> None:
        """Ring the marks of requests that were chosen elsewhere; ``one`` is the one gone to."""
        if self._chosen.take(one, others):
            self._canvas.update()

    def set_empty_text(self, text: str) -> None:
        """What to say while there is no request in the window."""
        self._empty_text = text
        self._canvas.update()

    def set_thresholds_s(self, levels_s: Mapping[str, float]) -> None:
        """Draw a line at the latency from which the user wants to be warned of a venue, by venue."""
        self._thresholds_s = dict(levels_s)
        self._redraw()

    # Reading the data

    def _compose(self) -> None:
        self._top_px = _ROW_PX * len(self._lanes) + 4.0 if self._lanes else 0.0
        view = self._view
        if view is None:
            return
        self._drawn = tuple(self._read(lane, view) for lane in self._lanes)
        low_s, high_s = math.inf, -math.inf
        for drawn in self._drawn:
            for kind in (MarkKind.WARM, MarkKind.COLD):
                latencies_s = drawn.marks[kind].latencies_s
                if len(latencies_s):
                    low_s, high_s = min(low_s, float(latencies_s.min())), max(high_s, float(latencies_s.max()))
        if low_s <= high_s:
            # A clock that stood still must not ask for the logarithm of 0.
            scale = self._range.fit(max(low_s, 1e-6), max(high_s, 1e-6), self._max_y_ticks(1.6))
            per_px = (scale.high - scale.low) / (view.height - self._top_px)
            rows = (scale.high + self._top_px / 2.0 * per_px, "failed")
            # The uppermost label would stand on the rows' one; its line is the border between them.
            reach = 1.3 * QFontMetricsF(self.font()).height() * per_px
            ticks = tuple(tick for tick in scale.ticks if tick[0] <= rows[0] - reach)
            self._set_scale(scale if ticks == scale.ticks else replace(scale, ticks=ticks), (rows,))
        else:
            self._set_scale(None)
        view = self._view or view
        self._gutter.set_tags(self._tags(view))
        self._set_header(self._runs(view))

    def _read(self, lane: LatencyLane, view: PlotView) -> _Drawn:
        marks = {kind: lane.window.marks(kind, view.start_mono_s, view.now_mono_s, view.columns) for kind in MarkKind}
        bin_s = next((width for width in _BIN_WIDTHS_S if view.span_s / width <= _MAX_BINS), _BIN_WIDTHS_S[-1])
        return _Drawn(lane, marks, lane.window.warm_band(view.start_mono_s, view.now_mono_s, float(bin_s)))

    def _position(self, latencies_s: FloatArray) -> FloatArray:
        return np.log10(np.maximum(latencies_s, 1e-6)) if self._range.is_log else latencies_s

    def _y_of(self, view: PlotView, latency_s: float) -> float:
        return view.y_of(math.log10(max(latency_s, 1e-6)) if self._range.is_log else latency_s)

    def _row_y(self, number: int) -> float:
        return 2.0 + _ROW_PX * (number + 0.5)

    def _tags(self, view: PlotView) -> list[Tag]:
        if self._scale is None:
            return []
        tags = []
        for drawn in self._drawn:
            known = np.flatnonzero(~np.isnan(drawn.band.p50_s))
            if len(known):
                lane, p50_s = drawn.lane, float(drawn.band.p50_s[known[-1]])
                y = self._y_of(view, p50_s)
                tags.append(Tag(y, latency_text(p50_s), lane.color, lane.shape, is_old=lane.is_old))
        for lane, level_s, y in self._thresholds(view):
            arrow = "↑ " if y < self._top_px else "↓ " if y > view.height else ""
            at = min(max(y, self._top_px), view.height)
            tags.append(Tag(at, f"{arrow}{latency_text(level_s)}", self._theme.warn, lane.shape, is_plain=True))
        if self._pointer is not None and self._pointer.y() > self._top_px:
            position = view.position_at(self._pointer.y())
            text = latency_text(10.0**position if self._range.is_log else position)
            tags.append(Tag(self._pointer.y(), text, self._theme.text, is_cursor=True))
        return tags

    def _thresholds(self, view: PlotView) -> list[tuple[LatencyLane, float, float]]:
        """Venue, level and height of each line; the height may be outside the plot."""
        levels_s = ((lane, self._thresholds_s.get(lane.venue)) for lane in self._lanes)
        return [(lane, level_s, self._y_of(view, level_s)) for lane, level_s in levels_s if level_s is not None]

    def _runs(self, view: PlotView) -> list[Run]:
        theme = self._theme
        x = self._cursor_x
        if x is not None:
            if self._hovered is not None:
                return self._mark_runs(view, self._hovered)
            return self._bin_runs(view, view.time_at(x))
        if self._focus_period is not None:
            return self._period_runs(self._focus_period)
        runs: list[Run] = []
        for drawn in self._drawn:
            lane, counts = drawn.lane, {kind: marks.n for kind, marks in drawn.marks.items()}
            runs.append(Run(lane.title, theme.text_muted, is_optional=True, starts_group=bool(runs)))
            for kind, color in (
                (MarkKind.WARM, lane.color),
                (MarkKind.COLD, lane.color),
                (MarkKind.HEALED, theme.warn),
                (MarkKind.FAILED, theme.failed),
            ):
                if counts[kind] or kind is not MarkKind.HEALED:
                    ink = theme.failed if kind is MarkKind.FAILED and counts[kind] else theme.text
                    count = count_text(counts[kind])
                    runs.append(Run(f"{count} {kind.value}", ink, lane.shape, _FILLS[kind], color, short=count))
        return runs

    def _period_runs(self, period: tuple[float, float]) -> list[Run]:
        """What the header says of a chosen period: warm percentiles with their n, and the others."""
        theme = self._theme
        # A day has more attempts than can be sorted for every frame.
        key = (period, self._lanes)
        if key != self._period_key or self._period_read_s + _PERIOD_EVERY_S <= (self._now_mono_s or 0.0):
            self._period_key, self._period_read_s = key, self._now_mono_s or 0.0
            self._period_summaries = tuple(
                (
                    lane.window.summary(*period, False),
                    lane.window.summary(*period, True),
                    # Attempts that never got a connection are neither cold nor warm, and an outage is full of them.
                    lane.window.summary(*period, None),
                )
                for lane in self._lanes
            )
        runs: list[Run] = []
        for lane, (warm, cold, every) in zip(self._lanes, self._period_summaries, strict=True):
            of_run = " of this run" if lane.window.holds_earlier(*period) else ""
            runs.append(Run(lane.title, theme.text_muted, is_optional=True, starts_group=bool(runs)))
            runs.append(
                warm_run(warm.p50_s, warm.p95_s, warm.n, of=of_run, ink=theme.text, shape=lane.shape, color=lane.color)
            )
            runs.append(Run(f"{count_text(cold.n)} cold", theme.text, is_optional=True))
            if every.failed or every.healed:
                text = f"{count_text(every.failed)} failed, {count_text(every.healed)} healed"
                runs.append(Run(text, theme.failed))
        return runs

    def _bin_runs(self, view: PlotView, time_s: float) -> list[Run]:
        """What the band says at a time: percentiles of that bin, with their n."""
        theme = self._theme
        when = self._when_text(view, time_s)
        runs = [Run(when, theme.text, shortest=when.partition(" · ")[0])]
        for drawn in self._drawn:
            lane, band = drawn.lane, drawn.band
            number = min(max(int(band.edges_s.searchsorted(time_s, "right")) - 1, 0), len(band.n) - 1)
            p50_s, p95_s, n = float(band.p50_s[number]), float(band.p95_s[number]), int(band.n[number])
            runs.append(Run(lane.title, theme.text_muted, is_optional=True, starts_group=True))
            runs.append(warm_run(p50_s, p95_s, n, ink=theme.text, shape=lane.shape, color=lane.color))
        return runs

    def _mark_runs(self, view: PlotView, mark: LatencyMark) -> list[Run]:
        theme = self._theme
        word = mark.kind.value if mark.kind not in _ROW_KINDS else f"{mark.kind.value} after"
        ink = theme.failed if mark.kind is MarkKind.FAILED else theme.text
        latency = (
            f"{latency_text(mark.latency_s)} {word}"
            if mark.kind not in _ROW_KINDS
            else (f"{word} {latency_text(mark.latency_s)}")
        )
        runs = [
            Run(latency, ink, is_bold=True),
            Run(mark.endpoint, theme.text),
            Run(
                "no connection" if mark.connection_id is None else f"connection {mark.connection_id}", theme.text_muted
            ),
        ]
        if mark.attempt > 1:
            runs.append(Run(f"attempt {mark.attempt}", theme.text_muted))
        cause = self.cause_of(mark.request_id, mark.attempt)
        if cause:
            runs.append(Run(f"slow by {cause}", theme.warn))
        runs.append(Run(self._when_text(view, mark.time_s), theme.text_muted, is_optional=True))
        return runs

    # Painting

    def _paint_data(self, painter: QPainter, view: PlotView) -> None:
        theme = self._theme
        if self._scale is None and not any(marks.n for drawn in self._drawn for marks in drawn.marks.values()):
            self._paint_message(painter, QRectF(0.0, 0.0, view.width, view.height), self._empty_text)
            return
        for drawn in self._drawn:
            if self._scale is not None:
                self._band_painter.draw(
                    painter, view, drawn.lane.color, theme.panel,
                    np.maximum(drawn.band.edges_s, drawn.band.since_s),
                    self._position(drawn.band.p50_s), self._position(drawn.band.p95_s),
                )  # fmt: skip
        for _, _, y in self._thresholds(view) if self._scale is not None else ():
            if self._top_px < y < view.height:
                draw_level(painter, view, round(y), QColor(theme.warn))
        for number, drawn in enumerate(self._drawn):
            y = round(self._row_y(number))
            painter.setPen(hairline(mix(drawn.lane.color, theme.panel, 0.35)))
            painter.drawLine(0, y, int(view.width), y)
        painter.setPen(hairline(QColor(theme.border)))
        painter.drawLine(0, int(self._top_px), int(view.width), int(self._top_px))
        for number in reversed(range(len(self._drawn))):
            self._paint_marks(painter, view, number)
        self._chosen.paint(painter, view, theme, self.font(), self._place_of)
        if self._hovered_at is not None:
            painter.setPen(QColor(theme.text))
            painter.drawEllipse(self._hovered_at, MARK_PX * 0.8, MARK_PX * 0.8)

    def _place_of(self, view: PlotView, trace: RequestTrace) -> QPointF | None:
        """Where the mark of an attempt stands; ``None``: its venue is not shown."""
        for number, lane in enumerate(self._lanes):
            if lane.venue == trace.venue:
                is_in_row = kind_of(trace) in _ROW_KINDS
                y = self._row_y(number) if is_in_row else self._y_of(view, trace.total_s)
                return QPointF(view.x_of(trace.ended_mono_s), y)
        return None

    def _paint_marks(self, painter: QPainter, view: PlotView, number: int) -> None:
        drawn, theme = self._drawn[number], self._theme
        lane = drawn.lane
        is_dense = drawn.marks[MarkKind.WARM].n > view.width / 2.0
        for kind in (MarkKind.WARM, MarkKind.COLD, *_ROW_KINDS):
            marks = drawn.marks[kind]
            if marks.n == 0:
                continue
            x = view.x(marks.times_s)
            if kind in _ROW_KINDS:
                color = theme.failed if kind is MarkKind.FAILED else theme.warn
                y = np.full(len(x), self._row_y(number))
            else:
                color = lane.color
                y = view.y(self._position(marks.latencies_s))
            size_px = _SMALL_MARK_PX if is_dense and kind is MarkKind.WARM else MARK_PX
            sprite = self._sprites.mark(lane.shape, _FILLS[kind], color, view.pixel_ratio, size_px)
            self._sprite_array.draw(painter, sprite, x, y)

    # Finding a request

    def _hover(self, view: PlotView, at: QPointF | None) -> None:
        found = None if at is None else self._find(view, at)
        before = self._hovered
        self._hovered, self._hovered_at = (None, None) if found is None else found
        if self._hovered != before:
            if self._hovered is None:
                self.request_hovered.emit(0, 0)
            else:
                self.request_hovered.emit(self._hovered.request_id, self._hovered.attempt)

    def _click(self, view: PlotView, at: QPointF) -> None:
        found = self._find(view, at)
        if found is not None:
            self.request_clicked.emit(found[0].request_id, found[0].attempt)

    def _find(self, view: PlotView, at: QPointF) -> tuple[LatencyMark, QPointF] | None:
        """The mark nearest to ``at`` and its place; ``None`` when none is in reach. NaN for y: any height."""
        best: tuple[float, LatencyMark, QPointF] | None = None
        start_s, end_s = view.time_at(at.x() - _REACH_PX), view.time_at(at.x() + _REACH_PX)
        for number, drawn in enumerate(self._drawn):
            for kind in MarkKind:
                marks = drawn.lane.window.marks(kind, start_s, end_s)
                if marks.first_index is None or len(marks.times_s) == 0:
                    continue
                x = view.x(marks.times_s)
                if kind in _ROW_KINDS:
                    y = np.full(len(x), self._row_y(number))
                else:
                    y = view.y(self._position(marks.latencies_s))
                index, distance = nearest_mark(x, y, at.x(), at.y())
                mark = drawn.lane.window.mark(kind, marks.first_index + index)
                if mark is not None and distance <= _REACH_PX and (best is None or distance < best[0]):
                    best = (distance, mark, QPointF(float(x[index]), float(y[index])))
        return None if best is None else best[1:]
