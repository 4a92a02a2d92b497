"""Every value in the window says whether it came from the network, a cache, or is kept because asking failed."""

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from monitor.exchanges.caching import CacheStats
from monitor.qtmodels.quote_model import QuoteColumn
from tests.fakes.sample_markets import FIRST
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

NETWORK = "from the network"
STALE = "stale cache"
WHY = "because: No connection within 3.1 s"


def shown(window_factory: WindowFactory) -> SampleWindow:
    sample = window_factory(seconds=10)
    sample.window.show()
    sample.show_now()
    return sample


def fail_once(sample: SampleWindow) -> None:
    """The first venue's prices fail; what was shown stays, kept."""
    sample.feed.down.add(FIRST)
    sample.feed.run(4)
    sample.show_now()


def row_words(sample: SampleWindow) -> str:
    model = sample.window.watchlist.model
    sample.window.on_slow_frame()
    return str(model.index(0, QuoteColumn.SYMBOL).data(Qt.ItemDataRole.AccessibleTextRole))


def test_a_row_of_the_watchlist_says_where_its_price_is_from(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    words = row_words(sample)
    assert f"source {NETWORK}" in words
    assert f"bp ({NETWORK})" in words
    assert f"% ({NETWORK})" in words

    fail_once(sample)
    words = row_words(sample)
    assert f"% ({NETWORK})" in words, "the funding has a reply of its own, which did not fail"
    assert f"source {STALE}, " in words
    assert WHY in words


def test_the_header_explains_age_and_source_of_price_and_figures(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    header = sample.window.charts.header
    tip = header._age.toolTip()
    assert "between asking and the whole reply. From the network. Asked every 1 s." in tip
    assert f"Now: {NETWORK}." in tip
    assert NETWORK in header._figures["Funding/h · year"].value.toolTip()

    fail_once(sample)
    assert f"Now: {STALE}, " in header._age.toolTip()
    assert WHY in header._age.toolTip()
    assert NETWORK in header._figures["Funding/h · year"].value.toolTip(), "its own feed has not failed"


def test_the_light_of_a_venue_tells_source_and_cache(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    light = sample.window.status.lights[FIRST]
    assert f", {NETWORK}" in light.toolTip()
    assert "reads since start" not in light.toolTip()

    sample.board.note_cache(FIRST, CacheStats(network=40, cached=12))
    fail_once(sample)
    assert f", {STALE}, " in light.toolTip()
    assert "reads since start: cache 12 hits · 40 misses · " in light.toolTip()


def test_the_book_explains_its_age_and_source(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    sample.window.docks["book"].raise_()
    sample.window.on_slow_frame()

    assert f"Now: {NETWORK}." in sample.window.panels.book.age.toolTip()


def test_the_chart_says_where_its_candles_are_from(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    charts = sample.window.charts
    qtbot.waitUntil(lambda: charts.is_loaded)
    charts.set_chart(is_candles=True, interval="1m")
    sample.show_now()

    assert charts.price_plot is not None
    assert "candles from the network" in charts.price_plot.header.text


def test_the_search_says_how_old_its_lists_are(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    sample.clock.now_s += 300.0
    sample.window.open_search()
    origin = sample.window.search.origin

    assert origin.text.count("network, 5 min") == 2
    assert NETWORK in origin.toolTip()
    sample.window.search.close()


def test_what_the_cache_answered_is_shown_with_the_savings(window_factory: WindowFactory, qtbot: QtBot) -> None:
    sample = shown(window_factory)
    panel = sample.window.pools
    panel.tabs.setCurrentIndex(3)
    assert panel.savings.cache[FIRST][0].text == "cache –"

    sample.board.note_cache(FIRST, CacheStats(network=40, partial=3, cached=12, shared=2, stale=1))
    panel.on_slow_frame()

    first, second = panel.savings.cache[FIRST]
    assert (first.text, second.text) == ("cache 12 hits · 40 misses", "3 partly · 2 shared · 1 stale")
    assert "Shared: by a request that was under way for somebody else" in first.toolTip()
