"""Account tables in the window: rows, sums, privacy, copies, and what stands where there is nothing."""

import csv
import io
from collections.abc import Callable
from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QAbstractItemModelTester, QTest
from pytestqt.qtbot import QtBot

from monitor.domain.account import OrderList, OrderSide, PositionList
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import ErrorKind, PauseCause
from monitor.qtmodels.account_columns import COVERED
from monitor.qtmodels.account_model import MARK
from monitor.qtmodels.figures import DASH
from monitor.state.account_levels import AccountLevel, LevelKind, account_levels
from monitor.state.accounts import Access
from monitor.widgets.account_lines import lines_of
from monitor.widgets.account_panels import NAMES
from monitor.widgets.account_table import AccountTable
from monitor.widgets.theme import DARK
from tests.fakes.account_samples import MAIN, VAULT, SampleAccounts, position
from tests.fakes.account_samples import order as open_order
from tests.fakes.sample_markets import FIRST, SECOND
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory

Opened = tuple[SampleWindow, SampleAccounts]


@pytest.fixture
def opened(window_factory: WindowFactory, qtbot: QtBot) -> Opened:
    sample = window_factory(seconds=5)
    sample.window.resize(1600, 900)
    sample.window.show()
    accounts = SampleAccounts(sample.board, sample.clock)
    accounts.fill_in()
    sample.window.panels.accounts.refresh_all()
    return sample, accounts


def table_of(sample: SampleWindow, name: str) -> AccountTable:
    return sample.window.panels.accounts.tables[name]


def texts(table: AccountTable, row: int) -> dict[str, str]:
    """What a row of the table says, by column name."""
    model = table.model
    return {column.name: str(model.index(row, at).data()) for at, column in enumerate(model.columns)}


def every_text(table: AccountTable) -> str:
    """Everything a screen reader, a tooltip or an eye could get out of the table and its sums."""
    roles = (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.AccessibleTextRole,
    )
    found = [table.chips.toolTip(), table.chips.accessibleName()]
    for model in (table.model, table.totals):
        for row in range(model.rowCount()):
            for column in range(model.columnCount()):
                found += [str(model.index(row, column).data(role)) for role in roles]
    return "\n".join(found)


def test_every_docked_table_is_tabbed_and_survives_the_model_tester(opened: Opened) -> None:
    sample, accounts = opened
    testers = [
        QAbstractItemModelTester(table_of(sample, name).model, QAbstractItemModelTester.FailureReportingMode.Fatal)
        for name in NAMES
    ]
    sample.clock.now_s += 5
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(position("SOLUSDT"), position())))
    sample.window.panels.accounts.refresh_all()
    sample.clock.now_s += 5
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=()))
    sample.window.panels.accounts.refresh_all()

    assert len(testers) == 4
    assert all(name in sample.window.docks for name in NAMES)
    assert [row.ref for row in table_of(sample, "positions").model.rows] == [VAULT, VAULT]


def test_a_position_shows_its_figures_and_a_bad_field_only_marks_its_row(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "positions")
    long, short, vault, lost = (texts(table, row) for row in range(4))

    assert long["account"] == "main"
    assert long["side"] == "▲ long"
    assert long["unrealized_pnl"] == "+706.25"
    assert long["pnl_since_open"] == "+684.75"
    assert long["leverage"] == "10× cross"
    assert short["side"] == "▼ short"
    assert short["unrealized_pnl"].startswith("−351.84")
    assert vault["account"] == f"{MARK} vault money"
    assert vault["leverage"] == f"{DASH} cross"
    assert vault["unrealized_pnl"] == "+412.90", "the rest of the row is there"
    assert vault["liquidation_distance"] == DASH
    assert lost["account"].startswith(MARK)
    assert lost["size"] == ""
    tip = str(table.model.index(2, 0).data(Qt.ItemDataRole.ToolTipRole))
    assert "leverage.value is not a number" in tip


def test_sums_are_of_all_and_say_when_a_part_is_missing(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "positions")
    unrealized = [column.name for column in table.model.columns].index("unrealized_pnl")
    last = table.totals.rowCount() - 1

    assert table.totals.index(last, 0).data() == "All"
    assert table.totals.index(last, unrealized).data() == "+767.31 *"
    assert "Only 3 of 4 are known" in str(table.totals.index(last, unrealized).data(Qt.ItemDataRole.ToolTipRole))
    balances = table_of(sample, "balances")
    equity = [column.name for column in balances.model.columns].index("equity_or_total")
    assert balances.totals.index(balances.totals.rowCount() - 1, equity).data() == "55,631.25"


