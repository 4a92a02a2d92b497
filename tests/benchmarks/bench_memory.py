"""Memory of the window over an hour of simulated time: after warm-up it may not grow.

The real window, board and models are fed one result a second per feed by a simulated clock, as the default plan would.
What is counted is what Python and numpy hold (``tracemalloc``): histories are allocated whole at the start, so the
system hands their pages out over the first day, and resident memory, printed beside, grows by that until then.
"""

import gc
import sys
import tracemalloc
from dataclasses import dataclass

import psutil
import pytest
from PySide6.QtWidgets import QApplication

from tests.fakes.sample_window import SampleWindow, make_window

WARM_UP_S = 1_800
"""Simulated. The longest bounded list fills within it: 5,000 requests at more than 3 a second."""
MEASURED_S = 3_600
INSTRUMENTS = (300, 230)
WATCHED = 16
MAX_GROWTH = 0.01


@dataclass(frozen=True)
class Growth:
    """MB held before and after the measured hour."""

    held_start_mb: float
    held_end_mb: float
    rss_start_mb: float
    rss_end_mb: float

    @property
    def share(self) -> float:
        """Growth of what is held / what was held."""
        return self.held_end_mb / self.held_start_mb - 1.0

    def table(self) -> str:
        """The figures as text."""
        return (
            f"held by Python and numpy  {self.held_start_mb:7.2f} -> {self.held_end_mb:7.2f} MB  ({self.share:+.2%},"
            f" bar {MAX_GROWTH:+.0%})\n"
            f"resident                  {self.rss_start_mb:7.2f} -> {self.rss_end_mb:7.2f} MB"
        )


def measure(app: QApplication, *, warm_up_s: int = WARM_UP_S, measured_s: int = MEASURED_S) -> Growth:
    """Run the simulated time through a window. Blocks for about a minute."""
    tracemalloc.start()
    try:
        sample = make_window(app, seconds=1, watched=WATCHED, counts=INSTRUMENTS)
        sample.window.resize(1280, 720)
        sample.window.show()
        app.processEvents()
        _run(app, sample, warm_up_s)
        held_start, rss_start = _held(), psutil.Process().memory_info().rss
        _run(app, sample, measured_s)
        held_end, rss_end = _held(), psutil.Process().memory_info().rss
        sample.window.close()
    finally:
        tracemalloc.stop()
    return Growth(held_start / 1e6, held_end / 1e6, rss_start / 1e6, rss_end / 1e6)


def _run(app: QApplication, sample: SampleWindow, seconds: int) -> None:
    for second in range(0, seconds, 10):
        sample.feed.run(10)
        sample.window.on_frame()
        if second % 60 == 0:
            sample.window.on_slow_frame()
            app.processEvents()


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_an_hour_of_simulated_time_does_not_grow_the_memory(qapp: QApplication) -> None:
    growth = measure(qapp)
    print("\n" + growth.table())

    assert growth.share <= MAX_GROWTH


if __name__ == "__main__":
    print(measure(QApplication(sys.argv)).table())
