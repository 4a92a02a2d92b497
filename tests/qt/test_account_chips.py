"""The line of accounts above a table: what fails comes first, and what there is no room for is counted."""

from collections.abc import Sequence

import pytest
from pytestqt.qtbot import QtBot

from monitor.state.verdict import Verdict
from monitor.widgets.account_chips import AccountChips, Chip
from monitor.widgets.theme import DARK


def chip(name: str, *, is_failed: bool = False) -> Chip:
    text = "failing" if is_failed else "0.0–0.1 s"
    return Chip("bitunix", name, text, Verdict.LIVE, f"The story of {name}.", is_failed=is_failed)


NAMES = ("main", "swing", "scalp", "hedge", "vault", "flat")


@pytest.fixture
def chips(qtbot: QtBot) -> AccountChips:
    made = AccountChips(DARK)
    qtbot.addWidget(made)
    made.show()
    return made


def shown(chips: AccountChips, width_px: int, failing: Sequence[str] = ()) -> list[str]:
    """Names of the accounts drawn at this width."""
    chips.set_chips([chip(name, is_failed=name in failing) for name in NAMES])
    chips.resize(width_px, chips.sizeHint().height())
    return [one.name for one in chips.shown_chips]


def test_all_are_shown_in_the_users_order_where_there_is_room(chips: AccountChips) -> None:
    assert shown(chips, 1_200) == list(NAMES)


def test_what_fails_is_seen_however_little_room_there_is(chips: AccountChips) -> None:
    for width_px in (1_200, 400, 120, 60):
        assert shown(chips, width_px, failing=["flat"])[0] == "flat"
        picture = chips.grab().toImage()
        places = [(x, y) for x in range(picture.width()) for y in range(picture.height())]
        inks = [picture.pixelColor(x, y) for x, y in places]
        assert any(ink.red() > 170 and ink.red() > ink.green() + 70 for ink in inks), "in the colour of an error"


def test_fewer_are_shown_as_it_gets_narrow_and_the_rest_is_counted(chips: AccountChips) -> None:
    counts = [len(shown(chips, width_px)) for width_px in range(1_200, 60, -20)]

    assert counts[0] == len(NAMES)
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1
    narrow = shown(chips, 200)
    assert len(narrow) < len(NAMES)
    assert all(name in chips.accessibleName() and name in chips.toolTip() for name in NAMES)
    with_count = chips.grab().toImage()
    chips.set_chips([chip(name) for name in narrow])
    assert with_count != chips.grab().toImage(), "a count stands behind them"


def test_without_accounts_there_is_nothing(chips: AccountChips) -> None:
    chips.set_chips(())
    chips.grab()

    assert chips.shown_chips == ()
