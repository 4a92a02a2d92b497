"""Closed positions read off executions: each whole or not at all."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from monitor.domain.account import ALL_KEPT, Fill, FillList, FundingPaid, FundingPaidList, OrderSide, PositionSide
from monitor.domain.account_history import PastPosition
from monitor.state.account_rounds import rounds_of
from tests.fakes.account_samples import VAULT

D = Decimal
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def fill(minute: int, change: str, before: str, *, price: str = "100", pnl: str = "0", symbol: str = "BTC") -> Fill:
    """An execution so many minutes before NOW that changed the position by so much; its fee is 1."""
    return Fill(
        fill_id=f"{minute}",
        order_id="1",
        venue_symbol=symbol,
        side=OrderSide.BUY if D(change) > 0 else OrderSide.SELL,
        price=D(price),
        size=abs(D(change)),
        time=NOW - timedelta(minutes=minute),
        fee_paid=D(1),
        fee_asset="USDC",
        realized_pnl=D(pnl),
        position_before=D(before),
    )


def rounds(*newest_first: Fill, payments: tuple[FundingPaid, ...] = ()) -> tuple[PastPosition, ...]:
    funding = FundingPaidList(account=VAULT, payments=payments, complete_since=ALL_KEPT)
    return rounds_of(FillList(account=VAULT, fills=newest_first, tells_sizes=True), funding)


def test_a_position_is_told_from_its_opening_to_its_close() -> None:
    paid = FundingPaid(venue_symbol="BTC", time=NOW - timedelta(minutes=15), amount=D("-0.25"))
    before = replace(paid, time=NOW - timedelta(minutes=50), amount=D(-9))
    (one,) = rounds(
        fill(10, "-2", "2", price="110", pnl="20"),
        fill(20, "-2", "4", price="105", pnl="10"),
        fill(30, "1", "3", price="100"),
        fill(40, "3", "0", price="100"),
        payments=(paid, before),
    )

    assert (one.side, one.max_size, one.entry_price, one.close_price) == (PositionSide.LONG, D(4), D(100), D("107.5"))
    assert (one.fee_paid, one.funding) == (D(4), D("-0.25"))
    assert one.realized_pnl == 30 - 4 - D("0.25"), "net, as the other venue tells it"
    assert (one.opened_at, one.closed_at) == (NOW - timedelta(minutes=40), NOW - timedelta(minutes=10))


def test_a_turn_closes_one_position_and_opens_the_next() -> None:
    second, first = rounds(
        fill(10, "1", "-1", pnl="5"),
        fill(20, "-3", "2", pnl="7"),
        fill(30, "2", "0"),
    )

    assert (first.side, first.max_size, first.realized_pnl) == (PositionSide.LONG, D(2), 7 - 1 - D(2) / 3)
    assert (second.side, second.max_size) == (PositionSide.SHORT, D(1))
    assert second.realized_pnl is not None
    assert second.realized_pnl == 5 - 1 - D(1) / 3
    assert second.position_id != first.position_id


def test_what_is_still_open_or_began_before_the_list_is_left_out() -> None:
    assert rounds(fill(10, "1", "0")) == ()
    assert rounds(fill(10, "-2", "2", pnl="5")) == ()


def test_a_missing_execution_costs_only_its_own_position() -> None:
    found = rounds(
        fill(5, "-1", "1", pnl="3"),
        fill(6, "1", "0"),
        fill(10, "-4", "4", pnl="20"),  # the one that made 4 of 3 is missing
        fill(40, "3", "0"),
    )

    assert [one.closed_at for one in found] == [NOW - timedelta(minutes=5)]


def test_executions_of_one_instant_are_put_in_order_by_their_sizes() -> None:
    together = (fill(20, "1", "0"), fill(20, "1", "2"), fill(20, "1", "1"))

    (one,) = rounds(fill(10, "-3", "3", pnl="6"), *together)

    assert (one.max_size, one.realized_pnl) == (D(3), D(2))


def test_an_unknown_part_makes_the_result_unknown_and_hides_nothing() -> None:
    (one,) = rounds(replace(fill(10, "-1", "1"), realized_pnl=None), fill(20, "1", "0"))
    assert one.realized_pnl is None
    assert one.fee_paid == 2
    listed = FillList(account=VAULT, fills=(fill(10, "-1", "1", pnl="4"), fill(20, "1", "0")), tells_sizes=True)
    (one,) = rounds_of(listed, FundingPaidList(account=VAULT, payments=(), complete_since=NOW))
    assert (one.funding, one.realized_pnl) == (None, None), "payments are not known back to the opening"


def test_a_forced_close_is_told_and_spot_is_no_position() -> None:
    forced = replace(fill(10, "-1", "1", pnl="-50"), is_liquidation=True)
    (one,) = rounds(forced, fill(20, "1", "0"), fill(10, "-1", "1", symbol="@107"), fill(20, "1", "0", symbol="@107"))

    assert (one.venue_symbol, one.liquidated_size) == ("BTC", D(1))
