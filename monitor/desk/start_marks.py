"""``--start-marks``: a line when the first frame is painted, and one for the first price; for timing from outside.

The times are taken by whoever started the program, so that they hold what comes before its first line as well.
"""

import logging

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QGraphicsView

from monitor.desk.desk import Desk

log = logging.getLogger(__name__)

DATA_MARK = "start: data"
"""The other mark, ``start: frame``, is printed before this module is loaded."""


class DataMark(QObject):
    """Prints ``DATA_MARK`` when the price plot was painted with a price on it, and closes the window. Thread: GUI."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._desk = desk
        self._view: QGraphicsView | None = None
        self._is_done = False
        desk.pump.frame.connect(self._on_frame)
        desk.window.charts.plots_loaded.connect(self._on_frame)

    def _on_frame(self) -> None:
        # Connected after the window's own slot: when this runs, the plot was given what arrived.
        plot = self._desk.window.charts.price_plot
        key = self._desk.window.focus_key
        series = None if key is None else self._desk.controller.board.series(key)
        if plot is None or series is None or not len(series) or self._view is not None:
            return
        self._view = plot.findChild(QGraphicsView)
        assert isinstance(self._view, QGraphicsView)  # noqa: S101 - every plot of ours is drawn in one
        self._view.viewport().installEventFilter(self)
        self._view.viewport().update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Qt: the paint event comes through here just before it is carried out."""
        if event.type() == QEvent.Type.Paint and not self._is_done:
            self._is_done = True
            QTimer.singleShot(0, self, self._tell)
        return super().eventFilter(watched, event)

    def _tell(self) -> None:
        print(DATA_MARK, flush=True)  # noqa: T201 - the product of this option
        self._desk.window.close()
