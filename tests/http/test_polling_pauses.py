"""What is told of a venue that is left alone for a while, by its cause: real refusals of the demo exchange."""

import re
import time
from collections.abc import Callable, Iterator

import pytest

from monitor.domain.errors import ErrorKind, PauseCause
from monitor.domain.telemetry import BudgetState
from monitor.exchanges.registry import VENUES
from monitor.polling.results import PollFailure, PollSuccess
from monitor.state.board import Board
from monitor.state.feeds import FeedState
from monitor.state.sources import source_of_feed, source_text
from monitor.state.summary import budget_document
from monitor.state.venue_state import VenueState
from monitor.transport.config import TransportConfig
from tests.fakes.demo_exchange import DemoServer, demo_exchange
from tests.fakes.polling_rig import PATIENCE_S, Rig

pytestmark = pytest.mark.xdist_group("waiting")

VENUE = "bitunix"


class Watched:
    """A board that is fed by a rig, as the window's is."""

    def __init__(self, exchange: DemoServer) -> None:
        self.rig = Rig(exchange, TransportConfig(connect_timeout_s=2.0, read_timeout_s=2.0, deadline_s=3.0))
        self.board = Board(venues=tuple(VENUES))
        self.failures: list[PollFailure] = []
        self.rig.engine.apply_plan(self.rig.plan())
        self.wait_until(lambda: self.venue.fast_feed is not None and self.venue.fast_feed.replies >= 2)

    @property
    def venue(self) -> VenueState:
        return self.board.venue(VENUE)

    @property
    def fast_feed(self) -> FeedState:
        feed = self.venue.fast_feed
        assert feed is not None
        return feed

    @property
    def budget(self) -> BudgetState:
        budget = self.venue.budget
        assert budget is not None
        return budget

    @property
    def events(self) -> list[str]:
        return [entry.text for entry in self.board.events.items if entry.venue == VENUE]

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        give_up_s = time.monotonic() + PATIENCE_S
        while not is_reached():
            assert time.monotonic() < give_up_s, self.events
            time.sleep(0.02)
            self.rig.collect()
            seen = [one for one in self.rig.seen if isinstance(one, PollSuccess | PollFailure)]
            self.failures += [one for one in seen if isinstance(one, PollFailure) and one.venue == VENUE]
            self.rig.seen.clear()
            self.board.apply(seen)
            self.board.tick()

    def wait_for_a_held_poll(self) -> PollFailure:
        """Until the fast feed says that the pause holds it back."""

        def held() -> list[PollFailure]:
            return [
                one
                for one in self.failures
                if one.failure.kind is ErrorKind.BUDGET and one.endpoint == self.fast_feed.endpoint
            ]

        self.wait_until(lambda: bool(held()) and held()[-1] is self.venue.newest_failure(held()[-1].endpoint))
        return held()[-1]


@pytest.fixture(scope="module")
def exchange() -> Iterator[DemoServer]:
    with demo_exchange(rtt_ms=20) as server:
        yield server


@pytest.fixture
def watched(exchange: DemoServer) -> Iterator[Watched]:
    watched = Watched(exchange)
    yield watched
    watched.rig.close()


def test_an_outage_is_told_as_one_and_never_as_too_many_requests(watched: Watched) -> None:
    watched.rig.exchange.add_fault(kind="server_error", venue=VENUE, status=503)
    held = watched.wait_for_a_held_poll()
    now = time.perf_counter()
    countdown_s = watched.venue.paused_for_s(now)
    source = source_of_feed(watched.fast_feed, now)

    assert (held.failure.pause, held.failure.user_text) == (
        PauseCause.UNAVAILABLE,
        "Bitunix is unavailable (HTTP 503)",
    )
    assert source is not None
    assert re.search(r"because: Bitunix is unavailable \(HTTP 503\), next try in [\d.]+ m?s$", source_text(source))
    assert countdown_s is not None
    assert source.retry_in_s == pytest.approx(countdown_s, abs=0.001), "one countdown, wherever it is shown"
    assert any(re.fullmatch(r"unavailable \(HTTP 503\): paused for \d+ s", text) for text in watched.events)
    budget = watched.budget
    assert (budget.pause_cause, budget.refusals, budget.is_shared_suspected) == (PauseCause.UNAVAILABLE, 0, False)
    assert budget_document(budget, paused_for_s=countdown_s)["pause_cause"] == "unavailable"

    watched.rig.exchange.clear_faults()
    watched.wait_until(lambda: "bitunix.tickers" not in watched.venue.failing_endpoints)
    told = " ".join(watched.events)
    assert "the pause after HTTP 503 is over" in told
    assert "polls were due while the venue was unavailable (HTTP 503) (bitunix.tickers)" in told
    assert not re.search("too many|our share|someone else|refusal", told)


def test_a_refusal_for_the_rate_limit_is_told_as_one(watched: Watched) -> None:
    # Of the book: a refused poll waits by itself, and it is the others that the pause holds back.
    watched.rig.exchange.add_fault(kind="rate_limit", venue=VENUE, endpoint="depth", retry_after_s=8.0, count=1)
    held = watched.wait_for_a_held_poll()
    now = time.perf_counter()
    source = source_of_feed(watched.fast_feed, now)

    assert (held.failure.pause, held.failure.user_text) == (
        PauseCause.RATE_LIMIT,
        "Bitunix asked us to pause (too many requests)",
    )
    assert source is not None
    assert source.retry_in_s == pytest.approx(watched.venue.paused_for_s(now), abs=0.001)
    assert any(text.startswith("too many requests: paused for 8 s; our own use") for text in watched.events)
    budget = watched.budget
    assert (budget.pause_cause, budget.is_shared_suspected) == (PauseCause.RATE_LIMIT, True)
    assert not any("503" in text for text in watched.events)
