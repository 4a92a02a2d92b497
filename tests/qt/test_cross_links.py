"""Price point, request, socket, and back: every step is one click, and each leads to the same reply."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import RequestTrace
from monitor.qtmodels.request_model import TRACE_ROLE
from monitor.widgets.latency_plot import LatencyPlot
from monitor.widgets.plot_chosen import RING_PX, TICK_PX
from monitor.widgets.plot_frame import TimePlot
from monitor.widgets.price_plot import PricePlot
from tests.fakes.sample_markets import FIRST, SECOND
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory


@pytest.fixture
def shown(window_factory: WindowFactory, qtbot: QtBot) -> SampleWindow:
    s = window_factory(seconds=120)
    s.window.resize(1280, 720)
    s.window.show()
    s.window.charts.load_plots()
    s.window.charts.set_time_range(60)
    s.show_now()
    s.window.activateWindow()
    qtbot.waitUntil(lambda: plots(s)[0]._view is not None)
    return s


def plots(s: SampleWindow) -> tuple[PricePlot, LatencyPlot]:
    price, latency = s.window.charts.price_plot, s.window.charts.latency_plot
    assert price is not None
    assert latency is not None
    return price, latency


def at_row(s: SampleWindow) -> RequestTrace | None:
    index = s.window.requests.table.currentIndex()
    trace = index.data(TRACE_ROLE) if index.isValid() else None
    assert trace is None or isinstance(trace, RequestTrace)
    return trace


def at_card(s: SampleWindow) -> int:
    return s.window.pools.model.row_at(s.window.pools.cards.currentIndex().row()).card.connection_id


def click(plot: TimePlot, at: QPointF) -> None:
    place = plot._plot.mapFromScene(plot._canvas.mapToScene(at))
    QTest.mouseClick(plot._plot.viewport(), Qt.MouseButton.LeftButton, pos=place)


def ring_color(plot: TimePlot, at: QPointF) -> bool:
    """Whether a ring of the text's colour stands around ``at``: above, below, left and right of it."""
    image = plot._plot.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    middle = plot._plot.mapFromScene(plot._canvas.mapToScene(at))
    ink = QColor(plot._theme.text)

    def has_ink(dx: float, dy: float) -> bool:
        near = (image.pixelColor(middle + QPoint(round(dx) + i, round(dy) + j)) for i in (-1, 0, 1) for j in (-1, 0, 1))
        return any(abs(color.lightness() - ink.lightness()) < 60 for color in near)

    reach = RING_PX * 0.71
    return all(has_ink(x, y) for x in (-reach, reach) for y in (-reach, reach))


def ringed(plot: PricePlot | LatencyPlot) -> RequestTrace | None:
    return plot._chosen.one


def quotes_trace(s: SampleWindow, venue: str, ago: int = 20) -> RequestTrace:
    """A request for prices that is on screen."""
    found = [one for one in s.board.requests.items if one.endpoint == f"{venue}.quotes" and one.is_cold is False]
    return found[-ago]


def price_place(s: SampleWindow, trace: RequestTrace) -> QPointF | None:
    price, _ = plots(s)
    assert price._view is not None
    return price._place_of(price._view, trace)


def test_a_price_point_leads_to_its_request_and_socket_and_the_row_back_to_the_point(shown: SampleWindow) -> None:
    price, latency = plots(shown)
    trace = quotes_trace(shown, FIRST)
    point = price_place(shown, trace)
    assert point is not None
    # A price holds until the next one: a pixel to the left it is the one before.
    click(price, point + QPointF(1.0, 0.0))

    row = at_row(shown)
    assert row is not None
    assert (row.venue, row.request_id) == (FIRST, trace.request_id)
    assert at_card(shown) == trace.connection_id
    assert latency._view is not None
    mark = latency._place_of(latency._view, trace)
    assert mark is not None
    assert ring_color(price, point)
    assert ring_color(latency, mark)


