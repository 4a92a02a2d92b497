"""What Bitunix refuses and how it is told: codes, keys, clocks, and nothing that signed a request."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from monitor.domain.credentials import CheckOutcome
from monitor.domain.errors import (
    BudgetExhausted,
    CredentialsRefused,
    EdgeBlocked,
    ErrorKind,
    MonitorError,
    RateLimited,
    TransportError,
    VenueError,
)
from tests.fakes.account_data import (
    KEY,
    SECRET,
    bitunix_account,
    bitunix_account_by,
    bitunix_answer,
    bitunix_data,
    error,
)
from tests.fakes.exchange_data import ok
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

D = Decimal


@pytest.mark.parametrize("code", [0, "0"])
def test_code_0_is_success_as_number_and_as_text(code: object) -> None:
    body = f'{{"code":{"0" if code == 0 else chr(34) + "0" + chr(34)},"data":[]}}'.encode()

    assert bitunix_account(body)[0].fetch_positions().value.positions == ()


@pytest.mark.parametrize(
    ("code", "outcome", "words"),
    [
        (403, CheckOutcome.NO_PERMISSION, "permission"),
        (10003, CheckOutcome.WRONG_KEY, "does not know this API key"),
        (10004, CheckOutcome.IP_NOT_ALLOWED, "IP address"),
        ("10007", CheckOutcome.WRONG_SECRET, "secret does not belong"),
        (100004, CheckOutcome.WRONG_KEY, "does not know"),
        (100008, CheckOutcome.CLOCK_SKEW, "clock"),
        (20014, CheckOutcome.ACCOUNT_CLOSED, "deleted"),
    ],
)
def test_a_refused_key_is_told_precisely(code: int | str, outcome: CheckOutcome, words: str) -> None:
    client, _ = bitunix_account(error(code))

    with pytest.raises(CredentialsRefused, match=words) as caught:
        client.fetch_positions()
    check = client.check()

    assert caught.value.reason == outcome.value
    assert caught.value.kind is ErrorKind.CREDENTIALS
    assert (check.outcome, check.is_ok) == (outcome, False)
    assert words in check.text


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (error(10006), CheckOutcome.RATE_LIMITED),
        (error(10001), CheckOutcome.VENUE_DOWN),
        (Canned(status=503, body=b"<html>down</html>", content_type="text/html"), CheckOutcome.VENUE_DOWN),
        (Canned(status=403, body=b"<html>1010</html>", content_type="text/html"), CheckOutcome.BLOCKED),
        (TransportError("No connection."), CheckOutcome.VENUE_DOWN),
        (b"not json", CheckOutcome.OTHER),
        (ok("odd"), CheckOutcome.OTHER),
        (error(99), CheckOutcome.OTHER),
    ],
)
def test_a_test_tells_the_key_from_the_venue(answer: Answer, outcome: CheckOutcome) -> None:
    check = bitunix_account(answer)[0].check()

    assert (check.outcome, check.is_ok) == (outcome, False)
    assert check.text


def test_a_good_key_is_called_good_with_its_equity() -> None:
    check = bitunix_account()[0].check()

    assert (check.outcome, check.is_ok, check.equity, check.currency) == (CheckOutcome.OK, True, D("990.75"), "USDT")
    assert check.can_trade is None


def test_a_test_waits_for_our_own_budget_but_not_for_ever() -> None:
    waits = [BudgetExhausted("later", available_in_s=wait_s) for wait_s in (0.2, 3.0, 0.0)]
    answers: list[Answer] = [*waits, ok(bitunix_data("account")), waits[0], ok([]), ok({"orderList": [], "total": 0})]
    client, transport = bitunix_account(*answers)
    started_s = transport.clock()

    assert client.check().is_ok
    assert 3.4 <= transport.clock() - started_s < 4.5

    stuck = bitunix_account(BudgetExhausted("later", available_in_s=20.0))[0].check()
    assert stuck.outcome is CheckOutcome.RATE_LIMITED


def test_a_permission_that_is_missing_for_one_read_is_named() -> None:
    def answer(asked: Asked) -> Answer:
        return error(403) if "order" in asked.endpoint.path else bitunix_answer(asked)

    check = bitunix_account_by(answer)[0].check()

    assert check.outcome is CheckOutcome.NO_PERMISSION
    assert "reading orders" in check.text


def strict_clock(skew_s: float, *, is_secret_right: bool = True) -> tuple[Any, FakeTransport]:
    """A venue whose clock is ``skew_s`` ahead of ours and that refuses stamps more than 60 s off."""

    def answer(asked: Asked) -> Answer:
        venue_now = transport.clock.utc_now() + timedelta(seconds=skew_s)
        stamp_ms = int((asked.headers or {})["timestamp"])
        is_fresh = abs(stamp_ms / 1000 - venue_now.timestamp()) < 60
        body = bitunix_answer(asked) if is_fresh and is_secret_right else error(10007, "sign error")
        assert isinstance(body, bytes)
        return Canned(body=body, date=venue_now.replace(microsecond=0))

    client, transport = bitunix_account_by(answer)
    return client, transport


@pytest.mark.parametrize(("skew_s", "word"), [(90.0, "behind"), (-3_600.0, "ahead of")])
def test_a_wrong_clock_is_corrected_for_and_told_with_its_offset(skew_s: float, word: str) -> None:
    client, transport = strict_clock(skew_s)

    check = client.check()

    assert (check.outcome, check.is_ok) == (CheckOutcome.CLOCK_SKEW, True)
    assert check.clock_offset_s == pytest.approx(skew_s, abs=1.2)
    assert check.clock_offset_error_s is not None
    assert check.clock_offset_error_s < 1.0
    assert word in check.text
    assert f"{abs(check.clock_offset_s or 0.0):.1f} s {word}" in check.text
    assert len(transport.asked) == 4


def test_a_wrong_secret_with_a_wrong_clock_is_a_wrong_secret_and_both_are_told() -> None:
    check = strict_clock(300.0, is_secret_right=False)[0].check()

    assert check.outcome is CheckOutcome.WRONG_SECRET
    assert "behind" in check.text


def test_a_wrong_secret_with_a_right_clock_is_tried_once() -> None:
    client, transport = strict_clock(0.0, is_secret_right=False)

    check = client.check()

    assert check.outcome is CheckOutcome.WRONG_SECRET
    assert "clock" not in check.text
    assert len(transport.asked) == 1


def test_a_refusal_inside_http_200_reaches_the_budget() -> None:
    client, transport = bitunix_account(error(10005))

    with pytest.raises(RateLimited):
        client.fetch_positions()

    assert transport.refusals == [("bitunix.positions", None)]


@pytest.mark.parametrize(
    "answer",
    [
        error(10007, f"sign mismatch for {KEY}"),
        error(12345, f"bad key {KEY} secret {SECRET}"),
        Canned(status=403, body=f"<html>{KEY}</html>".encode(), content_type="text/html"),
        TransportError(f"failed with {SECRET}", detail=f"header {KEY}"),
        f'{{"code":0,"data":"{SECRET}","{KEY}":1,"{KEY}":2}}'.encode(),
    ],
)
def test_an_error_never_carries_what_signed_the_request(answer: Answer) -> None:
    with pytest.raises(MonitorError) as caught:
        bitunix_account(answer)[0].fetch_positions()

    said = f"{caught.value!r} {caught.value} {caught.value.user_text} {caught.value.detail} {caught.value.args}"
    assert KEY not in said
    assert SECRET not in said
    assert caught.value.__cause__ is None


def test_a_signature_echoed_by_the_venue_is_taken_out() -> None:
    client, _ = bitunix_account_by(lambda asked: error(77777, str((asked.headers or {})["sign"])))

    with pytest.raises(VenueError, match=r"\*\*\*"):
        client.fetch_positions()


def test_a_page_for_people_is_a_block_at_the_edge() -> None:
    with pytest.raises(EdgeBlocked):
        bitunix_account(Canned(status=403, body=b"<html></html>", content_type="text/html"))[0].fetch_fills()
