"""Sums per venue and of all: seen at the default height of the window, one line each where there is room."""

from decimal import Decimal

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from monitor.domain.account import FillList, OrderList, PositionList, WalletApart
from monitor.qtmodels.account_columns import COVERED
from monitor.qtmodels.account_model import LATE_ROLE
from monitor.qtmodels.figures import DASH
from monitor.widgets.account_panels import NAMES
from monitor.widgets.account_table import LOW_TABLE_PX, AccountTable
from monitor.widgets.theme import DARK, LIGHT, Theme
from tests.fakes.account_samples import MAIN, VAULT, SampleAccounts, fills, order, position
from tests.fakes.sample_window import SampleWindow
from tests.qt.conftest import WindowFactory


@pytest.fixture
def sample(window_factory: WindowFactory) -> SampleWindow:
    """A window with two accounts, in the layout of a first start."""
    made = window_factory(seconds=5)
    made.window.resize(1280, 720)
    made.window.show()
    made.window.reset_layout()
    SampleAccounts(made.board, made.clock).fill_in()
    return made


def shown(sample: SampleWindow, name: str) -> AccountTable:
    """The table ``name``, brought to the front and fed."""
    sample.window.docks[name].raise_()
    QApplication.processEvents()
    sample.window.panels.accounts.refresh()
    QApplication.processEvents()
    return sample.window.panels.accounts.tables[name]


def all_line(table: AccountTable) -> dict[str, str]:
    """The line of all, by column name."""
    line = table.totals.rowCount() - 1
    return {
        column.name: str(table.totals.index(line, at).data(Qt.ItemDataRole.DisplayRole))
        for at, column in enumerate(table.model.columns)
    }


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("positions", "unrealised +354.41", "unrealised +412.90"),
        ("orders", "value left 14,250.00", "value left 28,985.00"),
        ("balances", "equity 15,420.75", "equity 40,210.50"),
        ("fills", "realised +55.50", "realised 0.00"),
    ],
)
def test_each_venues_sums_are_seen_at_the_default_height(
    sample: SampleWindow, size: tuple[int, int], name: str, first: str, second: str
) -> None:
    sample.window.resize(*size)
    sample.window.reset_layout()
    table = shown(sample, name)
    sums = table.venue_sums

    assert table.height() < LOW_TABLE_PX, "this is the case where a line each does not fit"
    assert all_line(table)["account"] == "All"
    assert sums.isVisible()
    assert not sums.visibleRegion().isEmpty()
    assert sums.geometry().bottom() < table.footer.geometry().top() <= table.rect().bottom()
    assert sums.shown_figures >= 1
    assert [venue.title for venue in sums.venues] == ["Bitunix", "Hyperliquid"]
    told = sums.accessibleName()
    assert first in told.partition(";")[0]
    assert second in told.partition(";")[2]
    assert table.table.viewport().height() >= 2 * table.table.verticalHeader().defaultSectionSize(), "rows keep room"


def test_realised_today_of_each_venue_has_room_on_a_small_screen(sample: SampleWindow) -> None:
    sums = shown(sample, "balances").venue_sums
    titles = [figure.title for figure in sums.venues[0].figures[: sums.shown_figures]]

    assert titles[:4] == ["Equity", "Available", "Unrealised", "Realised today"]


def test_a_high_table_has_a_line_for_each_venue_in_the_columns(sample: SampleWindow) -> None:
    table = shown(sample, "positions")
    assert table.totals.rowCount() == 1
    table.resize(table.width(), LOW_TABLE_PX + 40)

    assert not table.venue_sums.isVisibleTo(table)
    assert [table.totals.index(line, 0).data() for line in range(3)] == ["Bitunix", "Hyperliquid", "All"]


def test_one_venue_alone_has_no_line_that_says_the_same_twice(sample: SampleWindow) -> None:
    sample.board.accounts.set_refs((MAIN,))
    table = shown(sample, "positions")

    assert all_line(table)["unrealized_pnl"] == "+354.41"
    assert table.venue_sums.venues == ()
    assert not table.venue_sums.isVisibleTo(table)


