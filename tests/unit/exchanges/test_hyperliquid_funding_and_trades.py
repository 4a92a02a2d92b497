"""Hyperliquid's funding, trades and status."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.errors import PayloadError
from tests.fakes.exchange_data import as_bytes, hyperliquid, reply_bytes
from tests.fakes.fake_transport import Answer, Asked

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


def served(name: str) -> bytes:
    return reply_bytes("hyperliquid", name)


def test_funding_history_is_oldest_first_with_its_premium() -> None:
    client, transport = hyperliquid(served("fundingHistory"))

    payments = client.fetch_funding_history("BTC", start=SIX - timedelta(hours=3), end=SIX + timedelta(hours=1)).value

    assert [payment.rate for payment in payments] == [Decimal("0.0000125"), Decimal("-0.0000031")]
    assert payments[0].premium == Decimal("0.0002")
    assert transport.asked[0].document == {
        "type": "fundingHistory",
        "coin": "BTC",
        "startTime": 1_795_413_600_000 - 3 * 3_600_000,
        "endTime": 1_795_413_600_000 + 3_600_000,
    }


def test_funding_history_pages_forward_from_the_last_row_and_drops_the_repeat() -> None:
    client, transport = hyperliquid(b"[]")
    now_ms = int(transport.clock.utc_now().timestamp() * 1_000)
    times = [now_ms - 3_600_000 * number + 17 for number in range(1, 1_500)]
    times.sort()

    def serve(asked: Asked) -> Answer:
        page = [time for time in times if time >= asked.document["startTime"]][:500]
        return as_bytes([{"coin": "BTC", "fundingRate": "0.0000125", "premium": "0.0", "time": time} for time in page])

    transport.responder = serve
    payments = client.fetch_funding_history("BTC", limit=1_200).value

    assert len({payment.time for payment in payments}) == len(payments) == 1_200
    assert len(transport.asked) == 3
    assert transport.charged[0] == ("hyperliquid.fundingHistory", 25)


def test_the_venues_own_predicted_time_is_past_and_left_out() -> None:
    client, _ = hyperliquid(served("predictedFundings"))

    found = {(one.base, one.source): one for one in client.fetch_predicted_fundings().value}

    assert found["BTC", "HlPerp"].next_funding_time is None
    assert found["BTC", "BinPerp"].next_funding_time == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert found["BTC", "BinPerp"].interval_h == 8
    assert found["ODD", "BinPerp"].interval_h is None
    assert ("BTC", "BybitPerp") not in found


def test_trades_are_oldest_first_with_the_aggressors_side() -> None:
    client, transport = hyperliquid(served("recentTrades"))

    trades = client.fetch_recent_trades("BTC").value

    assert [(trade.side, trade.trade_id) for trade in trades] == [("buy", "22"), ("sell", "1016917742328422")]
    assert trades[0].time < trades[1].time
    assert transport.charged == [("hyperliquid.recentTrades", 1)]


def test_a_trade_of_an_unknown_side_is_an_error_and_never_a_default() -> None:
    client, _ = hyperliquid(served("recentTrades").replace(b'"A"', b'"C"'))

    with pytest.raises(PayloadError) as caught:
        client.fetch_recent_trades("BTC")
    assert caught.value.path == "[0].side"


@pytest.mark.parametrize(
    ("special", "text"), [(None, None), ("", None), ("upgrade at 12", "upgrade at 12"), (["a"], '["a"]')]
)
def test_the_status_has_the_venues_clock_and_what_is_special(special: object, text: str | None) -> None:
    client, _ = hyperliquid(as_bytes({"specialStatuses": special, "time": 1_795_413_600_250}))

    fetched = client.fetch_status()

    assert fetched.value.special_status == text
    assert fetched.value.venue_time == SIX + timedelta(milliseconds=250)
    assert fetched.clock_offset_s is not None
