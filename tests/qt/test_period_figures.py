"""With a period chosen, every figure on screen is of it or says of which time it is: none silently ignores it."""

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from monitor.exchanges.caching import CacheStats
from monitor.qtmodels.connection_model import ConnectionRow
from monitor.state.period import Period
from monitor.widgets.elided import ElidedLabel
from tests.fakes.figure_walk import COUNTED, everything, ignoring_period, moving, told
from tests.fakes.period_samples import BEFORE_EVERYTHING, happening
from tests.fakes.sample_markets import FIRST
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

FOLLOWS: dict[str, tuple[Callable[[SampleWindow], str], str]] = {
    "warm latency, reuse, budget, calls": (
        lambda s: s.window.status.lights[FIRST].text.partition(" now · ")[2],
        "– warm · reuse – · budget – · – calls",
    ),
    "app self-lag": (lambda s: s.window.status.lag_label.text, "app lag –"),
    "clock offset and its bound": (lambda s: s.window.status.clock_label.text, "clock –"),
    "reuse of the pools": (lambda s: s.window.pools.sections[FIRST]._reuse.text, "–"),
    "connections open, active, idle": (lambda s: s.window.pools.sections[FIRST]._occupancy.text, "end: –"),
    "advice on the size": (lambda s: s.window.pools.sections[FIRST]._sizing.text, "end: –"),
    "counters of the pools": (
        lambda s: " ".join(label.text for label in s.window.pools.sections[FIRST]._values.values()),
        " ".join("–" * 12),
    ),
    "trend of connections": (
        lambda s: s.window.pools.sections[FIRST].connections.accessibleDescription().partition(";")[0],
        "– open, – active, – idle at the end of the chosen period",
    ),
    "trend of reuse": (
        lambda s: s.window.pools.sections[FIRST].reuse_trend.accessibleDescription().partition(";")[0],
        "– in the minute before the end of the chosen period",
    ),
    "sockets": (lambda s: s.window.pools._cards_title.text, "of the period: 0 open now · 0 closed by now"),
    "keep-alive fit": (
        lambda s: next(iter(s.window.pools.keep_alive.hosts.values())).words.text(),
        "Not known of this period: how sockets fared was not watched then.",
    ),
    "fit by idle time": (
        lambda s: next(iter(s.window.pools.keep_alive.hosts.values())).chart.accessibleDescription(),
        "",
    ),
    "saved by pooling": (lambda s: s.window.pools.savings.pooling[FIRST].value.text, "–"),
    "saved by caching": (lambda s: s.window.pools.savings.caching[FIRST].value.text, "–"),
    "reads by how they were answered": (lambda s: s.window.pools.savings.cache[FIRST][0].text, "cache –"),
    "requests": (lambda s: s.window.requests._count.text.partition(" of ")[0], "0"),
    "spikes, why slow": (
        lambda s: s.window.panels.spikes._summary.text.partition(" · ")[2],
        "0 outliers, 0.0 ms lost · watched time not known",
    ),
    "events": (lambda s: str(s.window.events.proxy.rowCount()), "0"),
    "basis": (lambda s: s.window.charts.header._figures["Basis"].value.text, "–"),
    "prices above the plot": (lambda s: plot_header(s, "price_plot"), "no price"),
    "latency above the plot": (lambda s: plot_header(s, "latency_plot"), ""),
}
"""Every figure that follows, with where it stands and what it says of a period that nobody watched."""

OF_THE_PRESENT = {"watchlist", "book", "alerts"}
"""Panels that stay with now and say so in their title, with those of the accounts."""


def plot_header(s: SampleWindow, name: str) -> str:
    plot = getattr(s.window.charts, name)
    assert plot is not None
    return str(plot.header.text)


def choose(s: SampleWindow, period: Period) -> None:
    s.window.panels.period.choose(period.start_mono_s, period.end_mono_s)
    s.window.charts.refresh_plots()


def seen(s: SampleWindow) -> dict[str, str]:
    """What the figures of the table say, each with its page in front."""
    texts: dict[str, str] = {}
    for _ in everything(s):
        for name, (read, _unknown) in FOLLOWS.items():
            texts[name] = read(s)
    return texts


