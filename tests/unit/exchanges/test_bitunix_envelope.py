"""What Bitunix's replies are wrapped in: success, its codes for failures, and pages for people."""

from decimal import Decimal

import pytest

from monitor.domain.errors import EdgeBlocked, ErrorKind, PayloadError, RateLimited, UnknownInstrument, VenueError
from tests.fakes.exchange_data import as_bytes, bitunix, reply_bytes, reply_json
from tests.fakes.fake_transport import Canned


@pytest.mark.parametrize("code", [0, "0"])
@pytest.mark.parametrize("message", ["Success", "success", "result.success", "", None])
def test_success_is_told_by_code_zero_alone(code: object, message: object) -> None:
    body = reply_json("bitunix", "tickers") | {"code": code, "msg": message}
    client, _ = bitunix(as_bytes(body))

    assert client.fetch_quotes().value.quotes[0].last == Decimal("91251.1")


def test_an_error_inside_http_200_is_an_error() -> None:
    client, _ = bitunix(as_bytes({"code": 10002, "data": None, "msg": "Success"}))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.venue_code == "10002"
    assert not caught.value.is_retryable


@pytest.mark.parametrize("code", [20001, 20012, 20015, "20015"])
def test_a_delisted_or_unknown_symbol_is_an_unknown_instrument(code: object) -> None:
    client, _ = bitunix(as_bytes({"code": code, "data": None, "msg": "this Futures is not allowed to trade."}))

    with pytest.raises(UnknownInstrument):
        client.fetch_order_book("GONEUSDT")


def test_an_unknown_path_comes_as_code_404_inside_http_200() -> None:
    client, _ = bitunix(as_bytes({"code": 404, "data": None, "msg": "Not Found"}))

    with pytest.raises(VenueError, match="code 404"):
        client.fetch_quotes()


@pytest.mark.parametrize("code", [10005, 10006])
def test_a_refusal_inside_http_200_reaches_the_budget(code: int) -> None:
    client, transport = bitunix(as_bytes({"code": code, "data": None, "msg": "too fast"}))

    with pytest.raises(RateLimited) as caught:
        client.fetch_quotes()
    assert transport.refusals == [("bitunix.tickers", None)]
    assert caught.value.retry_after_s is None


def test_a_429_is_left_to_the_transport_and_keeps_its_hint() -> None:
    client, transport = bitunix(Canned(status=429, body=b"", content_type="", retry_after_s=7.0))

    with pytest.raises(RateLimited) as caught:
        client.fetch_quotes()
    assert caught.value.retry_after_s == 7.0
    assert transport.refusals == []


@pytest.mark.parametrize("code", [1, 10001])
def test_a_network_error_of_the_venue_may_pass(code: int) -> None:
    client, _ = bitunix(as_bytes({"code": code, "data": None, "msg": "Network Error"}))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.is_retryable


def test_an_unknown_code_is_a_failure_with_its_text() -> None:
    client, _ = bitunix(as_bytes({"code": 200014, "data": None, "msg": "Existing\u202e positions\n"}))

    with pytest.raises(VenueError, match=r"error 200014: Existing positions$"):
        client.fetch_quotes()


def test_an_error_text_may_come_as_message_and_without_data() -> None:
    client, _ = bitunix(as_bytes({"code": 777777, "message": "Order not found"}))

    with pytest.raises(VenueError, match="Order not found"):
        client.fetch_quotes()


def test_an_error_with_data_of_another_type_is_still_told_by_its_code() -> None:
    client, _ = bitunix(as_bytes({"code": 20015, "data": "gone", "msg": ""}))

    with pytest.raises(UnknownInstrument):
        client.fetch_quotes()


@pytest.mark.parametrize("body", [b'{"code":0}', b'{"code":0,"data":null}', b'{"code":0,"data":{}}'])
def test_success_without_its_data_names_the_field(body: bytes) -> None:
    client, _ = bitunix(body)

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert (caught.value.endpoint, caught.value.path) == ("bitunix.tickers", "data")


@pytest.mark.parametrize("code", [None, True, "", "zero", [], 10**400, "9" * 500])
def test_a_code_that_is_none_is_a_payload_error(code: object) -> None:
    client, _ = bitunix(as_bytes({"code": code, "data": [], "msg": ""}))

    with pytest.raises(PayloadError):
        client.fetch_quotes()


def test_a_page_with_403_is_blocked_at_the_edge_and_never_quoted() -> None:
    page = b"<!DOCTYPE html><html><body>error 1010 <script>alert(1)</script></body></html>"
    client, _ = bitunix(Canned(status=403, body=page, content_type="text/html; charset=UTF-8"))

    with pytest.raises(EdgeBlocked) as caught:
        client.fetch_quotes()
    assert caught.value.kind is ErrorKind.BLOCKED
    assert "1010" not in str(caught.value) + caught.value.detail


def test_a_page_with_200_is_blocked_at_the_edge_too() -> None:
    client, _ = bitunix(Canned(status=200, body=b"\n <html>log in</html>", content_type="application/json"))

    with pytest.raises(EdgeBlocked):
        client.fetch_quotes()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_page_with_5xx_may_pass(status: int) -> None:
    client, _ = bitunix(Canned(status=status, body=b"<html>", content_type="text/html"))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.is_retryable
    assert not isinstance(caught.value, EdgeBlocked)


def test_an_http_error_with_an_envelope_is_told_by_its_code() -> None:
    client, _ = bitunix(Canned(status=400, body=as_bytes({"code": 10008, "data": None, "msg": "limit"})))

    with pytest.raises(VenueError) as caught:
        client.fetch_quotes()
    assert caught.value.venue_code == "10008"


def test_an_http_error_cannot_be_a_success() -> None:
    client, _ = bitunix(Canned(status=500, body=reply_bytes("bitunix", "tickers")))

    with pytest.raises(VenueError, match="HTTP 500"):
        client.fetch_quotes()
