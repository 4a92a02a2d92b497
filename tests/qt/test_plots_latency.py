"""The latency plot: marks, rows of failures, finding a request, and lining up with the price plot."""

import math
from dataclasses import replace
from datetime import UTC, timedelta
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.domain.alerts import AlertRule
from monitor.state.latency import LatencyWindow, MarkKind
from monitor.state.verdict import Verdict
from monitor.widgets.chart_content import lacks_replies
from monitor.widgets.latency_plot import LatencyLane, LatencyPlot
from monitor.widgets.latency_plot_items import warm_run
from monitor.widgets.plot_gutter import Tag, placed
from monitor.widgets.plot_header import PlotHeader, Run, cut_between_words
from monitor.widgets.plot_primitives import MarkFill, MarkShape, Sprites, shape_for
from monitor.widgets.price_plot import PriceLine, PricePlot
from monitor.widgets.theme import DARK
from tests.fakes.plot_samples import NOW_S, NOW_UTC, attempt, series_of
from tests.fakes.sample_markets import FIRST
from tests.qt.conftest import WindowFactory


@pytest.fixture
def window() -> LatencyWindow:
    return LatencyWindow(1_000)


@pytest.fixture
def plot(qtbot: QtBot) -> LatencyPlot:
    made = LatencyPlot(DARK, zone=UTC)
    qtbot.addWidget(made)
    made.resize(700, 240)
    made.set_span_s(60.0)
    made.show()
    qtbot.waitExposed(made)
    return made


def lane_of(window: LatencyWindow, number: int = 0) -> LatencyLane:
    return LatencyLane(
        venue=f"venue{number}", title=f"Venue {number}", color="#00ff00", shape=shape_for(number), window=window
    )


def in_viewport(plot: LatencyPlot, time_s: float, latency_s: float) -> QPoint:
    view = plot._view
    assert view is not None
    at = plot._canvas.mapToScene(QPointF(view.x_of(time_s), view.y_of(math.log10(latency_s))))
    return QPoint(round(at.x()), round(at.y()))


def test_a_click_on_a_mark_names_its_request(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    for number in range(20):
        window.add(attempt(NOW_S - 50.0 + 2.0 * number, 0.06, request_id=100 + number, attempt_number=1 + number % 2))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])

    with qtbot.waitSignal(plot.request_clicked, timeout=1_000) as clicked:
        at = in_viewport(plot, NOW_S - 50.0 + 2.0 * 13, 0.06) + QPoint(2, 3)
        QTest.mouseClick(plot._plot.viewport(), Qt.MouseButton.LeftButton, pos=at)

    assert clicked.args == [113, 2]


def test_the_header_of_a_period_counts_an_outage(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    """Attempts that never got a connection are neither cold nor warm."""
    for number in range(10):
        window.add(attempt(NOW_S - 50.0 + number, 0.06))
    for number in range(7):
        window.add(attempt(NOW_S - 40.0 + number, 0.06, is_cold=None, is_failed=True))
    window.add(attempt(NOW_S - 30.0, 0.06, is_healed=True))
    window.add(attempt(NOW_S - 30.0, 0.06, is_cold=True, is_failed=True))
    plot.set_focus_period((NOW_S - 55.0, NOW_S - 20.0))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])

    assert "8 failed, 1 healed" in plot.header.text


def test_hovering_a_mark_tells_what_it_was(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    window.add(attempt(NOW_S - 30.0, 0.199, is_cold=True, request_id=2**40))
    window.add(attempt(NOW_S - 10.0, 0.06))
    plot.cause_of = lambda request_id, attempt_number: "DNS" if (request_id, attempt_number) == (2**40, 1) else ""
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])
    hovered: list[tuple[int, int]] = []
    plot.request_hovered.connect(lambda request_id, number: hovered.append((request_id, number)))

    QTest.mouseMove(plot._plot.viewport(), in_viewport(plot, NOW_S - 30.0, 0.199))
    assert "199 ms cold bitunix.tickers connection 3 slow by DNS 12:02:50 · 30 s ago" in plot.header.text
    QTest.mouseMove(plot._plot.viewport(), in_viewport(plot, NOW_S - 10.0, 0.06))
    assert "60 ms warm" in plot.header.text
    assert "Slow by: an attempt that took at least" in plot.header.toolTip()
    assert "slow by" not in plot.header.text
    QTest.mouseMove(plot._plot.viewport(), in_viewport(plot, NOW_S - 20.0, 0.1))

    assert hovered[0] == (2**40, 1)
    assert hovered[-1] == (0, 0)
    assert "cold" not in plot.header.text


