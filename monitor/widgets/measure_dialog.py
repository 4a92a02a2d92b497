"""The *Measure* dialog: what to ask how often, how far it is, what it found, and saving that."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QImage, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from monitor.proof.measurement import (
    DEFAULT_REQUESTS,
    MAX_REQUESTS,
    MIN_REQUESTS,
    MeasureProgress,
    MeasureResult,
    MeasureStage,
)
from monitor.proof.report import document_bytes
from monitor.proof.runs import HTTP2_NOTE, MeasureReport, MeasureTarget, Measuring, SaveReport
from monitor.proof.statistics import Sample
from monitor.proof.tables import politeness
from monitor.qtmodels.timers import single_shot
from monitor.widgets.measure_results import MeasureResults
from monitor.widgets.theme import Theme

SHOW_EVERY_MS = 250
"""Between two looks at the requests of a run under way: drawing every one of a thousand would cost more than asking."""

STAGE_WORDS = {
    MeasureStage.REQUESTS: "asking in turns, pooled and unpooled",
    MeasureStage.FIRST: "first requests after a start: unpooled, pooled, pre-warmed",
    MeasureStage.DAYS: "simulating four days of the poll plan",
}


class MeasureDialog(QDialog):
    """Starts and cancels runs of ``measuring`` and shows what they report. Closing it cancels. Thread: GUI."""

    def __init__(self, measuring: Measuring, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Measure")
        room = self.screen().availableGeometry()
        # Less the frame; what is higher is scrolled.
        self.resize(min(820, room.width() - 20), min(860, room.height() - 60))
        self._measuring = measuring
        self._run: int | None = None
        self._is_cancelling = False
        self._step = self._waiting_for = ""
        self._samples: list[Sample] = []
        self._first_samples: list[Sample] = []
        self.result_shown: MeasureResult | None = None
        self._make_wishes()
        self._make_progress()
        self._make_bottom()
        self.results = MeasureResults(theme)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(self.results)
        self.scroll_area.setAccessibleName("What was found")
        layout = QVBoxLayout(self)
        layout.addLayout(self._wishes)
        layout.addWidget(self.about)
        layout.addWidget(self.progress)
        layout.addWidget(self.stage)
        layout.addWidget(self.problem)
        layout.addWidget(self.scroll_area, 1)
        layout.addLayout(self._bottom)
        self._show_timer = single_shot(self, SHOW_EVERY_MS, self._show_samples)
        measuring.listen(self.take)
        self.refresh_targets()
        self._show_state()
        self.start_button.setFocus()

    # Parts

    def _make_wishes(self) -> None:
        self.target = QComboBox()
        self.target.setAccessibleName("What to measure")
        self.target.setToolTip("The venue to ask, or an exchange on this machine")
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.target.currentIndexChanged.connect(self._show_about)
        self.requests = QSpinBox()
        self.requests.setRange(MIN_REQUESTS, MAX_REQUESTS)
        self.requests.setValue(DEFAULT_REQUESTS)
        self.requests.setAccessibleName("Requests each way")
        self.requests.setToolTip(
            "Pooled requests, and as many unpooled ones. The interval needs 6, and narrows with more"
        )
        self.requests.valueChanged.connect(self._show_about)
        self.start_button = _button("&Start", "Begin to ask", self._start)
        self.start_button.setDefault(True)
        # Its letters become bold after its width was reckoned.
        self.start_button.setMinimumWidth(84)
        self.cancel_button = _button(
            "&Cancel", "End after the request in flight, and show what came until then", self._cancel
        )
        target_label, requests_label = QLabel("&Measure"), QLabel("&Requests each way")
        target_label.setBuddy(self.target)
        requests_label.setBuddy(self.requests)
        self._wishes = QHBoxLayout()
        for widget in (target_label, self.target, requests_label, self.requests):
            self._wishes.addWidget(widget)
        self._wishes.addStretch(1)
        self._wishes.addWidget(self.start_button)
        self._wishes.addWidget(self.cancel_button)
        self.about = _label()
        self.about.setProperty("muted", True)

    def _make_progress(self) -> None:
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the measurement")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(8)
        self.stage = _label()
        self.stage.setAccessibleName("Stage of the measurement")
        self.problem = _label()
        self.problem.setObjectName("problem")
        self.problem.hide()

    def _make_bottom(self) -> None:
        self.save_json = _button(
            "Save &JSON…", "The document that measure --json prints, every request in it", self._save_json
        )
        self.save_png = _button("Save &PNG…", "Chart and figures as a picture", self._save_png)
        close = _button("Close", "Close; a run under way is cancelled", self.close)
        self.saved = _label()
        self.saved.setProperty("muted", True)
        self._bottom = QHBoxLayout()
        self._bottom.addWidget(self.save_json)
        self._bottom.addWidget(self.save_png)
        self._bottom.addWidget(self.saved, 1)
        self._bottom.addWidget(close)

    # What it shows

    def refresh_targets(self) -> None:
        """Offer what can be measured now; the chosen one stays chosen if it is still there."""
        chosen = self.target.currentData()
        self._targets = {one.name: one for one in self._measuring.targets()}
        self.target.blockSignals(True)
        self.target.clear()
        for one in self._targets.values():
            self.target.addItem(one.title, one.name)
        self.target.setCurrentIndex(max(self.target.findData(chosen), 0 if self._targets else -1))
        self.target.blockSignals(False)
        self._show_about()

    @property
    def current_target(self) -> MeasureTarget | None:
        """What is chosen; ``None``: there is nothing to choose."""
        return self._targets.get(str(self.target.currentData()))

    @property
    def is_running(self) -> bool:
        """Whether a report of a run is waited for."""
        return self._run is not None

    def set_theme(self, theme: Theme) -> None:
        """Draw in the colours of ``theme``."""
        self.results.set_theme(theme)

    def _show_about(self) -> None:
        target = self.current_target
        if target is None:
            self.about.setText("Every venue is switched off. Switch one on in the toolbar to measure it.")
        else:
            parts = [politeness(self.requests.value(), is_local=target.is_local, is_polled=target.is_polled)]
            if target.is_over_http2:
                parts.append(HTTP2_NOTE)
            self.about.setText(" ".join(parts))
        self._show_state()

    def _show_state(self) -> None:
        is_running = self.is_running
        for widget in (self.target, self.requests):
            widget.setEnabled(not is_running)
        self.start_button.setEnabled(not is_running and self.current_target is not None)
        self.cancel_button.setEnabled(is_running and not self._is_cancelling)
        self.progress.setVisible(is_running)
        self.stage.setVisible(bool(self.stage.text()))
        for button in (self.save_json, self.save_png):
            button.setEnabled(self.result_shown is not None)

    def _show_samples(self) -> None:
        if self.is_running and (self._samples or self._first_samples):
            self.results.show_samples(self._run_title, self._samples, self._first_samples)

    # A run

    def _start(self) -> None:
        target = self.current_target
        if self.is_running or target is None:
            return
        self.result_shown = None
        self._samples, self._first_samples = [], []
        self._is_cancelling = False
        self._run_title = f"{target.title}, {self.requests.value()} requests each way"
        self.progress.setRange(0, 0)
        self._step, self._waiting_for = "Warming up: one request each way that does not count.", ""
        self.stage.setText(self._step)
        self.problem.hide()
        self.saved.clear()
        self.results.clear()
        self._run = self._measuring.start(target.name, self.requests.value())
        self._show_state()
        self.cancel_button.setFocus()

    def _cancel(self) -> None:
        if self.is_running:
            self._is_cancelling = True
            self._measuring.cancel()
            self.stage.setText("Cancelling: the request in flight is the last one.")
            self._show_state()

    def take(self, report: MeasureReport | SaveReport) -> None:
        """Show what a run or a save reports; a run that nobody waits for any more is passed over."""
        if isinstance(report, SaveReport):
            self.saved.setText(report.problem or f"Saved as {Path(report.file).name}.")
            return
        if report.run != self._run:
            return
        if report.progress is not None:
            self._take_progress(report.progress)
            return
        if report.waiting is not None:
            self._waiting_for = report.waiting
            self._show_stage()
            return
        self._run = None
        self._is_cancelling = False
        self._show_timer.stop()
        if report.result is not None:
            self.result_shown = report.result
            self.results.show_result(report.result)
            self.stage.setText("")
        else:
            self.results.clear()
            self.stage.setText("")
            self.problem.setText(report.failure or "It ended without a result.")
            self.problem.show()
        self._show_state()
        self.start_button.setFocus()

    def _take_progress(self, progress: MeasureProgress) -> None:
        self.progress.setRange(0, progress.total)
        self.progress.setValue(progress.done)
        self._step = f"{progress.done} of {progress.total}: {STAGE_WORDS[progress.stage]}."
        self._show_stage()
        if progress.sample is not None:
            of_stage = self._first_samples if progress.stage is MeasureStage.FIRST else self._samples
            of_stage.append(progress.sample)
            if not self._show_timer.isActive():
                self._show_timer.start()

    def _show_stage(self) -> None:
        if not self._is_cancelling:
            self.stage.setText(f"{self._step} Waiting. {self._waiting_for}" if self._waiting_for else self._step)

    # Saving

    def _save_json(self) -> None:
        result = self.result_shown
        if result is not None:
            self._save("json", "The measurement as JSON", lambda: document_bytes(result))

    def _save_png(self) -> None:
        picture = self.results.grab().toImage()
        self._save("png", "The measurement as a picture", lambda: _png_bytes(picture))

    def _save(self, ending: str, title: str, make: Callable[[], bytes]) -> None:
        result = self.result_shown
        if result is None:
            return
        name, _ = QFileDialog.getSaveFileName(
            self, title, f"measure-{result.venue}.{ending}", f"{ending.upper()} (*.{ending})"
        )
        if name:
            file = Path(name)
            file = file if file.suffix.lower() == f".{ending}" else file.with_name(f"{file.name}.{ending}")
            self.saved.setText(f"Saving {file.name}…")
            self._measuring.save(file, make)

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        """Qt: venues may have been switched since."""
        super().showEvent(event)
        if not self.is_running:
            self.refresh_targets()

    def done(self, code: int) -> None:
        """Qt: closed by whatever way; nobody waits for a run any more."""
        if self.is_running:
            self._measuring.cancel()
            self._run = None
            self._is_cancelling = False
            self._show_timer.stop()
            self.stage.setText("")
            self.results.clear()
            self._show_state()
        super().done(code)


def _png_bytes(picture: QImage) -> bytes:
    """Encode in whichever thread calls: an image, unlike a pixmap, belongs to none."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes for the format
    return bytes(content.data())


def _label() -> QLabel:
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _button(text: str, what: str, work: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(what)
    button.setAccessibleName(f"{text.replace('&', '')}: {what}")
    button.setAutoDefault(False)
    button.clicked.connect(work)
    return button
