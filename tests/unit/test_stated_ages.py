"""Client, memory, poller, board and document together: nothing is older than it says, and each tells its source."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.domain.errors import TransportError
from monitor.exchanges.base import Fetched, Focus, Payload, PollJob
from monitor.exchanges.bitunix.client import BitunixClient
from monitor.exchanges.caching import CachedClient
from monitor.polling.line import BudgetLine
from monitor.polling.poller import Poller, PollerEnvironment
from monitor.polling.results import PollResult
from monitor.state.board import Board
from monitor.state.summary import quote_document
from tests.fakes.exchange_data import as_bytes, reply_bytes
from tests.fakes.fake_clock import FakeClock
from tests.fakes.fake_transport import Answer, Asked, Canned, FakeTransport

BTC = ("bitunix", "BTCUSDT")
FEEDS = ("bitunix.tickers", "bitunix.depth", "bitunix.kline")


class Desk:
    """Everything from the venue's answers to the document, on one clock. Each price tells when it was read, in ms."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.failing: frozenset[str] = frozenset()
        self.transport = FakeTransport(responder=self.answer, clock=self.clock)
        client = BitunixClient(self.transport, wall_clock=self.clock.utc_now, pause=self.clock.advance)
        self.cached = CachedClient(client, clock=self.clock, wall_clock=self.clock.utc_now)
        self.board = Board(venues=("bitunix",), clock=self.clock, utc_now=self.clock.utc_now)
        planned = self.cached.poll_jobs(Focus(venue_symbol=BTC[1], interval="1m"))
        self.jobs = {job.endpoint: job for job in planned if job.endpoint in FEEDS}
        self.newest_failed: dict[str, bool] = {}

    @property
    def now_ms(self) -> int:
        return round(self.clock.utc_now().timestamp() * 1_000)

    def answer(self, asked: Asked) -> Answer:
        name = asked.endpoint.name
        if name in self.failing:
            return TransportError("Bitunix did not answer.")
        date, now = self.clock.utc_now().replace(microsecond=0), str(self.now_ms)
        if name == "bitunix.tickers":
            data: Any = [{"symbol": BTC[1], "lastPrice": now}]
        elif name == "bitunix.depth":
            data = {"bids": [[now, "1"]], "asks": [[str(self.now_ms + 1), "1"]]}
        elif name == "bitunix.kline":
            newest_ms = self.now_ms // 60_000 * 60_000
            times = [newest_ms - 60_000 * number for number in range(int((asked.params or {})["limit"]))]
            data = [self.candle(time_ms) for time_ms in times]
        else:
            return Canned(body=reply_bytes("bitunix", name.removeprefix("bitunix.")), date=date)
        return Canned(body=as_bytes({"code": 0, "data": data, "msg": ""}), date=date)

    def candle(self, open_ms: int) -> dict[str, str]:
        read = str(min(self.now_ms, open_ms + 60_000))
        row = dict.fromkeys(("open", "low"), "1") | dict.fromkeys(("high", "close"), read)
        return {**row, "quoteVol": "1", "baseVol": read, "time": str(open_ms)}

    def poll(self, endpoint: str) -> None:
        """One poll of the real poller, its result taken in."""
        results: list[PollResult] = []
        job = self.jobs[endpoint]
        environment = PollerEnvironment(
            put=results.append, clock=self.clock, utc_now=self.clock.utc_now, random=lambda: 0.0, wait=self.clock.wait
        )
        poller: list[Poller] = []

        def once(fetch: Callable[[], Fetched[Payload]] = job.fetch) -> Fetched[Payload]:
            poller[0].retire()
            return fetch()

        one: PollJob = replace(job, fetch=once)
        poller.append(
            Poller(
                one,
                epoch=0,
                transport=self.transport,
                line=BudgetLine(self.transport),
                environment=environment,
                first_due_s=self.clock(),
            )
        )
        asked = len(self.transport.asked)
        poller[0].run()
        # What memory answers cannot fail.
        self.newest_failed[endpoint] = endpoint in self.failing and len(self.transport.asked) > asked
        self.board.apply(results)

    def document(self) -> dict[str, Any]:
        state, series = self.board.book(BTC), self.board.candles(BTC, "1m")
        return quote_document(
            None,
            self.board.quote(BTC),
            now_mono_s=self.clock(),
            venue_symbol=BTC[1],
            book=None if state is None else state.book,
            book_origin=None if state is None else self.board.quote(BTC).field_origin("bid"),  # type: ignore[union-attr]  # a book makes a quote
            candles=None if series is None else series.items,
            candle_origin=self.board.candle_origin(BTC, "1m"),
        )

    def age_of(self, price: str) -> float:
        """How long ago a price was read at the venue, in seconds."""
        return (self.now_ms - int(price)) / 1_000


STEPS = st.lists(
    st.tuples(st.floats(0.0, 400.0), st.sampled_from(FEEDS), st.frozensets(st.sampled_from(FEEDS))),
    min_size=1,
    max_size=14,
)


@settings(max_examples=80, deadline=None)
@given(STEPS)
def test_no_price_is_older_than_the_age_it_is_shown_with(steps: list[tuple[float, str, frozenset[str]]]) -> None:
    desk = Desk()
    for pause_s, endpoint, failing in steps:
        desk.failing = failing
        desk.poll(endpoint)
        desk.clock.advance(pause_s)
        document = desk.document()
        shown: list[tuple[str, dict[str, Any], str, str]] = []
        if document["price"] is not None:
            shown.append((document["price"], document, "bitunix.tickers", ""))
        if "book" in document:
            shown.append((document["book"]["bids"][0][0], document["book"], "bitunix.depth", ""))
        if "candles" in document:
            shown.append((document["candles"][-1]["close"], document, "bitunix.kline", "candles_"))
        for price, told, feed, prefix in shown:
            age_s, held_s, source = (told[f"{prefix}{name}"] for name in ("age_s", "cache_age_s", "source"))
            # Half a millisecond for the clock in the price, a little for the sums.
            assert desk.age_of(price) <= age_s + 0.001
            assert held_s <= age_s + 1e-6
            if desk.newest_failed[feed]:
                assert source == "stale_cache"
                assert told[f"{prefix}stale_reason"] == "Bitunix did not answer"
                assert desk.age_of(price) <= held_s + 0.101, "at most the time on the way is not ours"
            else:
                assert source in ("network", "cache")


def test_candles_read_twice_within_a_second_say_that_memory_answered() -> None:
    desk = Desk()
    desk.poll("bitunix.kline")
    desk.clock.advance(0.5)
    desk.poll("bitunix.kline")
    desk.clock.advance(2.0)
    document = desk.document()

    assert document["candles_source"] == "cache"
    assert document["candles_cache_age_s"] == 2.5
    assert document["candles_age_s"] == 2.6, "and a tenth of a second between asking and the reply"