def test_hidden_amounts_are_not_in_the_venues_line(sample: SampleWindow) -> None:
    sample.window.commands_of_user.named["hide_amounts"].trigger()
    for name in NAMES:
        sums = shown(sample, name).venue_sums
        said = sums.accessibleName() + sums.toolTip()
        figures = [figure for venue in sums.venues for figure in venue.figures]

        assert figures
        assert {figure.text for figure in figures} == {COVERED}
        assert {figure.value for figure in figures} == {None}
        assert not any(amount in said for amount in ("354.41", "412.9", "15,420", "40,210", "55.5"))


def test_a_sum_that_misses_a_part_is_marked_and_explained(sample: SampleWindow) -> None:
    sums = shown(sample, "positions").venue_sums

    assert sums.venues[1].figures[0].text == "+412.90 *"
    assert "Only 1 of 2 are known" in sums.toolTip()
    assert "Dollar coins" in sums.toolTip()


@pytest.mark.parametrize("name", ["positions", "orders", "fills"])
def test_a_sum_without_the_rows_of_an_account_is_marked_and_explained(window_factory: WindowFactory, name: str) -> None:
    made = window_factory(seconds=5)
    made.window.show()
    accounts = SampleAccounts(made.board, made.clock)
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(position(),)))
    accounts.deliver(MAIN, "orders", OrderList(account=MAIN, orders=(order(),)))
    accounts.deliver(MAIN, "trades", FillList(account=MAIN, fills=fills(made.clock.at(0.0))))
    table = shown(made, name)
    last = table.totals.rowCount() - 1
    columns = [column.total for column in table.model.columns]
    summed = table.totals.index(last, columns.index("value"))

    assert all_line(table)["instrument"].endswith(" so far")
    assert str(summed.data()).endswith(" *")
    assert "Of 1 account(s) not everything was read" in str(summed.data(Qt.ItemDataRole.ToolTipRole))
    assert not table.venue_sums.venues[0].figures[0].text.endswith("*"), "its own venue is whole"

    made.board.accounts.set_refs((MAIN,))
    table = shown(made, name)
    assert all_line(table)["instrument"].endswith(" in all")


def test_a_venue_known_to_hold_nothing_sums_up_to_0_and_one_not_read_yet_to_a_dash(sample: SampleWindow) -> None:
    """The accounts of one venue hold something, so there is a line of sums for both."""
    accounts = SampleAccounts(sample.board, sample.clock)
    accounts.deliver(VAULT, "account", PositionList(account=VAULT, positions=()))
    accounts.deliver(VAULT, "orders", OrderList(account=VAULT, orders=()))
    accounts.deliver(VAULT, "trades", FillList(account=VAULT, fills=()))
    told = {name: shown(sample, name).venue_sums.venues[1] for name in ("positions", "orders", "fills")}

    for venue in told.values():
        assert {figure.text for figure in venue.figures} == {"0.00"}
        assert {figure.value for figure in venue.figures} == {0}

    sample.board.accounts.renew(VAULT, sample.clock())
    unread = shown(sample, "positions").venue_sums.venues[1]

    assert {figure.text for figure in unread.figures} == {DASH}
    assert {figure.value for figure in unread.figures} == {None}