def test_hidden_amounts_are_nowhere_and_come_back(opened: Opened) -> None:
    sample, _ = opened
    shown = "\n".join(every_text(table_of(sample, name)) for name in NAMES)
    amounts = ["706.25", "351.84", "15,420.75", "55,631.25", "767.31", "4,800", "0.31", "2,011.26"]
    assert [amount for amount in amounts if amount not in shown] == []

    sample.window.commands_of_user.named["hide_amounts"].trigger()
    covered = "\n".join(every_text(table_of(sample, name)) for name in NAMES)

    assert COVERED in covered
    assert [amount for amount in amounts if amount in covered] == []
    assert "87,312.4" in covered, "prices are no amounts"
    assert sample.window.current_settings().hides_amounts
    table = table_of(sample, "positions")
    table.copy()
    assert "706.25" not in QGuiApplication.clipboard().text()
    table.filter.setText("706.25")
    assert table.proxy.rowCount() == 0, "what is covered cannot be searched for"
    sample.window.commands_of_user.named["hide_amounts"].trigger()
    assert table.proxy.rowCount() == 1


def test_a_copy_is_tab_separated_with_whole_values(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "positions")
    table.table.selectRow(1)
    QTest.keyClick(table.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    table.copy()
    head, row = csv.reader(io.StringIO(QGuiApplication.clipboard().text()), delimiter="\t")
    copied = dict(zip(head, row, strict=True))

    assert copied["venue"] == FIRST
    assert copied["account"] == "main"
    assert copied["size"] == "12"
    assert Decimal(copied["unrealized_pnl"]) == Decimal("-351.84")
    assert copied["side"] == "short"


def test_a_file_holds_what_is_shown_and_no_spreadsheet_runs_it(opened: Opened) -> None:
    sample, accounts = opened
    sample.clock.now_s += 1
    accounts.deliver(
        MAIN, "positions", PositionList(account=MAIN, positions=(position("=HYPERLINK(1)"), position("ETHUSDT")))
    )
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "positions")
    table.filter.setText("main")
    rows = list(csv.DictReader(io.StringIO(table.csv_text(with_amounts=True))))
    bare = list(csv.DictReader(io.StringIO(table.csv_text(with_amounts=False))))

    assert [row["instrument"] for row in rows] == ["'=HYPERLINK(1)", "ETH-USDT"]
    assert rows[0]["size"] == "0.5"
    assert {row["size"] for row in bare} == {""}
    assert bare[0]["entry_price"] == "96000"


def test_sorting_is_by_value_with_the_unknown_last_both_ways(opened: Opened) -> None:
    sample, _ = opened
    table = table_of(sample, "positions")
    column = [one.name for one in table.model.columns].index("liquidation_price")
    for order, wanted in (
        (Qt.SortOrder.AscendingOrder, ["3,498.70", "87,312.4", DASH]),
        (Qt.SortOrder.DescendingOrder, ["87,312.4", "3,498.70", DASH]),
    ):
        table.table.sortByColumn(column, order)
        assert [table.proxy.index(row, column).data() for row in range(3)] == wanted


def test_what_is_late_is_not_believable_and_its_age_is_said(opened: Opened) -> None:
    sample, accounts = opened
    sample.clock.now_s += 100
    accounts.fail(MAIN, "positions", kind=ErrorKind.TIMEOUT, text="Bitunix did not answer within 8 s.")
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "positions")
    main, vault = table.chips.chips

    assert not table.model.row_at(0).is_believable
    assert main.is_failed
    assert main.text.startswith("failing, ")
    assert "did not answer" in main.story
    assert vault.verdict.value == "late"
    assert texts(table, 0)["age_s"] == "2 min"


