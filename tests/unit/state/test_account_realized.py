"""PnL since a position was opened, from executions: followed back by size, never guessed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from monitor.domain.account import Fill, OrderSide, Position, PositionSide
from monitor.state.account_figures import position_figures
from monitor.state.account_realized import realized_since_open
from tests.fakes.account_samples import position

D = Decimal
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def fill(minute: int, change: str, before: str, *, pnl: str = "0", fee: str = "1") -> Fill:
    """An execution so many minutes before NOW that changed the position by so much."""
    return Fill(
        fill_id=f"{minute}",
        order_id="1",
        venue_symbol="BTC",
        side=OrderSide.BUY if D(change) > 0 else OrderSide.SELL,
        price=D(100),
        size=abs(D(change)),
        time=NOW - timedelta(minutes=minute),
        fee_paid=D(fee),
        fee_asset="USDC",
        realized_pnl=D(pnl),
        position_before=D(before),
    )


def held(size: str, *, funding: str | None = "-0.5") -> Position:
    """A position whose venue does not add up what it realised."""
    return position(
        "BTC",
        size=abs(D(size)),
        side=PositionSide.LONG if D(size) > 0 else PositionSide.SHORT,
        realized_pnl=None,
        funding=None if funding is None else D(funding),
        unrealized_pnl=D(10),
    )


def test_partial_closes_and_all_fees_count_back_to_the_opening() -> None:
    fills = [
        fill(1, "-1", "3", pnl="20"),
        fill(2, "2", "1"),
        fill(3, "1", "0"),
        fill(9, "-5", "5", pnl="999", fee="9"),  # of the position before
    ]

    assert realized_since_open(held("2"), fills) == D(20) - 3 - D("0.5")
    assert position_figures(held("2"), None, 0.0, fills).since_open == D(10) + D(20) - 3 - D("0.5")


def test_a_fill_that_turned_the_position_opened_it_with_its_share_of_the_fee() -> None:
    fills = [fill(1, "-1", "-2"), fill(2, "-4", "2", pnl="50", fee="4"), fill(3, "2", "0")]

    assert realized_since_open(held("-3"), fills) == -1 - D(4) * 2 / 4 - D("0.5")


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_fills_of_one_instant_are_put_in_order_by_their_sizes(is_newest_first: bool) -> None:
    together = [fill(2, "1", "2"), fill(2, "1", "1"), fill(2, "1", "0")]
    fills = [fill(1, "-2", "3", pnl="4"), *(together if is_newest_first else together[::-1])]

    assert realized_since_open(held("1"), fills) == D(4) - 4 - D("0.5")


@pytest.mark.parametrize(
    ("fills", "why"),
    [
        ([], "none is known"),
        ([fill(1, "1", "1")], "they do not reach back to the opening"),
        ([fill(1, "1", "1"), fill(3, "0.5", "0")], "one on the way is missing"),
        ([fill(1, "1", "2"), fill(2, "2", "0")], "they are newer than the position"),
        ([replace(fill(1, "2", "0"), fee_paid=None)], "a fee is not known"),
        ([replace(fill(1, "2", "0"), position_before=None)], "the venue does not tell the size before"),
        ([replace(fill(1, "2", "0"), side=None)], "a side is not known"),
        ([replace(fill(1, "-1", "3"), realized_pnl=None), fill(2, "3", "0")], "a profit is not known"),
    ],
)
def test_what_cannot_be_followed_back_is_unknown(fills: list[Fill], why: str) -> None:
    assert realized_since_open(held("2"), fills) is None, why
    assert position_figures(held("2"), None, 0.0, fills).since_open is None


def test_unknown_funding_is_not_0() -> None:
    assert realized_since_open(held("2", funding=None), [fill(1, "2", "0")]) is None


def test_a_fee_in_the_coin_is_worth_what_the_coin_cost() -> None:
    opened = replace(fill(1, "2", "0"), fee_asset="BTC", fee_paid=D("0.01"))

    assert realized_since_open(held("2"), [opened]) == -D("0.01") * 100 - D("0.5")


def test_the_venues_own_figure_comes_first() -> None:
    own = replace(held("2"), realized_pnl=D("-21.5"))

    assert realized_since_open(own, []) == D("-21.5")
