"""The order book of the instrument in focus: every level, its depth, and how old it is."""

from PySide6.QtCore import Qt

from monitor.qtmodels.book_model import DEPTH_ROLE, BookColumn
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory


def _shown(window_factory: WindowFactory, *, seconds: int = 10) -> SampleWindow:
    sample = window_factory(seconds=seconds)
    sample.window.show()
    sample.window.docks["book"].raise_()
    sample.show_now()
    return sample


def _texts(sample: SampleWindow, row: int) -> list[str]:
    model = sample.window.panels.book.model
    return [str(model.index(row, column).data()) for column in BookColumn]


def test_every_level_is_shown_best_first_with_sums(window_factory: WindowFactory) -> None:
    sample = _shown(window_factory)
    key = sample.window.focus_key
    assert key is not None
    state = sample.board.book(key)
    assert state is not None
    book = state.book
    model = sample.window.panels.book.model

    assert model.rowCount() == len(book.bids) == 15
    assert _texts(sample, 0)[1:5] == [
        f"{book.bids[0].size:,f}",
        f"{book.bids[0].price:,f}",
        f"{book.asks[0].price:,f}",
        f"{book.asks[0].size:,f}",
    ]
    assert _texts(sample, 2)[0] == f"{sum(level.size for level in book.bids[:3]):,f}"
    depths = [model.index(14, column).data(DEPTH_ROLE) for column in (BookColumn.BID, BookColumn.ASK)]
    assert max(depths) == 1.0
    assert 0.0 < min(depths) <= 1.0
    tip = model.headerData(BookColumn.ASK_TOTAL, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
    assert "best ask" in str(tip)


def test_the_head_tells_spread_and_age_and_an_old_book_is_not_shown_as_current(window_factory: WindowFactory) -> None:
    sample = _shown(window_factory)
    view = sample.window.panels.book
    assert view.name.text.startswith("BTC-USDT")
    assert view.spread.text.endswith("bp")
    assert view.age.text.startswith("● live")

    sample.clock.now_s += 60
    sample.window.on_slow_frame()
    assert view.age.text.startswith("▲ late · 60 s") or view.age.text.startswith("▲ late · 61 s")


def test_another_instrument_without_a_book_says_so(window_factory: WindowFactory) -> None:
    sample = _shown(window_factory)
    view = sample.window.panels.book
    view.set_focus(sample.feed.key("hyperliquid", 5))
    assert view.model.rowCount() == 0
    assert view.age.text == ""
    assert not view._empty.isHidden()
    view.set_focus(sample.feed.key("bitunix", 0))
    assert view.model.rowCount() == 15
    assert view._empty.isHidden()


def test_a_newer_book_is_shown_with_the_next_frame(window_factory: WindowFactory) -> None:
    sample = _shown(window_factory)
    before = _texts(sample, 0)
    sample.feed.run(4)
    sample.window.on_frame()
    assert _texts(sample, 0) != before
