"""What the price and the latency plot have in common: axes, header, cursor, pausing, and one canvas for the data.

The x axis is seconds before now with a fixed range. Only the canvas is painted on every frame: pyqtgraph lays out and
draws the axes, and does so again only when a range changed in one of its steps. *Now* is rounded up to a whole device
pixel, so that the picture moves by pixels and does not tremble.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QGraphicsView, QSizePolicy, QVBoxLayout, QWidget

from monitor.widgets.plot_gutter import TagGutter
from monitor.widgets.plot_header import PlotHeader, Run
from monitor.widgets.plot_primitives import Sprites
from monitor.widgets.plot_scale import CLOCK_FROM_S, TEXT_CHARACTERS, ValueScale, age_text, time_ticks
from monitor.widgets.plot_view import Canvas, PlotView, bare_axis, draw_cursor, draw_grid, draw_run_start, draw_stretch
from monitor.widgets.theme import Theme

_TICK_EVERY_X_CHARACTERS = 13
_SPACING_PX = 3.0
_DRAG_FROM_PX = 6.0
"""A press that moves less is a click."""


class TimePlot(QWidget):
    """Base of the two plots.

    Signals:
        cursor_moved(object): seconds before now under the cursor as ``float``, or ``None`` when it left. Connect it to
            the other plot's :meth:`set_cursor`.
        time_range_selected(float, float): the user dragged over a period; its start and end, monotonic seconds.
        time_range_cleared(): Escape was pressed while a period was selected.

    Thread: GUI.
    """

    cursor_moved = Signal(object)
    time_range_selected = Signal(float, float)
    time_range_cleared = Signal()

    _marked_s: float | None = None
    """One end of a period that is being selected with the keyboard."""

    def __init__(self, theme: Theme, *, zone: tzinfo | None = None, parent: QWidget | None = None) -> None:
        """``zone`` is the time zone of clock times, ``None`` for the system's."""
        super().__init__(parent)
        self._theme = theme
        self._zone = zone
        self._sprites = Sprites()
        self._span_s = 900.0
        self._is_paused = False
        self._now_mono_s: float | None = None
        self._now_utc: datetime | None = None
        self._scale: ValueScale | None = None
        self._top_px = 0.0
        self._cursor_before_s: float | None = None
        self._pointer: QPointF | None = None
        self._pressed: QPointF | None = None
        self._focus_period: tuple[float, float] | None = None
        self._run_start_s: float | None = None

        self.header = PlotHeader(theme, self._sprites)
        self._plot = pg.PlotWidget(enableMenu=False, background=theme.panel)
        # With this and the spacing below, painting the canvas does not touch the axes beside it.
        self._plot.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        item = self._plot.getPlotItem()
        item.hideButtons()
        item.layout.setContentsMargins(0.0, 6.0, 0.0, 0.0)
        for number in range(4):
            item.layout.setRowSpacing(number, _SPACING_PX)
            item.layout.setColumnSpacing(number, _SPACING_PX)
        self._box = item.getViewBox()
        self._box.setMouseEnabled(False, False)
        self._box.disableAutoRange()
        self._box.setDefaultPadding(0.0)
        self._left, self._bottom = (bare_axis(item.getAxis(side)) for side in ("left", "bottom"))
        self._gutter = TagGutter(theme, self._sprites, self.font())
        item.layout.addItem(self._gutter, 2, 3)
        self._canvas = Canvas(self._box, self._paint_canvas)
        self._values_shown: tuple[object, ...] = ()
        self._times_shown: tuple[object, ...] = ()
        self._x_ticks: tuple[tuple[float, str], ...] = ()

        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        layout.addWidget(self._plot)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 110)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._plot.setMouseTracking(True)
        self._plot.viewport().installEventFilter(self)
        self._box.sigResized.connect(self._on_resized)
        self._apply_font()
        self._apply_colors()
        self._box.setXRange(-self._span_s, 0.0, padding=0)

    # What the window calls

    def set_theme(self, theme: Theme) -> None:
        """Change every colour; the data stay."""
        self._theme = theme
        self.header.set_theme(theme)
        self._gutter.set_theme(theme)
        self._apply_colors()
        self._redraw()

    def set_span_s(self, seconds: float) -> None:
        """Show the last ``seconds`` (above 0)."""
        if not seconds > 0.0 or not math.isfinite(seconds):
            raise ValueError(f"a time range must be positive, not {seconds}")
        if seconds != self._span_s:
            self._span_s = seconds
            self._box.setXRange(-seconds, 0.0, padding=0)
            self._redraw()

    def set_paused(self, is_paused: bool) -> None:
        """Hold the picture of the moment, marked as such; refreshes change nothing until it is let go."""
        self._is_paused = is_paused
        shown = self._now_utc
        at = "" if shown is None else f" {shown.astimezone(self._zone):%H:%M:%S}"
        self.header.set_badge(f"Paused{at}" if is_paused else "")

    def set_cursor(self, before_now_s: float | None) -> None:
        """Show the cursor line so many seconds before now, as the other plot's does; ``None`` hides it."""
        self._move_cursor(before_now_s, None)

    def set_focus_period(self, period: tuple[float, float] | None) -> None:
        """Shade a period (start and end, monotonic seconds); ``None`` removes the shade."""
        self._focus_period, self._marked_s = period, None
        self._redraw()

    def set_run_start(self, mono_s: float) -> None:
        """Mark when this run of the app began: what lies before it is of an earlier one."""
        self._run_start_s = mono_s

    def set_time_axis_visible(self, is_visible: bool) -> None:
        """Leave out the labels of the time axis, for a plot that stands above another one with the same axis."""
        item = self._plot.getPlotItem()
        item.showAxis("bottom", is_visible)
        # Half a line of text, or the lowest label of the value axis would be cut off.
        item.layout.setContentsMargins(0.0, 6.0, 0.0, 0.0 if is_visible else 8.0)

    # What a plot fills in

    def _compose(self) -> None:
        """Read the data for the current moment, set the scale, the header and the tags."""
        raise NotImplementedError

    def _paint_data(self, painter: QPainter, view: PlotView) -> None:
        raise NotImplementedError

    def _hover(self, view: PlotView, at: QPointF | None) -> None:
        """The cursor moved: ``at`` in pixels of the canvas, ``None`` when the pointer is not over this plot."""

    def _click(self, view: PlotView, at: QPointF) -> None:
        """The data area was clicked, or Return pressed on the cursor."""

    # What a plot uses

    def _begin(self, now_mono_s: float, now_utc: datetime) -> bool:
        """Take over the time of a frame; False when paused, and nothing is to change."""
        if self._is_paused and self._now_mono_s is not None:
            return False
        pixel_s = self._span_s / max(1.0, self._canvas.boundingRect().width() * self.devicePixelRatioF())
        shown_s = math.ceil(now_mono_s / pixel_s) * pixel_s
        self._now_utc = now_utc + timedelta(seconds=shown_s - now_mono_s)
        self._now_mono_s = shown_s
        return True

    def _redraw(self) -> None:
        """Compose again with what was last given, for a new size, theme, span or cursor."""
        if self._now_mono_s is not None:
            self._compose()
        self._canvas.update()

    @property
    def _view(self) -> PlotView | None:
        """The view of this frame; ``None`` before the first refresh and while there is no room."""
        rect = self._canvas.boundingRect()
        if self._now_mono_s is None or rect.width() < 2.0 or rect.height() < 2.0:
            return None
        scale = self._scale
        low, high = (0.0, 1.0) if scale is None else (scale.low, scale.high)
        if self._top_px:
            high += (high - low) * self._top_px / max(1.0, rect.height() - self._top_px)
        return PlotView(
            width=rect.width(),
            height=rect.height(),
            now_mono_s=self._now_mono_s,
            span_s=self._span_s,
            low=low,
            high=high,
            pixel_ratio=self.devicePixelRatioF(),
        )

    def _max_y_ticks(self, lines_apart: float) -> int:
        """How many ticks fit at ``lines_apart`` heights of a line of text."""
        apart_px = lines_apart * QFontMetricsF(self.font()).height()
        return max(2, int((self._canvas.boundingRect().height() - self._top_px) / apart_px))

    def _set_scale(self, scale: ValueScale | None, extra_ticks: tuple[tuple[float, str], ...] = ()) -> None:
        """Show ``scale``; the axes are laid out again only when it, or the time ticks, are not those shown."""
        self._scale = scale
        view = self._view
        if view is None or self._now_utc is None:
            return
        values = (scale, extra_ticks, view.low, view.high)
        if values != self._values_shown:
            self._values_shown = values
            self._left.setTicks([[*(() if scale is None else scale.ticks), *extra_ticks]])
            self._box.setYRange(view.low, view.high, padding=0)
        # Clock ticks move with time, by whole pixels; the others depend on span and width only.
        apart_px = QFontMetricsF(self.font()).averageCharWidth() * _TICK_EVERY_X_CHARACTERS
        max_x_ticks = max(2, int(view.width / apart_px))
        moment = self._now_utc if self._span_s >= CLOCK_FROM_S else None
        times = (max_x_ticks, self._span_s, moment)
        if times != self._times_shown:
            self._times_shown = times
            self._x_ticks = time_ticks(self._now_utc, self._span_s, max_x_ticks, self._zone)
            self._bottom.setTicks([list(self._x_ticks)])

    def _set_header(self, runs: Sequence[Run]) -> None:
        """Show ``runs`` above the plot, and tell them to whoever reads the screen aloud."""
        self.header.set_runs(runs)
        text = self.header.text
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)

    def _when_text(self, view: PlotView, time_s: float) -> str:
        """``12:03:20 · 34 s ago`` for a time on the axis; with the date when it was not today."""
        if self._now_utc is None:
            return ""
        ago_s = view.now_mono_s - time_s
        zone = self._zone
        now, at = self._now_utc.astimezone(zone), (self._now_utc - timedelta(seconds=ago_s)).astimezone(zone)
        day = "" if at.date() == now.date() else f"{at.day} {at:%b} "
        return f"{day}{at:%H:%M:%S} · {age_text(ago_s)} ago"

    @property
    def _cursor_x(self) -> float | None:
        if self._cursor_before_s is None or not 0.0 <= self._cursor_before_s <= self._span_s:
            return None
        return self._canvas.boundingRect().width() * (1.0 - self._cursor_before_s / self._span_s)

    @property
    def _marked_x(self) -> float | None:
        view = self._view
        return None if view is None or self._marked_s is None else view.x_of(self._marked_s)

    # Painting

    def _paint_canvas(self, painter: QPainter, rect: QRectF) -> None:
        view = self._view
        if view is None:
            return
        theme = self._theme
        if self._focus_period is not None:
            left, right = (view.x_of(time_s) for time_s in self._focus_period)
            painter.fillRect(QRectF(left, 0.0, right - left, rect.height()), QColor(theme.selection))
        ys = () if self._scale is None else tuple(position for position, _ in self._scale.ticks)
        draw_grid(painter, view, tuple(-ago for ago, _ in self._x_ticks), ys, theme)
        if self._run_start_s is not None:
            draw_run_start(painter, view, self._run_start_s, theme, self.font(), top_px=self._top_px)
        self._paint_data(painter, view)
        x_cursor = self._cursor_x
        if x_cursor is not None:
            draw_cursor(painter, view, x_cursor, None if self._pointer is None else self._pointer.y(), theme)
        x_from = self._pressed.x() if self._pressed is not None else self._marked_x
        x_to = self._pointer.x() if self._pressed is not None and self._pointer is not None else x_cursor
        if x_from is not None and x_to is not None:
            draw_stretch(painter, view, x_from, x_to, theme)

    def _paint_message(self, painter: QPainter, rect: QRectF, text: str) -> None:
        painter.setFont(self.font())
        painter.setPen(QColor(self._theme.text_muted))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    # Events

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take the pointer before the graphics scene does, which would search its items for every move."""
        if isinstance(event, QMouseEvent):
            at = self._canvas.mapFromScene(self._plot.mapToScene(event.position().toPoint()))
            if event.type() == QEvent.Type.MouseMove:
                self._on_pointer(at)
            elif event.type() == QEvent.Type.MouseButtonPress and event.button() == Qt.MouseButton.LeftButton:
                self.setFocus(Qt.FocusReason.MouseFocusReason)
                self._pressed = at
            elif event.type() == QEvent.Type.MouseButtonRelease and event.button() == Qt.MouseButton.LeftButton:
                self._on_released(at)
            return True
        if event.type() == QEvent.Type.Leave:
            self._pressed = None
            self._move_cursor(None, None)
            self.cursor_moved.emit(None)
        return event.type() == QEvent.Type.Wheel or super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move the cursor (Shift: ten times as far), Return clicks it, Space twice selects, Escape leaves."""
        view = self._view
        if view is not None and event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            direction = 1.0 if event.key() == Qt.Key.Key_Left else -1.0
            pixels = 20.0 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 2.0
            before_s = (self._cursor_before_s or 0.0) + direction * pixels * view.span_s / view.width
            before_s = min(max(before_s, 0.0), self._span_s)
            self._move_cursor(before_s, None)
            self.cursor_moved.emit(before_s)
        elif event.key() == Qt.Key.Key_Escape:
            if self._focus_period is not None:
                self.time_range_cleared.emit()
            self._marked_s = None
            self._move_cursor(None, None)
            self.cursor_moved.emit(None)
        elif event.key() == Qt.Key.Key_Space and view is not None and self._cursor_x is not None:
            self._mark(view.time_at(self._cursor_x))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and view is not None and self._cursor_x is not None:
            self._click(view, QPointF(self._cursor_x, math.nan))
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_canvas"):
            self._apply_font()

    def _on_resized(self) -> None:
        size = self._box.rect().size()
        self._canvas.set_size(size.width(), size.height())
        self._redraw()

    def _on_pointer(self, at: QPointF) -> None:
        view = self._view
        if view is None:
            return
        if not self._canvas.boundingRect().adjusted(-1.0, -1.0, 1.0, 1.0).contains(at) and self._pressed is None:
            self._move_cursor(None, None)
            self.cursor_moved.emit(None)
            return
        before_s = min(max(view.now_mono_s - view.time_at(at.x()), 0.0), self._span_s)
        self._move_cursor(before_s, at)
        self.cursor_moved.emit(before_s)

    def _on_released(self, at: QPointF) -> None:
        pressed, view = self._pressed, self._view
        self._pressed = None
        if pressed is None or view is None:
            return
        if abs(at.x() - pressed.x()) >= _DRAG_FROM_PX:
            ends = sorted(min(max(x, 0.0), view.width) for x in (pressed.x(), at.x()))
            self.time_range_selected.emit(view.time_at(ends[0]), view.time_at(ends[1]))
        else:
            self._click(view, at)
        self._canvas.update()

    def _mark(self, time_s: float) -> None:
        if self._marked_s is None:
            self._marked_s = time_s
        elif time_s != self._marked_s:
            start_s, end_s = sorted((self._marked_s, time_s))
            self._marked_s = None
            self.time_range_selected.emit(start_s, end_s)
        self._canvas.update()

    def _move_cursor(self, before_now_s: float | None, at: QPointF | None) -> None:
        if before_now_s is None and self._cursor_before_s is None and at is None:
            return
        self._cursor_before_s, self._pointer = before_now_s, at
        view = self._view
        if view is not None:
            self._hover(view, at)
        self._redraw()

    # Looks

    def _apply_font(self) -> None:
        font = QFont(self.font())
        metrics = QFontMetricsF(font)
        for axis in (self._left, self._bottom):
            axis.setStyle(tickFont=font, tickLength=0, hideOverlappingLabels=40, tickTextOffset=6, tickAlpha=0)
        self._left.setWidth(round(metrics.horizontalAdvance("0" * TEXT_CHARACTERS)) + 10)
        self._bottom.setHeight(round(metrics.height()) + 7)
        self._gutter.set_tag_font(font)

    def _apply_colors(self) -> None:
        theme = self._theme
        self._plot.setBackground(theme.panel)
        for axis in (self._left, self._bottom):
            # The canvas draws the lines; the axes only their labels (their ticks are transparent, see tickAlpha).
            axis.setPen(None)
            axis.setTextPen(theme.text_muted)
