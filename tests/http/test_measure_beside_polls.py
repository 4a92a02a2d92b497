"""*Measure* at a venue that is polled meanwhile, out of the same share of its limit: the run waits, not the polls."""

import threading
import time

import pytest

from monitor.assembly import assemble
from monitor.controller import Controller
from monitor.desktop.settings import Settings
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import NO_FAILURES
from monitor.exchanges.account_registry import ACCOUNT_VENUES
from monitor.polling.results import PollFailure, PollSuccess, TaskDone
from monitor.proof.measurement import Measurement, MeasureOptions, MeasureResult
from tests.fakes.demo_exchange import demo_exchange

pytestmark = pytest.mark.xdist_group("waiting")

VENUE = "bitunix"
INPUTS = {"api_key": "demo-key-worth-nothing", "secret": "demo-secret-worth-nothing"}


@pytest.mark.parametrize("has_account", [False, True])
def test_no_price_poll_is_missed_for_a_run(*, has_account: bool) -> None:
    with demo_exchange() as exchange:
        controller = Controller(venues=(VENUE,), settings=Settings())
        controller.attach(assemble((VENUE,), Settings(), base_urls=exchange.venues, ca_file=exchange.ca_file))
        controller.set_focus((VENUE, "BTCUSDT"), "1m")
        if has_account:
            controller.set_account_refs((AccountRef(VENUE, "main"),))
            controller.open_account(ACCOUNT_VENUES[VENUE].make_credentials("main", INPUTS))
        polls: list[PollSuccess | PollFailure] = []
        results: list[MeasureResult] = []

        def take(seconds: float) -> None:
            ends_s = time.monotonic() + seconds
            while time.monotonic() < ends_s:
                found, dropped = controller.outbox.drain()
                fresh = [one for one in found if not isinstance(one, TaskDone)]
                controller.board.apply(fresh, dropped)
                polls.extend(fresh)
                time.sleep(0.02)

        def run() -> None:
            results.append(
                Measurement(
                    controller.runtimes[VENUE],
                    [],
                    MeasureOptions(requests=4, first_rounds=1),
                    cancel=threading.Event(),
                    hold_s=lambda weight, waited_s: controller.spare_hold_s(VENUE, weight, waited_s),
                ).run()
            )

        take(5.0)
        polls.clear()
        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive():
            take(0.2)
        controller.stop(15.0)

    (result,) = results
    assert (result.pooled.n, result.unpooled.n) == (4, 4)
    prices = [one for one in polls if one.account is None]
    assert len(prices) > 5
    assert [(one.endpoint, one.missed) for one in prices if one.missed] == []
    failures = [one for one in polls if isinstance(one, PollFailure)]
    assert [one for one in failures if one.account is None] == []
    assert {one.failure.kind for one in failures} <= NO_FAILURES, "an account may wait for our own share"
    assert has_account == any(one.account is not None for one in polls), "the account is read meanwhile"
