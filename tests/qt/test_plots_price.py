"""The price plot, judged by its pixels: what is coloured, what is grey, what is left out."""

import math
from collections.abc import Sequence
from datetime import UTC, timedelta

import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.state.series import TimeSeries
from monitor.widgets.plot_primitives import MarkShape, mix
from monitor.widgets.price_plot import PriceLine, PricePlot
from monitor.widgets.price_plot_items import CandleSlice, candle_texts
from monitor.widgets.theme import DARK, LIGHT
from tests.fakes.plot_samples import NOW_S, NOW_UTC, candles_of, series_of

RED, BLUE = "#ff0000", "#0000ff"
LINE = PriceLine(venue="bitunix", title="Bitunix BTCUSDT", color=RED, shape=MarkShape.CIRCLE, series=TimeSeries(1))


@pytest.fixture
def plot(qtbot: QtBot) -> PricePlot:
    made = PricePlot(DARK, zone=UTC)
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.set_span_s(60.0)
    made.show()
    qtbot.waitExposed(made)
    return made


def refresh(plot: PricePlot, lines: Sequence[PriceLine], later_s: float = 0.0) -> None:
    plot.refresh(NOW_S + later_s, NOW_UTC + timedelta(seconds=later_s), lines)


def data_area(plot: PricePlot) -> npt.NDArray[np.uint8]:
    """Pixels of the canvas as rows x columns x (blue, green, red)."""
    rect = plot._canvas.mapRectToScene(plot._canvas.boundingRect()).toRect()
    image = plot._plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return pixels[rect.top() : rect.bottom(), rect.left() : rect.right(), :3].copy()


def has_color(pixels: npt.NDArray[np.uint8], color: str) -> npt.NDArray[np.bool_]:
    wanted = QColor(color)
    return np.asarray((pixels == (wanted.blue(), wanted.green(), wanted.red())).all(axis=2))


def columns_with(pixels: npt.NDArray[np.uint8], color: str) -> npt.NDArray[np.bool_]:
    return np.asarray(has_color(pixels, color).max(axis=0), dtype=np.bool_)


def test_a_line_reaches_from_edge_to_edge(plot: PricePlot) -> None:
    refresh(plot, [replace(LINE, series=series_of([100.0 + number % 7 for number in range(120)]))])

    columns = columns_with(data_area(plot), RED)
    assert columns[1:-12].all()  # the mark of the newest price stands at the right edge


def test_a_gap_is_left_out(plot: PricePlot) -> None:
    values = [100.0 + number % 7 for number in range(120)]
    values[80:100] = [math.nan] * 20
    refresh(plot, [replace(LINE, series=series_of(values))])

    columns = columns_with(data_area(plot), RED)
    per_second = len(columns) / 60.0
    gap = slice(round(21.0 * per_second), round(39.0 * per_second))
    assert not columns[gap].any()
    assert columns[: gap.start - round(2 * per_second)].all()


def test_many_gaps_draw_the_same_pieces_as_few(plot: PricePlot) -> None:
    """More pieces than a few are drawn in one call; a value between two gaps is a dot either way."""
    values = [math.nan if number % 2 else 100.0 + number % 7 for number in range(120)]
    refresh(plot, [replace(LINE, series=series_of(values))])

    columns = columns_with(data_area(plot), RED)
    starts = np.flatnonzero(np.diff(columns[:-20].astype(int)) == 1)
    assert 25 <= len(starts) <= 31


def test_what_came_after_the_last_trusted_price_is_grey(plot: PricePlot) -> None:
    line = replace(LINE, series=series_of([100.0 + number % 7 for number in range(120)]))
    refresh(plot, [replace(line, last_trusted_mono_s=NOW_S - 30.0, note="frozen")])

    pixels = data_area(plot)
    red, grey = columns_with(pixels, RED), columns_with(pixels, DARK.text_muted)
    half = len(red) // 2
    assert red[5 : half - 15].all()
    assert not red[half + 15 :].any()
    assert grey[half + 15 : -12].all()
    assert plot._gutter._tags[0].is_old
    assert "frozen" in plot.header.text


def test_the_newest_price_is_held_to_the_right_edge(plot: PricePlot) -> None:
    refresh(plot, [replace(LINE, series=series_of([100.0, 101.0, 102.0], newest_age_s=10.0))])

    red = has_color(data_area(plot), RED)
    last_ten_seconds = red[:, -round(red.shape[1] / 6) + 12 :]
    assert last_ten_seconds.max(axis=0).all()
    assert np.count_nonzero(last_ten_seconds.max(axis=1)) <= 2


