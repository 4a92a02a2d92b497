"""The figures of a chosen period: nothing from outside it counts, and the whole of time gives what the totals say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import ErrorKind
from monitor.domain.telemetry import PoolStats, RequestTrace
from monitor.exchanges.base import Source
from monitor.state.latency import LatencyWindow
from monitor.state.ledger import SavingsLedger
from monitor.state.period import Period
from monitor.state.venue_period import venue_period
from monitor.state.venue_state import VenueState
from tests.fakes.poll_results import FakeClock, make_budget, make_quotes, make_success, make_trace


def attempt(number: int, at_s: float, kind: str) -> RequestTrace:
    if kind == "cold":
        return make_trace(
            number, ended_mono_s=at_s, is_cold=True, dns_s=0.01, tcp_s=0.03, tls_s=0.06, total_s=0.16, weight=2
        )
    kinds: dict[str, dict[str, object]] = {
        "warm": {},
        "failed": {"error_kind": ErrorKind.TIMEOUT, "status": None},
        "unconnected": {"error_kind": ErrorKind.CONNECT, "status": None, "is_cold": None, "connection_id": None},
        "healed": {"error_kind": ErrorKind.DROPPED, "status": None, "is_healed": True},
        "retry": {"attempt": 2},
    }
    return make_trace(number, **{"ended_mono_s": at_s, "weight": 2, **kinds[kind]})


@given(
    st.lists(
        st.tuples(st.floats(0.0, 100.0), st.sampled_from(["warm", "cold", "failed", "unconnected", "healed", "retry"])),
        max_size=60,
    ),
    st.floats(0.0, 100.0),
    st.floats(0.0, 100.0),
)
def test_a_tally_counts_what_ended_in_the_period(made: list[tuple[float, str]], one: float, other: float) -> None:
    start_s, end_s = sorted((one, other))
    window = LatencyWindow(100)
    made = sorted(made)
    for number, (at_s, kind) in enumerate(made):
        window.add(attempt(number, at_s, kind))
    tally = window.tally(start_s, end_s)
    inside = [kind for at_s, kind in made if start_s <= at_s <= end_s]

    assert tally.attempts == len(inside)
    assert tally.cold == inside.count("cold")
    assert tally.warm == sum(kind in ("warm", "failed", "healed", "retry") for kind in inside)
    assert tally.healed == inside.count("healed")
    assert tally.failed == inside.count("failed") + inside.count("unconnected")
    assert tally.calls == len(inside) - inside.count("retry")
    assert sum(endpoint.weight for endpoint in tally.by_endpoint.values()) == 2 * len(inside)
    assert sum(host.warm for host in tally.by_host.values()) == inside.count("warm") + inside.count("retry")
    assert sum(host.wasted_s for host in tally.by_host.values()) == pytest.approx(0.06 * inside.count("healed"))


def test_a_forgotten_attempt_is_not_counted_twice_nor_at_all() -> None:
    window = LatencyWindow(10)
    for number in range(25):
        window.add(attempt(number, float(number), "warm"))

    assert window.tally(0.0, 100.0).attempts == 10
    assert window.tally(20.0, 24.0).attempts == 5


def test_the_whole_of_time_saves_what_the_ledger_says() -> None:
    clock, ledger, window = FakeClock(), SavingsLedger(), LatencyWindow(100)
    traces = [attempt(1, 1_000.0, "cold"), *(attempt(n, 1_000.0 + n, "warm") for n in range(2, 9))]
    traces.append(attempt(9, 1_009.0, "healed"))
    # Opened ahead: the handshake of their first requests was paid earlier, not saved.
    traces += [replace(attempt(n, 1_000.0 + n / 10, "warm"), is_prewarmed=True) for n in (10, 11, 12)]
    for trace in traces:
        ledger.add_trace(trace)
        window.add(trace)
        ledger.add_poll(make_success(make_quotes({"A": "1"}), clock, traces=[trace]))
    for _ in range(5):
        ledger.add_poll(make_success(make_quotes({"A": "1"}), clock, source=Source.CACHE))
    tally = window.tally(0.0, 1e9)
    period = Period(0.0, 1_010.0)

    assert ledger.pooling_between(period, tally.by_host) == ledger.pooling(1_010.0)
    assert tally.warm == 11, "each found an open connection, which is what reuse counts"
    assert tally.by_host["venue.test:443"].warm == 7
    warm_s = {"bitunix": window.summary(0.0, 1e9, False).p50_s}
    assert ledger.caching_between(period, {"bitunix": tally.calls}, warm_s) == ledger.caching()


def test_a_period_without_a_cold_request_in_the_hour_before_its_end_saves_an_unknown_amount() -> None:
    ledger, window = SavingsLedger(), LatencyWindow(100)
    for trace in (attempt(1, 1_000.0, "cold"), attempt(2, 6_000.0, "warm")):
        ledger.add_trace(trace)
        window.add(trace)
    late = Period(5_900.0, 6_100.0)

    (saving,) = ledger.pooling_between(late, window.tally(late.start_mono_s, late.end_mono_s).by_host).values()
    assert (saving.warm_requests, saving.saved_s) == (1, None)


def test_calls_avoided_outside_the_period_are_not_in_it() -> None:
    clock, ledger = FakeClock(), SavingsLedger()
    for _ in range(10):
        clock.advance(1.0)
        ledger.add_poll(make_success(make_quotes({"A": "1"}), clock, source=Source.CACHE))
    saving = ledger.caching_between(Period(1_003.0, 1_006.0), {"bitunix": 7}, {"bitunix": 0.05})["bitunix"]
    unknown = ledger.caching_between(Period(1_003.0, 1_006.0), {"bitunix": 7}, {"bitunix": None})["bitunix"]

    assert (saving.made_calls, saving.saved_calls) == (7, 4)
    assert saving.saved_s == pytest.approx(4 * 0.05), "by the median of its own warm requests"
    assert unknown.saved_s is None


def test_a_venues_period_has_reuse_sockets_and_budget_of_its_own() -> None:
    clock, venue = FakeClock(), VenueState("bitunix")
    opened = 0
    for second in range(120):
        clock.advance(1.0)
        is_cold = second in (0, 60, 61)
        opened += is_cold
        trace = attempt(second, clock(), "cold" if is_cold else "warm")
        venue.note_trace(trace)
        pool = PoolStats(venue="bitunix", host="h", scheme="https", attempts=second + 1, opened=opened)
        budget = make_budget(total_weight=2 * second + 2)
        venue.note_result(
            make_success(
                make_quotes({"A": "1"}),
                clock,
                pools=[pool],
                budget=budget,
                planned=second,
                made=second,
            ),
            clock(),
        )
    first, second_half = venue_period(venue, Period(1_000.0, 1_058.5)), venue_period(venue, Period(1_058.5, 1_118.5))

    assert first.pools.reuse_ratio == pytest.approx(57 / 58)
    assert second_half.pools.reuse_ratio == pytest.approx(58 / 60)
    assert (first.pools.opened, second_half.pools.opened) == (1, 2)
    assert (first.cold.n, second_half.cold.n) == (1, 2)
    # 60 requests of weight 2 in a minute, of 10 a second; sampled every two seconds.
    assert second_half.budget_fraction == pytest.approx(120 / 600, abs=4 / 600)
    assert second_half.pools.peak is None


def test_nothing_in_a_period_is_no_figure() -> None:
    empty = venue_period(VenueState("bitunix"), Period(10.0, 20.0))

    assert empty.pools.reuse_ratio is None
    assert empty.pools.opened is None
    assert empty.warm.p50_s is None
    assert empty.budget_fraction is None


def test_a_period_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="before it begins"):
        Period(2.0, 1.0)
    assert Period(1.0, 3.0).length_s == 2.0
    assert [Period(1.0, 3.0).contains(at_s) for at_s in (0.9, 1.0, 3.0, 3.1)] == [False, True, True, False]
