"""CPU per frame of the price and the latency plot together, as ratios within one interleaved run.

To the floor: a widget that paints the same picture by hand (``plot_floor.py``), with 10,000 prices and 1,000 requests
in the window, one price a second, so that the clock labels move every ten frames. And to itself: 1,000,000 prices and
100,000 requests against a hundredth of that, within the same span, whose labels stand still. Each frame has a fresh
price, and every tenth a fresh request. Offscreen, 1200 x 350 pixels a plot.

Run it (``python tests/benchmarks/bench_plots.py``) for the table; as a test (marker ``benchmark``) it holds the bars.
"""

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication, QWidget

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.state.latency import LatencyWindow
from monitor.state.series import TimeSeries
from monitor.widgets.latency_plot import LatencyLane, LatencyPlot
from monitor.widgets.plot_primitives import shape_for
from monitor.widgets.price_plot import PriceLine, PricePlot
from monitor.widgets.theme import DARK, apply_theme
from tests.benchmarks.harness import Interleaved, interleave_quietly
from tests.benchmarks.plot_floor import FloorLatency, FloorPrice

FLOOR_BAR = 2.2
HISTORY_BAR = 1.3
FRAMES_A_ROUND = 10
CONTROL = ("floor", "floor again")
SECONDS = "10,000 prices + 1,000 requests, clock labels"
SMALL = "10,000 + 1,000 in 1,000 s"
LARGE = "1,000,000 + 100,000 in 1,000 s"
STARTED_AT = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = (1200, 350)
COLOR = DARK.accent


def prices(count: int) -> list[float]:
    rng = np.random.default_rng(1)
    walk: list[float] = (97_000.0 * np.exp(np.cumsum(rng.standard_t(4, size=count)) * 1e-5)).tolist()
    return walk


def trace(number: int, ended_s: float, rng: np.random.Generator) -> RequestTrace:
    chance = float(rng.random())
    is_cold, is_failed = chance < 0.01, chance > 0.99
    latency_s = 0.061 * float(np.exp(rng.normal() * 0.15)) + 0.13 * is_cold
    return RequestTrace(
        request_id=number,
        attempt=1,
        venue="bitunix",
        endpoint="bitunix.tickers",
        method="GET",
        host="127.0.0.1:443",
        started_at=STARTED_AT,
        started_mono_s=ended_s - latency_s,
        ended_mono_s=ended_s,
        total_s=latency_s,
        is_cold=is_cold,
        connection_id=1,
        status=None if is_failed else 200,
        error_kind=ErrorKind.TIMEOUT if is_failed else None,
    )


def show(widget: QWidget) -> None:
    widget.resize(*SIZE)
    widget.show()
    QApplication.processEvents()