@pytest.mark.parametrize(
    ("prepare", "said", "has_button"),
    [
        (lambda accounts: accounts.board.accounts.set_refs(()), "No account yet", True),
        (lambda accounts: None, "Waiting for the first reply", False),
        (lambda accounts: accounts.board.accounts.set_access(MAIN, Access.OPENING), "Waiting for the keyring", False),
        (
            lambda accounts: accounts.board.accounts.set_access(MAIN, Access.CLOSED, "The keyring is locked."),
            "main: The keyring is locked.",
            True,
        ),
        (lambda accounts: accounts.fail(MAIN), "does not know this API key", True),
        (lambda accounts: accounts.fail(MAIN, kind=ErrorKind.TIMEOUT, text="No answer in 8 s."), "No answer", False),
        (
            lambda accounts: accounts.fail(MAIN, kind=ErrorKind.BUDGET, text="bitunix: waiting"),
            "main: Waiting for our own share of the rate limit",
            False,
        ),
        (
            lambda accounts: accounts.fail(
                MAIN,
                kind=ErrorKind.BUDGET,
                text="Bitunix is unavailable (HTTP 503)",
                pause=PauseCause.UNAVAILABLE,
            ),
            "main: Bitunix is unavailable (HTTP 503)",
            False,
        ),
    ],
)
def test_an_empty_table_says_what_to_do(
    window_factory: WindowFactory, prepare: Callable[[SampleAccounts], None], said: str, has_button: bool
) -> None:
    sample = window_factory(seconds=1)
    sample.window.show()
    accounts = SampleAccounts(sample.board, sample.clock)
    prepare(accounts)
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "positions")

    assert said in table.empty_label.text()
    assert table.empty_button.isVisibleTo(table) is has_button


def test_of_several_failures_the_one_that_can_be_mended_is_told(window_factory: WindowFactory) -> None:
    sample = window_factory(seconds=1)
    sample.window.show()
    accounts = SampleAccounts(sample.board, sample.clock)
    accounts.fail(MAIN, kind=ErrorKind.BUDGET, text="bitunix: waiting")
    accounts.fail(VAULT, "clearinghouseState", text="This is not the address of an account.")
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "positions")

    assert table.empty_label.text() == "vault money: This is not the address of an account."
    assert table.empty_button.isVisibleTo(table)


def test_an_empty_list_is_not_waiting(opened: Opened) -> None:
    sample, accounts = opened
    sample.board.accounts.set_refs((MAIN,))
    sample.clock.now_s += 1
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=()))
    sample.window.panels.accounts.refresh_all()

    assert table_of(sample, "positions").empty_label.text() == "No open positions."


def test_a_list_that_is_not_whole_yet_is_never_called_empty(opened: Opened) -> None:
    sample, accounts = opened
    sample.clock.now_s += 1
    accounts.deliver(MAIN, "orders", OrderList(account=MAIN, orders=()))
    accounts.deliver(VAULT, "frontendOpenOrders", OrderList(account=VAULT, orders=(), is_complete=False))
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "orders")
    whole, partial = table.chips.chips

    assert table.empty_label.text().startswith("No open orders of vault money so far")
    assert "not all yet" not in whole.text
    assert partial.text.endswith("not all yet")
    assert "there may be more" in partial.story


@pytest.mark.parametrize(
    ("entry", "shown"), [("93547.690854", "93,547.69"), ("0.41230049", "0.4123"), ("96000.000", "96,000")]
)
def test_an_average_on_the_chart_has_the_digits_of_a_price(entry: str, shown: str) -> None:
    level = AccountLevel(
        key=(FIRST, "BTCUSDT"),
        account="main",
        kind=LevelKind.ENTRY,
        price=Decimal(entry),
        size=Decimal(1),
        is_up=True,
        is_current=True,
    )

    assert lines_of((level,), DARK, scale_of={}, is_covered=True)[0].label == f"main long entry {shown}"


def test_the_chart_gets_entries_liquidations_and_orders_and_no_size_when_hidden(opened: Opened) -> None:
    sample, _ = opened
    key = (FIRST, "BTCUSDT")
    levels = account_levels(sample.board.accounts, (key,), sample.clock.now_s)
    assert [(level.kind, level.price) for level in levels] == [
        (LevelKind.ENTRY, Decimal(96_000)),
        (LevelKind.LIQUIDATION, Decimal("87312.4")),
        (LevelKind.ORDER, Decimal(95_000)),
    ]
    shown = lines_of(levels, DARK, scale_of={key: 1.0}, is_covered=False)
    covered = lines_of(levels, DARK, scale_of={key: 1.0}, is_covered=True)

    assert shown[0].label == "main long 0.5 entry 96,000"
    assert covered[0].label == "main long entry 96,000"
    assert shown[2].label == "main buy 0.15 95,000"
    assert len({line.style for line in shown}) == 3
    late = account_levels(sample.board.accounts, (key,), sample.clock.now_s + 60)
    assert not late[0].is_current
    assert lines_of(late, DARK, scale_of={}, is_covered=True)[0].color == DARK.text_muted


