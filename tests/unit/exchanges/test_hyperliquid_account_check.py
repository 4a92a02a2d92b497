"""What an address is, what may not be typed as one, and the small reads beside the account."""

from decimal import Decimal

import pytest

from monitor.domain.credentials import CheckOutcome, CredentialInputError
from monitor.domain.errors import BudgetExhausted, PayloadError, TransportError, VenueError
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from tests.fakes.account_data import ADDRESS, hyperliquid_account, hyperliquid_account_by, hyperliquid_answers
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

D = Decimal
PRIVATE_KEY = "4c0883a69102937d" * 4


def test_portfolio_limits_and_sub_accounts() -> None:
    client, _ = hyperliquid_account()

    day, empty = client.fetch_portfolio().value.periods
    limits = client.fetch_limits().value
    (sub,) = client.fetch_sub_accounts().value

    assert (day.period, day.pnl[-1][1], day.values[0][1]) == ("day", D("-20.5"), D(5000))
    assert empty.values == ()
    assert (limits.used, limits.cap, limits.surplus) == (12, 19_000, None)
    assert (sub.name, sub.address.reveal()) == ("second", "0x" + "c3" * 20)


def test_no_sub_accounts_is_said_with_null() -> None:
    assert hyperliquid_account(subAccounts=b"null")[0].fetch_sub_accounts().value == ()


@pytest.mark.parametrize(
    ("role", "outcome", "is_ok", "words"),
    [
        ({"role": "user"}, CheckOutcome.OK, True, "can be read"),
        ({"role": "vault"}, CheckOutcome.OK, True, "vault"),
        ({"role": "subAccount", "data": {"master": "0x" + "ab" * 20}}, CheckOutcome.OK, True, "sub-account"),
        ({"role": "missing"}, CheckOutcome.UNUSED_ADDRESS, True, "never been used"),
        ({"role": "agent", "data": {"user": "0x" + "ab" * 20}}, CheckOutcome.WRONG_ADDRESS, False, "0xabab…abab"),
        (Canned(status=429), CheckOutcome.RATE_LIMITED, False, "too many"),
        (Canned(status=502, body=b"<html>", content_type="text/html"), CheckOutcome.VENUE_DOWN, False, "unavailable"),
        (TransportError("No connection."), CheckOutcome.VENUE_DOWN, False, "No connection"),
        (b"[]", CheckOutcome.OTHER, False, "object"),
    ],
)
def test_a_test_says_what_the_address_is(role: object, outcome: CheckOutcome, is_ok: bool, words: str) -> None:
    check = hyperliquid_account(userRole=role)[0].check()

    assert (check.outcome, check.is_ok) == (outcome, is_ok)
    assert words in check.text
    assert check.can_trade is False
    assert ADDRESS.lower()[2:] not in check.text


def test_a_test_names_no_equity_that_lacks_a_token() -> None:
    whole = hyperliquid_account()[0].check()
    partial = hyperliquid_account(allMids=BudgetExhausted("later", available_in_s=60.0))[0].check()

    assert whole.equity is not None
    assert partial.is_ok
    assert partial.equity is None


def test_an_address_echoed_by_the_venue_is_taken_out() -> None:
    def answer(asked: Asked) -> Answer:
        return Canned(status=422, body=b"bad user " + ADDRESS.encode(), content_type="text/plain")

    with pytest.raises(VenueError) as caught:
        hyperliquid_account_by(answer)[0].fetch_snapshot()

    assert ADDRESS.lower()[2:] not in f"{caught.value} {caught.value.detail} {caught.value.args}".lower()
    assert "***" in caught.value.detail


@pytest.mark.parametrize("name", ["main", PRIVATE_KEY, f"0x{PRIVATE_KEY}"])
@pytest.mark.parametrize("address", [PRIVATE_KEY, f"0x{PRIVATE_KEY}", f" 0x{PRIVATE_KEY[:32]} {PRIVATE_KEY[32:]}"])
def test_a_private_key_in_any_field_or_the_name_is_refused_with_the_reason(name: str, address: str) -> None:
    venue = ACCOUNT_VENUES["hyperliquid"]

    with pytest.raises(CredentialInputError, match="private key"):
        venue.make_credentials(name, {"address": address})
    with pytest.raises(CredentialInputError, match="private key"):
        venue.make_credentials("main", {"address": ADDRESS, "note": PRIVATE_KEY})


def test_the_registry_builds_this_client() -> None:
    venue = ACCOUNT_VENUES["hyperliquid"]
    made = venue.make_credentials("main", {"address": f" {ADDRESS} "})
    transport = FakeTransport(venue="hyperliquid", responder=hyperliquid_answers())

    client = venue.make_client(transport, made)

    assert client.fetch_snapshot().value.summary.equity == D("6304.81")
    assert [field.title for field in venue.fields] == ["Public address"]
    with pytest.raises(CredentialInputError, match="missing"):
        venue.make_credentials("main", {})


def test_a_reply_that_is_no_list_is_an_error() -> None:
    with pytest.raises(PayloadError):
        hyperliquid_account(userFills={"a": 1})[0].fetch_fills()