def test_failures_stand_in_a_row_and_do_not_stretch_the_scale(plot: LatencyPlot, window: LatencyWindow) -> None:
    for number in range(20):
        window.add(attempt(NOW_S - 50.0 + 2.0 * number, 0.06))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])
    before = plot._scale

    window.add(attempt(NOW_S - 1.0, 12.0, is_failed=True))
    window.add(attempt(NOW_S - 0.5, 0.0001, is_healed=True))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])

    assert plot._scale == before
    found = plot._find(plot._view, QPointF(plot._view.x_of(NOW_S - 1.0), plot._row_y(0))) if plot._view else None
    assert found is not None
    assert found[0].kind is MarkKind.FAILED
    assert "1 failed" in plot.header.text
    assert "1 healed" in plot.header.text


def test_a_plot_of_failures_only_still_shows_them(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    window.add(attempt(NOW_S - 30.0, 3.0, is_failed=True, is_cold=None, request_id=7))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])
    view = plot._view
    assert view is not None
    at = plot._plot.mapFromScene(plot._canvas.mapToScene(QPointF(view.x_of(NOW_S - 30.0), plot._row_y(0))))

    with qtbot.waitSignal(plot.request_clicked, timeout=1_000) as clicked:
        QTest.mouseClick(plot._plot.viewport(), Qt.MouseButton.LeftButton, pos=at)

    assert clicked.args == [7, 1]


def test_cold_warm_and_failed_differ_in_shape_as_well_as_venues(qtbot: QtBot) -> None:
    """Every pair of marks differs by far more than an edge pixel when all are drawn in one colour."""
    sprites = Sprites()

    def alpha(shape: MarkShape, fill: MarkFill) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
        image = sprites.mark(shape, fill, "#ffffff", 1.0).toImage().convertToFormat(QImage.Format.Format_Alpha8)
        rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : image.width()].astype(np.int16)

    marks = [alpha(shape_for(number), fill) for number in range(2) for fill in (MarkFill.FILLED, MarkFill.OUTLINED)]
    marks += [alpha(shape_for(0), fill) for fill in (MarkFill.CROSS, MarkFill.PLUS)]
    for number, mark in enumerate(marks):
        for other in marks[number + 1 :]:
            assert np.abs(mark - other).sum() > 5 * 255


def test_the_header_counts_each_kind(plot: LatencyPlot, window: LatencyWindow) -> None:
    for number in range(12):
        window.add(attempt(NOW_S - 20.0 + number, is_cold=number == 0))
    window.add(attempt(NOW_S - 500.0))  # told late, and ended before the window
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])

    assert plot.header.text.startswith("Venue 0 12 warm 1 cold 0 failed")
    assert plot.accessibleDescription() == plot.header.text


def test_the_newest_median_and_the_threshold_stand_beside_the_plot(plot: LatencyPlot, window: LatencyWindow) -> None:
    for number in range(60):
        window.add(attempt(NOW_S - 60.0 + number, 0.061))
    plot.set_thresholds_s({"venue0": 5.0, "a venue that is not shown": 0.06})
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])

    texts = [tag.text for tag in plot._gutter._tags]
    assert texts == ["61 ms", "↑ 5.0 s"]


@pytest.mark.parametrize("silence", [0, 60])
def test_a_venue_whose_replies_are_missing_has_a_hollow_tag(window_factory: WindowFactory, silence: int) -> None:
    sample = window_factory(seconds=30)
    sample.window.show()
    charts = sample.window.charts
    charts.load_plots()
    sample.clock.now_s += silence
    charts.refresh_plots()
    assert charts.latency_plot is not None
    tags = [tag for tag in charts.latency_plot._gutter._tags if not tag.is_plain]

    assert len(tags) == 2
    assert [tag.is_old for tag in tags] == [silence > 0] * 2


def test_a_frozen_venue_still_answers() -> None:
    assert [one for one in Verdict if lacks_replies(one)] == [Verdict.LATE, Verdict.UNKNOWN]


def test_the_tag_of_the_cursor_hides_no_value() -> None:
    values = [Tag(40.0, "67 ms", "#0f0"), Tag(44.0, "66 ms", "#00f"), Tag(60.0, "200 ms", "#ff0", is_plain=True)]
    for y in (0.0, 30.0, 42.0, 60.0, 95.0, 99.0):
        found = placed([*values, Tag(y, "191 ms", "#fff", is_cursor=True)], 18.0, 0.0, 100.0)
        centres = sorted(centre for _, centre in found)

        assert min(below - above for above, below in pairwise(centres)) >= 18.0 - 1e-9, y
        assert centres[0] >= 9.0
        assert centres[-1] <= 91.0
        assert {tag.text: centre for tag, centre in found}["191 ms"] == min(max(y, 9.0), 91.0)
    assert [tag.text for tag, _ in placed(values, 18.0, 0.0, 100.0)] == ["67 ms", "66 ms", "200 ms"]