def test_prices_are_scaled_so_that_venues_compare(plot: PricePlot) -> None:
    """The same price, quoted per 1000 coins on one venue, lies under the other's."""
    plain = replace(LINE, series=series_of([1.0, 2.0, 3.0]), decimals=3)
    bundled = replace(
        LINE,
        venue="hyperliquid",
        title="kPEPE",
        color=BLUE,
        series=series_of([1000.0, 2000.0, 3000.0]),
        scale=0.001,
        decimals=3,
    )
    refresh(plot, [plain, bundled])

    tags = {tag.color: tag for tag in plot._gutter._tags}
    assert tags[RED].y == pytest.approx(tags[BLUE].y)
    assert tags[RED].text == tags[BLUE].text == "3.000"


def test_an_empty_plot_says_what_it_waits_for(plot: PricePlot) -> None:
    blank = data_area(plot)
    plot.set_empty_text("Waiting for the first price of BTC…")
    refresh(plot, [LINE])

    assert has_color(data_area(plot), RED).sum() == 0
    assert not np.array_equal(blank, data_area(plot))
    assert "—" in plot.header.text


def test_rising_candles_are_hollow_and_falling_ones_filled(plot: PricePlot) -> None:
    plot.set_span_s(120.0)
    rows = [(100.0, 112.0, 98.0, 110.0), (110.0, 112.0, 98.0, 100.0)]
    refresh(plot, [replace(LINE, series=series_of([100.0]), candles=candles_of(rows), interval_s=60.0)])

    pixels = data_area(plot)
    width = pixels.shape[1]
    scale = plot._scale
    assert scale is not None
    middle = round((scale.high - 105.5) / (scale.high - scale.low) * pixels.shape[0])
    rising = has_color(pixels, DARK.up)[middle, : width // 2]
    falling = has_color(pixels, DARK.down)[middle, width // 2 :]
    assert rising.sum() == 2  # two borders, nothing between
    assert falling.sum() > width * 0.3


def test_candles_too_narrow_for_bodies_become_bars(plot: PricePlot) -> None:
    plot.set_span_s(86_400.0)
    rows = [(100.0 + number % 5, 103.0 + number % 5, 99.0, 100.0 + number % 7) for number in range(1_440)]
    refresh(plot, [replace(LINE, series=series_of([101.0]), candles=candles_of(rows), interval_s=60.0)])

    pixels = data_area(plot)
    drawn = columns_with(pixels, DARK.up) | columns_with(pixels, DARK.down)
    assert drawn[2:-12].all()


def test_candles_show_their_four_prices_under_the_cursor(plot: PricePlot) -> None:
    plot.set_span_s(120.0)
    rows = [(100.0, 112.0, 98.0, 110.0), (110.0, 113.0, 97.0, 100.0)]
    refresh(plot, [replace(LINE, series=series_of([100.0]), candles=candles_of(rows), decimals=0)])

    plot.set_cursor(30.0)

    assert "O 110  H 113  L 97  C 100  Vol 1" in plot.header.text
    assert "12:02:50 · 30 s ago" in plot.header.text


def test_the_cursor_reads_the_price_of_its_time(plot: PricePlot) -> None:
    refresh(plot, [replace(LINE, series=series_of([float(number) for number in range(120)]), decimals=1)])

    plot.set_cursor(10.2)
    assert "108.0" in plot.header.text

    plot.set_cursor(None)
    assert "119.0" in plot.header.text


def test_a_frame_paints_the_data_and_leaves_the_axes_alone(plot: PricePlot) -> None:
    series = series_of([100.0 + number % 7 for number in range(120)])
    lines = [replace(LINE, series=series)]
    refresh(plot, lines)
    QTest.qWait(1)
    left, bottom = plot._left.picture, plot._bottom.picture
    assert left is not None

    for number in range(1, 30):
        series.append(NOW_S + number, 100.0 + number % 7)
        refresh(plot, lines, later_s=float(number))
        QTest.qWait(1)

    assert plot._left.picture is left
    assert plot._bottom.picture is bottom


def test_nothing_is_painted_while_nothing_moves_by_a_pixel(plot: PricePlot, monkeypatch: pytest.MonkeyPatch) -> None:
    plot.set_span_s(3_000.0)
    lines = [replace(LINE, series=series_of([100.0, 101.0]))]
    refresh(plot, lines)
    QTest.qWait(1)
    painted: list[object] = []
    monkeypatch.setattr(plot._canvas, "_paint", lambda *arguments: painted.append(arguments))

    pixel_s = 3_000.0 / plot._canvas.boundingRect().width()
    for number in range(5):
        refresh(plot, lines, later_s=number * 1e-4 * pixel_s)
        QTest.qWait(1)
    assert len(painted) <= 1

    refresh(plot, lines, later_s=2.0 * pixel_s)
    QTest.qWait(1)
    assert painted


def test_pausing_holds_the_picture_and_says_so(plot: PricePlot) -> None:
    series = series_of([100.0 + number % 7 for number in range(120)])
    lines = [replace(LINE, series=series)]
    refresh(plot, lines)
    before = data_area(plot)

    plot.set_paused(True)
    series.append(NOW_S + 20.0, 106.0)
    refresh(plot, lines, later_s=20.0)

    assert np.array_equal(before, data_area(plot))
    assert plot.header.text.startswith("Paused 12:03:20")
    plot.set_paused(False)
    refresh(plot, lines, later_s=20.0)
    assert not np.array_equal(before, data_area(plot))


def test_a_click_names_the_venue_and_the_time_of_the_price(plot: PricePlot, qtbot: QtBot) -> None:
    refresh(plot, [replace(LINE, series=series_of([100.0 + number % 2 * 0.001 for number in range(120)]))])
    rect = plot._canvas.mapRectToScene(plot._canvas.boundingRect())
    at = QPoint(round(rect.left() + rect.width() * 0.5), round(rect.top() + plot._gutter._tags[0].y))

    with qtbot.waitSignal(plot.point_clicked, timeout=1_000) as clicked:
        QTest.mouseClick(plot._plot.viewport(), Qt.MouseButton.LeftButton, pos=at)

    venue, time_s = clicked.args
    assert venue == "bitunix"
    assert time_s == pytest.approx(NOW_S - 30.0, abs=1.5)


def test_a_theme_changes_every_colour(plot: PricePlot) -> None:
    refresh(plot, [replace(LINE, series=series_of([100.0, 101.0]))])
    plot.set_theme(LIGHT)

    pixels = data_area(plot)
    assert has_color(pixels, LIGHT.panel).mean() > 0.8
    assert not has_color(pixels, DARK.panel).any()


def test_the_screen_reader_is_told_the_prices(plot: PricePlot) -> None:
    refresh(plot, [replace(LINE, series=series_of([100.0, 97123.4]), decimals=1, note="0.4 s")])

    assert plot.accessibleName() == "Price plot"
    assert plot.accessibleDescription() == "Bitunix BTCUSDT 97,123.4 0.4 s"


def test_before_the_first_own_price_the_line_continues_paler_through_candle_closes(plot: PricePlot) -> None:
    closes = [100.0, 101.0, 99.0, 100.5, 100.0]
    backfill = candles_of([(close, close + 1.0, close - 1.0, close) for close in closes], interval_s=10.0)
    line = replace(LINE, series=series_of([100.0 + number % 3 for number in range(15)]), interval_s=10.0)
    refresh(plot, [line])
    without = data_area(plot)
    refresh(plot, [replace(line, backfill=backfill)])
    columns_own = columns_with(data_area(plot), RED)
    pale = mix(RED, DARK.panel, 0.5)

    width = without.shape[1]
    older = slice(round(width * 0.36), round(width * 0.7))
    assert not columns_with(without, RED)[older].any()
    assert not columns_own[older].any(), "what we did not receive ourselves must not look as if we had"
    assert columns_with(data_area(plot), pale.name())[older].all()


def test_a_candle_is_told_with_its_close_where_there_is_little_room() -> None:
    one = np.array([1.0])
    candles = CandleSlice(
        opened_mono_s=np.array([0.0]),
        interval_s=60.0,
        open=one,
        high=one * 4.0,
        low=one * 0.5,
        close=one * 2.0,
        volume=one * 1_200.0,
        has_volume=True,
        is_confirmed=np.array([True]),
    )

    whole, short, shortest = candle_texts(candles, 0, 1)

    assert short == "O 1.0  H 4.0  L 0.5  C 2.0"
    assert whole.startswith(f"{short}  Vol 1.2")
    assert shortest == "C 2.0"
