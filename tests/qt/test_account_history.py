"""The past of accounts in the window: the switch between open and past, closed positions, funding, longer figures."""

import csv
import io
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from monitor.domain.account import OrderList
from monitor.domain.account_history import PastPositionList
from monitor.qtmodels.account_columns import COVERED
from monitor.qtmodels.figures import DASH
from monitor.state.verdict import Verdict
from monitor.widgets.account_table import AccountTable
from tests.fakes.account_samples import MAIN, VAULT, SampleAccounts
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory
from tests.qt.test_account_tables import every_text, table_of, texts

Opened = tuple[SampleWindow, SampleAccounts]
PAST = ("past_positions", "past_orders", "funding")


@pytest.fixture
def opened(window_factory: WindowFactory) -> Opened:
    sample = window_factory(seconds=5)
    sample.window.resize(1600, 900)
    sample.window.show()
    accounts = SampleAccounts(sample.board, sample.clock)
    accounts.fill_in()
    sample.clock.now_s += 1
    accounts.fill_in_past()
    sample.window.panels.accounts.refresh_all()
    return sample, accounts


def tip(table: AccountTable, row: int, name: str) -> str:
    """The tooltip of one cell."""
    names = [column.name for column in table.model.columns]
    return str(table.model.index(row, names.index(name)).data(Qt.ItemDataRole.ToolTipRole))


def test_closed_positions_are_the_venues_own_or_read_off_its_fills(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "past_positions")
    eth, sol = texts(table, 0), texts(table, 1)

    assert (eth["account"], eth["side"], eth["max_size"]) == ("vault money", "▲ long", "2")
    assert (eth["realized_pnl"], eth["fee_paid"], eth["funding"]) == ("+37.00", "3.00", "0.00")
    assert eth["leverage"] == DASH, "fills do not tell it"
    assert (sol["account"], sol["side"], sol["entry_price"]) == ("main", "▼ short", "151.20")
    assert (sol["realized_pnl"], sol["leverage"]) == ("+55.10", "20× isolated")
    assert table.totals.lines[-1].sums["realized"].value == Decimal("92.1")
    assert table.model.rowCount() == 2, "what is still held is not among them"


def test_past_orders_say_what_became_of_them_and_when(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "past_orders")
    gone, done = texts(table, 0), texts(table, 1)

    assert (gone["order_id"], gone["status"]) == ("901", "cancelled")
    assert (done["order_id"], done["status"], done["filled"]) == ("900", "filled", "0.2")
    assert gone["ended_at"] > done["ended_at"]
    assert "value_left" not in gone


def test_funding_payments_and_sums_of_closed_positions_are_told_apart(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "funding")
    found = [texts(table, row) for row in range(table.model.rowCount())]

    assert [(row["amount"], row["of"]) for row in found] == [
        ("−1.25", "payment"),
        ("−0.50", "closed position"),
        ("−7.00", "payment"),
    ]
    assert found[1]["rate"] == "", "there is no rate of a whole position"


def test_what_is_open_and_what_is_past_share_a_panel(opened: Opened, qtbot: QtBot) -> None:
    sample, _ = opened
    panels = sample.window.panels.accounts
    orders = panels.views["orders"]
    sample.window.docks["orders"].raise_()
    assert orders.shown is panels.tables["orders"]

    button = orders.buttons.button(1)
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)

    assert orders.shown is panels.tables["past_orders"]
    assert not orders.buttons.button(0).isChecked()
    assert panels.tables["past_orders"].isVisible()
    assert not panels.tables["orders"].isVisible()
    assert button.accessibleName() == "Orders: Orders that were filled, cancelled or refused"
    assert panels.tables["past_orders"].head.isVisible()
    assert not panels.tables["orders"].head.isVisible()


