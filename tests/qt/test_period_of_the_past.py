"""A period of an earlier run: what was recorded of it is shown, and nothing is made up of what was not."""

import numpy as np
import pytest

from monitor.qtmodels.figures import local_time
from monitor.state.latency import MarkColumns, MarkKind
from monitor.state.period import Period
from monitor.state.restored import Restored, prepare
from monitor.state.venue_period import pool_period, venue_period
from tests.fakes.figure_walk import everything, ignoring_period
from tests.fakes.poll_results import make_trace
from tests.fakes.sample_markets import FIRST
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory
from tests.qt.test_period_figures import FOLLOWS, choose, plot_header, seen

PAST = Period(49_000.0, 49_400.0)
N = 300


def restore(s: SampleWindow) -> None:
    """An earlier run ended 100 s before this one began: a request a second, each answered on an open connection."""
    ends_s = np.linspace(PAST.start_mono_s, PAST.end_mono_s + 500.0, N)
    ones = np.ones(N, dtype=np.int64)
    columns = MarkColumns(
        ended_s=ends_s,
        latencies_s=np.full(N, 0.06),
        request_ids=-np.arange(1, N + 1),
        connection_ids=-ones,
        attempts=ones,
        coldness=0 * ones,
        endpoints=0 * ones,
        hosts=1 + 0 * ones,
        names=("bitunix.quotes", "fapi.bitunix.com:443"),
    )
    traces = tuple(
        make_trace(
            -number,
            started_mono_s=at_s - 0.06,
            ended_mono_s=at_s,
            started_at=s.clock.at(at_s - 0.06),
            connection_id=None,
        )
        for number, at_s in enumerate(ends_s.tolist(), start=1)
    )
    restored = Restored(
        series={s.feed.key(FIRST, 0): (np.append(ends_s, ends_s[-1] + 1.0), np.append(np.full(N, 97_000.0), np.nan))},
        marks={FIRST: {MarkKind.WARM: columns}},
        requests=traces,
    )
    s.board.restore(prepare(restored, series_capacity=s.board.series_capacity))


SHOWN = {"requests", "prices above the plot", "latency above the plot"}
"""What an earlier run left: its requests and prices, and that its marks are not reckoned."""


@pytest.fixture
def restarted(window_factory: WindowFactory) -> SampleWindow:
    s = window_factory(seconds=120)
    s.window.resize(1680, 1000)
    s.window.show()
    s.window.charts.load_plots()
    restore(s)
    return s


def badge(s: SampleWindow) -> str:
    return s.window.charts._period_badge.text()


def test_a_period_of_an_earlier_run_is_shown_and_nothing_is_made_up(restarted: SampleWindow) -> None:
    s = restarted
    choose(s, PAST)
    texts = seen(s)

    assert {name: text for name, text in texts.items() if name not in SHOWN} == {
        name: unknown for name, (_, unknown) in FOLLOWS.items() if name not in SHOWN
    }
    assert int(texts["requests"]) > 100
    assert "97,000.0 → 97,000.0" in texts["prices above the plot"]
    assert "n 0 warm of this run" in texts["latency above the plot"], "marks are drawn, so 0 alone would be wrong"
    assert ", before this run · " in badge(s)
    nothing = pool_period(s.board.venue(FIRST), PAST)
    assert (nothing.gauges, nothing.counters, nothing.advice, nothing.reuse) == (None,) * 4


def test_nothing_but_what_was_recorded_claims_to_be_of_an_earlier_run(restarted: SampleWindow) -> None:
    s = restarted
    choose(s, PAST)
    found: set[str] = set()
    for _ in everything(s):
        found |= {text for text in ignoring_period(s.window) if "RequestTable" not in text}

    assert sorted(found) == []


def test_a_period_across_the_start_says_from_when_on_it_was_counted(restarted: SampleWindow) -> None:
    s = restarted
    choose(s, Period(PAST.end_mono_s, s.clock.now_s))
    own = venue_period(s.board.venue(FIRST), Period(s.board.started_mono_s, s.clock.now_s))

    assert f", counts from {local_time(s.clock.at(s.board.started_mono_s))} · " in badge(s)
    assert f"n {own.warm.n:,} warm of this run" in plot_header(s, "latency_plot")
    choose(s, Period(s.board.started_mono_s, s.clock.now_s))
    assert "counts from" not in badge(s)
    assert "of this run" not in plot_header(s, "latency_plot")
