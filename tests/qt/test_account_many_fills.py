"""The table of fills with as many as a venue lists: sorted, filtered and brought up to date row by row."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from monitor.domain.account import Fill, FillList, OrderSide
from monitor.state.account_tables import FillRow
from monitor.widgets.account_delegate import PADDING_PX
from monitor.widgets.account_table import PREPARED_AT_ONCE, AccountTable
from tests.fakes.account_samples import MAIN, SampleAccounts, fills
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

COUNT = 1_000
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT")


def many(sample: SampleWindow, first: int) -> FillList:
    """``COUNT`` fills from number ``first`` on, newest first, a minute apart; no two of one value."""
    now = sample.clock.at(50_000.0)
    model = fills(now)[0]
    made: list[Fill] = [
        replace(
            model,
            fill_id=f"f{number}",
            order_id=str(number // 3),
            venue_symbol=SYMBOLS[number % len(SYMBOLS)],
            side=OrderSide.BUY if number % 2 else OrderSide.SELL,
            price=Decimal(1_000 + number * 7_919 % 5_003),
            size=Decimal("0.5"),
            time=now + timedelta(minutes=number),
            realized_pnl=Decimal(number - 500),
        )
        for number in range(first, first + COUNT)
    ]
    return FillList(account=MAIN, fills=tuple(reversed(made)))


def ids(table: AccountTable) -> list[str]:
    """The fills as they are shown, from the top."""
    return [row.fill.fill_id for row in table.shown_rows() if isinstance(row, FillRow) and row.fill is not None]


@pytest.fixture
def sample(window_factory: WindowFactory) -> SampleWindow:
    made = window_factory(seconds=2)
    made.window.resize(1280, 720)
    made.window.show()
    made.window.docks["fills"].raise_()
    made.board.accounts.set_refs((MAIN,))
    return made


def show(sample: SampleWindow, first: int) -> AccountTable:
    accounts = SampleAccounts(sample.board, sample.clock)
    sample.board.accounts.set_refs((MAIN,))
    sample.clock.now_s += 1
    accounts.deliver(MAIN, "trades", many(sample, first), cadence_s=60.0)
    sample.window.panels.accounts.refresh_all()
    QApplication.processEvents()
    return sample.window.panels.accounts.tables["fills"]


def test_a_thousand_fills_are_listed_summed_sorted_and_filtered(sample: SampleWindow) -> None:
    table = show(sample, 0)
    columns = [column.name for column in table.model.columns]

    assert ids(table) == [f"f{number}" for number in range(COUNT - 1, -1, -1)], "newest first"
    assert table.totals.index(0, columns.index("instrument")).data() == "1,000 in all"
    assert table.totals.index(0, columns.index("realized_pnl")).data() == "−500.00"
    for order in (Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder):
        table.table.sortByColumn(columns.index("value"), order)
        values = [row.value for row in table.shown_rows() if isinstance(row, FillRow) and row.value is not None]
        assert len(values) == COUNT
        assert values == sorted(values, reverse=order is Qt.SortOrder.DescendingOrder)
    table.filter.setText("eth buy")
    assert len(ids(table)) == COUNT // 4
    table.filter.setText("eth sell")
    assert ids(table) == []
    table.filter.setText("")
    assert len(ids(table)) == COUNT


def test_a_new_fill_changes_one_row_and_neither_selection_nor_place(sample: SampleWindow) -> None:
    table = show(sample, 0)
    changes: list[tuple[str, int]] = []

    def note(what: str, _parent: object, first: int, last: int) -> None:
        changes.append((what, last - first + 1))

    table.model.rowsInserted.connect(partial(note, "in"))
    table.model.rowsRemoved.connect(partial(note, "out"))
    table.model.modelReset.connect(lambda: changes.append(("reset", 0)))
    table.model.layoutChanged.connect(lambda: changes.append(("layout", 0)))
    table.table.selectRow(500)
    chosen = table.selected_rows()
    table.table.verticalScrollBar().setValue(400)
    top = table.table.rowAt(2)
    before = ids(table)[top]
    show(sample, 1)

    assert sorted(changes) == [("in", 1), ("out", 1)]
    assert ids(table)[0] == f"f{COUNT}"
    assert [row.key for row in table.selected_rows()] == [row.key for row in chosen]
    assert abs(table.table.rowAt(2) - top) <= 1
    assert before in ids(table)[table.table.rowAt(2) - 1 : table.table.rowAt(2) + 3]


@pytest.mark.parametrize(
    ("paid", "shown"), [("1.499805888", "1.500"), ("0.0000123456789", "0.00001235"), ("0", "0.00")]
)
def test_a_fee_of_many_digits_has_room_and_the_file_has_them_all(sample: SampleWindow, paid: str, shown: str) -> None:
    table = show(sample, 0)
    fee = [column.name for column in table.model.columns].index("fee_paid")
    listed = many(sample, 0)
    accounts = SampleAccounts(sample.board, sample.clock)
    sample.board.accounts.set_refs((MAIN,))
    sample.clock.now_s += 1
    one = replace(listed.fills[0], fee_paid=Decimal(paid))
    accounts.deliver(MAIN, "trades", FillList(account=MAIN, fills=(one,)), cadence_s=60.0)
    sample.window.panels.accounts.refresh_all()
    cell = table.model.index(0, fee)

    assert cell.data() == shown
    assert table.table.fontMetrics().horizontalAdvance(shown) < table.table.columnWidth(fee) - 2 * PADDING_PX
    assert paid in table.csv_text(with_amounts=True)


def test_the_copy_and_the_file_of_a_filtered_table_hold_what_is_shown(sample: SampleWindow) -> None:
    table = show(sample, 0)
    table.filter.setText("sol")
    lines = table.csv_text(with_amounts=True).splitlines()

    assert len(lines) == 1 + COUNT // 4
    assert all("SOL-USDT" in line for line in lines[1:])


def test_what_was_kept_for_the_filter_follows_the_rows_and_the_privacy_switch(sample: SampleWindow) -> None:
    table = show(sample, 0)
    for _ in range(COUNT // PREPARED_AT_ONCE + 1):
        sample.window.panels.accounts.refresh_all()
    table.filter.setText("+499.00")
    assert ids(table) == ["f999"]
    table.set_covered(True)
    assert ids(table) == [], "what is covered cannot be searched for"
    table.set_covered(False)
    assert ids(table) == ["f999"]
    show(sample, 1)
    assert ids(table) == ["f999"]
    table.filter.setText("+500.00")
    assert ids(table) == ["f1000"]
    accounts = SampleAccounts(sample.board, sample.clock)
    sample.board.accounts.set_refs((MAIN,))
    sample.clock.now_s += 1
    listed = many(sample, 1)
    mended = tuple(replace(fill, realized_pnl=Decimal("7.25")) for fill in listed.fills)
    accounts.deliver(MAIN, "trades", FillList(account=MAIN, fills=mended), cadence_s=60.0)
    sample.window.panels.accounts.refresh_all()

    assert ids(table) == [], "the same fills with other figures"
    table.filter.setText("+7.25")
    assert len(ids(table)) == COUNT


def test_a_sorted_table_stays_sorted_while_fills_come_and_figures_change(sample: SampleWindow) -> None:
    table = show(sample, 0)
    columns = [column.name for column in table.model.columns]
    table.table.sortByColumn(columns.index("value"), Qt.SortOrder.AscendingOrder)
    for first in (1, 3, 40):
        show(sample, first)
        values = [row.value for row in table.shown_rows() if isinstance(row, FillRow) and row.value is not None]

        assert len(values) == COUNT
        assert values == sorted(values)
    table.table.sortByColumn(columns.index("realized_pnl"), Qt.SortOrder.DescendingOrder)
    assert ids(table)[0] == f"f{COUNT + 39}"
