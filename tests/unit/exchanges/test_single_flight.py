"""One request serves all who need the same thing at once, and fails for each of them."""

import threading

import pytest

from monitor.domain.errors import MonitorError, UnknownInstrument
from monitor.domain.market import CandleBatch
from monitor.exchanges.base import Fetched, Source
from monitor.exchanges.flights import SingleFlight
from tests.fakes.exchange_data import bitunix, reply_bytes


class Turnstile:
    """A read that waits inside until it is let through, and tells when somebody is in it."""

    def __init__(self, result: Fetched[CandleBatch] | MonitorError | Exception) -> None:
        self.entered = threading.Event()
        self.may_leave = threading.Event()
        self.calls = 0
        self._result = result

    def __call__(self) -> Fetched[CandleBatch]:
        self.calls += 1
        self.entered.set()
        assert self.may_leave.wait(30)
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


def together(flights: SingleFlight, turnstile: Turnstile, followers: int) -> list[object]:
    """What a leader and ``followers`` get who all come while the leader is inside."""
    results: list[object] = [None] * (followers + 1)
    waiting = threading.Barrier(followers + 1)

    def run(place: int) -> None:
        if place:
            waiting.wait(30)
        try:
            results[place] = flights.share("key", turnstile)
        except Exception as error:  # noqa: BLE001  # handed to the test, which looks at every one
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(followers + 1)]
    threads[0].start()
    assert turnstile.entered.wait(30)
    for thread in threads[1:]:
        thread.start()
    waiting.wait(30)
    # The followers have passed the barrier; they need the lock only a moment, then they wait for the leader.
    while flights.waiting < followers:
        threading.Event().wait(0.001)
    turnstile.may_leave.set()
    for thread in threads:
        thread.join(30)
    return results


def some_candles() -> Fetched[CandleBatch]:
    client, _ = bitunix(reply_bytes("bitunix", "kline"))
    return client.fetch_candles("BTCUSDT", "1h", limit=3)


def test_one_request_serves_all_who_need_it_at_once() -> None:
    fetched = some_candles()
    turnstile = Turnstile(fetched)
    flights = SingleFlight(clock=lambda: fetched.received_mono_s + 0.25)

    results = together(flights, turnstile, followers=5)

    assert turnstile.calls == 1
    assert results[0] is fetched
    assert flights.shared == 5
    for result in results[1:]:
        assert isinstance(result, Fetched)
        assert result.value is fetched.value
        # The request is counted once: by its leader.
        assert (result.source, result.traces) == (Source.CACHE, ())
        assert result.cache_age_s == pytest.approx(0.25)


def test_a_shared_failure_is_an_error_object_of_its_own_for_everyone() -> None:
    error = UnknownInstrument("gone", http_status=200, venue_code="20015", traces=("trace",))

    results = together(SingleFlight(), Turnstile(error), followers=3)

    assert results[0] is error
    assert error.traces == ("trace",)
    assert len({id(result) for result in results}) == 4
    for result in results[1:]:
        assert isinstance(result, UnknownInstrument)
        assert (str(result), result.venue_code, result.traces) == ("gone", "20015", ())


def test_a_bug_in_the_leader_does_not_hang_the_others() -> None:
    turnstile = Turnstile(ZeroDivisionError("bug"))

    results = together(SingleFlight(), turnstile, followers=2)

    assert all(isinstance(result, ZeroDivisionError) for result in results)


def test_the_next_read_after_a_flight_is_a_new_one() -> None:
    flights = SingleFlight()
    calls = []

    def read() -> Fetched[CandleBatch]:
        calls.append(1)
        return some_candles()

    flights.share("key", read)
    flights.share("key", read)

    assert len(calls) == 2
