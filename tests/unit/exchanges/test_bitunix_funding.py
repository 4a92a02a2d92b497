"""Every trap of Bitunix's funding rates, by name: percent and fraction, object and list (traps 4 and 6)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.errors import PayloadError
from monitor.exchanges.bitunix.client import PAGE_ROWS
from tests.fakes.exchange_data import as_bytes, bitunix, bitunix_by, bitunix_instruments, ok, reply_bytes, reply_json
from tests.fakes.fake_transport import Answer, Asked

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_the_current_rate_is_in_percent_and_the_history_is_a_fraction() -> None:
    current, _ = bitunix(reply_bytes("bitunix", "funding_batch"))
    history, _ = bitunix(reply_bytes("bitunix", "funding_history"))

    assert current.fetch_details().value.quotes[0].funding_rate == Decimal("0.0001")
    assert history.fetch_funding_history("BTCUSDT").value[-1].rate == Decimal("0.0001")


@pytest.mark.parametrize("is_list", [False, True])
def test_a_single_funding_rate_is_an_object_or_a_list_of_one(is_list: bool) -> None:
    body = reply_json("bitunix", "funding_rate")
    if is_list:
        body["data"] = [body["data"]]
    client, transport = bitunix(as_bytes(body))

    quote = client.fetch_funding("btcusdt").value.quotes[0]

    assert quote.funding_rate == Decimal("0.0000072")
    assert (quote.index, quote.funding_interval_h) == (None, 8)
    assert quote.next_funding_time == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert transport.asked[0].params == {"symbol": "BTCUSDT"}


@pytest.mark.parametrize("data", [[], "x", 5, None, [[]]])
def test_a_single_funding_rate_is_nothing_else(data: object) -> None:
    client, _ = bitunix(ok(data))

    with pytest.raises(PayloadError):
        client.fetch_funding("BTCUSDT")


def test_dead_contracts_of_the_batch_are_accepted_and_not_in_the_catalog() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "funding_batch"))

    ghost = client.fetch_details().value.quotes[2]

    assert (ghost.venue_symbol, ghost.index, ghost.funding_rate) == ("GHOSTUSDT", None, Decimal(0))
    assert ghost.venue_symbol not in bitunix_instruments()


def test_details_speak_of_funding_and_index_only() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "funding_batch"))

    batch = client.fetch_details().value

    assert batch.fields == {"index", "funding_rate", "funding_interval_h", "next_funding_time"}
    assert batch.quotes[1].funding_interval_h == 4


def test_funding_history_uses_the_venues_own_spelling_of_the_start() -> None:
    client, transport = bitunix(reply_bytes("bitunix", "funding_history"))

    client.fetch_funding_history("BTCUSDT", start=SIX - timedelta(days=2), end=SIX)
    params = transport.asked[0].params or {}

    assert set(params) == {"symbol", "limit", "starTime", "endTime"}
    assert params["starTime"] == str(1_795_413_600_000 - 2 * 86_400_000)


def test_funding_history_is_handed_out_oldest_first() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "funding_history"))

    payments = client.fetch_funding_history("BTCUSDT").value

    assert [payment.rate for payment in payments] == [Decimal("-0.00005"), Decimal("0.0001")]
    assert payments[1].mark == Decimal("90400.5")


def test_funding_history_pages_backwards_without_repeats() -> None:
    newest_ms = 1_795_392_000_000
    times = [newest_ms - 28_800_000 * number for number in range(500)]

    def serve(asked: Asked) -> Answer:
        params = asked.params or {}
        end_ms = int(params.get("endTime", newest_ms))
        page = [time for time in times if time <= end_ms][: int(params["limit"])]
        return ok([{"fundingRate": "0.0001", "fundingTime": str(time), "markPrice": "1"} for time in page])

    client, transport = bitunix_by(serve)
    payments = client.fetch_funding_history("BTCUSDT", limit=450).value

    assert len({payment.time for payment in payments}) == len(payments) == 450
    assert [int((asked.params or {})["limit"]) for asked in transport.asked] == [PAGE_ROWS] * 3