@pytest.fixture
def eventful(
    window_factory: WindowFactory, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> tuple[SampleWindow, Period]:
    return happening(window_factory, monkeypatch)


def test_no_figure_silently_ignores_the_period(eventful: tuple[SampleWindow, Period]) -> None:
    s, period = eventful
    choose(s, BEFORE_EVERYTHING)
    found: set[str] = set()
    for _ in everything(s):
        found |= set(ignoring_period(s.window))
    assert sorted(found) == []

    choose(s, period)
    s.show_now()
    assert len(set(ignoring_period(s.window))) > 10, "of a time full of events there is much to be said"


def go_on(s: SampleWindow, *, is_down: bool) -> None:
    """Let a while pass in which everything is counted on; ``is_down``: for the first venue with an outage at first."""
    for second in range(20):
        s.feed.down = {FIRST} if is_down and second < 12 else set()
        s.feed.run(1)
        for name in s.board.venue_names:
            s.board.note_cache(name, CacheStats(network=400 + second, cached=900 + second, partial=300, shared=9))
        s.pump.stalls.add(0.3)
        s.pump.reply_to_paint.add(0.4)
        s.window.status.lag_label.probe.delays.add(0.05)
        s.show_now()


def test_the_figures_of_a_period_stand_still(eventful: tuple[SampleWindow, Period]) -> None:
    """Whatever moves on after its end is of now, and has to say so."""
    s, period = eventful
    choose(s, Period(period.start_mono_s, period.end_mono_s - 10.0))

    assert sorted(moving(s, lambda: go_on(s, is_down=False))) == []
    assert sorted(moving(s, lambda: go_on(s, is_down=True))) == []


def test_what_moves_in_spite_of_the_period_is_found(
    eventful: tuple[SampleWindow, Period], monkeypatch: pytest.MonkeyPatch
) -> None:
    s, period = eventful
    choose(s, Period(period.start_mono_s, period.end_mono_s - 10.0))
    monkeypatch.setattr(ConnectionRow, "now_word", "")

    moved = moving(s, lambda: go_on(s, is_down=False))
    assert any("ConnectionList" in text and "age " in text for text in moved)
    assert any("ConnectionList" in text and "requests'" in text for text in moved)


def test_what_ignores_the_period_is_found(eventful: tuple[SampleWindow, Period]) -> None:
    s, _ = eventful
    rogue = ElidedLabel("12 ms")
    rogue.set_definition("How long something took now")
    s.window.status.addWidget(rogue)
    choose(s, BEFORE_EVERYTHING)
    s.show_now()

    assert list(ignoring_period(s.window)) == ["ElidedLabel < StatusBar: '12 ms'"]


def test_every_figure_of_the_table_follows(eventful: tuple[SampleWindow, Period]) -> None:
    s, period = eventful
    choose(s, period)
    then = seen(s)
    choose(s, BEFORE_EVERYTHING)
    unknown = seen(s)

    for name, (_, expected) in FOLLOWS.items():
        assert COUNTED.search(then[name]), f"{name} of a full period: {then[name]!r}"
        if name.endswith("above the plot"):
            assert then[name] != unknown[name], name
            assert expected in unknown[name], name
        else:
            assert unknown[name] == expected, name

    s.window.panels.period.clear()
    now = seen(s)
    assert [name for name in FOLLOWS if now[name] == unknown[name]] == []


def test_panels_of_the_present_say_so(eventful: tuple[SampleWindow, Period]) -> None:
    s, period = eventful
    accounts = {dock.objectName() for dock in s.window.panels.accounts.docks}
    choose(s, period)

    marked = {name for name, dock in s.window.docks.items() if dock.title._label.text.endswith(" · NOW")}
    assert marked == OF_THE_PRESENT | accounts
    assert "the chosen period changes nothing here" in told(s.window.docks["book"].title._label)
    s.window.panels.period.clear()
    assert not any("NOW" in dock.title._label.text for dock in s.window.docks.values())


def test_the_figures_of_a_period_are_those_of_the_state(eventful: tuple[SampleWindow, Period]) -> None:
    s, period = eventful
    choose(s, period)
    s.show_now()
    venue, section = s.board.venue(FIRST), s.window.pools.sections[FIRST]
    gauges = venue.pool_history.gauges_at(period.end_mono_s)
    cache = venue.cache_between(period)

    assert gauges is not None
    assert f"{gauges.open} open · {gauges.active} active · {gauges.idle} idle" in section._occupancy.text
    assert "every two seconds" in told(section._occupancy)
    assert "app lag worst 80 ms" in s.window.status.lag_label.text
    assert "within 9 %" in told(s.window.status.lag_label)
    assert "narrowest bound" in told(s.window.status.clock_label)
    assert cache is not None
    s.window.pools.tabs.setCurrentIndex(3)
    assert f"{cache.cached} hits" in s.window.pools.savings.cache[FIRST][0].text