def test_an_empty_plot_has_no_axis_numbers(qtbot: QtBot) -> None:
    for kind in (LatencyPlot, PricePlot):
        made = kind(DARK, zone=UTC)
        qtbot.addWidget(made)
        assert [axis._tickLevels for axis in (made._left, made._bottom)] == [[[]], [[]]]
        made.show()
        made.refresh(NOW_S, NOW_UTC, [])
        assert made._left._tickLevels == [[]]
        assert "now" in [text for _, text in made._bottom._tickLevels[0]]


def test_an_alert_on_latency_is_a_line_until_it_is_muted(window_factory: WindowFactory) -> None:
    sample = window_factory(seconds=30)
    sample.window.show()
    charts = sample.window.charts
    charts.load_plots()
    rule = AlertRule(kind="latency", venue=FIRST, symbol="", side="above", level="62")
    higher, price = rule._replace(level="900"), AlertRule("price", FIRST, "BTCUSDT", "above", "1")

    def levels(*rules: AlertRule) -> list[str]:
        sample.window.accept_settings(replace(sample.window.current_settings(), alerts=rules))
        assert charts.latency_plot is not None
        return [tag.text for tag in charts.latency_plot._gutter._tags if tag.is_plain]

    assert levels(price) == []
    assert levels(higher, price, rule) == ["62 ms"]
    assert levels(rule._replace(is_muted=True)) == []


def test_the_cursor_reads_the_bin_of_the_band_with_its_n(plot: LatencyPlot, window: LatencyWindow) -> None:
    for number in range(60):
        window.add(attempt(NOW_S - 60.0 + number, 0.050 if number < 30 else 0.080))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])

    plot.set_cursor(50.0)
    assert "p50 50 ms p95 50 ms n 15 warm" in " ".join(plot.header.text.split())
    plot.set_cursor(10.0)

    assert "p50 80 ms p95 80 ms n 10 warm" in " ".join(plot.header.text.split())


def test_no_band_is_drawn_for_the_time_before_the_first_request(plot: LatencyPlot, window: LatencyWindow) -> None:
    began_s = NOW_S - 27.0
    for number in range(270):
        window.add(attempt(began_s + number / 10, 0.050 + 0.001 * (number % 20)))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])
    picture = plot.grab().toImage()
    band = plot._drawn[0].band
    edge_s = float(band.edges_s[np.flatnonzero(~np.isnan(band.p50_s))[0]])
    assert edge_s < began_s - 1.0, "the first bin with a band begins before the first request"

    def colors(time_s: float) -> set[str]:
        at = plot.mapFromGlobal(plot._plot.viewport().mapToGlobal(in_viewport(plot, time_s, 0.06)))
        return {picture.pixelColor(at.x(), y).name() for y in range(at.y() - 20, at.y() + 21)}

    ground = colors(edge_s - 2.0)
    assert colors((edge_s + began_s) / 2.0) == ground
    assert colors(began_s + 0.7) - ground


def test_dragging_selects_a_period_and_escape_clears_it(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    window.add(attempt(NOW_S - 30.0))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])
    viewport = plot._plot.viewport()
    start, end = in_viewport(plot, NOW_S - 45.0, 0.06), in_viewport(plot, NOW_S - 15.0, 0.06)

    with qtbot.waitSignal(plot.time_range_selected, timeout=1_000) as selected:
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=end)
        QTest.mouseMove(viewport, start)
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start)

    assert selected.args == [pytest.approx(NOW_S - 45.0, abs=0.3), pytest.approx(NOW_S - 15.0, abs=0.3)]
    plot.set_focus_period((selected.args[0], selected.args[1]))
    with qtbot.waitSignal(plot.time_range_cleared, timeout=1_000):
        QTest.keyClick(plot, Qt.Key.Key_Escape)


def test_the_cursor_is_moved_by_arrows_and_shared(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    price = PricePlot(DARK, zone=UTC)
    qtbot.addWidget(price)
    price.resize(700, 240)
    price.set_span_s(60.0)
    price.show()
    qtbot.waitExposed(price)
    plot.cursor_moved.connect(price.set_cursor)
    window.add(attempt(NOW_S - 30.0))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window)])
    values = [float(number) for number in range(60)]
    line = PriceLine(
        venue="v", title="V", color="#ff0000", shape=MarkShape.CIRCLE, series=series_of(values), decimals=1
    )
    price.refresh(NOW_S, NOW_UTC, [line])

    for _ in range(20):
        QTest.keyClick(plot, Qt.Key.Key_Left)
    assert "4.8 s ago" in plot.header.text
    assert "4.8 s ago" in price.header.text
    QTest.keyClick(plot, Qt.Key.Key_Escape)

    assert "ago" not in price.header.text


