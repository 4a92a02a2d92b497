"""Bitunix's client as a whole: what it sends, how it learns the venue's clock, and the plan it proposes."""

from datetime import timedelta
from functools import partial

import pytest

from monitor.domain.errors import MonitorError, PayloadError
from monitor.exchanges.base import Focus
from tests.fakes.exchange_data import bitunix, ok, reply_bytes
from tests.fakes.fake_transport import Canned


def test_every_request_is_a_get_below_the_futures_path() -> None:
    client, transport = bitunix(ok([]))
    client.fetch_details()
    client.fetch_candles("BTCUSDT", "1m")
    client.fetch_funding_history("BTCUSDT")
    for read in (client.fetch_instruments, client.fetch_quotes, partial(client.fetch_order_book, "BTCUSDT")):
        with pytest.raises(PayloadError):
            read()

    assert {asked.endpoint.method for asked in transport.asked} == {"GET"}
    assert all(asked.endpoint.path.startswith("/api/v1/futures/market/") for asked in transport.asked)
    assert all(asked.body is None for asked in transport.asked)


def test_a_parse_error_brings_the_trace_of_its_request() -> None:
    client, _ = bitunix(b"{")

    with pytest.raises(PayloadError) as caught:
        client.fetch_quotes()
    assert len(caught.value.traces) == 1


def test_a_builder_dex_is_refused() -> None:
    client, transport = bitunix(b"")

    with pytest.raises(MonitorError):
        client.fetch_quotes("xyz")
    assert transport.asked == []


@pytest.mark.parametrize("phase_s", [0.0, 0.3, 0.6, 0.9])
def test_the_clock_offset_is_centred_in_the_stamps_second(phase_s: float) -> None:
    client, transport = bitunix(Canned(body=reply_bytes("bitunix", "tickers"), round_trip_s=0.2))
    ahead = transport.clock.utc_now() + timedelta(seconds=30)
    transport.clock.advance(phase_s)
    ahead += timedelta(seconds=phase_s)
    stamp = (ahead + timedelta(seconds=0.1)).replace(microsecond=0)
    transport.answers = [Canned(body=reply_bytes("bitunix", "tickers"), date=stamp, round_trip_s=0.2)]

    offset_s = client.fetch_quotes().clock_offset_s

    assert offset_s is not None
    assert abs(offset_s - 30.0) <= 0.5 + 0.1


def test_without_a_date_header_the_clock_offset_is_unknown() -> None:
    client, _ = bitunix(reply_bytes("bitunix", "tickers"))

    assert client.fetch_quotes().clock_offset_s is None


def test_the_default_plan_stays_under_the_own_cap() -> None:
    client, _ = bitunix(b"")

    jobs = client.poll_jobs(Focus(venue_symbol="BTCUSDT", interval="5m"))
    calls_per_s = sum(job.weight / job.cadence_s for job in jobs)

    assert calls_per_s < 0.30 * 10
    assert [job.key for job in jobs] == [
        "bitunix.tickers",
        "bitunix.trading_pairs",
        "bitunix.funding_batch",
        "bitunix.depth:BTCUSDT",
        "bitunix.candles:BTCUSDT:5m",
    ]


def test_without_a_focus_or_chart_no_instrument_is_polled() -> None:
    client, _ = bitunix(b"")

    assert all(":" not in job.key for job in client.poll_jobs(Focus()))
    hidden = client.poll_jobs(Focus(venue_symbol="BTCUSDT", is_chart_shown=False))
    assert not any("candles" in job.key for job in hidden)
    assert not any("candles" in job.key for job in client.poll_jobs(Focus(venue_symbol="BTCUSDT", interval="3m")))