class Ours:
    """Both plots over ``points`` prices, one every ``every_s`` seconds, and a tenth as many requests."""

    def __init__(self, points: int, every_s: float) -> None:
        self.every_s = every_s
        self.rng = np.random.default_rng(2)
        self.now_s = 1_000.0
        self.frames = 0
        self.fresh = iter(prices(points + 100_000))
        self.series, self.window = TimeSeries(points), LatencyWindow(points // 10)
        self.price, self.latency = PricePlot(DARK, zone=UTC), LatencyPlot(DARK, zone=UTC)
        self.lines = [
            PriceLine(
                venue="bitunix",
                title="Bitunix BTCUSDT",
                color=COLOR,
                shape=shape_for(0),
                series=self.series,
                decimals=1,
                note="0.7 s",
            )
        ]
        self.lanes = [
            LatencyLane(venue="bitunix", title="Bitunix", color=COLOR, shape=shape_for(0), window=self.window)
        ]
        for number in range(points):
            self.now_s += self.every_s
            self.series.append(self.now_s, next(self.fresh))
            if number % 10 == 0:
                self.window.add(trace(number, self.now_s, self.rng))
        for plot in (self.price, self.latency):
            plot.set_span_s(points * every_s)
            show(plot)

    def frame(self) -> None:
        self.now_s += self.every_s
        self.series.append(self.now_s, next(self.fresh))
        self.frames += 1
        if self.frames % 10 == 0:
            self.window.add(trace(self.frames, self.now_s, self.rng))
        now_utc = STARTED_AT + timedelta(seconds=self.now_s)
        self.price.refresh(self.now_s, now_utc, self.lines)
        self.latency.refresh(self.now_s, now_utc, self.lanes)
        QApplication.processEvents()


class Floor:
    """The same picture as :class:`Ours` of 10,000 prices and 1,000 requests, painted by hand."""

    def __init__(self) -> None:
        span_s = 10_000.0
        x_labels = ("10:00", "09:40", "09:20", "09:00", "08:40", "08:20", "08:00", "07:40")
        self.rng = np.random.default_rng(3)
        self.price, self.latency = FloorPrice(DARK, x_labels), FloorLatency(DARK, x_labels, span_s)
        self.fresh = iter(prices(200_000)[10_000:])
        self.frames = 0
        values = np.array(prices(10_000))
        self.price.prices = values
        low, high = float(values.min()), float(values.max())
        self.price.low, self.price.high = low - (high - low) * 0.1, high + (high - low) * 0.1
        self.price.y_labels = ["96,600", "96,700", "96,800", "96,900", "97,000", "97,100", "97,200", "97,300"]
        ages = np.linspace(0.0, span_s, 980)
        self.latency.warm = (ages, np.clip(0.4 + self.rng.normal(size=980) * 0.06, 0.0, 1.0))
        self.latency.cold = (np.linspace(0.0, span_s, 10), np.full(10, 0.8))
        self.latency.failed = np.linspace(0.0, span_s, 10)
        self.latency.band = (np.full(17, 0.4), np.full(17, 0.5))
        self.latency.y_labels = ["20 ms", "50 ms", "100 ms", "200 ms", "500 ms"]
        for plot in (self.price, self.latency):
            show(plot)

    def frame(self) -> None:
        # A fresh price, every tenth time a fresh request: everything moves on by one place.
        shown = self.price.prices
        shown[:-1] = shown[1:]
        shown[-1] = next(self.fresh)
        if shown[-1] < self.price.low or shown[-1] > self.price.high:
            self.price.low, self.price.high = float(shown.min()) - 50.0, float(shown.max()) + 50.0
        self.frames += 1
        if self.frames % 10 == 0:
            heights = self.latency.warm[1]
            heights[1:] = heights[:-1]
            heights[0] = min(1.0, max(0.0, 0.4 + float(self.rng.normal()) * 0.06))
        self.price.update()
        self.latency.update()
        QApplication.processEvents()


def many(frame: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(FRAMES_A_ROUND):
            frame()

    return run


def measure(rounds: int = 40) -> Interleaved:
    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    apply_theme(app, DARK)
    seconds = Ours(10_000, 1.0)
    small, large = Ours(10_000, 0.1), Ours(1_000_000, 0.001)
    floor = Floor()
    widgets: list[QWidget] = [plot for owner in (seconds, small, large, floor) for plot in (owner.price, owner.latency)]
    try:
        return interleave_quietly(
            {
                "floor": many(floor.frame),
                "floor again": many(floor.frame),
                SECONDS: many(seconds.frame),
                SMALL: many(small.frame),
                LARGE: many(large.frame),
            },
            control=CONTROL,
            rounds=rounds,
            warm_up=5,
        )
    finally:
        folder = os.environ.get("BENCH_PLOTS_SAVE")
        for number, widget in enumerate(widgets):
            if folder:
                widget.grab().save(str(Path(folder) / f"bench{number}.png"))
            widget.close()
            widget.deleteLater()


def report(result: Interleaved) -> tuple[float, float]:
    to_floor = result.ratio(SECONDS, "floor")
    to_small = result.ratio(LARGE, SMALL)
    print(f"\n{FRAMES_A_ROUND} frames of both plots, median:\n{result.table('floor')}")
    print(f"10,000 + 1,000 to the floor: {to_floor:.2f} (bar {FLOOR_BAR})")
    print(f"1,000,000 to 10,000 points:  {to_small:.2f} (bar {HISTORY_BAR})")
    return to_floor, to_small


@pytest.mark.benchmark
def test_plots_cost_little_more_than_the_floor_whatever_the_history() -> None:
    result = measure()
    to_floor, to_small = report(result)

    assert result.is_quiet(CONTROL) or abs(result.ratio(CONTROL[1], CONTROL[0]) - 1.0) < 0.15
    assert to_floor <= FLOOR_BAR
    assert to_small <= HISTORY_BAR


if __name__ == "__main__":
    report(measure())