def test_both_plots_stand_on_the_same_columns(plot: LatencyPlot, window: LatencyWindow, qtbot: QtBot) -> None:
    price = PricePlot(DARK, zone=UTC)
    qtbot.addWidget(price)
    price.resize(plot.width(), 400)
    price.show()
    qtbot.waitExposed(price)
    window.add(attempt(NOW_S - 1.0))
    plot.refresh(NOW_S, NOW_UTC, [lane_of(window), lane_of(window, 1)])
    cheap = series_of([0.00001234, 0.00001235])
    price.refresh(
        NOW_S, NOW_UTC, [PriceLine(venue="v", title="V", color="#ff0000", shape=MarkShape.CIRCLE, series=cheap)]
    )
    QTest.qWait(1)

    ends = [
        (rect.left(), rect.right())
        for rect in (one._canvas.mapRectToScene(one._canvas.boundingRect()) for one in (plot, price))
    ]
    assert ends[0] == ends[1]


def test_a_span_must_be_positive(plot: LatencyPlot) -> None:
    for seconds in (0.0, -5.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="time range"):
            plot.set_span_s(seconds)


def test_a_day_of_requests_keeps_the_slowest_one_in_sight(plot: LatencyPlot, qtbot: QtBot) -> None:
    window = LatencyWindow(100_000)
    rng = np.random.default_rng(4)
    for number, factor in enumerate(np.exp(rng.normal(size=86_400) * 0.1).tolist()):
        window.add(attempt(NOW_S + number, 4.0 if number == 43_210 else 0.06 * factor))
    plot.set_span_s(86_400.0)
    plot.refresh(NOW_S + 86_400.0, NOW_UTC + timedelta(days=1), [lane_of(window)])

    assert plot._scale is not None
    assert plot._scale.high >= math.log10(4.0)
    drawn = plot._drawn[0].marks[MarkKind.WARM]
    assert drawn.latencies_s.max() == 4.0
    assert len(drawn.latencies_s) < 1_500


def test_a_narrow_header_drops_what_can_be_spared(qtbot: QtBot) -> None:
    header = PlotHeader(DARK, Sprites())
    qtbot.addWidget(header)
    runs = [Run("Hyperliquid", DARK.text, is_optional=True), Run("1,234 warm", DARK.text, short="1,234")]
    header.set_runs(runs)
    header.resize(400, header.sizeHint().height())
    header.show()
    qtbot.waitExposed(header)
    wide = header.grab().toImage()
    header.resize(70, header.height())
    narrow = header.grab().toImage()

    assert header.text == "Hyperliquid 1,234 warm"

    def inked_columns(image: QImage) -> int:
        rows = np.frombuffer(image.convertToFormat(QImage.Format.Format_RGB32).constBits(), dtype=np.uint32)
        pixels = rows.reshape(image.height(), image.width())
        return int((pixels != pixels[0, 0]).any(axis=0).sum())

    assert 5 < inked_columns(narrow) < 45 < inked_columns(wide)


def test_a_header_without_room_cuts_no_number(qtbot: QtBot) -> None:
    font = QFontMetricsF(QFont())
    text = "p50 67 ms  p95 82 ms  n 1,234"
    for width in range(round(font.horizontalAdvance(text)) + 2):
        shown = cut_between_words(text, font, width)
        assert font.horizontalAdvance(shown) <= width
        assert text.startswith(shown.removesuffix("…"))
        assert not shown.endswith("…") or set(shown.removesuffix("…").split()) <= set(text.split())
    assert cut_between_words(text, font, 10_000.0) == text


def test_a_percentile_is_dropped_before_its_count(qtbot: QtBot) -> None:
    header = PlotHeader(DARK, Sprites())
    qtbot.addWidget(header)
    lanes = [warm_run(0.067, 0.082, 1_234, ink=DARK.text, shape=MarkShape.CIRCLE, color="#00ff00") for _ in range(2)]
    when = "00:24:29 · 3 min 16 s ago"
    header.set_runs([Run(when, DARK.text, shortest="00:24:29"), *lanes])
    metrics = QFontMetricsF(header.font())
    rooms = range(1_000, 0, -2)
    told = [tuple(run.text for run in header._fitting(room, metrics, metrics)) for room in rooms]

    assert list(dict.fromkeys(told)) == [
        (when, *["p50 67 ms  p95 82 ms  n 1,234 warm"] * 2),
        (when, *["p50 67 ms  p95 82 ms  n 1,234"] * 2),
        ("00:24:29", *["p50 67 ms  p95 82 ms  n 1,234"] * 2),
        ("00:24:29", *["p50 67 ms  n 1,234"] * 2),
    ]
