"""The savings ledgers hold to their definitions, say unknown when they must, and may be negative."""

from collections.abc import Iterable
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.domain.errors import ErrorKind
from monitor.domain.market import CandleBatch
from monitor.domain.telemetry import RequestTrace
from monitor.exchanges.base import Source
from monitor.state.ledger import COLD_SAMPLE_LIFE_S, CachingSaving, SavingsLedger
from tests.fakes.poll_results import FakeClock, make_quotes, make_success, make_trace

HOST = "venue.test:443"


def cold(number: int, setup_s: float, at_s: float = 1_000.0) -> RequestTrace:
    return make_trace(
        number,
        is_cold=True,
        dns_s=0.2 * setup_s,
        tcp_s=0.3 * setup_s,
        tls_s=0.5 * setup_s,
        total_s=setup_s + 0.06,
        ended_mono_s=at_s,
    )


@given(
    st.lists(st.floats(0.001, 2.0), min_size=1, max_size=40),
    st.integers(0, 500),
    st.lists(st.floats(0.0, 5.0), max_size=5),
)
def test_saved_by_pooling_is_warm_requests_times_the_median_cold_setup(
    setups_s: list[float], warm: int, wasted_s: list[float]
) -> None:
    ledger = SavingsLedger()
    for number, setup_s in enumerate(setups_s):
        ledger.add_trace(cold(number, setup_s))
    for number in range(warm):
        ledger.add_trace(make_trace(10_000 + number))
    for number, lost_s in enumerate(wasted_s):
        ledger.add_trace(make_trace(20_000 + number, total_s=lost_s, is_healed=True, error_kind=ErrorKind.DROPPED))
    saving = ledger.pooling(1_000.0)[HOST]

    assert saving.warm_requests == warm
    assert saving.cold_samples == len(setups_s)
    assert saving.saved_s == pytest.approx(warm * median(setups_s) - sum(wasted_s))
    assert saving.saved_s is not None
    assert saving.saved_low_s is not None
    assert saving.saved_high_s is not None
    assert saving.saved_low_s <= saving.saved_s + 1e-9
    assert saving.saved_s <= saving.saved_high_s + 1e-9


def test_without_a_cold_sample_in_the_last_hour_the_saving_is_unknown() -> None:
    ledger = SavingsLedger()
    ledger.add_trace(cold(1, 0.2, at_s=0.0))
    ledger.add_trace(make_trace(2))
    fresh = ledger.pooling(COLD_SAMPLE_LIFE_S)[HOST]
    old = ledger.pooling(COLD_SAMPLE_LIFE_S + 0.1)[HOST]

    assert fresh.saved_s == pytest.approx(0.2)
    assert (old.saved_s, old.saved_low_s, old.saved_high_s) == (None, None, None)
    assert old.warm_requests == 1


def test_a_host_that_was_only_ever_warm_saves_an_unknown_amount() -> None:
    ledger = SavingsLedger()
    ledger.add_trace(make_trace(1))

    assert ledger.pooling(1_000.0)[HOST].saved_s is None


def test_pooling_can_cost_more_than_it_saves() -> None:
    ledger = SavingsLedger()
    ledger.add_trace(cold(1, 0.1))
    ledger.add_trace(make_trace(2, is_healed=True, error_kind=ErrorKind.DROPPED, total_s=3.0))
    saved_s = ledger.pooling(1_000.0)[HOST].saved_s

    assert saved_s == pytest.approx(-3.0)


def test_attempts_without_a_connection_and_failed_ones_save_nothing() -> None:
    ledger = SavingsLedger()
    ledger.add_trace(make_trace(1, is_cold=None, error_kind=ErrorKind.DNS))
    assert ledger.pooling(1_000.0) == {}
    ledger.add_trace(cold(2, 0.1))
    ledger.add_trace(make_trace(3, error_kind=ErrorKind.TIMEOUT))

    assert ledger.pooling(1_000.0)[HOST].saved_s == 0.0


def test_hosts_do_not_share_their_setups() -> None:
    ledger = SavingsLedger()
    ledger.add_trace(cold(1, 0.1))
    ledger.add_trace(make_trace(2, host="other.test:443"))

    assert ledger.pooling(1_000.0)["other.test:443"].saved_s is None


def test_saved_by_caching_is_calls_not_made_times_the_warm_median() -> None:
    clock = FakeClock()
    ledger = SavingsLedger()
    for number in range(3):
        trace = make_trace(number, total_s=0.1)
        ledger.add_trace(trace)
        ledger.add_poll(make_success(make_quotes({"A": "1"}), clock, traces=[trace]))
    for _ in range(7):
        ledger.add_poll(make_success(make_quotes({"A": "1"}), clock, source=Source.CACHE))
    saving = ledger.caching()["bitunix"]

    assert (saving.plain_calls, saving.made_calls, saving.saved_calls) == (10, 3, 7)
    assert saving.saved_s == pytest.approx(0.7)


def candle_polls(ledger: SavingsLedger, times_s: Iterable[float], cadence_s: float) -> CachingSaving:
    batch = CandleBatch(venue="bitunix", venue_symbol="A", interval="5m", candles=())
    for number, time_s in enumerate(times_s):
        trace = make_trace(number, total_s=0.1)
        ledger.add_trace(trace)
        ledger.add_poll(
            make_success(
                batch, FakeClock(), key="candles:A", cadence_s=cadence_s, received_mono_s=time_s, traces=[trace]
            )
        )
    return ledger.caching()["bitunix"]


def test_candles_asked_for_as_they_close_are_held_against_asking_once_a_minute() -> None:
    saving = candle_polls(SavingsLedger(), (1_000.0 + 300.0 * number for number in range(13)), cadence_s=300.0)

    assert (saving.plain_calls, saving.made_calls) == (61, 13), "an hour"
    assert saving.saved_s == pytest.approx(4.8)


def test_candles_of_a_minute_are_asked_for_as_often_by_a_plain_plan() -> None:
    jitter = (0.0, 0.4, -0.3, 0.2, -0.4)
    saving = candle_polls(
        SavingsLedger(), (1_000.0 + 60.0 * number + jitter[number % 5] for number in range(500)), cadence_s=60.0
    )

    assert saving.saved_calls == 0


def test_time_in_which_candles_were_not_polled_saves_nothing() -> None:
    ledger = SavingsLedger()
    candle_polls(ledger, [1_000.0, 1_300.0], cadence_s=300.0)
    saving = candle_polls(ledger, [9_000.0, 9_300.0], cadence_s=300.0)

    assert (saving.plain_calls, saving.made_calls) == (12, 4)


def test_a_failed_refresh_behind_an_expired_entry_saves_nothing() -> None:
    clock = FakeClock()
    ledger = SavingsLedger()
    failed = [make_trace(1, error_kind=ErrorKind.TIMEOUT), make_trace(2, error_kind=ErrorKind.TIMEOUT)]
    ledger.add_poll(make_success(make_quotes({"A": "1"}), clock, source=Source.STALE_CACHE, traces=failed))

    assert ledger.caching()["bitunix"].saved_calls == -1
    assert ledger.caching()["bitunix"].saved_s is None


def test_first_request_on_a_connection_opened_ahead_saved_nothing() -> None:
    """Its handshake was paid earlier."""
    ledger = SavingsLedger()
    ledger.add_trace(cold(1, 0.2))
    ledger.add_trace(make_trace(2, is_prewarmed=True))
    ledger.add_trace(make_trace(3))
    saving = ledger.pooling(1_000.0)[HOST]

    assert (saving.warm_requests, saving.cold_requests) == (1, 1)
    assert saving.saved_s == pytest.approx(0.2)
