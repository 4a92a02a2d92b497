"""Hyperliquid's candles: the range asked for, pages, and which one is forming."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.errors import MonitorError
from tests.fakes.exchange_data import as_bytes, hyperliquid, reply_bytes
from tests.fakes.fake_transport import Answer, Asked, Canned

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


def served(name: str) -> bytes:
    return reply_bytes("hyperliquid", name)


def test_candles_are_asked_for_in_a_nested_object_up_to_a_little_beyond_now() -> None:
    client, transport = hyperliquid(served("candleSnapshot"))
    now_ms = int(transport.clock.utc_now().timestamp() * 1_000)

    client.fetch_candles("BTC", "1h", limit=10)
    body = transport.asked[0].document

    assert set(body) == {"type", "req"}
    assert (body["req"]["coin"], body["req"]["interval"]) == ("BTC", "1h")
    assert body["req"]["endTime"] == now_ms + 5_000
    assert body["req"]["startTime"] == now_ms + 5_000 - 10 * 3_600_000


def test_only_the_newest_candle_is_forming_and_the_turnover_is_unknown() -> None:
    client, transport = hyperliquid(Canned(body=served("candleSnapshot"), date=SIX + timedelta(hours=2, minutes=10)))
    transport.clock.advance((SIX - transport.clock.utc_now()).total_seconds() + 7_800)

    candles = client.fetch_candles("BTC", "1h", limit=3).value.candles

    assert [candle.open_time for candle in candles] == [SIX, SIX + timedelta(hours=1), SIX + timedelta(hours=2)]
    assert [candle.is_closed for candle in candles] == [True, True, False]
    assert (candles[0].trades, candles[0].volume_quote) == (1_500, None)
    assert candles[0].volume_base == Decimal("210.5")


def test_a_venue_clock_far_from_ours_moves_the_candle_range() -> None:
    client, transport = hyperliquid(Canned(body=served("allMids"), date=SIX))
    client.fetch_quotes()
    transport.answers = [served("candleSnapshot")]

    client.fetch_candles("BTC", "1h", limit=1)
    end_ms = transport.asked[-1].document["req"]["endTime"]

    assert abs(end_ms / 1_000 - SIX.timestamp()) < 10


def test_a_start_before_1970_is_sent_as_zero() -> None:
    # The server refuses negative times with 422.
    client, transport = hyperliquid(b"[]")

    client.fetch_candles("BTC", "1M", limit=5_000)

    assert transport.asked[0].document["req"]["startTime"] == 0


class CandleServer:
    """Answers with at most ``page`` candles: the first of the range, as documented for ranges, or the newest."""

    def __init__(self, count: int, page: int, now: datetime, *, sends_newest: bool = False) -> None:
        newest_ms = int(now.timestamp() * 1_000) // 60_000 * 60_000
        self.times = [newest_ms - 60_000 * number for number in reversed(range(count))]
        self.page = page
        self.sends_newest = sends_newest

    def __call__(self, asked: Asked) -> Answer:
        request = asked.document["req"]
        inside = [time for time in self.times if time + 60_000 > request["startTime"] and time <= request["endTime"]]
        cut = inside[-self.page :] if self.sends_newest else inside[: self.page]
        row = {"s": "BTC", "i": "1m", "o": "5", "c": "5", "h": "6", "l": "4", "v": "1", "n": 3}
        return as_bytes([row | {"t": time, "T": time + 59_999} for time in cut])


def test_candles_are_paged_forward_while_pages_are_full() -> None:
    client, transport = hyperliquid(b"[]")
    server = CandleServer(3_000, 500, transport.clock.utc_now())
    transport.responder = server

    candles = client.fetch_candles("BTC", "1m", limit=1_200).value.candles

    assert len(candles) == 1_200
    assert len({candle.open_time for candle in candles}) == 1_200
    assert candles[-1].open_time.timestamp() * 1_000 == server.times[-1]
    assert len(transport.asked) == 3


def test_5000_candles_come_in_one_page_where_the_server_sends_them() -> None:
    client, transport = hyperliquid(b"[]")
    transport.responder = CandleServer(6_000, 5_000, transport.clock.utc_now(), sends_newest=True)

    candles = client.fetch_candles("BTC", "1m", limit=9_999).value.candles

    assert len(candles) == 5_000
    assert len(transport.asked) == 1
    assert transport.charged == [("hyperliquid.candleSnapshot", 84)]


def test_a_server_that_repeats_a_full_page_does_not_loop() -> None:
    client, transport = hyperliquid(b"[]")
    server = CandleServer(3_000, 500, transport.clock.utc_now())
    transport.responder = lambda _: server(transport.asked[0])

    client.fetch_candles("BTC", "1m", limit=3_000)

    assert len(transport.asked) == 2


def test_no_candles_are_an_empty_batch() -> None:
    client, _ = hyperliquid(b"[]")

    assert client.fetch_candles("BTC", "1h").value.candles == ()


def test_an_interval_the_venue_lacks_is_refused_before_it_is_asked() -> None:
    client, transport = hyperliquid(b"[]")

    with pytest.raises(MonitorError):
        client.fetch_candles("BTC", "6h")
    assert transport.asked == []
    assert "6h" not in client.intervals
    assert "3m" in client.intervals