def test_a_table_behind_the_switch_is_brought_to_now_when_it_is_shown(opened: Opened) -> None:
    sample, accounts = opened
    panels = sample.window.panels.accounts
    sample.window.docks["orders"].raise_()
    sample.clock.now_s += 1
    accounts.deliver(MAIN, "past_orders", OrderList(account=MAIN, orders=(), is_open=False))
    panels.refresh()
    assert panels.tables["past_orders"].model.rowCount() == 2

    panels.views["orders"].show_view(1)

    assert panels.tables["past_orders"].model.rowCount() == 0
    assert panels.tables["past_orders"].empty_label.text().startswith("No past orders")


def test_looking_at_the_past_asks_for_what_is_old(opened: Opened) -> None:
    sample, _ = opened
    panels = sample.window.panels.accounts
    asked: list[tuple[str, str]] = []
    panels.read_again_requested.connect(lambda venue, key: asked.append((venue, key)))
    panels.views["orders"].show_view(1)
    assert asked == [], "a minute has not passed"

    panels.views["orders"].show_view(0)
    sample.clock.now_s += 120
    panels.views["orders"].show_view(1)
    panels.views["positions"].show_view(1)

    assert asked == [
        (MAIN.venue, "bitunix.past_orders@main"),
        (VAULT.venue, "hyperliquid.historicalOrders@vault money"),
        (MAIN.venue, "bitunix.past_positions@main"),
        (VAULT.venue, "hyperliquid.userFills@vault money"),
    ]


def test_hidden_amounts_are_not_in_the_past_either(opened: Opened) -> None:
    sample, _ = opened
    amounts = ("55.10", "37.00", "−7.00", "0.31", "310.25", "4,120", "81.50", "−0.50")
    names = (*PAST, "balances", "positions")
    shown = "\n".join(every_text(table_of(sample, name)) for name in names)
    assert all(amount in shown for amount in amounts)
    sample.window.panels.accounts.set_covered(True)

    covered = "\n".join(every_text(table_of(sample, name)) for name in names)

    assert COVERED in covered
    assert [amount for amount in amounts if amount in covered] == []


def test_every_figure_of_the_past_has_its_definition(opened: Opened) -> None:
    sample, _ = opened
    for name in PAST:
        model = table_of(sample, name).model
        for number, column in enumerate(model.columns):
            said = model.headerData(number, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
            assert column.definition.split()[0] in said
            assert column.title in said


def test_longer_figures_stand_in_tooltips(opened: Opened) -> None:
    sample, _ = opened
    balances, positions = table_of(sample, "balances"), table_of(sample, "positions")
    vault = [row.name for row in balances.model.rows].index("Account", 1)

    assert texts(balances, vault)["venue_pnl_24h"] == "+81.50"
    assert texts(balances, 0)["venue_pnl_24h"] == DASH, "this venue tells none"
    assert "7 days −310.25, all time +4,120.00" in tip(balances, vault, "venue_pnl_24h")
    assert "12,345 of the 1,010,000" in tip(balances, vault, "location")
    assert "would be opened with 25× isolated" in tip(positions, 0, "leverage")
    assert "Unrealised +706.25; realised, with fees and funding, −21.50" in tip(positions, 0, "pnl_since_open")


def test_a_fresh_account_without_a_past_is_not_waiting(opened: Opened) -> None:
    sample, accounts = opened
    sample.clock.now_s += 1
    sample.board.accounts.set_refs((MAIN,))
    accounts.deliver(MAIN, "past_positions", PastPositionList(account=MAIN, positions=()))
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "past_positions")

    assert table.empty_label.text().startswith("No closed positions")
    assert [chip.verdict for chip in table.chips.chips] == [Verdict.LIVE]


def test_the_past_can_be_copied_and_filtered(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "past_positions")
    tester = QAbstractItemModelTester(table.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    table.filter.setText("short")
    rows = list(csv.DictReader(io.StringIO(table.csv_text(with_amounts=True))))

    assert tester.model() is table.model
    assert [(row["venue"], row["realized_pnl"], row["closed_at"][-1]) for row in rows] == [(MAIN.venue, "55.1", "Z")]
    assert VAULT.name not in table.csv_text(with_amounts=True)