def test_the_chart_gets_take_profits_and_stop_losses(opened: Opened) -> None:
    sample, accounts = opened
    key = (FIRST, "BTCUSDT")
    sample.clock.now_s += 1
    opening = open_order("5", take_profit_price=Decimal(99_000), stop_loss_price=Decimal(94_000), filled=None)
    closing = open_order(
        "6",
        side=OrderSide.SELL,
        order_type="stop loss market",
        price=None,
        trigger_price=Decimal(91_000),
        size=Decimal("0.5"),
        filled=None,
    )
    accounts.deliver(MAIN, "orders", OrderList(account=MAIN, orders=(opening,)))
    accounts.deliver(MAIN, "tpsl", OrderList(account=MAIN, orders=(closing,), is_attached=True))
    levels = account_levels(sample.board.accounts, (key,), sample.clock.now_s)
    lines = lines_of(levels, DARK, scale_of={key: 1.0}, is_covered=False)

    assert [(level.kind, level.price, level.is_up) for level in levels][2:] == [
        (LevelKind.ORDER, Decimal(95_000), True),
        (LevelKind.TAKE_PROFIT, Decimal(99_000), False),
        (LevelKind.STOP_LOSS, Decimal(94_000), False),
        (LevelKind.STOP_LOSS, Decimal(91_000), False),
    ]
    labels = [line.label for line in lines]
    assert "main sell 0.2 take profit 99,000" in labels
    assert "main sell 0.2 stop loss 94,000" in labels
    assert "main sell 0.5 stop loss 91,000" in labels
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "orders")
    found = [texts(table, number) for number in range(2)]
    assert (found[0]["take_profit"], found[0]["stop_loss"]) == ("99,000.0", "94,000.0")
    assert (found[1]["type"], found[1]["trigger_price"]) == ("stop loss market", "91,000.0")


def test_a_position_in_a_delisted_contract_has_its_row_and_dashes(opened: Opened) -> None:
    sample, accounts = opened
    sample.clock.now_s += 1
    gone = position("STRAXUSDT", margin_ratio=None)
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(gone, position())))
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "positions")
    delisted, usual = texts(table, 0), texts(table, 1)

    assert (FIRST, "STRAXUSDT") not in sample.board.instruments
    assert delisted["instrument"] == "STRAXUSDT", "the venue's own word, where there is no other"
    assert (delisted["mark_price"], delisted["value"], delisted["liquidation_distance"]) == (DASH, DASH, DASH)
    assert (delisted["size"], delisted["unrealized_pnl"]) == ("0.5", "+706.25")
    assert usual["mark_price"] != DASH
    assert table.totals.lines[-1].sums["value"].known < table.totals.lines[-1].sums["value"].count


def test_the_lines_follow_their_switch(opened: Opened, qtbot: QtBot) -> None:
    sample, _ = opened
    charts = sample.window.charts
    charts.load_plots()
    charts.set_focus((FIRST, "BTCUSDT"))
    plot = charts.price_plot
    assert plot is not None
    assert len(plot._account_lines) >= 3
    plot.grab()
    sample.window.commands_of_user.named["account_lines"].trigger()

    assert plot._account_lines == ()
    assert not sample.window.current_settings().shows_account_lines


def test_two_accounts_of_one_name_are_told_apart_without_their_colour(opened: Opened) -> None:
    sample, accounts = opened
    twin = AccountRef(SECOND, MAIN.name)
    sample.board.accounts.set_refs((MAIN, VAULT, twin))
    accounts.deliver(twin, "positions", PositionList(account=twin, positions=(position(),)))
    sample.window.panels.accounts.refresh_all()
    table = table_of(sample, "positions")

    names = {table.model.text_of(row, 0) for row in table.model.rows if not row.notes}
    assert names == {"main · Bitunix", "main · Hyperliquid"}
    chips = [chip.name for chip in table.chips.chips]
    assert chips == ["main · Bitunix", VAULT.name, "main · Hyperliquid"]
    sample.board.accounts.set_refs((MAIN, VAULT))
    sample.window.panels.accounts.refresh_all()
    assert [chip.name for chip in table.chips.chips] == [MAIN.name, VAULT.name]
