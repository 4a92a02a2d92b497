"""Every trap of Bitunix's klines, by name: swapped volumes, newest first, paged backwards."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitor.domain.errors import BudgetExhausted, MonitorError, TransportError
from tests.fakes.exchange_data import as_bytes, bitunix, bitunix_by, ok, reply_bytes, reply_json
from tests.fakes.fake_transport import Answer, Asked, Canned

SIX = datetime(2026, 11, 23, 6, tzinfo=UTC)


# Rows (traps 3 and 5)


def test_kline_volumes_are_swapped_back() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "kline"))

    first = client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles[0]

    assert first.volume_base == 55
    assert first.volume_quote == 4_990_000


def test_kline_volumes_stay_where_the_venue_has_mended_its_names() -> None:
    body = reply_json("bitunix", "kline")
    for row in body["data"]:
        row["quoteVol"], row["baseVol"] = row["baseVol"], row["quoteVol"]
    client, _ = bitunix(as_bytes(body))

    first = client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles[0]

    assert first.volume_base == 55
    assert first.volume_quote == 4_990_000


def test_kline_volumes_of_a_price_near_one_are_told_by_the_closer_ratio() -> None:
    row = {"open": "1.2", "high": "1.2", "low": "1.2", "close": "1.2", "time": "1795413600000"}
    swapped, _ = bitunix(ok([row | {"quoteVol": "100", "baseVol": "120"}]))
    mended, _ = bitunix(ok([row | {"quoteVol": "120", "baseVol": "100"}]))

    for client in (swapped, mended):
        candle = client.fetch_candles("XRPUSDT", "1h", limit=1).value.candles[0]
        assert (candle.volume_base, candle.volume_quote) == (Decimal(100), Decimal(120))


def test_kline_volumes_that_fit_neither_reading_count_as_swapped() -> None:
    row = {"open": "10", "high": "10", "low": "10", "close": "10", "time": "1795413600000"}
    client, _ = bitunix(ok([row | {"quoteVol": "0", "baseVol": "0"}, row | {"quoteVol": "300", "baseVol": "1"}]))

    candle = client.fetch_candles("XUSDT", "1h", limit=2).value.candles[0]

    assert (candle.volume_base, candle.volume_quote) == (Decimal(300), Decimal(1))


def test_klines_come_newest_first_and_are_handed_out_oldest_first() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "kline"))

    times = [candle.open_time for candle in client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles]

    assert times == [SIX, SIX + timedelta(hours=1), SIX + timedelta(hours=2)]


def test_only_the_newest_kline_is_forming_until_the_venue_clock_passes_its_end() -> None:
    body = reply_bytes("bitunix", "kline")

    def closed_at(date: datetime) -> list[bool]:
        client, _ = bitunix(Canned(body=body, date=date))
        return [candle.is_closed for candle in client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles]

    assert closed_at(SIX + timedelta(hours=2, minutes=30)) == [True, True, False]
    # The stamp may be a moment younger than the data, so the second of the close itself is not enough.
    assert closed_at(SIX + timedelta(hours=3)) == [True, True, False]
    assert closed_at(SIX + timedelta(hours=3, seconds=1)) == [True, True, True]


def test_a_wrong_local_clock_does_not_close_a_candle() -> None:
    client, transport = bitunix(Canned(body=reply_bytes("bitunix", "kline"), date=SIX + timedelta(hours=2, minutes=30)))
    transport.clock.advance(86_400 * 400)

    assert not client.fetch_candles("BTCUSDT", "1h", limit=3).value.candles[-1].is_closed


# Pages


class KlineServer:
    """Answers like the venue: newest first, at most 200, ending at endTime."""

    def __init__(self, count: int, *, overlap_ms: int = 0) -> None:
        self.newest_ms = 1_795_413_600_000
        self.times = [self.newest_ms - 60_000 * number for number in range(count)]
        self.overlap_ms = overlap_ms

    def __call__(self, asked: Asked) -> Answer:
        params = asked.params or {}
        end_ms = int(params.get("endTime", self.newest_ms)) + self.overlap_ms
        rows = [time for time in self.times if time <= end_ms][: min(200, int(params["limit"]))]
        row = {"open": "5", "high": "6", "low": "4", "close": "5", "quoteVol": "1", "baseVol": "5"}
        return ok([row | {"time": str(time)} for time in rows])


def test_klines_page_backwards_by_end_time() -> None:
    client, transport = bitunix_by(KlineServer(1_000))

    batch = client.fetch_candles("BTCUSDT", "1m", limit=450).value
    ends = [asked.params.get("endTime") for asked in transport.asked if asked.params]

    assert len(batch.candles) == 450
    assert ends == [None, str(1_795_413_600_000 - 199 * 60_000 - 1), str(1_795_413_600_000 - 399 * 60_000 - 1)]
    assert all("startTime" not in (asked.params or {}) for asked in transport.asked)
    assert [one.open_time for one in batch.candles] == sorted({one.open_time for one in batch.candles})


def test_klines_stop_on_an_empty_page() -> None:
    client, transport = bitunix_by(KlineServer(200))

    assert len(client.fetch_candles("BTCUSDT", "1m", limit=1_000).value.candles) == 200
    assert len(transport.asked) == 2


def test_klines_stop_when_nothing_older_arrives() -> None:
    # A server that ignores endTime sends the same page again and again.
    client, transport = bitunix_by(
        lambda asked: KlineServer(200)(Asked(asked.endpoint, {"limit": "200"}, None, None, 1))
    )

    assert len(client.fetch_candles("BTCUSDT", "1m", limit=1_000).value.candles) == 200
    assert len(transport.asked) == 2


def test_klines_repeated_by_the_next_page_are_dropped() -> None:
    client, _ = bitunix_by(KlineServer(600, overlap_ms=120_000))

    candles = client.fetch_candles("BTCUSDT", "1m", limit=500).value.candles

    assert len({candle.open_time for candle in candles}) == len(candles) == 500


def test_klines_of_a_range_are_clipped_to_it() -> None:
    client, _ = bitunix_by(KlineServer(1_000))
    newest = datetime(2026, 11, 23, 6, tzinfo=UTC)

    candles = client.fetch_candles(
        "BTCUSDT",
        "1m",
        start=newest - timedelta(minutes=300, seconds=30),
        end=newest - timedelta(minutes=10),
        limit=1_000,
    ).value.candles

    assert candles[0].open_time == newest - timedelta(minutes=301)
    assert candles[-1].open_time == newest - timedelta(minutes=10)


def test_an_interval_the_venue_lacks_is_refused_before_it_is_asked() -> None:
    # The server would answer it with success and an empty list.
    client, transport = bitunix(ok([]))

    with pytest.raises(MonitorError):
        client.fetch_candles("BTCUSDT", "3m")
    assert transport.asked == []
    assert "3m" not in client.intervals


def test_a_page_that_fails_brings_the_traces_of_the_pages_before_it() -> None:
    server = KlineServer(1_000)
    client, transport = bitunix_by(
        lambda asked: server(asked) if len(transport.asked) < 3 else TransportError("gone", traces=("last",))
    )

    with pytest.raises(TransportError) as caught:
        client.fetch_candles("BTCUSDT", "1m", limit=1_000)
    assert len(caught.value.traces) == 3
    assert caught.value.traces[-1] == "last"


def test_a_later_page_waits_for_the_budget_and_the_first_one_does_not() -> None:
    server = KlineServer(1_000)
    exhausted = BudgetExhausted("wait", available_in_s=0.16)
    client, transport = bitunix_by(lambda asked: exhausted if len(transport.asked) == 2 else server(asked))

    assert len(client.fetch_candles("BTCUSDT", "1m", limit=400).value.candles) == 400

    client, transport = bitunix_by(lambda asked: exhausted)
    with pytest.raises(BudgetExhausted):
        client.fetch_candles("BTCUSDT", "1m", limit=400)
    assert len(transport.asked) == 1


def test_a_read_of_several_pages_has_the_clocks_of_the_oldest() -> None:
    client, _ = bitunix_by(KlineServer(1_000))

    fetched = client.fetch_candles("BTCUSDT", "1m", limit=600)

    assert len(fetched.traces) == 3
    assert fetched.requested_mono_s == fetched.traces[0].started_mono_s
    assert fetched.received_mono_s == fetched.traces[0].ended_mono_s