def test_a_latency_mark_leads_to_its_attempt_and_both_rings_go_with_the_details(
    shown: SampleWindow, qtbot: QtBot
) -> None:
    price, latency = plots(shown)
    trace = quotes_trace(shown, SECOND)
    assert latency._view is not None
    mark = latency._place_of(latency._view, trace)
    assert mark is not None
    assert not ring_color(latency, mark)
    click(latency, mark)

    assert at_row(shown) == trace
    assert [ringed(plot) for plot in (price, latency)] == [trace, trace]
    shown.window.requests.close_detail()
    assert [ringed(plot) for plot in (price, latency)] == [None, None]
    assert not ring_color(latency, mark)


def test_a_row_that_is_gone_to_is_ringed_in_both_plots(shown: SampleWindow) -> None:
    price, latency = plots(shown)
    table = shown.window.requests
    row = next(
        row
        for row in range(20, table.proxy.rowCount())
        if table.proxy.index(row, 0).data(TRACE_ROLE).endpoint == f"{FIRST}.quotes"
    )
    table.table.setCurrentIndex(table.proxy.index(row, 0))
    trace = at_row(shown)
    assert trace is not None

    assert latency._view is not None
    mark, point = latency._place_of(latency._view, trace), price_place(shown, trace)
    assert mark is not None
    assert point is not None
    assert mark.x() == pytest.approx(point.x(), abs=1.0)
    assert ring_color(latency, mark)
    assert ring_color(price, point)


def test_a_card_leads_to_its_requests_and_rings_them_and_a_row_of_them_back_to_it(shown: SampleWindow) -> None:
    price, latency = plots(shown)
    pools, table = shown.window.pools, shown.window.requests
    pools.show_sockets()
    trace = quotes_trace(shown, FIRST)
    number = trace.connection_id
    assert number is not None
    row = pools.model.row_of(number)
    assert row is not None
    pools.cards.setFocus()
    pools.cards.setCurrentIndex(pools.model.index(row, 0))

    assert table.filter.text() == f"#{number}"
    found = [table.proxy.index(at, 0).data(TRACE_ROLE) for at in range(table.proxy.rowCount())]
    assert found
    assert {one.connection_id for one in found} == {number}
    assert [one.request_id for one in latency._chosen.others] == [one.request_id for one in reversed(found)]
    assert price._chosen.others == latency._chosen.others
    carried = len(found)
    shown.run(4)
    assert len(latency._chosen.others) > carried

    table.table.setFocus()
    table.table.setCurrentIndex(table.proxy.index(3, 0))
    assert latency._chosen.one is at_row(shown)
    assert at_card(shown) == number
    assert table.filter.text() == f"#{number}"
    table.filter.clear()
    assert latency._chosen.others == ()


def test_a_card_that_was_selected_by_a_row_does_not_filter_it_away(shown: SampleWindow) -> None:
    shown.window.requests.table.setFocus()
    shown.window.links.show_request(quotes_trace(shown, FIRST).request_id)

    assert shown.window.requests.filter.text() == ""
    assert at_card(shown) == quotes_trace(shown, FIRST).connection_id


def test_going_to_another_card_does_not_end_at_the_card_of_a_row_next_to_a_filtered_one(shown: SampleWindow) -> None:
    table, pools = shown.window.requests, shown.window.pools
    first, second = quotes_trace(shown, FIRST), quotes_trace(shown, SECOND)
    shown.window.links.show_request(first.request_id)
    assert second.connection_id is not None
    row = pools.model.row_of(second.connection_id)
    assert row is not None
    pools.cards.setFocus()
    pools.cards.setCurrentIndex(pools.model.index(row, 0))

    assert table.filter.text() == f"#{second.connection_id}"
    assert at_card(shown) == second.connection_id
    assert at_row(shown) is None
    assert not table.detail.isVisible()


def test_a_filter_that_would_hide_what_was_clicked_is_left(shown: SampleWindow) -> None:
    table = shown.window.requests
    table.filter.setText("failed")
    trace = quotes_trace(shown, FIRST)
    shown.window.links.show_request(trace.request_id)

    assert at_row(shown) == trace
    assert table.filter.text() == ""
    table.filter.setText("quotes")
    assert at_row(shown) == trace
    shown.window.links.show_request(10**12)
    assert table.filter.text() == "quotes"


