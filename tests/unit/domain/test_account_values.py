from decimal import Decimal

import pytest

from monitor.domain.account import Position, PositionSide, liquidation_distance, reachable_liquidation

D = Decimal


def position(side: PositionSide, *, mark: str | None, liquidation: str | None) -> Position:
    return Position(
        venue_symbol="BTCUSDT",
        side=side,
        size=D(1),
        entry_price=D(100),
        mark_price=None if mark is None else D(mark),
        unrealized_pnl=None,
        leverage=None,
        margin_mode=None,
        margin=None,
        liquidation_price=None if liquidation is None else D(liquidation),
        position_id="1",
    )


@pytest.mark.parametrize(
    ("price", "reference", "shown"),
    [
        (None, "100", None),
        ("0", "100", None),
        ("-3", "100", None),
        ("90", "100", "90"),
        ("0.5", "100", "0.5"),
        ("1100", "100", "1100"),
        ("1100.01", "100", None),
        ("4577398.8", "115828.7", None),
        ("4577398.8", None, "4577398.8"),
        ("29.3", "0.12", None),
    ],
)
def test_a_liquidation_price_out_of_reach_is_hidden(
    price: str | None, reference: str | None, shown: str | None
) -> None:
    found = reachable_liquidation(
        None if price is None else D(price), reference_price=None if reference is None else D(reference)
    )

    assert found == (None if shown is None else D(shown))


@pytest.mark.parametrize(
    ("side", "mark", "liquidation", "distance"),
    [
        (PositionSide.LONG, "100", "80", "0.2"),
        (PositionSide.SHORT, "100", "130", "0.3"),
        (PositionSide.LONG, "100", "110", "-0.1"),
        (PositionSide.SHORT, "100", None, None),
        (PositionSide.SHORT, None, "130", None),
        (PositionSide.SHORT, "0", "130", None),
    ],
)
def test_the_distance_to_liquidation_is_a_fraction_of_the_mark(
    side: PositionSide, mark: str | None, liquidation: str | None, distance: str | None
) -> None:
    found = liquidation_distance(position(side, mark=mark, liquidation=liquidation))

    assert found == (None if distance is None else D(distance))


def test_a_newer_mark_counts_for_the_distance() -> None:
    assert liquidation_distance(position(PositionSide.LONG, mark=None, liquidation="80"), D(160)) == D("0.5")
