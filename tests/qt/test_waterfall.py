"""The bars of the request table: the latency stays readable beside a wait of minutes."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.request_model import RequestModel
from monitor.widgets.theme import DARK
from monitor.widgets.waterfall import QUEUE_SHARE, draw_waterfall
from tests.fakes.plot_samples import attempt

WIDTH_PX = 400


def waited(queue_s: float) -> RequestTrace:
    return replace(attempt(100.0, 0.07), queue_s=queue_s, wait_s=0.07)


def columns(trace: RequestTrace, *, queue_share: float) -> dict[str, int]:
    """Columns of the bar's middle line by what is drawn there."""
    picture = QImage(WIDTH_PX, 14, QImage.Format.Format_RGB32)
    picture.fill(QColor(DARK.panel))
    painter = QPainter(picture)
    draw_waterfall(painter, QRectF(0.0, 0.0, WIDTH_PX, 14.0), trace, 0.1, DARK, queue_share=queue_share)
    painter.end()
    names = {QColor(DARK.phases[key]).rgb(): key for key in ("queue", "wait")}
    found = [names.get(picture.pixel(x, 7), "") for x in range(WIDTH_PX)]
    return {"queue": found.count("queue"), "wait": found.count("wait"), "first wait": found.index("wait")}


def test_a_wait_of_minutes_is_broken_off_and_leaves_the_latency_its_room(qapp: QApplication) -> None:
    bar = columns(waited(300.0), queue_share=QUEUE_SHARE)

    assert bar["wait"] == pytest.approx(0.7 * WIDTH_PX, abs=2)
    assert bar["first wait"] == pytest.approx(QUEUE_SHARE * WIDTH_PX, abs=2)
    assert bar["first wait"] - 5 <= bar["queue"] < bar["first wait"], "a gap says that more is missing"


def test_a_short_wait_is_drawn_as_long_as_it_was(qapp: QApplication) -> None:
    bar = columns(waited(0.02), queue_share=QUEUE_SHARE)

    assert bar["queue"] == pytest.approx(0.2 * WIDTH_PX, abs=2)
    assert bar["first wait"] == pytest.approx(bar["queue"], abs=1)


def test_the_scale_follows_latencies_and_no_wait_in_the_queue(qapp: QApplication) -> None:
    model = RequestModel(lambda venue: venue, spike_of=lambda _: None)
    model.append([waited(0.0), waited(300.0)])

    assert model.longest_s() == pytest.approx(0.07)
