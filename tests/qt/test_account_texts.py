"""What the accounts dialog says of a test: the mark, what is wrong, the clock's offset, what the key may do."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from monitor.domain.credentials import AccountCheck, AccountRef, CheckOutcome, CredentialProblem
from monitor.qtmodels.account_service import AccountAnswer
from monitor.qtmodels.account_texts import FAILED_MARK, OK_MARK, WARNING_MARK, answer_mark, answer_text, check_text

MAIN = AccountRef("bitunix", "main")
FINE = AccountCheck(
    account=MAIN,
    outcome=CheckOutcome.OK,
    is_ok=True,
    text="The account can be read.",
    equity=Decimal("15420.756"),
    currency="USDT",
)
SKEWED = replace(FINE, outcome=CheckOutcome.CLOCK_SKEW, text="The key and its secret are right.", clock_offset_s=42.31)


def answer_of(check: AccountCheck) -> AccountAnswer:
    return AccountAnswer(what="test", ref=MAIN, is_ok=check.is_ok, text=check.text, check=check)


@pytest.mark.parametrize(
    ("offset_s", "error_s", "said"),
    [
        (42.31, 0.6, "It is 42.3 s (± 0.6 s) behind the venue's."),
        (-42.31, 0.6, "It is 42.3 s (± 0.6 s) ahead of the venue's."),
        (42.31, None, "It is 42.3 s behind the venue's."),
    ],
)
def test_a_wrong_clock_is_a_warning_with_the_measured_offset(offset_s: float, error_s: float | None, said: str) -> None:
    check = replace(SKEWED, clock_offset_s=offset_s, clock_offset_error_s=error_s)

    assert answer_mark(answer_of(check)) == WARNING_MARK
    assert check_text(check, hides_amounts=True).startswith("The clock of this computer is wrong.")
    assert said in check_text(check, hides_amounts=True)


def test_an_offset_that_the_sentence_has_already_is_not_said_twice() -> None:
    told = "This computer's clock is 42.3 s behind Bitunix's (give or take 0.6 s): set it."

    assert check_text(replace(SKEWED, text=told), hides_amounts=True).count("42.3 s") == 1


def test_a_wrong_clock_that_nobody_measured_has_no_offset() -> None:
    assert " s behind" not in check_text(replace(SKEWED, clock_offset_s=None), hides_amounts=True)


@pytest.mark.parametrize(
    ("can_trade", "said"),
    [
        (None, "The venue does not tell what a key may do: make sure that this one is read-only."),
        (True, "This key can trade: a read-only key is safer, and enough here."),
        (False, ""),
    ],
)
def test_what_the_key_may_do_is_said_where_it_matters(can_trade: bool | None, said: str) -> None:
    check = replace(FINE, can_trade=can_trade)
    text = check_text(check, hides_amounts=False)

    assert check.permission_hint == said
    assert said in text
    assert ("read-only" in text) is bool(said)
    assert "read-only" not in check_text(
        replace(check, is_ok=False, outcome=CheckOutcome.WRONG_KEY), hides_amounts=True
    )


def test_the_equity_is_said_unless_amounts_are_hidden() -> None:
    assert "Equity 15,420.76 USDT." in check_text(FINE, hides_amounts=False)
    assert "Equity" not in check_text(FINE, hides_amounts=True)


@pytest.mark.parametrize("outcome", CheckOutcome)
def test_every_outcome_has_words_and_only_a_flawless_one_the_good_mark(outcome: CheckOutcome) -> None:
    works = {CheckOutcome.OK, CheckOutcome.CLOCK_SKEW, CheckOutcome.UNUSED_ADDRESS}
    check = replace(FINE, outcome=outcome, is_ok=outcome in works, text="More.")
    wanted = OK_MARK if outcome is CheckOutcome.OK else WARNING_MARK if outcome in works else FAILED_MARK

    assert answer_mark(answer_of(check)) == wanted
    assert len(check_text(check, hides_amounts=True).partition("More.")[0]) > 8


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (CredentialProblem.LOCKED, "The keyring is locked. Unlock it (log in, or open its own program) and try again."),
        (CredentialProblem.ABSENT, "There is no keyring to keep secrets in. Install and start GNOME Keyring."),
    ],
)
def test_a_keyring_that_fails_is_not_said_twice(problem: CredentialProblem, text: str) -> None:
    answer = AccountAnswer(what="test", ref=MAIN, is_ok=False, text=text, problem=problem)

    assert answer_text(answer, hides_amounts=True) == text
    assert answer_mark(answer) == FAILED_MARK


def test_a_keyring_that_fails_otherwise_is_named_first() -> None:
    answer = AccountAnswer(what="test", ref=MAIN, is_ok=False, text="Try again.", problem=CredentialProblem.DISMISSED)

    assert answer_text(answer, hides_amounts=True) == "The keyring stayed closed. Try again."