def test_the_attempt_that_was_clicked_is_shown_not_the_last_of_its_request(shown: SampleWindow) -> None:
    usual, now = quotes_trace(shown, FIRST, 1), shown.clock.now_s
    died = replace(
        usual, request_id=90_001, error_kind=ErrorKind.DROPPED, status=None, is_healed=True, ended_mono_s=now - 2.0,
    )  # fmt: skip
    again = replace(usual, request_id=90_001, attempt=2, ended_mono_s=now - 1.0)
    shown.feed.deliver_quotes(FIRST, died, again)
    shown.show_now()
    _, latency = plots(shown)
    assert latency._view is not None
    place = latency._place_of(latency._view, died)
    assert place is not None
    click(latency, place)

    assert at_row(shown) == died
    shown.window.links.show_request(90_001)
    assert at_row(shown) == again


def test_the_nearest_reply_is_meant_where_two_ended_together(shown: SampleWindow) -> None:
    usual, now = quotes_trace(shown, FIRST, 1), shown.clock.now_s
    book = replace(usual, request_id=90_001, endpoint=f"{FIRST}.book", ended_mono_s=now + 0.004)
    prices = replace(usual, request_id=90_002, ended_mono_s=now + 0.0)
    shown.feed.deliver_quotes(FIRST, prices, book)

    found = shown.board.requests.ended_at(FIRST, now + 0.001)
    assert found is not None
    # The feed's own last reply ended at the same moment as ``prices``.
    assert found.endpoint == f"{FIRST}.quotes"
    assert shown.board.requests.ended_at(FIRST, now + 5.0) is None


def test_a_request_further_back_than_the_plots_is_said_to_be_there(shown: SampleWindow) -> None:
    _, latency = plots(shown)
    oldest = shown.board.requests.items[0]
    before = latency._plot.viewport().grab().toImage()
    shown.window.links.show_request(oldest.request_id)

    assert latency._view is not None
    assert oldest.ended_mono_s < latency._view.start_mono_s
    assert latency._plot.viewport().grab().toImage() != before


def test_a_request_without_a_price_has_a_line_through_time_but_no_point(shown: SampleWindow) -> None:
    trace = quotes_trace(shown, FIRST)
    between = replace(trace, ended_mono_s=trace.ended_mono_s + 0.5)

    assert price_place(shown, trace) is not None
    assert price_place(shown, between) is None
    assert price_place(shown, replace(trace, venue="elsewhere")) is None


def test_requests_of_a_connection_are_ringed_where_they_stand_apart_and_ticked_where_they_do_not(
    shown: SampleWindow,
) -> None:
    price, _ = plots(shown)
    view = price._view
    assert view is not None
    newest = quotes_trace(shown, FIRST, 1)
    dense = [one for one in shown.board.requests.items if one.venue == FIRST]
    tick_y = view.height - TICK_PX / 2.0

    def differs(others: list[RequestTrace], x: float, y: float) -> bool:
        """Whether these leave ink around a place that has none without them."""
        pictures = []
        for shown_others in ([], others):
            price.set_chosen(None, shown_others)
            pictures.append(price._plot.viewport().grab().toImage())
        middle = price._plot.mapFromScene(price._canvas.mapToScene(QPointF(x, y)))
        reach = [QPoint(dx, dy) for dx in range(-2, 3) for dy in range(-2, 3)]
        return any(pictures[0].pixelColor(middle + d) != pictures[1].pixelColor(middle + d) for d in reach)

    sparse = [quotes_trace(shown, FIRST, ago) for ago in (30, 20, 10)]
    place = price._place_of(view, sparse[1])
    assert place is not None
    assert differs(sparse, place.x() + 4.5, place.y())
    assert not differs(sparse, place.x(), tick_y)
    assert differs(dense, place.x(), tick_y)
    assert not differs([replace(newest, ended_mono_s=view.start_mono_s - 5.0)], 10.0, tick_y)
