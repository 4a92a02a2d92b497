"""What a measurement found, as one picture: its chart, its figures, and what they mean per day."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from monitor.proof.groups import groups_of
from monitor.proof.measurement import MeasureResult
from monitor.proof.statistics import Sample
from monitor.proof.tables import (
    COMPARISON_HEADS,
    DAY_HEADS,
    HEAD_DEFINITIONS,
    SAVING_HEADS,
    comparison_rows,
    day_rows,
    end_notes,
    first_note,
    saving_rows,
    title_of,
)
from monitor.widgets.measure_chart import MeasureChart
from monitor.widgets.measure_table import FigureTable
from monitor.widgets.theme import Theme

CHART_PX = 240

EMPTY_TEXT = (
    "Nothing was measured yet. Start asks the same endpoint in turns: on a connection that is kept, and on a new "
    "session each time, as a client without a pool does. What it finds is shown here, and can be saved."
)
NO_DAY_TEXT = "What it means per day is worked out at the end of a whole run."


class MeasureResults(QWidget):
    """Everything a run found; while it goes on, its requests as they come. Thread: GUI."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = _text("", heading=True)
        self.when = _text("", muted=True)
        self.empty = _text(EMPTY_TEXT, muted=True)
        self.chart = MeasureChart(theme)
        self.chart.setFixedHeight(CHART_PX)
        self.comparison = FigureTable("Pooled against unpooled", COMPARISON_HEADS, HEAD_DEFINITIONS)
        self.note = _text("", muted=True)
        self.day_title = _text("Per day, for the plan in use, simulated with these times", heading=True)
        self.day = FigureTable("Per day", DAY_HEADS, HEAD_DEFINITIONS)
        self.savings = FigureTable("What follows per day", SAVING_HEADS, HEAD_DEFINITIONS)
        self.end = _text("", muted=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.setSpacing(8)
        for widget in (self.title, self.when, self.empty, self.chart, self.comparison, self.note):
            layout.addWidget(widget)
        layout.addSpacing(6)
        for widget in (self.day_title, self.day, self.savings, self.end):
            layout.addWidget(widget)
        layout.addStretch(1)
        self.clear()

    def clear(self) -> None:
        """Say how to begin."""
        self._show_parts(is_empty=True, has_figures=False, has_day=False)

    def show_samples(self, title: str, samples: Sequence[Sample], first_samples: Sequence[Sample]) -> None:
        """Show the requests of a run that is under way."""
        self.title.setText(title)
        self.when.hide()
        self.chart.set_groups(groups_of(samples, first_samples))
        self._show_parts(is_empty=False, has_figures=False, has_day=False)

    def show_result(self, result: MeasureResult) -> None:
        """Show a run that has ended, as far as it came."""
        self.title.setText(title_of(result))
        self.when.setText(f"Started {result.started_at:%Y-%m-%d %H:%M:%S} UTC, took {result.duration_s:,.0f} s")
        self.chart.set_groups(groups_of(result.samples, result.first_samples))
        self.comparison.set_rows(comparison_rows(result))
        self.note.setText(first_note(result.first))
        if result.per_day is not None:
            self.day.set_rows(day_rows(result.per_day))
            self.savings.set_rows(saving_rows(result.per_day))
        notes = end_notes(result)
        self.end.setText("\n".join(notes if result.per_day is not None else (*notes, NO_DAY_TEXT)))
        self._show_parts(is_empty=False, has_figures=True, has_day=result.per_day is not None)

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self.chart.set_theme(theme)

    def _show_parts(self, *, is_empty: bool, has_figures: bool, has_day: bool) -> None:
        self.empty.setVisible(is_empty)
        self.title.setVisible(not is_empty)
        self.chart.setVisible(not is_empty)
        self.when.setVisible(has_figures)
        self.comparison.setVisible(has_figures)
        self.note.setVisible(has_figures and bool(self.note.text()))
        for widget in (self.day_title, self.day, self.savings):
            widget.setVisible(has_day)
        self.end.setVisible(has_figures and bool(self.end.text()))


def _text(text: str, *, heading: bool = False, muted: bool = False) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setProperty("heading", heading)
    label.setProperty("muted", muted)
    return label
