"""Refusals of the venue go to the budget and come back as replies; nothing waits inside."""

import time

import pytest

from monitor.domain.errors import BudgetExhausted, PauseCause
from monitor.transport.budget import BudgetRule, WeightBudget
from tests.fakes.fake_clock import FakeClock
from tests.fakes.pooled import GET, session_to
from tests.fakes.tls_server import LoopbackServer, Received


def budget(clock: FakeClock) -> WeightBudget:
    return WeightBudget(BudgetRule(venue="venue", limit=1000, window_s=60.0), clock)


def refuse(status: int, **headers: str) -> object:
    def behave(received: Received) -> None:
        received.reply(b"no", status=status, headers={name.replace("_", "-"): text for name, text in headers.items()})

    return behave


@pytest.mark.parametrize("status", [429, 418, 503])
@pytest.mark.parametrize(
    ("hint", "pause_s"),
    [
        ("30", 30.0),
        ("Mon, 23 Nov 2026 10:00:45 GMT", 45.0),  # the reply's own Date is 10:00:00, whatever our clock says
        ("0", 1.0),
        ("-5", 10.0),
        ("soon", 10.0),
        ("99999999999999999999", 3600.0),
        (None, 10.0),
    ],
)
def test_refusal_is_returned_and_pauses(
    server: LoopbackServer, status: int, hint: str | None, pause_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    slept: list[float] = []
    session = session_to(server, budget=budget(clock))
    server.behave = refuse(status, **({"Retry_After": hint} if hint is not None else {}))  # type: ignore[assignment]  # a function in place of a method
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", slept.append)  # how urllib3 would wait
        reply = session.request(GET)

    assert (reply.status, reply.body, slept) == (status, b"no", [])
    cause = PauseCause.UNAVAILABLE if status == 503 else PauseCause.RATE_LIMIT
    assert session.budget_state().paused_for_s == pytest.approx(pause_s)
    assert session.budget_state().pause_cause is cause
    with pytest.raises(BudgetExhausted) as caught:
        session.request(GET)
    assert caught.value.available_in_s == pytest.approx(pause_s)
    assert caught.value.pause is cause
    assert caught.value.user_text == f"{cause.sentence('venue')}; next try in {pause_s:.0f} s."
    assert server.served == 1
    assert reply.traces[0].error_kind is None

    clock.advance(pause_s)
    server.behave = lambda received: received.reply()
    assert session.request(GET).status == 200
    assert session.budget_state().paused_for_s is None
    session.close()


def test_refusal_under_our_cap_points_at_somebody_else(server: LoopbackServer) -> None:
    session = session_to(server, budget=budget(FakeClock()))
    server.behave = refuse(429)  # type: ignore[assignment]  # a function in place of a method
    session.request(GET)

    assert session.budget_state().is_shared_suspected
    assert session.budget_state().refusals == 1
    session.close()


def test_overload_says_nothing_about_the_limit(server: LoopbackServer) -> None:
    session = session_to(server, budget=budget(FakeClock()))
    server.behave = refuse(503)  # type: ignore[assignment]  # a function in place of a method
    session.request(GET)

    assert not session.budget_state().is_shared_suspected
    assert session.budget_state().refusals == 0
    session.close()


def test_request_beyond_the_cap_is_not_sent(server: LoopbackServer) -> None:
    session = session_to(server, budget=budget(FakeClock()))
    session.request(GET, weight=300)
    with pytest.raises(BudgetExhausted) as caught:
        session.request(GET, weight=1)

    assert server.served == 1
    assert caught.value.available_in_s == pytest.approx(60.0)
    assert session.available_in_s(1) == pytest.approx(60.0)
    session.close()


def test_charge_and_refusal_in_the_body_reach_the_budget(server: LoopbackServer) -> None:
    session = session_to(server, budget=budget(FakeClock()))
    session.request(GET, weight=2)
    session.charge(GET, 40)
    session.refused(GET, 20.0)

    state = session.budget_state()
    assert (state.used, dict(state.by_endpoint_60s)) == (42, {"venue.get": 42})
    assert state.paused_for_s == pytest.approx(20.0)
    session.close()