def test_a_narrow_line_shows_fewer_figures_of_every_venue(sample: SampleWindow) -> None:
    sums = shown(sample, "positions").venue_sums
    assert sums.shown_figures == 4
    sums.resize(700, sums.height())
    assert 1 <= sums.shown_figures < 4
    sums.resize(90, sums.height())
    assert sums.shown_figures == 0
    picture = sums.grab().toImage()

    assert len({picture.pixel(x, picture.height() // 2) for x in range(picture.width())}) > 2, "names are drawn"


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize("height_px", [143, LOW_TABLE_PX + 40])
def test_a_sum_of_late_figures_is_never_green(window_factory: WindowFactory, theme: Theme, height_px: int) -> None:
    made = window_factory(seconds=5, theme=theme)
    made.window.show()
    accounts = SampleAccounts(made.board, made.clock)
    accounts.fill_in()
    table = shown(made, "positions")
    table.resize(1_200, height_px)
    QApplication.processEvents()
    green = QColor(theme.up)

    def greens() -> int:
        """Pixels of the sums that are as good as green."""
        found = 0
        for part in (table.footer, table.venue_sums):
            picture = part.grab().toImage()
            for x in range(picture.width()):
                for y in range(picture.height()):
                    color = picture.pixelColor(x, y)
                    apart = (color.red() - green.red(), color.green() - green.green(), color.blue() - green.blue())
                    found += max(abs(one) for one in apart) < 40
        return found

    assert greens() > 20, "gains are green while they are current"
    made.clock.now_s += 100
    made.window.panels.accounts.refresh_all()

    assert greens() == 0
    columns = [column.name for column in table.model.columns]
    tip = table.totals.index(0, columns.index("unrealized_pnl")).data(Qt.ItemDataRole.ToolTipRole)
    assert "A part of it is late" in tip


def test_one_venue_that_is_late_makes_its_own_sum_and_that_of_all_late(sample: SampleWindow) -> None:
    sample.clock.now_s += 100
    accounts = SampleAccounts(sample.board, sample.clock)
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(position(),)))
    table = shown(sample, "positions")
    first, second = table.venue_sums.venues

    assert [figure.is_late for figure in first.figures if figure.title != "Value"] == [False] * 3
    assert all(figure.is_late for figure in second.figures)
    assert "Hyperliquid: unrealised +412.90 * (late)" in table.venue_sums.accessibleName()
    margin = [column.name for column in table.model.columns].index("margin")
    assert table.totals.index(0, margin).data(LATE_ROLE) is True


def test_a_value_of_an_old_mark_makes_the_sum_of_values_late_and_no_other(sample: SampleWindow) -> None:
    sample.clock.now_s += 100
    accounts = SampleAccounts(sample.board, sample.clock)
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(position(),)))
    first = shown(sample, "positions").venue_sums.venues[0]

    assert [figure.title for figure in first.figures if figure.is_late] == ["Value"]


def test_unrealised_says_which_wallets_are_in_it(sample: SampleWindow) -> None:
    model = shown(sample, "balances").model
    names = [column.name for column in model.columns]

    def told(name: str) -> str:
        text = model.headerData(names.index(name), Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)
        return " ".join(str(text).split())

    assert "USDT wallet" in told("unrealized_pnl")
    assert "USDC, are not in it" in told("unrealized_pnl")
    assert "positions of every wallet" in told("pnl_since_open")


def test_a_sum_without_a_wallet_has_a_star_and_names_the_wallet(sample: SampleWindow) -> None:
    sample.clock.now_s += 1
    accounts = SampleAccounts(sample.board, sample.clock)
    apart = WalletApart(
        name="USDC wallet", currency="USDC", available=Decimal(9), unrealized_pnl=Decimal("5.4"), margin_used=Decimal(0)
    )
    accounts.deliver(MAIN, "account", accounts.summary_of_main(wallets_apart=(apart,)))
    table = shown(sample, "balances")
    model, names = table.model, [column.name for column in table.model.columns]
    row, unrealized = model.rows[0], names.index("unrealized_pnl")

    assert model.text_of(row, unrealized) == "+354.41 *"
    assert model.text_of(row, names.index("margin_used")) == "6,811.26"
    assert "Without USDC wallet: no price is known in USDT." in model.tooltip_of(row, unrealized)
    assert "In the USDC wallet: +5.40 USDC." in model.tooltip_of(row, unrealized)
    assert all_line(table)["unrealized_pnl"] == "+767.31 *"
    tip = table.totals.index(0, unrealized).data(Qt.ItemDataRole.ToolTipRole)
    assert f"USDC wallet of {MAIN.name}" in " ".join(tip.split())
    table.set_covered(True)
    assert model.text_of(row, unrealized) == COVERED
    assert "+5.40" not in model.tooltip_of(row, unrealized)
