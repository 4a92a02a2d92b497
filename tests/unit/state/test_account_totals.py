"""Rows and sums of accounts: marks, fills that are told apart, totals of several accounts, and what today brought."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from monitor.domain.account import ALL_KEPT, Fill, FillList, FundingPaid, FundingPaidList, PositionList, WalletApart
from monitor.domain.account_history import AccountHistory, AccountPeriod
from monitor.state.account_figures import position_figures, since_open, totals, venue_gain
from monitor.state.account_realized import realized_today
from monitor.state.account_tables import (
    balance_rows,
    fill_rows,
    order_rows,
    order_totals,
    position_rows,
    position_totals,
)
from monitor.state.board import Board
from tests.fakes.account_samples import MAIN, VAULT, fills, position
from tests.fakes.board_samples import SampleClock
from tests.fakes.sample_markets import FIRST
from tests.unit.state.conftest import Sample, name_of

D = Decimal


def listed(*found: Fill) -> FillList:
    """All there are."""
    return FillList(account=MAIN, fills=found, complete_since=ALL_KEPT)


def fill_ids(board: Board, clock: SampleClock) -> list[str]:
    rows = fill_rows(board.accounts, name_of, clock.now_s)
    return [row.fill.fill_id for row in rows if row.fill is not None]


def test_the_mark_of_a_position_without_one_comes_from_the_quotes(sample: Sample) -> None:
    board, clock, _, _ = sample
    quote = board.quote((FIRST, "BTCUSDT"))
    assert quote is not None
    assert quote.mark is not None
    figures = position_figures(position(), quote, clock.now_s)

    assert figures.mark == quote.mark
    assert figures.is_mark_current
    assert figures.distance == (quote.mark - D("87312.4")) / quote.mark
    assert figures.value == quote.mark * D("0.5")
    assert figures.since_open == D("706.25") + D("-21.5"), "fees and funding are in what the venue calls realised"
    clock.now_s += 60
    assert not position_figures(position(), quote, clock.now_s).is_mark_current
    assert position_figures(position(), None, clock.now_s).distance is None
    assert position_figures(position(unrealized_pnl=None), quote, clock.now_s).since_open is None
    own = position_figures(position(mark_price=D(90_000), realized_pnl=None, funding=D(-3)), quote, clock.now_s)
    assert own.mark == 90_000
    assert own.since_open is None, "without its executions, what was realised is not known"


def test_rows_carry_their_problems_and_a_lost_row_is_still_a_row(sample: Sample) -> None:
    board, clock, _, _ = sample
    rows = position_rows(board.accounts, board, name_of, clock.now_s, clock.utc_now())

    assert [row.name for row in rows] == ["bitunix:BTCUSDT", "bitunix:ETHUSDT", "hyperliquid:BTC", "unreadable"]
    assert [len(row.notes) for row in rows] == [0, 0, 1, 1]
    assert "leverage" in rows[2].notes[0]
    assert rows[3].is_lost
    assert len({row.key for row in rows}) == len(rows)
    orders = order_rows(board.accounts, name_of, clock.now_s)
    assert [row.value for row in orders] == [D("0.15") * 95_000, D("0.31") * 93_500]
    assert order_totals(orders, None).sums["value"].value == D(14_250) + D(28_985)
    assert [row.name for row in balance_rows(board.accounts, clock.now_s, clock.utc_now())] == [
        "Account",
        "USDT",
        "Account",
        "USDC",
        "HYPE",
    ]
    assert fill_ids(board, clock) == ["f2", "f1"]


def test_fills_that_share_an_id_are_told_apart(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    first, _ = fills(clock.utc_now())
    # The venue's id is unique only with instrument and time.
    shared = (
        first,
        replace(first, venue_symbol="ETHUSDT"),
        replace(first, time=first.time - timedelta(minutes=1)),
    )
    accounts.deliver(MAIN, "trades", listed(*shared))

    assert fill_ids(board, clock) == ["f2", "f2", "f2"]
    keys = {row.key for row in fill_rows(board.accounts, name_of, clock.now_s)}
    assert len(keys) == 3, "a selection must stay on its own row"
    assert realized_today(board.accounts.states[MAIN], clock.utc_now()) == 3 * (D("55.5") - D("1.94"))


def test_dust_fills_with_id_0_are_told_apart(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    first, _ = fills(clock.utc_now())
    dust = [
        replace(first, fill_id="order 0", order_id="0", venue_symbol=symbol, size=D(size), realized_pnl=D(0))
        for symbol, size in (("@107", "0.01"), ("@142", "0.02"), ("@142", "0.03"))
    ]
    accounts.deliver(MAIN, "trades", listed(*dust))

    assert len(fill_ids(board, clock)) == 3
    assert realized_today(board.accounts.states[MAIN], clock.utc_now()) == 3 * D("-1.94")


def test_a_fill_that_was_sent_twice_counts_once(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    first, second = fills(clock.utc_now())
    accounts.deliver(MAIN, "trades", FillList(account=MAIN, fills=(first, replace(first), second)))

    assert fill_ids(board, clock) == ["f2", "f1"]
    assert realized_today(board.accounts.states[MAIN], clock.utc_now()) == D("55.5") - D("1.94")


def test_sums_say_how_many_parts_they_are_made_of(sample: Sample) -> None:
    board, clock, _, accounts = sample
    rows = position_rows(board.accounts, board, name_of, clock.now_s, clock.utc_now())
    unrealized = position_totals(rows, None).sums["unrealized"]

    assert unrealized.value == D("706.25") + D("-351.84") + D("412.9")
    assert (unrealized.known, unrealized.count) == (3, 4), "the lost row is a part that is not known"
    assert position_totals(rows, FIRST).sums["unrealized"].is_whole
    accounts.deliver(MAIN, "account", accounts.summary_of_main(equity=None))
    equity = totals(tuple(board.accounts), clock.utc_now()).equity
    assert (equity.value, equity.known, equity.count) == (D("40210.5"), 1, 2)


def test_an_equity_without_an_asset_that_has_no_price_is_not_known_in_full(sample: Sample) -> None:
    board, clock, _, accounts = sample
    whole = totals(tuple(board.accounts), clock.utc_now()).equity
    clock.now_s += 1
    accounts.deliver(MAIN, "account", accounts.summary_of_main(unvalued_assets=("USDC",)))
    equity = totals(tuple(board.accounts), clock.utc_now()).equity

    assert whole.is_whole
    assert (equity.value, equity.known, equity.count) == (whole.value, 1, 2)


def test_a_wallet_apart_makes_partial_what_it_has_something_of(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    apart = WalletApart(
        name="USDC wallet", currency="USDC", available=D("2919.93"), unrealized_pnl=D("5.4"), margin_used=D(0)
    )
    accounts.deliver(MAIN, "account", accounts.summary_of_main(wallets_apart=(apart,)))
    found = totals(tuple(board.accounts), clock.utc_now())

    assert [(one.known, one.count) for one in (found.available, found.unrealized)] == [(1, 2)] * 2
    assert found.unrealized.without == (f"USDC wallet of {MAIN.name}",)
    assert found.margin.is_whole, "no margin lies in it"
    row = balance_rows(board.accounts, clock.now_s, clock.utc_now())[0]
    assert {aside.column for aside in row.asides if aside.is_partial} == {"available", "unrealized_pnl"}
    assert "In the USDC wallet: +5.40 USDC." in [aside.text for aside in row.asides if aside.is_amount]


def test_accounts_in_different_dollars_add_up_and_in_other_money_do_not(sample: Sample) -> None:
    board, clock, _, accounts = sample
    both = totals(tuple(board.accounts), clock.utc_now())
    assert both.equity.value == D("55631.25")
    assert both.currency == "USD"
    assert totals(board.accounts.of_venue(FIRST), clock.utc_now(), venue=FIRST).currency == "USDT"

    clock.now_s += 1
    accounts.deliver(MAIN, "account", accounts.summary_of_main(currency="BTC"))

    mixed = totals(tuple(board.accounts), clock.utc_now())
    assert mixed.currency is None
    assert mixed.equity.value is None


def test_a_unified_account_counts_once(sample: Sample) -> None:
    board, clock, _, _ = sample
    vault = totals(board.accounts.of_venue("hyperliquid"), clock.utc_now(), venue="hyperliquid")

    assert vault.equity.value == D("40210.5"), "the positions' margin and PnL are inside the spot balances"


def test_today_is_what_was_realised_since_midnight_utc(sample: Sample) -> None:
    board, clock, _, accounts = sample
    now = clock.utc_now()
    main, vault = board.accounts.states[MAIN], board.accounts.states[VAULT]

    assert realized_today(main, now) == D("55.5") - D("1.94")
    assert realized_today(vault, now) == D("-1.25"), "yesterday's payment is not today's"
    clock.now_s += 1
    newest, _ = fills(now)
    accounts.deliver(MAIN, "trades", listed(replace(newest, realized_pnl=None)))
    assert realized_today(main, now) is None, "a part that is not known is not 0"
    clock.now_s += 1
    in_base = replace(newest, fee_asset="BTC", fee_paid=D("0.00001"))
    accounts.deliver(MAIN, "trades", listed(in_base))
    assert realized_today(main, now) == D("55.5") - D("0.00001") * D("97100.5")
    clock.now_s += 1
    accounts.deliver(MAIN, "trades", FillList(account=MAIN, fills=(newest,)))
    assert realized_today(main, now) is None, "the list may not reach back to midnight"
    clock.now_s += 1
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    short = FillList(account=MAIN, fills=(newest,), complete_since=midnight + timedelta(milliseconds=1))
    accounts.deliver(MAIN, "trades", short)
    assert realized_today(main, now) is None, "it begins after midnight"
    clock.now_s += 1
    whole_life = FundingPaid(venue_symbol="BTC", time=now, amount=D(-50), is_position_total=True)
    accounts.deliver(MAIN, "trades", FillList(account=MAIN, fills=()))
    accounts.deliver(MAIN, "past_positions", FundingPaidList(account=MAIN, payments=(whole_life,)))
    assert realized_today(main, now + timedelta(seconds=1)) == 0


def test_today_is_known_for_each_instrument(sample: Sample) -> None:
    board, clock, _, accounts = sample
    clock.now_s += 1
    newest, _ = fills(clock.utc_now())
    accounts.deliver(MAIN, "trades", listed(newest, replace(newest, venue_symbol="SOLUSDT", realized_pnl=D(7))))
    rows = position_rows(board.accounts.of_venue(FIRST), board, name_of, clock.now_s, clock.utc_now())

    assert [(row.name, row.today) for row in rows] == [
        (f"{FIRST}:BTCUSDT", D("55.5") - D("1.94")),
        (f"{FIRST}:ETHUSDT", D(0)),
    ]
    assert realized_today(board.accounts.states[MAIN], clock.utc_now()) == D("62.5") - 2 * D("1.94")


def test_todays_figure_follows_the_day_and_every_new_list(sample: Sample) -> None:
    board, clock, _, accounts = sample
    now = clock.utc_now()
    main = board.accounts.states[MAIN]
    before = realized_today(main, now)
    assert before == D("55.5") - D("1.94")
    assert realized_today(main, now + timedelta(days=1)) == 0, "the day after, nothing was realised yet"
    assert realized_today(main, now) == before
    clock.now_s += 1
    accounts.deliver(MAIN, "trades", listed(replace(fills(now)[0], realized_pnl=D(7))))
    assert realized_today(main, now) == D(7) - D("1.94")


def test_the_venues_own_day_is_the_last_point_less_the_first(sample: Sample) -> None:
    board, clock, _, accounts = sample
    now = clock.utc_now()
    assert venue_gain(board.accounts.states[VAULT]) is None, "not asked yet is not 0"
    points = ((now - timedelta(days=1), D("2.5")), (now - timedelta(hours=2), D(90)), (now, D("-7.5")))
    day = AccountPeriod(period="day", values=(), pnl=points, volume=None)
    empty = AccountPeriod(period="week", values=(), pnl=(), volume=None)
    accounts.deliver(VAULT, "portfolio", AccountHistory(account=VAULT, periods=(empty, day)))
    (row, *_) = balance_rows(board.accounts.of_venue("hyperliquid"), clock.now_s, now)

    assert row.venue_day == D(-10)
    assert venue_gain(board.accounts.states[VAULT], "week") is None
    assert totals(tuple(board.accounts), now).venue_day.known == 1


def test_an_accounts_pnl_since_open_needs_every_position(sample: Sample) -> None:
    board, clock, _, accounts = sample
    main, vault = board.accounts.states[MAIN], board.accounts.states[VAULT]

    assert since_open(main) == D("706.25") - D("21.5") - D("351.84") - D("4.02")
    assert since_open(vault) is None, "a row of it was lost"
    clock.now_s += 1
    accounts.deliver(MAIN, "positions", PositionList(account=MAIN, positions=(position(unrealized_pnl=None),)))
    assert since_open(main) is None
